/* event.h - writes events, and the deliveries that follow from them; private to store/. */
#ifndef BW_STORE_EVENT_H
#define BW_STORE_EVENT_H

#include "store/outbox.h"
#include "store/sql.h"

#define BW_TYPE_REBUILD_REQUESTED "io.basewatch.rebuild.requested"

/* An event that is to be written. */
struct bw_new_event {
	const char *id;
	const char *type;
	const char *subject;
	const char *json;
	int64_t at_ms;
	int64_t base_id;	  /* 0: of no base */
	uint32_t sighting;	  /* of that base; 0: it was never seen */
	int64_t build_id;	  /* 0: of no build */
	const char *const *sinks; /* who is owed it: names, NULL behind the last; NULL: all */
	const char *suppressed;	  /* why nobody is; NULL: it is not */
};

/*
 * Within a transaction: the event, with a delivery for each of its sinks that gets its type. A request for a rebuild supersedes
 * the older ones of the same build that were not sent yet. An id that there is already changes
 * nothing. `ret` (may be NULL): the number of the event, 0 when it was there.
 */
int bw_store_put_event(struct bw_store *s, const struct bw_new_event *e, int64_t *ret,
		       struct bw_err *err) BW_NODISCARD;

/* Within a transaction that ended a delivery of this subject, or added one: who is the first in each queue now? */
int bw_store_line_up(struct bw_store *s, const char *subject, struct bw_err *err) BW_NODISCARD;

/* Hands on each row of a statement with DELIVERY_COLUMNS (statement.c). */
int bw_store_each_delivery(struct bw_store *s, sqlite3_stmt *q, bw_delivery_fn fn, void *arg,
			   struct bw_err *err) BW_NODISCARD;

#endif
