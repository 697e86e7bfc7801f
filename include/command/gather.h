/*
 * gather.h - from the operands of a command line, or the sources of the configuration, to parsed build files: folders
 * are walked, files read, git repositories looked into, `-` is standard input.
 */
#ifndef BW_COMMAND_GATHER_H
#define BW_COMMAND_GATHER_H

#include "command/args.h"
#include "command/remote.h"
#include "daemon/recipe.h"
#include "store/gap.h"

struct bw_gather_hooks {
	/* Its file may be taken over. */
	int (*file)(struct bw_found_build *x, void *arg, struct bw_err *err);
	/* A folder was walked to its end: `location` is its absolute path. May be NULL. */
	int (*folder)(const char *source, const char *location, void *arg, struct bw_err *err);
	/*
	 * The files of a git repository were handed on; with a problem there are none. NULL: a repository is no operand,
	 * and the configuration is not looked at.
	 */
	int (*repository)(const struct bw_fetched *f, void *arg, struct bw_err *err);
	/* A folder of the configuration that could not be walked, which was said. May be NULL. */
	int (*lost)(const struct bw_origin *o, void *arg, struct bw_err *err);
	/* Behind each source or operand: what of it could not be looked into. They may be taken. May be NULL. */
	int (*gaps)(const struct bw_origin *o, bool is_configured, struct bw_gaps *g, void *arg,
		    struct bw_err *err);
	const char *git_state; /* where repositories are kept; NULL: in a folder that is removed behind */
	void *arg;
};

/* What the build would be given; it refers to `a`. */
void bw_gather_options(const struct bw_args *a, struct bw_build_options *ret);

struct bw_gather_counts {
	size_t files;
	size_t unreadable; /* folders and repositories that could not be read: what is in them is not known */
	size_t unreachable; /* of them, sources that could not be had at all */
	bool interrupted;   /* while repositories were looked into: nothing was handed on */
};

/*
 * Without operands the sources of the configuration, where it has any, else the current folder. Troubles on the way are
 * logged. BW_E_GONE when an operand does not exist, BW_E_CONFIG when the configuration is wrong.
 */
int bw_gather(const struct bw_args *a, const struct bw_gather_hooks *h, struct bw_gather_counts *ret,
	      struct bw_err *err) BW_NODISCARD;

#endif
