/* change.h - a change of a base, and what follows from it for builds; private to store/. */
#ifndef BW_STORE_CHANGE_H
#define BW_STORE_CHANGE_H

#include "store/base.h"
#include "store/sql.h"

/* Sighting `number` of a base, that was just added, has another digest than the one before. */
struct bw_move {
	int64_t base_id;
	uint32_t number;
	int64_t at_ms;
	const char *from, *to;
	const struct bw_change *change; /* NULL: nobody judged it */
};

/* Writes the change, and for each build of the base what it stands on from now on; within a transaction. */
int bw_store_record_move(struct bw_store *s, const struct bw_move *m, struct bw_err *err) BW_NODISCARD;

/* Behind that: a rule wants to know of changes that leave builds as they were. */
int bw_store_count_move(struct bw_store *s, const struct bw_move *m, struct bw_err *err) BW_NODISCARD;

/* Within a transaction: what two digests are to each other, and what all comparisons mean for the pairs of a base. */
int bw_store_add_comparison(struct bw_store *s, int64_t base_id, const char *to,
			    const struct bw_comparison *c, struct bw_err *err) BW_NODISCARD;
int bw_store_settle_pairs(struct bw_store *s, int64_t base_id, const char *to, int64_t at_ms,
			  struct bw_err *err) BW_NODISCARD;

/* First sight is a baseline: a build that was not known to stand on anything stands on what the tag has now. */
int bw_store_start_pairs(struct bw_store *s, int64_t base_id, const char *digest,
			 struct bw_err *err) BW_NODISCARD;

#endif
