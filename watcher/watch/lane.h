/*
 * lane.h - one registry in the schedule: its bases in three heaps, its pace, and the guard against asking far too much.
 * Times are those of the schedule (schedule.c), which never go back.
 */
#ifndef BW_WATCH_LANE_H
#define BW_WATCH_LANE_H

#include "watch/grid.h"
#include "watch/heap.h"
#include "watch/ration.h"

struct bw_lane {
	struct bw_heap_node node; /* among the lanes, by bw_lane_ready() */
	char *registry;
	struct bw_heap
		urgent; /* never asked, or nudged; by when that was, the nudged ones first: bw_lane_key() */
	struct bw_heap regular; /* by due time */
	struct bw_heap flying;	/* being asked; by when the question counts as lost */
	size_t count;		/* bases in all three */
	int64_t next_any;	/* the minimum distance: nothing before */
	int64_t next_regular;	/* the pace: nothing regular before */
	int64_t held_until;	/* throttled, or stopped by the guard */
	bool is_stopped;	/* by the guard, and not throttled */
	struct bw_ration ration;
	bool has_answered; /* since this process or a lapsed ration began: until then one question at a time */
	uint32_t distance_ms;
	bool has_distance;	/* of its own */
	unsigned urgent_in_row; /* the two kinds take turns, so none starves the other */
	unsigned failed_in_row, throttled_in_row;
	int64_t debt_ns; /* the guard's bucket, as it was at `debt_at` */
	int64_t debt_at;
};

#define BW_LANE_SCARCE_TURNS 7	 /* first sights for each other question, where a ration spreads them */
#define BW_LANE_NAME_MAX     200 /* of a registry in a reason */
#define BW_LANE_REASON_MAX   512

struct bw_lane *bw_lane_new(const char *registry);
void bw_lane_free(struct bw_lane *l);

/* The place among the urgent ones. */
int64_t bw_lane_key(bool is_nudged, int64_t now);
/* When something is to be taken, or a question counts as lost; INT64_MAX: never. */
int64_t bw_lane_ready(const struct bw_lane *l, const struct bw_grid *g);
/* What is to be asked now; NULL: nothing. Stays where it is. */
struct bw_heap_node *bw_lane_choose(const struct bw_lane *l, const struct bw_grid *g, int64_t now);
/* It is asked now: from here on pace and distance count. */
void bw_lane_note_ask(struct bw_lane *l, const struct bw_grid *g, bool is_urgent, int64_t now);
/* The interval has become shorter: a pace of the old one does not hold. */
void bw_lane_note_reload(struct bw_lane *l, const struct bw_grid *g, int64_t now);
void bw_lane_note_answer(struct bw_lane *l, enum bw_trouble t, uint32_t retry_after_s, int64_t now);
void bw_lane_hold(struct bw_lane *l, int64_t until);
/* The question that was noted was not asked: the client keeps the budget too. */
void bw_lane_note_refusal(struct bw_lane *l, int64_t until);
/* So many questions failed in a row that it is the registry, and not the base. */
bool bw_lane_is_down(const struct bw_lane *l);
/*
 * One more question beyond the schedule. false: that would be too many; the registry is held, and `reason` says so.
 * An hour's allowance is `guard` times what the schedule allows, and 60; half of it is forgotten in half an hour.
 */
bool bw_lane_allow_extra(struct bw_lane *l, const struct bw_grid *g, int64_t now,
			 char reason[BW_LANE_REASON_MAX]);
/* Nothing in it, and nothing worth remembering. */
bool bw_lane_is_idle(const struct bw_lane *l, int64_t now);

#endif
