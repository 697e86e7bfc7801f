#include "watch/sweep.h"

#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "image/pin.h"
#include "judge.h"
#include "watch/classify.h"
#include "watch/inquiry.h"

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
	size_t open; /* questions that hold bodies in memory */
	bool is_feeding;
};

#define MAX_OPEN \
	16 /* of a lane: with the limits of an inquiry this bounds what a hostile registry can fill */

/*
 * A question. Small, because there may be 100,000: its texts lie behind each other in one allocation.
 */
struct item {
	struct lane *lane;
	int64_t base_id;
	char *repository;
	const char *tag;
	const char *digest; /* "" = never seen */
	uint32_t failures, waited;
	struct doubt *doubt; /* in the second phase */
};

/*
 * What is not known of two digests of a base: is the pin, that is not what the tag has, one of its children? Or: what
 * would a build for this platform, which stands on the other, get now?
 */
struct doubt {
	struct item *item;
	struct bw_bodies *bodies;
	struct bw_digest tag, other; /* what the tag has, and the pin or what the build stands on */
	struct bw_platform platform;
	char *name; /* of the platform; NULL: none is named */
	bool is_pin;
	char media_type[BW_MEDIA_TYPE_MAX]; /* with a pin */
	struct bw_classed classed;	    /* without */
};

struct sweep {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_registry *registry;
	const struct bw_sweep_hooks *hooks;
	struct bw_teller teller;
	struct bw_inquiries *inquiries;
	struct bw_judge *judge;
	struct bw_sweep_result result;
	struct bw_timer *flush_timer;

	struct lane **lanes;
	size_t lane_count, lane_capacity;
	struct item *items;
	size_t item_count, item_capacity;
	size_t answered;
	bool is_running;	      /* the loop */
	void (*ask)(struct item *it); /* what this phase asks: the tag, or what a doubt needs */

	struct bw_seen *seen; /* answers not yet written; `answer` is ours */
	size_t seen_count, seen_capacity;
	size_t noteworthy;     /* those of them with an answer of their own */
	struct bw_seen *moves; /* changes, which wait for the end; `answer` and `change` are ours */
	size_t move_count, move_capacity;

	struct bw_err *err;
	int rc; /* the first failure of the store */
};

/* --- writing ---------------------------------------------------------------------------------- */

static void forget(struct bw_seen *seen, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		free((void *)(uintptr_t)seen[i].answer);
		bw_judge_change_free((struct bw_change *)(uintptr_t)seen[i].change);
	}
	*count = 0;
}

static void forget_seen(struct sweep *sw)
{
	forget(sw->seen, &sw->seen_count);
	sw->noteworthy = 0;
}

static void stop(struct sweep *sw)
{
	if (sw->is_running)
		bw_loop_stop(sw->loop);
}

/* `err` NULL: it is in the sweep's own already. */
static void fail_sweep(struct sweep *sw, int rc, const struct bw_err *err)
{
	if (sw->rc == 0) {
		sw->rc = rc;
		if (sw->err && err)
			*sw->err = *err;
	}
	stop(sw);
}

static void flush(struct sweep *sw)
{
	struct bw_record_counts counts = {0};
	int rc;

	bw_timer_stop(sw->flush_timer);
	if (sw->seen_count == 0 || sw->rc < 0)
		return;
	rc = bw_store_record(sw->store, sw->seen, sw->seen_count, &sw->teller, &counts, sw->err);
	if (rc < 0) {
		fail_sweep(sw, rc, NULL);
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

/* The changes with all else that waits, in one transaction: the events of a build are made of what is in it. */
static void flush_all(struct sweep *sw)
{
	for (size_t i = 0; i < sw->move_count; i++)
		BW_PUSH(sw->seen, sw->seen_count, sw->seen_capacity) = sw->moves[i];
	sw->move_count = 0;
	flush(sw);
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool lane_has_room(const struct lane *lane)
{
	return lane->open < MAX_OPEN && bw_registry_room(lane->sweep->registry, lane->registry) > 0;
}

/* What ends inside of its own question would feed the lane again, as deep as the lane is long. */
static void feed(struct lane *lane)
{
	struct sweep *sw = lane->sweep;

	if (lane->is_feeding)
		return;
	lane->is_feeding = true;
	while (sw->rc == 0 && lane->next < lane->end && lane_has_room(lane))
		sw->ask(&sw->items[lane->next++]);
	lane->is_feeding = false;
}

static void item_done(struct item *it)
{
	struct sweep *sw = it->lane->sweep;

	sw->answered++;
	if (sw->hooks->progress)
		sw->hooks->progress(sw->answered, sw->item_count, sw->hooks->arg);
	if (sw->answered == sw->item_count || sw->rc < 0)
		stop(sw);
	else
		feed(it->lane);
}

/* --- the first phase: what does the tag point to? -------------------------------------------------- */

static void keep_seen(struct sweep *sw, const struct bw_seen *seen)
{
	BW_PUSH(sw->seen, sw->seen_count, sw->seen_capacity) = *seen;
	sw->noteworthy += seen->answer != NULL;
	if (sw->noteworthy >= BW_SWEEP_BATCH)
		flush(sw);
	else if (seen->answer && !bw_timer_is_armed(sw->flush_timer))
		bw_timer_start(sw->flush_timer, BW_SWEEP_FLUSH_MS);
}

static void keep_move(struct sweep *sw, const struct bw_seen *seen)
{
	BW_PUSH(sw->moves, sw->move_count, sw->move_capacity) = *seen;
	if (sw->move_count >= BW_SWEEP_CHANGES)
		flush_all(sw);
}

/* `a` NULL: as before. `change` becomes the sweep's. */
static void note(struct item *it, const struct bw_answer *a, struct bw_change *change)
{
	struct sweep *sw = it->lane->sweep;
	struct bw_seen seen = {.base_id = it->base_id, .at_ms = bw_clock_ms(), .change = change};

	if (a) {
		struct bw_answer *copy = BW_NEW(struct bw_answer);

		*copy = *a;
		seen.answer = copy;
	}
	if (change)
		keep_move(sw, &seen);
	else
		keep_seen(sw, &seen);
	item_done(it);
}

static bool has_digest(const struct item *it, const struct bw_answer *a)
{
	return strcmp(a->digest.text, it->digest) == 0;
}

static void judged(int rc, const struct bw_err *err, const struct bw_answer *a, struct bw_change *change,
		   void *arg)
{
	struct item *it = arg;

	if (rc < 0)
		fail_sweep(it->lane->sweep, rc, err);
	else
		note(it, a, change);
}

/* Of a base that was in trouble: should another process have recorded something else meanwhile, that is newer. */
static struct bw_change *as_before(const struct item *it)
{
	struct bw_change *change = BW_NEW(struct bw_change);

	if (bw_digest_parse(it->digest, strlen(it->digest), &change->from, NULL) < 0) {
		free(change);
		return NULL;
	}
	return change;
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct item *it = arg;
	const struct bw_case is = {
		.base_id = it->base_id,
		.registry = it->lane->registry,
		.repository = it->repository,
		.tag = it->tag,
		.digest = it->digest,
		.waited = it->waited,
		.open = &it->lane->open,
	};

	if (a->trouble || !it->digest[0]) {
		note(it, a, NULL);
	} else if (!has_digest(it, a)) {
		bw_judge_hear(it->lane->sweep->judge, &is, a, judged, it);
		feed(it->lane); /* it may wait for long, and others need not wait with it */
	} else {
		note(it, it->failures ? a : NULL, it->failures ? as_before(it) : NULL);
	}
}

static void ask_tag(struct item *it)
{
	bw_registry_ask(it->lane->sweep->registry, it->lane->registry, it->repository, it->tag, answered, it);
}

/* --- the second phase: what is not known of two digests -------------------------------------------- */

static void decide_doubt(struct bw_bodies *b, void *arg)
{
	struct doubt *d = arg;
	const struct bw_pin_question pin = {
		.pinned = &d->other,
		.tag = &d->tag,
		.tag_media_type = d->media_type,
		.want = &d->platform,
	};
	const struct bw_class_question q = {.from = &d->other, .to = &d->tag};
	struct bw_pinned ret;

	if (d->is_pin) {
		bw_pin_decide(b, &pin, &ret);
		return;
	}
	free(d->classed.moved);
	d->classed.moved = NULL;
	bw_classify(b, &q, &d->platform, 1, &d->classed);
}

/* What may pass is asked for again in the next sweep; until then it counts as a change. */
static int keep_comparison(struct sweep *sw, const struct doubt *d, struct bw_err *err)
{
	const struct bw_comparison c = {
		.from = d->other,
		.platform = d->name,
		.class = d->classed.class,
		.moved = d->classed.moved,
	};
	const struct bw_answer *why = d->classed.held_by;

	if (d->is_pin ||
	    (why && (bw_trouble_is_passing(why->trouble) || why->trouble == BW_TROUBLE_MALFORMED)))
		return 0;
	return bw_store_put_comparison(sw->store, d->item->base_id, &d->tag, &c, bw_clock_ms(), err);
}

/*
 * What came is in the store, where the verdict finds it. When the tag's manifest cannot be had a pin stays undecided,
 * which the verdict shows as unknown; the next sweep tries again.
 */
static void doubt_settled(int rc, const struct bw_err *err, void *arg)
{
	struct doubt *d = arg;
	struct item *it = d->item;
	struct sweep *sw = it->lane->sweep;
	struct bw_err mine = BW_ERR_INIT;

	if (rc == 0) {
		rc = keep_comparison(sw, d, &mine);
		err = &mine;
	}
	bw_bodies_free(d->bodies);
	d->bodies = NULL;
	it->lane->open--;
	if (rc < 0)
		fail_sweep(sw, rc, err);
	else
		item_done(it);
}

static void ask_doubt(struct item *it)
{
	struct sweep *sw = it->lane->sweep;
	const struct bw_body_origin origin = {.base_id = it->base_id,
					      .registry = it->lane->registry,
					      .repository = it->repository,
					      .is_old = true};

	it->lane->open++;
	it->doubt->item = it;
	it->doubt->bodies = bw_bodies_new();
	bw_inquire(sw->inquiries, &origin, it->doubt->bodies, decide_doubt, doubt_settled, it->doubt);
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
	struct item it = {.base_id = b->id,
			  .failures = b->failures,
			  .waited = b->waited,
			  .lane = lane_for(sw, b->registry)};

	(void)err;
	it.repository = pack_texts(b->repository, b->tag, b->digest ? b->digest : "");
	it.tag = it.repository + strlen(b->repository) + 1;
	it.digest = it.tag + strlen(b->tag) + 1;
	BW_PUSH(sw->items, sw->item_count, sw->item_capacity) = it;
	return 0;
}

static bool set_digest(struct bw_digest *to, const char *text)
{
	return text && bw_digest_parse(text, strlen(text), to, NULL) == 0;
}

/* The digests come from the store, which only takes valid ones. NULL: a base that did not answer just now. */
static int new_doubt(struct sweep *sw, const struct bw_base *base, const char *other, const char *platform,
		     struct doubt **ret, struct bw_err *err)
{
	struct doubt *d;
	int rc;

	*ret = NULL;
	if (base->failures > 0)
		return 0;
	rc = add_item(base, sw, err);
	if (rc < 0)
		return rc;
	d = sw->items[sw->item_count - 1].doubt = BW_NEW(struct doubt);
	if (!set_digest(&d->tag, base->digest) || !set_digest(&d->other, other))
		return bw_fail(err, BW_E_STORE, "a digest of %s/%s:%s in the database is damaged",
			       base->registry, base->repository, base->tag);
	d->name = bw_strdup_null(platform);
	if (platform && bw_platform_parse(platform, strlen(platform), &d->platform, NULL) < 0)
		d->platform = (struct bw_platform){0};
	*ret = d;
	return 0;
}

static int add_pin(const struct bw_doubt *x, void *arg, struct bw_err *err)
{
	struct doubt *d;
	int rc = new_doubt(arg, &x->base, x->pinned, x->platform, &d, err);

	if (rc < 0 || !d)
		return rc;
	d->is_pin = true;
	if (x->media_type && strlen(x->media_type) < sizeof(d->media_type))
		memcpy(d->media_type, x->media_type, strlen(x->media_type) + 1);
	return 0;
}

static int add_uncompared(const struct bw_uncompared *x, void *arg, struct bw_err *err)
{
	struct doubt *d;

	return new_doubt(arg, &x->base, x->from, x->platform, &d, err);
}

static void free_doubt(struct doubt *d)
{
	if (!d)
		return;
	bw_bodies_free(d->bodies);
	free(d->classed.moved);
	free(d->name);
	free(d);
}

static void clear_items(struct sweep *sw)
{
	for (size_t i = 0; i < sw->item_count; i++) {
		free(sw->items[i].repository);
		free_doubt(sw->items[i].doubt);
	}
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
	sw->is_running = true;
	if (sw->answered < sw->item_count && sw->rc == 0)
		bw_loop_run(sw->loop);
	sw->is_running = false;
	sw->result.interrupted = sw->answered < sw->item_count && sw->rc == 0;
	flush_all(sw);
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

/* One after the other: a base may be in both lists, and each is in the order of the registries. */
static int sweep_doubts(struct sweep *sw, bool pins)
{
	int rc;

	clear_items(sw);
	if (pins)
		rc = bw_store_each_doubt(sw->store, bw_clock_ms(), add_pin, sw, sw->err);
	else
		rc = bw_store_each_uncompared(sw->store, bw_clock_ms(), add_uncompared, sw, sw->err);
	if (rc < 0)
		return rc;
	run_phase(sw, ask_doubt);
	return sw->rc;
}

static void end_sweep(struct sweep *sw)
{
	sw->result.bodies = bw_inquiries_bodies(sw->inquiries);
	bw_judge_free(sw->judge);
	bw_inquiries_free(sw->inquiries);
	clear_items(sw);
	forget_seen(sw);
	forget(sw->moves, &sw->move_count);
	free(sw->items);
	free(sw->lanes);
	free(sw->seen);
	free(sw->moves);
	bw_timer_free(sw->flush_timer);
}

int bw_sweep(struct bw_loop *l, struct bw_store *s, struct bw_registry *r, const struct bw_sweep_options *o,
	     const struct bw_sweep_hooks *hooks, struct bw_sweep_result *ret, struct bw_err *err)
{
	struct sweep sw = {.loop = l, .store = s, .registry = r, .hooks = hooks, .err = err};
	int rc;

	sw.result.started_ms = bw_clock_ms();
	sw.flush_timer = bw_timer_new(l, flush_now, &sw);
	sw.inquiries = bw_inquiries_new(r, s);
	sw.judge = bw_judge_new(l, s, r, sw.inquiries, o->settle_ms);
	bw_event_teller(&o->events, &sw.teller);
	rc = sweep_tags(&sw);
	if (rc == 0 && !sw.result.interrupted)
		rc = sweep_doubts(&sw, false);
	if (rc == 0 && !sw.result.interrupted)
		rc = sweep_doubts(&sw, true);
	end_sweep(&sw);
	if (rc < 0)
		return rc;
	sw.result.ended_ms = bw_clock_ms();
	*ret = sw.result;
	return 0;
}
