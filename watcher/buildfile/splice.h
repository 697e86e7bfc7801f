/* splice.h - bytes of a text replaced by others, everything else kept byte by byte. */
#ifndef BW_BUILDFILE_SPLICE_H
#define BW_BUILDFILE_SPLICE_H

#include <stdbool.h>

#include "core/buf.h"

/* [start, end) becomes `text`; with start == end it is put in there. */
struct bw_splice {
	size_t start;
	size_t end;
	char *text; /* not NUL-terminated */
	size_t len;
};

void bw_splice_done(struct bw_splice *s);
bool bw_splice_equal(const struct bw_splice *a, const struct bw_splice *b);

/*
 * Fills the empty `out` with the text after all of them; the list is sorted on the way, and equal ones are
 * one. False: two of them want the same bytes otherwise, or `out` is full.
 */
bool bw_splice_apply(const char *text, size_t len, const struct bw_splice **list, size_t count,
		     struct bw_buf *out) BW_NODISCARD;

#endif
