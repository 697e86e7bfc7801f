/*
 * test_schedule_month.c - a month of polling in simulated time: watch/schedule.h against random registries, restarts,
 * suspended machines, clocks that jump, reloads.
 *
 *   BW_SCHEDULE_SEEDS=n  how many months (50), BW_SCHEDULE_SEED=n only that one
 *
 * Everything is judged in real time, which only this file knows; the schedule sees a wall clock that lies and a
 * monotonic one that sleeps with the machine.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "watch/heap.h"
#include "watch/schedule.h"

#define REGISTRIES 5
#define MAX_BASES  3000
#define SECOND	   INT64_C(1000)
#define HOUR	   (3600 * SECOND)
#define DAY	   (24 * HOUR)
#define START	   INT64_C(1700000000000)
#define BURST	   (10 * SECOND)
#define RING	   4096

struct sim_base {
	struct bw_schedule_base row; /* all that survives a restart */
	char name[32];
	struct bw_heap_node answer; /* comes at its key, real time */
	int registry;
	int64_t asked;	  /* real time; -1: never */
	int64_t believed; /* that, as the schedule believes after a row of the future */
	int64_t put;	  /* when it was first put */
	int64_t deadline; /* asked again until then */
	double allowed;	  /* questions */
	unsigned count;
	bool is_gone;	 /* its tag: a trouble that stays */
	bool is_excused; /* the next question may come early */
	bool is_fast;	 /* never asked, or nudged: not at the pace */
};

struct sim_registry {
	char name[32];
	int64_t count;
	int64_t down_until, hold_until;
	int64_t last_ask; /* real time */
	bool has_jumped;  /* the clock, forward, since then */
	int64_t ring[RING];
	size_t ring_from, ring_to;
	size_t slack; /* of the burst: one for each restart and jump within the window */
	int64_t slack_until;
};

struct sim {
	uint64_t random;
	struct bw_schedule *s;
	struct bw_schedule_options o;
	struct sim_base bases[MAX_BASES];
	size_t count;
	struct sim_registry registries[REGISTRIES];
	struct bw_heap answers;
	int64_t now;	    /* real */
	int64_t wall_ahead; /* of real */
	int64_t slept;	    /* the monotonic clock is behind real by that */
	int64_t latency;    /* at most */
	uint64_t asked;
};

static uint64_t draw(struct sim *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return m->random * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static int64_t within(struct sim *m, int64_t low, int64_t high)
{
	return low + (int64_t)(draw(m) % (uint64_t)(high - low + 1));
}

static struct bw_schedule_now clocks(const struct sim *m)
{
	return (struct bw_schedule_now){m->now + m->wall_ahead, (uint64_t)(m->now - m->slept)};
}

/* --- what the header promises, said again in other words ---------------------------------------- */

static int64_t window_of(const struct sim *m)
{
	int64_t w = m->o.every_ms / 64;

	return w > 60 * SECOND ? 60 * SECOND : w;
}

static int64_t reach_of(const struct sim *m)
{
	int64_t jitter = m->o.every_ms * m->o.jitter_percent / 100;

	return m->o.every_ms + (jitter > window_of(m) ? jitter : window_of(m));
}

static int64_t pace_of(const struct sim *m, const struct sim_registry *r)
{
	int64_t pace = m->o.every_ms / 4 / (r->count > 0 ? r->count : 1);

	if (pace > SECOND)
		pace = SECOND;
	return pace < m->o.distance_ms ? m->o.distance_ms : pace;
}

/* How long it takes to ask the whole registry, retries included, timers being late, a slow answer before each. */
static int64_t catch_up(const struct sim *m, const struct sim_registry *r)
{
	int64_t one = pace_of(m, r) + m->latency / m->o.in_flight + 4;

	return r->count * one * 3 / 2 + 2 * m->latency + 2 * SECOND;
}

static void check(const struct sim *m, bool ok, const struct sim_base *b, const char *what, int64_t is,
		  int64_t limit)
{
	if (ok)
		return;
	print_error("%s: base %lld at %lld: %lld, limit %lld (every %lld, %zu bases, registry of %lld)\n",
		    what, (long long)b->row.id, (long long)m->now, (long long)is, (long long)limit,
		    (long long)m->o.every_ms, m->count, (long long)m->registries[b->registry].count);
	fail_msg("%s", what);
}

static void check_distance(struct sim *m, const struct sim_base *b)
{
	struct sim_registry *r = &m->registries[b->registry];

	check(m, r->has_jumped || m->now - r->last_ask >= m->o.distance_ms, b, "the minimum distance is kept",
	      m->now - r->last_ask, m->o.distance_ms);
	r->last_ask = m->now;
	r->has_jumped = false;
}

static void check_burst(struct sim *m, const struct sim_base *b)
{
	struct sim_registry *r = &m->registries[b->registry];
	size_t limit = (size_t)(BURST / (pace_of(m, r) ? pace_of(m, r) : 1)) + 2;

	if (b->is_fast)
		return;
	if (m->now > r->slack_until)
		r->slack = 0;
	while (r->ring_from < r->ring_to && r->ring[r->ring_from % RING] <= m->now - BURST)
		r->ring_from++;
	r->ring[r->ring_to++ % RING] = m->now;
	check(m, r->ring_to - r->ring_from <= limit + r->slack, b, "no burst within 10 s",
	      (int64_t)(r->ring_to - r->ring_from), (int64_t)(limit + r->slack));
}

static void check_gap(struct sim *m, const struct sim_base *b)
{
	int64_t least = m->o.every_ms / 2 - window_of(m) - 300; /* clocks that are slewed, timers */

	check(m, m->now <= b->deadline, b,
	      b->asked < 0 ? "never seen is asked at once" : "nothing waits too long",
	      m->now - (b->asked < 0 ? b->put : b->asked), b->deadline - (b->asked < 0 ? b->put : b->asked));
	check(m, b->asked < 0 || b->is_excused || m->now - b->asked >= least, b,
	      "nothing is asked twice early", m->now - b->asked, least);
	check(m, b->count <= b->allowed, b, "no more questions than the schedule allows", b->count,
	      (int64_t)b->allowed);
}

/* --- the world ---------------------------------------------------------------------------------- */

static int64_t latency_now(struct sim *m)
{
	return draw(m) % 50 == 0 ? m->latency : within(m, 5, m->latency / 8 + 5);
}

static void ask(struct sim *m, struct sim_base *b)
{
	b->count++;
	m->asked++;
	check_distance(m, b);
	check_burst(m, b);
	check_gap(m, b);
	b->asked = b->believed = m->now;
	b->is_excused = false;
	b->is_fast = false;
	/* Until the answer it is not known that it fails; a trouble that stays may wait for the cap. */
	b->deadline = m->now + reach_of(m) + catch_up(m, &m->registries[b->registry]);
	bw_heap_put(&m->answers, &b->answer, m->now + latency_now(m));
}

static int64_t longest_backoff(const struct sim *m, const struct sim_base *b)
{
	int64_t delay = m->o.every_ms;

	for (uint32_t i = 1; i < b->row.failures && 2 * delay <= m->o.backoff_ms; i++)
		delay *= 2;
	return delay - m->o.every_ms;
}

/* What holds a registry delays all that waits there. */
static void hold_registry(struct sim *m, int number, int64_t ms)
{
	struct sim_registry *r = &m->registries[number];
	int64_t until = m->now + ms;

	if (until > r->hold_until)
		r->hold_until = until;
	for (size_t i = 0; i < m->count; i++) {
		struct sim_base *b = &m->bases[i];

		if (b->registry == number)
			b->deadline = (b->deadline > until ? b->deadline : until) + catch_up(m, r);
	}
}

static enum bw_trouble what_comes(struct sim *m, const struct sim_base *b)
{
	if (m->now < m->registries[b->registry].down_until)
		return BW_TROUBLE_CONNECTION;
	if (b->is_gone)
		return BW_TROUBLE_TAG_GONE;
	if (draw(m) % 5000 == 0)
		return BW_TROUBLE_THROTTLED;
	return draw(m) % 200 == 0 ? BW_TROUBLE_TIMEOUT : BW_TROUBLE_NONE;
}

static void answer(struct sim *m, struct sim_base *b)
{
	enum bw_trouble t = what_comes(m, b);
	uint32_t after = t == BW_TROUBLE_THROTTLED ? (uint32_t)within(m, 1, 600) : 0;

	bw_heap_remove(&m->answers, &b->answer);
	b->row.checked_ms = m->now + m->wall_ahead;
	b->row.failures = t == BW_TROUBLE_NONE ? 0 : b->row.failures + 1;
	b->row.trouble = t;
	b->row.retry_after_s = after;
	if (t != BW_TROUBLE_NONE) {
		b->is_excused = true; /* a retry */
		b->allowed += bw_trouble_is_passing(t) && b->row.failures < 8 ? 2 : 0;
		if (!bw_trouble_is_passing(t))
			b->deadline += longest_backoff(m, b);
		if (t == BW_TROUBLE_THROTTLED)
			hold_registry(m, b->registry, after * SECOND);
	}
	bw_schedule_done(m->s, b->row.id, t, after, clocks(m));
}

static void stopped(const char *registry, const char *reason, void *arg)
{
	(void)registry;
	(void)arg;
	fail_msg("the guard stopped a registry: %s", reason);
}

static void put(struct sim *m, struct sim_base *b)
{
	if (b->asked < 0 && b->put < 0) {
		struct sim_registry *r = &m->registries[b->registry];

		b->put = m->now;
		b->is_fast = true;
		/* All of them may be new at once, and every other one is regular. */
		b->deadline = m->now + 2 * r->count * (m->o.distance_ms + m->latency / m->o.in_flight + 4) +
			      2 * m->latency + SECOND;
		if (r->hold_until > m->now)
			b->deadline += r->hold_until - m->now;
	}
	bw_schedule_put(m->s, &b->row, clocks(m));
}

static void put_all(struct sim *m)
{
	bw_schedule_begin_list(m->s);
	for (size_t i = 0; i < m->count; i++)
		put(m, &m->bases[i]);
	assert_int_equal(bw_schedule_end_list(m->s, clocks(m)), 0);
	assert_int_equal(bw_schedule_count(m->s), m->count);
}

static void start(struct sim *m)
{
	static const struct bw_schedule_hooks hooks = {.stopped = stopped};

	m->s = bw_schedule_new(&m->o, "0f8fad5b-d9cb-469f-a165-70867728950e", &hooks, clocks(m));
	put_all(m);
}

/* --- disturbances ------------------------------------------------------------------------------- */

/* Nothing was asked for `ms`; what is overdue may take a while, and each base may be asked once too often. */
static void excuse(struct sim *m, int64_t ms)
{
	for (size_t i = 0; i < m->count; i++) {
		struct sim_base *b = &m->bases[i];
		int64_t late = b->deadline + ms > m->now ? b->deadline + ms : m->now;

		b->deadline = late + catch_up(m, &m->registries[b->registry]) + m->o.distance_ms;
		b->allowed += 2;
	}
	for (int i = 0; i < REGISTRIES; i++) {
		m->registries[i].slack += 1;
		m->registries[i].slack_until = m->now + ms + BURST;
	}
}

static void pass(struct sim *m, int64_t ms)
{
	for (size_t i = 0; i < m->count; i++)
		m->bases[i].allowed += (double)ms / (double)m->o.every_ms;
	m->now += ms;
}

/* A row of the future is not believed: those bases start anew, within their next interval. */
static void restart(struct sim *m)
{
	int64_t down = within(m, SECOND, draw(m) % 4 ? m->o.every_ms / 8 + SECOND : 3 * m->o.every_ms);

	bw_schedule_free(m->s);
	while (m->answers.count > 0) {
		struct sim_base *b = bw_heap_top(&m->answers)->owner;

		bw_heap_remove(&m->answers, &b->answer);
		b->is_excused = true; /* no row says that it was asked */
		b->is_fast = b->row.checked_ms <= 0;
		b->put = m->now + down;
	}
	excuse(m, down);
	m->now += down;
	for (size_t i = 0; i < m->count; i++) {
		struct sim_base *b = &m->bases[i];

		if (b->row.checked_ms > m->now + m->wall_ahead) {
			b->is_excused = true;
			b->allowed += 1;
			b->believed = m->now;
			if (b->deadline < m->now + reach_of(m))
				b->deadline = m->now + reach_of(m) + catch_up(m, &m->registries[b->registry]);
		} else if (b->row.checked_ms > 0 &&
			   b->row.checked_ms > b->asked + m->wall_ahead + m->latency) {
			/* The clock was set back less than that: the row looks newer than it is. */
			b->believed = b->row.checked_ms - m->wall_ahead;
			b->deadline += b->believed - b->asked;
		} else if (b->row.checked_ms < b->asked + m->wall_ahead) {
			b->is_excused = true; /* it was set forward: the row looks older */
		}
	}
	start(m);
}

static int64_t jump_size(struct sim *m)
{
	return draw(m) % 3 ? within(m, SECOND, 2 * m->o.every_ms) : within(m, SECOND, 30 * DAY);
}

static void set_forward(struct sim *m, int64_t ms)
{
	m->wall_ahead += ms;
	excuse(m, 0);
	for (size_t i = 0; i < m->count; i++)
		m->bases[i].is_excused = true;
	for (int i = 0; i < REGISTRIES; i++)
		m->registries[i].has_jumped = true;
}

static void set_back(struct sim *m, int64_t ms)
{
	m->wall_ahead -= ms;
	excuse(m, 0);
}

static void suspend(struct sim *m, int64_t ms)
{
	excuse(m, ms);
	m->now += ms;
	m->slept += ms;
	for (size_t i = 0; i < m->count; i++)
		m->bases[i].is_excused |= m->bases[i].answer.place > 0; /* taken as lost */
}

static void reload(struct sim *m)
{
	int64_t before = m->o.every_ms;

	m->o.every_ms = draw(m) % 2 ? before * 2 : before / 2 < SECOND ? SECOND : before / 2;
	if (m->o.backoff_ms < m->o.every_ms)
		m->o.backoff_ms = m->o.every_ms;
	bw_schedule_set_options(m->s, &m->o, clocks(m));
	excuse(m, 0);
	for (int i = 0; i < REGISTRIES; i++)
		m->registries[i].ring_from = m->registries[i].ring_to; /* another pace from here on */
	for (size_t i = 0; i < m->count; i++) {
		struct sim_base *b = &m->bases[i];
		int64_t due = b->believed + reach_of(m) + longest_backoff(m, b);

		b->is_excused = true;
		if (b->asked >= 0)
			b->deadline = (due > m->now ? due : m->now) +
				      catch_up(m, &m->registries[b->registry]) +
				      (m->registries[b->registry].hold_until > m->now
					       ? m->registries[b->registry].hold_until - m->now
					       : 0);
	}
}

static void nudge(struct sim *m)
{
	for (int i = 0; i < 5; i++) {
		struct sim_base *b = &m->bases[draw(m) % m->count];

		if (b->asked < 0 || !bw_schedule_nudge(m->s, b->row.id, clocks(m)))
			continue;
		b->is_excused = b->is_fast = true;
		b->allowed += 2;
	}
}

static void disturb(struct sim *m)
{
	int64_t ms = jump_size(m);
	struct sim_registry *r = &m->registries[draw(m) % REGISTRIES];

	switch (draw(m) % 8) {
	case 0: restart(m); break;
	case 1: set_forward(m, ms); break;
	case 2: set_back(m, m->wall_ahead + m->now - START / 2 > ms ? ms : 0); break;
	case 3: suspend(m, ms); break;
	case 4: reload(m); break;
	case 5: r->down_until = m->now + within(m, SECOND, 4 * m->o.every_ms); break;
	case 6: put_all(m); break;
	default: nudge(m); break;
	}
}

/* --- a month ------------------------------------------------------------------------------------ */

static void take_all(struct sim *m)
{
	int64_t id = -1;

	while (bw_schedule_take(m->s, clocks(m), &id)) {
		assert_in_range(id, 1, m->count);
		/* Not twice at a time, unless a jump of the clock made it look lost. */
		assert_true(m->bases[id - 1].answer.place == 0 || m->bases[id - 1].is_excused);
		ask(m, &m->bases[id - 1]);
	}
}

/* To the next timer or answer, but not beyond `until`; timers are a little late. */
static void step(struct sim *m, int64_t until)
{
	int64_t delay = bw_schedule_delay(m->s, clocks(m));
	const struct bw_heap_node *next = bw_heap_top(&m->answers);
	int64_t at = delay < until - m->now ? m->now + delay + within(m, 0, 3) : until;

	if (next && next->key < at)
		at = next->key;
	if (at > m->now)
		pass(m, at - m->now);
}

static void run(struct sim *m, int64_t end)
{
	int64_t disturbance = within(m, 0, (end - m->now) / 20);
	unsigned idle = 0;

	disturbance += m->now;
	while (m->now < end) {
		const struct bw_heap_node *n = bw_heap_top(&m->answers);
		uint64_t before = m->asked;
		int64_t then = m->now;

		if (n && n->key <= m->now)
			answer(m, n->owner);
		take_all(m);
		(void)bw_schedule_end_sweep(m->s, clocks(m));
		if (m->now >= disturbance) {
			disturb(m);
			disturbance = m->now + within(m, 0, (end - START) / 20);
		}
		step(m, disturbance < end ? disturbance : end);
		idle = m->now == then && m->asked == before && !n ? idle + 1 : 0;
		assert_in_range(idle, 0, 10); /* the timer never spins */
	}
}

static void check_end(struct sim *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct sim_base *b = &m->bases[i];

		/* The machine may have slept from the first minute to the end. */
		check(m, b->count > 0 || m->now <= b->deadline, b, "each base was asked", b->count, 1);
		check(m, m->now <= b->deadline, b, "nothing starves", m->now - b->asked,
		      b->deadline - b->asked);
	}
}

static void set_up(struct sim *m, uint64_t seed)
{
	static const int64_t intervals[] = {SECOND, 10 * SECOND, 60 * SECOND, 10 * 60 * SECOND,
					    HOUR,   6 * HOUR,	 DAY};
	int64_t each;

	m->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	m->o = BW_SCHEDULE_DEFAULTS;
	m->o.every_ms = seed == 1 ? 6 * HOUR : intervals[draw(m) % BW_COUNT(intervals)];
	m->o.jitter_percent = (unsigned)(draw(m) % 3) * 10;
	m->now = START;
	m->latency = seed == 1 ? 5 * SECOND : 30 * SECOND;
	if (m->latency > m->o.every_ms / 4)
		m->latency = m->o.every_ms / 4;
	/* At most half of what the minimum distance and slow answers let through. */
	each = 4 * m->o.every_ms / (3 * (m->o.distance_ms + m->latency / m->o.in_flight + 4)) / 4;
	each = each / 2 < 1 ? 1 : each / 2;
	for (int i = 0; i < REGISTRIES; i++)
		(void)snprintf(m->registries[i].name, sizeof(m->registries[i].name), "r%d.example", i);
	for (m->count = 0; m->count < MAX_BASES && (int64_t)m->count < each * REGISTRIES; m->count++) {
		struct sim_base *b = &m->bases[m->count];

		b->registry = (int)(m->count % REGISTRIES);
		(void)snprintf(b->name, sizeof(b->name), "library/image-%zu", m->count);
		b->row = (struct bw_schedule_base){.id = (int64_t)m->count + 1,
						   .registry = m->registries[b->registry].name,
						   .repository = b->name,
						   .tag = "latest"};
		b->asked = b->put = -1;
		b->allowed = 3;
		b->answer.owner = b;
		b->is_gone = draw(m) % 100 == 0;
		m->registries[b->registry].count++;
		m->registries[b->registry].last_ask = -DAY;
	}
}

static void simulate(uint64_t seed, double budget)
{
	struct sim *m = BW_NEW(struct sim);
	double each;
	int64_t length;

	set_up(m, seed);
	each = budget / (double)m->count; /* intervals */
	length = each * (double)m->o.every_ms < 30.0 * DAY ? (int64_t)(each * (double)m->o.every_ms)
							   : 30 * DAY;
	start(m);
	run(m, START + length);
	check_end(m);
	bw_schedule_free(m->s);
	bw_heap_done(&m->answers);
	free(m);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void months_of_polling_keep_every_promise(void **state)
{
	uint64_t only = setting("BW_SCHEDULE_SEED", 0);
	uint64_t last = only ? only : setting("BW_SCHEDULE_SEEDS", 50);

	(void)state;
	for (uint64_t seed = only ? only : 1; seed <= last; seed++) {
		print_message("# seed %llu\n", (unsigned long long)seed);
		simulate(seed, seed == 1 ? 400000 : 30000); /* the first is a whole month of 3,000 bases */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_of_polling_keep_every_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
