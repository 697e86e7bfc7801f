/* test_map.c - string to pointer: core/map.h. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"

static void what_was_put_is_found(void **state)
{
	struct bw_map *m = bw_map_new();
	char key[] = "alpha";
	int a, b;

	(void)state;
	assert_null(bw_map_get(m, "alpha"));
	assert_null(bw_map_put(m, key, &a));
	key[0] = 'X'; /* the map has its own copy */
	assert_ptr_equal(bw_map_get(m, "alpha"), &a);
	assert_null(bw_map_get(m, "alph"));
	assert_null(bw_map_get(m, "alphab"));
	assert_null(bw_map_put(m, "", &b));
	assert_ptr_equal(bw_map_get(m, ""), &b);
	assert_int_equal(bw_map_count(m), 2);
	bw_map_free(m, NULL);
}

static void a_second_put_replaces_and_returns_the_first(void **state)
{
	struct bw_map *m = bw_map_new();
	int a, b;

	(void)state;
	bw_map_put(m, "k", &a);
	assert_ptr_equal(bw_map_put(m, "k", &b), &a);
	assert_ptr_equal(bw_map_get(m, "k"), &b);
	assert_int_equal(bw_map_count(m), 1);
	assert_ptr_equal(bw_map_remove(m, "k"), &b);
	assert_null(bw_map_remove(m, "k"));
	assert_int_equal(bw_map_count(m), 0);
	bw_map_free(m, NULL);
}

static void append_key(const char *key, void *value, void *arg)
{
	bw_buf_addf(arg, "%s=%s ", key, (char *)value);
}

static void each_goes_in_the_order_of_insertion(void **state)
{
	BW_AUTOBUF struct bw_buf seen;
	struct bw_map *m = bw_map_new();
	char one[] = "1", two[] = "2", three[] = "3";

	(void)state;
	bw_buf_init(&seen, 100);
	bw_map_each(m, append_key, &seen);
	assert_string_equal(seen.data, "");
	bw_map_put(m, "z", one);
	bw_map_put(m, "a", two);
	bw_map_put(m, "m", three);
	bw_map_put(m, "z", three); /* replacing keeps the place */
	bw_map_remove(m, "a");
	bw_map_put(m, "a", two);
	bw_map_each(m, append_key, &seen);
	assert_string_equal(seen.data, "z=3 m=3 a=2 ");
	bw_map_free(m, NULL);
}

static void many_keys_are_kept_apart_and_freed(void **state)
{
	struct bw_map *m = bw_map_new();
	char key[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(key, sizeof(key), "registry.example/%d", i);
		bw_map_put(m, key, bw_strdup(key));
	}
	assert_int_equal(bw_map_count(m), 20000);
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(key, sizeof(key), "registry.example/%d", i);
		assert_string_equal(bw_map_get(m, key), key);
	}
	bw_map_free(m, free); /* AddressSanitizer sees what is left */
	bw_map_free(NULL, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found),
		cmocka_unit_test(a_second_put_replaces_and_returns_the_first),
		cmocka_unit_test(each_goes_in_the_order_of_insertion),
		cmocka_unit_test(many_keys_are_kept_apart_and_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
