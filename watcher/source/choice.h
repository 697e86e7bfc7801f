/*
 * choice.h - which paths inside a source count: the same for folders and for the trees of git repositories. Private to
 * source/. Patterns as in include/source/folder.h.
 */
#ifndef BW_SOURCE_CHOICE_H
#define BW_SOURCE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "source/folder.h"

/*
 * Does one of the patterns name this path? A folder comes with a '/' at its end and is compared with and without it:
 * "old" and "old/" name it. `inner` is changed meanwhile.
 */
bool bw_choice_names(const char *const *patterns, size_t count, char *inner, size_t len);

/* A folder that is never entered, by its name (bw_folder_skipped). */
bool bw_choice_is_skipped(const char *name);

/* The last part of a path; with its '/' when it ends in one. */
const char *bw_choice_base(const char *path);

/* What lies on the way down to a file. */
struct bw_choice_way {
	bool is_excluded, is_skipped, is_included;
};

/* `path` inside the root; what lies before `from` is not looked at, though patterns see it. */
struct bw_choice_way bw_choice_walk(const struct bw_folder_options *o, const char *path, size_t from);

#endif
