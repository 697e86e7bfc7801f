/*
 * gitrun.h - runs the program git, with its hands tied: nothing asks a person, no hook and no transport helper runs,
 * GIT_* variables of whoever started us are gone, and time, memory and files are limited. Private to source/.
 */
#ifndef BW_SOURCE_GITRUN_H
#define BW_SOURCE_GITRUN_H

#include "net/process.h"
#include "source/git.h"
#include "source/giturl.h"

struct bw_gitrun {
	const struct bw_git_options *options;
	const struct bw_giturl *url;
	const char *repository; /* the bare one that it works in */
};

struct bw_gitrun_call {
	const char *const *words; /* behind "git --git-dir=...", NULL-terminated */
	bool is_remote;		  /* it may talk to the repository's server */
	const void *input;
	size_t input_len;
	size_t max_output;
	bool (*output)(const char *bytes, size_t len, void *arg);
	uint32_t timeout_ms;
};

/* As bw_process_start(). A git that is not installed is BW_E_INPUT. */
int bw_gitrun_start(struct bw_loop *l, const struct bw_gitrun *g, const struct bw_gitrun_call *c,
		    bw_process_done_fn done, void *arg, struct bw_process **ret,
		    struct bw_err *err) BW_NODISCARD;

/* How it ended: 0, or the failure in words; `what` it was to do, "list branches". */
int bw_gitrun_result(const struct bw_gitrun *g, const struct bw_process_result *r, const char *what,
		     struct bw_err *err) BW_NODISCARD;

#endif
