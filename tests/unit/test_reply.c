/* test_reply.c - what an answer means for an event, as a table. */
#include "unit/table.h"

#include "core/clock.h"
#include "notify/reply.h"

static const char *const results[] = {
	[BW_SINK_OK] = "ok",
	[BW_SINK_RETRY] = "retry",
	[BW_SINK_DEAD] = "dead",
	[BW_SINK_PAUSED] = "paused",
};

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_http_response r = {
		.failure = (enum bw_http_failure)strtoul(f[0], NULL, 10),
		.status = (unsigned)strtoul(f[1], NULL, 10),
		.headers = f[2],
		.error = f[0][0] == '0' ? "" : "why",
	};
	char message[BW_REPLY_MAX];
	struct bw_sink_outcome o;
	struct bw_buf body;
	int64_t now;

	(void)lens;
	(void)count;
	assert_true(bw_time_parse("2026-11-21T12:00:00Z", &now));
	bw_buf_init(&body, 1000);
	bw_buf_adds(&body, f[3]);
	r.body = &body;
	bw_reply_judge(&r, arg, now, message, &o);
	assert_string_equal(results[o.result], f[4]);
	assert_int_equal(o.retry_after_s, strtoul(f[5], NULL, 10));
	assert_string_equal(o.message, f[6]);
	bw_buf_done(&body);
}

static void test_each_answer_has_its_meaning(void **state)
{
	struct bw_redactor *secrets = bw_redactor_new();

	(void)state;
	bw_redactor_add(secrets, "sesame");
	table_each("reply.tsv", 7, check_row, secrets);
	bw_redactor_free(secrets);
}

static void test_a_hostile_place_to_go_to_is_cut(void **state)
{
	char headers[3000] = "location: https://", message[BW_REPLY_MAX];
	struct bw_http_response r = {.status = 302, .headers = headers, .error = ""};
	struct bw_sink_outcome o;

	(void)state;
	memset(headers + strlen(headers), 'a', 2500);
	bw_reply_judge(&r, NULL, 0, message, &o);
	assert_int_equal(o.result, BW_SINK_RETRY);
	assert_non_null(strstr(message, "aaa...; redirects are not followed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_answer_has_its_meaning),
		cmocka_unit_test(test_a_hostile_place_to_go_to_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
