/*
 * sweep.h - asks the registries once for every base that the chosen builds stand on, and records what they
 * say.
 *
 * Answers that change nothing are written at the end, in one transaction; a first sight, a change or a
 * failure waits at most BW_SWEEP_FLUSH_MS. So a sweep in which nothing moved costs O(1) transactions, and a
 * killed sweep loses at most answers that the next one gets again.
 */
#ifndef BW_WATCH_SWEEP_H
#define BW_WATCH_SWEEP_H

#include "registry/client.h"
#include "store/base.h"

#define BW_SWEEP_FLUSH_MS 1000
#define BW_SWEEP_BATCH	  256 /* noteworthy answers kept in memory before they are written */

struct bw_sweep_hooks {
	void (*progress)(size_t done, size_t total, void *arg); /* may be NULL */
	void *arg;
};

struct bw_sweep_result {
	size_t asked;
	struct bw_record_counts recorded;
	size_t manifests; /* fetched to compare pins with children */
	int64_t ended_ms; /* wall time */
	bool interrupted;
};

/*
 * Runs the loop until every question has ended, or until somebody stops the loop: then the sweep is
 * interrupted, and what was answered so far is recorded. A failure of the store ends the sweep with its
 * error. After an interruption or a failure questions are still in flight: free the registry client before
 * the loop runs again.
 */
int bw_sweep(struct bw_loop *l, struct bw_store *s, struct bw_registry *r, const struct bw_sweep_hooks *hooks,
	     struct bw_sweep_result *ret, struct bw_err *err) BW_NODISCARD;

#endif
