/* test_err.c - the error record: core/err.h. */
#include "unit/unit.h"

#include <errno.h>
#include <string.h>

#include "core/err.h"

static void a_failure_has_class_and_message(void **state)
{
	struct bw_err err = {.retry_after_s = 9, .sys = 7};

	(void)state;
	assert_int_equal(bw_fail(&err, BW_E_PEER, "byte %d of %s", 14, "token"), BW_E_PEER);
	assert_int_equal(err.code, BW_E_PEER);
	assert_int_equal(err.sys, 0);
	assert_int_equal(err.retry_after_s, 0);
	assert_string_equal(err.msg, "byte 14 of token");
}

static void a_failure_without_a_record_still_returns_its_class(void **state)
{
	(void)state;
	assert_int_equal(bw_fail(NULL, BW_E_GONE, "x"), BW_E_GONE);
	assert_int_equal(bw_fail_sys(NULL, ENOENT, "x"), BW_E_SYS);
	assert_true(bw_err_ctx(NULL, "x") < 0);
}

static void a_system_failure_keeps_errno_and_says_its_text(void **state)
{
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	assert_int_equal(bw_fail_sys(&err, ENOENT, "open %s", "/x"), BW_E_SYS);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.msg, "open /x: No such file or directory");
}

static void context_goes_before_the_message_and_keeps_the_class(void **state)
{
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	bw_fail(&err, BW_E_THROTTLED, "too many requests");
	err.retry_after_s = 30;
	assert_int_equal(bw_err_ctx(&err, "ask %s", "a.example"), BW_E_THROTTLED);
	assert_string_equal(err.msg, "ask a.example: too many requests");
	assert_int_equal(err.retry_after_s, 30);
}

static void a_message_may_be_made_from_itself(void **state)
{
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	bw_fail(&err, BW_E_PEER, "inner");
	bw_fail(&err, BW_E_INPUT, "outer (%s)", err.msg);
	assert_string_equal(err.msg, "outer (inner)");
	bw_err_ctx(&err, "<%s>", err.msg);
	assert_string_equal(err.msg, "<outer (inner)>: outer (inner)");
}

static void a_message_that_does_not_fit_is_cut_visibly(void **state)
{
	char text[2 * BW_ERR_MAX];
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	bw_fail(&err, BW_E_PEER, "%s", text);
	assert_int_equal(strlen(err.msg), BW_ERR_MAX - 1);
	assert_string_equal(err.msg + BW_ERR_MAX - 5, "x...");

	text[BW_ERR_MAX] = '\0'; /* one byte too long */
	bw_fail(&err, BW_E_PEER, "%s", text);
	assert_string_equal(err.msg + BW_ERR_MAX - 5, "x...");
	text[BW_ERR_MAX - 3] = '\0';
	bw_fail(&err, BW_E_PEER, "%s", text);
	bw_err_ctx(&err, "x");
	assert_string_equal(err.msg + BW_ERR_MAX - 5, "x...");

	text[BW_ERR_MAX - 3] = 'x';
	text[BW_ERR_MAX - 1] = '\0'; /* fits exactly */
	bw_fail(&err, BW_E_PEER, "%s", text);
	assert_string_equal(err.msg, text);
	bw_err_ctx(&err, "before");
	assert_int_equal(strlen(err.msg), BW_ERR_MAX - 1);
	assert_memory_equal(err.msg, "before: xx", 10);
	assert_string_equal(err.msg + BW_ERR_MAX - 5, "x...");
	bw_fail_sys(&err, EACCES, "%s", text);
	assert_string_equal(err.msg + BW_ERR_MAX - 5, "x...");
}

static void a_cut_never_leaves_half_a_character(void **state)
{
	char text[2 * BW_ERR_MAX];
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		size_t i = 0;

		for (; i < shift; i++)
			text[i] = 'a';
		for (; i + 5 < sizeof(text); i += 4)
			memcpy(text + i, "\xF0\x9F\x90\xB3", 4);
		text[i] = '\0';
		bw_fail(&err, BW_E_PEER, "%s", text);
		i = strlen(err.msg);
		assert_string_equal(err.msg + i - 3, "...");
		assert_int_equal((i - 3 - shift) % 4, 0);
		assert_true(i > BW_ERR_MAX - 6);
	}
}

static void a_message_is_one_line(void **state)
{
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	bw_fail(&err, BW_E_PEER, "%s", "a\r\nb\n");
	assert_string_equal(err.msg, "a  b ");
	bw_err_ctx(&err, "%s", "c\nd");
	assert_string_equal(err.msg, "c d: a  b ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_has_class_and_message),
		cmocka_unit_test(a_failure_without_a_record_still_returns_its_class),
		cmocka_unit_test(a_system_failure_keeps_errno_and_says_its_text),
		cmocka_unit_test(context_goes_before_the_message_and_keeps_the_class),
		cmocka_unit_test(a_message_may_be_made_from_itself),
		cmocka_unit_test(a_message_that_does_not_fit_is_cut_visibly),
		cmocka_unit_test(a_cut_never_leaves_half_a_character),
		cmocka_unit_test(a_message_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
