#include "watch/sweep.h"

#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "image/manifest.h"

/*
 * One registry's share of the questions. The registry's own queue is bounded, so a lane feeds it: as many as
 * there is room for at the start, then one for each answer. Lanes do not know each other: a dead registry
 * delays nobody.
 */
struct lane {
	struct sweep *sweep;
	char *registry;
	size_t next; /* items[next..end) wait */
	size_t end;
};

/*
 * A question. Small, because there may be 100,000: the three texts lie behind each other in one allocation.
 */
struct item {
	struct lane *lane;
	int64_t base_id;
	char *repository;
	const char *tag;
	const char *digest; /* "" = never seen */
	bool in_trouble;
};

struct sweep {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_registry *registry;
	const struct bw_sweep_hooks *hooks;
	struct bw_sweep_result result;
	struct bw_timer *flush_timer;

	struct lane **lanes;
	size_t lane_count, lane_capacity;
	struct item *items;
	size_t item_count, item_capacity;
	size_t answered;
	void (*ask)(struct item *it); /* what this phase asks: the tag, or a manifest */

	struct bw_seen *seen; /* answers not yet written; `answer` is ours */
	size_t seen_count, seen_capacity;
	size_t noteworthy;	/* those of them with an answer of their own */
	struct bw_map *doubted; /* digests already asked for in the second phase */

	struct bw_err *err;
	int rc; /* the first failure of the store */
};

/* --- writing ---------------------------------------------------------------------------------- */

static void forget_seen(struct sweep *sw)
{
	for (size_t i = 0; i < sw->seen_count; i++)
		free((void *)(uintptr_t)sw->seen[i].answer);
	sw->seen_count = 0;
	sw->noteworthy = 0;
}

static void fail_sweep(struct sweep *sw, int rc)
{
	if (sw->rc == 0)
		sw->rc = rc;
	bw_loop_stop(sw->loop);
}

static void flush(struct sweep *sw)
{
	struct bw_record_counts counts = {0};
	int rc;

	bw_timer_stop(sw->flush_timer);
	if (sw->seen_count == 0 || sw->rc < 0)
		return;
	rc = bw_store_record(sw->store, sw->seen, sw->seen_count, &counts, sw->err);
	if (rc < 0) {
		fail_sweep(sw, rc);
		return;
	}
	sw->result.recorded.first += counts.first;
	sw->result.recorded.changed += counts.changed;
	sw->result.recorded.failed += counts.failed;
	forget_seen(sw);
}

static void flush_now(void *arg)
{
	flush(arg);
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool lane_has_room(const struct lane *lane)
{
	return bw_registry_room(lane->sweep->registry, lane->registry) > 0;
}

static void feed(struct lane *lane)
{
	struct sweep *sw = lane->sweep;

	while (lane->next < lane->end && lane_has_room(lane))
		sw->ask(&sw->items[lane->next++]);
}

static void item_done(struct item *it)
{
	struct sweep *sw = it->lane->sweep;

	sw->answered++;
	if (sw->hooks->progress)
		sw->hooks->progress(sw->answered, sw->item_count, sw->hooks->arg);
	if (sw->answered == sw->item_count || sw->rc < 0)
		bw_loop_stop(sw->loop);
	else
		feed(it->lane);
}

static bool is_unchanged(const struct item *it, const struct bw_answer *a)
{
	return !a->trouble && !it->in_trouble && strcmp(a->digest.text, it->digest) == 0;
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct item *it = arg;
	struct sweep *sw = it->lane->sweep;
	struct bw_seen seen = {.base_id = it->base_id, .at_ms = bw_clock_ms()};

	if (!is_unchanged(it, a)) {
		struct bw_answer *copy = BW_NEW(struct bw_answer);

		*copy = *a;
		seen.answer = copy;
		sw->noteworthy++;
	}
	BW_PUSH(sw->seen, sw->seen_count, sw->seen_capacity) = seen;
	if (sw->noteworthy >= BW_SWEEP_BATCH)
		flush(sw);
	else if (seen.answer && !bw_timer_is_armed(sw->flush_timer))
		bw_timer_start(sw->flush_timer, BW_SWEEP_FLUSH_MS);
	item_done(it);
}

static void ask_tag(struct item *it)
{
	bw_registry_ask(it->lane->sweep->registry, it->lane->registry, it->repository, it->tag, answered, it);
}

/*
 * The manifest behind a tag, to see whether a pin is one of its children. When it cannot be had the pin stays
 * undecided, which the verdict shows as unknown; the next sweep tries again.
 */
static void manifest_came(const struct bw_answer *a, const struct bw_buf *body, void *arg)
{
	struct item *it = arg;
	struct sweep *sw = it->lane->sweep;
	struct bw_manifest m;
	int rc;

	if (body && bw_manifest_parse(body->data, body->len, a->media_type, &m, NULL) == 0) {
		rc = bw_store_put_manifest(sw->store, &a->digest, &m, body->len, bw_clock_ms(), sw->err);
		bw_manifest_done(&m);
		sw->result.manifests++;
		if (rc < 0)
			fail_sweep(sw, rc);
	}
	item_done(it);
}

static void ask_manifest(struct item *it)
{
	struct bw_digest digest;

	/* It comes from the store, which only takes valid ones. */
	if (bw_digest_parse(it->digest, strlen(it->digest), &digest, NULL) < 0)
		item_done(it);
	else
		bw_registry_fetch(it->lane->sweep->registry, it->lane->registry, it->repository, &digest,
				  manifest_came, it);
}

/* --- the list of questions -------------------------------------------------------------------- */

static char *pack_texts(const char *a, const char *b, const char *c)
{
	size_t la = strlen(a) + 1, lb = strlen(b) + 1, lc = strlen(c) + 1;
	char *p = bw_alloc(la + lb + lc);

	memcpy(p, a, la);
	memcpy(p + la, b, lb);
	memcpy(p + la + lb, c, lc);
	return p;
}

/* The store lists by registry, so a lane is a run of items. */
static struct lane *lane_for(struct sweep *sw, const char *registry)
{
	struct lane *last = sw->lane_count ? sw->lanes[sw->lane_count - 1] : NULL;

	if (!last || strcmp(last->registry, registry) != 0) {
		last = BW_NEW(struct lane);
		last->sweep = sw;
		last->registry = bw_strdup(registry);
		last->next = sw->item_count;
		BW_PUSH(sw->lanes, sw->lane_count, sw->lane_capacity) = last;
	}
	last->end = sw->item_count + 1;
	return last;
}

static int add_item(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct sweep *sw = arg;
	struct item it = {.base_id = b->id, .in_trouble = b->in_trouble, .lane = lane_for(sw, b->registry)};

	(void)err;
	it.repository = pack_texts(b->repository, b->tag, b->digest ? b->digest : "");
	it.tag = it.repository + strlen(b->repository) + 1;
	it.digest = it.tag + strlen(b->tag) + 1;
	BW_PUSH(sw->items, sw->item_count, sw->item_capacity) = it;
	return 0;
}

/* Two tags may share a digest: its manifest is fetched once. */
static int add_doubt(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct sweep *sw = arg;

	if (bw_map_put(sw->doubted, b->digest, sw))
		return 0;
	return add_item(b, sw, err);
}

static void clear_items(struct sweep *sw)
{
	for (size_t i = 0; i < sw->item_count; i++)
		free(sw->items[i].repository);
	for (size_t i = 0; i < sw->lane_count; i++) {
		free(sw->lanes[i]->registry);
		free(sw->lanes[i]);
	}
	sw->item_count = 0;
	sw->lane_count = 0;
	sw->answered = 0;
}

/* Asks everything that is listed and waits for the last answer. */
static void run_phase(struct sweep *sw, void (*ask)(struct item *))
{
	sw->ask = ask;
	for (size_t i = 0; i < sw->lane_count; i++)
		feed(sw->lanes[i]);
	if (sw->answered < sw->item_count)
		bw_loop_run(sw->loop);
	sw->result.interrupted = sw->answered < sw->item_count && sw->rc == 0;
	flush(sw);
}

static int sweep_tags(struct sweep *sw)
{
	int rc = bw_store_each_wanted(sw->store, bw_clock_ms(), add_item, sw, sw->err);

	if (rc < 0)
		return rc;
	run_phase(sw, ask_tag);
	sw->result.asked = sw->answered;
	return sw->rc;
}

static int sweep_doubts(struct sweep *sw)
{
	int rc;

	clear_items(sw);
	rc = bw_store_each_doubt(sw->store, bw_clock_ms(), add_doubt, sw, sw->err);
	if (rc < 0)
		return rc;
	run_phase(sw, ask_manifest);
	return sw->rc;
}

static void end_sweep(struct sweep *sw)
{
	clear_items(sw);
	forget_seen(sw);
	free(sw->items);
	free(sw->lanes);
	free(sw->seen);
	bw_map_free(sw->doubted, NULL);
	bw_timer_free(sw->flush_timer);
}

int bw_sweep(struct bw_loop *l, struct bw_store *s, struct bw_registry *r, const struct bw_sweep_hooks *hooks,
	     struct bw_sweep_result *ret, struct bw_err *err)
{
	struct sweep sw = {.loop = l, .store = s, .registry = r, .hooks = hooks, .err = err};
	int rc;

	sw.flush_timer = bw_timer_new(l, flush_now, &sw);
	sw.doubted = bw_map_new();
	rc = sweep_tags(&sw);
	if (rc == 0 && !sw.result.interrupted)
		rc = sweep_doubts(&sw);
	end_sweep(&sw);
	if (rc < 0)
		return rc;
	sw.result.ended_ms = bw_clock_ms();
	*ret = sw.result;
	return 0;
}
