/* moves.h - what the changes of a base mean for its uses; private to store/. */
#ifndef BW_STORE_MOVES_H
#define BW_STORE_MOVES_H

#include "image/digest.h"
#include "store/sql.h"

/* What a change means for the uses of one platform. */
struct bw_meaning {
	char *platform;		  /* "" for none */
	struct bw_digest handled; /* that the build stands on, when it is stale; else unset */
	char *class;		  /* NULL: nothing is known */
	char *moved;		  /* NULL: nothing is known */
};

#define BW_MOVES_MAX 32

/*
 * The moves of one base. Rows come base by base, and many uses ask the same, so the answers are kept until the base
 * changes, the last BW_MOVES_MAX of them. Starts zeroed.
 */
struct bw_moves {
	int64_t base_id; /* 0: of no base */
	struct bw_digest previous;
	int64_t first_seen_ms;
	struct bw_meaning meanings[BW_MOVES_MAX];
	size_t count;
	size_t next; /* to be replaced when there is no more room */
};

void bw_moves_done(struct bw_moves *m);

/* What is known of a base that has moved; `number` is that of its last sighting, more than 1. */
int bw_moves_load(struct bw_store *s, struct bw_moves *m, int64_t base_id, int64_t number,
		  struct bw_err *err) BW_NODISCARD;

/*
 * What the last change of that base means for uses of this platform (NULL: they name none); with `handled`, of a stale
 * build, the weightiest change since it had that digest. The answer lives until the next call.
 */
int bw_moves_mean(struct bw_store *s, struct bw_moves *m, int64_t number, const char *platform,
		  const char *handled, const struct bw_meaning **ret, struct bw_err *err) BW_NODISCARD;

#endif
