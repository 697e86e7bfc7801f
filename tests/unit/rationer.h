/*
 * rationer.h - a registry that grants so many requests per window, and somebody who plans with struct bw_budget against it,
 * in simulated time. Answers are late and overtake each other.
 */
#ifndef BW_TESTS_RATIONER_H
#define BW_TESTS_RATIONER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/mem.h"
#include "registry/budget.h"

enum { RATIONER_FIXED, RATIONER_SLIDING, RATIONER_BUCKET, RATIONER_KINDS };

#define RATIONER_FLIGHT 64

struct rationer_flight {
	bool is_used, is_there; /* on its way; and it was answered */
	uint64_t number, there_ms, back_ms;
	struct bw_quota quota;
};

struct rationer {
	/* the registry */
	unsigned kind, limit, reserve_percent;
	uint64_t window_ms, phase_ms;
	bool says_reset, costs;
	uint64_t latency_ms; /* up to so long in each direction */
	/* the others, one each so often; 0: nobody */
	uint64_t others_ms;
	/* us */
	bool is_greedy, pairs;
	unsigned in_flight; /* 0: 1 */
	uint64_t wish_ms;   /* we have a question so often; 0: always */
	uint64_t until_ms, jump_ms, seed, pair_ms;

	/* what came of it */
	unsigned asked, refused, others, others_refused, least;

	uint64_t *times; /* SLIDING: of the last `limit` requests */
	unsigned first, count;
	uint64_t epoch; /* FIXED: the number of the window */
	double tokens;	/* BUCKET */
	uint64_t filled_ms;
	struct bw_budget budget;
	struct rationer_flight flights[RATIONER_FLIGHT];
};

static inline uint64_t rationer_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 3;
}

/* --- the registry ----------------------------------------------------------------------------- */

static inline unsigned rationer_left(struct rationer *x, uint64_t now)
{
	if (x->kind == RATIONER_FIXED) {
		uint64_t epoch = (now + x->phase_ms) / x->window_ms;

		if (epoch != x->epoch)
			x->count = 0;
		x->epoch = epoch;
		return x->limit - x->count;
	}
	if (x->kind == RATIONER_SLIDING) {
		while (x->count > 0 && x->times[x->first] + x->window_ms <= now) {
			x->first = (x->first + 1) % x->limit;
			x->count--;
		}
		return x->limit - x->count;
	}
	x->tokens += (double)(now - x->filled_ms) * x->limit / (double)x->window_ms;
	if (x->tokens > x->limit)
		x->tokens = x->limit;
	x->filled_ms = now;
	return (unsigned)x->tokens;
}

static inline bool rationer_take(struct rationer *x, uint64_t now)
{
	if (rationer_left(x, now) == 0)
		return false;
	if (x->kind == RATIONER_SLIDING)
		x->times[(x->first + x->count) % x->limit] = now;
	x->count++;
	x->tokens -= 1;
	return true;
}

static inline void rationer_answer(struct rationer *x, struct rationer_flight *f)
{
	uint64_t now = f->there_ms;
	bool granted = x->costs ? rationer_take(x, now) : true;
	unsigned left = rationer_left(x, now);

	if (!granted)
		x->refused++;
	if (left < x->least)
		x->least = left;
	f->quota = (struct bw_quota){.limit = x->limit,
				     .remaining = left,
				     .window_s = (uint32_t)(x->window_ms / 1000),
				     .has_reset = x->says_reset};
	if (x->says_reset && x->kind == RATIONER_FIXED)
		f->quota.reset_s = (uint32_t)((x->window_ms - (now + x->phase_ms) % x->window_ms) / 1000);
	else if (x->says_reset && x->count > 0) /* when all that was used until now comes back */
		f->quota.reset_s = (uint32_t)(x->window_ms / 1000);
	f->is_there = true;
}

/* --- us --------------------------------------------------------------------------------------- */

static inline void rationer_send(struct rationer *x, uint64_t now)
{
	struct rationer_flight *f = x->flights;

	while (f->is_used)
		f++;
	*f = (struct rationer_flight){.is_used = true, .number = bw_budget_sent(&x->budget, true)};
	f->there_ms = now + 1 + rationer_random(&x->seed) % x->latency_ms;
	f->back_ms = f->there_ms + 1 + rationer_random(&x->seed) % x->latency_ms;
	x->asked++;
}

/* The next thing that happens to what is on its way; NULL: nothing until `until`. */
static inline struct rationer_flight *rationer_next(struct rationer *x, uint64_t until, uint64_t *ret_at)
{
	struct rationer_flight *next = NULL;

	*ret_at = until;
	for (struct rationer_flight *f = x->flights; f < x->flights + RATIONER_FLIGHT; f++) {
		uint64_t at = f->is_there ? f->back_ms : f->there_ms;

		if (f->is_used && at < *ret_at) {
			*ret_at = at;
			next = f;
		}
	}
	return next;
}

static inline void rationer_step(struct rationer *x, struct rationer_flight *f, uint64_t now)
{
	if (!f->is_there) {
		rationer_answer(x, f);
		return;
	}
	f->is_used = false;
	bw_budget_note(&x->budget, f->number, true, &f->quota, true, now);
}

/* Sends what may go; tells when to look again. */
static inline uint64_t rationer_try(struct rationer *x, uint64_t now, uint64_t *next_question,
				    bool *is_second)
{
	struct bw_budget_plan p;
	uint64_t wait = 0;

	for (;;) {
		enum bw_budget_step step;

		if (now < *next_question)
			return *next_question;
		if (x->budget.in_flight >= (x->in_flight ? x->in_flight : 1))
			return now + 1000;
		step = bw_budget_allows(&x->budget, true, now, &wait);
		if (step != BW_BUDGET_GO)
			return now + (step == BW_BUDGET_LATER ? wait : 1000);
		rationer_send(x, now);
		bw_budget_plan(&x->budget, now, &p);
		if (x->is_greedy)
			continue;
		*is_second = x->pairs && !*is_second;
		if (*is_second)
			x->pair_ms = now;
		if (x->pairs)
			*next_question = *is_second ? now + 50 : x->pair_ms + 2 * p.distance_ms;
		else
			*next_question = now + p.distance_ms;
		if (*next_question < now + x->wish_ms)
			*next_question = now + x->wish_ms;
	}
}

static inline void rationer_run(struct rationer *x)
{
	uint64_t now = 1000000, end = now + x->until_ms, question = now, wake = now, other = UINT64_MAX / 2,
		 at, jump = now + x->until_ms / 3;
	struct rationer_flight *f;
	bool is_second = false;

	x->times = bw_alloc(x->limit * sizeof(*x->times));
	x->tokens = x->limit;
	x->least = x->limit;
	x->filled_ms = now;
	bw_budget_init(&x->budget, x->reserve_percent);
	if (x->others_ms)
		other = now;
	while (now < end) {
		uint64_t until = wake < other ? wake : other;

		f = rationer_next(x, until, &at);
		now = at;
		if (f) {
			rationer_step(x, f, now);
			wake = now;
		} else if (other <= wake) {
			x->others++;
			if (!rationer_take(x, now))
				x->others_refused++;
			other = now + x->others_ms / 2 + rationer_random(&x->seed) % x->others_ms;
			continue;
		}
		if (x->jump_ms && now > jump && x->budget.in_flight == 0) {
			now += x->jump_ms;
			jump = end;
		}
		wake = rationer_try(x, now, &question, &is_second);
	}
}

/* How much of what we may use did we use? */
static inline double rationer_share(const struct rationer *x)
{
	unsigned reserve = (x->limit * x->reserve_percent + 99) / 100;
	double windows = (double)x->until_ms / (double)x->window_ms;

	if (reserve >= x->limit)
		reserve = x->limit - 1;
	return (double)x->asked / ((x->limit - reserve) * windows);
}

static inline void rationer_done(struct rationer *x)
{
	free(x->times);
}

#endif
