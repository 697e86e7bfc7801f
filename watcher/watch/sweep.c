#include "watch/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "doubts.h"
#include "ledger.h"
#include "round.h"
#include "watch/recall.h"

struct sweep {
	struct bw_loop *loop;
	struct bw_store *store;
	const struct bw_sweep_hooks *hooks;
	struct bw_sides sides;
	struct bw_ledger *ledger;
	struct bw_round *tags;
	struct bw_doubts *doubts;
	struct bw_sweep_result result;
	char **registries; /* that it is about */
	size_t registry_count, registry_capacity;
	bool is_running; /* the loop */
	bool has_ended;	 /* this phase */

	struct bw_err *err;
	int rc; /* the first failure of the store */
};

static void stop(struct sweep *sw)
{
	if (sw->is_running)
		bw_loop_stop(sw->loop);
}

static void fail_sweep(int rc, const struct bw_err *err, void *arg)
{
	struct sweep *sw = arg;

	if (sw->rc == 0) {
		sw->rc = rc;
		if (sw->err)
			*sw->err = *err;
	}
	if (sw->tags)
		bw_round_halt(sw->tags);
	stop(sw);
}

static void add_counts(const struct bw_seen *seen, size_t count, const struct bw_record_counts *c, void *arg)
{
	struct bw_record_counts *sum = &((struct sweep *)arg)->result.recorded;

	(void)seen;
	(void)count;
	sum->first += c->first;
	sum->changed += c->changed;
	sum->failed += c->failed;
}

static void show_progress(size_t done, size_t total, void *arg)
{
	const struct sweep *sw = arg;

	if (sw->hooks->progress)
		sw->hooks->progress(done, total, sw->hooks->arg);
}

/* --- what is held back ------------------------------------------------------------------------------ */

/* Where a digest came, only what is behind it is missing: that is recorded, as ever. */
static bool is_held_back(const struct bw_answer *a)
{
	return a && a->is_held_back && a->trouble == BW_TROUBLE_THROTTLED && !bw_digest_is_set(&a->digest);
}

/* The name of the registry is said beside it. */
static const char *why_held(const struct bw_answer *a, const char *registry)
{
	size_t len = strlen(registry);
	bool is_named = strncmp(a->message, registry, len) == 0 && strncmp(a->message + len, ": ", 2) == 0;

	return is_named ? a->message + len + 2 : a->message;
}

static void hold_back(struct bw_sweep_result *r, const char *registry, const struct bw_answer *a)
{
	for (size_t i = 0; i < r->held_count; i++)
		if (strcmp(r->held[i].registry, registry) == 0) {
			r->held[i].count++;
			return;
		}
	BW_PUSH(r->held, r->held_count, r->held_capacity) =
		(struct bw_sweep_held){bw_strdup(registry), 1, bw_strdup(why_held(a, registry))};
}

void bw_sweep_result_done(struct bw_sweep_result *r)
{
	for (size_t i = 0; i < r->held_count; i++) {
		free(r->held[i].registry);
		free(r->held[i].why);
	}
	free(BW_TAKE(r->held));
	r->held_count = r->held_capacity = 0;
}

static size_t count_held(const struct bw_sweep_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->held_count; i++)
		n += r->held[i].count;
	return n;
}

static int by_registry(const void *a, const void *b)
{
	const struct bw_sweep_held *x = a, *y = b;

	return strcmp(x->registry, y->registry);
}

/* --- the first phase: what does each tag point to? ------------------------------------------------- */

static void ask_tag(struct bw_round_item *it, void *arg)
{
	(void)arg;
	bw_probe_ask(&it->probe);
}

static void probed(struct bw_probe *p, const struct bw_probed *x)
{
	struct bw_round_item *it = bw_round_item_of(p);
	struct sweep *sw = bw_round_arg_of(it);

	if (x->rc < 0) {
		fail_sweep(x->rc, x->err, sw);
		return;
	}
	if (is_held_back(x->answer))
		hold_back(&sw->result, p->group->registry, x->answer);
	else
		bw_ledger_put(sw->ledger, p->base_id, x->answer, x->change);
	bw_round_answered(it);
}

static void end_phase(void *arg)
{
	struct sweep *sw = arg;

	sw->has_ended = true;
	stop(sw);
}

static int add_tag(const struct bw_base *b, void *arg, struct bw_err *err)
{
	(void)err;
	bw_round_add(((struct sweep *)arg)->tags, b, NULL);
	return 0;
}

/* Until the last answer, or until somebody stops the loop. */
static void run_loop(struct sweep *sw)
{
	sw->is_running = true;
	if (!sw->has_ended && sw->rc == 0)
		bw_loop_run(sw->loop);
	sw->is_running = false;
	sw->result.interrupted = !sw->has_ended && sw->rc == 0;
}

/* A registry that is asked for both clients has two lanes, side by side or with one of the same registry between them. */
static void note_registries(struct sweep *sw)
{
	const char *name;

	for (size_t i = 0; (name = bw_round_registry(sw->tags, i)); i++)
		if (sw->registry_count == 0 || strcmp(sw->registries[sw->registry_count - 1], name) != 0)
			BW_PUSH(sw->registries, sw->registry_count, sw->registry_capacity) = bw_strdup(name);
}

static int sweep_tags(struct sweep *sw)
{
	const struct bw_round_hooks hooks = {
		.ask = ask_tag, .progress = show_progress, .ended = end_phase, .probed = probed, .arg = sw};
	int rc;

	sw->tags = bw_round_new(&sw->sides, &hooks);
	rc = bw_store_each_wanted(sw->store, bw_clock_ms(), add_tag, sw, sw->err);
	if (rc < 0)
		return rc;
	bw_round_put_oldest_first(sw->tags);
	note_registries(sw);
	bw_round_start(sw->tags);
	run_loop(sw);
	sw->result.asked = bw_round_count_answered(sw->tags) - count_held(&sw->result);
	if (sw->result.held_count > 1)
		qsort(sw->result.held, sw->result.held_count, sizeof(*sw->result.held), by_registry);
	if (sw->rc == 0)
		bw_ledger_close(sw->ledger);
	return sw->rc;
}

/* --- the second: what is not known of two digests --------------------------------------------------- */

static void doubts_ended(int rc, const struct bw_err *err, void *arg)
{
	if (rc < 0)
		fail_sweep(rc, err, arg);
	else
		end_phase(arg);
}

static int sweep_doubts(struct sweep *sw)
{
	const struct bw_doubts_hooks hooks = {.progress = show_progress, .ended = doubts_ended, .arg = sw};

	bw_round_free(BW_TAKE(sw->tags)); /* all are answered: there may be 100,000 of them */
	sw->has_ended = false;
	sw->doubts = bw_doubts_new(&sw->sides, sw->store, &hooks);
	bw_doubts_start(sw->doubts);
	run_loop(sw);
	return sw->rc;
}

static int save_standings(struct sweep *sw, const struct bw_clients *c)
{
	return bw_recall_save(sw->store, c, (const char *const *)sw->registries, sw->registry_count,
			      bw_clock_ms(), sw->err);
}

static void end_sweep(struct sweep *sw)
{
	for (size_t i = 0; i < sw->registry_count; i++)
		free(sw->registries[i]);
	free(sw->registries);
	sw->result.bodies = bw_sides_bodies(&sw->sides);
	bw_sides_done(&sw->sides);
	bw_round_free(sw->tags);
	bw_doubts_free(sw->doubts);
	bw_ledger_free(sw->ledger);
}

int bw_sweep(struct bw_loop *l, struct bw_store *s, const struct bw_clients *c,
	     const struct bw_sweep_options *o, const struct bw_sweep_hooks *hooks,
	     struct bw_sweep_result *ret, struct bw_err *err)
{
	struct sweep sw = {.loop = l, .store = s, .hooks = hooks, .err = err};
	const struct bw_ledger_hooks ledger = {.recorded = add_counts, .failed = fail_sweep, .arg = &sw};
	int rc;

	sw.result.started_ms = bw_clock_ms();
	bw_sides_init(&sw.sides, l, s, c, o->settle_ms);
	sw.ledger = bw_ledger_new(l, s, &o->events, &ledger);
	rc = bw_recall_load(s, c, sw.result.started_ms, err);
	if (rc == 0)
		rc = sweep_tags(&sw);
	if (rc == 0 && !sw.result.interrupted)
		rc = sweep_doubts(&sw);
	if (rc == 0)
		rc = save_standings(&sw, c);
	end_sweep(&sw);
	if (rc < 0) {
		bw_sweep_result_done(&sw.result);
		return rc;
	}
	sw.result.ended_ms = bw_clock_ms();
	*ret = sw.result;
	return 0;
}
