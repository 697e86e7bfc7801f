/* mount.h - the value of `RUN --mount=`: one line of CSV (BuildKit instructions/commands_runmount.go). */
#ifndef BW_BUILDFILE_MOUNT_H
#define BW_BUILDFILE_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "buildfile/trace.h"
#include "core/err.h"

struct bw_mount {
	struct bw_trace text; /* all fields, CSV quotes gone, with their places in the logical line */
	size_t from;	      /* the value of the last `from=`, a part of `text` */
	size_t from_len;      /* 0: the mount names no image */
	bool is_secret;	      /* `type=secret`, literally */
};

/*
 * Reads the bytes [start, start + len) of `flags`. `*ret` is zeroed or was read before; the caller frees with
 * bw_mount_done(). BW_E_INPUT: bad CSV (`*ret` holds what was read so far).
 */
int bw_mount_read(const struct bw_trace *flags, size_t start, size_t len, struct bw_mount *ret,
		  struct bw_err *err) BW_NODISCARD;
void bw_mount_done(struct bw_mount *m);

/* Is there a variable in a `from`? As its last character alone a `$` passes. */
bool bw_mount_has_variable(const char *from, size_t len);

#define BW_AUTOMOUNT BW_CLEANUP(bw_mount_done)

#endif
