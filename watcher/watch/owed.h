/* owed.h - to whom an event is owed by the rules, or why to nobody; private to watch/. */
#ifndef BW_WATCH_OWED_H
#define BW_WATCH_OWED_H

#include "watch/rules.h"

/* bw_use_fate_fn without its argument. */
enum bw_use_fate bw_owed_fate(const struct bw_rules *r, const struct bw_fact_request *q,
			      const struct bw_fact_outstanding *x, const struct bw_fact_use *u);

/*
 * Sets `sinks` and `suppressed`. A request is owed to all sinks that the rules name for any of its uses: it is one event,
 * and the job that it starts is one job.
 */
void bw_owed_decide(const struct bw_rules *r, const struct bw_fact *f, struct bw_told *ret);

/* "docker.io/library/debian:12"; the caller frees. */
char *bw_owed_base_name(const struct bw_fact_base *b);

#endif
