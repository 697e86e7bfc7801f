#include "unit/table.h"

#include "notify/mqtt_topic.h"

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_buf out;

	(void)count;
	(void)arg;
	bw_buf_init(&out, 1000);
	assert_true(bw_mqtt_topic_level(&out, f[0], lens[0]));
	assert_string_equal(bw_buf_str(&out), f[1]);
	bw_buf_done(&out);
}

static void levels_are_escaped_as_in_the_table(void **state)
{
	(void)state;
	table_each("mqtt_topic.tsv", 2, check_row, NULL);
}

static void every_byte_stays_within_its_level(void **state)
{
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 16);
	for (unsigned byte = 0; byte < 256; byte++) {
		const char c = (char)byte;

		bw_buf_clear(&out);
		assert_true(bw_mqtt_topic_level(&out, &c, 1));
		assert_true(out.len == 1 || out.len == 3);
		assert_null(strpbrk(bw_buf_str(&out), "+#/$"));
	}
	bw_buf_done(&out);
}

static void a_topic_has_prefix_branch_and_one_level(void **state)
{
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 64);
	assert_true(bw_mqtt_topic_make(&out, "home/bw", "state/base", "a/b:1"));
	assert_string_equal(bw_buf_str(&out), "home/bw/state/base/a%2Fb:1");
	assert_false(bw_mqtt_topic_make(&out, "home/bw", "events", ""));
	assert_false(bw_mqtt_topic_make(&out, "p", "events",
					"////////////////////////////////////////////////////////////////"));
	bw_buf_done(&out);
}

static void a_prefix_is_levels_without_wildcards(void **state)
{
	static const char *const good[] = {"basewatch", "home/base watch", "a/b/c", "grün"};
	static const char *const bad[] = {"", "/a", "a/", "a//b", "a/+", "#", "$SYS/a", "a\nb", "a\xff"};
	char longest[258];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(bw_mqtt_topic_is_prefix(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bw_mqtt_topic_is_prefix(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[257] = '\0';
	assert_false(bw_mqtt_topic_is_prefix(longest));
	longest[256] = '\0';
	assert_true(bw_mqtt_topic_is_prefix(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_escaped_as_in_the_table),
		cmocka_unit_test(every_byte_stays_within_its_level),
		cmocka_unit_test(a_topic_has_prefix_branch_and_one_level),
		cmocka_unit_test(a_prefix_is_levels_without_wildcards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
