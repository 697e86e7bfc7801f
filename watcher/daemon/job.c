#include "daemon/job.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "daemon/ids.h"
#include "daemon/tracked.h"
#include "store/build.h"

#define MAX_SAID 1000 /* warnings that are remembered of a source that is only read in parts */

struct bw_job *bw_job_new(struct bw_sources *all, struct bw_origin *o)
{
	struct bw_job *j = BW_NEW(struct bw_job);

	j->all = all;
	j->origin = *o;
	j->said = bw_map_new();
	*o = (struct bw_origin){0};
	return j;
}

static void free_branches(struct bw_job_branch *branches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(branches[i].name);
		free(branches[i].commit);
		bw_ids_done(&branches[i].ids);
	}
	free(branches);
}

void bw_job_give_up(struct bw_job *j)
{
	bw_intake_free(BW_TAKE(j->intake));
	bw_looked_free(BW_TAKE(j->looked));
	bw_ids_done(&j->fresh);
	j->at = 0;
}

void bw_job_free(struct bw_job *j)
{
	if (!j)
		return;
	bw_look_cancel(j->look);
	bw_fswatch_free(j->watch);
	bw_job_give_up(j);
	free_branches(j->branches, j->branch_count);
	bw_ids_done(&j->ids);
	free(j->problem);
	bw_map_free(j->said, NULL);
	bw_origin_done(&j->origin);
	free(j);
}

/* --- its builds ------------------------------------------------------------------------------------ */

void bw_job_add_ids(const struct bw_job *j, struct bw_ids *to)
{
	bw_ids_add_all(to, &j->ids);
	bw_ids_add_all(to, &j->fresh);
	for (size_t i = 0; i < j->branch_count; i++)
		bw_ids_add_all(to, &j->branches[i].ids);
}

/* What was just put stays as it is, because it goes with what was found; the next look puts it again. */
static bool has_fresh(const struct bw_job *j, struct bw_ids *some)
{
	struct bw_ids fresh = {0};
	bool has;

	bw_ids_add_all(&fresh, &j->fresh);
	has = bw_ids_lose(&fresh, some);
	bw_ids_done(&fresh);
	return has;
}

bool bw_job_lose(struct bw_job *j, struct bw_ids *lost)
{
	bool has = has_fresh(j, lost);

	j->is_doubtful = j->is_doubtful || has;
	if (bw_ids_lose(&j->ids, lost))
		has = true;
	for (size_t i = 0; i < j->branch_count; i++) {
		struct bw_job_branch *b = &j->branches[i];

		if (!bw_ids_lose(&b->ids, lost))
			continue;
		has = true;
		free(BW_TAKE(b->commit));
	}
	return has;
}

void bw_job_keep(struct bw_job *j)
{
	bw_ids_add_all(&j->ids, &j->fresh);
	bw_ids_sort(&j->ids);
}

int bw_job_presume(struct bw_job *j, struct bw_store *s, struct bw_err *err)
{
	int rc;

	if (j->was_seen || j->ids.count > 0)
		return 0;
	rc = bw_tracked_list(s, &j->origin, &j->ids, err);
	return rc < 0 ? rc : bw_store_choose_builds(s, j->ids.items, j->ids.count, err);
}

/* --- putting --------------------------------------------------------------------------------------- */

void bw_job_take(struct bw_job *j, struct bw_store *s, struct bw_looked *x)
{
	j->looked = x;
	j->at = 0;
	j->intake = bw_intake_new(s, &j->fresh);
}

int bw_job_put_some(struct bw_job *j, struct bw_err *err)
{
	int rc = 0;

	for (size_t n = 0; n < BW_INTAKE_BATCH && j->at < j->looked->count && rc == 0; n++)
		rc = bw_intake_add(j->intake, &j->looked->builds[j->at++].found, err);
	if (rc < 0)
		return rc;
	return j->at < j->looked->count ? 1 : bw_intake_write(j->intake, err);
}

/* --- what people are told -------------------------------------------------------------------------- */

/* Was all of it read anew, so that what is not said again is not so any more? */
static bool is_whole(const struct bw_looked *x)
{
	for (size_t i = 0; i < x->fetched.count; i++)
		if (x->fetched.branches[i].is_unchanged)
			return false;
	return !x->problem && !x->fetched.problem;
}

/* Each once, as long as it is so. */
static void say_warnings(struct bw_job *j)
{
	const struct bw_looked *x = j->looked;
	bool is_anew = is_whole(x) || bw_map_count(j->said) > MAX_SAID;
	struct bw_map *now = is_anew ? bw_map_new() : j->said;

	for (size_t i = 0; i < x->warning_count; i++) {
		bool is_new = !bw_map_get(j->said, x->warnings[i]);

		if (!bw_map_put(now, x->warnings[i], j) && is_new)
			bw_warn("%s", x->warnings[i]);
	}
	if (is_anew)
		bw_map_free(j->said, NULL);
	j->said = now;
}

static void note_since(const char *name, const char *problem, int64_t since_ms, void *arg)
{
	int64_t *since = arg;

	(void)name, (void)problem;
	if (*since == 0 || since_ms < *since)
		*since = since_ms;
}

/* A folder without a name is called by its path, which what is wrong with it begins with, too. */
static const char *without_name(const struct bw_job *j, const char *problem)
{
	size_t len = strlen(j->origin.shown);

	if (strncmp(problem, j->origin.shown, len) == 0 && strncmp(problem + len, ": ", 2) == 0)
		return problem + len + 2;
	return problem;
}

/* Once when it becomes so, once when it is over. */
static bool say_problem(struct bw_job *j, const char *problem, int64_t since_ms)
{
	const struct bw_log_context c = {.source = j->origin.shown};
	char since[BW_TIME_MAX];
	bool was = j->problem != NULL;

	if (problem && !was && since_ms)
		bw_log_at(BW_LOG_WARN, &c, "%s; what was known of it stays, since %s",
			  without_name(j, problem), bw_time_short(since_ms, since));
	else if (problem && !was)
		bw_log_at(BW_LOG_WARN, &c, "%s", without_name(j, problem));
	if (!problem && was)
		bw_log_at(BW_LOG_INFO, &c, "is there again");
	free(j->problem);
	j->problem = bw_strdup_null(problem);
	return was != (problem != NULL);
}

/* --- what the source has now ----------------------------------------------------------------------- */

struct settling {
	struct bw_job *job;
	struct bw_store *store;
	bw_job_drop_fn drop;
	void *arg;
	bool changed;
};

/* `now` is what it has; it is left sorted. What it has no more is let go. */
static int let_go(struct settling *x, struct bw_ids *now, struct bw_err *err)
{
	struct bw_ids old = {0};
	int rc = 0;

	bw_job_add_ids(x->job, &old);
	x->changed = bw_ids_subtract(&old, now) || x->changed;
	if (old.count > 0)
		rc = x->drop(&old, x->arg, err);
	bw_ids_done(&old);
	return rc;
}

/* When the source is built in another way than before, that is so for files that have no recipe any more, too. */
static int end_replaced(const struct settling *x, struct bw_err *err)
{
	const struct bw_job *j = x->job;

	if (j->has_other_builds)
		return bw_store_end_others(x->store, j->fresh.items, j->fresh.count, bw_clock_ms(), err);
	return bw_intake_end_replaced(j->intake, err);
}

/* Since when a folder is away, is known since we run. What the store knows of it is meant until it is back. */
static int settle_lost(struct settling *x, struct bw_err *err)
{
	struct bw_job *j = x->job;
	int rc = bw_job_presume(j, x->store, err);

	x->changed = say_problem(j, j->looked->problem, bw_clock_ms()) || x->changed;
	return rc;
}

static int settle_folder(struct settling *x, struct bw_err *err)
{
	struct bw_job *j = x->job;
	struct bw_ids now = {0};
	int rc;

	if (j->looked->problem)
		return settle_lost(x, err);
	bw_ids_add_all(&now, &j->fresh);
	rc = let_go(x, &now, err);
	if (rc == 0)
		rc = bw_intake_end_folder(x->store, j->origin.name, j->looked->root, err);
	if (rc == 0)
		rc = end_replaced(x, err);
	if (rc < 0) {
		bw_ids_done(&now);
		return rc;
	}
	bw_ids_done(&j->ids);
	j->ids = now;
	x->changed = true; /* the uses of a build may be others, though it is the same */
	(void)say_problem(j, NULL, 0);
	return 0;
}

static struct bw_job_branch *find_branch(const struct bw_job *j, const char *name)
{
	for (size_t i = 0; i < j->branch_count; i++)
		if (strcmp(j->branches[i].name, name) == 0)
			return &j->branches[i];
	return NULL;
}

static void count_files(const struct bw_fetched_branch *b, struct bw_job_branch *to)
{
	to->files += b->count;
	for (size_t i = 0; i < b->count; i++)
		to->unreadable += b->files[i].problem != NULL;
}

/*
 * Is it not enough that it has this commit? Some of what was known of the branch was lost, before this look into it was
 * over: the next one looks at its files again.
 */
static bool is_doubtful(const struct bw_job *j, const struct bw_fetched_branch *b,
			const struct bw_job_branch *old)
{
	return j->is_doubtful || (b->is_unchanged && old && !old->commit);
}

/* An unchanged branch keeps the builds that it had. */
static struct bw_job_branch *make_branches(const struct bw_job *j, bool *changed)
{
	const struct bw_fetched *f = &j->looked->fetched;
	struct bw_job_branch *now = bw_alloc((f->count + 1) * sizeof(*now));

	for (size_t i = 0; i < f->count; i++) {
		const struct bw_fetched_branch *b = &f->branches[i];
		const struct bw_job_branch *old = find_branch(j, b->branch);

		now[i].name = bw_strdup(b->branch);
		now[i].commit = is_doubtful(j, b, old) ? NULL : bw_strdup(b->commit);
		if (b->is_unchanged && old) {
			bw_ids_add_all(&now[i].ids, &old->ids);
			now[i].files = old->files;
			now[i].unreadable = old->unreadable;
		}
		count_files(b, &now[i]);
		*changed = *changed || !b->is_unchanged;
	}
	for (size_t i = 0; i < j->looked->count && i < j->fresh.count; i++)
		bw_ids_add(&now[j->looked->builds[i].branch].ids, j->fresh.items[i]);
	return now;
}

static char *problem_of(const struct bw_fetched *f)
{
	if (f->problem)
		return bw_strdup(f->problem);
	for (size_t i = 0; i < f->missing_count; i++)
		if (bw_fetched_is_lack(f, i))
			return bw_fetched_lack(f->missing[i]);
	return NULL;
}

/* The repository could not be asked: its branches are as they were. */
static int settle_unreachable(struct settling *x, struct bw_err *err)
{
	struct bw_job *j = x->job;
	struct bw_ids kept = {0}, all = {0};
	int64_t since_ms = 0;
	int rc = bw_tracked_settle(x->store, &j->looked->fetched, bw_clock_ms(), &kept, note_since, &since_ms,
				   err);

	bw_ids_add_all(&all, &kept);
	for (size_t i = 0; i < j->branch_count; i++)
		bw_ids_add_all(&all, &j->branches[i].ids);
	if (rc == 0)
		rc = let_go(x, &all, err);
	bw_ids_done(&all);
	if (rc < 0) {
		bw_ids_done(&kept);
		return rc;
	}
	bw_ids_done(&j->ids);
	j->ids = kept;
	x->changed = say_problem(j, j->looked->fetched.problem, since_ms) || x->changed;
	return 0;
}

static int settle_branches(struct settling *x, struct bw_job_branch *now, struct bw_err *err)
{
	struct bw_job *j = x->job;
	const struct bw_fetched *f = &j->looked->fetched;
	BW_AUTOFREE char *problem = problem_of(f);
	struct bw_ids all = {0}, kept = {0};
	int64_t since_ms = 0;
	int rc;

	for (size_t i = 0; i < f->count; i++)
		bw_ids_add_all(&all, &now[i].ids);
	rc = let_go(x, &all, err);
	bw_ids_done(&all);
	if (rc == 0)
		rc = bw_tracked_settle(x->store, f, bw_clock_ms(), &kept, note_since, &since_ms, err);
	if (rc == 0)
		rc = end_replaced(x, err);
	if (rc < 0) {
		bw_ids_done(&kept);
		return rc;
	}
	bw_ids_done(&j->ids);
	j->ids = kept;
	x->changed = say_problem(j, problem, since_ms) || x->changed;
	return 0;
}

static int settle_repository(struct settling *x, struct bw_err *err)
{
	struct bw_job *j = x->job;
	struct bw_job_branch *now;
	size_t count = j->looked->fetched.count;
	int rc;

	if (j->looked->fetched.problem)
		return settle_unreachable(x, err);
	now = make_branches(j, &x->changed);
	rc = settle_branches(x, now, err);
	free_branches(rc < 0 ? now : j->branches, rc < 0 ? count : j->branch_count);
	if (rc < 0)
		return rc;
	j->branches = now;
	j->branch_count = count;
	return 0;
}

/* What could not be looked into has what it had. */
static void count(struct bw_job *j)
{
	const struct bw_looked *x = j->looked;

	if (j->origin.path && !x->problem) {
		j->files = x->files;
		j->unreadable = x->unreadable;
		for (size_t i = 0; i < x->count; i++)
			j->unreadable += x->builds[i].found.problem != NULL;
	} else if (!j->origin.path) {
		j->files = j->unreadable = 0;
		for (size_t i = 0; i < j->branch_count; i++) {
			j->files += j->branches[i].files;
			j->unreadable += j->branches[i].unreadable;
		}
	}
}

/* For those who ask the store. What nobody looks into may hide anything. */
static int put_gaps(struct bw_job *j, struct bw_store *s, struct bw_err *err)
{
	struct bw_looked *x = j->looked;
	struct bw_gaps gaps = {0};
	int rc;

	if (x->problem)
		bw_gaps_add(&gaps, j->origin.path, x->problem, 0);
	else if (j->origin.path)
		bw_gaps_move(&x->gaps, &gaps);
	else
		bw_tracked_gaps_of(&x->fetched, &gaps);
	rc = bw_tracked_put_gaps(s, &j->origin, &gaps, bw_clock_ms(), err);
	bw_gaps_done(&gaps);
	return rc;
}

int bw_job_settle(struct bw_job *j, struct bw_store *s, bw_job_drop_fn drop, void *arg, bool *ret_changed,
		  struct bw_err *err)
{
	struct settling x = {.job = j, .store = s, .drop = drop, .arg = arg, .changed = !j->was_seen};
	int rc = j->origin.path ? settle_folder(&x, err) : settle_repository(&x, err);

	if (rc == 0)
		rc = put_gaps(j, s, err);
	if (rc < 0)
		return rc;
	say_warnings(j);
	count(j);
	j->was_seen = true;
	j->has_other_builds = false;
	j->is_doubtful = false;
	*ret_changed = x.changed;
	return 0;
}
