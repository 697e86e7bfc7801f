/* grid.c - see grid.h. */
#include "watch/grid.h"

#define DAY_MS 86400000

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

static unsigned clamp_count(unsigned x)
{
	return x < 1 ? 1 : x > 1000 ? 1000 : x;
}

/* The finalizer of splitmix64: each bit of the input moves half of the output. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* FNV-1a, with the NUL, so that "a" "bc" is not "ab" "c". */
static uint64_t hash_text(uint64_t h, const char *s)
{
	do {
		h ^= (unsigned char)*s;
		h *= UINT64_C(0x100000001b3);
	} while (*s++ != '\0');
	return h;
}

static void bound_options(struct bw_schedule_options *o)
{
	o->every_ms = clamp(o->every_ms, 1000, INT64_C(366) * DAY_MS);
	o->jitter_percent = o->jitter_percent > 50 ? 50 : o->jitter_percent;
	o->distance_ms = o->distance_ms > 60000 ? 60000 : o->distance_ms;
	o->retry_ms = clamp(o->retry_ms, 1000, DAY_MS);
	o->backoff_ms = clamp(o->backoff_ms, 0, INT64_C(30) * DAY_MS);
	if (o->backoff_ms < o->every_ms)
		o->backoff_ms = o->every_ms;
	o->in_flight = clamp_count(o->in_flight);
	o->guard = clamp_count(o->guard);
}

/*
 * The jitter is shortened by two windows: one for the rounding to ticks, one so that a base that was asked a little
 * before its slot (the clocks run apart) still reaches the next one. Without jitter the reach has that one on top.
 */
void bw_grid_init(struct bw_grid *g, const struct bw_schedule_options *o, const char *uuid)
{
	int64_t jitter;

	g->o = *o;
	bound_options(&g->o);
	g->seed = mix(hash_text(UINT64_C(0xcbf29ce484222325), uuid));
	g->window = clamp(g->o.every_ms / 64, 1, 60000);
	jitter = g->o.every_ms * (int64_t)g->o.jitter_percent / 100;
	g->spread = jitter > 2 * g->window ? jitter - 2 * g->window : 0;
	g->reach = g->o.every_ms + (jitter > g->window ? jitter : g->window);
}

uint64_t bw_grid_hash(const struct bw_grid *g, const char *registry, const char *repository, const char *tag)
{
	return mix(hash_text(hash_text(hash_text(g->seed, registry), repository), tag));
}

/* Slots rise with their number: the jitter moves them by less than half an interval. */
static int64_t slot(const struct bw_grid *g, uint64_t hash, int64_t number)
{
	int64_t offset = (int64_t)(g->seed % (uint64_t)g->window);
	int64_t place = (int64_t)(hash % (uint64_t)g->o.every_ms);

	if (g->spread > 0)
		place += (int64_t)(mix(hash ^ mix((uint64_t)number)) % (uint64_t)(g->spread + 1));
	return number * g->o.every_ms + offset + place / g->window * g->window;
}

/* The last slot within reach of `t`; where that is too near, half an interval behind it. */
static int64_t due_after(const struct bw_grid *g, uint64_t hash, int64_t t)
{
	int64_t bound = t + g->reach;
	int64_t half = g->o.every_ms / 2 / g->window * g->window;
	int64_t number = bound / g->o.every_ms;
	int64_t at = slot(g, hash, number);

	while (at > bound)
		at = slot(g, hash, --number);
	return at - t < g->o.every_ms / 2 ? at + half : at;
}

/* 1, 4, 16, ... times the first one. The jitter keeps those apart that failed together. */
static int64_t quick_retry(const struct bw_grid *g, const struct bw_grid_state *x)
{
	int64_t delay = g->o.retry_ms;
	int64_t jitter;

	for (uint32_t i = 1; i < x->failures && delay < g->o.every_ms; i++)
		delay *= 4;
	jitter = delay * (int64_t)g->o.jitter_percent / 100;
	return x->last + delay + (int64_t)(mix(x->hash + x->failures) % (uint64_t)(jitter + 1));
}

/* A trouble that a person has to end: 1, 2, 4, ... intervals, up to the cap. */
static int64_t slow_retry(const struct bw_grid *g, const struct bw_grid_state *x)
{
	int64_t intervals = 1;

	for (uint32_t i = 1; i < x->failures && 2 * intervals * g->o.every_ms <= g->o.backoff_ms; i++)
		intervals *= 2;
	return due_after(g, x->hash, x->last + (intervals - 1) * g->o.every_ms);
}

static int64_t after_trouble(const struct bw_grid *g, const struct bw_grid_state *x)
{
	int64_t regular, quick;

	if (!bw_trouble_is_passing(x->trouble))
		return slow_retry(g, x);
	regular = due_after(g, x->hash, x->last);
	if (x->is_slow)
		return regular;
	quick = quick_retry(g, x);
	return quick < regular ? quick : regular;
}

int64_t bw_grid_due(const struct bw_grid *g, const struct bw_grid_state *state)
{
	struct bw_grid_state x = *state;
	int64_t due, not_before;

	x.last = clamp(x.last, 0, BW_GRID_MAX_TIME);
	if (x.failures == 0 || x.trouble == BW_TROUBLE_NONE)
		return due_after(g, x.hash, x.last);
	due = after_trouble(g, &x);
	if (x.trouble != BW_TROUBLE_THROTTLED)
		return due;
	not_before = x.last + clamp(x.retry_after_s, 0, BW_GRID_MAX_RETRY_AFTER_S) * 1000;
	return due > not_before ? due : not_before;
}
