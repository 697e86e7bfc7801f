/*
 * sources.h - keeps the builds of the configured sources in the store as they are now: folders are walked on another
 * thread, when something changed in them and every `poll.rescan`; git repositories are asked every `poll.every`, a few at
 * once.
 * What could not be had keeps the builds that were known of it. All builds of the sources are chosen (store/build.h);
 * nothing else is.
 */
#ifndef BW_DAEMON_SOURCES_H
#define BW_DAEMON_SOURCES_H

#include "config/conf.h"
#include "net/loop.h"
#include "store/store.h"

struct bw_sources;

struct bw_sources_hooks {
	/*
	 * A source was looked into, and builds or what is known of a source may have changed. Not before all of them were
	 * looked into once, or bw_sources_limit_wait() is over. A repository that takes its time does not hold up
	 * what a folder has new.
	 */
	void (*settled)(void *arg);
	/* The store failed. What was read is read again with the next rescan. */
	void (*failed)(const struct bw_err *err, void *arg);
	void *arg;
};

/*
 * `state`: the folder of the git repositories, made when it is needed and its parent is there. Of `c` nothing is kept.
 * BW_E_CONFIG for a URL or platform that is none.
 */
int bw_sources_new(struct bw_loop *l, struct bw_store *s, const char *state, const struct bw_conf *c,
		   const struct bw_sources_hooks *h, struct bw_sources **ret,
		   struct bw_err *err) BW_NODISCARD;
/*
 * Cancels what is under way, without callbacks; before store and loop. NULL is fine. It waits for the file that is just
 * being read.
 */
void bw_sources_free(struct bw_sources *x);

/*
 * Another configuration: what is the same stays and is not read again; what has gone is chosen no more. One that cannot
 * be used is said to be so, and all stays as it was.
 */
void bw_sources_set(struct bw_sources *x, const struct bw_conf *c);
/*
 * From here on, and after each new configuration, `settled` waits for all sources at most so long (0: without end). Of
 * those that were not looked into by then what is known counts until they are.
 */
void bw_sources_limit_wait(struct bw_sources *x, uint32_t ms);
/*
 * Another process has written: sources of which it forgot or ended builds are looked into now. What cannot be read now is
 * read before the next look into any source.
 */
void bw_sources_look_again(struct bw_sources *x);
/* Looks into all of them now. */
void bw_sources_rescan(struct bw_sources *x);

struct bw_sources_counts {
	size_t files;	    /* build files, as last read */
	size_t unreadable;  /* of them and of folders, those that could not be read */
	size_t unreachable; /* sources that could not be had at all the last time */
};
void bw_sources_count(const struct bw_sources *x, struct bw_sources_counts *ret);

#endif
