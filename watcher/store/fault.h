/* fault.h - from SQLite's result codes to our classes and words, in one place; private to store/. */
#ifndef BW_STORE_FAULT_H
#define BW_STORE_FAULT_H

#include "store/sql.h"

/*
 * The error that `rc` (a result code of SQLite, extended or not) means for the last call on this database. The
 * message names the database and what to do. Returns its class.
 */
int bw_store_fault(struct bw_store *s, int rc, struct bw_err *err);

/* BW_E_INPUT: somebody names a base that is not there (any more). */
int bw_store_no_base(const struct bw_store *s, int64_t base_id, struct bw_err *err);
/* After a statement that adds a row for a base has failed with `rc`: is it that, then it says so. Returns the class. */
int bw_store_name_base(const struct bw_store *s, int64_t base_id, int rc, struct bw_err *err);

/* BW_E_DENIED: says what exactly may not be written, and who may. */
int bw_store_denied(const struct bw_store *s, struct bw_err *err);

#endif
