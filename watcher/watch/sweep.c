#include "watch/sweep.h"

#include "core/clock.h"
#include "core/mem.h"
#include "doubts.h"
#include "ledger.h"
#include "round.h"

struct sweep {
	struct bw_loop *loop;
	struct bw_store *store;
	const struct bw_sweep_hooks *hooks;
	struct bw_sides sides;
	struct bw_ledger *ledger;
	struct bw_round *tags;
	struct bw_doubts *doubts;
	struct bw_sweep_result result;
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

static int sweep_tags(struct sweep *sw)
{
	const struct bw_round_hooks hooks = {
		.ask = ask_tag, .progress = show_progress, .ended = end_phase, .probed = probed, .arg = sw};
	int rc;

	sw->tags = bw_round_new(&sw->sides, &hooks);
	rc = bw_store_each_wanted(sw->store, bw_clock_ms(), add_tag, sw, sw->err);
	if (rc < 0)
		return rc;
	bw_round_start(sw->tags);
	run_loop(sw);
	sw->result.asked = bw_round_count_answered(sw->tags);
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

static void end_sweep(struct sweep *sw)
{
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
