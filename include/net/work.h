/*
 * work.h - runs a function on another thread, and comes back to the loop: for what would hold the loop up, such as
 * walking a folder.
 */
#ifndef BW_NET_WORK_H
#define BW_NET_WORK_H

#include "net/loop.h"

struct bw_work;

typedef void (*bw_work_fn)(void *arg);

/*
 * `work` runs on a thread of libuv's pool and may touch nothing but what `arg` leads to. `done` is called on the loop
 * behind it, exactly once, never inside this call; until then it keeps bw_loop_run() alive.
 */
struct bw_work *bw_work_start(struct bw_loop *l, bw_work_fn work, bw_work_fn done, void *arg);
/* No callback; waits until `work` has ended when it has begun. Not after `done`. NULL is fine. */
void bw_work_cancel(struct bw_work *w);

#endif
