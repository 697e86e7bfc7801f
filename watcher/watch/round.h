/*
 * round.h - a list of questions, asked as fast as each registry takes them. A registry's own queue is bounded, so a lane
 * feeds it: as many as there is room for at the start, then one for each answer. Lanes do not know each other: a dead
 * registry delays nobody. Private to watch/.
 */
#ifndef BW_WATCH_ROUND_H
#define BW_WATCH_ROUND_H

#include "probe.h"

#define BW_ROUND_MAX_OPEN \
	16 /* of a lane: with the limits of an inquiry this bounds what a hostile registry can fill */

struct bw_round;
struct bw_round_lane;

struct bw_round_item {
	struct bw_probe probe; /* `group` is that of its lane */
	void *more;	       /* the owner's */
	int64_t checked_ms;    /* of the base */
	size_t next;	       /* in its lane */
};

struct bw_round_hooks {
	/* Asks; bw_round_answered() is called for it exactly once, maybe inside. */
	void (*ask)(struct bw_round_item *it, void *arg);
	void (*forget)(void *more, void *arg);			/* frees it; may be NULL */
	void (*progress)(size_t done, size_t total, void *arg); /* may be NULL */
	void (*ended)(void *arg); /* all have been answered; inside of bw_round_start() where there is none */
	/* Of the probes of its lanes. */
	void (*probed)(struct bw_probe *p, const struct bw_probed *x);
	void *arg;
};

struct bw_round *bw_round_new(struct bw_sides *sides, const struct bw_round_hooks *h);
void bw_round_free(struct bw_round *r); /* drops what is open; not from a hook. NULL is fine */

/* In the order of the registries. The items stay where they are from bw_round_start() on. */
void bw_round_add(struct bw_round *r, const struct bw_base *b, void *more);
/* Before the start: each lane asks for what was never asked, and then for what was not asked for longest. */
void bw_round_put_oldest_first(struct bw_round *r);
void bw_round_start(struct bw_round *r);
void bw_round_answered(struct bw_round_item *it);
/* Asks for no more: what is open may end, and is not waited for. */
void bw_round_halt(struct bw_round *r);

struct bw_round_item *bw_round_item_of(struct bw_probe *p);
void *bw_round_arg_of(const struct bw_round_item *it); /* that of the hooks */
size_t bw_round_count_answered(const struct bw_round *r);
/* The registry of the nth lane (from 0), valid as long as the round; NULL: there are not as many. */
const char *bw_round_registry(const struct bw_round *r, size_t n);

#endif
