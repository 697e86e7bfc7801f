/* test_folder_hostile.c - the walk of trees that are meant to harm it, or that change under it. */
#include "unit/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

#include "unit/tree.h"

static void move(const struct tree *t, const char *from, const char *to)
{
	BW_AUTOFREE char *old = at(t, from);
	BW_AUTOFREE char *new = at(t, to);

	assert_int_equal(rename(old, new), 0);
}

/* The number that the next descriptor gets: one more for each that is open or leaked. */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

/* Lets the process open `more` descriptors; returns the limit to set again. */
static struct rlimit limit_fds(unsigned more)
{
	struct rlimit old, low;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)next_fd() + more;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	return old;
}

/* --- trees that are meant to harm ------------------------------------------------------------- */

/* A chain of `levels` folders below BASE/in, all called `name`, with a build file at each `every`th. */
static void make_chain(const struct tree *t, const char *name, size_t levels, size_t every)
{
	BW_AUTOFREE char *path = at(t, "in");
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 1; i <= levels; i++) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
		if (i % every == 0) {
			int file = openat(fd, "zz.Dockerfile", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

			assert_true(file >= 0);
			(void)close(file);
		}
	}
	(void)close(fd);
}

static size_t count_lines(const struct tree *t, const char *word)
{
	size_t count = 0;

	for (const char *s = strstr(bw_buf_str(&t->log), word); s; s = strstr(s + 1, word))
		count++;
	return count;
}

static int log_nothing(struct tree *t, const struct bw_found *f, struct bw_err *err)
{
	(void)t;
	(void)f;
	(void)err;
	return 0;
}

static void five_thousand_levels_are_walked_as_deep_as_paths_reach(void **state)
{
	struct tree *t = *state;
	int before = next_fd();
	struct rlimit old;
	size_t levels;

	make_chain(t, "d", 5000, 100);
	t->hook = log_nothing;
	old = limit_fds(70);
	assert_int_equal(walk(t, "in"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	levels = (PATH_MAX - strlen(t->base) - strlen("/in") - 2) / 2;
	assert_int_equal(count_lines(t, "zz.Dockerfile = "), levels / 100);
	assert_int_equal(count_lines(t, "trouble"), 1);
	assert_int_equal(count_lines(t, "/d: path of the folder is too long; not entered"), 1);
	assert_int_equal(next_fd(), before);
}

static void files_come_in_order_on_the_way_back_from_the_depth(void **state)
{
	struct tree *t = *state;

	make_chain(t, "d", 200, 1);
	put(t, "in/d/e/Dockerfile", "x");
	put(t, "in/f/Dockerfile", "y");
	assert_int_equal(walk(t, "in"), 0);
	assert_int_equal(count_lines(t, "zz.Dockerfile = "), 200);
	assert_int_equal(count_lines(t, "trouble"), 0);
	assert_true(bw_text_ends(bw_buf_str(&t->log), "/zz.Dockerfile = \n"
						      "d/e/Dockerfile = x\n"
						      "d/zz.Dockerfile = \n"
						      "f/Dockerfile = y\n"));
}

static void a_file_whose_path_is_longer_than_the_kernel_takes_is_read(void **state)
{
	struct tree *t = *state;
	char name[203] = "";
	size_t folder = strlen(t->base) + strlen("/in") + 20 * sizeof(name);

	memset(name, 'n', sizeof(name) - 1);
	assert_true(folder < PATH_MAX - 2 && folder + strlen("/zz.Dockerfile") >= PATH_MAX);
	make_chain(t, name, 20, 20);
	assert_int_equal(walk(t, "in"), 0);
	assert_int_equal(count_lines(t, "zz.Dockerfile = "), 1);
	assert_int_equal(count_lines(t, "trouble"), 0);
}

static void memory_and_descriptors_are_given_back(void **state)
{
	struct tree *t = *state;
	int before = next_fd();

	put(t, "in/a/Dockerfile", "x");
	put_link(t, "in/Dockerfile", "a/Dockerfile");
	put_link(t, "in/Dockerfile.out", "/out");
	for (int i = 0; i < 100; i++)
		assert_int_equal(walk(t, "in"), 0);
	assert_int_equal(next_fd(), before);
}

static void a_process_short_of_descriptors_is_an_error_and_no_unreadable_file(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *root = bw_asprintf("open folder %s/in: Too many open files", t->base);
	BW_AUTOFREE char *folder = bw_asprintf("open %s/in/a: Too many open files", t->base);
	BW_AUTOFREE char *file = bw_asprintf("open %s/in/a/Dockerfile: Too many open files", t->base);
	const char *const expected[] = {root, folder, file};

	put(t, "in/a/Dockerfile", "x");
	for (unsigned spare = 0; spare < 3; spare++) {
		struct rlimit old = limit_fds(spare);
		int rc = walk(t, "in");

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_int_equal(rc, BW_E_SYS);
		assert_int_equal(t->err.sys, EMFILE);
		assert_string_equal(t->err.msg, expected[spare]);
		assert_string_equal(bw_buf_str(&t->log), "");
	}
}

/* --- trees that change under the walk --------------------------------------------------------- */

static int end_walk(struct tree *t, const struct bw_found *f, struct bw_err *err)
{
	(void)t;
	return bw_text_is(f->inner_path, "b/Dockerfile") ? bw_fail(err, BW_E_STORE, "enough") : 1;
}

static void the_hook_ends_the_walk(void **state)
{
	struct tree *t = *state;
	int before = next_fd();

	put(t, "in/a/Dockerfile", "x");
	put(t, "in/b/Dockerfile", "y");
	put(t, "in/b/c/Dockerfile", "z");
	t->hook = end_walk;
	assert_int_equal(walk(t, "in"), BW_E_STORE);
	assert_string_equal(t->err.msg, "enough");
	assert_null(t->root);
	assert_string_equal(bw_buf_str(&t->log), "a/Dockerfile = x\nb/Dockerfile = y\n");
	assert_int_equal(next_fd(), before);
	assert_int_equal(walk(t, "in/a/Dockerfile"), 0); /* a positive value is no failure */
}

/* Once, at the first file: what was read from the folder as a folder or file is something else when it is
 * opened. */
static int swap(struct tree *t, const struct bw_found *f, struct bw_err *err)
{
	BW_AUTOFREE char *pipe_path = at(t, "in/d.Dockerfile");

	(void)f;
	(void)err;
	t->hook = NULL;
	move(t, "in/b", "out/b");
	put_link(t, "in/b", "/out/b");
	move(t, "in/c.Dockerfile", "out/c");
	put_link(t, "in/c.Dockerfile", "/out/c");
	move(t, "in/d.Dockerfile", "out/d");
	assert_int_equal(mkfifo(pipe_path, 0644), 0);
	move(t, "in/e", "out/e");
	move(t, "in/f.Dockerfile", "out/f");
	return 0;
}

static void nothing_that_is_swapped_in_meanwhile_is_followed(void **state)
{
	struct tree *t = *state;

	put(t, "in/a.Dockerfile", "x");
	put(t, "in/b/Dockerfile", "y");
	put(t, "in/c.Dockerfile", "y");
	put(t, "in/d.Dockerfile", "y");
	put(t, "in/e/Dockerfile", "y");
	put(t, "in/f.Dockerfile", "y");
	t->hook = swap;
	/* "e" and "f.Dockerfile" are just gone: no trouble. */
	assert_walk(t, "a.Dockerfile = x\n"
		       "trouble in/b: folder cannot be opened: Not a directory\n"
		       "c.Dockerfile ! cannot be opened: Too many levels of symbolic links\n"
		       "d.Dockerfile ! not a regular file; not read\n");
}

/* Once, at the deepest file: moves the lower part of the chain out of the root, to a parent that holds a
 * bait. */
static int move_away(struct tree *t, const struct bw_found *f, struct bw_err *err)
{
	BW_AUTOFREE char *chain = bw_strdup(f->inner_path);
	BW_AUTOFREE char *from = NULL;

	(void)err;
	t->hook = NULL;
	chain[2 * 80 - 1] = '\0';
	from = bw_asprintf("in/%s", chain);
	move(t, from, "out/d");
	return 0;
}

static void a_folder_moved_away_does_not_lead_the_walk_out(void **state)
{
	struct tree *t = *state;
	int before = next_fd();

	make_chain(t, "d", 100, 10);
	put(t, "out/zz.Dockerfile", "bait");
	put(t, "in/e/Dockerfile", "x");
	t->hook = move_away;
	assert_int_equal(walk(t, "in"), 0);
	assert_int_equal(count_lines(t, "bait"), 0);
	/* Levels 100, 90 and 80 were moved and are read to their end; 70 is lost; from 64 up all is there. */
	assert_int_equal(count_lines(t, "zz.Dockerfile = "), 9);
	assert_int_equal(count_lines(t, "trouble"), 1);
	assert_int_equal(count_lines(t, ": folder was moved while it was read; the rest of it is left out"),
			 1);
	assert_true(bw_text_ends(bw_buf_str(&t->log), "e/Dockerfile = x\n"));
	assert_int_equal(next_fd(), before);
}

static int remove_it(struct tree *t, const struct bw_found *f, struct bw_err *err)
{
	BW_AUTOFREE char *path = at(t, "in/gone/Dockerfile");

	(void)f;
	(void)err;
	t->hook = NULL;
	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
	return 0;
}

static void a_root_that_is_removed_meanwhile_just_ends(void **state)
{
	struct tree *t = *state;

	put(t, "in/gone/Dockerfile", "x");
	t->hook = remove_it;
	assert_int_equal(walk(t, "in/gone"), 0);
	assert_string_equal(bw_buf_str(&t->log), "Dockerfile = x\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(five_thousand_levels_are_walked_as_deep_as_paths_reach),
		TEST(files_come_in_order_on_the_way_back_from_the_depth),
		TEST(a_file_whose_path_is_longer_than_the_kernel_takes_is_read),
		TEST(memory_and_descriptors_are_given_back),
		TEST(a_process_short_of_descriptors_is_an_error_and_no_unreadable_file),
		TEST(the_hook_ends_the_walk),
		TEST(nothing_that_is_swapped_in_meanwhile_is_followed),
		TEST(a_folder_moved_away_does_not_lead_the_walk_out),
		TEST(a_root_that_is_removed_meanwhile_just_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
