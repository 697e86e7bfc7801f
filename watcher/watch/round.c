#include "round.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define NOWHERE SIZE_MAX

struct bw_round_lane {
	struct bw_probe_group group; /* first: a probe's group leads to its lane */
	struct bw_round *round;
	char *registry;
	size_t asked;	    /* items without an answer yet */
	size_t first, last; /* of the items that wait; NOWHERE: none */
	bool is_feeding;
};

struct bw_round {
	struct bw_sides *sides;
	struct bw_round_hooks hooks;
	struct bw_round_lane **lanes;
	size_t lane_count, lane_capacity;
	struct bw_round_item *items;
	size_t count, capacity;
	size_t answered;
	bool is_started, is_halted, has_ended;
};

static struct bw_round_lane *lane_of(const struct bw_round_item *it)
{
	return (struct bw_round_lane *)(void *)it->probe.group;
}

struct bw_round_item *bw_round_item_of(struct bw_probe *p)
{
	return (struct bw_round_item *)(void *)p; /* its first member */
}

void *bw_round_arg_of(const struct bw_round_item *it)
{
	return lane_of(it)->round->hooks.arg;
}

size_t bw_round_count_answered(const struct bw_round *r)
{
	return r->answered;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* What takes up the room may be of others, whose answers wake nobody here: one question goes in any case. */
static bool has_room(const struct bw_round_lane *lane)
{
	return lane->group.open < BW_ROUND_MAX_OPEN &&
	       (lane->asked == 0 || bw_registry_room(lane->group.side->registry, lane->registry) > 0);
}

/* What ends inside of its own question would feed the lane again, as deep as the lane is long. */
static void feed(struct bw_round_lane *lane)
{
	struct bw_round *r = lane->round;

	if (lane->is_feeding)
		return;
	lane->is_feeding = true;
	while (!r->is_halted && lane->first != NOWHERE && has_room(lane)) {
		struct bw_round_item *it = &r->items[lane->first];

		lane->first = it->next;
		lane->asked++;
		r->hooks.ask(it, r->hooks.arg);
	}
	lane->is_feeding = false;
}

static void feed_group(struct bw_probe_group *g)
{
	feed((struct bw_round_lane *)(void *)g);
}

static void end_when_answered(struct bw_round *r)
{
	if (r->has_ended || !r->is_started || r->answered < r->count)
		return;
	r->has_ended = true;
	r->hooks.ended(r->hooks.arg);
}

void bw_round_answered(struct bw_round_item *it)
{
	struct bw_round_lane *lane = lane_of(it);
	struct bw_round *r = lane->round;

	r->answered++;
	lane->asked--;
	if (r->hooks.progress)
		r->hooks.progress(r->answered, r->count, r->hooks.arg);
	feed(lane);
	end_when_answered(r);
}

/* `ended` may come before the last lane was fed, and may not free the round: so it waits until all are. */
void bw_round_start(struct bw_round *r)
{
	for (size_t i = 0; i < r->lane_count; i++)
		feed(r->lanes[i]);
	r->is_started = true;
	end_when_answered(r);
}

void bw_round_halt(struct bw_round *r)
{
	r->is_halted = true;
}

/* --- the list --------------------------------------------------------------------------------- */

/* The list comes by registry, so a lane of it is among the last two. */
static struct bw_round_lane *lane_for(struct bw_round *r, const struct bw_base *b)
{
	struct bw_side *side = bw_sides_of(r->sides, b);
	struct bw_round_lane *lane;

	for (size_t back = 1; back <= 2 && back <= r->lane_count; back++) {
		lane = r->lanes[r->lane_count - back];
		if (lane->group.side == side && strcmp(lane->registry, b->registry) == 0)
			return lane;
	}
	lane = BW_NEW(struct bw_round_lane);
	lane->round = r;
	lane->registry = bw_strdup(b->registry);
	lane->group = (struct bw_probe_group){
		.side = side, .registry = lane->registry, .done = r->hooks.probed, .waits = feed_group};
	lane->first = lane->last = NOWHERE;
	BW_PUSH(r->lanes, r->lane_count, r->lane_capacity) = lane;
	return lane;
}

void bw_round_add(struct bw_round *r, const struct bw_base *b, void *more)
{
	struct bw_round_lane *lane = lane_for(r, b);
	struct bw_round_item *it = &BW_PUSH(r->items, r->count, r->capacity);

	bw_probe_init(&it->probe, &lane->group, b);
	it->more = more;
	it->checked_ms = b->checked_ms;
	it->next = NOWHERE;
	if (lane->first == NOWHERE)
		lane->first = r->count - 1;
	else
		r->items[lane->last].next = r->count - 1;
	lane->last = r->count - 1;
}

/* Those of one time stay in the order of their names. */
static int compare_age(const void *left, const void *right)
{
	const struct bw_round_item *a = *(struct bw_round_item *const *)left,
				   *b = *(struct bw_round_item *const *)right;

	if (a->checked_ms != b->checked_ms)
		return a->checked_ms < b->checked_ms ? -1 : 1;
	return (a > b) - (a < b);
}

static size_t list_lane(struct bw_round *r, const struct bw_round_lane *lane, struct bw_round_item **ret)
{
	size_t n = 0;

	for (size_t i = lane->first; i != NOWHERE; i = r->items[i].next)
		ret[n++] = &r->items[i];
	return n;
}

void bw_round_put_oldest_first(struct bw_round *r)
{
	struct bw_round_item **sorted = bw_alloc((r->count + 1) * sizeof(struct bw_round_item *));

	for (size_t l = 0; l < r->lane_count; l++) {
		struct bw_round_lane *lane = r->lanes[l];
		size_t n = list_lane(r, lane, sorted);

		if (n == 0)
			continue;
		qsort(sorted, n, sizeof(struct bw_round_item *), compare_age);
		for (size_t i = 0; i < n; i++)
			sorted[i]->next = i + 1 < n ? (size_t)(sorted[i + 1] - r->items) : NOWHERE;
		lane->first = (size_t)(sorted[0] - r->items);
		lane->last = (size_t)(sorted[n - 1] - r->items);
	}
	free(sorted);
}

const char *bw_round_registry(const struct bw_round *r, size_t n)
{
	return n < r->lane_count ? r->lanes[n]->registry : NULL;
}

struct bw_round *bw_round_new(struct bw_sides *sides, const struct bw_round_hooks *h)
{
	struct bw_round *r = BW_NEW(struct bw_round);

	r->sides = sides;
	r->hooks = *h;
	return r;
}

void bw_round_free(struct bw_round *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		bw_probe_done(&r->items[i].probe);
		if (r->hooks.forget)
			r->hooks.forget(r->items[i].more, r->hooks.arg);
	}
	for (size_t i = 0; i < r->lane_count; i++) {
		free(r->lanes[i]->registry);
		free(r->lanes[i]);
	}
	free(r->items);
	free(r->lanes);
	free(r);
}
