/* The judgement of a use: the table of design §5 row by row, and what must hold for all combinations. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/verdict.h"
#include "unit/table.h"

#define NOW_MS	  1795262400000 /* 2026-11-21T12:00:00Z */
#define MINUTE_MS 60000

static const char *const digests[] = {
	"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
};

/* --- the table -------------------------------------------------------------------------------- */

static int64_t minutes_ago(const char *text)
{
	bool is_ahead = text[0] == '-';
	uint64_t minutes = 0;

	assert_true(bw_text_number(text + is_ahead, 0, 1000000, &minutes));
	return NOW_MS + (is_ahead ? 1 : -1) * (int64_t)minutes * MINUTE_MS;
}

static enum bw_pin pin_of(const char *name)
{
	static const char *const names[] = {"none", "equal", "child", "other", "undecided"};

	for (size_t i = 0; i < BW_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum bw_pin)i;
	fail_msg("no such pin: %s", name);
	return BW_PIN_NONE;
}

/* "dns:30:no such host" */
static void set_trouble(struct bw_row *r, char *value)
{
	char *since = strchr(value, ':'), *message = since ? strchr(since + 1, ':') : NULL;

	if (!since || !message) {
		fail_msg("trouble: %s", value);
		return;
	}
	*since++ = '\0';
	*message++ = '\0';
	r->trouble = bw_trouble_from_name(value);
	assert_int_not_equal(r->trouble, BW_TROUBLE_NONE);
	r->trouble_since_ms = minutes_ago(since);
	r->trouble_message = message;
}

static bool set_text(struct bw_row *r, const char *name, char *value)
{
	const struct {
		const char *name;
		const char **at;
		const char *value;
	} texts[] = {
		{"digest", &r->digest, digests[value[0] == 'b']},
		{"handled", &r->handled, digests[value[0] == 'b']},
		{"pinned", &r->pinned, digests[value[0] == 'b']},
		{"previous", &r->previous, digests[value[0] == 'b']},
		{"class", &r->change_class, value},
		{"moved", &r->moved, value},
		{"evidence", &r->evidence, value},
		{"platform", &r->platform, value},
		{"have", &r->pin_platform, value},
		{"ignored", &r->ignored, value},
		{"unresolved", &r->unresolved, value},
		{"problem", &r->problem, value},
	};

	for (size_t i = 0; i < BW_COUNT(texts); i++)
		if (strcmp(texts[i].name, name) == 0) {
			*texts[i].at = texts[i].value;
			return true;
		}
	return false;
}

static void set_member(struct bw_row *r, const char *name, char *value)
{
	uint64_t number = 0;

	if (set_text(r, name, value))
		return;
	if (strcmp(name, "stale") == 0)
		r->stale_since_ms = minutes_ago(value);
	else if (strcmp(name, "since") == 0)
		r->digest_since_ms = minutes_ago(value);
	else if (strcmp(name, "checked") == 0)
		r->checked_at_ms = minutes_ago(value);
	else if (strcmp(name, "until") == 0)
		r->ignored_until_ms = minutes_ago(value);
	else if (strcmp(name, "pin") == 0)
		r->pin = pin_of(value);
	else if (strcmp(name, "trouble") == 0)
		set_trouble(r, value);
	else if (strcmp(name, "retry") == 0 && bw_text_number(value, 1, 100000, &number))
		r->retry_after_s = (uint32_t)number;
	else if (strcmp(name, "base") == 0)
		r->base_id = 0;
	else if (strcmp(name, "scratch") == 0)
		r->is_scratch = true;
	else if (strcmp(name, "reachable") == 0)
		r->reachable = false;
	else if (strcmp(name, "stage") == 0)
		r->stage = NULL;
	else if (strcmp(name, "same") == 0)
		r->is_same = true;
	else if (strcmp(name, "template") == 0)
		r->is_template = true;
	else
		fail_msg("no such member: %s", name);
}

static void judge_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_row r = {
		.base_id = 1, .reachable = true, .stage = "build", .path = "Dockerfile", .source = ""};
	struct bw_judgement j;
	char *rest = fields[0], *word;

	(void)lens;
	(void)arg;
	while ((word = strsep(&rest, " ")) != NULL) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		for (char *p = value; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		set_member(&r, word, value);
	}
	bw_judge(&r, NOW_MS, &j);
	assert_string_equal(bw_verdict_name(j.verdict), fields[1]);
	assert_int_equal(j.since_ms, strcmp(fields[2], "-") == 0 ? 0 : minutes_ago(fields[2]));
	assert_string_equal(j.reason, count > 3 ? fields[3] : "");
}

static void each_row_of_the_table_has_its_verdict(void **state)
{
	(void)state;
	table_each("verdict.tsv", 3, judge_row, NULL);
}

/* --- all combinations ------------------------------------------------------------------------- */

/* Counts through all values of all members that matter; false when all have been seen. */
struct dice {
	unsigned sides, value;
};

static bool turn(struct dice *d, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (++d[i].value < d[i].sides)
			return true;
		d[i].value = 0;
	}
	return false;
}

enum {
	HAS_PROBLEM,
	IS_TEMPLATE,
	IGNORED,
	REACHABLE,
	SCRATCH,
	BASE,
	DIGEST,
	HANDLED,
	PINNED,
	PIN,
	UNRESOLVED,
	TROUBLE,
	KNOWN,
	DICE
};

/* What may be known of a move, or of a pin. */
enum { KNOWN_NOTHING, KNOWN_SAME, KNOWN_RETURNED, KNOWN_MISFIT, KNOWN_COUNT };

static void set_known(struct bw_row *r, unsigned known)
{
	r->change_class = known == KNOWN_SAME ? "index" : "rollback";
	r->moved = "words";
	r->previous = digests[0];
	r->platform = "linux/amd64";
	r->pin_platform = known == KNOWN_MISFIT ? "linux/arm64" : NULL;
	if (known == KNOWN_SAME)
		r->is_same = r->handled && r->digest && strcmp(r->handled, r->digest) != 0;
	else if (known == KNOWN_RETURNED)
		r->evidence = "returned";
}

static void set_row(struct bw_row *r, const struct dice *d)
{
	static const char *const optional[] = {NULL, "a reason"};

	*r = (struct bw_row){
		.source = "",
		.path = "Dockerfile",
		.problem = optional[d[HAS_PROBLEM].value],
		.is_template = d[IS_TEMPLATE].value != 0,
		.ignored = optional[d[IGNORED].value != 0],
		.ignored_until_ms = d[IGNORED].value < 2 ? 0 : NOW_MS + (d[IGNORED].value == 2 ? 1 : 0),
		.reachable = d[REACHABLE].value != 0,
		.is_scratch = d[SCRATCH].value != 0,
		.base_id = d[BASE].value,
		.digest = d[DIGEST].value ? digests[d[DIGEST].value - 1] : NULL,
		.handled = d[HANDLED].value ? digests[d[HANDLED].value - 1] : NULL,
		.pinned = d[PINNED].value ? digests[0] : NULL,
		.pin = (enum bw_pin)d[PIN].value,
		.unresolved = optional[d[UNRESOLVED].value],
		.trouble = (enum bw_trouble)d[TROUBLE].value,
		.trouble_since_ms = NOW_MS - 5,
		.stale_since_ms = NOW_MS - 6,
		.digest_since_ms = NOW_MS - 7,
		.checked_at_ms = NOW_MS - 8,
	};
	set_known(r, d[KNOWN].value);
}

/* A fresh use has a reason exactly when its base moved and it need not follow, or its pin is for another platform. */
static bool has_reason(const struct bw_row *r, enum bw_verdict verdict)
{
	if (verdict != BW_FRESH)
		return true;
	return r->pinned ? r->pin_platform != NULL : r->is_same || r->evidence != NULL;
}

static bool is_ignored(const struct bw_row *r)
{
	return !r->problem &&
	       ((r->ignored && (r->ignored_until_ms == 0 || r->ignored_until_ms > NOW_MS)) || !r->reachable);
}

/* The promises of design §1 and §5, said without looking at how they are kept. */
static void check_promises(const struct bw_row *r, const struct bw_judgement *j)
{
	struct bw_row well = *r;
	struct bw_judgement without;

	assert_true(j->verdict < BW_VERDICT_COUNT);
	assert_int_equal(j->verdict == BW_IGNORED, is_ignored(r));
	assert_int_equal(has_reason(r, j->verdict), j->reason[0] != '\0');
	assert_int_equal(j->since_ms != 0 && j->verdict >= BW_FRESH, 0);
	if (j->verdict == BW_FRESH)
		assert_true(r->digest && r->trouble == BW_TROUBLE_NONE);
	if (j->verdict == BW_STALE)
		assert_true(!r->pinned && strcmp(r->handled, r->digest) != 0 &&
			    j->since_ms == r->stale_since_ms);
	if (j->verdict == BW_BEHIND)
		assert_true(r->pinned && j->since_ms == r->digest_since_ms);
	well.trouble = BW_TROUBLE_NONE;
	bw_judge(&well, NOW_MS, &without);
	/* Trouble turns only fresh into unknown, and an unknown stays one. */
	assert_int_equal(without.verdict == BW_FRESH && r->trouble ? BW_UNKNOWN : without.verdict,
			 j->verdict);
}

static void every_combination_keeps_the_promises(void **state)
{
	struct dice d[DICE] = {
		[HAS_PROBLEM] = {.sides = 2},	  [IS_TEMPLATE] = {.sides = 2},
		[IGNORED] = {.sides = 4},	  [REACHABLE] = {.sides = 2},
		[SCRATCH] = {.sides = 2},	  [BASE] = {.sides = 2},
		[DIGEST] = {.sides = 3},	  [HANDLED] = {.sides = 3},
		[PINNED] = {.sides = 2},	  [PIN] = {.sides = 5},
		[UNRESOLVED] = {.sides = 2},	  [TROUBLE] = {.sides = 3},
		[KNOWN] = {.sides = KNOWN_COUNT},
	};
	size_t seen[BW_VERDICT_COUNT] = {0};

	(void)state;
	do {
		struct bw_row r;
		struct bw_judgement j;

		set_row(&r, d);
		bw_judge(&r, NOW_MS, &j);
		check_promises(&r, &j);
		seen[j.verdict]++;
	} while (turn(d, DICE));
	for (int v = 0; v < BW_VERDICT_COUNT; v++)
		assert_true(seen[v] > 0);
}

/* --- what registries say ------------------------------------------------------------------------ */

static void words_on_what_moved_stay_one_line_and_leave_room_for_the_rest(void **state)
{
	char moved[4096];
	struct bw_row r = {.base_id = 1,
			   .reachable = true,
			   .digest = digests[1],
			   .handled = digests[0],
			   .change_class = "config",
			   .moved = moved,
			   .trouble = BW_TROUBLE_DNS,
			   .trouble_message = "no such host",
			   .trouble_since_ms = NOW_MS - MINUTE_MS};
	struct bw_judgement j;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(moved, '\n', sizeof(moved));
		for (size_t i = shift; i + 3 < sizeof(moved); i += 3)
			memcpy(moved + i, "\xe2\x82\xac", 3);
		moved[sizeof(moved) - 4] = '\0';
		bw_judge(&r, NOW_MS, &j);
		assert_null(strpbrk(j.reason, "\n\r\t"));
		assert_non_null(
			strstr(j.reason, "\xe2\x82\xac...); could not be asked since 2026-11-21 11:59: "));
		assert_true(bw_text_ends(j.reason, "cannot be resolved: no such host"));
	}
}

/* --- the rest --------------------------------------------------------------------------------- */

static void a_long_reason_is_cut_visibly_and_stays_one_line(void **state)
{
	char message[1024];
	struct bw_row r = {.base_id = 1, .reachable = true, .digest = digests[1], .handled = digests[0]};
	struct bw_judgement j;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(message); i += 2)
		memcpy(message + i, "\xc3\xa9",
		       3); /* two bytes each, so that the cut has a wrong place to be */
	message[0] = '\n';
	message[1] = '\t';
	r.trouble = BW_TROUBLE_THROTTLED; /* which has a word behind the message */
	r.trouble_message = message;
	for (int shift = 0; shift < 2; shift++) {
		r.trouble_message = message + shift;
		r.retry_after_s = 60;
		bw_judge(&r, NOW_MS, &j);
		assert_true(strlen(j.reason) >= sizeof(j.reason) - 4);
		assert_false(bw_text_ends(j.reason, "...."));
		assert_true(bw_text_ends(j.reason, "..."));
		assert_null(strpbrk(j.reason, "\n\r\t"));
		for (size_t at = 0; j.reason[at];) {
			size_t len = bw_utf8_len(j.reason + at, strlen(j.reason + at));

			assert_int_not_equal(len, 0);
			at += len;
		}
	}
}

static void verdicts_have_names_and_their_order(void **state)
{
	static const char *const names[] = {"stale", "behind", "unknown", "fresh", "unfollowable", "ignored"};
	enum bw_verdict v = BW_FRESH;

	(void)state;
	for (unsigned i = 0; i < BW_VERDICT_COUNT; i++) {
		assert_string_equal(bw_verdict_name((enum bw_verdict)i), names[i]);
		assert_true(bw_verdict_parse(names[i], &v));
		assert_int_equal(v, i);
	}
	assert_false(bw_verdict_parse("Stale", &v));
	assert_false(bw_verdict_parse("", &v));
	assert_false(bw_verdict_parse(NULL, &v));
	assert_string_equal(bw_verdict_name(BW_VERDICT_COUNT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_the_table_has_its_verdict),
		cmocka_unit_test(every_combination_keeps_the_promises),
		cmocka_unit_test(words_on_what_moved_stay_one_line_and_leave_room_for_the_rest),
		cmocka_unit_test(a_long_reason_is_cut_visibly_and_stays_one_line),
		cmocka_unit_test(verdicts_have_names_and_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
