#include "unit/table.h"

#include "buildfile/filename.h"

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	(void)lens;
	(void)count;
	(void)arg;
	assert_int_equal(bw_filename_is_buildfile(f[0]), strcmp(f[1], "-") != 0);
	if (strcmp(f[1], "-") != 0)
		assert_int_equal(bw_filename_is_template(f[0]), strcmp(f[1], "template") == 0);
}

static void names_are_judged_as_in_the_table(void **state)
{
	(void)state;
	table_each("filename.tsv", 2, check_row, NULL);
}

static void a_template_is_known_by_its_path(void **state)
{
	(void)state;
	assert_true(bw_filename_is_template("a/b/Dockerfile.j2"));
	assert_false(bw_filename_is_template("a.j2/Dockerfile"));
	assert_false(bw_filename_is_template("-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged_as_in_the_table),
		cmocka_unit_test(a_template_is_known_by_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
