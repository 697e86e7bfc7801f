/*
 * sweep.h - asks the registries once for every base that the chosen builds stand on, and records what they
 * say.
 *
 * Answers that change nothing are written at the end, in one transaction; a first sight or a failure waits at most
 * BW_SWEEP_FLUSH_MS. So a sweep in which nothing moved costs O(1) transactions, and a killed sweep loses at most answers
 * that the next one gets again. Changes wait for the end too, so that a build gets one request for all of its bases
 * that have moved (design §6).
 */
#ifndef BW_WATCH_SWEEP_H
#define BW_WATCH_SWEEP_H

#include "store/base.h"
#include "watch/clients.h"
#include "watch/event.h"

#define BW_SWEEP_FLUSH_MS 1000
#define BW_SWEEP_BATCH	  256	/* noteworthy answers kept in memory before they are written */
#define BW_SWEEP_CHANGES  10000 /* so many changes are written at once before the end */

struct bw_sweep_hooks {
	void (*progress)(size_t done, size_t total, void *arg); /* may be NULL */
	void *arg;
};

/*
 * A digest that differs from the last one is believed after its bodies were fetched and judged (watch/classify.h), and
 * recorded with its class in one transaction. A registry that does not know the digest that it has just named is asked
 * again; when it then says something else its replicas disagree, which is remembered: from then on its changes are
 * believed only after two agreeing answers, `settle_ms` apart. A body that does not match its digest, and one that
 * cannot be had for a reason that may pass, is trouble, and no change; the latter for two sweeps, then the change is
 * believed without a class: nobody must miss it for ever.
 */
struct bw_sweep_options {
	uint32_t settle_ms; /* between two answers of a registry that has disagreed; 0: 30,000 */
	struct bw_event_options events;
};

/* Bases of one registry that were not asked, as it is at the end of what it grants, or has asked for a pause before. */
struct bw_sweep_held {
	char *registry;
	size_t count;
	char *why; /* "20 of 100 requests in 6 h are left, ...; may be asked again at 2026-11-21 18:05" */
};

/* Zeroed is empty. */
struct bw_sweep_result {
	size_t asked;		    /* without those of `held` */
	struct bw_sweep_held *held; /* in the order of the registries */
	size_t held_count, held_capacity;
	struct bw_record_counts recorded;
	size_t bodies;		      /* manifests and configurations fetched */
	int64_t started_ms, ended_ms; /* wall time */
	bool interrupted;
};

void bw_sweep_result_done(struct bw_sweep_result *r);

/*
 * Of each registry what was never asked and what was not asked for longest goes first: where it grants less than one sweep
 * takes, the next ones go on. What it grants, and a pause that it asked for, are remembered from sweep to sweep, whichever
 * process makes them (watch/recall.h). What was not asked because of them has not failed: nothing is recorded, and its
 * verdict stays.
 *
 * Runs the loop until every question has ended, or until somebody stops the loop: then the sweep is
 * interrupted, and what was answered so far is recorded. A failure of the store ends the sweep with its
 * error. After an interruption or a failure questions are still in flight: free the clients before the loop runs
 * again.
 */
int bw_sweep(struct bw_loop *l, struct bw_store *s, const struct bw_clients *c,
	     const struct bw_sweep_options *o, const struct bw_sweep_hooks *hooks,
	     struct bw_sweep_result *ret, struct bw_err *err) BW_NODISCARD;

#endif
