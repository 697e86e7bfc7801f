/* idmap.c - see idmap.h. */
#include "watch/idmap.h"

#include "core/mem.h"

static size_t home(const struct bw_idmap *m, int64_t id)
{
	uint64_t h = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15); /* ids are dense: spread them */

	return (size_t)(h >> 20) & (m->capacity - 1);
}

/* The cell of the id, or the empty one where it would be. */
static size_t find(const struct bw_idmap *m, int64_t id)
{
	size_t at = home(m, id);

	while (m->cells[at].value && m->cells[at].id != id)
		at = (at + 1) & (m->capacity - 1);
	return at;
}

static void grow(struct bw_idmap *m)
{
	struct bw_idmap old = *m;

	m->capacity = old.capacity ? 2 * old.capacity : 64;
	m->cells = bw_realloc(NULL, m->capacity, sizeof(*m->cells));
	for (size_t i = 0; i < m->capacity; i++)
		m->cells[i] = (struct bw_idmap_cell){0};
	for (size_t i = 0; i < old.capacity; i++)
		if (old.cells[i].value)
			m->cells[find(m, old.cells[i].id)] = old.cells[i];
	free(old.cells);
}

void bw_idmap_done(struct bw_idmap *m)
{
	free(m->cells);
	*m = (struct bw_idmap){0};
}

void *bw_idmap_get(const struct bw_idmap *m, int64_t id)
{
	return m->capacity > 0 ? m->cells[find(m, id)].value : NULL;
}

void bw_idmap_put(struct bw_idmap *m, int64_t id, void *value)
{
	size_t at;

	if (2 * (m->count + 1) > m->capacity)
		grow(m);
	at = find(m, id);
	if (!m->cells[at].value)
		m->count++;
	m->cells[at] = (struct bw_idmap_cell){id, value};
}

/* Those behind the hole move up when they stand behind their home because of it, so no marks are needed. */
void bw_idmap_remove(struct bw_idmap *m, int64_t id)
{
	size_t mask = m->capacity - 1;
	size_t hole, at;

	if (!bw_idmap_get(m, id))
		return;
	hole = find(m, id);
	for (at = (hole + 1) & mask; m->cells[at].value; at = (at + 1) & mask) {
		if (((at - home(m, m->cells[at].id)) & mask) < ((at - hole) & mask))
			continue;
		m->cells[hole] = m->cells[at];
		hole = at;
	}
	m->cells[hole] = (struct bw_idmap_cell){0};
	m->count--;
}
