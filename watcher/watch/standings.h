/*
 * standings.h - how each registry stands (store/standing.h): from its answers to the schedule, and to the store for others
 * to read. Written is only what changed so far that it matters, so that an unchanged sweep writes nothing. Private to
 * watch/.
 */
#ifndef BW_WATCH_STANDINGS_H
#define BW_WATCH_STANDINGS_H

#include "registry/client.h"
#include "store/standing.h"
#include "watch/schedule.h"

struct bw_standings;

/* Both must outlive it. */
struct bw_standings *bw_standings_new(struct bw_store *s, struct bw_schedule *schedule);
void bw_standings_free(struct bw_standings *x); /* NULL is fine */

/*
 * At the first call: goes on from what an earlier process knew, so that a restart neither forgets a pause nor asks sooner.
 * To be called before the bases are put.
 */
int bw_standings_load(struct bw_standings *x, struct bw_schedule_now now, struct bw_err *err) BW_NODISCARD;

/* `r` has answered a question to this registry. `ret`: its plan. False: it has not said anything yet. */
bool bw_standings_hear(struct bw_standings *x, const struct bw_registry *r, const char *registry,
		       struct bw_schedule_now now, struct bw_budget_plan *ret);

/* The budget of a row, from a plan; one that is not known gives a row without. */
void bw_standings_describe(const struct bw_budget_plan *p, struct bw_standing *ret);

/* Writes what matters, and forgets registries that nothing is asked of any more. What fails is tried again the next time. */
int bw_standings_save(struct bw_standings *x, struct bw_schedule_now now, struct bw_err *err) BW_NODISCARD;

#endif
