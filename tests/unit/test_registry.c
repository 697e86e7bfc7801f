/*
 * test_registry.c - the registry client against peers that misbehave in every way: what is asked how often, and what
 * comes of it. Time limits are short here; the ones that a test does not wait for are long.
 */
#include "unit/unit.h"

#include <string.h>

#include "registry/host.h"
#include "registry/ticket.h"
#include "unit/registry_world.h"

#include <stdlib.h>

/* --- asking ----------------------------------------------------------------------------------- */

static void test_one_head_answers_one_question(void **state)
{
	struct world *w = *state;

	open_tls(w, "IP:127.0.0.1");
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_found(&w->told[i]);
	assert_counts(w, 5, 0, 0, 0);
	assert_int_equal(
		peer_count(w->peer, "HEAD /v2/r3/manifests/1 ", "\r\nAccept: " BW_MANIFEST_ACCEPT "\r\n"), 1);
	assert_int_equal(peer_count(w->peer, "", "User-Agent: basewatch/"), 5);
	assert_true(peer_connections(w->peer) <= 3);
}

static void test_parameters_of_the_media_type_are_left_out(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "",
		"HTTP/1.1 200 OK\r\nContent-Type: Application/vnd.oci.image.index.v1+JSON; charset=utf-8\r\n"
		"Docker-Content-Digest: " DIGEST "\r\n\r\n");
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

static void test_a_loopback_registry_without_tls_is_asked_plainly(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_found(&w->told[i]);
	assert_counts(w, 5, 0, 0, 0); /* the first one was tried with TLS, the others knew better */
}

static void test_one_that_hangs_up_on_tls_is_asked_plainly(void **state)
{
	struct world *w = *state;

	open_plain(w);
	w->peer->closes_tls = true;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

static void test_a_bad_certificate_is_never_a_reason_to_speak_plainly(void **state)
{
	struct world *w = *state;

	open_tls(w, "DNS:r.example");
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 2);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TLS);
	assert_int_equal(w->told[1].answer.trouble, BW_TROUBLE_TLS);
	assert_counts(w, 1, 0, 0, 0); /* not tried again, and the second one knew */
	assert_int_equal(peer_count(w->peer, "", ""), 0);
}

/* 0.0.0.0 leads to this machine as well, but it is no loopback address. */
static void test_other_hosts_are_asked_with_tls_only(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	(void)snprintf(w->host, sizeof(w->host), "0.0.0.0:%u", w->peer->port);
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_TLS, "%s does not speak TLS");
	assert_counts(w, 3, 0, 0, 2);
	assert_int_equal(peer_count(w->peer, "", ""), 0);
}

static void test_hosts_that_were_named_may_be_asked_plainly(void **state)
{
	static const char *entries[3];
	struct world *w = *state;

	w->peer = peer_new(NULL);
	(void)snprintf(w->host, sizeof(w->host), "0.0.0.0:%u", w->peer->port);
	entries[0] = "other.example";
	entries[1] = "0.0.0.0";
	w->options.insecure = entries;
	open_registry(w);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 1);
	assert_found(&w->told[0]);
}

/* --- who may ask when ------------------------------------------------------------------------- */

static void test_the_first_question_goes_alone(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", FOUND)->act = PEER_HOLD;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	for (unsigned i = 0; i < 10; i++)
		ask(w, i);
	assert_counts(w, 1, 0, 0, 0);
	release_later(w, 1);
	bw_loop_run(w->loop);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 10);
	assert_int_equal(strncmp(w->peer->requests[0], "HEAD /v2/r0/", 12), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_found(&w->told[i]);
}

static void test_with_http_1_there_are_as_many_in_flight_as_connections(void **state)
{
	struct world *w = *state;

	w->options.connections = 2;
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND)->act = PEER_HOLD;
	for (unsigned i = 0; i < 12; i++)
		ask(w, i);
	release_later(w, 2);
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 12; i++)
		assert_found(&w->told[i]);
	assert_true(peer_connections(w->peer) <= 3); /* one of them was the try with TLS */
}

static void test_the_queue_of_a_registry_has_an_end(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE);
	for (unsigned i = 0; i < 11; i++)
		ask(w, i);
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE - 10);
	assert_int_equal(bw_registry_room(w->registry, "other.example"), BW_HOST_QUEUE);
	bw_loop_run(w->loop);
	assert_int_equal(bw_registry_room(w->registry, w->host), BW_HOST_QUEUE);
}

static void test_a_silent_registry_delays_nobody_elses(void **state)
{
	struct world *w = *state;
	char other[32];

	w->options.answer_timeout_ms = 60000;
	open_plain(w);
	w->other = peer_new(NULL);
	(void)snprintf(other, sizeof(other), "127.0.0.1:%u", w->other->port);
	peer_on(w->peer, "HEAD /v2/", "", "")->act = PEER_HANG;
	peer_on(w->other, "HEAD /v2/", "", FOUND);
	for (unsigned i = 0; i < 20; i++)
		bw_registry_ask(w->registry, w->host, w->names[i], "1", NULL, note, &w->told[i]);
	w->pending = 5;
	for (unsigned i = 20; i < 25; i++)
		bw_registry_ask(w->registry, other, w->names[i], "1", NULL, note, &w->told[i]);
	bw_loop_run(w->loop);
	for (unsigned i = 20; i < 25; i++)
		assert_found(&w->told[i]);
	assert_int_equal(w->told[0].count, 0);
}

/* --- HEAD and GET ----------------------------------------------------------------------------- */

static const char *const unusable[] = {
	"HTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:xyz\r\n\r\n",
	"HTTP/1.1 200 OK\r\nDocker-Content-Digest: md5:00000000000000000000000000000000\r\n\r\n",
	"HTTP/1.1 200 OK\r\nDocker-Content-Digest: " DIGEST "0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nDocker-Content-Digest: \r\n\r\n",
	"HTTP/1.1 405 No\r\n\r\n",
	"HTTP/1.1 501 No\r\n\r\n",
	"HTTP/1.1 400 No\r\n\r\n",
	"HTTP/1.1 403 No\r\n\r\n",
	"HTTP/1.1 404 No\r\n\r\n",
};

static void test_where_head_is_of_no_use_get_is(void **state)
{
	struct bw_digest expected;

	bw_digest_of(BODY, strlen(BODY), &expected);
	for (size_t i = 0; i < BW_COUNT(unusable); i++) {
		struct world *w = *state;

		open_plain(w);
		peer_on(w->peer, "HEAD /v2/r", "", unusable[i]);
		on_body(w->peer, "GET /v2/r", "Content-Type: " INDEX "; x=y\r\n", BODY);
		ask_all(w, 1);
		assert_string_equal(w->told[0].answer.message, "");
		assert_string_equal(w->told[0].answer.digest.text, expected.text);
		assert_string_equal(w->told[0].answer.media_type, INDEX);
		ask_all(w, 4); /* the host is remembered */
		assert_counts(w, 2, 5, 0, 0);
		end(state);
		begin(state);
	}
}

static void test_a_tag_that_is_gone_says_nothing_about_head(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", STATUS("404 No"));
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 3);
	assert_trouble(&w->told[0], BW_TROUBLE_TAG_GONE, "%s answered 404");
	assert_found(&w->told[1]);
	assert_found(&w->told[2]);
	assert_counts(w, 4, 2, 0, 0); /* why, and is the repository still there? HEAD is still good */
}

static const struct {
	const char *answer;
	enum peer_act act;
	enum bw_trouble trouble;
	const char *message;
} tag_lists[] = {
	{"HTTP/1.1 404 No\r\nContent-Length: "
	 "60\r\n\r\n{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"not known\"}]}  ",
	 PEER_KEEP, BW_TROUBLE_REPOSITORY_GONE, "%s answered 404: not known"},
	{STATUS("404 No"), PEER_KEEP, BW_TROUBLE_TAG_GONE, "%s answered 404"},
	{STATUS("200 OK"), PEER_KEEP, BW_TROUBLE_TAG_GONE, "%s answered 404"},
	{STATUS("401 No"), PEER_KEEP, BW_TROUBLE_TAG_GONE, "%s answered 404"},
	{STATUS("500 No"), PEER_KEEP, BW_TROUBLE_TAG_GONE, "%s answered 404"},
	{"", PEER_CLOSE, BW_TROUBLE_TAG_GONE, "%s answered 404"},
};

/* The list of tags tells a tag that is gone from a repository that is. Nothing else can come of it. */
static void test_a_gone_repository_is_told_from_a_gone_tag(void **state)
{
	for (size_t i = 0; i < BW_COUNT(tag_lists); i++) {
		struct world *w = *state;

		open_plain(w);
		peer_on(w->peer, "HEAD /v2/r0/manifests/1 ", "", STATUS("404 No"));
		peer_on(w->peer, "GET /v2/r0/manifests/1 ", "", STATUS("404 No"));
		peer_on(w->peer, "GET /v2/r0/tags/list", "", tag_lists[i].answer)->act = tag_lists[i].act;
		ask_all(w, 1);
		assert_trouble(&w->told[0], tag_lists[i].trouble, tag_lists[i].message);
		/* libcurl asks once more by itself when a connection that was kept turns out to be closed. */
		assert_in_range(peer_count(w->peer, "GET /v2/r0/tags/list", ""), 1, 2);
		end(state);
		begin(state);
	}
}

static const struct {
	const char *headers, *body;
	enum bw_trouble trouble;
	const char *message;
} bodies[] = {
	{"Docker-Content-Digest: " DIGEST "\r\n", BODY, BW_TROUBLE_MALFORMED,
	 "%s: its header says sha256:6e1d9709c99f, and its body is sha256:dff9de109191"},
	{"Content-Type: text/html\r\n", "<html>Log in to the hotel's network</html>", BW_TROUBLE_MALFORMED,
	 "%s: the answer is no manifest"},
	{"Content-Type: " INDEX "\r\n", "{\"schemaVersion\":2,", BW_TROUBLE_MALFORMED,
	 "%s: the answer is no manifest"},
	{"Content-Type: " INDEX "\r\n", "", BW_TROUBLE_MALFORMED, "%s: the answer is no manifest"},
	{"Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws\r\n",
	 "{\"schemaVersion\":1}", BW_TROUBLE_MALFORMED,
	 "%s: an image of schema 1, a format that registries have given up; its digest cannot be "
	 "verified: push it again with a current tool"},
};

static void test_bodies_that_make_no_sense_are_no_answers(void **state)
{
	for (size_t i = 0; i < BW_COUNT(bodies); i++) {
		struct world *w = *state;

		open_plain(w);
		peer_on(w->peer, "HEAD /v2/r", "", STATUS("405 No"));
		on_body(w->peer, "GET /v2/r", bodies[i].headers, bodies[i].body);
		ask_all(w, 1);
		assert_trouble(&w->told[0], bodies[i].trouble, bodies[i].message);
		end(state);
		begin(state);
	}
}

static void test_a_body_that_its_header_names_is_taken(void **state)
{
	struct world *w = *state;
	struct bw_digest expected;
	BW_AUTOFREE char *header = NULL;

	bw_digest_of("no manifest at all", 18, &expected);
	header = bw_asprintf("Docker-Content-Digest: %s\r\nContent-Type: a/b\r\n", expected.text);
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", STATUS("405 No"));
	on_body(w->peer, "GET /v2/r", header, "no manifest at all");
	ask_all(w, 1);
	assert_string_equal(w->told[0].answer.digest.text, expected.text);
	assert_string_equal(w->told[0].answer.media_type, "a/b");
}

static void test_an_endless_body_is_a_limit(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", STATUS("405 No"));
	peer_on(w->peer, "GET /v2/r", "", "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_LIMIT, "%s: the answer is larger than we take");
	assert_counts(w, 2, 1, 0, 0);
}

static void test_refusals_say_why(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *unknown =
		with_body("404 Not Found", "",
			  "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such name\"}]}");
	BW_AUTOFREE char *denied = with_body("403 Forbidden", "", "{\"errors\":[{\"code\":\"DENIED\"}]}");

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", STATUS("404 No"));
	peer_on(w->peer, "GET /v2/r0/", "", unknown);
	peer_on(w->peer, "HEAD /v2/r1/", "", STATUS("403 No"));
	peer_on(w->peer, "GET /v2/r1/", "", denied);
	peer_on(w->peer, "HEAD /v2/r2/", "", STATUS("404 No"));
	peer_on(w->peer, "GET /v2/r2/", "", "HTTP/1.1 404 No\r\nContent-Length: 999999999\r\n\r\n");
	ask_all(w, 3);
	assert_trouble(&w->told[0], BW_TROUBLE_REPOSITORY_GONE, "%s answered 404: no such name");
	assert_trouble(&w->told[1], BW_TROUBLE_DENIED, "%s answered 403: DENIED");
	assert_trouble(&w->told[2], BW_TROUBLE_TAG_GONE, "%s answered 404");
}

/* --- trouble and further attempts ------------------------------------------------------------- */

static void test_errors_of_the_server_are_tried_again(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", STATUS("500 Oops"))->times = 1;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 2);
	assert_found(&w->told[0]);
	assert_found(&w->told[1]);
	assert_counts(w, 4, 0, 0, 1);
}

static void test_errors_of_the_server_are_not_tried_for_ever(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "", "", STATUS("503 Oops"));
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_SERVER, "%s answered 503");
	assert_counts(w, 3, 1, 0, 2); /* the last attempt was a GET: some only fail at HEAD */
}

static void test_two_errors_at_head_and_a_get_that_works_are_remembered(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD", "", STATUS("500 Oops"));
	on_body(w->peer, "GET", "Content-Type: " INDEX "\r\n", BODY);
	ask_all(w, 2);
	assert_string_equal(w->told[0].answer.message, "");
	assert_string_equal(w->told[1].answer.message, "");
	assert_counts(w, 5, 2, 0, 4);
	ask_all(w, 1);
	assert_counts(w, 5, 3, 0, 4);
}

static void test_a_cut_connection_is_tried_again(void **state)
{
	struct world *w = *state;
	struct peer_rule *cut;

	open_plain(w);
	cut = peer_on(w->peer, "HEAD /v2/r0/", "", "HTTP/1.1 200 OK\r\nDocker-Con");
	cut->act = PEER_CLOSE;
	cut->times = 2;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_int_equal(bw_registry_count(w->registry).retries, 2);
}

static void test_a_registry_that_is_not_there_fails_for_all(void **state)
{
	struct world *w = *state;

	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:1");
	open_registry(w);
	ask_all(w, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(w->told[i].answer.trouble, BW_TROUBLE_CONNECTION);
	assert_counts(w, 3, 0, 0, 2);
	ask_all(w, 3); /* it failed just now: nobody asks again */
	assert_int_equal(w->told[2].answer.trouble, BW_TROUBLE_CONNECTION);
	assert_counts(w, 3, 0, 0, 2);
}

static void test_one_repository_in_trouble_does_not_fail_the_host(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", "")->act = PEER_CLOSE;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 5);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_CONNECTION);
	for (unsigned i = 1; i < 5; i++)
		assert_found(&w->told[i]);
}

static void test_a_silent_registry_fails_for_all_after_three_times(void **state)
{
	struct world *w = *state;

	w->options.answer_timeout_ms = 150;
	open_plain(w);
	peer_on(w->peer, "", "", "")->act = PEER_HANG;
	ask_all(w, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(w->told[i].answer.trouble, BW_TROUBLE_TIMEOUT);
	assert_true(bw_registry_count(w->registry).heads <= 8);
}

static void test_a_question_ends_in_time(void **state)
{
	struct world *w = *state;
	uint64_t start;

	w->options.answer_timeout_ms = 200;
	w->options.give_up_ms = 300;
	open_plain(w);
	peer_on(w->peer, "HEAD", "", "")->act = PEER_HANG;
	start = bw_loop_now(w->loop);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_TIMEOUT);
	assert_in_range(bw_loop_now(w->loop) - start, 195, 400);
}

static void test_retry_after_is_obeyed_by_everybody(void **state)
{
	struct world *w = *state;
	uint64_t start;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "",
		"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
		->times = 1;
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	start = bw_loop_now(w->loop);
	ask_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_found(&w->told[i]);
	assert_in_range(bw_loop_now(w->loop) - start, 1000, 2500);
	assert_counts(w, 5, 0, 0, 1);
}

static void test_retry_after_that_is_too_long_is_told(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD", "", "HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_trouble(&w->told[i], BW_TROUBLE_THROTTLED, "%s asks for fewer requests (429)");
		assert_int_equal(w->told[i].answer.retry_after_s, 600);
	}
	assert_counts(w, 2, 0, 0, 0);
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_THROTTLED);
	assert_in_range(w->told[0].answer.retry_after_s, 590, 600);
	assert_counts(w, 2, 0, 0, 0);
}

/* --- log-in ----------------------------------------------------------------------------------- */

static void test_one_token_request_for_all_repositories_that_wait(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Authorization: Bearer T0\r\n", FOUND);
	want_bearer(w->peer, "");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Ar", "",
		"{\"token\":\"T0\",\"expires_in\":300}");
	w->pending = 9;
	for (unsigned i = 0; i < 9; i++)
		bw_registry_ask(w->registry, w->host, w->names[i / 3], i % 3 ? "1" : "2", NULL, note,
				&w->told[i]);
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 9; i++)
		assert_found(&w->told[i]);
	assert_counts(w, 11, 0, 1, 0); /* TLS, the 401, nine answers */
	assert_int_equal(peer_count(w->peer,
				    "GET /token?service=s&scope=repository%3Ar0%3Apull&scope="
				    "repository%3Ar1%3Apull&scope=repository%3Ar2%3Apull ",
				    ""),
			 1);
	assert_int_equal(peer_count(w->peer, "GET /token", "Authorization"), 0);
	ask_all(w, 3);
	assert_counts(w, 14, 0, 1, 0);
}

static void test_a_token_is_replaced_when_its_time_is_over(void **state)
{
	struct world *w = *state;
	const struct bw_host *h;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Authorization: Bearer T0\r\n", FOUND);
	want_bearer(w->peer, "");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\",\"expires_in\":300}");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	h = bw_map_get(w->registry->hosts, w->host);
	/* A tenth of its life is left over. */
	assert_int_equal(h->login.newest->bearer->expires_ms - h->login.newest->bearer->asked_ms, 270000);
	h->login.newest->bearer->expires_ms = bw_loop_now(w->loop);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_counts(w, 4, 0, 2, 0);
}

static void test_only_so_many_tokens_are_kept(void **state)
{
	struct world *w = *state;
	const struct bw_host *h;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Authorization: Bearer T0\r\n", FOUND);
	want_bearer(w->peer, "");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	for (unsigned round = 0; round < 15; round++) {
		for (unsigned i = 0; i < MANY; i++)
			(void)snprintf(w->names[i], sizeof(w->names[i]), "r%u", round * MANY + i);
		ask_all(w, MANY);
	}
	h = bw_map_get(w->registry->hosts, w->host);
	assert_int_equal(h->login.ticket_count, 512);
	assert_int_equal(bw_map_count(h->login.tickets), 512);
	assert_counts(w, 602, 0, 45, 0); /* three for the 40 of each round */
	ask_all(w, MANY);		 /* the last ones are still there */
	assert_counts(w, 642, 0, 45, 0);
}

static void test_credentials_are_shown_to_the_realm_only(void **state)
{
	struct world *w = *state;

	open_plain(w);
	log_in(w, "bot:sesame");
	peer_on(w->peer, "HEAD /v2/", "Authorization: Bearer T0\r\n", FOUND);
	want_bearer(w->peer, "");
	on_body(w->peer, "GET /token", "", "{\"access_token\":\"T0\"}");
	ask_all(w, 2);
	assert_found(&w->told[0]);
	assert_found(&w->told[1]);
	assert_int_equal(peer_count(w->peer,
				    "GET "
				    "/token?service=s&scope=repository%3Ar0%3Apull&scope=repository%3Ar1%"
				    "3Apull&account=bot ",
				    "Authorization: Basic Ym90OnNlc2FtZQ==\r\n"),
			 1);
	assert_int_equal(peer_count(w->peer, "HEAD", "Basic"), 0);
}

static void test_refused_credentials_are_not_shown_again(void **state)
{
	struct world *w = *state;

	open_plain(w);
	log_in(w, "bot:wrong");
	want_bearer(w->peer, "");
	peer_on(w->peer, "GET /token", "", STATUS("401 No"));
	ask_all(w, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, "GET /token", ""), 1);
	assert_null(strstr(w->told[0].answer.message, "wrong"));
}

static void test_basic_is_sent_with_the_first_request_once_it_is_wanted(void **state)
{
	struct world *w = *state;

	open_plain(w);
	log_in(w, "bot:sesame");
	peer_on(w->peer, "HEAD /v2/", "Authorization: Basic Ym90OnNlc2FtZQ==\r\n", FOUND);
	peer_on(w->peer, "HEAD /v2/", "",
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_found(&w->told[i]);
	assert_counts(w, 6, 0, 0, 0);
}

static void test_basic_that_is_refused_is_sent_once(void **state)
{
	struct world *w = *state;

	open_plain(w);
	log_in(w, "bot:wrong");
	peer_on(w->peer, "HEAD /v2/", "",
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, "HEAD", "Authorization: Basic"), 1);
}

static void test_without_credentials_a_person_has_to_act(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "",
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH,
		       "%s wants a log-in, and there are no credentials for it");
}

static void test_an_invalid_token_is_replaced_once(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Bearer T1\r\n", FOUND);
	want_bearer(w->peer, ",error=\"invalid_token\"");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	w->peer->rules[2].times = 1;
	on_body(w->peer, "GET /token", "", "{\"token\":\"T1\"}");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_counts(w, 4, 0, 2, 0);
}

static void test_an_anonymous_token_that_is_not_enough_is_denied(void **state)
{
	struct world *w = *state;

	open_plain(w);
	want_bearer(w->peer, ",error=\"insufficient_scope\"");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_DENIED, "%s: no such repository, or access is denied");
	assert_counts(w, 3, 0, 1, 0);
}

static void test_the_token_of_a_user_that_stays_invalid_is_trouble_with_the_log_in(void **state)
{
	struct world *w = *state;

	open_plain(w);
	log_in(w, "bot:sesame");
	want_bearer(w->peer, ",error=\"invalid_token\"");
	on_body(w->peer, "GET /token", "", "{\"token\":\"T0\"}");
	ask_all(w, 1);
	assert_int_equal(w->told[0].answer.trouble, BW_TROUBLE_AUTH);
	assert_non_null(strstr(w->told[0].answer.message, "does not take the token of 127.0.0.1:"));
	assert_counts(w, 4, 0, 2, 0);
}

static void test_the_scope_that_the_registry_wants_is_the_second_choice(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Bearer T1\r\n", FOUND);
	want_bearer(w->peer, ",scope=\"aws\"");
	peer_on(w->peer, "GET /token?service=s&scope=repository", "", STATUS("400 No"));
	on_body(w->peer, "GET /token?service=s&scope=aws ", "", "{\"token\":\"T1\"}");
	ask_all(w, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_found(&w->told[i]);
	assert_counts(w, 6, 0, 2, 0); /* one token of that scope is for all */
}

static void test_the_scope_of_a_proxy_is_the_second_choice_for_that_repository(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "Bearer T1\r\n", FOUND);
	want_bearer(w->peer, ",scope=\"repository:proxy/r0:pull\"");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull ", "", "{\"token\":\"T0\"}");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Aproxy%2Fr0%3Apull ", "",
		"{\"token\":\"T1\"}");
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_counts(w, 4, 0, 2, 0);
}

/* The host is known to want tokens, but not with which scope for this repository: the registry is asked for that. */
static void test_all_who_wait_get_the_token_of_the_second_scope(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *wanted = NULL;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r1/", "", FOUND);
	peer_on(w->peer, "HEAD /v2/r0/", "Bearer T1\r\n", FOUND);
	wanted = bw_asprintf(
		"HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:%u"
		"/token\",scope=\"repository:proxy/r0:pull\"\r\n\r\n",
		w->peer->port);
	peer_on(w->peer, "HEAD /v2/r0/", "", wanted);
	peer_on(w->peer, "HEAD /v2/r2/", "Bearer T2\r\n", FOUND);
	want_bearer(w->peer, "");
	peer_on(w->peer, "GET /token?service=s&scope=repository%3Ar0%3Apull ", "", STATUS("400 No"))->act =
		PEER_HOLD;
	on_body(w->peer, "GET /token?scope=repository%3Aproxy%2Fr0%3Apull ", "", "{\"token\":\"T1\"}");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Ar2%3Apull ", "", "{\"token\":\"T2\"}");
	w->pending = 1;
	bw_registry_ask(w->registry, w->host, "r2", "1", NULL, note, &w->told[9]);
	bw_loop_run(w->loop);
	assert_found(&w->told[9]);
	w->pending = 3;
	for (unsigned i = 0; i < 3; i++)
		bw_registry_ask(w->registry, w->host, "r0", "1", NULL, note, &w->told[i]);
	release_later(w, 1);
	bw_loop_run(w->loop);
	for (unsigned i = 0; i < 3; i++)
		assert_found(&w->told[i]);
	assert_int_equal(bw_registry_count(w->registry).tokens, 3);
}

static void test_a_scope_that_nobody_wants_ends(void **state)
{
	struct world *w = *state;

	open_plain(w);
	want_bearer(w->peer, ",scope=\"repository:r0:pull\"");
	peer_on(w->peer, "GET /token", "", STATUS("400 No"));
	ask_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_AUTH, "log in at %s: it answered 400");
}

static const struct {
	const char *answer;
	enum bw_trouble trouble;
	const char *message;
} tokens[] = {
	{STATUS("403 No"), BW_TROUBLE_DENIED,
	 "no such repository, or access is denied (%s gives no token without a log-in)"},
	{STATUS("404 No"), BW_TROUBLE_AUTH, "log in at %s: it answered 404"},
	{STATUS("400 No"), BW_TROUBLE_AUTH, "log in at %s: it answered 400"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", BW_TROUBLE_MALFORMED,
	 "log in at %s: token answer: no token in it"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", BW_TROUBLE_MALFORMED,
	 "log in at %s: token answer: not JSON at byte 1"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", BW_TROUBLE_LIMIT,
	 "log in at %s: the answer is larger than we take"},
};

static void test_token_endpoints_fail_in_their_own_ways(void **state)
{
	for (size_t i = 0; i < BW_COUNT(tokens); i++) {
		struct world *w = *state;

		open_plain(w);
		want_bearer(w->peer, "");
		peer_on(w->peer, "GET /token", "", tokens[i].answer);
		ask_all(w, 2);
		assert_trouble(&w->told[0], tokens[i].trouble, tokens[i].message);
		assert_trouble(&w->told[1], tokens[i].trouble, tokens[i].message);
		end(state);
		begin(state);
	}
}

static void test_a_token_endpoint_that_is_not_there_fails_for_all(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "",
		"HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: Bearer "
		"realm=\"http://127.0.0.1:1/\"\r\n\r\n");
	ask_all(w, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(w->told[i].answer.trouble, BW_TROUBLE_CONNECTION);
		assert_int_equal(strncmp(w->told[i].answer.message, "log in at 127.0.0.1:1: ", 23), 0);
	}
	assert_counts(w, 2, 0, 3, 2);
}

static const struct {
	const char *challenge, *message;
} bad_challenges[] = {
	{"", "%s answered 401: no log-in is offered"},
	{"WWW-Authenticate: Negotiate\r\n",
	 "%s answered 401: no log-in that we know is offered, only Negotiate"},
	{"WWW-Authenticate: Bearer realm=\"/token\"\r\n",
	 "%s wants a log-in at /token, which is no web address"},
	{"WWW-Authenticate: Bearer realm=\"ftp://r.io/\"\r\n",
	 "%s wants a log-in at ftp://r.io/, which is no web address"},
};

static void test_challenges_that_cannot_be_met(void **state)
{
	for (size_t i = 0; i < BW_COUNT(bad_challenges); i++) {
		struct world *w = *state;
		BW_AUTOFREE char *answer = bw_asprintf("HTTP/1.1 401 No\r\nContent-Length: 0\r\n%s\r\n",
						       bad_challenges[i].challenge);

		open_plain(w);
		peer_on(w->peer, "HEAD /v2/", "", answer);
		ask_all(w, 1);
		assert_trouble(&w->told[0], BW_TROUBLE_AUTH, bad_challenges[i].message);
		end(state);
		begin(state);
	}
}

static void test_a_registry_with_tls_names_no_realm_without(void **state)
{
	struct world *w = *state;
	char message[128];

	open_tls(w, "IP:127.0.0.1");
	want_bearer(w->peer, "");
	ask_all(w, 1);
	(void)snprintf(message, sizeof(message),
		       "%%s wants a log-in at http://127.0.0.1:%u/token, which is not encrypted",
		       w->peer->port);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH, message);
	assert_int_equal(peer_count(w->peer, "GET", ""), 0);
}

static void test_a_redirect_to_one_who_wants_a_log_in_is_trouble(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *answer = NULL;
	char message[128];

	open_plain(w);
	w->other = peer_new(NULL);
	answer =
		bw_asprintf("HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:%u/x\r\n\r\n",
			    w->other->port);
	peer_on(w->peer, "HEAD /v2/r0/", "", answer);
	peer_on(w->other, "HEAD /x", "",
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	log_in(w, "bot:sesame");
	ask_all(w, 1);
	(void)snprintf(message, sizeof(message), "%%s redirects to 127.0.0.1:%u, which wants a log-in",
		       w->other->port);
	assert_trouble(&w->told[0], BW_TROUBLE_AUTH, message);
	assert_int_equal(peer_count(w->other, "", "Authorization"), 0);
}

/* --- ending at any time ----------------------------------------------------------------------- */

static void stop_it(void *arg)
{
	struct world *w = arg;

	if (peer_held(w->peer) < w->wanted)
		bw_timer_start(w->timer, 1);
	else
		bw_loop_stop(w->loop);
}

/* In flight, waiting for a token, queued, between attempts, and another host that answers nothing. */
static void test_it_ends_with_questions_in_every_state(void **state)
{
	struct world *w = *state;
	struct bw_host *h;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "Bearer", FOUND);
	peer_on(w->peer, "HEAD /v2/", "Bearer", STATUS("500 No"));
	want_bearer(w->peer, "");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Ar0%", "", "{\"token\":\"T0\"}");
	on_body(w->peer, "GET /token?service=s&scope=repository%3Ar1%", "", "{\"token\":\"T0\"}");
	peer_on(w->peer, "GET /token", "", "")->act = PEER_HOLD;
	ask_all(w, 1);
	h = bw_map_get(w->registry->hosts, w->host);
	h->login.is_single = true; /* a request for each token */
	for (unsigned i = 1; i < 20; i++)
		ask(w, i);
	bw_registry_ask(w->registry, "127.0.0.1:1", "x", "1", NULL, note, &w->told[30]);
	w->wanted = 3;
	w->timer = bw_timer_new(w->loop, stop_it, w);
	bw_timer_start(w->timer, 1);
	bw_loop_run(w->loop);
	bw_registry_free(BW_TAKE(w->registry));
	bw_loop_run(w->loop);
	assert_int_equal(w->told[5].count, 0);
}

static void test_it_may_end_inside_of_an_answer(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "", FOUND);
	w->on_answer = free_registry;
	for (unsigned i = 0; i < 10; i++)
		ask(w, i);
	bw_loop_run(w->loop);
	assert_int_equal(w->told[0].count, 1);
	assert_int_equal(w->told[9].count, 0);
}

static void free_then_nothing(struct told *t)
{
	if (t->world->registry)
		free_registry(t);
}

/* All of them are answered in one turn, and the first answer is the last. */
static void test_it_may_end_inside_of_a_row_of_answers(void **state)
{
	struct world *w = *state;

	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:1");
	open_registry(w);
	w->on_answer = free_then_nothing;
	for (unsigned i = 0; i < 10; i++)
		ask(w, i);
	bw_loop_run(w->loop);
	assert_int_equal(w->pending, 9);
}

static void ask_next(struct told *t)
{
	struct world *w = t->world;
	unsigned next = (unsigned)(t - w->told) + 1;

	if (next < MANY)
		ask(w, next);
}

static void test_an_answer_may_ask_the_next_question(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "", FOUND);
	w->on_answer = ask_next;
	ask(w, 0);
	while (w->told[MANY - 1].count == 0) /* between two questions the loop is stopped */
		bw_loop_run(w->loop);
	assert_found(&w->told[MANY - 1]);
}

static void test_it_ends_before_it_began(void **state)
{
	struct world *w = *state;

	open_plain(w);
	bw_registry_free(BW_TAKE(w->registry));
	bw_registry_free(NULL);
	assert_int_equal(peer_connections(w->peer), 0);
}

static void test_a_file_without_certificates_is_refused(void **state)
{
	struct world *w = *state;
	struct bw_err err = BW_ERR_INIT;

	w->options.ca_file = "/etc/passwd";
	assert_int_equal(bw_registry_new(w->loop, &w->options, &w->registry, &err), BW_E_INPUT);
	assert_string_equal(err.msg, "/etc/passwd: cannot be read as a file of PEM certificates");
}

/* --- another log-in --------------------------------------------------------------------------- */

static void write_log_in(const struct world *w, const char *path, const char *password)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	(void)fprintf(out, "{\"auths\":{\"%s\":{\"username\":\"bot\",\"password\":\"%s\"}}}", w->host,
		      password);
	assert_int_equal(fclose(out), 0);
}

/* Loads the file of that name with a log-in that is refused. */
static char *log_in_by_file(struct world *w, const char *password)
{
	char *path = bw_asprintf("/tmp/basewatch-registry-%d.json", (int)getpid());
	struct bw_err err = BW_ERR_INIT;

	write_log_in(w, path, password);
	assert_int_equal(setenv("REGISTRY_AUTH_FILE", path, 1), 0);
	assert_int_equal(bw_credentials_load(w->credentials, &err), 0);
	return path;
}

static void test_who_logs_in_anew_is_let_in_without_a_new_start(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *path = NULL;

	open_plain(w);
	path = log_in_by_file(w, "wrong");
	peer_on(w->peer, "HEAD /v2/", "Authorization: Basic Ym90OnNlc2FtZQ==\r\n", FOUND); /* bot:sesame */
	peer_on(w->peer, "HEAD /v2/", "",
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 2);
	assert_trouble(&w->told[1], BW_TROUBLE_AUTH, "%s refuses the credentials of bot");
	assert_int_equal(peer_count(w->peer, "HEAD", "Authorization: Basic"), 1);
	write_log_in(w, path, "sesame"); /* of the same user */
	bw_credentials_reload(w->credentials);
	ask_all(w, 2);
	assert_found(&w->told[0]);
	assert_found(&w->told[1]);
	(void)unlink(path);
	unsetenv("REGISTRY_AUTH_FILE");
}

static void test_a_token_of_another_log_in_is_not_used_any_more(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *path = NULL;

	open_plain(w);
	path = log_in_by_file(w, "old");
	peer_on(w->peer, "HEAD /v2/", "Authorization: Bearer t\r\n", FOUND);
	want_bearer(w->peer, "");
	on_body(w->peer, "GET /token", "", "{\"token\":\"t\",\"expires_in\":3600}");
	ask_all(w, 1);
	ask_all(w, 1);
	assert_int_equal(bw_registry_count(w->registry).tokens, 1);
	write_log_in(w, path, "new");
	bw_credentials_reload(w->credentials);
	ask_all(w, 1);
	assert_found(&w->told[0]);
	assert_int_equal(bw_registry_count(w->registry).tokens, 2);
	(void)unlink(path);
	unsetenv("REGISTRY_AUTH_FILE");
}

/* --- many hosts ------------------------------------------------------------------------------- */

#define STRANGERS (BW_REGISTRY_HOSTS + 88)

/* At each of these addresses nobody listens. */
static void ask_strangers(struct world *w)
{
	static char names[STRANGERS][32];

	for (unsigned i = 0; i < STRANGERS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "127.9.%u.%u:1", i / 200, i % 200 + 1);
		w->pending++;
		bw_registry_ask(w->registry, names[i], "a", "1", NULL, note, &w->told[1]);
	}
	assert_int_equal(w->registry->slots, BW_REGISTRY_SLOTS);
	bw_loop_run(w->loop);
	assert_int_equal(w->registry->slots, 0);
	assert_int_equal(w->told[1].count, STRANGERS);
}

static void few_are_on_their_way(struct told *t)
{
	assert_in_range(t->world->registry->slots, 0, BW_REGISTRY_SLOTS);
}

static void stop_loop(void *arg)
{
	bw_loop_stop(((struct world *)arg)->loop);
}

static void pass_time(struct world *w)
{
	w->timer = bw_timer_new(w->loop, stop_loop, w);
	bw_timer_start(w->timer, 5);
	bw_loop_run(w->loop);
}

static void test_hosts_that_nobody_asks_any_more_are_forgotten(void **state)
{
	struct world *w = *state;

	w->options.dead_ms = 1;
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/", "", FOUND);
	ask_strangers(w);
	assert_int_equal(bw_map_count(w->registry->hosts), STRANGERS); /* each was being asked */
	ask_all(w, 1);
	assert_found(&w->told[0]);
	pass_time(w);
	w->pending = 1;
	bw_registry_ask(w->registry, "127.10.0.1:1", "a", "1", NULL, note, &w->told[1]);
	assert_int_equal(bw_map_count(w->registry->hosts), BW_REGISTRY_HOSTS);
	bw_loop_run(w->loop);
	assert_non_null(bw_map_get(w->registry->hosts, "127.10.0.1:1"));
	assert_non_null(bw_map_get(w->registry->hosts, w->host));
}

static void test_hosts_that_are_left_alone_are_not_forgotten(void **state)
{
	struct world *w = *state;

	w->options.dead_ms = 600000;
	open_plain(w);
	w->on_answer = few_are_on_their_way;
	ask_strangers(w);
	pass_time(w);
	w->pending = 1;
	bw_registry_ask(w->registry, "127.10.0.1:1", "a", "1", NULL, note, &w->told[1]);
	assert_int_equal(bw_map_count(w->registry->hosts), STRANGERS + 1);
	bw_loop_run(w->loop);
}

/* A domain of a stranger has names without end. */
static void test_of_those_that_are_left_alone_only_who_is_named_is_never_forgotten(void **state)
{
	const struct bw_registry_standing quiet = {.quiet_ms = 86400000};
	struct bw_registry_host_options named = {.host = "named.example"};
	struct world *w = *state;
	char name[32];

	w->options.hosts = &named;
	w->options.host_count = 1;
	open_registry(w);
	bw_registry_remember(w->registry, "named.example", &quiet);
	for (unsigned i = 0; i < 3 * BW_REGISTRY_PAUSED; i++) {
		(void)snprintf(name, sizeof(name), "r%u.example", i);
		bw_registry_remember(w->registry, name, &quiet);
	}
	assert_int_equal(bw_map_count(w->registry->hosts), BW_REGISTRY_PAUSED);
	for (const struct bw_seat *s = w->registry->by_use.next; s->host; s = s->next)
		if (strcmp(s->host->name, "named.example") == 0)
			return;
	fail_msg("named.example is forgotten");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_head_answers_one_question),
		TEST(test_parameters_of_the_media_type_are_left_out),
		TEST(test_a_loopback_registry_without_tls_is_asked_plainly),
		TEST(test_one_that_hangs_up_on_tls_is_asked_plainly),
		TEST(test_a_bad_certificate_is_never_a_reason_to_speak_plainly),
		TEST(test_other_hosts_are_asked_with_tls_only),
		TEST(test_hosts_that_were_named_may_be_asked_plainly),
		TEST(test_the_first_question_goes_alone),
		TEST(test_with_http_1_there_are_as_many_in_flight_as_connections),
		TEST(test_the_queue_of_a_registry_has_an_end),
		TEST(test_a_silent_registry_delays_nobody_elses),
		TEST(test_where_head_is_of_no_use_get_is),
		TEST(test_a_tag_that_is_gone_says_nothing_about_head),
		TEST(test_a_gone_repository_is_told_from_a_gone_tag),
		TEST(test_bodies_that_make_no_sense_are_no_answers),
		TEST(test_a_body_that_its_header_names_is_taken),
		TEST(test_an_endless_body_is_a_limit),
		TEST(test_refusals_say_why),
		TEST(test_errors_of_the_server_are_tried_again),
		TEST(test_errors_of_the_server_are_not_tried_for_ever),
		TEST(test_two_errors_at_head_and_a_get_that_works_are_remembered),
		TEST(test_a_cut_connection_is_tried_again),
		TEST(test_a_registry_that_is_not_there_fails_for_all),
		TEST(test_one_repository_in_trouble_does_not_fail_the_host),
		TEST(test_a_silent_registry_fails_for_all_after_three_times),
		TEST(test_a_question_ends_in_time),
		TEST(test_retry_after_is_obeyed_by_everybody),
		TEST(test_retry_after_that_is_too_long_is_told),
		TEST(test_one_token_request_for_all_repositories_that_wait),
		TEST(test_a_token_is_replaced_when_its_time_is_over),
		TEST(test_only_so_many_tokens_are_kept),
		TEST(test_credentials_are_shown_to_the_realm_only),
		TEST(test_refused_credentials_are_not_shown_again),
		TEST(test_basic_is_sent_with_the_first_request_once_it_is_wanted),
		TEST(test_basic_that_is_refused_is_sent_once),
		TEST(test_without_credentials_a_person_has_to_act),
		TEST(test_an_invalid_token_is_replaced_once),
		TEST(test_an_anonymous_token_that_is_not_enough_is_denied),
		TEST(test_the_token_of_a_user_that_stays_invalid_is_trouble_with_the_log_in),
		TEST(test_the_scope_that_the_registry_wants_is_the_second_choice),
		TEST(test_the_scope_of_a_proxy_is_the_second_choice_for_that_repository),
		TEST(test_all_who_wait_get_the_token_of_the_second_scope),
		TEST(test_a_scope_that_nobody_wants_ends),
		TEST(test_token_endpoints_fail_in_their_own_ways),
		TEST(test_a_token_endpoint_that_is_not_there_fails_for_all),
		TEST(test_challenges_that_cannot_be_met),
		TEST(test_a_registry_with_tls_names_no_realm_without),
		TEST(test_a_redirect_to_one_who_wants_a_log_in_is_trouble),
		TEST(test_it_ends_with_questions_in_every_state),
		TEST(test_it_may_end_inside_of_an_answer),
		TEST(test_it_may_end_inside_of_a_row_of_answers),
		TEST(test_an_answer_may_ask_the_next_question),
		TEST(test_it_ends_before_it_began),
		TEST(test_a_file_without_certificates_is_refused),
		TEST(test_who_logs_in_anew_is_let_in_without_a_new_start),
		TEST(test_a_token_of_another_log_in_is_not_used_any_more),
		TEST(test_hosts_that_nobody_asks_any_more_are_forgotten),
		TEST(test_hosts_that_are_left_alone_are_not_forgotten),
		TEST(test_of_those_that_are_left_alone_only_who_is_named_is_never_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
