/*
 * listing.h - the outputs that are no verdicts: what a scan found, how a base moved, what references resolve
 * to. JSON as in config/basewatch-{scan,history,resolve}.schema.json.
 */
#ifndef BW_REPORT_LISTING_H
#define BW_REPORT_LISTING_H

#include "buildfile/dockerfile.h"
#include "image/answer.h"
#include "report/report.h"

/* --- scan: one file after the other, nothing is kept ------------------------------------------ */

struct bw_scan_file {
	const char *source;		  /* "" without a name */
	const char *path;		  /* as in store/build.h */
	const struct bw_dockerfile *file; /* NULL with a problem */
	const char *problem;
};

struct bw_scan_writer;
struct bw_scan_writer *bw_scan_writer_new(const struct bw_report_options *o);
void bw_scan_writer_add(struct bw_scan_writer *w, const struct bw_scan_file *f);
/* Ends the output, frees the writer. False: writing to `out` failed. */
bool bw_scan_writer_end(struct bw_scan_writer *w);

/* --- history ---------------------------------------------------------------------------------- */

/* `ret_count`: sightings shown. */
int bw_history_write(struct bw_store *s, const char *base, const struct bw_report_options *o,
		     size_t *ret_count, struct bw_err *err) BW_NODISCARD;

/* --- resolve ---------------------------------------------------------------------------------- */

/* One image of an index. */
struct bw_resolved_child {
	const char *platform; /* normal form; "" when nobody says */
	const char *digest;
	int64_t size; /* of its manifest, bytes */
	bool is_attestation;
};

struct bw_resolved {
	const char *written;
	const char *reference; /* normal form; NULL: not a reference */
	const char *digest;    /* NULL with an error, or offline */
	const char *media_type;
	int64_t size;	      /* of the manifest, bytes; -1: not known */
	const char *platform; /* of a single image, or that was asked for; NULL: not known */
	const struct bw_resolved_child
		*children; /* of an index; NULL for others, and where one platform was asked for */
	size_t child_count;
	const char *error; /* NULL without one */
};

bool bw_resolve_write(const struct bw_resolved *images, size_t count, const struct bw_report_options *o);

#endif
