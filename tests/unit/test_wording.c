/* test_wording.c - what several verbs say. */
#include "unit/unit.h"

#include <stdlib.h>

#include "command/wording.h"

static void one_is_no_plural(void **state)
{
	(void)state;
	assert_string_equal(bw_wording_plural(0), "s");
	assert_string_equal(bw_wording_plural(1), "");
	assert_string_equal(bw_wording_plural(2), "s");
}

static void expect(char *got, const char *wanted)
{
	assert_string_equal(got, wanted);
	free(got);
}

static void only_a_tag_can_be_gone(void **state)
{
	const struct bw_answer tag = {.trouble = BW_TROUBLE_TAG_GONE, .message = "r.io does not have it"};
	const struct bw_answer all = {.trouble = BW_TROUBLE_REPOSITORY_GONE,
				      .message = "r.io does not have it"};
	const struct bw_answer late = {.trouble = BW_TROUBLE_TIMEOUT, .message = "r.io: 10 s"};

	(void)state;
	expect(bw_wording_of_tag(&tag), "the tag is gone: r.io does not have it");
	expect(bw_wording_of_digest(&tag), "r.io does not have it");
	expect(bw_wording_of_digest(&all), "r.io does not have it");
	expect(bw_wording_of_tag(&late), "the registry did not answer in time: r.io: 10 s");
	expect(bw_wording_of_digest(&late), "the registry did not answer in time: r.io: 10 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_no_plural),
		cmocka_unit_test(only_a_tag_can_be_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
