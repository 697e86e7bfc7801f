#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/note.h"

static bool is_note(const char *comment)
{
	return bw_note_is(comment, strlen(comment));
}

static void only_our_prefix_is_an_annotation(void **state)
{
	(void)state;
	assert_true(is_note("basewatch: ignore"));
	assert_true(is_note("basewatch:"));
	assert_true(is_note("BaseWatch:x"));
	assert_false(is_note("basewatch"));
	assert_false(is_note("basewatch ignore"));
	assert_false(is_note("see basewatch: ignore"));
	assert_false(is_note(""));
}

static void check(const char *comment, const char *reason, int64_t until_ms)
{
	struct bw_note note;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_note_parse(comment, strlen(comment), &note, &err), 0);
	assert_string_equal(note.reason, reason);
	assert_int_equal(note.until_ms, until_ms);
	free(note.reason);
}

static void reason_and_day_are_optional(void **state)
{
	(void)state;
	check("basewatch: ignore", "", 0);
	check("basewatch:ignore", "", 0);
	check("basewatch: \t ignore", "", 0);
	check("basewatch: ignore reason=", "", 0);
	check("basewatch: ignore reason=a  b until=x", "a  b until=x", 0);
	check("basewatch: ignore until=2026-12-31", "", 1798675200000);
	check("basewatch: ignore until=2026-12-31T01:00:00+01:00 reason=x", "x", 1798675200000);
	check("basewatch: ignore until=2026-01-01 until=2026-12-31", "", 1798675200000);
}

static void check_bad(const char *comment, const char *message)
{
	struct bw_note note;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_note_parse(comment, strlen(comment), &note, &err), BW_E_INPUT);
	assert_string_equal(err.msg, message);
}

static void a_slip_is_told(void **state)
{
	(void)state;
	check_bad("basewatch:", "the only annotation is \"basewatch: ignore\", not \"\"");
	check_bad("basewatch: ignored", "the only annotation is \"basewatch: ignore\", not \"ignored\"");
	check_bad("basewatch: Ignore", "the only annotation is \"basewatch: ignore\", not \"Ignore\"");
	check_bad("basewatch: ignore for now", "\"ignore\" takes until=DATE and reason=TEXT, not \"for\"");
	check_bad("basewatch: ignore until=", "until= wants a date such as 2026-12-31, not \"\"");
	check_bad("basewatch: ignore until=tomorrow",
		  "until= wants a date such as 2026-12-31, not \"tomorrow\"");
	check_bad("basewatch: ignore until=2026-02-30",
		  "until= wants a date such as 2026-12-31, not \"2026-02-30\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_our_prefix_is_an_annotation),
		cmocka_unit_test(reason_and_day_are_optional),
		cmocka_unit_test(a_slip_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
