/*
 * tree.h - for the tests of the folder walk: builds a small tree in a folder of its own, walks it and removes
 * it. BASE/in is the root of the walk, BASE/out is outside. What the walk tells becomes a text, one line for
 * each call, that is compared as a whole.
 */
#ifndef BW_TESTS_TREE_H
#define BW_TESTS_TREE_H

#include "unit/unit.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "source/folder.h"

extern char **environ;

#define LOG_MAX (1U << 20)

struct tree {
	char base[64];
	struct bw_buf log;
	struct bw_err err;
	char *root; /* as the walk returned it */
	/* Called for each file, before it is logged; a negative value ends the walk. */
	int (*hook)(struct tree *t, const struct bw_found *f, struct bw_err *err);
};

/* --- building --------------------------------------------------------------------------------- */

static char *at(const struct tree *t, const char *inner)
{
	return bw_asprintf("%s/%s", t->base, inner);
}

static void make_folder(const struct tree *t, const char *inner)
{
	BW_AUTOFREE char *path = at(t, inner);

	for (char *slash = strchr(path + strlen(t->base) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static void make_parent(const struct tree *t, const char *inner)
{
	BW_AUTOFREE char *parent = bw_strdup(inner);
	char *slash = strrchr(parent, '/');

	*slash = '\0';
	make_folder(t, parent);
}

static void put(const struct tree *t, const char *inner, const char *text)
{
	BW_AUTOFREE char *path = at(t, inner);
	FILE *f;

	make_parent(t, inner);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* `target` beginning with '/' means below BASE. */
static void put_link(const struct tree *t, const char *inner, const char *target)
{
	BW_AUTOFREE char *path = at(t, inner);
	BW_AUTOFREE char *to = target[0] == '/' ? at(t, target + 1) : bw_strdup(target);

	make_parent(t, inner);
	assert_int_equal(symlink(to, path), 0);
}

static int set_up(void **state)
{
	struct tree *t = BW_NEW(struct tree);

	(void)snprintf(t->base, sizeof(t->base), "/tmp/basewatch-folder-XXXXXX");
	bw_buf_init(&t->log, LOG_MAX);
	(void)umask(022); /* the permission cases need what they ask for */
	if (!mkdtemp(t->base) || chmod(t->base, 0755) < 0)
		return -1;
	make_folder(t, "in");
	make_folder(t, "out");
	*state = t;
	return 0;
}

/* By rm(1), which knows how to remove trees whose paths are longer than any call takes. */
static int tear_down(void **state)
{
	struct tree *t = *state;
	char rm[] = "rm", flags[] = "-rf";
	char *const argv[] = {rm, flags, t->base, NULL};
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0)
		(void)waitpid(pid, &status, 0);
	bw_buf_done(&t->log);
	free(t->root);
	free(t);
	return status;
}

/* --- walking ---------------------------------------------------------------------------------- */

static int log_file(const struct bw_found *f, void *arg, struct bw_err *err)
{
	struct tree *t = arg;
	size_t real_len = strlen(f->real_path), inner_len = strlen(f->inner_path);
	int rc = t->hook ? t->hook(t, f, err) : 0;

	assert_true(bw_text_starts(f->real_path, t->base));
	assert_true(bw_text_ends(f->real_path, f->inner_path));
	assert_int_equal(f->real_path[real_len - inner_len - 1], '/');
	assert_true(!f->text != !f->problem);
	if (f->text)
		bw_buf_addf(&t->log, "%s = %s\n", f->inner_path, f->text->data);
	else
		bw_buf_addf(&t->log, "%s ! %s\n", f->inner_path, f->problem);
	return rc;
}

static void log_trouble(const char *path, const char *problem, void *arg)
{
	struct tree *t = arg;

	assert_true(bw_text_starts(path, t->base));
	bw_buf_addf(&t->log, "trouble %s: %s\n", path + strlen(t->base) + 1, problem);
}

static void log_link(const char *path, const char *problem, void *arg)
{
	struct tree *t = arg;

	assert_true(bw_text_starts(path, t->base));
	bw_buf_addf(&t->log, "link %s: %s\n", path + strlen(t->base) + 1, problem);
}

static int walk_with(struct tree *t, const char *path, const char *const *excludes, size_t count)
{
	const struct bw_folder_options options = {.excludes = excludes, .exclude_count = count};
	const struct bw_folder_hooks hooks = {
		.file = log_file, .trouble = log_trouble, .link = log_link, .arg = t};

	free(BW_TAKE(t->root));
	bw_buf_clear(&t->log);
	t->err = BW_ERR_INIT;
	return bw_folder_walk(path, &options, &hooks, &t->root, &t->err);
}

static int walk(struct tree *t, const char *inner)
{
	BW_AUTOFREE char *path = at(t, inner);

	return walk_with(t, path, NULL, 0);
}

/* Walks BASE/in; the text of its log must be `expected`, where %s stands for BASE. */
static void assert_walk(struct tree *t, const char *expected)
{
	BW_AUTOFREE char *root = at(t, "in");

	assert_int_equal(walk(t, "in"), 0);
	assert_string_equal(t->err.msg, "");
	assert_string_equal(bw_buf_str(&t->log), expected);
	assert_string_equal(t->root, root);
}

#endif
