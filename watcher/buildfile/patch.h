/* patch.h - the parts of a patch (buildfile/pin.h), for those who have not the whole file. */
#ifndef BW_BUILDFILE_PATCH_H
#define BW_BUILDFILE_PATCH_H

#include "core/buf.h"

#define BW_PATCH_CONTEXT 3 /* lines around a change */

struct bw_patch_line {
	const char *s;
	size_t len; /* with the newline, which only the last line may lack */
};

/* The lines of a text, which must live as long; the caller frees `items`. */
struct bw_patch_lines {
	struct bw_patch_line *items;
	size_t count, capacity;
};
void bw_patch_split(const char *text, size_t len, struct bw_patch_lines *ret);

/* The two lines that name the file. */
void bw_patch_add_header(struct bw_buf *out, const char *path);

/* One hunk of all lines of `before`, a part of a file that begins with line `first`. `after` has as many lines. */
void bw_patch_add_hunk(struct bw_buf *out, size_t first, const struct bw_buf *before,
		       const struct bw_buf *after);

#endif
