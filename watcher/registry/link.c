/* link.c - Link = #( "<" URI-Reference ">" *( OWS ";" OWS [ token BWS [ "=" BWS ( token / quoted-string ) ] ] ) ) */
#include "registry/link.h"

#include <ctype.h>
#include <string.h>

#define BLANKS	  " \t"
#define NAME_ENDS BLANKS "=;,<>\""
#define WORD_ENDS BLANKS ";,\""

/* A stretch of the header. */
struct part {
	const char *s;
	size_t len;
};

struct parameter {
	struct part name,
		value; /* the value without its quotes; an escape in it is no relation that we know */
};

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, BLANKS);
}

/* Behind the closing quote, or at the end. */
static const char *read_quoted(const char *s, struct part *ret)
{
	const char *start = ++s;

	for (; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	*ret = (struct part){start, (size_t)(s - start)};
	return *s ? s + 1 : s;
}

static const char *read_value(const char *s, struct part *ret)
{
	if (*s == '"')
		return read_quoted(s, ret);
	*ret = (struct part){s, strcspn(s, WORD_ENDS)};
	return s + ret->len;
}

/* At the ';' before it; NULL: no parameter is left of this link. */
static const char *read_parameter(const char *s, struct parameter *ret)
{
	*ret = (struct parameter){0};
	s = skip_blanks(s);
	if (*s != ';')
		return NULL;
	s = skip_blanks(s + 1);
	ret->name = (struct part){s, strcspn(s, NAME_ENDS)};
	s = skip_blanks(s + ret->name.len);
	return *s == '=' ? read_value(skip_blanks(s + 1), &ret->value) : s;
}

static bool is_word(const struct part *p, const char *word)
{
	return p->len == strlen(word) && strncasecmp(p->s, word, p->len) == 0;
}

/* A relation is a list of words. */
static bool has_word(const struct part *p, const char *word)
{
	const char *end = p->s ? p->s + p->len : NULL;

	for (const char *s = p->s; s && s < end;) {
		struct part one = {s, strcspn(s, BLANKS)};

		if (one.len > (size_t)(end - s))
			one.len = (size_t)(end - s);
		if (is_word(&one, word))
			return true;
		s += one.len + 1;
	}
	return false;
}

/* From behind the target to the end of the link. Of several relations the first counts (RFC 8288 3.3). */
static const char *read_parameters(const char *s, bool *ret_is_next)
{
	bool has_rel = false, has_anchor = false;
	struct parameter p;
	const char *next;

	*ret_is_next = false;
	while ((next = read_parameter(s, &p))) {
		if (is_word(&p.name, "anchor"))
			has_anchor = true;
		if (is_word(&p.name, "rel") && !has_rel) {
			has_rel = true;
			*ret_is_next = has_word(&p.value, "next");
		}
		s = next;
	}
	*ret_is_next = *ret_is_next && !has_anchor;
	return s;
}

/* Behind the comma that ends what cannot be read. */
static const char *skip_link(const char *s)
{
	struct part quoted;

	while (*s && *s != ',')
		s = *s == '"' ? read_quoted(s, &quoted) : s + 1;
	return s;
}

bool bw_link_next(const char *value, char *ret, size_t size)
{
	for (const char *s = value + strspn(value, BLANKS ","); *s; s += strspn(s, BLANKS ",")) {
		size_t len = *s == '<' ? strcspn(s + 1, ">") : 0;
		const char *target = s + 1;
		bool is_next;

		if (*s != '<' || target[len] != '>') {
			s = skip_link(s);
			continue;
		}
		s = skip_link(read_parameters(target + len + 1, &is_next));
		if (!is_next)
			continue;
		if (len == 0 || len >= size)
			return false;
		memcpy(ret, target, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

static bool is_escape(const char *s, size_t len)
{
	return len >= 3 && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]);
}

static bool is_query_value(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' ? !is_escape(s + i, len - i)
				: !isalnum((unsigned char)s[i]) && !strchr("-._~!$'()*+,;:@/?=", s[i]))
			return false;
	}
	return len > 0;
}

bool bw_link_parameter(const char *url, const char *name, char *ret, size_t size)
{
	const char *s = strchr(url, '?');
	size_t wanted = strlen(name);

	while (s) {
		size_t len = strcspn(++s, "&#");

		if (len > wanted && strncmp(s, name, wanted) == 0 && s[wanted] == '=') {
			s += wanted + 1;
			len -= wanted + 1;
			if (len >= size || !is_query_value(s, len))
				return false;
			memcpy(ret, s, len);
			ret[len] = '\0';
			return true;
		}
		s = s[len] == '&' ? s + len : NULL;
	}
	return false;
}
