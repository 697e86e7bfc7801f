/*
 * standing.h - how registries stand with the daemon: what they grant (registry/budget.h), and which are left alone for a
 * while. For whoever wants to know when a base is asked next, and for the next start. A registry of which there is nothing
 * to say has no row.
 */
#ifndef BW_STORE_STANDING_H
#define BW_STORE_STANDING_H

#include "store/store.h"

/* Why a registry is left alone. */
enum bw_pause {
	BW_PAUSE_NONE,
	BW_PAUSE_BUDGET,      /* the rest of what is granted is left to others */
	BW_PAUSE_THROTTLED,   /* it asked for that: 429, Retry-After */
	BW_PAUSE_GUARD,	      /* we asked far more than planned */
	BW_PAUSE_UNREACHABLE, /* it is asked as scheduled, without quick retries */
	BW_PAUSE_COUNT,
};
/* "budget", "throttled", "guard", "unreachable"; "" for NONE. */
const char *bw_pause_name(enum bw_pause p);
enum bw_pause bw_pause_from_name(const char *name); /* NONE for an unknown word */

struct bw_standing {
	const char *registry;
	int64_t seen_ms; /* when this was so */
	bool has_budget; /* all up to `distance_ms` is 0 without one */
	uint64_t limit, remaining, reserved;
	uint32_t window_s; /* 0: not said */
	bool is_free;	   /* questions cost nothing */
	int64_t distance_ms;
	enum bw_pause pause;
	int64_t paused_until_ms; /* 0: not known, or no pause */
};

/* In one transaction. One with neither a budget nor a pause is forgotten. */
int bw_store_put_standings(struct bw_store *s, const struct bw_standing *x, size_t count,
			   struct bw_err *err) BW_NODISCARD;

/* By name; the string is valid only during the callback. */
typedef int (*bw_standing_fn)(const struct bw_standing *x, void *arg, struct bw_err *err);
int bw_store_each_standing(struct bw_store *s, bw_standing_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

#endif
