/* exit.h - the exit codes, documented in --help and the manual; 64 and up as in sysexits.h. */
#ifndef BW_COMMAND_EXIT_H
#define BW_COMMAND_EXIT_H

#include "core/err.h"

enum bw_exit {
	BW_EXIT_OK = 0,
	BW_EXIT_STALE = 1,   /* a counted use is stale or behind */
	BW_EXIT_UNKNOWN = 2, /* none is, but one is unknown */
	BW_EXIT_USAGE = 64,
	BW_EXIT_FOREIGN = 65, /* the database is not ours, or of a newer basewatch */
	BW_EXIT_NO_PATH = 66,
	BW_EXIT_DENIED = 73, /* cannot write */
	BW_EXIT_IO = 74,     /* disk full, I/O error */
	BW_EXIT_LOCKED = 75,
	BW_EXIT_CONFIG = 78, /* the configuration file is wrong */
	BW_EXIT_INTERRUPTED = 130,
};

/* The exit code for a failure. */
enum bw_exit bw_exit_of(const struct bw_err *err);
/* Says the error on stderr and returns its exit code. */
enum bw_exit bw_exit_with(const struct bw_err *err);

#endif
