/*
 * grid.h - the slots of a base, and from them its due time. Pure arithmetic on wall time in ms; all values are brought
 * into bounds first, so nothing overflows whatever a row holds.
 */
#ifndef BW_WATCH_GRID_H
#define BW_WATCH_GRID_H

#include "watch/schedule.h"

#define BW_GRID_MAX_TIME	  (INT64_C(1) << 50) /* far beyond any date, and far from the end of int64_t */
#define BW_GRID_MAX_RETRY_AFTER_S 86400

struct bw_grid {
	struct bw_schedule_options o; /* within bounds */
	uint64_t seed;
	int64_t window;
	int64_t spread; /* how much the jitter moves a slot, at most */
	int64_t reach;	/* the longest distance of two questions */
};

/* What decides when a base is due. */
struct bw_grid_state {
	uint64_t hash;
	int64_t last;
	uint32_t failures;
	enum bw_trouble trouble;
	uint32_t retry_after_s;
	bool is_slow; /* no quick retries */
};

void bw_grid_init(struct bw_grid *g, const struct bw_schedule_options *o, const char *uuid);
uint64_t bw_grid_hash(const struct bw_grid *g, const char *registry, const char *repository, const char *tag);
int64_t bw_grid_due(const struct bw_grid *g, const struct bw_grid_state *x);

#endif
