/*
 * row.h - the chosen builds' uses, each with everything that is known about it: what reports are made of and
 * verdicts judge (store/verdict.h).
 */
#ifndef BW_STORE_ROW_H
#define BW_STORE_ROW_H

#include "buildfile/use.h"
#include "image/answer.h"
#include "image/class.h"
#include "image/pin.h"
#include "store/store.h"

/* Strings are valid only during the callback. */
struct bw_row {
	/* where */
	int64_t build_id;
	const char *source; /* "" for a folder without a name */
	const char *path;   /* as in store/build.h */
	const char *target; /* "" = the last stage */
	bool is_template;
	const char *
		problem; /* the file as a whole: could not be read or parsed; then there is no use in this row */
	uint32_t line;

	/* the use */
	enum bw_role role;
	const char *stage;
	const char *platform;
	const char *written;
	const char *pinned; /* digest written in the reference; NULL */
	bool reachable;
	bool is_scratch;
	const char *unresolved;
	const char *ignored; /* reason; NULL: not ignored */
	int64_t ignored_until_ms;

	/* the base; id 0: the use has none */
	int64_t base_id;
	const char *base;	 /* "registry/repository:tag" */
	const char *digest;	 /* last known; NULL: never seen */
	int64_t first_seen_ms;	 /* of the base; 0: never */
	int64_t changed_at_ms;	 /* when its digest was first seen after a change; 0: never changed */
	int64_t digest_since_ms; /* when the current digest was first seen in this run of it */
	int64_t checked_at_ms;	 /* last answer or failure; 0: never asked */
	enum bw_trouble trouble;
	const char *trouble_message;
	int64_t trouble_since_ms;
	uint32_t retry_after_s;
	const char *previous; /* digest before the last change; NULL */
	/*
	 * What moved for this use, with its platform: from what the build stands on to what the tag has, where these
	 * differ and it is not pinned; else with the last change. NULL: never changed, or not compared.
	 */
	const char *change_class;
	const char *moved; /* what moved, for people; hostile until escaped; NULL: nobody looked */

	/* build and base together */
	const char *handled; /* the digest that this build is known to stand on; NULL: not known yet */
	bool is_same; /* `handled` is another digest than the tag's, with the same content for this build */
	int64_t stale_since_ms; /* 0: not stale */
	/* What last made this pair fresh: "done", "returned", "same-content", "delivered"; NULL */
	const char *evidence;
	int64_t fresh_since_ms; /* by that evidence; 0 */
	enum bw_pin pin;
	/* The pinned image is for another platform than the use: that platform, "" when it has none; NULL: it fits. */
	const char *pin_platform;
};

/* A negative return ends the list and is returned. The callback must not call the store again. */
typedef int (*bw_row_fn)(const struct bw_row *r, void *arg, struct bw_err *err);
/* In the order of base, source, path, target, line; then the uses without a base and the broken files, by path and line. */
int bw_store_each_row(struct bw_store *s, bw_row_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

/* Only those of one base, in the order of the builds' ids. */
int bw_store_each_row_of_base(struct bw_store *s, int64_t base_id, bw_row_fn fn, void *arg,
			      struct bw_err *err) BW_NODISCARD;
/* Only those of one build, base by base in the order of their ids; then the others. None when it is not chosen. */
int bw_store_each_row_of_build(struct bw_store *s, int64_t build_id, bw_row_fn fn, void *arg,
			       struct bw_err *err) BW_NODISCARD;

#endif
