/* Opening, refusing, sharing and closing the database. */
#include "unit/store_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "store/sql.h"

#define NOBODY 65534

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static int open_path(struct fixture *f, const char *path)
{
	f->err = BW_ERR_INIT;
	return bw_store_open(path, &f->store, &f->err);
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void read_file(const char *path, struct bw_buf *out)
{
	char block[4096];
	size_t n;
	FILE *in = fopen(path, "re");

	assert_non_null(in);
	bw_buf_clear(out);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		assert_true(bw_buf_add(out, block, n));
	(void)fclose(in);
}

/* --- a new one -------------------------------------------------------------------------------- */

static void a_new_database_is_ours_and_private(void **state)
{
	struct fixture *f = *state;
	BW_AUTOFREE char *wal = bw_asprintf("%s-wal", f->path), *shm = bw_asprintf("%s-shm", f->path);
	mode_t old = umask(0777); /* whatever the umask says */

	open_fixture(f);
	(void)umask(0);
	put(f, "/x/Dockerfile", "a");
	assert_int_equal(mode_of(f->path), 0600);
	assert_int_equal(mode_of(wal), 0600);
	assert_int_equal(mode_of(shm), 0600);
	(void)umask(old);
	assert_int_equal(ask(f, "PRAGMA application_id"), 1651991650);
	assert_int_equal(ask(f, "PRAGMA user_version"), 1);
	assert_string_equal(bw_store_path(f->store), f->path);
	assert_true(bw_text_starts(bw_store_version(), "SQLite 3."));
	close_fixture(f);
	assert_int_equal(access(wal, F_OK), -1); /* everything is in the one file */
}

static int pragma(struct fixture *f, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int value;

	assert_int_equal(sqlite3_prepare_v2(f->store->db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	value = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	return value;
}

static void the_connection_is_set_up_as_designed(void **state)
{
	struct fixture *f = *state;

	open_fixture(f);
	assert_int_equal(pragma(f, "PRAGMA foreign_keys"), 1);
	assert_int_equal(pragma(f, "PRAGMA synchronous"), 1);
	assert_int_equal(pragma(f, "PRAGMA busy_timeout"), 5000);
	assert_int_equal(pragma(f, "PRAGMA trusted_schema"), 0);
	assert_int_equal(pragma(f, "PRAGMA temp_store"), 2);
	assert_int_equal(pragma(f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(
		pragma(f, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND "
			  "name NOT LIKE 'sqlite_%'"),
		0);
}

/*
 * Each foreign key's child side is the row's own number or the beginning of some index, or deleting a parent walks
 * through the whole table.
 */
static void every_foreign_key_has_its_index(void **state)
{
	struct fixture *f = *state;

	open_fixture(f);
	assert_int_equal(pragma(f,
				"SELECT count(*) FROM pragma_table_list t, pragma_foreign_key_list(t.name) k "
				"WHERE t.schema = 'main'"),
			 18);
	assert_int_equal(
		pragma(f,
		       "SELECT count(*) FROM pragma_table_list t, pragma_foreign_key_list(t.name) k "
		       "WHERE t.schema = 'main' AND NOT EXISTS(SELECT 1 FROM pragma_index_list(t.name) i, "
		       "pragma_index_info(i.name) c WHERE c.seqno = k.seq AND c.name = k.\"from\") "
		       "AND NOT EXISTS(SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = k.\"from\" "
		       "AND c.pk = 1 AND c.type = 'INTEGER' AND t.wr = 0)"),
		0);
}

static void the_uuid_is_made_once(void **state)
{
	struct fixture *f = *state;
	char uuid[BW_STORE_UUID_MAX];

	open_fixture(f);
	memcpy(uuid, bw_store_uuid(f->store), sizeof(uuid));
	assert_int_equal(strlen(uuid), 36);
	assert_int_equal(uuid[14], '4');
	assert_non_null(strchr("89ab", uuid[19]));
	close_fixture(f);
	open_fixture(f);
	assert_string_equal(bw_store_uuid(f->store), uuid);
	close_fixture(f);
	assert_int_equal(unlink(f->path), 0);
	open_fixture(f);
	assert_string_not_equal(bw_store_uuid(f->store), uuid);
}

static void an_empty_file_becomes_a_database(void **state)
{
	struct fixture *f = *state;

	write_file(f->path, "");
	open_fixture(f);
	assert_int_equal(ask(f, "PRAGMA user_version"), 1);
}

static void a_link_leads_to_the_database(void **state)
{
	struct fixture *f = *state;
	BW_AUTOFREE char *link = bw_asprintf("%s/link.db", f->folder);

	assert_int_equal(symlink("x.db", link), 0); /* to what is not there yet */
	assert_ok(f, open_path(f, link));
	put(f, "/x/Dockerfile", "a");
	close_fixture(f);
	assert_int_equal(mode_of(f->path), 0600);
	open_fixture(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 1);
}

static void a_name_that_sqlite_would_read_something_into_is_a_file(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {":memory:", "file:y.db?mode=memory", "y.db?x"};
	char *old = getcwd(NULL, 0), path[64];
	struct stat st;

	assert_int_equal(chdir(f->folder), 0);
	for (size_t i = 0; i < BW_COUNT(names); i++) {
		assert_ok(f, open_path(f, names[i]));
		close_fixture(f);
		(void)snprintf(path, sizeof(path), "./%s", names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size > 8192); /* that is where it all went */
	}
	assert_int_equal(chdir(old), 0);
	free(old);
}

static void a_reader_makes_no_database(void **state)
{
	struct fixture *f = *state;

	assert_fault(f, bw_store_open_existing(f->path, &f->store, &f->err), BW_E_GONE,
		     "there is no database yet: `basewatch check` makes one");
	assert_null(f->store);
	assert_int_equal(access(f->path, F_OK), -1);
	open_fixture(f);
	close_fixture(f);
	assert_ok(f, bw_store_open_existing(f->path, &f->store, &f->err));
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	bw_store_close(NULL);
}

/* --- what is not ours ------------------------------------------------------------------------- */

static void assert_left_alone(struct fixture *f, const char *words)
{
	struct bw_buf before, after;

	bw_buf_init(&before, 1U << 20);
	bw_buf_init(&after, 1U << 20);
	read_file(f->path, &before);
	assert_fault(f, open_path(f, f->path), BW_E_FOREIGN, words);
	assert_non_null(strstr(f->err.msg, "--db"));
	assert_null(f->store);
	read_file(f->path, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	bw_buf_done(&before);
	bw_buf_done(&after);
}

static void a_text_file_is_refused(void **state)
{
	struct fixture *f = *state;
	BW_AUTOFREE char *big = bw_alloc(100000);

	write_file(f->path, "hello\n");
	assert_left_alone(f, "no database of basewatch");
	memset(big, 'x', 99999);
	write_file(f->path, big);
	assert_left_alone(f, "no database of basewatch");
}

static void the_database_of_another_program_is_refused(void **state)
{
	struct fixture *f = *state;

	run_sql(f->path, "CREATE TABLE t(x)");
	assert_left_alone(f, "the database of another program");
	run_sql(f->path, "DROP TABLE t; PRAGMA application_id = 77");
	assert_left_alone(f, "the database of another program");
	run_sql(f->path, "PRAGMA application_id = 0; PRAGMA user_version = 3");
	assert_left_alone(f, "the database of another program");
}

static void a_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;

	open_fixture(f);
	close_fixture(f);
	run_sql(f->path, "PRAGMA user_version = 7");
	assert_left_alone(f, "of a newer basewatch (schema 7, this program knows 1): update this program");
}

static void a_damaged_database_is_told_as_that(void **state)
{
	struct fixture *f = *state;
	int fd;

	open_fixture(f);
	for (int i = 0; i < 40; i++) {
		BW_AUTOFREE char *path = bw_asprintf("/%d", i);

		put(f, path, "a b c d e f");
	}
	close_fixture(f);
	fd = open(f->path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t page = 2; page < 30; page++)
		assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, page * 8192), 23);
	(void)close(fd);
	f->err = BW_ERR_INIT;
	if (bw_store_open(f->path, &f->store, &f->err) == 0) {
		assert_ok(f, bw_store_choose_none(f->store, &f->err));
		assert_int_equal(bw_store_choose_all(f->store, NULL, &f->err), BW_E_STORE);
	}
	assert_fault(f, f->err.code, BW_E_STORE, "the database is damaged");
	assert_non_null(strstr(f->err.msg, "backup"));
}

static void a_folder_and_a_device_are_no_database(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_path(f, f->folder), BW_E_DENIED);
	assert_non_null(strstr(f->err.msg, "this is a folder, not a file"));
	assert_int_equal(open_path(f, "/dev/null"), BW_E_DENIED);
	assert_non_null(strstr(f->err.msg, "this is a device, not a file"));
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;
	BW_AUTOFREE char *path = bw_asprintf("%s/no/x.db", f->folder);

	assert_int_equal(open_path(f, path), BW_E_DENIED);
	assert_non_null(strstr(f->err.msg, "/no: No such file or directory"));
	assert_int_equal(open_path(f, "/proc/self/status/x.db"), BW_E_DENIED);
}

/* --- where we may not write ------------------------------------------------------------------- */

/* In a child without root's rights: opens, and expects BW_E_DENIED with these words. */
static void assert_denied_unprivileged(struct fixture *f, const char *words)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct bw_err err = BW_ERR_INIT;
		struct bw_store *s = NULL;
		int rc;

		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(3);
		rc = bw_store_open(f->path, &s, &err);
		if (rc != BW_E_DENIED || !strstr(err.msg, words) || !strstr(err.msg, f->path) ||
		    !strstr(err.msg, "--db")) {
			(void)fprintf(stderr, "%d: %s\n", rc, err.msg);
			_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_folder_where_we_may_not_write_is_named(void **state)
{
	struct fixture *f = *state;
	const char *who = geteuid() == 0 ? "only user root may write" : "may write; run as one that may";

	assert_int_equal(chmod(f->folder, 0555), 0);
	assert_denied_unprivileged(f, f->folder);
	assert_denied_unprivileged(f, who);
	assert_int_equal(chmod(f->folder, 0755), 0);
	open_fixture(f);
	close_fixture(f);
	assert_int_equal(chmod(f->path, 0444), 0);
	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_denied_unprivileged(f, "in the file ");
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(chmod(f->folder, 0555), 0); /* the file may be written, but -wal cannot be made */
	assert_denied_unprivileged(f, "in the folder ");
	assert_int_equal(chmod(f->folder, 0575), 0);
	assert_denied_unprivileged(f, " and group ");
}

/* --- full, locked ----------------------------------------------------------------------------- */

static void a_full_disk_loses_nothing_that_was_recorded(void **state)
{
	struct fixture *f = *state;
	struct made_file m;
	struct bw_build_scan scans[400];
	int64_t ids[400];
	int rc;

	open_fixture(f);
	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	assert_int_equal(sqlite3_exec(f->store->db, "PRAGMA max_page_count = 30", NULL, NULL, NULL),
			 SQLITE_OK);
	make_file(&m, "", "a b c d e f g h");
	for (int i = 0; i < 400; i++) {
		scans[i] = m.scan;
		scans[i].path = bw_asprintf("/%d/Dockerfile", i);
	}
	rc = bw_store_put_builds(f->store, scans, 400, 10, ids, &f->err);
	assert_fault(f, rc, BW_E_FULL, "the disk is full: make room in");
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 1);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n"); /* and it still works */
	see(f, "a", 'b', 200);
	assert_int_equal(sqlite3_exec(f->store->db, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_ok(f, bw_store_put_builds(f->store, scans, 400, 10, ids, &f->err));
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 401);
	for (int i = 0; i < 400; i++)
		free((void *)(uintptr_t)scans[i].path);
	free_file(&m);
}

/* A child that holds the write lock until it is told to let go. */
struct holder {
	pid_t pid;
	int to, from;
};

static void hold_lock(const struct fixture *f, int to_child, int to_parent)
{
	sqlite3 *db = NULL;
	char byte = 'x';

	if (sqlite3_open(f->path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		_exit(1);
	if (write(to_parent, &byte, 1) != 1 || read(to_child, &byte, 1) != 1)
		_exit(2);
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK || sqlite3_close(db) != SQLITE_OK)
		_exit(3);
	_exit(0);
}

static void start_holder(const struct fixture *f, struct holder *h)
{
	int down[2], up[2];
	char byte = 0;

	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (h->pid == 0)
		hold_lock(f, down[0], up[1]);
	(void)close(down[0]);
	(void)close(up[1]);
	h->to = down[1];
	h->from = up[0];
	assert_int_equal(read(h->from, &byte, 1), 1);
}

static void stop_holder(const struct holder *h)
{
	int status = -1;

	assert_int_equal(write(h->to, "x", 1), 1);
	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	assert_int_equal(status, 0);
	(void)close(h->to);
	(void)close(h->from);
}

static void a_lock_of_another_process_is_told(void **state)
{
	struct fixture *f = *state;
	struct bw_answer a = {0};
	const struct bw_seen seen = {.base_id = 1, .at_ms = 5, .answer = &a};
	struct holder h;

	open_fixture(f);
	put(f, "/x/Dockerfile", "a");
	close_fixture(f);
	start_holder(f, &h); /* forks while no handle is open in this process */
	open_fixture(f);
	bw_store_set_busy_ms(f->store, 20);
	(void)digest_of('a', a.digest.text);
	assert_fault(f, bw_store_record(f->store, &seen, 1, NULL, &f->counts, &f->err), BW_E_LOCKED,
		     "held by another process for more than 1 s");
	put(f, "/x/Dockerfile", "a"); /* reading, and a scan without news, go on */
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown (never asked)\n");
	stop_holder(&h);
	assert_ok(f, bw_store_record(f->store, &seen, 1, NULL, &f->counts, &f->err));
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
}

#define ROUNDS 100

/* Both processes see all bases move, each through its own letters; nobody's transaction is lost. */
static int move_often(struct bw_store *s, int64_t base, char letter, struct bw_err *err)
{
	struct bw_answer a = {0};
	struct bw_seen seen = {.base_id = base, .answer = &a};
	struct bw_record_counts counts;
	int rc = 0;

	for (int i = 0; rc == 0 && i < ROUNDS; i++) {
		(void)digest_of((char)(letter + i % 2), a.digest.text);
		seen.at_ms = 1000 + i;
		rc = bw_store_record(s, &seen, 1, NULL, &counts, err);
	}
	return rc;
}

static void two_processes_write_one_database(void **state)
{
	struct fixture *f = *state;
	int status = -1;
	pid_t pid;

	open_fixture(f);
	put(f, "/x/Dockerfile", "a b");
	close_fixture(f);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct bw_err err = BW_ERR_INIT;
		struct bw_store *s = NULL;
		int rc = bw_store_open(f->path, &s, &err);

		if (rc == 0)
			rc = move_often(s, 1, 'a', &err);
		bw_store_close(s);
		_exit(rc == 0 ? 0 : 1);
	}
	open_fixture(f);
	assert_ok(f, move_often(f->store, 2, 'a', &f->err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM sighting"), 2 * ROUNDS);
	assert_int_equal(ask(f, "SELECT sum(number) FROM sighting x JOIN poll p ON p.sighting_id = x.id"),
			 2 * ROUNDS);
	assert_int_equal(ask(f, "SELECT count(*) FROM change"), 2 * ROUNDS - 2);
}

#define CREATORS 6
#define RACES	 10

static pid_t start_creator(const struct fixture *f, const int start[2])
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct bw_err err = BW_ERR_INIT;
		struct bw_store *s = NULL;
		char byte;
		int rc;

		(void)close(start[1]);
		(void)!read(start[0], &byte, 1); /* until the parent closes its end: all at once */
		rc = bw_store_open(f->path, &s, &err);
		if (rc < 0)
			(void)fprintf(stderr, "%s\n", err.msg);
		bw_store_close(s);
		_exit(rc == 0 ? 0 : 1);
	}
	return pid;
}

static void race(struct fixture *f)
{
	pid_t pids[CREATORS];
	int start[2];

	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	for (int i = 0; i < CREATORS; i++)
		pids[i] = start_creator(f, start);
	(void)close(start[0]);
	(void)close(start[1]);
	for (int i = 0; i < CREATORS; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void many_processes_make_one_database(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < RACES; i++) {
		race(f);
		assert_int_equal(ask(f, "SELECT count(*) FROM meta WHERE key = 'uuid'"), 1);
		assert_int_equal(unlink(f->path), 0);
	}
}

/* --- growth ----------------------------------------------------------------------------------- */

static off_t size_of(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	return st.st_size;
}

static void a_sweep_without_news_grows_nothing(void **state)
{
	struct fixture *f = *state;
	struct bw_seen seen[200];
	off_t before;

	open_fixture(f);
	for (int i = 0; i < 100; i++) {
		BW_AUTOFREE char *path = bw_asprintf("/%d/Dockerfile", i);
		BW_AUTOFREE char *uses = bw_asprintf("x%d:1 x%d:2", i, i);

		put(f, path, uses);
	}
	for (int i = 0; i < 100; i++) {
		struct bw_answer a = {0};

		(void)digest_of('a', a.digest.text);
		seen[0] = (struct bw_seen){.base_id = 2 * i + 1, .at_ms = 1700000000000, .answer = &a};
		seen[1] = (struct bw_seen){.base_id = 2 * i + 2, .at_ms = 1700000000000, .answer = &a};
		assert_ok(f, bw_store_record(f->store, seen, 2, NULL, &f->counts, &f->err));
	}
	close_fixture(f);
	before = size_of(f);
	for (int sweep = 1; sweep < 20; sweep++) {
		open_fixture(f);
		for (int i = 0; i < 200; i++)
			seen[i] =
				(struct bw_seen){.base_id = i + 1, .at_ms = 1700000000000 + sweep * 3600000};
		assert_ok(f, bw_store_record(f->store, seen, 200, NULL, &f->counts, &f->err));
		close_fixture(f);
	}
	assert_int_equal(size_of(f), before);
	assert_int_equal(ask(f, "SELECT min(checked_at) FROM poll"), 1700000000000 + 19LL * 3600000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_database_is_ours_and_private),
		CASE(the_connection_is_set_up_as_designed),
		CASE(every_foreign_key_has_its_index),
		CASE(the_uuid_is_made_once),
		CASE(an_empty_file_becomes_a_database),
		CASE(a_link_leads_to_the_database),
		CASE(a_name_that_sqlite_would_read_something_into_is_a_file),
		CASE(a_reader_makes_no_database),
		CASE(closing_nothing_is_fine),
		CASE(a_text_file_is_refused),
		CASE(the_database_of_another_program_is_refused),
		CASE(a_newer_schema_is_refused),
		CASE(a_damaged_database_is_told_as_that),
		CASE(a_folder_and_a_device_are_no_database),
		CASE(a_folder_that_is_not_there_is_named),
		CASE(a_folder_where_we_may_not_write_is_named),
		CASE(a_full_disk_loses_nothing_that_was_recorded),
		CASE(a_lock_of_another_process_is_told),
		CASE(two_processes_write_one_database),
		CASE(many_processes_make_one_database),
		CASE(a_sweep_without_news_grows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
