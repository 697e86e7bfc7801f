#include "buildfile/lines.h"

#include <string.h>

#include "buildfile/rune.h"
#include "core/mem.h"

/* One physical line without its line end. */
struct physical {
	const char *text;
	size_t len;
	size_t line_start;
};

void bw_lines_init(struct bw_lines *l, const char *file, size_t len)
{
	*l = (struct bw_lines){.file = file, .file_len = len, .escape = '\\'};
}

void bw_lines_done(struct bw_lines *l)
{
	free(l->pieces);
	free(l->joined);
	free(l->inner);
	l->pieces = NULL;
	l->joined = NULL;
	l->inner = NULL;
}

static void note_problem(struct bw_lines *l, const struct bw_err *err)
{
	if (l->problem.code != BW_OK)
		return;
	l->problem = *err;
	l->problem_line = l->line;
}

static void check_length(struct bw_lines *l, size_t len)
{
	struct bw_err err;

	if (len <= BW_LINE_MAX)
		return;
	err = BW_ERR_INIT;
	(void)bw_fail(&err, BW_E_INPUT, "dockerfile line greater than max allowed size of %d", BW_LINE_MAX);
	note_problem(l, &err);
}

/* Every "\r" and "\n" at the end goes; the first line loses a byte order mark. */
static bool read_physical(struct bw_lines *l, struct physical *ret)
{
	const char *start = l->file + l->pos;
	size_t left = l->file_len - l->pos;
	const char *newline;
	size_t len;

	if (left == 0)
		return false;
	newline = memchr(start, '\n', left);
	len = newline ? (size_t)(newline - start) : left;
	ret->line_start = l->pos;
	l->pos += newline ? len + 1 : len;
	l->line++;
	check_length(l, len);
	if (l->line == 1 && len >= 3 && memcmp(start, "\xEF\xBB\xBF", 3) == 0) {
		start += 3;
		len -= 3;
	}
	while (len > 0 && start[len - 1] == '\r')
		len--;
	ret->text = start;
	ret->len = len;
	return true;
}

/*
 * Does the line go on? Then its escape character and the blanks behind it are cut off. Two escape characters
 * at the end are none: BuildKit asks for another character before it, or for nothing at all.
 */
static bool cut_continuation(const struct bw_lines *l, const char *s, size_t *len)
{
	size_t end = *len;

	while (end > 0 && (s[end - 1] == ' ' || s[end - 1] == '\t'))
		end--;
	if (end == 0 || s[end - 1] != l->escape)
		return false;
	if (end > 1 && s[end - 2] == l->escape)
		return false;
	*len = end - 1;
	return true;
}

static void add_piece(struct bw_lines *l, const char *s, size_t line_start)
{
	BW_PUSH(l->pieces, l->piece_count, l->piece_capacity) = (struct bw_piece){
		.at = l->joined_len,
		.offset = (size_t)(s - l->file),
		.line_start = line_start,
		.line = l->line,
	};
}

static void join(struct bw_lines *l, const char *s, size_t len)
{
	if (l->joined_len + len > l->joined_capacity) {
		l->joined_capacity = (l->joined_len + len) * 2;
		l->joined = bw_realloc(l->joined, l->joined_capacity, 1);
	}
	if (len > 0)
		memcpy(l->joined + l->joined_len, s, len);
	l->joined_len += len;
}

static struct bw_comment comment_of(const struct bw_lines *l, const char *s, size_t len)
{
	size_t front;

	s++;
	len--;
	front = bw_blanks_front(s, len);
	s += front;
	len -= front;
	return (struct bw_comment){.text = s, .len = len - bw_blanks_back(s, len), .line = l->line};
}

/*
 * The lines behind one that goes on. Comments and blank lines in between vanish and never go on themselves;
 * white space at the front of a line stays (BuildKit parser/parser.go).
 */
static void read_continuations(struct bw_lines *l)
{
	struct physical p;
	bool goes_on = true;

	while (goes_on && read_physical(l, &p)) {
		size_t front = bw_blanks_front(p.text, p.len);

		if (front == p.len)
			continue;
		if (p.text[front] == '#') {
			BW_PUSH(l->inner, l->inner_count, l->inner_capacity) =
				comment_of(l, p.text + front, p.len - front);
			continue;
		}
		goes_on = cut_continuation(l, p.text, &p.len);
		add_piece(l, p.text, p.line_start);
		join(l, p.text, p.len);
		l->last = l->line;
	}
	l->text = l->joined ? l->joined : "";
	l->len = l->joined_len;
}

static void read_instruction(struct bw_lines *l, const struct physical *p, const char *s, size_t len)
{
	bool goes_on = cut_continuation(l, s, &len);

	l->first = l->line;
	l->last = l->line;
	l->piece_count = 0;
	l->joined_len = 0;
	add_piece(l, s, p->line_start);
	if (goes_on) {
		join(l, s, len);
		read_continuations(l);
	} else {
		/* Nearly all lines: the text stays where it is. */
		l->text = s;
		l->len = len;
	}
}

/* True: the line is a directive, whether a good one or not. The block of directives is not over. */
static bool read_directive(struct bw_lines *l, const char *s, size_t len)
{
	struct bw_err err = BW_ERR_INIT;
	enum bw_directive found;
	const char *value = NULL;
	size_t value_len = 0;

	if (bw_directive_read(&l->directives, "#", s, len, &found, &value, &value_len, &err) < 0) {
		note_problem(l, &err);
	} else if (found == BW_DIRECTIVE_ESCAPE) {
		if (value_len == 1 && (*value == '`' || *value == '\\')) {
			l->escape = *value;
		} else {
			(void)bw_fail(&err, BW_E_INPUT, "invalid escape token '%.*s' does not match ` or \\",
				      (int)value_len, value);
			note_problem(l, &err);
		}
	}
	return found != BW_DIRECTIVE_NONE;
}

enum bw_line_kind bw_lines_next(struct bw_lines *l)
{
	struct physical p;
	const char *s;
	size_t len;
	size_t front;

	l->inner_count = 0;
	if (!read_physical(l, &p))
		return BW_LINE_END;
	front = bw_blanks_front(p.text, p.len);
	s = p.text + front;
	len = p.len - front;
	if (!l->directives.is_over && read_directive(l, s, len))
		return BW_LINE_DIRECTIVE;
	if (len == 0)
		return BW_LINE_BLANK;
	if (*s == '#') {
		l->comment = comment_of(l, s, len);
		return BW_LINE_COMMENT;
	}
	read_instruction(l, &p, s, len);
	return BW_LINE_INSTRUCTION;
}

bool bw_lines_skip_heredoc(struct bw_lines *l, const char *name, size_t len, bool trims_tabs)
{
	struct physical p;

	while (read_physical(l, &p)) {
		while (trims_tabs && p.len > 0 && *p.text == '\t') {
			p.text++;
			p.len--;
		}
		if (p.len == len && memcmp(p.text, name, len) == 0)
			return true;
	}
	return false;
}

bool bw_lines_is_in_file(const struct bw_lines *l)
{
	return l->text != l->joined;
}

/* The piece that holds byte `at` of the joined text. */
static const struct bw_piece *piece_at(const struct bw_lines *l, size_t at)
{
	size_t low = 0;
	size_t high = l->piece_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (l->pieces[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return &l->pieces[low];
}

struct bw_span bw_lines_span(const struct bw_lines *l, size_t from, size_t to)
{
	const struct bw_piece *first = piece_at(l, from);
	size_t start = first->offset + (from - first->at);
	size_t end = start;

	if (to > from) {
		const struct bw_piece *last = piece_at(l, to - 1);

		end = last->offset + (to - last->at);
	}
	return (struct bw_span){
		.line = first->line,
		.column = (uint32_t)(start - first->line_start + 1),
		.start = start,
		.end = end,
	};
}
