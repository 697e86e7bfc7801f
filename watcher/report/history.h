/* history.h - sightings in, history out: all of bw_history_write() but the store, so that tests can feed
 * sightings. */
#ifndef BW_REPORT_HISTORY_H
#define BW_REPORT_HISTORY_H

#include "report/report.h"
#include "store/base.h"

struct bw_history;

struct bw_history *bw_history_new(const struct bw_report_options *o);
void bw_history_add(struct bw_history *h, const struct bw_sighting *x);
bool bw_history_end(struct bw_history *h);  /* false: a write failed */
void bw_history_free(struct bw_history *h); /* NULL is fine */

#endif
