/* standings.c - see standings.h. */
#include "standings.h"

#include <stdlib.h>

#include "core/map.h"
#include "core/mem.h"

#define LEAST_MS 1000 /* pauses that differ by less are the same */

struct known {
	char *registry;
	struct bw_budget_plan plan; /* of the last answer to this process, or what an earlier one knew */
	int64_t seen_ms;
	struct bw_standing written; /* what the store has; its name is not set */
	bool is_touched;	    /* an answer came since the last look */
};

struct bw_standings {
	struct bw_store *store;
	struct bw_schedule *schedule;
	struct bw_map *known; /* by registry */
	bool is_loaded;
};

struct bw_standings *bw_standings_new(struct bw_store *s, struct bw_schedule *schedule)
{
	struct bw_standings *x = BW_NEW(struct bw_standings);

	x->store = s;
	x->schedule = schedule;
	x->known = bw_map_new();
	return x;
}

static void free_known(void *value)
{
	struct known *k = value;

	free(k->registry);
	free(k);
}

void bw_standings_free(struct bw_standings *x)
{
	if (!x)
		return;
	bw_map_free(x->known, free_known);
	free(x);
}

static struct known *get(struct bw_standings *x, const char *registry)
{
	struct known *k = bw_map_get(x->known, registry);

	if (!k) {
		k = BW_NEW(struct known);
		k->registry = bw_strdup(registry);
		(void)bw_map_put(x->known, registry, k);
	}
	return k;
}

/* --- what was known before ------------------------------------------------------------------------ */

static uint64_t ms_until(int64_t then, int64_t now)
{
	return then > now ? (uint64_t)(then - now) : 0;
}

/*
 * How many are left is not known any more, but the distance to the last question, which the rows of the bases tell, and
 * the pause still hold. The first answer corrects it.
 */
static void read_plan(const struct bw_standing *w, int64_t now_ms, struct bw_budget_plan *ret)
{
	*ret = (struct bw_budget_plan){.is_known = w->has_budget,
				       .is_free = w->is_free,
				       .limit = w->limit,
				       .remaining = w->remaining,
				       .reserved = w->reserved,
				       .window_s = w->window_s,
				       .distance_ms = w->distance_ms > 0 ? (uint64_t)w->distance_ms : 0};
	if (w->has_budget && w->pause == BW_PAUSE_BUDGET)
		ret->hold_ms = ms_until(w->paused_until_ms, now_ms);
}

struct loading {
	struct bw_standings *standings;
	struct bw_schedule_now now;
};

static int load_one(const struct bw_standing *w, void *arg, struct bw_err *err)
{
	struct loading *l = arg;
	struct known *k = get(l->standings, w->registry);

	(void)err;
	k->written = *w;
	k->written.registry = NULL;
	k->seen_ms = w->seen_ms;
	read_plan(w, l->now.wall_ms, &k->plan);
	bw_schedule_set_budget(l->standings->schedule, k->registry, &k->plan, l->now);
	return 0;
}

int bw_standings_load(struct bw_standings *x, struct bw_schedule_now now, struct bw_err *err)
{
	struct loading l = {.standings = x, .now = now};
	int rc = x->is_loaded ? 0 : bw_store_each_standing(x->store, load_one, &l, err);

	x->is_loaded |= rc == 0;
	return rc;
}

/* --- an answer ------------------------------------------------------------------------------------ */

bool bw_standings_hear(struct bw_standings *x, const struct bw_registry *r, const char *registry,
		       struct bw_schedule_now now, struct bw_budget_plan *ret)
{
	struct bw_registry_facts facts = {0};
	struct known *k;

	*ret = (struct bw_budget_plan){0};
	k = get(x, registry);
	k->is_touched = true;
	if (!bw_registry_look(r, registry, &facts))
		return false;
	if (facts.budget.is_known || k->plan.is_known)
		bw_schedule_set_budget(x->schedule, registry, &facts.budget, now);
	k->plan = facts.budget;
	k->seen_ms = now.wall_ms;
	*ret = facts.budget;
	return true;
}

/* --- what others read ----------------------------------------------------------------------------- */

static int64_t bound(uint64_t ms)
{
	return ms < (uint64_t)INT64_MAX ? (int64_t)ms : INT64_MAX;
}

void bw_standings_describe(const struct bw_budget_plan *p, struct bw_standing *ret)
{
	ret->has_budget = p->is_known;
	ret->limit = p->limit;
	ret->remaining = p->remaining;
	ret->reserved = p->reserved;
	ret->window_s = p->window_s;
	ret->is_free = p->is_free;
	ret->distance_ms = bound(p->distance_ms);
}

static void describe(struct bw_standings *x, const struct known *k, struct bw_schedule_now now,
		     struct bw_standing *ret)
{
	struct bw_schedule_lane lane;

	*ret = (struct bw_standing){.registry = k->registry, .seen_ms = k->seen_ms};
	if (!bw_schedule_look(x->schedule, k->registry, now, &lane))
		return; /* nothing is asked of it any more: there is nothing to say */
	ret->pause = lane.pause;
	ret->paused_until_ms = lane.paused_until_ms;
	if (ret->seen_ms == 0)
		ret->seen_ms = now.wall_ms;
	bw_standings_describe(&k->plan, ret);
}

static bool is_far(int64_t a, int64_t b)
{
	int64_t apart = a < b ? b - a : a - b;

	return apart > a / 4 && apart > LEAST_MS / 4;
}

/* A pause that is over is none. */
static enum bw_pause pause_of(const struct bw_standing *s, int64_t now_ms)
{
	bool is_over = s->pause != BW_PAUSE_UNREACHABLE && s->paused_until_ms <= now_ms;

	return is_over ? BW_PAUSE_NONE : s->pause;
}

static bool has_other_pause(const struct bw_standing *a, const struct bw_standing *b, int64_t now_ms)
{
	int64_t apart = a->paused_until_ms < b->paused_until_ms ? b->paused_until_ms - a->paused_until_ms
								: a->paused_until_ms - b->paused_until_ms;

	if (pause_of(a, now_ms) != pause_of(b, now_ms))
		return true;
	return pause_of(b, now_ms) != BW_PAUSE_NONE && apart > LEAST_MS &&
	       apart > (b->paused_until_ms - now_ms) / 4;
}

static bool is_worth_it(const struct bw_standing *s)
{
	return s->has_budget || s->pause != BW_PAUSE_NONE;
}

/* How many are left changes with every question, and nothing follows from it that the distance does not say. */
static bool matters(const struct bw_standing *is, const struct bw_standing *was, int64_t now_ms)
{
	if (!is_worth_it(is) && is_worth_it(was))
		return true; /* also a pause that is over: its row goes */
	return is->has_budget != was->has_budget || is->limit != was->limit ||
	       is->reserved != was->reserved || is->window_s != was->window_s ||
	       is->is_free != was->is_free || is_far(was->distance_ms, is->distance_ms) ||
	       has_other_pause(was, is, now_ms);
}

struct saving {
	struct bw_standings *standings;
	struct bw_schedule_now now;
	struct bw_standing *items;
	struct known **known;
	size_t count, capacity, known_capacity;
	struct known **idle;
	size_t idle_count, idle_capacity;
};

static void collect(const char *key, void *value, void *arg)
{
	struct saving *v = arg;
	struct known *k = value;
	struct bw_standing is;
	size_t same_count = v->count;

	(void)key;
	describe(v->standings, k, v->now, &is);
	if (matters(&is, &k->written, v->now.wall_ms)) {
		BW_PUSH(v->items, v->count, v->capacity) = is;
		BW_PUSH(v->known, same_count, v->known_capacity) = k;
	}
	/* Names of registries come from build files: those of yesterday must not stay for ever. */
	if (!k->is_touched && !is_worth_it(&is))
		BW_PUSH(v->idle, v->idle_count, v->idle_capacity) = k;
	k->is_touched = false;
}

/* What was written as nothing has no row. */
static void drop_idle(struct saving *v)
{
	for (size_t i = 0; i < v->idle_count; i++) {
		struct known *k = v->idle[i];

		if (is_worth_it(&k->written))
			continue;
		(void)bw_map_remove(v->standings->known, k->registry);
		free_known(k);
	}
}

int bw_standings_save(struct bw_standings *x, struct bw_schedule_now now, struct bw_err *err)
{
	struct saving v = {.standings = x, .now = now};
	int rc;

	bw_map_each(x->known, collect, &v);
	rc = bw_store_put_standings(x->store, v.items, v.count, err);
	for (size_t i = 0; i < v.count && rc == 0; i++) {
		v.known[i]->written = v.items[i];
		v.known[i]->written.registry = NULL;
	}
	if (rc == 0)
		drop_idle(&v);
	free(v.items);
	free(v.known);
	free(v.idle);
	return rc;
}
