/* test_credentials.c - config.json and auth.json: entries, keys, files. */
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "registry/credentials.h"
#include "unit/table.h"

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_credentials *c = bw_credentials_new();
	struct bw_err err = BW_ERR_INIT;
	const char *message = count > 4 ? fields[4] : "";
	int rc = bw_credentials_parse(c, fields[0], lens[0], &err);
	const struct bw_credential *found = bw_credentials_find(c, fields[1], fields[2]);
	BW_AUTOFREE char *pair = found ? bw_asprintf("%s:%s", found->user, found->password) : bw_strdup("-");

	(void)arg;
	if (rc != (*message ? BW_E_INPUT : 0) || strcmp(err.msg, message) != 0 ||
	    strcmp(pair, fields[3]) != 0)
		fail_msg("%s for %s/%s: rc %d (%s), %s", fields[0], fields[1], fields[2], rc, err.msg, pair);
	bw_credentials_free(c);
}

static void test_entries_and_keys_of_every_form(void **state)
{
	(void)state;
	table_each("credentials.tsv", 4, check_row, NULL);
}

static void test_without_a_file_everybody_is_anonymous(void **state)
{
	struct bw_credentials *c = bw_credentials_new();

	(void)state;
	assert_null(bw_credentials_find(c, "docker.io", "library/debian"));
	assert_null(bw_credentials_find(NULL, "docker.io", "library/debian"));
	bw_credentials_free(c);
	bw_credentials_free(NULL);
}

static void test_secrets_do_not_get_into_messages(void **state)
{
	static const char text[] = "{\"auths\":{\"r.io\":{\"auth\":\"c2VjcmV0\"}}}";
	struct bw_credentials *c = bw_credentials_new();
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	assert_int_equal(bw_credentials_parse(c, text, strlen(text), &err), BW_E_INPUT);
	assert_null(strstr(err.msg, "secret"));
	assert_null(strstr(err.msg, "c2VjcmV0"));
	bw_credentials_free(c);
}

/* --- files ------------------------------------------------------------------------------------ */

struct folder {
	char path[64];
	struct bw_err err;
	struct bw_credentials *c;
};

static void write_file(const struct folder *f, const char *name, const char *user)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, name);
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	(void)fprintf(out, "{\"auths\":{\"r.io\":{\"username\":\"%s\",\"password\":\"x\"}}}", user);
	assert_int_equal(fclose(out), 0);
}

static void set_variable(const struct folder *f, const char *name, const char *inner)
{
	BW_AUTOFREE char *value = bw_asprintf("%s%s", f->path, inner);

	assert_int_equal(setenv(name, value, 1), 0);
}

static int begin(void **state)
{
	struct folder *f = BW_NEW(struct folder);
	BW_AUTOFREE char *inner = NULL;

	(void)snprintf(f->path, sizeof(f->path), "/tmp/basewatch-credentials.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	inner = bw_asprintf("%s/.docker", f->path);
	assert_int_equal(mkdir(inner, 0700), 0);
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("DOCKER_CONFIG");
	set_variable(f, "HOME", "");
	f->c = bw_credentials_new();
	*state = f;
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {"own.json", "config.json", ".docker/config.json", ".docker", ""};
	struct folder *f = *state;

	bw_credentials_free(f->c);
	for (size_t i = 0; i < BW_COUNT(names); i++) {
		BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, names[i]);

		(void)remove(path);
	}
	free(f);
	return 0;
}

static const char *user_at_r(const struct folder *f)
{
	const struct bw_credential *c = bw_credentials_find(f->c, "r.io", "a");

	return c ? c->user : "-";
}

static void test_the_file_in_the_home_folder_is_read(void **state)
{
	struct folder *f = *state;

	write_file(f, ".docker/config.json", "home");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "home");
}

static void test_docker_config_comes_before_the_home_folder(void **state)
{
	struct folder *f = *state;

	write_file(f, ".docker/config.json", "home");
	write_file(f, "config.json", "docker");
	set_variable(f, "DOCKER_CONFIG", "");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "docker");
}

static void test_registry_auth_file_is_the_only_one(void **state)
{
	struct folder *f = *state;

	write_file(f, ".docker/config.json", "home");
	write_file(f, "config.json", "docker");
	set_variable(f, "DOCKER_CONFIG", "");
	set_variable(f, "REGISTRY_AUTH_FILE", "/own.json");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "-"); /* it is not there, and nothing takes its place */
	write_file(f, "own.json", "own");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "own");
}

static void test_an_empty_variable_is_none(void **state)
{
	struct folder *f = *state;

	write_file(f, ".docker/config.json", "home");
	assert_int_equal(setenv("DOCKER_CONFIG", "", 1), 0);
	assert_int_equal(setenv("REGISTRY_AUTH_FILE", "", 1), 0);
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "home");
}

static void test_no_file_and_no_home_are_fine(void **state)
{
	struct folder *f = *state;

	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	unsetenv("HOME");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_int_equal(f->err.code, BW_OK);
}

static void test_a_file_that_cannot_be_parsed_is_named(void **state)
{
	struct folder *f = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/config.json", f->path);
	BW_AUTOFREE char *expected = bw_asprintf("credentials: %s: not JSON at line 1, column 1", path);
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	(void)fputs("}", out);
	(void)fclose(out);
	set_variable(f, "DOCKER_CONFIG", "");
	assert_int_equal(bw_credentials_load(f->c, &f->err), BW_E_INPUT);
	assert_string_equal(f->err.msg, expected);
}

static void test_a_file_that_cannot_be_read_is_named(void **state)
{
	struct folder *f = *state;

	set_variable(f, "REGISTRY_AUTH_FILE", ""); /* a folder */
	assert_int_equal(bw_credentials_load(f->c, &f->err), BW_E_SYS);
	assert_non_null(strstr(f->err.msg, "credentials: "));
	assert_non_null(strstr(f->err.msg, f->path));
	assert_non_null(strstr(f->err.msg, "Is a directory"));
}

static void test_a_world_readable_file_is_read(void **state)
{
	struct folder *f = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/.docker/config.json", f->path);

	write_file(f, ".docker/config.json", "home");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "home");
}

static void test_an_endless_file_is_refused(void **state)
{
	struct folder *f = *state;

	assert_int_equal(setenv("REGISTRY_AUTH_FILE", "/dev/zero", 1), 0);
	assert_int_equal(bw_credentials_load(f->c, &f->err), BW_E_LIMIT);
	assert_non_null(strstr(f->err.msg, "/dev/zero"));
}

/* --- the file once more ----------------------------------------------------------------------- */

static void test_another_file_is_read_when_it_is_looked_at(void **state)
{
	struct folder *f = *state;

	set_variable(f, "REGISTRY_AUTH_FILE", "/own.json");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	bw_credentials_refresh(f->c, 10);
	assert_int_equal(bw_credentials_number(f->c), 0);
	write_file(f, "own.json", "own");
	bw_credentials_refresh(f->c, 10 + BW_CREDENTIALS_LOOK_MS - 1); /* too early to look again */
	assert_string_equal(user_at_r(f), "-");
	bw_credentials_refresh(f->c, 10 + BW_CREDENTIALS_LOOK_MS);
	assert_string_equal(user_at_r(f), "own");
	assert_int_equal(bw_credentials_number(f->c), 1);
	write_file(f, "own.json", "own"); /* written, and the same */
	bw_credentials_refresh(f->c, 10 + 2 * BW_CREDENTIALS_LOOK_MS);
	assert_int_equal(bw_credentials_number(f->c), 1);
	write_file(f, "own.json", "two");
	bw_credentials_reload(f->c);
	assert_string_equal(user_at_r(f), "two");
	assert_int_equal(bw_credentials_number(f->c), 2);
}

static void test_another_file_that_is_broken_changes_nothing_and_is_told_once(void **state)
{
	struct folder *f = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/own.json", f->path);
	FILE *out, *said = tmpfile();
	int kept = dup(2);
	char text[1024] = "";

	set_variable(f, "REGISTRY_AUTH_FILE", "/own.json");
	write_file(f, "own.json", "own");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	out = fopen(path, "we");
	assert_true(said && out && kept >= 0);
	(void)fputs("{\"auths\":{", out);
	(void)fclose(out);
	assert_int_equal(dup2(fileno(said), 2), 2);
	for (uint64_t i = 1; i < 4; i++)
		bw_credentials_refresh(f->c, i * BW_CREDENTIALS_LOOK_MS);
	assert_int_equal(dup2(kept, 2), 2);
	(void)close(kept);
	rewind(said);
	assert_true(fread(text, 1, sizeof(text) - 1, said) > 0);
	(void)fclose(said);
	assert_non_null(strstr(text, "own.json: not JSON at line 1, column "));
	assert_non_null(strstr(text, "; what was read of it before stays in force\n"));
	assert_null(strchr(strchr(text, '\n') + 1, '\n'));
	assert_string_equal(user_at_r(f), "own");
	assert_int_equal(bw_credentials_number(f->c), 0);
	write_file(f, "own.json", "two");
	bw_credentials_refresh(f->c, 9 * BW_CREDENTIALS_LOOK_MS);
	assert_string_equal(user_at_r(f), "two");
}

static void test_the_last_owner_frees(void **state)
{
	struct folder *f = *state;

	write_file(f, ".docker/config.json", "home");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	bw_credentials_free(bw_credentials_share(f->c));
	assert_string_equal(user_at_r(f), "home");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_and_keys_of_every_form),
		cmocka_unit_test(test_without_a_file_everybody_is_anonymous),
		cmocka_unit_test(test_secrets_do_not_get_into_messages),
		cmocka_unit_test_setup_teardown(test_the_file_in_the_home_folder_is_read, begin, end),
		cmocka_unit_test_setup_teardown(test_docker_config_comes_before_the_home_folder, begin, end),
		cmocka_unit_test_setup_teardown(test_registry_auth_file_is_the_only_one, begin, end),
		cmocka_unit_test_setup_teardown(test_an_empty_variable_is_none, begin, end),
		cmocka_unit_test_setup_teardown(test_no_file_and_no_home_are_fine, begin, end),
		cmocka_unit_test_setup_teardown(test_a_file_that_cannot_be_parsed_is_named, begin, end),
		cmocka_unit_test_setup_teardown(test_a_file_that_cannot_be_read_is_named, begin, end),
		cmocka_unit_test_setup_teardown(test_a_world_readable_file_is_read, begin, end),
		cmocka_unit_test_setup_teardown(test_an_endless_file_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_another_file_is_read_when_it_is_looked_at, begin, end),
		cmocka_unit_test_setup_teardown(
			test_another_file_that_is_broken_changes_nothing_and_is_told_once, begin, end),
		cmocka_unit_test_setup_teardown(test_the_last_owner_frees, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
