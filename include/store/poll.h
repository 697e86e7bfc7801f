/*
 * poll.h - bases as one who polls them for ever needs them: when each was asked last, one at a time when its turn has
 * come, and which others belong into the same events.
 */
#ifndef BW_STORE_POLL_H
#define BW_STORE_POLL_H

#include "store/base.h"

/* Strings valid only during the callback. */
struct bw_poll {
	int64_t id;
	const char *registry;
	const char *repository;
	const char *tag;
	int64_t checked_ms; /* last asked; 0: never */
	uint32_t failures;  /* since the last answer */
	enum bw_trouble trouble;
	uint32_t retry_after_s;
};

/* As bw_base_fn. */
typedef int (*bw_poll_fn)(const struct bw_poll *p, void *arg, struct bw_err *err);
/* Each base that the chosen builds need an answer for, once, in no order. */
int bw_store_each_poll(struct bw_store *s, int64_t now_ms, bw_poll_fn fn, void *arg,
		       struct bw_err *err) BW_NODISCARD;

/* One of them, as it is now. `fn` is not called when no chosen build needs it any more. */
int bw_store_find_wanted(struct bw_store *s, int64_t base_id, int64_t now_ms, bw_base_fn fn, void *arg,
			 struct bw_err *err) BW_NODISCARD;

/* The other bases of the chosen builds that stand on this one, at most `max`. */
typedef int (*bw_companion_fn)(int64_t base_id, void *arg, struct bw_err *err);
int bw_store_each_companion(struct bw_store *s, int64_t base_id, int64_t now_ms, size_t max,
			    bw_companion_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

#endif
