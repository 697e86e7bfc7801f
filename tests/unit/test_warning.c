/* test_warning.c - Warning headers: the table, lengths, and what is told once. */
#include "unit/unit.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"
#include "registry/warning.h"
#include "unit/table.h"

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	const char *at = fields[0];
	char text[BW_WARNING_MAX];
	BW_AUTOBUF struct bw_buf all;

	(void)lens;
	(void)count;
	(void)arg;
	bw_buf_init(&all, 4096);
	while (bw_warning_next(&at, text)) {
		if (all.len > 0)
			assert_true(bw_buf_addc(&all, '\n'));
		assert_true(bw_buf_adds(&all, text));
	}
	assert_string_equal(bw_buf_str(&all), fields[1]);
	assert_int_equal(*at, '\0');
}

static void test_texts_of_code_299_are_read(void **state)
{
	(void)state;
	table_each("warning.tsv", 2, check_row, NULL);
}

/* `fill` is repeated between the quotes, behind `before`. */
static void check_long(const char *before, const char *fill, size_t expected)
{
	BW_AUTOFREE char *value = bw_alloc(9000);
	const char *at = value;
	char text[BW_WARNING_MAX];

	(void)snprintf(value, 9000, "299 - \"%s", before);
	while (strlen(value) < 8000)
		(void)strncat(value, fill, 10);
	(void)strncat(value, "\", 299 - \"b\"", 20);
	assert_true(bw_warning_next(&at, text));
	assert_int_equal(strlen(text), expected);
	for (size_t i = 0; text[i]; i += bw_utf8_len(text + i, strlen(text + i)))
		assert_true(bw_utf8_len(text + i, strlen(text + i)) > 0);
	assert_true(bw_warning_next(&at, text));
	assert_string_equal(text, "b");
	assert_false(bw_warning_next(&at, text));
}

static void test_a_long_text_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	check_long("", "x", 255);
	check_long("", "\xc3\xa4", 254);
	check_long("", "\xe2\x82\xac", 255);
	check_long("x", "\xe2\x82\xac", 253);
	check_long("xx", "\xe2\x82\xac", 254);
	check_long("", "\xf0\x9f\x98\x80", 252);
}

static void test_a_text_is_told_once_and_eight_are_told(void **state)
{
	struct bw_warnings w = {0};
	char text[16];

	(void)state;
	assert_true(bw_warnings_add(&w, "a"));
	assert_false(bw_warnings_add(&w, "a"));
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "text %u", i);
		assert_int_equal(bw_warnings_add(&w, text), i < BW_WARNINGS_MAX - 1);
	}
	assert_false(bw_warnings_add(&w, "a"));
	bw_warnings_done(&w);
	assert_int_equal(w.count, 0);
	assert_true(bw_warnings_add(&w, "a"));
	bw_warnings_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_of_code_299_are_read),
		cmocka_unit_test(test_a_long_text_is_cut_at_a_whole_character),
		cmocka_unit_test(test_a_text_is_told_once_and_eight_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
