/* test_ids.c - sets of ids. */
#include "unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "daemon/ids.h"

#define MANY   200000
#define SOON_S 5 /* of the processor, sanitizers included; each beside each takes a minute */

static struct bw_ids made(const char *digits)
{
	struct bw_ids ids = {0};

	for (; *digits; digits++)
		bw_ids_add(&ids, *digits - '0');
	return ids;
}

static void assert_ids(const struct bw_ids *ids, const char *digits)
{
	char text[16] = "";

	for (size_t i = 0; i < ids->count && i < sizeof(text) - 1; i++)
		text[i] = (char)('0' + ids->items[i]);
	assert_string_equal(text, digits);
}

static void they_are_sorted_and_each_is_there_once(void **state)
{
	struct bw_ids ids = made("41423"), none = {0};

	(void)state;
	bw_ids_sort(&ids);
	assert_ids(&ids, "1234");
	bw_ids_sort(&none);
	assert_int_equal(none.count, 0);
	bw_ids_done(&ids);
	assert_null(ids.items);
}

static void subtracting_says_whether_both_were_the_same(void **state)
{
	static const struct {
		const char *ids, *others, *left;
		bool differ, lost;
	} rows[] = {
		{"", "", "", false, false},	 {"12", "", "12", true, false},
		{"", "12", "", true, false},	 {"3121", "123", "", false, true},
		{"123", "42", "13", true, true}, {"13", "24", "13", true, false},
		{"2", "123", "", true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bw_ids a = made(rows[i].ids), b = made(rows[i].others), c = {0};

		bw_ids_add_all(&c, &a);
		assert_int_equal(bw_ids_subtract(&a, &b), rows[i].differ);
		assert_ids(&a, rows[i].left);
		assert_int_equal(bw_ids_lose(&c, &b), rows[i].lost);
		assert_ids(&c, rows[i].left);
		bw_ids_done(&a);
		bw_ids_done(&b);
		bw_ids_done(&c);
	}
}

static void many_beside_many_take_no_time(void **state)
{
	struct bw_ids odd = {0}, even = {0};
	clock_t begun = clock();

	(void)state;
	for (int64_t i = MANY; i > 0; i--) {
		bw_ids_add(&odd, 2 * i + 1);
		bw_ids_add(&even, 2 * i);
	}
	assert_false(bw_ids_lose(&odd, &even));
	assert_int_equal(odd.count, MANY);
	assert_in_range((clock() - begun) / CLOCKS_PER_SEC, 0, SOON_S - 1);
	bw_ids_done(&odd);
	bw_ids_done(&even);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_sorted_and_each_is_there_once),
		cmocka_unit_test(subtracting_says_whether_both_were_the_same),
		cmocka_unit_test(many_beside_many_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
