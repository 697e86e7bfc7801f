/* test_http.c - the door to libcurl against a real peer: answers, limits, redirects, TLS, and ending it at any time. */
#include "unit/unit.h"

#include <string.h>

#include "core/buf.h"
#include "net/http.h"
#include "net/loop.h"
#include "unit/peer.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Answer: yes\r\n\r\nhello"
#define OK_HEAD	  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Answer: yes\r\n\r\n"

struct seen {
	bool is_done;
	enum bw_http_failure failure;
	bool timed_out, redirected;
	unsigned status, http_version;
	char url[256], address[64], error[512], answer[32];
	size_t length;
	struct bw_http_transfer *transfer;
	struct world *world;
	void (*then)(struct seen *s); /* called inside of the callback */
};

struct world {
	struct bw_loop *loop;
	struct bw_http *http;
	struct bw_timer *timer;
	struct peer *peer, *other;
	SSL_CTX *tls, *other_tls;
	unsigned pending;
	char ca[64], other_ca[64];
	struct seen seen[64];
};

/* --- the stage -------------------------------------------------------------------------------- */

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	(void)snprintf(w->ca, sizeof(w->ca), "/tmp/basewatch-ca-%d-1", (int)getpid());
	(void)snprintf(w->other_ca, sizeof(w->other_ca), "/tmp/basewatch-ca-%d-2", (int)getpid());
	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	bw_http_free(w->http);
	bw_timer_free(w->timer);
	bw_loop_free(w->loop);
	peer_free(w->peer);
	peer_free(w->other);
	SSL_CTX_free(w->tls);
	SSL_CTX_free(w->other_tls);
	(void)unlink(w->ca);
	(void)unlink(w->other_ca);
	free(w);
	return 0;
}

static void open_http(struct world *w, const char *ca_file)
{
	const char *const ca_files[] = {ca_file, NULL};
	struct bw_http_options o = {.ca_files = ca_files, .user_agent = "basewatch/test"};
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_http_new(w->loop, &o, &w->http, &err), 0);
}

static void open_plain(struct world *w)
{
	w->peer = peer_new(NULL);
	open_http(w, NULL);
}

static void note(const struct bw_http_response *r, void *arg)
{
	struct seen *s = arg;
	struct world *w = s->world;

	assert_false(s->is_done);
	s->is_done = true;
	s->failure = r->failure;
	s->timed_out = r->timed_out;
	s->redirected = r->redirected;
	s->status = r->status;
	s->http_version = r->http_version;
	s->length = r->body->len;
	(void)snprintf(s->url, sizeof(s->url), "%s", r->effective_url);
	(void)snprintf(s->address, sizeof(s->address), "%s", r->peer_address);
	(void)snprintf(s->error, sizeof(s->error), "%s", r->error);
	(void)bw_http_header(r, "x-answer", 0, s->answer, sizeof(s->answer));
	if (s->then)
		s->then(s);
	if (--w->pending == 0)
		bw_loop_stop(w->loop);
}

static struct bw_http_request request(const char *url)
{
	return (struct bw_http_request){
		.method = BW_HTTP_GET,
		.url = url,
		.allow_plain = true,
		.is_direct = true,
		.max_body = 1000,
		.connect_timeout_ms = 5000,
		.timeout_ms = 5000,
	};
}

static void start(struct world *w, unsigned i, const struct bw_http_request *req)
{
	struct bw_err err = BW_ERR_INIT;

	w->seen[i].world = w;
	w->pending++;
	assert_int_equal(bw_http_start(w->http, req, note, &w->seen[i], &w->seen[i].transfer, &err), 0);
	assert_false(w->seen[i].is_done); /* never inside of the call */
}

static const char *url_of(const struct peer *p, const char *scheme, const char *path)
{
	static char url[256];

	(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", scheme, p->port, path);
	return url;
}

/* One request, to its end. */
static struct seen *get(struct world *w, const char *scheme, const char *path)
{
	struct bw_http_request req = request(url_of(w->peer, scheme, path));

	memset(&w->seen[0], 0, sizeof(w->seen[0]));
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_true(w->seen[0].is_done);
	return &w->seen[0];
}

static void assert_failed(const struct seen *s, enum bw_http_failure failure)
{
	if (s->failure != failure)
		fail_msg("failure %d, not %d: %s (status %u)", s->failure, failure, s->error, s->status);
	assert_true(*s->error);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void test_an_answer_comes_with_all_that_belongs_to_it(void **state)
{
	struct world *w = *state;
	struct seen *s;

	open_plain(w);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	s = get(w, "http", "/a");
	assert_int_equal(s->failure, BW_HTTP_OK);
	assert_int_equal(s->status, 200);
	assert_int_equal(s->http_version, 1);
	assert_int_equal(s->length, 5);
	assert_string_equal(s->answer, "yes");
	assert_string_equal(s->url, url_of(w->peer, "http", "/a"));
	assert_string_equal(s->address, "127.0.0.1");
	assert_string_equal(s->error, "");
	assert_false(s->redirected);
}

static void test_head_has_no_body_and_no_limit_for_its_length(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "HEAD /a", "", "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
	req = request(url_of(w->peer, "http", "/a"));
	req.method = BW_HTTP_HEAD;
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_int_equal(w->seen[0].failure, BW_HTTP_OK);
	assert_int_equal(w->seen[0].length, 0);
}

static void test_any_status_is_an_answer(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "GET /500", "", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(get(w, "http", "/500")->failure, BW_HTTP_OK);
	assert_int_equal(w->seen[0].status, 500);
	assert_int_equal(get(w, "http", "/nothing")->status, 404);
}

static void test_headers_go_out_as_they_were_given(void **state)
{
	static const char *const headers[] = {"Accept: x/y, z", "Authorization: Bearer secret", NULL};
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	req = request(url_of(w->peer, "http", "/a"));
	req.headers = headers;
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_int_equal(peer_count(w->peer, "GET /a", "\r\nAccept: x/y, z\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "GET /a", "\r\nAuthorization: Bearer secret\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "GET /a", "\r\nUser-Agent: basewatch/test\r\n"), 1);
	/* The next request on the same handle carries nothing of it. */
	assert_int_equal(get(w, "http", "/a")->status, 200);
	assert_int_equal(peer_count(w->peer, "GET /a", "Authorization"), 1);
	assert_int_equal(peer_count(w->peer, "GET /a", "Accept: x/y"), 1);
	assert_int_equal(peer_count(w->peer, "GET /a", "Accept-Encoding"), 0);
}

static void test_get_and_head_take_turns_on_one_connection(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	peer_on(w->peer, "HEAD /a", "", OK_HEAD);
	for (unsigned i = 0; i < 4; i++) {
		req = request(url_of(w->peer, "http", "/a"));
		req.method = i % 2 ? BW_HTTP_HEAD : BW_HTTP_GET;
		start(w, i, &req);
		bw_loop_run(w->loop);
		assert_int_equal(w->seen[i].status, 200);
		assert_int_equal(w->seen[i].length, i % 2 ? 0 : 5);
	}
	assert_int_equal(peer_connections(w->peer), 1);
}

/* Until there are as many held answers as there can be; then they are let go. */
static void release_when_full(void *arg)
{
	struct world *w = arg;

	if (peer_held(w->peer) == 3)
		peer_release(w->peer);
	else
		bw_timer_start(w->timer, 1);
}

static void test_connections_to_a_host_are_limited(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /a", "", OK_ANSWER)->act = PEER_HOLD;
	req = request(url_of(w->peer, "http", "/a"));
	for (unsigned i = 0; i < 12; i++)
		start(w, i, &req);
	w->timer = bw_timer_new(w->loop, release_when_full, w);
	bw_timer_start(w->timer, 1);
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(w->seen[i].status, 200);
	assert_int_equal(peer_connections(w->peer), 3);
}

/* --- limits and broken answers ---------------------------------------------------------------- */

static void test_a_body_that_is_too_large_is_refused(void **state)
{
	struct world *w = *state;
	char chunked[4096] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

	open_plain(w);
	/* 1000 bytes are allowed. By its length it is refused before the first byte comes. */
	peer_on(w->peer, "GET /length", "", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
	assert_failed(get(w, "http", "/length"), BW_HTTP_LIMIT);
	assert_int_equal(w->seen[0].status, 200);
	assert_string_equal(w->seen[0].error, "the answer is larger than we take");
	for (int i = 0; i < 11; i++)
		(void)snprintf(chunked + strlen(chunked), 200, "64\r\n%0100d\r\n", 0);
	peer_on(w->peer, "GET /chunked", "", chunked);
	assert_failed(get(w, "http", "/chunked"), BW_HTTP_LIMIT);
}

static void test_a_body_of_just_the_limit_is_fine(void **state)
{
	struct world *w = *state;
	char answer[2048];

	open_plain(w);
	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n%01000d", 0);
	peer_on(w->peer, "GET /a", "", answer);
	assert_int_equal(get(w, "http", "/a")->failure, BW_HTTP_OK);
	assert_int_equal(w->seen[0].length, 1000);
}

static void test_a_header_that_is_too_large_is_refused(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *answer = bw_alloc(200000);
	size_t len;

	open_plain(w);
	len = (size_t)snprintf(answer, 200000, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(answer + len, 200, "X-Fill-%d: %080d\r\n", i, 0);
	(void)snprintf(answer + len, 200, "Content-Length: 0\r\n\r\n");
	peer_on(w->peer, "GET /many", "", answer);
	assert_failed(get(w, "http", "/many"), BW_HTTP_LIMIT);
	len = (size_t)snprintf(answer, 200000, "HTTP/1.1 200 OK\r\nX-Long: ");
	memset(answer + len, 'x', 150000);
	(void)snprintf(answer + len + 150000, 200, "\r\nContent-Length: 0\r\n\r\n");
	peer_on(w->peer, "GET /long", "", answer);
	assert_failed(get(w, "http", "/long"), BW_HTTP_LIMIT);
}

static const struct {
	const char *path, *answer;
	enum peer_act act;
	enum bw_http_failure failure;
} broken[] = {
	{"/body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell", PEER_CLOSE, BW_HTTP_CUT},
	{"/body-reset", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell", PEER_RESET, BW_HTTP_CUT},
	{"/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", PEER_CLOSE, BW_HTTP_CUT},
	{"/head", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A", PEER_CLOSE, BW_HTTP_CUT},
	{"/nothing", "", PEER_CLOSE, BW_HTTP_CUT},
	{"/reset", "", PEER_RESET, BW_HTTP_CUT},
	{"/ssh", "SSH-2.0-OpenSSH_9.2\r\n", PEER_CLOSE, BW_HTTP_PROTOCOL},
	{"/status", "HTTP/1.1 nonsense\r\n\r\n", PEER_CLOSE, BW_HTTP_PROTOCOL},
	{"/encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", PEER_CLOSE, BW_HTTP_CUT},
};

static void test_broken_answers_are_told_apart(void **state)
{
	struct world *w = *state;

	open_plain(w);
	for (size_t i = 0; i < BW_COUNT(broken); i++) {
		char match[64];

		(void)snprintf(match, sizeof(match), "GET %s ", broken[i].path);
		peer_on(w->peer, match, "", broken[i].answer)->act = broken[i].act;
		if (get(w, "http", broken[i].path)->failure != broken[i].failure)
			print_error("%s\n", broken[i].path);
		assert_failed(&w->seen[0], broken[i].failure);
	}
}

static void test_a_silent_peer_is_a_timeout(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /hang", "", "")->act = PEER_HANG;
	req = request(url_of(w->peer, "http", "/hang"));
	req.timeout_ms = 60;
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_failed(&w->seen[0], BW_HTTP_TIMEOUT);
	assert_true(w->seen[0].timed_out);
	assert_int_equal(w->seen[0].status, 0);
}

static void test_half_an_answer_in_time_is_a_timeout(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /half", "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell");
	req = request(url_of(w->peer, "http", "/half"));
	req.timeout_ms = 60;
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_failed(&w->seen[0], BW_HTTP_TIMEOUT);
}

static void test_nobody_there_is_no_connection(void **state)
{
	struct world *w = *state;
	struct bw_http_request req = request("http://127.0.0.1:1/");

	open_http(w, NULL);
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_failed(&w->seen[0], BW_HTTP_CONNECT);
	assert_false(w->seen[0].timed_out);
}

/* The listener's thread accepts, but no handshake follows: that is no connection either. */
static void test_a_handshake_without_an_answer_is_no_connection(void **state)
{
	struct world *w = *state;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	struct bw_http_request req;
	char url[64];

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(a.sin_port));
	open_http(w, NULL);
	req = request(url);
	req.connect_timeout_ms = 60;
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_failed(&w->seen[0], BW_HTTP_CONNECT);
	assert_true(w->seen[0].timed_out);
	close(fd);
}

static void test_a_name_that_cannot_be_is_dns(void **state)
{
	struct world *w = *state;
	char url[128];
	struct bw_http_request req;

	/* A label has at most 63 bytes: the resolver of the system refuses this one without asking anybody. */
	(void)snprintf(url, sizeof(url), "http://%070d.invalid/", 1);
	open_http(w, NULL);
	req = request(url);
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_failed(&w->seen[0], BW_HTTP_DNS);
}

/* --- redirects -------------------------------------------------------------------------------- */

static void redirect(struct peer *p, const char *match, const char *to)
{
	BW_AUTOFREE char *answer = bw_asprintf(
		"HTTP/1.1 302 Found\r\nLocation: %s\r\nX-Answer: no\r\nContent-Length: 4\r\n\r\nover", to);

	peer_on(p, match, "", answer);
}

static void test_redirects_are_followed(void **state)
{
	struct world *w = *state;
	struct seen *s;

	open_plain(w);
	redirect(w->peer, "GET /a ", "/b");
	peer_on(w->peer, "GET /b ", "", OK_ANSWER);
	s = get(w, "http", "/a");
	assert_int_equal(s->failure, BW_HTTP_OK);
	assert_int_equal(s->status, 200);
	assert_true(s->redirected);
	assert_string_equal(s->answer, "yes");
	assert_int_equal(s->length, 5);
	assert_string_equal(s->url, url_of(w->peer, "http", "/b"));
}

static void test_headers_of_a_redirect_do_not_remain(void **state)
{
	struct world *w = *state;
	struct seen *s;

	open_plain(w);
	redirect(w->peer, "GET /a ", "/b");
	peer_on(w->peer, "GET /b ", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	s = get(w, "http", "/a");
	assert_int_equal(s->status, 200);
	assert_string_equal(s->answer, "");
}

static void test_redirects_without_end_are_refused(void **state)
{
	struct world *w = *state;

	open_plain(w);
	redirect(w->peer, "GET /a ", "/a");
	assert_failed(get(w, "http", "/a"), BW_HTTP_REDIRECT);
	assert_int_equal(peer_count(w->peer, "GET /a ", ""), 6);
}

static void test_redirects_to_other_places_are_refused(void **state)
{
	static const char *const places[] = {"ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/",
					     "http://user:pw@127.0.0.1/", "https://user@127.0.0.1/"};
	struct world *w = *state;

	open_plain(w);
	for (size_t i = 0; i < BW_COUNT(places); i++) {
		char match[64], path[32];

		(void)snprintf(path, sizeof(path), "/%zu", i);
		(void)snprintf(match, sizeof(match), "GET %s ", path);
		redirect(w->peer, match, places[i]);
		assert_failed(get(w, "http", path), BW_HTTP_REDIRECT);
	}
}

static void send_secret(struct world *w, const char *scheme, const char *path)
{
	static const char *const headers[] = {"Authorization: Bearer secret", "Accept: a/b", NULL};
	struct bw_http_request req = request(url_of(w->peer, scheme, path));

	req.headers = headers;
	memset(&w->seen[0], 0, sizeof(w->seen[0]));
	start(w, 0, &req);
	bw_loop_run(w->loop);
}

static void test_authorization_stays_on_its_host(void **state)
{
	struct world *w = *state;

	open_plain(w);
	w->other = peer_new(NULL);
	redirect(w->peer, "GET /same ", "/here");
	redirect(w->peer, "GET /other ", url_of(w->other, "http", "/there"));
	peer_on(w->peer, "GET /here ", "", OK_ANSWER);
	peer_on(w->other, "GET /there ", "", OK_ANSWER);
	send_secret(w, "http", "/same");
	assert_int_equal(w->seen[0].status, 200);
	assert_int_equal(peer_count(w->peer, "GET /here ", "Authorization: Bearer secret"), 1);
	send_secret(w, "http", "/other");
	assert_int_equal(w->seen[0].status, 200);
	assert_int_equal(peer_count(w->other, "GET /there ", "Accept: a/b"), 1);
	assert_int_equal(peer_count(w->other, "GET /there ", "secret"), 0);
	assert_int_equal(peer_count(w->other, "GET /there ", "Authorization"), 0);
}

static void test_authorization_does_not_come_back_by_another_name(void **state)
{
	struct world *w = *state;
	char url[64];

	open_plain(w);
	(void)snprintf(url, sizeof(url), "http://localhost:%u/there", w->peer->port);
	redirect(w->peer, "GET /name ", url);
	peer_on(w->peer, "GET /there ", "", OK_ANSWER);
	send_secret(w, "http", "/name");
	assert_int_equal(w->seen[0].status, 200);
	assert_int_equal(peer_count(w->peer, "GET /there ", "Accept: a/b"), 1);
	assert_int_equal(peer_count(w->peer, "GET /there ", "secret"), 0);
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void open_tls(struct world *w, const char *san, int days, const char *ca_file)
{
	w->tls = peer_tls(san, days, w->ca);
	w->peer = peer_new(w->tls);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	open_http(w, ca_file ? w->ca : NULL);
}

static void test_a_certificate_of_the_users_file_is_trusted(void **state)
{
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1", 10, "ours");
	assert_int_equal(get(w, "https", "/a")->failure, BW_HTTP_OK);
	assert_int_equal(w->seen[0].status, 200);
}

static void test_a_certificate_of_the_systems_store_is_trusted(void **state)
{
	struct world *w = *state;

	setenv("SSL_CERT_FILE", w->ca, 1);
	open_tls(w, "IP:127.0.0.1", 10, NULL);
	assert_int_equal(get(w, "https", "/a")->failure, BW_HTTP_OK);
}

static void test_both_stores_are_trusted_together(void **state)
{
	struct world *w = *state;

	setenv("SSL_CERT_FILE", w->other_ca, 1);
	w->other_tls = peer_tls("IP:127.0.0.1", 20, w->other_ca);
	w->other = peer_new(w->other_tls);
	peer_on(w->other, "GET /a", "", OK_ANSWER);
	open_tls(w, "IP:127.0.0.1", 10, "ours");
	assert_int_equal(get(w, "https", "/a")->failure, BW_HTTP_OK);
	{
		struct bw_http_request req = request(url_of(w->other, "https", "/a"));

		start(w, 1, &req);
		bw_loop_run(w->loop);
		assert_int_equal(w->seen[1].failure, BW_HTTP_OK);
	}
}

static void test_a_stranger_is_not_trusted(void **state)
{
	struct world *w = *state;

	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	open_tls(w, "IP:127.0.0.1", 10, NULL);
	assert_failed(get(w, "https", "/a"), BW_HTTP_TLS);
	assert_non_null(strstr(w->seen[0].error, "certificate"));
	assert_int_equal(peer_count(w->peer, "", ""), 0);
}

static void test_a_certificate_of_yesterday_is_not_trusted(void **state)
{
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1", -1, "ours");
	assert_failed(get(w, "https", "/a"), BW_HTTP_TLS);
	assert_non_null(strstr(w->seen[0].error, "expired"));
}

static void test_a_certificate_for_another_name_is_not_trusted(void **state)
{
	struct world *w = *state;

	open_tls(w, "DNS:r.example", 10, "ours");
	assert_failed(get(w, "https", "/a"), BW_HTTP_TLS);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
}

static void test_an_alert_is_tls_that_failed(void **state)
{
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1", 10, "ours");
	SSL_CTX_set_min_proto_version(w->tls, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(w->tls, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(w->tls, "PSK-AES128-GCM-SHA256"), 1);
	assert_failed(get(w, "https", "/a"), BW_HTTP_TLS);
	assert_non_null(strstr(w->seen[0].error, "alert"));
}

static void test_a_peer_that_answers_plain_does_not_speak_tls(void **state)
{
	struct world *w = *state;

	open_plain(w);
	assert_failed(get(w, "https", "/a"), BW_HTTP_NOT_TLS);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
}

static void test_a_peer_that_hangs_up_on_a_handshake_does_not_speak_tls(void **state)
{
	struct world *w = *state;

	open_plain(w);
	w->peer->closes_tls = true;
	assert_failed(get(w, "https", "/a"), BW_HTTP_NOT_TLS);
}

static void test_nobody_is_redirected_from_tls_to_plain(void **state)
{
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1", 10, "ours");
	w->other = peer_new(NULL);
	peer_on(w->other, "GET /there", "", OK_ANSWER);
	redirect(w->peer, "GET /down ", url_of(w->other, "http", "/there"));
	assert_failed(get(w, "https", "/down"), BW_HTTP_REDIRECT);
	assert_int_equal(peer_count(w->other, "", ""), 0);
}

static void test_from_plain_to_tls_but_not_back(void **state)
{
	struct world *w = *state;
	struct peer *tls;

	open_tls(w, "IP:127.0.0.1", 10, "ours");
	tls = w->peer;
	w->other = peer_new(NULL);
	redirect(tls, "GET /back ", url_of(w->other, "http", "/there"));
	w->peer = w->other; /* the one that get() asks */
	w->other = tls;
	peer_on(w->peer, "GET /there ", "", OK_ANSWER);
	redirect(w->peer, "GET /up ", url_of(tls, "https", "/a"));
	redirect(w->peer, "GET /updown ", url_of(tls, "https", "/back"));
	assert_int_equal(get(w, "http", "/up")->failure, BW_HTTP_OK);
	assert_string_equal(w->seen[0].answer, "yes");
	assert_failed(get(w, "http", "/updown"), BW_HTTP_REDIRECT);
	assert_string_equal(w->seen[0].error, "redirected from https to http, or to http on another host");
	assert_int_equal(peer_count(w->peer, "GET /there", ""), 0);
}

static void refuse_ca_files(struct world *w, const char *const *files, const char *words)
{
	struct bw_http_options o = {.ca_files = files};
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_http_new(w->loop, &o, &w->http, &err), BW_E_INPUT);
	assert_string_equal(err.msg, words);
	assert_null(w->http);
}

static void test_a_file_without_certificates_is_refused(void **state)
{
	struct world *w = *state;
	const char *files[] = {"/etc/passwd", NULL, NULL};

	refuse_ca_files(w, files, "/etc/passwd: cannot be read as a file of PEM certificates");
	files[0] = "/nonexistent.pem";
	refuse_ca_files(w, files, "/nonexistent.pem: cannot be read as a file of PEM certificates");
	w->tls = peer_tls("IP:127.0.0.1", 10, w->ca);
	files[0] = w->ca;
	files[1] = "/nonexistent.pem"; /* a good one beside it is no help */
	refuse_ca_files(w, files, "/nonexistent.pem: cannot be read as a file of PEM certificates");
}

/* --- requests that cannot be made ------------------------------------------------------------- */

static void assert_refused(struct world *w, const struct bw_http_request *req, const char *message)
{
	struct bw_http_transfer *t = NULL;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_http_start(w->http, req, note, &w->seen[0], &t, &err), BW_E_INPUT);
	assert_string_equal(err.msg, message);
	assert_null(t);
}

static void test_requests_that_make_no_sense_are_refused(void **state)
{
	static const char *const split[] = {"A: b\r\nEvil: c", NULL};
	const char *many[26] = {NULL};
	struct world *w = *state;
	struct bw_http_request req = request("http://r.io/");

	open_http(w, NULL);
	req.allow_plain = false;
	assert_refused(w, &req, "not an https URL: http://r.io/");
	req.url = "ftp://r.io/";
	assert_refused(w, &req, "not an https URL: ftp://r.io/");
	req.url = "https://r.io/a b";
	assert_refused(w, &req, "not a URL: https://r.io/a b");
	req.url = "https://r.io/\n";
	assert_refused(w, &req, "not a URL: https://r.io/ ");
	req.url = "https://r.io/";
	req.headers = split;
	assert_refused(w, &req, "control character in a header for https://r.io/");
	for (unsigned i = 0; i < 25; i++)
		many[i] = "A: b";
	req.headers = many;
	assert_refused(w, &req, "too many headers for https://r.io/");
}

static void test_a_port_that_cannot_be_is_no_connection(void **state)
{
	struct world *w = *state;
	struct bw_http_request req = request("https://127.0.0.1:99999/");

	open_http(w, NULL);
	start(w, 0, &req);
	bw_loop_run(w->loop);
	assert_failed(&w->seen[0], BW_HTTP_CONNECT);
}

/* --- ending at any time ----------------------------------------------------------------------- */

static void start_two(struct world *w)
{
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /hang", "", "")->act = PEER_HANG;
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	req = request(url_of(w->peer, "http", "/hang"));
	start(w, 0, &req);
	req = request(url_of(w->peer, "http", "/a"));
	start(w, 1, &req);
}

static void stop_loop(struct seen *s)
{
	bw_loop_stop(s->world->loop);
}

static void test_a_cancelled_request_says_nothing(void **state)
{
	struct world *w = *state;

	start_two(w);
	w->seen[1].then = stop_loop;
	bw_loop_run(w->loop);
	assert_true(w->seen[1].is_done);
	bw_http_cancel(w->seen[0].transfer);
	bw_loop_run(w->loop);
	assert_false(w->seen[0].is_done);
}

static void test_a_request_is_cancelled_before_it_begins(void **state)
{
	struct world *w = *state;

	start_two(w);
	bw_http_cancel(w->seen[0].transfer);
	bw_http_cancel(w->seen[1].transfer);
	bw_loop_run(w->loop);
	assert_false(w->seen[0].is_done || w->seen[1].is_done);
}

static void test_all_ends_with_requests_in_flight(void **state)
{
	struct world *w = *state;

	start_two(w);
	w->seen[1].then = stop_loop;
	bw_loop_run(w->loop);
	bw_http_free(BW_TAKE(w->http));
	bw_loop_run(w->loop);
	assert_false(w->seen[0].is_done);
}

static void free_http(struct seen *s)
{
	bw_http_free(BW_TAKE(s->world->http));
	bw_loop_stop(s->world->loop);
}

static void test_all_may_end_inside_of_a_callback(void **state)
{
	struct world *w = *state;

	start_two(w);
	w->seen[1].then = free_http;
	bw_loop_run(w->loop);
	assert_true(w->seen[1].is_done);
	assert_false(w->seen[0].is_done);
}

static void cancel_first(struct seen *s)
{
	struct world *w = s->world;
	unsigned other = s == &w->seen[0] ? 1 : 0;

	if (!w->seen[other].is_done) {
		bw_http_cancel(w->seen[other].transfer);
		w->pending--;
	}
}

/* Both answers may be there in the same turn: the one that is cancelled by the other must not come after all. */
static void test_a_callback_may_cancel_another_request(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	for (int round = 0; round < 20; round++) {
		memset(w->seen, 0, sizeof(w->seen));
		w->pending = 0;
		req = request(url_of(w->peer, "http", "/a"));
		start(w, 0, &req);
		start(w, 1, &req);
		w->seen[0].then = w->seen[1].then = cancel_first;
		bw_loop_run(w->loop);
		assert_int_equal(w->seen[0].is_done + w->seen[1].is_done, 1);
	}
}

static void start_next(struct seen *s)
{
	struct world *w = s->world;
	unsigned next = (unsigned)(s - w->seen) + 1;
	struct bw_http_request req = request(url_of(w->peer, "http", "/a"));

	if (next < 20) {
		start(w, next, &req);
		w->seen[next].then = start_next;
	}
}

static void test_a_callback_may_start_the_next_request(void **state)
{
	struct world *w = *state;
	struct bw_http_request req;

	open_plain(w);
	peer_on(w->peer, "GET /a", "", OK_ANSWER);
	req = request(url_of(w->peer, "http", "/a"));
	start(w, 0, &req);
	w->seen[0].then = start_next;
	bw_loop_run(w->loop);
	assert_int_equal(w->seen[19].status, 200);
	assert_int_equal(peer_connections(w->peer), 1);
}

static void test_the_version_names_the_libraries(void **state)
{
	(void)state;
	assert_int_equal(strncmp(bw_http_version(), "libcurl/", 8), 0);
	assert_non_null(strstr(bw_http_version(), "OpenSSL/"));
	bw_http_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_comes_with_all_that_belongs_to_it),
		TEST(test_head_has_no_body_and_no_limit_for_its_length),
		TEST(test_any_status_is_an_answer),
		TEST(test_headers_go_out_as_they_were_given),
		TEST(test_get_and_head_take_turns_on_one_connection),
		TEST(test_connections_to_a_host_are_limited),
		TEST(test_a_body_that_is_too_large_is_refused),
		TEST(test_a_body_of_just_the_limit_is_fine),
		TEST(test_a_header_that_is_too_large_is_refused),
		TEST(test_broken_answers_are_told_apart),
		TEST(test_a_silent_peer_is_a_timeout),
		TEST(test_half_an_answer_in_time_is_a_timeout),
		TEST(test_nobody_there_is_no_connection),
		TEST(test_a_handshake_without_an_answer_is_no_connection),
		TEST(test_a_name_that_cannot_be_is_dns),
		TEST(test_redirects_are_followed),
		TEST(test_headers_of_a_redirect_do_not_remain),
		TEST(test_redirects_without_end_are_refused),
		TEST(test_redirects_to_other_places_are_refused),
		TEST(test_authorization_stays_on_its_host),
		TEST(test_authorization_does_not_come_back_by_another_name),
		TEST(test_a_certificate_of_the_users_file_is_trusted),
		TEST(test_a_certificate_of_the_systems_store_is_trusted),
		TEST(test_both_stores_are_trusted_together),
		TEST(test_a_stranger_is_not_trusted),
		TEST(test_a_certificate_of_yesterday_is_not_trusted),
		TEST(test_a_certificate_for_another_name_is_not_trusted),
		TEST(test_an_alert_is_tls_that_failed),
		TEST(test_a_peer_that_answers_plain_does_not_speak_tls),
		TEST(test_a_peer_that_hangs_up_on_a_handshake_does_not_speak_tls),
		TEST(test_nobody_is_redirected_from_tls_to_plain),
		TEST(test_from_plain_to_tls_but_not_back),
		TEST(test_a_file_without_certificates_is_refused),
		TEST(test_requests_that_make_no_sense_are_refused),
		TEST(test_a_port_that_cannot_be_is_no_connection),
		TEST(test_a_cancelled_request_says_nothing),
		TEST(test_a_request_is_cancelled_before_it_begins),
		TEST(test_all_ends_with_requests_in_flight),
		TEST(test_all_may_end_inside_of_a_callback),
		TEST(test_a_callback_may_cancel_another_request),
		TEST(test_a_callback_may_start_the_next_request),
		cmocka_unit_test(test_the_version_names_the_libraries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
