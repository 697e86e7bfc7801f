/*
 * gitpick.h - which files of a git tree are build files: the rules of source/folder.h, without a disk. Pure. Private to
 * source/.
 */
#ifndef BW_SOURCE_GITPICK_H
#define BW_SOURCE_GITPICK_H

#include "source/gitout.h"

struct bw_git_rules {
	const char *folder; /* NULL: all */
	const char *const *includes;
	size_t include_count;
	const char *const *excludes;
	size_t exclude_count;
	const char *const *files; /* named directly */
	size_t file_count;
};

/* Does the walk through the tree take this file (or link) by itself? */
bool bw_gitpick_takes(const struct bw_git_rules *r, const char *path);

enum bw_gitpick_way {
	BW_GITPICK_FILE,    /* to a file that counts by way of the link only */
	BW_GITPICK_NOTHING, /* to what is walked anyway, or left out on purpose */
	BW_GITPICK_OUT,	    /* out of the tree, or of the folder that was asked for */
	BW_GITPICK_NOWHERE,
};

/* What a link holds; NULL: not known. */
typedef const char *(*bw_gitpick_target_fn)(const struct bw_git_entry *link, void *arg);

/* Where a link leads, through other links and folders that are links, as a kernel would go. */
enum bw_gitpick_way bw_gitpick_follow(const struct bw_git_rules *r, const struct bw_git_tree *t,
				      const struct bw_git_entry *link, bw_gitpick_target_fn target, void *arg,
				      const struct bw_git_entry **ret);

#endif
