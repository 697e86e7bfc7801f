/*
 * virtual_loop.h - timers in simulated time: include it before the sources under test, whose timers and clocks are then
 * these. A month passes in a moment, and the same every time.
 */
#ifndef BW_TESTS_VIRTUAL_LOOP_H
#define BW_TESTS_VIRTUAL_LOOP_H

#include "unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "net/loop.h"

#define VIRTUAL_EPOCH_MS 1790000000000 /* the wall clock when the loop's is 0 */

struct virtual_timer {
	struct virtual_timer *next;
	bw_timer_fn fn;
	void *arg;
	bool is_armed;
	uint64_t due_ms, number; /* those that are due together fire in the order of their arming */
};

static struct {
	struct virtual_timer *timers;
	uint64_t now_ms, number, fired;
} virtual_loop;

static inline void virtual_now(uint64_t ms)
{
	virtual_loop.now_ms = ms;
	bw_clock_set(VIRTUAL_EPOCH_MS + (int64_t)ms);
}

static inline uint64_t virtual_loop_now(const struct bw_loop *l)
{
	(void)l;
	return virtual_loop.now_ms;
}

static inline struct bw_timer *virtual_timer_new(struct bw_loop *l, bw_timer_fn fn, void *arg)
{
	struct virtual_timer *t = BW_NEW(struct virtual_timer);

	(void)l;
	t->fn = fn;
	t->arg = arg;
	t->next = virtual_loop.timers;
	virtual_loop.timers = t;
	return (struct bw_timer *)(void *)t;
}

static inline void virtual_timer_start(struct bw_timer *timer, uint64_t delay_ms)
{
	struct virtual_timer *t = (struct virtual_timer *)(void *)timer;

	t->is_armed = true;
	t->due_ms = virtual_loop.now_ms + delay_ms;
	t->number = ++virtual_loop.number;
}

static inline void virtual_timer_stop(struct bw_timer *timer)
{
	((struct virtual_timer *)(void *)timer)->is_armed = false;
}

static inline bool virtual_timer_is_armed(const struct bw_timer *timer)
{
	return ((const struct virtual_timer *)(const void *)timer)->is_armed;
}

static inline void virtual_timer_free(struct bw_timer *timer)
{
	struct virtual_timer *t = (struct virtual_timer *)(void *)timer, **at = &virtual_loop.timers;

	if (!t)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

/* Fires the next timer that is due until `until_ms`; false: there is none, and it is that late now. */
static inline bool virtual_step(uint64_t until_ms)
{
	struct virtual_timer *first = NULL;

	for (struct virtual_timer *t = virtual_loop.timers; t; t = t->next)
		if (t->is_armed && (!first || t->due_ms < first->due_ms ||
				    (t->due_ms == first->due_ms && t->number < first->number)))
			first = t;
	if (!first || first->due_ms > until_ms) {
		virtual_now(until_ms);
		return false;
	}
	first->is_armed = false;
	if (first->due_ms > virtual_loop.now_ms)
		virtual_now(first->due_ms);
	virtual_loop.fired++;
	first->fn(first->arg);
	return true;
}

static inline void virtual_run(uint64_t ms)
{
	uint64_t until = virtual_loop.now_ms + ms;

	while (virtual_step(until))
		;
}

#define bw_loop_now	  virtual_loop_now
#define bw_loop_clock	  virtual_loop_now
#define bw_timer_new	  virtual_timer_new
#define bw_timer_start	  virtual_timer_start
#define bw_timer_stop	  virtual_timer_stop
#define bw_timer_is_armed virtual_timer_is_armed
#define bw_timer_free	  virtual_timer_free

#endif
