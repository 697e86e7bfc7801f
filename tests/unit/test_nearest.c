/* test_nearest.c - tags near to one that is not there: the table, and many of them. */
#include "unit/unit.h"

#include <string.h>

#include "command/nearest.h"
#include "core/mem.h"
#include "unit/table.h"

#define MANY 20000

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	const char *tags[32], *near[BW_NEAREST_MAX];
	char all[256] = "";
	size_t n = 0, found;

	(void)lens, (void)count, (void)arg;
	for (char *rest = fields[1], *one; (one = strsep(&rest, " ")) && n < BW_COUNT(tags);)
		if (*one)
			tags[n++] = one;
	found = bw_nearest_tags(fields[0], tags, n, near);
	for (size_t i = 0; i < found; i++)
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? " " : "", near[i]);
	assert_string_equal(all, fields[2]);
}

static void test_the_nearest_tags_are_named_newest_first(void **state)
{
	(void)state;
	table_each("nearest.tsv", 3, check_row, NULL);
}

static void test_the_order_of_the_registry_does_not_matter(void **state)
{
	static char names[MANY][16];
	const char **tags = bw_alloc(MANY * sizeof(*tags)), *near[BW_NEAREST_MAX];

	(void)state;
	for (int up = 0; up < 2; up++) {
		for (size_t i = 0; i < MANY; i++) {
			(void)snprintf(names[i], sizeof(names[i]), "1.%zu", up ? i : MANY - 1 - i);
			tags[i] = names[i];
		}
		assert_int_equal(bw_nearest_tags("1.30000", tags, MANY, near), 3);
		assert_string_equal(near[0], "1.19999");
		assert_string_equal(near[1], "1.19998");
		assert_string_equal(near[2], "1.19997");
	}
	free(tags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_nearest_tags_are_named_newest_first),
		cmocka_unit_test(test_the_order_of_the_registry_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
