/* list.h - how lists over the chosen builds are made; private to store/. */
#ifndef BW_STORE_LIST_H
#define BW_STORE_LIST_H

#include <stdbool.h>

#include "store/base.h"
#include "store/sql.h"

/*
 * Do the chosen builds have so many uses that a list is made base by base in the order of the index, which takes no
 * memory however long it gets? For few uses that would walk through all the other builds' bases: they are sorted.
 */
int bw_store_is_wide(struct bw_store *s, bool *ret, struct bw_err *err) BW_NODISCARD;

/* Lists of bases begin with the same columns (statement.c, WANTED_COLUMNS); the first that is their own: */
#define BW_BASE_COLUMNS 9
/* All of a base but `is_foreign`. */
void bw_store_read_base_columns(sqlite3_stmt *q, struct bw_base *ret);

/* Do only git repositories name it, of the chosen builds? Asked once for all rows of a base, which follow each other. */
struct bw_foreign {
	int64_t base_id; /* 0: none was asked for yet */
	bool is_foreign;
};
int bw_store_ask_foreign(struct bw_store *s, struct bw_foreign *f, int64_t now_ms, struct bw_base *ret,
			 struct bw_err *err) BW_NODISCARD;

#endif
