/*
 * arena.h - strings and small objects that are freed all at once: what a report keeps of the rows, whose own
 * strings die with the callback. Addresses stay valid until the arena is cleared.
 */
#ifndef BW_REPORT_ARENA_H
#define BW_REPORT_ARENA_H

#include <stddef.h>

struct bw_chunk;

struct bw_arena {
	struct bw_chunk *newest;
	size_t used; /* bytes of the newest chunk */
};

void *bw_arena_alloc(struct bw_arena *a, size_t size);	     /* zeroed, aligned for any object */
const char *bw_arena_str(struct bw_arena *a, const char *s); /* a copy; NULL stays NULL */
const char *bw_arena_escaped(struct bw_arena *a,
			     const char *s); /* a copy, safe for a terminal; NULL stays NULL */
void bw_arena_clear(struct bw_arena *a);     /* empty; keeps one chunk for the next round */
void bw_arena_done(struct bw_arena *a);

#endif
