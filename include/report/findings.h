/*
 * findings.h - what `doctor` found, and what to do about it: table and JSON (config/basewatch-doctor.schema.json).
 */
#ifndef BW_REPORT_FINDINGS_H
#define BW_REPORT_FINDINGS_H

#include "report/report.h"

/* In the order in which they are shown. */
enum bw_area {
	BW_AREA_ENVIRONMENT,
	BW_AREA_CONFIGURATION,
	BW_AREA_DATABASE,
	BW_AREA_REGISTRY,
	BW_AREA_SOURCE,
	BW_AREA_SINK,
	BW_AREA_COUNT,
};

enum bw_level {
	BW_LEVEL_OK,
	BW_LEVEL_NOTE,	  /* nothing is wrong, but somebody may want to know */
	BW_LEVEL_WARNING, /* it works today */
	BW_LEVEL_ERROR,	  /* it does not work, or could not be reached */
	BW_LEVEL_COUNT,
};

/* The words of JSON. */
const char *bw_area_name(enum bw_area area);
const char *bw_level_name(enum bw_level level);

struct bw_finding {
	enum bw_area area;
	enum bw_level level;
	char *subject; /* "git", "ghcr.io", "broker (mqtt mqtt://broker.lan)" */
	char *seen;
	char *advice; /* what to do; NULL: nothing */
};

/* Zeroed is empty. */
struct bw_findings {
	struct bw_finding *items;
	size_t count, capacity;
};

void bw_findings_done(struct bw_findings *f);
/* How many there are of a level. */
size_t bw_findings_count(const struct bw_findings *f, enum bw_level level);

/* Area by area, each in the order of the list. False: writing failed, see errno. */
bool bw_findings_write(const struct bw_findings *f, const struct bw_report_options *o);

#endif
