/* The command line as values: every option once, both spellings, and what is wrong with wrong ones. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "command/args.h"
#include "command/choose.h"
#include "command/output.h"

static int parse(unsigned verb, struct bw_args *a, struct bw_err *err, const char *w1, const char *w2,
		 const char *w3)
{
	char *argv[] = {(char *)(uintptr_t)w1, (char *)(uintptr_t)w2, (char *)(uintptr_t)w3, NULL};
	int argc = 0;

	while (argv[argc])
		argc++;
	*err = BW_ERR_INIT;
	return bw_args_parse(verb, argc, argv, a, err);
}

static void expect_error(unsigned verb, const char *w1, const char *w2, const char *message)
{
	struct bw_args a;
	struct bw_err err;

	assert_int_equal(parse(verb, &a, &err, w1, w2, NULL), BW_E_INPUT);
	if (!strstr(err.msg, message))
		fail_msg("'%s' is not in: %s", message, err.msg);
	bw_args_done(&a);
}

static void nothing_given_means_the_defaults(void **state)
{
	struct bw_args a;
	struct bw_err err;

	(void)state;
	assert_int_equal(parse(BW_VERB_CHECK, &a, &err, NULL, NULL, NULL), 0);
	assert_int_equal(a.operands.count, 0);
	assert_null(a.operands.items[0]);
	assert_int_equal(a.format, BW_FORMAT_TABLE);
	assert_int_equal(a.fail_on, 1U << BW_STALE | 1U << BW_BEHIND | 1U << BW_UNKNOWN);
	assert_int_equal(a.connections, 0);
	bw_args_done(&a);
}

static void a_value_stands_behind_a_blank_or_an_equals_sign(void **state)
{
	struct bw_args a;
	struct bw_err err;

	(void)state;
	assert_int_equal(parse(BW_VERB_CHECK, &a, &err, "--build-arg=A=b=c", "--db", "x.db"), 0);
	assert_string_equal(a.build_args.items[0].name, "A");
	assert_string_equal(a.build_args.items[0].value, "b=c");
	assert_string_equal(a.db, "x.db");
	bw_args_done(&a);
	assert_int_equal(parse(BW_VERB_CHECK, &a, &err, "--platform", "linux/x86_64", "dir"), 0);
	assert_string_equal(a.platform.arch, "amd64");
	assert_string_equal(a.operands.items[0], "dir");
	bw_args_done(&a);
}

static void the_daemon_has_options_of_its_own(void **state)
{
	struct bw_args a;
	struct bw_err err;

	(void)state;
	assert_int_equal(parse(BW_VERB_RUN, &a, &err, NULL, NULL, NULL), 0);
	assert_int_equal(a.log_format, BW_LOG_AUTO);
	assert_false(a.once || a.allow_root);
	bw_args_done(&a);
	assert_int_equal(parse(BW_VERB_RUN, &a, &err, "--once", "--allow-root", "--log-format=json"), 0);
	assert_int_equal(a.log_format, BW_LOG_JSON);
	assert_true(a.once && a.allow_root);
	bw_args_done(&a);
	assert_int_equal(parse(BW_VERB_RUN, &a, &err, "--log-format", "plain", "--db=x"), 0);
	assert_int_equal(a.log_format, BW_LOG_PLAIN);
	assert_string_equal(a.db, "x");
	bw_args_done(&a);
	assert_int_equal(parse(BW_VERB_RUN, &a, &err, "--log-format", "auto", NULL), 0);
	assert_int_equal(a.log_format, BW_LOG_AUTO);
	bw_args_done(&a);
	expect_error(BW_VERB_RUN, "--log-format", "xml",
		     "--log-format: expected 'auto', 'plain' or 'json', got 'xml'");
	expect_error(BW_VERB_CHECK, "--once", NULL, "option '--once' does not go with this command");
	expect_error(BW_VERB_RUN, "--once=1", NULL, "option '--once' takes no value");
}

static void behind_two_dashes_everything_is_an_operand(void **state)
{
	struct bw_args a;
	struct bw_err err;

	(void)state;
	assert_int_equal(parse(BW_VERB_CHECK, &a, &err, "-", "--", "--db"), 0);
	assert_int_equal(a.operands.count, 2);
	assert_string_equal(a.operands.items[0], "-");
	assert_string_equal(a.operands.items[1], "--db");
	bw_args_done(&a);
}

static void one_name_may_mean_different_things_for_different_verbs(void **state)
{
	struct bw_args a;
	struct bw_err err;

	(void)state;
	assert_int_equal(parse(BW_VERB_RESOLVE, &a, &err, "--platform=arm64", "--manifest", "debian"), 0);
	assert_string_equal(a.platform.os, "linux");
	assert_string_equal(a.platform.arch, "arm64");
	assert_true(a.manifest);
	bw_args_done(&a);
	assert_int_equal(parse(BW_VERB_PIN, &a, &err, "--platform=arm64", "--check", "--write"), 0);
	assert_string_equal(a.platform.arch, "arm64");
	assert_true(a.check);
	assert_true(a.write);
	assert_false(a.manifest);
	bw_args_done(&a);
}

static void fail_on_is_a_list_of_verdicts(void **state)
{
	struct bw_args a;
	struct bw_err err;

	(void)state;
	assert_int_equal(parse(BW_VERB_REPORT, &a, &err, "--fail-on", "stale,unknown", NULL), 0);
	assert_int_equal(a.fail_on, 1U << BW_STALE | 1U << BW_UNKNOWN);
	bw_args_done(&a);
	assert_int_equal(parse(BW_VERB_REPORT, &a, &err, "--fail-on=none", NULL, NULL), 0);
	assert_int_equal(a.fail_on, 0);
	bw_args_done(&a);
}

static void wrong_words_say_what_was_expected(void **state)
{
	(void)state;
	expect_error(BW_VERB_CHECK, "--bd", "x", "unknown option '--bd'; did you mean '--db'?");
	expect_error(BW_VERB_CHECK, "-x", NULL, "unknown option '-x'");
	expect_error(BW_VERB_SCAN, "--db", "x", "option '--db' does not go with this command");
	expect_error(BW_VERB_CHECK, "--db", NULL, "option '--db' needs a value: FILE");
	expect_error(BW_VERB_CHECK, "--db=", NULL, "--db: must not be empty");
	expect_error(BW_VERB_CHECK, "--quiet=yes", NULL, "option '--quiet' takes no value");
	expect_error(BW_VERB_CHECK, "--build-arg", "=x", "--build-arg: expected NAME=VALUE, got '=x'");
	expect_error(BW_VERB_CHECK, "--platform", "linux/amd64,linux/arm64",
		     "--platform: takes one platform");
	expect_error(BW_VERB_CHECK, "--connections", "-1", "expected a whole number from 1 to 64, got '-1'");
	expect_error(BW_VERB_CHECK, "--fail-on", "stale,fresh", "got 'fresh'");
	expect_error(BW_VERB_CHECK, "--fail-on", "", "got ''");
	expect_error(BW_VERB_CHECK, "--count", "backend", "expected 'frontend', got 'backend'");
	expect_error(BW_VERB_CHECK, "--format", "xml", "expected 'table' or 'json', got 'xml'");
	expect_error(BW_VERB_CHECK, "--source", "a:b", "expected a name without ':' and '/'");
	expect_error(BW_VERB_CHECK, "--insecure-registry", "http://x",
		     "expected HOST or HOST:PORT without a scheme");
	expect_error(BW_VERB_PIN, "--source", "x", "option '--source' does not go with this command");
	expect_error(BW_VERB_PIN, "--db", "x", "option '--db' does not go with this command");
	expect_error(BW_VERB_PIN, "--check=yes", NULL, "option '--check' takes no value");
	expect_error(BW_VERB_RESOLVE, "--write", NULL, "option '--write' does not go with this command");
	expect_error(BW_VERB_DONE, "--digest", "sha256:x", "--digest: ");
}

static void every_option_appears_in_the_help_of_its_verbs(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	bw_args_help(BW_VERB_RESOLVE, out);
	fclose(out);
	assert_non_null(strstr(text, "--offline "));
	assert_non_null(strstr(text, "  -h, --help"));
	assert_null(strstr(text, "--build-arg"));
	assert_non_null(strstr(text, "only the image for this"));
	assert_null(strstr(text, "that is built for"));
	free(text);
}

/* --- what follows from them ------------------------------------------------------------------- */

static enum bw_exit exit_for(unsigned fail_on, uint64_t stale, uint64_t behind, uint64_t unknown)
{
	const struct bw_args a = {.fail_on = fail_on};
	const struct bw_tally t = {.counted = {stale, behind, unknown, 7, 7, 7}};

	return bw_output_exit(&a, &t);
}

static void the_worst_counted_verdict_decides_the_exit_code(void **state)
{
	const unsigned all = 1U << BW_STALE | 1U << BW_BEHIND | 1U << BW_UNKNOWN;

	(void)state;
	assert_int_equal(exit_for(all, 0, 0, 0), BW_EXIT_OK);
	assert_int_equal(exit_for(all, 1, 0, 5), BW_EXIT_STALE);
	assert_int_equal(exit_for(all, 0, 1, 5), BW_EXIT_STALE);
	assert_int_equal(exit_for(all, 0, 0, 1), BW_EXIT_UNKNOWN);
	assert_int_equal(exit_for(0, 1, 1, 1), BW_EXIT_OK);
	assert_int_equal(exit_for(1U << BW_UNKNOWN, 1, 1, 1), BW_EXIT_UNKNOWN);
	assert_int_equal(exit_for(1U << BW_STALE, 0, 1, 1), BW_EXIT_OK);
}

static void a_path_that_is_gone_still_has_a_location(void **state)
{
	static const char *const cases[][2] = {
		{"/no/such//./dir/../file", "/no/such/file"},
		{"/../..", "/"},
		{"/no/..", "/"},
		{"/no/such/", "/no/such"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		char *got = bw_choose_location(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_means_the_defaults),
		cmocka_unit_test(a_value_stands_behind_a_blank_or_an_equals_sign),
		cmocka_unit_test(the_daemon_has_options_of_its_own),
		cmocka_unit_test(behind_two_dashes_everything_is_an_operand),
		cmocka_unit_test(one_name_may_mean_different_things_for_different_verbs),
		cmocka_unit_test(fail_on_is_a_list_of_verdicts),
		cmocka_unit_test(wrong_words_say_what_was_expected),
		cmocka_unit_test(every_option_appears_in_the_help_of_its_verbs),
		cmocka_unit_test(the_worst_counted_verdict_decides_the_exit_code),
		cmocka_unit_test(a_path_that_is_gone_still_has_a_location),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
