/*
 * remind.h - a rebuild that was asked for and did not come is asked for again. A reminder is a rebuild.requested of its
 * own, with its number in it; it contains all that is outstanding for the build now, and so supersedes an older one that
 * was not sent yet.
 */
#ifndef BW_STORE_REMIND_H
#define BW_STORE_REMIND_H

#include "store/fact.h"

/*
 * Is it time for the next one? `last_ms`: of the request, or of the last reminder. A clock that was set back by more than
 * `every_ms` delays none for longer than that.
 */
bool bw_remind_is_due(int64_t last_ms, int64_t now_ms, int64_t every_ms);

/*
 * One for each chosen build that is stale still, was asked for, and is due; not for builds that have ended, nor for uses
 * that are ignored just then, or for which the rules ask nobody. At most `max` builds are looked at, in one transaction;
 * `ret_more`: others are due, which the next call takes. `ret` (may be NULL): how many reminders there were. Cheap where
 * none is due, so it may be called often. `every_ms` 0: never.
 */
int bw_store_remind(struct bw_store *s, int64_t now_ms, int64_t every_ms, const struct bw_teller *t,
		    size_t max, size_t *ret, bool *ret_more, struct bw_err *err) BW_NODISCARD;

#endif
