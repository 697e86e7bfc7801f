/* recall.c - see watch/recall.h. */
#include "watch/recall.h"

#include <stdlib.h>

#include "core/map.h"
#include "core/mem.h"
#include "standings.h"
#include "store/standing.h"

static uint64_t ms_between(int64_t from, int64_t to)
{
	return to > from ? (uint64_t)(to - from) : 0;
}

/* --- from the store ------------------------------------------------------------------------------- */

struct loading {
	const struct bw_clients *clients;
	int64_t now_ms;
};

/*
 * The pause of the daemon's guard is about what the schedule asks, and one that is not reachable may be by now: neither
 * forbids a question of somebody who waits for the answer.
 */
static int load_one(const struct bw_standing *w, void *arg, struct bw_err *err)
{
	const struct loading *l = arg;
	uint64_t pause_ms = ms_between(w->seen_ms, w->paused_until_ms);
	const struct bw_registry_standing x = {
		.age_ms = ms_between(w->seen_ms, l->now_ms),
		.has_budget = w->has_budget,
		.is_free = w->is_free,
		.limit = w->limit,
		.remaining = w->remaining,
		.window_s = w->window_s,
		.hold_ms = w->pause == BW_PAUSE_BUDGET ? pause_ms : 0,
		.quiet_ms = w->pause == BW_PAUSE_THROTTLED ? pause_ms : 0,
	};

	(void)err;
	bw_registry_remember(l->clients->own, w->registry, &x);
	return 0;
}

int bw_recall_load(struct bw_store *s, const struct bw_clients *c, int64_t now_ms, struct bw_err *err)
{
	struct loading l = {.clients = c, .now_ms = now_ms};

	return bw_store_each_standing(s, load_one, &l, err);
}

/* --- into the store ------------------------------------------------------------------------------- */

static int note_before(const struct bw_standing *w, void *arg, struct bw_err *err)
{
	struct bw_standing *copy = BW_NEW(struct bw_standing);

	(void)err;
	*copy = *w;
	copy->registry = NULL;
	(void)bw_map_put(arg, w->registry, copy);
	return 0;
}

static int64_t after(int64_t now_ms, uint64_t ms)
{
	return ms < (uint64_t)(INT64_MAX - now_ms) ? now_ms + (int64_t)ms : INT64_MAX;
}

static void set_pause(const struct bw_registry_facts *f, int64_t now_ms, struct bw_standing *ret)
{
	if (f->quiet_ms > 0) {
		ret->pause = BW_PAUSE_THROTTLED;
		ret->paused_until_ms = after(now_ms, f->quiet_ms);
	} else if (f->budget.hold_ms > 0) {
		ret->pause = BW_PAUSE_BUDGET;
		ret->paused_until_ms = after(now_ms, f->budget.hold_ms);
	}
}

/* The guard is the daemon's, and so is its end. */
static void keep_guard(const struct bw_standing *before, int64_t now_ms, struct bw_standing *ret)
{
	if (!before || before->pause != BW_PAUSE_GUARD || before->paused_until_ms <= now_ms ||
	    ret->pause != BW_PAUSE_NONE)
		return;
	ret->pause = before->pause;
	ret->paused_until_ms = before->paused_until_ms;
}

static void describe(const struct bw_registry_facts *f, int64_t now_ms, struct bw_standing *ret)
{
	ret->seen_ms = now_ms;
	bw_standings_describe(&f->budget, ret);
	set_pause(f, now_ms, ret);
}

int bw_recall_save(struct bw_store *s, const struct bw_clients *c, const char *const *registries,
		   size_t count, int64_t now_ms, struct bw_err *err)
{
	struct bw_standing *items = bw_alloc((count + 1) * sizeof(*items));
	struct bw_map *before = bw_map_new();
	struct bw_registry_facts facts;
	size_t n = 0;
	int rc = bw_store_each_standing(s, note_before, before, err);

	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct bw_standing *was = bw_map_get(before, registries[i]);
		struct bw_standing is = {.registry = registries[i]};

		facts = (struct bw_registry_facts){0};
		if (!bw_registry_look(c->own, registries[i], &facts))
			continue;
		describe(&facts, now_ms, &is);
		keep_guard(was, now_ms, &is);
		if (was || is.has_budget || is.pause != BW_PAUSE_NONE)
			items[n++] = is;
	}
	if (rc == 0)
		rc = bw_store_put_standings(s, items, n, err);
	bw_map_free(before, free);
	free(items);
	return rc;
}
