#include "watch/poller.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "doubts.h"
#include "ledger.h"
#include "probe.h"
#include "standings.h"
#include "store/poll.h"
#include "watch/idmap.h"

#define MAX_COMPANIONS \
	200 /* asked at once because a base of their builds has moved: no storm for a common base */

struct groups;

struct question {
	struct bw_probe probe; /* first: the probe leads to the question */
	struct bw_poller *poller;
	struct groups *groups;
	struct question *next, **at; /* of those in flight */
};

/* The probes of one registry, for each client. */
struct groups {
	struct bw_probe_group own, strangers;
	char *registry;
	size_t flying;
};

struct bw_poller {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_poller_hooks hooks;
	struct bw_sides sides;
	struct bw_ledger *ledger;
	struct bw_schedule *schedule;
	struct bw_standings *standings;
	struct bw_map *groups; /* by registry */
	struct bw_timer *timer;
	struct bw_timer *again; /* after a failure of the store */
	struct question *flying;
	struct bw_idmap asking;	   /* the same by base */
	struct bw_idmap troubled;  /* bases whose trouble was told */
	struct bw_idmap moving;	   /* bases with a change that waits for the end of the sweep */
	struct bw_idmap unwritten; /* bases with an answer that the store does not have yet */
	struct bw_doubts *doubts;  /* the last ones; kept until the end of a sweep, out of their own calls */
	bool are_doubts_open;
	bool has_doubts; /* something came that may have left some */
	bool has_failed, is_draining;
	bool hurries_failed; /* with the next list */
	bool is_told;	     /* of the failure, and not yet of its end */
	uint64_t asked, sweeps;
};

static struct bw_schedule_now read_now(const struct bw_poller *p)
{
	return (struct bw_schedule_now){.wall_ms = bw_clock_ms(), .steady_ms = bw_loop_clock(p->loop)};
}

static void arm(struct bw_poller *p)
{
	int64_t delay = bw_schedule_delay(p->schedule, read_now(p));

	if (p->has_failed || p->is_draining || delay == INT64_MAX)
		bw_timer_stop(p->timer);
	else
		bw_timer_start(p->timer, (uint64_t)delay);
}

/* --- a store that fails --------------------------------------------------------------------------- */

static void store_failed(int rc, const struct bw_err *err, void *arg)
{
	struct bw_poller *p = arg;
	bool is_new = !p->is_told;

	(void)rc;
	p->is_told = true;
	p->has_failed = true;
	if (!bw_timer_is_armed(p->again))
		bw_timer_start(p->again, BW_POLLER_RETRY_MS);
	if (is_new)
		p->hooks.store_failed(err, p->hooks.arg);
}

static void flush_when_drained(struct bw_poller *p)
{
	if (p->is_draining && !p->flying && !p->has_failed)
		bw_ledger_close(p->ledger);
}

static void try_again(void *arg)
{
	struct bw_poller *p = arg;

	p->has_failed = false;
	bw_ledger_retry(p->ledger);
	flush_when_drained(p);
	arm(p);
}

/* --- an answer ------------------------------------------------------------------------------------ */

static void free_question(struct question *q)
{
	bw_probe_done(&q->probe);
	free(q);
}

static void end_question(struct question *q)
{
	*q->at = q->next;
	if (q->next)
		q->next->at = q->at;
	bw_idmap_remove(&q->poller->asking, q->probe.base_id);
	q->groups->flying--;
	free_question(q);
}

/* Told once, whoever has seen the beginning of it: the log of this process shall have it. */
static bool is_new_trouble(struct bw_poller *p, int64_t base_id)
{
	bool is_known = bw_idmap_get(&p->troubled, base_id) != NULL;

	if (!is_known)
		bw_idmap_put(&p->troubled, base_id, p);
	return !is_known;
}

static void notice(struct bw_poller *p, const struct bw_probe *x, const struct bw_probed *r)
{
	struct bw_poller_notice n = {.registry = x->group->registry,
				     .repository = x->repository,
				     .tag = x->tag,
				     .answer = r->answer};

	if (r->answer && r->answer->trouble) {
		if (!is_new_trouble(p, x->base_id))
			return;
		n.news = BW_NEWS_TROUBLE;
		p->hooks.noticed(&n, p->hooks.arg);
		return;
	}
	bw_idmap_remove(&p->troubled, x->base_id);
	if (!x->digest[0]) {
		n.news = BW_NEWS_FIRST;
	} else if (r->answer && strcmp(r->answer->digest.text, x->digest) != 0) {
		n.news = BW_NEWS_MOVED;
		n.change = r->change;
	} else if (x->failures > 0) {
		n.news = BW_NEWS_FINE;
		n.answer = NULL;
	} else {
		return;
	}
	p->hooks.noticed(&n, p->hooks.arg);
}

static int nudge(int64_t base_id, void *arg, struct bw_err *err)
{
	struct bw_poller *p = arg;

	(void)err;
	if (!bw_idmap_get(&p->moving, base_id)) /* that one is in the same record anyway */
		(void)bw_schedule_nudge(p->schedule, base_id, read_now(p));
	return 0;
}

/* What moved now may be in one request with what its builds stand on besides. */
static void nudge_companions(struct bw_poller *p, int64_t base_id)
{
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_store_each_companion(p->store, base_id, bw_clock_ms(), MAX_COMPANIONS, nudge, p, &err);

	if (rc < 0)
		store_failed(rc, &err, p);
}

static void settle_answer(struct bw_poller *p, const struct bw_probe *x, const struct bw_probed *r)
{
	const struct bw_answer *a = r->answer;

	notice(p, x, r);
	bw_schedule_done(p->schedule, x->base_id, a ? a->trouble : BW_TROUBLE_NONE, a ? a->retry_after_s : 0,
			 read_now(p));
	if (a && !a->trouble && x->digest[0] && !p->is_draining && strcmp(a->digest.text, x->digest) != 0)
		nudge_companions(p, x->base_id);
	if (a)
		bw_idmap_put(r->change ? &p->moving : &p->unwritten, x->base_id, p);
	bw_ledger_put(p->ledger, x->base_id, a, r->change);
}

/*
 * The client keeps the budget too (registry/budget.h), and the registry itself says 429 where others have used up what it
 * grants: neither is the fault of the base, which was not asked and has not failed. Where a digest came only what is
 * behind it is missing, and that is recorded.
 */
static bool is_held_back(const struct bw_answer *a, const struct bw_budget_plan *plan)
{
	return a && a->trouble == BW_TROUBLE_THROTTLED && !a->digest.text[0] && plan->is_known &&
	       plan->hold_ms > 0;
}

static uint64_t hold_of(const struct bw_answer *a, const struct bw_budget_plan *plan)
{
	uint64_t asked_for = (uint64_t)a->retry_after_s * 1000;

	return plan->hold_ms > asked_for ? plan->hold_ms : asked_for;
}

static void probed(struct bw_probe *x, const struct bw_probed *r)
{
	struct question *q = (struct question *)(void *)x;
	struct bw_poller *p = q->poller;
	struct bw_budget_plan plan;

	(void)bw_standings_hear(p->standings, x->group->side->registry, x->group->registry, read_now(p),
				&plan);
	if (r->rc == 0 && is_held_back(r->answer, &plan)) {
		bw_schedule_put_back(p->schedule, x->base_id, hold_of(r->answer, &plan), read_now(p));
	} else if (r->rc < 0) { /* asked again as if it had not answered */
		bw_schedule_done(p->schedule, x->base_id, BW_TROUBLE_TIMEOUT, 0, read_now(p));
		store_failed(r->rc, r->err, p);
	} else {
		settle_answer(p, x, r);
	}
	end_question(q);
	flush_when_drained(p);
	arm(p);
}

/* --- a question ----------------------------------------------------------------------------------- */

static void init_group(struct bw_probe_group *g, struct bw_side *side, char *registry)
{
	*g = (struct bw_probe_group){.side = side, .registry = registry, .done = probed};
}

static struct groups *groups_of(struct bw_poller *p, const char *registry)
{
	struct groups *g = bw_map_get(p->groups, registry);

	if (!g) {
		g = BW_NEW(struct groups);
		g->registry = bw_strdup(registry);
		init_group(&g->own, &p->sides.own, g->registry);
		init_group(&g->strangers, &p->sides.strangers, g->registry);
		(void)bw_map_put(p->groups, registry, g);
	}
	return g;
}

static void free_groups(void *value)
{
	struct groups *g = value;

	free(g->registry);
	free(g);
}

struct idle {
	struct groups **items;
	size_t count, capacity;
};

static void note_idle(const char *key, void *value, void *arg)
{
	struct groups *g = value;
	struct idle *x = arg;

	(void)key;
	if (g->flying == 0)
		BW_PUSH(x->items, x->count, x->capacity) = g;
}

/* Names of registries come from build files: those of yesterday must not stay for ever. */
static void drop_idle_groups(struct bw_poller *p)
{
	struct idle x = {0};

	bw_map_each(p->groups, note_idle, &x);
	for (size_t i = 0; i < x.count; i++) {
		(void)bw_map_remove(p->groups, x.items[i]->registry);
		free_groups(x.items[i]);
	}
	free(x.items);
}

static int make_question(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct bw_poller *p = arg;
	struct question *q = BW_NEW(struct question);

	(void)err;
	q->poller = p;
	q->groups = groups_of(p, b->registry);
	q->groups->flying++;
	bw_probe_init(&q->probe,
		      bw_sides_of(&p->sides, b) == &p->sides.own ? &q->groups->own : &q->groups->strangers,
		      b);
	bw_idmap_put(&p->asking, b->id, q);
	q->next = p->flying;
	q->at = &p->flying;
	if (q->next)
		q->next->at = &q->next;
	p->flying = q;
	return 0;
}

/* As the base is now: with what it answered last, and another process may have asked for it meanwhile. */
static void ask(struct bw_poller *p, int64_t id)
{
	const struct question *before = p->flying;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (bw_idmap_get(&p->moving, id)) { /* its change is not written yet, and would be seen once more */
		bw_schedule_done(p->schedule, id, BW_TROUBLE_NONE, 0, read_now(p));
		return;
	}
	if (bw_idmap_get(&p->unwritten, id))
		bw_ledger_flush(p->ledger);
	if (bw_idmap_get(&p->asking, id)) { /* taken as lost, but it is only slow: one question at a time */
		bw_schedule_done(p->schedule, id, BW_TROUBLE_TIMEOUT, 0, read_now(p));
		return;
	}
	rc = bw_store_find_wanted(p->store, id, bw_clock_ms(), make_question, p, &err);
	if (rc < 0) {
		bw_schedule_done(p->schedule, id, BW_TROUBLE_TIMEOUT, 0, read_now(p));
		store_failed(rc, &err, p);
	} else if (p->flying == before) { /* nobody wants it any more */
		bw_schedule_remove(p->schedule, id, read_now(p));
	} else {
		p->asked++;
		bw_probe_ask(&p->flying->probe);
	}
}

/* --- sweeps --------------------------------------------------------------------------------------- */

static void doubts_ended(int rc, const struct bw_err *err, void *arg)
{
	struct bw_poller *p = arg;

	p->has_doubts |= rc < 0;
	if (rc < 0)
		store_failed(rc, err, p);
	else if (bw_doubts_count_asked(p->doubts) > 0)
		p->hooks.recorded(NULL, 0, p->hooks.arg);
	p->are_doubts_open = false; /* not before: a hook may lead to look_for_doubts(), which frees them */
}

/* Where nothing can be in doubt this costs two questions to the store. */
static void look_for_doubts(struct bw_poller *p)
{
	const struct bw_doubts_hooks hooks = {.ended = doubts_ended, .arg = p};

	if (p->are_doubts_open || (p->doubts && bw_doubts_is_open(p->doubts)))
		return;
	bw_doubts_free(BW_TAKE(p->doubts));
	if (!p->has_doubts || p->is_draining || p->has_failed)
		return;
	p->has_doubts = false;
	p->doubts = bw_doubts_new(&p->sides, p->store, &hooks);
	p->are_doubts_open = true;
	bw_doubts_start(p->doubts);
}

static void recorded(const struct bw_seen *seen, size_t count, const struct bw_record_counts *c, void *arg)
{
	struct bw_poller *p = arg;
	int64_t *ids = NULL;
	size_t n = 0, capacity = 0;
	bool was_told = p->is_told;

	p->is_told = false;
	if (was_told)
		p->hooks.store_failed(NULL, p->hooks.arg);
	p->has_doubts |= c->first + c->changed > 0;
	for (size_t i = 0; i < count; i++)
		if (seen[i].answer) {
			bw_idmap_remove(&p->unwritten, seen[i].base_id);
			bw_idmap_remove(&p->moving, seen[i].base_id);
			BW_PUSH(ids, n, capacity) = seen[i].base_id;
		}
	if (n > 0)
		p->hooks.recorded(ids, n, p->hooks.arg);
	if (c->named > 0) /* what those builds stand on is known now */
		p->hooks.recorded(NULL, 0, p->hooks.arg);
	free(ids);
}

/* For people, and tried again after the next sweep: a store that fails is noticed by the ledger. */
static void save_standings(struct bw_poller *p)
{
	if (!p->has_failed)
		(void)!bw_standings_save(p->standings, read_now(p), NULL);
}

static void end_sweep(struct bw_poller *p)
{
	p->sweeps++;
	bw_ledger_turn(p->ledger);
	save_standings(p);
	look_for_doubts(p);
}

/* What is known is recorded before more is asked: a question starts from what the store has. */
static void tick(void *arg)
{
	struct bw_poller *p = arg;
	int64_t id = 0;

	if (!p->has_failed && bw_schedule_end_sweep(p->schedule, read_now(p)))
		end_sweep(p);
	while (!p->is_draining && !p->has_failed && bw_schedule_take(p->schedule, read_now(p), &id))
		ask(p, id);
	arm(p);
}

/* --- the list ------------------------------------------------------------------------------------- */

static int put(const struct bw_poll *x, void *arg, struct bw_err *err)
{
	struct bw_poller *p = arg;
	const struct bw_schedule_base b = {
		.id = x->id,
		.registry = x->registry,
		.repository = x->repository,
		.tag = x->tag,
		.checked_ms = x->checked_ms,
		.failures = x->failures,
		.trouble = x->trouble,
		.retry_after_s = x->retry_after_s,
	};

	(void)err;
	bw_schedule_put(p->schedule, &b, read_now(p));
	if (p->hurries_failed && x->failures > 0)
		(void)bw_schedule_nudge(p->schedule, x->id, read_now(p));
	return 0;
}

int bw_poller_reload(struct bw_poller *p, struct bw_err *err)
{
	int rc;

	rc = bw_standings_load(p->standings, read_now(p), err);
	if (rc < 0)
		return rc;
	bw_schedule_begin_list(p->schedule);
	rc = bw_store_each_poll(p->store, bw_clock_ms(), put, p, err);
	if (rc < 0)
		return rc;
	(void)bw_schedule_end_list(p->schedule, read_now(p));
	p->hurries_failed = false;
	drop_idle_groups(p);
	save_standings(p);
	p->has_doubts = true;
	if (!p->flying)
		look_for_doubts(p);
	arm(p);
	return 0;
}

void bw_poller_set_schedule(struct bw_poller *p, const struct bw_schedule_options *o)
{
	bw_schedule_set_options(p->schedule, o, read_now(p));
	arm(p);
}

/* --- the whole ------------------------------------------------------------------------------------ */

static void stopped(const char *registry, const char *reason, void *arg)
{
	struct bw_poller *p = arg;

	p->hooks.stopped(registry, reason, p->hooks.arg);
}

struct bw_poller *bw_poller_new(struct bw_loop *l, struct bw_store *s, const struct bw_clients *c,
				const struct bw_poller_options *o, const struct bw_poller_hooks *h)
{
	struct bw_poller *p = BW_NEW(struct bw_poller);
	const struct bw_ledger_hooks ledger = {.recorded = recorded, .failed = store_failed, .arg = p};
	const struct bw_schedule_hooks schedule = {.stopped = stopped, .arg = p};

	p->loop = l;
	p->store = s;
	p->hooks = *h;
	p->hurries_failed = o->hurries_failed;
	bw_sides_init(&p->sides, l, s, c, o->settle_ms);
	p->ledger = bw_ledger_new(l, s, o->events, &ledger);
	p->schedule = bw_schedule_new(&o->schedule, bw_store_uuid(s), &schedule, read_now(p));
	p->standings = bw_standings_new(s, p->schedule);
	p->groups = bw_map_new();
	p->timer = bw_timer_new(l, tick, p);
	p->again = bw_timer_new(l, try_again, p);
	return p;
}

void bw_poller_free(struct bw_poller *p)
{
	if (!p)
		return;
	bw_sides_done(&p->sides);
	for (struct question *q = p->flying, *next; q; q = next) {
		next = q->next;
		free_question(q);
	}
	bw_doubts_free(p->doubts);
	bw_ledger_free(p->ledger);
	bw_standings_free(p->standings);
	bw_schedule_free(p->schedule);
	bw_idmap_done(&p->asking);
	bw_idmap_done(&p->troubled);
	bw_idmap_done(&p->moving);
	bw_idmap_done(&p->unwritten);
	bw_map_free(p->groups, free_groups);
	bw_timer_free(p->timer);
	bw_timer_free(p->again);
	free(p);
}

void bw_poller_drain(struct bw_poller *p)
{
	p->is_draining = true;
	bw_timer_stop(p->timer);
	bw_doubts_halt(p->doubts);
	flush_when_drained(p);
}

void bw_poller_save(struct bw_poller *p)
{
	bw_ledger_close(p->ledger);
}

bool bw_poller_is_idle(const struct bw_poller *p)
{
	return !p->flying && bw_ledger_is_empty(p->ledger);
}

void bw_poller_count(const struct bw_poller *p, struct bw_poller_counts *ret)
{
	*ret = (struct bw_poller_counts){
		.bases = bw_schedule_count(p->schedule), .asked = p->asked, .sweeps = p->sweeps};
}
