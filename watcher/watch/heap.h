/*
 * heap.h - a binary heap of nodes that live in their owners: the one with the smallest key on top, of equal keys the
 * one with the smaller tie. Everything but bw_heap_top() is O(log n).
 */
#ifndef BW_WATCH_HEAP_H
#define BW_WATCH_HEAP_H

#include <stdint.h>

#include "core/def.h"

struct bw_heap_node {
	int64_t key;
	uint64_t tie;
	void *owner;
	size_t place; /* 1, 2, ...; 0: in no heap */
};

struct bw_heap {
	struct bw_heap_node **items;
	size_t count, capacity;
};

void bw_heap_done(struct bw_heap *h);
/* Puts the node in, or moves it when it is in this heap. */
void bw_heap_put(struct bw_heap *h, struct bw_heap_node *n, int64_t key);
void bw_heap_remove(struct bw_heap *h, struct bw_heap_node *n); /* it must be in this heap */
struct bw_heap_node *bw_heap_top(const struct bw_heap *h);	/* NULL: empty */

#endif
