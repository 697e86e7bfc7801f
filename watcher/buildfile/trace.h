/*
 * trace.h - text that lost its quotes and escapes, with the place each byte came from. A flag of an
 * instruction or a field of a mount is read unquoted, but a pin must later be edited in the bytes that the
 * person wrote.
 */
#ifndef BW_BUILDFILE_TRACE_H
#define BW_BUILDFILE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "core/def.h"

struct bw_trace {
	char *text;   /* not NUL-terminated */
	uint32_t *at; /* for each byte of `text` its offset in the logical line */
	size_t len;
	size_t capacity;
};

/* A zeroed value is empty. */
void bw_trace_done(struct bw_trace *t);
void bw_trace_add(struct bw_trace *t, char c, size_t at);
/* As many bytes in a row; `at` is the place of the first. */
void bw_trace_add_run(struct bw_trace *t, const char *s, size_t len, size_t at);

#define BW_AUTOTRACE BW_CLEANUP(bw_trace_done)

#endif
