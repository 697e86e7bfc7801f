/* test_answer.c - the words for trouble are stored in databases, so each is spelled out here. */
#include "unit/unit.h"

#include <string.h>

#include "image/answer.h"

static const struct {
	enum bw_trouble trouble;
	const char *name;
	const char *text;
	bool is_passing;
} rows[] = {
	{BW_TROUBLE_TAG_GONE, "tag-gone", "the tag is gone", false},
	{BW_TROUBLE_REPOSITORY_GONE, "repository-gone", "the registry has no such repository", false},
	{BW_TROUBLE_DENIED, "denied", "the registry denies access, or there is no such repository", false},
	{BW_TROUBLE_AUTH, "auth", "the registry does not accept the log-in", false},
	{BW_TROUBLE_THROTTLED, "throttled", "the registry asks for fewer requests", true},
	{BW_TROUBLE_TIMEOUT, "timeout", "the registry did not answer in time", true},
	{BW_TROUBLE_DNS, "dns", "the name of the registry cannot be resolved", true},
	{BW_TROUBLE_TLS, "tls", "no trusted TLS connection to the registry", true},
	{BW_TROUBLE_CONNECTION, "connection", "the connection to the registry failed", true},
	{BW_TROUBLE_SERVER, "server", "the registry reports an internal error", true},
	{BW_TROUBLE_MALFORMED, "malformed", "the answer of the registry makes no sense", false},
	{BW_TROUBLE_LIMIT, "limit", "a limit of basewatch was reached", false},
	{BW_TROUBLE_UNSETTLED, "unsettled", "the registry gives different answers to one question", true},
	{BW_TROUBLE_REFUSED, "refused", "the registry leads to an address that is not talked to", true},
};

static void test_every_trouble_has_its_words(void **state)
{
	(void)state;
	assert_int_equal(BW_COUNT(rows), BW_TROUBLE_COUNT - 1);
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		assert_int_equal(rows[i].trouble, i + 1);
		assert_string_equal(bw_trouble_name(rows[i].trouble), rows[i].name);
		assert_string_equal(bw_trouble_text(rows[i].trouble), rows[i].text);
		assert_int_equal(bw_trouble_from_name(rows[i].name), rows[i].trouble);
		assert_int_equal(bw_trouble_is_passing(rows[i].trouble), rows[i].is_passing);
		assert_int_equal(bw_trouble_is_absence(rows[i].trouble),
				 strstr(rows[i].name, "gone") != NULL);
	}
	assert_false(bw_trouble_is_passing(BW_TROUBLE_NONE));
}

static void test_no_trouble_has_no_words(void **state)
{
	(void)state;
	assert_string_equal(bw_trouble_name(BW_TROUBLE_NONE), "");
	assert_string_equal(bw_trouble_text(BW_TROUBLE_NONE), "");
	assert_int_equal(bw_trouble_from_name(""), BW_TROUBLE_NONE);
}

static void test_unknown_words_are_no_trouble(void **state)
{
	(void)state;
	assert_int_equal(bw_trouble_from_name("Tag-Gone"), BW_TROUBLE_NONE);
	assert_int_equal(bw_trouble_from_name("tag"), BW_TROUBLE_NONE);
	assert_int_equal(bw_trouble_from_name("tag-gone "), BW_TROUBLE_NONE);
	assert_int_equal(bw_trouble_from_name(NULL), BW_TROUBLE_NONE);
}

/* A row of a damaged database may hold any number. */
static void test_values_outside_the_table_have_no_words(void **state)
{
	volatile int outside[] = {BW_TROUBLE_COUNT, 9999, -1};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(outside); i++) {
		assert_string_equal(bw_trouble_name((enum bw_trouble)outside[i]), "");
		assert_string_equal(bw_trouble_text((enum bw_trouble)outside[i]), "");
		assert_false(bw_trouble_is_passing((enum bw_trouble)outside[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_trouble_has_its_words),
		cmocka_unit_test(test_no_trouble_has_no_words),
		cmocka_unit_test(test_unknown_words_are_no_trouble),
		cmocka_unit_test(test_values_outside_the_table_have_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
