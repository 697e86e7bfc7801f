/*
 * fswatch.h - tells when something changes in folders (not below them: watching is not recursive on Linux). Bursts are
 * told once, when they are over.
 */
#ifndef BW_NET_FSWATCH_H
#define BW_NET_FSWATCH_H

#include <stddef.h>

#include "net/loop.h"

struct bw_fswatch;

struct bw_fswatch_hooks {
	/* Something in at least one of the folders was made, changed, renamed or removed; it has been quiet since. */
	void (*changed)(void *arg);
	/*
	 * No more folders can be watched (ENOSPC, EMFILE, BW_FSWATCH_MAX): said once, until a later list fits. It is
	 * called inside of bw_fswatch_set(), as the last thing that does.
	 */
	void (*exhausted)(const struct bw_err *err, void *arg);
	void *arg;
};

#define BW_FSWATCH_MAX 65536 /* folders; systems often allow a user no more than that */

/*
 * `quiet_ms`: so long nothing happens before it is told; at the latest after ten times that. Watching does not keep
 * bw_loop_run() alive.
 */
struct bw_fswatch *bw_fswatch_new(struct bw_loop *l, const struct bw_fswatch_hooks *h, uint32_t quiet_ms);
void bw_fswatch_free(struct bw_fswatch *w); /* before the loop; NULL is fine */

/*
 * These folders from now on, absolute paths; what was watched already stays watched without a gap. One that is not there
 * (any more) is left out without a word: its parent tells.
 */
void bw_fswatch_set(struct bw_fswatch *w, const char *const *folders, size_t count);

#endif
