/* Patches of bw_patch_format(): as `git diff` writes them where lines are changed, and none comes or goes. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "buildfile/patch.h"
#include "buildfile/pin.h"
#include "core/mem.h"

void bw_patch_split(const char *text, size_t len, struct bw_patch_lines *ret)
{
	*ret = (struct bw_patch_lines){0};
	for (size_t at = 0, n; at < len; at += n) {
		const char *newline = memchr(text + at, '\n', len - at);

		n = newline ? (size_t)(newline - (text + at)) + 1 : len - at;
		BW_PUSH(ret->items, ret->count, ret->capacity) = (struct bw_patch_line){text + at, n};
	}
}

/* --- the path --------------------------------------------------------------------------------- */

/* What git writes as a letter behind a backslash; '\0': nothing. */
static char escape_of(unsigned char c)
{
	static const char plain[] = "\a\b\t\n\v\f\r\"\\";
	static const char letters[] = "abtnvfr\"\\";
	const char *found = c ? strchr(plain, c) : NULL;

	return found ? letters[found - plain] : '\0';
}

/* As with core.quotePath, which is on unless somebody turns it off: bytes beyond ASCII are quoted as well. */
static bool must_quote(unsigned char c)
{
	return c < 0x20 || c >= 0x7F || c == '"' || c == '\\';
}

static void add_path(struct bw_buf *out, const char *prefix, const char *path)
{
	bool is_quoted = false;

	for (const char *p = path; *p; p++)
		is_quoted |= must_quote((unsigned char)*p);
	(void)bw_buf_addf(out, "%s%s", is_quoted ? "\"" : "", prefix);
	for (const char *p = path; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (!must_quote(c))
			(void)bw_buf_addc(out, *p);
		else if (escape_of(c))
			(void)bw_buf_addf(out, "\\%c", escape_of(c));
		else
			(void)bw_buf_addf(out, "\\%03o", c);
	}
	if (is_quoted)
		(void)bw_buf_addc(out, '"');
}

/* The tab behind a name with a blank shows other programs where it ends. */
static void add_side(struct bw_buf *out, const char *mark, const char *prefix, const char *path)
{
	(void)bw_buf_adds(out, mark);
	add_path(out, prefix, path);
	(void)bw_buf_adds(out, strchr(path, ' ') ? "\t\n" : "\n");
}

/* No "diff --git" line: with one, git takes the path from the top of the work tree, and leaves it out in a subfolder. */
void bw_patch_add_header(struct bw_buf *out, const char *path)
{
	add_side(out, "--- ", "a/", path);
	add_side(out, "+++ ", "b/", path);
}

/* --- the lines -------------------------------------------------------------------------------- */

static bool differs(const struct bw_patch_lines *a, const struct bw_patch_lines *b, size_t i)
{
	return a->items[i].len != b->items[i].len ||
	       memcmp(a->items[i].s, b->items[i].s, a->items[i].len) != 0;
}

/* The first line from `i` on that differs, or the count. */
static size_t next_change(const struct bw_patch_lines *a, const struct bw_patch_lines *b, size_t i)
{
	while (i < a->count && !differs(a, b, i))
		i++;
	return i;
}

static void add_line(struct bw_buf *out, char mark, const struct bw_patch_line *l)
{
	(void)bw_buf_addc(out, mark);
	(void)bw_buf_add(out, l->s, l->len);
	if (l->s[l->len - 1] != '\n')
		(void)bw_buf_adds(out, "\n\\ No newline at end of file\n");
}

/* The lines [from, to): in a row of changed ones first all that go, then all that come. */
static void add_lines(struct bw_buf *out, const struct bw_patch_lines *a, const struct bw_patch_lines *b,
		      size_t from, size_t to)
{
	for (size_t i = from, end; i < to; i = end) {
		end = i;
		if (!differs(a, b, i)) {
			add_line(out, ' ', &a->items[end++]);
			continue;
		}
		for (; end < to && differs(a, b, end); end++)
			add_line(out, '-', &a->items[end]);
		for (size_t k = i; k < end; k++)
			add_line(out, '+', &b->items[k]);
	}
}

/* The lines [from, to), where the first of all is line `first` of the file. */
static void add_hunk(struct bw_buf *out, const struct bw_patch_lines *a, const struct bw_patch_lines *b,
		     size_t first, size_t from, size_t to)
{
	char count[32] = "";

	if (to - from > 1)
		(void)snprintf(count, sizeof(count), ",%zu", to - from);
	(void)bw_buf_addf(out, "@@ -%zu%s +%zu%s @@\n", first + from, count, first + from, count);
	add_lines(out, a, b, from, to);
}

/* Changes with at most twice the context between them share a hunk. */
static void add_hunks(struct bw_buf *out, const struct bw_patch_lines *a, const struct bw_patch_lines *b)
{
	for (size_t first = next_change(a, b, 0); first < a->count;) {
		size_t last = first;
		size_t next;

		while ((next = next_change(a, b, last + 1)) < a->count &&
		       next - last - 1 <= 2 * BW_PATCH_CONTEXT)
			last = next;
		add_hunk(out, a, b, 1, first > BW_PATCH_CONTEXT ? first - BW_PATCH_CONTEXT : 0,
			 a->count - last > BW_PATCH_CONTEXT ? last + BW_PATCH_CONTEXT + 1 : a->count);
		first = next;
	}
}

void bw_patch_add_hunk(struct bw_buf *out, size_t first, const struct bw_buf *before,
		       const struct bw_buf *after)
{
	struct bw_patch_lines a, b;

	bw_patch_split(bw_buf_str(before), before->len, &a);
	bw_patch_split(bw_buf_str(after), after->len, &b);
	assert(a.count == b.count);
	add_hunk(out, &a, &b, first, 0, a.count);
	free(a.items);
	free(b.items);
}

void bw_patch_format(const char *path, const char *before, size_t before_len, const char *after,
		     size_t after_len, struct bw_buf *out)
{
	struct bw_patch_lines a, b;

	bw_patch_split(before, before_len, &a);
	bw_patch_split(after, after_len, &b);
	assert(a.count == b.count);
	if (next_change(&a, &b, 0) < a.count) {
		bw_patch_add_header(out, path);
		add_hunks(out, &a, &b);
	}
	free(a.items);
	free(b.items);
}
