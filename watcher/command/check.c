#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command/ask.h"
#include "command/command.h"
#include "command/gather.h"
#include "command/output.h"
#include "command/remember.h"
#include "command/setup.h"
#include "command/state.h"
#include "command/wording.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "report/report.h"
#include "store/build.h"
#include "watch/sweep.h"

/* Build files per transaction: bounds the memory, and a first scan is a few transactions. */
#define BATCH 64

/* --- scan into the store ---------------------------------------------------------------------- */

struct intake {
	struct bw_store *store;
	char *target; /* lower case: BuildKit compares stage names so */
	struct bw_build_scan scans[BATCH];
	struct bw_dockerfile files[BATCH]; /* what the scans point to */
	size_t count;
};

static void clear_batch(struct intake *in)
{
	for (size_t i = 0; i < in->count; i++) {
		const struct bw_build_scan *x = &in->scans[i];

		free((void *)(uintptr_t)x->source);
		free((void *)(uintptr_t)x->root);
		free((void *)(uintptr_t)x->path);
		free((void *)(uintptr_t)x->problem);
		bw_dockerfile_done(&in->files[i]);
	}
	in->count = 0;
}

static int write_batch(struct intake *in, struct bw_err *err)
{
	int64_t ids[BATCH];
	int rc = 0;

	if (in->count > 0)
		rc = bw_store_put_builds(in->store, in->scans, in->count, bw_clock_ms(), ids, err);
	clear_batch(in);
	return rc;
}

static int take_file(struct bw_gathered *g, void *arg, struct bw_err *err)
{
	struct intake *in = arg;
	struct bw_build_scan *x = &in->scans[in->count];

	*x = (struct bw_build_scan){
		.source = bw_strdup(g->source),
		.root = bw_strdup(g->root),
		.path = bw_strdup(g->path),
		.target = in->target,
		.is_template = g->is_template,
		.fingerprint = g->fingerprint,
		.problem = bw_strdup_null(g->problem),
	};
	if (g->file) {
		in->files[in->count] = *g->file;
		x->file = &in->files[in->count];
		*g->file = (struct bw_dockerfile){0};
	}
	in->count++;
	return in->count == BATCH ? write_batch(in, err) : 0;
}

/*
 * Only what is really not there any more has gone: a file that is excluded today, or not readable, has not.
 */
static bool is_gone(const char *location, void *arg)
{
	struct stat st;

	(void)arg;
	return lstat(location, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static int take_folder(const char *source, const char *location, void *arg, struct bw_err *err)
{
	struct intake *in = arg;
	int rc = write_batch(in, err);

	if (rc == 0)
		rc = bw_store_end_missing(in->store, source, location, is_gone, NULL, bw_clock_ms(), err);
	return rc;
}

static int take_repository(const struct bw_remote *r, void *arg, struct bw_err *err)
{
	struct intake *in = arg;
	int rc = write_batch(in, err);

	return rc < 0 ? rc : bw_remember_repository(in->store, r, bw_clock_ms(), err);
}

static int scan(const struct bw_args *a, struct bw_store *s, struct bw_gather_counts *ret, struct bw_err *err)
{
	struct intake *in = BW_NEW(struct intake);
	BW_AUTOFREE char *state = bw_remote_state(a);
	const struct bw_gather_hooks hooks = {.file = take_file,
					      .folder = take_folder,
					      .repository = take_repository,
					      .git_state = state,
					      .arg = in};
	int rc = bw_store_choose_none(s, err);

	in->store = s;
	in->target = bw_strdup(a->target ? a->target : "");
	bw_text_lower(in->target);
	if (rc == 0)
		rc = bw_gather(a, &hooks, ret, err);
	if (rc == 0)
		rc = write_batch(in, err); /* standard input ends no folder */
	clear_batch(in);
	free(in->target);
	free(in);
	return rc;
}

/* --- ask -------------------------------------------------------------------------------------- */

static void show_progress(size_t done, size_t total, void *arg)
{
	bw_progress_show(arg, done, total);
}

static void say_counts(const struct bw_sweep_result *r, const struct bw_registry_counts *c)
{
	bw_info("asked for %zu base%s: %llu HEAD, %llu GET, %llu token requests, %llu retries", r->asked,
		bw_wording_plural(r->asked), (unsigned long long)c->heads, (unsigned long long)c->gets,
		(unsigned long long)c->tokens, (unsigned long long)c->retries);
	if (r->bodies > 0)
		bw_info("%zu manifests and configurations fetched", r->bodies);
	bw_info("%zu seen for the first time, %zu moved, %zu could not be asked", r->recorded.first,
		r->recorded.changed, r->recorded.failed);
}

static int sweep(const struct bw_args *a, struct bw_store *s, struct bw_sweep_result *ret, struct bw_err *err)
{
	struct bw_progress *p = bw_progress_new(a, "asking");
	const struct bw_sweep_hooks hooks = {.progress = show_progress, .arg = p};
	BW_AUTOFREE char *instance = bw_setup_instance(NULL);
	const struct bw_sweep_options options = {.events = {.instance = instance}};
	struct bw_asker k;
	int rc = bw_asker_init(&k, a, err);

	if (rc == 0)
		rc = bw_sweep(k.loop, s, k.registry, &options, &hooks, ret, err);
	bw_progress_free(p);
	if (rc == 0) {
		struct bw_registry_counts counts = bw_registry_count(k.registry);

		say_counts(ret, &counts);
	}
	bw_asker_done(&k);
	return rc;
}

/* --- tell ------------------------------------------------------------------------------------- */

static int tell(const struct bw_args *a, struct bw_store *s, const struct bw_sweep_result *r,
		struct bw_tally *ret, struct bw_err *err)
{
	struct bw_report_options o;
	int rc;

	bw_output_init(a, &o);
	o.checked_at_ms = r->ended_ms;
	o.interrupted_since_ms = r->interrupted ? r->started_ms : 0;
	rc = bw_report_write(s, &o, ret, err);
	bw_output_done(&o);
	return rc < 0 ? rc : bw_output_flush(err);
}

static int check(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret, struct bw_err *err)
{
	struct bw_gather_counts gathered = {0};
	struct bw_sweep_result result = {0};
	struct bw_tally tally = {0};
	int rc = scan(a, s, &gathered, err);

	if (rc == 0 && gathered.interrupted) {
		*ret = BW_EXIT_INTERRUPTED;
		return 0;
	}
	if (rc == 0 && gathered.files == 0 && gathered.unreachable == 0)
		bw_warn("no build files found");
	if (rc == 0)
		rc = sweep(a, s, &result, err);
	if (rc == 0)
		rc = tell(a, s, &result, &tally, err);
	if (rc < 0)
		return rc;
	/* What could not be looked into may hide anything: unknown, not fresh. */
	tally.counted[BW_UNKNOWN] += gathered.unreadable;
	*ret = bw_output_exit(a, &tally);
	if (result.interrupted) {
		bw_warn("interrupted: what was answered so far is recorded");
		*ret = BW_EXIT_INTERRUPTED;
	}
	return 0;
}

enum bw_exit bw_command_check(const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	enum bw_exit code = BW_EXIT_OK;
	struct bw_store *s = NULL;
	int rc = bw_state_open(a, &s, &err);

	if (rc == 0)
		rc = check(a, s, &code, &err);
	bw_store_close(s);
	return rc < 0 ? bw_exit_with(&err) : code;
}
