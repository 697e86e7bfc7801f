/*
 * ledger.h - answers on their way into the store. Those that change nothing are written at the end of a sweep, in one
 * transaction; a first sight or a failure waits at most BW_SWEEP_FLUSH_MS. Changes wait for the end too, so that a build
 * gets one request for all of its bases that have moved (design §6). Private to watch/.
 */
#ifndef BW_WATCH_LEDGER_H
#define BW_WATCH_LEDGER_H

#include "net/loop.h"
#include "store/base.h"
#include "watch/event.h"

struct bw_ledger;

struct bw_ledger_hooks {
	/* One transaction was written. The answers are valid during the call only. */
	void (*recorded)(const struct bw_seen *seen, size_t count, const struct bw_record_counts *c,
			 void *arg);
	/* It could not be written. Nothing is lost, and nothing is tried again before somebody says so. */
	void (*failed)(int rc, const struct bw_err *err, void *arg);
	void *arg;
};

/* `o` must outlive the ledger; what it holds may change. */
struct bw_ledger *bw_ledger_new(struct bw_loop *l, struct bw_store *s, const struct bw_event_options *o,
				const struct bw_ledger_hooks *h);
void bw_ledger_free(struct bw_ledger *l); /* what was not written is lost; NULL is fine */

/* `a` NULL: the base has what it had. Copies the answer, takes the change (of judge.h; may be NULL) over. */
void bw_ledger_put(struct bw_ledger *l, int64_t base_id, const struct bw_answer *a, struct bw_change *change);
/* The end of a sweep: everything is written, the changes too. */
void bw_ledger_close(struct bw_ledger *l);
/*
 * The end of a sweep that is followed by others at once: with nothing to tell, what it heard waits for theirs, but not
 * longer than BW_SWEEP_FLUSH_MS.
 */
void bw_ledger_turn(struct bw_ledger *l);
/* Writes all but the changes of a sweep that is not over: the next question about a base starts from its last answer. */
void bw_ledger_flush(struct bw_ledger *l);
/* What could not be written is tried again. Changes of a sweep that is not over keep waiting. */
void bw_ledger_retry(struct bw_ledger *l);
bool bw_ledger_is_empty(const struct bw_ledger *l);

#endif
