/* schedule.c - see schedule.h. */
#include "watch/schedule.h"

#include "core/map.h"
#include "core/mem.h"
#include "watch/idmap.h"
#include "watch/lane.h"

#define LOST_MS	    600000 /* the registry client gives up after 30 s */
#define BACKWARD_MS 250	   /* clocks that are only slewed run apart by less between two calls */
#define MIN_HOLD_MS 1000   /* of a sweep with a short window, and of a registry that was asked too much */
#define MAX_HOLD_MS 86400000

/*
 * Times in here are wall time plus `skew`, which grows by what the wall clock is set back: so they never go back, and
 * what is planned stays as far away as it was. Forward they follow the wall clock: whether the machine was suspended or
 * the clock corrected cannot be told, and to ask once too often, at the pace, is the smaller evil.
 */
struct bw_schedule {
	struct bw_grid grid;
	char *uuid;
	struct bw_schedule_hooks hooks;
	struct bw_idmap entries;
	struct bw_map *lanes; /* by registry */
	struct bw_heap ready; /* the lanes that have something to ask */
	int64_t now, skew;
	struct bw_schedule_now anchor; /* where both clocks were when they last agreed */
	size_t flying;
	bool is_sweeping;
	int64_t sweep_since;
	uint32_t list; /* number of the list that is being put */
};

struct entry {
	struct bw_heap_node node;
	struct bw_lane *lane;
	struct bw_heap *heap; /* the one of the lane that it is in */
	int64_t id;
	int64_t last;	   /* asked; negative: never */
	int64_t last_wall; /* what the wall clock said when that ended: rows are compared with this */
	struct {	   /* where it was before it was asked */
		bool is_urgent;
		int64_t key, last, last_wall;
	} before;
	uint64_t hash;
	uint32_t failures;
	uint32_t retry_after_s;
	enum bw_trouble trouble;
	uint32_t list;
};

/* --- time ------------------------------------------------------------------------------------- */

static int64_t clamp_time(int64_t ms)
{
	return ms < 0 ? 0 : ms > BW_GRID_MAX_TIME ? BW_GRID_MAX_TIME : ms;
}

/* How far the wall clock is behind what the monotonic one makes expect. */
static int64_t measure_lag(const struct bw_schedule *s, int64_t wall, uint64_t steady)
{
	uint64_t elapsed = steady > s->anchor.steady_ms ? steady - s->anchor.steady_ms : 0;

	if (elapsed > (uint64_t)BW_GRID_MAX_TIME)
		elapsed = 0; /* no such clock */
	return s->anchor.wall_ms + (int64_t)elapsed - wall;
}

static int64_t tell_time(struct bw_schedule *s, struct bw_schedule_now now)
{
	int64_t wall = clamp_time(now.wall_ms);
	int64_t lag = measure_lag(s, wall, now.steady_ms);

	if (lag > BACKWARD_MS)
		s->skew += lag;
	if (lag > BACKWARD_MS || lag < 0)
		s->anchor = (struct bw_schedule_now){wall, now.steady_ms};
	if (wall + s->skew > s->now)
		s->now = wall + s->skew;
	return s->now;
}

/* --- where a base waits ----------------------------------------------------------------------- */

static void file_lane(struct bw_schedule *s, struct bw_lane *l)
{
	int64_t at = bw_lane_ready(l, &s->grid);

	if (at < INT64_MAX)
		bw_heap_put(&s->ready, &l->node, at);
	else if (l->node.place > 0)
		bw_heap_remove(&s->ready, &l->node);
}

static void leave_heap(struct bw_schedule *s, struct entry *e)
{
	if (!e->heap)
		return;
	bw_heap_remove(e->heap, &e->node);
	s->flying -= e->heap == &e->lane->flying;
	e->heap = NULL;
}

static void move_to(struct bw_schedule *s, struct entry *e, struct bw_heap *h, int64_t key)
{
	leave_heap(s, e);
	e->heap = h;
	bw_heap_put(h, &e->node, key);
	s->flying += h == &e->lane->flying;
	file_lane(s, e->lane);
}

static int64_t due_time(const struct bw_schedule *s, const struct entry *e)
{
	struct bw_grid_state x = {.hash = e->hash,
				  .last = e->last - s->skew,
				  .failures = e->failures,
				  .trouble = e->trouble,
				  .retry_after_s = e->retry_after_s,
				  .is_slow = bw_lane_is_down(e->lane)};

	return bw_grid_due(&s->grid, &x) + s->skew;
}

static void plan(struct bw_schedule *s, struct entry *e)
{
	move_to(s, e, &e->lane->regular, due_time(s, e));
}

/* --- rows in ---------------------------------------------------------------------------------- */

static struct bw_lane *get_lane(struct bw_schedule *s, const char *registry)
{
	struct bw_lane *l = bw_map_get(s->lanes, registry);

	if (!l) {
		l = bw_lane_new(registry);
		(void)bw_map_put(s->lanes, registry, l);
	}
	return l;
}

/*
 * What the row says, brought to our time. A question that lies in the future was asked by another clock: half an
 * interval ago is as good a guess as any, and leads to the next slot, the same after each restart. Its failures would
 * move that on with every restart, so they are left out.
 */
static void read_row(struct bw_schedule *s, struct entry *e, const struct bw_schedule_base *b)
{
	int64_t last = clamp_time(b->checked_ms) + s->skew;
	bool is_future = last > s->now;

	e->last_wall = clamp_time(b->checked_ms);
	e->last = is_future ? s->now - s->grid.o.every_ms / 2 : last;
	e->failures = is_future ? 0 : b->failures;
	e->trouble = e->failures > 0 ? b->trouble : BW_TROUBLE_NONE;
	e->retry_after_s =
		b->retry_after_s > BW_GRID_MAX_RETRY_AFTER_S ? BW_GRID_MAX_RETRY_AFTER_S : b->retry_after_s;
	if (e->trouble == BW_TROUBLE_THROTTLED)
		bw_lane_hold(e->lane, e->last + (int64_t)e->retry_after_s * 1000);
	bw_ration_note_past(&e->lane->ration, e->last);
}

static struct entry *add_entry(struct bw_schedule *s, const struct bw_schedule_base *b)
{
	struct entry *e = BW_NEW(struct entry);

	e->id = b->id;
	e->lane = get_lane(s, b->registry);
	e->lane->count++;
	e->last = -1;
	e->hash = bw_grid_hash(&s->grid, b->registry, b->repository, b->tag);
	e->node.owner = e;
	e->node.tie = e->hash;
	bw_idmap_put(&s->entries, e->id, e);
	return e;
}

static void put_new(struct bw_schedule *s, struct entry *e, const struct bw_schedule_base *b)
{
	if (b->checked_ms <= 0) {
		move_to(s, e, &e->lane->urgent, bw_lane_key(false, s->now));
		return;
	}
	read_row(s, e, b);
	plan(s, e);
	if (s->grid.o.has_to_ask_at_start && e->node.key > s->now)
		move_to(s, e, &e->lane->regular, s->now);
}

/*
 * Did another process ask since we did? Compared by what the wall clock said: after it was set back our own old rows
 * would look newer than they are.
 */
static bool is_newer(const struct bw_schedule *s, const struct entry *e, const struct bw_schedule_base *b)
{
	int64_t checked = clamp_time(b->checked_ms);

	return checked > e->last_wall && checked + s->skew <= s->now && e->heap != &e->lane->flying;
}

void bw_schedule_put(struct bw_schedule *s, const struct bw_schedule_base *b, struct bw_schedule_now now)
{
	struct entry *e = bw_idmap_get(&s->entries, b->id);
	bool is_new = !e;

	(void)tell_time(s, now);
	if (is_new)
		e = add_entry(s, b);
	e->list = s->list;
	if (is_new) {
		put_new(s, e, b);
	} else if (is_newer(s, e, b)) {
		read_row(s, e, b);
		plan(s, e);
	}
}

static void drop(struct bw_schedule *s, struct entry *e)
{
	leave_heap(s, e);
	e->lane->count--;
	file_lane(s, e->lane);
	bw_idmap_remove(&s->entries, e->id);
	free(e);
}

void bw_schedule_remove(struct bw_schedule *s, int64_t id, struct bw_schedule_now now)
{
	struct entry *e = bw_idmap_get(&s->entries, id);

	(void)tell_time(s, now);
	if (e)
		drop(s, e);
}

void bw_schedule_begin_list(struct bw_schedule *s)
{
	s->list++;
}

struct idle {
	int64_t now;
	const char **names;
	size_t count, capacity;
};

static void note_idle(const char *key, void *value, void *arg)
{
	const struct bw_lane *l = value;
	struct idle *x = arg;

	(void)key;
	if (bw_lane_is_idle(l, x->now))
		BW_PUSH(x->names, x->count, x->capacity) = l->registry;
}

/* Names of registries come from build files: those of yesterday must not stay for ever. */
static void drop_idle_lanes(struct bw_schedule *s)
{
	struct idle x = {.now = s->now};

	bw_map_each(s->lanes, note_idle, &x);
	for (size_t i = 0; i < x.count; i++) {
		struct bw_lane *l = bw_map_remove(s->lanes, x.names[i]);

		if (l && l->node.place > 0)
			bw_heap_remove(&s->ready, &l->node);
		bw_lane_free(l);
	}
	free(x.names);
}

size_t bw_schedule_end_list(struct bw_schedule *s, struct bw_schedule_now now)
{
	struct entry **gone = NULL;
	size_t count = 0, capacity = 0;

	(void)tell_time(s, now);
	for (size_t i = 0; i < s->entries.capacity; i++) {
		struct entry *e = s->entries.cells[i].value;

		if (e && e->list != s->list)
			BW_PUSH(gone, count, capacity) = e;
	}
	for (size_t i = 0; i < count; i++)
		drop(s, gone[i]);
	free(gone);
	drop_idle_lanes(s);
	return count;
}

size_t bw_schedule_count(const struct bw_schedule *s)
{
	return s->entries.count;
}

/* --- bases out -------------------------------------------------------------------------------- */

static void fail(struct bw_schedule *s, struct entry *e, enum bw_trouble t, uint32_t retry_after_s)
{
	e->trouble = t;
	e->retry_after_s = retry_after_s;
	e->failures += e->failures < UINT32_MAX;
	plan(s, e);
}

static void give_up_lost(struct bw_schedule *s, struct bw_lane *l)
{
	struct bw_heap_node *n = bw_heap_top(&l->flying);

	for (; n && n->key <= s->now; n = bw_heap_top(&l->flying))
		fail(s, n->owner, BW_TROUBLE_TIMEOUT, 0);
}

/* A regular question comes half an interval after the last at the earliest; what is clearly sooner is beyond. */
static bool may_ask(struct bw_schedule *s, const struct entry *e)
{
	char reason[BW_LANE_REASON_MAX];

	if (e->last < 0 || s->now - e->last >= s->grid.o.every_ms / 4)
		return true;
	if (bw_lane_allow_extra(e->lane, &s->grid, s->now, reason))
		return true;
	if (s->hooks.stopped)
		s->hooks.stopped(e->lane->registry, reason, s->hooks.arg);
	return false;
}

static void begin_sweep(struct bw_schedule *s)
{
	if (s->is_sweeping)
		return;
	s->is_sweeping = true;
	s->sweep_since = s->now;
}

static void start_question(struct bw_schedule *s, struct entry *e)
{
	e->before.is_urgent = e->heap == &e->lane->urgent;
	e->before.key = e->node.key;
	e->before.last = e->last;
	e->before.last_wall = e->last_wall;
	bw_lane_note_ask(e->lane, &s->grid, e->before.is_urgent, s->now);
	e->last = s->now;
	e->last_wall = s->now - s->skew;
	move_to(s, e, &e->lane->flying, s->now + LOST_MS);
	begin_sweep(s);
}

bool bw_schedule_take(struct bw_schedule *s, struct bw_schedule_now now, int64_t *ret_id)
{
	struct bw_heap_node *top;

	(void)tell_time(s, now);
	while ((top = bw_heap_top(&s->ready)) != NULL && top->key <= s->now) {
		struct bw_lane *l = top->owner;
		const struct bw_heap_node *n;

		give_up_lost(s, l);
		n = bw_lane_choose(l, &s->grid, s->now);
		if (n && may_ask(s, n->owner)) {
			struct entry *e = n->owner;

			start_question(s, e);
			*ret_id = e->id;
			return true;
		}
		file_lane(s, l);
	}
	return false;
}

void bw_schedule_done(struct bw_schedule *s, int64_t id, enum bw_trouble trouble, uint32_t retry_after_s,
		      struct bw_schedule_now now)
{
	struct entry *e = bw_idmap_get(&s->entries, id);

	(void)tell_time(s, now);
	begin_sweep(s);
	if (!e)
		return;
	e->last_wall = s->now - s->skew;
	bw_lane_note_answer(e->lane, trouble, retry_after_s, s->now);
	if (e->heap == &e->lane->urgent) { /* came after it was taken as lost, and nudged since */
		file_lane(s, e->lane);
	} else if (trouble != BW_TROUBLE_NONE) {
		fail(s, e, trouble, retry_after_s);
	} else {
		e->failures = 0;
		e->trouble = BW_TROUBLE_NONE;
		plan(s, e);
	}
}

void bw_schedule_put_back(struct bw_schedule *s, int64_t id, uint64_t hold_ms, struct bw_schedule_now now)
{
	struct entry *e = bw_idmap_get(&s->entries, id);
	int64_t hold = hold_ms < MIN_HOLD_MS   ? MIN_HOLD_MS
		       : hold_ms < MAX_HOLD_MS ? (int64_t)hold_ms
					       : MAX_HOLD_MS;

	(void)tell_time(s, now);
	if (!e || e->heap != &e->lane->flying) /* taken as lost meanwhile */
		return;
	e->last = e->before.last;
	e->last_wall = e->before.last_wall;
	bw_lane_note_refusal(e->lane, s->now + hold);
	move_to(s, e, e->before.is_urgent ? &e->lane->urgent : &e->lane->regular, e->before.key);
}

bool bw_schedule_nudge(struct bw_schedule *s, int64_t id, struct bw_schedule_now now)
{
	struct entry *e = bw_idmap_get(&s->entries, id);

	(void)tell_time(s, now);
	if (!e || e->heap == &e->lane->flying || (e->last >= 0 && s->now - e->last < s->grid.window))
		return false;
	if (e->heap != &e->lane->urgent)
		move_to(s, e, &e->lane->urgent, bw_lane_key(true, s->now));
	return true;
}

/* --- sweeps and the timer --------------------------------------------------------------------- */

static int64_t sweep_deadline(const struct bw_schedule *s)
{
	return s->sweep_since + (s->grid.window > MIN_HOLD_MS ? s->grid.window : MIN_HOLD_MS);
}

static bool is_over(const struct bw_schedule *s)
{
	const struct bw_heap_node *next = bw_heap_top(&s->ready);
	int64_t quiet = s->grid.window < MIN_HOLD_MS ? s->grid.window : MIN_HOLD_MS;
	bool is_quiet = s->flying == 0 && (!next || next->key > s->now + quiet);

	return is_quiet || s->now >= sweep_deadline(s);
}

bool bw_schedule_end_sweep(struct bw_schedule *s, struct bw_schedule_now now)
{
	(void)tell_time(s, now);
	if (!s->is_sweeping || !is_over(s))
		return false;
	s->is_sweeping = false;
	return true;
}

int64_t bw_schedule_delay(struct bw_schedule *s, struct bw_schedule_now now)
{
	const struct bw_heap_node *next = bw_heap_top(&s->ready);
	int64_t at = next ? next->key : INT64_MAX;

	(void)tell_time(s, now);
	if (s->is_sweeping && is_over(s))
		return 0;
	if (s->is_sweeping && sweep_deadline(s) < at)
		at = sweep_deadline(s);
	if (at == INT64_MAX)
		return at;
	return at > s->now ? at - s->now : 0;
}

/* --- options, beginning and end --------------------------------------------------------------- */

static void reload_lane(const char *key, void *value, void *arg)
{
	struct bw_schedule *s = arg;

	(void)key;
	bw_lane_note_reload(value, &s->grid, s->now);
	file_lane(s, value);
}

void bw_schedule_set_options(struct bw_schedule *s, const struct bw_schedule_options *o,
			     struct bw_schedule_now now)
{
	(void)tell_time(s, now);
	bw_grid_init(&s->grid, o, s->uuid);
	for (size_t i = 0; i < s->entries.capacity; i++) {
		struct entry *e = s->entries.cells[i].value;

		if (e && e->heap == &e->lane->regular)
			plan(s, e);
	}
	bw_map_each(s->lanes, reload_lane, s);
}

void bw_schedule_set_distance(struct bw_schedule *s, const char *registry, uint32_t distance_ms)
{
	struct bw_lane *l = get_lane(s, registry);

	l->has_distance = true;
	l->distance_ms = distance_ms > 60000 ? 60000 : distance_ms;
}

void bw_schedule_set_budget(struct bw_schedule *s, const char *registry, const struct bw_budget_plan *p,
			    struct bw_schedule_now now)
{
	struct bw_lane *l = bw_map_get(s->lanes, registry);

	(void)tell_time(s, now);
	if (!l && !p->is_known)
		return;
	l = get_lane(s, registry);
	bw_ration_set(&l->ration, p, s->now);
	file_lane(s, l);
}

/* What lies furthest ahead is what is waited for. */
static void find_pause(const struct bw_schedule *s, const struct bw_lane *l, struct bw_schedule_lane *ret)
{
	int64_t until = s->now;

	if (l->held_until > until) {
		until = l->held_until;
		ret->pause = l->is_stopped ? BW_PAUSE_GUARD : BW_PAUSE_THROTTLED;
	}
	if (l->ration.hold > until) {
		until = l->ration.hold;
		ret->pause = BW_PAUSE_BUDGET;
	}
	if (until > s->now)
		ret->paused_until_ms = until - s->skew;
	else if (bw_lane_is_down(l))
		ret->pause = BW_PAUSE_UNREACHABLE;
}

bool bw_schedule_look(struct bw_schedule *s, const char *registry, struct bw_schedule_now now,
		      struct bw_schedule_lane *ret)
{
	const struct bw_lane *l = bw_map_get(s->lanes, registry);

	(void)tell_time(s, now);
	*ret = (struct bw_schedule_lane){0};
	if (!l || l->count == 0)
		return false;
	ret->bases = l->count;
	find_pause(s, l, ret);
	return true;
}

struct bw_schedule *bw_schedule_new(const struct bw_schedule_options *o, const char *uuid,
				    const struct bw_schedule_hooks *hooks, struct bw_schedule_now now)
{
	struct bw_schedule *s = BW_NEW(struct bw_schedule);

	bw_grid_init(&s->grid, o, uuid);
	s->uuid = bw_strdup(uuid);
	if (hooks)
		s->hooks = *hooks;
	s->lanes = bw_map_new();
	s->anchor = (struct bw_schedule_now){clamp_time(now.wall_ms), now.steady_ms};
	s->now = s->anchor.wall_ms;
	return s;
}

static void free_lane(void *value)
{
	bw_lane_free(value);
}

void bw_schedule_free(struct bw_schedule *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->entries.capacity; i++)
		free(s->entries.cells[i].value);
	bw_idmap_done(&s->entries);
	bw_heap_done(&s->ready);
	bw_map_free(s->lanes, free_lane);
	free(s->uuid);
	free(s);
}

int64_t bw_schedule_due(const struct bw_schedule_options *o, const char *uuid,
			const struct bw_schedule_base *b)
{
	struct bw_grid g;
	struct bw_grid_state x;

	if (b->checked_ms <= 0)
		return 0;
	bw_grid_init(&g, o, uuid);
	x = (struct bw_grid_state){.hash = bw_grid_hash(&g, b->registry, b->repository, b->tag),
				   .last = b->checked_ms,
				   .failures = b->failures,
				   .trouble = b->trouble,
				   .retry_after_s = b->retry_after_s};
	return bw_grid_due(&g, &x);
}
