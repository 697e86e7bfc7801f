#include "command/gather.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildfile/filename.h"
#include "core/io.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/version.h"
#include "source/folder.h"

struct gather {
	const struct bw_args *args;
	const struct bw_gather_hooks *hooks;
	struct bw_build_options options;
	struct bw_gather_counts counts;
	struct bw_remotes remotes;
	const char *source; /* of what is at hand */
	const char *root;   /* of the named source in this operand; "" without a name */
};

/* Everything that decides which uses come out, so that equal prints mean equal uses. */
static void fingerprint(const struct gather *g, const struct bw_buf *text, struct bw_digest *ret)
{
	const struct bw_build_options *o = &g->options;
	char platform[BW_PLATFORM_MAX], builder[BW_PLATFORM_MAX];
	BW_AUTOBUF struct bw_buf all;

	bw_buf_init(&all, BW_MAX_BUILDFILE_BYTES +
				  (4U << 20)); /* options come from a command line: 2 MiB at most */
	bw_buf_addf(&all, "%s\n%s\n%s\n%s\n", BW_VERSION, o->target ? o->target : "",
		    bw_platform_format(&o->platform, platform), bw_platform_format(&o->builder, builder));
	for (size_t i = 0; i < o->arg_count; i++)
		bw_buf_addf(&all, "arg %s=%s\n", o->args[i].name, o->args[i].value);
	for (size_t i = 0; i < o->context_count; i++)
		bw_buf_addf(&all, "context %s=%s\n", o->contexts[i].name, o->contexts[i].value);
	bw_buf_add(&all, text->data, text->len);
	bw_digest_of(all.data, all.len, ret);
}

/* Parses and hands on. `text` NULL: unreadable, `problem` says why. */
static int hand_on(struct gather *g, const char *path, const struct bw_buf *text, const char *problem,
		   struct bw_err *err)
{
	bool is_inside = g->source != g->args->source && *g->source; /* of a git repository */
	struct bw_dockerfile file = {0};
	struct bw_gathered found = {
		.source = g->source,
		.root = g->root,
		.path = path,
		.is_template = bw_filename_is_template(path),
		.problem = problem,
		.text = text,
	};
	int rc;

	g->counts.files++;
	if (text) {
		bw_dockerfile_parse(bw_buf_str(text), text->len, &g->options, &file);
		for (size_t i = 0; i < file.warning_count; i++)
			bw_warn("%s%s%s:%" PRIu32 ": %s", is_inside ? g->source : "", is_inside ? ":" : "",
				path, file.warnings[i].line, file.warnings[i].text);
		fingerprint(g, text, &found.fingerprint);
		found.file = &file;
	}
	rc = g->hooks->file(&found, g->hooks->arg, err);
	bw_dockerfile_done(&file);
	return rc;
}

static int take_found(const struct bw_found *f, void *arg, struct bw_err *err)
{
	struct gather *g = arg;
	size_t root = strlen(g->root);

	/*
	 * Inside a named source the path counts from its root, which may lie above the folder that is
	 * walked.
	 */
	if (root == 0)
		return hand_on(g, f->real_path, f->text, f->problem, err);
	return hand_on(g, f->real_path + root + (g->root[root - 1] != '/'), f->text, f->problem, err);
}

static void take_trouble(const char *path, const char *problem, void *arg)
{
	struct gather *g = arg;

	g->counts.unreadable++;
	bw_warn("%s: %s", path, problem);
}

static void take_link(const char *path, const char *problem, void *arg)
{
	(void)arg;
	bw_warn("%s: %s", path, problem);
}

static bool has_git(const char *folder)
{
	BW_AUTOFREE char *dot_git = bw_asprintf("%s/.git", folder);

	return access(dot_git, F_OK) == 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || (len > 0 && folder[len - 1] == '/'));
}

/* The top of the git work tree around a real path; NULL: there is none. */
static char *git_top(const char *real)
{
	char *up = bw_strdup(real);
	char *slash;

	while (!has_git(up)) {
		slash = strrchr(up, '/');
		if (!slash || slash == up) {
			free(up);
			return NULL;
		}
		*slash = '\0';
	}
	return up;
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
	char *top = real ? git_top(real) : NULL;

	return real && !top ? folder_of(real) : top;
}

/* What cannot be read of it is one broken file, as it would be in a folder. */
static int gather_stdin(struct gather *g, struct bw_err *err)
{
	struct bw_err problem = BW_ERR_INIT;
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	if (bw_read_all(STDIN_FILENO, &text, &problem) < 0)
		return hand_on(g, "-", NULL, problem.msg, err);
	return hand_on(g, "-", &text, NULL, err);
}

static int gather_path(struct gather *g, const char *path, struct bw_err *err)
{
	const struct bw_folder_options fo = {.excludes = g->args->excludes.items,
					     .exclude_count = g->args->excludes.count};
	const struct bw_folder_hooks fh = {
		.file = take_found, .trouble = take_trouble, .link = take_link, .arg = g};
	BW_AUTOFREE char *root = g->args->source ? find_root(path) : NULL;
	BW_AUTOFREE char *walked = NULL;
	int rc;

	g->root = root ? root : "";
	rc = bw_folder_walk(path, &fo, &fh, &walked, err);
	if (rc == 0 && g->hooks->folder)
		rc = g->hooks->folder(g->args->source ? g->args->source : "", walked, g->hooks->arg, err);
	return rc;
}

static int gather_branch(struct gather *g, const struct bw_remote_branch *b, struct bw_err *err)
{
	int rc = 0;

	g->source = b->source;
	for (size_t i = 0; i < b->count && rc == 0; i++) {
		const struct bw_remote_file *f = &b->files[i];

		rc = hand_on(g, f->path, f->problem ? NULL : &f->text, f->problem, err);
	}
	return rc;
}

static int gather_remote(struct gather *g, const struct bw_remote *r, struct bw_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < r->count && rc == 0; i++)
		rc = gather_branch(g, &r->branches[i], err);
	g->counts.unreadable += r->problem != NULL;
	g->counts.unreachable += r->problem != NULL;
	return rc == 0 ? g->hooks->repository(r, g->hooks->arg, err) : rc;
}

static int gather_operand(struct gather *g, const char *operand, struct bw_err *err)
{
	const struct bw_remote *r = bw_remotes_find(&g->remotes, operand);

	g->root = "";
	g->source = g->args->source ? g->args->source : "";
	if (r)
		return gather_remote(g, r, err);
	return strcmp(operand, "-") == 0 ? gather_stdin(g, err) : gather_path(g, operand, err);
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

/* All at once, before anything is handed on. */
static int fetch_remotes(struct gather *g, struct bw_err *err)
{
	const struct bw_args *a = g->args;

	for (size_t i = 0; i < a->operands.count && !g->hooks->repository; i++)
		if (bw_remote_is(a->operands.items[i]))
			return bw_fail(err, BW_E_INPUT,
				       "a git repository has no files to edit: clone it, and name the clone");
	return bw_remotes_fetch(a, g->hooks->git_state, &g->remotes, &g->counts.interrupted, err);
}

int bw_gather(const struct bw_args *a, const struct bw_gather_hooks *h, struct bw_gather_counts *ret,
	      struct bw_err *err)
{
	struct gather g = {.args = a, .hooks = h};
	int rc;

	bw_gather_options(a, &g.options);
	rc = fetch_remotes(&g, err);
	if (rc == 0 && a->operands.count == 0)
		rc = gather_operand(&g, ".", err);
	for (size_t i = 0; i < a->operands.count && rc == 0 && !g.counts.interrupted; i++)
		rc = gather_operand(&g, a->operands.items[i], err);
	if (rc == 0)
		*ret = g.counts;
	bw_remotes_done(&g.remotes);
	return rc;
}
