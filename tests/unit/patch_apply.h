/* patch_apply.h - applies a patch of one file as git would, and asserts that every line of it is right. */
#ifndef BW_TESTS_PATCH_APPLY_H
#define BW_TESTS_PATCH_APPLY_H

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "unit/unit.h"

struct patch_cursor {
	const char *s;
	const char *end;
};

static inline bool patch_take_line(struct patch_cursor *c, const char **ret, size_t *ret_len)
{
	const char *newline;

	if (c->s == c->end)
		return false;
	newline = memchr(c->s, '\n', (size_t)(c->end - c->s));
	*ret = c->s;
	c->s = newline ? newline + 1 : c->end;
	*ret_len = (size_t)(c->s - *ret);
	return true;
}

/* The line of the old text must be the one that the patch says; it goes out when it stays. */
static inline void patch_take_old(struct patch_cursor *old, const char *text, size_t len, struct bw_buf *out)
{
	const char *line = "";
	size_t line_len = 0;

	assert_true(patch_take_line(old, &line, &line_len));
	assert_int_equal(line_len, len);
	assert_memory_equal(line, text, len);
	if (out)
		assert_true(bw_buf_add(out, line, line_len));
}

/* One hunk. Returns how many lines of the old text it took. */
static inline size_t patch_apply_hunk(struct patch_cursor *patch, struct patch_cursor *old, size_t lines,
				      struct bw_buf *out)
{
	size_t olds = 0, news = 0;

	while (olds < lines || news < lines) {
		const char *line = "";
		size_t len = 0;

		assert_true(patch_take_line(patch, &line, &len));
		/* The newline is the patch's own, when the next line says so. */
		len -= patch->s < patch->end && *patch->s == '\\';
		olds += *line != '+';
		news += *line != '-';
		assert_true(*line == ' ' || *line == '-' || *line == '+');
		if (*line == '+')
			assert_true(bw_buf_add(out, line + 1, len - 1));
		else
			patch_take_old(old, line + 1, len - 1, *line == ' ' ? out : NULL);
		if (patch->s < patch->end && *patch->s == '\\')
			assert_true(patch_take_line(patch, &line, &len));
	}
	assert_int_equal(olds, lines);
	assert_int_equal(news, lines);
	return olds;
}

static inline size_t patch_hunk_lines(const char *count)
{
	return *count == ',' ? strtoul(count + 1, NULL, 10) : 1;
}

static inline void patch_apply(const struct bw_buf *patch, const char *text, size_t len, struct bw_buf *out)
{
	struct patch_cursor p = {bw_buf_str(patch), bw_buf_str(patch) + patch->len};
	struct patch_cursor old = {text, text + len};
	const char *line = "";
	size_t line_len = 0;
	size_t at = 1;

	for (int i = 0; i < 2; i++)
		assert_true(patch_take_line(&p, &line, &line_len));
	while (patch_take_line(&p, &line, &line_len)) {
		char *rest;
		size_t start, count;

		assert_memory_equal(line, "@@ -", 4);
		start = strtoul(line + 4, &rest, 10);
		count = patch_hunk_lines(rest);
		for (; at < start; at++) {
			assert_true(patch_take_line(&old, &line, &line_len));
			assert_true(bw_buf_add(out, line, line_len));
		}
		at += patch_apply_hunk(&p, &old, count, out);
	}
	assert_true(bw_buf_add(out, old.s, (size_t)(old.end - old.s)));
}

#endif
