/*
 * budget.h - how many requests may we make where a registry grants only so many (registry/quota.h)? Pure. Part of what it
 * grants, the reserve, is left to the people and the machines that share our address or account. So that the rest lasts,
 * questions are spread over the time until more is granted: the schedule is stretched, and the budget never runs dry.
 *
 * Whether a question costs anything is measured, and not known by name: two questions shortly after one another, with
 * nothing else of ours in between, either left less or they did not; the first time three such pairs have to agree that they
 * did not. (At Docker Hub HEAD is free and GET costs; proxies of it may count both.) Where questions are free, nothing is
 * spread as long as anything is left.
 *
 * Two bounds say what is left, and the better one counts: what the registry said, less what is on its way; and the whole
 * grant, less what we ourselves used in the last window and what others had used. The latter holds for windows that slide
 * and for those that begin anew at some hour, also when nobody says which of them it is.
 *
 * Times are ms of any one clock that does not go back.
 */
#ifndef BW_REGISTRY_BUDGET_H
#define BW_REGISTRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/quota.h"

#define BW_BUDGET_RESERVE_PERCENT 20
#define BW_BUDGET_RESERVE_MAX	  90
#define BW_BUDGET_SLICES	  256 /* of a window: as exactly is known when we used it */
#define BW_BUDGET_KEPT		  (BW_BUDGET_SLICES + 4) /* a little longer, to tell what comes back */

enum bw_budget_cost {
	BW_BUDGET_UNKNOWN, /* taken as COSTS until it is measured */
	BW_BUDGET_FREE,
	BW_BUDGET_COSTS,
};

/* What the registry said, and whether a question costs: the rest is the planner's own. */
struct bw_budget {
	unsigned reserve_percent;
	bool is_known;	 /* the registry has said something */
	bool is_doubted; /* a prediction was wrong: others use it too, or its window does not slide */
	bool is_rolling; /* its reset moves on with each request: what was used comes back bit by bit */
	struct bw_quota quota;
	uint64_t said_ms;     /* when ... */
	uint64_t said_number; /* ... and how many requests were sent then */
	unsigned unsaid;      /* answers since that said nothing */
	unsigned holds;	      /* in a row that brought nothing back */
	uint64_t probe;	 /* the number of the last request that went although nothing was said to be left */
	uint64_t others; /* used by others, or by us before we counted */
	uint32_t longest_s; /* the window where none is said: the longest reset that was */

	/* what we ourselves used, by slices of the window */
	uint64_t slice; /* the newest, counted from the beginning of the clock */
	uint32_t used[BW_BUDGET_KEPT];

	uint64_t sent;	    /* requests so far: a number for each */
	unsigned in_flight; /* of these */

	uint64_t
		resume_ms; /* remembered: no question before, as long as nothing was said since; 0: nothing is remembered */

	/* to measure what a question costs: what the last one left, and when */
	enum bw_budget_cost cost;
	int evidence;	/* of the measurements: above 0 that it is free */
	unsigned tries; /* that told nothing, as long as it is not known */
	bool has_mark, mark_is_probe;
	uint64_t mark_remaining, mark_ms, mark_number;
	uint64_t alone;		      /* the number of the question that is on its way alone; 0: none */
	uint64_t free_left, free_run; /* what was left when so many free questions ago */
};

void bw_budget_init(struct bw_budget *b, unsigned reserve_percent);

/* What was so when a registry answered last, to another process. */
struct bw_budget_past {
	bool is_free;
	uint64_t limit, remaining;
	uint32_t window_s;
	uint64_t hold_ms; /* from then on: no question, because the rest was left to others; 0: none */
	uint64_t age_ms;  /* how long ago that was */
};
/* To be called before the first request. Nothing is taken over from a window that is over. */
void bw_budget_remember(struct bw_budget *b, const struct bw_budget_past *p, uint64_t now_ms);

/* A request goes to the registry; its number, for its answer. Log-ins elsewhere are none. */
uint64_t bw_budget_sent(struct bw_budget *b, bool is_question);
/*
 * Its answer said `q`, or nothing of the kind (NULL). Each that was sent ends so, once; without an answer too. Only a
 * success is expected to say it. A question is the HEAD of a manifest; everything else, a body, is taken to cost.
 */
void bw_budget_note(struct bw_budget *b, uint64_t number, bool is_question, const struct bw_quota *q,
		    bool is_success, uint64_t now_ms);

/* What the planner wants of whoever makes requests over a long time. */
struct bw_budget_plan {
	bool is_known; /* all else is 0 without it */
	bool is_free;  /* questions cost nothing */
	uint64_t limit, remaining, reserved;
	uint32_t window_s;
	uint64_t distance_ms; /* between two questions on the average; 0: they need not be spread */
	uint64_t hold_ms;     /* no question for so long; 0: at once */
};
/*
 * Made in pairs, questions keep showing what they cost: two shortly after one another, the next two
 * twice the distance after the first of these. Nobody needs to keep to it exactly, bw_budget_allows() has the last word.
 */
void bw_budget_plan(const struct bw_budget *b, uint64_t now_ms, struct bw_budget_plan *ret);

enum bw_budget_step {
	BW_BUDGET_GO,
	BW_BUDGET_SOON,	 /* when an answer has come to what is on its way: something is */
	BW_BUDGET_LATER, /* not before *ret_wait_ms are over */
};
/*
 * May one more request go now? The last word, for whoever does not keep to the plan, such as a single sweep. A body of a
 * change, which all of this is about, may take half of the reserve too.
 */
enum bw_budget_step bw_budget_allows(const struct bw_budget *b, bool is_question, uint64_t now_ms,
				     uint64_t *ret_wait_ms);

#endif
