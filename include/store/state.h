/*
 * state.h - one base or one build at a time, for those who keep a picture of all of them (store/row.h has the uses). What
 * another process writes between two of these calls is seen by bw_store_has_changed().
 */
#ifndef BW_STORE_STATE_H
#define BW_STORE_STATE_H

#include "image/answer.h"
#include "store/store.h"

/*
 * Has another process or handle written to the database since the last call with this note? `note` is the caller's: 0
 * at first, which means no. Costs a look at shared memory.
 */
int bw_store_has_changed(struct bw_store *s, int64_t *note, bool *ret, struct bw_err *err) BW_NODISCARD;

/* The ids of all bases or builds that ever were, chosen or not: the next ones after `after`, up to `max`, ascending. */
int bw_store_list_bases(struct bw_store *s, int64_t after, int64_t *ids, size_t max, size_t *ret_count,
			struct bw_err *err) BW_NODISCARD;
int bw_store_list_builds(struct bw_store *s, int64_t after, int64_t *ids, size_t max, size_t *ret_count,
			 struct bw_err *err) BW_NODISCARD;

/* Strings are valid only during the callback. */
struct bw_base_state {
	const char *registry, *repository, *tag;
	const char *digest; /* NULL: never seen; then the next three are 0 and NULL */
	uint32_t number;    /* of its last sighting */
	int64_t digest_since_ms;
	const char *previous;	  /* digest before; NULL: it never changed */
	const char *change_class; /* of that change as a whole; NULL: it never changed */
	const char *moved;	  /* in that; hostile until escaped; NULL: nobody looked */
	enum bw_trouble trouble;
	const char *trouble_message;
	int64_t trouble_since_ms;
};

struct bw_build_state {
	const char *source, *path, *target; /* as in store/build.h */
	const char *image, *labels;	    /* as there */
	const char *url, *branch, *commit;  /* of a git source, else NULL */
	const char *problem;		    /* why its source could not be had last time; NULL: it could */
	int64_t problem_since_ms;
	bool is_live;	/* its file is there */
	bool is_chosen; /* and this handle is about it */
};

typedef int (*bw_base_state_fn)(const struct bw_base_state *b, void *arg, struct bw_err *err);
typedef int (*bw_build_state_fn)(const struct bw_build_state *b, void *arg, struct bw_err *err);
/* Calls `fn` once, or not at all when there is no such base or build. Must not call the store again. */
int bw_store_read_base(struct bw_store *s, int64_t base_id, bw_base_state_fn fn, void *arg,
		       struct bw_err *err) BW_NODISCARD;
int bw_store_read_build(struct bw_store *s, int64_t build_id, bw_build_state_fn fn, void *arg,
			struct bw_err *err) BW_NODISCARD;

#endif
