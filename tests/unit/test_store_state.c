/* One base or build at a time: pages, heads and rows; who wrote last; and done by the id that events have. */
#include "unit/store_fixture.h"

#include "store/identity.h"
#include "store/sql.h"
#include "store/state.h"

/* --- lists ------------------------------------------------------------------------------------ */

static void ids_come_in_pages_chosen_or_not(void **state)
{
	struct fixture *f = *state;
	int64_t ids[2] = {0};
	size_t count = 9;

	assert_ok(f, bw_store_list_bases(f->store, 0, ids, 2, &count, &f->err));
	assert_int_equal(count, 0);
	(void)put(f, "/x/Dockerfile", "a b c");
	(void)put(f, "/y/Dockerfile", "a");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_list_bases(f->store, 0, ids, 2, &count, &f->err));
	assert_int_equal(count, 2);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 2);
	assert_ok(f, bw_store_list_bases(f->store, 2, ids, 2, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(ids[0], 3);
	assert_ok(f, bw_store_list_builds(f->store, 1, ids, 2, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(ids[0], 2);
}

/* --- rows ------------------------------------------------------------------------------------- */

static const char *rows_of(struct fixture *f, const char *base, int64_t build_id)
{
	bw_buf_clear(&f->text);
	if (base)
		assert_ok(f, bw_store_each_row_of_base(f->store, base_id(f, base), add_row, f, &f->err));
	else
		assert_ok(f, bw_store_each_row_of_build(f->store, build_id, add_row, f, &f->err));
	return bw_buf_str(&f->text);
}

static void rows_of_one_are_those_of_all(void **state)
{
	struct fixture *f = *state;
	struct made_file broken;
	int64_t x = put(f, "/x/Dockerfile", "b a scratch !no b:latest@" ZERO_DIGEST), y;

	make_file(&broken, "/y/Dockerfile", "a");
	y = put_made(f, &broken, 10);
	broken.scan.file = NULL;
	broken.scan.problem = "no such thing";
	(void)put_made(f, &broken, 10);
	free_file(&broken);
	see_type(f, "a", 'a', 20, OCI_IMAGE);
	see_type(f, "b", 'a', 20, OCI_IMAGE);
	see_type(f, "b", 'b', 30, OCI_IMAGE);
	assert_string_equal(
		rows_of(f, "b", 0),
		"/x/Dockerfile:1 b:latest stale since 30 (moved sha256:aaaaaaaaaaaa -> "
		"sha256:bbbbbbbbbbbb (unclassified))\n"
		"/x/Dockerfile:5 b:latest behind since 30 (pinned to sha256:000000000000, the tag has "
		"sha256:bbbbbbbbbbbb)\n");
	assert_string_equal(rows_of(f, "a", 0),
			    "/x/Dockerfile:2 a:latest fresh\n/y/Dockerfile:1 a:latest fresh\n");
	assert_string_equal(rows_of(f, NULL, y),
			    "/y/Dockerfile:1 a:latest fresh\n/y/Dockerfile:0 - unknown (no such thing)\n");
	assert_non_null(strstr(rows_of(f, NULL, x), "/x/Dockerfile:3 - unfollowable (scratch"));
	assert_non_null(strstr(rows_of(f, NULL, x), "/x/Dockerfile:4 - unknown (no)\n"));
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(rows_of(f, "a", 0), "");
	assert_string_equal(rows_of(f, NULL, x), "");
}

/* --- heads ------------------------------------------------------------------------------------ */

static int write_base(const struct bw_base_state *b, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char now[2], before[2];

	(void)err;
	bw_buf_addf(&f->text, "%s/%s:%s %s#%u since %lld before %s %s %s trouble %s (%s) since %lld",
		    b->registry, b->repository, b->tag, letter_of(b->digest, now), b->number,
		    (long long)b->digest_since_ms, letter_of(b->previous, before),
		    b->change_class ? b->change_class : "-", b->moved ? b->moved : "-",
		    bw_trouble_name(b->trouble), b->trouble_message ? b->trouble_message : "-",
		    (long long)b->trouble_since_ms);
	return 0;
}

static const char *head_of(struct fixture *f, int64_t id)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_read_base(f->store, id, write_base, f, &f->err));
	return bw_buf_str(&f->text);
}

static void a_base_is_read_with_its_last_change_and_trouble(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/x/Dockerfile", "a");
	assert_string_equal(head_of(f, 1),
			    "docker.io/library/a:latest -#0 since 0 before - - - trouble  (-) since 0");
	see(f, "a", 'a', 20);
	assert_string_equal(head_of(f, 1),
			    "docker.io/library/a:latest a#1 since 20 before - - - trouble  (-) since 0");
	see_judged(f, "a", "ab", 30, "-=config,env");
	see_trouble(f, "a", BW_TROUBLE_DNS, "no host", 40);
	see_trouble(f, "a", BW_TROUBLE_DNS, "no host", 50);
	assert_string_equal(head_of(f, 1),
			    "docker.io/library/a:latest b#2 since 30 before a config env trouble dns (no "
			    "host) since 40");
	assert_string_equal(head_of(f, 2), "");
}

static int write_build(const struct bw_build_state *b, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s:%s@%s %s %s", b->source, b->path, b->target, b->is_live ? "live" : "ended",
		    b->is_chosen ? "chosen" : "not chosen");
	assert_null(b->url);
	return 0;
}

static void a_build_is_read_whether_it_is_chosen_or_has_ended(void **state)
{
	struct fixture *f = *state;
	int64_t id = put_target(f, "/x/Dockerfile", "web", "a");

	assert_ok(f, bw_store_read_build(f->store, id, write_build, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), ":/x/Dockerfile@web live chosen");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	run_sql(f->path, "UPDATE build SET ended_at = 5");
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_read_build(f->store, id, write_build, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), ":/x/Dockerfile@web ended not chosen");
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_read_build(f->store, 99, write_build, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "");
}

/* --- who wrote -------------------------------------------------------------------------------- */

static bool has_changed(struct fixture *f, int64_t *note)
{
	bool changed = false;

	assert_ok(f, bw_store_has_changed(f->store, note, &changed, &f->err));
	return changed;
}

static void what_others_write_is_a_change_and_what_we_write_is_none(void **state)
{
	struct fixture *f = *state;
	int64_t note = 0, second = 0;

	assert_false(has_changed(f, &note));
	(void)put(f, "/x/Dockerfile", "a");
	assert_false(has_changed(f, &note));
	assert_false(has_changed(f, &second));
	run_sql(f->path, "UPDATE build SET first_seen = 7");
	assert_true(has_changed(f, &note));
	assert_false(has_changed(f, &note));
	assert_true(has_changed(f, &second)); /* each has its own note */
}

/* --- done ------------------------------------------------------------------------------------- */

static void done_by_id_closes_one_build_and_leaves_the_choice_alone(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c = {0};
	struct bw_digest b;
	char id[BW_BUILD_ID_MAX];
	int64_t row = 0;

	(void)put_source(f, "shop", "/src/shop", "x/Dockerfile", "a c");
	(void)put(f, "/y/Dockerfile", "a");
	see(f, "a", 'a', 20);
	see(f, "c", 'a', 20);
	see(f, "a", 'b', 30);
	see(f, "c", 'd', 30);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	digest_from('b', &b);
	bw_identity_of_build(bw_store_uuid(f->store), "shop", "x/Dockerfile", "", id);
	assert_ok(f, bw_store_done_build(f->store, id, &b, 90, &c, &row, &f->err));
	assert_int_equal(c.builds, 1);
	assert_int_equal(c.closed, 1); /* c was never seen with it */
	assert_int_equal(row, 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 2);
	assert_ok(f, bw_store_done_build(f->store, id, NULL, 95, &c, NULL, &f->err));
	assert_int_equal(c.closed, 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 1);
	assert_string_equal(rows(f), "");
	assert_int_equal(bw_store_done_build(f->store, "0", &b, 90, &c, &row, &f->err), BW_E_GONE);
	assert_string_equal(f->err.msg, "there is no such build");
	digest_from('f', &b);
	assert_int_equal(bw_store_done_build(f->store, id, &b, 90, &c, &row, &f->err), BW_E_INPUT);
	assert_non_null(strstr(f->err.msg, "was ever seen at sha256:ffff"));
}

/* --- faults ----------------------------------------------------------------------------------- */

static int ask_all(struct fixture *f, const char *id)
{
	struct bw_done_counts c;
	struct bw_digest b;
	int64_t ids[1], note = 0;
	size_t count;
	bool changed;
	int rc = bw_store_has_changed(f->store, &note, &changed, &f->err);

	digest_from('b', &b);
	bw_buf_clear(&f->text);
	if (rc == 0)
		rc = bw_store_list_bases(f->store, 0, ids, 1, &count, &f->err);
	if (rc == 0)
		rc = bw_store_list_builds(f->store, 0, ids, 1, &count, &f->err);
	if (rc == 0)
		rc = bw_store_read_base(f->store, 1, write_base, f, &f->err);
	if (rc == 0)
		rc = bw_store_read_build(f->store, 1, write_build, f, &f->err);
	if (rc == 0)
		rc = bw_store_each_row_of_base(f->store, 1, add_row, f, &f->err);
	if (rc == 0)
		rc = bw_store_each_row_of_build(f->store, 1, add_row, f, &f->err);
	return rc < 0 ? rc : bw_store_done_build(f->store, id, &b, 90, &c, NULL, &f->err);
}

static void a_failed_statement_is_told_and_closes_nothing(void **state)
{
	static const enum bw_sql all[] = {
		BW_SQL_DATA_VERSION,   BW_SQL_BASES_AFTER,     BW_SQL_BUILDS_AFTER,
		BW_SQL_BASE_STATE_OF,  BW_SQL_BUILD_STATE_OF,  BW_SQL_ROWS_OF_BASE,
		BW_SQL_ROWS_OF_BUILD,  BW_SQL_OTHERS_OF_BUILD, BW_SQL_BUILD_NAMES,
		BW_SQL_BUILD_NAMES_OF, BW_SQL_PAIRS_OF_BUILD,  BW_SQL_PINNED_PAIRS_OF_BUILD,
		BW_SQL_HANDLE_CURRENT,
	};
	struct fixture *f = *state;
	char id[BW_BUILD_ID_MAX];

	(void)put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 20);
	see(f, "a", 'b', 30);
	bw_identity_of_build(bw_store_uuid(f->store), "", "/x/Dockerfile", "", id);
	for (size_t i = 0; i < BW_COUNT(all); i++) {
		sqlite3_stmt **at = &f->store->statements[all[i]];

		(void)sqlite3_finalize(*at);
		assert_int_equal(sqlite3_prepare_v2(f->store->db, "SELECT abs(-9223372036854775807 - 1), ?6",
						    -1, at, NULL),
				 SQLITE_OK);
		assert_fault(f, ask_all(f, id), BW_E_STORE, "integer overflow");
		(void)sqlite3_finalize(*at);
		*at = NULL;
		assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 1);
	}
	assert_ok(f, ask_all(f, id));
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 0);
}

/* Looking for it takes its time where there are many builds: nobody is locked out meanwhile, nor waited for. */
static void a_build_is_looked_for_without_the_lock(void **state)
{
	struct fixture *f = *state;
	struct bw_digest b;
	struct bw_done_counts c;
	sqlite3 *db = NULL;

	(void)put(f, "/x/Dockerfile", "a");
	bw_store_set_busy_ms(f->store, 0);
	digest_from('b', &b);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(bw_store_done_build(f->store, "unknown", &b, 90, &c, NULL, &f->err), BW_E_GONE);
	(void)sqlite3_close(db);
}

/* Another process is faster. */
static int end_before_lock(unsigned type, void *arg, void *statement, void *text)
{
	const struct fixture *f = arg;

	(void)type;
	(void)statement;
	if (strcmp(text, bw_sql_text(BW_SQL_BEGIN)) == 0)
		run_sql(f->path, "UPDATE build SET ended_at = 1");
	return 0;
}

/* What was found may be gone when the lock is there. */
static void a_build_that_ends_meanwhile_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char id[BW_BUILD_ID_MAX];
	struct bw_digest b;
	struct bw_done_counts c;

	(void)put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 20);
	see(f, "a", 'b', 30);
	digest_from('b', &b);
	bw_identity_of_build(bw_store_uuid(f->store), "", "/x/Dockerfile", "", id);
	assert_int_equal(sqlite3_trace_v2(f->store->db, SQLITE_TRACE_STMT, end_before_lock, f), SQLITE_OK);
	assert_int_equal(bw_store_done_build(f->store, id, &b, 90, &c, NULL, &f->err), BW_E_GONE);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ids_come_in_pages_chosen_or_not),
		CASE(rows_of_one_are_those_of_all),
		CASE(a_base_is_read_with_its_last_change_and_trouble),
		CASE(a_build_is_read_whether_it_is_chosen_or_has_ended),
		CASE(what_others_write_is_a_change_and_what_we_write_is_none),
		CASE(a_failed_statement_is_told_and_closes_nothing),
		CASE(a_build_is_looked_for_without_the_lock),
		CASE(a_build_that_ends_meanwhile_is_left_alone),
		CASE(done_by_id_closes_one_build_and_leaves_the_choice_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
