/* warning.c - warning-value = warn-code SP warn-agent SP warn-text [SP warn-date], several behind commas. */
#include "registry/warning.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define BLANKS " \t"

/* Behind the element that `s` is in: commas in quotes are of their text. */
static const char *skip_element(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ','); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (*s == '\\' && quoted && s[1])
			s++;
	}
	return s;
}

/* The quoted-string (RFC 9110 5.6.4) at `s`, cut at the size of `ret`; NULL: it is none, or has no end. */
static const char *read_quoted(const char *s, char ret[BW_WARNING_MAX])
{
	size_t len = 0;

	if (*s++ != '"')
		return NULL;
	for (; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		if (len < BW_WARNING_MAX - 1)
			ret[len++] = *s;
	}
	ret[len] = '\0';
	return *s == '"' ? s + 1 : NULL;
}

/* A character that was cut in the middle goes as a whole. */
static void trim(char *text)
{
	size_t len = strlen(text), start = len;

	if (len < BW_WARNING_MAX - 1)
		return;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && ((unsigned char)text[start - 1] & 0x80) != 0 &&
	    bw_utf8_len(text + start - 1, len - start + 1) == 0)
		text[start - 1] = '\0';
}

/* `s` is at an element. */
static bool read_value(const char *s, char ret[BW_WARNING_MAX])
{
	if (strncmp(s, "299", 3) != 0 || !strchr(BLANKS, s[3]) || !s[3])
		return false;
	s += 3 + strspn(s + 3, BLANKS);
	s += strcspn(s, BLANKS "\","); /* the agent: "-", or who has added it */
	s += strspn(s, BLANKS);
	if (!read_quoted(s, ret))
		return false;
	trim(ret);
	return ret[strspn(ret, BLANKS)] != '\0';
}

bool bw_warning_next(const char **at, char ret[BW_WARNING_MAX])
{
	while (**at) {
		const char *element = *at + strspn(*at, BLANKS ",");

		*at = skip_element(element);
		if (read_value(element, ret))
			return true;
	}
	return false;
}

bool bw_warnings_add(struct bw_warnings *w, const char *text)
{
	for (unsigned i = 0; i < w->count; i++)
		if (strcmp(w->texts[i], text) == 0)
			return false;
	if (w->count >= BW_WARNINGS_MAX)
		return false;
	w->texts[w->count++] = bw_strdup(text);
	return true;
}

void bw_warnings_done(struct bw_warnings *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free(w->texts[i]);
	*w = (struct bw_warnings){0};
}
