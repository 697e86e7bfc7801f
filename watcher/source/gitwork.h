/*
 * gitwork.h - what a job knows about its branches: their trees, which files count, and their contents. No I/O.
 * Private to source/.
 */
#ifndef BW_SOURCE_GITWORK_H
#define BW_SOURCE_GITWORK_H

#include "core/map.h"
#include "source/git.h"
#include "source/gitout.h"
#include "source/gitpick.h"

#define BW_GIT_MAX_BRANCHES 1000U

/* Of all build files of one job: they are kept until all of them are there. */
#define BW_GIT_MAX_CONTENT_BYTES (64U << 20)

/* One tree in many branches costs its server nothing, and us each time. */
#define BW_GIT_MAX_TREES_BYTES (256U << 20)

/* Other links than those that stand for build files, which may lie on their way. */
#define BW_GIT_MAX_LINKS 2000U

struct bw_git_blob {
	char *text; /* NULL: `problem`, or not there yet */
	size_t len;
	char *problem;
	bool is_missing; /* it has to be fetched */
};

struct bw_git_pick {
	const struct bw_git_entry *entry;
	const char *link_problem; /* a link that is not followed */
};

struct bw_git_work {
	char *name;
	char commit[BW_GIT_OID_MAX];
	bool is_unchanged;
	bool has_tree;
	struct bw_git_tree tree;
	struct bw_git_pick *picks;
	size_t count, capacity;
};

struct bw_git_works {
	struct bw_git_rules rules;
	struct bw_git_work *items;
	size_t count, capacity;
	struct bw_map *blobs; /* by object name */
	size_t bytes;	      /* of their contents */
	size_t tree_bytes;    /* of all trees */
	/* Object names that are to be read, each once; they are those of the trees. */
	const char **wanted;
	size_t wanted_count, wanted_capacity;
	bool are_links_read;
};

void bw_git_works_init(struct bw_git_works *w);
void bw_git_works_done(struct bw_git_works *w);

/* Takes a branch up, once. BW_E_LIMIT. */
int bw_git_works_add(struct bw_git_works *w, const char *name, const char *commit,
		     struct bw_err *err) BW_NODISCARD;

/* Picks the build files of a tree that has just come, and wants what has to be read. */
int bw_git_works_pick(struct bw_git_works *w, struct bw_git_work *x, struct bw_err *err) BW_NODISCARD;
/* The links have been read: picks what they lead to. */
void bw_git_works_follow(struct bw_git_works *w);

/* The nth wanted object was read. BW_E_LIMIT when it is too much altogether. */
int bw_git_works_take(struct bw_git_works *w, size_t n, const struct bw_buf *content, bool is_missing,
		      const char *problem, struct bw_err *err) BW_NODISCARD;
/* Keeps of the wanted objects those that have to be fetched; the number of them. */
size_t bw_git_works_keep_missing(struct bw_git_works *w);
/* What is still missing will not come. */
void bw_git_works_give_up(struct bw_git_works *w);

/* Tells it all. */
void bw_git_works_tell(const struct bw_git_works *w, const struct bw_git_hooks *h);

#endif
