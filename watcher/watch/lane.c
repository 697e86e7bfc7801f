/* lane.c - see lane.h. */
#include "watch/lane.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/mem.h"

#define HOUR_MS	    INT64_C(3600000)
#define HOUR_NS	    (HOUR_MS * 1000000)
#define STOP_MS	    (HOUR_MS / 2)
#define PACE_MS	    1000 /* whatever is overdue: at least one base a second */
#define CATCH_UP    4	 /* what is overdue is asked within a quarter of the interval */
#define DOWN_AFTER  8
#define THROTTLE_MS 60000 /* a 429 without Retry-After; doubled at each in a row, up to an hour */
#define GUARD_FLOOR 60	  /* so that a registry with one base can be nudged and retried */

struct bw_lane *bw_lane_new(const char *registry)
{
	struct bw_lane *l = BW_NEW(struct bw_lane);

	l->registry = bw_strdup(registry);
	l->node.owner = l;
	return l;
}

void bw_lane_free(struct bw_lane *l)
{
	if (!l)
		return;
	bw_heap_done(&l->urgent);
	bw_heap_done(&l->regular);
	bw_heap_done(&l->flying);
	free(l->registry);
	free(l);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t distance(const struct bw_lane *l, const struct bw_grid *g)
{
	return l->has_distance ? l->distance_ms : g->o.distance_ms;
}

static int64_t pace(const struct bw_lane *l, const struct bw_grid *g)
{
	int64_t p = l->count > 0 ? g->o.every_ms / CATCH_UP / (int64_t)l->count : PACE_MS;

	return later(p < PACE_MS ? p : PACE_MS, distance(l, g));
}

static int64_t ready_any(const struct bw_lane *l)
{
	return later(later(l->next_any, l->held_until), bw_ration_ready(&l->ration));
}

static int64_t ready_urgent(const struct bw_lane *l)
{
	const struct bw_heap_node *n = bw_heap_top(&l->urgent);

	return n ? later(n->key, ready_any(l)) : INT64_MAX;
}

static int64_t ready_regular(const struct bw_lane *l)
{
	const struct bw_heap_node *n = bw_heap_top(&l->regular);

	return n ? later(later(n->key, l->next_regular), ready_any(l)) : INT64_MAX;
}

/*
 * What a registry grants comes with its first answer, so that is waited for; and where questions are spread, what the last
 * one left is waited for too.
 */
static bool is_full(const struct bw_lane *l, const struct bw_grid *g)
{
	bool is_single = !l->has_answered || l->ration.distance > 0;

	return l->flying.count >= (is_single ? 1 : g->o.in_flight);
}

int64_t bw_lane_ready(const struct bw_lane *l, const struct bw_grid *g)
{
	const struct bw_heap_node *lost = bw_heap_top(&l->flying);
	int64_t at = INT64_MAX;

	if (!is_full(l, g)) {
		at = ready_regular(l);
		if (ready_urgent(l) < at)
			at = ready_urgent(l);
	}
	return lost && lost->key < at ? lost->key : at;
}

int64_t bw_lane_key(bool is_nudged, int64_t now)
{
	return is_nudged ? now - BW_GRID_MAX_TIME : now; /* those are negative */
}

/*
 * Where questions are scarce it takes days until all are asked for the first time. Those that were asked already must not
 * get half of them meanwhile, over and over.
 */
static bool is_turn_of_urgent(const struct bw_lane *l)
{
	const struct bw_heap_node *n = bw_heap_top(&l->urgent);
	bool is_first_sight = n && n->key >= 0;

	return l->urgent_in_row < (l->ration.distance > 0 && is_first_sight ? BW_LANE_SCARCE_TURNS : 1);
}

struct bw_heap_node *bw_lane_choose(const struct bw_lane *l, const struct bw_grid *g, int64_t now)
{
	bool has_urgent = ready_urgent(l) <= now;
	bool has_regular = ready_regular(l) <= now;

	if (is_full(l, g))
		return NULL;
	if (has_urgent && !(has_regular && !is_turn_of_urgent(l)))
		return bw_heap_top(&l->urgent);
	return has_regular ? bw_heap_top(&l->regular) : NULL;
}

void bw_lane_note_ask(struct bw_lane *l, const struct bw_grid *g, bool is_urgent, int64_t now)
{
	l->urgent_in_row = is_urgent ? l->urgent_in_row + 1 : 0;
	l->next_any = now + distance(l, g);
	if (!is_urgent)
		l->next_regular = now + pace(l, g);
	if (!bw_ration_note_ask(&l->ration, now))
		l->has_answered = false;
}

void bw_lane_note_reload(struct bw_lane *l, const struct bw_grid *g, int64_t now)
{
	if (l->next_regular > now + pace(l, g))
		l->next_regular = now + pace(l, g);
}

void bw_lane_hold(struct bw_lane *l, int64_t until)
{
	if (until > l->held_until)
		l->is_stopped = false;
	l->held_until = later(l->held_until, until);
}

void bw_lane_note_refusal(struct bw_lane *l, int64_t until)
{
	bw_ration_hold(&l->ration, until);
}

/* Has it said anything at all? */
static bool is_heard(enum bw_trouble t)
{
	return t != BW_TROUBLE_TIMEOUT && t != BW_TROUBLE_DNS && t != BW_TROUBLE_TLS &&
	       t != BW_TROUBLE_CONNECTION && t != BW_TROUBLE_REFUSED;
}

static int64_t throttle_ms(const struct bw_lane *l, uint32_t retry_after_s)
{
	unsigned doublings = l->throttled_in_row < 6 ? l->throttled_in_row : 6;
	int64_t ms;

	if (retry_after_s > BW_GRID_MAX_RETRY_AFTER_S)
		retry_after_s = BW_GRID_MAX_RETRY_AFTER_S;
	if (retry_after_s > 0)
		return (int64_t)retry_after_s * 1000;
	ms = THROTTLE_MS * (INT64_C(1) << doublings);
	return ms < HOUR_MS ? ms : HOUR_MS;
}

/* A 429 is meant for the address that asks, and not for the base: nothing of this registry is asked until then. */
void bw_lane_note_answer(struct bw_lane *l, enum bw_trouble t, uint32_t retry_after_s, int64_t now)
{
	l->has_answered |= is_heard(t);
	if (t == BW_TROUBLE_THROTTLED) {
		/* Answers that were on their way when the hold began are not one more refusal. */
		if (now >= l->held_until || retry_after_s > 0)
			bw_lane_hold(l, now + throttle_ms(l, retry_after_s));
		l->throttled_in_row += l->throttled_in_row < UINT32_MAX;
	} else {
		l->throttled_in_row = 0;
	}
	if (!bw_trouble_is_passing(t))
		l->failed_in_row = 0;
	else if (l->failed_in_row < DOWN_AFTER)
		l->failed_in_row++;
}

bool bw_lane_is_down(const struct bw_lane *l)
{
	return l->failed_in_row >= DOWN_AFTER;
}

static int64_t allowance(const struct bw_lane *l, const struct bw_grid *g)
{
	int64_t bases = (int64_t)l->count;

	if (g->o.every_ms < HOUR_MS)
		bases = bases * HOUR_MS / g->o.every_ms;
	return bases * g->o.guard + GUARD_FLOOR;
}

static int64_t debt(const struct bw_lane *l, int64_t now)
{
	int64_t elapsed = now - l->debt_at;
	int64_t forgotten = elapsed < HOUR_MS ? elapsed * 1000000 : HOUR_NS;

	return later(0, l->debt_ns - forgotten);
}

bool bw_lane_allow_extra(struct bw_lane *l, const struct bw_grid *g, int64_t now,
			 char reason[BW_LANE_REASON_MAX])
{
	int64_t owed = debt(l, now) + HOUR_NS / allowance(l, g);

	if (owed <= HOUR_NS) {
		l->debt_ns = owed;
		l->debt_at = now;
		return true;
	}
	bw_lane_hold(l, now + STOP_MS);
	l->is_stopped = true;
	(void)snprintf(
		reason, BW_LANE_REASON_MAX,
		"%.*s: more than %" PRId64 " requests beyond the schedule within an hour, for %zu bases: "
		"it is not asked for %d minutes; the schedule never does that by itself, please report it",
		BW_LANE_NAME_MAX, l->registry, allowance(l, g), l->count, (int)(STOP_MS / 60000));
	return false;
}

bool bw_lane_is_idle(const struct bw_lane *l, int64_t now)
{
	return l->count == 0 && !l->has_distance && l->held_until <= now && l->next_any <= now &&
	       l->ration.until <= now && debt(l, now) == 0;
}
