/* ration.c - see ration.h. */
#include "ration.h"

#define HOUR_MS	    INT64_C(3600000)
#define MAX_MS	    (7 * 24 * HOUR_MS) /* whatever a registry says: its bases are asked at all */
#define NO_WINDOW_S 3600	       /* where it does not say for how long it grants */

static int64_t bound(uint64_t ms)
{
	return ms < (uint64_t)MAX_MS ? (int64_t)ms : MAX_MS;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What was asked so far still counts: a new distance holds from the last pair on. */
void bw_ration_set(struct bw_ration *r, const struct bw_budget_plan *p, int64_t now)
{
	uint64_t window_s = p->window_s > 0 ? p->window_s : NO_WINDOW_S;

	r->distance = p->is_known ? bound(p->distance_ms) : 0;
	r->hold = p->is_known && p->hold_ms > 0 ? now + bound(p->hold_ms) : 0;
	r->until = p->is_known ? later(now + bound(window_s * 1000), r->hold) : 0;
}

void bw_ration_hold(struct bw_ration *r, int64_t until)
{
	r->hold = later(r->hold, until);
	r->until = later(r->until, r->hold);
}

/*
 * An eighth more or less, by chance. Else pairs would come at the same places of each window, and in one that slides every
 * second question would go when the one of a window ago is granted anew, and seem to cost nothing.
 */
static int64_t pair_distance(const struct bw_ration *r)
{
	uint64_t x = (uint64_t)r->pair_at * UINT64_C(0x9e3779b97f4a7c15);

	return r->distance * 7 / 4 + (int64_t)((x >> 32) % (uint64_t)(r->distance / 2 + 1));
}

int64_t bw_ration_ready(const struct bw_ration *r)
{
	int64_t next = r->distance > 0 && !r->is_half ? r->pair_at + pair_distance(r) : 0;
	int64_t at = later(next, r->hold);

	return at < r->until ? at : r->until;
}

/* A second question that comes late is the first of the next pair. */
bool bw_ration_note_ask(struct bw_ration *r, int64_t now)
{
	bool has_lapsed = r->until > 0 && now >= r->until;

	if (has_lapsed)
		r->until = r->distance = r->hold = 0;
	if (r->is_half && now - r->pair_at < r->distance) {
		r->is_half = false;
	} else {
		r->is_half = true;
		r->pair_at = now;
	}
	return !has_lapsed;
}

void bw_ration_note_past(struct bw_ration *r, int64_t at)
{
	if (at <= r->pair_at)
		return;
	r->pair_at = at;
	r->is_half = false;
}
