#include "daemon/agenda.h"

#include <string.h>

#include "core/mem.h"

/* Of the time, at the most, is spent on walking through a folder that changes all the time: one part in so many. */
#define REST 4U

void bw_agenda_begin(struct bw_agenda *a, uint64_t now_ms)
{
	a->is_busy = true;
	a->is_again = false;
	a->ended_ms = now_ms; /* of what lies before it */
}

void bw_agenda_end(struct bw_agenda *a, uint64_t now_ms, int64_t every_ms, int64_t jitter_percent,
		   uint32_t random)
{
	uint64_t every = every_ms > 0 ? (uint64_t)every_ms : 1;
	uint64_t span = every / 100 * (uint64_t)(jitter_percent > 0 ? jitter_percent : 0);

	a->is_busy = false;
	a->took_ms = now_ms - a->ended_ms;
	a->ended_ms = now_ms;
	a->next_ms = now_ms + every - span + (span > 0 ? random % (2 * span + 1) : 0);
	if (a->is_again)
		bw_agenda_hurry(a, now_ms);
}

void bw_agenda_hurry(struct bw_agenda *a, uint64_t now_ms)
{
	uint64_t rested = a->ended_ms + REST * a->took_ms;

	if (a->is_busy) {
		a->is_again = true;
		return;
	}
	if (rested < now_ms)
		rested = now_ms;
	if (rested < a->next_ms)
		a->next_ms = rested;
}

void bw_agenda_limit(struct bw_agenda *a, uint64_t now_ms, int64_t every_ms)
{
	uint64_t latest = now_ms + (every_ms > 0 ? (uint64_t)every_ms : 1);

	if (a->next_ms > latest)
		a->next_ms = latest;
}

/* --- another configuration ------------------------------------------------------------------------- */

typedef bool (*alike_fn)(const struct bw_origin *a, const struct bw_origin *b);

static bool is_same(const struct bw_origin *a, const struct bw_origin *b)
{
	return strcmp(a->print, b->print) == 0 && strcmp(a->place, b->place) == 0;
}

static bool is_in_place(const struct bw_origin *a, const struct bw_origin *b)
{
	return strcmp(a->place, b->place) == 0;
}

static size_t find(const struct bw_origin *const *old, size_t count, const bool *is_taken,
		   const struct bw_origin *o, alike_fn is_alike)
{
	for (size_t i = 0; i < count; i++)
		if (!is_taken[i] && is_alike(old[i], o))
			return i;
	return BW_AGENDA_NONE;
}

void bw_agenda_match(const struct bw_origin *const *old, size_t count, const struct bw_origins *now,
		     struct bw_agenda_match *ret)
{
	BW_AUTOFREE bool *is_taken = bw_alloc(count + 1);

	for (size_t i = 0; i < now->count; i++) {
		ret[i].old = find(old, count, is_taken, &now->items[i], is_same);
		ret[i].is_same = ret[i].old != BW_AGENDA_NONE;
		if (ret[i].is_same)
			is_taken[ret[i].old] = true;
	}
	for (size_t i = 0; i < now->count; i++) {
		if (ret[i].is_same)
			continue;
		ret[i].old = find(old, count, is_taken, &now->items[i], is_in_place);
		if (ret[i].old != BW_AGENDA_NONE)
			is_taken[ret[i].old] = true;
	}
}
