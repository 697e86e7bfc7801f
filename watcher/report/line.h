/*
 * line.h - lines of a table for people: styles, columns, cutting and wrapping to the width of a terminal.
 *
 * Everything that is put on a line is escaped here (bw_text_escape()), so nothing from outside can steer a
 * terminal; text that is escaped already stays as it is. On a terminal (width > 0) no line gets wider than
 * it: what wraps, wraps, and what cannot is cut with a visible "…". Elsewhere (width 0) nothing is cut or
 * wrapped, so that programs can read lines.
 */
#ifndef BW_REPORT_LINE_H
#define BW_REPORT_LINE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/buf.h"

enum bw_style { BW_PLAIN, BW_BOLD, BW_DIM, BW_RED, BW_GREEN, BW_YELLOW, BW_MAGENTA };

struct bw_run;

struct bw_line {
	FILE *out;
	unsigned width; /* columns; 0: not a terminal */
	bool colour;
	bool failed;	    /* a write failed */
	struct bw_buf text; /* of this line so far, escaped */
	struct bw_buf piece;
	struct bw_run *runs; /* where which style begins */
	size_t run_count;
	size_t run_capacity;
	size_t columns; /* taken so far */
	size_t start;	/* where the text of this line begins: no gap is needed there */
	size_t indent;	/* where the text of a continuation begins */
	bool wrapped;	/* this is a continuation */
	bool whole;	/* holds something that must not be cut */
};

void bw_line_init(struct bw_line *l, FILE *out, unsigned width, bool colour);
void bw_line_done(struct bw_line *l);

/* Begins the text of this line at a column; continuations begin at `continuation`. */
void bw_line_begin(struct bw_line *l, size_t column, size_t continuation);

/*
 * A cell of a column: a gap of two, then the text filled up to `columns`. On a terminal, text over `max`
 * columns loses its head (the end of a path or an image name says most).
 */
void bw_line_cell(struct bw_line *l, enum bw_style style, const char *s, size_t columns, size_t max);
/*
 * A gap, then the text; on a continuation when it does not fit here, over several when it does not fit
 * there.
 */
void bw_line_flow(struct bw_line *l, enum bw_style style, const char *s);
/* As bw_line_flow(), but never cut or broken: for a digest that somebody may want to copy. */
void bw_line_whole(struct bw_line *l, enum bw_style style, const char *s);
/* Words with single blanks, wrapped. */
void bw_line_words(struct bw_line *l, enum bw_style style, const char *s);
/* Blanks up to a column; nothing on a continuation, where columns mean nothing. */
void bw_line_pad(struct bw_line *l, size_t column);
/* Writes the line. */
void bw_line_end(struct bw_line *l);

/* Columns that text takes on a line. */
size_t bw_line_columns(const char *s);

#endif
