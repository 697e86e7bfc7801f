/*
 * test_fswatch.c - folders that change, vanish and come back. The limit of the system is stood in for: the calls of
 * libuv to inotify go through this file.
 */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/mem.h"
#include "net/fswatch.h"

#define QUIET_MS    20
#define DEADLINE_MS 10000
#define MAX_WD	    4096

/* --- a system with few watches ---------------------------------------------------------------------- */

static struct {
	bool is_live[MAX_WD];
	size_t live;
	size_t limit; /* 0: the system's own */
} system_;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	long wd = syscall(SYS_inotify_add_watch, fd, path, mask);

	if (wd < 0 || wd >= MAX_WD || system_.is_live[wd])
		return (int)wd;
	if (system_.limit > 0 && system_.live >= system_.limit) {
		(void)syscall(SYS_inotify_rm_watch, fd, wd);
		errno = ENOSPC;
		return -1;
	}
	system_.is_live[wd] = true;
	system_.live++;
	return (int)wd;
}

int inotify_rm_watch(int fd, int wd)
{
	if (wd >= 0 && wd < MAX_WD && system_.is_live[wd]) {
		system_.is_live[wd] = false;
		system_.live--;
	}
	return (int)syscall(SYS_inotify_rm_watch, fd, wd);
}

/* --- a folder with folders --------------------------------------------------------------------------- */

struct story {
	struct bw_loop *loop;
	struct bw_fswatch *watch;
	struct bw_timer *deadline, *step;
	void (*next)(struct story *s); /* what `step` does */
	char base[64];
	char *folders[3]; /* base/a, base/b, base/c; made and empty */
	unsigned told, exhausted;
	uint64_t told_at;
	struct bw_err err;
};

static void be_told(void *arg)
{
	struct story *s = arg;

	s->told++;
	s->told_at = bw_loop_now(s->loop);
	bw_loop_stop(s->loop);
}

static void be_exhausted(const struct bw_err *err, void *arg)
{
	struct story *s = arg;

	s->exhausted++;
	s->err = *err;
}

static void give_up(void *arg)
{
	struct story *s = arg;

	bw_loop_stop(s->loop);
}

static void take_step(void *arg)
{
	struct story *s = arg;

	s->next(s);
}

static int begin(void **state)
{
	struct story *s = BW_NEW(struct story);
	const struct bw_fswatch_hooks h = {.changed = be_told, .exhausted = be_exhausted, .arg = s};
	struct bw_err err = BW_ERR_INIT;

	(void)snprintf(s->base, sizeof(s->base), "/tmp/basewatch-fswatch-XXXXXX");
	assert_non_null(mkdtemp(s->base));
	for (size_t i = 0; i < 3; i++) {
		s->folders[i] = bw_asprintf("%s/%c", s->base, (char)('a' + i));
		assert_int_equal(mkdir(s->folders[i], 0755), 0);
	}
	assert_int_equal(bw_loop_new(&s->loop, &err), 0);
	s->watch = bw_fswatch_new(s->loop, &h, QUIET_MS);
	s->deadline = bw_timer_new(s->loop, give_up, s);
	s->step = bw_timer_new(s->loop, take_step, s);
	*state = s;
	return 0;
}

static void clear(const char *folder)
{
	static const char *const names[] = {"f", "Dockerfile", "new"};

	for (size_t i = 0; i < BW_COUNT(names); i++) {
		BW_AUTOFREE char *path = bw_asprintf("%s/%s", folder, names[i]);

		(void)unlink(path);
		(void)rmdir(path);
	}
	(void)rmdir(folder);
}

static int end(void **state)
{
	struct story *s = *state;

	bw_fswatch_free(s->watch);
	bw_timer_free(s->deadline);
	bw_timer_free(s->step);
	bw_loop_free(s->loop);
	for (size_t i = 0; i < 3; i++) {
		clear(s->folders[i]);
		free(s->folders[i]);
	}
	assert_int_equal(rmdir(s->base), 0);
	free(s);
	system_.limit = 0;
	return 0;
}

static void set(struct story *s, size_t from, size_t count)
{
	bw_fswatch_set(s->watch, (const char *const *)s->folders + from, count);
}

static void put(const char *folder, const char *name)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(close(fd), 0);
}

/* Runs until something was told; false when nothing was. */
static bool is_told(struct story *s, uint64_t within_ms)
{
	unsigned before = s->told;

	bw_timer_start(s->deadline, within_ms);
	bw_loop_run(s->loop);
	bw_timer_stop(s->deadline);
	return s->told > before;
}

#define ASSERT_TOLD(s) assert_true(is_told((s), DEADLINE_MS))
/* Events are there at once and are told after the quiet time; so long is waited, and a while. */
#define ASSERT_NOT_TOLD(s) assert_false(is_told((s), 3 * QUIET_MS))

/* --- what is told ------------------------------------------------------------------------------------ */

static void test_watching_keeps_nothing_alive(void **state)
{
	struct story *s = *state;

	bw_loop_run(s->loop);
	set(s, 0, 3);
	bw_loop_run(s->loop);
	assert_int_equal(s->told, 0);
	assert_int_equal(s->exhausted, 0);
	bw_fswatch_free(NULL);
}

static void test_a_file_that_is_made_changed_renamed_or_removed_is_told(void **state)
{
	struct story *s = *state;
	BW_AUTOFREE char *f = bw_asprintf("%s/f", s->folders[1]);
	BW_AUTOFREE char *file = bw_asprintf("%s/Dockerfile", s->folders[1]);

	set(s, 0, 3);
	put(s->folders[1], "f");
	ASSERT_TOLD(s);
	put(s->folders[1], "f");
	ASSERT_TOLD(s);
	assert_int_equal(rename(f, file), 0);
	ASSERT_TOLD(s);
	assert_int_equal(unlink(file), 0);
	ASSERT_TOLD(s);
	ASSERT_NOT_TOLD(s);
}

static void test_reading_is_no_change(void **state)
{
	struct story *s = *state;
	BW_AUTOFREE char *file = bw_asprintf("%s/f", s->folders[0]);
	char byte;
	int fd;

	put(s->folders[0], "f");
	set(s, 0, 1);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(close(fd), 0);
	ASSERT_NOT_TOLD(s);
}

static void test_what_happens_deeper_is_not_told(void **state)
{
	struct story *s = *state;

	bw_fswatch_set(s->watch, (const char *const[]){s->base}, 1);
	put(s->folders[0], "f");
	ASSERT_NOT_TOLD(s);
	assert_int_equal(chmod(s->folders[0], 0700), 0);
	ASSERT_TOLD(s);
}

static void test_a_burst_in_several_folders_is_told_once(void **state)
{
	struct story *s = *state;

	set(s, 0, 3);
	for (unsigned i = 0; i < 100; i++)
		put(s->folders[i % 3], i % 2 ? "f" : "Dockerfile");
	ASSERT_TOLD(s);
	ASSERT_NOT_TOLD(s);
	assert_int_equal(s->told, 1);
}

/* Something writes all the time, more often than it is ever quiet. */
static void write_again(struct story *s)
{
	put(s->folders[0], "f");
	bw_timer_start(s->step, QUIET_MS / 5);
}

static void test_a_burst_without_end_is_told_all_the_same(void **state)
{
	struct story *s = *state;

	set(s, 0, 1);
	s->next = write_again;
	bw_timer_start(s->step, 0);
	ASSERT_TOLD(s);
	ASSERT_TOLD(s);
}

static void test_it_is_not_told_before_it_was_quiet(void **state)
{
	struct story *s = *state;
	uint64_t start = bw_loop_now(s->loop);

	set(s, 0, 1);
	put(s->folders[0], "f");
	ASSERT_TOLD(s);
	assert_true(s->told_at >= start + QUIET_MS);
}

/* --- which folders ----------------------------------------------------------------------------------- */

static void test_only_the_last_list_counts(void **state)
{
	struct story *s = *state;

	set(s, 0, 2);
	set(s, 1, 2);
	put(s->folders[0], "f");
	ASSERT_NOT_TOLD(s);
	put(s->folders[1], "f");
	ASSERT_TOLD(s);
	put(s->folders[2], "f");
	ASSERT_TOLD(s);
	set(s, 0, 0);
	put(s->folders[2], "f");
	ASSERT_NOT_TOLD(s);
	assert_int_equal(system_.live, 0);
}

static void test_what_stays_in_the_list_is_watched_without_a_gap(void **state)
{
	struct story *s = *state;

	set(s, 0, 2);
	put(s->folders[0], "f"); /* not read yet when the list is replaced */
	set(s, 0, 3);
	assert_int_equal(system_.live, 3);
	ASSERT_TOLD(s);
}

static void test_folders_that_are_not_there_are_left_out_silently(void **state)
{
	struct story *s = *state;
	BW_AUTOFREE char *gone = bw_asprintf("%s/gone", s->base);
	const char *const folders[] = {gone, s->folders[0], "", "/dev/null/x"};

	bw_fswatch_set(s->watch, folders, BW_COUNT(folders));
	assert_int_equal(system_.live, 1);
	put(s->folders[0], "f");
	ASSERT_TOLD(s);
	assert_int_equal(s->exhausted, 0);
}

static void test_a_folder_that_vanishes_is_told_and_watched_again_when_it_is_back(void **state)
{
	struct story *s = *state;

	set(s, 0, 1);
	assert_int_equal(rmdir(s->folders[0]), 0);
	ASSERT_TOLD(s);
	assert_int_equal(mkdir(s->folders[0], 0755), 0);
	set(s, 0, 1);
	put(s->folders[0], "f");
	ASSERT_TOLD(s);
}

/* The folder itself sees nothing of that: only its path leads elsewhere from now on. */
static void test_a_path_that_leads_to_another_folder_is_watched_there(void **state)
{
	struct story *s = *state;
	BW_AUTOFREE char *inner = bw_asprintf("%s/new", s->folders[0]);
	BW_AUTOFREE char *moved = bw_asprintf("%s/new", s->folders[1]);
	const char *const folders[] = {inner};

	assert_int_equal(mkdir(inner, 0755), 0);
	bw_fswatch_set(s->watch, folders, 1);
	assert_int_equal(rmdir(s->folders[1]), 0);
	assert_int_equal(rename(s->folders[0], s->folders[1]), 0);
	assert_int_equal(mkdir(s->folders[0], 0755), 0);
	assert_int_equal(mkdir(inner, 0755), 0);
	bw_fswatch_set(s->watch, folders, 1);
	put(inner, "f");
	ASSERT_TOLD(s);
	put(moved, "f");
	ASSERT_NOT_TOLD(s);
	clear(inner);
	clear(moved);
}

static void free_it_all(void *arg)
{
	struct story *s = arg;

	be_told(s);
	bw_fswatch_free(BW_TAKE(s->watch));
}

static void test_the_owner_may_free_it_when_told(void **state)
{
	struct story *s = *state;
	const struct bw_fswatch_hooks h = {.changed = free_it_all, .exhausted = be_exhausted, .arg = s};

	bw_fswatch_free(s->watch);
	s->watch = bw_fswatch_new(s->loop, &h, 0);
	set(s, 0, 3);
	put(s->folders[0], "f");
	ASSERT_TOLD(s);
	assert_null(s->watch);
	assert_int_equal(system_.live, 0);
}

/* --- limits ------------------------------------------------------------------------------------------ */

static void test_too_few_watches_are_said_once_until_a_list_fits(void **state)
{
	struct story *s = *state;

	system_.limit = 2;
	set(s, 0, 3);
	assert_int_equal(s->exhausted, 1);
	assert_int_equal(s->err.code, BW_E_LIMIT);
	assert_string_equal(s->err.msg, "only 2 of 3 folders can be watched: fs.inotify.max_user_watches");
	set(s, 0, 3);
	assert_int_equal(s->exhausted, 1);
	put(s->folders[1], "f"); /* those that could be watched are */
	ASSERT_TOLD(s);
	set(s, 0, 2);
	set(s, 0, 3);
	assert_int_equal(s->exhausted, 2);
}

static void test_a_list_of_other_folders_fits_where_the_old_one_did(void **state)
{
	struct story *s = *state;

	system_.limit = 2;
	set(s, 0, 2);
	set(s, 1, 2);
	assert_int_equal(s->exhausted, 0);
	put(s->folders[2], "f");
	ASSERT_TOLD(s);
}

static void test_without_a_descriptor_nothing_is_watched_until_there_is_one(void **state)
{
	struct story *s = *state;
	struct rlimit was, none;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(next >= 0);
	assert_int_equal(close(next), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	set(s, 0, 3);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(s->exhausted, 1);
	assert_int_equal(s->err.code, BW_E_SYS);
	assert_string_equal(s->err.msg, "only 0 of 3 folders can be watched: Too many open files");
	set(s, 0, 3);
	assert_int_equal(s->exhausted, 1);
	put(s->folders[2], "f");
	ASSERT_TOLD(s);
}

static void test_no_list_is_longer_than_the_maximum(void **state)
{
	struct story *s = *state;
	BW_AUTOFREE const char **folders = bw_alloc((BW_FSWATCH_MAX + 1) * sizeof(*folders));

	for (size_t i = 0; i < BW_FSWATCH_MAX + 1; i++)
		folders[i] = s->folders[0];
	bw_fswatch_set(s->watch, folders, BW_FSWATCH_MAX);
	assert_int_equal(s->exhausted, 0);
	bw_fswatch_set(s->watch, folders, BW_FSWATCH_MAX + 1);
	assert_int_equal(s->exhausted, 1);
	assert_int_equal(s->err.code, BW_E_LIMIT);
	assert_string_equal(s->err.msg, "only 65536 of 65537 folders can be watched");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_watching_keeps_nothing_alive),
		TEST(test_a_file_that_is_made_changed_renamed_or_removed_is_told),
		TEST(test_reading_is_no_change),
		TEST(test_what_happens_deeper_is_not_told),
		TEST(test_a_burst_in_several_folders_is_told_once),
		TEST(test_a_burst_without_end_is_told_all_the_same),
		TEST(test_it_is_not_told_before_it_was_quiet),
		TEST(test_only_the_last_list_counts),
		TEST(test_what_stays_in_the_list_is_watched_without_a_gap),
		TEST(test_folders_that_are_not_there_are_left_out_silently),
		TEST(test_a_folder_that_vanishes_is_told_and_watched_again_when_it_is_back),
		TEST(test_a_path_that_leads_to_another_folder_is_watched_there),
		TEST(test_the_owner_may_free_it_when_told),
		TEST(test_too_few_watches_are_said_once_until_a_list_fits),
		TEST(test_a_list_of_other_folders_fits_where_the_old_one_did),
		TEST(test_without_a_descriptor_nothing_is_watched_until_there_is_one),
		TEST(test_no_list_is_longer_than_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
