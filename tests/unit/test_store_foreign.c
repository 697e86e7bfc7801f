/* Bases that only git repositories name: strangers, for whom the network rules hold. */
#include "unit/store_fixture.h"

#include "store/source.h"
#include "store/sql.h"

#define API   "https://x.example/api.git"
#define MAIN  API "#main"
#define AMD64 "linux/amd64"

static void put_git(struct fixture *f, const char *path, const char *uses)
{
	const struct bw_source_row row = {.name = MAIN, .url = API, .branch = "main", .commit = "c"};

	assert_ok(f, bw_store_put_git_source(f->store, &row, 10, &f->err));
	(void)put_source(f, MAIN, "", path, uses);
}

static int add_foreign(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s%s:%s\n", b->is_foreign ? "foreign " : "", b->repository, b->tag);
	return 0;
}

static const char *bases(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_wanted(f->store, f->now_ms, add_foreign, f, &f->err));
	return bw_buf_str(&f->text);
}

static void what_only_repositories_name_is_foreign(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/d/Dockerfile", "a b");
	put_git(f, "1/Dockerfile", "b c");
	put_git(f, "2/Dockerfile", "c b");
	(void)put_source(f, "shop", "/src", "/src/Dockerfile", "d");
	put_git(f, "3/Dockerfile", "d e");
	assert_string_equal(bases(f), "library/a:latest\nlibrary/b:latest\nforeign library/c:latest\n"
				      "library/d:latest\nforeign library/e:latest\n");
}

/* Uses that need no answer do not make it the user's; nor do builds that are not chosen. */
static void only_uses_that_need_an_answer_count(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/d/Dockerfile", "~a b");
	put_git(f, "Dockerfile", "a b");
	assert_string_equal(bases(f), "foreign library/a:latest\nlibrary/b:latest\n");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_source(f->store, MAIN, "", NULL, &f->err));
	assert_string_equal(bases(f), "foreign library/a:latest\nforeign library/b:latest\n");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, "/d", NULL, &f->err));
	assert_string_equal(bases(f), "library/b:latest\n");
}

static int stop_at_foreign(const struct bw_base *b, void *arg, struct bw_err *err)
{
	(void)arg;
	return b->is_foreign ? bw_fail(err, BW_E_LIMIT, "at %s", b->repository) : 0;
}

static void the_caller_may_stop_at_each(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/d/Dockerfile", "a z");
	put_git(f, "Dockerfile", "c m");
	assert_int_equal(bw_store_each_wanted(f->store, 1, stop_at_foreign, NULL, &f->err), BW_E_LIMIT);
	assert_string_equal(f->err.msg, "at library/c");
	put_git(f, "Dockerfile", "zz"); /* the last of all */
	assert_int_equal(bw_store_each_wanted(f->store, 1, stop_at_foreign, NULL, &f->err), BW_E_LIMIT);
	assert_string_equal(f->err.msg, "at library/zz");
}

#define MANY 700 /* more uses than a list of few takes: the other statement */

static void long_lists_know_it_too(void **state)
{
	struct fixture *f = *state;
	size_t foreign = 0, own = 0;
	char path[32], uses[64];
	const char *line;

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "%s%u/Dockerfile", i % 2 ? "/" : "", i);
		(void)snprintf(uses, sizeof(uses), "both i%u:1 i%u:2 i%u:3", i, i, i);
		if (i % 2)
			(void)put(f, path, uses);
		else
			put_git(f, path, uses);
	}
	for (line = bases(f); *line; line = strchr(line, '\n') + 1) {
		bool is_foreign = strncmp(line, "foreign ", 8) == 0;

		foreign += is_foreign;
		own += !is_foreign;
	}
	assert_int_equal(foreign, 3 * MANY / 2);
	assert_int_equal(own, 3 * MANY / 2 + 1);
	assert_non_null(strstr(bases(f), "\nlibrary/i1:3\n"));
	assert_non_null(strstr(bases(f), "\nforeign library/i2:3\n"));
	assert_int_equal(strncmp(bases(f), "library/both:latest\n", 20), 0);
}

static int add_uncompared(const struct bw_uncompared *u, void *arg, struct bw_err *err)
{
	return add_foreign(&u->base, arg, err);
}

static int add_doubted(const struct bw_doubt *d, void *arg, struct bw_err *err)
{
	return add_foreign(&d->base, arg, err);
}

static void questions_about_changes_know_it(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/d/Dockerfile", "a|" AMD64);
	put_git(f, "Dockerfile", "a|" AMD64 " b|" AMD64);
	see(f, "a", 'a', 100);
	see(f, "b", 'a', 100);
	see(f, "a", 'b', 200);
	see(f, "b", 'b', 200);
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_uncompared(f->store, 1000, add_uncompared, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "library/a:latest\nforeign library/b:latest\n");
}

static void doubts_about_pins_know_it(void **state)
{
	struct fixture *f = *state;

	(void)put(f, "/d/Dockerfile", "a:1@" ZERO_DIGEST);
	put_git(f, "Dockerfile", "a:1@" ZERO_DIGEST " b:1@" ZERO_DIGEST);
	see(f, "a:1", 'a', 100);
	see(f, "b:1", 'a', 100);
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_doubt(f->store, 1000, add_doubted, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "library/a:1\nforeign library/b:1\n");
}

/* --- size ------------------------------------------------------------------------------------- */

#define LINES 2000 /* of one base in one file of a stranger */

static int count_steps(void *arg)
{
	++*(int *)arg;
	return 0;
}

static void multiply(const struct fixture *f, const char *set)
{
	BW_AUTOFREE char *sql = bw_asprintf(
		"CREATE TEMP TABLE line AS SELECT * FROM use;"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO use SELECT NULL, build_id, base_id, reachable, ignored_until, line, role, "
		"stage, %s,"
		" ignored, unresolved, is_scratch, line_column, byte_start, byte_end, arg_line, arg_column,"
		" arg_start, arg_end, patch FROM line, n",
		LINES, set);

	run_sql(f->path, sql);
}

/* Each line is a question of its own, and the loop stands still meanwhile: not each with each. */
static void a_stranger_may_stand_on_a_base_for_thousands_of_platforms(void **state)
{
	struct fixture *f = *state;
	int thousands = 0;

	put_git(f, "Dockerfile", "a b");
	see(f, "a", 'a', 100);
	see(f, "b", 'a', 100);
	see(f, "a", 'b', 200);
	multiply(f, "'linux/x' || i, written, pinned");
	bw_buf_clear(&f->text);
	sqlite3_progress_handler(f->store->db, 1000, count_steps, &thousands);
	assert_ok(f, bw_store_each_uncompared(f->store, 1000, add_uncompared, f, &f->err));
	sqlite3_progress_handler(f->store->db, 0, NULL, NULL);
	assert_int_equal(strlen(bw_buf_str(&f->text)), (LINES + 1) * strlen("foreign library/a:latest\n"));
	assert_in_range(thousands, 1, 500);
}

static void a_stranger_may_pin_a_base_in_thousands_of_ways(void **state)
{
	struct fixture *f = *state;
	int thousands = 0;

	put_git(f, "Dockerfile", "a:1@" ZERO_DIGEST " b:1@" ZERO_DIGEST);
	see(f, "a:1", 'a', 100);
	multiply(f, "platform, written, 'sha256:' || printf('%064x', i)");
	bw_buf_clear(&f->text);
	sqlite3_progress_handler(f->store->db, 1000, count_steps, &thousands);
	assert_ok(f, bw_store_each_doubt(f->store, 1000, add_doubted, f, &f->err));
	sqlite3_progress_handler(f->store->db, 0, NULL, NULL);
	assert_int_equal(strlen(bw_buf_str(&f->text)), (LINES + 1) * strlen("foreign library/a:1\n"));
	assert_in_range(thousands, 1, 500);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_only_repositories_name_is_foreign),
		CASE(only_uses_that_need_an_answer_count),
		CASE(the_caller_may_stop_at_each),
		CASE(long_lists_know_it_too),
		CASE(questions_about_changes_know_it),
		CASE(doubts_about_pins_know_it),
		CASE(a_stranger_may_stand_on_a_base_for_thousands_of_platforms),
		CASE(a_stranger_may_pin_a_base_in_thousands_of_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
