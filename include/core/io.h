/* io.h - whole files, with a cap; where programs are. */
#ifndef BW_CORE_IO_H
#define BW_CORE_IO_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"

/*
 * Reads everything from `fd` into `out` (its maximum is the cap). BW_E_LIMIT when there is more than that,
 * BW_E_SYS when reading fails. Does not close.
 */
int bw_read_all(int fd, struct bw_buf *out, struct bw_err *err) BW_NODISCARD;
/* The same for a path; the message names it. */
int bw_read_file(const char *path, struct bw_buf *out, struct bw_err *err) BW_NODISCARD;

/* Is there a program of this name in PATH? */
bool bw_io_is_in_path(const char *program);

#endif
