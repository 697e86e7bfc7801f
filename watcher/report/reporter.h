/*
 * reporter.h - rows in, report out: all of bw_report_write() but the store, so that tests can feed rows.
 */
#ifndef BW_REPORT_REPORTER_H
#define BW_REPORT_REPORTER_H

#include "report/report.h"

struct bw_reporter;

/*
 * `checked_at_ms` is the report's; 0: not known (JSON: null; a table then names the youngest of its bases).
 */
struct bw_reporter *bw_reporter_new(const struct bw_report_options *o, int64_t checked_at_ms);
void bw_reporter_row(struct bw_reporter *r, const struct bw_row *row);
/* Ends the output. False: writing to `out` failed. */
bool bw_reporter_end(struct bw_reporter *r, struct bw_tally *ret);
void bw_reporter_free(struct bw_reporter *r); /* NULL is fine */

#endif
