/*
 * folder.h - finds the build files below a folder and reads them. One pass, no link out of the root is
 * followed, nothing is read twice.
 */
#ifndef BW_SOURCE_FOLDER_H
#define BW_SOURCE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct bw_folder_options {
	/*
	 * Globs (core/text.h) over the path inside the root. One without a slash, or with one at its end
	 * only, is compared with the base name at any depth; a leading "/" or "./" binds it to the root. A
	 * folder that matches is not entered, and what matches is not reported by way of a link either.
	 */
	const char *const *excludes;
	size_t exclude_count;
	/* The same; a build file counts only if one of them names it or a folder that it is in. None: all count. */
	const char *const *includes;
	size_t include_count;
};

/* The folders that are never entered (".git", "node_modules", ...), NULL-terminated; for --help. */
extern const char *const bw_folder_skipped[];

/*
 * Do the options let this path inside a root count, and everything on the way to it? Whether it has the name of a build
 * file is not looked at.
 */
bool bw_folder_counts(const struct bw_folder_options *o, const char *inner);

struct bw_found {
	const char *real_path;	   /* absolute, without links: the identity of the file */
	const char *inner_path;	   /* inside the root; for a file named directly its base name */
	const struct bw_buf *text; /* NULL: the file could not be read; `problem` says why */
	const char *problem;
};

struct bw_folder_hooks {
	/* A build file. A negative return ends the walk and is returned. What it is given lives during the
	 * call only. */
	int (*file)(const struct bw_found *f, void *arg, struct bw_err *err);
	/*
	 * A folder that cannot be entered or read: `path` is the absolute path, `problem` why. What is there
	 * stays unknown: build files below `path` may not be taken for gone.
	 */
	void (*trouble)(const char *path, const char *problem, void *arg);
	/*
	 * A link that leads out of the root or nowhere: it is not followed, and nothing is unknown by that.
	 */
	void (*link)(const char *path, const char *problem, void *arg);
	/*
	 * A folder that is being entered, the root first: its absolute path, and when names in it were last made or
	 * removed (wall clock, seconds). A negative return ends the walk and is returned. May be NULL.
	 */
	int (*folder)(const char *path, int64_t changed_s, void *arg, struct bw_err *err);
	void *arg;
};

/*
 * Walks `path` (a folder or a file; a file is taken whatever its name) in the bytewise order of inner paths.
 * A link with the name of a build file stands for the file it leads to, when that lies inside the root and is
 * not found anyway; names may contain any byte. BW_E_GONE when there is no such path, BW_E_SYS when the root
 * itself cannot be read or the process has run out of descriptors or memory. Returns the absolute real path
 * of the root in `*ret_root` (the caller frees; the file itself for a file). May run on any thread.
 */
int bw_folder_walk(const char *path, const struct bw_folder_options *o, const struct bw_folder_hooks *hooks,
		   char **ret_root, struct bw_err *err) BW_NODISCARD;

#endif
