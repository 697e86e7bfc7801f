/*
 * fetched.h - what looking into a git repository brought: its branches with their build files, or why there are none.
 */
#ifndef BW_DAEMON_FETCHED_H
#define BW_DAEMON_FETCHED_H

#include "daemon/origin.h"

struct bw_fetched_file {
	char *path;
	struct bw_buf text;
	char *problem; /* NULL: there is the text */
};

struct bw_fetched_branch {
	char *source; /* "URL#branch" */
	char *branch, *commit;
	bool is_unchanged; /* it was known already, and was not looked into */
	struct bw_git_tree *tree;
	struct bw_fetched_file *files;
	size_t count, capacity;
};

/* Zeroed is empty. */
struct bw_fetched {
	const struct bw_origin *origin;
	struct bw_fetched_branch *branches;
	size_t count, capacity;
	char **missing; /* branches and patterns that the repository has nothing for; "HEAD": it has none */
	size_t missing_count, missing_capacity;
	char **links; /* what is said of links that are not followed */
	size_t link_count, link_capacity;
	char *problem; /* why it could not be looked into at all; NULL: it could */
	/* Private. */
	size_t bytes; /* of the files */
	void (*end)(void *arg);
	void *arg;
};

/*
 * Looks into the repository of an origin, which must live as long as `f`. `end` is called once, not inside; then the
 * job is over.
 */
struct bw_git_job *bw_fetched_start(struct bw_git *g, const struct bw_origin *o,
				    const struct bw_git_known *known, size_t known_count,
				    void (*end)(void *arg), void *arg, struct bw_fetched *f);
void bw_fetched_done(struct bw_fetched *f);

/* NULL: this branch is not there, or not asked for. */
const struct bw_fetched_branch *bw_fetched_find(const struct bw_fetched *f, const char *branch);

/*
 * Is it wrong that this one of the missing is not there? A pattern may have nothing yet, as long as something else was
 * found.
 */
bool bw_fetched_is_lack(const struct bw_fetched *f, size_t i);
/* How many of them are. */
size_t bw_fetched_lacks(const struct bw_fetched *f);
/* "it has no branch 'x'"; a new string. */
char *bw_fetched_lack(const char *missing);

#endif
