/* test_schedule.c - when is each base asked: watch/schedule.h, promise by promise. A month of it: test_schedule_month.c. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "watch/heap.h"
#include "watch/idmap.h"
#include "watch/schedule.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  INT64_C(1700000000000)
#define UUID   "7c9e6679-7425-40de-944b-e07fc1f90ae7"

/* A schedule, its clocks, and what was asked when. */
struct scene {
	struct bw_schedule_options o;
	struct bw_schedule *s;
	int64_t now; /* real, which the wall clock follows */
	int64_t wall_ahead;
	char reason[512];
	char stopped[64];
	unsigned stops;
	enum bw_trouble trouble; /* what every question ends with */
	uint32_t retry_after_s;
	struct asked {
		int64_t id, at;
	} * asked;
	size_t count, capacity;
};

static struct bw_schedule_now clocks(const struct scene *x)
{
	return (struct bw_schedule_now){x->now + x->wall_ahead, (uint64_t)(x->now - START)};
}

static void note_stop(const char *registry, const char *reason, void *arg)
{
	struct scene *x = arg;

	(void)snprintf(x->stopped, sizeof(x->stopped), "%s", registry);
	(void)snprintf(x->reason, sizeof(x->reason), "%s", reason);
	x->stops++;
}

static void open_schedule(struct scene *x)
{
	struct bw_schedule_hooks hooks = {.stopped = note_stop, .arg = x};

	x->s = bw_schedule_new(&x->o, UUID, &hooks, clocks(x));
}

static int set_up(void **state)
{
	struct scene *x = BW_NEW(struct scene);

	x->o = BW_SCHEDULE_DEFAULTS;
	x->now = START;
	open_schedule(x);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *x = *state;

	bw_schedule_free(x->s);
	free(x->asked);
	free(x);
	return 0;
}

static struct bw_schedule_base row(int64_t id, const char *registry, int64_t checked_ms)
{
	static char names[8][48];
	char *name = names[id & 7];

	(void)snprintf(name, sizeof(names[0]), "library/image-%lld", (long long)id);
	return (struct bw_schedule_base){
		.id = id, .registry = registry, .repository = name, .tag = "1", .checked_ms = checked_ms};
}

static void put(struct scene *x, int64_t id, const char *registry, int64_t checked_ms)
{
	struct bw_schedule_base b = row(id, registry, checked_ms);

	bw_schedule_put(x->s, &b, clocks(x));
}

static void put_many(struct scene *x, int64_t first, int64_t count, const char *registry, int64_t checked_ms)
{
	for (int64_t id = first; id < first + count; id++)
		put(x, id, registry, checked_ms);
}

/* Follows the timer until then; each question is answered at once, unless `trouble` is BW_TROUBLE_COUNT: then never. */
static void run_until(struct scene *x, int64_t until)
{
	while (x->now <= until) {
		int64_t id = -1, delay;

		while (bw_schedule_take(x->s, clocks(x), &id)) {
			BW_PUSH(x->asked, x->count, x->capacity) = (struct asked){id, x->now};
			if (x->trouble != BW_TROUBLE_COUNT)
				bw_schedule_done(x->s, id, x->trouble, x->retry_after_s, clocks(x));
		}
		(void)bw_schedule_end_sweep(x->s, clocks(x));
		delay = bw_schedule_delay(x->s, clocks(x));
		if (delay > until - x->now)
			break;
		assert_true(delay > 0);
		x->now += delay;
	}
	x->now = until;
}

static size_t count_between(const struct scene *x, int64_t from, int64_t to)
{
	size_t n = 0;

	for (size_t i = 0; i < x->count; i++)
		n += x->asked[i].at >= from && x->asked[i].at < to;
	return n;
}

static int64_t nth_of(const struct scene *x, int64_t id, size_t n)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->asked[i].id == id && n-- == 0)
			return x->asked[i].at;
	return -1;
}

/* --- spread ------------------------------------------------------------------------------------- */

static void bases_never_seen_are_asked_at_once_within_the_minimum_distance(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 100, "a.example", 0);
	put_many(x, 101, 100, "b.example", 0);
	run_until(x, START + 990);
	assert_int_equal(x->count, 200);
	for (size_t i = 2; i < x->count; i++)
		assert_int_equal(x->asked[i].at - x->asked[i - 2].at, 10);
}

static void the_distance_of_one_registry_can_be_its_own(void **state)
{
	struct scene *x = *state;

	bw_schedule_set_distance(x->s, "slow.example", 2000);
	put_many(x, 1, 10, "slow.example", 0);
	put_many(x, 11, 10, "fast.example", 0);
	run_until(x, START + 17 * SECOND);
	assert_int_equal(x->count, 10 + 9);
	assert_int_equal(nth_of(x, x->asked[x->count - 1].id, 0), START + 16 * SECOND);
}

static void a_thousand_bases_are_evenly_spread_from_the_first_interval_on(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 1000, "a.example", 0);
	run_until(x, START + 6 * HOUR);
	assert_int_equal(count_between(x, START, START + MINUTE), 1000); /* first sights */
	for (int64_t at = START + 2 * HOUR; at < START + 6 * HOUR; at += HOUR / 8) {
		size_t n = count_between(x, at, at + HOUR / 8); /* 125 expected, deviation 11 */

		assert_in_range(n, 80, 170);
	}
	for (int64_t at = START + MINUTE; at < START + 6 * HOUR; at += MINUTE)
		assert_in_range(count_between(x, at, at + MINUTE), 0, 60);
	assert_in_range(count_between(x, START + 2 * HOUR, START + 6 * HOUR), 3950, 4050);
}

static void without_jitter_the_distance_is_the_interval(void **state)
{
	struct scene *x = *state;

	x->o.jitter_percent = 0;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put_many(x, 1, 20, "a.example", 0);
	run_until(x, START + 5 * HOUR);
	for (int64_t id = 1; id <= 20; id++)
		assert_in_range(nth_of(x, id, 4) - nth_of(x, id, 3), HOUR - SECOND,
				HOUR + SECOND); /* the pace */
}

static void two_databases_ask_at_different_times(void **state)
{
	const struct bw_schedule_options o = BW_SCHEDULE_DEFAULTS;
	struct bw_schedule_base b = row(1, "a.example", START);
	int64_t a = bw_schedule_due(&o, UUID, &b);
	int64_t c = bw_schedule_due(&o, "00000000-0000-4000-8000-000000000000", &b);

	(void)state;
	assert_int_equal(a, bw_schedule_due(&o, UUID, &b));
	assert_int_not_equal(a, c);
	b.tag = "2";
	assert_int_not_equal(a, bw_schedule_due(&o, UUID, &b));
	b.checked_ms = 0;
	assert_int_equal(bw_schedule_due(&o, UUID, &b), 0);
}

/* --- interruptions ------------------------------------------------------------------------------ */

static void a_restart_asks_nothing_early_and_keeps_the_due_times(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_base b[50];
	int64_t due;

	for (int64_t id = 0; id < 50; id++) {
		put(x, id, "a.example", START - id * MINUTE);
		b[id] = row(id, "a.example", START - id * MINUTE);
	}
	for (int restarts = 0; restarts < 10; restarts++) {
		bw_schedule_free(x->s);
		open_schedule(x);
		for (int64_t id = 0; id < 50; id++)
			put(x, id, "a.example", START - id * MINUTE);
	}
	for (int64_t id = 0; id < 50; id++) {
		b[id] = row(id, "a.example", START - id * MINUTE);
		assert_true(bw_schedule_due(&x->o, UUID, &b[id]) > START - id * MINUTE + HOUR / 2 - MINUTE);
		assert_true(bw_schedule_due(&x->o, UUID, &b[id]) <= START - id * MINUTE + HOUR + HOUR / 10);
	}
	run_until(x, START + 2 * HOUR);
	for (int64_t id = 0; id < 50; id++) {
		b[id] = row(id, "a.example", START - id * MINUTE);
		due = bw_schedule_due(&x->o, UUID, &b[id]);
		due = due > START ? due : START; /* overdue */
		assert_in_range(nth_of(x, id, 0), due, due + MINUTE);
	}
}

static void what_is_overdue_is_asked_in_the_order_of_due_and_at_a_pace(void **state)
{
	struct scene *x = *state;
	int64_t before = 0;

	for (int64_t id = 1; id <= 1000; id++)
		put(x, id, "a.example",
		    START - 30 * DAY + (id * 7919 % 1000) * MINUTE); /* a month of suspend */
	run_until(x, START + HOUR / 4 + 10 * SECOND);
	assert_int_equal(x->count, 1000);
	for (size_t i = 0; i < x->count; i++) {
		struct bw_schedule_base b = row(x->asked[i].id, "a.example",
						START - 30 * DAY + (x->asked[i].id * 7919 % 1000) * MINUTE);

		assert_true(bw_schedule_due(&x->o, UUID, &b) >= before);
		before = bw_schedule_due(&x->o, UUID, &b);
		if (i > 0)
			assert_int_equal(x->asked[i].at - x->asked[i - 1].at,
					 900); /* a quarter of an hour by 1,000 */
	}
	run_until(x, START + 6 * HOUR);
	for (int64_t at = START + 3 * HOUR; at < START + 6 * HOUR; at += HOUR / 8)
		assert_in_range(count_between(x, at, at + HOUR / 8), 80, 170); /* spread again */
}

static void a_few_overdue_bases_do_not_wait_for_the_pace_of_many(void **state)
{
	struct scene *x = *state;

	x->o.every_ms = DAY;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put_many(x, 1, 5, "a.example", START - 3 * DAY);
	run_until(x, START + 4 * SECOND);
	assert_int_equal(x->count, 5);
}

static void a_clock_that_is_set_back_moves_nothing(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 100, "a.example", 0);
	run_until(x, START + 3 * HOUR);
	x->wall_ahead -= 30 * DAY;
	x->count = 0;
	run_until(x, START + 4 * HOUR + HOUR / 10 + MINUTE);
	for (int64_t id = 1; id <= 100; id++)
		assert_true(nth_of(x, id, 0) > 0);
	assert_in_range(x->count, 100, 130); /* the first ten of the second round, and no storm */
	for (int64_t at = START + 3 * HOUR; at < x->now; at += MINUTE)
		assert_in_range(count_between(x, at, at + MINUTE), 0, 10);
}

static void after_it_was_set_back_old_rows_are_no_news(void **state)
{
	struct scene *x = *state;
	int64_t due;

	put_many(x, 1, 100, "a.example", START - 15 * MINUTE);
	due = bw_schedule_delay(x->s, clocks(x));
	x->wall_ahead -= 14 * MINUTE;
	put_many(x, 1, 100, "a.example", START - 15 * MINUTE);
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), due);
	run_until(x, START + 55 * MINUTE);
	for (int64_t id = 1; id <= 100; id++)
		assert_true(nth_of(x, id, 0) > 0);
}

static void rows_of_the_future_wait_no_longer_than_an_interval(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 100, "a.example", START + 300 * DAY);
	run_until(x, START + SECOND);
	assert_in_range(x->count, 0, 10); /* not at once */
	run_until(x, START + HOUR);
	assert_int_equal(count_between(x, START, START + HOUR) >= 100, 1);
}

/* A database may hold anything. */
static void hostile_rows_and_options_overflow_nothing(void **state)
{
	static const int64_t numbers[] = {INT64_MIN,	 -1,	   0, 1, 1000, START, INT64_MAX / 2,
					  INT64_MAX - 1, INT64_MAX};
	static const uint32_t counts[] = {0, 1, 2, 40, UINT32_MAX};
	struct scene *x = *state;
	int64_t id = INT64_MIN;

	for (size_t e = 0; e < BW_COUNT(numbers); e++) {
		x->o = (struct bw_schedule_options){
			numbers[e], (unsigned)e * 1000, (uint32_t)numbers[e], numbers[e],
			numbers[e], (unsigned)e * 500,	(unsigned)e * 500,    e % 2};
		bw_schedule_set_options(x->s, &x->o,
					(struct bw_schedule_now){numbers[e], (uint64_t)numbers[e]});
		for (size_t i = 0; i < BW_COUNT(numbers) * BW_COUNT(counts) * BW_TROUBLE_COUNT; i++) {
			struct bw_schedule_base b = row(0, "a.example", numbers[i % BW_COUNT(numbers)]);
			int64_t due;

			b.id = id++;
			b.failures = counts[i % BW_COUNT(counts)];
			b.trouble = (enum bw_trouble)(i % BW_TROUBLE_COUNT);
			b.retry_after_s = counts[(i + 1) % BW_COUNT(counts)];
			due = bw_schedule_due(&x->o, UUID, &b);
			assert_true(due >= 0);
			if (b.checked_ms > 0 && b.checked_ms <= START)
				assert_true(due <= b.checked_ms + 800 * DAY);
			bw_schedule_put(x->s, &b,
					(struct bw_schedule_now){numbers[i % 9], (uint64_t)numbers[e]});
		}
	}
	assert_true(bw_schedule_delay(x->s, clocks(x)) >= 0);
	while (bw_schedule_take(x->s, clocks(x), &id))
		bw_schedule_done(x->s, id, BW_TROUBLE_THROTTLED, UINT32_MAX, clocks(x));
}

/* --- failures ----------------------------------------------------------------------------------- */

static void a_passing_trouble_is_retried_after_1_4_and_16_minutes(void **state)
{
	struct scene *x = *state;
	int64_t at[7];

	x->trouble = BW_TROUBLE_TIMEOUT;
	x->o.jitter_percent = 0;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put(x, 1, "a.example", 0);
	run_until(x, START + 5 * HOUR);
	for (size_t i = 0; i < BW_COUNT(at); i++)
		at[i] = nth_of(x, 1, i);
	assert_int_equal(at[1] - at[0], MINUTE);
	assert_int_equal(at[2] - at[1], 4 * MINUTE);
	assert_int_equal(at[3] - at[2], 16 * MINUTE);
	assert_in_range(at[4] - at[3], HOUR / 2 - MINUTE, HOUR);
	assert_in_range(at[5] - at[4], HOUR / 2 - MINUTE, HOUR);
	assert_int_equal(at[6] - at[5], HOUR); /* never less often than a base that answers */
}

static void a_trouble_that_stays_doubles_the_interval_up_to_the_cap(void **state)
{
	static const int64_t hours[] = {1, 2, 4, 8, 8, 8};
	struct scene *x = *state;

	x->trouble = BW_TROUBLE_TAG_GONE;
	x->o.backoff_ms = 8 * HOUR;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put(x, 1, "a.example", 0);
	run_until(x, START + 3 * DAY);
	for (size_t i = 0; i < BW_COUNT(hours); i++)
		assert_in_range(nth_of(x, 1, i + 1) - nth_of(x, 1, i),
				(hours[i] - 1) * HOUR + HOUR / 2 - MINUTE,
				hours[i] * HOUR + HOUR / 10 + SECOND);
	x->trouble = BW_TROUBLE_NONE;
	run_until(x, START + 4 * DAY);
	assert_true(x->asked[x->count - 1].at - x->asked[x->count - 2].at <= HOUR + HOUR / 10);
}

static void retry_after_holds_the_whole_registry_and_no_other(void **state)
{
	struct scene *x = *state;
	int64_t id;

	put_many(x, 1, 10, "a.example", 0);
	put_many(x, 11, 10, "b.example", 0);
	while (bw_schedule_take(x->s, clocks(x), &id))
		bw_schedule_done(x->s, id, id < 11 ? BW_TROUBLE_THROTTLED : BW_TROUBLE_NONE, 300, clocks(x));
	run_until(x, START + 300 * SECOND - 1);
	assert_int_equal(x->count, 9); /* of b */
	run_until(x, START + 301 * SECOND);
	assert_int_equal(x->count, 9 + 9 + 1);
	assert_int_equal(x->asked[9].at, START + 300 * SECOND);
}

static void retry_after_holds_through_a_restart_and_is_no_longer_than_a_day(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_base b = row(1, "a.example", START - MINUTE);

	b.failures = 1;
	b.trouble = BW_TROUBLE_THROTTLED;
	b.retry_after_s = UINT32_MAX;
	bw_schedule_put(x->s, &b, clocks(x));
	put(x, 2, "a.example", 0);
	run_until(x, START + DAY - MINUTE - 1);
	assert_int_equal(x->count, 0);
	run_until(x, START + DAY);
	assert_int_equal(nth_of(x, 2, 0), START + DAY - MINUTE);
	assert_int_equal(nth_of(x, 1, 0), START + DAY - MINUTE + 10);
}

static void a_429_without_a_time_holds_longer_each_time(void **state)
{
	struct scene *x = *state;

	x->trouble = BW_TROUBLE_THROTTLED;
	put_many(x, 1, 5, "a.example", 0);
	run_until(x, START + 20 * MINUTE);
	assert_int_equal(x->asked[1].at - x->asked[0].at, MINUTE);
	assert_int_equal(x->asked[2].at - x->asked[1].at, 2 * MINUTE);
	assert_int_equal(x->asked[3].at - x->asked[2].at, 4 * MINUTE);
}

static void of_a_registry_that_is_down_only_the_schedule_asks(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 1000, "a.example", START - 30 * MINUTE);
	x->trouble = BW_TROUBLE_CONNECTION;
	run_until(x, START + 3 * HOUR);
	/* 3 regular questions each, some of the first eight three more; and half intervals of those between. */
	assert_in_range(x->count, 2400, 3600);
}

static void a_question_without_an_answer_is_lost_after_a_while(void **state)
{
	struct scene *x = *state;

	x->trouble = BW_TROUBLE_COUNT;
	put(x, 1, "a.example", 0);
	run_until(x, START + 12 * MINUTE);
	assert_int_equal(x->count, 2);
	assert_in_range(x->asked[1].at, START + 10 * MINUTE, START + 11 * MINUTE);
	bw_schedule_done(x->s, 99, BW_TROUBLE_NONE, 0, clocks(x)); /* nobody's */
}

static void a_registry_has_so_many_questions_in_flight(void **state)
{
	struct scene *x = *state;

	x->trouble = BW_TROUBLE_COUNT;
	put_many(x, 1, 100, "a.example", 0);
	run_until(x, START + MINUTE);
	assert_int_equal(x->count, 1); /* its first word is waited for */
	bw_schedule_done(x->s, x->asked[0].id, BW_TROUBLE_NONE, 0, clocks(x));
	run_until(x, START + 2 * MINUTE);
	assert_int_equal(x->count, 17);
	bw_schedule_done(x->s, x->asked[3].id, BW_TROUBLE_NONE, 0, clocks(x));
	run_until(x, START + 3 * MINUTE);
	assert_int_equal(x->count, 18);
}

/* --- what a registry grants (a month of it: test_schedule_budget.c) ------------------------------ */

static void grant(struct scene *x, uint64_t distance_ms, uint64_t hold_ms)
{
	const struct bw_budget_plan p = {.is_known = true,
					 .limit = 100,
					 .remaining = 50,
					 .reserved = 20,
					 .window_s = 21600,
					 .distance_ms = distance_ms,
					 .hold_ms = hold_ms};

	bw_schedule_set_budget(x->s, "a.example", &p, clocks(x));
}

static void others_are_not_limited_by_the_budget_of_one(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 50, "a.example", 0);
	put_many(x, 51, 10, "b.example", 0);
	grant(x, 5 * MINUTE, 0);
	run_until(x, START + SECOND);
	assert_int_equal(x->count, 2 + 10);
}

static void pairs_are_close_and_far_from_each_other(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 50, "a.example", 0);
	grant(x, 5 * MINUTE, 0);
	run_until(x, START + 5 * HOUR);
	assert_in_range(x->count, 54, 66);
	for (size_t i = 1; i < x->count; i++) {
		int64_t apart = x->asked[i].at - x->asked[i - 1].at;

		if (i % 2)
			assert_in_range(apart, 10, SECOND);
		else
			assert_in_range(apart, 8 * MINUTE + 44 * SECOND, 11 * MINUTE + 16 * SECOND);
	}
}

static void a_hold_holds_for_first_sights_and_nudges_too(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_lane lane;

	put(x, 1, "a.example", 0);
	put(x, 2, "a.example", START - 10 * MINUTE);
	put(x, 3, "a.example", START - 5 * HOUR);
	assert_true(bw_schedule_nudge(x->s, 2, clocks(x)));
	grant(x, 0, HOUR);
	assert_true(bw_schedule_look(x->s, "a.example", clocks(x), &lane));
	assert_int_equal(lane.pause, BW_PAUSE_BUDGET);
	assert_int_equal(lane.paused_until_ms, START + HOUR);
	assert_int_equal(lane.bases, 3);
	run_until(x, START + HOUR - 1);
	assert_int_equal(x->count, 0);
	run_until(x, START + HOUR + 10 * SECOND);
	assert_int_equal(x->count, 3);
	assert_int_equal(x->asked[0].id, 2); /* what a build waits for goes first */
	assert_true(bw_schedule_look(x->s, "a.example", clocks(x), &lane));
	assert_int_equal(lane.pause, BW_PAUSE_NONE);
	assert_false(bw_schedule_look(x->s, "b.example", clocks(x), &lane));
}

static void a_plan_that_is_not_renewed_or_that_is_taken_back_loses_its_force(void **state)
{
	static const struct bw_budget_plan none;
	struct scene *x = *state;

	put_many(x, 1, 50, "a.example", 0);
	grant(x, HOUR, 0);
	run_until(x, START + 6 * HOUR - 1);
	assert_in_range(x->count, 5, 8);
	run_until(x, START + 6 * HOUR + MINUTE);
	assert_in_range(x->count, 50, 60);
	grant(x, HOUR, 0);
	x->count = 0;
	run_until(x, START + 8 * HOUR);
	assert_in_range(x->count, 0, 4);
	bw_schedule_set_budget(x->s, "a.example", &none, clocks(x));
	run_until(x, START + 8 * HOUR + MINUTE);
	assert_in_range(x->count, 40, 60);
}

static void what_was_not_asked_at_all_is_where_it_was(void **state)
{
	struct scene *x = *state;
	int64_t id = 0;

	put_many(x, 1, 3, "a.example", START - 5 * HOUR);
	put(x, 4, "a.example", 0);
	grant(x, MINUTE, 0);
	for (int i = 0; i < 5; i++) {
		assert_true(bw_schedule_take(x->s, clocks(x), &id));
		assert_int_equal(id, 4);
		bw_schedule_put_back(x->s, id, i == 0 ? 0 : HOUR, clocks(x));
		assert_false(bw_schedule_take(x->s, clocks(x), &id));
		x->now += i == 0 ? SECOND : HOUR;
		(void)bw_schedule_end_sweep(x->s, clocks(x));
	}
	bw_schedule_put_back(x->s, 4, 0, clocks(x)); /* it is not being asked */
	bw_schedule_put_back(x->s, 99, 0, clocks(x));
	run_until(x, x->now + 5 * MINUTE);
	assert_int_equal(x->count, 4);
}

static void a_restart_goes_on_from_the_last_question_of_anybody(void **state)
{
	struct scene *x = *state;

	grant(x, 10 * MINUTE, 0);
	put(x, 1, "a.example", START - 5 * HOUR);
	put(x, 2, "a.example", START - MINUTE);
	put(x, 3, "a.example", START - 4 * HOUR);
	run_until(x, START + 16 * MINUTE);
	assert_int_equal(x->count, 0);
	run_until(x, START + 23 * MINUTE);
	assert_int_equal(x->count, 2);
	assert_int_equal(x->asked[0].id, 1); /* in the order of due */
	assert_int_equal(x->asked[1].id, 3);
}

static void numbers_without_sense_are_bounded(void **state)
{
	const struct bw_budget_plan p = {
		.is_known = true, .window_s = UINT32_MAX, .distance_ms = UINT64_MAX, .hold_ms = UINT64_MAX};
	struct scene *x = *state;

	put(x, 1, "a.example", 0);
	bw_schedule_set_budget(x->s, "a.example", &p, clocks(x));
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), 7 * DAY);
	bw_schedule_put_back(x->s, 1, UINT64_MAX, clocks(x));
	run_until(x, START + 7 * DAY + MINUTE);
	assert_int_equal(x->count, 1);
}

/* --- reloads and lists -------------------------------------------------------------------------- */

static void a_reload_with_the_same_options_changes_nothing(void **state)
{
	struct scene *x = *state;
	int64_t before;

	put_many(x, 1, 100, "a.example", START - 10 * MINUTE);
	before = bw_schedule_delay(x->s, clocks(x));
	for (int i = 0; i < 100; i++)
		bw_schedule_set_options(x->s, &x->o, clocks(x));
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), before);
	run_until(x, START + 10 * MINUTE);
	assert_in_range(x->count, 0, 40);
}

static void a_shorter_interval_holds_at_once_and_without_a_storm(void **state)
{
	struct scene *x = *state;

	x->o.every_ms = DAY;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put_many(x, 1, 1000, "a.example", START - 6 * HOUR);
	run_until(x, START + SECOND);
	x->count = 0;
	x->o.every_ms = HOUR;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	run_until(x, START + 20 * MINUTE);
	assert_in_range(x->count, 990, 1300); /* all within a quarter of the interval */
	for (int64_t at = START; at < x->now; at += 10 * SECOND)
		assert_in_range(count_between(x, at, at + 10 * SECOND), 0, 13);
}

static void a_longer_interval_holds_at_once(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 100, "a.example", START - HOUR / 4);
	x->o.every_ms = DAY;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	run_until(x, START + 11 * HOUR);
	assert_int_equal(x->count, 0);
	run_until(x, START + 27 * HOUR);
	assert_int_equal(x->count >= 100, 1);
}

static void at_a_start_all_can_be_asked(void **state)
{
	struct scene *x = *state;

	x->o.has_to_ask_at_start = true;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put_many(x, 1, 60, "a.example", START - MINUTE);
	run_until(x, START + MINUTE);
	assert_int_equal(x->count, 60);
	put_many(x, 1, 60, "a.example", START - MINUTE); /* not again */
	run_until(x, START + 2 * MINUTE);
	assert_int_equal(x->count, 60);
}

static void a_list_drops_what_is_not_wanted_any_more(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 100, "a.example", 0);
	put_many(x, 101, 5, "gone.example", 0);
	bw_schedule_begin_list(x->s);
	put_many(x, 1, 60, "a.example", 0);
	assert_int_equal(bw_schedule_end_list(x->s, clocks(x)), 45);
	assert_int_equal(bw_schedule_count(x->s), 60);
	run_until(x, START + MINUTE);
	assert_int_equal(x->count, 60);
	bw_schedule_remove(x->s, 1, clocks(x));
	bw_schedule_remove(x->s, 1, clocks(x));
	assert_int_equal(bw_schedule_count(x->s), 59);
	run_until(x, START + 3 * HOUR);
	assert_int_equal(nth_of(x, 1, 1), -1);
}

static void the_question_of_another_process_counts(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_base b = row(1, "a.example", START + 20 * MINUTE);
	int64_t first;

	put(x, 1, "a.example", START - HOUR / 2);
	first = x->now + bw_schedule_delay(x->s, clocks(x));
	assert_true(first < START + HOUR / 2 + HOUR / 10);
	x->now = START + 20 * MINUTE;
	if (x->now >= first)
		return; /* asked meanwhile: another UUID, and nothing to look at */
	bw_schedule_put(x->s, &b, clocks(x));
	run_until(x, START + 49 * MINUTE);
	assert_int_equal(x->count, 0);
	b.checked_ms = START; /* an older row is not believed */
	bw_schedule_put(x->s, &b, clocks(x));
	run_until(x, START + 90 * MINUTE);
	assert_int_equal(x->count, 1);
}

/* --- nudges, the guard, sweeps ------------------------------------------------------------------ */

static void a_nudge_asks_soon_and_not_twice(void **state)
{
	struct scene *x = *state;

	put_many(x, 1, 10, "a.example", START - HOUR / 4);
	assert_true(bw_schedule_nudge(x->s, 3, clocks(x)));
	assert_true(bw_schedule_nudge(x->s, 3, clocks(x)));
	assert_false(bw_schedule_nudge(x->s, 99, clocks(x)));
	run_until(x, START + 10);
	assert_int_equal(x->count, 1);
	assert_int_equal(x->asked[0].id, 3);
	assert_int_equal(x->asked[0].at, START);
	assert_false(bw_schedule_nudge(x->s, 3, clocks(x))); /* within this window */
	x->trouble = BW_TROUBLE_COUNT;
	x->now += 2 * MINUTE;
	assert_true(bw_schedule_nudge(x->s, 3, clocks(x)));
	run_until(x, x->now + 10);
	assert_false(bw_schedule_nudge(x->s, 3, clocks(x))); /* is being asked */
}

static void neither_kind_of_question_starves_the_other(void **state)
{
	struct scene *x = *state;
	size_t old = 0;

	x->o.every_ms = SECOND; /* more than the minimum distance lets through */
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put_many(x, 1, 1000, "a.example", START - DAY);
	put_many(x, 1001, 1000, "a.example", 0);
	run_until(x, START + 5 * SECOND);
	for (size_t i = 0; i < x->count; i++)
		old += x->asked[i].id <= 1000;
	assert_in_range(x->count, 500, 502);
	assert_in_range(old, 249, 252);
}

static void the_guard_stops_a_registry_that_is_asked_beyond_the_schedule(void **state)
{
	struct scene *x = *state;
	size_t asked;

	put(x, 1, "a.example", START);
	put(x, 2, "b.example", START);
	for (int i = 0; i < 400 && x->stops == 0; i++) { /* who nudges without end */
		x->now += 20 * SECOND;
		x->o.every_ms = 20 * MINUTE;
		bw_schedule_set_options(x->s, &x->o, clocks(x));
		(void)bw_schedule_nudge(x->s, 1, clocks(x));
		run_until(x, x->now);
	}
	assert_int_equal(x->stops, 1);
	assert_string_equal(x->stopped, "a.example");
	assert_string_equal(
		x->reason,
		"a.example: more than 72 requests beyond the schedule within an hour, for 1 bases: it is not "
		"asked for 30 minutes; the schedule never does that by itself, please report it");
	assert_in_range(x->count, 72, 160);
	asked = x->count;
	run_until(x, x->now + 30 * MINUTE - SECOND);
	for (size_t i = asked; i < x->count; i++)
		assert_int_equal(x->asked[i].id, 2); /* the other registry goes on */
	asked = x->count;
	run_until(x, x->now + 2 * SECOND);
	assert_int_equal(x->asked[asked].id, 1); /* forgotten */
	assert_int_equal(x->stops, 1);
}

static void the_guard_counts_only_what_is_beyond_the_schedule(void **state)
{
	struct scene *x = *state;

	x->o.guard = 1;
	x->o.every_ms = 10 * MINUTE;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put_many(x, 1, 10, "a.example", START - MINUTE);
	/* 90 nudges an hour, and 54 questions of the schedule; 120 beyond the schedule are allowed. */
	while (x->now < START + 12 * HOUR) {
		(void)bw_schedule_nudge(x->s, 1, clocks(x));
		run_until(x, x->now + 40 * SECOND);
	}
	assert_int_equal(x->stops, 0);
	assert_in_range(x->count, 12 * 140, 12 * 150);
}

static void a_sweep_ends_when_its_answers_are_there(void **state)
{
	struct scene *x = *state;
	int64_t id;

	assert_false(bw_schedule_end_sweep(x->s, clocks(x)));
	put_many(x, 1, 2, "a.example", 0);
	assert_true(bw_schedule_take(x->s, clocks(x), &id));
	assert_false(bw_schedule_end_sweep(x->s, clocks(x)));
	bw_schedule_done(x->s, id, BW_TROUBLE_NONE, 0, clocks(x));
	assert_false(bw_schedule_end_sweep(x->s, clocks(x))); /* the other one comes in 10 ms */
	x->now += 10;
	assert_true(bw_schedule_take(x->s, clocks(x), &id));
	assert_true(bw_schedule_delay(x->s, clocks(x)) > SECOND);
	bw_schedule_done(x->s, id, BW_TROUBLE_NONE, 0, clocks(x));
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), 0); /* or nobody would know */
	assert_true(bw_schedule_end_sweep(x->s, clocks(x)));
	assert_false(bw_schedule_end_sweep(x->s, clocks(x)));
	assert_true(bw_schedule_delay(x->s, clocks(x)) > SECOND);
}

static void an_answer_that_comes_late_is_a_sweep_of_its_own(void **state)
{
	struct scene *x = *state;
	int64_t id;

	put_many(x, 1, 2, "a.example", 0);
	assert_true(bw_schedule_take(x->s, clocks(x), &id));
	x->now += MINUTE;
	assert_true(bw_schedule_end_sweep(x->s, clocks(x)));
	bw_schedule_done(x->s, id, BW_TROUBLE_NONE, 0, clocks(x));
	assert_false(bw_schedule_end_sweep(x->s, clocks(x))); /* the other one is due */
	bw_schedule_remove(x->s, 3 - id, clocks(x));
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), 0);
	assert_true(bw_schedule_end_sweep(x->s, clocks(x)));
	bw_schedule_done(x->s, 3 - id, BW_TROUBLE_NONE, 0, clocks(x)); /* of one that was removed */
	assert_true(bw_schedule_end_sweep(x->s, clocks(x)));
	assert_false(bw_schedule_end_sweep(x->s, clocks(x)));
}

static void a_sweep_is_not_held_by_one_slow_registry(void **state)
{
	struct scene *x = *state;
	int64_t id;

	x->o.every_ms = SECOND;
	bw_schedule_set_options(x->s, &x->o, clocks(x));
	put(x, 1, "a.example", 0);
	assert_true(bw_schedule_take(x->s, clocks(x), &id));
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), SECOND);
	x->now += SECOND - 1;
	assert_false(bw_schedule_end_sweep(x->s, clocks(x)));
	x->now += 1;
	assert_true(bw_schedule_end_sweep(x->s, clocks(x)));
}

/* --- what it is built of ------------------------------------------------------------------------ */

static void a_hundred_thousand_bases_on_as_many_registries_are_no_trouble(void **state)
{
	struct scene *x = *state;
	char registry[32];

	put_many(x, 1, 50000, "a.example", START - 2 * HOUR);
	for (int64_t id = 50001; id <= 100000; id++) {
		(void)snprintf(registry, sizeof(registry), "r%lld.example", (long long)id);
		put(x, id, registry, START - HOUR / 2);
	}
	run_until(x, START + 2 * HOUR);
	assert_in_range(x->count, 190000, 350000);
	bw_schedule_begin_list(x->s);
	assert_int_equal(bw_schedule_end_list(x->s, clocks(x)), 100000);
	x->now += HOUR;
	(void)bw_schedule_end_sweep(x->s, clocks(x));
	assert_int_equal(bw_schedule_delay(x->s, clocks(x)), INT64_MAX);
}

static void the_heap_gives_the_smallest_whatever_is_moved(void **state)
{
	struct bw_heap h = {0};
	struct bw_heap_node n[200] = {0};

	(void)state;
	srand(1);
	for (size_t i = 0; i < BW_COUNT(n); i++)
		n[i].tie = i;
	for (int round = 0; round < 20000; round++) {
		struct bw_heap_node *x = &n[(size_t)rand() % BW_COUNT(n)], *least = NULL;

		if (x->place > 0 && rand() % 2)
			bw_heap_remove(&h, x);
		else
			bw_heap_put(&h, x, rand() % 50);
		for (size_t i = 0; i < BW_COUNT(n); i++)
			if (n[i].place > 0 && (!least || n[i].key < least->key))
				least = &n[i];
		assert_ptr_equal(bw_heap_top(&h), least);
	}
	bw_heap_done(&h);
}

static void the_map_of_ids_finds_what_was_put_and_not_removed(void **state)
{
	struct bw_idmap m = {0};
	bool is_there[300] = {false};
	size_t count = 0;

	(void)state;
	srand(2);
	assert_null(bw_idmap_get(&m, 1));
	for (int round = 0; round < 30000; round++) {
		size_t i = (size_t)rand() % BW_COUNT(is_there);
		int64_t id = (int64_t)((uint64_t)i * (i % 3 ? 1 : UINT64_C(0x10000000000))) - 100;

		if (rand() % 2) {
			bw_idmap_put(&m, id, &is_there[i]);
			count += !is_there[i];
			is_there[i] = true;
		} else if (m.capacity > 0) {
			bw_idmap_remove(&m, id);
			count -= is_there[i];
			is_there[i] = false;
		}
		assert_int_equal(m.count, count);
		for (size_t k = 0; k < BW_COUNT(is_there) && round % 100 == 0; k++) {
			id = (int64_t)((uint64_t)k * (k % 3 ? 1 : UINT64_C(0x10000000000))) - 100;
			assert_ptr_equal(bw_idmap_get(&m, id), is_there[k] ? (void *)&is_there[k] : NULL);
		}
	}
	bw_idmap_done(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bases_never_seen_are_asked_at_once_within_the_minimum_distance),
		TEST(the_distance_of_one_registry_can_be_its_own),
		TEST(a_thousand_bases_are_evenly_spread_from_the_first_interval_on),
		TEST(without_jitter_the_distance_is_the_interval),
		TEST(two_databases_ask_at_different_times),
		TEST(a_restart_asks_nothing_early_and_keeps_the_due_times),
		TEST(what_is_overdue_is_asked_in_the_order_of_due_and_at_a_pace),
		TEST(a_few_overdue_bases_do_not_wait_for_the_pace_of_many),
		TEST(a_clock_that_is_set_back_moves_nothing),
		TEST(after_it_was_set_back_old_rows_are_no_news),
		TEST(rows_of_the_future_wait_no_longer_than_an_interval),
		TEST(hostile_rows_and_options_overflow_nothing),
		TEST(a_passing_trouble_is_retried_after_1_4_and_16_minutes),
		TEST(a_trouble_that_stays_doubles_the_interval_up_to_the_cap),
		TEST(retry_after_holds_the_whole_registry_and_no_other),
		TEST(retry_after_holds_through_a_restart_and_is_no_longer_than_a_day),
		TEST(a_429_without_a_time_holds_longer_each_time),
		TEST(of_a_registry_that_is_down_only_the_schedule_asks),
		TEST(a_question_without_an_answer_is_lost_after_a_while),
		TEST(a_registry_has_so_many_questions_in_flight),
		TEST(others_are_not_limited_by_the_budget_of_one),
		TEST(pairs_are_close_and_far_from_each_other),
		TEST(a_hold_holds_for_first_sights_and_nudges_too),
		TEST(a_plan_that_is_not_renewed_or_that_is_taken_back_loses_its_force),
		TEST(what_was_not_asked_at_all_is_where_it_was),
		TEST(a_restart_goes_on_from_the_last_question_of_anybody),
		TEST(numbers_without_sense_are_bounded),
		TEST(a_reload_with_the_same_options_changes_nothing),
		TEST(a_shorter_interval_holds_at_once_and_without_a_storm),
		TEST(a_longer_interval_holds_at_once),
		TEST(at_a_start_all_can_be_asked),
		TEST(a_list_drops_what_is_not_wanted_any_more),
		TEST(the_question_of_another_process_counts),
		TEST(a_nudge_asks_soon_and_not_twice),
		TEST(neither_kind_of_question_starves_the_other),
		TEST(the_guard_stops_a_registry_that_is_asked_beyond_the_schedule),
		TEST(the_guard_counts_only_what_is_beyond_the_schedule),
		TEST(a_sweep_ends_when_its_answers_are_there),
		TEST(an_answer_that_comes_late_is_a_sweep_of_its_own),
		TEST(a_sweep_is_not_held_by_one_slow_registry),
		TEST(a_hundred_thousand_bases_on_as_many_registries_are_no_trouble),
		TEST(the_heap_gives_the_smallest_whatever_is_moved),
		TEST(the_map_of_ids_finds_what_was_put_and_not_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
