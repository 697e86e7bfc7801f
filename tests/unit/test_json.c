/* test_json.c - the JSON writer: core/json.h. What it writes is read back with jansson. */
#include "unit/unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"

static void commas_and_nesting_are_kept(void **state)
{
	struct bw_json w;

	(void)state;
	bw_json_init(&w, NULL, 1000);
	bw_json_open(&w, '{');
	bw_json_key_int(&w, "version", 1);
	bw_json_key(&w, "list");
	bw_json_open(&w, '[');
	bw_json_str(&w, "a");
	bw_json_int(&w, INT64_MIN);
	bw_json_bool(&w, true);
	bw_json_null(&w);
	bw_json_open(&w, '[');
	bw_json_int(&w, 1);
	bw_json_close(&w, ']');
	bw_json_open(&w, '[');
	bw_json_int(&w, 2);
	bw_json_close(&w, ']');
	bw_json_open(&w, '[');
	bw_json_close(&w, ']');
	bw_json_open(&w, '{');
	bw_json_close(&w, '}');
	bw_json_close(&w, ']');
	bw_json_key_str(&w, "none", NULL);
	bw_json_key_bool(&w, "b", false);
	bw_json_key_time(&w, "t", INT64_C(1795263382000));
	bw_json_key_time(&w, "never", 0);
	bw_json_close(&w, '}');
	assert_true(bw_json_flush(&w));
	assert_string_equal(w.buf.data,
			    "{\"version\":1,\"list\":[\"a\",-9223372036854775808,true,null,[1],[2],[],{}],"
			    "\"none\":null,\"b\":false,\"t\":\"2026-11-21T12:16:22Z\",\"never\":null}");
	bw_json_done(&w);
}

/* What jansson reads back from the one string written. */
static char *round_trip(const char *s, size_t len)
{
	struct bw_json w;
	json_t *read;
	char *text;

	bw_json_init(&w, NULL, 10000);
	bw_json_strn(&w, s, len);
	for (size_t i = 0; i < w.buf.len; i++) /* nothing that a terminal obeys */
		assert_true((unsigned char)w.buf.data[i] >= 0x20 && w.buf.data[i] != 0x7F);
	read = json_loadb(w.buf.data, w.buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(read);
	text = bw_strndup(json_string_value(read), json_string_length(read));
	json_decref(read);
	bw_json_done(&w);
	return text;
}

static void every_byte_below_128_survives(void **state)
{
	char all[128];
	BW_AUTOFREE char *back = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	back = round_trip(all, sizeof(all));
	assert_memory_equal(back, all, sizeof(all));
}

static void every_code_point_survives(void **state)
{
	(void)state;
	for (unsigned c = 0x80; c < 0x110000; c += c < 0x3000 ? 1 : 7) {
		char s[5] = {0};
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
		BW_AUTOFREE char *back = NULL;
		unsigned rest = c;

		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		for (size_t i = n; i-- > 1; rest >>= 6)
			s[i] = (char)(0x80 | (rest & 0x3F));
		s[0] = (char)(lead[n] | rest);
		back = round_trip(s, n);
		assert_string_equal(back, s);
	}
}

static void invalid_utf8_becomes_the_replacement_character(void **state)
{
	BW_AUTOFREE char *back = round_trip("a\xFF\xC3(\xED\xA0\x80z", 8);

	(void)state;
	assert_string_equal(back, "a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
}

static void what_hides_or_reorders_text_is_escaped(void **state)
{
	struct bw_json w;

	(void)state;
	bw_json_init(&w, NULL, 1000);
	bw_json_str(&w, "\xE2\x80\xAE|\xC2\x9B|\xF3\xA0\x80\x81|\xC3\xA4|\x1B\n\"\\\x7F");
	assert_string_equal(w.buf.data,
			    "\"\\u202e|\\u009b|\\udb40\\udc01|\xC3\xA4|\\u001b\\n\\\"\\\\\\u007f\"");
	bw_json_done(&w);
}

static void a_text_over_the_maximum_is_a_failure(void **state)
{
	struct bw_json w;

	(void)state;
	bw_json_init(&w, NULL, 8);
	bw_json_open(&w, '[');
	bw_json_str(&w, "much too long");
	bw_json_int(&w, 1);
	bw_json_close(&w, ']');
	assert_false(bw_json_flush(&w));
	assert_string_equal(w.buf.data, "[\""); /* and nothing after the hole */
	bw_json_done(&w);
}

/* Long values and many of them, so that the buffer is written in the middle of everything. */
static void a_long_report_reaches_the_file_in_order(void **state)
{
	BW_AUTOFREE char *text = NULL, *big = bw_alloc(200001);
	size_t len = 0;
	struct bw_json w;
	FILE *out = open_memstream(&text, &len);
	json_t *read;

	(void)state;
	memset(big, 'x', 200000);
	bw_json_init(&w, out, 0);
	bw_json_open(&w, '[');
	for (int i = 0; i < 50000; i++)
		bw_json_int(&w, i);
	bw_json_str(&w, big);
	bw_json_int(&w, -1);
	bw_json_close(&w, ']');
	assert_true(w.buf.capacity <= (64U << 10) + 1);
	assert_true(bw_json_flush(&w));
	bw_json_done(&w);
	assert_int_equal(fclose(out), 0);
	read = json_loadb(text, len, 0, NULL);
	assert_non_null(read);
	assert_int_equal(json_array_size(read), 50002);
	for (size_t i = 0; i < 50000; i++)
		assert_int_equal(json_integer_value(json_array_get(read, i)), i);
	assert_string_equal(json_string_value(json_array_get(read, 50000)), big);
	json_decref(read);
}

static void a_full_disk_is_noticed(void **state)
{
	FILE *out = fopen("/dev/full", "we");
	struct bw_json w;

	(void)state;
	assert_non_null(out);
	bw_json_init(&w, out, 0);
	bw_json_str(&w, "x");
	assert_false(bw_json_flush(&w));
	assert_true(w.failed);
	bw_json_done(&w);
	(void)fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_nesting_are_kept),
		cmocka_unit_test(every_byte_below_128_survives),
		cmocka_unit_test(every_code_point_survives),
		cmocka_unit_test(invalid_utf8_becomes_the_replacement_character),
		cmocka_unit_test(what_hides_or_reorders_text_is_escaped),
		cmocka_unit_test(a_text_over_the_maximum_is_a_failure),
		cmocka_unit_test(a_long_report_reaches_the_file_in_order),
		cmocka_unit_test(a_full_disk_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
