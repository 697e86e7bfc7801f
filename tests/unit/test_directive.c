#include "unit/table.h"

#include "buildfile/directive.h"

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_frontend frontend;
	bool found = bw_frontend_find(f[0], lens[0], &frontend);

	(void)count;
	(void)arg;
	assert_int_equal(found, strcmp(f[1], "-") != 0);
	if (found) {
		assert_int_equal(frontend.len, lens[1]);
		assert_memory_equal(frontend.text, f[1], lens[1]);
		assert_int_equal(frontend.span.line, (uint32_t)strtoul(f[2], NULL, 10));
		assert_int_equal(frontend.span.column, (uint32_t)strtoul(f[3], NULL, 10));
		if (frontend.span.line > 0)
			assert_memory_equal(f[0] + frontend.span.start, f[1], lens[1]);
	}
	bw_frontend_done(&frontend);
}

static void the_frontend_is_found_as_in_the_table(void **state)
{
	(void)state;
	table_each("directive.tsv", 4, check_row, NULL);
}

static enum bw_directive read_one(struct bw_directives *d, const char *line, const char *value)
{
	enum bw_directive found;
	const char *text = NULL;
	size_t len = 0;

	assert_int_equal(bw_directive_read(d, "#", line, strlen(line), &found, &text, &len, NULL), 0);
	if (value) {
		assert_int_equal(len, strlen(value));
		assert_memory_equal(text, value, len);
	}
	return found;
}

static void the_block_ends_at_the_first_other_line(void **state)
{
	struct bw_directives d = {0};

	(void)state;
	assert_int_equal(read_one(&d, "# escape=`", "`"), BW_DIRECTIVE_ESCAPE);
	assert_int_equal(read_one(&d, "#CHECK = skip=all ", "skip=all"), BW_DIRECTIVE_CHECK);
	assert_int_equal(read_one(&d, "#syntax=x y", "x y"), BW_DIRECTIVE_SYNTAX);
	assert_false(d.is_over);
	assert_int_equal(read_one(&d, "", NULL), BW_DIRECTIVE_NONE);
	assert_true(d.is_over);
	assert_int_equal(read_one(&d, "#syntax=x", NULL), BW_DIRECTIVE_NONE);
}

static void a_directive_comes_once(void **state)
{
	struct bw_directives d = {0};
	struct bw_err err = BW_ERR_INIT;
	enum bw_directive found;
	const char *value;
	size_t len;

	(void)state;
	assert_int_equal(read_one(&d, "#syntax=x", "x"), BW_DIRECTIVE_SYNTAX);
	assert_int_equal(bw_directive_read(&d, "#", "#syntax=y", 9, &found, &value, &len, &err), BW_E_INPUT);
	assert_string_equal(err.msg, "only one syntax parser directive can be used");
	assert_int_equal(found, BW_DIRECTIVE_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frontend_is_found_as_in_the_table),
		cmocka_unit_test(the_block_ends_at_the_first_other_line),
		cmocka_unit_test(a_directive_comes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
