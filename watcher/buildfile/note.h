/*
 * note.h - annotations in the comment lines directly above an instruction:
 *
 *     # basewatch: ignore
 *     # basewatch: ignore until=2026-12-31 reason=waits for the new compiler
 *
 * `until` is the moment from which the annotation no longer holds: a date means its first instant in UTC, RFC
 * 3339 with a zone is taken too. `reason=` is last and runs to the end of the line.
 */
#ifndef BW_BUILDFILE_NOTE_H
#define BW_BUILDFILE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct bw_note {
	char *reason;	  /* "" without one; the holder frees */
	int64_t until_ms; /* 0: for ever */
};

/* Is this comment (without `#` and white space around it) meant for us? */
bool bw_note_is(const char *comment, size_t len);

/* BW_E_INPUT: malformed; the message says how. Then nothing is ignored: a slip must not hide a stale base. */
int bw_note_parse(const char *comment, size_t len, struct bw_note *ret, struct bw_err *err) BW_NODISCARD;

#endif
