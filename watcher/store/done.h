/* done.h - a build was rebuilt, as far as an event asked for it; private to store/. */
#ifndef BW_STORE_DONE_H
#define BW_STORE_DONE_H

#include "store/build.h"
#include "store/sql.h"

/*
 * Within a transaction: what the event asked for is done, by this evidence. Nothing for an event that asks for nothing.
 * `ret` may be NULL.
 */
int bw_store_close_event(struct bw_store *s, int64_t number, const char *evidence, int64_t now_ms,
			 struct bw_done_counts *ret, struct bw_err *err) BW_NODISCARD;

#endif
