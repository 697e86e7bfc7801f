/*
 * doubts.h - finds out what is not known of two digests of a base: what would a build, that stands on one, get with the
 * other (store/base.h: bw_store_each_uncompared())? And is a pin, that is not what the tag has, one of its children
 * (bw_store_each_doubt())? What came is in the store then, where verdicts find it. Private to watch/.
 */
#ifndef BW_WATCH_DOUBTS_H
#define BW_WATCH_DOUBTS_H

#include "round.h"
#include "store/store.h"

struct bw_doubts;

struct bw_doubts_hooks {
	void (*progress)(size_t done, size_t total, void *arg); /* may be NULL */
	/*
	 * All that can be known is, maybe inside of bw_doubts_start(). `rc` < 0: the store failed, and something may still
	 * be open. Must not free them.
	 */
	void (*ended)(int rc, const struct bw_err *err, void *arg);
	void *arg;
};

struct bw_doubts *bw_doubts_new(struct bw_sides *sides, struct bw_store *s, const struct bw_doubts_hooks *h);
size_t bw_doubts_count_asked(const struct bw_doubts *d);
/* Is a body on its way? */
bool bw_doubts_is_open(const struct bw_doubts *d);
/* Drops what is open, without callbacks; the clients must not run any more while something is. NULL is fine. */
void bw_doubts_free(struct bw_doubts *d);

/* Once. */
void bw_doubts_start(struct bw_doubts *d);
/* Asks for nothing more, and tells no end. NULL is fine. */
void bw_doubts_halt(struct bw_doubts *d);

#endif
