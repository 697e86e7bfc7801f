/*
 * report.h - verdicts of the chosen builds, for people (table) and programs (JSON,
 * config/basewatch-report.schema.json).
 *
 * A base that moved while nothing that counts changed for its builds is fresh. JSON has the reason as long as that is
 * the last change; a table names it only when it shows the sweep that saw the change (`checked_at_ms`), so that nobody
 * reads about it again for months. A pin for another platform than its use is named in every table: it stays wrong.
 */
#ifndef BW_REPORT_REPORT_H
#define BW_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/outlook.h"
#include "store/gap.h"
#include "store/verdict.h"

enum bw_format { BW_FORMAT_TABLE, BW_FORMAT_JSON };

struct bw_report_options {
	enum bw_format format;
	FILE *out;
	unsigned width; /* columns of the terminal; 0: not a terminal, nothing is cut */
	bool colour;
	const char *cwd; /* absolute; paths below it are shown relative to it */
	int64_t now_ms;
	int64_t checked_at_ms; /* end of the sweep; 0: the youngest checked_at of the bases shown (report) */
	/* Start of a sweep that was interrupted: what was not answered since then is not fresh. 0: none was */
	int64_t interrupted_since_ms;
	/* What could not be looked into: unknown, as it may hide anything. NULL: nothing */
	const struct bw_gaps *gaps;
	const struct bw_outlook *outlook; /* NULL: no daemon watches, or nobody knows; all was asked */
	bool count_frontends;		  /* frontends decide the exit code too */
};

/* What the exit code is made of, and the sentences that follow a table. */
struct bw_tally {
	uint64_t verdicts[BW_VERDICT_COUNT]; /* bases, uses without a base, gaps: the JSON's `summary` */
	uint64_t counted[BW_VERDICT_COUNT];  /* uses that count for the exit code (no frontends unless asked,
						no  templates' unknowns) */
	uint64_t bases;
	uint64_t first_sights; /* bases with a single sighting that was made in this sweep (checked == first
				  seen) */
};

int bw_report_write(struct bw_store *s, const struct bw_report_options *o, struct bw_tally *ret,
		    struct bw_err *err) BW_NODISCARD;

/* "name:web/Dockerfile" of a named source; else the path relative to `cwd` when it is below it. The caller
 * frees. */
char *bw_report_path(const char *source, const char *path, const char *cwd);

#endif
