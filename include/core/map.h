/* map.h - string to pointer. The door to uthash: nothing else includes it. Keys are copied, values are not
 * owned. */
#ifndef BW_CORE_MAP_H
#define BW_CORE_MAP_H

#include "core/def.h"

struct bw_map;

struct bw_map *bw_map_new(void);
void bw_map_free(struct bw_map *m, void (*free_value)(void *)); /* free_value may be NULL; m may be NULL */

void *bw_map_get(const struct bw_map *m, const char *key); /* NULL: not there */
void *bw_map_put(struct bw_map *m, const char *key,
		 void *value);				/* returns the value that was there, or NULL */
void *bw_map_remove(struct bw_map *m, const char *key); /* returns the value that was there, or NULL */
size_t bw_map_count(const struct bw_map *m);
/* Calls `fn` for each pair in the order of insertion; fn must not change the map. */
void bw_map_each(const struct bw_map *m, void (*fn)(const char *key, void *value, void *arg), void *arg);

#endif
