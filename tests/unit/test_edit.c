/* test_edit.c - a file gets other contents in one step, or stays what it is. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/edit.h"
#include "core/io.h"
#include "core/mem.h"

static char *folder, *path, *other;

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
