/*
 * edit.h - gives a file other contents, in one step: whoever looks sees the old or the new, whole, also after a crash.
 */
#ifndef BW_COMMAND_EDIT_H
#define BW_COMMAND_EDIT_H

#include "core/err.h"

/*
 * `path` is a regular file without links in its own name, that holds `before` (not more than BW_MAX_BUILDFILE_BYTES).
 * It keeps its mode, and its owner where we may give that away. BW_E_RETRY when it was changed since; BW_E_DENIED,
 * BW_E_FULL, BW_E_SYS. SIGINT, SIGTERM and SIGHUP wait until it is done, so that nothing half-made is left behind.
 */
int bw_edit_replace(const char *path, const char *before, size_t before_len, const char *after,
		    size_t after_len, struct bw_err *err) BW_NODISCARD;

/*
 * After a crash of the system it is the new contents that are seen: the file's new name is on the disk only once its
 * folder is. A failure undoes nothing.
 */
int bw_edit_sync(const char *path, struct bw_err *err) BW_NODISCARD;

#endif
