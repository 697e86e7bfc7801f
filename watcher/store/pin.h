/* pin.h - is a pinned digest what the tag has, by the bodies in the database? Private to store/. */
#ifndef BW_STORE_PIN_H
#define BW_STORE_PIN_H

#include "image/successor.h"
#include "store/sql.h"

/* A pinned use, as the rows have it. */
struct bw_pin_use {
	int64_t base_id;
	const char *pinned;	/* NULL: no pin */
	const char *platform;	/* NULL: it names none */
	const char *digest;	/* that the tag has; NULL: never seen */
	const char *media_type; /* of that; NULL: not known */
};

/* What was read for one base; uses come base by base, so its index is read once for all of them. Starts zeroed. */
struct bw_shelf {
	int64_t base_id;
	struct bw_bodies *bodies;
};

void bw_shelf_done(struct bw_shelf *shelf);

/* Within a view or a transaction. `ret_lacks` (may be NULL): something is not there that may be had from the registry. */
int bw_store_decide_pin(struct bw_store *s, struct bw_shelf *shelf, const struct bw_pin_use *u,
			struct bw_pinned *ret, bool *ret_lacks, struct bw_err *err) BW_NODISCARD;

/* Where should a pin that the tag does not have move? Unset: the database does not know. */
int bw_store_find_successor(struct bw_store *s, struct bw_shelf *shelf, const struct bw_pin_use *u,
			    struct bw_digest *ret, struct bw_err *err) BW_NODISCARD;

#endif
