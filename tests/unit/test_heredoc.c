#include "unit/table.h"

#include "buildfile/heredoc.h"
#include "core/buf.h"

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	BW_AUTOHEREDOCS struct bw_heredocs found;
	struct bw_buf shown;

	(void)arg;
	bw_buf_init(&shown, 1024);
	bw_heredocs_find(f[0], lens[0], &found);
	for (size_t i = 0; i < found.count; i++)
		(void)bw_buf_addf(&shown, "[%s%.*s]", found.items[i].trims_tabs ? "-" : "",
				  (int)found.items[i].len, found.items[i].name);
	assert_string_equal(bw_buf_str(&shown), count > 1 ? f[1] : "");
	bw_buf_done(&shown);
}

static void heredocs_are_found_as_in_the_table(void **state)
{
	(void)state;
	table_each("heredoc.tsv", 1, check_row, NULL);
}

static void one_word_may_be_a_heredoc(void **state)
{
	(void)state;
	assert_true(bw_heredoc_is("<<EOF", 5));
	assert_true(bw_heredoc_is("1<<-'a b'", 9));
	assert_false(bw_heredoc_is("/etc/x", 6));
	assert_false(bw_heredoc_is("<<", 2));
	assert_false(bw_heredoc_is("<<'a", 4));
	assert_false(bw_heredoc_is("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heredocs_are_found_as_in_the_table),
		cmocka_unit_test(one_word_may_be_a_heredoc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
