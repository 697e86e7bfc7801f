/* idmap.h - from row ids to pointers: open addressing, for 100,000 bases in 2 MiB. Values are never NULL. */
#ifndef BW_WATCH_IDMAP_H
#define BW_WATCH_IDMAP_H

#include <stdint.h>

#include "core/def.h"

struct bw_idmap {
	struct bw_idmap_cell {
		int64_t id;
		void *value; /* NULL: empty */
	} * cells;
	size_t capacity; /* a power of two, at most half full; 0: nothing was put yet */
	size_t count;
};

void bw_idmap_done(struct bw_idmap *m);
void *bw_idmap_get(const struct bw_idmap *m, int64_t id); /* NULL: not there */
void bw_idmap_put(struct bw_idmap *m, int64_t id, void *value);
void bw_idmap_remove(struct bw_idmap *m, int64_t id);

#endif
