/*
 * test_auth.c - which token endpoints are asked at all, and who is shown credentials: the decisions that no peer on
 * this machine can provoke. White box: a host and a question, and no request.
 */
#include "unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/auth.h"
#include "registry/host.h"
#include "registry/internal.h"
#include "registry/question.h"

struct world {
	struct bw_loop *loop;
	struct bw_registry *registry;
	struct bw_host *host;
	struct bw_question question;
	struct bw_failure failure;
};

static void open_host(struct world *w, const char *name, const char *const *insecure)
{
	struct bw_registry_options o = {.insecure = insecure};
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_registry_new(w->loop, &o, &w->registry, &err), 0);
	w->host = bw_host_new(w->registry, name);
	w->question.host = w->host;
	w->question.repository = "a/b";
	w->question.tag = "1";
}

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	*state = w;
	return 0;
}

static void close_host(struct world *w)
{
	bw_host_free(BW_TAKE(w->host));
	bw_registry_free(BW_TAKE(w->registry));
	memset(&w->question, 0, sizeof(w->question));
}

static int end(void **state)
{
	struct world *w = *state;

	close_host(w);
	bw_loop_free(w->loop);
	free(w);
	return 0;
}

/* The registry at `peer` answers 401 and names `realm`. */
static bool challenge(struct world *w, const char *realm, const char *peer)
{
	static const struct bw_buf nothing;
	BW_AUTOFREE char *headers =
		bw_asprintf("www-authenticate: Bearer realm=\"%s\",service=\"s\"\n", realm);
	struct bw_http_response r = {
		.status = 401,
		.effective_url = "",
		.peer_address = peer,
		.first_address = peer,
		.error = "",
		.headers = headers,
		.body = &nothing,
	};

	return bw_auth_challenged(&w->question, &r, &w->failure);
}

#define PUBLIC "93.184.216.34"

static const struct {
	const char *name, *peer, *realm;
	const char *problem; /* NULL: fine */
} realms[] = {
	{"registry.example", PUBLIC, "https://auth.example/token", NULL},
	{"registry.example", PUBLIC, "https://registry.example/token", NULL},
	{"registry.example", PUBLIC, "https://8.8.8.8/token", NULL},
	{"registry.example", PUBLIC, "https://127.0.0.1/token", "which is an address of a private network"},
	{"registry.example", PUBLIC, "https://localhost/token", "which is an address of a private network"},
	{"registry.example", PUBLIC, "https://10.1.2.3/token", "which is an address of a private network"},
	{"registry.example", PUBLIC, "https://169.254.169.254/", "which is an address of a private network"},
	{"registry.example", PUBLIC, "https://[::1]/token", "which is an address of a private network"},
	{"registry.example", PUBLIC, "https://[::ffff:10.0.0.1]/",
	 "which is an address of a private network"},
	{"registry.example", PUBLIC, "https://2130706433/token", "which is an address of a private network"},
	{"docker.io", PUBLIC, "https://10.1.2.3/token", "which is an address of a private network"},
	{"registry.example", PUBLIC, "http://auth.example/token", "which is not encrypted"},
	{"registry.example", "10.9.9.9", "http://10.1.2.3/token", "which is not encrypted"},
	{"registry.example", PUBLIC, "https://user:pw@auth.example/", "which is no web address"},
	{"registry.example", PUBLIC, "javascript:alert(1)", "which is no web address"},
	/* A private registry may have its token server beside it. */
	{"registry.example", "10.9.9.9", "https://10.1.2.3/token", NULL},
	{"registry.example", "fd00::9", "https://10.1.2.3/token", NULL},
	{"10.9.9.9:5000", "10.9.9.9", "https://10.1.2.3/token", NULL},
	{"127.0.0.1:5000", "127.0.0.1", "https://127.0.0.1:5001/token", NULL},
};

static void test_realms_are_taken_or_refused(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < BW_COUNT(realms); i++) {
		BW_AUTOFREE char *expected = NULL;
		bool again;

		open_host(w, realms[i].name, NULL);
		again = challenge(w, realms[i].realm, realms[i].peer);
		if (again != !realms[i].problem)
			fail_msg("%s: %s: %s", realms[i].name, realms[i].realm,
				 again ? "taken" : w->failure.message);
		if (!again) {
			expected = bw_asprintf("%s wants a log-in at %s, %s", realms[i].name, realms[i].realm,
					       realms[i].problem);
			assert_string_equal(w->failure.message, expected);
			assert_int_equal(w->failure.trouble, BW_TROUBLE_AUTH);
			assert_int_equal(w->host->login.scheme, BW_CHALLENGE_NONE);
		}
		close_host(w);
	}
}

static void test_a_realm_that_the_user_named_may_be_private(void **state)
{
	static const char *const insecure[] = {"10.1.2.3", "named.example", NULL};
	struct world *w = *state;

	open_host(w, "registry.example", insecure);
	assert_false(
		challenge(w, "https://10.1.2.3/token", PUBLIC)); /* it leads there, and nobody named it */
	close_host(w);
	open_host(w, "named.example", insecure);
	w->host->may_be_plain = false; /* which would say that it is private itself */
	assert_true(challenge(w, "https://10.1.2.3/token", PUBLIC));
	assert_false(challenge(w, "https://10.1.2.4/token", PUBLIC));
}

static void test_a_plain_registry_may_name_a_plain_realm(void **state)
{
	struct world *w = *state;

	open_host(w, "127.0.0.1:5000", NULL);
	assert_false(challenge(w, "http://127.0.0.1:5001/token", "127.0.0.1"));
	w->host->is_plain = true;
	assert_true(challenge(w, "http://127.0.0.1:5001/token", "127.0.0.1"));
	assert_string_equal(w->host->login.realm_name, "127.0.0.1:5001");
}

static bool may_show(struct world *w, const char *realm)
{
	w->host->is_plain = true;
	w->question.challenges = 0;
	free(BW_TAKE(w->host->login.realm)); /* as if it were the first one */
	assert_true(challenge(w, realm, "10.9.9.9"));
	return bw_login_may_show(w->host);
}

/* Without TLS credentials go to this machine, and to places that the user named. */
static void test_credentials_are_shown_over_tls_or_where_the_user_said_so(void **state)
{
	static const char *const insecure[] = {"reg.lan:5000", "auth.lan", NULL};
	struct world *w = *state;

	open_host(w, "reg.lan:5000", insecure);
	assert_true(may_show(w, "https://anywhere.example/token"));
	assert_true(may_show(w, "http://127.0.0.1:5001/token"));
	assert_true(may_show(w, "http://reg.lan:5000/token"));
	assert_true(may_show(w, "http://auth.lan/token"));
	assert_true(may_show(w, "http://auth.lan:8080/token"));
	assert_false(may_show(w, "http://reg.lan:5001/token"));
}

static void test_a_registry_that_never_stops_asking_is_left(void **state)
{
	struct world *w = *state;

	open_host(w, "registry.example", NULL);
	for (int i = 0; i < 4; i++)
		assert_true(challenge(w, "https://auth.example/token", PUBLIC));
	assert_false(challenge(w, "https://auth.example/token", PUBLIC));
	assert_string_equal(w->failure.message, "registry.example answered 401: again and again");
	assert_int_equal(w->failure.trouble, BW_TROUBLE_AUTH);
}

static void test_who_may_be_spoken_to_without_tls(void **state)
{
	static const char *const insecure[] = {"reg.lan:5000", "any.lan", "[fd00::1]", NULL};
	static const struct {
		const char *name;
		bool may;
	} hosts[] = {
		{"reg.lan:5000", true},	 {"REG.lan:5000", true},   {"reg.lan", false},
		{"reg.lan:5001", false}, {"any.lan", true},	   {"any.lan:80", true},
		{"sub.any.lan", false},	 {"[fd00::1]:5000", true}, {"localhost", true},
		{"127.9.9.9:1", true},	 {"[::1]:1", true},	   {"docker.io", false},
		{"10.0.0.1", false},	 {"localhost.x", false},   {"127.0.0.1.x:1", false},
	};
	struct world *w = *state;

	for (size_t i = 0; i < BW_COUNT(hosts); i++) {
		open_host(w, hosts[i].name, insecure);
		if (w->host->may_be_plain != hosts[i].may)
			fail_msg("%s", hosts[i].name);
		assert_false(w->host->is_plain);
		close_host(w);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_realms_are_taken_or_refused),
		TEST(test_a_realm_that_the_user_named_may_be_private),
		TEST(test_a_plain_registry_may_name_a_plain_realm),
		TEST(test_credentials_are_shown_over_tls_or_where_the_user_said_so),
		TEST(test_a_registry_that_never_stops_asking_is_left),
		TEST(test_who_may_be_spoken_to_without_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
