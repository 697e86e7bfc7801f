/*
 * remote.h - git repositories among the operands of a command line, URL[#BRANCH[:FOLDER]]: all are looked into at the
 * same time, a few at once, before the first of their files is handed on.
 */
#ifndef BW_COMMAND_REMOTE_H
#define BW_COMMAND_REMOTE_H

#include "command/args.h"
#include "source/git.h"

/* Is it the address of a repository, and no path that is there? */
bool bw_remote_is(const char *operand);
/* Does its fragment mean this branch? Without one it may be any: which one HEAD is, the server knows. */
bool bw_remote_means(const struct bw_giturl *u, const char *branch);

/* `git` beside the database; NULL when there is no database yet, or nowhere for it. The caller frees. */
char *bw_remote_state(const struct bw_args *a);

struct bw_remote_file {
	char *path;
	struct bw_buf text;
	char *problem; /* NULL: there is the text */
};

struct bw_remote_branch {
	char *source; /* "URL#branch" */
	char *branch, *commit;
	struct bw_git_tree *tree;
	struct bw_remote_file *files;
	size_t count, capacity;
};

struct bw_remote {
	const char *operand;
	struct bw_giturl url;
	char *problem; /* why it could not be looked into; NULL: it could */
	struct bw_remote_branch *branches;
	size_t count, capacity;
	bool is_done;
	struct bw_remotes *all;
};

struct bw_remotes {
	struct bw_remote *items;
	size_t count;
	size_t open;
	struct bw_loop *loop;
};

/*
 * Looks into every repository among the operands. `state`: where they are kept; NULL: in a folder that is removed
 * behind. BW_E_INPUT for an address that is none; what one repository cannot give is its problem. After an interruption
 * nothing of it may be used. The caller frees with bw_remotes_done() in every case.
 */
int bw_remotes_fetch(const struct bw_args *a, const char *state, struct bw_remotes *ret,
		     bool *ret_interrupted, struct bw_err *err) BW_NODISCARD;
void bw_remotes_done(struct bw_remotes *r);

/* That of an operand, by its own text; NULL: it is none. */
struct bw_remote *bw_remotes_find(const struct bw_remotes *r, const char *operand);

#endif
