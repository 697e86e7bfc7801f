/* test_backoff.c - the distances between attempts, as a table. */
#include "unit/table.h"

#include "core/text.h"
#include "notify/backoff.h"

static uint64_t number(const char *s)
{
	uint64_t n = 0;

	assert_true(bw_text_number(s, 0, UINT64_MAX, &n));
	return n;
}

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_backoff b = {.first_ms = (uint32_t)number(f[0]), .longest_ms = (uint32_t)number(f[1])};

	(void)lens;
	(void)count;
	(void)arg;
	assert_int_equal(bw_backoff_asked_ms(&b, (unsigned)number(f[2]), (uint32_t)number(f[3]),
					     (uint32_t)number(f[4])),
			 number(f[5]));
}

static void test_each_failure_doubles_the_wait_up_to_a_cap(void **state)
{
	(void)state;
	table_each("backoff.tsv", 6, check_row, NULL);
}

static void test_the_spread_is_a_quarter_to_either_side(void **state)
{
	struct bw_backoff b = {.first_ms = 1000, .longest_ms = 60000};

	(void)state;
	for (unsigned failures = 1; failures < 40; failures++) {
		uint64_t plain = failures > 6 ? 60000 : 1000ULL << (failures - 1), last = 0;

		for (uint64_t random = 0; random <= UINT32_MAX; random += 0x01010101) {
			uint64_t ms = bw_backoff_ms(&b, failures, (uint32_t)random);

			assert_in_range(ms, plain * 3 / 4, plain * 5 / 4);
			assert_true(ms >= last);
			last = ms;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_failure_doubles_the_wait_up_to_a_cap),
		cmocka_unit_test(test_the_spread_is_a_quarter_to_either_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
