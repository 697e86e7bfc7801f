/*
 * gather.h - from the operands of a command line to parsed build files: folders are walked, files read, git
 * repositories looked into, `-` is standard input.
 */
#ifndef BW_COMMAND_GATHER_H
#define BW_COMMAND_GATHER_H

#include "command/args.h"
#include "command/remote.h"
#include "core/buf.h"
#include "image/digest.h"

/*
 * A build file with what identifies it (store/build.h). Valid only during the callback, except what it takes over.
 */
struct bw_gathered {
	const char *source; /* "" without --source; "URL#branch" of a git repository */
	const char *root;   /* of a named source; else "" */
	const char *path;   /* absolute, or inside the root of a named source; "-" for standard input */
	bool is_template;
	const struct bw_buf *text; /* as it was read; NULL: could not be read */
	struct bw_dockerfile
		*file; /* NULL: could not be read. The callback may take its contents and zero it */
	const char *problem;
	struct bw_digest fingerprint;
};

struct bw_gather_hooks {
	int (*file)(struct bw_gathered *g, void *arg, struct bw_err *err);
	/* A folder was walked to its end: `location` is its absolute path. May be NULL. */
	int (*folder)(const char *source, const char *location, void *arg, struct bw_err *err);
	/* The files of a git repository were handed on; with a problem there are none. NULL: a repository is no operand. */
	int (*repository)(const struct bw_remote *r, void *arg, struct bw_err *err);
	const char *git_state; /* where repositories are kept; NULL: in a folder that is removed behind */
	void *arg;
};

/* What the build would be given; it refers to `a`. */
void bw_gather_options(const struct bw_args *a, struct bw_build_options *ret);

struct bw_gather_counts {
	size_t files;
	size_t unreadable; /* folders and repositories that could not be read: what is in them is not known */
	size_t unreachable; /* repositories among them */
	bool interrupted;   /* while repositories were looked into: nothing was handed on */
};

/* Troubles on the way are logged. BW_E_GONE when an operand does not exist. */
int bw_gather(const struct bw_args *a, const struct bw_gather_hooks *h, struct bw_gather_counts *ret,
	      struct bw_err *err) BW_NODISCARD;

#endif
