/* worktree.h - the git work tree that a file is in, and what a patch calls the file there. */
#ifndef BW_SOURCE_WORKTREE_H
#define BW_SOURCE_WORKTREE_H

/* The top of the git work tree around a real path; NULL: there is none. A new string. */
char *bw_worktree_top(const char *real);

/*
 * The path of a build file for `git apply`, by its source and path as the store has them: inside the source where that
 * has a name, else inside the git work tree around the file, else inside the folder that holds it. NULL for standard
 * input. A new string.
 */
char *bw_worktree_patch_path(const char *source, const char *path);

#endif
