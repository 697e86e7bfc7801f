/*
 * text.h - small work on text. Everything here is locale-free. Text from files, registries and brokers is
 * hostile: bw_text_escape() stands between it and a terminal or a log.
 */
#ifndef BW_CORE_TEXT_H
#define BW_CORE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/*
 * Appends `s` with everything that could steer a terminal made visible: control characters (C0, DEL, C1),
 * Unicode bidirectional overrides, zero-width and line separators, and invalid UTF-8 become \xNN or \u{NNNN}.
 * Printable UTF-8 stays.
 */
void bw_text_escape(struct bw_buf *out, const char *s, size_t len);
char *bw_text_escaped(const char *s); /* the same as a new string; NULL gives "" */

/* Columns that valid UTF-8 text takes on a terminal (combining marks 0, wide characters 2). */
size_t bw_text_width(const char *s, size_t len);
/* Bytes of the longest prefix that fits into `columns`. */
size_t bw_text_fit(const char *s, size_t len, size_t columns);

/* Length of the valid UTF-8 sequence at s (1..4), or 0 when it is invalid. */
size_t bw_utf8_len(const char *s, size_t len);

/* A whole decimal number within [min, max]; no sign, no blanks, nothing behind it. */
bool bw_text_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

bool bw_text_is(const char *a, const char *b);	      /* equal; NULL equals only NULL */
bool bw_text_is_nocase(const char *a, const char *b); /* ASCII case only */
bool bw_text_starts(const char *s, const char *prefix);
bool bw_text_ends(const char *s, const char *suffix);
void bw_text_lower(char *s); /* ASCII, in place */

/*
 * Shell glob over a path: `*` and `?` stop at '/', `**` does not, `[...]`; no escapes beyond `\x`. "**"
 * between slashes (or at the start) is any number of whole folders, also none: "**" "/x" matches "x" and
 * "a/b/x".
 */
bool bw_text_glob(const char *pattern, const char *s);

/* Edit distance (insert, delete, replace, swap), for "did you mean"; gives up beyond `max` and returns max
 * + 1. */
size_t bw_text_distance(const char *a, const char *b, size_t max);

/*
 * Standard base64 with padding, strict; blanks are refused. false: not base64 or over the maximum of `out`.
 */
bool bw_base64_decode(const char *s, size_t len, struct bw_buf *out);
bool bw_base64_encode(const void *bytes, size_t len, struct bw_buf *out);

#endif
