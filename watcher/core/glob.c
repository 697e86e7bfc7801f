/*
 * glob.c - bw_text_glob(). Without recursion: on a mismatch only the last `*` and, failing that, the last
 * `**` can take one more byte. An earlier star never needs another try, because the later one can take
 * whatever the earlier would have. So a hostile pattern costs at most length(pattern) * length(text)^2 steps,
 * not 2^n.
 */
#include <string.h>

#include "core/text.h"

struct glob {
	const char *pattern, *text;   /* the cursors */
	const char *star, *star_text; /* behind the last `*`, and where its match ends now; NULL: none */
	const char *any, *any_text;   /* the same for `**` */
	bool any_is_folders;	      /* the last `**` was "**" and "/": it takes whole folders, or nothing */
	const char *start;	      /* of the pattern */
};

/* The byte of a pattern that stands for itself, after a possible backslash. */
static char pattern_byte(const char **p)
{
	if (**p == '\\' && (*p)[1])
		(*p)++;
	return *(*p)++;
}

/* `p` behind '['. Sets *ret_end behind the closing ']'; NULL when there is none, and '[' is then an ordinary
 * byte. */
static bool in_set(const char *p, char c, const char **ret_end)
{
	bool is_negated = *p == '!' || *p == '^';
	bool found = false;
	const char *first;

	p += is_negated;
	first = p;
	*ret_end = NULL;
	while (*p && (*p != ']' || p == first)) {
		unsigned char low = (unsigned char)pattern_byte(&p), high = low;

		if (*p == '-' && p[1] && p[1] != ']') {
			p++;
			high = (unsigned char)pattern_byte(&p);
		}
		found = found || ((unsigned char)c >= low && (unsigned char)c <= high);
	}
	if (*p != ']')
		return false;
	*ret_end = p + 1;
	return found != is_negated && c != '/';
}

/* Remembers a run of stars and steps over it. */
static void take_stars(struct glob *g)
{
	const char *first = g->pattern;
	size_t n = strspn(first, "*");

	g->pattern += n;
	if (n == 1) {
		g->star = g->pattern;
		g->star_text = g->text;
		return;
	}
	g->any_is_folders = *g->pattern == '/' && (first == g->start || first[-1] == '/');
	if (g->any_is_folders)
		g->pattern++;
	g->any = g->pattern;
	g->any_text = g->text;
	g->star = NULL; /* the later `**` can take all that an earlier `*` could */
}

/* Matches one byte, `?` one character. */
static bool take_one(struct glob *g)
{
	const char *p = g->pattern, *end = NULL;
	bool found;

	if (*p == '?') {
		size_t n = bw_utf8_len(g->text, strnlen(g->text, 4));

		if (*g->text == '/')
			return false;
		g->pattern++;
		g->text += n ? n : 1;
		return true;
	}
	if (*p == '[') {
		found = in_set(p + 1, *g->text, &end);
		if (end) {
			g->pattern = end;
			g->text++;
			return found;
		}
		g->pattern = p + 1;
		return *g->text++ == '[';
	}
	if (!*p)
		return false;
	g->pattern = p;
	return pattern_byte(&g->pattern) == *g->text++;
}

/* One more byte for a star; false: no star can take one. */
static bool step_back(struct glob *g)
{
	if (g->star && *g->star_text && *g->star_text != '/') {
		g->pattern = g->star;
		g->text = ++g->star_text;
		return true;
	}
	g->star = NULL;
	if (!g->any)
		return false;
	if (g->any_is_folders) {
		const char *slash = strchr(g->any_text, '/');

		if (!slash)
			return false;
		g->any_text = slash;
	}
	if (!*g->any_text)
		return false;
	g->pattern = g->any;
	g->text = ++g->any_text;
	return true;
}

bool bw_text_glob(const char *pattern, const char *s)
{
	struct glob g = {.pattern = pattern, .text = s, .start = pattern};

	for (;;) {
		if (*g.pattern == '*') {
			take_stars(&g);
		} else if (!*g.text) {
			if (!*g.pattern)
				return true;
			if (!step_back(&g))
				return false;
		} else if (!take_one(&g) && !step_back(&g)) {
			return false;
		}
	}
}
