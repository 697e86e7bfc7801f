/*
 * recall.h - what the process before knew of registries (store/standing.h), for a process that asks once: a budget that is
 * used up, and a pause that was asked for, outlive it. By wall clock.
 */
#ifndef BW_WATCH_RECALL_H
#define BW_WATCH_RECALL_H

#include "store/store.h"
#include "watch/clients.h"

/* To be called before the first question. */
int bw_recall_load(struct bw_store *s, const struct bw_clients *c, int64_t now_ms,
		   struct bw_err *err) BW_NODISCARD;

/*
 * Of the registries that have answered, in one transaction; what is known of the others stays. Where a registry neither
 * grants a number nor wants a pause, and did not before, nothing is written.
 */
int bw_recall_save(struct bw_store *s, const struct bw_clients *c, const char *const *registries,
		   size_t count, int64_t now_ms, struct bw_err *err) BW_NODISCARD;

#endif
