/* test_clock.c - times as text and back: core/clock.h. The pairs are in clock.tsv, made with GNU date. */
#include "unit/table.h"

#include <inttypes.h>

#include "core/clock.h"

static int64_t number(const char *s)
{
	char *end = NULL;
	int64_t n = strtoll(s, &end, 10);

	assert_true(*s && !*end);
	return n;
}

static void format_row(char **f, size_t *lens, size_t count, void *arg)
{
	char out[BW_TIME_MAX];
	int64_t ms = 1, expected = number(f[0]);

	(void)lens;
	(void)count;
	(void)arg;
	assert_string_equal(bw_time_format(expected, out), f[1]);
	assert_true(bw_time_parse(f[1], &ms));
	assert_true(ms == expected / 1000 * 1000 || expected < 0);
}

static void times_are_formatted_in_utc(void **state)
{
	char out[BW_TIME_MAX];

	(void)state;
	table_each("clock_format.tsv", 2, format_row, NULL);
	assert_string_equal(bw_time_short(INT64_C(1795263382000), out), "2026-11-21 12:16");
	assert_string_equal(bw_time_format(INT64_MAX, out), "9999-12-31T23:59:59Z");
	assert_string_equal(bw_time_format(INT64_MIN, out), "0000-01-01T00:00:00Z");
}

/* Every day from 1600 to 2400 goes there and back, and days follow each other. */
static void every_day_is_its_own_and_in_order(void **state)
{
	const int64_t day = 86400000;
	char out[BW_TIME_MAX], before[BW_TIME_MAX] = "";
	int64_t back = 0;

	(void)state;
	for (int64_t ms = -135140 * day; ms < 157000 * day; ms += day) {
		assert_true(bw_time_parse(bw_time_format(ms, out), &back));
		assert_true(back == ms);
		assert_true(strcmp(before, out) < 0);
		memcpy(before, out, sizeof(before));
	}
}

static void parse_row(char **f, size_t *lens, size_t count, void *arg)
{
	bool (*parse)(const char *, int64_t *) = *(bool (**)(const char *, int64_t *))arg;
	int64_t ms = 4711;

	(void)lens;
	if (count == 1) {
		assert_false(parse(f[0], &ms));
		assert_true(ms == 4711); /* untouched on failure */
		return;
	}
	assert_true(parse(f[0], &ms));
	if (ms != number(f[1]))
		fail_msg("%s is %" PRId64 ", expected %s", f[0], ms, f[1]);
}

static void rfc3339_and_bare_dates_are_read(void **state)
{
	bool (*parse)(const char *, int64_t *) = bw_time_parse;

	(void)state;
	table_each("clock_rfc3339.tsv", 1, parse_row, (void *)&parse);
}

static void the_three_http_dates_are_read(void **state)
{
	bool (*parse)(const char *, int64_t *) = bw_time_parse_http;

	(void)state;
	bw_clock_set(INT64_C(1795263382000)); /* 2026: what two digits of a year mean depends on now */
	table_each("clock_http.tsv", 1, parse_row, (void *)&parse);
	bw_clock_set(0);
}

static void a_test_can_set_the_clock(void **state)
{
	int64_t real = bw_clock_ms();

	(void)state;
	assert_true(real > INT64_C(1700000000000));
	bw_clock_set(5);
	assert_true(bw_clock_ms() == 5);
	bw_clock_set(0);
	assert_true(bw_clock_ms() >= real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_formatted_in_utc),
		cmocka_unit_test(every_day_is_its_own_and_in_order),
		cmocka_unit_test(rfc3339_and_bare_dates_are_read),
		cmocka_unit_test(the_three_http_dates_are_read),
		cmocka_unit_test(a_test_can_set_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
