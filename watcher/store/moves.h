/* moves.h - what the changes of a base mean for its uses; private to store/. */
#ifndef BW_STORE_MOVES_H
#define BW_STORE_MOVES_H

#include "image/digest.h"
#include "store/sql.h"

/* What it means for the uses of one platform that the tag went from one digest to what it has now. */
struct bw_meaning {
	char *platform; /* "" for none */
	char *from;
	bool is_stand;
	char *class; /* NULL: nobody knows */
	char *moved; /* NULL: the same, or there were no words */
};

struct bw_move_question {
	const char *platform; /* NULL: none is named */
	const char *from;     /* what the build stands on, or what the base had before */
	bool is_stand; /* the former: what nobody compared is unclassified, whatever the change is to others */
	const char *to; /* what the base has */
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
	char *class, *moved; /* of the last change as a whole */
	int64_t build_id;    /* that `counts` is about; 0: none */
	bool counts;
	struct bw_meaning meanings[BW_MOVES_MAX];
	size_t count;
	size_t next; /* to be replaced when there is no more room */
};

void bw_moves_done(struct bw_moves *m);

/* What is known of a base that has moved; `number` is that of its last sighting, more than 1. */
int bw_moves_load(struct bw_store *s, struct bw_moves *m, int64_t base_id, int64_t number,
		  struct bw_err *err) BW_NODISCARD;

/* What the move means for uses of this platform. The answer lives until the next call. */
int bw_moves_mean(struct bw_store *s, struct bw_moves *m, const struct bw_move_question *w,
		  const struct bw_meaning **ret, struct bw_err *err) BW_NODISCARD;

/* Does it count for this build, whose uses stand on `from`? */
int bw_moves_count(struct bw_store *s, struct bw_moves *m, int64_t build_id, const struct bw_move_question *w,
		   int64_t now_ms, bool *ret, struct bw_err *err) BW_NODISCARD;

#endif
