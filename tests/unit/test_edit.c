/* test_edit.c - a file gets other contents in one step, or stays what it is. */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command/edit.h"
#include "core/io.h"
#include "core/mem.h"

static char *folder, *path, *other;
static int folder_fault; /* what fsync() of a folder fails with; 0: it does not */

/* In the place of the one of the C library. */
int fsync(int fd)
{
	struct stat st;

	if (folder_fault != 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = folder_fault;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void expect(const char *name, const char *text)
{
	struct bw_buf got;

	bw_buf_init(&got, 4096);
	assert_int_equal(bw_read_file(name, &got, NULL), 0);
	assert_string_equal(bw_buf_str(&got), text);
	bw_buf_done(&got);
}

static int set_up(void **state)
{
	(void)state;
	folder = bw_strdup("/tmp/basewatch-edit.XXXXXX");
	assert_non_null(mkdtemp(folder));
	path = bw_asprintf("%s/Dockerfile", folder);
	other = bw_asprintf("%s/other", folder);
	put(path, "FROM a\n");
	return 0;
}

/* The folder can only be removed when nothing half-made is left in it. */
static int tear_down(void **state)
{
	int status;

	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	free(path);
	free(other);
	status = rmdir(folder);
	free(folder);
	return status;
}

static int replace(const char *name, const char *before, const char *after, struct bw_err *err)
{
	*err = BW_ERR_INIT;
	return bw_edit_replace(name, before, strlen(before), after, strlen(after), err);
}

static void the_new_contents_are_there_and_the_mode_stays(void **state)
{
	struct bw_err err;
	struct stat st;

	(void)state;
	assert_int_equal(chmod(path, 0751), 0);
	assert_int_equal(replace(path, "FROM a\n", "FROM b\n", &err), 0);
	expect(path, "FROM b\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
}

static void who_has_it_open_keeps_the_old_contents(void **state)
{
	struct bw_err err;
	FILE *f = fopen(path, "r");
	char line[32] = "";

	(void)state;
	assert_non_null(f);
	assert_int_equal(replace(path, "FROM a\n", "FROM b\n", &err), 0);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "FROM a\n");
	fclose(f);
}

static void expect_changed(const char *name, const char *before)
{
	struct bw_err err;

	assert_int_equal(replace(name, before, "FROM b\n", &err), BW_E_RETRY);
	assert_string_equal(err.msg, "was changed since it was read: not edited");
}

static void a_file_that_was_changed_since_is_left_alone(void **state)
{
	(void)state;
	expect_changed(path, "FROM x\n");
	expect_changed(path, "FROM a\n\n");
	expect_changed(path, "FROM a");
	expect(path, "FROM a\n");
}

static void what_is_no_file_any_more_is_left_alone(void **state)
{
	(void)state;
	expect_changed(other, "FROM a\n");
	assert_int_equal(symlink(path, other), 0);
	expect_changed(other, "FROM a\n");
	expect(path, "FROM a\n");
	assert_int_equal(unlink(other), 0);
	assert_int_equal(mkfifo(other, 0600), 0);
	expect_changed(other, "");
}

static void a_file_whose_folder_has_gone_was_changed(void **state)
{
	struct bw_err err;

	(void)state;
	assert_int_equal(replace("/no/such/folder/file", "", "x", &err), BW_E_RETRY);
}

static void what_may_not_be_written_is_denied(void **state)
{
	struct bw_err err;
	struct bw_buf text;

	(void)state;
	bw_buf_init(&text, 4096);
	/* The folder of a process takes no new files, whoever asks. */
	assert_int_equal(bw_read_file("/proc/self/comm", &text, NULL), 0);
	assert_true(replace("/proc/self/comm", bw_buf_str(&text), "x", &err) < 0);
	assert_non_null(strstr(err.msg, "create a file in /proc/self: "));
	bw_buf_done(&text);
}

/* Then the file has its new contents, and nothing may say that it has not. */
static void a_folder_that_cannot_be_synced_is_told_of_an_edited_file(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	char *wanted = bw_asprintf("sync %s: Input/output error", folder);
	int edited, synced;

	(void)state;
	folder_fault = EIO;
	edited = replace(path, "FROM a\n", "FROM b\n", &err);
	synced = bw_edit_sync(path, &err);
	folder_fault = 0;
	assert_int_equal(edited, 0);
	expect(path, "FROM b\n");
	assert_int_equal(synced, BW_E_SYS);
	assert_string_equal(err.msg, wanted);
	free(wanted);
}

static void folders_that_need_no_sync_are_no_trouble(void **state)
{
	static const int faults[] = {0, EINVAL, EROFS};
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < BW_COUNT(faults); i++) {
		int rc;

		folder_fault = faults[i];
		rc = bw_edit_sync(path, &err);
		folder_fault = 0;
		assert_int_equal(rc, 0);
	}
	assert_int_equal(bw_edit_sync("/no/such/folder/file", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_new_contents_are_there_and_the_mode_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_has_it_open_keeps_the_old_contents, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_was_changed_since_is_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_file_any_more_is_left_alone, set_up, tear_down),
		cmocka_unit_test(a_file_whose_folder_has_gone_was_changed),
		cmocka_unit_test(what_may_not_be_written_is_denied),
		cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_synced_is_told_of_an_edited_file,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(folders_that_need_no_sync_are_no_trouble, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
