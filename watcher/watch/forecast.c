/* forecast.c - see watch/forecast.h. */
#include "watch/forecast.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "watch/heap.h"
#include "watch/idmap.h"
#include "watch/lane.h"

#define MAX_DISTANCE_MS (7 * INT64_C(86400000)) /* as the schedule has it (ration.c) */
/* Turns that are played for each base: where one is due in a month, the others are asked over and over before. */
#define TURNS 8

struct registry;

struct base {
	struct bw_heap_node node; /* by due time */
	int64_t id;
	struct registry *registry;
	int64_t due;
	int64_t at; /* the forecast; 0: not yet */
	uint32_t failures;
	enum bw_trouble trouble;
	bool is_new;
	char *reason; /* its own; NULL: that of its registry, or a fixed one */
};

struct registry {
	struct bw_standing standing;
	char *name;
	struct base **bases;
	size_t count, capacity;
	int64_t last;	   /* when any of them was asked last */
	int64_t asked_off; /* a 429 asked for a pause until then */
	int64_t interval;
	char *text;
};

struct bw_forecast {
	struct bw_schedule_options o;
	char *uuid;
	int64_t now;
	struct bw_map *registries;
	struct registry **sorted; /* those with bases */
	size_t count;
	struct bw_idmap bases;
};

struct bw_forecast *bw_forecast_new(const struct bw_schedule_options *o, const char *uuid, int64_t now_ms)
{
	struct bw_forecast *f = BW_NEW(struct bw_forecast);

	f->o = *o;
	f->uuid = bw_strdup(uuid);
	f->now = now_ms;
	f->registries = bw_map_new();
	return f;
}

static void free_registry(void *value)
{
	struct registry *r = value;

	for (size_t i = 0; i < r->count; i++) {
		free(r->bases[i]->reason);
		free(r->bases[i]);
	}
	free(r->bases);
	free(r->text);
	free(r->name);
	free(r);
}

void bw_forecast_free(struct bw_forecast *f)
{
	if (!f)
		return;
	bw_idmap_done(&f->bases);
	bw_map_free(f->registries, free_registry);
	free(f->sorted);
	free(f->uuid);
	free(f);
}

/* --- rows in -------------------------------------------------------------------------------------- */

static struct registry *get(struct bw_forecast *f, const char *name)
{
	struct registry *r = bw_map_get(f->registries, name);

	if (!r) {
		r = BW_NEW(struct registry);
		r->name = bw_strdup(name);
		r->standing.registry = r->name;
		(void)bw_map_put(f->registries, name, r);
	}
	return r;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What is over says nothing about the future. */
void bw_forecast_add_standing(struct bw_forecast *f, const struct bw_standing *x)
{
	struct registry *r = get(f, x->registry);

	r->standing = *x;
	r->standing.registry = r->name;
	if (x->pause != BW_PAUSE_UNREACHABLE && x->paused_until_ms <= f->now) {
		r->standing.pause = BW_PAUSE_NONE;
		r->standing.paused_until_ms = 0;
	}
	r->standing.distance_ms = least(r->standing.distance_ms, MAX_DISTANCE_MS);
	r->standing.paused_until_ms = least(r->standing.paused_until_ms, BW_GRID_MAX_TIME);
}

void bw_forecast_add_base(struct bw_forecast *f, const struct bw_poll *p)
{
	struct base *b = BW_NEW(struct base);
	const struct bw_schedule_base row = {.id = p->id,
					     .registry = p->registry,
					     .repository = p->repository,
					     .tag = p->tag,
					     .checked_ms = p->checked_ms,
					     .failures = p->failures,
					     .trouble = p->trouble,
					     .retry_after_s = p->retry_after_s};
	int64_t last = least(p->checked_ms, f->now);

	b->id = p->id;
	b->registry = get(f, p->registry);
	b->is_new = p->checked_ms <= 0;
	b->failures = p->failures;
	b->trouble = p->trouble;
	b->due = bw_schedule_due(&f->o, f->uuid, &row);
	b->node.owner = b;
	b->node.tie = (uint64_t)p->id;
	b->registry->last = later(b->registry->last, last);
	if (p->failures > 0 && p->trouble == BW_TROUBLE_THROTTLED)
		b->registry->asked_off =
			later(b->registry->asked_off, last + (int64_t)p->retry_after_s * 1000);
	BW_PUSH(b->registry->bases, b->registry->count, b->registry->capacity) = b;
	bw_idmap_put(&f->bases, b->id, b);
}

/* --- words ---------------------------------------------------------------------------------------- */

const char *bw_forecast_span(int64_t ms, char out[BW_FORECAST_SPAN_MAX])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t seconds = ms < 1000 ? 1 : ms / 1000 + (ms % 1000 >= 500), whole, rest;
	size_t i = 0;

	while (seconds < units[i].seconds)
		i++;
	whole = seconds / units[i].seconds;
	rest = i + 1 < BW_COUNT(units) ? seconds % units[i].seconds / units[i + 1].seconds : 0;
	if (rest > 0)
		(void)snprintf(out, BW_FORECAST_SPAN_MAX, "%" PRId64 " %s %" PRId64 " %s", whole,
			       units[i].name, rest, units[i + 1].name);
	else
		(void)snprintf(out, BW_FORECAST_SPAN_MAX, "%" PRId64 " %s", whole, units[i].name);
	return out;
}

/* "1,000": these numbers are read by people. */
static void add_number(struct bw_buf *b, uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			bw_buf_addc(b, ',');
		bw_buf_addc(b, digits[i]);
	}
}

/* "docker.io grants 100 requests in 6 h and 20 are kept for others: " */
static void say_budget(struct bw_buf *b, const struct bw_standing *s)
{
	char span[BW_FORECAST_SPAN_MAX];

	bw_buf_addf(b, "%s grants ", s->registry);
	add_number(b, s->limit);
	bw_buf_adds(b, s->limit == 1 ? " request" : " requests");
	if (s->window_s > 0)
		bw_buf_addf(b, " in %s", bw_forecast_span((int64_t)s->window_s * 1000, span));
	if (s->reserved > 0) {
		bw_buf_adds(b, " and ");
		add_number(b, s->reserved);
		bw_buf_adds(b, s->reserved == 1 ? " is kept for others" : " are kept for others");
	}
}

static void say_pause(struct bw_buf *b, const struct bw_standing *s)
{
	char at[BW_TIME_MAX];

	(void)bw_time_short(s->paused_until_ms, at);
	switch (s->pause) {
	case BW_PAUSE_BUDGET: bw_buf_addf(b, "paused until %s", at); break;
	case BW_PAUSE_THROTTLED: bw_buf_addf(b, "paused until %s (429 or Retry-After)", at); break;
	case BW_PAUSE_GUARD: bw_buf_addf(b, "paused until %s (asked far more than planned)", at); break;
	case BW_PAUSE_UNREACHABLE:
		bw_buf_adds(b, "not reachable, so it is asked without quick retries");
		break;
	case BW_PAUSE_NONE:
	case BW_PAUSE_COUNT: break;
	}
}

static void say_interval(struct bw_buf *b, const struct registry *r)
{
	char span[BW_FORECAST_SPAN_MAX];

	add_number(b, r->count);
	bw_buf_addf(b, r->count == 1 ? " base is asked every %s" : " bases are asked every %s",
		    bw_forecast_span(r->interval, span));
}

/* A stretched registry has a budget, always. */
static void describe(struct registry *r)
{
	const struct bw_standing *s = &r->standing;
	bool is_short = r->interval > 0 || s->pause == BW_PAUSE_BUDGET;
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, 1024);
	if (r->interval == 0 && s->pause == BW_PAUSE_NONE)
		return;
	if (is_short && s->has_budget)
		say_budget(&text, s);
	else
		bw_buf_adds(&text, s->registry);
	bw_buf_adds(&text, ": ");
	if (r->interval > 0)
		say_interval(&text, r);
	if (r->interval > 0 && s->pause != BW_PAUSE_NONE)
		bw_buf_adds(&text, ", ");
	say_pause(&text, s);
	r->text = bw_strdup(bw_buf_str(&text));
}

/* --- the future ----------------------------------------------------------------------------------- */

static bool is_paused(const struct bw_standing *s)
{
	return s->pause != BW_PAUSE_NONE && s->pause != BW_PAUSE_UNREACHABLE;
}

/* The rows of the bases know of a 429 too, also of one that another process met. */
static void find_pause(const struct bw_forecast *f, struct registry *r)
{
	struct bw_standing *s = &r->standing;

	if (r->asked_off <= f->now || (is_paused(s) && s->paused_until_ms >= r->asked_off))
		return;
	s->pause = BW_PAUSE_THROTTLED;
	s->paused_until_ms = r->asked_off;
}

/* Only what is a tenth longer than the schedule has it is worth a word. */
static void find_interval(const struct bw_forecast *f, struct registry *r)
{
	int64_t interval = r->standing.distance_ms * (int64_t)r->count;

	if (interval > f->o.every_ms + f->o.every_ms / 10)
		r->interval = interval;
}

static int64_t first_turn(const struct bw_forecast *f, const struct registry *r)
{
	int64_t at = later(f->now, r->last + r->standing.distance_ms);

	return is_paused(&r->standing) ? later(at, r->standing.paused_until_ms) : at;
}

/* In the order of due, one in each distance; those that were never asked and the others take turns. */
struct queue {
	struct bw_heap new, regular;
	int64_t at;
	unsigned new_in_row;
};

static struct base *next_turn(struct queue *q)
{
	struct bw_heap_node *new = bw_heap_top(&q->new), *regular = bw_heap_top(&q->regular);
	bool is_new = new && !(q->new_in_row >= BW_LANE_SCARCE_TURNS && regular && regular->key <= q->at);
	struct bw_heap_node *n = is_new ? new : regular;

	bw_heap_remove(is_new ? &q->new : &q->regular, n);
	q->new_in_row = is_new ? q->new_in_row + 1 : 0;
	q->at = later(q->at, n->key);
	return n->owner;
}

static void play(const struct bw_forecast *f, struct registry *r)
{
	struct queue q = {.at = first_turn(f, r)};
	size_t left = r->count;

	for (size_t i = 0; i < r->count; i++)
		bw_heap_put(r->bases[i]->is_new ? &q.new : &q.regular, &r->bases[i]->node, r->bases[i]->due);
	for (size_t turns = TURNS * r->count; left > 0 && turns > 0; turns--) {
		struct base *b = next_turn(&q);

		left -= b->at == 0;
		b->at = b->at ? b->at : q.at;
		bw_heap_put(&q.regular, &b->node, q.at + f->o.every_ms);
		q.at += r->standing.distance_ms;
	}
	for (size_t i = 0; i < r->count; i++)
		if (r->bases[i]->at == 0)
			r->bases[i]->at = later(r->bases[i]->due, q.at);
	bw_heap_done(&q.new);
	bw_heap_done(&q.regular);
}

static void foresee(const struct bw_forecast *f, struct registry *r)
{
	int64_t first;

	find_pause(f, r);
	find_interval(f, r);
	describe(r);
	if (r->standing.distance_ms > 0) {
		play(f, r);
		return;
	}
	first = first_turn(f, r);
	for (size_t i = 0; i < r->count; i++)
		r->bases[i]->at = later(r->bases[i]->due, first);
}

/* Why not when it is due? */
static bool is_late(const struct base *b)
{
	const struct registry *r = b->registry;

	return r->text &&
	       (r->interval > 0 || (is_paused(&r->standing) && b->due < r->standing.paused_until_ms));
}

static void give_reason(struct base *b)
{
	const char *how = is_late(b) ? b->registry->text : NULL;

	if (b->is_new)
		b->reason = bw_asprintf("never asked%s%s", how ? ": " : "", how ? how : "");
	else if (b->failures > 0)
		b->reason = bw_asprintf("retry after failure: %s%s%s", bw_trouble_text(b->trouble),
					how ? "; " : "", how ? how : "");
}

static int by_name(const void *a, const void *b)
{
	const struct registry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

struct gathering {
	struct bw_forecast *f;
	size_t capacity;
};

static void gather(const char *name, void *value, void *arg)
{
	struct gathering *g = arg;
	struct registry *r = value;

	(void)name;
	if (r->count > 0)
		BW_PUSH(g->f->sorted, g->f->count, g->capacity) = r;
}

void bw_forecast_end(struct bw_forecast *f)
{
	struct gathering g = {.f = f};

	bw_map_each(f->registries, gather, &g);
	if (f->count > 0)
		qsort(f->sorted, f->count, sizeof(struct registry *), by_name);
	for (size_t i = 0; i < f->count; i++) {
		struct registry *r = f->sorted[i];

		foresee(f, r);
		for (size_t k = 0; k < r->count; k++)
			give_reason(r->bases[k]);
	}
}

/* --- forecasts out -------------------------------------------------------------------------------- */

bool bw_forecast_find(const struct bw_forecast *f, int64_t id, struct bw_forecast_base *ret)
{
	const struct base *b = bw_idmap_get(&f->bases, id);

	if (!b)
		return false;
	ret->at_ms = b->at;
	ret->reason = b->reason ? b->reason : is_late(b) ? b->registry->text : "as scheduled";
	return true;
}

bool bw_forecast_registry(const struct bw_forecast *f, size_t n, struct bw_forecast_registry *ret)
{
	const struct registry *r;

	if (n >= f->count)
		return false;
	r = f->sorted[n];
	*ret = (struct bw_forecast_registry){
		.standing = r->standing, .bases = r->count, .interval_ms = r->interval, .text = r->text};
	return true;
}
