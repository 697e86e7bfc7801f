/*
 * sources.c - see daemon/sources.h. A job per source (job.h) is looked into (look.h) when it is due (agenda.h); what was
 * found is put into the store a batch per turn, so that a first scan of thousands of files holds nothing else up.
 */
#include "daemon/sources.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "daemon/ids.h"
#include "daemon/job.h"
#include "store/build.h"

/* After the last change in a folder: an editor, or a checkout, makes many. */
#define QUIET_MS 500U

/* Folders are walked on the threads that names are resolved on, too. */
#define WALKS_AT_ONCE 2U

/* What ends within this time is told together. */
#define GATHER_MS 20U

struct bw_sources {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_git *git; /* NULL: no source needs it yet */
	char *state;
	struct bw_conf_poll poll;
	struct bw_sources_hooks hooks;
	struct bw_job **jobs;
	size_t count;
	size_t walks;		  /* under way */
	struct bw_timer *starter; /* of looks that are due */
	struct bw_timer *putter;  /* of the next batch */
	struct bw_timer *teller;
	struct bw_timer *patience;
	uint32_t patience_ms;
	bool is_impatient;     /* it does not wait for all any more */
	bool is_watching_hard; /* not all folders can be watched, which was said */
	bool has_news;
	bool is_in_doubt; /* what another process did to builds could not be read */
};

static void arm(struct bw_sources *x);

static uint32_t any_number(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		return 0;
	return n;
}

/* --- telling --------------------------------------------------------------------------------------- */

static bool all_seen(const struct bw_sources *x)
{
	for (size_t i = 0; i < x->count; i++)
		if (!x->jobs[i]->was_seen)
			return false;
	return true;
}

static void tell(void *arg)
{
	struct bw_sources *x = arg;

	if (!x->has_news || !(x->is_impatient || all_seen(x)))
		return;
	x->has_news = false;
	x->hooks.settled(x->hooks.arg);
}

static void tell_soon(struct bw_sources *x)
{
	x->has_news = true;
	if (!bw_timer_is_armed(x->teller))
		bw_timer_start(x->teller, GATHER_MS);
}

/* A server that accepts and then says nothing holds up nobody else's builds. */
static void lose_patience(void *arg)
{
	struct bw_sources *x = arg;
	struct bw_err err = BW_ERR_INIT;
	int rc = 0;

	if (all_seen(x))
		return;
	x->is_impatient = true;
	for (size_t i = 0; i < x->count && rc == 0; i++) {
		const struct bw_log_context c = {.source = x->jobs[i]->origin.shown};

		if (!x->jobs[i]->was_seen)
			bw_log_at(BW_LOG_INFO, &c, "takes its time; until then what was known of it counts");
		rc = bw_job_presume(x->jobs[i], x->store, &err);
	}
	if (rc < 0)
		x->hooks.failed(&err, x->hooks.arg);
	tell_soon(x);
}

static void be_patient(struct bw_sources *x)
{
	x->is_impatient = false;
	if (x->patience_ms > 0)
		bw_timer_start(x->patience, x->patience_ms);
}

/* --- chosen builds --------------------------------------------------------------------------------- */

/* Those that no other job holds. */
static int drop_ids(const struct bw_sources *x, const struct bw_job *of, const struct bw_ids *ids,
		    struct bw_err *err)
{
	struct bw_ids gone = {0}, held = {0};
	int rc;

	bw_ids_add_all(&gone, ids);
	for (size_t i = 0; i < x->count; i++)
		if (x->jobs[i] != of)
			bw_job_add_ids(x->jobs[i], &held);
	(void)bw_ids_subtract(&gone, &held);
	rc = bw_store_unchoose_builds(x->store, gone.items, gone.count, err);
	bw_ids_done(&gone);
	bw_ids_done(&held);
	return rc;
}

static int drop_of_job(const struct bw_ids *ids, void *arg, struct bw_err *err)
{
	const struct bw_job *j = arg;

	return drop_ids(j->all, j, ids, err);
}

static void drop_all(const struct bw_job *j)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_ids all = {0};

	bw_job_add_ids(j, &all);
	if (drop_ids(j->all, j, &all, &err) < 0)
		j->all->hooks.failed(&err, j->all->hooks.arg);
	bw_ids_done(&all);
}

/* --- watching folders ------------------------------------------------------------------------------ */

static void folder_changed(void *arg)
{
	struct bw_job *j = arg;

	bw_agenda_hurry(&j->agenda, bw_loop_now(j->all->loop));
	arm(j->all);
}

static void watching_is_hard(const struct bw_err *err, void *arg)
{
	struct bw_sources *x = ((struct bw_job *)arg)->all;

	if (!x->is_watching_hard)
		bw_warn("%s: changes are seen at the next rescan only", err->msg);
	x->is_watching_hard = true;
}

/* Where it is not there, it will come back below the first folder that is. */
static char *nearest(const char *path)
{
	char *at = bw_strdup(path);

	while (at[0] && at[1] && access(at, F_OK) < 0) {
		char *slash = at;

		for (char *p = at; *p; p++)
			if (*p == '/')
				slash = p;
		slash[slash == at] = '\0';
	}
	return at;
}

static void watch(struct bw_job *j)
{
	const struct bw_fswatch_hooks h = {
		.changed = folder_changed, .exhausted = watching_is_hard, .arg = j};
	const struct bw_looked *x = j->looked;
	BW_AUTOFREE char *near = NULL;
	const char *one[1];

	if (!j->origin.path)
		return;
	if (!j->watch)
		j->watch = bw_fswatch_new(j->all->loop, &h, QUIET_MS);
	if (x->problem) {
		near = nearest(j->origin.path);
		one[0] = near;
		bw_fswatch_set(j->watch, one, 1);
		return;
	}
	bw_fswatch_set(j->watch, (const char *const *)x->folders, x->folder_count);
}

/* --- the end of a look ----------------------------------------------------------------------------- */

static void end_turn(struct bw_job *j)
{
	const struct bw_sources *x = j->all;
	bool is_folder = j->origin.path != NULL;

	bw_job_give_up(j);
	bw_agenda_end(&j->agenda, bw_loop_now(x->loop), is_folder ? x->poll.rescan_ms : x->poll.every_ms,
		      is_folder ? 0 : x->poll.jitter_percent, any_number());
	arm(j->all);
}

/*
 * What was found is lost, but not that it is there: the next look finds it again. What was put of it is live, and ends
 * only when somebody lets it go.
 */
static void fail(struct bw_job *j, const struct bw_err *err)
{
	struct bw_sources *x = j->all;

	j->was_seen = true;
	bw_job_keep(j);
	end_turn(j);
	tell_soon(x);
	x->hooks.failed(err, x->hooks.arg);
}

static void settle(struct bw_job *j)
{
	struct bw_sources *x = j->all;
	struct bw_err err = BW_ERR_INIT;
	bool changed = false;

	if (bw_job_settle(j, x->store, drop_of_job, j, &changed, &err) < 0) {
		fail(j, &err);
		return;
	}
	watch(j);
	end_turn(j);
	if (changed || x->has_news)
		tell_soon(x);
}

/* One batch of one job per turn. */
static void put_some(void *arg)
{
	struct bw_sources *x = arg;
	struct bw_err err = BW_ERR_INIT;
	struct bw_job *j = NULL;
	int rc;

	for (size_t i = 0; i < x->count && !j; i++)
		if (x->jobs[i]->looked)
			j = x->jobs[i];
	if (!j)
		return;
	bw_timer_start(x->putter, 0);
	rc = bw_job_put_some(j, &err);
	if (rc < 0)
		fail(j, &err);
	else if (rc == 0)
		settle(j);
}

static void have_looked(struct bw_looked *found, void *arg)
{
	struct bw_job *j = arg;
	struct bw_sources *x = j->all;

	j->look = NULL;
	if (j->origin.path)
		x->walks--;
	bw_job_take(j, x->store, found);
	bw_timer_start(x->putter, 0);
	arm(x);
}

/* --- the beginning of a look ----------------------------------------------------------------------- */

static bool may_start(const struct bw_sources *x, const struct bw_job *j)
{
	return !j->agenda.is_busy && (!j->origin.path || x->walks < WALKS_AT_ONCE);
}

static void start(struct bw_job *j)
{
	struct bw_sources *x = j->all;
	BW_AUTOFREE struct bw_git_known *known = bw_realloc(NULL, j->branch_count + 1, sizeof(*known));
	size_t count = 0;

	for (size_t i = 0; i < j->branch_count; i++)
		if (j->branches[i].commit)
			known[count++] = (struct bw_git_known){.branch = j->branches[i].name,
							       .commit = j->branches[i].commit};
	bw_agenda_begin(&j->agenda, bw_loop_now(x->loop));
	x->walks += j->origin.path != NULL;
	j->look = bw_look_start(x->loop, x->git, &j->origin, known, count, have_looked, j);
}

static void start_due(void *arg)
{
	struct bw_sources *x = arg;
	uint64_t now = bw_loop_now(x->loop);

	if (x->is_in_doubt)
		bw_sources_look_again(x);
	for (size_t i = 0; i < x->count; i++)
		if (may_start(x, x->jobs[i]) && x->jobs[i]->agenda.next_ms <= now)
			start(x->jobs[i]);
	arm(x);
}

static void arm(struct bw_sources *x)
{
	uint64_t now = bw_loop_now(x->loop), next = UINT64_MAX;

	for (size_t i = 0; i < x->count; i++)
		if (may_start(x, x->jobs[i]) && x->jobs[i]->agenda.next_ms < next)
			next = x->jobs[i]->agenda.next_ms;
	if (next == UINT64_MAX)
		bw_timer_stop(x->starter);
	else
		bw_timer_start(x->starter, next > now ? next - now : 0);
}

/* --- the configuration ----------------------------------------------------------------------------- */

static void remove_job(struct bw_job *j)
{
	struct bw_sources *x = j->all;

	if (j->look && j->origin.path)
		x->walks--;
	bw_job_free(j);
}

/* The source is where the old one was, but other things count: until it is read, what is known of the old one does. */
static struct bw_job *replace(struct bw_job *old, struct bw_origin *o)
{
	struct bw_job *j = bw_job_new(old->all, o);

	bw_job_add_ids(old, &j->ids);
	j->has_other_builds = true;
	j->was_seen = old->was_seen;
	j->problem = BW_TAKE(old->problem);
	return j;
}

static int need_git(struct bw_sources *x, const struct bw_origins *o, struct bw_err *err)
{
	const struct bw_git_options options = {.state = x->state, .user_config = true};
	bool is_needed = false;

	for (size_t i = 0; i < o->count; i++)
		is_needed = is_needed || !o->items[i].path;
	return is_needed && !x->git ? bw_git_new(x->loop, &options, &x->git, err) : 0;
}

/* Takes the origins over. */
static void take_origins(struct bw_sources *x, struct bw_origins *o)
{
	BW_AUTOFREE struct bw_agenda_match *matches = bw_alloc((o->count + 1) * sizeof(*matches));
	BW_AUTOFREE const struct bw_origin **old = bw_realloc(NULL, x->count + 1, sizeof(void *));
	BW_AUTOFREE struct bw_job **before = x->jobs;
	size_t before_count = x->count;

	for (size_t i = 0; i < x->count; i++)
		old[i] = &x->jobs[i]->origin;
	bw_agenda_match(old, x->count, o, matches);
	x->jobs = bw_alloc((o->count + 1) * sizeof(void *));
	x->count = o->count;
	for (size_t i = 0; i < o->count; i++) {
		size_t from = matches[i].old;

		if (matches[i].is_same)
			x->jobs[i] = BW_TAKE(before[from]);
		else if (from != BW_AGENDA_NONE)
			x->jobs[i] = replace(before[from], &o->items[i]);
		else
			x->jobs[i] = bw_job_new(x, &o->items[i]);
	}
	for (size_t i = 0; i < before_count; i++) {
		if (!before[i])
			continue;
		drop_all(before[i]);
		remove_job(before[i]);
	}
}

static int set(struct bw_sources *x, const struct bw_conf *c, struct bw_err *err)
{
	struct bw_origins o;
	int rc = bw_origins_init(&o, c, err);

	if (rc == 0)
		rc = need_git(x, &o, err);
	if (rc < 0) {
		bw_origins_done(&o);
		return rc;
	}
	take_origins(x, &o);
	bw_origins_done(&o);
	x->poll = c->poll;
	be_patient(x);
	for (size_t i = 0; i < x->count; i++) {
		struct bw_job *j = x->jobs[i];

		bw_agenda_limit(&j->agenda, bw_loop_now(x->loop),
				j->origin.path ? x->poll.rescan_ms : x->poll.every_ms);
	}
	arm(x);
	return 0;
}

int bw_sources_new(struct bw_loop *l, struct bw_store *s, const char *state, const struct bw_conf *c,
		   const struct bw_sources_hooks *h, struct bw_sources **ret, struct bw_err *err)
{
	struct bw_sources *x = BW_NEW(struct bw_sources);
	int rc;

	*x = (struct bw_sources){
		.loop = l, .store = s, .state = bw_strdup(state), .hooks = *h, .has_news = true};
	x->starter = bw_timer_new(l, start_due, x);
	x->putter = bw_timer_new(l, put_some, x);
	x->teller = bw_timer_new(l, tell, x);
	x->patience = bw_timer_new(l, lose_patience, x);
	rc = bw_store_choose_none(s, err);
	if (rc == 0)
		rc = set(x, c, err);
	if (rc < 0) {
		bw_sources_free(x);
		return rc;
	}
	if (x->count == 0)
		tell_soon(x);
	*ret = x;
	return 0;
}

void bw_sources_free(struct bw_sources *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->count; i++)
		remove_job(x->jobs[i]);
	free(x->jobs);
	bw_git_free(x->git);
	bw_timer_free(x->starter);
	bw_timer_free(x->putter);
	bw_timer_free(x->teller);
	bw_timer_free(x->patience);
	free(x->state);
	free(x);
}

void bw_sources_set(struct bw_sources *x, const struct bw_conf *c)
{
	struct bw_err err = BW_ERR_INIT;

	if (set(x, c, &err) < 0)
		bw_error("%s: the sources stay as they were", err.msg);
	else
		tell_soon(x);
}

void bw_sources_limit_wait(struct bw_sources *x, uint32_t ms)
{
	x->patience_ms = ms;
	be_patient(x);
}

static void look_now(struct bw_job *j)
{
	if (j->agenda.is_busy)
		j->agenda.is_again = true;
	else
		j->agenda.next_ms = bw_loop_now(j->all->loop);
}

void bw_sources_rescan(struct bw_sources *x)
{
	for (size_t i = 0; i < x->count; i++)
		look_now(x->jobs[i]);
	arm(x);
}

static int note_lost(int64_t build_id, void *arg, struct bw_err *err)
{
	(void)err;
	bw_ids_add(arg, build_id);
	return 0;
}

void bw_sources_look_again(struct bw_sources *x)
{
	struct bw_ids lost = {0};
	int rc = bw_store_each_lost(x->store, note_lost, &lost, NULL);

	if (rc == 0)
		rc = bw_store_unchoose_builds(x->store, lost.items, lost.count, NULL);
	x->is_in_doubt = rc < 0;
	for (size_t i = 0; rc == 0 && lost.count > 0 && i < x->count; i++)
		if (bw_job_lose(x->jobs[i], &lost))
			look_now(x->jobs[i]);
	if (rc == 0 && lost.count > 0) {
		arm(x);
		tell_soon(x);
	}
	bw_ids_done(&lost);
}

void bw_sources_count(const struct bw_sources *x, struct bw_sources_counts *ret)
{
	*ret = (struct bw_sources_counts){0};
	for (size_t i = 0; i < x->count; i++) {
		ret->files += x->jobs[i]->files;
		ret->unreadable += x->jobs[i]->unreadable;
		ret->unreachable += x->jobs[i]->problem != NULL;
	}
}
