#include "unit/unit.h"

#include <string.h>

#include "buildfile/rune.h"

static void check(const char *s, uint32_t rune, size_t len)
{
	uint32_t found;
	char back[4];

	assert_int_equal(bw_rune_read(s, strlen(s), &found), len);
	assert_int_equal(found, rune);
	if (rune == BW_RUNE_INVALID)
		return;
	assert_int_equal(bw_rune_write(rune, back), len);
	assert_memory_equal(back, s, len);
}

static void valid_utf8_is_read_and_written(void **state)
{
	(void)state;
	check("a", 'a', 1);
	check("\x7F", 0x7F, 1);
	check("\xC2\x80", 0x80, 2);
	check("\xDF\xBF", 0x7FF, 2);
	check("\xE0\xA0\x80", 0x800, 3);
	check("\xEF\xBB\xBF", 0xFEFF, 3);
	check("\xF0\x90\x80\x80", 0x10000, 4);
	check("\xF4\x8F\xBF\xBF", 0x10FFFF, 4);
}

static void invalid_bytes_count_one_by_one(void **state)
{
	(void)state;
	check("\x80", BW_RUNE_INVALID, 1);
	check("\xC0\x80", BW_RUNE_INVALID, 1);
	check("\xC3", BW_RUNE_INVALID, 1);
	check("\xC3z", BW_RUNE_INVALID, 1);
	check("\xE0\x80\x80", BW_RUNE_INVALID, 1);
	check("\xED\xA0\x80", BW_RUNE_INVALID, 1);
	check("\xE2\x82", BW_RUNE_INVALID, 1);
	check("\xF0\x80\x80\x80", BW_RUNE_INVALID, 1);
	check("\xF4\x90\x80\x80", BW_RUNE_INVALID, 1);
	check("\xFF", BW_RUNE_INVALID, 1);
}

static void the_classes_are_those_of_unicode(void **state)
{
	static const uint32_t letters[] = {'a', 'Z', 0xAA, 0xE9, 0x3B1, 0x5D0, 0x4E00, 0x9FFF, 0x10400};
	static const uint32_t others[] = {'_', '0', '-', 0xD7, 0xF7, 0x301, 0x2013, 0x1F600, 0x10FFFF};

	(void)state;
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		assert_true(bw_rune_is_letter(letters[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(bw_rune_is_letter(others[i]));
	assert_true(bw_rune_is_digit('0') && bw_rune_is_digit('9') && bw_rune_is_digit(0x661));
	assert_false(bw_rune_is_digit('a') || bw_rune_is_digit(0xB2));
	assert_true(bw_rune_is_space(' ') && bw_rune_is_space('\v') && bw_rune_is_space(0x85));
	assert_true(bw_rune_is_space(0xA0) && bw_rune_is_space(0x2003) && bw_rune_is_space(0x3000));
	assert_false(bw_rune_is_space(0x200B) || bw_rune_is_space(0xFEFF) || bw_rune_is_space(0x1F));
}

static void white_space_is_measured_at_both_ends(void **state)
{
	static const char text[] = " \t\xC2\xA0"
				   "a b\xE3\x80\x80\v";

	(void)state;
	assert_int_equal(bw_blanks_front(text, strlen(text)), 4);
	assert_int_equal(bw_blanks_back(text, strlen(text)), 4);
	assert_int_equal(bw_blanks_front("  ", 2), 2);
	assert_int_equal(bw_blanks_back("  ", 2), 2);
	assert_int_equal(bw_blanks_back("\xA0", 1), 0);
	assert_int_equal(bw_blanks_back("a\x80 ", 3), 1);
	assert_int_equal(bw_blanks_front("", 0), 0);
}

static void separators_are_five_characters(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		assert_int_equal(bw_is_separator((char)c), c != 0 && strchr(" \t\v\f\r", c) != NULL);
		assert_int_equal(bw_is_blank((char)c), c != 0 && strchr(" \t\n\f\r", c) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_utf8_is_read_and_written),
		cmocka_unit_test(invalid_bytes_count_one_by_one),
		cmocka_unit_test(the_classes_are_those_of_unicode),
		cmocka_unit_test(white_space_is_measured_at_both_ends),
		cmocka_unit_test(separators_are_five_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
