/* test_store_health.c - looking at a database without changing it: what is found, and that nothing was written. */
#include "unit/store_fixture.h"

#include "store/health.h"

/* --- opening -------------------------------------------------------------------------------------- */

static void a_database_that_is_not_there_is_not_made(void **state)
{
	struct fixture *f = *state;

	assert_fault(f, bw_store_open_to_look(f->path, &f->store, &f->err), BW_E_GONE,
		     "there is no database yet");
	assert_null(f->store);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void an_empty_file_stays_empty(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->path, "w");
	struct stat st;

	assert_non_null(file);
	fclose(file);
	assert_fault(f, bw_store_open_to_look(f->path, &f->store, &f->err), BW_E_FOREIGN,
		     "this file is empty");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void another_schema_is_left_as_it_is(void **state)
{
	struct fixture *f = *state;

	open_fixture(f);
	close_fixture(f);
	run_sql(f->path, "PRAGMA user_version = 99");
	assert_fault(f, bw_store_open_to_look(f->path, &f->store, &f->err), BW_E_FOREIGN, "newer basewatch");
	run_sql(f->path, "PRAGMA user_version = 0");
	assert_fault(f, bw_store_open_to_look(f->path, &f->store, &f->err), BW_E_FOREIGN, "empty");
	assert_int_equal(ask(f, "PRAGMA user_version"), 0);
}

static off_t size_of_log(const struct fixture *f)
{
	BW_AUTOFREE char *path = bw_asprintf("%s-wal", f->path);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* As a process leaves it that was killed: closed without writing the log into the database. */
static void leave_a_log(struct fixture *f)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO meta VALUES('x', 'y')", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_log_is_left_where_it_is(void **state)
{
	struct fixture *f = *state;
	off_t size;
	int64_t schema = 0;

	open_fixture(f);
	close_fixture(f);
	leave_a_log(f);
	size = size_of_log(f);
	assert_true(size > 0);
	assert_ok(f, bw_store_open_to_look(f->path, &f->store, &f->err));
	assert_ok(f, bw_store_schema(f->store, &schema, &f->err));
	assert_int_equal(schema, 1);
	close_fixture(f);
	assert_int_equal(size_of_log(f), size);
	/* Without one there is none behind it, either. */
	open_fixture(f);
	close_fixture(f);
	assert_ok(f, bw_store_open_to_look(f->path, &f->store, &f->err));
	close_fixture(f);
	assert_int_equal(size_of_log(f), -1);
}

/* --- is it sound? --------------------------------------------------------------------------------- */

static bool count_down(void *arg)
{
	int *left = arg;

	return --*left > 0;
}

static void fill(struct fixture *f)
{
	char path[32], uses[64];

	for (int i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "/src/%d/Dockerfile", i);
		(void)snprintf(uses, sizeof(uses), "a:%d b:%d", i, i);
		(void)put(f, path, uses);
	}
}

static void a_sound_database_is_sound_and_a_long_look_can_be_ended(void **state)
{
	struct fixture *f = *state;
	int forever = 1000000, now = 1;

	fill(f);
	assert_int_equal(bw_store_check(f->store, NULL, NULL, &f->err), 0);
	assert_int_equal(bw_store_check(f->store, count_down, &forever, &f->err), 0);
	assert_true(forever < 1000000);
	assert_int_equal(bw_store_check(f->store, count_down, &now, &f->err), 1);
	/* It was only this one. */
	assert_int_equal(bw_store_check(f->store, NULL, NULL, &f->err), 0);
}

static void damage_is_told_in_the_words_of_sqlite(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = NULL;

	fill(f);
	close_fixture(f);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	/* A row that breaks what its table promises. */
	assert_int_equal(sqlite3_exec(db,
				      "PRAGMA writable_schema = ON;"
				      "UPDATE sqlite_schema SET sql = replace(sql, 'root TEXT NOT NULL', "
				      "'root INTEGER NOT NULL') WHERE name = 'source'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_ok(f, bw_store_open_to_look(f->path, &f->store, &f->err));
	assert_fault(f, bw_store_check(f->store, NULL, NULL, &f->err), BW_E_STORE, "damaged: ");
	assert_non_null(strstr(f->err.msg, "source"));
}

/* --- what it says --------------------------------------------------------------------------------- */

static int add_debt(const struct bw_debt *d, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s%s due=%d/%d dead=%d/%d %s\n", d->sink, d->is_removed ? " (gone)" : "",
		    (int)d->due, (int)d->due_since_ms, (int)d->dead, (int)d->dead_since_ms,
		    d->error ? d->error : "-");
	return 0;
}

static void debts_are_told_for_each_sink(void **state)
{
	struct fixture *f = *state;

	run_sql(f->path,
		"INSERT INTO sink(id, name, confirms, first_seen, removed_at) VALUES(1, 'ci', 0, 1, NULL), "
		"(2, 'broker', 0, 1, NULL), (3, 'old', 0, 1, 9);"
		"INSERT INTO event(number, id, type, subject, at, json) VALUES(1, 'e', 't', 's', 1, '{}');"
		"INSERT INTO delivery(sink_id, event, subject, state, is_first, attempts, created_at, "
		"expires_at, next_at, ended_at, error) VALUES"
		"(1, 1, 's', 'due', 1, 2, 20, 99, 1, NULL, 'busy'), (1, 1, 't', 'due', 1, 0, 10, 99, 1, "
		"NULL, "
		"NULL),"
		"(1, 1, 's', 'dead', 0, 1, 5, 99, 1, 40, 'no'), (1, 1, 's', 'dead', 0, 1, 5, 99, 1, 30, "
		"'no'),"
		"(1, 1, 's', 'sent', 0, 1, 5, 99, 1, 3, NULL), (3, 1, 's', 'due', 1, 0, 7, 99, 1, NULL, "
		"NULL)");
	assert_ok(f, bw_store_each_debt(f->store, add_debt, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "broker due=0/0 dead=0/0 -\n"
						  "ci due=2/10 dead=2/30 busy\n"
						  "old (gone) due=1/7 dead=0/0 -\n");
}

static int add_ailing(const struct bw_ailing *a, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s %d since %d %s: %s\n", a->registry, (int)a->bases, (int)a->since_ms,
		    a->base, a->message);
	return 0;
}

static const char *ailing_at(struct fixture *f, int64_t now_ms)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_ailing(f->store, now_ms, add_ailing, f, &f->err));
	return bw_buf_str(&f->text);
}

static void bases_in_trouble_are_told_by_registry_with_the_oldest(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/a/Dockerfile", "a:1 b:1 c:1 ~d:1");
	see(f, "c:1", 'c', 50);
	see_trouble(f, "b:1", BW_TROUBLE_DNS, "no name", 100);
	see_trouble(f, "a:1", BW_TROUBLE_SERVER, "down", 200);
	see_trouble(f, "b:1", BW_TROUBLE_DNS, "still no name", 300);
	assert_string_equal(ailing_at(f, 400), "docker.io 2 since 100 library/b:1: still no name\n");
	/* What no live build needs is nobody's trouble. */
	run_sql(f->path, "UPDATE use SET ignored_until = 500 WHERE written = 'b:1'");
	assert_string_equal(ailing_at(f, 400), "docker.io 1 since 200 library/a:1: down\n");
	run_sql(f->path, "UPDATE build SET ended_at = 300");
	assert_string_equal(ailing_at(f, 600), "");
}

static int add_path(const char *path, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s\n", path);
	return 0;
}

static void files_in_folders_are_told_by_their_whole_paths(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/a/Dockerfile", "a:1");
	(void)put_source(f, "shop", "/srv/shop", "web/Dockerfile", "a:1");
	(void)put(f, "/gone/Dockerfile", "a:1");
	(void)put_source(f, "https://h/x.git#main", "", "Dockerfile", "a:1");
	run_sql(f->path, "UPDATE build_file SET ended_at = 20 WHERE path = '/gone/Dockerfile';"
			 "UPDATE source SET url = 'https://h/x.git' WHERE name LIKE 'https%'");
	assert_ok(f, bw_store_each_folder_file(f->store, add_path, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "/a/Dockerfile\n/srv/shop/web/Dockerfile\n");
}

static int refuse(const char *path, void *arg, struct bw_err *err)
{
	(void)path;
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "enough");
}

static void a_callback_can_end_a_list(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/a/Dockerfile", "a:1");
	assert_int_equal(bw_store_each_folder_file(f->store, refuse, NULL, &f->err), BW_E_LIMIT);
	assert_string_equal(f->err.msg, "enough");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_database_that_is_not_there_is_not_made, set_up_folder,
						tear_down),
		cmocka_unit_test_setup_teardown(an_empty_file_stays_empty, set_up_folder, tear_down),
		cmocka_unit_test_setup_teardown(another_schema_is_left_as_it_is, set_up_folder, tear_down),
		cmocka_unit_test_setup_teardown(the_log_is_left_where_it_is, set_up_folder, tear_down),
		cmocka_unit_test_setup_teardown(a_sound_database_is_sound_and_a_long_look_can_be_ended,
						set_up_store, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_told_in_the_words_of_sqlite, set_up_store,
						tear_down),
		cmocka_unit_test_setup_teardown(debts_are_told_for_each_sink, set_up_store, tear_down),
		cmocka_unit_test_setup_teardown(bases_in_trouble_are_told_by_registry_with_the_oldest,
						set_up_store, tear_down),
		cmocka_unit_test_setup_teardown(files_in_folders_are_told_by_their_whole_paths, set_up_store,
						tear_down),
		cmocka_unit_test_setup_teardown(a_callback_can_end_a_list, set_up_store, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
