/* test_buf.c - the growing buffer with a maximum: core/buf.h. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

static void an_empty_buffer_is_an_empty_text(void **state)
{
	struct bw_buf b;
	const struct bw_buf zero = {0};

	(void)state;
	bw_buf_init(&b, 10);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	assert_string_equal(bw_buf_str(&b), "");
	assert_string_equal(bw_buf_str(&zero), "");
	bw_buf_clear(&b);
	bw_buf_done(&b);
	bw_buf_done(&b); /* twice is fine */
	assert_string_equal(b.data, "");
}

static void appends_join_and_stay_terminated(void **state)
{
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 1000);
	assert_true(bw_buf_adds(&b, "ab"));
	assert_true(bw_buf_addc(&b, 'c'));
	assert_true(bw_buf_add(&b, "\0d", 2));
	assert_true(bw_buf_add(&b, NULL, 0));
	assert_true(bw_buf_addf(&b, "-%s-%d", "e", 5));
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.data, "abc\0d-e-5", 10);
	bw_buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
}

static void an_append_over_the_maximum_changes_nothing(void **state)
{
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 4);
	assert_true(bw_buf_adds(&b, "abc"));
	assert_false(b.overflow);
	assert_false(bw_buf_adds(&b, "de"));
	assert_true(b.overflow);
	assert_string_equal(b.data, "abc");
	assert_false(bw_buf_addf(&b, "%s", "xy"));
	assert_string_equal(b.data, "abc");
	assert_true(bw_buf_addc(&b, 'd')); /* to the last byte */
	assert_string_equal(b.data, "abcd");
	assert_false(bw_buf_addc(&b, 'e'));
	bw_buf_clear(&b);
	assert_false(b.overflow);
}

static void a_size_that_would_wrap_is_over_the_maximum(void **state)
{
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 100);
	assert_true(bw_buf_adds(&b, "x"));
	assert_false(bw_buf_add(&b, "x", SIZE_MAX));
	assert_false(bw_buf_add(&b, "x", SIZE_MAX - 1));
	assert_string_equal(b.data, "x");
}

static void memory_never_exceeds_the_maximum_and_its_nul(void **state)
{
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_true(bw_buf_addc(&b, 'x'));
	assert_int_equal(b.capacity, 1001);
	assert_int_equal(strlen(b.data), 1000);
}

static void take_hands_the_memory_over(void **state)
{
	BW_AUTOBUF struct bw_buf b;
	size_t len = 0;
	char *text;

	(void)state;
	bw_buf_init(&b, 50);
	text = bw_buf_take(&b, &len); /* of an empty one: a text that can be freed */
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
	free(text);
	bw_buf_adds(&b, "hello");
	text = bw_buf_take(&b, &len);
	assert_string_equal(text, "hello");
	assert_int_equal(len, 5);
	free(text);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 50);
	assert_true(bw_buf_adds(&b, "again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_text),
		cmocka_unit_test(appends_join_and_stay_terminated),
		cmocka_unit_test(an_append_over_the_maximum_changes_nothing),
		cmocka_unit_test(a_size_that_would_wrap_is_over_the_maximum),
		cmocka_unit_test(memory_never_exceeds_the_maximum_and_its_nul),
		cmocka_unit_test(take_hands_the_memory_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
