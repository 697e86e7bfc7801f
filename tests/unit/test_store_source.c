/* Branches of git repositories: what is known of them, and what happens to their builds. */
#include "unit/store_fixture.h"

#include "store/gap.h"
#include "store/source.h"

#define API  "https://x.example/api.git"
#define MAIN API "#main"

static void put_git(struct fixture *f, const char *commit, const char *problem, int64_t at_ms)
{
	const struct bw_source_row row = {
		.name = MAIN, .url = API, .branch = "main", .commit = commit, .problem = problem};

	assert_ok(f, bw_store_put_git_source(f->store, &row, at_ms, &f->err));
}

static int add_source(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s %s %s %s %lld", x->name, x->url, x->branch, x->commit ? x->commit : "-",
		    (long long)x->checked_ms);
	if (x->problem)
		bw_buf_addf(&f->text, " (%s since %lld)", x->problem, (long long)x->problem_since_ms);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

static const char *sources(struct fixture *f, const char *name)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_git_source(f->store, name, add_source, f, &f->err));
	return bw_buf_str(&f->text);
}

static void a_branch_remembers_its_commit_while_it_cannot_be_reached(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(sources(f, NULL), ""); /* folders are no branches */
	put_git(f, NULL, "no route", 10);
	assert_string_equal(sources(f, NULL), MAIN " " API " main - 10 (no route since 10)\n");
	put_git(f, "c1", NULL, 20);
	assert_string_equal(sources(f, MAIN), MAIN " " API " main c1 20\n");
	put_git(f, NULL, "timeout", 30);
	put_git(f, "other", "refused", 40);
	assert_string_equal(sources(f, MAIN), MAIN " " API " main c1 40 (refused since 30)\n");
	put_git(f, "c2", NULL, 50);
	assert_string_equal(sources(f, MAIN), MAIN " " API " main c2 50\n");
	assert_string_equal(sources(f, "other"), "");
}

static void branches_are_listed_by_name(void **state)
{
	const struct bw_source_row dev = {.name = API "#dev", .url = API, .branch = "dev", .commit = "d"};
	struct fixture *f = *state;

	put_git(f, "c", NULL, 10);
	assert_ok(f, bw_store_put_git_source(f->store, &dev, 11, &f->err));
	(void)put_source(f, "shop", "/src", "/src/Dockerfile", "a");
	assert_string_equal(sources(f, NULL), API "#dev " API " dev d 11\n" MAIN " " API " main c 10\n");
}

static int stop(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "at %s", x->branch);
}

static void a_callback_can_end_the_list(void **state)
{
	struct fixture *f = *state;

	put_git(f, "c", NULL, 10);
	assert_int_equal(bw_store_each_git_source(f->store, NULL, stop, NULL, &f->err), BW_E_LIMIT);
	assert_string_equal(f->err.msg, "at main");
}

static void files_that_are_not_in_the_tree_any_more_end(void **state)
{
	struct fixture *f = *state;

	put_git(f, "c", NULL, 10);
	(void)put_source(f, MAIN, "", "Dockerfile", "a");
	(void)put_source(f, MAIN, "", "web/Dockerfile", "b");
	(void)put_source(f, "other", "", "web/Dockerfile", "c");
	(void)put(f, "/web/Dockerfile", "d");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	(void)put_source(f, MAIN, "", "Dockerfile", "a");
	assert_ok(f, bw_store_end_unchosen(f->store, MAIN, 77, &f->err));
	assert_int_equal(ask(f, "SELECT count(*) FROM build WHERE ended_at = 77"), 1);
	assert_int_equal(ask(f,
			     "SELECT count(*) FROM build_file WHERE ended_at = 77 AND path = 'web/Dockerfile'"
			     " AND source_id = (SELECT id FROM source WHERE name = '" MAIN "')"),
			 1);
	assert_ok(f, bw_store_end_unchosen(f->store, "nobody", 78, &f->err));
	(void)put_source(f, MAIN, "", "web/Dockerfile", "b");
	assert_int_equal(ask(f, "SELECT count(*) FROM build WHERE ended_at IS NOT NULL"), 0);
}

static void a_location_never_means_a_branch(void **state)
{
	struct fixture *f = *state;
	size_t count = 99;

	put_git(f, "c", NULL, 10);
	(void)put_source(f, MAIN, "", "Dockerfile", "a");
	(void)put(f, "/web/Dockerfile", "d");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, "/", &count, &f->err));
	assert_int_equal(count, 1);
	assert_ok(f, bw_store_choose_source(f->store, MAIN, "", &count, &f->err));
	assert_int_equal(count, 1);
}

/* --- what could not be looked into ------------------------------------------------------------ */

static const char *gaps(struct fixture *f, const char *key)
{
	struct bw_gaps g = {0};

	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_load_gaps(f->store, key, &g, &f->err));
	for (size_t i = 0; i < g.count; i++)
		bw_buf_addf(&f->text, "%s (%s) %lld\n", g.items[i].place, g.items[i].problem,
			    (long long)g.items[i].since_ms);
	bw_gaps_done(&g);
	return bw_buf_str(&f->text);
}

/* `problem` NULL: there is none. */
static int64_t put_gap(struct fixture *f, const char *place, const char *problem, int64_t at_ms)
{
	struct bw_gaps g = {0};
	int64_t since_ms;

	if (problem)
		bw_gaps_add(&g, place, problem, 0);
	assert_ok(f, bw_store_put_gaps(f->store, "k", &g, at_ms, &f->err));
	since_ms = problem ? g.items[0].since_ms : 0;
	bw_gaps_done(&g);
	return since_ms;
}

static void a_gap_is_one_since_it_was_first_seen_until_it_is_not_seen(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(gaps(f, "k"), "");
	assert_int_equal(put_gap(f, "/a", "/a: gone", 10), 10);
	assert_string_equal(gaps(f, "k"), "/a (gone) 10\n");
	assert_int_equal(put_gap(f, "/a", "closed", 20), 10);
	assert_string_equal(gaps(f, "k"), "/a (closed) 10\n");
	assert_int_equal(put_gap(f, "/b", "gone", 30), 30);
	assert_string_equal(gaps(f, "k"), "/b (gone) 30\n");
	assert_string_equal(gaps(f, "other"), "");
	(void)put_gap(f, NULL, NULL, 40);
	assert_string_equal(gaps(f, "k"), "");
}

static void an_unchanged_gap_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct bw_gaps g = {0};

	(void)put_gap(f, "/a", "gone", 10);
	run_sql(f->path, "CREATE TRIGGER t BEFORE INSERT ON gap BEGIN SELECT RAISE(ABORT, 'written'); END");
	assert_int_equal(put_gap(f, "/a", "gone", 20), 10);
	bw_gaps_add(&g, "/b", "gone", 0);
	assert_true(bw_store_put_gaps(f->store, "k", &g, 30, &f->err) < 0);
	assert_string_equal(gaps(f, "k"), "/a (gone) 10\n");
	bw_gaps_done(&g);
}

static void a_list_of_gaps_has_an_end(void **state)
{
	struct fixture *f = *state;
	struct bw_gaps g = {0};
	char place[32];

	for (int i = 0; i < BW_GAPS_MAX + 5; i++) {
		(void)snprintf(place, sizeof(place), "/%d", i % (BW_GAPS_MAX - 1));
		bw_gaps_add(&g, place, "gone", 0);
	}
	assert_int_equal(g.count, BW_GAPS_MAX);
	assert_ok(f, bw_store_put_gaps(f->store, "k", &g, 10, &f->err)); /* the same place twice is once */
	assert_int_equal(ask(f, "SELECT count(*) FROM gap"), BW_GAPS_MAX - 1);
	bw_gaps_done(&g);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_branch_remembers_its_commit_while_it_cannot_be_reached),
		CASE(branches_are_listed_by_name),
		CASE(a_callback_can_end_the_list),
		CASE(files_that_are_not_in_the_tree_any_more_end),
		CASE(a_location_never_means_a_branch),
		CASE(a_gap_is_one_since_it_was_first_seen_until_it_is_not_seen),
		CASE(an_unchanged_gap_writes_nothing),
		CASE(a_list_of_gaps_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
