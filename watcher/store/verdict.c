/* verdict.c - see store/verdict.h. The order of the questions is that of design §5. */
#include "store/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

/* --- the reason, in one line ------------------------------------------------------------------ */

static void say(struct bw_judgement *j, const char *fmt, ...) BW_PRINTF(2, 3);

#define MOVED_MAX 200 /* of the words on what moved: the rest of the reason must keep its place */

/* Puts "..." where the text was cut, not in the middle of a character. */
static void mark_cut(char *text, size_t size)
{
	size_t at = size - sizeof("...");

	while (at > 0 && ((unsigned char)text[at] & 0xC0U) == 0x80U)
		at--;
	memcpy(text + at, "...", sizeof("..."));
}

/* Nothing fits behind a text that was cut; a character has at most four bytes. */
static bool is_cut(const struct bw_judgement *j)
{
	return strlen(j->reason) + 2 * sizeof("...") > sizeof(j->reason) && bw_text_ends(j->reason, "...");
}

/* Appends; line breaks of a peer's text become blanks. */
static void say(struct bw_judgement *j, const char *fmt, ...)
{
	size_t used = strlen(j->reason), room = sizeof(j->reason) - used;
	va_list args;
	int n;

	if (is_cut(j))
		return;
	va_start(args, fmt);
	n = vsnprintf(j->reason + used, room, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= room)
		mark_cut(j->reason, sizeof(j->reason));
	for (char *p = j->reason + used; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
}

/* "the tag is gone: manifest unknown; again after 2026-11-21 12:16" */
static void say_trouble(struct bw_judgement *j, const struct bw_row *r)
{
	say(j, "%s", bw_trouble_text(r->trouble));
	if (r->trouble_message && r->trouble_message[0])
		say(j, ": %s", r->trouble_message);
	if (r->trouble == BW_TROUBLE_THROTTLED && r->retry_after_s > 0) {
		char when[BW_TIME_MAX];

		bw_time_short(r->checked_at_ms + (int64_t)r->retry_after_s * 1000, when);
		say(j, "; again after %s", when);
	}
}

/* What is known stays known, but not that nothing else has happened since. */
static void add_trouble(struct bw_judgement *j, const struct bw_row *r)
{
	char since[BW_TIME_MAX];

	if (r->trouble == BW_TROUBLE_NONE)
		return;
	say(j, "; could not be asked since %s: ", bw_time_short(r->trouble_since_ms, since));
	say_trouble(j, r);
}

/*
 * "moved sha256:... -> sha256:... (content: linux/amd64: 3 of 5 layers differ, 48.1 -> 49.3 MiB)"; the class alone
 * where nobody could say more.
 */
static void say_move(struct bw_judgement *j, const struct bw_row *r, const char *old)
{
	char from[BW_DIGEST_SHORT_MAX], to[BW_DIGEST_SHORT_MAX], moved[MOVED_MAX];

	say(j, "moved %s -> %s", bw_digest_short(old, from), bw_digest_short(r->digest, to));
	if (!r->change_class)
		return;
	if (!r->moved || !r->moved[0]) {
		say(j, " (%s)", r->change_class);
		return;
	}
	if (snprintf(moved, sizeof(moved), "%s", r->moved) >= (int)sizeof(moved))
		mark_cut(moved, sizeof(moved));
	say(j, " (%s: %s)", r->change_class, moved);
}

/* The digests may agree and the build fail, or give an image for another machine: that is worth a word in any case. */
static void say_misfit(struct bw_judgement *j, const struct bw_row *r)
{
	const char *separator = j->reason[0] ? "; " : "";

	if (!r->pin_platform)
		return;
	if (!r->pin_platform[0])
		say(j, "%sthe pinned image is not for %s, which this use wants", separator,
		    r->platform ? r->platform : "the platform");
	else if (!r->platform)
		say(j, "%sthe pinned image is for %s", separator, r->pin_platform);
	else
		say(j, "%sthe pinned image is for %s, this use wants %s", separator, r->pin_platform,
		    r->platform);
}

/* Does the last change make no build stale that has this platform? */
static bool is_harmless(const struct bw_row *r)
{
	enum bw_class class;

	return r->change_class && bw_class_parse(r->change_class, &class) && !bw_class_counts(class);
}

/* Why nobody has to rebuild although the base moved. What was rebuilt since needs no words. */
static void say_why_fresh(struct bw_judgement *j, const struct bw_row *r)
{
	if (r->is_same && !bw_text_is(r->evidence, "done")) {
		say_move(j, r, r->handled);
		say(j, ": same content");
	} else if (r->previous && bw_text_is(r->evidence, "returned")) {
		say_move(j, r, r->previous);
		say(j, ": what this build stands on");
	}
}

/* --- the steps -------------------------------------------------------------------------------- */

static void judge_ignored(const struct bw_row *r, struct bw_judgement *j)
{
	char until[BW_TIME_MAX];

	j->verdict = BW_IGNORED;
	say(j, "ignored");
	if (r->ignored_until_ms != 0) {
		bw_time_format(r->ignored_until_ms, until);
		say(j, " until %.10s", until); /* annotations name days */
	}
	if (r->ignored[0])
		say(j, ": %s", r->ignored);
}

static void judge_unreachable(const struct bw_row *r, struct bw_judgement *j)
{
	j->verdict = BW_IGNORED;
	if (r->stage)
		say(j, "the target does not need stage %s", r->stage);
	else
		say(j, "the target does not need it");
}

/* What is wrong with the text. Nobody can know what a template will say, so that is nobody's fault. */
static void judge_wrong(const struct bw_row *r, const char *why, struct bw_judgement *j)
{
	j->verdict = r->is_template ? BW_UNFOLLOWABLE : BW_UNKNOWN;
	say(j, "%s%s", r->is_template ? "template: " : "", why);
}

static void judge_unfollowable(const char *why, struct bw_judgement *j)
{
	j->verdict = BW_UNFOLLOWABLE;
	say(j, "%s", why);
}

static void judge_unknown(const struct bw_row *r, const char *why, struct bw_judgement *j)
{
	j->verdict = BW_UNKNOWN;
	if (r->trouble != BW_TROUBLE_NONE) {
		j->since_ms = r->trouble_since_ms;
		say_trouble(j, r);
	} else {
		say(j, "%s", why);
	}
}

/* Fresh as far as is known; a base that could not be asked turns that, and only that, into unknown. */
static void judge_fresh(const struct bw_row *r, struct bw_judgement *j)
{
	if (r->trouble != BW_TROUBLE_NONE) {
		judge_unknown(r, "", j);
		return;
	}
	j->verdict = BW_FRESH;
	if (r->pinned)
		say_misfit(j, r);
	else
		say_why_fresh(j, r);
}

static void say_pin(const struct bw_row *r, struct bw_judgement *j)
{
	char pinned[BW_DIGEST_SHORT_MAX], digest[BW_DIGEST_SHORT_MAX];

	say(j, "pinned to %s, the tag has %s", bw_digest_short(r->pinned, pinned),
	    bw_digest_short(r->digest, digest));
}

static void judge_undecided(const struct bw_row *r, struct bw_judgement *j)
{
	if (r->trouble != BW_TROUBLE_NONE) {
		judge_unknown(r, "", j);
		return;
	}
	j->verdict = BW_UNKNOWN;
	j->since_ms = r->digest_since_ms;
	say_pin(r, j);
	say(j, "; whether the one is part of the other could not be found out");
}

static void judge_pinned(const struct bw_row *r, struct bw_judgement *j)
{
	switch (r->pin) {
	case BW_PIN_EQUAL:
	case BW_PIN_CHILD: judge_fresh(r, j); return;
	case BW_PIN_OTHER:
		j->verdict = BW_BEHIND;
		j->since_ms = r->digest_since_ms;
		say_pin(r, j);
		say_misfit(j, r);
		add_trouble(j, r);
		return;
	case BW_PIN_NONE:
	case BW_PIN_UNDECIDED: judge_undecided(r, j); return;
	}
}

static void judge_unpinned(const struct bw_row *r, struct bw_judgement *j)
{
	if (!r->handled) {
		judge_unknown(r, "not asked since this build names it", j);
		return;
	}
	if (r->is_same || strcmp(r->handled, r->digest) == 0) {
		judge_fresh(r, j);
		return;
	}
	j->verdict = BW_STALE;
	j->since_ms = r->stale_since_ms;
	say_move(j, r, r->handled);
	if (is_harmless(r)) /* a build is stale as a whole: it is built for all its platforms at once */
		say(j, "; more has changed for another platform of this build");
	add_trouble(j, r);
}

static bool is_ignored(const struct bw_row *r, int64_t now_ms)
{
	return r->ignored && (r->ignored_until_ms == 0 || now_ms < r->ignored_until_ms);
}

/* A use that stands on no base that could be asked. */
static void judge_baseless(const struct bw_row *r, struct bw_judgement *j)
{
	if (r->is_scratch)
		judge_unfollowable("scratch: there is nothing to follow", j);
	else if (r->pinned)
		judge_unfollowable("pinned to a digest without a tag: there is nothing to follow", j);
	else
		judge_wrong(r, r->unresolved ? r->unresolved : "names no image", j);
}

void bw_judge(const struct bw_row *r, int64_t now_ms, struct bw_judgement *ret)
{
	*ret = (struct bw_judgement){.verdict = BW_UNKNOWN};
	if (r->problem)
		judge_wrong(r, r->problem, ret);
	else if (is_ignored(r, now_ms))
		judge_ignored(r, ret);
	else if (!r->reachable)
		judge_unreachable(r, ret);
	else if (r->base_id == 0)
		judge_baseless(r, ret);
	else if (!r->digest)
		judge_unknown(r, "never asked", ret);
	else if (r->pinned)
		judge_pinned(r, ret);
	else
		judge_unpinned(r, ret);
}

/* --- names ------------------------------------------------------------------------------------ */

static const char *const names[BW_VERDICT_COUNT] = {
	[BW_STALE] = "stale",
	[BW_BEHIND] = "behind",
	[BW_UNKNOWN] = "unknown",
	[BW_FRESH] = "fresh",
	[BW_UNFOLLOWABLE] = "unfollowable",
	[BW_IGNORED] = "ignored",
};

const char *bw_verdict_name(enum bw_verdict v)
{
	return (unsigned)v < BW_VERDICT_COUNT ? names[v] : "";
}

bool bw_verdict_parse(const char *name, enum bw_verdict *ret)
{
	for (unsigned i = 0; i < BW_VERDICT_COUNT; i++)
		if (bw_text_is(name, names[i])) {
			*ret = (enum bw_verdict)i;
			return true;
		}
	return false;
}
