/* manifest.h - is a pinned digest part of what the tag has? Private to store/. */
#ifndef BW_STORE_MANIFEST_H
#define BW_STORE_MANIFEST_H

#include "store/row.h"
#include "store/sql.h"

struct bw_pin_question {
	const char *pinned;	/* NULL: no pin */
	const char *platform;	/* of the use, as text; NULL: any image of the index will do */
	const char *digest;	/* that the tag has; NULL: never seen */
	const char *media_type; /* of that; NULL: not known */
};

int bw_store_decide_pin(struct bw_store *s, const struct bw_pin_question *p, enum bw_pin *ret,
			struct bw_err *err) BW_NODISCARD;

#endif
