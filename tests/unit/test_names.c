/*
 * test_names.c - what test_folder.c cannot make a real file system do: folders that do not tell the types of
 * their names, break off, or never end. White box: names.c is part of this file, and its getdents64() is the
 * script below.
 */
#include "unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/def.h"

static ssize_t scripted_getdents64(int fd, void *block, size_t size);

#define getdents64    scripted_getdents64
#define bw_names_init scripted_names_init
#define bw_names_done scripted_names_done
#define bw_names_read scripted_names_read
#define bw_names_cut  scripted_names_cut
#include "source/names.c" /* NOLINT(bugprone-suspicious-include): white box */

/* What the folder answers. After `names` comes its end, the error `sys`, or, when it is endless, `names`
 * again. */
static struct script {
	const char *const *names;
	unsigned char type;
	int sys;
	bool is_endless;
	size_t calls;
} script;

static size_t put_entry(char *at, const char *name)
{
	struct dirent64 *e = (void *)at;
	size_t len = (offsetof(struct dirent64, d_name) + strlen(name) + 1 + 7) / 8 * 8;

	e->d_reclen = (unsigned short)len;
	e->d_type = script.type;
	memcpy(e->d_name, name, strlen(name) + 1);
	return len;
}

static ssize_t scripted_getdents64(int fd, void *block, size_t size)
{
	size_t used = 0;

	(void)fd;
	if (script.calls++ == 0 || script.is_endless) {
		for (const char *const *n = script.names; *n; n++)
			used += put_entry((char *)block + used, *n);
		assert_true(used <= size);
		return (ssize_t)used;
	}
	if (script.sys == 0)
		return 0;
	errno = script.sys;
	return -1;
}

static int set_up(void **state)
{
	static struct bw_names names;

	script = (struct script){0};
	bw_names_init(&names);
	*state = &names;
	return 0;
}

static int tear_down(void **state)
{
	bw_names_done(*state);
	return 0;
}

static void assert_name(const struct bw_names *n, size_t i, const char *name, enum bw_name_kind kind)
{
	assert_true(i < n->count);
	assert_string_equal(n->text.data + n->items[i].at, name);
	assert_int_equal(n->items[i].len, strlen(name));
	assert_int_equal(n->items[i].kind, kind);
}

static void types_that_the_folder_does_not_tell_are_asked_for(void **state)
{
	struct bw_names *n = *state;
	static const char *const names[] = {
		".", "..", "Dockerfile", "b", "a.Dockerfile", "c.txt", "Dockerfile.gone", "Dockerfile.pipe",
		NULL};
	char base[] = "/tmp/basewatch-names-XXXXXX";
	int fd;

	assert_non_null(mkdtemp(base));
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkdirat(fd, "b", 0755), 0);
	assert_int_equal(mkfifoat(fd, "Dockerfile.pipe", 0644), 0);
	assert_int_equal(symlinkat("x", fd, "a.Dockerfile"), 0);
	assert_int_equal(close(openat(fd, "Dockerfile", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_int_equal(close(openat(fd, "c.txt", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);

	script.names = names;
	script.type = DT_UNKNOWN;
	assert_int_equal(bw_names_read(n, fd, NULL), 0);
	assert_int_equal(n->count, 5);
	assert_name(n, 0, "Dockerfile", BW_NAME_FILE);
	assert_name(n, 1, "Dockerfile.gone", BW_NAME_FILE);
	assert_name(n, 2, "Dockerfile.pipe", BW_NAME_ODD);
	assert_name(n, 3, "a.Dockerfile", BW_NAME_LINK);
	assert_name(n, 4, "b/", BW_NAME_FOLDER);

	assert_int_equal(unlinkat(fd, "b", AT_REMOVEDIR), 0);
	for (const char *const *name = names + 2; *name; name++)
		(void)unlinkat(fd, *name, 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(rmdir(base), 0);
}

static void a_folder_that_breaks_off_keeps_the_names_before(void **state)
{
	struct bw_names *n = *state;
	struct bw_err err = BW_ERR_INIT;
	static const char *const names[] = {"z", "Dockerfile", "a", NULL};

	script = (struct script){.names = names, .type = DT_DIR, .sys = EIO};
	assert_int_equal(bw_names_read(n, -1, &err), BW_E_SYS);
	assert_int_equal(err.sys, EIO);
	assert_string_equal(err.msg, "folder cannot be read to its end: Input/output error");
	assert_int_equal(n->count, 3);
	assert_name(n, 0, "Dockerfile/", BW_NAME_FOLDER);
	assert_name(n, 2, "z/", BW_NAME_FOLDER);
}

static void a_folder_removed_meanwhile_has_ended(void **state)
{
	struct bw_names *n = *state;
	static const char *const names[] = {"Dockerfile", NULL};

	script = (struct script){.names = names, .type = DT_REG, .sys = ENOENT};
	assert_int_equal(bw_names_read(n, -1, NULL), 0);
	assert_int_equal(n->count, 1);
}

static void a_folder_without_end_is_cut(void **state)
{
	struct bw_names *n = *state;
	struct bw_err err = BW_ERR_INIT;
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", NULL};

	script = (struct script){.names = names, .type = DT_DIR, .is_endless = true};
	n->text.max = 10 * strlen("a/") + 10; /* room for ten names */
	assert_int_equal(bw_names_read(n, -1, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, "folder has too many names; the rest of it is left out");
	assert_int_equal(n->count, 10);
	assert_name(n, 0, "a/", BW_NAME_FOLDER);
	assert_name(n, 9, "h/", BW_NAME_FOLDER);
}

static void names_are_a_stack(void **state)
{
	struct bw_names *n = *state;
	static const char *const above[] = {"x", "y", NULL};
	static const char *const below[] = {"b", "a", "c", NULL};

	script = (struct script){.names = above, .type = DT_DIR};
	assert_int_equal(bw_names_read(n, -1, NULL), 0);
	script = (struct script){.names = below, .type = DT_DIR};
	assert_int_equal(bw_names_read(n, -1, NULL), 0);
	assert_int_equal(n->count, 5);
	assert_name(n, 1, "y/", BW_NAME_FOLDER);
	assert_name(n, 2, "a/", BW_NAME_FOLDER);
	bw_names_cut(n, 2);
	assert_int_equal(n->count, 2);
	assert_int_equal(n->text.len, 2 * sizeof("x/"));
	bw_names_cut(n, 2); /* nothing above: nothing happens */
	assert_int_equal(n->text.len, 2 * sizeof("x/"));
	script.calls = 0;
	assert_int_equal(bw_names_read(n, -1, NULL), 0);
	assert_name(n, 0, "x/", BW_NAME_FOLDER);
	assert_name(n, 4, "c/", BW_NAME_FOLDER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(types_that_the_folder_does_not_tell_are_asked_for),
		TEST(a_folder_that_breaks_off_keeps_the_names_before),
		TEST(a_folder_removed_meanwhile_has_ended),
		TEST(a_folder_without_end_is_cut),
		TEST(names_are_a_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
