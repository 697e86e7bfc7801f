/*
 * base.h - bases and what registries said of them. A base is polled once however many uses it has.
 */
#ifndef BW_STORE_BASE_H
#define BW_STORE_BASE_H

#include "image/answer.h"
#include "image/bodies.h"
#include "image/class.h"
#include "store/store.h"

/* A base as the poller needs it; strings valid only during the callback. */
struct bw_base {
	int64_t id;
	const char *registry;
	const char *repository;
	const char *tag;
	const char *digest; /* that of the last sighting; NULL: never seen */
	int64_t checked_ms; /* last asked, wall time; 0: never */
	uint32_t waited;    /* sweeps in a row that waited for what is behind a new digest */
	uint32_t failures;  /* questions that failed since the last answer; 0: the last one was answered */
	bool is_contradicted; /* since then it said something else: not there, another digest, now this and now that */
	bool is_foreign; /* only git repositories name it: strangers, for whom the network rules hold */
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

/* What two digests of a base are to each other, for the uses of one platform. */
struct bw_comparison {
	struct bw_digest from;
	const char *platform; /* as uses have it; NULL: those that name none */
	enum bw_class class;
	const char *moved; /* what moved, for people */
};

/* A change, as the watch room judged it. */
struct bw_change {
	struct bw_digest from; /* what the base had when it was judged */
	enum bw_class class;   /* the weightiest of the platforms */
	const char *moved;     /* of that */
	const struct bw_comparison
		*comparisons; /* with the new digest: one for each of bw_store_each_stand() */
	size_t comparison_count;
};

/* What came of asking. */
struct bw_seen {
	int64_t base_id;
	int64_t at_ms;
	/* NULL: no trouble, and the digest that the base had (the common case) */
	/* with trouble and a digest: that is what the tag points to, but what is behind it could not be had yet */
	const struct bw_answer *answer;
	const struct bw_change *change; /* with an answer that differs from the last; NULL: unclassified */
};

struct bw_record_counts {
	size_t first;	/* first sightings */
	size_t changed; /* changes */
	size_t failed;
	size_t named; /* as before, but for a build that names the base since its last answer only */
};

struct bw_teller; /* store/fact.h */

/*
 * Records answers in one transaction: sighting, change, and for each build what becomes outstanding, or is closed: by
 * the tag's return, or because the tag has the same content for its platforms as what it stands on
 * (bw_class_counts()). This is the only function that does, for daemon and one-shot alike. The events that the teller
 * makes of it (store/fact.h) and what is owed to whom are written in the same transaction; with `t` NULL they wait for
 * the next record with one, except those of changes. A chosen build gets one request, with all that is outstanding for
 * it, when all answers are recorded; that of any other build waits for somebody who watches it.
 * An answer that is up to a minute older than the last one recorded changes nothing: another process was faster; nor
 * does a change that starts from another digest than the base has now. A change without a judgement is unclassified.
 */
int bw_store_record(struct bw_store *s, const struct bw_seen *seen, size_t count, const struct bw_teller *t,
		    struct bw_record_counts *ret, struct bw_err *err) BW_NODISCARD;

/*
 * Asks for the chosen builds whose request is still owed: what another process recorded, which did not watch them, or what
 * was ignored until now. Up to `max` of them, each with all that is outstanding for it, in one transaction; `ret`: how
 * many, `ret_more`: others wait. Cheap where none does. Recording does the same at its end, for all of them.
 */
int bw_store_tell_pending(struct bw_store *s, int64_t now_ms, const struct bw_teller *t, size_t max,
			  size_t *ret, bool *ret_more, struct bw_err *err) BW_NODISCARD;

/* --- what the judgement of a change takes ----------------------------------------------------------- */

/*
 * What the live uses of a base, that are reachable and not ignored now, stand on, each digest and platform once: first
 * the base's digest with every platform, pinned uses included; then other digests that builds stand on. `platform` NULL:
 * none is named.
 */
typedef int (*bw_stand_fn)(const char *digest, const char *platform, void *arg, struct bw_err *err);
int bw_store_each_stand(struct bw_store *s, int64_t base_id, int64_t now_ms, bw_stand_fn fn, void *arg,
			struct bw_err *err) BW_NODISCARD;

/*
 * What the chosen builds stand on that was never compared with what the tag has: a platform is named since the base
 * moved, or a body could not be had. In the order of the bases; the texts are valid only during the callback.
 */
struct bw_uncompared {
	struct bw_base base;  /* `digest` is set */
	const char *from;     /* what the build stands on */
	const char *platform; /* NULL: none is named */
};
typedef int (*bw_uncompared_fn)(const struct bw_uncompared *u, void *arg, struct bw_err *err);
int bw_store_each_uncompared(struct bw_store *s, int64_t now_ms, bw_uncompared_fn fn, void *arg,
			     struct bw_err *err) BW_NODISCARD;
/* Keeps one, and what follows from it for builds, where the base still has `to`. */
int bw_store_put_comparison(struct bw_store *s, int64_t base_id, const struct bw_digest *to,
			    const struct bw_comparison *c, int64_t now_ms, struct bw_err *err) BW_NODISCARD;

/* The number of the newest sighting of this base with that digest; 0: it never had it. */
int bw_store_find_sighting(struct bw_store *s, int64_t base_id, const struct bw_digest *d, uint32_t *ret,
			   struct bw_err *err) BW_NODISCARD;

/* Did two answers of this registry to one question ever disagree within a sweep? */
int bw_store_has_disagreed(struct bw_store *s, const char *registry, bool *ret,
			   struct bw_err *err) BW_NODISCARD;
int bw_store_put_disagreement(struct bw_store *s, const char *registry, int64_t now_ms,
			      struct bw_err *err) BW_NODISCARD;

/* --- bodies: immutable, kept for ever, never fetched twice ------------------------------------------ */

/*
 * Each pinned use of the chosen builds that differs from its tag's digest, where the database lacks a body that
 * bw_pin_decide() needs; in the order of the bases. Uses that ask the same are one. The texts are valid only during the
 * callback.
 */
struct bw_doubt {
	struct bw_base base;	/* `digest` is set */
	const char *media_type; /* of that; NULL: not known */
	const char *pinned;
	const char *platform; /* NULL: the use names none */
};
typedef int (*bw_doubt_fn)(const struct bw_doubt *d, void *arg, struct bw_err *err);
int bw_store_each_doubt(struct bw_store *s, int64_t now_ms, bw_doubt_fn fn, void *arg,
			struct bw_err *err) BW_NODISCARD;

int bw_store_put_manifest(struct bw_store *s, const struct bw_digest *digest, const struct bw_manifest *m,
			  size_t size, int64_t now_ms, struct bw_err *err) BW_NODISCARD;
/* `body` is the configuration as it came; it has been parsed without an error. */
int bw_store_put_config(struct bw_store *s, const struct bw_digest *digest, const char *body, size_t len,
			int64_t now_ms, struct bw_err *err) BW_NODISCARD;
/*
 * The registry of this base says that it does not have that digest (any more). Forgotten when a sighting has it. A
 * trouble that may pass (bw_trouble_is_passing()) is not remembered, nor is one without a base (0).
 */
int bw_store_put_missing(struct bw_store *s, int64_t base_id, const struct bw_digest *digest,
			 const struct bw_answer *why, int64_t now_ms, struct bw_err *err) BW_NODISCARD;

/*
 * Meets the needs that the database can meet: with bodies, and with what is known to be missing for this base (0: no
 * base). `ret_met`: how many; 0 when the rest has to come from elsewhere.
 */
int bw_store_meet_needs(struct bw_store *s, int64_t base_id, struct bw_bodies *b, size_t *ret_met,
			struct bw_err *err) BW_NODISCARD;

/* --- history ---------------------------------------------------------------------------------------- */

/* One line of history: sighting `number` of a base; `class` is that of the change that led to it, NULL for the first. */
struct bw_sighting {
	const char *base; /* "registry/repository:tag" */
	uint32_t number;  /* 1, 2, ... per base */
	int64_t at_ms;
	const char *digest;
	const char *previous; /* digest before; NULL for the first */
	const char *change_class;
	const char
		*moved; /* what moved, for people; hostile until escaped; NULL: the first, or nobody looked */
};

typedef int (*bw_sighting_fn)(const struct bw_sighting *x, void *arg, struct bw_err *err);
/* Oldest first, base by base. `base` "registry/repository:tag", or "registry/repository" for all its tags; NULL: all. */
int bw_store_each_sighting(struct bw_store *s, const char *base, bw_sighting_fn fn, void *arg,
			   struct bw_err *err) BW_NODISCARD;

#endif
