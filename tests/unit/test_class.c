/* test_class.c - the words for classes are stored in databases, so each is spelled out here. */
#include "unit/unit.h"

#include <string.h>

#include "core/def.h"
#include "image/class.h"

/* In the order of weight, the heaviest first. */
static const struct {
	enum bw_class class;
	const char *name;
	bool counts;
} rows[] = {
	{BW_CLASS_CONTENT, "content", true},   {BW_CLASS_UNCLASSIFIED, "unclassified", true},
	{BW_CLASS_ROLLBACK, "rollback", true}, {BW_CLASS_CONFIG, "config", true},
	{BW_CLASS_INDEX, "index", false},
};

static void test_every_class_has_a_name_a_weight_and_counts_or_not(void **state)
{
	(void)state;
	assert_int_equal(BW_COUNT(rows), BW_CLASS_COUNT);
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		enum bw_class parsed = BW_CLASS_COUNT;

		assert_int_equal(rows[i].class, i);
		assert_string_equal(bw_class_name(rows[i].class), rows[i].name);
		assert_true(bw_class_parse(rows[i].name, &parsed));
		assert_int_equal(parsed, rows[i].class);
		assert_int_equal(bw_class_counts(rows[i].class), rows[i].counts);
	}
}

static void test_other_words_are_no_class(void **state)
{
	static const char *const words[] = {"", "Content", "content ", "conten", "fresh", NULL};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(words); i++) {
		enum bw_class parsed = BW_CLASS_ROLLBACK;

		assert_false(bw_class_parse(words[i], &parsed));
		assert_int_equal(parsed, BW_CLASS_ROLLBACK);
	}
}

/* A row of a damaged database may hold any number; then we cannot say what the change was. */
static void test_values_outside_the_table_are_unclassified(void **state)
{
	volatile int outside[] = {BW_CLASS_COUNT, 9999, -1};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(outside); i++) {
		assert_string_equal(bw_class_name((enum bw_class)outside[i]), "unclassified");
		assert_true(bw_class_counts((enum bw_class)outside[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_class_has_a_name_a_weight_and_counts_or_not),
		cmocka_unit_test(test_other_words_are_no_class),
		cmocka_unit_test(test_values_outside_the_table_are_unclassified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
