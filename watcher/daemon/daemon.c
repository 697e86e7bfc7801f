#include "daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config/reload.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/journal.h"
#include "daemon/post.h"
#include "daemon/sources.h"
#include "daemon/states.h"
#include "daemon/telling.h"
#include "net/systemd.h"
#include "store/remind.h"
#include "store/state.h"
#include "watch/poller.h"

#define SLOW_TURN_MS 100     /* of the loop: brokers and the watchdog wait meanwhile */
#define REMIND_MS    3600000 /* how often it is looked for builds to be reminded of */
#define REMIND_BATCH 500     /* builds in a turn of the loop */
#define LOOK_MS	     5	     /* when it only waits for what is in flight */
#define BESIDE_MS    1000    /* between looks whether another process has written */
#define OWED_BATCH   500     /* builds that are asked for in one turn */
#define SET_BACK_MS  60000   /* of the wall clock, that is worth a word to the outbox */
#define SOURCES_MS   5000    /* how long the bases of what was read wait for sources that are slow */
#define DEAD_MS	     30000   /* at most, how long a dead registry is left alone */
#define SWAP_MS \
	60000 /* so long at most, for answers that are in flight when registries are configured anew */

struct bw_daemon {
	struct bw_store *store;
	struct bw_daemon_options options;
	struct bw_conf *conf;
	char *instance;
	struct bw_telling *telling;
	struct bw_event_options events; /* of it, where the poller finds them */
	struct bw_loop *loop;
	struct bw_systemd *systemd;
	struct bw_signal *on_int, *on_term, *on_hup;
	struct bw_registries registries, next; /* next: as soon as nothing is in flight */
	struct bw_sources *sources;
	struct bw_poller *poller; /* NULL: a single cycle */
	struct bw_states *states;
	struct bw_post *post;
	struct bw_journal *journal;
	struct bw_timer *remind;
	size_t reminded;	   /* builds, in the batches so far */
	struct bw_timer *beside;   /* events that another process has recorded */
	int64_t note;		   /* of what was written, as of the last look */
	int64_t last_ms;	   /* wall time of that look */
	struct bw_timer *look;	   /* whether what it waits for has ended */
	uint64_t patience_ends_ms; /* of that wait, as the loop's time */
	bool is_settled;	   /* all sources were looked into */
	bool is_stopping, is_swapping, was_interrupted;
};

/* --- the log -------------------------------------------------------------------------------------- */

static void noticed(const struct bw_poller_notice *n, void *arg)
{
	const struct bw_daemon *d = arg;

	bw_journal_notice(d->journal, n);
}

static void stopped(const char *registry, const char *reason, void *arg)
{
	(void)arg;
	bw_warn("%s: %s", registry, reason);
}

static void store_failed(const struct bw_err *err, void *arg)
{
	(void)arg;
	if (err)
		bw_error("%s; nothing is asked until that works again", err->msg);
	else
		bw_info("the database can be written again");
}

static void read_failed(const struct bw_err *err, void *arg)
{
	(void)arg;
	bw_error("%s", err->msg);
}

static void turn_was_slow(uint32_t ms, void *arg)
{
	(void)arg;
	bw_warn("a turn of the loop took %u ms: is the disk slow, or the machine busy?", (unsigned)ms);
}

static void show_status(const struct bw_daemon *d)
{
	struct bw_poller_counts polled = {0};
	struct bw_sources_counts found = {0};

	if (!d->poller || !d->sources)
		return;
	bw_poller_count(d->poller, &polled);
	bw_sources_count(d->sources, &found);
	bw_systemd_status(d->systemd, "watching %zu base%s of %zu build file%s", polled.bases,
			  polled.bases == 1 ? "" : "s", found.files, found.files == 1 ? "" : "s");
}

/* --- what one part tells the others ----------------------------------------------------------------- */

static void reload_bases(struct bw_daemon *d)
{
	struct bw_err err = BW_ERR_INIT;

	if (bw_poller_reload(d->poller, &err) < 0)
		bw_error("%s; new bases are asked for after the next scan", err.msg);
}

static void say_settled(const struct bw_daemon *d)
{
	struct bw_poller_counts polled;
	struct bw_sources_counts found;

	bw_poller_count(d->poller, &polled);
	bw_sources_count(d->sources, &found);
	bw_info("watching %zu base%s of %zu build file%s", polled.bases, polled.bases == 1 ? "" : "s",
		found.files, found.files == 1 ? "" : "s");
}

/* Nobody asks for state but brokers, and a pass over all of it is not for nothing. */
static void touch(struct bw_daemon *d, const int64_t *ids, size_t count)
{
	if (!bw_post_has_broker(d->post))
		return;
	if (count > 0)
		bw_states_touch(d->states, ids, count);
	else
		bw_states_touch_all(d->states);
}

static void settled(void *arg)
{
	struct bw_daemon *d = arg;
	bool is_first = !d->is_settled;

	d->is_settled = true;
	if (!d->poller) { /* a single cycle waits for the first time only */
		if (is_first)
			bw_loop_stop(d->loop);
		return;
	}
	reload_bases(d);
	touch(d, NULL, 0);
	bw_post_wake(d->post);
	if (is_first) {
		say_settled(d);
		bw_timer_start(d->remind, 0);
	}
	show_status(d);
}

static void recorded(const int64_t *ids, size_t count, void *arg)
{
	struct bw_daemon *d = arg;

	bw_post_wake(d->post);
	touch(d, ids, count);
}

/* True: there is more to do. */
static bool remind_some(struct bw_daemon *d)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_teller teller;
	size_t count = 0;
	bool more = false;

	bw_event_teller(&d->events, &teller);
	if (bw_store_remind(d->store, bw_clock_ms(), d->conf->reminders.every_ms, &teller, REMIND_BATCH,
			    &count, &more, &err) < 0)
		bw_error("%s; reminders wait", err.msg);
	d->reminded += count;
	if (count > 0)
		bw_post_wake(d->post);
	if (!more && d->reminded > 0) {
		bw_info("%zu build%s reminded of", d->reminded, d->reminded == 1 ? "" : "s");
		d->reminded = 0;
	}
	return more;
}

/* Not before it is known which builds are watched: settled() begins. */
static void remind(void *arg)
{
	struct bw_daemon *d = arg;

	if (d->is_settled)
		bw_timer_start(d->remind, remind_some(d) ? 0 : REMIND_MS);
}

/*
 * What is owed for our builds: a `check` of others has seen that a base of ours has moved, or an annotation has ended.
 * That the store cannot be written others say.
 */
static bool tell_owed(struct bw_daemon *d)
{
	struct bw_teller teller;
	size_t count = 0;
	bool more = false;

	if (!d->is_settled)
		return false;
	bw_event_teller(&d->events, &teller);
	(void)!bw_store_tell_pending(d->store, bw_clock_ms(), &teller, OWED_BATCH, &count, &more, NULL);
	if (count > 0)
		bw_post_wake(d->post);
	return more;
}

/* What a `check` beside us has recorded is ours to send. That the store cannot be read others say. */
static void look_beside(void *arg)
{
	struct bw_daemon *d = arg;
	int64_t now_ms = bw_clock_ms();
	bool has_changed = false;

	if (now_ms < d->last_ms - SET_BACK_MS) /* times of the next attempts may be hours away now */
		bw_post_hurry(d->post);
	d->last_ms = now_ms;
	if (bw_store_has_changed(d->store, &d->note, &has_changed, NULL) == 0 && has_changed) {
		bw_sources_look_again(d->sources);
		bw_post_wake(d->post);
	}
	bw_timer_start(d->beside, tell_owed(d) ? 0 : BESIDE_MS);
}

/* --- making it ------------------------------------------------------------------------------------ */

struct bw_schedule_options bw_daemon_schedule(const struct bw_conf *c)
{
	struct bw_schedule_options o = BW_SCHEDULE_DEFAULTS;

	o.every_ms = c->poll.every_ms;
	o.jitter_percent = (unsigned)c->poll.jitter_percent;
	o.distance_ms = (uint32_t)c->poll.minimum_distance_ms;
	if (o.backoff_ms < o.every_ms)
		o.backoff_ms = o.every_ms;
	return o;
}

/*
 * A dead registry is left alone within a sweep, but asked in the next one: what counts as a failure is a question that
 * was really asked.
 */
static uint32_t dead_ms_of(const struct bw_conf *c)
{
	return c->poll.every_ms / 2 < DEAD_MS ? (uint32_t)(c->poll.every_ms / 2) : DEAD_MS;
}

static int open_registries(const struct bw_daemon *d, const struct bw_conf *c, struct bw_registries *ret,
			   struct bw_err *err)
{
	struct bw_registries_given given = *d->options.given;

	if (!d->options.is_once)
		given.dead_ms = dead_ms_of(c);
	given.former = &d->registries;
	return bw_registries_open(d->loop, c, &given, ret, err);
}

/* `is_anew`: who could not be asked may be with what is configured now. */
static void make_poller(struct bw_daemon *d, bool is_anew)
{
	const struct bw_poller_options o = {.schedule = bw_daemon_schedule(d->conf),
					    .settle_ms = (uint32_t)d->conf->poll.settle_ms,
					    .events = &d->events,
					    .hurries_failed = is_anew};
	const struct bw_poller_hooks hooks = {.noticed = noticed,
					      .recorded = recorded,
					      .store_failed = store_failed,
					      .stopped = stopped,
					      .arg = d};

	d->poller = bw_poller_new(d->loop, d->store, &d->registries.clients, &o, &hooks);
}

static int make_telling(const struct bw_conf *c, struct bw_telling **ret, struct bw_err *err)
{
	struct bw_telling *t = BW_NEW(struct bw_telling);
	int rc = bw_telling_init(t, c, err);

	if (rc < 0) {
		bw_telling_done(t);
		free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

/* What names this watcher stays until it is started anew. */
static void use_telling(struct bw_daemon *d, struct bw_telling *t)
{
	d->events = t->events;
	d->events.instance = d->instance;
	if (d->telling) {
		bw_telling_done(d->telling);
		free(d->telling);
	}
	d->telling = t;
}

static int make_sources(struct bw_daemon *d, struct bw_err *err)
{
	const struct bw_sources_hooks hooks = {.settled = settled, .failed = read_failed, .arg = d};
	const char *db = bw_store_path(d->store), *slash = strrchr(db, '/');
	BW_AUTOFREE char *git = slash ? bw_asprintf("%.*s/git", (int)(slash - db), db) : bw_strdup("git");
	int rc = bw_sources_new(d->loop, d->store, git, d->conf, &hooks, &d->sources, err);

	if (rc == 0 && !d->options.is_once) /* a single cycle has nothing to do meanwhile */
		bw_sources_limit_wait(d->sources, SOURCES_MS);
	return rc;
}

static int put_sinks(struct bw_daemon *d, struct bw_err *err)
{
	return bw_store_put_sinks(d->store, d->telling->sinks, d->telling->sink_count, bw_clock_ms(), err);
}

static int make_post(struct bw_daemon *d, struct bw_err *err)
{
	const struct bw_post_options o = {.instance = d->instance, .is_once = d->options.is_once};
	int rc = bw_post_new(d->loop, d->store, d->states, &o, &d->post, err);

	return rc < 0 ? rc : bw_post_set(d->post, d->conf, NULL, err);
}

static int make_all(struct bw_daemon *d, struct bw_err *err)
{
	struct bw_telling *t = NULL;
	int rc = make_telling(d->conf, &t, err);

	if (rc < 0)
		return rc;
	use_telling(d, t);
	rc = put_sinks(d, err);
	if (rc == 0)
		rc = open_registries(d, d->conf, &d->registries, err);
	d->states = bw_states_new(d->loop, d->store, read_failed, d);
	if (rc == 0)
		rc = make_post(d, err);
	if (rc == 0)
		rc = make_sources(d, err);
	if (rc == 0 && !d->options.is_once)
		make_poller(d, false);
	return rc;
}

/* --- another configuration ------------------------------------------------------------------------ */

/* Nobody is asked until the answers that are in flight have come. */
static void begin_swap(struct bw_daemon *d, struct bw_registries *next)
{
	bw_registries_close(&d->next);
	d->next = *next;
	d->is_swapping = true;
	d->patience_ends_ms = bw_loop_now(d->loop) + SWAP_MS;
	bw_poller_drain(d->poller);
	bw_timer_start(d->look, 0);
}

static void end_swap(struct bw_daemon *d)
{
	d->is_swapping = false;
	bw_poller_free(d->poller);
	bw_registries_inherit(&d->next, &d->registries);
	bw_registries_close(&d->registries);
	d->registries = d->next;
	d->next = (struct bw_registries){0};
	make_poller(d, true);
	if (d->is_settled)
		reload_bases(d);
}

static bool has_log_in(const struct bw_conf *c)
{
	for (size_t i = 0; i < c->registries.count; i++)
		if (bw_secret_is_set(&c->registries.items[i].password))
			return true;
	return false;
}

static bool is_empty(const struct bw_conf_difference *x)
{
	return x->added.count + x->removed.count + x->changed.count == 0;
}

/* What is read once by clients and poller goes the same way. */
static bool must_swap(const struct bw_daemon *d, const struct bw_conf *c, const struct bw_conf_change *x)
{
	return !is_empty(&x->registries) || dead_ms_of(d->conf) != dead_ms_of(c) ||
	       d->conf->poll.settle_ms != c->poll.settle_ms;
}

/*
 * Clients know what they have learnt: who was refused, and who wants to be left alone. So they are made anew only when they
 * would be others. A password may be another one though its name is the same: that is seen when they are there.
 */
static int make_next(struct bw_daemon *d, const struct bw_conf *c, bool is_needed, struct bw_registries *next,
		     struct bw_err *err)
{
	int rc = 0;

	if (is_needed || has_log_in(c))
		rc = open_registries(d, c, next, err);
	if (rc == 0 && !is_needed && !next->has_other_logins)
		bw_registries_close(next);
	return rc;
}

static void say_change(const struct bw_conf_change *x)
{
	for (size_t i = 0; i < x->restart.count; i++)
		bw_warn("%s is another one in the configuration, and is only read at the start",
			x->restart.items[i]);
}

/* What cannot fail any more. The settle time is the poller's for good: so it is made anew with the registries. */
static void use_conf(struct bw_daemon *d, struct bw_conf *c, const struct bw_conf_change *x,
		     struct bw_registries *next)
{
	struct bw_conf *old = d->conf;
	struct bw_schedule_options schedule = bw_daemon_schedule(c);
	struct bw_err err = BW_ERR_INIT;

	d->conf = c;
	if (put_sinks(d, &err) < 0)
		bw_error("%s; events for new sinks wait until the next reload", err.msg);
	bw_sources_set(d->sources, c); /* always: the last one may not have been usable */
	if (next->clients.own) {
		bw_registries_use(next);
		begin_swap(d, next);
	} else if (x->poll) {
		bw_poller_set_schedule(d->poller, &schedule);
	}
	bw_timer_start(d->remind, 0);
	if (d->is_settled)
		touch(d, NULL, 0); /* a broker may be the first */
	bw_conf_free(old);
}

/* What may fail comes first; then nothing has changed. */
static int apply(struct bw_daemon *d, struct bw_conf *c, const struct bw_conf_change *x, struct bw_err *err)
{
	struct bw_registries next = {0};
	struct bw_telling *t = NULL;
	bool has_other_log_ins = bw_registries_reload(&d->registries);
	int rc = make_telling(c, &t, err);

	if (rc == 0)
		rc = make_next(d, c, has_other_log_ins || must_swap(d, c, x), &next, err);
	if (rc == 0)
		rc = bw_post_set(d->post, c, &x->sinks, err);
	if (rc == 0) {
		use_telling(d, t);
		use_conf(d, c, x, &next);
		return 0;
	}
	bw_registries_close(&next);
	if (t)
		bw_telling_done(t);
	free(t);
	return rc;
}

static void reload(struct bw_daemon *d)
{
	struct bw_conf_change x = {0};
	struct bw_conf *c = NULL;
	struct bw_err err = BW_ERR_INIT;
	int rc = d->options.reload(&c, d->options.arg, &err);

	if (rc == 0) {
		(void)bw_conf_compare(d->conf, c, &x);
		rc = apply(d, c, &x, &err);
		if (rc < 0)
			bw_conf_free(c);
	}
	if (rc < 0)
		bw_error("%s; what was configured before stays in force", err.msg);
	else
		bw_info("the configuration was read again");
	if (rc == 0)
		say_change(&x);
	bw_conf_change_done(&x);
}

static void on_reload(int signum, void *arg)
{
	struct bw_daemon *d = arg;

	(void)signum;
	if (d->is_stopping)
		return;
	bw_systemd_reloading(d->systemd);
	reload(d);
	bw_systemd_ready(d->systemd);
}

/* --- the end -------------------------------------------------------------------------------------- */

static bool is_stopped(const struct bw_daemon *d)
{
	return bw_poller_is_idle(d->poller) && bw_post_is_idle(d->post);
}

static void look_for_end(void *arg)
{
	struct bw_daemon *d = arg;
	bool is_over = bw_loop_now(d->loop) >= d->patience_ends_ms;

	if (is_over && d->poller)
		bw_poller_save(d->poller);
	if (d->is_stopping && (is_over || is_stopped(d)))
		bw_loop_stop(d->loop);
	else if (!d->is_stopping && d->is_swapping && (is_over || bw_poller_is_idle(d->poller)))
		end_swap(d);
	else if (!d->poller && (is_over || (bw_states_is_idle(d->states) && bw_post_is_finished(d->post))))
		bw_loop_stop(d->loop);
	else
		bw_timer_start(d->look, LOOK_MS);
}

static void stop(struct bw_daemon *d)
{
	bw_info("ending: what is in flight may end");
	d->is_stopping = true;
	bw_systemd_stopping(d->systemd);
	bw_sources_free(BW_TAKE(d->sources));
	bw_timer_stop(d->remind);
	bw_timer_stop(d->beside);
	bw_poller_drain(d->poller);
	bw_post_drain(d->post);
	d->patience_ends_ms = bw_loop_now(d->loop) + BW_DAEMON_GRACE_MS;
	bw_timer_start(d->look, 0);
}

static void on_end(int signum, void *arg)
{
	struct bw_daemon *d = arg;

	(void)signum;
	if (!d->poller || d->is_stopping) {
		d->was_interrupted = true;
		if (d->poller)
			bw_poller_save(d->poller);
		bw_loop_stop(d->loop);
	} else {
		stop(d);
	}
}

/* --- the whole ------------------------------------------------------------------------------------ */

static int make_loop(struct bw_daemon *d, struct bw_err *err)
{
	int rc = bw_loop_new(&d->loop, err);

	if (rc == 0)
		rc = bw_signal_new(d->loop, SIGINT, on_end, d, &d->on_int, err);
	if (rc == 0)
		rc = bw_signal_new(d->loop, SIGTERM, on_end, d, &d->on_term, err);
	if (rc == 0 && !d->options.is_once)
		rc = bw_signal_new(d->loop, SIGHUP, on_reload, d, &d->on_hup, err);
	if (rc < 0)
		return rc;
	d->systemd = bw_systemd_new(d->loop);
	d->remind = bw_timer_new(d->loop, remind, d);
	d->beside = bw_timer_new(d->loop, look_beside, d);
	d->look = bw_timer_new(d->loop, look_for_end, d);
	bw_loop_on_slow(d->loop, SLOW_TURN_MS, turn_was_slow, d);
	return 0;
}

int bw_daemon_new(struct bw_store *s, const struct bw_daemon_options *o, struct bw_daemon **ret,
		  struct bw_err *err)
{
	struct bw_daemon *d = BW_NEW(struct bw_daemon);
	int rc;

	d->store = s;
	d->options = *o;
	d->conf = o->conf;
	d->instance = bw_telling_instance(o->conf);
	d->journal = bw_journal_new();
	rc = make_loop(d, err);
	if (rc == 0)
		rc = make_all(d, err);
	if (rc < 0) {
		d->conf = NULL; /* it is the caller's still */
		bw_daemon_free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

void bw_daemon_free(struct bw_daemon *d)
{
	if (!d)
		return;
	bw_poller_free(d->poller);
	bw_registries_close(&d->registries);
	bw_registries_close(&d->next);
	bw_sources_free(d->sources);
	bw_post_free(d->post);
	bw_states_free(d->states);
	bw_journal_free(d->journal);
	bw_timer_free(d->remind);
	bw_timer_free(d->beside);
	bw_timer_free(d->look);
	bw_systemd_free(d->systemd);
	bw_signal_free(d->on_int);
	bw_signal_free(d->on_term);
	bw_signal_free(d->on_hup);
	bw_loop_free(d->loop);
	if (d->telling)
		bw_telling_done(d->telling);
	free(d->telling);
	free(d->instance);
	bw_conf_free(d->conf);
	free(d);
}

void bw_daemon_run(struct bw_daemon *d)
{
	bw_timer_start(d->beside, 0);
	bw_systemd_ready(d->systemd);
	bw_loop_run(d->loop);
	bw_info("ended");
}

static void deliver(struct bw_daemon *d)
{
	while (remind_some(d))
		; /* nobody else needs the loop */
	touch(d, NULL, 0);
	bw_post_wake(d->post);
	d->patience_ends_ms = bw_loop_now(d->loop) + BW_DAEMON_DELIVERY_MS;
	bw_timer_start(d->look, 0);
	bw_loop_run(d->loop);
}

int bw_daemon_run_once(struct bw_daemon *d, struct bw_sweep_result *ret, struct bw_err *err)
{
	const struct bw_sweep_options o = {.settle_ms = (uint32_t)d->conf->poll.settle_ms,
					   .events = d->events};
	const struct bw_sweep_hooks hooks = {0};
	int rc;

	*ret = (struct bw_sweep_result){0};
	if (!d->is_settled)
		bw_loop_run(d->loop);
	ret->interrupted = d->was_interrupted;
	if (d->was_interrupted)
		return 0;
	rc = bw_sweep(d->loop, d->store, &d->registries.clients, &o, &hooks, ret, err);
	if (rc < 0 || ret->interrupted)
		return rc;
	deliver(d);
	ret->interrupted = d->was_interrupted;
	return 0;
}
