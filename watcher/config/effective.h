/* effective.h - from values back to a tree, defaults included, by the table. */
#ifndef BW_CONFIG_EFFECTIVE_H
#define BW_CONFIG_EFFECTIVE_H

#include "config/key.h"

/* `is_masked`: user info and queries of URLs become "***"; else the tree is as good as the record, for comparing. */
struct bw_node *bw_effective(const struct bw_key_set *set, const void *record, bool is_masked);
/* One value; NULL: not set, or empty and not worth a line. */
struct bw_node *bw_effective_value(const struct bw_key *k, const void *value, bool is_masked);

#endif
