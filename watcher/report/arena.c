/* arena.c - see arena.h. */
#include "arena.h"

#include <stdalign.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define CHUNK_BYTES ((size_t)32 << 10)

struct bw_chunk {
	struct bw_chunk *older;
	size_t size;
	alignas(max_align_t) char bytes[];
};

static struct bw_chunk *chunk_new(struct bw_chunk *older, size_t size)
{
	struct bw_chunk *c = bw_alloc(sizeof(*c) + size);

	c->older = older;
	c->size = size;
	return c;
}

/* Something larger than a chunk gets one of its own size; what is left of the chunk before is given up. */
static char *take(struct bw_arena *a, size_t size)
{
	char *p;

	if (!a->newest || size > a->newest->size - a->used) {
		a->newest = chunk_new(a->newest, size > CHUNK_BYTES ? size : CHUNK_BYTES);
		a->used = 0;
	}
	p = a->newest->bytes + a->used;
	a->used += size;
	return p;
}

void *bw_arena_alloc(struct bw_arena *a, size_t size)
{
	const size_t unit = alignof(max_align_t);
	size_t skip = a->used % unit ? unit - a->used % unit : 0;
	char *p;

	if (a->newest && skip <= a->newest->size - a->used)
		a->used += skip;
	else if (a->newest)
		a->used = a->newest->size;
	p = take(a, size);
	memset(p, 0, size); /* a cleared arena hands old bytes out again */
	return p;
}

const char *bw_arena_str(struct bw_arena *a, const char *s)
{
	size_t size;

	if (!s)
		return NULL;
	size = strlen(s) + 1;
	return memcpy(take(a, size), s, size);
}

const char *bw_arena_escaped(struct bw_arena *a, const char *s)
{
	BW_AUTOFREE char *safe = NULL;

	if (!s)
		return NULL;
	safe = bw_text_escaped(s);
	return bw_arena_str(a, safe);
}

void bw_arena_clear(struct bw_arena *a)
{
	struct bw_chunk *c = a->newest, *older;

	while (c && c->older) {
		older = c->older;
		free(c);
		c = older;
	}
	a->newest = c;
	a->used = 0;
}

void bw_arena_done(struct bw_arena *a)
{
	bw_arena_clear(a);
	free(a->newest);
	*a = (struct bw_arena){0};
}
