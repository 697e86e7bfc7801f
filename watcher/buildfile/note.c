#include "buildfile/note.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/pattern.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

static const char prefix[] = "basewatch:";

bool bw_note_is(const char *comment, size_t len)
{
	char head[sizeof(prefix)];

	if (len < sizeof(prefix) - 1)
		return false;
	memcpy(head, comment, sizeof(prefix) - 1);
	head[sizeof(prefix) - 1] = '\0';
	return bw_text_is_nocase(head, prefix);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next word off the front of `t`. */
static struct bw_text next_word(struct bw_text *t)
{
	struct bw_text word;
	size_t at = 0;

	while (t->len > 0 && is_blank(*t->s)) {
		t->s++;
		t->len--;
	}
	while (at < t->len && !is_blank(t->s[at]))
		at++;
	word = (struct bw_text){t->s, at};
	t->s += at;
	t->len -= at;
	return word;
}

static bool starts(struct bw_text t, const char *s)
{
	return t.len >= strlen(s) && memcmp(t.s, s, strlen(s)) == 0;
}

static int parse_until(struct bw_text word, int64_t *ret, struct bw_err *err)
{
	char text[64];
	size_t skip = strlen("until=");
	size_t len = word.len - skip;

	if (len < sizeof(text)) {
		memcpy(text, word.s + skip, len);
		text[len] = '\0';
		if (strlen(text) == len && bw_time_parse(text, ret))
			return 0;
	}
	return bw_fail(err, BW_E_INPUT, "until= wants a date such as 2026-12-31, not \"%.*s\"", (int)len,
		       word.s + skip);
}

int bw_note_parse(const char *comment, size_t len, struct bw_note *ret, struct bw_err *err)
{
	struct bw_text rest = {comment + sizeof(prefix) - 1, len - (sizeof(prefix) - 1)};
	struct bw_text word = next_word(&rest);
	struct bw_text reason = {"", 0};
	int64_t until = 0;

	if (word.len != 6 || memcmp(word.s, "ignore", 6) != 0)
		return bw_fail(err, BW_E_INPUT, "the only annotation is \"basewatch: ignore\", not \"%.*s\"",
			       (int)word.len, word.s);
	for (word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
		if (starts(word, "reason=")) {
			/* The rest of the line, blanks and all. */
			reason.s = word.s + strlen("reason=");
			reason.len = (size_t)(comment + len - reason.s);
			break;
		}
		if (!starts(word, "until="))
			return bw_fail(err, BW_E_INPUT,
				       "\"ignore\" takes until=DATE and reason=TEXT, not \"%.*s\"",
				       (int)word.len, word.s);
		if (parse_until(word, &until, err) < 0)
			return BW_E_INPUT;
	}
	ret->reason = bw_strndup(reason.s, strnlen(reason.s, reason.len));
	ret->until_ms = until;
	return 0;
}
