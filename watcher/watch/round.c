#include "round.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define NOWHERE SIZE_MAX

struct bw_round_lane {
	struct bw_probe_group group; /* first: a probe's group leads to its lane */
	struct bw_round *round;
	char *registry;
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

static bool has_room(const struct bw_round_lane *lane)
{
	return lane->group.open < BW_ROUND_MAX_OPEN &&
	       bw_registry_room(lane->group.side->registry, lane->registry) > 0;
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
	it->next = NOWHERE;
	if (lane->first == NOWHERE)
		lane->first = r->count - 1;
	else
		r->items[lane->last].next = r->count - 1;
	lane->last = r->count - 1;
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
