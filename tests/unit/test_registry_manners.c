/*
 * test_registry_manners.c - the registry client against registries that want fewer requests, and its circuit breaker: who
 * is asked how often then, and what those are told who are not answered.
 */
#include "unit/unit.h"

#include <string.h>

#include "core/clock.h"
#include "registry/host.h"
#include "registry/question.h"
#include "unit/registry_world.h"

#define NOON_MS INT64_C(1795262400000) /* 2026-11-21 12:00 */

#define GRANTED(limit, left)                                                           \
	"HTTP/1.1 200 OK\r\nContent-Type: " INDEX "\r\nDocker-Content-Digest: " DIGEST \
	"\r\nratelimit-limit: " limit ";w=3600\r\nratelimit-remaining: " left          \
	";w=3600\r\nContent-Length: 2\r\n\r\n"

static struct bw_host *host_of(const struct world *w)
{
	return bw_map_get(w->registry->hosts, w->host);
}

static unsigned found(const struct world *w, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += w->told[i].answer.trouble == BW_TROUBLE_NONE;
	return n;
}

static void set_manners(struct world *w, struct bw_registry_host_options *o)
{
	o->host = "*";
	w->options.hosts = o;
	w->options.host_count = 1;
}

/* --- budget ----------------------------------------------------------------------------------- */

/* Each repository once: the nth answer leaves so many less. */
static void grant(struct world *w, unsigned limit, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		BW_AUTOFREE char *match = bw_asprintf("HEAD /v2/r");
		BW_AUTOFREE char *answer = bw_asprintf(
			"HTTP/1.1 200 OK\r\nContent-Type: " INDEX "\r\nDocker-Content-Digest: " DIGEST
			"\r\nratelimit-limit: %u;w=3600\r\nratelimit-remaining: %u;w=3600\r\n"
			"Content-Length: 2\r\n\r\n",
			limit, i < limit ? limit - i - 1 : 0);

		peer_on(w->peer, match, "", answer)->times = 1;
	}
}

static void test_questions_stop_at_the_reserve_and_say_why(void **state)
{
	struct world *w = *state;
	struct bw_registry_facts facts;

	bw_clock_set(NOON_MS);
	open_plain(w);
	grant(w, 20, 20);
	ask_all(w, 30);
	bw_clock_set(0);
	assert_int_equal(found(w, 30), 16);
	assert_trouble(
		&w->told[29], BW_TROUBLE_THROTTLED,
		"%s: 4 of 20 requests in 60 min are left, and 4 are kept for others; may be asked again at "
		"2026-11-21 12:12");
	assert_true(w->told[29].answer.is_held_back);
	assert_in_range(w->told[29].answer.retry_after_s, 670, 675);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 16);
	ask_all(w, 3);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 16);
	assert_true(bw_registry_look(w->registry, w->host, &facts));
	assert_true(facts.budget.is_known);
	assert_int_equal(facts.budget.limit, 20);
	assert_int_equal(facts.budget.remaining, 4);
	assert_int_equal(facts.budget.distance_ms, 3600000 / 16);
}

static void test_what_another_process_knew_is_kept_to(void **state)
{
	struct world *w = *state;
	struct bw_registry_standing held = {.age_ms = 60000,
					    .has_budget = true,
					    .limit = 20,
					    .remaining = 4,
					    .window_s = 3600,
					    .hold_ms = 660000};
	const struct bw_registry_standing none = {0};

	bw_clock_set(NOON_MS);
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", GRANTED("20", "19"));
	bw_registry_remember(w->registry, w->host, &held);
	ask_all(w, 3);
	bw_clock_set(0);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 0);
	assert_trouble(
		&w->told[2], BW_TROUBLE_THROTTLED,
		"%s: 4 of 20 requests in 60 min are left, and 4 are kept for others; may be asked again at "
		"2026-11-21 12:10");
	assert_true(w->told[2].answer.is_held_back);
	bw_registry_free(w->registry);

	open_registry(w); /* the pause is over, and so it is asked; what it says then counts */
	held.age_ms = held.hold_ms;
	bw_registry_remember(w->registry, w->host, &held);
	ask_all(w, 3);
	assert_int_equal(found(w, 3), 3);
	bw_registry_remember(w->registry, w->host, &none);
	held.age_ms = 0;
	bw_registry_remember(w->registry, w->host, &held);
	ask_all(w, 3);
	assert_int_equal(found(w, 3), 3);
}

static void test_a_pause_that_another_process_was_asked_for_is_kept(void **state)
{
	struct world *w = *state;
	const struct bw_registry_standing quiet = {.age_ms = 600000, .quiet_ms = 7200000};

	bw_clock_set(NOON_MS);
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", GRANTED("20", "19"));
	bw_registry_remember(w->registry, w->host, &quiet);
	ask_all(w, 3);
	bw_clock_set(0);
	assert_int_equal(peer_count(w->peer, "HEAD", ""), 0);
	assert_trouble(&w->told[0], BW_TROUBLE_THROTTLED,
		       "%s: it asked to be left alone until 2026-11-21 13:50 (429 or Retry-After)");
	assert_true(w->told[0].answer.is_held_back);
	assert_int_equal(w->told[0].answer.retry_after_s, 6600);
}

static void test_bodies_may_take_half_of_the_reserve(void **state)
{
	struct world *w = *state;
	struct bw_digest d;

	bw_digest_of(BODY, strlen(BODY), &d);
	open_plain(w);
	grant(w, 20, 16);
	on_body(w->peer, "GET /v2/", "ratelimit-limit: 20;w=3600\r\nratelimit-remaining: 3;w=3600\r\n", BODY);
	w->peer->rules[16].times = 1;
	on_body(w->peer, "GET /v2/", "ratelimit-limit: 20;w=3600\r\nratelimit-remaining: 2;w=3600\r\n", BODY);
	ask_all(w, 20);
	assert_int_equal(found(w, 20), 16);
	for (unsigned i = 0; i < 3; i++) {
		w->pending = 1;
		bw_registry_fetch(w->registry, w->host, w->names[i], &d, note_body, &w->told[i]);
		bw_loop_run(w->loop);
	}
	assert_true(w->told[0].has_body);
	assert_true(w->told[1].has_body);
	assert_int_equal(w->told[2].answer.trouble, BW_TROUBLE_THROTTLED);
}

static void test_free_questions_go_on_below_the_reserve(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", GRANTED("100", "5"));
	ask_all(w, 30);
	assert_int_equal(found(w, 30), 30);
	assert_true(host_of(w)->gate.budget.cost == BW_BUDGET_FREE);
}

static void test_what_a_redirect_leads_to_says_nothing_about_the_registry(void **state)
{
	struct world *w = *state;
	struct bw_registry_facts facts;
	BW_AUTOFREE char *answer = NULL;

	open_plain(w);
	w->other = peer_new(NULL);
	answer = bw_asprintf(
		"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:%u/x\r\nContent-Length: 0\r\n\r\n",
		w->other->port);
	peer_on(w->peer, "HEAD /v2/r", "", answer);
	peer_on(w->other, "HEAD /x", "", GRANTED("100", "0"));
	ask_all(w, 10);
	assert_int_equal(found(w, 10), 10);
	assert_true(bw_registry_look(w->registry, w->host, &facts));
	assert_false(facts.budget.is_known);
}

static void test_a_redirect_to_one_who_is_asked_too_often_is_trouble_of_that_question_only(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *answer = NULL;
	char message[128];

	open_plain(w);
	w->other = peer_new(NULL);
	answer = bw_asprintf(
		"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:%u/x\r\nContent-Length: 0\r\n\r\n",
		w->other->port);
	peer_on(w->peer, "HEAD /v2/r0", "", answer);
	peer_on(w->peer, "HEAD /v2/r1", "", FOUND);
	peer_on(w->other, "HEAD /x", "",
		"HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 2);
	(void)snprintf(message, sizeof(message), "127.0.0.1:%u asks for fewer requests (429)",
		       w->other->port);
	assert_trouble(&w->told[0], BW_TROUBLE_THROTTLED, message);
	assert_int_equal(w->told[0].answer.retry_after_s, 600);
	assert_found(&w->told[1]);
	assert_int_equal(bw_host_quiet_ms(host_of(w)), 0);
}

/* --- requests per second, and on their way ---------------------------------------------------- */

static void test_requests_are_spaced(void **state)
{
	struct bw_registry_host_options o = {.requests_per_second = 50};
	struct world *w = *state;
	uint64_t start;

	set_manners(w, &o);
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 40); /* with the try of TLS 41: one second's worth is 50 */
	start = bw_loop_now(w->loop);
	ask_all(w, 40);
	assert_int_equal(found(w, 40), 40);
	assert_true(bw_loop_now(w->loop) - start >= 200);
}

/* The try of TLS is one of them. */
static void test_a_request_that_may_not_go_in_time_ends_its_question_at_once(void **state)
{
	struct bw_registry_host_options o = {.requests_per_second = 0.001};
	struct world *w = *state;

	set_manners(w, &o);
	w->options.give_up_ms = 600000;
	open_plain(w);
	ask_all(w, 1);
	assert_trouble(&w->told[0], BW_TROUBLE_THROTTLED, "%s wants fewer requests");
	assert_in_range(w->told[0].answer.retry_after_s, 990, 1000);
}

static void test_no_more_are_on_their_way_than_was_said(void **state)
{
	struct bw_registry_host_options o = {.in_flight = 2, .connections = 5};
	struct world *w = *state;

	set_manners(w, &o);
	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", FOUND)->act = PEER_HOLD;
	ask_all(w, 1);
	for (unsigned i = 1; i < 12; i++)
		ask(w, i);
	assert_int_equal(host_of(w)->slots, 2);
	release_later(w, 2);
	bw_loop_run(w->loop);
	assert_int_equal(found(w, 12), 12);
}

/* --- 429 and 503 ------------------------------------------------------------------------------ */

static void test_after_a_storm_one_request_goes_alone(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD /v2/r0/", "", FOUND);
	peer_on(w->peer, "HEAD /v2/r", "", STATUS("429 Slow"))->times =
		4; /* three at once, and the one alone */
	peer_on(w->peer, "HEAD /v2/r", "", FOUND);
	ask_all(w, 20);
	assert_int_equal(found(w, 20), 20);
	assert_counts(w, 1 + 20 + 4, 0, 0, 4);
}

static void test_503_that_says_when_is_throttling(void **state)
{
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD", "", "HTTP/1.1 503 Busy\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n");
	ask_all(w, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_trouble(&w->told[i], BW_TROUBLE_THROTTLED, "%s wants to be asked later (503)");
		assert_int_equal(w->told[i].answer.retry_after_s, 600);
	}
	assert_counts(w, 2, 0, 0, 0);
}

static void test_an_answer_that_was_on_its_way_does_not_lengthen_the_pause(void **state)
{
	struct world *w = *state;
	struct bw_question one, two;
	struct bw_gate *g;

	open_plain(w);
	peer_on(w->peer, "HEAD", "", FOUND);
	ask_all(w, 1);
	g = &host_of(w)->gate;
	one = two = (struct bw_question){.host = host_of(w)};
	one.sent_ms = 1000;
	two.sent_ms = 1100;
	bw_gate_hush(&one, 5000, 2000);
	assert_int_equal(g->quiet_until, 7000);
	bw_gate_hush(&two, 5000, 6500);
	assert_int_equal(g->quiet_until, 7000);
	bw_gate_hush(&two, 9000, 6500); /* it was told more */
	assert_int_equal(g->quiet_until, 11000);
	two.sent_ms = 11000;
	bw_gate_hush(&two, 5000, 12000);
	assert_int_equal(g->quiet_until, 17000);
}

/* --- the breaker ------------------------------------------------------------------------------ */

static void test_eight_errors_of_the_server_open_the_breaker(void **state)
{
	struct world *w = *state;
	unsigned before;

	w->options.dead_ms = 600000;
	open_plain(w);
	peer_on(w->peer, "", "", STATUS("500 Oops"));
	ask_all(w, 30);
	for (unsigned i = 0; i < 30; i++)
		assert_trouble(&w->told[i], BW_TROUBLE_SERVER, "%s answered 500");
	before = peer_count(w->peer, "", "");
	assert_in_range(before, 8, 24);
	assert_int_equal(host_of(w)->state, BW_CIRCUIT_OPEN);
	ask_all(w, 5);
	assert_int_equal(peer_count(w->peer, "", ""), before);
	assert_int_equal(w->told[4].answer.trouble, BW_TROUBLE_SERVER);
}

static void test_a_late_attempt_without_an_answer_does_not_close_it(void **state)
{
	struct bw_failure f = {.trouble = BW_TROUBLE_TIMEOUT};
	struct world *w = *state;

	open_plain(w);
	peer_on(w->peer, "HEAD", "", FOUND);
	ask_all(w, 1);
	bw_host_trip(host_of(w), &f);
	host_of(w)->failed_until_ms = 0;
	bw_host_pump(host_of(w));
	assert_int_equal(host_of(w)->state, BW_CIRCUIT_HALF_OPEN);
	bw_host_silent(host_of(w), &f);
	assert_int_equal(host_of(w)->state, BW_CIRCUIT_HALF_OPEN);
}

static void test_errors_between_answers_do_not_open_it(void **state)
{
	struct world *w = *state;

	w->options.dead_ms = 600000;
	w->options.connections = 1;
	open_plain(w);
	for (unsigned i = 1; i < 20; i += 2) {
		BW_AUTOFREE char *match = bw_asprintf("HEAD /v2/r%u/", i);

		peer_on(w->peer, match, "", STATUS("500 Oops"));
	}
	peer_on(w->peer, "HEAD", "", FOUND);
	peer_on(w->peer, "GET", "", STATUS("500 Oops"));
	for (unsigned i = 0; i < 20; i++) {
		ask(w, i);
		bw_loop_run(w->loop);
	}
	assert_int_equal(host_of(w)->state, BW_CIRCUIT_CLOSED);
	assert_int_equal(found(w, 20), 10);
}

/* One question after its time is over: the probe. */
static void probe(struct world *w)
{
	host_of(w)->failed_until_ms = 0;
	ask_all(w, 10);
}

static void test_each_probe_that_fails_doubles_the_time_and_an_answer_closes_it(void **state)
{
	static const unsigned factors[] = {2, 4, 8, 16, 16};
	struct world *w = *state;

	w->options.dead_ms = 600000;
	open_plain(w);
	peer_on(w->peer, "", "", "")->act = PEER_CLOSE;
	ask_all(w, 20);
	assert_int_equal(host_of(w)->state, BW_CIRCUIT_OPEN);
	for (size_t i = 0; i < BW_COUNT(factors); i++) {
		unsigned before = peer_count(w->peer, "", "");

		probe(w);
		assert_int_equal(found(w, 10), 0);
		assert_int_equal(host_of(w)->state, BW_CIRCUIT_OPEN);
		assert_in_range(host_of(w)->failed_until_ms - bw_loop_now(w->loop),
				600000ULL * factors[i] - 5000, 600000ULL * factors[i]);
		assert_true(peer_count(w->peer, "", "") - before <=
			    6); /* of one question, however many wait */
	}
	w->peer->rules[0].times = UINT32_MAX;
	peer_on(w->peer, "HEAD", "", FOUND);
	probe(w);
	assert_int_equal(found(w, 10), 10);
	assert_int_equal(host_of(w)->state, BW_CIRCUIT_CLOSED);
	assert_int_equal(host_of(w)->trips, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_questions_stop_at_the_reserve_and_say_why),
		TEST(test_what_another_process_knew_is_kept_to),
		TEST(test_a_pause_that_another_process_was_asked_for_is_kept),
		TEST(test_bodies_may_take_half_of_the_reserve),
		TEST(test_free_questions_go_on_below_the_reserve),
		TEST(test_what_a_redirect_leads_to_says_nothing_about_the_registry),
		TEST(test_a_redirect_to_one_who_is_asked_too_often_is_trouble_of_that_question_only),
		TEST(test_a_request_that_may_not_go_in_time_ends_its_question_at_once),
		TEST(test_a_late_attempt_without_an_answer_does_not_close_it),
		TEST(test_requests_are_spaced),
		TEST(test_no_more_are_on_their_way_than_was_said),
		TEST(test_after_a_storm_one_request_goes_alone),
		TEST(test_503_that_says_when_is_throttling),
		TEST(test_an_answer_that_was_on_its_way_does_not_lengthen_the_pause),
		TEST(test_eight_errors_of_the_server_open_the_breaker),
		TEST(test_errors_between_answers_do_not_open_it),
		TEST(test_each_probe_that_fails_doubles_the_time_and_an_answer_closes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
