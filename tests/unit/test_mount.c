#include "unit/table.h"

#include "buildfile/mount.h"

static void trace_of(const char *text, size_t len, struct bw_trace *ret)
{
	for (size_t i = 0; i < len; i++)
		bw_trace_add(ret, text[i], 100 + i);
}

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	BW_AUTOTRACE struct bw_trace flags = {0};
	struct bw_mount *m = arg;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	trace_of(f[0], lens[0], &flags);
	rc = bw_mount_read(&flags, 0, flags.len, m, &err);
	assert_string_equal(err.msg, count > 3 ? f[3] : "");
	assert_int_equal(rc, err.msg[0] ? BW_E_INPUT : 0);
	assert_int_equal(m->is_secret, strcmp(f[2], "secret") == 0);
	if (strcmp(f[1], "-") == 0) {
		assert_int_equal(m->from_len, 0);
		return;
	}
	assert_int_equal(m->from_len, lens[1]);
	assert_memory_equal(m->text.text + m->from, f[1], lens[1]);
	for (size_t i = m->from; i < m->from + m->from_len; i++)
		assert_int_equal(f[0][m->text.at[i] - 100], m->text.text[i]);
}

static void mounts_are_read_as_in_the_table(void **state)
{
	BW_AUTOMOUNT struct bw_mount m = {0};

	(void)state;
	table_each("mount.tsv", 3, check_row, &m);
}

static bool has_variable(const char *from)
{
	return bw_mount_has_variable(from, strlen(from));
}

static void a_dollar_is_a_variable_unless_it_is_last(void **state)
{
	(void)state;
	assert_true(has_variable("$a"));
	assert_true(has_variable("a$b"));
	assert_true(has_variable("a$b$"));
	assert_true(has_variable("a$$"));
	assert_false(has_variable("a$"));
	assert_false(has_variable("$"));
	assert_false(has_variable("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_are_read_as_in_the_table),
		cmocka_unit_test(a_dollar_is_a_variable_unless_it_is_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
