/*
 * test_schedule_budget.c - a month of polling a registry that grants only so many requests, in simulated time: the real
 * schedule (watch/schedule.h) with the real planner (registry/budget.h), as poller and client put them together.
 *
 *   BW_BUDGET_SEED=n  another month
 */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "registry/budget.h"
#include "watch/heap.h"
#include "watch/schedule.h"

#define BASES	 1000
#define SECOND	 INT64_C(1000)
#define MINUTE	 (60 * SECOND)
#define HOUR	 (60 * MINUTE)
#define DAY	 (24 * HOUR)
#define MONTH	 (30 * DAY)
#define START	 (INT64_C(1700000000000) / (6 * HOUR) * (6 * HOUR) + 7 * MINUTE)
#define REGISTRY "docker.io"
#define RING	 4096

/* --- the registry --------------------------------------------------------------------------------- */

struct hub {
	bool slides, is_free;
	uint64_t limit; /* 0: it says nothing, and grants everything */
	int64_t window;
	int64_t ring[RING]; /* when what counts was asked */
	size_t from, to;
	/* what came of it */
	uint64_t refused;
	uint64_t least_left; /* that an answer to us told */
};

static void forget_old(struct hub *h, int64_t now)
{
	int64_t since = h->slides ? now - h->window : now / h->window * h->window - 1;

	while (h->from < h->to && h->ring[h->from % RING] <= since)
		h->from++;
}

static uint64_t left(struct hub *h, int64_t now)
{
	forget_old(h, now);
	return h->limit > h->to - h->from ? h->limit - (h->to - h->from) : 0;
}

static void use(struct hub *h, int64_t now)
{
	assert_true(h->to - h->from < RING);
	h->ring[h->to++ % RING] = now;
}

/* False: 429. */
static bool serve(struct hub *h, int64_t now, struct bw_quota *ret)
{
	bool ok = h->limit == 0 || left(h, now) > 0;

	if (ok && h->limit > 0 && !h->is_free)
		use(h, now);
	h->refused += !ok;
	*ret = (struct bw_quota){
		.limit = h->limit, .remaining = left(h, now), .window_s = (uint32_t)(h->window / SECOND)};
	if (h->limit > 0 && ret->remaining < h->least_left)
		h->least_left = ret->remaining;
	return ok;
}

/* --- the world ------------------------------------------------------------------------------------ */

struct base {
	struct bw_schedule_base row; /* what survives a restart */
	char name[32];
	struct bw_heap_node node; /* of what comes next of its question */
	bool is_sent;		  /* its answer; else the client's next look at it */
	uint64_t number;
	struct bw_quota quota; /* as it was when the question came to the registry */
	bool is_refused;
	unsigned count;
	int64_t asked, longest;
};

struct world {
	struct hub hub;
	struct bw_schedule *s;
	struct bw_schedule_options o;
	struct bw_budget budget;
	struct bw_budget_plan plan; /* the last, and what a restart knows of it */
	int64_t plan_at;
	struct base bases[BASES];
	struct bw_heap events;
	int64_t now;
	uint64_t random;
	uint64_t asked, held_back, colleagues;
	int64_t next_colleague;
	int64_t theirs[64];	/* when the last ones were */
	unsigned colleague_max; /* in six hours; 0: none */
	int64_t next_restart;	/* INT64_MAX: never */
	bool forgets;		/* a restart, what the registry said */
	int64_t restart_every;
};

static uint64_t draw(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static struct bw_schedule_now clocks(const struct world *w)
{
	return (struct bw_schedule_now){w->now, (uint64_t)(w->now - START)};
}

static void stopped(const char *registry, const char *reason, void *arg)
{
	(void)arg;
	fail_msg("the guard stopped %s: %s", registry, reason);
}

/* As the poller does it at its start. */
static void begin_process(struct world *w)
{
	static const struct bw_schedule_hooks hooks = {.stopped = stopped};
	uint64_t passed = (uint64_t)(w->now - w->plan_at);

	w->s = bw_schedule_new(&w->o, "0f8fad5b-d9cb-469f-a165-70867728950e", &hooks, clocks(w));
	bw_budget_init(&w->budget, BW_BUDGET_RESERVE_PERCENT);
	if (w->plan.is_known && !w->forgets) {
		w->plan.hold_ms = w->plan.hold_ms > passed ? w->plan.hold_ms - passed : 0;
		bw_schedule_set_budget(w->s, REGISTRY, &w->plan, clocks(w));
	}
	for (size_t i = 0; i < BASES; i++)
		bw_schedule_put(w->s, &w->bases[i].row, clocks(w));
}

/* What is in flight is lost. */
static void restart(struct world *w)
{
	while (w->events.count > 0)
		bw_heap_remove(&w->events, bw_heap_top(&w->events));
	bw_schedule_free(w->s);
	w->now += SECOND;
	begin_process(w);
	w->next_restart = w->now + w->restart_every / 2 + (int64_t)(draw(w) % (uint64_t)w->restart_every);
}

static void look_at_client(struct world *w, struct base *b)
{
	uint64_t wait = 0;

	switch (bw_budget_allows(&w->budget, true, (uint64_t)w->now, &wait)) {
	case BW_BUDGET_SOON: bw_heap_put(&w->events, &b->node, w->now + 20); return;
	case BW_BUDGET_LATER:
		w->held_back++;
		bw_heap_remove(&w->events, &b->node);
		bw_schedule_put_back(w->s, b->row.id, wait, clocks(w));
		return;
	case BW_BUDGET_GO: break;
	}
	b->number = bw_budget_sent(&w->budget, true);
	b->is_sent = true;
	b->is_refused = !serve(&w->hub, w->now, &b->quota);
	w->asked++;
	b->count++;
	if (b->asked > 0 && w->now - b->asked > b->longest)
		b->longest = w->now - b->asked;
	b->asked = w->now;
	bw_heap_put(&w->events, &b->node, w->now + 20 + (int64_t)(draw(w) % 300));
}

static void answer(struct world *w, struct base *b)
{
	enum bw_trouble t = b->is_refused ? BW_TROUBLE_THROTTLED : BW_TROUBLE_NONE;

	bw_heap_remove(&w->events, &b->node);
	bw_budget_note(&w->budget, b->number, true, w->hub.limit > 0 ? &b->quota : NULL, !b->is_refused,
		       (uint64_t)w->now);
	bw_budget_plan(&w->budget, (uint64_t)w->now, &w->plan);
	w->plan_at = w->now;
	bw_schedule_set_budget(w->s, REGISTRY, &w->plan, clocks(w));
	b->row.checked_ms = w->now;
	b->row.failures = t ? b->row.failures + 1 : 0;
	b->row.trouble = t;
	bw_schedule_done(w->s, b->row.id, t, 0, clocks(w));
}

/* Some at once, others over the day, and never more than `colleague_max` in a window. */
static void colleague(struct world *w)
{
	unsigned burst = draw(w) % 8 == 0 ? 10 : 1;
	int64_t each;

	for (unsigned i = 0; i < burst; i++) {
		int64_t *oldest = &w->theirs[w->colleagues % w->colleague_max];

		if (left(&w->hub, w->now) == 0 || w->now - *oldest < w->hub.window)
			continue;
		use(&w->hub, w->now);
		*oldest = w->now;
		w->colleagues++;
	}
	each = w->hub.window * burst / w->colleague_max;
	w->next_colleague = w->now + each / 2 + (int64_t)(draw(w) % (uint64_t)each);
}

static void ask_what_is_due(struct world *w)
{
	int64_t id;

	while (bw_schedule_take(w->s, clocks(w), &id)) {
		struct base *b = &w->bases[id - 1];

		b->is_sent = false;
		bw_heap_put(&w->events, &b->node, w->now);
		look_at_client(w, b);
	}
	(void)bw_schedule_end_sweep(w->s, clocks(w));
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void run(struct world *w, int64_t end)
{
	while (w->now < end) {
		const struct bw_heap_node *n = bw_heap_top(&w->events);
		int64_t delay, at;

		if (n && n->key <= w->now) {
			struct base *b = n->owner;

			if (b->is_sent)
				answer(w, b);
			else
				look_at_client(w, b);
		}
		if (w->colleague_max > 0 && w->now >= w->next_colleague)
			colleague(w);
		if (w->now >= w->next_restart)
			restart(w);
		ask_what_is_due(w);
		delay = bw_schedule_delay(w->s, clocks(w));
		n = bw_heap_top(&w->events);
		at = delay < MONTH ? w->now + delay : end;
		at = least(n ? least(at, n->key) : at, w->next_restart);
		at = w->colleague_max > 0 ? least(at, w->next_colleague) : at;
		w->now = at > w->now ? least(at, end) : w->now;
	}
}

static struct world *begin(bool slides, bool is_free)
{
	struct world *w = BW_NEW(struct world);
	const char *seed = getenv("BW_BUDGET_SEED");

	w->random = (seed ? strtoull(seed, NULL, 10) : 1) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	w->hub = (struct hub){
		.slides = slides, .is_free = is_free, .limit = 100, .window = 6 * HOUR, .least_left = 100};
	w->o = BW_SCHEDULE_DEFAULTS;
	w->now = START;
	w->next_restart = INT64_MAX;
	for (size_t i = 0; i < BASES; i++) {
		struct base *b = &w->bases[i];

		(void)snprintf(b->name, sizeof(b->name), "library/image-%zu", i);
		b->row = (struct bw_schedule_base){
			.id = (int64_t)i + 1, .registry = REGISTRY, .repository = b->name, .tag = "1"};
		b->node.owner = b;
		b->node.tie = i;
	}
	return w;
}

static void end(struct world *w)
{
	bw_schedule_free(w->s);
	bw_heap_done(&w->events);
	free(w);
}

struct figures {
	unsigned least, most;
	int64_t longest;
	double share; /* of what may be used, in per cent */
};

/* `usable`: requests in the whole month. */
static struct figures measure(const struct world *w, const char *what, double usable)
{
	struct figures f = {.least = UINT32_MAX, .share = 100.0 * (double)w->asked / usable};

	for (size_t i = 0; i < BASES; i++) {
		const struct base *b = &w->bases[i];

		f.least = b->count < f.least ? b->count : f.least;
		f.most = b->count > f.most ? b->count : f.most;
		f.longest = b->longest > f.longest ? b->longest : f.longest;
	}
	print_message("# %-34s %7llu asked (%.1f %% of what may be used), each %u .. %u times, at most %.1f "
		      "h apart,"
		      " %llu refused, %llu held back, never fewer than %llu left\n",
		      what, (unsigned long long)w->asked, f.share, f.least, f.most,
		      (double)f.longest / (double)HOUR, (unsigned long long)w->hub.refused,
		      (unsigned long long)w->held_back, (unsigned long long)w->hub.least_left);
	return f;
}

/* --- months --------------------------------------------------------------------------------------- */

static void pass_a_month(bool slides, const char *title)
{
	struct world *w = begin(slides, false);
	struct figures f;

	begin_process(w);
	run(w, START + MONTH);
	f = measure(w, title, 80.0 * 4 * 30);
	assert_int_equal(w->hub.refused, 0);
	assert_in_range(w->hub.least_left, 20, 100);
	assert_true(f.share >= 90);
	assert_in_range(f.least, 8, 20);
	assert_true(2 * f.most <= 3 * f.least);
	end(w);
}

static void a_month_within_a_fixed_window(void **state)
{
	(void)state;
	pass_a_month(false, "100 in 6 h, fixed window");
}

static void a_month_within_a_sliding_window(void **state)
{
	(void)state;
	pass_a_month(true, "100 in 6 h, sliding window");
}

static void where_questions_are_free_nothing_is_stretched(void **state)
{
	(void)state;
	for (int slides = 0; slides < 2; slides++) {
		struct world *w = begin(slides, true);
		struct figures f;

		begin_process(w);
		run(w, START + MONTH);
		f = measure(w, slides ? "questions are free, sliding" : "questions are free, fixed",
			    720.0 * BASES);
		assert_int_equal(w->hub.refused, 0);
		assert_in_range(f.least, 715, 740);
		assert_in_range(f.longest, HOUR, 3 * HOUR / 2);
		end(w);
	}
}

/* They use up to 50 of 100 in each window. What they leave of our 80 is ours. */
static void colleagues_on_the_same_address_get_what_they_need(void **state)
{
	(void)state;
	for (int slides = 0; slides < 2; slides++) {
		struct world *w = begin(slides, false);
		struct figures f;

		w->colleague_max = 50;
		begin_process(w);
		run(w, START + MONTH);
		f = measure(w, slides ? "with colleagues, sliding window" : "with colleagues, fixed window",
			    80.0 * 4 * 30 - (double)w->colleagues);
		/* Where they take more than the reserve between two of our questions, nobody can foresee it. */
		assert_true(w->hub.refused * 200 <= w->asked);
		assert_true(f.share >= 75);
		assert_true(f.least >= 3);
		assert_true(f.most <=
			    f.least + 4); /* some were asked twice before others were for the first time */
		end(w);
	}
}

static void restarts_neither_ask_more_nor_forget_whose_turn_it_is(void **state)
{
	(void)state;
	for (int slides = 0; slides < 2; slides++) {
		struct world *w = begin(slides, false);
		struct figures f;

		w->restart_every = 8 * HOUR;
		w->next_restart = START + HOUR;
		begin_process(w);
		run(w, START + MONTH);
		f = measure(w, slides ? "90 restarts, sliding window" : "90 restarts, fixed window",
			    80.0 * 4 * 30);
		assert_int_equal(w->hub.refused, 0);
		assert_in_range(w->hub.least_left, 20, 100);
		assert_true(f.share >= 90);
		assert_in_range(f.least, 8, 20);
		assert_true(2 * f.most <= 3 * f.least);
		end(w);
	}
}

/* Each start asks a question before it knows; that is all. */
static void a_start_that_knows_nothing_asks_one_question_first(void **state)
{
	struct world *w = begin(true, false);

	(void)state;
	w->forgets = true;
	w->restart_every = HOUR;
	w->next_restart = START + HOUR;
	begin_process(w);
	run(w, START + 10 * DAY);
	(void)measure(w, "240 starts that know nothing", 80.0 * 4 * 10);
	assert_int_equal(w->hub.refused, 0);
	assert_true(w->hub.least_left >= 10);
	end(w);
}

static void a_budget_that_changes_is_followed(void **state)
{
	static const struct {
		uint64_t limit;
		int64_t window;
	} steps[] = {{200, 6 * HOUR}, {10, HOUR}, {100, HOUR}, {0, HOUR}, {100, 6 * HOUR}};
	struct world *w = begin(false, false);

	(void)state;
	begin_process(w);
	for (size_t i = 0; i < BW_COUNT(steps); i++) {
		uint64_t before = w->asked;

		w->hub.limit = steps[i].limit;
		w->hub.window = steps[i].window;
		w->hub.from = w->hub.to;
		w->hub.least_left = w->hub.limit;
		run(w, START + (int64_t)(i + 1) * 6 * DAY);
		print_message("# %llu in %lld h: %llu asked in 6 days, never fewer than %llu left\n",
			      (unsigned long long)w->hub.limit, (long long)(w->hub.window / HOUR),
			      (unsigned long long)(w->asked - before), (unsigned long long)w->hub.least_left);
		if (steps[i].limit == 0) { /* hourly again */
			assert_in_range(w->asked - before, 100000, 150000);
			continue;
		}
		assert_in_range(w->hub.least_left, steps[i].limit / 5, steps[i].limit);
		assert_true(w->asked - before >=
			    steps[i].limit * 4 / 5 * (uint64_t)(6 * DAY / steps[i].window) * 9 / 10);
	}
	assert_int_equal(w->hub.refused, 0);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_month_within_a_fixed_window),
		cmocka_unit_test(a_month_within_a_sliding_window),
		cmocka_unit_test(where_questions_are_free_nothing_is_stretched),
		cmocka_unit_test(colleagues_on_the_same_address_get_what_they_need),
		cmocka_unit_test(restarts_neither_ask_more_nor_forget_whose_turn_it_is),
		cmocka_unit_test(a_start_that_knows_nothing_asks_one_question_first),
		cmocka_unit_test(a_budget_that_changes_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
