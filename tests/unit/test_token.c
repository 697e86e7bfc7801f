/* test_token.c - the token endpoint's answer, and the URL that asks it. */
#include "unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/token.h"
#include "unit/table.h"

static void check_answer(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_token t = {0};
	char lifetime[16] = "";
	bool ok;
	int rc;

	(void)count;
	(void)arg;
	rc = bw_token_parse(fields[0], lens[0], &t, &err);
	(void)snprintf(lifetime, sizeof(lifetime), "%u", t.lifetime_s);
	if (strcmp(fields[1], "!") == 0)
		ok = rc == BW_E_PEER && strcmp(err.msg, fields[2]) == 0 && !t.text;
	else
		ok = rc == 0 && strcmp(t.text, fields[1]) == 0 && strcmp(lifetime, fields[2]) == 0;
	if (!ok)
		fail_msg("%s: rc %d (%s), '%s' for %u s", fields[0], rc, err.msg, t.text ? t.text : "-",
			 t.lifetime_s);
	bw_token_done(&t);
}

static void test_answers_give_a_token_or_say_why_not(void **state)
{
	(void)state;
	table_each("token.tsv", 3, check_answer, NULL);
}

static const char *or_null(const char *field)
{
	return strcmp(field, "-") == 0 ? NULL : field;
}

static void check_url(char **fields, size_t *lens, size_t count, void *arg)
{
	BW_AUTOFREE char *url =
		bw_token_url(fields[0], or_null(fields[1]), or_null(fields[2]), or_null(fields[3]));

	(void)lens;
	(void)count;
	(void)arg;
	assert_string_equal(url, fields[4]);
}

static void test_urls_are_percent_encoded(void **state)
{
	(void)state;
	table_each("token_url.tsv", 5, check_url, NULL);
}

static void check_form(char **fields, size_t *lens, size_t count, void *arg)
{
	BW_AUTOFREE char *form = bw_token_form(or_null(fields[0]), fields[1], fields[2]);

	(void)lens;
	(void)count;
	(void)arg;
	assert_string_equal(form, fields[3]);
}

static void test_forms_are_percent_encoded(void **state)
{
	(void)state;
	table_each("token_form.tsv", 4, check_form, NULL);
}

static void test_a_refresh_token_that_is_too_long_makes_no_form(void **state)
{
	BW_AUTOFREE char *text = bw_alloc(70000);
	BW_AUTOFREE char *form = NULL;

	(void)state;
	memset(text, ':', 69999);
	assert_null(bw_token_form("s", "x", text));
	text[60000] = '\0';
	form = bw_token_form("s", "x", text);
	assert_int_equal(
		strlen(form),
		strlen("grant_type=refresh_token&client_id=basewatch&service=s&scope=x&refresh_token=") +
			180000);
}

static void test_the_bytes_of_a_scope_are_those_in_the_url(void **state)
{
	static const char scope[] = "repository:a/b-c_d.e:pull";
	BW_AUTOFREE char *url = bw_token_url("https://r/t?x", NULL, scope, NULL);

	(void)state;
	assert_int_equal(bw_token_scope_bytes(scope), strlen(url) - strlen("https://r/t?x"));
	assert_int_equal(bw_token_scope_bytes(""), 7);
}

static const struct {
	const char *body;
	bool is_bad;
} grants[] = {
	{"{\"error\":\"invalid_grant\"}", true},
	{"{\"error\":\"invalid_client\",\"error_description\":\"x\"}", true},
	{"{\"error\":\"invalid_scope\"}", false},
	{"{\"error\":[\"invalid_grant\"]}", false},
	{"{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}", false},
	{"invalid_grant", false},
	{"", false},
};

static void test_an_answer_says_that_the_refresh_token_is_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < BW_COUNT(grants); i++)
		if (bw_token_is_bad_grant(grants[i].body, strlen(grants[i].body)) != grants[i].is_bad)
			fail_msg("%s", grants[i].body);
}

static void test_done_takes_an_empty_one(void **state)
{
	struct bw_token t = {0};

	(void)state;
	bw_token_done(&t);
	assert_null(t.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_give_a_token_or_say_why_not),
		cmocka_unit_test(test_urls_are_percent_encoded),
		cmocka_unit_test(test_forms_are_percent_encoded),
		cmocka_unit_test(test_a_refresh_token_that_is_too_long_makes_no_form),
		cmocka_unit_test(test_the_bytes_of_a_scope_are_those_in_the_url),
		cmocka_unit_test(test_an_answer_says_that_the_refresh_token_is_bad),
		cmocka_unit_test(test_done_takes_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
