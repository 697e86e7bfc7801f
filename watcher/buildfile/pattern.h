/*
 * pattern.h - the patterns of `${name#p}`, `${name%p}` and `${name/p/r}` (BuildKit shell/lex.go): `*` any run, `?`
 * any one character (neither crosses a newline), `\*` `\?` `\\` the character itself, `\}` and `\/` the bare
 * character. No bracket expressions. Matching is bounded by `work`, which the caller shares over a whole
 * file.
 */
#ifndef BW_BUILDFILE_PATTERN_H
#define BW_BUILDFILE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

/* A stretch of text. */
struct bw_text {
	const char *s;
	size_t len;
};

/*
 * Each appends the result to `out`. BW_E_INPUT: a bad pattern; BW_E_LIMIT: more than `*work` steps, or `out`
 * is full. `longest` is for `##` and `%%`.
 */
int bw_pattern_cut_front(struct bw_text value, struct bw_text pattern, bool longest, size_t *work,
			 struct bw_buf *out, struct bw_err *err) BW_NODISCARD;
int bw_pattern_cut_back(struct bw_text value, struct bw_text pattern, bool longest, size_t *work,
			struct bw_buf *out, struct bw_err *err) BW_NODISCARD;
/* The first (longest) match becomes `replacement`, letter by letter. */
int bw_pattern_replace(struct bw_text value, struct bw_text pattern, struct bw_text replacement, size_t *work,
		       struct bw_buf *out, struct bw_err *err) BW_NODISCARD;
/* All matches; in `replacement` `$0` and `${0}` are the match, `$$` is `$`, any other `$name` is nothing. */
int bw_pattern_replace_all(struct bw_text value, struct bw_text pattern, struct bw_text replacement,
			   size_t *work, struct bw_buf *out, struct bw_err *err) BW_NODISCARD;

#endif
