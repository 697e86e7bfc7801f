#include <stdlib.h>

#include "command/ask.h"
#include "command/command.h"
#include "command/gather.h"
#include "command/held.h"
#include "command/output.h"
#include "command/setup.h"
#include "command/state.h"
#include "command/wording.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/intake.h"
#include "daemon/telling.h"
#include "daemon/tracked.h"
#include "report/report.h"
#include "store/build.h"
#include "watch/sweep.h"

/* --- scan into the store ---------------------------------------------------------------------- */

struct scan {
	struct bw_store *store;
	struct bw_intake *intake;
	struct bw_gaps *gaps;
};

static int take_file(struct bw_found_build *x, void *arg, struct bw_err *err)
{
	const struct scan *s = arg;

	return bw_intake_add(s->intake, x, err);
}

static int take_folder(const char *source, const char *location, void *arg, struct bw_err *err)
{
	const struct scan *s = arg;
	int rc = bw_intake_write(s->intake, err);

	return rc < 0 ? rc : bw_intake_end_folder(s->store, source, location, err);
}

static void say_kept(const char *name, const char *problem, int64_t since_ms, void *arg)
{
	char since[BW_TIME_MAX];

	*(bool *)arg = true;
	bw_warn("%s: %s; what was known of it stays, since %s", name, problem,
		bw_time_short(since_ms, since));
}

/* Where something was known of it, that was said with since when. */
static void say_problems(const struct bw_fetched *f, bool is_said)
{
	if (f->problem && !is_said)
		bw_warn("%s: %s", f->origin->shown, f->problem);
	for (size_t i = 0; i < f->missing_count && !is_said; i++) {
		BW_AUTOFREE char *lack = bw_fetched_lack(f->missing[i]);

		if (bw_fetched_is_lack(f, i))
			bw_warn("%s: %s", f->origin->shown, lack);
	}
}

static int take_repository(const struct bw_fetched *f, void *arg, struct bw_err *err)
{
	const struct scan *s = arg;
	bool is_said = false;
	int rc = bw_intake_write(s->intake, err);

	if (rc == 0)
		rc = bw_tracked_settle(s->store, f, bw_clock_ms(), NULL, say_kept, &is_said, err);
	if (rc == 0)
		say_problems(f, is_said);
	return rc;
}

/* Its builds stay as they were known. */
static int take_lost(const struct bw_origin *o, void *arg, struct bw_err *err)
{
	const struct scan *s = arg;
	struct bw_ids ids = {0};
	int rc = bw_tracked_list(s->store, o, &ids, err);

	if (rc == 0)
		rc = bw_store_choose_builds(s->store, ids.items, ids.count, err);
	free(ids.items);
	return rc;
}

/* Those of the configuration are remembered. */
static int take_gaps(const struct bw_origin *o, bool is_configured, struct bw_gaps *g, void *arg,
		     struct bw_err *err)
{
	const struct scan *s = arg;
	int rc = is_configured ? bw_tracked_put_gaps(s->store, o, g, bw_clock_ms(), err) : 0;

	bw_gaps_move(g, s->gaps);
	return rc;
}

static int scan(const struct bw_args *a, struct bw_store *s, struct bw_gather_counts *ret,
		struct bw_gaps *ret_gaps, struct bw_err *err)
{
	struct scan x = {.store = s, .intake = bw_intake_new(s, NULL), .gaps = ret_gaps};
	BW_AUTOFREE char *state = bw_remote_state(a);
	const struct bw_gather_hooks hooks = {.file = take_file,
					      .folder = take_folder,
					      .repository = take_repository,
					      .lost = take_lost,
					      .gaps = take_gaps,
					      .git_state = state,
					      .arg = &x};
	int rc = bw_store_choose_none(s, err);

	if (rc == 0)
		rc = bw_gather(a, &hooks, ret, err);
	if (rc == 0)
		rc = bw_intake_write(x.intake, err); /* standard input ends no folder */
	if (rc == 0)
		rc = bw_intake_end_replaced(x.intake, err);
	bw_intake_free(x.intake);
	return rc;
}

/* --- ask -------------------------------------------------------------------------------------- */

static void show_progress(size_t done, size_t total, void *arg)
{
	bw_progress_show(arg, done, total);
}

static void say_counts(const struct bw_sweep_result *r, const struct bw_registry_counts *c)
{
	for (size_t i = 0; i < r->held_count; i++)
		bw_info("%zu base%s of %s not asked", r->held[i].count, bw_wording_plural(r->held[i].count),
			r->held[i].registry);
	bw_info("asked for %zu base%s: %llu HEAD, %llu GET, %llu token requests, %llu retries", r->asked,
		bw_wording_plural(r->asked), (unsigned long long)c->heads, (unsigned long long)c->gets,
		(unsigned long long)c->tokens, (unsigned long long)c->retries);
	if (c->mirrored > 0)
		bw_info("%llu of the answers came from mirrors", (unsigned long long)c->mirrored);
	if (r->bodies > 0)
		bw_info("%zu manifests and configurations fetched", r->bodies);
	bw_info("%zu seen for the first time, %zu moved, %zu could not be asked", r->recorded.first,
		r->recorded.changed, r->recorded.failed);
}

/* "mirror.lan of docker.io: 12 answers, 1 not usable (answered 500)" */
static void say_mirrors(const struct bw_registry *r)
{
	struct bw_mirror_facts m;

	for (size_t n = 0; bw_registry_mirror_look(r, n, &m); n++) {
		unsigned long long answers = m.answers, unusable = m.unusable;

		if (answers + unusable > 0)
			bw_info("mirror %s of %s: %llu answer%s, %llu not usable%s%s%s", m.mirror, m.registry,
				answers, bw_wording_plural(answers), unusable, *m.why ? " (" : "", m.why,
				*m.why ? ")" : "");
	}
}

static int sweep(const struct bw_args *a, struct bw_store *s, const struct bw_conf *conf,
		 const struct bw_event_options *events, struct bw_sweep_result *ret, struct bw_err *err)
{
	struct bw_progress *p = bw_progress_new(a, "asking");
	const struct bw_sweep_hooks hooks = {.progress = show_progress, .arg = p};
	const struct bw_sweep_options options = {.events = *events};
	struct bw_asker k;
	int rc = bw_asker_init(&k, a, conf, err);

	if (rc == 0)
		rc = bw_sweep(k.loop, s, &k.registries.clients, &options, &hooks, ret, err);
	bw_progress_free(p);
	if (rc == 0) {
		struct bw_registry_counts counts = bw_registry_count(k.registries.clients.own);

		say_counts(ret, &counts);
		say_mirrors(k.registries.clients.own);
	}
	bw_asker_done(&k);
	return rc;
}

/* What it sees is told as the daemon with this configuration would. */
static int sweep_and_tell(const struct bw_args *a, struct bw_store *s, const struct bw_conf *conf,
			  struct bw_sweep_result *ret, struct bw_err *err)
{
	struct bw_telling telling = {0};
	int rc = bw_telling_init(&telling, conf, err);

	if (rc == 0)
		rc = sweep(a, s, conf, &telling.events, ret, err);
	bw_telling_done(&telling);
	return rc;
}

/* --- tell ------------------------------------------------------------------------------------- */

static int tell(const struct bw_args *a, struct bw_store *s, const struct bw_sweep_result *r,
		const struct bw_gaps *gaps, struct bw_tally *ret, struct bw_err *err)
{
	struct bw_report_options o;
	struct bw_held *held = NULL;
	int rc = bw_held_new(s, r, &held, err);

	if (rc < 0)
		return rc;
	bw_output_init(a, &o);
	o.outlook = bw_held_outlook(held);
	o.checked_at_ms = r->ended_ms;
	o.gaps = gaps;
	o.interrupted_since_ms = r->interrupted ? r->started_ms : 0;
	rc = bw_report_write(s, &o, ret, err);
	bw_output_done(&o);
	bw_held_free(held);
	return rc < 0 ? rc : bw_output_flush(err);
}

static int check_and_tell(const struct bw_args *a, struct bw_store *s, const struct bw_conf *conf,
			  const struct bw_gaps *gaps, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_sweep_result result = {0};
	struct bw_tally tally = {0};
	int rc = sweep_and_tell(a, s, conf, &result, err);

	if (rc == 0)
		rc = tell(a, s, &result, gaps, &tally, err);
	bw_sweep_result_done(&result);
	if (rc < 0)
		return rc;
	*ret = bw_output_exit(a, &tally);
	if (result.interrupted) {
		bw_warn("interrupted: what was answered so far is recorded");
		*ret = BW_EXIT_INTERRUPTED;
	}
	return 0;
}

static int check(const struct bw_args *a, struct bw_store *s, const struct bw_conf *conf, enum bw_exit *ret,
		 struct bw_err *err)
{
	struct bw_gather_counts gathered = {0};
	struct bw_gaps gaps = {0};
	int rc = scan(a, s, &gathered, &gaps, err);

	if (rc == 0 && !gathered.interrupted && gathered.files == 0 && gaps.count == 0)
		bw_warn("no build files found");
	if (rc == 0 && gathered.interrupted)
		*ret = BW_EXIT_INTERRUPTED;
	else if (rc == 0)
		rc = check_and_tell(a, s, conf, &gaps, ret, err);
	bw_gaps_done(&gaps);
	return rc;
}

enum bw_exit bw_command_check(const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	enum bw_exit code = BW_EXIT_OK;
	struct bw_store *s = NULL;
	struct bw_conf *conf = NULL;
	/* Also with --db: events and registries go by it. Before anything is written. */
	int rc = bw_setup_load_again(a, &conf, &err);

	if (rc == 0)
		rc = bw_state_open(a, &s, &err);
	if (rc == 0)
		rc = check(a, s, conf, &code, &err);
	bw_store_close(s);
	bw_conf_free(conf);
	return rc < 0 ? bw_exit_with(&err) : code;
}
