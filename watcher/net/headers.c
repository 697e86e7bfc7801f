/* headers.c - response headers as one text that is easy to look through. */
#include "net/headers.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void bw_headers_init(struct bw_headers *h)
{
	bw_buf_init(&h->text, BW_MAX_HEADER_BYTES);
	bw_headers_clear(h);
}

void bw_headers_done(struct bw_headers *h)
{
	bw_buf_done(&h->text);
}

void bw_headers_clear(struct bw_headers *h)
{
	bw_buf_clear(&h->text);
	h->is_begun = false;
	h->is_complete = false;
}

/* The text is handed on as a string with one header per line: what would break that becomes a blank. */
static bool add_value(struct bw_buf *text, const char *s, size_t len)
{
	size_t from = text->len;

	while (len > 0 && is_blank(*s)) {
		s++;
		len--;
	}
	while (len > 0 && is_blank(s[len - 1]))
		len--;
	if (!bw_buf_add(text, s, len))
		return false;
	for (size_t i = from; i < text->len; i++) {
		char c = text->data[i];

		if (c == '\0' || c == '\r' || c == '\n')
			text->data[i] = ' ';
	}
	return bw_buf_addc(text, '\n');
}

/* A line that begins with a blank continues the value before it (RFC 9112 5.2, obsolete but alive). */
static bool add_continuation(struct bw_buf *text, const char *s, size_t len)
{
	if (text->len == 0)
		return true;
	text->data[text->len - 1] = ' '; /* was the end of the line before */
	return add_value(text, s, len);
}

static bool add_field(struct bw_buf *text, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t from = text->len;
	size_t name_len;

	if (!colon)
		return true;
	name_len = (size_t)(colon - line);
	if (!bw_buf_add(text, line, name_len))
		return false;
	for (size_t i = from; i < text->len; i++) {
		char c = text->data[i];

		if (c >= 'A' && c <= 'Z')
			text->data[i] = (char)(c - 'A' + 'a');
		else if (c == '\0' || c == '\r' || c == '\n')
			text->data[i] = ' ';
	}
	return bw_buf_add(text, ": ", 2) && add_value(text, colon + 1, len - name_len - 1);
}

bool bw_headers_add(struct bw_headers *h, const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len == 0) {
		h->is_complete = true;
		return true;
	}
	/* Redirects and 1xx answers come before the one that counts: each status line begins a new header. */
	if ((h->is_complete || !h->is_begun) && len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		bw_headers_clear(h);
		h->is_begun = true;
		return true;
	}
	if (h->is_complete)
		return true; /* a trailer says nothing that we believe */
	if (is_blank(line[0]))
		return add_continuation(&h->text, line, len);
	return add_field(&h->text, line, len);
}

/* The value behind "name: " when this line has that name; NULL otherwise. */
static const char *value_of(const char *line, const char *name, size_t name_len)
{
	if (strncmp(line, name, name_len) != 0 || line[name_len] != ':')
		return NULL;
	return line + name_len + 2;
}

bool bw_headers_get(const char *text, const char *name, unsigned nth, char *out, size_t size)
{
	size_t name_len = strlen(name);
	const char *line = text;

	while (line && *line) {
		const char *end = strchr(line, '\n');
		const char *value = value_of(line, name, name_len);

		if (value && nth-- == 0) {
			size_t len = end ? (size_t)(end - value) : strlen(value);

			if (len >= size)
				len = size - 1;
			memcpy(out, value, len);
			out[len] = '\0';
			return true;
		}
		line = end ? end + 1 : NULL;
	}
	return false;
}
