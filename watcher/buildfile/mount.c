#include "buildfile/mount.h"

#include <string.h>

#include "core/text.h"

/* Where reading stands. */
struct csv {
	const struct bw_trace *in;
	size_t at;
	size_t end;
};

static char here(const struct csv *c)
{
	return c->at < c->end ? c->in->text[c->at] : '\0';
}

static void take(struct csv *c, struct bw_mount *m)
{
	bw_trace_add(&m->text, c->in->text[c->at], c->in->at[c->at]);
	c->at++;
}

static int bad_quote(const struct csv *c, size_t start, const char *what, struct bw_err *err)
{
	return bw_fail(err, BW_E_INPUT, "failed to parse csv mounts: column %zu: %s", c->at - start + 1,
		       what);
}

/* Between quotes a doubled quote is one; behind the closing one only a comma or the end may come. */
static int read_quoted(struct csv *c, size_t start, struct bw_mount *m, struct bw_err *err)
{
	c->at++;
	for (;;) {
		if (c->at == c->end)
			return bad_quote(c, start, "a quote is not closed", err);
		if (here(c) == '"') {
			c->at++;
			if (c->at == c->end || here(c) == ',')
				return 0;
			if (here(c) != '"')
				return bad_quote(c, start, "text behind a closing quote", err);
		}
		take(c, m);
	}
}

static int read_field(struct csv *c, size_t start, struct bw_mount *m, struct bw_err *err)
{
	if (here(c) == '"')
		return read_quoted(c, start, m, err);
	while (c->at < c->end && here(c) != ',') {
		if (here(c) == '"')
			return bad_quote(c, start, "a quote inside a field", err);
		take(c, m);
	}
	return 0;
}

static bool is_word(const char *s, size_t len, const char *word)
{
	char text[8];

	if (len != strlen(word) || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return bw_text_is_nocase(text, word);
}

/* Keeps what matters: the last `from` wins. A field without `=` is a switch. */
static void keep(struct bw_mount *m, size_t start)
{
	size_t len = m->text.len - start;
	const char *field;
	const char *equals;
	size_t key;

	if (len == 0)
		return;
	field = m->text.text + start;
	equals = memchr(field, '=', len);
	if (!equals)
		return;
	key = (size_t)(equals - field);
	if (is_word(field, key, "from")) {
		m->from = start + key + 1;
		m->from_len = len - key - 1;
	} else if (is_word(field, key, "type")) {
		m->is_secret = is_word(equals + 1, len - key - 1, "secret");
	}
}

int bw_mount_read(const struct bw_trace *flags, size_t start, size_t len, struct bw_mount *ret,
		  struct bw_err *err)
{
	struct csv c = {.in = flags, .at = start, .end = start + len};

	ret->text.len = 0;
	ret->from = 0;
	ret->from_len = 0;
	ret->is_secret = false;
	if (len == 0)
		return bw_fail(err, BW_E_INPUT, "failed to parse csv mounts: the value is empty");
	for (;;) {
		size_t field = ret->text.len;
		int rc = read_field(&c, start, ret, err);

		if (rc < 0)
			return rc;
		keep(ret, field);
		if (c.at == c.end)
			return 0;
		c.at++;
	}
}

void bw_mount_done(struct bw_mount *m)
{
	bw_trace_done(&m->text);
}

bool bw_mount_has_variable(const char *from, size_t len)
{
	const char *dollar = memchr(from, '$', len);

	return dollar && (size_t)(dollar - from) + 1 < len;
}
