#include "daemon/look.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "daemon/reader.h"
#include "net/work.h"

/*
 * They are held until the store has them. No source of a person has so many; a file of 1 MiB can name a twentieth of
 * that.
 */
#define MAX_USES 1000000U

/* A folder that has changed so lately may be about to get a build file: it was made, and its files follow. */
#define LATELY_S 600

/* Of one look: somebody has to read them. */
#define MAX_WARNINGS 100U

struct bw_look {
	struct bw_loop *loop;
	const struct bw_origin *origin;
	bw_look_fn end;
	void *arg;
	struct bw_work *work;
	struct bw_git_job *job;
	atomic_bool is_cancelled;
	/* of the thread, while there is work */
	struct bw_looked *looked;
	size_t branch;
	size_t uses;
	int64_t now_s;
	struct bw_map *folders;
};

/* --- what was found -------------------------------------------------------------------------------- */

void bw_looked_free(struct bw_looked *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->count; i++) {
		free((void *)(uintptr_t)x->builds[i].found.root);
		free((void *)(uintptr_t)x->builds[i].found.path);
		free((void *)(uintptr_t)x->builds[i].found.problem);
		bw_dockerfile_done(&x->builds[i].file);
	}
	for (size_t i = 0; i < x->warning_count; i++)
		free(x->warnings[i]);
	for (size_t i = 0; i < x->folder_count; i++)
		free(x->folders[i]);
	free(x->builds);
	free(x->warnings);
	free(x->folders);
	free(x->problem);
	free(x->root);
	bw_gaps_done(&x->gaps);
	bw_fetched_done(&x->fetched);
	free(x);
}

static int check_cancelled(const struct bw_look *x, struct bw_err *err)
{
	return atomic_load(&x->is_cancelled) ? bw_fail(err, BW_E_RETRY, "cancelled") : 0;
}

static int take_build(struct bw_found_build *f, void *arg, struct bw_err *err)
{
	struct bw_look *x = arg;
	struct bw_looked *to = x->looked;
	struct bw_look_build *b = &BW_PUSH(to->builds, to->count, to->capacity);

	*b = (struct bw_look_build){.found = *f, .branch = x->branch};
	b->found.root = bw_strdup(f->root);
	b->found.path = bw_strdup(f->path);
	b->found.text = NULL;
	b->found.problem = bw_strdup_null(f->problem);
	b->found.file = NULL; /* the list may move: it is pointed to at the end */
	if (f->file && f->file->use_count > MAX_USES - x->uses) {
		b->found.problem = bw_asprintf("more than %u references in this source; not taken", MAX_USES);
	} else if (f->file) {
		x->uses += f->file->use_count;
		b->file = *f->file;
		b->found.file = &b->file;
		*f->file = (struct bw_dockerfile){0};
	}
	return check_cancelled(x, err);
}

static void take_warning(const char *text, void *arg)
{
	struct bw_looked *to = ((struct bw_look *)arg)->looked;

	if (to->warning_count < MAX_WARNINGS)
		BW_PUSH(to->warnings, to->warning_count, to->warning_capacity) = bw_strdup(text);
}

static void take_trouble(const char *path, const char *problem, void *arg)
{
	struct bw_look *x = arg;
	BW_AUTOFREE char *text = bw_asprintf("%s: %s", path, problem);

	x->looked->unreadable++;
	bw_gaps_add(&x->looked->gaps, path, problem, 0);
	take_warning(text, x);
}

/* --- what has to be watched ------------------------------------------------------------------------ */

/* Up to the first that is there already: then so are those above it. */
static void watch_from(struct bw_look *x, char *path)
{
	const char *origin_end = x->looked->root;
	size_t least = origin_end ? strlen(origin_end) : 0;

	while (path[0] && strlen(path) >= least && !bw_map_put(x->folders, path, x)) {
		char *slash = strrchr(path, '/');

		BW_PUSH(x->looked->folders, x->looked->folder_count, x->looked->folder_capacity) =
			bw_strdup(path);
		if (!slash || slash == path)
			break;
		*slash = '\0';
	}
}

static void take_file(const char *real_path, void *arg)
{
	struct bw_look *x = arg;
	const char *slash = strrchr(real_path, '/');
	BW_AUTOFREE char *folder = bw_strndup(real_path, slash > real_path ? (size_t)(slash - real_path) : 1);

	watch_from(x, folder);
}

/* The root comes first: nothing above it is watched. */
static int take_folder(const char *path, int64_t changed_s, void *arg, struct bw_err *err)
{
	struct bw_look *x = arg;
	bool is_root = x->looked->root == NULL;

	if (is_root)
		x->looked->root = bw_strdup(path);
	if (is_root || changed_s > x->now_s - LATELY_S) {
		BW_AUTOFREE char *copy = bw_strdup(path);

		watch_from(x, copy);
	}
	return check_cancelled(x, err);
}

/* --- on the other thread --------------------------------------------------------------------------- */

static void point_to_files(struct bw_looked *x)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->builds[i].found.file)
			x->builds[i].found.file = &x->builds[i].file;
}

static void walk(void *arg)
{
	struct bw_look *x = arg;
	const struct bw_reader_hooks h = {.build = take_build,
					  .warn = take_warning,
					  .trouble = take_trouble,
					  .folder = take_folder,
					  .file = take_file,
					  .arg = x};
	BW_AUTOFREE char *root = NULL;
	struct bw_err err = BW_ERR_INIT;
	struct bw_reader r;

	bw_reader_init(&r, x->origin, &h);
	if (bw_reader_walk(&r, &root, &err) < 0)
		x->looked->problem = bw_strdup(err.msg);
	else
		bw_reader_end(&r);
	free(x->looked->root);
	x->looked->root = BW_TAKE(root);
	x->looked->files = r.files;
	bw_reader_done(&r);
	point_to_files(x->looked);
}

static void parse_branch(struct bw_reader *r, struct bw_fetched_branch *b, struct bw_err *err)
{
	int rc = 0;

	r->source = b->source;
	for (size_t i = 0; i < b->count && rc == 0; i++) {
		struct bw_fetched_file *f = &b->files[i];

		rc = bw_reader_take(r, "", f->path, f->path, f->problem ? NULL : &f->text, f->problem, err);
		bw_buf_done(&f->text);
	}
}

static void parse(void *arg)
{
	struct bw_look *x = arg;
	const struct bw_reader_hooks h = {
		.build = take_build, .warn = take_warning, .trouble = take_trouble, .arg = x};
	struct bw_err err = BW_ERR_INIT;
	struct bw_reader r;
	bool is_whole = true;

	bw_reader_init(&r, x->origin, &h);
	for (x->branch = 0; x->branch < x->looked->fetched.count; x->branch++) {
		parse_branch(&r, &x->looked->fetched.branches[x->branch], &err);
		is_whole = is_whole && !x->looked->fetched.branches[x->branch].is_unchanged;
	}
	if (is_whole) /* what is in an unchanged branch was looked for when it was read */
		bw_reader_end(&r);
	x->looked->files = r.files;
	bw_reader_done(&r);
	point_to_files(x->looked);
}

/* --- its course ------------------------------------------------------------------------------------ */

static void free_look(struct bw_look *x)
{
	bw_map_free(x->folders, NULL);
	bw_looked_free(x->looked);
	free(x);
}

static void end(void *arg)
{
	struct bw_look *x = arg;
	struct bw_looked *looked = BW_TAKE(x->looked);
	bw_look_fn fn = x->end;
	void *fn_arg = x->arg;

	free_look(x);
	fn(looked, fn_arg);
}

static void have_fetched(void *arg)
{
	struct bw_look *x = arg;
	const struct bw_fetched *f = &x->looked->fetched;
	bool has_files = false;

	x->job = NULL;
	for (size_t i = 0; i < f->link_count; i++)
		take_warning(f->links[i], x);
	for (size_t i = 0; i < f->count; i++)
		has_files = has_files || f->branches[i].count > 0 || !f->branches[i].is_unchanged;
	if (has_files)
		x->work = bw_work_start(x->loop, parse, end, x);
	else
		end(x);
}

struct bw_look *bw_look_start(struct bw_loop *l, struct bw_git *g, const struct bw_origin *o,
			      const struct bw_git_known *known, size_t known_count, bw_look_fn end_fn,
			      void *arg)
{
	struct bw_look *x = BW_NEW(struct bw_look);

	x->loop = l;
	x->origin = o;
	x->end = end_fn;
	x->arg = arg;
	x->looked = BW_NEW(struct bw_looked);
	x->folders = bw_map_new();
	x->now_s = bw_clock_ms() / 1000;
	atomic_init(&x->is_cancelled, false);
	if (o->path)
		x->work = bw_work_start(l, walk, end, x);
	else
		x->job = bw_fetched_start(g, o, known, known_count, have_fetched, x, &x->looked->fetched);
	return x;
}

void bw_look_cancel(struct bw_look *x)
{
	if (!x)
		return;
	atomic_store(&x->is_cancelled, true);
	if (x->job)
		bw_git_cancel(x->job);
	bw_work_cancel(x->work);
	free_look(x);
}
