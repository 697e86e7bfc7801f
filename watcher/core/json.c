/* json.c - see json.h. */
#include "core/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "codepoint.h"
#include "core/clock.h"
#include "core/text.h"

#define FLUSH_BYTES \
	((size_t)64 << 10) /* few, large writes; the memory stays small however long the report \
			    */

void bw_json_init(struct bw_json *w, FILE *out, size_t max)
{
	*w = (struct bw_json){.out = out};
	bw_buf_init(&w->buf, out ? FLUSH_BYTES : max);
}

void bw_json_done(struct bw_json *w)
{
	bw_buf_done(&w->buf);
}

/* Hands the buffered text to the file. */
static void drain(struct bw_json *w)
{
	if (w->buf.len > 0 && fwrite(w->buf.data, 1, w->buf.len, w->out) != w->buf.len)
		w->failed = true;
	bw_buf_clear(&w->buf);
}

bool bw_json_flush(struct bw_json *w)
{
	if (w->out) {
		drain(w);
		if (fflush(w->out) != 0)
			w->failed = true;
	}
	return !w->failed;
}

/* After a failure nothing more is written: a text with a hole in it would be worse than a short one. */
static void put(struct bw_json *w, const char *bytes, size_t n)
{
	if (w->failed)
		return;
	/* Nearly every call is a few bytes that fit into what is allocated. */
	if (n < w->buf.capacity - w->buf.len) {
		memcpy(w->buf.data + w->buf.len, bytes, n);
		w->buf.len += n;
		w->buf.data[w->buf.len] = '\0';
		return;
	}
	if (w->out && w->buf.len + n > FLUSH_BYTES)
		drain(w);
	if (w->out && n > FLUSH_BYTES)
		w->failed = fwrite(bytes, 1, n, w->out) != n;
	else if (!bw_buf_add(&w->buf, bytes, n))
		w->failed = true;
}

static void put_text(struct bw_json *w, const char *s)
{
	put(w, s, strlen(s));
}

/* The innermost open bracket, or 0. */
static char inside(const struct bw_json *w)
{
	return w->depth ? w->bracket[w->depth - 1] : '\0';
}

/* What has to stand before an element: a comma, unless it is the first or the value of a key. */
static void separate(struct bw_json *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0)
		return;
	if (w->has_element[w->depth - 1])
		put(w, ",", 1);
	w->has_element[w->depth - 1] = true;
}

static void begin_value(struct bw_json *w)
{
	assert(inside(w) != '{' || w->after_key);
	separate(w);
}

void bw_json_open(struct bw_json *w, char bracket)
{
	assert(bracket == '{' || bracket == '[');
	assert(w->depth < BW_JSON_DEPTH);
	begin_value(w);
	w->bracket[w->depth] = bracket;
	w->has_element[w->depth] = false;
	w->depth++;
	put(w, &bracket, 1);
}

void bw_json_close(struct bw_json *w, char bracket)
{
	assert(!w->after_key);
	assert(inside(w) == (bracket == '}' ? '{' : '['));
	w->depth--;
	put(w, &bracket, 1);
}

static void put_escape(struct bw_json *w, uint32_t c)
{
	static const char shorts[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	const char *at = c != 0 && c < 0x80 ? strchr(shorts, (int)c) : NULL;
	char text[16];

	if (at) {
		text[0] = '\\';
		text[1] = letters[at - shorts];
		text[2] = '\0';
	} else if (c < 0x10000) {
		(void)snprintf(text, sizeof(text), "\\u%04x", (unsigned)c);
	} else { /* a surrogate pair, RFC 8259 section 7 */
		c -= 0x10000;
		(void)snprintf(text, sizeof(text), "\\u%04x\\u%04x", (unsigned)(0xD800 + (c >> 10)),
			       (unsigned)(0xDC00 + (c & 0x3FF)));
	}
	put_text(w, text);
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

#define EACH(byte) (0x0101010101010101ULL * (byte))
/* Has a bit set for each byte of `word` that is below `n` (at most 0x80), if none is above 0x7F. */
#define BELOW(word, n) (((word)-EACH(n)) & ~(word)&EACH(0x80))

/* How many bytes from `s` on need no escape: almost every byte of a report, so eight are looked at together. */
static size_t plain_run(const char *s, size_t len)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, s + i, sizeof(word));
		if ((word & EACH(0x80)) || BELOW(word, 0x20) || BELOW(word ^ EACH('"'), 1) ||
		    BELOW(word ^ EACH('\\'), 1) || BELOW(word ^ EACH(0x7F), 1))
			break;
	}
	while (i < len && is_plain(s[i]))
		i++;
	return i;
}

/*
 * Text from outside also goes to a terminal when a person looks at the report, so whatever bw_text_escape()
 * makes visible is written as \uNNNN here: the same value to a program, harmless to a terminal. Runs of plain
 * bytes are written in one piece.
 */
static void put_string(struct bw_json *w, const char *s, size_t len)
{
	size_t n;

	put(w, "\"", 1);
	for (size_t i = 0; i < len; i += n) {
		size_t valid;
		uint32_t c;

		n = plain_run(s + i, len - i);
		if (n > 0) {
			put(w, s + i, n);
			continue;
		}
		valid = bw_utf8_len(s + i, len - i);
		c = valid ? bw_codepoint_decode(s + i, valid) : 0xFFFD;
		n = valid ? valid : 1;
		if (valid > 1 && !bw_codepoint_is_unsafe(c))
			put(w, s + i, n);
		else if (valid)
			put_escape(w, c);
		else
			put_text(w, "\xEF\xBF\xBD"); /* U+FFFD */
	}
	put(w, "\"", 1);
}

/* Keys are our own words: they need no escape. */
void bw_json_key(struct bw_json *w, const char *key)
{
	assert(inside(w) == '{' && !w->after_key);
	separate(w);
	put(w, "\"", 1);
	put_text(w, key);
	put(w, "\":", 2);
	w->after_key = true;
}

void bw_json_strn(struct bw_json *w, const char *s, size_t len)
{
	begin_value(w);
	put_string(w, s, len);
}

void bw_json_str(struct bw_json *w, const char *s)
{
	if (s)
		bw_json_strn(w, s, strlen(s));
	else
		bw_json_null(w);
}

void bw_json_int(struct bw_json *w, int64_t n)
{
	char text[32];

	begin_value(w);
	(void)snprintf(text, sizeof(text), "%" PRId64, n);
	put_text(w, text);
}

void bw_json_bool(struct bw_json *w, bool b)
{
	begin_value(w);
	put_text(w, b ? "true" : "false");
}

void bw_json_null(struct bw_json *w)
{
	begin_value(w);
	put_text(w, "null");
}

void bw_json_time(struct bw_json *w, int64_t ms)
{
	char text[BW_TIME_MAX];

	if (ms == 0)
		bw_json_null(w);
	else
		bw_json_str(w, bw_time_format(ms, text));
}

void bw_json_key_str(struct bw_json *w, const char *key, const char *s)
{
	bw_json_key(w, key);
	bw_json_str(w, s);
}

void bw_json_key_int(struct bw_json *w, const char *key, int64_t n)
{
	bw_json_key(w, key);
	bw_json_int(w, n);
}

void bw_json_key_bool(struct bw_json *w, const char *key, bool b)
{
	bw_json_key(w, key);
	bw_json_bool(w, b);
}

void bw_json_key_time(struct bw_json *w, const char *key, int64_t ms)
{
	bw_json_key(w, key);
	bw_json_time(w, ms);
}
