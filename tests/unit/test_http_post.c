/* test_http_post.c - bodies, places that are refused, and client certificates. */
#include "unit/unit.h"

#include <string.h>

#include "net/address.h"
#include "net/http.h"
#include "unit/identity.h"
#include "unit/peer.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct world {
	struct bw_loop *loop;
	struct bw_http *http;
	struct peer *peer, *other;
	SSL_CTX *tls;
	char ca[64], identity[64], place[64], url[256];
	bool is_done, is_refused;
	enum bw_http_failure failure;
	unsigned status;
	char error[512], body[64], location[256];
	const char *memory; /* of the body */
};

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-post-%d-ca", (int)getpid());
	(void)snprintf(w->identity, sizeof(w->identity), "/tmp/basewatch-post-%d-me", (int)getpid());
	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	bw_http_free(w->http);
	bw_loop_free(w->loop);
	peer_free(w->peer);
	peer_free(w->other);
	SSL_CTX_free(w->tls);
	(void)unlink(w->ca);
	(void)unlink(w->identity);
	free(w);
	return 0;
}

static void open_http(struct world *w, const char *ca, const char *cert)
{
	const char *const ca_files[] = {ca, NULL};
	struct bw_http_options o = {.ca_files = ca_files,
				    .client_cert = cert,
				    .client_place = w->place,
				    .user_agent = "basewatch/test"};
	struct bw_err err = BW_ERR_INIT;

	if (bw_http_new(w->loop, &o, &w->http, &err) < 0)
		fail_msg("%s", err.msg);
}

static void note(const struct bw_http_response *r, void *arg)
{
	struct world *w = arg;

	w->is_done = true;
	w->failure = r->failure;
	w->is_refused = r->is_refused;
	w->status = r->status;
	(void)snprintf(w->error, sizeof(w->error), "%s", r->error);
	(void)snprintf(w->body, sizeof(w->body), "%s", bw_buf_str(r->body));
	w->memory = bw_buf_str(r->body);
	(void)bw_http_header(r, "location", 0, w->location, sizeof(w->location));
}

static struct bw_http_request request(struct world *w, enum bw_http_method method, const char *host,
				      const char *path)
{
	(void)snprintf(w->url, sizeof(w->url), "%s://%s:%u%s", w->tls ? "https" : "http", host, w->peer->port,
		       path);
	return (struct bw_http_request){
		.method = method,
		.url = w->url,
		.allow_plain = true,
		.is_direct = true,
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
	assert_false(w->is_done);
	while (!w->is_done)
		bw_loop_run(w->loop);
}

static void open_plain(struct world *w)
{
	w->peer = peer_new(NULL);
	peer_on(w->peer, "", "", OK_ANSWER);
	open_http(w, NULL, NULL);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void test_a_body_is_sent_with_its_headers(void **state)
{
	static const char *const headers[] = {"Content-Type: text/x", "X-A: b", NULL};
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	req = request(w, BW_HTTP_POST, "127.0.0.1", "/hook");
	req.headers = headers;
	req.body = "one\0two";
	req.body_len = 3;
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_OK);
	assert_int_equal(w->status, 200);
	assert_string_equal(w->body, "hello");
	assert_int_equal(peer_count(w->peer, "POST /hook HTTP/1.1", "\r\n\r\none"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "Content-Type: text/x\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "X-A: b\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "Content-Length: 3\r\n"), 1);
}

/* It waits for the next request with its buffer, which nobody has to read before that. */
static void test_of_a_secret_answer_nothing_stays(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	for (unsigned i = 0; i < 2; i++) {
		req = request(w, BW_HTTP_GET, "127.0.0.1", "/");
		req.max_body = 100;
		req.has_secret = i > 0;
		run(w, &req);
		assert_string_equal(w->body, "hello");
		assert_string_equal(w->memory, i > 0 ? "" : "hello");
	}
}

static void test_the_methods_follow_each_other_on_one_connection(void **state)
{
	static const enum bw_http_method methods[] = {BW_HTTP_POST, BW_HTTP_HEAD, BW_HTTP_POST,
						      BW_HTTP_GET,  BW_HTTP_POST, BW_HTTP_GET};
	struct world *w = *state;

	w->peer = peer_new(NULL);
	peer_on(w->peer, "HEAD", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	peer_on(w->peer, "", "", OK_ANSWER);
	open_http(w, NULL, NULL);
	for (unsigned i = 0; i < BW_COUNT(methods); i++) {
		struct bw_http_request req = request(w, methods[i], "127.0.0.1", "/");

		req.body = "body";
		req.body_len = 4;
		run(w, &req);
		assert_int_equal(w->failure, BW_HTTP_OK);
	}
	assert_int_equal(peer_count(w->peer, "POST / ", "\r\n\r\nbody"), 3);
	assert_int_equal(peer_count(w->peer, "GET / ", ""), 2);
	assert_int_equal(peer_count(w->peer, "HEAD / ", ""), 1);
	assert_int_equal(peer_count(w->peer, "GET / ", "body"), 0);
	assert_int_equal(peer_connections(w->peer), 1);
}

static void test_an_empty_body_is_one(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	req = request(w, BW_HTTP_POST, "127.0.0.1", "/");
	run(w, &req);
	assert_int_equal(peer_count(w->peer, "POST / ", "Content-Length: 0\r\n"), 1);
}

static void test_a_post_is_not_redirected(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	w->peer = peer_new(NULL);
	peer_on(w->peer, "POST", "", "HTTP/1.1 307 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
	peer_on(w->peer, "GET /a", "", "HTTP/1.1 302 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
	peer_on(w->peer, "GET /there", "", OK_ANSWER);
	open_http(w, NULL, NULL);
	req = request(w, BW_HTTP_POST, "127.0.0.1", "/a");
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_OK);
	assert_int_equal(w->status, 307);
	assert_string_equal(w->location, "/there");
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/a");
	req.stays = true;
	run(w, &req);
	assert_int_equal(w->status, 302);
	req.stays = false; /* and the handle remembers nothing of it */
	run(w, &req);
	assert_int_equal(w->status, 200);
	assert_int_equal(peer_count(w->peer, "", "/there"), 1);
}

/* --- places that are refused ------------------------------------------------------------------ */

static void assert_is_refused(const struct world *w, const char *words)
{
	assert_int_equal(w->failure, BW_HTTP_CONNECT);
	assert_true(w->is_refused);
	if (!strstr(w->error, words))
		fail_msg("%s", w->error);
}

static void test_a_refused_address_is_not_connected_to(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/");
	req.refuse = BW_ADDRESS_LOOPBACK;
	run(w, &req);
	assert_is_refused(w, "127.0.0.1 is a loopback address, which is not talked to");
	assert_int_equal(peer_connections(w->peer), 0);
	req = request(w, BW_HTTP_GET, "169.254.169.254", "/");
	req.refuse = BW_ADDRESS_LINK_LOCAL;
	run(w, &req);
	assert_is_refused(w, "169.254.169.254 is a link-local or metadata address, which is not talked to");
}

static void test_a_name_for_a_refused_address_is_refused_too(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	req = request(w, BW_HTTP_GET, "localhost", "/");
	req.refuse = BW_ADDRESS_LOOPBACK;
	run(w, &req);
	assert_is_refused(w, "is a loopback address, which is not talked to");
	assert_int_equal(peer_connections(w->peer), 0);
}

static void test_a_connection_that_is_there_is_refused_before_a_byte_goes_out(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/");
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_OK);
	assert_false(w->is_refused);
	req.refuse = BW_ADDRESS_LOOPBACK;
	run(w, &req);
	assert_is_refused(w, "127.0.0.1 is a loopback address");
	assert_int_equal(peer_count(w->peer, "", ""), 1);
	req.refuse = BW_ADDRESS_LINK_LOCAL;
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_OK);
}

static void test_a_redirect_to_a_refused_place_is_not_followed(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;
	char answer[256];

	w->peer = peer_new(NULL);
	w->other = peer_new(NULL);
	peer_on(w->other, "", "", OK_ANSWER);
	(void)snprintf(answer, sizeof(answer),
		       "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n",
		       w->other->port);
	peer_on(w->peer, "GET /a", "", answer);
	peer_on(w->peer, "GET /meta", "",
		"HTTP/1.1 302 Go\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
	open_http(w, NULL, NULL);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/a");
	req.refuse_hops =
		BW_ADDRESS_LOOPBACK; /* the first place was named by the user, and is there itself */
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_OK);
	assert_int_equal(peer_connections(w->other), 1);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/meta");
	req.refuse = BW_ADDRESS_LINK_LOCAL; /* holds for all hops */
	run(w, &req);
	assert_is_refused(w, "169.254.169.254 is a link-local or metadata address");
	req.refuse = 0;
	req.refuse_hops = BW_ADDRESS_LINK_LOCAL;
	run(w, &req);
	assert_is_refused(w, "169.254.169.254 is a link-local or metadata address");
}

static void test_a_redirect_into_this_machine_is_refused_to_who_is_not_there(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;
	char text[256];

	w->peer = peer_new(NULL);
	w->other = peer_new(NULL);
	peer_on(w->other, "", "", OK_ANSWER);
	(void)snprintf(text, sizeof(text),
		       "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n",
		       w->other->port);
	peer_on(w->peer, "GET http://h.example", "", text);
	open_http(w, NULL, NULL);
	(void)snprintf(text, sizeof(text), "http://127.0.0.1:%u", w->peer->port);
	setenv("http_proxy", text, 1);
	req = request(w, BW_HTTP_GET, "h.example", "/");
	req.is_direct = false;
	req.refuse_hops = BW_ADDRESS_LOOPBACK;
	run(w, &req);
	assert_is_refused(w, "the host of the URL is a loopback address");
	assert_int_equal(peer_connections(w->other), 0);
	req.refuse = BW_ADDRESS_LOOPBACK; /* the proxy is there, and yet it is used */
	run(w, &req);
	unsetenv("http_proxy");
	assert_is_refused(w, "the host of the URL is a loopback address");
	assert_int_equal(peer_count(w->peer, "GET http://h.example", ""), 2);
}

static bool is_named(const char *url, void *arg)
{
	return strstr(url, arg) != NULL;
}

static void test_what_the_user_named_is_not_refused(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;
	char port[16];

	open_plain(w);
	(void)snprintf(port, sizeof(port), ":%u/", w->peer->port);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/");
	req.refuse = BW_ADDRESS_LOOPBACK;
	req.is_named = is_named;
	req.named_arg = port;
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_OK);
	port[1] = 'x';
	run(w, &req);
	assert_is_refused(w, "127.0.0.1 is a loopback address");
}

/* What stands in the URL is looked at even when a proxy connects for us. */
static void test_a_proxy_is_not_asked_for_a_refused_address(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;
	char proxy[64];

	open_plain(w);
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", w->peer->port);
	setenv("http_proxy", proxy, 1);
	req = request(w, BW_HTTP_GET, "169.254.169.254", "/");
	req.is_direct = false;
	req.refuse = BW_ADDRESS_LINK_LOCAL;
	run(w, &req);
	unsetenv("http_proxy");
	assert_is_refused(w, "the host of the URL is a link-local or metadata address");
	assert_int_equal(peer_count(w->peer, "", ""), 0);
}

/* --- client certificates ---------------------------------------------------------------------- */

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

static void open_mutual(struct world *w)
{
	w->tls = peer_tls("IP:127.0.0.1", 10, w->ca);
	SSL_CTX_set_verify(w->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	SSL_CTX_set_max_proto_version(w->tls, TLS1_2_VERSION); /* which says no within the handshake */
	w->peer = peer_new(w->tls);
	peer_on(w->peer, "", "", OK_ANSWER);
	(void)snprintf(w->place, sizeof(w->place), "https://127.0.0.1:%u/any", w->peer->port);
}

static void test_a_client_certificate_is_shown_to_who_asks(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_mutual(w);
	identity_write(w->identity, "DNS:me");
	open_http(w, w->ca, w->identity);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/");
	run(w, &req);
	assert_string_equal(w->error, "");
	assert_int_equal(w->status, 200);
}

static void test_without_a_client_certificate_the_handshake_fails(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_mutual(w);
	open_http(w, w->ca, NULL);
	req = request(w, BW_HTTP_GET, "127.0.0.1", "/");
	run(w, &req);
	assert_int_equal(w->failure, BW_HTTP_TLS);
	assert_non_null(strstr(w->error, "wants a client certificate, and there is none for it"));
}

static void refuse_identity(struct world *w, const char *cert, const char *key, const char *words)
{
	struct bw_http_options o = {.client_cert = cert, .client_key = key};
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_http_new(w->loop, &o, &w->http, &err), BW_E_INPUT);
	assert_string_equal(err.msg, words);
}

static void test_a_client_certificate_that_cannot_be_used_is_refused_at_once(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char words[512], pass[] = "secret";
	FILE *out;

	identity_write(w->identity, "DNS:me");
	refuse_identity(w, "/nonexistent.pem", NULL,
			"/nonexistent.pem: cannot be read as a certificate in PEM");
	(void)snprintf(words, sizeof(words),
		       "%s: cannot be read as the key of %s, in PEM and without a pass phrase", w->ca,
		       w->identity);
	refuse_identity(w, w->identity, w->ca, words); /* there is none */
	out = fopen(w->ca, "we");
	PEM_write_PrivateKey(out, key, EVP_aes_128_cbc(), NULL, 0, NULL, pass);
	(void)fclose(out);
	refuse_identity(w, w->identity, w->ca, words); /* with a pass phrase */
	out = fopen(w->ca, "we");
	PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(out);
	refuse_identity(w, w->identity, w->ca, words); /* of another certificate */
	EVP_PKEY_free(key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_body_is_sent_with_its_headers),
		TEST(test_of_a_secret_answer_nothing_stays),
		TEST(test_the_methods_follow_each_other_on_one_connection),
		TEST(test_an_empty_body_is_one),
		TEST(test_a_post_is_not_redirected),
		TEST(test_a_refused_address_is_not_connected_to),
		TEST(test_a_name_for_a_refused_address_is_refused_too),
		TEST(test_a_connection_that_is_there_is_refused_before_a_byte_goes_out),
		TEST(test_a_redirect_into_this_machine_is_refused_to_who_is_not_there),
		TEST(test_what_the_user_named_is_not_refused),
		TEST(test_a_redirect_to_a_refused_place_is_not_followed),
		TEST(test_a_proxy_is_not_asked_for_a_refused_address),
		TEST(test_a_client_certificate_is_shown_to_who_asks),
		TEST(test_without_a_client_certificate_the_handshake_fails),
		TEST(test_a_client_certificate_that_cannot_be_used_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
