/* test_headers.c - response headers: collected line by line, looked up by name. */
#include "unit/unit.h"

#include <string.h>

#include "net/headers.h"
#include "unit/table.h"

/* As libcurl does: each line with its end. */
static bool add_lines(struct bw_headers *h, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) + 1 : len;

		if (!bw_headers_add(h, text, n))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_headers h;

	(void)count;
	(void)arg;
	bw_headers_init(&h);
	assert_true(add_lines(&h, fields[0], lens[0]));
	assert_string_equal(bw_buf_str(&h.text), fields[1]);
	assert_true(h.is_complete);
	bw_headers_done(&h);
}

static void test_lines_become_one_text(void **state)
{
	(void)state;
	table_each("headers.tsv", 2, check_row, NULL);
}

static void test_headers_have_a_limit(void **state)
{
	static const char line[] = "X-Fill: 0123456789012345678901234567890123456789012345678901234567\r\n";
	struct bw_headers h;
	size_t n = 0;

	(void)state;
	bw_headers_init(&h);
	while (bw_headers_add(&h, line, sizeof(line) - 1))
		n++;
	assert_in_range(n, 900, 1000); /* of 66 bytes each, 64 KiB */
	bw_headers_clear(&h);
	assert_true(bw_headers_add(&h, line, sizeof(line) - 1));
	bw_headers_done(&h);
}

static void test_a_header_is_found_by_its_name(void **state)
{
	static const char text[] = "content-type: a/b\nset: one\nset-more: no\nset: two\nempty: \n";
	char out[8];

	(void)state;
	assert_true(bw_headers_get(text, "content-type", 0, out, sizeof(out)));
	assert_string_equal(out, "a/b");
	assert_true(bw_headers_get(text, "set", 0, out, sizeof(out)));
	assert_string_equal(out, "one");
	assert_true(bw_headers_get(text, "set", 1, out, sizeof(out)));
	assert_string_equal(out, "two");
	assert_true(bw_headers_get(text, "empty", 0, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(bw_headers_get(text, "set", 2, out, sizeof(out)));
	assert_false(bw_headers_get(text, "content", 0, out, sizeof(out)));
	assert_false(bw_headers_get("", "set", 0, out, sizeof(out)));
}

static void test_a_value_is_cut_at_the_size_of_its_place(void **state)
{
	char out[4];

	(void)state;
	assert_true(bw_headers_get("a: 123456\n", "a", 0, out, sizeof(out)));
	assert_string_equal(out, "123");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_become_one_text),
		cmocka_unit_test(test_headers_have_a_limit),
		cmocka_unit_test(test_a_header_is_found_by_its_name),
		cmocka_unit_test(test_a_value_is_cut_at_the_size_of_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
