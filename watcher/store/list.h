/* list.h - how lists over the chosen builds are made; private to store/. */
#ifndef BW_STORE_LIST_H
#define BW_STORE_LIST_H

#include <stdbool.h>

#include "store/sql.h"

/*
 * Do the chosen builds have so many uses that a list is made base by base in the order of the index, which takes no
 * memory however long it gets? For few uses that would walk through all the other builds' bases: they are sorted.
 */
int bw_store_is_wide(struct bw_store *s, bool *ret, struct bw_err *err) BW_NODISCARD;

#endif
