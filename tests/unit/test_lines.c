#include "unit/unit.h"

#include <string.h>

#include "buildfile/lines.h"

static void expect_instruction(struct bw_lines *l, const char *text, uint32_t first, uint32_t last)
{
	assert_int_equal(bw_lines_next(l), BW_LINE_INSTRUCTION);
	assert_int_equal(l->len, strlen(text));
	assert_memory_equal(l->text, text, l->len);
	assert_int_equal(l->first, first);
	assert_int_equal(l->last, last);
}

static void expect_span(const struct bw_lines *l, size_t from, size_t to, size_t start, size_t end,
			uint32_t line, uint32_t column)
{
	struct bw_span s = bw_lines_span(l, from, to);

	assert_int_equal(s.start, start);
	assert_int_equal(s.end, end);
	assert_int_equal(s.line, line);
	assert_int_equal(s.column, column);
}

static void each_kind_of_line_is_told(void **state)
{
	static const char text[] = "# escape=`\n\n#  a comment \n  FROM x\n";
	BW_AUTOLINES struct bw_lines l;

	(void)state;
	bw_lines_init(&l, text, strlen(text));
	assert_int_equal(bw_lines_next(&l), BW_LINE_DIRECTIVE);
	assert_int_equal(l.escape, '`');
	assert_int_equal(bw_lines_next(&l), BW_LINE_BLANK);
	assert_int_equal(bw_lines_next(&l), BW_LINE_COMMENT);
	assert_int_equal(l.comment.line, 3);
	assert_int_equal(l.comment.len, 9);
	assert_memory_equal(l.comment.text, "a comment", 9);
	expect_instruction(&l, "FROM x", 4, 4);
	expect_span(&l, 5, 6, 33, 34, 4, 8);
	assert_int_equal(bw_lines_next(&l), BW_LINE_END);
	assert_int_equal(l.problem.code, BW_OK);
}

static void joined_text_maps_back_to_the_file(void **state)
{
	static const char text[] = "FROM a\\\n# c\n  b\\ \n\ncd\nRUN x";
	BW_AUTOLINES struct bw_lines l;

	(void)state;
	bw_lines_init(&l, text, strlen(text));
	expect_instruction(&l, "FROM a  bcd", 1, 5);
	expect_span(&l, 5, 6, 5, 6, 1, 6);
	expect_span(&l, 6, 8, 12, 14, 3, 1);
	expect_span(&l, 8, 9, 14, 15, 3, 3);
	expect_span(&l, 9, 11, 19, 21, 5, 1);
	expect_span(&l, 5, 11, 5, 21, 1, 6);
	expect_span(&l, 0, 0, 0, 0, 1, 1);
	assert_int_equal(l.inner_count, 1);
	assert_int_equal(l.inner[0].line, 2);
	assert_memory_equal(l.inner[0].text, "c", 1);
	expect_instruction(&l, "RUN x", 6, 6);
	assert_int_equal(l.inner_count, 0);
}

static void an_empty_first_line_has_no_place_of_its_own(void **state)
{
	static const char text[] = "\\\nFROM a\n";
	BW_AUTOLINES struct bw_lines l;

	(void)state;
	bw_lines_init(&l, text, strlen(text));
	expect_instruction(&l, "FROM a", 1, 2);
	expect_span(&l, 0, 4, 2, 6, 2, 1);
}

static void a_byte_order_mark_counts_in_offsets(void **state)
{
	static const char text[] = "\xEF\xBB\xBF"
				   "FROM a\r\n";
	BW_AUTOLINES struct bw_lines l;

	(void)state;
	bw_lines_init(&l, text, strlen(text));
	expect_instruction(&l, "FROM a", 1, 1);
	expect_span(&l, 5, 6, 8, 9, 1, 9);
}

static void check_joined(const char *text, const char *expected)
{
	BW_AUTOLINES struct bw_lines l;

	bw_lines_init(&l, text, strlen(text));
	assert_int_equal(bw_lines_next(&l), BW_LINE_INSTRUCTION);
	assert_int_equal(l.len, strlen(expected));
	assert_memory_equal(l.text, expected, l.len);
}

static void only_a_single_escape_character_continues(void **state)
{
	(void)state;
	check_joined("a\\\nb", "ab");
	check_joined("a\\ \t\nb", "ab");
	check_joined("a\\\\\nb", "a\\\\");
	check_joined("a\\\\\\\nb", "a\\\\\\");
	check_joined("a\\ \\\nb", "a\\ b");
	check_joined("a\\", "a");
	check_joined("a\\x\nb", "a\\x");
	check_joined("a\\\r\nb\r\n", "ab");
	check_joined("a\\\v\nb", "a\\\v");
	check_joined("a\\\n\\\nb", "ab");
	check_joined("a\\\n#\\\nb", "ab");
	check_joined("a`\nb", "a`");
}

static void heredoc_bodies_are_skipped_up_to_their_name(void **state)
{
	static const char text[] = "RUN <<E\nx\n E\nE \n\tE\nE\r\nFROM a\n";
	BW_AUTOLINES struct bw_lines l;

	(void)state;
	bw_lines_init(&l, text, strlen(text));
	expect_instruction(&l, "RUN <<E", 1, 1);
	assert_true(bw_lines_skip_heredoc(&l, "E", 1, false));
	expect_instruction(&l, "FROM a", 7, 7);
	bw_lines_done(&l);
	bw_lines_init(&l, text, strlen(text));
	expect_instruction(&l, "RUN <<E", 1, 1);
	assert_true(bw_lines_skip_heredoc(&l, "E", 1, true));
	expect_instruction(&l, "E", 6, 6);
	assert_false(bw_lines_skip_heredoc(&l, "E", 1, true));
	assert_int_equal(bw_lines_next(&l), BW_LINE_END);
}

static void problems_keep_the_first_and_reading_goes_on(void **state)
{
	static const char text[] = "# escape=x\n# escape=`\nFROM a\n";
	BW_AUTOLINES struct bw_lines l;

	(void)state;
	bw_lines_init(&l, text, strlen(text));
	assert_int_equal(bw_lines_next(&l), BW_LINE_DIRECTIVE);
	assert_int_equal(bw_lines_next(&l), BW_LINE_DIRECTIVE);
	expect_instruction(&l, "FROM a", 3, 3);
	assert_int_equal(l.problem.code, BW_E_INPUT);
	assert_string_equal(l.problem.msg, "invalid escape token 'x' does not match ` or \\");
	assert_int_equal(l.problem_line, 1);
	assert_int_equal(l.escape, '\\');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_line_is_told),
		cmocka_unit_test(joined_text_maps_back_to_the_file),
		cmocka_unit_test(an_empty_first_line_has_no_place_of_its_own),
		cmocka_unit_test(a_byte_order_mark_counts_in_offsets),
		cmocka_unit_test(only_a_single_escape_character_continues),
		cmocka_unit_test(heredoc_bodies_are_skipped_up_to_their_name),
		cmocka_unit_test(problems_keep_the_first_and_reading_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
