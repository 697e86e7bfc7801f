/* test_credentials.c - config.json and auth.json: entries, keys, files. */
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/credentials.h"
#include "unit/credential.h"
#include "unit/table.h"

/* As in the tables. Without a loop no program is run, but it is named. */
static char *who(struct bw_credentials *c, const char *registry, const char *repository)
{
	const struct bw_credential *found = NULL;
	struct bw_err err = BW_ERR_INIT;
	BW_AUTOFREE char *source = bw_credentials_source(c, registry, repository);
	enum bw_credentials_step step = bw_credentials_ask(c, registry, repository, NULL, &found, &err);

	if (step == BW_CREDENTIALS_FAILED) {
		assert_true(bw_text_starts(source, "docker-credential-") && strstr(source, " in "));
		assert_non_null(strstr(err.msg, ": programs cannot be run here"));
		source[strcspn(source, "(") + strcspn(strchr(source, '('), " ")] = ')';
		source[strcspn(source, ")") + 1] = '\0';
		return bw_asprintf("run %s", source + strlen("docker-credential-"));
	}
	assert_int_equal(err.code, BW_OK);
	assert_int_equal(step, found ? BW_CREDENTIALS_SOMEBODY : BW_CREDENTIALS_NOBODY);
	assert_string_equal(source, found ? found->source : "");
	assert_true(!found || found->number != 0);
	return credential_text(found);
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_credentials *c = bw_credentials_new(NULL);
	struct bw_err err = BW_ERR_INIT;
	const char *message = count > 4 ? fields[4] : "";
	int rc = bw_credentials_parse(c, fields[0], lens[0], &err);
	BW_AUTOFREE char *is = who(c, fields[1], fields[2]);

	(void)arg;
	if (rc != (*message ? BW_E_INPUT : 0) || strcmp(err.msg, message) != 0 || strcmp(is, fields[3]) != 0)
		fail_msg("%s for %s/%s: rc %d (%s), %s", fields[0], fields[1], fields[2], rc, err.msg, is);
	bw_credentials_free(c);
}

static void test_entries_and_keys_of_every_form(void **state)
{
	(void)state;
	table_each("credentials.tsv", 4, check_row, NULL);
}

static void test_without_a_file_everybody_is_anonymous(void **state)
{
	struct bw_credentials *c = bw_credentials_new(NULL);

	(void)state;
	assert_false(has_credential(c, "docker.io", "library/debian"));
	assert_false(has_credential(NULL, "docker.io", "library/debian"));
	bw_credentials_free(c);
	bw_credentials_free(NULL);
}

static void test_secrets_do_not_get_into_messages(void **state)
{
	static const char text[] = "{\"auths\":{\"r.io\":{\"auth\":\"c2VjcmV0\"}}}";
	struct bw_credentials *c = bw_credentials_new(NULL);
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
	unsetenv("DOCKER_AUTH_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	set_variable(f, "XDG_RUNTIME_DIR", "/run"); /* not that of whoever runs the tests */
	set_variable(f, "HOME", "");
	f->c = bw_credentials_new(NULL);
	*state = f;
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {"own.json",
					    "config.json",
					    ".docker/config.json",
					    ".docker",
					    ".config/containers/auth.json",
					    ".config/containers",
					    ".config",
					    "xdg/containers/auth.json",
					    "xdg/containers",
					    "xdg",
					    "run/containers/auth.json",
					    "run/containers",
					    "run",
					    ""};
	struct folder *f = *state;

	bw_credentials_free(f->c);
	for (size_t i = 0; i < BW_COUNT(names); i++) {
		BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, names[i]);

		(void)remove(path);
	}
	free(f);
	return 0;
}

static void make_folder(const struct folder *f, const char *name)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, name);

	assert_int_equal(mkdir(path, 0700), 0);
}

static void write_text(const struct folder *f, const char *name, const char *text)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, name);
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	(void)fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void remove_file(const struct folder *f, const char *name)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", f->path, name);

	assert_int_equal(unlink(path), 0);
}

static const char *user_at_r(const struct folder *f)
{
	const struct bw_credential *c = find_credential(f->c, "r.io", "a");

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
	BW_AUTOFREE char *words = NULL;

	write_file(f, ".docker/config.json", "home");
	write_file(f, "config.json", "docker");
	set_variable(f, "DOCKER_CONFIG", "");
	set_variable(f, "REGISTRY_AUTH_FILE", "/own.json");
	assert_int_equal(bw_credentials_load(f->c, &f->err), BW_E_INPUT);
	words = bw_asprintf(
		"credentials: %s/own.json: there is no such file, and REGISTRY_AUTH_FILE names it and "
		"no other",
		f->path);
	assert_string_equal(f->err.msg, words);
	assert_string_equal(user_at_r(f), "-"); /* nothing takes its place */
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
	assert_int_equal(bw_credentials_load(f->c, &f->err), BW_E_INPUT); /* looked for all the same */
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

/* --- the order of the sources ----------------------------------------------------------------- */

static void check_variable(char **fields, size_t *lens, size_t count, void *arg)
{
	struct folder *f = arg;
	struct bw_credentials *c = bw_credentials_new(NULL);
	struct bw_err err = BW_ERR_INIT;
	const char *message = count > 2 ? fields[2] : "";
	BW_AUTOFREE char *is = NULL;
	int rc;

	(void)lens;
	(void)f;
	assert_int_equal(setenv("DOCKER_AUTH_CONFIG", fields[0], 1), 0);
	rc = bw_credentials_load(c, &err);
	is = who(c, "r.io", "a");
	if (rc != (*message ? BW_E_INPUT : 0) || strcmp(err.msg, message) != 0 || strcmp(is, fields[1]) != 0)
		fail_msg("%s: rc %d (%s), %s", fields[0], rc, err.msg, is);
	bw_credentials_free(c);
}

static void test_the_variable_counts_as_a_whole_or_not_at_all(void **state)
{
	table_each("credentials_variable.tsv", 2, check_variable, *state);
}

#define AUTH_OF_ENV "{\"auths\":{\"r.io\":{\"auth\":\"ZW52Ong=\"}}}" /* env:x */

static void write_everywhere(const struct folder *f)
{
	assert_int_equal(setenv("DOCKER_AUTH_CONFIG", AUTH_OF_ENV, 1), 0);
	make_folder(f, "run");
	make_folder(f, "run/containers");
	write_file(f, "run/containers/auth.json", "runtime");
	make_folder(f, ".config");
	make_folder(f, ".config/containers");
	write_file(f, ".config/containers/auth.json", "containers");
	write_file(f, ".docker/config.json", "docker");
}

static void test_the_first_source_that_names_a_registry_counts(void **state)
{
	struct folder *f = *state;
	const struct bw_credentials_given given = {.host = "R.io", .username = "given", .password = "x"};

	write_everywhere(f);
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	bw_credentials_configure(f->c, &given, 1);
	assert_string_equal(user_at_r(f), "given");
	bw_credentials_configure(f->c, NULL, 0);
	assert_string_equal(user_at_r(f), "env");
	unsetenv("DOCKER_AUTH_CONFIG");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "runtime");
	remove_file(f, "run/containers/auth.json");
	bw_credentials_reload(f->c);
	assert_string_equal(user_at_r(f), "containers");
	write_text(f, ".config/containers/auth.json",
		   "{\"auths\":{\"other.io\":{\"auth\":\"dTpw\"},\"r.io\":{}}}");
	bw_credentials_reload(f->c);
	assert_string_equal(user_at_r(f), "docker");
	assert_true(has_credential(f->c, "other.io", "a"));
	remove_file(f, ".docker/config.json");
	bw_credentials_reload(f->c);
	assert_string_equal(user_at_r(f), "-");
}

static void test_sources_have_names_for_people(void **state)
{
	struct folder *f = *state;
	const struct bw_credentials_given given[] = {{.host = "given.io", .username = "u", .password = "p"},
						     {.host = "nobody.io", .is_anonymous = true},
						     {.host = "helper.io", .helper = "x"}};
	static const char *const names[][2] = {{"given.io", "the configuration"},
					       {"nobody.io", ""},
					       {"helper.io", "docker-credential-x (the configuration)"},
					       {"r.io", "$DOCKER_AUTH_CONFIG"},
					       {"unknown.io", ""}};
	BW_AUTOFREE char *path = bw_asprintf("%s/.docker/config.json", f->path);

	write_everywhere(f);
	write_file(f, "own.json", "own");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	bw_credentials_configure(f->c, given, BW_COUNT(given));
	for (size_t i = 0; i < BW_COUNT(names); i++) {
		BW_AUTOFREE char *source = bw_credentials_source(f->c, names[i][0], "a");

		assert_string_equal(source, names[i][1]);
	}
	write_text(f, ".docker/config.json", "{\"auths\":{\"unknown.io\":{\"auth\":\"dTpw\"}}}");
	bw_credentials_reload(f->c);
	assert_string_equal(find_credential(f->c, "unknown.io", "a")->source, path);
}

static void test_registry_auth_file_leaves_the_variable_before_it(void **state)
{
	struct folder *f = *state;

	write_everywhere(f);
	write_file(f, "own.json", "own");
	set_variable(f, "REGISTRY_AUTH_FILE", "/own.json");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "env");
	unsetenv("DOCKER_AUTH_CONFIG");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "own");
	remove_file(f, "own.json");
	bw_credentials_reload(f->c);
	assert_string_equal(user_at_r(f), "-");
}

static void test_folders_of_variables_take_the_place_of_those_at_home(void **state)
{
	struct folder *f = *state;

	write_everywhere(f);
	unsetenv("DOCKER_AUTH_CONFIG");
	remove_file(f, "run/containers/auth.json");
	make_folder(f, "xdg");
	set_variable(f, "XDG_CONFIG_HOME", "/xdg");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "docker");
	make_folder(f, "xdg/containers"); /* it appears later */
	write_file(f, "xdg/containers/auth.json", "xdg");
	bw_credentials_refresh(f->c, 1);
	assert_string_equal(user_at_r(f), "xdg");
	assert_int_equal(bw_credentials_number(f->c), 1);
}

static void test_the_longest_key_counts_in_each_source(void **state)
{
	struct folder *f = *state;
	BW_AUTOFREE char *team = NULL;

	write_everywhere(f);
	unsetenv("DOCKER_AUTH_CONFIG");
	write_text(f, "run/containers/auth.json", "{\"auths\":{\"r.io/team\":{\"auth\":\"dTpw\"}}}");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_string_equal(user_at_r(f), "containers");
	team = who(f->c, "r.io", "team/a/b");
	assert_string_equal(team, "u:p");
	write_text(f, "run/containers/auth.json", "{\"auths\":{\"r.io\":{\"auth\":\"dTpw\"}}}");
	write_text(f, ".config/containers/auth.json", "{\"auths\":{\"r.io/team\":{\"auth\":\"dTpx\"}}}");
	bw_credentials_reload(f->c);
	free(team);
	team = who(f->c, "r.io", "team/a/b"); /* the source first, and then its keys */
	assert_string_equal(team, "u:p");
}

static void test_who_is_anonymous_by_the_configuration_is_it_whatever_the_files_have(void **state)
{
	struct folder *f = *state;
	const struct bw_credentials_given given = {.host = "r.io", .is_anonymous = true};
	const struct bw_credential *found = NULL;

	write_everywhere(f);
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(bw_credentials_ask(f->c, "r.io", "a", NULL, &found, &f->err), BW_CREDENTIALS_NOBODY);
	assert_null(found);
}

static void test_the_configuration_names_hosts_as_people_do(void **state)
{
	struct folder *f = *state;
	const struct bw_credentials_given given[] = {
		{.host = "index.docker.io", .username = "hub", .password = "x"},
		{.host = "reg.lan:5000", .username = "lan", .password = "x"}};

	bw_credentials_configure(f->c, given, 2);
	assert_string_equal(find_credential(f->c, "docker.io", "library/a")->user, "hub");
	assert_string_equal(find_credential(f->c, "reg.lan:5000", "a")->user, "lan");
	assert_false(has_credential(f->c, "reg.lan", "a"));
}

static void test_a_helper_of_the_configuration_must_have_a_plain_name(void **state)
{
	struct folder *f = *state;
	struct bw_loop *l = NULL;
	const struct bw_credentials_given given = {.host = "r.io", .helper = "../sh"};
	const struct bw_credential *found = NULL;
	struct bw_credentials *c;

	assert_int_equal(bw_loop_new(&l, &f->err), 0);
	c = bw_credentials_new(l);
	bw_credentials_configure(c, &given, 1);
	assert_int_equal(bw_credentials_ask(c, "r.io", "a", NULL, &found, &f->err), BW_CREDENTIALS_FAILED);
	assert_string_equal(f->err.msg,
			    "docker-credential-../sh: this cannot be the name of a helper program");
	bw_credentials_free(c);
	bw_loop_free(l);
}

static void test_trouble_with_one_source_leaves_the_others(void **state)
{
	struct folder *f = *state;

	write_everywhere(f);
	assert_int_equal(setenv("DOCKER_AUTH_CONFIG", "{", 1), 0);
	assert_int_equal(bw_credentials_load(f->c, &f->err), BW_E_INPUT);
	assert_string_equal(f->err.msg, "credentials: $DOCKER_AUTH_CONFIG: not JSON at line 1, column 1");
	assert_string_equal(user_at_r(f), "runtime");
}

static void test_more_entries_than_anybody_has_are_refused(void **state)
{
	struct folder *f = *state;
	BW_AUTOBUF struct bw_buf text;
	char last[16];

	bw_buf_init(&text, BW_MAX_CREDENTIALS_BYTES);
	(void)bw_buf_adds(&text, "{\"auths\":{");
	for (unsigned i = 0; i <= 4096; i++)
		(void)bw_buf_addf(&text, "%s\"r%u.io\":{\"auth\":\"dTpw\"}", i ? "," : "", i);
	(void)bw_buf_adds(&text, "}}");
	assert_int_equal(bw_credentials_parse(f->c, text.data, text.len, &f->err), BW_E_INPUT);
	assert_string_equal(f->err.msg, "more than 4096 entries; the others do not count");
	assert_true(has_credential(f->c, "r0.io", "a"));
	(void)snprintf(last, sizeof(last), "r4096.io");
	assert_false(has_credential(f->c, last, "a"));
}

/* --- numbers ---------------------------------------------------------------------------------- */

static uint64_t number_at_r(const struct folder *f)
{
	const struct bw_credential *c = find_credential(f->c, "r.io", "a");

	return c ? c->number : 0;
}

static void test_a_number_is_that_of_the_secret_wherever_it_stands(void **state)
{
	struct folder *f = *state;
	const struct bw_credentials_given given = {.host = "r.io", .username = "docker", .password = "x"};
	uint64_t first;

	write_file(f, ".docker/config.json", "docker");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	first = number_at_r(f);
	assert_int_not_equal(first, 0);
	bw_credentials_reload(f->c);
	assert_int_equal(number_at_r(f), first);
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(number_at_r(f), first);
	bw_credentials_configure(f->c, NULL, 0);
	write_text(f, ".docker/config.json",
		   "{\"auths\":{\"r.io\":{\"username\":\"docker\",\"password\":\"y\"}}}");
	bw_credentials_reload(f->c);
	assert_int_not_equal(number_at_r(f), first);
	write_text(f, ".docker/config.json",
		   "{\"auths\":{\"r.io\":{\"username\":\"docker\",\"identitytoken\":\"x\"}}}");
	bw_credentials_reload(f->c);
	assert_int_not_equal(number_at_r(f), first);
	assert_int_not_equal(number_at_r(f), 0);
}

static void test_a_number_tells_nothing_outside(void **state)
{
	struct folder *f = *state;
	uint64_t first;

	write_file(f, ".docker/config.json", "docker");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	first = number_at_r(f);
	bw_credentials_free(f->c);
	f->c = bw_credentials_new(NULL); /* another key */
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	assert_int_not_equal(number_at_r(f), first);
}

static void test_another_configuration_is_another_number_and_the_same_is_not(void **state)
{
	struct folder *f = *state;
	struct bw_credentials_given given = {.host = "r.io", .username = "u", .password = "p"};

	bw_credentials_configure(f->c, NULL, 0);
	assert_int_equal(bw_credentials_number(f->c), 0);
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(bw_credentials_number(f->c), 1);
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(bw_credentials_number(f->c), 1);
	given.password = "q";
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(bw_credentials_number(f->c), 2);
	given = (struct bw_credentials_given){.host = "r.io", .helper = "h"};
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(bw_credentials_number(f->c), 3);
	given = (struct bw_credentials_given){.host = "r.io", .is_anonymous = true};
	bw_credentials_configure(f->c, &given, 1);
	assert_int_equal(bw_credentials_number(f->c), 4);
	assert_int_equal(bw_credentials_number(NULL), 0);
}

static void test_a_helper_in_a_file_makes_it_another(void **state)
{
	struct folder *f = *state;

	write_text(f, ".docker/config.json", "{\"credsStore\":\"a\",\"credHelpers\":{\"r.io\":\"x\"}}");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	write_text(f, ".docker/config.json", "{\"credHelpers\":{\"r.io\":\"x\"},\"credsStore\":\"a\"}");
	bw_credentials_reload(f->c);
	assert_int_equal(bw_credentials_number(f->c), 0);
	write_text(f, ".docker/config.json", "{\"credHelpers\":{\"r.io\":\"y\"},\"credsStore\":\"a\"}");
	bw_credentials_reload(f->c);
	assert_int_equal(bw_credentials_number(f->c), 1);
	write_text(f, ".docker/config.json", "{\"credHelpers\":{\"r.io\":\"y\"},\"credsStore\":\"b\"}");
	bw_credentials_reload(f->c);
	assert_int_equal(bw_credentials_number(f->c), 2);
}

static void note_helper(const char *registry, const char *source, void *arg)
{
	struct bw_buf *said = arg;

	assert_true(bw_buf_addf(said, "%s: %.*s\n", registry, (int)strcspn(source, "/"), source));
}

static void test_helpers_of_single_registries_are_listed(void **state)
{
	struct folder *f = *state;
	BW_AUTOBUF struct bw_buf said;

	bw_buf_init(&said, 1024);
	write_text(f, ".docker/config.json",
		   "{\"credsStore\":\"a\",\"credHelpers\":{\"R.io\":\"x\",\"s.io\":\"\"}}");
	assert_int_equal(bw_credentials_load(f->c, &f->err), 0);
	bw_credentials_each_helper(f->c, note_helper, &said);
	assert_string_equal(bw_buf_str(&said), "r.io: docker-credential-x (credHelpers in \n");
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
		cmocka_unit_test_setup_teardown(test_the_variable_counts_as_a_whole_or_not_at_all, begin,
						end),
		cmocka_unit_test_setup_teardown(test_the_first_source_that_names_a_registry_counts, begin,
						end),
		cmocka_unit_test_setup_teardown(test_sources_have_names_for_people, begin, end),
		cmocka_unit_test_setup_teardown(test_registry_auth_file_leaves_the_variable_before_it, begin,
						end),
		cmocka_unit_test_setup_teardown(test_folders_of_variables_take_the_place_of_those_at_home,
						begin, end),
		cmocka_unit_test_setup_teardown(test_the_longest_key_counts_in_each_source, begin, end),
		cmocka_unit_test_setup_teardown(
			test_who_is_anonymous_by_the_configuration_is_it_whatever_the_files_have, begin, end),
		cmocka_unit_test_setup_teardown(test_the_configuration_names_hosts_as_people_do, begin, end),
		cmocka_unit_test_setup_teardown(test_a_helper_of_the_configuration_must_have_a_plain_name,
						begin, end),
		cmocka_unit_test_setup_teardown(test_trouble_with_one_source_leaves_the_others, begin, end),
		cmocka_unit_test_setup_teardown(test_more_entries_than_anybody_has_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_a_number_is_that_of_the_secret_wherever_it_stands, begin,
						end),
		cmocka_unit_test_setup_teardown(test_a_number_tells_nothing_outside, begin, end),
		cmocka_unit_test_setup_teardown(
			test_another_configuration_is_another_number_and_the_same_is_not, begin, end),
		cmocka_unit_test_setup_teardown(test_a_helper_in_a_file_makes_it_another, begin, end),
		cmocka_unit_test_setup_teardown(test_helpers_of_single_registries_are_listed, begin, end),
		cmocka_unit_test_setup_teardown(test_the_last_owner_frees, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
