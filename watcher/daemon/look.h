/*
 * look.h - one look into a source: a folder is walked, and build files are parsed, on another thread; a repository is
 * asked by git. What was found is handed over as a whole. Private to daemon/.
 */
#ifndef BW_DAEMON_LOOK_H
#define BW_DAEMON_LOOK_H

#include "daemon/fetched.h"
#include "net/loop.h"
#include "store/gap.h"

/* Owned; source, target, image and labels are the origin's or those of the fetched branch. */
struct bw_look_build {
	struct bw_found_build found;
	struct bw_dockerfile file; /* what `found` points to, where it was read */
	size_t branch;		   /* of a repository: its number */
};

/* Zeroed is empty. */
struct bw_looked {
	struct bw_look_build *builds;
	size_t count, capacity;
	size_t files, unreadable;
	struct bw_gaps gaps; /* folders that could not be read */
	char **warnings;     /* for people, each a line */
	size_t warning_count, warning_capacity;
	/* A folder. */
	char *problem; /* why it could not be walked to its end; NULL: it was */
	char *root;
	char **folders; /* that have to be watched: what holds build files, up to the root, and what changed lately */
	size_t folder_count, folder_capacity;
	/* A repository: its files are gone, they have become builds. */
	struct bw_fetched fetched;
};

struct bw_look;

/* Takes `x` over: frees it with bw_looked_free(). Called once, on the loop, never inside bw_look_start(). */
typedef void (*bw_look_fn)(struct bw_looked *x, void *arg);

/* `g` and `known` are for repositories. The origin must live until the end, and as long as what was found. */
struct bw_look *bw_look_start(struct bw_loop *l, struct bw_git *g, const struct bw_origin *o,
			      const struct bw_git_known *known, size_t known_count, bw_look_fn end,
			      void *arg);
void bw_look_cancel(struct bw_look *x); /* no callback; not after the end. NULL is fine */

void bw_looked_free(struct bw_looked *x); /* NULL is fine */

#endif
