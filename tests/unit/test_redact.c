/* test_redact.c - a receiver's words without what is secret, and signatures that others can verify. */
#include "unit/unit.h"

#include <string.h>

#include "notify/redact.h"
#include "notify/signature.h"

static const char *line_of(const struct bw_redactor *r, const char *text)
{
	static char out[BW_REDACT_LINE_MAX];

	return bw_redact_line(r, text, strlen(text), out);
}

static void test_every_secret_is_hidden_wherever_it_stands(void **state)
{
	struct bw_redactor *r = bw_redactor_new();

	(void)state;
	bw_redactor_add(r, "sesame");
	bw_redactor_add(r, "");
	bw_redactor_add(r, "abc");
	bw_redactor_add(r, "abcdef");
	bw_redactor_add(r, "efgh");
	assert_string_equal(line_of(r, "open sesame, sesame!"), "open [hidden], [hidden]!");
	assert_string_equal(line_of(r, "sesamesesame"), "[hidden]");
	assert_string_equal(line_of(r, "<abcdef>"), "<[hidden]>");   /* one begins with another */
	assert_string_equal(line_of(r, "<abcdefgh>"), "<[hidden]>"); /* two overlap */
	assert_string_equal(line_of(r, "sesam abd"), "sesam abd");
	bw_redactor_free(r);
}

static void test_headers_are_hidden_with_what_is_inside_of_them(void **state)
{
	struct bw_redactor *r = bw_redactor_new();

	(void)state;
	bw_redactor_add_header(r, "Bearer  t0ken");
	bw_redactor_add_header(r, "Basic Ym90OnNlc2FtZQ=="); /* bot:sesame */
	bw_redactor_add_header(r, "Basic !");
	assert_string_equal(line_of(r, "got Bearer  t0ken"), "got [hidden]");
	assert_string_equal(line_of(r, "token t0ken is old"), "token [hidden] is old");
	assert_string_equal(line_of(r, "Ym90OnNlc2FtZQ=="), "[hidden]");
	assert_string_equal(line_of(r, "no bot:sesame here"), "no [hidden] here");
	assert_string_equal(line_of(r, "password sesame, user bot"), "password [hidden], user bot");
	bw_redactor_free(r);
}

static void test_what_may_be_secret_in_a_url_is_hidden(void **state)
{
	struct bw_redactor *r = bw_redactor_new();

	(void)state;
	bw_redactor_add_url(r, "https://h.example/services/T0123456789abcdefXY/short?key=9&x");
	bw_redactor_add_url(r, "https://h.example");
	assert_string_equal(line_of(r, "no /services/T0123456789abcdefXY/short"),
			    "no /services/[hidden]/short");
	assert_string_equal(line_of(r, "/short?key=9&x"), "/short?[hidden]");
	assert_string_equal(line_of(r, "h.example"), "h.example");
	bw_redactor_free(r);
}

static void test_only_the_first_line_with_words_is_kept(void **state)
{
	char out[BW_REDACT_LINE_MAX];

	(void)state;
	assert_string_equal(line_of(NULL, "\r\n  \t\n  one two \r\nthree"), "one two");
	assert_string_equal(line_of(NULL, ""), "");
	assert_string_equal(line_of(NULL, " \n\n"), "");
	assert_string_equal(bw_redact_line(NULL, "a\0b\x1b[31m", 8, out), "a b\x1b[31m");
}

static void test_a_long_line_is_cut_in_front_of_a_character(void **state)
{
	char text[1000], out[BW_REDACT_LINE_MAX];
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(strlen(bw_redact_line(NULL, text, sizeof(text), out)), BW_REDACT_LINE_MAX - 1);
	assert_string_equal(out + BW_REDACT_LINE_MAX - 5, "x...");
	assert_int_equal(strlen(bw_redact_line(NULL, text, BW_REDACT_LINE_MAX - 1, out)),
			 BW_REDACT_LINE_MAX - 1);
	assert_int_equal(out[BW_REDACT_LINE_MAX - 2], 'x');
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[0] = 'x';
	text[1] = 'x';
	len = strlen(bw_redact_line(NULL, text, sizeof(text), out));
	assert_int_equal((len - 3) % 2, 0);
	assert_memory_equal(out + len - 5, "\xc3\xa4...", 5);
}

static void test_a_secret_at_the_cut_is_hidden_before_it_is_cut(void **state)
{
	struct bw_redactor *r = bw_redactor_new();
	char text[400], out[BW_REDACT_LINE_MAX];

	(void)state;
	bw_redactor_add(r, "sesamesesame");
	memset(text, 'x', sizeof(text));
	memcpy(text + BW_REDACT_LINE_MAX - 10, "sesamesesame", 12);
	bw_redact_line(r, text, sizeof(text), out);
	assert_null(strstr(out, "sesa"));
	bw_redactor_free(r);
}

/* --- signatures ------------------------------------------------------------------------------- */

static const char body[] = "{\"test\": 2432232314}";

static void test_the_signature_is_that_of_the_specification(void **state)
{
	static const char *const secrets[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL};
	struct bw_err err = BW_ERR_INIT;
	struct bw_signer *s = NULL;
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 1000);
	assert_int_equal(bw_signer_new(secrets, &s, &err), 0);
	assert_true(bw_signer_sign(s, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body), &out));
	assert_string_equal(bw_buf_str(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	bw_signer_free(s);
	bw_buf_done(&out);
}

static void test_each_secret_signs_while_one_replaces_another(void **state)
{
	static const char *const secrets[] = {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
					      "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL};
	struct bw_err err = BW_ERR_INIT;
	struct bw_signer *s = NULL;
	struct bw_buf out;
	const char *second;

	(void)state;
	bw_buf_init(&out, 1000);
	assert_int_equal(bw_signer_new(secrets, &s, &err), 0);
	assert_true(bw_signer_sign(s, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body), &out));
	second = strchr(bw_buf_str(&out), ' ');
	assert_non_null(second);
	assert_int_equal(second - bw_buf_str(&out), 47);
	assert_memory_equal(bw_buf_str(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 47);
	assert_int_equal(strlen(second), 48);
	assert_memory_equal(second, " v1,", 4);
	bw_signer_free(s);
	bw_buf_done(&out);
}

static void test_a_secret_that_cannot_be_is_refused_and_not_repeated(void **state)
{
	static const char *const bad[] = {
		"whsec_",
		"whsec_c2hvcnQ=",		   /* 5 bytes */
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", /* no base64 */
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *secrets[] = {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", bad[i], NULL};
		struct bw_err err = BW_ERR_INIT;
		struct bw_signer *s = NULL;

		assert_int_equal(bw_signer_new(secrets, &s, &err), BW_E_INPUT);
		assert_string_equal(err.msg,
				    "secret 2: not base64 of 24 to 64 bytes, with \"whsec_\" before it "
				    "or without");
		assert_null(s);
	}
}

static void test_there_are_not_more_secrets_than_anybody_needs(void **state)
{
	const char *secrets[BW_SIGNER_MAX_SECRETS + 2] = {NULL};
	struct bw_err err = BW_ERR_INIT;
	struct bw_signer *s = NULL;

	(void)state;
	for (size_t i = 0; i <= BW_SIGNER_MAX_SECRETS; i++)
		secrets[i] = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	assert_int_equal(bw_signer_new(secrets, &s, &err), BW_E_INPUT);
	assert_string_equal(err.msg, "at most 8 secrets sign a webhook");
	secrets[BW_SIGNER_MAX_SECRETS] = NULL;
	assert_int_equal(bw_signer_new(secrets, &s, &err), 0);
	bw_signer_free(s);
}

static void test_without_a_secret_there_is_no_signature(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_signer *s = NULL;
	struct bw_buf out;

	(void)state;
	bw_buf_init(&out, 1000);
	assert_int_equal(bw_signer_new(NULL, &s, &err), 0);
	assert_false(bw_signer_sign(s, "id", 1, "x", 1, &out));
	bw_signer_free(s);
	bw_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_secret_is_hidden_wherever_it_stands),
		cmocka_unit_test(test_headers_are_hidden_with_what_is_inside_of_them),
		cmocka_unit_test(test_what_may_be_secret_in_a_url_is_hidden),
		cmocka_unit_test(test_only_the_first_line_with_words_is_kept),
		cmocka_unit_test(test_a_long_line_is_cut_in_front_of_a_character),
		cmocka_unit_test(test_a_secret_at_the_cut_is_hidden_before_it_is_cut),
		cmocka_unit_test(test_the_signature_is_that_of_the_specification),
		cmocka_unit_test(test_each_secret_signs_while_one_replaces_another),
		cmocka_unit_test(test_a_secret_that_cannot_be_is_refused_and_not_repeated),
		cmocka_unit_test(test_there_are_not_more_secrets_than_anybody_needs),
		cmocka_unit_test(test_without_a_secret_there_is_no_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
