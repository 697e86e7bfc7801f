/* test_folder.c - the walk of a folder: what it finds, leaves out, and says about what it cannot read. */
#include "unit/unit.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit/tree.h"

#define NOBODY	  65534
#define DENIED	  ": Permission denied"
#define LEADS_OUT "link leads out of %s/in; not followed"

static void put_bytes(const struct tree *t, const char *inner, off_t size)
{
	BW_AUTOFREE char *path = at(t, inner);

	put(t, inner, "");
	assert_int_equal(truncate(path, size), 0);
}

static void set_mode(const struct tree *t, const char *inner, mode_t mode)
{
	BW_AUTOFREE char *path = at(t, inner);

	assert_int_equal(chmod(path, mode), 0);
}

static void assert_walk_excluding(struct tree *t, const char *exclude, const char *expected)
{
	BW_AUTOFREE char *root = at(t, "in");

	assert_int_equal(walk_with(t, root, &exclude, 1), 0);
	if (strcmp(bw_buf_str(&t->log), expected) != 0)
		print_message("--exclude '%s'\n", exclude);
	assert_string_equal(bw_buf_str(&t->log), expected);
}

/* The walk fails with the message "PATH: why". */
static void assert_failure(struct tree *t, const char *inner, enum bw_code code, const char *why)
{
	BW_AUTOFREE char *path = at(t, inner);
	BW_AUTOFREE char *expected = bw_asprintf("%s: %s", path, why);

	assert_int_equal(walk(t, inner), code);
	assert_int_equal(t->err.code, code);
	assert_string_equal(t->err.msg, expected);
	assert_null(t->root);
}

/* Walks as a user whom permissions bind, and who is not the owner, when the test runs as root. */
static void walk_unprivileged(struct tree *t, const char *inner)
{
	char text[8192];
	ssize_t n = 0;
	int status, ends[2];
	pid_t pid;

	if (geteuid() != 0) {
		(void)walk(t, inner);
		(void)bw_buf_addf(&t->log, "%s\n", t->err.msg);
		return;
	}
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(1);
		(void)walk(t, inner);
		(void)bw_buf_addf(&t->log, "%s\n", t->err.msg);
		_exit(write(ends[1], t->log.data, t->log.len) == (ssize_t)t->log.len ? 0 : 1);
	}
	(void)close(ends[1]);
	bw_buf_clear(&t->log);
	while ((n = read(ends[0], text, sizeof(text))) > 0)
		(void)bw_buf_add(&t->log, text, (size_t)n);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- what is found ---------------------------------------------------------------------------- */

static void build_files_come_in_the_order_of_their_paths(void **state)
{
	struct tree *t = *state;

	put(t, "in/b/Dockerfile", "4");
	put(t, "in/a/z/Containerfile", "3");
	put(t, "in/a.Dockerfile", "1");
	put(t, "in/a/Dockerfile.dev", "2");
	put(t, "in/Dockerfile", "0");
	put(t, "in/\xc3\xa9/Dockerfile", "5");
	assert_walk(t, "Dockerfile = 0\n"
		       "a.Dockerfile = 1\n" /* '.' sorts before '/' */
		       "a/Dockerfile.dev = 2\n"
		       "a/z/Containerfile = 3\n"
		       "b/Dockerfile = 4\n"
		       "\xc3\xa9/Dockerfile = 5\n");
}

static void other_files_are_not_reported(void **state)
{
	struct tree *t = *state;

	put(t, "in/README.md", "");
	put(t, "in/Dockerfile.dockerignore", "");
	put(t, "in/Dockerfile~", "");
	make_folder(t, "in/Dockerfile"); /* a folder is none, whatever its name */
	make_folder(t, "in/empty");
	assert_walk(t, "");
}

static void files_in_a_folder_named_like_a_build_file_are_found(void **state)
{
	struct tree *t = *state;

	put(t, "in/Dockerfile/web.Dockerfile", "x");
	assert_walk(t, "Dockerfile/web.Dockerfile = x\n");
}

static void folders_of_tools_are_not_entered(void **state)
{
	struct tree *t = *state;

	for (const char *const *s = bw_folder_skipped; *s; s++) {
		BW_AUTOFREE char *top = bw_asprintf("in/%s/Dockerfile", *s);
		BW_AUTOFREE char *below = bw_asprintf("in/app/%s/Dockerfile", *s);

		put(t, top, "x");
		put(t, below, "x");
	}
	put(t, "in/vendor/Dockerfile", "mine");
	put(t, "in/.github/Dockerfile", "mine too");
	assert_walk(t, ".github/Dockerfile = mine too\nvendor/Dockerfile = mine\n");
}

static void a_root_is_entered_whatever_its_name(void **state)
{
	struct tree *t = *state;

	put(t, "in/node_modules/a/Dockerfile", "x");
	assert_int_equal(walk(t, "in/node_modules"), 0);
	assert_string_equal(bw_buf_str(&t->log), "a/Dockerfile = x\n");
}

static void a_folder_with_thousands_of_names_comes_sorted(void **state)
{
	struct tree *t = *state;
	struct bw_buf expected;

	bw_buf_init(&expected, LOG_MAX);
	for (int i = 0; i < 3000; i++) {
		/* 7919 has no factor in common with 3000, so the files are made in a mixed order. */
		BW_AUTOFREE char *name =
			bw_asprintf("in/Dockerfile.a-name-of-some-length-%04d", i * 7919 % 3000);

		put(t, name, "");
		bw_buf_addf(&expected, "Dockerfile.a-name-of-some-length-%04d = \n", i);
	}
	assert_walk(t, bw_buf_str(&expected));
	bw_buf_done(&expected);
}

static void names_may_hold_any_byte(void **state)
{
	struct tree *t = *state;

	put(t, "in/new\nline\x1b[31m/Dockerfile.\xff\xfe", "x");
	put(t, "in/ /Dockerfile.%s", "y");
	put(t, "in/-rf/Dockerfile", "z");
	assert_walk(t,
		    " /Dockerfile.%s = y\n-rf/Dockerfile = z\nnew\nline\x1b[31m/Dockerfile.\xff\xfe = x\n");
}

/* --- excludes --------------------------------------------------------------------------------- */

static void excludes_cut_folders_and_files(void **state)
{
	struct tree *t = *state;

	put(t, "in/Dockerfile", "0");
	put(t, "in/app/old/Dockerfile", "1");
	put(t, "in/old/Dockerfile", "2");
	put(t, "in/web.Dockerfile", "3");
#define TOP "Dockerfile = 0\n"
#define APP "app/old/Dockerfile = 1\n"
#define OLD "old/Dockerfile = 2\n"
#define WEB "web.Dockerfile = 3\n"
	static const char *const rows[][2] = {
		{"none", TOP APP OLD WEB},
		{"old", TOP WEB}, /* a base name, at any depth */
		{"old/", TOP WEB},
		{"/old", TOP APP WEB},
		{"./old", TOP APP WEB},
		{"./old/Dockerfile", TOP APP WEB},
		{"/", TOP APP OLD WEB},
		{"", TOP APP OLD WEB},
		{"old/**", TOP APP WEB},
		{"**/old/**", TOP WEB},
		{"app/old", TOP OLD WEB},
		{"app/*/Dockerfile", TOP OLD WEB},
		{"*.Dockerfile", TOP APP OLD},
		{"Dockerfile", WEB},
		{"Dockerfile/", TOP APP OLD WEB}, /* folders only */
		{"*", ""},
		{"**", ""},
	};

	for (size_t i = 0; i < BW_COUNT(rows); i++)
		assert_walk_excluding(t, rows[i][0], rows[i][1]);
}

static void several_excludes_add_up(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *root = at(t, "in");
	static const char *const excludes[] = {"a", "b"};

	put(t, "in/a/Dockerfile", "");
	put(t, "in/b/Dockerfile", "");
	put(t, "in/c/Dockerfile", "");
	assert_int_equal(walk_with(t, root, excludes, 2), 0);
	assert_string_equal(bw_buf_str(&t->log), "c/Dockerfile = \n");
}

/* --- a path that is no folder ----------------------------------------------------------------- */

static void a_file_named_directly_is_taken_whatever_its_name(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *path = at(t, "in/build.txt");
	static const char *const excludes[] = {"*"};

	put(t, "in/build.txt", "FROM x");
	assert_int_equal(walk_with(t, path, excludes, 1), 0);
	assert_string_equal(bw_buf_str(&t->log), "build.txt = FROM x\n");
	assert_string_equal(t->root, path);
}

static void a_link_named_directly_is_what_it_leads_to(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *real = at(t, "out/real.txt");
	BW_AUTOFREE char *folder = at(t, "out");

	put(t, "out/real.txt", "x");
	put(t, "out/Dockerfile", "y");
	put_link(t, "in/Dockerfile", "../out/real.txt");
	put_link(t, "in/folder", "/out");
	assert_int_equal(walk(t, "in/Dockerfile"), 0);
	assert_string_equal(bw_buf_str(&t->log), "real.txt = x\n");
	assert_string_equal(t->root, real);
	assert_int_equal(walk(t, "in/folder"), 0);
	assert_string_equal(bw_buf_str(&t->log), "Dockerfile = y\n");
	assert_string_equal(t->root, folder);
}

static void a_pipe_named_directly_is_not_opened(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *path = at(t, "in/pipe");

	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(walk(t, "in/pipe"), 0);
	assert_string_equal(bw_buf_str(&t->log), "pipe ! not a regular file; not read\n");
}

static void a_path_that_is_not_there_is_gone(void **state)
{
	struct tree *t = *state;

	put(t, "in/Dockerfile", "");
	put_link(t, "in/nowhere", "gone");
	put_link(t, "in/loop", "loop");
	assert_failure(t, "in/nothing", BW_E_GONE, "no such file or folder");
	assert_failure(t, "in/Dockerfile/below", BW_E_GONE, "no such file or folder");
	assert_failure(t, "in/nowhere", BW_E_GONE, "no such file or folder");
	assert_failure(t, "in/loop", BW_E_SYS, "Too many levels of symbolic links");
}

static void the_root_of_the_system_is_a_root_like_any_other(void **state)
{
	struct tree *t = *state;
	static const char *const excludes[] = {"*"};

	assert_int_equal(walk_with(t, "/", excludes, 1), 0);
	assert_string_equal(t->root, "/");
	assert_string_equal(bw_buf_str(&t->log), "");
}

/* --- links ------------------------------------------------------------------------------------ */

static void a_link_out_of_the_root_is_reported_and_not_followed(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *expected = bw_asprintf("link in/Dockerfile: " LEADS_OUT "\n"
						 "link in/beside: " LEADS_OUT "\n"
						 "link in/folder: " LEADS_OUT "\n"
						 "link in/up: " LEADS_OUT "\n",
						 t->base, t->base, t->base, t->base);

	put(t, "out/Dockerfile", "secret");
	put(t, "in-between/Dockerfile", "secret");
	put_link(t, "in/Dockerfile", "../out/Dockerfile");
	put_link(t, "in/beside", "../in-between"); /* begins with the same bytes as the root */
	put_link(t, "in/folder", "/out");
	put_link(t, "in/up", "..");
	put_link(t, "in/notes.txt", "../out/Dockerfile"); /* no build file by its name: of no interest */
	put_link(t, "in/node_modules", "../out");	  /* not entered anyway */
	assert_walk(t, expected);
	free(expected);
	expected = bw_asprintf("link in/Dockerfile: " LEADS_OUT "\n", t->base);
	assert_walk_excluding(t, "[bfu]*", expected);
}

static void a_link_to_what_the_walk_finds_anyway_adds_nothing(void **state)
{
	struct tree *t = *state;

	put(t, "in/a/Dockerfile", "x");
	put_link(t, "in/Dockerfile", "a/Dockerfile");
	put_link(t, "in/Dockerfile.absolute", "/in/a/Dockerfile");
	put_link(t, "in/Dockerfile.again", "Dockerfile");
	put_link(t, "in/Dockerfile.folder", "a");
	put_link(t, "in/a/here", ".");
	put_link(t, "in/a/up", "..");
	put_link(t, "in/z", "a");
	assert_walk(t, "a/Dockerfile = x\n");
}

static void a_link_to_a_file_with_another_name_is_that_file_once(void **state)
{
	struct tree *t = *state;

	put(t, "in/images/web.txt", "x");
	put(t, "in/node_modules/acme/Dockerfile", "y");
	put(t, "out/bridge/file", "");
	put_link(t, "out/bridge/back", "/in/images/web.txt");
	put_link(t, "in/Dockerfile", "images/web.txt");
	put_link(t, "in/a/Dockerfile", "../images/web.txt");
	put_link(t, "in/b/Dockerfile", "../../out/bridge/back"); /* out and in again: where it ends counts */
	put_link(t, "in/c/Dockerfile", "../node_modules/acme/Dockerfile");
	assert_walk(t, "images/web.txt = x\nnode_modules/acme/Dockerfile = y\n");
}

static void a_link_does_not_bring_back_what_is_excluded(void **state)
{
	struct tree *t = *state;

	put(t, "in/old/web.txt", "x");
	put_link(t, "in/Dockerfile", "old/web.txt");
	assert_walk_excluding(t, "old", "");
	assert_walk_excluding(t, "old/*.txt", "");
	assert_walk_excluding(t, "Dockerfile", "");
	assert_walk_excluding(t, "web.txt/", "old/web.txt = x\n");
}

static void links_that_lead_nowhere_are_reported(void **state)
{
	struct tree *t = *state;

	put_link(t, "in/Dockerfile", "gone");
	put_link(t, "in/a/Dockerfile", "../b/Dockerfile");
	put_link(t, "in/b/Dockerfile", "../a/Dockerfile");
	put_link(t, "in/.#notes", "somebody@host.4711"); /* an editor's lock */
	assert_walk(t, "link in/Dockerfile: link leads nowhere: No such file or directory\n"
		       "link in/a/Dockerfile: link leads nowhere: Too many levels of symbolic links\n"
		       "link in/b/Dockerfile: link leads nowhere: Too many levels of symbolic links\n");
}

/* --- what cannot be read ---------------------------------------------------------------------- */

/* To open a socket fails with a reason of its own, so these texts also prove that it was not tried. */
static void pipes_and_sockets_are_reported_and_not_opened(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *pipe_path = at(t, "in/Dockerfile.pipe");
	BW_AUTOFREE char *other_path = at(t, "in/other");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/in/Dockerfile.socket", t->base);
	assert_int_equal(bind(first, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/in/socket", t->base);
	assert_int_equal(bind(second, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(mkfifo(pipe_path, 0644), 0);
	assert_int_equal(mkfifo(other_path, 0644), 0);
	put_link(t, "in/web.Dockerfile", "socket");
	assert_walk(t, "Dockerfile.pipe ! not a regular file; not read\n"
		       "Dockerfile.socket ! not a regular file; not read\n"
		       "socket ! not a regular file; not read\n");
	(void)close(first);
	(void)close(second);
}

static int count_bytes(struct tree *t, const struct bw_found *f, struct bw_err *err)
{
	(void)err;
	if (f->text)
		bw_buf_addf(&t->log, "%zu bytes: ", f->text->len);
	return 0;
}

static void a_file_over_one_mib_is_refused(void **state)
{
	struct tree *t = *state;

	put_bytes(t, "in/Dockerfile.exact", BW_MAX_BUILDFILE_BYTES);
	put_bytes(t, "in/Dockerfile.huge", (off_t)1 << 40);
	put_bytes(t, "in/Dockerfile.over", BW_MAX_BUILDFILE_BYTES + 1);
	put(t, "in/Dockerfile.small", "x");
	t->hook = count_bytes;
	assert_walk(t, "1048576 bytes: Dockerfile.exact = \n"
		       "Dockerfile.huge ! larger than 1024 KiB; not taken\n"
		       "Dockerfile.over ! larger than 1024 KiB; not taken\n"
		       "1 bytes: Dockerfile.small = x\n");
}

static void what_permissions_forbid_is_reported(void **state)
{
	struct tree *t = *state;

	put(t, "in/Dockerfile", "x");
	put(t, "in/Dockerfile.locked", "secret");
	put(t, "in/closed/Dockerfile", "secret");
	put(t, "in/listed/Dockerfile", "secret");
	put(t, "in/listed/sub/Dockerfile", "secret");
	put_link(t, "in/link/Dockerfile", "../closed/Dockerfile");
	put(t, "in/named/Dockerfile", "by name only");
	set_mode(t, "in/Dockerfile.locked", 0);
	set_mode(t, "in/closed", 0);
	set_mode(t, "in/listed", 0444); /* names can be read, but nothing opened */
	set_mode(t, "in/named", 0111);
	walk_unprivileged(t, "in");
	set_mode(t, "in/closed", 0755);
	set_mode(t, "in/listed", 0755);
	set_mode(t, "in/named", 0755);
	assert_string_equal(bw_buf_str(&t->log), "Dockerfile = x\n"
						 "Dockerfile.locked ! cannot be opened" DENIED "\n"
						 "trouble in/closed: folder cannot be opened" DENIED "\n"
						 "link in/link/Dockerfile: link leads nowhere" DENIED "\n"
						 "listed/Dockerfile ! cannot be opened" DENIED "\n"
						 "trouble in/listed/sub: folder cannot be opened" DENIED "\n"
						 "trouble in/named: folder cannot be opened" DENIED "\n"
						 "\n");
}

static void a_file_named_directly_that_is_locked_is_a_file_with_a_problem(void **state)
{
	struct tree *t = *state;

	put(t, "in/Dockerfile", "secret");
	set_mode(t, "in/Dockerfile", 0);
	walk_unprivileged(t, "in/Dockerfile");
	assert_string_equal(bw_buf_str(&t->log), "Dockerfile ! cannot be opened" DENIED "\n\n");
}

static void a_root_that_cannot_be_read_is_an_error(void **state)
{
	struct tree *t = *state;
	BW_AUTOFREE char *root = bw_asprintf("open folder %s/in" DENIED "\n", t->base);
	BW_AUTOFREE char *below = bw_asprintf("%s/in/a" DENIED "\n", t->base);

	put(t, "in/a/Dockerfile", "secret");
	set_mode(t, "in", 0);
	walk_unprivileged(t, "in");
	assert_string_equal(bw_buf_str(&t->log), root);
	walk_unprivileged(t, "in/a");
	assert_string_equal(bw_buf_str(&t->log), below);
	set_mode(t, "in", 0755);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void includes_name_files_or_folders_that_they_are_in(void **state)
{
	static const char *const includes[] = {"services/**", "Containerfile", "/tools"};
	static const char *const excludes[] = {"old"};
	const struct bw_folder_options o = {
		.includes = includes, .include_count = 3, .excludes = excludes, .exclude_count = 1};
	struct tree *t = *state;
	const struct bw_folder_hooks hooks = {
		.file = log_file, .trouble = log_trouble, .link = log_link, .arg = t};
	BW_AUTOFREE char *root = at(t, "in");

	put(t, "in/Dockerfile", "a");
	put(t, "in/x/Containerfile", "b");
	put(t, "in/services/a/Dockerfile", "c");
	put(t, "in/services/old/Dockerfile", "d");
	put(t, "in/tools/deep/Dockerfile", "e");
	put(t, "in/x/tools/Dockerfile", "f");
	put_link(t, "in/x/Dockerfile", "nowhere"); /* does not count, so nobody wants to know */
	put_link(t, "in/services/Dockerfile", "../y/real");
	put(t, "in/y/real", "g"); /* what the link stands for does not count */
	assert_int_equal(bw_folder_walk(root, &o, &hooks, &t->root, &t->err), 0);
	assert_string_equal(bw_buf_str(&t->log), "services/a/Dockerfile = c\ntools/deep/Dockerfile = e\n"
						 "x/Containerfile = b\n");
	assert_true(bw_folder_counts(&o, "services/a/Dockerfile"));
	assert_true(bw_folder_counts(&o, "tools/deep/Dockerfile"));
	assert_false(bw_folder_counts(&o, "services/old/Dockerfile"));
	assert_false(bw_folder_counts(&o, "x/tools/Dockerfile"));
	assert_false(bw_folder_counts(&o, "tools/node_modules/Dockerfile"));
}

static int log_folder(const char *path, int64_t changed_s, void *arg, struct bw_err *err)
{
	struct tree *t = arg;

	assert_true(bw_text_starts(path, t->base));
	assert_true(changed_s > 1700000000);
	bw_buf_addf(&t->log, "folder %s\n", path + strlen(t->base) + 1);
	return strstr(path, "stop") ? bw_fail(err, BW_E_RETRY, "stopped") : 0;
}

static void folders_are_told_before_what_is_in_them_and_may_end_the_walk(void **state)
{
	const struct bw_folder_options o = {0};
	struct tree *t = *state;
	const struct bw_folder_hooks hooks = {
		.file = log_file, .trouble = log_trouble, .link = log_link, .folder = log_folder, .arg = t};
	BW_AUTOFREE char *root = at(t, "in");

	put(t, "in/a/b/Dockerfile", "x");
	put(t, "in/stop/Dockerfile", "y");
	put(t, "in/zoo/Dockerfile", "z");
	assert_int_equal(bw_folder_walk(root, &o, &hooks, &t->root, &t->err), BW_E_RETRY);
	assert_string_equal(bw_buf_str(&t->log),
			    "folder in\nfolder in/a\nfolder in/a/b\na/b/Dockerfile = x\nfolder in/stop\n");
	assert_string_equal(t->err.msg, "stopped");
	assert_null(t->root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(build_files_come_in_the_order_of_their_paths),
		TEST(other_files_are_not_reported),
		TEST(files_in_a_folder_named_like_a_build_file_are_found),
		TEST(folders_of_tools_are_not_entered),
		TEST(a_root_is_entered_whatever_its_name),
		TEST(a_folder_with_thousands_of_names_comes_sorted),
		TEST(names_may_hold_any_byte),
		TEST(excludes_cut_folders_and_files),
		TEST(several_excludes_add_up),
		TEST(a_file_named_directly_is_taken_whatever_its_name),
		TEST(a_link_named_directly_is_what_it_leads_to),
		TEST(a_pipe_named_directly_is_not_opened),
		TEST(a_path_that_is_not_there_is_gone),
		TEST(the_root_of_the_system_is_a_root_like_any_other),
		TEST(a_link_out_of_the_root_is_reported_and_not_followed),
		TEST(a_link_to_what_the_walk_finds_anyway_adds_nothing),
		TEST(a_link_to_a_file_with_another_name_is_that_file_once),
		TEST(a_link_does_not_bring_back_what_is_excluded),
		TEST(links_that_lead_nowhere_are_reported),
		TEST(pipes_and_sockets_are_reported_and_not_opened),
		TEST(a_file_over_one_mib_is_refused),
		TEST(what_permissions_forbid_is_reported),
		TEST(a_file_named_directly_that_is_locked_is_a_file_with_a_problem),
		TEST(a_root_that_cannot_be_read_is_an_error),
		TEST(includes_name_files_or_folders_that_they_are_in),
		TEST(folders_are_told_before_what_is_in_them_and_may_end_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
