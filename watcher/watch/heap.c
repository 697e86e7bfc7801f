/* heap.c - see heap.h. */
#include "watch/heap.h"

#include <assert.h>
#include <stdbool.h>

#include "core/mem.h"

static bool is_before(const struct bw_heap_node *a, const struct bw_heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void set(struct bw_heap *h, size_t at, struct bw_heap_node *n)
{
	h->items[at] = n;
	n->place = at + 1;
}

static size_t rise(struct bw_heap *h, size_t at)
{
	struct bw_heap_node *n = h->items[at];

	while (at > 0 && is_before(n, h->items[(at - 1) / 2])) {
		set(h, at, h->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	set(h, at, n);
	return at;
}

static void sink(struct bw_heap *h, size_t at)
{
	struct bw_heap_node *n = h->items[at];

	for (size_t child = 2 * at + 1; child < h->count; child = 2 * at + 1) {
		if (child + 1 < h->count && is_before(h->items[child + 1], h->items[child]))
			child++;
		if (!is_before(h->items[child], n))
			break;
		set(h, at, h->items[child]);
		at = child;
	}
	set(h, at, n);
}

void bw_heap_done(struct bw_heap *h)
{
	free(h->items);
	*h = (struct bw_heap){0};
}

void bw_heap_put(struct bw_heap *h, struct bw_heap_node *n, int64_t key)
{
	n->key = key;
	if (n->place == 0) {
		BW_PUSH(h->items, h->count, h->capacity) = n;
		n->place = h->count;
	}
	assert(h->items[n->place - 1] == n);
	sink(h, rise(h, n->place - 1));
}

void bw_heap_remove(struct bw_heap *h, struct bw_heap_node *n)
{
	size_t at = n->place - 1;
	struct bw_heap_node *last = h->items[h->count - 1];

	assert(h->items[at] == n);
	h->count--;
	n->place = 0;
	if (last != n) {
		set(h, at, last);
		sink(h, rise(h, at));
	}
}

struct bw_heap_node *bw_heap_top(const struct bw_heap *h)
{
	return h->count > 0 ? h->items[0] : NULL;
}
