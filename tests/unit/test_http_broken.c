/* test_http_broken.c - what happens when libcurl itself gives up: white box, with its calls replaced. */
#include "unit/unit.h"

#include <curl/curl.h>
#include <stdbool.h>

static unsigned failing; /* so many calls fail from now on */

static CURLMcode act_or_fail(CURLM *m, curl_socket_t fd, int events, int *running)
{
	if (failing > 0) {
		failing--;
		return CURLM_INTERNAL_ERROR;
	}
	return curl_multi_socket_action(m, fd, events, running);
}

#define curl_multi_socket_action act_or_fail
#include "net/http.c"
#undef curl_multi_socket_action

#include "unit/peer.h"

struct world {
	struct bw_loop *loop;
	struct bw_http *http;
	struct peer *peer;
	struct bw_http_transfer *transfers[3];
	enum bw_http_failure failures[3];
	unsigned done, cancels;
};

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct bw_http_options o = {.user_agent = "basewatch/test"};
	struct bw_err err = BW_ERR_INIT;

	failing = 0;
	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	assert_int_equal(bw_http_new(w->loop, &o, &w->http, &err), 0);
	w->peer = peer_new(NULL);
	peer_on(w->peer, "GET /", "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	bw_http_free(w->http);
	bw_loop_free(w->loop);
	peer_free(w->peer);
	free(w);
	return 0;
}

static void note(const struct bw_http_response *r, void *arg)
{
	struct world *w = arg;

	w->failures[w->done++] = r->failure;
	assert_true((r->failure == BW_HTTP_OK) == (*r->error == '\0'));
	if (w->cancels && w->done == 1) /* those that failed with it are still to be told */
		bw_http_cancel(w->transfers[1]);
}

static void start(struct world *w, unsigned i)
{
	char url[64];
	struct bw_http_request req = {.url = url, .allow_plain = true, .is_direct = true, .timeout_ms = 5000};
	struct bw_err err = BW_ERR_INIT;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", w->peer->port);
	req.method = BW_HTTP_GET;
	assert_int_equal(bw_http_start(w->http, &req, note, w, &w->transfers[i], &err), 0);
}

static void test_everything_in_flight_fails_and_then_it_goes_on(void **state)
{
	struct world *w = *state;

	failing = 1;
	start(w, 0);
	start(w, 1);
	bw_loop_run(w->loop);
	assert_int_equal(w->done, 2);
	assert_int_not_equal(w->failures[0], BW_HTTP_OK);
	assert_int_not_equal(w->failures[1], BW_HTTP_OK);
	start(w, 2);
	bw_loop_run(w->loop);
	assert_int_equal(w->done, 3);
	assert_int_equal(w->failures[2], BW_HTTP_OK);
}

static void test_one_that_failed_with_the_others_may_be_cancelled(void **state)
{
	struct world *w = *state;

	w->cancels = 1;
	failing = 1;
	start(w, 0);
	start(w, 1);
	bw_loop_run(w->loop);
	assert_int_equal(w->done, 1);
	start(w, 2);
	bw_loop_run(w->loop);
	assert_int_equal(w->done, 2);
	assert_int_equal(w->failures[1], BW_HTTP_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everything_in_flight_fails_and_then_it_goes_on),
		TEST(test_one_that_failed_with_the_others_may_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
