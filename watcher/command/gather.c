#include "command/gather.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/origins.h"
#include "core/io.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/reader.h"
#include "daemon/tracked.h"
#include "source/worktree.h"

struct gather {
	const struct bw_gather_hooks *hooks;
	struct bw_gather_counts counts;
	struct bw_origins origins;
	bool is_configured;
	struct bw_remotes remotes;
	struct bw_gaps gaps; /* of the one at hand */
};

/* --- what the readers tell ------------------------------------------------------------------------- */

static int take_build(struct bw_found_build *x, void *arg, struct bw_err *err)
{
	const struct gather *g = arg;

	return g->hooks->file(x, g->hooks->arg, err);
}

static void take_warning(const char *text, void *arg)
{
	(void)arg;
	bw_warn("%s", text);
}

static void take_trouble(const char *path, const char *problem, void *arg)
{
	struct gather *g = arg;

	g->counts.unreadable++;
	bw_gaps_add(&g->gaps, path, problem, 0);
	bw_warn("%s: %s", path, problem);
}

static void reader_init(struct gather *g, const struct bw_origin *o, struct bw_reader *ret)
{
	const struct bw_reader_hooks h = {
		.build = take_build, .warn = take_warning, .trouble = take_trouble, .arg = g};

	bw_reader_init(ret, o, &h);
}

/* --- folders --------------------------------------------------------------------------------------- */

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || (len > 0 && folder[len - 1] == '/'));
}

/* A folder itself; of a file the current folder when the file is in it, else the folder that it is in. */
static char *folder_of(const char *real)
{
	BW_AUTOFREE char *cwd = getcwd(NULL, 0);
	struct stat st;
	size_t len;

	if (stat(real, &st) < 0 || S_ISDIR(st.st_mode))
		return bw_strdup(real);
	if (cwd && is_below(real, cwd))
		return BW_TAKE(cwd);
	len = (size_t)(strrchr(real, '/') - real);
	return bw_strndup(real, len > 0 ? len : 1);
}

/*
 * The root of a named source, so that one file has one name in every checkout: the git work tree around the path
 * where there is one. NULL when the path does not exist; the walk says so.
 */
static char *find_root(const char *path)
{
	BW_AUTOFREE char *real = realpath(path, NULL);
	char *top = real ? bw_worktree_top(real) : NULL;

	return real && !top ? folder_of(real) : top;
}

/* What cannot be read of it is one broken file, as it would be in a folder. */
static int gather_stdin(struct bw_reader *r, struct bw_err *err)
{
	struct bw_err problem = BW_ERR_INIT;
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	if (bw_read_all(STDIN_FILENO, &text, &problem) < 0)
		return bw_reader_take(r, "", "-", "-", NULL, problem.msg, err);
	return bw_reader_take(r, "", "-", "-", &text, NULL, err);
}

/* The others are looked into all the same: a source of the configuration may be away for a while. */
static int lose(struct gather *g, const struct bw_origin *o, struct bw_err *err)
{
	bw_warn("%s", err->msg);
	bw_gaps_add(&g->gaps, o->path, err->msg, 0);
	g->counts.unreadable++;
	g->counts.unreachable++;
	return g->hooks->lost ? g->hooks->lost(o, g->hooks->arg, err) : 0;
}

static int gather_path(struct gather *g, struct bw_reader *r, struct bw_err *err)
{
	const struct bw_origin *o = r->origin;
	BW_AUTOFREE char *root = o->name[0] && !g->is_configured ? find_root(o->path) : NULL;
	BW_AUTOFREE char *walked = NULL;
	int rc;

	r->root = root;
	rc = bw_reader_walk(r, &walked, err);
	if (rc < 0)
		return g->is_configured && r->files == 0 ? lose(g, o, err) : rc;
	bw_reader_end(r);
	return g->hooks->folder ? g->hooks->folder(o->name, walked, g->hooks->arg, err) : 0;
}

/* --- repositories ---------------------------------------------------------------------------------- */

static int gather_branch(struct bw_reader *r, const struct bw_fetched_branch *b, struct bw_err *err)
{
	int rc = 0;

	r->source = b->source;
	for (size_t i = 0; i < b->count && rc == 0; i++) {
		const struct bw_fetched_file *f = &b->files[i];

		rc = bw_reader_take(r, "", f->path, f->path, f->problem ? NULL : &f->text, f->problem, err);
	}
	return rc;
}

static int gather_repository(struct gather *g, struct bw_reader *r, const struct bw_fetched *f,
			     struct bw_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < f->link_count; i++)
		bw_warn("%s", f->links[i]);
	for (size_t i = 0; i < f->count && rc == 0; i++)
		rc = gather_branch(r, &f->branches[i], err);
	if (rc == 0 && !f->problem)
		bw_reader_end(r);
	bw_tracked_gaps_of(f, &g->gaps);
	if (f->problem || bw_fetched_lacks(f) > 0) {
		g->counts.unreadable++;
		g->counts.unreachable++;
	}
	return rc == 0 ? g->hooks->repository(f, g->hooks->arg, err) : rc;
}

/* --- all of them ----------------------------------------------------------------------------------- */

static int gather_one(struct gather *g, size_t i, struct bw_err *err)
{
	const struct bw_origin *o = &g->origins.items[i];
	struct bw_reader r;
	int rc;

	reader_init(g, o, &r);
	if (!o->path)
		rc = gather_repository(g, &r, &g->remotes.items[i], err);
	else
		rc = strcmp(o->path, "-") == 0 ? gather_stdin(&r, err) : gather_path(g, &r, err);
	g->counts.files += r.files;
	bw_reader_done(&r);
	if (rc == 0 && g->hooks->gaps)
		rc = g->hooks->gaps(o, g->is_configured, &g->gaps, g->hooks->arg, err);
	bw_gaps_done(&g->gaps);
	return rc;
}

void bw_gather_options(const struct bw_args *a, struct bw_build_options *ret)
{
	*ret = (struct bw_build_options){
		.args = a->build_args.items,
		.arg_count = a->build_args.count,
		.contexts = a->contexts.items,
		.context_count = a->contexts.count,
		.target = a->target,
		.platform = a->platform,
	};
	bw_platform_host(&ret->builder);
}

static int refuse_repositories(const struct bw_args *a, struct bw_err *err)
{
	for (size_t i = 0; i < a->operands.count; i++)
		if (bw_remote_is(a->operands.items[i]))
			return bw_fail(err, BW_E_INPUT,
				       "a git repository has no files to edit: clone it, and name the clone");
	return 0;
}

/* All repositories at once, before anything is handed on. */
int bw_gather(const struct bw_args *a, const struct bw_gather_hooks *h, struct bw_gather_counts *ret,
	      struct bw_err *err)
{
	struct gather g = {.hooks = h};
	int rc = h->repository ? 0 : refuse_repositories(a, err);

	if (rc == 0)
		rc = bw_origins_choose(a, h->repository != NULL, &g.origins, &g.is_configured, err);
	if (rc == 0)
		rc = bw_remotes_fetch(&g.origins, h->git_state, &g.remotes, &g.counts.interrupted, err);
	for (size_t i = 0; i < g.origins.count && rc == 0 && !g.counts.interrupted; i++)
		rc = gather_one(&g, i, err);
	if (rc == 0)
		*ret = g.counts;
	bw_remotes_done(&g.remotes);
	bw_origins_done(&g.origins);
	return rc;
}
