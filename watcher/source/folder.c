/*
 * folder.c - see folder.h. The walk has a stack of its own instead of recursion and opens everything by name
 * relative to the open parent folder, never following a link: so it stays inside the root whatever somebody
 * does to the tree meanwhile, and the path that it puts together is the real path, without asking the kernel
 * for it.
 */
#include "source/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildfile/filename.h"
#include "core/io.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"
#include "source/choice.h"
#include "source/names.h"

/* So many levels keep their descriptor; deeper ones give it back while something below them is walked. */
#define KEPT_OPEN 64

/* To open a folder, a file: neither waits (a pipe without a writer would) nor takes a terminal. */
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FILE_FLAGS   (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct level {
	int fd;		    /* -1: given back, see KEPT_OPEN */
	size_t first, next; /* its first name, and the one to visit next, in walk.names */
	size_t path_len;    /* of its path with the '/' behind it, in walk.path */
	dev_t dev;	    /* who it was, when fd is -1 */
	ino_t ino;
	bool is_included; /* an include names it, or a folder that it is in */
};

struct walk {
	const struct bw_folder_options *options;
	const struct bw_folder_hooks *hooks;
	struct level *levels;
	size_t depth, capacity;
	struct bw_names names;
	struct bw_buf path; /* real path of what is at hand */
	size_t inner_at;    /* where the inner path begins in any path inside the root */
	struct bw_buf text;
	struct bw_map *linked; /* real paths of the files that were taken by way of a link */
};

static void cut(struct bw_buf *b, size_t len)
{
	b->len = len;
	b->data[len] = '\0';
}

static void tell_trouble(const struct walk *w, const char *problem)
{
	w->hooks->trouble(w->path.data, problem, w->hooks->arg);
}

/* A link that is not followed hides nothing: what it leads to is no part of this source. */
static void tell_link(const struct walk *w, const char *problem)
{
	w->hooks->link(w->path.data, problem, w->hooks->arg);
}

static void tell_trouble_sys(const struct walk *w, int sys, const char *what)
{
	struct bw_err why = BW_ERR_INIT;

	(void)bw_fail_sys(&why, sys, "%s", what);
	tell_trouble(w, why.msg);
}

/*
 * Our own distress, not a fault of the one file at hand: the walk ends, or else a process short of
 * descriptors would declare every file unreadable.
 */
static bool is_shortage(int sys)
{
	return sys == EMFILE || sys == ENFILE || sys == ENOMEM;
}

/* --- names that do not count ------------------------------------------------------------------ */

static bool is_excluded(const struct walk *w, char *inner, size_t len)
{
	return bw_choice_names(w->options->excludes, w->options->exclude_count, inner, len);
}

/* Does an include name what is at hand in the top folder, or that folder? */
static bool is_included(const struct walk *w, char *inner, size_t len)
{
	const struct bw_folder_options *o = w->options;

	return o->include_count == 0 || (w->depth > 0 && w->levels[w->depth - 1].is_included) ||
	       bw_choice_names(o->includes, o->include_count, inner, len);
}

/* --- files ------------------------------------------------------------------------------------ */

static int not_regular(struct bw_err *why)
{
	return bw_fail(why, BW_E_INPUT, "not a regular file; not read");
}

/* Reads the file into w->text. `why` is for people, about this file only. */
static int load(struct walk *w, int fd, struct bw_err *why)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return bw_fail_sys(why, errno, "cannot be read");
	if (!S_ISREG(st.st_mode))
		return not_regular(why);
	bw_buf_clear(&w->text);
	rc = bw_read_all(fd, &w->text, why);
	if (rc == BW_E_LIMIT)
		return bw_fail(why, BW_E_LIMIT, "larger than %u KiB; not taken",
			       BW_MAX_BUILDFILE_BYTES >> 10);
	return rc;
}

static int report(const struct walk *w, const char *real_path, const char *inner_path, const char *problem,
		  struct bw_err *err)
{
	struct bw_found found = {
		.real_path = real_path,
		.inner_path = inner_path,
		.text = problem ? NULL : &w->text,
		.problem = problem,
	};

	return w->hooks->file(&found, w->hooks->arg, err);
}

/* Reports the file that open() gave as `opened`, or, when that is negative, why (errno is still set). */
static int take_file(struct walk *w, int opened, const char *real_path, const char *inner_path,
		     struct bw_err *err)
{
	int sys = errno;
	BW_AUTOCLOSE int fd = opened;
	struct bw_err why = BW_ERR_INIT;
	int rc;

	if (fd < 0 && sys == ENOENT)
		return 0; /* removed since its name was read */
	if (fd < 0 && is_shortage(sys))
		return bw_fail_sys(err, sys, "open %s", real_path);
	rc = fd < 0 ? bw_fail_sys(&why, sys, "cannot be opened") : load(w, fd, &why);
	return report(w, real_path, inner_path, rc < 0 ? why.msg : NULL, err);
}

static int take_odd(const struct walk *w, const char *real_path, const char *inner_path, struct bw_err *err)
{
	struct bw_err why = BW_ERR_INIT;

	(void)not_regular(&why);
	return report(w, real_path, inner_path, why.msg, err);
}

/* --- links ------------------------------------------------------------------------------------ */

/* True when the walk neither reports the file that a link leads to by itself, nor is told to leave it out. */
static bool link_adds(const struct walk *w, char *inner)
{
	const struct bw_folder_options *o = w->options;
	bool is_reached = true, is_in = o->include_count == 0;
	char *part = inner;

	for (char *slash = strchr(part, '/'); slash; slash = strchr(part, '/')) {
		char next = slash[1];
		bool is_out;

		slash[1] = '\0';
		is_out = is_excluded(w, inner, (size_t)(slash + 1 - inner));
		is_in = is_in ||
			bw_choice_names(o->includes, o->include_count, inner, (size_t)(slash + 1 - inner));
		slash[1] = next;
		if (is_out)
			return false;
		*slash = '\0';
		is_reached = is_reached && !bw_choice_is_skipped(part);
		*slash = '/';
		part = slash + 1;
	}
	is_in = is_in || bw_choice_names(o->includes, o->include_count, inner, strlen(inner));
	return is_in && !(is_reached && bw_filename_is_buildfile(part)) &&
	       !is_excluded(w, inner, strlen(inner));
}

/* Where an open file really is, by the kernel's word; -errno on failure. */
static int real_path_of(int fd, char door[32], char ret[PATH_MAX])
{
	ssize_t n;

	(void)snprintf(door, 32, "/proc/self/fd/%d", fd);
	n = readlink(door, ret, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	ret[n] = '\0';
	return 0;
}

static bool is_inside(const struct walk *w, const char *real, bool is_folder)
{
	size_t len = w->inner_at - 1; /* of the root without the '/' */

	return strncmp(real, w->path.data, len) == 0 &&
	       (real[len] == '/' || (is_folder && real[len] == '\0'));
}

static void tell_leads_out(const struct walk *w)
{
	struct bw_err why = BW_ERR_INIT;

	(void)bw_fail(&why, BW_E_INPUT, "link leads out of %.*s; not followed", (int)w->inner_at - 1,
		      w->path.data);
	tell_link(w, why.msg);
}

static void tell_dangling(const struct walk *w, int sys)
{
	struct bw_err why = BW_ERR_INIT;

	(void)bw_fail_sys(&why, sys, "link leads nowhere");
	tell_link(w, why.msg);
}

/* `fd` holds what the link leads to, by O_PATH, so that what was judged is also what is read. */
static int follow_link(struct walk *w, int fd, const struct stat *st, struct bw_err *err)
{
	char real[PATH_MAX], door[32];
	char *inner = real + w->inner_at;
	int rc = real_path_of(fd, door, real);

	if (rc < 0) {
		tell_trouble_sys(w, -rc, "link cannot be resolved; not followed");
		return 0;
	}
	if (!is_inside(w, real, S_ISDIR(st->st_mode))) {
		tell_leads_out(w);
		return 0;
	}
	/* A folder inside the root is walked under its own name; no name left means removed meanwhile. */
	if (S_ISDIR(st->st_mode) || st->st_nlink == 0 || !link_adds(w, inner))
		return 0;
	if (bw_map_put(w->linked, real, w))
		return 0;
	if (!S_ISREG(st->st_mode))
		return take_odd(w, real, inner, err);
	return take_file(w, open(door, FILE_FLAGS), real, inner, err);
}

/*
 * A link matters when it has the name of a build file or leads to a folder. Any other may dangle: editors
 * make such links to lock a file.
 */
static int visit_link(struct walk *w, int parent, const char *name, struct bw_err *err)
{
	bool is_wanted = bw_filename_is_buildfile(name);
	BW_AUTOCLOSE int fd = openat(parent, name, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && is_shortage(errno))
		return bw_fail_sys(err, errno, "open %s", w->path.data);
	if (fd < 0 && is_wanted)
		tell_dangling(w, errno);
	if (fd < 0 || fstat(fd, &st) < 0 || !(is_wanted || S_ISDIR(st.st_mode)))
		return 0;
	return follow_link(w, fd, &st, err);
}

/* --- folders ---------------------------------------------------------------------------------- */

static struct level *top(const struct walk *w)
{
	return &w->levels[w->depth - 1];
}

static void give_back(struct level *l)
{
	struct stat st;

	if (fstat(l->fd, &st) == 0) {
		l->dev = st.st_dev;
		l->ino = st.st_ino;
	}
	(void)close(l->fd);
	l->fd = -1;
}

/* Before the names are read: what is made meanwhile changes the folder again. */
static int tell_folder(const struct walk *w, int fd, struct bw_err *err)
{
	struct stat st;

	if (!w->hooks->folder || fstat(fd, &st) < 0)
		return 0;
	return w->hooks->folder(w->path.data, (int64_t)st.st_mtim.tv_sec, w->hooks->arg, err);
}

/* Takes over `fd`, the folder at w->path. */
static void push_folder(struct walk *w, int fd, bool is_included)
{
	struct level l = {
		.fd = fd, .first = w->names.count, .next = w->names.count, .is_included = is_included};
	struct bw_err why = BW_ERR_INIT;

	if (bw_names_read(&w->names, fd, &why) < 0)
		tell_trouble(w, why.msg);
	if (w->depth > KEPT_OPEN)
		give_back(top(w));
	if (w->path.data[w->path.len - 1] != '/')
		(void)bw_buf_addc(&w->path, '/');
	l.path_len = w->path.len;
	BW_PUSH(w->levels, w->depth, w->capacity) = l;
}

static int enter_folder(struct walk *w, int parent, const char *name, bool included, struct bw_err *err)
{
	int fd, rc;

	/* The kernel takes no longer path, so no build could read what is below. Bounds the depth, too. */
	if (w->path.len + 2 >= PATH_MAX) {
		tell_trouble(w, "path of the folder is too long; not entered");
		return 0;
	}
	fd = openat(parent, name, FOLDER_FLAGS);
	if (fd >= 0) {
		rc = tell_folder(w, fd, err);
		push_folder(w, fd, included);
		return rc;
	}
	if (is_shortage(errno))
		return bw_fail_sys(err, errno, "open %s", w->path.data);
	if (errno != ENOENT) /* not one removed meanwhile */
		tell_trouble_sys(w, errno, "folder cannot be opened");
	return 0;
}

static struct level pop_folder(struct walk *w)
{
	struct level l = *top(w);

	w->depth--;
	bw_names_cut(&w->names, l.first);
	return l;
}

/*
 * Opens the top folder again, as the parent of one below it. If somebody moved that one away, its parent is
 * another folder now, perhaps outside the root: what remained there is lost, up to the levels that are still
 * open.
 */
static void get_back(struct walk *w, int below)
{
	struct level *l = top(w);
	struct stat st;

	l->fd = openat(below, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->fd >= 0 && fstat(l->fd, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		return;
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	while (top(w)->fd < 0)
		cut(&w->path, pop_folder(w).path_len - 1);
	tell_trouble(w, "folder was moved while it was read; the rest of it is left out");
}

static void leave_folder(struct walk *w)
{
	struct level left = pop_folder(w);

	if (w->depth > 0 && top(w)->fd < 0)
		get_back(w, left.fd);
	(void)close(left.fd);
}

/* --- the walk --------------------------------------------------------------------------------- */

static int visit_next(struct walk *w, struct bw_err *err)
{
	struct level *l = top(w);
	const struct bw_name *n = &w->names.items[l->next++];
	char *inner, *name;
	bool included;

	cut(&w->path, l->path_len);
	(void)bw_buf_add(&w->path, w->names.text.data + n->at, n->len);
	inner = w->path.data + w->inner_at;
	name = w->path.data + l->path_len;
	if (is_excluded(w, inner, w->path.len - w->inner_at))
		return 0;
	included = is_included(w, inner, w->path.len - w->inner_at);
	if (n->kind == BW_NAME_FOLDER)
		cut(&w->path, w->path.len - 1);
	if (bw_choice_is_skipped(name))
		return 0;
	switch (n->kind) {
	case BW_NAME_FOLDER: return enter_folder(w, l->fd, name, included, err);
	case BW_NAME_LINK: return included ? visit_link(w, l->fd, name, err) : 0;
	case BW_NAME_ODD: return included ? take_odd(w, w->path.data, inner, err) : 0;
	case BW_NAME_FILE: break;
	}
	if (!included)
		return 0;
	return take_file(w, openat(l->fd, name, FILE_FLAGS | O_NOFOLLOW), w->path.data, inner, err);
}

static int walk_folder(struct walk *w, struct bw_err *err)
{
	int fd = open(w->path.data, FOLDER_FLAGS);
	int rc;

	if (fd < 0)
		return bw_fail_sys(err, errno, "open folder %s", w->path.data);
	rc = tell_folder(w, fd, err);
	push_folder(w, fd, false);
	w->inner_at = w->path.len;
	while (rc >= 0 && w->depth > 0) {
		if (top(w)->next < w->names.count)
			rc = visit_next(w, err);
		else
			leave_folder(w);
	}
	return rc;
}

static int walk_path(struct walk *w, const char *real, struct bw_err *err)
{
	struct stat st;

	if (lstat(real, &st) < 0)
		return bw_fail_sys(err, errno, "%s", real);
	(void)bw_buf_adds(&w->path, real);
	if (S_ISDIR(st.st_mode))
		return walk_folder(w, err);
	if (S_ISREG(st.st_mode))
		return take_file(w, open(real, FILE_FLAGS | O_NOFOLLOW), real, bw_choice_base(real), err);
	return take_odd(w, real, bw_choice_base(real), err);
}

static void walk_init(struct walk *w, const struct bw_folder_options *o, const struct bw_folder_hooks *hooks)
{
	*w = (struct walk){.options = o, .hooks = hooks, .linked = bw_map_new()};
	bw_names_init(&w->names);
	bw_buf_init(&w->path, 2U * PATH_MAX); /* the longest path entered, and a name in it */
	bw_buf_init(&w->text, BW_MAX_BUILDFILE_BYTES);
}

static void walk_done(struct walk *w)
{
	while (w->depth > 0)
		bw_auto_close(&w->levels[--w->depth].fd);
	free(w->levels);
	bw_names_done(&w->names);
	bw_buf_done(&w->path);
	bw_buf_done(&w->text);
	bw_map_free(w->linked, NULL);
}

int bw_folder_walk(const char *path, const struct bw_folder_options *o, const struct bw_folder_hooks *hooks,
		   char **ret_root, struct bw_err *err)
{
	BW_AUTOFREE char *real = realpath(path, NULL);
	struct walk w;
	int rc;

	if (!real && (errno == ENOENT || errno == ENOTDIR))
		return bw_fail(err, BW_E_GONE, "%s: no such file or folder", path);
	if (!real)
		return bw_fail_sys(err, errno, "%s", path);
	walk_init(&w, o, hooks);
	rc = walk_path(&w, real, err);
	walk_done(&w);
	if (rc < 0)
		return rc;
	*ret_root = BW_TAKE(real);
	return 0;
}
