/*
 * gap.h - what of a source could not be looked into the last time, and since when: it may hide anything. Sources are told
 * apart by a key that their owner makes (daemon/tracked.h).
 */
#ifndef BW_STORE_GAP_H
#define BW_STORE_GAP_H

#include "store/store.h"

#define BW_GAPS_MAX 1000 /* of one list; that there are more changes nothing */

struct bw_gap {
	char *place;	  /* a folder, a repository without user info, or "URL#branch" */
	char *problem;	  /* in one line, for people */
	int64_t since_ms; /* 0: nobody remembers */
};

/* Zeroed is empty. */
struct bw_gaps {
	struct bw_gap *items;
	size_t count, capacity;
};

/* A problem that begins with the place is kept without it. */
void bw_gaps_add(struct bw_gaps *g, const char *place, const char *problem, int64_t since_ms);
bool bw_gaps_has(const struct bw_gaps *g, const char *place);
/* `from` is empty then. */
void bw_gaps_move(struct bw_gaps *from, struct bw_gaps *to);
void bw_gaps_done(struct bw_gaps *g);

/* These are all that there are of this source now. Fills in since when; writes only what is other than before. */
int bw_store_put_gaps(struct bw_store *s, const char *key, struct bw_gaps *g, int64_t now_ms,
		      struct bw_err *err) BW_NODISCARD;
/* Adds those that are known of it, by place. */
int bw_store_load_gaps(struct bw_store *s, const char *key, struct bw_gaps *ret,
		       struct bw_err *err) BW_NODISCARD;

#endif
