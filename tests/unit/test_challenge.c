/* test_challenge.c - WWW-Authenticate: the table, and what lies outside of it. */
#include "unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "registry/challenge.h"
#include "unit/table.h"

static const char *scheme_name(enum bw_challenge_scheme scheme)
{
	if (scheme == BW_CHALLENGE_BEARER)
		return "bearer";
	return scheme == BW_CHALLENGE_BASIC ? "basic" : "none";
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

static bool is_as_told(const struct bw_challenge *c, char **fields)
{
	return strcmp(scheme_name(c->scheme), fields[1]) == 0 && strcmp(or_dash(c->realm), fields[2]) == 0 &&
	       strcmp(or_dash(c->service), fields[3]) == 0 && strcmp(or_dash(c->scope), fields[4]) == 0 &&
	       strcmp(or_dash(c->error), fields[5]) == 0;
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_challenge c = {0};
	const char *values[8];
	size_t n = 0;
	bool ok;
	int rc;

	(void)lens;
	(void)arg;
	for (char *rest = fields[0]; rest && n < 8;)
		values[n++] = strsep(&rest, "\n");
	rc = bw_challenge_parse(values, n, &c, &err);
	if (strcmp(fields[1], "!") == 0)
		ok = rc == BW_E_PEER && err.code == BW_E_PEER && strcmp(err.msg, fields[2]) == 0 && !c.realm;
	else
		ok = rc == 0 && count == 6 && is_as_told(&c, fields) && err.code == BW_OK;
	if (!ok)
		fail_msg("%s: rc %d (%s), %s '%s' '%s' '%s' '%s'", fields[0], rc, err.msg,
			 scheme_name(c.scheme), or_dash(c.realm), or_dash(c.service), or_dash(c.scope),
			 or_dash(c.error));
	bw_challenge_done(&c);
}

static void test_challenges_are_read_as_rfc_9110_says(void **state)
{
	(void)state;
	table_each("challenge.tsv", 3, check_row, NULL);
}

static void test_an_endless_value_is_no_value(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_challenge c = {0};
	BW_AUTOFREE char *line = bw_alloc(20000);
	const char *values[] = {line};

	(void)state;
	memset(line, 'x', 19000);
	memcpy(line, "Bearer realm=\"", 14);
	line[18999] = '"';
	assert_int_equal(bw_challenge_parse(values, 1, &c, &err), BW_E_PEER);
	assert_string_equal(err.msg, "no log-in that we know is offered, only Bearer");
}

static void test_many_schemes_do_not_make_the_message_endless(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_challenge c = {0};
	BW_AUTOFREE char *line = bw_alloc(20000);
	const char *values[] = {line};

	(void)state;
	for (int i = 0; i < 3000; i++)
		memcpy(line + strlen(line), "Some,", 6);
	assert_int_equal(bw_challenge_parse(values, 1, &c, &err), BW_E_PEER);
	assert_true(strlen(err.msg) < 400);
}

static void test_done_takes_an_empty_one(void **state)
{
	struct bw_challenge c = {0};

	(void)state;
	bw_challenge_done(&c);
	assert_null(c.realm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_challenges_are_read_as_rfc_9110_says),
		cmocka_unit_test(test_an_endless_value_is_no_value),
		cmocka_unit_test(test_many_schemes_do_not_make_the_message_endless),
		cmocka_unit_test(test_done_takes_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
