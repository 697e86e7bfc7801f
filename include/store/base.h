/*
 * base.h - bases and what registries said of them. A base is polled once however many uses it has.
 */
#ifndef BW_STORE_BASE_H
#define BW_STORE_BASE_H

#include "image/answer.h"
#include "store/store.h"

/* A base as the poller needs it; strings valid only during the callback. */
struct bw_base {
	int64_t id;
	const char *registry;
	const char *repository;
	const char *tag;
	const char *digest; /* that of the last sighting; NULL: never seen */
	bool in_trouble;    /* the last question failed */
};

/*
 * A negative return ends the iteration and is returned. The callback must not call the store again: it collects, and
 * its caller writes afterwards.
 */
typedef int (*bw_base_fn)(const struct bw_base *b, void *arg, struct bw_err *err);

/*
 * Each base that the chosen builds need an answer for (a use that is not ignored now and reachable), once, in the
 * order of registry, repository, tag. `ret_count` first (may be NULL) for a progress bar.
 */
int bw_store_count_wanted(struct bw_store *s, int64_t now_ms, size_t *ret_count,
			  struct bw_err *err) BW_NODISCARD;
int bw_store_each_wanted(struct bw_store *s, int64_t now_ms, bw_base_fn fn, void *arg,
			 struct bw_err *err) BW_NODISCARD;

/* What came of asking. */
struct bw_seen {
	int64_t base_id;
	int64_t at_ms;
	/* NULL: no trouble, and the digest that the base had (the common case) */
	const struct bw_answer *answer;
};

struct bw_record_counts {
	size_t first;	/* first sightings */
	size_t changed; /* changes */
	size_t failed;
};

/*
 * Records answers in one transaction: sighting, change, and for each build what becomes outstanding or is closed by
 * the tag's return. This is the only function that does, for daemon and one-shot alike; events and deliveries belong
 * in the same transaction. An answer that is up to a minute older than the last one recorded changes nothing: another
 * process was faster.
 */
int bw_store_record(struct bw_store *s, const struct bw_seen *seen, size_t count,
		    struct bw_record_counts *ret, struct bw_err *err) BW_NODISCARD;

/*
 * Each base of the chosen builds with a pinned use that differs from the tag's digest, where that digest's manifest
 * is not known yet and may be an index: one GET decides whether the pin is a child of it. `digest` is set.
 */
int bw_store_each_doubt(struct bw_store *s, int64_t now_ms, bw_base_fn fn, void *arg,
			struct bw_err *err) BW_NODISCARD;

/* Manifests by digest: immutable, kept for ever, never fetched twice. */
int bw_store_put_manifest(struct bw_store *s, const struct bw_digest *digest, const struct bw_manifest *m,
			  size_t size, int64_t now_ms, struct bw_err *err) BW_NODISCARD;

/* One line of history: sighting `number` of a base; `class` is that of the change that led to it, NULL for the first. */
struct bw_sighting {
	const char *base; /* "registry/repository:tag" */
	uint32_t number;  /* 1, 2, ... per base */
	int64_t at_ms;
	const char *digest;
	const char *previous; /* digest before; NULL for the first */
	const char *change_class;
};

typedef int (*bw_sighting_fn)(const struct bw_sighting *x, void *arg, struct bw_err *err);
/* Oldest first, base by base. `base` "registry/repository:tag", or "registry/repository" for all its tags; NULL: all. */
int bw_store_each_sighting(struct bw_store *s, const char *base, bw_sighting_fn fn, void *arg,
			   struct bw_err *err) BW_NODISCARD;

#endif
