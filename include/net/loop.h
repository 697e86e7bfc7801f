/*
 * loop.h - the event loop: one thread, one libuv loop. Deadlines are monotonic milliseconds; wall time lives
 * in core/clock.h. Owners free a timer at any time, also inside its own callback.
 */
#ifndef BW_NET_LOOP_H
#define BW_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct bw_loop;
struct bw_timer;
struct bw_signal;

typedef void (*bw_timer_fn)(void *arg);
typedef void (*bw_signal_fn)(int signum, void *arg);

int bw_loop_new(struct bw_loop **ret, struct bw_err *err) BW_NODISCARD;
void bw_loop_free(struct bw_loop *l); /* everything that lives on it must be freed before; NULL is fine */

/* Runs until bw_loop_stop(), or until nothing is left that could call back. */
void bw_loop_run(struct bw_loop *l);
void bw_loop_stop(struct bw_loop *l);
/* Monotonic milliseconds as read at the start of this turn. */
uint64_t bw_loop_now(const struct bw_loop *l);
/* The same clock, read now. */
uint64_t bw_loop_clock(const struct bw_loop *l);
/*
 * From now on turns are timed, without what was spent waiting; `fn` (may be NULL) is told of each that took longer than
 * `limit_ms`. Call it before bw_loop_run(). It keeps nothing alive.
 */
void bw_loop_on_slow(struct bw_loop *l, uint32_t limit_ms, void (*fn)(uint32_t ms, void *arg), void *arg);
/*
 * The turn that is timed begins here. For the doors that hear of signals: one that interrupts a wait makes libuv (1.44)
 * take what it had waited until then for work.
 */
void bw_loop_begin_turn(struct bw_loop *l);
/* Milliseconds of the longest turn that was timed. */
uint64_t bw_loop_longest(const struct bw_loop *l);
/* The uv_loop_t, for the other doors of this room only. */
void *bw_loop_uv(struct bw_loop *l);

/* One-shot; not armed at first. `arg` is given to `fn`. */
struct bw_timer *bw_timer_new(struct bw_loop *l, bw_timer_fn fn, void *arg);
/* Arms, or arms anew. With 0 it fires once in each turn, however often that arms it again: work can be cut into turns. */
void bw_timer_start(struct bw_timer *t, uint64_t delay_ms);
void bw_timer_stop(struct bw_timer *t);
bool bw_timer_is_armed(const struct bw_timer *t);
void bw_timer_free(struct bw_timer *t);

/* Signals arrive as loop events. A waiting signal does not keep bw_loop_run() alive. */
int bw_signal_new(struct bw_loop *l, int signum, bw_signal_fn fn, void *arg, struct bw_signal **ret,
		  struct bw_err *err) BW_NODISCARD;
void bw_signal_free(struct bw_signal *s);

/* Of libuv, "1.44.2", for --version. */
const char *bw_loop_version(void);

#endif
