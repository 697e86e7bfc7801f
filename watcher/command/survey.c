#include "command/survey.h"

#include "core/map.h"
#include "core/mem.h"

struct listener {
	bw_answer_fn fn;
	void *arg;
};

struct item {
	struct lane *lane;
	const char *repository, *what;
	struct listener *listeners;
	size_t count, capacity;
};

/* The questions to one registry; its queue is bounded, so they wait here for room in it. */
struct lane {
	struct bw_survey *survey;
	const char *registry;
	struct item **items;
	size_t count, capacity;
	size_t next; /* items[next..] are not asked yet */
	size_t open; /* asked and not answered */
};

struct bw_survey {
	struct bw_registry *registry;
	struct bw_map *lanes; /* by registry */
	struct bw_map *items; /* by registry, repository and tag or digest */
};

struct bw_survey *bw_survey_new(struct bw_registry *r)
{
	struct bw_survey *s = BW_NEW(struct bw_survey);

	s->registry = r;
	s->lanes = bw_map_new();
	s->items = bw_map_new();
	return s;
}

static void free_item(void *p)
{
	struct item *it = p;

	free(it->listeners);
	free(it);
}

static void free_lane(void *p)
{
	struct lane *lane = p;

	free(lane->items);
	free(lane);
}

void bw_survey_free(struct bw_survey *s)
{
	if (!s)
		return;
	bw_map_free(s->lanes, free_lane);
	bw_map_free(s->items, free_item);
	free(s);
}

static struct lane *lane_for(struct bw_survey *s, const char *registry)
{
	struct lane *lane = bw_map_get(s->lanes, registry);

	if (!lane) {
		lane = BW_NEW(struct lane);
		lane->survey = s;
		lane->registry = registry;
		(void)bw_map_put(s->lanes, registry, lane);
	}
	return lane;
}

void bw_survey_add(struct bw_survey *s, const char *registry, const char *repository, const char *what,
		   bw_answer_fn fn, void *arg)
{
	BW_AUTOFREE char *key = bw_asprintf("%s/%s %s", registry, repository, what);
	struct item *it = bw_map_get(s->items, key);

	if (!it) {
		struct lane *lane = lane_for(s, registry);

		it = BW_NEW(struct item);
		*it = (struct item){.lane = lane, .repository = repository, .what = what};
		(void)bw_map_put(s->items, key, it);
		BW_PUSH(lane->items, lane->count, lane->capacity) = it;
	}
	BW_PUSH(it->listeners, it->count, it->capacity) = (struct listener){.fn = fn, .arg = arg};
}

static void feed(struct lane *lane);

/* The lane first: what the listeners ask next about this answer may take all the room there is. */
static void answered(const struct bw_answer *a, void *arg)
{
	const struct item *it = arg;

	it->lane->open--;
	feed(it->lane);
	for (size_t i = 0; i < it->count; i++)
		it->listeners[i].fn(a, it->listeners[i].arg);
}

/* One at least is always asked: others fill the queue too, and nobody tells when they have left it. */
static void feed(struct lane *lane)
{
	struct bw_registry *r = lane->survey->registry;

	while (lane->next < lane->count && (lane->open == 0 || bw_registry_room(r, lane->registry) > 0)) {
		struct item *it = lane->items[lane->next++];

		lane->open++;
		bw_registry_ask(r, lane->registry, it->repository, it->what, NULL, answered, it);
	}
}

static void start_lane(const char *registry, void *lane, void *arg)
{
	(void)registry, (void)arg;
	feed(lane);
}

void bw_survey_start(struct bw_survey *s)
{
	bw_map_each(s->lanes, start_lane, NULL);
}
