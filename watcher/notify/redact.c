/* redact.c - takes known secrets out of a receiver's words. */
#include "notify/redact.h"

#include <ctype.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define TOKEN_MIN    16	   /* a part of a path that is so long may be a secret */
#define MAX_TEXT     65536 /* more of an answer is not looked at */
#define MAX_BASIC    4096
#define ELLIPSIS     "..."
#define ELLIPSIS_LEN 3

struct secret {
	char *bytes;
	size_t len;
};

struct bw_redactor {
	struct secret *secrets;
	size_t count, capacity;
};

struct bw_redactor *bw_redactor_new(void)
{
	return BW_NEW(struct bw_redactor);
}

void bw_redactor_free(struct bw_redactor *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		explicit_bzero(r->secrets[i].bytes, r->secrets[i].len);
		free(r->secrets[i].bytes);
	}
	free(r->secrets);
	free(r);
}

static void add(struct bw_redactor *r, const char *bytes, size_t len)
{
	struct secret s = {.bytes = bw_strndup(bytes, len), .len = len};

	if (len > 0)
		BW_PUSH(r->secrets, r->count, r->capacity) = s;
	else
		free(s.bytes);
}

void bw_redactor_add(struct bw_redactor *r, const char *secret)
{
	add(r, secret, strlen(secret));
}

/* "user:password", both of them and together. */
static void add_basic(struct bw_redactor *r, const char *encoded)
{
	BW_AUTOBUF struct bw_buf plain;
	const char *colon;

	bw_buf_init(&plain, MAX_BASIC);
	if (!bw_base64_decode(encoded, strlen(encoded), &plain))
		return;
	add(r, bw_buf_str(&plain), plain.len);
	colon = plain.len ? memchr(plain.data, ':', plain.len) : NULL;
	if (colon)
		add(r, colon + 1, plain.len - (size_t)(colon + 1 - plain.data));
	explicit_bzero(plain.data, plain.len);
}

void bw_redactor_add_header(struct bw_redactor *r, const char *value)
{
	const char *blank = strchr(value, ' ');

	bw_redactor_add(r, value);
	if (!blank)
		return;
	blank += strspn(blank, " ");
	bw_redactor_add(r, blank);
	if (strncasecmp(value, "basic ", 6) == 0)
		add_basic(r, blank);
}

void bw_redactor_add_url(struct bw_redactor *r, const char *url)
{
	const char *at = strstr(url, "://"), *query;

	at = at ? at + 3 : url;
	at += strcspn(at, "/?#");
	query = strchr(at, '?');
	if (query)
		add(r, query + 1, strlen(query + 1));
	while (*at) {
		size_t len = strcspn(++at, "/?&=#");

		if (len >= TOKEN_MIN)
			add(r, at, len);
		at += len;
	}
}

/* Marks each byte that belongs to a secret: they may overlap, and one may be the beginning of another. */
static void mark(const struct secret *s, const char *text, size_t len, unsigned char *marks)
{
	const char *at = text, *end = text + len;

	while ((at = memmem(at, (size_t)(end - at), s->bytes, s->len))) {
		memset(marks + (at - text), 1, s->len);
		at++;
	}
}

/* A letter, a digit, or a byte beyond ASCII: the brackets that JSON begins with say nothing. */
static bool has_words(const struct bw_buf *line)
{
	for (size_t i = 0; i < line->len; i++)
		if (isalnum((unsigned char)line->data[i]) || (unsigned char)line->data[i] >= 0x80)
			return true;
	return false;
}

/* Of the text without its secrets, the first line that has words in it. */
static void take_line(const char *text, const unsigned char *marks, size_t len, struct bw_buf *out)
{
	for (size_t i = 0; i < len; i++) {
		bool is_end = text[i] == '\n' || text[i] == '\r';

		if (marks[i]) {
			if (i == 0 || !marks[i - 1])
				bw_buf_adds(out, BW_REDACTED);
		} else if (is_end && has_words(out))
			return;
		else if (is_end)
			bw_buf_clear(out);
		else if (!is_end && (out->len > 0 || (unsigned char)text[i] > ' '))
			bw_buf_addc(out, text[i] ? text[i] : ' ');
	}
}

/* Cut in front of a character, not inside of one. */
static void cut(const struct bw_buf *line, char out[BW_REDACT_LINE_MAX])
{
	size_t len = line->len;

	while (len > 0 && line->data[len - 1] == ' ')
		len--;
	if (len < BW_REDACT_LINE_MAX) {
		memcpy(out, bw_buf_str(line), len);
		out[len] = '\0';
		return;
	}
	len = BW_REDACT_LINE_MAX - 1 - ELLIPSIS_LEN;
	while (len > 0 && ((unsigned char)line->data[len] & 0xc0) == 0x80)
		len--;
	memcpy(out, line->data, len);
	memcpy(out + len, ELLIPSIS, ELLIPSIS_LEN + 1);
}

const char *bw_redact_line(const struct bw_redactor *r, const char *text, size_t len,
			   char out[BW_REDACT_LINE_MAX])
{
	BW_AUTOBUF struct bw_buf line;
	BW_AUTOFREE unsigned char *marks = NULL;

	if (len > MAX_TEXT)
		len = MAX_TEXT;
	marks = bw_alloc(len + 1);
	bw_buf_init(&line, MAX_TEXT * sizeof(BW_REDACTED));
	for (size_t i = 0; r && i < r->count; i++)
		mark(&r->secrets[i], text, len, marks);
	take_line(text, marks, len, &line);
	cut(&line, out);
	return out;
}
