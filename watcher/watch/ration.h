/*
 * ration.h - what a registry grants (registry/budget.h), as one lane of the schedule keeps to it. Times are those of the
 * schedule.
 *
 * Questions go in pairs: the second as soon as the first was answered, then none for twice the distance. So the average
 * is kept, and whether a question costs anything is measured by the way, with nothing else of ours in between.
 */
#ifndef BW_WATCH_RATION_H
#define BW_WATCH_RATION_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/budget.h"

struct bw_ration {
	int64_t until;	  /* it holds as long as that; 0: there is none */
	int64_t distance; /* 0: questions need not be spread */
	int64_t hold;	  /* nothing before */
	int64_t pair_at;  /* when the last pair began */
	bool is_half;	  /* its second question has not gone */
};

/* What is not renewed loses its force after its window, or when its hold ends. */
void bw_ration_set(struct bw_ration *r, const struct bw_budget_plan *p, int64_t now);
/* Nothing for so long, whatever the plan says. */
void bw_ration_hold(struct bw_ration *r, int64_t until);
/* When one more question may go. */
int64_t bw_ration_ready(const struct bw_ration *r);
/* One goes now. False: the ration lapsed before, so that nothing is known of this registry any more. */
bool bw_ration_note_ask(struct bw_ration *r, int64_t now);
/* One went then, from another process. */
void bw_ration_note_past(struct bw_ration *r, int64_t at);

#endif
