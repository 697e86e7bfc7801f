/*
 * job.h - one configured source: what was found in it last, and how what a look found becomes rows of the store, a batch
 * per turn of the loop. Private to daemon/.
 */
#ifndef BW_DAEMON_JOB_H
#define BW_DAEMON_JOB_H

#include "daemon/agenda.h"
#include "daemon/intake.h"
#include "daemon/look.h"
#include "net/fswatch.h"

/* A branch that was looked into: as long as it has this commit, these are its builds. */
struct bw_job_branch {
	char *name;
	char *commit; /* NULL: its files have to be looked at again, whatever it has */
	struct bw_ids ids;
	size_t files, unreadable;
};

struct bw_job {
	struct bw_sources *all;
	struct bw_origin origin;
	struct bw_agenda agenda;
	struct bw_look *look;
	struct bw_fswatch *watch;
	bool was_seen;	       /* looked into at least once */
	bool has_other_builds; /* it is built in another way than before: builds that were replaced end */
	bool is_doubtful;      /* some of what is being put is lost already */
	/* what is known of it */
	struct bw_ids ids; /* its builds, without those of `branches` */
	struct bw_job_branch *branches;
	size_t branch_count;
	size_t files, unreadable;
	char *problem;	     /* that was told; NULL: it can be had */
	struct bw_map *said; /* warnings of the last look */
	/* what is being put into the store */
	struct bw_looked *looked;
	struct bw_intake *intake;
	struct bw_ids fresh; /* ids of looked->builds, as far as they are put */
	size_t at;
};

struct bw_job *bw_job_new(struct bw_sources *all, struct bw_origin *o); /* takes over what is in the origin */
void bw_job_free(struct bw_job *j); /* cancels its look; what it chose stays chosen. NULL is fine */

/* Adds all ids of its builds. */
void bw_job_add_ids(const struct bw_job *j, struct bw_ids *to);
/* These are live no more, and not by our doing. True: it held some of them, so it has to be looked into. */
bool bw_job_lose(struct bw_job *j, struct bw_ids *lost);

/* Not looked into yet: what the store knows of it is meant and chosen until it was. */
int bw_job_presume(struct bw_job *j, struct bw_store *s, struct bw_err *err) BW_NODISCARD;
/* A look has ended: takes `x` over. */
void bw_job_take(struct bw_job *j, struct bw_store *s, struct bw_looked *x);
/* Puts the next batch. 1: there is more; 0: all is put, and bw_job_settle() has to follow. */
int bw_job_put_some(struct bw_job *j, struct bw_err *err) BW_NODISCARD;

/* Builds that a job lets go, and that no other holds, are chosen no more. */
typedef int (*bw_job_drop_fn)(const struct bw_ids *ids, void *arg, struct bw_err *err);
/*
 * What was found is what the source has now; what is gone ends. `ret_changed`: something may be other than before. What
 * was wrong with the source, or is not any more, is said.
 */
int bw_job_settle(struct bw_job *j, struct bw_store *s, bw_job_drop_fn drop, void *arg, bool *ret_changed,
		  struct bw_err *err) BW_NODISCARD;
/* The store failed: what was put of a look counts, until the next look knows better. Before bw_job_give_up(). */
void bw_job_keep(struct bw_job *j);
/* Gives up what was being put. */
void bw_job_give_up(struct bw_job *j);

#endif
