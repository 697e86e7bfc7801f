/* test_http_doors.c - several CA files, to whom our certificate is shown, and proxies that somebody wrote down. */
#include "unit/unit.h"

#include <stdatomic.h>
#include <string.h>

#include "net/address.h"
#include "net/fault.h"
#include "net/http.h"
#include "unit/identity.h"
#include "unit/peer.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct world {
	struct bw_loop *loop;
	struct bw_http *http;
	struct peer *peer, *other;
	SSL_CTX *tls, *other_tls;
	char ca[64], other_ca[64], identity[64], place[64], url[256];
	const char *ca_files[3];
	struct bw_http_options options;
	bool is_done;
	enum bw_http_failure failure;
	enum bw_http_cause cause;
	unsigned status;
	char error[512];
};

/* How often a client certificate came, per peer. */
static atomic_uint shown, shown_other;

/* Runs once for each certificate that comes. */
static int take_cert(X509_STORE_CTX *ctx, void *arg)
{
	atomic_uint *count = arg;

	(void)ctx;
	(*count)++;
	return 1;
}

/* Without sessions: a connection that goes on with an old one shows nothing. */
static void want_cert(SSL_CTX *tls, int mode, atomic_uint *count)
{
	SSL_CTX_set_verify(tls, mode, NULL);
	SSL_CTX_set_cert_verify_callback(tls, take_cert, count);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(tls, 0);
}

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	shown = shown_other = 0;
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-doors-%d-ca", (int)getpid());
	(void)snprintf(w->other_ca, sizeof(w->other_ca), "/tmp/basewatch-doors-%d-other", (int)getpid());
	(void)snprintf(w->identity, sizeof(w->identity), "/tmp/basewatch-doors-%d-me", (int)getpid());
	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	w->options.ca_files = w->ca_files;
	w->options.user_agent = "basewatch/test";
	*state = w;
	return 0;
}

static int end(void **state)
{
	static const char *const variables[] = {"http_proxy", "https_proxy", "no_proxy"};
	struct world *w = *state;

	bw_http_free(w->http);
	bw_loop_free(w->loop);
	peer_free(w->peer);
	peer_free(w->other);
	SSL_CTX_free(w->tls);
	SSL_CTX_free(w->other_tls);
	(void)unlink(w->ca);
	(void)unlink(w->other_ca);
	(void)unlink(w->identity);
	for (size_t i = 0; i < BW_COUNT(variables); i++)
		unsetenv(variables[i]);
	free(w);
	return 0;
}

static void open_http(struct world *w)
{
	struct bw_err err = BW_ERR_INIT;

	if (bw_http_new(w->loop, &w->options, &w->http, &err) < 0)
		fail_msg("%s", err.msg);
}

static void note(const struct bw_http_response *r, void *arg)
{
	struct world *w = arg;

	w->is_done = true;
	w->failure = r->failure;
	w->cause = r->cause;
	w->status = r->status;
	(void)snprintf(w->error, sizeof(w->error), "%s", r->error);
}

/* Not direct: the environment of these tests has no proxies but their own. */
static struct bw_http_request request(const char *url)
{
	return (struct bw_http_request){
		.method = BW_HTTP_GET,
		.url = url,
		.allow_plain = true,
		.max_body = 1000,
		.connect_timeout_ms = 5000,
		.timeout_ms = 5000,
	};
}

static void run(struct world *w, const struct bw_http_request *req)
{
	struct bw_http_transfer *t;
	struct bw_err err = BW_ERR_INIT;

	w->is_done = false;
	assert_int_equal(bw_http_start(w->http, req, note, w, &t, &err), 0);
	while (!w->is_done)
		bw_loop_run(w->loop);
}

static void get(struct world *w, const char *url)
{
	struct bw_http_request req = request(url);

	run(w, &req);
}

static const char *url_at(struct world *w, const struct peer *p, const char *path)
{
	(void)snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%u%s", p->tls ? "https" : "http", p->port,
		       path);
	return w->url;
}

static void assert_answered(const struct world *w)
{
	if (w->failure || w->status != 200)
		fail_msg("%u %s", w->status, w->error);
}

/* --- CA files --------------------------------------------------------------------------------- */

static void open_two(struct world *w)
{
	w->tls = peer_tls("IP:127.0.0.1", 10, w->ca);
	w->other_tls = peer_tls("IP:127.0.0.1", 20, w->other_ca);
	w->peer = peer_new(w->tls);
	w->other = peer_new(w->other_tls);
	peer_on(w->peer, "GET /a ", "", OK_ANSWER);
	peer_on(w->other, "", "", OK_ANSWER);
	w->ca_files[0] = w->ca;
	w->ca_files[1] = w->other_ca;
}

static void test_each_of_several_ca_files_is_trusted(void **state)
{
	struct world *w = *state;

	open_two(w);
	open_http(w);
	get(w, url_at(w, w->peer, "/a"));
	assert_answered(w);
	get(w, url_at(w, w->other, "/a"));
	assert_answered(w);
	bw_http_free(BW_TAKE(w->http));
	w->ca_files[1] = NULL;
	open_http(w);
	get(w, url_at(w, w->other, "/a"));
	assert_int_equal(w->failure, BW_HTTP_TLS);
}

/* --- our certificate -------------------------------------------------------------------------- */

static void redirect_to_other(struct world *w)
{
	BW_AUTOFREE char *answer = bw_asprintf(
		"HTTP/1.1 307 Go\r\nLocation: https://127.0.0.1:%u/there\r\nContent-Length: 0\r\n\r\n",
		w->other->port);

	peer_on(w->peer, "GET /away", "", answer);
}

static void open_with_identity(struct world *w)
{
	open_two(w);
	want_cert(w->tls, SSL_VERIFY_PEER, &shown);
	want_cert(w->other_tls, SSL_VERIFY_PEER, &shown_other);
	identity_write(w->identity, "DNS:me");
	(void)snprintf(w->place, sizeof(w->place), "https://127.0.0.1:%u/", w->peer->port);
	w->options.client_cert = w->identity;
	w->options.client_place = w->place;
	redirect_to_other(w);
}

static void test_our_certificate_does_not_go_along_with_a_redirect(void **state)
{
	struct world *w = *state;

	open_with_identity(w);
	open_http(w);
	get(w, url_at(w, w->peer, "/away"));
	assert_answered(w);
	assert_int_equal(peer_count(w->other, "GET /there", ""), 1);
	assert_int_equal(shown, 1);
	assert_int_equal(shown_other, 0);
}

static void test_who_is_redirected_to_and_wants_one_gets_none(void **state)
{
	struct world *w = *state;

	open_with_identity(w);
	SSL_CTX_set_max_proto_version(w->other_tls, TLS1_2_VERSION); /* says no within the handshake */
	want_cert(w->other_tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &shown_other);
	open_http(w);
	get(w, url_at(w, w->peer, "/away"));
	assert_int_equal(w->failure, BW_HTTP_TLS);
	assert_int_equal(shown_other, 0);
	assert_int_equal(peer_count(w->other, "", ""), 0);
}

static void test_it_is_shown_to_its_own_place_only(void **state)
{
	struct world *w = *state;

	open_with_identity(w);
	open_http(w);
	get(w, url_at(w, w->other, "/a"));
	assert_answered(w);
	get(w, url_at(w, w->peer, "/a"));
	assert_answered(w);
	assert_int_equal(shown, 1);
	assert_int_equal(shown_other, 0);
	/* Without a place there is nobody to show it to. */
	bw_http_free(BW_TAKE(w->http));
	w->options.client_place = NULL;
	open_http(w);
	get(w, url_at(w, w->peer, "/a"));
	assert_answered(w);
	assert_int_equal(shown, 1);
}

static void spoil(const char *path)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	(void)fputs("no certificate\n", out);
	(void)fclose(out);
}

/* Once it is in use: the next connection takes what is there by then. */
static void test_a_certificate_that_went_bad_is_named(void **state)
{
	struct world *w = *state;
	char words[256];

	open_with_identity(w);
	peer_on(w->peer, "GET /once", "", OK_ANSWER)->act = PEER_CLOSE;
	open_http(w);
	get(w, url_at(w, w->peer, "/once"));
	assert_answered(w);
	spoil(w->identity);
	get(w, url_at(w, w->peer, "/a"));
	assert_int_equal(w->failure, BW_HTTP_TLS);
	(void)snprintf(words, sizeof(words), "%s: cannot be read as a certificate in PEM", w->identity);
	assert_string_equal(w->error, words);
	identity_write(w->identity, "DNS:me");
	get(w, url_at(w, w->peer, "/a"));
	assert_answered(w);
	assert_int_equal(shown, 2);
}

/* --- peers that want one ---------------------------------------------------------------------- */

#define NO_CERT "it wants a client certificate, and there is none for it"

static int refuse_cert(X509_STORE_CTX *ctx, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	return 0;
}

/* `version`: the newest that the peer speaks. */
static void open_demanding(struct world *w, int version)
{
	w->tls = peer_tls("IP:127.0.0.1", 10, w->ca);
	want_cert(w->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &shown);
	SSL_CTX_set_max_proto_version(w->tls, version);
	w->peer = peer_new(w->tls);
	peer_on(w->peer, "", "", OK_ANSWER);
	w->ca_files[0] = w->ca;
}

static void test_who_wants_a_certificate_and_gets_none_is_told_so(void **state)
{
	struct world *w = *state;

	open_demanding(w, TLS1_2_VERSION); /* an alert within the handshake */
	open_http(w);
	get(w, url_at(w, w->peer, "/a"));
	assert_string_equal(w->error, NO_CERT);
	assert_int_equal(w->failure, BW_HTTP_TLS);
	assert_int_equal(w->cause, BW_HTTP_CERT_WANTED);
	SSL_CTX_set_max_proto_version(w->tls, TLS1_3_VERSION); /* behind it, with or without an alert */
	get(w, url_at(w, w->peer, "/a"));
	assert_string_equal(w->error, NO_CERT);
	assert_int_equal(w->cause, BW_HTTP_CERT_WANTED);
	/* One that only asks is done with it. */
	SSL_CTX_set_verify(w->tls, SSL_VERIFY_PEER, NULL);
	get(w, url_at(w, w->peer, "/a"));
	assert_answered(w);
}

static void test_who_does_not_take_our_certificate_is_told_so_with_its_file(void **state)
{
	struct world *w = *state;
	char words[256];

	open_demanding(w, TLS1_2_VERSION);
	SSL_CTX_set_cert_verify_callback(w->tls, refuse_cert, NULL);
	identity_write(w->identity, "DNS:me");
	(void)snprintf(w->place, sizeof(w->place), "https://127.0.0.1:%u/", w->peer->port);
	w->options.client_cert = w->identity;
	w->options.client_place = w->place;
	open_http(w);
	get(w, url_at(w, w->peer, "/a"));
	(void)snprintf(words, sizeof(words), "it does not take our client certificate (%s): unknown CA",
		       w->identity);
	assert_string_equal(w->error, words);
	assert_int_equal(w->failure, BW_HTTP_TLS);
	assert_int_equal(w->cause, BW_HTTP_CERT_WANTED);
	SSL_CTX_set_max_proto_version(w->tls, TLS1_3_VERSION); /* the alert may be lost */
	get(w, url_at(w, w->peer, "/a"));
	(void)snprintf(words, sizeof(words), " our client certificate (%s)", w->identity);
	if (!strstr(w->error, words))
		fail_msg("%s", w->error);
}

/* --- proxies ---------------------------------------------------------------------------------- */

#define CLOSED "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"

static void open_proxy(struct world *w, char *url, size_t size)
{
	w->peer = peer_new(NULL);
	peer_on(w->peer, "GET http://h.example/a", "", OK_ANSWER);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	peer_on(w->peer, "CONNECT ", "", CLOSED);
	(void)snprintf(url, size, "http://127.0.0.1:%u", w->peer->port);
	w->options.proxy = url;
}

static void test_a_proxy_that_is_said_is_for_all_requests(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;
	char proxy[64];

	setenv("no_proxy", "*", 1);
	open_proxy(w, proxy, sizeof(proxy));
	open_http(w);
	get(w, "http://h.example/a");
	assert_answered(w);
	assert_int_equal(peer_count(w->peer, "GET http://h.example/a", ""), 1);
	req = request(url_at(w, w->peer, "/a"));
	req.is_direct = true;
	run(w, &req);
	assert_answered(w);
	assert_int_equal(peer_count(w->peer, "GET /a", ""), 1);
	req.url = "http://h.example/a";
	req.is_direct = false; /* and the same handle is back at it */
	run(w, &req);
	assert_answered(w);
}

static void test_no_proxy_at_all_may_be_said(void **state)
{
	struct world *w = *state;
	char proxy[64];

	open_proxy(w, proxy, sizeof(proxy));
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	w->options.proxy = "";
	open_http(w);
	get(w, url_at(w, w->peer, "/a"));
	assert_answered(w);
	bw_http_free(BW_TAKE(w->http));
	w->options.proxy = NULL;
	open_http(w);
	get(w, url_at(w, w->peer, "/a"));
	assert_int_equal(w->failure, BW_HTTP_CONNECT);
}

static void assert_at_proxy(const struct world *w, const char *proxy, const char *words)
{
	BW_AUTOFREE char *start = bw_asprintf("no way through the proxy %s: ", proxy);

	assert_int_equal(w->failure, BW_HTTP_CONNECT);
	if (strncmp(w->error, start, strlen(start)) != 0 || !strstr(w->error, words))
		fail_msg("%s", w->error);
}

static void test_a_proxy_that_lets_nobody_through_is_named(void **state)
{
	struct world *w = *state;
	char proxy[64];

	open_proxy(w, proxy, sizeof(proxy));
	open_http(w);
	get(w, "https://h.example/a");
	assert_at_proxy(w, proxy + 7, "403");
	assert_int_equal(peer_count(w->peer, "CONNECT h.example:443", ""), 1);
}

static void test_a_proxy_that_is_not_there_is_named_without_its_user(void **state)
{
	struct world *w = *state;

	w->options.proxy = "http://127.0.0.1:1";
	open_http(w);
	get(w, "https://h.example/a");
	assert_at_proxy(w, "127.0.0.1:1", "connect");
	get(w, "http://h.example/a");
	assert_at_proxy(w, "127.0.0.1:1", "connect");
	bw_http_free(BW_TAKE(w->http));
	w->options.proxy = NULL;
	setenv("https_proxy", "http://bot:sesame@127.0.0.1:1/", 1);
	open_http(w);
	get(w, "https://h.example/a");
	assert_at_proxy(w, "127.0.0.1:1", "connect");
	assert_null(strstr(w->error, "sesame"));
	/* Who is gone to without it has troubles of his own. */
	setenv("no_proxy", "127.0.0.1", 1);
	get(w, "https://127.0.0.1:1/a");
	assert_int_equal(w->failure, BW_HTTP_CONNECT);
	assert_null(strstr(w->error, "proxy"));
}

/* libcurl repeats such a value in its own words. */
static void test_a_proxy_that_is_no_url_is_not_repeated(void **state)
{
	static const char *const values[] = {
		"htp://joe:sesame@127.0.0.1:48888", "http://joe:sesame@127.0.0.1:99999",
		"http://joe:ses ame@127.0.0.1:1\t", "htp://joe:'s@esame'@p",
		"joe:1/sesame@127.0.0.1",	    "htp://sesame"};
	struct world *w = *state;

	open_http(w);
	for (size_t i = 0; i < BW_COUNT(values); i++) {
		struct bw_http_request req = request("https://h.example/a");
		struct bw_http_transfer *t;
		struct bw_err err = BW_ERR_INIT;

		setenv("https_proxy", values[i], 1);
		unsetenv("no_proxy");
		assert_int_equal(bw_http_start(w->http, &req, note, w, &t, &err), BW_E_INPUT);
		if (strncmp(err.msg, "https_proxy is no URL of a proxy: ", 34) != 0 ||
		    strstr(err.msg, "same"))
			fail_msg("%s", err.msg);
		setenv("no_proxy", "10.0.0.0/8", 1); /* then only libcurl knows who has one */
		get(w, "https://127.0.0.1.invalid/a");
		assert_true(w->failure == BW_HTTP_CONNECT || w->failure == BW_HTTP_DNS);
		if (strstr(w->error, "same") || strstr(w->error, "joe:"))
			fail_msg("%s", w->error);
	}
}

static void test_words_of_the_library_that_may_hold_a_user_are_not_told(void **state)
{
	static const char *const rows[][2] = {
		{"Failed to connect to h port 1: no way \n", "Failed to connect to h port 1: no way"},
		{"", "Couldn't connect to server"},
		{"no way to http://joe:sesame@h/", "Couldn't connect to server"},
		{"no way to //joe:se same'\"@sesame@h", "Couldn't connect to server"},
		{"Unsupported proxy scheme for 'htp://sesame'",
		 "a proxy of the environment is no URL of one"},
		{"unsupported proxy 'https://joe:sesame@p', libcurl is built without",
		 "a proxy of the environment is no URL of one"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "%s", rows[i][0]);
		assert_string_equal(bw_fault_words(text, 7), rows[i][1]);
	}
}

/* The rules for strangers look at the place, and not at the proxy, which may be anywhere. */
static void test_refusals_are_about_the_place_behind_a_proxy(void **state)
{
	struct world *w = *state;
	struct bw_http_request req = request("http://h.example/a");
	char proxy[64];

	open_proxy(w, proxy, sizeof(proxy));
	open_http(w);
	req.refuse = BW_ADDRESS_LOOPBACK;
	run(w, &req);
	assert_answered(w);
	req.url = "http://127.0.0.1:9/a";
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_CONNECT);
	assert_non_null(strstr(w->error, "is a loopback address, which is not talked to"));
	assert_int_equal(peer_count(w->peer, "", ""), 1);
	/* A place that happens to be where some other proxy is said to be is none. */
	bw_http_free(BW_TAKE(w->http));
	w->options.proxy = "";
	setenv("http_proxy", proxy, 1);
	open_http(w);
	req = request(url_at(w, w->peer, "/a"));
	req.refuse = BW_ADDRESS_LOOPBACK;
	run(w, &req);
	assert_non_null(strstr(w->error, "is a loopback address, which is not talked to"));
}

static void test_a_proxy_does_not_see_our_certificate(void **state)
{
	struct world *w = *state;
	char proxy[64];

	open_with_identity(w);
	peer_on(w->peer, "CONNECT ", "", CLOSED);
	(void)snprintf(proxy, sizeof(proxy), "https://127.0.0.1:%u", w->peer->port);
	w->options.proxy = proxy;
	w->options.client_place = "https://h.example/";
	open_http(w);
	get(w, "https://h.example/a");
	assert_at_proxy(w, proxy + 8, "403");
	assert_int_equal(peer_count(w->peer, "CONNECT h.example:443", ""), 1);
	assert_int_equal(shown, 0);
}

static void test_a_proxy_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *proxy, *words;
	} rows[] = {
		{"proxy.lan:3128", "proxy: begins with none of http://, https://, socks5h://"},
		{"socks4://proxy.lan", "proxy: begins with none of http://, https://, socks5h://"},
		{"http://bot:sesame@proxy.lan", "proxy: there is a user in it; that is not supported"},
		{"http://proxy.lan/path", "proxy: not HOST[:PORT] behind the scheme"},
		{"http://proxy.lan:1 ", "proxy: not HOST[:PORT] behind the scheme"},
		{"http://", "proxy: its host or its port makes no sense"},
		{"http://:80", "proxy: its host or its port makes no sense"},
		{"http://proxy.lan:0", "proxy: its host or its port makes no sense"},
		{"http://proxy.lan:70000", "proxy: its host or its port makes no sense"},
	};
	static const char *const good[] = {"http://proxy.lan", "HTTPS://proxy.lan:8443/",
					   "socks5h://[::1]:9050"};
	struct world *w = *state;

	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_err err = BW_ERR_INIT;

		w->options.proxy = rows[i].proxy;
		if (bw_http_new(w->loop, &w->options, &w->http, &err) != BW_E_INPUT ||
		    strcmp(err.msg, rows[i].words) != 0)
			fail_msg("%s: %s", rows[i].proxy, err.msg);
	}
	for (size_t i = 0; i < BW_COUNT(good); i++) {
		w->options.proxy = good[i];
		open_http(w);
		bw_http_free(BW_TAKE(w->http));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_of_several_ca_files_is_trusted),
		TEST(test_our_certificate_does_not_go_along_with_a_redirect),
		TEST(test_who_is_redirected_to_and_wants_one_gets_none),
		TEST(test_it_is_shown_to_its_own_place_only),
		TEST(test_a_certificate_that_went_bad_is_named),
		TEST(test_a_proxy_that_is_said_is_for_all_requests),
		TEST(test_no_proxy_at_all_may_be_said),
		TEST(test_a_proxy_that_lets_nobody_through_is_named),
		TEST(test_a_proxy_that_is_not_there_is_named_without_its_user),
		TEST(test_refusals_are_about_the_place_behind_a_proxy),
		TEST(test_who_wants_a_certificate_and_gets_none_is_told_so),
		TEST(test_who_does_not_take_our_certificate_is_told_so_with_its_file),
		TEST(test_a_proxy_that_is_no_url_is_not_repeated),
		TEST(test_words_of_the_library_that_may_hold_a_user_are_not_told),
		TEST(test_a_proxy_does_not_see_our_certificate),
		TEST(test_a_proxy_that_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
