/* line.c - see line.h. */
#include "line.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* One line. Paths have at most 4 KiB and reasons less, each byte at most 8 after escaping. */
#define MAX_LINE_BYTES ((size_t)256 << 10)
#define GAP	       2
#define ELLIPSIS       "\xE2\x80\xA6" /* U+2026, one column */

struct bw_run {
	size_t start; /* byte offset in the text of the line */
	enum bw_style style;
};

void bw_line_init(struct bw_line *l, FILE *out, unsigned width, bool colour)
{
	*l = (struct bw_line){.out = out, .width = width, .colour = colour};
	bw_buf_init(&l->text, MAX_LINE_BYTES);
	bw_buf_init(&l->piece, MAX_LINE_BYTES);
}

void bw_line_done(struct bw_line *l)
{
	bw_buf_done(&l->text);
	bw_buf_done(&l->piece);
	free(l->runs);
	l->runs = NULL;
	l->run_count = l->run_capacity = 0;
}

size_t bw_line_columns(const char *s)
{
	BW_AUTOFREE char *safe = bw_text_escaped(s);

	return bw_text_width(safe, strlen(safe));
}

/* Appends text that is escaped already. */
static void put(struct bw_line *l, enum bw_style style, const char *s, size_t n)
{
	if (l->run_count == 0 || l->runs[l->run_count - 1].style != style) {
		struct bw_run run = {.start = l->text.len, .style = style};

		BW_PUSH(l->runs, l->run_count, l->run_capacity) = run;
	}
	bw_buf_add(&l->text, s, n);
	l->columns += bw_text_width(s, n);
}

/* Blanks are never styled: an underlined or coloured gap would be seen. */
static void blanks(struct bw_line *l, size_t n)
{
	while (n-- > 0)
		put(l, BW_PLAIN, " ", 1);
}

/* The blanks before the next piece: none at the start of a line or a continuation. */
static size_t gap(const struct bw_line *l, size_t wanted)
{
	return l->columns > l->start ? wanted : 0;
}

/* The text, escaped, in l->piece. Returns its columns. */
static size_t escape(struct bw_line *l, const char *s)
{
	bw_buf_clear(&l->piece);
	bw_text_escape(&l->piece, s, strlen(s));
	return bw_text_width(bw_buf_str(&l->piece), l->piece.len);
}

void bw_line_begin(struct bw_line *l, size_t column, size_t continuation)
{
	blanks(l, column);
	l->start = column;
	l->indent = continuation;
}

void bw_line_pad(struct bw_line *l, size_t column)
{
	if (!l->wrapped && column > l->columns)
		blanks(l, column - l->columns);
}

/* The head of l->piece that has to go so that the rest and an ellipsis fit into `max` columns, in bytes. */
static size_t head_too_much(const struct bw_line *l, size_t max)
{
	const char *s = bw_buf_str(&l->piece);
	size_t skip = 0, n;

	while (skip < l->piece.len && bw_text_width(s + skip, l->piece.len - skip) + 1 > max) {
		n = bw_utf8_len(s + skip, l->piece.len - skip);
		skip += n ? n : 1;
	}
	return skip;
}

void bw_line_cell(struct bw_line *l, enum bw_style style, const char *s, size_t columns, size_t max)
{
	size_t width = escape(l, s), skip = 0, end;

	blanks(l, gap(l, GAP));
	end = l->columns + columns;
	if (l->width > 0 && width > max) {
		skip = head_too_much(l, max);
		put(l, style, ELLIPSIS, strlen(ELLIPSIS));
	}
	put(l, style, bw_buf_str(&l->piece) + skip, l->piece.len - skip);
	if (end > l->columns)
		blanks(l, end - l->columns);
}

/* Ends this line and begins its continuation. */
static void wrap(struct bw_line *l)
{
	size_t indent = l->indent;

	bw_line_end(l);
	bw_line_begin(l, indent, indent);
	l->wrapped = true;
}

/* Without a terminal everything does. */
static bool fits(const struct bw_line *l, size_t columns)
{
	return l->width == 0 || l->columns + columns <= l->width;
}

/* The words of l->piece, one blank between them; a blank line is never made. */
static void put_words(struct bw_line *l, enum bw_style style)
{
	const char *s = bw_buf_str(&l->piece);

	while (*s) {
		size_t n = strcspn(s, " ");

		if (n > 0) {
			if (!fits(l, gap(l, 1) + bw_text_width(s, n)) && l->columns > l->start)
				wrap(l);
			if (gap(l, 1) > 0)
				put(l, style, " ", 1);
			put(l, style, s, n);
		}
		s += n + (s[n] == ' ');
	}
}

void bw_line_words(struct bw_line *l, enum bw_style style, const char *s)
{
	(void)escape(l, s);
	put_words(l, style);
}

void bw_line_flow(struct bw_line *l, enum bw_style style, const char *s)
{
	size_t width = escape(l, s);

	if (!fits(l, gap(l, GAP) + width) && l->columns > l->start)
		wrap(l);
	if (!fits(l, gap(l, GAP) + width)) {
		put_words(l, style);
		return;
	}
	blanks(l, gap(l, GAP));
	put(l, style, bw_buf_str(&l->piece), l->piece.len);
}

void bw_line_whole(struct bw_line *l, enum bw_style style, const char *s)
{
	size_t width = escape(l, s);

	if (!fits(l, gap(l, GAP) + width) && l->columns > l->start)
		wrap(l);
	blanks(l, gap(l, GAP));
	put(l, style, bw_buf_str(&l->piece), l->piece.len);
	l->whole = true;
}

static void write_text(struct bw_line *l, const char *s, size_t n)
{
	if (n > 0 && fwrite(s, 1, n, l->out) != n)
		l->failed = true;
}

/*
 * One stretch of one style (ECMA-48 SGR), reset behind it, so a line cut off by a pager leaves no colour
 * on.
 */
static void write_run(struct bw_line *l, enum bw_style style, const char *s, size_t n)
{
	static const char *const codes[] = {
		[BW_PLAIN] = "",	   [BW_BOLD] = "\033[1m",   [BW_DIM] = "\033[2m",
		[BW_RED] = "\033[31m",	   [BW_GREEN] = "\033[32m", [BW_YELLOW] = "\033[33m",
		[BW_MAGENTA] = "\033[35m",
	};
	bool styled = l->colour && style != BW_PLAIN && n > 0;

	if (styled)
		write_text(l, codes[style], strlen(codes[style]));
	write_text(l, s, n);
	if (styled)
		write_text(l, "\033[0m", 4);
}

/*
 * Drops blanks at the end, which nobody sees, and what is too wide for the terminal, which somebody must
 * see.
 */
static void trim(struct bw_line *l)
{
	const char *s = bw_buf_str(&l->text);
	size_t len = l->text.len;

	while (len > 0 && s[len - 1] == ' ')
		len--;
	l->text.len = len;
	if (l->width == 0 || l->whole || bw_text_width(s, len) <= l->width)
		return;
	l->text.len = bw_text_fit(s, len, l->width - 1);
	while (l->run_count > 1 && l->runs[l->run_count - 1].start >= l->text.len)
		l->run_count--; /* what was cut off has no style; the ellipsis takes that of the text before
				   it */
	bw_buf_adds(&l->text, ELLIPSIS);
}

/* The text goes out run by run; the line is empty again, ready for the next. */
void bw_line_end(struct bw_line *l)
{
	trim(l);
	for (size_t i = 0; i < l->run_count; i++) {
		size_t start = l->runs[i].start;
		size_t end = i + 1 < l->run_count ? l->runs[i + 1].start : l->text.len;

		end = end > l->text.len ? l->text.len : end;
		if (start < end)
			write_run(l, l->runs[i].style, bw_buf_str(&l->text) + start, end - start);
	}
	write_text(l, "\n", 1);
	bw_buf_clear(&l->text);
	l->run_count = l->columns = l->start = l->indent = 0;
	l->wrapped = l->whole = false;
}
