/*
 * The sample, the JSON Schema and the manual of the configuration are what the table of keys says. `make docs` runs this
 * with UPDATE_GOLDEN=1 and so writes them.
 */
#include "unit.h"

#include "config/conf.h"
#include "config/docs.h"
#include "golden.h"

static void expect_file(void (*write)(struct bw_buf *ret), const char *path)
{
	BW_AUTOBUF struct bw_buf text;
	struct golden g;

	bw_buf_init(&text, BW_DOCS_MAX);
	write(&text);
	assert_false(text.overflow);
	golden_begin(&g);
	assert_int_equal(fwrite(text.data, 1, text.len, g.out), text.len);
	golden_end(&g, path); /* counts from tests/golden */
}

static void the_sample_is_what_the_table_says(void **state)
{
	(void)state;
	expect_file(bw_docs_sample, "../../config/basewatch.yaml");
}

static void the_schema_is_what_the_table_says(void **state)
{
	(void)state;
	expect_file(bw_docs_schema, "../../config/basewatch.schema.json");
}

static void the_manual_is_what_the_table_says(void **state)
{
	(void)state;
	expect_file(bw_docs_manual, "../../contrib/man/basewatch.yaml.5");
}

static void the_sample_is_a_configuration_without_any_problem(void **state)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;
	BW_AUTOBUF struct bw_buf text;

	(void)state;
	bw_buf_init(&text, BW_DOCS_MAX);
	bw_docs_sample(&text);
	if (bw_conf_parse(text.data, text.len, "/", 0, &c, &problems, &err) < 0)
		fail_msg("%s", problems.items[0].text);
	assert_int_equal(problems.count, 0);
	assert_int_equal(c->sinks.count, 2);
	bw_conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_is_what_the_table_says),
		cmocka_unit_test(the_schema_is_what_the_table_says),
		cmocka_unit_test(the_manual_is_what_the_table_says),
		cmocka_unit_test(the_sample_is_a_configuration_without_any_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
