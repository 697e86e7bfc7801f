#include "buildfile/directive.h"

#include <string.h>

#include <jansson.h>

#include "buildfile/rune.h"
#include "core/mem.h"
#include "core/text.h"

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static enum bw_directive directive_named(const char *s, size_t len)
{
	static const char *const names[] = {"", "syntax", "escape", "check"};
	char name[8];

	if (len >= sizeof(name))
		return BW_DIRECTIVE_NONE;
	memcpy(name, s, len);
	name[len] = '\0';
	for (unsigned i = BW_DIRECTIVE_SYNTAX; i <= BW_DIRECTIVE_CHECK; i++)
		if (bw_text_is_nocase(name, names[i]))
			return (enum bw_directive)i;
	return BW_DIRECTIVE_NONE;
}

/* name, blanks, "=", blanks, value (one character at least), blanks (BuildKit parser/directives.go). */
static enum bw_directive split(const char *s, size_t len, const char **ret_value, size_t *ret_len)
{
	size_t name = 0;
	size_t at;
	size_t end = len;

	while (name < len && is_name(s[name], name == 0))
		name++;
	at = name;
	while (at < len && bw_is_blank(s[at]))
		at++;
	if (name == 0 || at == len || s[at] != '=')
		return BW_DIRECTIVE_NONE;
	at++;
	if (at == len)
		return BW_DIRECTIVE_NONE;
	/* A value of blanks alone is one blank: the expression needs one character and takes the last. */
	while (at + 1 < len && bw_is_blank(s[at]))
		at++;
	while (end > at + 1 && bw_is_blank(s[end - 1]))
		end--;
	*ret_value = s + at;
	*ret_len = end - at;
	return directive_named(s, name);
}

int bw_directive_read(struct bw_directives *d, const char *prefix, const char *line, size_t len,
		      enum bw_directive *ret, const char **ret_value, size_t *ret_len, struct bw_err *err)
{
	static const char *const names[] = {"", "syntax", "escape", "check"};
	enum bw_directive found = BW_DIRECTIVE_NONE;
	size_t skip = strlen(prefix);

	if (!d->is_over && len >= skip && memcmp(line, prefix, skip) == 0) {
		skip += bw_blanks_front(line + skip, len - skip);
		found = split(line + skip, len - skip, ret_value, ret_len);
	}
	*ret = found;
	if (found == BW_DIRECTIVE_NONE) {
		d->is_over = true;
		return 0;
	}
	if (d->seen & 1U << found)
		return bw_fail(err, BW_E_INPUT, "only one %s parser directive can be used", names[found]);
	d->seen |= 1U << found;
	return 0;
}

static size_t line_length(const char *s, size_t len)
{
	const char *newline = memchr(s, '\n', len);

	return newline ? (size_t)(newline - s) : len;
}

/* Looks for `<prefix>syntax=` from `at` on, which is the start of line `line`. */
static bool find_comment_form(const char *text, size_t len, size_t at, uint32_t line, const char *prefix,
			      struct bw_frontend *ret)
{
	struct bw_directives block = {0};

	for (; at < len && !block.is_over; line++) {
		size_t n = line_length(text + at, len - at);
		size_t bare = n > 0 && text[at + n - 1] == '\r' ? n - 1 : n;
		enum bw_directive found;
		const char *value = NULL;
		size_t value_len = 0;
		const char *blank;

		/* A repeated directive ends the search with what was found before it: nothing. */
		if (bw_directive_read(&block, prefix, text + at, bare, &found, &value, &value_len, NULL) < 0)
			return false;
		if (found == BW_DIRECTIVE_SYNTAX) {
			blank = memchr(value, ' ', value_len);
			ret->text = value;
			ret->len = blank ? (size_t)(blank - value) : value_len;
			ret->span.line = line;
			ret->span.start = (size_t)(value - text);
			ret->span.end = ret->span.start + ret->len;
			ret->span.column = (uint32_t)(ret->span.start - (line == 1 ? 0 : at) + 1);
			return true;
		}
		at += n + 1;
	}
	return false;
}

/* Finds the letters of the value behind the last `"syntax"`; an escaped value has no place. */
static void locate_json(const char *text, size_t len, struct bw_frontend *f)
{
	static const char key[] = "\"syntax\"";
	const char *found = NULL;
	const char *p = text;
	size_t start;

	while ((p = memmem(p, len - (size_t)(p - text), key, sizeof(key) - 1)))
		found = p++;
	if (!found)
		return;
	start = (size_t)(found - text) + sizeof(key) - 1;
	while (start < len && (bw_is_blank(text[start]) || text[start] == ':' || text[start] == '"'))
		start++;
	if (len - start < f->len || memcmp(text + start, f->text, f->len) != 0)
		return;
	f->span = (struct bw_span){.line = 1, .start = start, .end = start + f->len};
	p = text;
	for (const char *newline; (newline = memchr(p, '\n', start - (size_t)(p - text))); p = newline + 1)
		f->span.line++;
	f->span.column = (uint32_t)(text + start - p) + 1;
}

/* The whole file is a JSON object with a string member `syntax`. */
static bool find_json_form(const char *text, size_t len, size_t at, struct bw_frontend *ret)
{
	size_t first = at;
	json_t *root;
	json_t *value;

	while (first < len && bw_is_blank(text[first]))
		first++;
	if (first == len || text[first] != '{')
		return false;
	root = json_loadb(text + at, len - at, JSON_ALLOW_NUL, NULL);
	value = json_object_get(root, "syntax");
	if (json_is_string(value)) {
		ret->is_json = true;
		ret->owned = bw_strndup(json_string_value(value), json_string_length(value));
		ret->text = ret->owned;
		ret->len = json_string_length(value);
		locate_json(text, len, ret);
	}
	json_decref(root);
	return ret->is_json;
}

bool bw_frontend_find(const char *text, size_t len, struct bw_frontend *ret)
{
	size_t at = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	uint32_t line = 1;

	*ret = (struct bw_frontend){0};
	if (len - at >= 2 && memcmp(text + at, "#!", 2) == 0) {
		at += line_length(text + at, len - at);
		at += at < len;
		line++;
	}
	return find_comment_form(text, len, at, line, "#", ret) ||
	       find_comment_form(text, len, at, line, "//", ret) || find_json_form(text, len, at, ret);
}

void bw_frontend_done(struct bw_frontend *f)
{
	free(f->owned);
	f->owned = NULL;
}
