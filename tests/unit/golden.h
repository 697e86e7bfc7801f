/*
 * golden.h - outputs compared byte for byte with tests/golden/NAME; UPDATE_GOLDEN=1 in the environment writes
 * the files anew, and the difference is reviewed. Header only, so that each test program has its own copy.
 */
#ifndef BW_TESTS_GOLDEN_H
#define BW_TESTS_GOLDEN_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden {
	FILE *out; /* what is under test writes here */
	char *text;
	size_t len;
};

static inline void golden_begin(struct golden *g)
{
	g->out = open_memstream(&g->text, &g->len);
	assert_non_null(g->out);
}

static inline char *golden_read(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t len = 0, n;
	char piece[4096];
	FILE *copy;

	if (!f)
		fail_msg("%s cannot be opened; UPDATE_GOLDEN=1 writes it", path);
	copy = open_memstream(&text, &len);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		assert_int_equal(fwrite(piece, 1, n, copy), n);
	assert_int_equal(fclose(copy), 0);
	fclose(f);
	*ret_len = len;
	return text;
}

static inline void golden_write(const char *path, const struct golden *g)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(g->text, 1, g->len, f), g->len);
	assert_int_equal(fclose(f), 0);
}

/* Line of the first difference. */
static inline size_t golden_line(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t line = 1;

	for (size_t i = 0; i < a_len && i < b_len && a[i] == b[i]; i++)
		line += a[i] == '\n';
	return line;
}

/* Ends the output and compares. */
static inline void golden_end(struct golden *g, const char *name)
{
	char path[256];
	char *wanted;
	size_t len;

	assert_int_equal(fclose(g->out), 0);
	(void)snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("UPDATE_GOLDEN"))
		golden_write(path, g);
	wanted = golden_read(path, &len);
	if (len != g->len || memcmp(wanted, g->text, len) != 0) {
		print_message("wanted:\n%.*s\ngot:\n%.*s\n", (int)len, wanted, (int)g->len, g->text);
		fail_msg("%s differs, first in line %zu", path, golden_line(wanted, len, g->text, g->len));
	}
	free(wanted);
	free(g->text);
}

#endif
