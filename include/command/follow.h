/*
 * follow.h - the uses of build files that can be pinned to what their tags have now, and the asking for that.
 */
#ifndef BW_COMMAND_FOLLOW_H
#define BW_COMMAND_FOLLOW_H

#include "command/args.h"
#include "command/gather.h"
#include "command/repin.h"

struct bw_follow_base;

/* A use with a tag. */
struct bw_follow {
	size_t use; /* which of the file's uses */
	const struct bw_follow_base *base;
	struct bw_repin repin;
};

/* A build file with at least one of them. */
struct bw_follow_file {
	char *path;  /* absolute; "-" for standard input */
	char *shown; /* the same for people */
	char *text;
	size_t len;
	struct bw_dockerfile parsed;
	struct bw_follow *uses; /* in the order of the file */
	size_t count, capacity;
};

struct bw_follows {
	struct bw_follow_file **files;
	size_t count, capacity;
	char *cwd;
	struct bw_map *paths; /* of all that was taken: a file is taken once */
	struct bw_map *bases; /* by normal form */
	size_t left;	      /* uses that cannot be pinned, and were listed */
	size_t unknown;	      /* of these, and of the files, those of which nothing is known */
};

void bw_follows_init(struct bw_follows *f);
void bw_follows_done(struct bw_follows *f);

/* The hook for bw_gather(), with the follows as argument. What cannot be followed is listed on stderr. */
int bw_follows_take(struct bw_found_build *g, void *arg, struct bw_err *err);

/*
 * Asks for each base once, and fetches what it takes to decide; sets `repin` of each use. After an interruption
 * nothing of that may be used.
 */
int bw_follows_ask(struct bw_follows *f, const struct bw_args *a, bool *ret_interrupted,
		   struct bw_err *err) BW_NODISCARD;

/*
 * The folder that paths of a patch count from: NULL for the current one, where all files lie in it; else the deepest
 * that holds them all. A new string.
 */
char *bw_follows_folder(const struct bw_follows *f);

/* "debian:12" */
const char *bw_follow_name(const struct bw_follow *x);
/* "web/Dockerfile:3", or the file alone where the use stands in no line. A new string. */
char *bw_follow_place(const struct bw_follow_file *file, uint32_t line);

#endif
