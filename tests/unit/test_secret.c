/* Secrets: where they come from, what is dropped, and what is refused. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "conf_folder.h"
#include "config/secret.h"

#define NAME "BW_TEST_SECRET"

static int read_secret(const char *env, const char *file, struct bw_buf *ret, struct bw_err *err)
{
	BW_AUTOFREE char *env_copy = bw_strdup_null(env);
	BW_AUTOFREE char *file_copy = bw_strdup_null(file);
	const struct bw_secret s = {.env = env_copy, .file = file_copy};

	*err = BW_ERR_INIT;
	return bw_secret_read(&s, ret, err);
}

static void expect_secret(const char *env, const char *file, const char *wanted)
{
	BW_AUTOSECRET struct bw_buf value;
	struct bw_err err;

	bw_buf_init(&value, BW_SECRET_MAX_BYTES);
	assert_int_equal(read_secret(env, file, &value, &err), 0);
	assert_string_equal(value.data, wanted);
}

static void expect_refused(const char *env, const char *file, enum bw_code code, const char *message)
{
	BW_AUTOSECRET struct bw_buf value;
	struct bw_err err;

	bw_buf_init(&value, BW_SECRET_MAX_BYTES);
	assert_int_equal(read_secret(env, file, &value, &err), code);
	if (!strstr(err.msg, message))
		fail_msg("'%s' is not in: %s", message, err.msg);
	assert_null(strstr(err.msg, "hunter2"));
}

static void a_variable_is_taken_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(setenv(NAME, "hunter2\n", 1), 0);
	expect_secret(NAME, NULL, "hunter2\n");
	assert_int_equal(setenv(NAME, "", 1), 0);
	expect_refused(NAME, NULL, BW_E_INPUT, "the secret in " NAME " is empty");
	assert_int_equal(unsetenv(NAME), 0);
	expect_refused(NAME, NULL, BW_E_GONE, "the environment variable " NAME " is not set");
}

static void one_newline_at_the_end_of_a_file_is_dropped(void **state)
{
	static const char *const cases[][2] = {{"hunter2", "hunter2"},	   {"hunter2\n", "hunter2"},
					       {"hunter2\r\n", "hunter2"}, {"hunter2\n\n", "hunter2\n"},
					       {" a b ", " a b "},	   {"a\r", "a\r"}};
	BW_AUTOFREE char *folder = folder_new();

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++) {
		BW_AUTOFREE char *path = folder_file(folder, "s", cases[i][0], strlen(cases[i][0]), 0600);

		expect_secret(NULL, path, cases[i][1]);
	}
	folder_free(folder);
}

static void a_file_that_everyone_may_read_is_refused(void **state)
{
	BW_AUTOFREE char *folder = folder_new();
	BW_AUTOFREE char *open_file = folder_file(folder, "open", "hunter2", 7, 0604);
	BW_AUTOFREE char *group_file = folder_file(folder, "group", "hunter2", 7, 0640);

	(void)state;
	expect_refused(NULL, open_file, BW_E_DENIED,
		       "may be read by everyone, so it is no secret; chmod o-r makes it one");
	expect_secret(NULL, group_file, "hunter2");
	folder_free(folder);
}

static void what_is_no_secret_is_refused(void **state)
{
	static const char big[BW_SECRET_MAX_BYTES + 1] = {'x'};
	BW_AUTOFREE char *folder = folder_new();
	BW_AUTOFREE char *empty = folder_file(folder, "empty", "\n", 1, 0600);
	BW_AUTOFREE char *nul = folder_file(folder, "nul", "hunter2\0x", 9, 0600);
	BW_AUTOFREE char *large = folder_file(folder, "large", big, sizeof(big), 0600);
	BW_AUTOFREE char *below = bw_asprintf("%s/x", empty);

	(void)state;
	expect_refused(NULL, NULL, BW_E_GONE, "there is no secret");
	expect_refused(NULL, "/nowhere/secret", BW_E_GONE, "there is no file /nowhere/secret");
	expect_refused(NULL, below, BW_E_GONE, "there is no file");
	expect_refused(NULL, folder, BW_E_INPUT, "is no regular file");
	expect_refused(NULL, empty, BW_E_INPUT, "is empty");
	expect_refused(NULL, nul, BW_E_INPUT, "holds a NUL");
	expect_refused(NULL, large, BW_E_LIMIT, "large");
	folder_free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_is_taken_as_it_is),
		cmocka_unit_test(one_newline_at_the_end_of_a_file_is_dropped),
		cmocka_unit_test(a_file_that_everyone_may_read_is_refused),
		cmocka_unit_test(what_is_no_secret_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
