/*
 * lines.h - from the bytes of a file to logical lines: continuations joined, comments and blank lines inside
 * them left out (BuildKit parser/parser.go). Each logical line carries a map back to the file, so that a
 * reference found in the joined text has an exact place in the bytes that the person wrote.
 */
#ifndef BW_BUILDFILE_LINES_H
#define BW_BUILDFILE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buildfile/directive.h"
#include "buildfile/use.h"
#include "core/err.h"

#define BW_LINE_MAX \
	65535 /* bytes of a physical line before its newline: BuildKit's scanner takes no more \
	       */

/* A stretch of the joined text that lies in one physical line. */
struct bw_piece {
	size_t at;	   /* in the joined text */
	size_t offset;	   /* in the file */
	size_t line_start; /* of the physical line, in the file */
	uint32_t line;
};

/* A comment line; `text` is behind the `#`, without white space around it. */
struct bw_comment {
	const char *text;
	size_t len;
	uint32_t line;
};

enum bw_line_kind {
	BW_LINE_END, /* no more lines */
	BW_LINE_BLANK,
	BW_LINE_DIRECTIVE,   /* a parser directive; `escape` is already in force */
	BW_LINE_COMMENT,     /* `comment` */
	BW_LINE_INSTRUCTION, /* `text`, `len`, `first`, `last` */
};

struct bw_lines {
	/* What the last bw_lines_next() read; valid until the next call. */
	const char *text; /* the joined text, not NUL-terminated */
	size_t len;
	uint32_t first; /* physical line where it starts */
	uint32_t last;
	struct bw_comment comment;
	struct bw_comment *inner; /* comment lines inside the instruction */
	size_t inner_count;

	char escape; /* '\\', or '`' by directive */
	/* The first thing wrong with the lines themselves (BW_OK: nothing), and where. Reading goes on. */
	struct bw_err problem;
	uint32_t problem_line;

	/* Private. */
	const char *file;
	size_t file_len;
	size_t pos;
	uint32_t line;
	struct bw_directives directives;
	struct bw_piece *pieces;
	size_t piece_count;
	size_t piece_capacity;
	char *joined;
	size_t joined_len;
	size_t joined_capacity;
	size_t inner_capacity;
};

/* `file` must live as long as `l`. The caller frees with bw_lines_done(). */
void bw_lines_init(struct bw_lines *l, const char *file, size_t len);
void bw_lines_done(struct bw_lines *l);

enum bw_line_kind bw_lines_next(struct bw_lines *l);

/* Skips the body of a heredoc (BuildKit parser/parser.go). False: the file ended before its end. */
bool bw_lines_skip_heredoc(struct bw_lines *l, const char *name, size_t len, bool trims_tabs);

/* Is `text` a part of the file, which outlives the next call? False: lines were joined for it. */
bool bw_lines_is_in_file(const struct bw_lines *l);

/* The place in the file of the bytes [from, to) of the joined text; from < to, or from == to for an empty
 * place. */
struct bw_span bw_lines_span(const struct bw_lines *l, size_t from, size_t to);

#define BW_AUTOLINES BW_CLEANUP(bw_lines_done)

#endif
