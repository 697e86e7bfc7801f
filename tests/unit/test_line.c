/*
 * test_line.c - lines of a table, and the small helpers beside them: words, the arena, the end of an
 * output.
 */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../watcher/report/arena.h"
#include "../../watcher/report/line.h"
#include "../../watcher/report/words.h"
#include "core/mem.h"
#include "report/out.h"

struct page {
	char *text;
	size_t len;
	struct bw_line line;
};

static struct bw_line *begin(struct page *p, unsigned width, bool colour)
{
	*p = (struct page){0};
	bw_line_init(&p->line, open_memstream(&p->text, &p->len), width, colour);
	assert_non_null(p->line.out);
	return &p->line;
}

static void expect(struct page *p, const char *wanted)
{
	bw_line_done(&p->line);
	assert_false(p->line.failed);
	assert_int_equal(fclose(p->line.out), 0);
	assert_string_equal(p->text, wanted);
	free(p->text);
}

static void cells_make_columns(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 0, false);

	(void)state;
	bw_line_begin(l, 2, 4);
	bw_line_cell(l, BW_PLAIN, "a", 4, 4);
	bw_line_cell(l, BW_PLAIN, "too long", 3, 3); /* without a terminal nothing is cut */
	bw_line_cell(l, BW_PLAIN, "b", 4, 4);
	bw_line_end(l);
	expect(&p, "  a     too long  b\n");
}

static void a_cell_on_a_terminal_loses_its_head(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *wanted;
	} rows[] = {
		{"abcdef", 6, "abcdef|\n"},
		{"abcdef", 5,
		 "\xE2\x80\xA6"
		 "cdef|\n"},
		{"abcdef", 1, "\xE2\x80\xA6|\n"},
		{"a\xE6\xBC\xA2\xE5\xAD\x97z", 5, "\xE2\x80\xA6\xE5\xAD\x97z|\n"}, /* wide: 1 + 2 + 2 + 1 */
		{"a\xE6\xBC\xA2\xE5\xAD\x97z", 4, "\xE2\x80\xA6\xE5\xAD\x97z|\n"},
		{"a\xE6\xBC\xA2\xE5\xAD\x97z", 3, "\xE2\x80\xA6z|\n"},
		{"\033]0;x", 6,
		 "\xE2\x80\xA6"
		 "b]0;x|\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page p;
		struct bw_line *l = begin(&p, 80, false);

		bw_line_cell(l, BW_PLAIN, rows[i].text, 0, rows[i].max);
		l->start = l->columns; /* no gap before the mark */
		bw_line_flow(l, BW_PLAIN, "|");
		bw_line_end(l);
		expect(&p, rows[i].wanted);
	}
}

static void what_flows_goes_on_in_the_next_line(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 20, false);

	(void)state;
	bw_line_begin(l, 0, 4);
	bw_line_flow(l, BW_PLAIN, "0123456789");
	bw_line_flow(l, BW_PLAIN, "exact-20");
	bw_line_flow(l, BW_PLAIN, "next");
	bw_line_pad(l, 15); /* a continuation has no columns */
	bw_line_flow(l, BW_PLAIN, "more");
	bw_line_end(l);
	expect(&p, "0123456789  exact-20\n    next  more\n");
}

static void a_long_reason_is_wrapped_at_its_blanks(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 20, false);

	(void)state;
	bw_line_begin(l, 0, 4);
	bw_line_flow(l, BW_PLAIN, "head");
	bw_line_flow(l, BW_PLAIN, "one  two three four five six");
	bw_line_end(l);
	expect(&p, "head\n    one two three\n    four five six\n");
}

static void a_word_wider_than_the_terminal_is_cut_visibly(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 10, false);

	(void)state;
	bw_line_begin(l, 2, 2);
	bw_line_flow(l, BW_PLAIN, "a 01234567\xE6\xBC\xA2 b");
	bw_line_end(l);
	expect(&p, "  a\n  0123456\xE2\x80\xA6\n  b\n");
}

static void what_must_stay_whole_is_not_cut(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 10, false);

	(void)state;
	bw_line_begin(l, 0, 2);
	bw_line_flow(l, BW_PLAIN, "name");
	bw_line_whole(l, BW_PLAIN, "sha256:0123456789");
	bw_line_flow(l, BW_PLAIN, "end");
	bw_line_end(l);
	expect(&p, "name\n  sha256:0123456789\n  end\n");
}

static void styles_end_where_their_text_ends(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 12, true);

	(void)state;
	bw_line_cell(l, BW_RED, "stale", 7, 7);
	bw_line_flow(l, BW_BOLD, "x");
	bw_line_end(l);
	bw_line_begin(l, 0, 0);
	bw_line_flow(l, BW_GREEN, "green");
	bw_line_cell(l, BW_DIM, "dimmer and dimmer", 4, 20); /* cut at the edge of the terminal */
	bw_line_cell(l, BW_PLAIN, "gone", 4, 4);
	bw_line_end(l);
	bw_line_end(l);
	expect(&p, "\033[31mstale\033[0m    \033[1mx\033[0m\n"
		   "\033[32mgreen\033[0m  \033[2mdimm\xE2\x80\xA6\033[0m\n\n");
}

static void without_colour_no_byte_is_an_escape(void **state)
{
	struct page p;
	struct bw_line *l = begin(&p, 0, false);

	(void)state;
	bw_line_flow(l, BW_RED, "a\033[31m");
	bw_line_words(l, BW_MAGENTA, "b\033 c");
	bw_line_end(l);
	expect(&p, "a\\x1b[31m b\\x1b c\n");
	assert_int_equal(bw_line_columns("a\033\xE6\xBC\xA2"), 7);
}

static void spans_are_one_number_and_one_unit(void **state)
{
	static const struct {
		int64_t seconds;
		const char *wanted;
	} rows[] = {
		{-5, "less than a minute"}, {0, "less than a minute"}, {59, "less than a minute"},
		{60, "1 minute"},	    {119, "1 minute"},	       {7199, "119 minutes"},
		{7200, "2 hours"},	    {172799, "47 hours"},      {172800, "2 days"},
		{5270399, "60 days"},	    {5270400, "2 months"},     {7889237, "2 months"},
		{63113903, "23 months"},    {63113904, "2 years"},     {INT64_C(315569520000), "10000 years"},
	};
	char out[BW_WORDS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(bw_words_span(rows[i].seconds * 1000, out), rows[i].wanted);
	assert_non_null(strstr(bw_words_span(INT64_MAX, out), " years"));
	assert_string_equal(bw_words_span(INT64_MIN, out), "less than a minute");
	assert_string_equal(bw_words_count(1, "base", "bases", out), "1 base");
	assert_string_equal(bw_words_count(0, "base", "bases", out), "0 bases");
	assert_string_equal(bw_words_count(UINT64_MAX, "base", "bases", out), "18446744073709551615 bases");
}

static void an_arena_keeps_addresses_until_it_is_cleared(void **state)
{
	struct bw_arena a = {0};
	const char *first = bw_arena_str(&a, "first");
	BW_AUTOFREE char *large = bw_alloc(100000);
	void *object;

	(void)state;
	memset(large, 'x', 99999);
	for (size_t i = 0; i < 10000; i++)
		assert_string_equal(bw_arena_escaped(&a, "a\tb"), "a\\x09b");
	assert_string_equal(bw_arena_str(&a, large), large);
	assert_string_equal(first, "first");
	assert_null(bw_arena_str(&a, NULL));
	assert_null(bw_arena_escaped(&a, NULL));
	bw_arena_clear(&a);
	for (size_t i = 1; i < 2000; i++) {
		assert_string_equal(bw_arena_str(&a, "odd"), "odd");
		object = bw_arena_alloc(&a, i);
		assert_int_equal((uintptr_t)object % 16, 0);
		for (size_t k = 0; k < i; k++)
			assert_int_equal(((char *)object)[k], 0);
		memset(object, 'y', i);
	}
	bw_arena_done(&a);
	bw_arena_done(&a);
}

static void a_reader_that_left_is_no_failure(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int ends[2];
	FILE *out;
	bool ok = true;

	(void)state;
	assert_int_equal(sigaction(SIGPIPE, &ignore, &before), 0);
	assert_int_equal(pipe(ends), 0);
	out = fdopen(ends[1], "w");
	assert_non_null(out);
	close(ends[0]);
	for (size_t i = 0; i < 100000; i++)
		ok = ok && fputs("line\n", out) >= 0;
	assert_false(ok);
	assert_true(bw_out_finish(out, ok));
	fclose(out);
	assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
}

static void a_full_disk_is_one(void **state)
{
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	fputs("text", out);
	assert_false(bw_out_finish(out, true));
	assert_int_equal(errno, ENOSPC);
	fclose(out);
	out = fopen("/dev/null", "w");
	assert_non_null(out);
	assert_true(bw_out_finish(out, true));
	assert_false(bw_out_finish(out, false));
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_make_columns),
		cmocka_unit_test(a_cell_on_a_terminal_loses_its_head),
		cmocka_unit_test(what_flows_goes_on_in_the_next_line),
		cmocka_unit_test(a_long_reason_is_wrapped_at_its_blanks),
		cmocka_unit_test(a_word_wider_than_the_terminal_is_cut_visibly),
		cmocka_unit_test(what_must_stay_whole_is_not_cut),
		cmocka_unit_test(styles_end_where_their_text_ends),
		cmocka_unit_test(without_colour_no_byte_is_an_escape),
		cmocka_unit_test(spans_are_one_number_and_one_unit),
		cmocka_unit_test(an_arena_keeps_addresses_until_it_is_cleared),
		cmocka_unit_test(a_reader_that_left_is_no_failure),
		cmocka_unit_test(a_full_disk_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
