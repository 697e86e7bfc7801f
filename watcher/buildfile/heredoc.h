/* heredoc.h - which heredocs does a line open? (BuildKit parser/parser.go) */
#ifndef BW_BUILDFILE_HEREDOC_H
#define BW_BUILDFILE_HEREDOC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/def.h"

struct bw_heredoc {
	char *name; /* the line that ends the body; not empty */
	size_t len;
	bool trims_tabs; /* `<<-` */
};

/* The heredocs of a line in the order of their bodies. A zeroed value is empty. */
struct bw_heredocs {
	struct bw_heredoc *items;
	size_t count;
	size_t capacity;
};

void bw_heredocs_done(struct bw_heredocs *h);

/*
 * `line` is the whole joined instruction; the caller knows that its keyword may have heredocs. Shell syntax
 * plays no part: `$((1 << 2))` opens one named `2))`. A line that cannot be lexed has none.
 */
void bw_heredocs_find(const char *line, size_t len, struct bw_heredocs *ret);

/* Is this one word a heredoc? */
bool bw_heredoc_is(const char *word, size_t len);

#define BW_AUTOHEREDOCS BW_CLEANUP(bw_heredocs_done)

#endif
