/* known.c - see known.h. */
#include "daemon/known.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void bw_known_done(struct bw_known *k)
{
	for (size_t i = 0; i < k->count; i++)
		free(k->subjects[i].key);
	free(k->subjects);
	*k = (struct bw_known){0};
}

/* Where the id is, or would be. */
static size_t place_of(const struct bw_known *k, int64_t id)
{
	size_t low = 0, high = k->count;

	if (k->count > 0 && k->subjects[k->count - 1].id < id)
		return k->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->subjects[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct bw_known_subject *bw_known_get(struct bw_known *k, int64_t id)
{
	size_t at = place_of(k, id);

	if (at < k->count && k->subjects[at].id == id)
		return &k->subjects[at];
	BW_PUSH(k->subjects, k->count, k->capacity) = (struct bw_known_subject){0};
	memmove(&k->subjects[at + 1], &k->subjects[at], (k->count - 1 - at) * sizeof(k->subjects[0]));
	k->subjects[at] = (struct bw_known_subject){.id = id};
	return &k->subjects[at];
}

struct bw_known_subject *bw_known_from(const struct bw_known *k, int64_t id)
{
	size_t at = place_of(k, id);

	return at < k->count ? &k->subjects[at] : NULL;
}

void bw_known_remove(struct bw_known *k, int64_t id)
{
	size_t at = place_of(k, id);

	if (at == k->count || k->subjects[at].id != id)
		return;
	free(k->subjects[at].key);
	k->count--;
	memmove(&k->subjects[at], &k->subjects[at + 1], (k->count - at) * sizeof(k->subjects[0]));
}

void bw_known_doubt(struct bw_known *k)
{
	for (size_t i = 0; i < k->count; i++)
		k->subjects[i].told = BW_KNOWN_NOTHING;
}

uint64_t bw_known_hash(uint64_t seed, const void *bytes, size_t len)
{
	uint64_t h = seed ? seed : UINT64_C(0xcbf29ce484222325);
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h > BW_KNOWN_CLEARED ? h : h + 2;
}
