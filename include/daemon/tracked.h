/*
 * tracked.h - what the store knows of a source already: its branches and its builds, which stay as they were known when
 * the source cannot be had.
 */
#ifndef BW_DAEMON_TRACKED_H
#define BW_DAEMON_TRACKED_H

#include "daemon/fetched.h"
#include "daemon/intake.h"
#include "daemon/origin.h"
#include "store/gap.h"

struct bw_tracked_branch {
	char *name; /* "URL#branch" */
	char *branch;
	char *commit;		  /* NULL: never reached */
	int64_t problem_since_ms; /* 0: it could be had last time */
};

/* Zeroed is empty. */
struct bw_tracked_branches {
	struct bw_tracked_branch *items;
	size_t count, capacity;
};

/* The branches that a git source means, of those that were ever looked into. The caller frees in every case. */
int bw_tracked_load(struct bw_store *s, const struct bw_origin *o, struct bw_tracked_branches *ret,
		    struct bw_err *err) BW_NODISCARD;
void bw_tracked_done(struct bw_tracked_branches *k);

/* Adds the live builds that a folder, or one branch of a git source, is known to have. They are not chosen by that. */
int bw_tracked_list_folder(struct bw_store *s, const struct bw_origin *o, struct bw_ids *ret,
			   struct bw_err *err) BW_NODISCARD;
int bw_tracked_list_branch(struct bw_store *s, const struct bw_origin *o, const char *name,
			   struct bw_ids *ret, struct bw_err *err) BW_NODISCARD;
/* The same for a whole source. */
int bw_tracked_list(struct bw_store *s, const struct bw_origin *o, struct bw_ids *ret,
		    struct bw_err *err) BW_NODISCARD;

/*
 * A git source was looked into, or could not be, and what was found in it is chosen: the store learns branches, commits
 * and problems. Builds of files that are not there any more end, and of branches that a pattern looked for in vain. Where
 * the whole repository or a branch that was named could not be had, what is known of it stays: those builds are chosen,
 * added to `ids` (may be NULL), and told to `kept` (may be NULL) with the problem and since when.
 */
typedef void (*bw_tracked_kept_fn)(const char *name, const char *problem, int64_t since_ms, void *arg);
int bw_tracked_settle(struct bw_store *s, const struct bw_fetched *f, int64_t now_ms, struct bw_ids *ids,
		      bw_tracked_kept_fn kept, void *arg, struct bw_err *err) BW_NODISCARD;

/* --- what could not be looked into ---------------------------------------------------------------- */

/* That of a repository: all of it, or branches that were named and are not there. */
void bw_tracked_gaps_of(const struct bw_fetched *f, struct bw_gaps *ret);
/* Of a source of the configuration, as in store/gap.h. */
int bw_tracked_put_gaps(struct bw_store *s, const struct bw_origin *o, struct bw_gaps *g, int64_t now_ms,
			struct bw_err *err) BW_NODISCARD;
int bw_tracked_load_gaps(struct bw_store *s, const struct bw_origin *o, struct bw_gaps *ret,
			 struct bw_err *err) BW_NODISCARD;

#endif
