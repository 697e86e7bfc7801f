/*
 * git.h - build files of branches of git repositories, by the program git (2.31 or newer). Asks for the branches first;
 * only what moved is fetched, shallow and without contents, into one bare repository per address below the state
 * folder; then the contents of the build files, in one request. Nothing is checked out, no hook runs, submodules are
 * left alone. A server that cannot leave contents out sends all of the commit; that works too.
 *
 * Two processes may use one state folder at the same time: they take turns per repository. What is in there can be
 * removed at any time, and is fetched again.
 */
#ifndef BW_SOURCE_GIT_H
#define BW_SOURCE_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "net/loop.h"
#include "source/giturl.h"

struct bw_git;
struct bw_git_job;

/* 0 and NULL mean the value in brackets. */
struct bw_git_options {
	const char *state; /* the folder; it is made, 0700, when its parent is there */
	unsigned at_once;  /* repositories [4] */
	/*
	 * Git's configuration of the person and the machine counts: credential helpers, proxies, insteadOf. They are
	 * whoever runs us, and want their private repositories. False: only what the environment and the URL bring.
	 */
	bool user_config;
	uint32_t ask_timeout_ms;   /* to list branches [30 s] */
	uint32_t fetch_timeout_ms; /* for one fetch [10 min] */
	uint64_t max_file_bytes;   /* of what one fetch writes [1 GiB] */
};

int bw_git_new(struct bw_loop *l, const struct bw_git_options *o, struct bw_git **ret,
	       struct bw_err *err) BW_NODISCARD;
void bw_git_free(
	struct bw_git *g); /* cancels what is in flight, without callbacks; before the loop. NULL is fine */

/* A branch as it was when it was looked into last. */
struct bw_git_known {
	const char *branch, *commit;
};

struct bw_git_request {
	const struct bw_giturl *url; /* its branch and folder are not looked at */
	/* Names of branches, or globs over them (core/text.h). "HEAD", and none: the one that the remote's HEAD is. */
	const char *const *branches;
	size_t branch_count;
	const struct bw_git_known
		*known; /* a branch that still has this commit is told and not looked into */
	size_t known_count;
	const char *folder; /* only what is at or below it, or this very file whatever its name; NULL: all */
	/* As in source/folder.h; with includes a file counts only if one names it or a folder that it is in. */
	const char *const *includes;
	size_t include_count;
	const char *const *excludes;
	size_t exclude_count;
	/* Paths that count whatever the names of their files, includes and excludes say. */
	const char *const *files;
	size_t file_count;
	bool only_branches; /* they are told as if all were unchanged: nothing is fetched */
};

struct bw_git_branch {
	const char *name; /* "main"; "HEAD" where the remote's HEAD is no branch */
	const char *commit;
	bool is_unchanged;	  /* still the known commit: not looked into */
	struct bw_git_tree *tree; /* all its paths; NULL when it was not looked into */
};

struct bw_git_file {
	const char *path;	   /* inside the repository */
	const struct bw_buf *text; /* NULL: `problem` says why */
	const char *problem;
};

/*
 * Called in this order, and all at the end, so that a job that fails has told nothing: for each branch `branch`, its
 * files in the bytewise order of paths, `listed`. All but `end` may be NULL. What they are given lives during the call,
 * the branch until `listed` returns.
 */
struct bw_git_hooks {
	void (*branch)(const struct bw_git_branch *b, void *arg);
	void (*file)(const struct bw_git_branch *b, const struct bw_git_file *f, void *arg);
	/* A link with the name of a build file that is not followed. */
	void (*link)(const struct bw_git_branch *b, const char *path, const char *problem, void *arg);
	void (*listed)(const struct bw_git_branch *b, void *arg);
	/* No branch has this name or matches this pattern; NULL: the repository has no HEAD (it is empty). */
	void (*missing)(const char *branch, void *arg);
	/* Exactly once. `err` is NULL with 0; else its message does not name the repository. */
	void (*end)(int rc, const struct bw_err *err, void *arg);
	void *arg;
};

/*
 * Queues it; hooks are never called inside. Copies what it needs of both. A transport other than https, ssh and git is
 * used only when `url` itself names it: to name file:// or http:// here is to allow it.
 */
struct bw_git_job *bw_git_start(struct bw_git *g, const struct bw_git_request *req,
				const struct bw_git_hooks *h);
void bw_git_cancel(struct bw_git_job *j); /* no callback; not after `end` */

/* Is there a file (or link) of that path in the tree, whether it counts or not? */
bool bw_git_has_file(const struct bw_git_tree *t, const char *path);
/* Takes the tree of a branch over, in `listed`; NULL when there is none. */
struct bw_git_tree *bw_git_take_tree(const struct bw_git_branch *b);
void bw_git_free_tree(struct bw_git_tree *t); /* NULL is fine */

/* Removes the folder and all in it; for state folders that were temporary. Nothing that a link leads to is touched. */
int bw_git_remove(const char *folder, struct bw_err *err) BW_NODISCARD;

#endif
