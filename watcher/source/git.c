/*
 * git.c - see git.h. A job is a chain of steps, each one process of git with what has to be done when it has ended:
 *
 *	init -> ask (ls-remote) -> known (for-each-ref) -> [fetch -> known] -> tree (ls-tree) ...
 *	-> read (cat-file) -> [contents (fetch) -> read] -> [follow links -> read ...] -> told
 *
 * Only ask, fetch and contents talk to the server. Every other failure means that the repository on our disk is not what
 * it should be (a crash, a full disk, somebody's hand): it is thrown away and the job begins again, once.
 */
#include "source/git.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/digest.h"
#include "source/gitout.h"
#include "source/gitrun.h"
#include "source/gitstore.h"
#include "source/gitwork.h"

#define AT_ONCE		 4U
#define ASK_TIMEOUT_MS	 30000U
#define FETCH_TIMEOUT_MS 600000U
#define LOCAL_TIMEOUT_MS 120000U
#define MAX_FILE_BYTES	 (1ULL << 30)
#define MAX_REF_BYTES	 (32U << 20)
#define LOCK_POLL_MS	 100U

/* Our own names for what was fetched: those of branches may be in each other's way ("a" and, later, "a/b"). */
#define OUR_REFS   "refs/basewatch/"
#define REF_DIGITS 40

struct bw_git_job {
	struct bw_git *git;
	struct bw_git_job *next;
	struct bw_git_hooks hooks;
	/* copies of what was asked for */
	struct bw_giturl url;
	char **branches, **includes, **excludes, **files;
	size_t branch_count, include_count, exclude_count, file_count, known_count;
	char **known; /* branch, commit, branch, commit */
	char *folder;
	/* where it stands */
	bool is_running, is_second, is_whole, is_sha256, only_branches;
	int lock_fd; /* -1: not held */
	uint64_t lock_end_ms;
	struct bw_timer *timer;
	struct bw_gitrun run;
	char *repository;
	struct bw_process *process;
	const char *what; /* it does, for messages */
	int (*then)(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err);
	/* what it knows */
	struct bw_git_refs remote;
	char **missing; /* branches that are not there; NULL: HEAD */
	size_t missing_count, missing_capacity;
	struct bw_git_works works;
	size_t at; /* the work whose tree is listed */
	bool are_fetched;
	struct bw_git_objects objects;
	struct bw_err trouble; /* of an object */
};

struct bw_git {
	struct bw_loop *loop;
	struct bw_git_options options;
	char *state;
	struct bw_git_job *jobs; /* in the order of their start */
	unsigned running;
	struct bw_timer *starter;
};

/* --- the end of a job ------------------------------------------------------------------------------ */

static void free_list(char **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(items[i]);
	free(items);
}

/* Everything that was learned; what was asked for stays. */
static void forget(struct bw_git_job *j)
{
	bw_git_refs_done(&j->remote);
	bw_git_works_done(&j->works);
	free_list(j->missing, j->missing_count);
	j->missing = NULL;
	j->missing_count = j->missing_capacity = 0;
	j->at = 0;
	j->are_fetched = false;
}

static void free_job(struct bw_git_job *j)
{
	bw_process_cancel(j->process);
	bw_timer_free(j->timer);
	if (j->lock_fd >= 0)
		(void)close(j->lock_fd);
	forget(j);
	bw_gitout_objects_done(&j->objects);
	bw_giturl_done(&j->url);
	free_list(j->branches, j->branch_count);
	free_list(j->includes, j->include_count);
	free_list(j->excludes, j->exclude_count);
	free_list(j->files, j->file_count);
	free_list(j->known, 2 * j->known_count);
	free(j->folder);
	free(j->repository);
	free(j);
}

/* Out of the list; the next one may begin. */
static void take_out(struct bw_git_job *j)
{
	struct bw_git *g = j->git;
	struct bw_git_job **at = &g->jobs;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (j->is_running)
		g->running--;
	bw_timer_start(g->starter, 0);
}

static void tell_end(struct bw_git_job *j, int rc, const struct bw_err *err)
{
	struct bw_git_hooks h = j->hooks;

	take_out(j);
	if (rc == 0) {
		bw_git_works_tell(&j->works, &h);
		for (size_t i = 0; h.missing && i < j->missing_count; i++)
			h.missing(j->missing[i], h.arg);
	}
	free_job(j);
	h.end(rc, err, h.arg);
}

static void begin(struct bw_git_job *j);
static int take_branches(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err);
static int read_fetched(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err);

/* `rc` is that of a step. What is broken on our side is tried again from the start; whole,
 * when the server hands out no single objects (before its protocol 2). */
static void fail(struct bw_git_job *j, int rc, const struct bw_err *err)
{
	struct bw_err why = *err;

	if (rc == BW_E_PEER && !j->is_second && j->then != take_branches &&
	    bw_git_remove(j->repository, NULL) == 0) {
		j->is_second = true;
		j->is_whole = j->then == read_fetched;
		forget(j);
		begin(j);
		return;
	}
	tell_end(j, rc, &why);
}

/* --- one step -------------------------------------------------------------------------------------- */

typedef int (*then_fn)(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err);

static void ended(const struct bw_process_result *r, void *arg)
{
	struct bw_git_job *j = arg;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	j->process = NULL;
	rc = j->trouble.code != BW_OK ? bw_fail(&err, j->trouble.code, "%s: %s", j->what, j->trouble.msg)
				      : bw_gitrun_result(&j->run, r, j->what, &err);
	if (rc == 0)
		rc = j->then(j, r, &err);
	if (rc < 0)
		fail(j, rc, &err);
}

static int do_step(struct bw_git_job *j, const char *what, struct bw_gitrun_call c, then_fn then,
		   struct bw_err *err)
{
	j->what = what;
	j->then = then;
	j->trouble = BW_ERR_INIT;
	j->run.repository = j->repository;
	if (c.timeout_ms == 0)
		c.timeout_ms = LOCAL_TIMEOUT_MS;
	return bw_gitrun_start(j->git->loop, &j->run, &c, ended, j, &j->process, err);
}

/* --- reading contents ------------------------------------------------------------------------------ */

static int read_wanted(struct bw_git_job *j, struct bw_err *err);

static void take_object(size_t n, const struct bw_buf *content, bool is_missing, const char *problem,
			void *arg)
{
	struct bw_git_job *j = arg;

	/* Its result is in the record as well, which ends the reading. */
	if (j->trouble.code == BW_OK &&
	    bw_git_works_take(&j->works, n, content, is_missing, problem, &j->trouble) < 0)
		j->objects.is_broken = true;
}

static bool take_objects(const char *bytes, size_t len, void *arg)
{
	struct bw_git_job *j = arg;

	if (!bw_gitout_objects_feed(&j->objects, bytes, len) && j->trouble.code == BW_OK)
		(void)bw_fail(&j->trouble, BW_E_PEER, "not the output of git cat-file");
	return j->trouble.code == BW_OK;
}

static void list_wanted(const struct bw_git_works *w, struct bw_buf *ret)
{
	bw_buf_init(ret, w->wanted_count * BW_GIT_OID_MAX + 1);
	for (size_t i = 0; i < w->wanted_count; i++) {
		(void)bw_buf_adds(ret, w->wanted[i]);
		(void)bw_buf_addc(ret, '\n');
	}
}

static int read_fetched(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	(void)r;
	j->are_fetched = true;
	return read_wanted(j, err);
}

/* All that is missing in one request; `noop`: what we have of trees says nothing about contents. */
static int fetch_contents(struct bw_git_job *j, struct bw_err *err)
{
	static const char *const words[] = {"-c",
					    "fetch.negotiationAlgorithm=noop",
					    "fetch",
					    "--quiet",
					    "--no-tags",
					    "--no-write-fetch-head",
					    "--filter=blob:none",
					    "--stdin",
					    "basewatch",
					    NULL};
	BW_AUTOBUF struct bw_buf oids;

	list_wanted(&j->works, &oids);
	return do_step(j, "fetch build files",
		       (struct bw_gitrun_call){.words = words,
					       .is_remote = true,
					       .input = oids.data,
					       .input_len = oids.len,
					       .max_output = 1U << 20,
					       .timeout_ms = j->git->options.fetch_timeout_ms},
		       read_fetched, err);
}

/* Everything wanted was looked for. */
static int go_on(struct bw_git_job *j, struct bw_err *err)
{
	if (bw_git_works_keep_missing(&j->works) > 0) {
		if (!j->are_fetched)
			return fetch_contents(j, err);
		bw_git_works_give_up(&j->works);
	}
	j->are_fetched = false;
	if (!j->works.are_links_read) {
		bw_git_works_follow(&j->works);
		return read_wanted(j, err);
	}
	tell_end(j, 0, NULL);
	return 0;
}

static int have_read(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	(void)r;
	if (j->objects.n != j->works.wanted_count || j->objects.in_content)
		return bw_fail(err, BW_E_PEER, "read build files: git ended too early");
	return go_on(j, err);
}

/* Without the remote: what is missing is said to be missing, instead of fetched one by one. */
static int read_wanted(struct bw_git_job *j, struct bw_err *err)
{
	static const char *const words[] = {"cat-file", "--batch", "--buffer", NULL};
	BW_AUTOBUF struct bw_buf oids;

	list_wanted(&j->works, &oids);
	if (oids.len == 0)
		return go_on(j, err);
	bw_gitout_objects_done(&j->objects);
	bw_gitout_objects_init(&j->objects);
	return do_step(
		j, "read build files",
		(struct bw_gitrun_call){
			.words = words, .input = oids.data, .input_len = oids.len, .output = take_objects},
		have_read, err);
}

/* --- trees ----------------------------------------------------------------------------------------- */

static int list_tree(struct bw_git_job *j, struct bw_err *err);

static int take_tree(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	struct bw_git_work *x = &j->works.items[j->at];
	struct bw_buf text = *r->output;
	int rc;

	*(struct bw_buf *)(uintptr_t)r->output = (struct bw_buf){.max = 1}; /* taken over: it may be large */
	rc = bw_gitout_tree(&text, &x->tree, err);
	if (rc < 0)
		return bw_err_ctx(err, "branch %s", x->name);
	rc = bw_git_works_pick(&j->works, x, err);
	if (rc < 0)
		return bw_err_ctx(err, "branch %s", x->name);
	j->at++;
	return list_tree(j, err);
}

static int list_tree(struct bw_git_job *j, struct bw_err *err)
{
	const char *words[] = {"ls-tree", "-r", "-z", "--full-tree", NULL, NULL};

	while (j->at < j->works.count && j->works.items[j->at].is_unchanged)
		j->at++;
	if (j->at == j->works.count)
		return read_wanted(j, err);
	words[4] = j->works.items[j->at].commit;
	return do_step(j, "list files",
		       (struct bw_gitrun_call){.words = words, .max_output = BW_GIT_MAX_TREE_BYTES},
		       take_tree, err);
}

/* --- commits --------------------------------------------------------------------------------------- */

static void our_ref(const char *branch, char ret[REF_DIGITS + 1])
{
	struct bw_digest d;

	bw_digest_of(branch, strlen(branch), &d);
	memcpy(ret, d.text + strlen("sha256:"), REF_DIGITS);
	ret[REF_DIGITS] = '\0';
}

static int fetch_commits(struct bw_git_job *j, const struct bw_git_refs *ours, struct bw_err *err);

static const struct bw_git_ref *find_ours(const struct bw_git_refs *ours, const char *branch)
{
	char name[REF_DIGITS + 1];

	our_ref(branch, name);
	return bw_git_refs_find(ours, name);
}

static bool has_all(const struct bw_git_works *w, const struct bw_git_refs *ours)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct bw_git_ref *have = find_ours(ours, w->items[i].name);

		if (!w->items[i].is_unchanged && (!have || strcmp(have->oid, w->items[i].commit) != 0))
			return false;
	}
	return true;
}

/* It may have moved again since we asked: what came is what is looked at. */
static int take_arrived(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	struct bw_git_refs ours;
	int rc = bw_gitout_refs(bw_buf_str(r->output), r->output->len, OUR_REFS, &ours, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < j->works.count; i++) {
		struct bw_git_work *x = &j->works.items[i];
		const struct bw_git_ref *have = find_ours(&ours, x->name);

		if (!have && !x->is_unchanged)
			rc = bw_fail(err, BW_E_PEER, "branch %s was fetched and is not there", x->name);
		else if (!x->is_unchanged)
			memcpy(x->commit, have->oid, sizeof(x->commit));
	}
	bw_git_refs_done(&ours);
	return rc < 0 ? rc : list_tree(j, err);
}

static int list_ours(struct bw_git_job *j, then_fn then, struct bw_err *err)
{
	static const char *const words[] = {"for-each-ref", "--format=%(objectname) %(refname)", OUR_REFS,
					    NULL};

	return do_step(j, "list what is known",
		       (struct bw_gitrun_call){.words = words, .max_output = MAX_REF_BYTES}, then, err);
}

static int look_again(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	(void)r;
	return list_ours(j, take_arrived, err);
}

static int take_ours(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	struct bw_git_refs ours;
	int rc = bw_gitout_refs(bw_buf_str(r->output), r->output->len, OUR_REFS, &ours, err);

	if (rc < 0)
		return rc;
	rc = has_all(&j->works, &ours) ? list_tree(j, err) : fetch_commits(j, &ours, err);
	bw_git_refs_done(&ours);
	return rc;
}

/* By standard input: so many branches need not fit into arguments, and no name can look like an option. */
static int fetch_commits(struct bw_git_job *j, const struct bw_git_refs *ours, struct bw_err *err)
{
	const char *words[] = {"fetch",	    "--quiet", "--no-tags", "--no-write-fetch-head",
			       "--depth=1", "--stdin", "basewatch", "--filter=blob:none",
			       NULL};
	BW_AUTOBUF struct bw_buf specs;

	bw_buf_init(&specs, MAX_REF_BYTES);
	if (j->is_whole)
		words[7] = NULL;
	for (size_t i = 0; i < j->works.count; i++) {
		const struct bw_git_work *x = &j->works.items[i];
		const struct bw_git_ref *have = find_ours(ours, x->name);
		char name[REF_DIGITS + 1];

		if (x->is_unchanged || (have && strcmp(have->oid, x->commit) == 0))
			continue;
		our_ref(x->name, name);
		(void)bw_buf_addf(&specs, "+%s%s:" OUR_REFS "%s\n",
				  strcmp(x->name, "HEAD") == 0 ? "" : "refs/heads/", x->name, name);
	}
	return do_step(j, "fetch",
		       (struct bw_gitrun_call){.words = words,
					       .is_remote = true,
					       .input = specs.data,
					       .input_len = specs.len,
					       .max_output = 1U << 20,
					       .timeout_ms = j->git->options.fetch_timeout_ms},
		       look_again, err);
}

/* --- branches -------------------------------------------------------------------------------------- */

static void add_missing(struct bw_git_job *j, const char *branch)
{
	BW_PUSH(j->missing, j->missing_count, j->missing_capacity) = bw_strdup_null(branch);
}

static int choose_head(struct bw_git_job *j, struct bw_err *err)
{
	const struct bw_git_refs *r = &j->remote;
	const struct bw_git_ref *x = r->head ? bw_git_refs_find(r, r->head) : NULL;

	if (x)
		return bw_git_works_add(&j->works, x->name, x->oid, err);
	if (r->head_oid[0])
		return bw_git_works_add(&j->works, "HEAD", r->head_oid, err);
	add_missing(j, NULL);
	return 0;
}

static int choose_matching(struct bw_git_job *j, const char *pattern, struct bw_err *err)
{
	bool is_pattern = strpbrk(pattern, "*?[") != NULL;
	bool found = false;
	int rc = 0;

	for (size_t i = 0; i < j->remote.count && rc == 0; i++) {
		const struct bw_git_ref *x = &j->remote.items[i];

		if (is_pattern ? !bw_text_glob(pattern, x->name) : strcmp(pattern, x->name) != 0)
			continue;
		found = true;
		rc = bw_git_works_add(&j->works, x->name, x->oid, err);
	}
	if (!found)
		add_missing(j, pattern);
	return rc;
}

static void mark_unchanged(struct bw_git_job *j)
{
	for (size_t i = 0; i < j->works.count; i++)
		j->works.items[i].is_unchanged = j->only_branches;
	for (size_t i = 0; i < j->works.count; i++)
		for (size_t k = 0; k < j->known_count; k++)
			if (strcmp(j->works.items[i].name, j->known[2 * k]) == 0 &&
			    strcmp(j->works.items[i].commit, j->known[2 * k + 1]) == 0)
				j->works.items[i].is_unchanged = true;
}

static bool is_all_unchanged(const struct bw_git_works *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (!w->items[i].is_unchanged)
			return false;
	return true;
}

static int prepare(struct bw_git_job *j, struct bw_err *err);

static int take_branches(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	int rc = bw_gitout_refs(bw_buf_str(r->output), r->output->len, "refs/heads/", &j->remote, err);

	if (rc < 0)
		return bw_err_ctx(err, "list branches");
	if (j->branch_count == 0)
		rc = choose_head(j, err);
	for (size_t i = 0; i < j->branch_count && rc == 0; i++)
		rc = strcmp(j->branches[i], "HEAD") == 0 ? choose_head(j, err)
							 : choose_matching(j, j->branches[i], err);
	if (rc < 0)
		return rc;
	mark_unchanged(j);
	if (is_all_unchanged(&j->works)) {
		tell_end(j, 0, NULL);
		return 0;
	}
	if (!j->is_sha256 && strlen(j->works.items[0].commit) == 64) {
		j->is_sha256 = true;
		forget(j);
		return prepare(j, err);
	}
	return list_ours(j, take_ours, err);
}

static int ask(struct bw_git_job *j, const struct bw_process_result *r, struct bw_err *err)
{
	static const char *const words[] = {"ls-remote", "--quiet",	 "--symref", "basewatch",
					    "HEAD",	 "refs/heads/*", NULL};

	(void)r;
	return do_step(j, "list branches",
		       (struct bw_gitrun_call){.words = words,
					       .is_remote = true,
					       .max_output = MAX_REF_BYTES,
					       .timeout_ms = j->git->options.ask_timeout_ms},
		       take_branches, err);
}

/* --- the repository -------------------------------------------------------------------------------- */

static int prepare(struct bw_git_job *j, struct bw_err *err)
{
	const char *words[] = {"init", "--quiet", "--bare", "--template=", "--object-format=sha1", NULL};
	int rc = 0;

	free(j->repository);
	j->repository = bw_gitstore_path(j->git->state, &j->url, j->is_sha256);
	bw_git_works_init(&j->works);
	j->works.rules = (struct bw_git_rules){.folder = j->folder,
					       .includes = (const char *const *)j->includes,
					       .include_count = j->include_count,
					       .excludes = (const char *const *)j->excludes,
					       .exclude_count = j->exclude_count,
					       .files = (const char *const *)j->files,
					       .file_count = j->file_count};
	if (j->is_sha256)
		words[4] = "--object-format=sha256";
	if (bw_gitstore_is_worn(j->repository))
		rc = bw_git_remove(j->repository, err);
	if (rc < 0)
		return rc;
	if (bw_gitstore_exists(j->repository))
		return ask(j, NULL, err);
	return do_step(j, "make a repository", (struct bw_gitrun_call){.words = words, .max_output = 4096},
		       ask, err);
}

static void begin(struct bw_git_job *j)
{
	BW_AUTOFREE char *longer = bw_gitstore_path(j->git->state, &j->url, true);
	struct bw_err err = BW_ERR_INIT;
	int rc;

	j->is_sha256 = bw_gitstore_exists(longer); /* as it was last time */
	rc = prepare(j, &err);
	if (rc < 0)
		tell_end(j, rc, &err);
}

/* Another process may be at it; its turn ends when its jobs do. */
static void take_turn(void *arg)
{
	struct bw_git_job *j = arg;
	BW_AUTOFREE char *path = bw_gitstore_lock_path(j->git->state, &j->url);
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_gitstore_lock(path, &j->lock_fd, &err);

	if (rc == 0 && bw_loop_now(j->git->loop) > j->lock_end_ms)
		rc = bw_fail(&err, BW_E_RETRY, "another process has been working on it for too long");
	if (rc > 0)
		begin(j);
	else if (rc == 0)
		bw_timer_start(j->timer, LOCK_POLL_MS);
	else
		tell_end(j, rc, &err);
}

/* --- all jobs -------------------------------------------------------------------------------------- */

static void start_job(struct bw_git_job *j)
{
	const struct bw_git_options *o = &j->git->options;

	j->is_running = true;
	j->git->running++;
	j->lock_end_ms = bw_loop_now(j->git->loop) + o->ask_timeout_ms + o->fetch_timeout_ms;
	take_turn(j);
}

/* Starting one may end it at once, which changes the list. */
static void start_some(void *arg)
{
	struct bw_git *g = arg;
	struct bw_git_job *j = g->jobs;

	while (j && j->is_running)
		j = j->next;
	if (!j || g->running >= g->options.at_once)
		return;
	bw_timer_start(g->starter, 0);
	start_job(j);
}

int bw_git_new(struct bw_loop *l, const struct bw_git_options *o, struct bw_git **ret, struct bw_err *err)
{
	struct bw_git *g;
	char *state;
	int rc = bw_gitstore_open(o->state, &state, err);

	if (rc < 0)
		return rc;
	g = BW_NEW(struct bw_git);
	*g = (struct bw_git){.loop = l, .options = *o, .state = state};
	g->options.state = g->state;
	g->options.at_once = o->at_once ? o->at_once : AT_ONCE;
	g->options.ask_timeout_ms = o->ask_timeout_ms ? o->ask_timeout_ms : ASK_TIMEOUT_MS;
	g->options.fetch_timeout_ms = o->fetch_timeout_ms ? o->fetch_timeout_ms : FETCH_TIMEOUT_MS;
	g->options.max_file_bytes = o->max_file_bytes ? o->max_file_bytes : MAX_FILE_BYTES;
	g->starter = bw_timer_new(l, start_some, g);
	*ret = g;
	return 0;
}

void bw_git_free(struct bw_git *g)
{
	if (!g)
		return;
	while (g->jobs) {
		struct bw_git_job *j = g->jobs;

		g->jobs = j->next;
		free_job(j);
	}
	bw_timer_free(g->starter);
	free(g->state);
	free(g);
}

static char **copy_list(const char *const *items, size_t count)
{
	char **copy = bw_realloc(NULL, count + 1, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = bw_strdup(items[i]);
	return copy;
}

static void copy_request(struct bw_git_job *j, const struct bw_git_request *req)
{
	j->url = (struct bw_giturl){.scheme = req->url->scheme,
				    .shown = bw_strdup(req->url->shown),
				    .fetch = bw_strdup(req->url->fetch),
				    .user = bw_strdup_null(req->url->user),
				    .password = bw_strdup_null(req->url->password)};
	j->branches = copy_list(req->branches, req->branch_count);
	j->branch_count = req->branch_count;
	j->includes = copy_list(req->includes, req->include_count);
	j->include_count = req->include_count;
	j->excludes = copy_list(req->excludes, req->exclude_count);
	j->exclude_count = req->exclude_count;
	j->files = copy_list(req->files, req->file_count);
	j->file_count = req->file_count;
	j->known = bw_realloc(NULL, 2 * req->known_count + 1, sizeof(*j->known));
	j->known_count = req->known_count;
	for (size_t i = 0; i < req->known_count; i++) {
		j->known[2 * i] = bw_strdup(req->known[i].branch);
		j->known[2 * i + 1] = bw_strdup(req->known[i].commit);
	}
	j->folder = bw_strdup_null(req->folder);
	j->only_branches = req->only_branches;
}

struct bw_git_job *bw_git_start(struct bw_git *g, const struct bw_git_request *req,
				const struct bw_git_hooks *h)
{
	struct bw_git_job *j = BW_NEW(struct bw_git_job);
	struct bw_git_job **end = &g->jobs;

	j->git = g;
	j->hooks = *h;
	j->lock_fd = -1;
	j->timer = bw_timer_new(g->loop, take_turn, j);
	copy_request(j, req);
	j->run = (struct bw_gitrun){.options = &g->options, .url = &j->url};
	j->objects = (struct bw_git_objects){.max = BW_MAX_BUILDFILE_BYTES, .object = take_object, .arg = j};
	bw_gitout_objects_init(&j->objects);
	while (*end)
		end = &(*end)->next;
	*end = j;
	bw_timer_start(g->starter, 0);
	return j;
}

void bw_git_cancel(struct bw_git_job *j)
{
	take_out(j);
	free_job(j);
}

bool bw_git_has_file(const struct bw_git_tree *t, const char *path)
{
	return bw_git_tree_find(t, path) != NULL;
}

struct bw_git_tree *bw_git_take_tree(const struct bw_git_branch *b)
{
	struct bw_git_tree *t;

	if (!b->tree)
		return NULL;
	t = BW_NEW(struct bw_git_tree);
	*t = *b->tree;
	*b->tree = (struct bw_git_tree){0};
	return t;
}

void bw_git_free_tree(struct bw_git_tree *t)
{
	if (t)
		bw_git_tree_done(t);
	free(t);
}
