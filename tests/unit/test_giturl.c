/* test_giturl.c - addresses of repositories, and what is left of them in messages. */
#include "unit/table.h"

#include "core/mem.h"
#include "core/text.h"
#include "source/giturl.h"

static void check_part(const char *got, const char *wanted)
{
	assert_string_equal(got ? got : "-", wanted);
}

static void check_bad(const char *text, const char *words)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_giturl u;

	assert_int_equal(bw_giturl_parse(text, &u, &err), BW_E_INPUT);
	if (!strstr(err.msg, words))
		assert_string_equal(err.msg, words);
	assert_null(strstr(err.msg, "s3cret"));
}

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_giturl u;

	(void)lens, (void)arg;
	if (f[1][0] == '!') {
		check_bad(f[0], f[1] + 2);
		return;
	}
	assert_int_equal(count, 7);
	assert_int_equal(bw_giturl_parse(f[0], &u, &err), 0);
	check_part(u.shown, f[1]);
	check_part(u.fetch, f[2]);
	check_part(u.user, f[3]);
	check_part(u.password, f[4]);
	check_part(u.branch, f[5]);
	check_part(u.folder, f[6]);
	bw_giturl_done(&u);
}

static void addresses_are_taken_apart(void **state)
{
	(void)state;
	table_each("giturl.tsv", 2, check_row, NULL);
}

static void an_operand_is_an_address_by_its_looks(void **state)
{
	(void)state;
	assert_true(bw_giturl_is("https://h/x"));
	assert_true(bw_giturl_is("git@h:x"));
	assert_true(bw_giturl_is("ext::sh"));
	assert_false(bw_giturl_is("h:x")); /* SOURCE:PATH */
	assert_false(bw_giturl_is("a/b@c:d"));
	assert_false(bw_giturl_is("./x"));
	assert_false(bw_giturl_is("debian@sha256"));
	assert_false(bw_giturl_is(""));
	assert_false(bw_giturl_is("://x"));
}

static void the_source_of_a_branch_has_a_name(void **state)
{
	struct bw_giturl u;
	char *name;

	(void)state;
	assert_int_equal(bw_giturl_parse("https://u:p@H/x.git#other", &u, NULL), 0);
	name = bw_giturl_source(&u, "main");
	assert_string_equal(name, "https://h/x.git#main");
	free(name);
	bw_giturl_done(&u);
}

static void user_info_is_taken_out_of_texts(void **state)
{
	char text[] = "see https://a:b@h/x and ssh://git@h:1/y, not mail a@b or https://h/p@q; s3cret!";
	struct bw_giturl u = {.password = (char[]){"s3cret"}};

	(void)state;
	bw_giturl_redact(text, &u);
	assert_string_equal(text, "see https://h/x and ssh://h:1/y, not mail a@b or https://h/p@q; !");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_taken_apart),
		cmocka_unit_test(an_operand_is_an_address_by_its_looks),
		cmocka_unit_test(the_source_of_a_branch_has_a_name),
		cmocka_unit_test(user_info_is_taken_out_of_texts),
	};

	return cmocka_run_group_tests_name("giturl", tests, NULL, NULL);
}
