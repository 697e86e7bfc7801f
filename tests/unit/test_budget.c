/*
 * test_budget.c - the planner: rule by rule, and against registries that really count, with windows of both kinds, in
 * simulated time. What everybody uses there is counted by them, not by us.
 */
#include "unit/unit.h"

#include <string.h>

#include "core/mem.h"
#include "registry/budget.h"
#include "unit/rationer.h"

#define HOUR_MS 3600000ULL
#define HUB_MS	(6 * HOUR_MS)

static const struct bw_quota hub_quota = {.limit = 100, .remaining = 100, .window_s = 21600};

/* --- rule by rule ----------------------------------------------------------------------------- */

/* One question, and an answer that leaves so many. */
static void said(struct bw_budget *b, uint64_t remaining, uint64_t now)
{
	struct bw_quota q = b->quota.limit ? b->quota : hub_quota;

	q.remaining = remaining;
	bw_budget_note(b, bw_budget_sent(b, true), true, &q, true, now);
}

static struct bw_budget_plan plan_at(const struct bw_budget *b, uint64_t now)
{
	struct bw_budget_plan p;

	bw_budget_plan(b, now, &p);
	return p;
}

static bool goes(const struct bw_budget *b, bool is_question, uint64_t now)
{
	uint64_t wait;

	return bw_budget_allows(b, is_question, now, &wait) == BW_BUDGET_GO;
}

static void test_nothing_is_spread_where_nothing_is_said(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	for (unsigned i = 0; i < 100; i++)
		(void)bw_budget_sent(&b, true);
	assert_false(plan_at(&b, 1000).is_known);
	assert_int_equal(plan_at(&b, 1000).distance_ms, 0);
	assert_true(goes(&b, true, 1000));
}

static void test_what_another_process_knew_holds_until_something_is_said(void **state)
{
	const struct bw_budget_past past = {
		.limit = 100, .remaining = 20, .window_s = 21600, .hold_ms = HUB_MS / 10, .age_ms = 60000};
	struct bw_budget b;
	uint64_t wait = 0, now = 100 * HOUR_MS;

	(void)state;
	bw_budget_init(&b, 20);
	bw_budget_remember(&b, &past, now);
	assert_int_equal(bw_budget_allows(&b, true, now, &wait), BW_BUDGET_LATER);
	assert_int_equal(wait, HUB_MS / 10 - 60000);
	assert_int_equal(plan_at(&b, now).remaining, 20);
	assert_true(goes(&b, false, now)); /* half of the reserve is for bodies */

	now += wait; /* one finds out, and brings nothing: the next one waits twice as long */
	assert_true(goes(&b, true, now));
	said(&b, 19, now);
	assert_false(goes(&b, true, now));
	assert_int_equal(plan_at(&b, now).hold_ms, HUB_MS / 5);
}

static void test_what_another_process_knew_is_over_with_its_window(void **state)
{
	struct bw_budget_past past = {
		.limit = 100, .remaining = 0, .window_s = 21600, .hold_ms = HUB_MS, .age_ms = HUB_MS + 1000};
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	bw_budget_remember(&b, &past, 1000);
	assert_false(b.is_known);
	past.age_ms = 0;
	past.is_free = true;
	past.remaining = 5;
	past.hold_ms = 0;
	bw_budget_remember(&b, &past, 1000);
	assert_true(plan_at(&b, 1000).is_free);
	assert_true(goes(&b, true, 1000));
}

static void test_questions_are_spread_over_the_window(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	assert_true(plan_at(&b, 1000).is_known);
	assert_int_equal(plan_at(&b, 1000).reserved, 20);
	assert_int_equal(plan_at(&b, 1000).remaining, 99);
	assert_int_equal(plan_at(&b, 1000).distance_ms, HUB_MS / 80);
	assert_int_equal(plan_at(&b, 1000).hold_ms, 0);
}

static void test_the_reserve_is_rounded_up_and_never_all(void **state)
{
	static const struct {
		unsigned percent;
		uint64_t limit, reserved;
	} rows[] = {{20, 100, 20}, {20, 101, 21}, {0, 100, 0}, {90, 10, 9},
		    {99, 10, 9},   {20, 1, 0},	  {1, 3, 1}};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_quota q = {.limit = rows[i].limit, .remaining = rows[i].limit, .window_s = 60};
		struct bw_budget b;

		bw_budget_init(&b, rows[i].percent);
		bw_budget_note(&b, bw_budget_sent(&b, true), true, &q, true, 1000);
		assert_int_equal(plan_at(&b, 1000).reserved, rows[i].reserved);
	}
}

static void test_pairs_in_a_row_show_that_questions_are_free(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 30, 1000);
	assert_true(plan_at(&b, 1000).distance_ms > 0);
	said(&b, 30, 1030);
	said(&b, 30, 1060);
	assert_int_equal(b.cost, BW_BUDGET_UNKNOWN); /* two may have been granted anew meanwhile */
	assert_int_equal(plan_at(&b, 1060).distance_ms, 0);
	assert_false(plan_at(&b, 1060).is_free);
	said(&b, 30, 1100);
	assert_int_equal(b.cost, BW_BUDGET_FREE);
	assert_true(plan_at(&b, 1100).is_free);
	assert_int_equal(plan_at(&b, 1100).distance_ms, 0);
	said(&b, 3, 5000); /* of a colleague: not of ours, but that shows only in the next pair */
	assert_true(goes(&b, true, 5000));
	said(&b, 3, 5100);
	assert_true(plan_at(&b, 5100).is_free);
	said(&b, 0, 6000);
	assert_true(plan_at(&b, 6000).hold_ms > 0);
	assert_false(goes(&b, true, 6000));
}

static void test_a_pair_shows_that_questions_cost(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	said(&b, 98, 1100);
	assert_int_equal(b.cost, BW_BUDGET_COSTS);
}

static void test_two_that_are_far_apart_are_no_pair(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	said(&b, 99, 1000 + HUB_MS / 100 / 4 + 1);
	assert_int_equal(b.cost, BW_BUDGET_UNKNOWN);
}

static void test_two_with_a_body_between_them_are_no_pair(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	bw_budget_note(&b, bw_budget_sent(&b, false), false, NULL, true, 1050);
	said(&b, 98, 1100);
	assert_int_equal(b.cost, BW_BUDGET_UNKNOWN);
}

static void test_two_at_the_same_time_are_no_pair(void **state)
{
	struct bw_quota q = hub_quota;
	struct bw_budget b;
	uint64_t one, two;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	one = bw_budget_sent(&b, true);
	two = bw_budget_sent(&b, true);
	q.remaining = 99;
	bw_budget_note(&b, one, true, &q, true, 1100);
	bw_budget_note(&b, two, true, &q, true, 1100);
	assert_int_equal(b.cost, BW_BUDGET_UNKNOWN);
}

static void test_the_second_question_goes_alone_to_be_measured(void **state)
{
	struct bw_budget b;
	uint64_t wait;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 15, 1000); /* below the reserve, and still: it may be free */
	assert_true(goes(&b, true, 1000));
	(void)bw_budget_sent(&b, true);
	assert_int_equal(bw_budget_allows(&b, true, 1000, &wait), BW_BUDGET_SOON);
}

static void test_one_colleague_does_not_undo_what_many_pairs_showed(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	for (unsigned i = 0; i < 5; i++)
		said(&b, 90, 1000 + i * 100);
	said(&b, 89, 1600);
	said(&b, 88, 1700);
	assert_int_equal(b.cost, BW_BUDGET_FREE);
	said(&b, 87, 1800);
	assert_int_equal(b.evidence, 0);
	said(&b, 86, 1900);
	assert_int_equal(b.cost, BW_BUDGET_COSTS);
}

static void test_free_questions_that_come_all_at_once_must_not_use_anything_up(void **state)
{
	struct bw_quota q = hub_quota;
	struct bw_budget b;
	uint64_t numbers[20];

	(void)state;
	bw_budget_init(&b, 20);
	for (unsigned i = 0; i < 4; i++)
		said(&b, 90, 1000 + 30 * i);
	assert_int_equal(b.cost, BW_BUDGET_FREE);
	for (unsigned i = 0; i < 20; i++)
		numbers[i] = bw_budget_sent(&b, true);
	for (unsigned i = 0; i < 20; i++) {
		q.remaining = 89 - i;
		bw_budget_note(&b, numbers[i], true, &q, true, 1200);
	}
	assert_int_equal(b.cost, BW_BUDGET_COSTS);
}

static void test_at_the_reserve_it_waits_a_tenth_of_the_window_and_then_twice_as_long(void **state)
{
	struct bw_budget b;
	uint64_t now = 1000;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 31, now);
	said(&b, 20, now += 100);
	assert_int_equal(plan_at(&b, now).hold_ms, HUB_MS / 10);
	assert_false(goes(&b, true, now));
	assert_true(goes(&b, true, now + HUB_MS / 10));
	said(&b, 19, now += HUB_MS / 10);
	said(&b, 18, now += 100); /* the second of a pair */
	assert_int_equal(plan_at(&b, now).hold_ms, HUB_MS / 5);
	said(&b, 17, now += HUB_MS / 5);
	assert_int_equal(plan_at(&b, now).hold_ms, HUB_MS / 5 * 2);
	said(&b, 60, now += HUB_MS / 5 * 2);
	assert_int_equal(plan_at(&b, now).hold_ms, 0);
	said(&b, 20, now += 100);
	assert_int_equal(plan_at(&b, now).hold_ms, HUB_MS / 10);
}

static void test_no_more_than_half_of_the_reserve_goes_for_finding_out(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 10, 1000);
	assert_int_equal(plan_at(&b, 1000).hold_ms, HUB_MS + 1000);
}

static void test_with_a_reset_it_waits_for_that(void **state)
{
	struct bw_quota q = {
		.limit = 100, .remaining = 20, .window_s = 3600, .has_reset = true, .reset_s = 600};
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	bw_budget_note(&b, bw_budget_sent(&b, true), true, &q, true, 1000);
	b.cost = BW_BUDGET_COSTS;
	assert_int_equal(plan_at(&b, 1000).hold_ms, 601000);
	assert_int_equal(plan_at(&b, 602000).hold_ms, 0);
	assert_int_equal(plan_at(&b, 602000).remaining, 100);
	assert_int_equal(plan_at(&b, 602000).distance_ms, 45000);
}

static void test_what_is_left_is_spread_until_the_reset(void **state)
{
	struct bw_quota q = {
		.limit = 100, .remaining = 30, .window_s = 3600, .has_reset = true, .reset_s = 999};
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	bw_budget_note(&b, bw_budget_sent(&b, true), true, &q, true, 1000);
	assert_int_equal(plan_at(&b, 1000).distance_ms, 100000);
	q.remaining = 100;
	bw_budget_note(&b, bw_budget_sent(&b, true), true, &q, true, 1000);
	assert_int_equal(plan_at(&b, 1000).distance_ms, 45000); /* and no faster than the window allows */
}

static void test_what_is_on_its_way_is_counted(void **state)
{
	struct bw_budget b;
	uint64_t wait;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 24, 1000);
	said(&b, 23, 1100);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(goes(&b, true, 1200));
		(void)bw_budget_sent(&b, true);
	}
	assert_int_equal(bw_budget_allows(&b, true, 1200, &wait), BW_BUDGET_SOON);
	assert_true(goes(&b, false, 1200)); /* a body may take of the reserve ... */
	for (unsigned i = 0; i < 10; i++)
		(void)bw_budget_sent(&b, false);
	assert_int_equal(bw_budget_allows(&b, false, 1200, &wait), BW_BUDGET_SOON); /* ... half */
}

static void test_answers_that_crossed_each_other_change_nothing_for_the_better(void **state)
{
	struct bw_quota q = hub_quota;
	struct bw_budget b;
	uint64_t one, two;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	one = bw_budget_sent(&b, true);
	two = bw_budget_sent(&b, true);
	q.remaining = 97;
	bw_budget_note(&b, two, true, &q, true, 1100);
	q.remaining = 98;
	bw_budget_note(&b, one, true, &q, true, 1200);
	assert_int_equal(plan_at(&b, 1200).remaining, 97);
	said(&b, 99, 1300);
	assert_int_equal(plan_at(&b, 1300).remaining, 99);
}

static void test_what_was_said_is_forgotten_after_its_window(void **state)
{
	struct bw_quota q = {.limit = 100, .remaining = 10};
	struct bw_budget b;
	uint64_t wait;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 0, 1000);
	assert_true(plan_at(&b, HUB_MS + 1999).is_known);
	assert_false(plan_at(&b, HUB_MS + 2000).is_known);
	assert_true(goes(&b, true, HUB_MS + 2000)); /* one alone, until it says again how much there is */
	(void)bw_budget_sent(&b, true);
	assert_int_equal(bw_budget_allows(&b, true, HUB_MS + 2000, &wait), BW_BUDGET_SOON);
	bw_budget_note(&b, b.sent, true, NULL, true, HUB_MS + 3000); /* no limit any more */
	assert_true(goes(&b, true, HUB_MS + 3000));
	bw_budget_init(&b, 20);
	bw_budget_note(&b, bw_budget_sent(&b, true), true, &q, true, 1000);
	assert_true(plan_at(&b, 24 * HOUR_MS).is_known);
	assert_false(plan_at(&b, 24 * HOUR_MS + 2000).is_known);
}

static void test_answers_without_a_word_of_it_may_have_cost(void **state)
{
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 99, 1000);
	for (unsigned i = 0; i < 5; i++)
		bw_budget_note(&b, bw_budget_sent(&b, true), true, NULL, false, 1100);
	assert_int_equal(plan_at(&b, 1100).remaining, 94);
	for (unsigned i = 0; i < 3; i++)
		bw_budget_note(&b, bw_budget_sent(&b, true), true, NULL, true, 1100);
	assert_false(plan_at(&b, 1100).is_known); /* they would have said it */
}

static void test_another_limit_begins_anew(void **state)
{
	struct bw_quota q = {.limit = 200, .remaining = 150, .window_s = 3600};
	struct bw_budget b;

	(void)state;
	bw_budget_init(&b, 20);
	said(&b, 5, 1000);
	bw_budget_note(&b, bw_budget_sent(&b, true), true, &q, true, 2000);
	assert_int_equal(plan_at(&b, 2000).limit, 200);
	assert_int_equal(plan_at(&b, 2000).remaining, 150);
	assert_int_equal(plan_at(&b, 2000).hold_ms, 0);
}

/* --- against registries that count ------------------------------------------------------------ */

static void show(const char *name, const struct rationer *x)
{
	print_message(
		"%s: limit %u, %llu s: %u asked, %.1f %% of what is usable, least left %u, %u refused\n",
		name, x->limit, (unsigned long long)x->window_ms / 1000, x->asked, rationer_share(x) * 100,
		x->least, x->refused);
}

static const char *const kind_names[] = {"fixed window", "sliding window", "bucket"};

static void test_a_month_at_a_registry_that_counts_is_used_up_and_never_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < RATIONER_KINDS; kind++)
		for (unsigned says_reset = 0; says_reset < 2; says_reset++) {
			struct rationer x = {.kind = kind,
					     .limit = 100,
					     .window_ms = HUB_MS,
					     .phase_ms = HUB_MS / 3,
					     .says_reset = says_reset && kind != RATIONER_BUCKET,
					     .costs = true,
					     .latency_ms = 300,
					     .reserve_percent = 20,
					     .pairs = true,
					     .until_ms = 30 * 24 * HOUR_MS,
					     .seed = 42 + kind};

			rationer_run(&x);
			show(kind_names[kind], &x);
			assert_int_equal(x.refused, 0);
			assert_true(rationer_share(&x) >= 0.95);
			assert_true(x.least >= 16);
			rationer_done(&x);
		}
}

static void test_one_that_sends_as_fast_as_it_may_is_never_refused_either(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < RATIONER_KINDS; kind++) {
		struct rationer x = {.kind = kind,
				     .limit = 100,
				     .window_ms = HUB_MS,
				     .phase_ms = HUB_MS / 3,
				     .costs = true,
				     .latency_ms = 9000,
				     .reserve_percent = 20,
				     .in_flight = 32,
				     .is_greedy = true,
				     .until_ms = 30 * 24 * HOUR_MS,
				     .seed = 7 + kind};

		rationer_run(&x);
		show(kind_names[kind], &x);
		assert_int_equal(x.refused, 0);
		assert_true(x.least >= 9);
		assert_true(rationer_share(&x) >= 0.75);
		rationer_done(&x);
	}
}

/* Docker Hub: HEAD is free, and the pulls of colleagues do not stretch anything as long as they leave something. */
static void test_where_questions_are_free_colleagues_stretch_nothing(void **state)
{
	struct rationer x = {.kind = RATIONER_SLIDING,
			     .limit = 100,
			     .window_ms = HUB_MS,
			     .latency_ms = 300,
			     .reserve_percent = 20,
			     .wish_ms = 20000,
			     .others_ms = HUB_MS / 60,
			     .until_ms = 7 * 24 * HOUR_MS,
			     .seed = 3};

	(void)state;
	rationer_run(&x);
	print_message("free: %u asked of %llu wished, others %u\n", x.asked,
		      (unsigned long long)(x.until_ms / x.wish_ms), x.others);
	assert_int_equal(x.refused, 0);
	assert_true(x.asked >= x.until_ms / x.wish_ms * 97 / 100);
	rationer_done(&x);
}

/* They may be refused for what they do themselves; we leave them what we can. */
static void test_where_questions_cost_colleagues_keep_the_reserve(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < RATIONER_KINDS; kind++) {
		struct rationer x = {.kind = kind,
				     .limit = 100,
				     .window_ms = HUB_MS,
				     .costs = true,
				     .latency_ms = 300,
				     .reserve_percent = 20,
				     .pairs = true,
				     .others_ms = HUB_MS / 40,
				     .until_ms = 30 * 24 * HOUR_MS,
				     .seed = 11 + kind};

		rationer_run(&x);
		show(kind_names[kind], &x);
		assert_int_equal(x.refused, 0);
		assert_int_equal(x.others_refused, 0);
		assert_true(x.asked >= (80 - 40) * 120 * 60 / 100); /* of what they leave */
		rationer_done(&x);
	}
}

static void test_whatever_the_limit_it_is_used_up_and_never_refused(void **state)
{
	uint64_t random = 88172645463325252ULL;
	double least_share = 1;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct rationer x = {.costs = true, .seed = i + 1};
		unsigned reserve;

		x.kind = (unsigned)(rationer_random(&random) % RATIONER_KINDS);
		x.limit = 1 + (unsigned)(rationer_random(&random) % (i % 2 ? 20 : 400));
		x.window_ms = 1000 * (300 + rationer_random(&random) % 40000);
		x.phase_ms = rationer_random(&random) % x.window_ms;
		x.says_reset = x.kind != RATIONER_BUCKET && rationer_random(&random) % 2;
		x.latency_ms = 1 + rationer_random(&random) % 800;
		x.reserve_percent = (unsigned)(rationer_random(&random) % 91);
		x.pairs = rationer_random(&random) % 2;
		x.until_ms = x.window_ms * 40;
		reserve = (x.limit * x.reserve_percent + 99) / 100;
		rationer_run(&x);
		if (x.refused || (x.limit > reserve && rationer_share(&x) < 0.95)) {
			show(kind_names[x.kind], &x);
			fail_msg("round %u: reserve %u %%, pairs %d, reset %d", i, x.reserve_percent, x.pairs,
				 x.says_reset);
		}
		if (rationer_share(&x) < least_share)
			least_share = rationer_share(&x);
		rationer_done(&x);
	}
	print_message("1000 random registries: at least %.1f %% of what is usable\n", least_share * 100);
}

/* The machine slept: both clocks went on. */
static void test_a_clock_that_jumps_forward_loses_nothing_but_that_time(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < RATIONER_KINDS; kind++) {
		struct rationer x = {.kind = kind,
				     .limit = 50,
				     .window_ms = HOUR_MS,
				     .costs = true,
				     .latency_ms = 300,
				     .reserve_percent = 10,
				     .pairs = true,
				     .jump_ms = HOUR_MS * 7 / 3,
				     .until_ms = 10 * 24 * HOUR_MS,
				     .seed = 5 + kind};

		rationer_run(&x);
		show(kind_names[kind], &x);
		assert_int_equal(x.refused, 0);
		rationer_done(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_spread_where_nothing_is_said),
		cmocka_unit_test(test_what_another_process_knew_holds_until_something_is_said),
		cmocka_unit_test(test_what_another_process_knew_is_over_with_its_window),
		cmocka_unit_test(test_questions_are_spread_over_the_window),
		cmocka_unit_test(test_the_reserve_is_rounded_up_and_never_all),
		cmocka_unit_test(test_pairs_in_a_row_show_that_questions_are_free),
		cmocka_unit_test(test_a_pair_shows_that_questions_cost),
		cmocka_unit_test(test_two_that_are_far_apart_are_no_pair),
		cmocka_unit_test(test_two_with_a_body_between_them_are_no_pair),
		cmocka_unit_test(test_two_at_the_same_time_are_no_pair),
		cmocka_unit_test(test_the_second_question_goes_alone_to_be_measured),
		cmocka_unit_test(test_one_colleague_does_not_undo_what_many_pairs_showed),
		cmocka_unit_test(test_free_questions_that_come_all_at_once_must_not_use_anything_up),
		cmocka_unit_test(test_at_the_reserve_it_waits_a_tenth_of_the_window_and_then_twice_as_long),
		cmocka_unit_test(test_no_more_than_half_of_the_reserve_goes_for_finding_out),
		cmocka_unit_test(test_with_a_reset_it_waits_for_that),
		cmocka_unit_test(test_what_is_left_is_spread_until_the_reset),
		cmocka_unit_test(test_what_is_on_its_way_is_counted),
		cmocka_unit_test(test_answers_that_crossed_each_other_change_nothing_for_the_better),
		cmocka_unit_test(test_what_was_said_is_forgotten_after_its_window),
		cmocka_unit_test(test_answers_without_a_word_of_it_may_have_cost),
		cmocka_unit_test(test_another_limit_begins_anew),
		cmocka_unit_test(test_a_month_at_a_registry_that_counts_is_used_up_and_never_refused),
		cmocka_unit_test(test_one_that_sends_as_fast_as_it_may_is_never_refused_either),
		cmocka_unit_test(test_where_questions_are_free_colleagues_stretch_nothing),
		cmocka_unit_test(test_where_questions_cost_colleagues_keep_the_reserve),
		cmocka_unit_test(test_whatever_the_limit_it_is_used_up_and_never_refused),
		cmocka_unit_test(test_a_clock_that_jumps_forward_loses_nothing_but_that_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
