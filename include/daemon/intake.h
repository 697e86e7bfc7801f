/*
 * intake.h - build files that were read, into the store: a batch of them at a time, so that a first scan is a few
 * transactions, and the memory is that of one batch.
 */
#ifndef BW_DAEMON_INTAKE_H
#define BW_DAEMON_INTAKE_H

#include "daemon/recipe.h"
#include "store/store.h"

#define BW_INTAKE_BATCH 64

/* Ids of builds; zeroed is empty. */
struct bw_ids {
	int64_t *items;
	size_t count, capacity;
};

struct bw_intake;

/* `ids` (may be NULL) receives the ids of what is written. */
struct bw_intake *bw_intake_new(struct bw_store *s, struct bw_ids *ids);
void bw_intake_free(struct bw_intake *in); /* what was not written is dropped; NULL is fine */

/*
 * Takes over the contents of the file, copies the rest. Every BW_INTAKE_BATCHth writes them all, and so does
 * bw_intake_write(). They are chosen then (store/build.h). After a failure the batch is gone.
 */
int bw_intake_add(struct bw_intake *in, struct bw_found_build *x, struct bw_err *err) BW_NODISCARD;
int bw_intake_write(struct bw_intake *in, struct bw_err *err) BW_NODISCARD;

/*
 * A folder was read to its end, and all that was found is chosen: the builds of files that are not there any more end.
 * A file that is excluded today, or cannot be read, is there. As for bw_store_end_missing().
 */
int bw_intake_end_folder(struct bw_store *s, const char *source, const char *location,
			 struct bw_err *err) BW_NODISCARD;

/*
 * All is written, and nothing is chosen of these files but what is meant: of those that have recipes of their own, the
 * plain build and others that were made before end.
 */
int bw_intake_end_replaced(const struct bw_intake *in, struct bw_err *err) BW_NODISCARD;

#endif
