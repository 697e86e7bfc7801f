/*
 * origin.h - a source as it is looked into: where it is, what of it counts, and how its build files are built. The same
 * for the sources of the configuration and for the operands of a command line.
 */
#ifndef BW_DAEMON_ORIGIN_H
#define BW_DAEMON_ORIGIN_H

#include "config/conf.h"
#include "daemon/recipe.h"
#include "source/folder.h"
#include "source/git.h"

/* NULL-free; the strings are the origin's. */
struct bw_origin_texts {
	char **items;
	size_t count;
};

struct bw_origin {
	char *shown; /* for people: the name, else the path, else the URL without user info */
	char *path;  /* a folder (or file); NULL: git */
	struct bw_giturl url;
	/* Of a folder: what its builds are filed under (store/build.h); "" without a name. */
	char *name;
	struct bw_origin_texts branches; /* none: what the remote's HEAD is */
	struct bw_origin_texts includes, excludes;
	/* The first is for every file that has none of its own. */
	struct bw_recipe *recipes;
	size_t recipe_count;
	struct bw_origin_texts files; /* that have a recipe of their own, each once */
	/*
	 * Equal prints: the same source, looked into in the same way. `place` is only where it is. Both hold what is
	 * secret in a URL, and are for comparisons alone.
	 */
	char *print, *place;
};

struct bw_origins {
	struct bw_origin *items;
	size_t count;
};

/* The sources of the configuration, with its builds. BW_E_CONFIG; the caller frees in every case. */
int bw_origins_init(struct bw_origins *o, const struct bw_conf *c, struct bw_err *err) BW_NODISCARD;
void bw_origins_done(struct bw_origins *o);
void bw_origin_done(struct bw_origin *o);

/* Calls `fn` for each recipe of a file by its path inside the source; a negative return ends that and is returned. */
typedef int (*bw_recipe_fn)(const struct bw_recipe *r, void *arg, struct bw_err *err);
int bw_origin_each_recipe(const struct bw_origin *o, const char *inner, bw_recipe_fn fn, void *arg,
			  struct bw_err *err) BW_NODISCARD;

/* Does a build of this file and target, as they are in the store, belong to it? */
bool bw_origin_means(const struct bw_origin *o, const char *inner, const char *target);
/* Do its branches name this one? What HEAD is, the server alone knows: that may be any. */
bool bw_origin_means_branch(const struct bw_origin *o, const char *branch);
/* Does one of its patterns, which say that all branches like it are looked for, name this one? */
bool bw_origin_has_pattern_for(const struct bw_origin *o, const char *branch);

/* What it asks of the walk through a folder, and of a repository. They refer to the origin. */
struct bw_folder_options bw_origin_folder_options(const struct bw_origin *o);
struct bw_git_request bw_origin_request(const struct bw_origin *o);

#endif
