/* Bases as one who polls them needs them: store/poll.h. */
#include "unit/store_fixture.h"

#include "store/poll.h"
#include "store/source.h"
#include "store/sql.h"

static int add_poll(const struct bw_poll *p, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s/%s:%s %lld", p->registry, p->repository, p->tag, (long long)p->checked_ms);
	if (p->failures > 0)
		bw_buf_addf(&f->text, " failed %u: %s, %u s", p->failures, bw_trouble_name(p->trouble),
			    p->retry_after_s);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

/* They come in no order: each line is looked for, and how many there are. */
static void assert_polls(struct fixture *f, const char *const *lines, size_t count)
{
	size_t found = 0;

	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_poll(f->store, f->now_ms, add_poll, f, &f->err));
	for (const char *at = bw_buf_str(&f->text); (at = strchr(at, '\n')) != NULL; at++)
		found++;
	for (size_t i = 0; i < count; i++)
		if (!strstr(bw_buf_str(&f->text), lines[i]))
			fail_msg("\"%s\" is not in \"%s\"", lines[i], bw_buf_str(&f->text));
	assert_int_equal(found, count);
}

#define ASSERT_POLLS(f, ...)                                               \
	do {                                                               \
		static const char *const lines_[] = {__VA_ARGS__};         \
		assert_polls(f, lines_, sizeof(lines_) / sizeof(*lines_)); \
	} while (0)

static int add_wanted(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char letter[2];

	(void)err;
	bw_buf_addf(&f->text, "%s:%s %s failed %u waited %u%s\n", b->repository, b->tag,
		    letter_of(b->digest, letter), b->failures, b->waited, b->is_foreign ? " foreign" : "");
	return 0;
}

static const char *find(struct fixture *f, int64_t id)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_find_wanted(f->store, id, f->now_ms, add_wanted, f, &f->err));
	return bw_buf_str(&f->text);
}

static int add_id(int64_t id, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%lld ", (long long)id);
	return 0;
}

/* How many companions there are; their ids are in the text. */
static size_t companions(struct fixture *f, const char *name, size_t max)
{
	size_t n = 0;

	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_companion(f->store, base_id(f, name), f->now_ms, max, add_id, f, &f->err));
	for (const char *at = bw_buf_str(&f->text); (at = strchr(at, ' ')) != NULL; at++)
		n++;
	return n;
}

static bool is_companion(const struct fixture *f, const char *name)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld ", (long long)base_id(f, name));
	return strstr(bw_buf_str(&f->text), id) != NULL;
}

static void put_git(struct fixture *f, const char *uses)
{
	const struct bw_source_row row = {.name = "https://x.example/a.git#main",
					  .url = "https://x.example/a.git",
					  .branch = "main",
					  .commit = "c"};

	assert_ok(f, bw_store_put_git_source(f->store, &row, 10, &f->err));
	(void)put_source(f, row.name, "", "Dockerfile", uses);
}

/* --- the list --------------------------------------------------------------------------------- */

static void each_base_is_listed_once_with_what_came_of_the_last_question(void **state)
{
	struct fixture *f = *state;

	put(f, "/a", "a:1 b:1 a:1|linux/arm64 scratch !broken");
	put(f, "/b", "a:1 c:1 d:1");
	see(f, "a:1", 'a', 20);
	see_same(f, "a:1", 30);
	see_trouble(f, "b:1", BW_TROUBLE_THROTTLED, "slow down", 40);
	see_trouble(f, "b:1", BW_TROUBLE_THROTTLED, "slow down", 50);
	see(f, "c:1", 'c', 20);
	see_trouble(f, "c:1", BW_TROUBLE_TAG_GONE, "gone", 60);
	ASSERT_POLLS(f, "docker.io/library/a:1 30\n", "library/b:1 50 failed 2: throttled, 60 s\n",
		     "library/c:1 60 failed 1: tag-gone, 0 s\n", "library/d:1 0\n");
	see(f, "c:1", 'c', 70);
	ASSERT_POLLS(f, "docker.io/library/a:1 30\n", "library/b:1 50 failed 2: throttled, 60 s\n",
		     "library/c:1 70\n", "library/d:1 0\n");
}

static void what_no_chosen_build_needs_is_not_listed(void **state)
{
	struct fixture *f = *state;
	int64_t id;

	id = put(f, "/a", "a:1 ~b:1");
	put(f, "/b", "c:1");
	ASSERT_POLLS(f, "library/a:1 0\n", "library/c:1 0\n");
	assert_string_equal(find(f, base_id(f, "b:1")), "");
	run_sql(f->path, "UPDATE use SET ignored_until = 1000001"
			 " WHERE base_id = (SELECT id FROM base WHERE repository = 'library/a')");
	ASSERT_POLLS(f, "library/c:1 0\n");
	assert_string_equal(find(f, base_id(f, "a:1")), "");
	f->now_ms += 1;
	ASSERT_POLLS(f, "library/a:1 0\n", "library/c:1 0\n");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_builds(f->store, &id, 1, &f->err));
	ASSERT_POLLS(f, "library/a:1 0\n");
	assert_string_equal(find(f, base_id(f, "c:1")), "");
	put(f, "/a", "d:1");
	ASSERT_POLLS(f, "library/d:1 0\n");
}

static int stop_at_once(const struct bw_poll *p, void *arg, struct bw_err *err)
{
	(void)p;
	++*(int *)arg;
	return bw_fail(err, BW_E_INPUT, "enough");
}

static int stop_at_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	(void)b;
	++*(int *)arg;
	return bw_fail(err, BW_E_INPUT, "enough");
}

static int stop_at_id(int64_t id, void *arg, struct bw_err *err)
{
	(void)id;
	++*(int *)arg;
	return bw_fail(err, BW_E_INPUT, "enough");
}

static void a_failure_of_the_callback_ends_it(void **state)
{
	struct fixture *f = *state;
	int calls = 0;

	put(f, "/a", "a:1 b:1 c:1");
	assert_int_equal(bw_store_each_poll(f->store, f->now_ms, stop_at_once, &calls, &f->err), BW_E_INPUT);
	assert_string_equal(f->err.msg, "enough");
	assert_int_equal(bw_store_find_wanted(f->store, 1, f->now_ms, stop_at_base, &calls, &f->err),
			 BW_E_INPUT);
	assert_int_equal(bw_store_each_companion(f->store, 1, f->now_ms, 10, stop_at_id, &calls, &f->err),
			 BW_E_INPUT);
	assert_int_equal(calls, 3);
	ASSERT_POLLS(f, "library/a:1 0\n", "library/b:1 0\n", "library/c:1 0\n");
}

/* --- one -------------------------------------------------------------------------------------- */

static void one_is_found_as_it_is_now(void **state)
{
	struct bw_answer a = {.trouble = BW_TROUBLE_TIMEOUT, .message = "no body"};
	struct fixture *f = *state;
	int64_t id;

	put(f, "/a", "a:1 b:1");
	put(f, "/b", "a:1");
	id = base_id(f, "a:1");
	assert_string_equal(find(f, id), "library/a:1 - failed 0 waited 0\n");
	see(f, "a:1", 'a', 20);
	assert_string_equal(find(f, id), "library/a:1 a failed 0 waited 0\n");
	digest_from('b', &a.digest);
	record(f, "a:1", 30, &a);
	see_trouble(f, "a:1", BW_TROUBLE_DNS, "nowhere", 40);
	assert_string_equal(find(f, id), "library/a:1 a failed 2 waited 1\n");
	see_judged(f, "a:1", "ab", 50, "-=content");
	assert_string_equal(find(f, id), "library/a:1 b failed 0 waited 0\n");
	assert_string_equal(find(f, 99), "");
}

/* The network rules for strangers hold while nobody of the house names a base himself. */
static void a_base_is_foreign_while_only_git_repositories_name_it(void **state)
{
	struct fixture *f = *state;
	int64_t house;

	put_git(f, "a:1 b:1");
	house = put(f, "/house", "a:1");
	assert_string_equal(find(f, base_id(f, "a:1")), "library/a:1 - failed 0 waited 0\n");
	assert_string_equal(find(f, base_id(f, "b:1")), "library/b:1 - failed 0 waited 0 foreign\n");
	assert_ok(f, bw_store_unchoose_builds(f->store, &house, 1, &f->err));
	assert_string_equal(find(f, base_id(f, "a:1")), "library/a:1 - failed 0 waited 0 foreign\n");
	put_source(f, "shop", "/shop", "/shop/Dockerfile", "b:1"); /* a folder with a name is of the house */
	assert_string_equal(find(f, base_id(f, "b:1")), "library/b:1 - failed 0 waited 0\n");
}

/* --- companions ------------------------------------------------------------------------------- */

static void companions_are_the_other_bases_of_the_builds_that_stand_on_it(void **state)
{
	struct fixture *f = *state;

	put(f, "/1", "a:1 b:1 scratch !broken ~x:1");
	put(f, "/2", "a:1 b:1 c:1");
	put(f, "/3", "c:1 d:1");
	put(f, "/4", "~a:1 e:1");
	assert_int_equal(companions(f, "a:1", 10), 2);
	assert_true(is_companion(f, "b:1") && is_companion(f, "c:1"));
	assert_int_equal(companions(f, "c:1", 10), 3);
	assert_true(is_companion(f, "a:1") && is_companion(f, "b:1") && is_companion(f, "d:1"));
	assert_int_equal(companions(f, "e:1", 10), 0);
	assert_int_equal(companions(f, "c:1", 2), 2);
	assert_int_equal(companions(f, "c:1", 0), 0);
}

static void builds_that_are_not_chosen_have_no_companions(void **state)
{
	struct fixture *f = *state;
	int64_t id;

	put(f, "/1", "a:1 b:1");
	id = put(f, "/2", "a:1 c:1");
	assert_ok(f, bw_store_unchoose_builds(f->store, &id, 1, &f->err));
	assert_int_equal(companions(f, "a:1", 10), 1);
	assert_true(is_companion(f, "b:1"));
	run_sql(f->path, "UPDATE use SET ignored_until = 1000001"
			 " WHERE base_id = (SELECT id FROM base WHERE repository = 'library/b')");
	assert_int_equal(companions(f, "a:1", 10), 0);
	assert_int_equal(companions(f, "b:1", 10), 0);
	f->now_ms += 1;
	assert_int_equal(companions(f, "b:1", 10), 1);
}

/* --- size ------------------------------------------------------------------------------------- */

static int count_steps(void *arg)
{
	++*(int *)arg;
	return 0;
}

/* A hostile build file may: with all pairs of its lines the loop would stand still for minutes. */
static void a_build_may_name_a_base_in_thousands_of_lines(void **state)
{
	struct fixture *f = *state;
	int thousands = 0;

	put(f, "/1", "a:1 b:1");
	run_sql(f->path, "CREATE TEMP TABLE line AS SELECT * FROM use WHERE base_id = 1;"
			 "UPDATE line SET id = NULL;"
			 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
			 " INSERT INTO use SELECT line.* FROM line, n");
	sqlite3_progress_handler(f->store->db, 1000, count_steps, &thousands);
	assert_int_equal(companions(f, "a:1", 10), 1);
	sqlite3_progress_handler(f->store->db, 0, NULL, NULL);
	assert_in_range(thousands, 1, 200);
}

/* The first build of the house decides; a base that many builds name is asked for like any other. */
static void a_base_of_thousands_of_builds_is_found_at_once(void **state)
{
	struct fixture *f = *state;
	int hundreds = 0;

	put(f, "/1", "a:1");
	run_sql(f->path,
		"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		" INSERT INTO build SELECT i, build_file_id, i, fingerprint, problem, problem_line, image,"
		" labels, first_seen, ended_at FROM build, n;"
		"CREATE TEMP TABLE line AS SELECT * FROM use; UPDATE line SET id = NULL;"
		"INSERT INTO use SELECT line.id, build.id, base_id, reachable, ignored_until, line, role,"
		" stage, platform, written, pinned, ignored, unresolved, is_scratch, line_column,"
		" byte_start, byte_end, arg_line, arg_column, arg_start, arg_end, patch FROM line, build"
		" WHERE build.id > 1");
	assert_ok(f, bw_store_choose_all(f->store, NULL, &f->err));
	sqlite3_progress_handler(f->store->db, 100, count_steps, &hundreds);
	assert_string_equal(find(f, 1), "library/a:1 - failed 0 waited 0\n");
	sqlite3_progress_handler(f->store->db, 0, NULL, NULL);
	assert_in_range(hundreds, 0, 5);
}

/* One question of a poller must not read what it does not ask for: the plans go by indexes. "met" and "n" are subqueries. */
static void one_base_is_found_by_its_index(void **state)
{
	static const enum bw_sql which[] = {BW_SQL_POLL_BASE, BW_SQL_BASE_IS_FOREIGN, BW_SQL_COMPANIONS};
	struct fixture *f = *state;

	put(f, "/a", "a:1");
	for (size_t i = 0; i < sizeof(which) / sizeof(*which); i++) {
		BW_AUTOFREE char *sql = bw_asprintf("EXPLAIN QUERY PLAN %s", bw_sql_text(which[i]));
		sqlite3_stmt *q = NULL;

		assert_int_equal(sqlite3_prepare_v2(f->store->db, sql, -1, &q, NULL), SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW)
			if (strncmp((const char *)sqlite3_column_text(q, 3), "SCAN", 4) == 0 &&
			    strcmp((const char *)sqlite3_column_text(q, 3), "SCAN met") != 0 &&
			    strcmp((const char *)sqlite3_column_text(q, 3), "SCAN n") != 0 &&
			    strcmp((const char *)sqlite3_column_text(q, 3), "SCAN CONSTANT ROW") != 0)
				fail_msg("%s: %s", sql, (const char *)sqlite3_column_text(q, 3));
		(void)sqlite3_finalize(q);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_base_is_listed_once_with_what_came_of_the_last_question),
		TEST(what_no_chosen_build_needs_is_not_listed),
		TEST(a_failure_of_the_callback_ends_it),
		TEST(one_is_found_as_it_is_now),
		TEST(a_base_is_foreign_while_only_git_repositories_name_it),
		TEST(companions_are_the_other_bases_of_the_builds_that_stand_on_it),
		TEST(builds_that_are_not_chosen_have_no_companions),
		TEST(a_build_may_name_a_base_in_thousands_of_lines),
		TEST(a_base_of_thousands_of_builds_is_found_at_once),
		TEST(one_base_is_found_by_its_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
