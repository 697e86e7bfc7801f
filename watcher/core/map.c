/* map.c - see map.h. The only file that includes uthash. */
#include "core/map.h"

#include <stdint.h>
#include <string.h>

#include "core/mem.h"

/* bw_alloc() ends the process itself, so uthash never sees a failure; should it see one, that is our bug. */
#define uthash_malloc(size)   bw_alloc(size)
#define uthash_free(p, size)  free(p)
#define uthash_fatal(message) abort()
#define HASH_NONFATAL_OOM     0

#include <uthash.h>

/* The hash macros expand to code that clang takes for missing fall-through marks (the marks are comments). */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wimplicit-fallthrough"
#endif

struct entry {
	UT_hash_handle hh;
	void *value;
	char key[]; /* NUL-terminated copy */
};

struct bw_map {
	struct entry *head; /* uthash keeps the entries in a list in the order of insertion */
};

struct bw_map *bw_map_new(void)
{
	return BW_NEW(struct bw_map);
}

void bw_map_free(struct bw_map *m, void (*free_value)(void *))
{
	struct entry *e, *next;

	if (!m)
		return;
	e = m->head;
	HASH_CLEAR(hh, m->head); /* drops the table only; the list of entries stays readable */
	for (; e; e = next) {
		next = e->hh.next;
		if (free_value)
			free_value(e->value);
		free(e);
	}
	free(m);
}

static struct entry *find(const struct bw_map *m, const char *key)
{
	struct entry *e;

	HASH_FIND_STR(m->head, key, e);
	return e;
}

void *bw_map_get(const struct bw_map *m, const char *key)
{
	const struct entry *e = find(m, key);

	return e ? e->value : NULL;
}

void *bw_map_put(struct bw_map *m, const char *key, void *value)
{
	struct entry *e = find(m, key);
	size_t len = strlen(key);
	void *before;

	if (e) {
		before = e->value;
		e->value = value;
		return before;
	}
	e = bw_alloc(sizeof(*e) + len + 1);
	e->value = value;
	memcpy(e->key, key, len + 1);
	HASH_ADD_KEYPTR(hh, m->head, e->key, len, e);
	return NULL;
}

void *bw_map_remove(struct bw_map *m, const char *key)
{
	struct entry *e = find(m, key);
	void *value;

	if (!e)
		return NULL;
	value = e->value;
	HASH_DEL(m->head, e);
	free(e);
	return value;
}

size_t bw_map_count(const struct bw_map *m)
{
	return HASH_COUNT(m->head);
}

void bw_map_each(const struct bw_map *m, void (*fn)(const char *key, void *value, void *arg), void *arg)
{
	for (const struct entry *e = m->head; e; e = e->hh.next)
		fn(e->key, e->value, arg);
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif
