/* manifest.h - bodies in the database; private to store/. */
#ifndef BW_STORE_MANIFEST_H
#define BW_STORE_MANIFEST_H

#include "image/bodies.h"
#include "store/sql.h"

/* The word for it in the database; the reverse is UNKNOWN for all others. */
const char *bw_store_kind_name(enum bw_manifest_kind kind);
enum bw_manifest_kind bw_store_kind_parse(const char *name);

/* bw_store_meet_needs() for those who hold a view or a transaction. */
int bw_store_load_needs(struct bw_store *s, int64_t base_id, struct bw_bodies *b, size_t *ret_met,
			struct bw_err *err) BW_NODISCARD;

#endif
