#include "daemon/ids.h"

#include <stdlib.h>

#include "core/mem.h"

void bw_ids_done(struct bw_ids *ids)
{
	free(ids->items);
	*ids = (struct bw_ids){0};
}

void bw_ids_add(struct bw_ids *to, int64_t id)
{
	BW_PUSH(to->items, to->count, to->capacity) = id;
}

void bw_ids_add_all(struct bw_ids *to, const struct bw_ids *from)
{
	for (size_t i = 0; i < from->count; i++)
		bw_ids_add(to, from->items[i]);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void bw_ids_sort(struct bw_ids *ids)
{
	size_t kept = 0;

	if (ids->count > 1)
		qsort(ids->items, ids->count, sizeof(*ids->items), compare);
	for (size_t i = 0; i < ids->count; i++)
		if (kept == 0 || ids->items[i] != ids->items[kept - 1])
			ids->items[kept++] = ids->items[i];
	ids->count = kept;
}

/* How many were in both. */
static size_t remove_common(struct bw_ids *ids, struct bw_ids *others)
{
	size_t kept = 0, k = 0, common = 0;

	bw_ids_sort(ids);
	bw_ids_sort(others);
	for (size_t i = 0; i < ids->count; i++) {
		while (k < others->count && others->items[k] < ids->items[i])
			k++;
		if (k < others->count && others->items[k] == ids->items[i])
			common++;
		else
			ids->items[kept++] = ids->items[i];
	}
	ids->count = kept;
	return common;
}

bool bw_ids_subtract(struct bw_ids *ids, struct bw_ids *others)
{
	size_t common = remove_common(ids, others);

	return ids->count > 0 || common < others->count;
}

bool bw_ids_lose(struct bw_ids *ids, struct bw_ids *others)
{
	return remove_common(ids, others) > 0;
}
