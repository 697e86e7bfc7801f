/* test_lock.c - one daemon per database, with real processes: daemon/lock.h. */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/mem.h"
#include "daemon/lock.h"

struct place {
	char folder[64];
	char *db, *lock, *link;
	struct bw_err err;
	/* another process that holds the lock, until it reads the end of `leave` */
	pid_t pid;
	int leave;
};

static int begin(void **state)
{
	struct place *p = BW_NEW(struct place);
	int fd;

	(void)snprintf(p->folder, sizeof(p->folder), "/tmp/basewatch-lock-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	p->db = bw_asprintf("%s/x.db", p->folder);
	p->lock = bw_asprintf("%s/x.db.lock", p->folder);
	p->link = bw_asprintf("%s/link.db", p->folder);
	fd = open(p->db, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct place *p = *state;

	(void)unlink(p->db);
	(void)unlink(p->lock);
	(void)rmdir(p->lock);
	(void)unlink(p->link);
	assert_int_equal(rmdir(p->folder), 0);
	free(p->db);
	free(p->lock);
	free(p->link);
	free(p);
	return 0;
}

/* In the child: says whether it has the lock, and keeps it. */
static void hold(const char *db, int say, int leave)
{
	struct bw_err err;
	char c;
	int fd, rc = bw_lock_take(db, &fd, &err);

	if (write(say, rc == 0 ? "y" : "n", 1) != 1)
		_exit(1);
	(void)!read(leave, &c, 1);
	_exit(0);
}

static void start_holder(struct place *p, const char *db)
{
	int say[2], leave[2];
	char c = 0;

	assert_int_equal(pipe2(say, O_CLOEXEC), 0);
	assert_int_equal(pipe2(leave, O_CLOEXEC), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		(void)close(leave[1]);
		hold(db, say[1], leave[0]);
	}
	(void)close(say[1]);
	(void)close(leave[0]);
	assert_int_equal(read(say[0], &c, 1), 1);
	(void)close(say[0]);
	assert_int_equal(c, 'y');
	p->leave = leave[1];
}

static void wait_for_holder(struct place *p)
{
	int status;

	(void)close(p->leave);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
}

static int take(struct place *p, const char *db, int *ret_fd)
{
	p->err = BW_ERR_INIT;
	return bw_lock_take(db, ret_fd, &p->err);
}

static void expect_free(struct place *p)
{
	int fd = -1;

	assert_int_equal(take(p, p->db, &fd), 0);
	assert_true(fd >= 0);
	(void)close(fd);
}

static void expect_failure(struct place *p, enum bw_code code, const char *message)
{
	int fd = -1;

	assert_int_equal(take(p, p->db, &fd), code);
	assert_int_equal(p->err.code, code);
	assert_string_equal(p->err.msg, message);
	assert_int_equal(fd, -1);
}

static void test_the_file_is_private_and_names_the_process(void **state)
{
	BW_AUTOBUF struct bw_buf text;
	struct place *p = *state;
	char expected[32];
	struct stat st;
	int fd = -1;

	bw_buf_init(&text, 100);
	assert_int_equal(take(p, p->db, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(stat(p->lock, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(bw_read_file(p->lock, &text, NULL), 0);
	(void)snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
	assert_string_equal(text.data, expected);
	(void)close(fd);
	assert_int_equal(stat(p->lock, &st), 0);
	expect_free(p);
}

static void test_a_second_daemon_is_told_who_was_first(void **state)
{
	struct place *p = *state;
	BW_AUTOFREE char *message = NULL;

	start_holder(p, p->db);
	message = bw_asprintf("another `basewatch run` (process %d) works with %s", (int)p->pid, p->db);
	expect_failure(p, BW_E_LOCKED, message);
	wait_for_holder(p);
	expect_free(p);
}

static void test_the_lock_of_a_killed_process_is_free(void **state)
{
	struct place *p = *state;

	start_holder(p, p->db);
	assert_int_equal(kill(p->pid, SIGKILL), 0);
	wait_for_holder(p);
	expect_free(p);
}

static void test_another_name_of_the_database_does_not_get_around_it(void **state)
{
	struct place *p = *state;
	BW_AUTOFREE char *message = NULL;

	assert_int_equal(symlink("x.db", p->link), 0);
	start_holder(p, p->link);
	message = bw_asprintf("another `basewatch run` (process %d) works with %s", (int)p->pid, p->db);
	expect_failure(p, BW_E_LOCKED, message);
	wait_for_holder(p);
}

static void test_a_database_that_is_not_there_yet_can_be_locked(void **state)
{
	struct place *p = *state;

	assert_int_equal(unlink(p->db), 0);
	expect_free(p);
}

static void write_lock(const struct place *p, const char *text)
{
	int fd = open(p->lock, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void test_a_file_that_names_no_process_is_locked_all_the_same(void **state)
{
	static const char *const texts[] = {
		"", "\n", "x", "-1\n", "0\n", "99999999999\n", "1\x1B[2J", "123456789012345678901234567890"};
	struct place *p = *state;
	BW_AUTOFREE char *message = bw_asprintf("another `basewatch run` works with %s", p->db);

	start_holder(p, p->db);
	for (size_t i = 0; i < BW_COUNT(texts); i++) {
		write_lock(p, texts[i]);
		expect_failure(p, BW_E_LOCKED, message);
	}
	wait_for_holder(p);
}

static void test_what_is_no_ordinary_file_is_refused(void **state)
{
	struct place *p = *state;
	BW_AUTOFREE char *message = bw_asprintf("%s is not an ordinary file", p->lock);
	struct stat st;

	assert_int_equal(symlink("x.db", p->lock), 0);
	expect_failure(p, BW_E_DENIED, message);
	assert_int_equal(stat(p->db, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(unlink(p->lock), 0);
	assert_int_equal(mkdir(p->lock, 0700), 0);
	expect_failure(p, BW_E_DENIED, message);
	assert_int_equal(rmdir(p->lock), 0);
	assert_int_equal(mkfifo(p->lock, 0600), 0);
	expect_failure(p, BW_E_DENIED, message);
}

static void test_a_folder_that_is_not_there_is_named(void **state)
{
	struct place *p = *state;
	struct bw_err err = BW_ERR_INIT;
	int fd = -1;

	(void)p;
	assert_int_equal(bw_lock_take("/tmp/basewatch-no-such-folder/x.db", &fd, &err), BW_E_SYS);
	assert_string_equal(err.msg,
			    "open /tmp/basewatch-no-such-folder/x.db.lock: No such file or directory");
	assert_int_equal(err.sys, ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_file_is_private_and_names_the_process),
		TEST(test_a_second_daemon_is_told_who_was_first),
		TEST(test_the_lock_of_a_killed_process_is_free),
		TEST(test_another_name_of_the_database_does_not_get_around_it),
		TEST(test_a_database_that_is_not_there_yet_can_be_locked),
		TEST(test_a_file_that_names_no_process_is_locked_all_the_same),
		TEST(test_what_is_no_ordinary_file_is_refused),
		TEST(test_a_folder_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
