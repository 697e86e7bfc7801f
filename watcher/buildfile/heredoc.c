#include "buildfile/heredoc.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/rune.h"
#include "buildfile/word.h"
#include "core/mem.h"

/* A name lexes to exactly one word. */
struct name {
	char *text;
	size_t len;
	size_t count;
};

static void take_name(const char *word, size_t len, void *arg)
{
	struct name *n = arg;

	if (n->count++ == 0) {
		n->text = bw_strndup(word, len);
		n->len = len;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits, `<<`, perhaps `-`, blanks, and then no further `<`. */
static bool split(const char *s, size_t len, bool *ret_trims, size_t *ret_rest)
{
	size_t at = 0;

	while (at < len && is_digit(s[at]))
		at++;
	if (len - at < 2 || s[at] != '<' || s[at + 1] != '<')
		return false;
	at += 2;
	*ret_trims = at < len && s[at] == '-';
	at += *ret_trims;
	while (at < len && bw_is_blank(s[at]))
		at++;
	*ret_rest = at;
	return at < len && !memchr(s + at, '<', len - at);
}

static bool read_heredoc(const char *s, size_t len, struct bw_heredoc *ret)
{
	static const struct bw_word_rules rules = {.escape = '\\', .keeps_unset = true};
	struct name name = {0};
	bool trims;
	size_t rest;

	if (!split(s, len, &trims, &rest))
		return false;
	if (bw_word_split(s + rest, len - rest, &rules, take_name, &name, NULL) < 0 || name.count != 1) {
		free(name.text);
		return false;
	}
	*ret = (struct bw_heredoc){.name = name.text, .len = name.len, .trims_tabs = trims};
	return true;
}

static void take_word(const char *word, size_t len, void *arg)
{
	struct bw_heredocs *h = arg;
	struct bw_heredoc found;

	if (read_heredoc(word, len, &found))
		BW_PUSH(h->items, h->count, h->capacity) = found;
}

void bw_heredocs_find(const char *line, size_t len, struct bw_heredocs *ret)
{
	/* The escape character is a backslash here whatever the file says. */
	static const struct bw_word_rules rules = {
		.escape = '\\', .raw_quotes = true, .raw_escapes = true, .keeps_unset = true};

	*ret = (struct bw_heredocs){0};
	if (!memmem(line, len, "<<", 2))
		return;
	if (bw_word_split(line, len, &rules, take_word, ret, NULL) < 0)
		bw_heredocs_done(ret);
}

bool bw_heredoc_is(const char *word, size_t len)
{
	struct bw_heredoc found;

	if (!read_heredoc(word, len, &found))
		return false;
	free(found.name);
	return true;
}

void bw_heredocs_done(struct bw_heredocs *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->items[i].name);
	free(h->items);
	*h = (struct bw_heredocs){0};
}
