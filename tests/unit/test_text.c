/* test_text.c - small work on text: core/text.h. Most of it is in text_*.tsv. */
#include "unit/table.h"

#include "core/mem.h"
#include "core/text.h"

static void escape_row(char **f, size_t *lens, size_t count, void *arg)
{
	BW_AUTOBUF struct bw_buf out;

	(void)count;
	(void)arg;
	bw_buf_init(&out, 1000);
	bw_text_escape(&out, f[0], lens[0]);
	assert_string_equal(out.data, f[1]);
}

static void what_could_steer_a_terminal_becomes_visible(void **state)
{
	(void)state;
	table_each("text_escape.tsv", 2, escape_row, NULL);
}

static void escaped_copies_are_complete(void **state)
{
	BW_AUTOFREE char *none = bw_text_escaped(NULL);
	BW_AUTOFREE char *worst = bw_text_escaped("\x01\xFF\xE2\x80\xAE\x7F");

	(void)state;
	assert_string_equal(none, "");
	assert_string_equal(worst, "\\x01\\xff\\u{202e}\\x7f");
}

static void width_row(char **f, size_t *lens, size_t count, void *arg)
{
	uint64_t width = 0;

	(void)count;
	(void)arg;
	assert_true(bw_text_number(f[1], 0, 1000, &width));
	assert_int_equal(bw_text_width(f[0], lens[0]), width);
	assert_int_equal(bw_text_fit(f[0], lens[0], (size_t)width), lens[0]);
	if (width > 0)
		assert_true(bw_text_fit(f[0], lens[0], (size_t)width - 1) < lens[0]);
}

static void widths_are_those_of_a_terminal(void **state)
{
	(void)state;
	table_each("text_width.tsv", 2, width_row, NULL);
}

static void fit_never_splits_a_character(void **state)
{
	const char wide[] = "a\xE6\xBC\xA2z"; /* columns 1 2 1 */

	(void)state;
	assert_int_equal(bw_text_fit(wide, 5, 0), 0);
	assert_int_equal(bw_text_fit(wide, 5, 1), 1);
	assert_int_equal(bw_text_fit(wide, 5, 2), 1);
	assert_int_equal(bw_text_fit(wide, 5, 3), 4);
	assert_int_equal(bw_text_fit(wide, 5, 4), 5);
	assert_int_equal(bw_text_fit("e\xCC\x81x", 4, 1), 3); /* the accent goes with its letter */
}

static void utf8_row(char **f, size_t *lens, size_t count, void *arg)
{
	uint64_t len = 0;

	(void)count;
	(void)arg;
	assert_true(bw_text_number(f[1], 0, 4, &len));
	assert_int_equal(bw_utf8_len(f[0], lens[0]), len);
}

static void utf8_is_only_what_the_standard_allows(void **state)
{
	(void)state;
	table_each("text_utf8.tsv", 2, utf8_row, NULL);
	assert_int_equal(bw_utf8_len("", 0), 0);
	assert_int_equal(bw_utf8_len("\xE2\x80\xAE", 2), 0); /* the length counts, not what lies behind */
}

static void a_number_is_digits_within_its_bounds(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "0x1",
					  "1e3",
					  "1.",
					  "four",
					  "9",
					  "101",
					  "18446744073709551616",
					  "99999999999999999999999"};
	uint64_t n = 42;

	(void)state;
	for (size_t i = 0; i < BW_COUNT(bad); i++)
		assert_false(bw_text_number(bad[i], 10, 100, &n));
	assert_int_equal(n, 42); /* untouched on failure */
	assert_true(bw_text_number("10", 10, 100, &n));
	assert_int_equal(n, 10);
	assert_true(bw_text_number("0100", 10, 100, &n));
	assert_int_equal(n, 100);
	assert_true(bw_text_number("18446744073709551615", 0, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
}

static void texts_compare_without_a_locale(void **state)
{
	char mixed[] = "AbZ\xC3\x84[@";

	(void)state;
	assert_true(bw_text_is("a", "a"));
	assert_false(bw_text_is("a", "A"));
	assert_false(bw_text_is("a", NULL));
	assert_false(bw_text_is(NULL, ""));
	assert_true(bw_text_is(NULL, NULL));
	assert_true(bw_text_is_nocase("FroM", "from"));
	assert_false(bw_text_is_nocase("from", "fro"));
	assert_false(bw_text_is_nocase("[", "{")); /* 32 apart, and no letters */
	assert_false(bw_text_is_nocase(NULL, "a"));
	assert_true(bw_text_starts("abc", "ab"));
	assert_true(bw_text_starts("abc", ""));
	assert_false(bw_text_starts("a", "ab"));
	assert_true(bw_text_ends("abc", "bc"));
	assert_false(bw_text_ends("c", "bc"));
	bw_text_lower(mixed);
	assert_string_equal(mixed, "abz\xC3\x84[@");
}

static void glob_row(char **f, size_t *lens, size_t count, void *arg)
{
	(void)lens;
	(void)count;
	(void)arg;
	assert_string_equal(bw_text_glob(f[0], f[1]) ? "yes" : "no", f[2]);
}

static void globs_match_paths(void **state)
{
	(void)state;
	table_each("text_glob.tsv", 3, glob_row, NULL);
}

/* Would take 2^30 steps with plain backtracking. */
static void a_hostile_glob_ends_soon(void **state)
{
	BW_AUTOBUF struct bw_buf pattern, text;

	(void)state;
	bw_buf_init(&pattern, 10000);
	bw_buf_init(&text, 10000);
	for (int i = 0; i < 30; i++)
		bw_buf_adds(&pattern, "*a**a");
	for (int i = 0; i < 500; i++)
		bw_buf_adds(&text, "a");
	bw_buf_adds(&pattern, "b");
	assert_false(bw_text_glob(pattern.data, text.data));
	bw_buf_adds(&text, "b");
	assert_true(bw_text_glob(pattern.data, text.data));
}

static void distance_counts_typing_mistakes(void **state)
{
	(void)state;
	assert_int_equal(bw_text_distance("check", "check", 3), 0);
	assert_int_equal(bw_text_distance("check", "chek", 3), 1);
	assert_int_equal(bw_text_distance("check", "chekc", 3), 1); /* a swap is one mistake */
	assert_int_equal(bw_text_distance("check", "scheck", 3), 1);
	assert_int_equal(bw_text_distance("check", "chick", 3), 1);
	assert_int_equal(bw_text_distance("", "abc", 3), 3);
	assert_int_equal(bw_text_distance("kitten", "sitting", 5), 3);
	assert_int_equal(bw_text_distance("report", "resolve", 2), 3);
	assert_int_equal(bw_text_distance("a", "abcdefgh", 2), 3);
	assert_int_equal(bw_text_distance("ab", "cd", 0), 1);
}

static void base64_row(char **f, size_t *lens, size_t count, void *arg)
{
	BW_AUTOBUF struct bw_buf out;

	(void)arg;
	bw_buf_init(&out, 1000);
	bw_buf_adds(&out, "<");
	if (count == 1) { /* refused, and nothing is left of it */
		assert_false(bw_base64_decode(f[0], lens[0], &out));
		assert_string_equal(out.data, "<");
		return;
	}
	assert_true(bw_base64_decode(f[0], lens[0], &out));
	assert_int_equal(out.len, lens[1] + 1);
	assert_memory_equal(out.data + 1, f[1], lens[1]);
	bw_buf_clear(&out);
	assert_true(bw_base64_encode(f[1], lens[1], &out));
	assert_string_equal(out.data, f[0]);
}

static void base64_goes_both_ways_and_is_strict(void **state)
{
	BW_AUTOBUF struct bw_buf small;

	(void)state;
	table_each("text_base64.tsv", 1, base64_row, NULL);
	bw_buf_init(&small, 100);
	assert_false(bw_base64_decode("YWJjZGVm", 5, &small)); /* the length counts, not what lies behind */
	assert_int_equal(small.len, 0);
	bw_buf_done(&small);
	bw_buf_init(&small, 4);
	assert_false(bw_base64_decode("YWJjZGVm", 8, &small)); /* over the maximum */
	assert_int_equal(small.len, 0);
	assert_false(bw_base64_encode("abcd", 4, &small));
	assert_int_equal(small.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_steer_a_terminal_becomes_visible),
		cmocka_unit_test(escaped_copies_are_complete),
		cmocka_unit_test(widths_are_those_of_a_terminal),
		cmocka_unit_test(fit_never_splits_a_character),
		cmocka_unit_test(utf8_is_only_what_the_standard_allows),
		cmocka_unit_test(a_number_is_digits_within_its_bounds),
		cmocka_unit_test(texts_compare_without_a_locale),
		cmocka_unit_test(globs_match_paths),
		cmocka_unit_test(a_hostile_glob_ends_soon),
		cmocka_unit_test(distance_counts_typing_mistakes),
		cmocka_unit_test(base64_goes_both_ways_and_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
