/*
 * remote.h - git repositories that a verb looks into: all at the same time, a few at once, before the first of their
 * files is handed on.
 */
#ifndef BW_COMMAND_REMOTE_H
#define BW_COMMAND_REMOTE_H

#include "command/args.h"
#include "daemon/fetched.h"

/* Is an operand the address of a repository, URL[#BRANCH[:FOLDER]], and no path that is there? */
bool bw_remote_is(const char *operand);
/* Does its fragment mean this branch? Without one it may be any: which one HEAD is, the server knows. */
bool bw_remote_means(const struct bw_giturl *u, const char *branch);

/* `git` beside the database; NULL when there is no database yet, or nowhere for it. The caller frees. */
char *bw_remote_state(const struct bw_args *a);

struct bw_remotes {
	struct bw_fetched *items; /* one for each origin; of a folder it stays empty */
	size_t count;
	size_t open;
	struct bw_loop *loop;
};

/*
 * Looks into every repository among the origins. `state`: where they are kept; NULL: in a folder that is removed behind.
 * What one repository cannot give is its problem. After an interruption nothing of it may be used. The caller frees
 * with bw_remotes_done() in every case.
 */
int bw_remotes_fetch(const struct bw_origins *o, const char *state, struct bw_remotes *ret,
		     bool *ret_interrupted, struct bw_err *err) BW_NODISCARD;
void bw_remotes_done(struct bw_remotes *r);

#endif
