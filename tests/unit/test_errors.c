/* test_errors.c - from answers that are no success to kinds of trouble. */
#include "unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/text.h"
#include "registry/errors.h"
#include "unit/table.h"

#define EIGHT(c)  c c c c c c c c
#define DIGITS(c) EIGHT(EIGHT(c))

static struct bw_http_response answer(unsigned status, const char *headers)
{
	static const struct bw_buf nothing;

	return (struct bw_http_response){
		.status = status,
		.http_version = 1,
		.effective_url = "https://r.io/v2/",
		.peer_address = "",
		.error = "",
		.headers = headers,
		.body = &nothing,
	};
}

static void check_refusal(char **fields, size_t *lens, size_t count, void *arg)
{
	BW_AUTOBUF struct bw_buf body;
	struct bw_http_response r = answer(0, "");
	struct bw_failure f;
	uint64_t status;

	(void)count;
	(void)arg;
	bw_buf_init(&body, BW_MAX_MANIFEST_BYTES);
	assert_true(bw_buf_add(&body, fields[1], lens[1]));
	assert_true(bw_text_number(fields[0], 100, 599, &status));
	r.status = (unsigned)status;
	r.body = &body;
	bw_failure_of_refusal(&r, "r.io", NULL, &f);
	assert_string_equal(bw_trouble_name(f.trouble), fields[2]);
	assert_string_equal(f.message, fields[3]);
	assert_int_equal(f.retry, BW_RETRY_NEVER);
}

static void test_refusals_are_told_apart_by_code_and_status(void **state)
{
	(void)state;
	table_each("errors.tsv", 4, check_refusal, NULL);
}

static void test_the_cause_is_told_where_the_advice_depends_on_it(void **state)
{
	static const struct {
		enum bw_http_failure failure;
		enum bw_http_cause cause;
		unsigned status;
		enum bw_trouble trouble;
		enum bw_cause expected;
	} rows[] = {
		{BW_HTTP_TLS, BW_HTTP_CERT_DATE, 0, BW_TROUBLE_TLS, BW_CAUSE_CERT_DATE},
		{BW_HTTP_TLS, BW_HTTP_CERT_NAME, 0, BW_TROUBLE_TLS, BW_CAUSE_CERT_NAME},
		{BW_HTTP_TLS, BW_HTTP_CERT_AUTHORITY, 0, BW_TROUBLE_TLS, BW_CAUSE_CERT_AUTHORITY},
		{BW_HTTP_TLS, BW_HTTP_CERT_OWN, 0, BW_TROUBLE_TLS, BW_CAUSE_CERT_FILES},
		{BW_HTTP_NOT_TLS, BW_HTTP_NO_CAUSE, 0, BW_TROUBLE_TLS, BW_CAUSE_NOT_TLS},
		{BW_HTTP_CONNECT, BW_HTTP_PROXY_LOGIN, 0, BW_TROUBLE_CONNECTION, BW_CAUSE_PROXY_LOGIN},
		{BW_HTTP_OK, BW_HTTP_NO_CAUSE, 407, BW_TROUBLE_CONNECTION, BW_CAUSE_PROXY_LOGIN},
		{BW_HTTP_OK, BW_HTTP_NO_CAUSE, 503, BW_TROUBLE_SERVER, BW_CAUSE_BUSY},
		{BW_HTTP_OK, BW_HTTP_NO_CAUSE, 500, BW_TROUBLE_SERVER, BW_CAUSE_NONE},
		{BW_HTTP_OK, BW_HTTP_NO_CAUSE, 429, BW_TROUBLE_THROTTLED, BW_CAUSE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_http_response r = answer(rows[i].status, "");
		struct bw_failure f;

		r.failure = rows[i].failure;
		r.cause = rows[i].cause;
		assert_true(bw_failure_of_response(&r, "r.io", &f));
		assert_string_equal(bw_trouble_name(f.trouble), bw_trouble_name(rows[i].trouble));
		assert_int_equal(f.cause, rows[i].expected);
	}
}

static void test_an_endless_body_gives_a_short_message(void **state)
{
	BW_AUTOBUF struct bw_buf body;
	struct bw_http_response r = answer(404, "");
	struct bw_failure f;

	(void)state;
	bw_buf_init(&body, BW_MAX_MANIFEST_BYTES);
	assert_true(bw_buf_adds(&body, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\""));
	for (int i = 0; i < 3000; i++)
		assert_true(bw_buf_adds(&body, "0123456789"));
	assert_true(bw_buf_adds(&body, "\"}]}"));
	r.body = &body;
	bw_failure_of_refusal(&r, "r.io", NULL, &f);
	assert_int_equal(f.trouble, BW_TROUBLE_REPOSITORY_GONE);
	assert_true(strlen(f.message) < 200);
}

static void test_the_host_behind_a_redirect_is_named(void **state)
{
	struct bw_http_response r = answer(403, "");
	struct bw_failure f;

	(void)state;
	r.redirected = true;
	r.effective_url = "https://cdn.example:8443/blob?signature=secret";
	bw_failure_of_refusal(&r, "r.io", NULL, &f);
	assert_string_equal(f.message, "cdn.example:8443 answered 403");
}

/* What was asked for by its digest has no tag that could be gone. */
static void test_the_message_says_what_is_not_there(void **state)
{
	static const char *const answers[][2] = {
		{"{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"no such blob\"}]}",
		 "r.io does not have the blob sha256:0123456789ab: it answered 404, no such blob"},
		{"{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}",
		 "r.io does not have the blob sha256:0123456789ab: it answered 404, NAME_UNKNOWN"},
		{"", "r.io does not have the blob sha256:0123456789ab: it answered 404"},
		{"{\"errors\":[{\"code\":\"DENIED\"}]}", "r.io answered 404: DENIED"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(answers); i++) {
		BW_AUTOBUF struct bw_buf body;
		struct bw_http_response r = answer(404, "");
		struct bw_failure f;

		bw_buf_init(&body, BW_MAX_MANIFEST_BYTES);
		assert_true(bw_buf_adds(&body, answers[i][0]));
		r.body = &body;
		bw_failure_of_refusal(&r, "r.io", "the blob sha256:0123456789ab", &f);
		assert_string_equal(f.message, answers[i][1]);
	}
}

static void test_digests_that_contradict_each_other_are_both_named(void **state)
{
	static const struct bw_digest a = {"sha256:" DIGITS("a")}, b = {"sha512:" DIGITS("b") DIGITS("b")};
	static const struct bw_contradiction c = {"asked for", "it sent", &a, &b};
	struct bw_http_response r = answer(200, "");
	struct bw_failure f;

	(void)state;
	bw_failure_of_digests(&r, "r.io", &c, &f);
	assert_int_equal(f.trouble, BW_TROUBLE_MALFORMED);
	assert_int_equal(f.retry, BW_RETRY_NEVER);
	assert_false(f.is_of_host);
	assert_string_equal(f.message,
			    "r.io: asked for sha256:aaaaaaaaaaaa, and it sent sha512:bbbbbbbbbbbb");
	r.redirected = true;
	r.effective_url = "https://cdn.example:8443/blob?signature=secret";
	bw_failure_of_digests(&r, "r.io", &c, &f);
	assert_string_equal(
		f.message,
		"cdn.example:8443: asked for sha256:aaaaaaaaaaaa, and it sent sha512:bbbbbbbbbbbb");
}

/* --- answers that are none, 429, 5xx ---------------------------------------------------------- */

static const struct {
	enum bw_http_failure failure;
	bool timed_out;
	enum bw_trouble trouble;
	enum bw_retry retry;
	bool is_of_host;
	const char *message;
} cases[] = {
	{BW_HTTP_DNS, false, BW_TROUBLE_DNS, BW_RETRY_SOON, true, "r.io: why"},
	{BW_HTTP_DNS, true, BW_TROUBLE_DNS, BW_RETRY_SOON, true, "r.io: why"},
	{BW_HTTP_CONNECT, false, BW_TROUBLE_CONNECTION, BW_RETRY_SOON, true, "r.io: why"},
	{BW_HTTP_CONNECT, true, BW_TROUBLE_TIMEOUT, BW_RETRY_SOON, true, "r.io: why"},
	{BW_HTTP_TIMEOUT, true, BW_TROUBLE_TIMEOUT, BW_RETRY_TIMEOUT, false, "r.io: why"},
	{BW_HTTP_TLS, false, BW_TROUBLE_TLS, BW_RETRY_NEVER, true, "r.io: why"},
	{BW_HTTP_NOT_TLS, false, BW_TROUBLE_TLS, BW_RETRY_SOON, true, "r.io does not speak TLS"},
	{BW_HTTP_CUT, false, BW_TROUBLE_CONNECTION, BW_RETRY_SOON, false, "r.io: why"},
	{BW_HTTP_LIMIT, false, BW_TROUBLE_LIMIT, BW_RETRY_NEVER, false, "r.io: why"},
	{BW_HTTP_REDIRECT, false, BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, false, "r.io: why"},
	{BW_HTTP_PROTOCOL, false, BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, false, "r.io: why"},
};

static void test_every_failure_has_its_kind_of_trouble(void **state)
{
	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		struct bw_http_response r = answer(0, "");
		struct bw_failure f;

		r.failure = cases[i].failure;
		r.timed_out = cases[i].timed_out;
		r.error = "why";
		assert_true(bw_failure_of_response(&r, "r.io", &f));
		assert_int_equal(f.trouble, cases[i].trouble);
		assert_int_equal(f.retry, cases[i].retry);
		assert_int_equal(f.is_of_host, cases[i].is_of_host);
		assert_string_equal(f.message, cases[i].message);
		/* Whoever it was redirected to says nothing about the registry. */
		r.redirected = true;
		r.effective_url = "https://cdn.example/x";
		assert_true(bw_failure_of_response(&r, "r.io", &f));
		assert_false(f.is_of_host);
		assert_int_equal(strncmp(f.message, "cdn.example", 11), 0);
	}
}

static void test_answers_to_look_at_are_no_failures(void **state)
{
	static const unsigned statuses[] = {200, 204, 301, 304, 400, 401, 403, 404, 405, 410, 418};
	struct bw_failure f;

	(void)state;
	for (size_t i = 0; i < BW_COUNT(statuses); i++) {
		struct bw_http_response r = answer(statuses[i], "");

		assert_false(bw_failure_of_response(&r, "r.io", &f));
	}
}

static void test_a_refusal_that_is_too_long_is_a_refusal(void **state)
{
	struct bw_http_response r = answer(404, "");
	struct bw_failure f;

	(void)state;
	r.failure = BW_HTTP_LIMIT;
	assert_false(bw_failure_of_response(&r, "r.io", &f));
	r.status = 200;
	assert_true(bw_failure_of_response(&r, "r.io", &f));
	assert_int_equal(f.trouble, BW_TROUBLE_LIMIT);
}

static void test_throttling_and_errors_of_the_server(void **state)
{
	struct bw_http_response r = answer(429, "retry-after: 30\n");
	struct bw_failure f;

	(void)state;
	assert_true(bw_failure_of_response(&r, "r.io", &f));
	assert_int_equal(f.trouble, BW_TROUBLE_THROTTLED);
	assert_int_equal(f.retry, BW_RETRY_LATER);
	assert_true(f.has_retry_after);
	assert_int_equal(f.retry_after_s, 30);
	assert_string_equal(f.message, "r.io asks for fewer requests (429)");
	r = answer(503, "");
	assert_true(bw_failure_of_response(&r, "r.io", &f));
	assert_int_equal(f.trouble, BW_TROUBLE_SERVER);
	assert_int_equal(f.retry, BW_RETRY_SOON);
	assert_false(f.has_retry_after);
	assert_string_equal(f.message, "r.io answered 503");
}

static const struct {
	const char *header;
	bool is_one;
	uint32_t seconds;
} waits[] = {
	{"retry-after: 0\n", true, 0},
	{"retry-after: 120\n", true, 120},
	{"retry-after: 86400\n", true, 86400},
	{"retry-after: 86401\n", true, 86400},
	{"retry-after: 4294967295\n", true, 86400},
	{"x: y\nretry-after: 7\nz: z\n", true, 7},
	{"retry-after: Sun, 06 Nov 1994 08:49:47 GMT\n", true, 10},
	{"retry-after: Sun, 06 Nov 1994 08:49:27 GMT\n", true, 0},
	{"retry-after: Sunday, 06-Nov-94 08:50:37 GMT\n", true, 60},
	{"retry-after: Sun, 06 Nov 2094 08:49:37 GMT\n", true, 86400},
	{"retry-after: 99999999999\n", false, 0},
	{"retry-after: -1\n", false, 0},
	{"retry-after: 1.5\n", false, 0},
	{"retry-after: soon\n", false, 0},
	{"retry-after: \n", false, 0},
	{"x-retry-after: 5\n", false, 0},
	{"", false, 0},
};

static void test_retry_after_is_seconds_or_a_date(void **state)
{
	(void)state;
	bw_clock_set(784111777000); /* Sun, 06 Nov 1994 08:49:37 GMT */
	for (size_t i = 0; i < BW_COUNT(waits); i++) {
		struct bw_http_response r = answer(429, waits[i].header);
		uint32_t seconds = 4711;

		if (bw_retry_after(&r, &seconds) != waits[i].is_one)
			fail_msg("%s", waits[i].header);
		assert_int_equal(seconds, waits[i].is_one ? waits[i].seconds : 4711);
	}
	bw_clock_set(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals_are_told_apart_by_code_and_status),
		cmocka_unit_test(test_the_cause_is_told_where_the_advice_depends_on_it),
		cmocka_unit_test(test_an_endless_body_gives_a_short_message),
		cmocka_unit_test(test_the_host_behind_a_redirect_is_named),
		cmocka_unit_test(test_the_message_says_what_is_not_there),
		cmocka_unit_test(test_digests_that_contradict_each_other_are_both_named),
		cmocka_unit_test(test_every_failure_has_its_kind_of_trouble),
		cmocka_unit_test(test_answers_to_look_at_are_no_failures),
		cmocka_unit_test(test_a_refusal_that_is_too_long_is_a_refusal),
		cmocka_unit_test(test_throttling_and_errors_of_the_server),
		cmocka_unit_test(test_retry_after_is_seconds_or_a_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
