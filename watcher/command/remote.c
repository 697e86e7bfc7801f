#include "command/remote.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/state.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "net/loop.h"

bool bw_remote_is(const char *operand)
{
	return bw_giturl_is(operand) && access(operand, F_OK) < 0;
}

bool bw_remote_means(const struct bw_giturl *u, const char *branch)
{
	if (!u->branch)
		return true;
	return strpbrk(u->branch, "*?[") ? bw_text_glob(u->branch, branch) : strcmp(u->branch, branch) == 0;
}

char *bw_remote_state(const struct bw_args *a)
{
	char *path = NULL, *state = NULL;
	const char *slash;

	if (bw_state_path(a, &path, NULL) == 0 && access(path, R_OK | W_OK) == 0) {
		slash = strrchr(path, '/');
		state = slash ? bw_asprintf("%.*s/git", (int)(slash - path), path) : bw_strdup("git");
	}
	free(path);
	return state;
}

/* --- what a job tells ------------------------------------------------------------------------------ */

static struct bw_remote_branch *last(const struct bw_remote *r)
{
	return &r->branches[r->count - 1];
}

static void take_branch(const struct bw_git_branch *b, void *arg)
{
	struct bw_remote *r = arg;

	BW_PUSH(r->branches, r->count, r->capacity) =
		(struct bw_remote_branch){.source = bw_giturl_source(&r->url, b->name),
					  .branch = bw_strdup(b->name),
					  .commit = bw_strdup(b->commit)};
}

static void take_file(const struct bw_git_branch *b, const struct bw_git_file *f, void *arg)
{
	struct bw_remote_branch *x = last(arg);
	struct bw_remote_file *file = &BW_PUSH(x->files, x->count, x->capacity);

	(void)b;
	*file = (struct bw_remote_file){.path = bw_strdup(f->path), .problem = bw_strdup_null(f->problem)};
	bw_buf_init(&file->text, BW_MAX_BUILDFILE_BYTES);
	if (f->text)
		(void)bw_buf_add(&file->text, bw_buf_str(f->text), f->text->len);
}

static void take_link(const struct bw_git_branch *b, const char *path, const char *problem, void *arg)
{
	(void)b;
	bw_warn("%s:%s: %s", last(arg)->source, path, problem);
}

static void take_tree(const struct bw_git_branch *b, void *arg)
{
	last(arg)->tree = bw_git_take_tree(b);
}

static void take_missing(const char *branch, void *arg)
{
	struct bw_remote *r = arg;

	free(r->problem);
	r->problem = branch ? bw_asprintf("it has no branch '%s'", branch)
			    : bw_strdup("it is empty, or its HEAD is no branch that it has");
}

static void take_end(int rc, const struct bw_err *err, void *arg)
{
	struct bw_remote *r = arg;

	r->is_done = true;
	if (rc < 0)
		r->problem = bw_strdup(err->msg);
	if (--r->all->open == 0)
		bw_loop_stop(r->all->loop);
}

/* --- running them ---------------------------------------------------------------------------------- */

static void start_one(struct bw_git *g, struct bw_remote *r, const struct bw_args *a)
{
	const char *const branches[] = {r->url.branch};
	const struct bw_git_request req = {.url = &r->url,
					   .branches = branches,
					   .branch_count = r->url.branch ? 1 : 0,
					   .folder = r->url.folder,
					   .excludes = a->excludes.items,
					   .exclude_count = a->excludes.count};
	const struct bw_git_hooks hooks = {.branch = take_branch,
					   .file = take_file,
					   .link = take_link,
					   .listed = take_tree,
					   .missing = take_missing,
					   .end = take_end,
					   .arg = r};

	(void)bw_git_start(g, &req, &hooks);
}

struct interruption {
	struct bw_loop *loop;
	bool came;
};

static void interrupt(int signum, void *arg)
{
	struct interruption *i = arg;

	(void)signum;
	i->came = true;
	bw_loop_stop(i->loop);
}

/* Children lead sessions of their own: a signal from the terminal reaches us alone, and we end them. */
static int run(struct bw_remotes *r, const struct bw_args *a, const char *state, bool *ret_interrupted,
	       struct bw_err *err)
{
	const struct bw_git_options o = {.state = state, .user_config = true};
	struct interruption i = {.loop = r->loop};
	struct bw_signal *on_int = NULL, *on_term = NULL;
	struct bw_git *g = NULL;
	int rc = bw_signal_new(r->loop, SIGINT, interrupt, &i, &on_int, err);

	if (rc == 0)
		rc = bw_signal_new(r->loop, SIGTERM, interrupt, &i, &on_term, err);
	if (rc == 0)
		rc = bw_git_new(r->loop, &o, &g, err);
	r->open = r->count;
	for (size_t n = 0; rc == 0 && n < r->count; n++)
		start_one(g, &r->items[n], a);
	if (rc == 0)
		bw_loop_run(r->loop);
	*ret_interrupted = i.came;
	bw_git_free(g);
	bw_signal_free(on_int);
	bw_signal_free(on_term);
	return rc;
}

static int run_in_temporary(struct bw_remotes *r, const struct bw_args *a, bool *ret_interrupted,
			    struct bw_err *err)
{
	const char *tmp = getenv("TMPDIR");
	BW_AUTOFREE char *folder = bw_asprintf("%s/basewatch-git-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	struct bw_err why = BW_ERR_INIT;
	int rc;

	if (!mkdtemp(folder))
		return bw_fail_sys(err, errno, "create a temporary folder %s", folder);
	rc = run(r, a, folder, ret_interrupted, err);
	if (bw_git_remove(folder, &why) < 0)
		bw_warn("%s", why.msg);
	return rc;
}

static bool is_repeated(const struct bw_args *a, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(a->operands.items[i], a->operands.items[at]) == 0)
			return true;
	return false;
}

static int parse_all(const struct bw_args *a, struct bw_remotes *r, struct bw_err *err)
{
	int rc = 0;

	r->items = bw_realloc(NULL, a->operands.count + 1, sizeof(*r->items));
	for (size_t i = 0; i < a->operands.count && rc == 0; i++) {
		struct bw_remote *x = &r->items[r->count];

		if (!bw_remote_is(a->operands.items[i]) || is_repeated(a, i))
			continue;
		*x = (struct bw_remote){.operand = a->operands.items[i], .all = r};
		rc = bw_giturl_parse(x->operand, &x->url, err);
		r->count += rc == 0;
	}
	if (rc == 0 && r->count > 0 && a->source)
		rc = bw_fail(err, BW_E_INPUT,
			     "--source does not go with a git repository: its address is its name");
	return rc;
}

int bw_remotes_fetch(const struct bw_args *a, const char *state, struct bw_remotes *ret,
		     bool *ret_interrupted, struct bw_err *err)
{
	int rc;

	*ret = (struct bw_remotes){0};
	*ret_interrupted = false;
	rc = parse_all(a, ret, err);
	if (rc < 0 || ret->count == 0)
		return rc;
	rc = bw_loop_new(&ret->loop, err);
	if (rc < 0)
		return rc;
	rc = state ? run(ret, a, state, ret_interrupted, err)
		   : run_in_temporary(ret, a, ret_interrupted, err);
	bw_loop_free(BW_TAKE(ret->loop));
	return rc;
}

/* --- the end --------------------------------------------------------------------------------------- */

static void free_branch(struct bw_remote_branch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->files[i].path);
		free(b->files[i].problem);
		bw_buf_done(&b->files[i].text);
	}
	free(b->files);
	free(b->source);
	free(b->branch);
	free(b->commit);
	bw_git_free_tree(b->tree);
}

void bw_remotes_done(struct bw_remotes *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct bw_remote *x = &r->items[i];

		for (size_t n = 0; n < x->count; n++)
			free_branch(&x->branches[n]);
		free(x->branches);
		free(x->problem);
		bw_giturl_done(&x->url);
	}
	free(r->items);
	*r = (struct bw_remotes){0};
}

struct bw_remote *bw_remotes_find(const struct bw_remotes *r, const char *operand)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->items[i].operand, operand) == 0)
			return &r->items[i];
	return NULL;
}
