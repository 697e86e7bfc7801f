/*
 * build.h - builds and their uses: what the scans found, and which builds the next question is about.
 *
 * Identity of a build = build file + target. A build file is its real path, or name of the source + path inside it
 * where the source has a name. Builds end when their file disappears and revive when it comes back; history stays.
 */
#ifndef BW_STORE_BUILD_H
#define BW_STORE_BUILD_H

#include "buildfile/dockerfile.h"
#include "image/digest.h"
#include "store/store.h"

/* One scanned build file and target. */
struct bw_build_scan {
	const char *source; /* name of the source; "" for a folder without a name */
	const char *root;   /* of a named source: its real path now (where the last scan saw it); else "" */
	const char *path;   /* absolute and real; inside the root when the source has a name */
	const char *target; /* as given with --target, lower case; "" = the last stage */
	bool is_template;
	/* What it produces, and what people say of it: a compact JSON object of strings, sorted by name; NULL: nothing. */
	const char *image, *labels;
	/*
	 * Of all that decides the uses and their patches: text, options, version of the reader. Not of image and labels,
	 * which are compared by themselves.
	 */
	struct bw_digest fingerprint;
	const struct bw_dockerfile *file; /* NULL: could not be read; the uses known before stay */
	const char *problem;		  /* without a file: why */
};

/*
 * Records scanned builds in one transaction; writes nothing at all when nothing changed. A base that was never named
 * before gets its row. `ret_ids` (room for `count`) receives the build ids; the builds are chosen as well.
 */
int bw_store_put_builds(struct bw_store *s, const struct bw_build_scan *scans, size_t count, int64_t now_ms,
			int64_t *ret_ids, struct bw_err *err) BW_NODISCARD;

/*
 * Of the live build files of `source` at or below `location` (absolute), those with no chosen build are shown to
 * `is_gone` by their absolute location; where it says true, their builds end.
 */
typedef bool (*bw_gone_fn)(const char *location, void *arg);
int bw_store_end_missing(struct bw_store *s, const char *source, const char *location, bw_gone_fn is_gone,
			 void *arg, int64_t now_ms, struct bw_err *err) BW_NODISCARD;

/* Which live builds are meant from now on. Each call adds; `ret_count` (may be NULL) says how many matched. */
int bw_store_choose_none(struct bw_store *s, struct bw_err *err) BW_NODISCARD;
int bw_store_choose_all(struct bw_store *s, size_t *ret_count, struct bw_err *err) BW_NODISCARD;
/* At or below an absolute path, named sources too (root + path). Whole path parts: /a does not match /ab. */
int bw_store_choose_location(struct bw_store *s, const char *location, size_t *ret_count,
			     struct bw_err *err) BW_NODISCARD;
/* Of a named source; `path` "" for all, else at or below that path inside it. */
int bw_store_choose_source(struct bw_store *s, const char *source, const char *path, size_t *ret_count,
			   struct bw_err *err) BW_NODISCARD;
/* Drops from the chosen those of another target. */
int bw_store_keep_target(struct bw_store *s, const char *target, size_t *ret_count,
			 struct bw_err *err) BW_NODISCARD;

/* By their ids, as bw_store_put_builds() gave them. */
int bw_store_choose_builds(struct bw_store *s, const int64_t *ids, size_t count,
			   struct bw_err *err) BW_NODISCARD;
int bw_store_unchoose_builds(struct bw_store *s, const int64_t *ids, size_t count,
			     struct bw_err *err) BW_NODISCARD;

/* The chosen builds that are live no more, in the order of their ids: another process ended or forgot them. */
typedef int (*bw_lost_fn)(int64_t build_id, void *arg, struct bw_err *err);
int bw_store_each_lost(struct bw_store *s, bw_lost_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

/* The live builds of `source` at or below `location` (as for bw_store_end_missing()), by file and target. */
typedef int (*bw_live_fn)(int64_t build_id, const char *path, const char *target, void *arg,
			  struct bw_err *err);
int bw_store_each_live(struct bw_store *s, const char *source, const char *location, bw_live_fn fn, void *arg,
		       struct bw_err *err) BW_NODISCARD;
/* Of the files of these builds, builds that are not chosen end: others are made of these files now. */
int bw_store_end_others(struct bw_store *s, const int64_t *ids, size_t count, int64_t now_ms,
			struct bw_err *err) BW_NODISCARD;

struct bw_done_counts {
	size_t builds; /* chosen builds looked at */
	size_t closed; /* (build, base) pairs that were stale and stand on the tag's digest now */
	size_t moved;  /* pairs that were given --digest, but the tag has moved on: still stale */
	size_t pinned; /* pairs that only a new pin can make fresh */
};
/*
 * The chosen builds were rebuilt: what they stand on is now what the base points to - or `digest` (NULL: current),
 * which must be a sighting of that base, else the pair is left alone. Evidence "done".
 */
int bw_store_done(struct bw_store *s, const struct bw_digest *digest, int64_t now_ms,
		  struct bw_done_counts *ret, struct bw_err *err) BW_NODISCARD;

/*
 * The same for one live build, by the id that events name it by (store/identity.h), whatever is chosen. BW_E_GONE: there
 * is no such build. `ret_build_id` (may be NULL) is its row.
 */
int bw_store_done_build(struct bw_store *s, const char *build, const struct bw_digest *digest, int64_t now_ms,
			struct bw_done_counts *ret, int64_t *ret_build_id, struct bw_err *err) BW_NODISCARD;

/*
 * The same for what a rebuild.requested asked for, and no more: its build (if there still is one), its bases, its
 * digests. What stands on something newer already stays so. `number` is that of bw_store_find_event() (store/outbox.h).
 */
int bw_store_done_event(struct bw_store *s, int64_t number, int64_t now_ms, struct bw_done_counts *ret,
			struct bw_err *err) BW_NODISCARD;

/* Forgets the chosen builds (history of bases stays). `ret_count`: build files forgotten. */
int bw_store_forget(struct bw_store *s, size_t *ret_count, struct bw_err *err) BW_NODISCARD;

#endif
