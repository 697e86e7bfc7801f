/* json.h - the verdicts as JSON (config/basewatch-report.schema.json), group by group. */
#ifndef BW_REPORT_JSON_H
#define BW_REPORT_JSON_H

#include "core/clock.h"
#include "core/json.h"
#include "group.h"

/* The text of a time, remembered: what a sweep touches has few different seconds. */
struct bw_report_time {
	int64_t second;
	char text[BW_TIME_MAX]; /* "" before the first */
};

#define BW_REPORT_TIMES 6 /* members of a base, and of its uses, that are times */

struct bw_report_json {
	const struct bw_report_options *o;
	struct bw_json w;
	bool in_other; /* the bases are closed */
	struct bw_report_time times[BW_REPORT_TIMES];
};

void bw_report_json_begin(struct bw_report_json *j, const struct bw_report_options *o, int64_t checked_at_ms);
void bw_report_json_add(struct bw_report_json *j, const struct bw_group *g);
/* False: a write failed. */
bool bw_report_json_end(struct bw_report_json *j, const struct bw_tally *t);
void bw_report_json_done(struct bw_report_json *j);

/* The members that every JSON list of uses has in common. */
void bw_report_json_source(struct bw_json *w, const char *source); /* null for a folder without a name */
void bw_report_json_line(struct bw_json *w, const char *key, uint32_t n); /* null for 0 */
/* Ends a document with a line feed and hands it over. False: a write failed. */
bool bw_report_json_finish(struct bw_json *w);

#endif
