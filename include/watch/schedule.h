/*
 * schedule.h - when is each base asked? Pure: rows and the time go in, the next base comes out. No clock, no I/O.
 *
 * Due times are computed from what a poll row holds already (when was it asked last, how often did it fail since, and
 * why), the name of the base and the UUID of the database, and are nowhere stored: a restart or a reload finds the same
 * due time again, so it neither forgets nor storms, and an unchanged sweep writes nothing. A `check` of another process
 * counts as asked.
 *
 *   - Each base has a slot of its own in every interval, by a hash; it moves by the jitter from interval to interval.
 *     Slots lie on ticks of `window` ms, so what is due comes in groups, and the ticks of two databases differ.
 *   - Whoever was asked outside of its slot (first sight, after a halt, a retry) goes to its next slot that is at least
 *     half an interval away, or, where there is none in time, first to the middle between two slots.
 *     So two questions to a base that answers lie between every / 2 and every * (1 + jitter) apart, and a disturbance
 *     costs one or two questions more, never a burst: the spread is whole again at once.
 *   - What is overdue (a halt, a suspended machine, a clock that was set forward) is asked in the order of due, and not
 *     faster than it takes to ask the whole registry in every / 4, or one a second.
 *   - Where a registry grants only so many requests (registry/budget.h), what is overdue is asked in the order of due, as
 *     often as the plan has it: so every base gets its turn, and the interval is stretched.
 *   - A clock that is set back moves nothing: the monotonic time says how long it really was. A last question that lies
 *     in the future after a restart is not believed: the base goes to its next slot.
 *
 * Sweeps and events. Spread bases rarely move in one sweep, however long the window; one long enough to make that
 * likely would be one burst an interval, and would hold each event back. So the window is short, every / 64 and a minute
 * at most (15 ms for 1 s, 56 s for 1 h, 1 min for 1 d): it saves wake-ups and transactions. What brings two moved bases
 * of one build into one event is bw_schedule_nudge(): when a base has moved, ask the other bases of the builds it hits
 * at once, and make the events when the sweep is over (bw_schedule_end_sweep()).
 */
#ifndef BW_WATCH_SCHEDULE_H
#define BW_WATCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/def.h"
#include "image/answer.h"
#include "registry/budget.h"
#include "store/standing.h"

struct bw_schedule;

/* Values out of bounds are taken as the nearest bound. */
struct bw_schedule_options {
	int64_t every_ms;	 /* 1 s .. 366 d */
	unsigned jitter_percent; /* 0 .. 50 */
	uint32_t distance_ms;	 /* between two questions to a registry; 0 .. 60,000 */
	int64_t retry_ms; /* first retry of a passing trouble, then 4, 16, ... times that up to `every`; 1 s .. 1 d */
	int64_t backoff_ms;	  /* a trouble that stays doubles the interval up to this; every .. 30 d */
	unsigned in_flight;	  /* questions per registry without an answer; 1 .. 1,000 */
	unsigned guard;		  /* how many times the schedule may be asked beyond it; 1 .. 1,000 */
	bool has_to_ask_at_start; /* each base is due when it is put for the first time */
};

#define BW_SCHEDULE_DEFAULTS                                  \
	((struct bw_schedule_options){.every_ms = 3600000,    \
				      .jitter_percent = 10,   \
				      .distance_ms = 10,      \
				      .retry_ms = 60000,      \
				      .backoff_ms = 86400000, \
				      .in_flight = 16,        \
				      .guard = 4})

/* A base as rows have it. The strings are not kept. */
struct bw_schedule_base {
	int64_t id;
	const char *registry;
	const char *repository;
	const char *tag;
	int64_t checked_ms;	 /* last asked, wall time; <= 0: never */
	uint32_t failures;	 /* since the last answer */
	enum bw_trouble trouble; /* of the last question */
	uint32_t retry_after_s;	 /* with THROTTLED; more than a day is taken as a day */
};

/* Both are read by the caller, at the same moment. */
struct bw_schedule_now {
	int64_t wall_ms;
	uint64_t steady_ms; /* monotonic */
};

struct bw_schedule_hooks {
	/* A registry is asked much more than the schedule says: it is left alone for a while. `reason` is a sentence. */
	void (*stopped)(const char *registry, const char *reason, void *arg);
	void *arg;
};

/* `uuid` is that of the database. `hooks` may be NULL. */
struct bw_schedule *bw_schedule_new(const struct bw_schedule_options *o, const char *uuid,
				    const struct bw_schedule_hooks *hooks, struct bw_schedule_now now);
void bw_schedule_free(struct bw_schedule *s); /* NULL is fine */

/* A reload: due times follow from the last questions and the new options. What is in flight stays. */
void bw_schedule_set_options(struct bw_schedule *s, const struct bw_schedule_options *o,
			     struct bw_schedule_now now);
/* Of one registry; the options hold for the others. */
void bw_schedule_set_distance(struct bw_schedule *s, const char *registry, uint32_t distance_ms);

/*
 * What this registry grants, from its last answer: the distance is kept on the average, in pairs, and nothing is asked
 * before the hold ends, also of what is asked for the first time or soon. Without a budget nothing is limited. Holds for
 * its window, unless it is renewed. Of a registry that has said nothing yet only one question is in flight at a time, so
 * that its first word on this is heard before the second is asked.
 */
void bw_schedule_set_budget(struct bw_schedule *s, const char *registry, const struct bw_budget_plan *p,
			    struct bw_schedule_now now);

/* How a registry stands. */
struct bw_schedule_lane {
	size_t bases;
	enum bw_pause pause;
	int64_t paused_until_ms; /* wall time; 0 without a pause, and where nobody knows */
};
/* False: nothing is asked of it. */
bool bw_schedule_look(struct bw_schedule *s, const char *registry, struct bw_schedule_now now,
		      struct bw_schedule_lane *ret);

/*
 * A base is to be asked. Never asked: at once, with the minimum distance. Known already: taken over where the row is
 * newer than what the schedule knows, else left alone. O(log n).
 */
void bw_schedule_put(struct bw_schedule *s, const struct bw_schedule_base *b, struct bw_schedule_now now);
void bw_schedule_remove(struct bw_schedule *s, int64_t id, struct bw_schedule_now now);
/* The wanted bases anew: begin, put each, end; end drops those that were not put and says how many. */
void bw_schedule_begin_list(struct bw_schedule *s);
size_t bw_schedule_end_list(struct bw_schedule *s, struct bw_schedule_now now);
size_t bw_schedule_count(const struct bw_schedule *s);

/*
 * Takes the base that is to be asked now; false: none. To be called until it says so. A question that has no answer
 * after 10 minutes is taken as lost, and the base as failed.
 */
bool bw_schedule_take(struct bw_schedule *s, struct bw_schedule_now now, int64_t *ret_id);
/* For the one timer: ms until bw_schedule_take() or bw_schedule_end_sweep() may say true; INT64_MAX: never. */
int64_t bw_schedule_delay(struct bw_schedule *s, struct bw_schedule_now now);
/*
 * What came of it; a base that was removed meanwhile is ignored. A change is an answer like any other. An answer that
 * comes when no sweep is on begins one: what it says must not wait for the next question.
 */
void bw_schedule_done(struct bw_schedule *s, int64_t id, enum bw_trouble trouble, uint32_t retry_after_s,
		      struct bw_schedule_now now);
/*
 * It was not asked at all: the client held the question back, because the budget was used up by somebody else meanwhile.
 * The base is where it was, nothing is known of it that was not known before, and its registry is left alone for so long,
 * a second at least.
 */
void bw_schedule_put_back(struct bw_schedule *s, int64_t id, uint64_t hold_ms, struct bw_schedule_now now);
/*
 * Ask this base soon, within the minimum distance of its registry. false: there is none, it is being asked, or it was
 * within this window. Is counted as beyond the schedule.
 */
bool bw_schedule_nudge(struct bw_schedule *s, int64_t id, struct bw_schedule_now now);

/*
 * Is the sweep over that began with the first base taken, or with a late answer? True once for each: when all answers are there and nothing
 * else is due within min(window, 1 s); at the latest after max(window, 1 s), whatever is still in flight.
 */
bool bw_schedule_end_sweep(struct bw_schedule *s, struct bw_schedule_now now);

/* When would this row be due, wall time? For reports; not before its first question: 0. */
int64_t bw_schedule_due(const struct bw_schedule_options *o, const char *uuid,
			const struct bw_schedule_base *b);

#endif
