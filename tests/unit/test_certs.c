/* test_certs.c - which folder is that of a registry, and what counts in it. */
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/def.h"
#include "core/mem.h"
#include "registry/certs.h"

struct world {
	char root[64], first[96], second[96];
	const char *roots[3];
};

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);

	(void)snprintf(w->root, sizeof(w->root), "/tmp/basewatch-certs-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	(void)snprintf(w->first, sizeof(w->first), "%s/first", w->root);
	(void)snprintf(w->second, sizeof(w->second), "%s/second", w->root);
	w->roots[0] = w->first;
	w->roots[1] = w->second;
	assert_int_equal(mkdir(w->first, 0755), 0);
	assert_int_equal(mkdir(w->second, 0755), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *command = bw_asprintf("%s", w->root);
	pid_t pid = fork();

	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", command, (char *)NULL);
		_exit(1);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0)
		continue;
	free(w);
	return 0;
}

static void folder(const char *root, const char *name)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", root, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static void file(const char *root, const char *name)
{
	BW_AUTOFREE char *path = bw_asprintf("%s/%s", root, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	(void)close(fd);
}

/* "ROOT/FOLDER ca ca | cert key", with names below the root only. */
static char *look(struct world *w, const char *registry)
{
	struct bw_certs c;
	struct bw_err err = BW_ERR_INIT;
	char text[4096] = "";
	size_t skip = strlen(w->root) + 1;

	if (bw_certs_find(registry, w->roots, &c, &err) < 0) {
		(void)snprintf(text, sizeof(text), "!%s", err.msg);
	} else if (!c.folder) {
		(void)snprintf(text, sizeof(text), "none");
		assert_null(c.ca_files);
	} else {
		size_t len = (size_t)snprintf(text, sizeof(text), "%s", c.folder + skip);

		for (char **f = c.ca_files; *f; f++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", strrchr(*f, '/') + 1);
		if (c.cert_file)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " | %s %s",
						strrchr(c.cert_file, '/') + 1, strrchr(c.key_file, '/') + 1);
		if (c.unused)
			(void)snprintf(text + len, sizeof(text) - len, " unused %s", c.unused);
		if (c.left_out)
			(void)snprintf(text + len, sizeof(text) - len, " not %s",
				       strrchr(c.left_out, '/') + 1);
	}
	bw_certs_done(&c);
	return bw_strdup(text);
}

static void expect(struct world *w, const char *registry, const char *wanted)
{
	BW_AUTOFREE char *got = look(w, registry);

	if (strcmp(got, wanted) != 0)
		fail_msg("%s: %s, not %s", registry, got, wanted);
}

/* The wanted message has the path below the root behind the root itself. */
static void expect_error(struct world *w, const char *registry, const char *wanted)
{
	BW_AUTOFREE char *whole = bw_asprintf("!%s/%s", w->root, wanted);

	expect(w, registry, whole);
}

/* --- which folder ----------------------------------------------------------------------------- */

static void test_a_registry_has_the_first_folder_of_its_name(void **state)
{
	static const struct {
		const char *registry, *found;
	} rows[] = {
		{"reg.lan", "first/reg.lan"},
		{"REG.lan", "first/reg.lan"},
		{"reg.lan:5000", "second/reg.lan:5000"},
		{"reg.lan:443", "none"}, /* as docker has it: by the name, and not by what it means */
		{"sub.reg.lan", "none"},
		{"[fd00::1]:5000", "first/[fd00::1]:5000"},
		{"[fd00::1]", "none"},
		{"docker.io", "second/registry-1.docker.io"},
		{"index.docker.io", "second/registry-1.docker.io"},
		{"registry-1.docker.io", "second/registry-1.docker.io"},
	};
	struct world *w = *state;

	folder(w->first, "reg.lan");
	folder(w->second, "reg.lan");
	folder(w->second, "reg.lan:5000");
	folder(w->first, "[fd00::1]:5000");
	folder(w->second, "registry-1.docker.io");
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		expect(w, rows[i].registry, rows[i].found);
	folder(w->second, "docker.io");
	expect(w, "index.docker.io", "second/docker.io");
}

static void test_names_of_strangers_do_not_lead_out_of_the_folder(void **state)
{
	static const char *const names[] = {
		"..",		".",	"...",	"..:5000",	   "../first",
		"a/b",		"/etc", "",	":5000",	   "[..]:1",
		"reg.lan/..",	"a b",	"a\nb", "reg.lan:5000/..", "reg.lan:x",
		"user@reg.lan",
	};
	struct world *w = *state;

	file(w->root, "bad.cert"); /* would be an error if it was looked at */
	file(w->first, "bad.cert");
	folder(w->first, "..:5000");
	for (size_t i = 0; i < BW_COUNT(names); i++)
		expect(w, names[i], "none");
}

static void test_what_is_no_folder_is_passed_over(void **state)
{
	struct world *w = *state;

	file(w->first, "reg.lan");
	folder(w->second, "reg.lan");
	expect(w, "reg.lan", "second/reg.lan");
}

static void test_a_folder_of_which_nothing_is_used_says_so(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/reg.lan", w->first);

	folder(w->first, "reg.lan");
	file(path, ".hidden");
	expect(w, "reg.lan", "first/reg.lan");
	file(path, "server.pem");
	file(path, "ca.pem");
	expect(w, "reg.lan", "first/reg.lan unused ca.pem");
	file(path, "ca.crt");
	expect(w, "reg.lan", "first/reg.lan ca.crt");
}

static void test_the_users_own_folder_comes_first(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *config = bw_asprintf("%s/.config", w->root);
	BW_AUTOFREE char *containers = bw_asprintf("%s/containers", config);
	BW_AUTOFREE char *certs = bw_asprintf("%s/certs.d", containers);
	BW_AUTOFREE char *before = bw_strdup_null(getenv("HOME"));
	struct bw_err err = BW_ERR_INIT;
	struct bw_certs c;

	folder(w->root, ".config");
	folder(config, "containers");
	folder(containers, "certs.d");
	folder(certs, "nowhere.example:5000");
	setenv("HOME", w->root, 1);
	assert_int_equal(bw_certs_find("nowhere.example:5000", NULL, &c, &err), 0);
	assert_non_null(c.folder);
	assert_int_equal(strncmp(c.folder, certs, strlen(certs)), 0);
	bw_certs_done(&c);
	setenv("HOME", "relative", 1);
	assert_int_equal(bw_certs_find("nowhere.example:5000", NULL, &c, &err), 0);
	assert_null(c.folder);
	bw_certs_done(&c);
	unsetenv("HOME");
	assert_int_equal(bw_certs_find("nowhere.example:5000", NULL, &c, &err), 0);
	assert_null(c.folder);
	bw_certs_done(&c);
	if (before)
		setenv("HOME", before, 1);
}

/* --- what is in it ---------------------------------------------------------------------------- */

static void test_what_counts_in_a_folder(void **state)
{
	static const struct {
		const char *files[6], *found;
	} rows[] = {
		{{NULL}, "first/a.lan"},
		{{"b.crt", "a.crt", "README", "x.pem", ".crt.swp"}, "first/a.lan a.crt b.crt"},
		{{"me.cert", "me.key"}, "first/a.lan | me.cert me.key"},
		{{"ca.crt", "z.key", "z.cert", "b.cert", "b.key"},
		 "first/a.lan ca.crt | b.cert b.key not z.cert"},
		{{"me.cert"},
		 "!first/a.lan/me.cert: the key beside it is missing, *.key (what shall be trusted is called "
		 "*.crt)"},
		{{"me.key", "ca.crt"}, "!first/a.lan/me.key: the certificate beside it is missing, *.cert"},
		{{"me.key", "you.cert"}, "!first/a.lan/me.key: the certificate beside it is missing, *.cert"},
	};
	struct world *w = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/a.lan", w->first);

	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		folder(w->first, "a.lan");
		for (size_t k = 0; k < 6 && rows[i].files[k]; k++)
			file(path, rows[i].files[k]);
		if (*rows[i].found == '!')
			expect_error(w, "a.lan", rows[i].found + 1);
		else
			expect(w, "a.lan", rows[i].found);
		for (size_t k = 0; k < 6 && rows[i].files[k]; k++) {
			BW_AUTOFREE char *gone = bw_asprintf("%s/%s", path, rows[i].files[k]);

			assert_int_equal(unlink(gone), 0);
		}
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_too_much_or_no_file_is_named(void **state)
{
	struct world *w = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/a.lan", w->first);
	BW_AUTOFREE char *odd = bw_asprintf("%s/odd.crt", path);

	folder(w->first, "a.lan");
	assert_int_equal(mkfifo(odd, 0644), 0);
	expect_error(w, "a.lan", "first/a.lan/odd.crt: is no file");
	assert_int_equal(unlink(odd), 0);
	assert_int_equal(symlink("nowhere", odd), 0);
	expect_error(w, "a.lan", "first/a.lan/odd.crt: cannot be read: No such file or directory");
	assert_int_equal(unlink(odd), 0);
	file(path, "odd.crt");
	assert_int_equal(truncate(odd, BW_CERTS_MAX_BYTES), 0);
	expect(w, "a.lan", "first/a.lan odd.crt");
	assert_int_equal(truncate(odd, BW_CERTS_MAX_BYTES + 1), 0);
	expect_error(w, "a.lan", "first/a.lan/odd.crt: larger than 1048576 bytes");
	assert_int_equal(truncate(odd, 0), 0);
	for (int i = 0; i < BW_CERTS_MAX; i++) {
		BW_AUTOFREE char *name = bw_asprintf("%d.crt", i);

		file(path, name);
	}
	expect_error(w, "a.lan", "first/a.lan: more than 64 certificates and keys");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_registry_has_the_first_folder_of_its_name),
		TEST(test_names_of_strangers_do_not_lead_out_of_the_folder),
		TEST(test_what_is_no_folder_is_passed_over),
		TEST(test_a_folder_of_which_nothing_is_used_says_so),
		TEST(test_the_users_own_folder_comes_first),
		TEST(test_what_counts_in_a_folder),
		TEST(test_too_much_or_no_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
