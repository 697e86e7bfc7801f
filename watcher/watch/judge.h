/*
 * judge.h - an answer that differs from the last one: is it to be believed, and what does it mean? Private to watch/.
 */
#ifndef BW_WATCH_JUDGE_H
#define BW_WATCH_JUDGE_H

#include "net/loop.h"
#include "registry/client.h"
#include "store/base.h"
#include "watch/inquiry.h"

struct bw_judge;

struct bw_judge *bw_judge_new(struct bw_loop *l, struct bw_store *s, struct bw_registry *r,
			      struct bw_inquiries *inquiries, uint32_t settle_ms);
/* Drops the open cases without callbacks; the registry client must not run any more while there are some. */
void bw_judge_free(struct bw_judge *j);

/* A base with a new digest. The strings are the caller's, until the judgement. */
struct bw_case {
	int64_t base_id;
	const char *registry, *repository, *tag;
	const char *digest; /* what the base has; set */
	uint32_t waited;    /* sweeps in a row, for bodies of a new digest */
	size_t *open;	    /* counts the cases of this registry that hold bodies in memory; the caller's */
};

/*
 * What to record: `a` with `change` (the caller frees it with bw_judge_change_free()), or without one an answer that is
 * trouble or has the base's digest after all. `rc` < 0: the store failed.
 */
typedef void (*bw_judged_fn)(int rc, const struct bw_err *err, const struct bw_answer *a,
			     struct bw_change *change, void *arg);

/* Ends in `fn` exactly once, maybe inside this call. */
void bw_judge_hear(struct bw_judge *j, const struct bw_case *c, const struct bw_answer *a, bw_judged_fn fn,
		   void *arg);

void bw_judge_change_free(struct bw_change *change); /* NULL is fine */

#endif
