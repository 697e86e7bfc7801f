/*
 * process.h - runs another program over the loop: arguments without a shell, an environment that is given whole,
 * standard input from memory, output kept up to a limit or handed on as it comes. A child ends exactly once in its
 * callback, never inside bw_process_start(). It leads a session of its own: it has no terminal to ask on, and what it
 * has started ends with it. The program must ignore SIGPIPE.
 */
#ifndef BW_NET_PROCESS_H
#define BW_NET_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "net/loop.h"

struct bw_process;

enum bw_process_end {
	BW_PROCESS_EXITED, /* by itself: `status` is its exit status */
	BW_PROCESS_KILLED, /* by a signal that is not ours: `status` is its number. Also when it used too much of what
			       is limited: SIGXCPU, SIGXFSZ; without memory programs end by themselves */
	BW_PROCESS_TIMEOUT, /* it took longer than timeout_ms */
	BW_PROCESS_LIMIT,   /* it wrote more than max_output */
	BW_PROCESS_REFUSED, /* `output` returned false */
};

struct bw_process_result {
	enum bw_process_end end;
	int status;
	const struct bw_buf *output; /* standard output; empty when it was handed on */
	const struct bw_buf *errors; /* the end of standard error */
};

/* What it is given lives during the call only; the child is forgotten behind it. */
typedef void (*bw_process_done_fn)(const struct bw_process_result *r, void *arg);

struct bw_process_request {
	const char *const *argv; /* NULL-terminated; the program is looked for in the PATH of `env` */
	const char *const *env;	 /* NULL-terminated, "NAME=VALUE"; nothing else is inherited */
	const char *cwd;	 /* NULL: ours */
	const void *input;	 /* copied; the child reads its end behind it */
	size_t input_len;
	size_t max_output; /* bytes of standard output; more is BW_PROCESS_LIMIT */
	size_t max_errors; /* of standard error so many bytes of its end are kept; at least 1 */
	/* Takes standard output as it comes instead of keeping it; false: no more of it. NULL: it is kept. */
	bool (*output)(const char *bytes, size_t len, void *arg);
	uint32_t timeout_ms; /* then SIGTERM for its process group, and SIGKILL BW_PROCESS_GRACE_MS later */
	/* Resource limits of each process (setrlimit(2)); 0: as ours */
	uint64_t max_memory_bytes; /* address space */
	uint64_t max_file_bytes;   /* any file that it writes */
	uint64_t max_cpu_s;
};

#define BW_PROCESS_GRACE_MS 2000

/*
 * The limits are set from outside as soon as the program was started, before it has got far enough to start others.
 * BW_E_SYS with errno when there is no such program (ENOENT) or it cannot be run. `arg` is for `done` and `output`.
 */
int bw_process_start(struct bw_loop *l, const struct bw_process_request *req, bw_process_done_fn done,
		     void *arg, struct bw_process **ret, struct bw_err *err) BW_NODISCARD;
/* SIGKILL for its process group, no callback; not after the callback. NULL is fine. */
void bw_process_cancel(struct bw_process *p);

#endif
