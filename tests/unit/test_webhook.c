/* test_webhook.c - the sink against a peer that answers by rules: requests, outcomes, places, ends. */
#include "unit/unit.h"

#include <string.h>

#include "core/clock.h"
#include "notify/webhook.h"
#include "unit/identity.h"
#include "unit/names.h"
#include "unit/peer.h"

#define JSON   "{\"specversion\":\"1.0\",\"id\":\"e1\"}"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct seen {
	struct world *world;
	bool is_done;
	enum bw_sink_result result;
	uint32_t retry_after_s;
	char message[600];
};

struct world {
	struct bw_loop *loop;
	struct bw_timer *timer;
	struct bw_sink sink;
	struct peer *peer, *other;
	SSL_CTX *tls;
	char url[256], ca[64], identity[64];
	struct bw_webhook_options options;
	unsigned pending;
	bool frees;
	struct seen seen[32];
};

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-hook-%d-ca", (int)getpid());
	(void)snprintf(w->identity, sizeof(w->identity), "/tmp/basewatch-hook-%d-me", (int)getpid());
	w->options.url = w->url;
	bw_clock_set(0);
	*state = w;
	return 0;
}

static void close_sink(struct world *w)
{
	if (w->sink.ops)
		w->sink.ops->free(w->sink.self);
	w->sink.ops = NULL;
}

static int end(void **state)
{
	struct world *w = *state;

	close_sink(w);
	bw_timer_free(w->timer);
	bw_loop_free(w->loop);
	peer_free(w->peer);
	peer_free(w->other);
	SSL_CTX_free(w->tls);
	(void)unlink(w->ca);
	(void)unlink(w->identity);
	free(w);
	bw_clock_set(0);
	return 0;
}

/* A peer, and a sink for it with the options so far. */
static void open_sink(struct world *w)
{
	struct bw_err err = BW_ERR_INIT;

	if (!w->peer)
		w->peer = peer_new(w->tls);
	if (!*w->url)
		(void)snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%u/hook", w->tls ? "https" : "http",
			       w->peer->port);
	if (bw_webhook_new(w->loop, &w->options, &w->sink, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(w->sink.ops->kind, "webhook");
}

static void note(const struct bw_sink_outcome *o, void *arg)
{
	struct seen *s = arg;
	struct world *w = s->world;

	assert_false(s->is_done);
	s->is_done = true;
	s->result = o->result;
	s->retry_after_s = o->retry_after_s;
	(void)snprintf(s->message, sizeof(s->message), "%s", o->message);
	if (w->frees)
		close_sink(w);
	if (--w->pending == 0)
		bw_loop_stop(w->loop);
}

static void start(struct world *w, unsigned i)
{
	static const struct bw_event e = {
		.id = "e1",
		.type = "io.basewatch.base.changed",
		.subject = "docker.io/library/debian:12",
		.json = JSON,
		.len = sizeof(JSON) - 1,
		.attempt = 1,
	};

	w->seen[i].world = w;
	w->seen[i].is_done = false;
	w->pending++;
	w->sink.ops->start(w->sink.self, &e, note, &w->seen[i]);
	assert_false(w->seen[i].is_done);
}

static const struct seen *send_one(struct world *w)
{
	start(w, 0);
	bw_loop_run(w->loop);
	assert_true(w->seen[0].is_done);
	return &w->seen[0];
}

static void expect(struct world *w, enum bw_sink_result result, uint32_t retry_after_s, const char *message)
{
	const struct seen *s = send_one(w);

	assert_string_equal(s->message, message);
	assert_int_equal(s->result, result);
	assert_int_equal(s->retry_after_s, retry_after_s);
}

/* --- requests --------------------------------------------------------------------------------- */

static void test_an_event_is_posted_as_a_signed_cloud_event(void **state)
{
	static const char *const secrets[] = {SECRET, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL};
	static const char *const headers[] = {"Authorization: Bearer t0ken", "X-Team: web", NULL};
	struct world *w = *state;

	bw_clock_set(1614265330123);
	w->options.secrets = secrets;
	w->options.headers = headers;
	open_sink(w);
	peer_on(w->peer, "POST /hook HTTP/1.1\r\n", "\r\n\r\n" JSON,
		"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
	expect(w, BW_SINK_OK, 0, "HTTP 202");
	assert_int_equal(peer_count(w->peer, "POST",
				    "\r\nContent-Type: application/cloudevents+json; charset=utf-8\r\n"),
			 1);
	assert_int_equal(peer_count(w->peer, "POST", "\r\nwebhook-id: e1\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "\r\nwebhook-timestamp: 1614265330\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "\r\nwebhook-signature: v1,"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "= v1,"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "\r\nAuthorization: Bearer t0ken\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "\r\nX-Team: web\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "\r\nUser-Agent: basewatch/"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "Expect:"), 0);
}

static void test_without_secrets_nothing_is_signed(void **state)
{
	struct world *w = *state;

	open_sink(w);
	peer_on(w->peer, "POST", "", "HTTP/1.1 204 No\r\n\r\n");
	expect(w, BW_SINK_OK, 0, "HTTP 204");
	assert_int_equal(peer_count(w->peer, "POST", "webhook-id: e1"), 1);
	assert_int_equal(peer_count(w->peer, "POST", "webhook-signature"), 0);
}

static void test_several_are_under_way_on_a_few_connections(void **state)
{
	struct world *w = *state;

	open_sink(w);
	peer_on(w->peer, "POST", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(w->sink.ops->room(w->sink.self), 4);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 4; i++)
			start(w, i);
		bw_loop_run(w->loop);
	}
	assert_int_equal(peer_count(w->peer, "POST", ""), 20);
	assert_in_range(peer_connections(w->peer), 1, 4);
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void test_the_answer_decides(void **state)
{
	struct world *w = *state;

	open_sink(w);
	peer_on(w->peer, "POST", "", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy")
		->times = 1;
	peer_on(w->peer, "POST", "", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")->times = 1;
	peer_on(w->peer, "POST", "", "HTTP/1.1 422 No\r\nContent-Length: 8\r\n\r\nno\x1b[1m\nx")->times = 1;
	peer_on(w->peer, "POST", "", "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")->times = 1;
	expect(w, BW_SINK_RETRY, 7, "HTTP 503: busy");
	expect(w, BW_SINK_RETRY, 0, "HTTP 401");
	expect(w, BW_SINK_DEAD, 0, "HTTP 422: no\x1b[1m");
	expect(w, BW_SINK_PAUSED, 0, "HTTP 410");
	expect(w, BW_SINK_RETRY, 0, "HTTP 404"); /* no rule is left */
}

static void test_a_redirect_is_not_followed(void **state)
{
	struct world *w = *state;
	char answer[256], message[256];

	w->other = peer_new(NULL);
	open_sink(w);
	(void)snprintf(answer, sizeof(answer),
		       "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:%u/t0ken\r\nContent-Length: 0\r\n\r\n",
		       w->other->port);
	(void)snprintf(message, sizeof(message),
		       "HTTP 307: redirected to 127.0.0.1:%u; redirects are not followed", w->other->port);
	peer_on(w->peer, "POST", "", answer);
	expect(w, BW_SINK_RETRY, 0, message);
	assert_int_equal(peer_connections(w->other), 0);
}

static void test_what_the_receiver_repeats_is_hidden(void **state)
{
	static const char *const secrets[] = {SECRET, NULL};
	static const char *const headers[] = {"Authorization: Bearer t0ken", NULL};
	struct world *w = *state;

	w->options.secrets = secrets;
	w->options.headers = headers;
	w->peer = peer_new(NULL);
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/0123456789abcdef?key=k", w->peer->port);
	open_sink(w);
	peer_on(w->peer, "POST", "",
		"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n"
		"/0123456789abcdef?key=k t0ken 'Bearer t0ken' MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw " SECRET)
		->act = PEER_CLOSE;
	expect(w, BW_SINK_DEAD, 0, "HTTP 400: /[hidden]?[hidden] [hidden] '[hidden]' [hidden] [hidden]");
}

static void test_no_answer_is_tried_again(void **state)
{
	struct world *w = *state;
	const struct seen *s;

	w->options.timeout_ms = 200;
	open_sink(w);
	peer_on(w->peer, "POST", "", "")->act = PEER_HANG;
	s = send_one(w);
	assert_int_equal(s->result, BW_SINK_RETRY);
	assert_non_null(strstr(s->message, "timed out"));
	peer_free(w->peer);
	w->peer = NULL;
	s = send_one(w);
	assert_int_equal(s->result, BW_SINK_RETRY);
	assert_non_null(strstr(s->message, "127.0.0.1"));
}

static void test_a_large_answer_is_an_answer(void **state)
{
	struct world *w = *state;
	char *answer = bw_alloc(40000);

	(void)snprintf(answer, 40000, "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n");
	memset(answer + strlen(answer), 'x', 30000);
	open_sink(w);
	peer_on(w->peer, "POST", "", answer);
	expect(w, BW_SINK_OK, 0, "HTTP 200");
	free(answer);
}

/* --- places ----------------------------------------------------------------------------------- */

static void test_this_machine_has_to_be_named_or_allowed(void **state)
{
	struct world *w = *state;

	w->peer = peer_new(NULL);
	peer_on(w->peer, "POST", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	(void)snprintf(w->url, sizeof(w->url), "http://localhost:%u/", w->peer->port);
	open_sink(w);
	expect(w, BW_SINK_OK, 0, "HTTP 200");
	close_sink(w);
	/* A place that leads here without the URL saying so. */
	(void)snprintf(w->url, sizeof(w->url), "http://" REBOUND ":%u/", w->peer->port);
	open_sink(w);
	expect(w, BW_SINK_RETRY, 0, "127.0.0.1 is a loopback address, which is not talked to");
	close_sink(w);
	w->options.allow_loopback = true;
	open_sink(w);
	expect(w, BW_SINK_OK, 0, "HTTP 200");
	assert_int_equal(peer_count(w->peer, "POST /", "Host: " REBOUND), 1);
}

static void test_the_users_proxy_may_be_on_this_machine(void **state)
{
	struct world *w = *state;
	char proxy[64];

	w->peer = peer_new(NULL);
	peer_on(w->peer, "POST", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", w->peer->port);
	setenv("http_proxy", proxy, 1);
	(void)snprintf(w->url, sizeof(w->url), "http://h.example/");
	open_sink(w);
	expect(w, BW_SINK_OK, 0, "HTTP 200");
	unsetenv("http_proxy");
	assert_int_equal(peer_count(w->peer, "POST http://h.example/", ""), 1);
}

static void test_link_local_places_need_leave(void **state)
{
	struct world *w = *state;
	const struct seen *s;

	(void)snprintf(w->url, sizeof(w->url), "http://169.254.169.254/latest");
	w->options.timeout_ms = 300;
	open_sink(w);
	expect(w, BW_SINK_RETRY, 0,
	       "169.254.169.254 is a link-local or metadata address, which is not talked to");
	close_sink(w);
	w->options.allow_link_local = true;
	open_sink(w);
	s = send_one(w);
	assert_int_equal(s->result, BW_SINK_RETRY); /* nobody is there */
	assert_null(strstr(s->message, "not talked to"));
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void test_the_ca_file_and_the_client_certificate_are_used(void **state)
{
	struct world *w = *state;
	const struct seen *s;

	setenv("SSL_CERT_FILE", "/nonexistent", 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	w->tls = peer_tls("IP:127.0.0.1", 10, w->ca);
	SSL_CTX_set_max_proto_version(w->tls, TLS1_2_VERSION);
	identity_write(w->identity, "DNS:me");
	assert_int_equal(SSL_CTX_load_verify_locations(w->tls, w->identity, NULL), 1);
	SSL_CTX_set_verify(w->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	open_sink(w);
	peer_on(w->peer, "POST", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	s = send_one(w);
	assert_int_equal(s->result, BW_SINK_RETRY);
	assert_non_null(strstr(s->message, "certificate"));
	close_sink(w);
	w->options.ca_file = w->ca;
	open_sink(w);
	assert_int_equal(send_one(w)->result, BW_SINK_RETRY); /* ours is missing */
	close_sink(w);
	w->options.cert = w->identity;
	open_sink(w);
	expect(w, BW_SINK_OK, 0, "HTTP 200");
}

/* --- options ---------------------------------------------------------------------------------- */

static void refuse(struct world *w, const char *url, const char *header, const char *message)
{
	const char *headers[] = {header, NULL};
	struct bw_err err = BW_ERR_INIT;

	w->options.url = url;
	w->options.headers = headers;
	assert_int_equal(bw_webhook_new(w->loop, &w->options, &w->sink, &err), BW_E_INPUT);
	assert_string_equal(err.msg, message);
	assert_null(w->sink.ops);
	w->options.headers = NULL;
}

static void test_options_that_can_never_work_are_refused(void **state)
{
	static const char *const secrets[] = {"sesame", NULL};
	static const char good[] = "https://h.example/t0ken";
	struct world *w = *state;

	refuse(w, "ftp://h/", NULL, "the URL has to begin with https:// or http://");
	refuse(w, "https:///x", NULL, "the URL has no host, or blanks or control characters in it");
	refuse(w, "https://h/a b", NULL, "the URL has no host, or blanks or control characters in it");
	refuse(w, "https://h/\n", NULL, "the URL has no host, or blanks or control characters in it");
	refuse(w, "https://bot:pw@h/", NULL,
	       "the URL has a user in it; put \"Authorization: Basic ...\" into the headers");
	refuse(w, good, "t0ken", "header 1: not \"Name: value\"");
	refuse(w, good, ": t0ken", "header 1: not \"Name: value\"");
	refuse(w, good, "A b: t0ken", "header 1: not \"Name: value\"");
	refuse(w, good, "X-A: t0ken\r\nX-B: c",
	       "header X-A: its value is empty, or has control characters in it");
	refuse(w, good, "X-A: ", "header X-A: its value is empty, or has control characters in it");
	refuse(w, good, "content-length: 5", "header content-length: cannot be set");
	refuse(w, good, "Webhook-Id: 5", "header Webhook-Id: cannot be set");
	refuse(w, good, "Host: x", "header Host: cannot be set");
	w->options.ca_file = "/nonexistent.pem";
	refuse(w, good, "X-A: b", "/nonexistent.pem: cannot be read as a file of PEM certificates");
	w->options.ca_file = NULL;
	w->options.secrets = secrets;
	refuse(w, good, "X-A: b",
	       "secret 1: not base64 of 24 to 64 bytes, with \"whsec_\" before it or without");
}

static void test_there_is_room_for_sixteen_headers(void **state)
{
	struct world *w = *state;
	const char *headers[18] = {NULL};
	struct bw_err err = BW_ERR_INIT;

	for (unsigned i = 0; i < 17; i++)
		headers[i] = "X-A: b";
	w->options.headers = headers;
	w->options.url = "https://h.example/";
	assert_int_equal(bw_webhook_new(w->loop, &w->options, &w->sink, &err), BW_E_INPUT);
	assert_string_equal(err.msg, "more than 16 headers");
	headers[16] = NULL;
	w->options.url = w->url;
	open_sink(w);
	peer_on(w->peer, "POST", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	expect(w, BW_SINK_OK, 0, "HTTP 200");
}

/* --- ends ------------------------------------------------------------------------------------- */

static void stop(void *arg)
{
	struct world *w = arg;

	if (peer_count(w->peer, "POST", "") < 2) {
		bw_timer_start(w->timer, 1);
		return;
	}
	bw_loop_stop(w->loop);
}

static void hang_two(struct world *w)
{
	open_sink(w);
	peer_on(w->peer, "POST", "", "")->act = PEER_HANG;
	start(w, 0);
	start(w, 1);
	w->timer = bw_timer_new(w->loop, stop, w);
	bw_timer_start(w->timer, 1);
	bw_loop_run(w->loop);
}

static void test_a_cancelled_event_says_nothing(void **state)
{
	struct world *w = *state;

	hang_two(w);
	w->sink.ops->cancel(w->sink.self, &w->seen[0]);
	peer_on(w->peer, "none", "", "");
	start(w, 2);
	w->sink.ops->cancel(w->sink.self, &w->seen[2]); /* before anything happened */
	w->sink.ops->cancel(w->sink.self, &w->seen[9]); /* never started */
	assert_false(w->seen[0].is_done || w->seen[1].is_done || w->seen[2].is_done);
}

static void test_it_is_freed_with_events_under_way(void **state)
{
	struct world *w = *state;

	hang_two(w);
	close_sink(w);
	assert_false(w->seen[0].is_done || w->seen[1].is_done);
}

static void test_it_may_be_freed_in_an_answer(void **state)
{
	struct world *w = *state;

	open_sink(w);
	peer_on(w->peer, "POST", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	w->frees = true;
	expect(w, BW_SINK_OK, 0, "HTTP 200");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_event_is_posted_as_a_signed_cloud_event),
		TEST(test_without_secrets_nothing_is_signed),
		TEST(test_several_are_under_way_on_a_few_connections),
		TEST(test_the_answer_decides),
		TEST(test_a_redirect_is_not_followed),
		TEST(test_what_the_receiver_repeats_is_hidden),
		TEST(test_no_answer_is_tried_again),
		TEST(test_a_large_answer_is_an_answer),
		TEST(test_this_machine_has_to_be_named_or_allowed),
		TEST(test_the_users_proxy_may_be_on_this_machine),
		TEST(test_link_local_places_need_leave),
		TEST(test_the_ca_file_and_the_client_certificate_are_used),
		TEST(test_options_that_can_never_work_are_refused),
		TEST(test_there_is_room_for_sixteen_headers),
		TEST(test_a_cancelled_event_says_nothing),
		TEST(test_it_is_freed_with_events_under_way),
		TEST(test_it_may_be_freed_in_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
