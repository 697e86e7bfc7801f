/*
 * The sweep alone: what is asked, in which order and how often the store is written, with thousands of bases. Changes
 * are in test_judge.c.
 */
#include "sweep_scene.h"

#include "store/source.h"

static void track_many(struct scene *x, int count)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_adds(&text, "FROM scratch\n");
	for (int i = 0; i < count; i++)
		bw_buf_addf(&text, "COPY --from=r%d.example/app:%d /x /x\n", i % 3, i);
	track(x, "/src/Dockerfile", text.data);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void each_base_is_asked_once_and_no_more_than_there_is_room_for(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 3000);
	fake.otherwise = fake_image("amd64", "a", "1");
	r = sweep_ok(x);
	assert_int_equal(fake.asks, 3000);
	assert_int_equal(r.asked, 3000);
	assert_int_equal(r.recorded.first, 3000);
	assert_true(fake.most_waiting <= 3 * FAKE_ROOM);
	assert_false(r.interrupted);
}

static void a_sweep_in_which_nothing_moved_is_one_transaction(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 3000);
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	r = sweep_ok(x);
	assert_int_equal(r.asked, 3000);
	assert_int_equal(r.recorded.first + r.recorded.changed + r.recorded.failed, 0);
	assert_int_equal(x->commits, 1);
}

static void changes_are_recorded(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 700);
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	fake.otherwise = fake_image("amd64", "b", "1");
	r = sweep_ok(x);
	assert_int_equal(r.recorded.changed, 700);
	assert_int_equal(fake.fetches, 2); /* one image, whatever its names */
	assert_int_equal(x->commits,
			 4 + 1); /* four bodies, and all changes at once: their events belong together */
	assert_int_equal(
		scene_number(x, "SELECT count(*) FROM event WHERE type = 'io.basewatch.base.changed'"), 700);
	assert_int_equal(
		scene_number(x, "SELECT count(*) FROM event WHERE type = 'io.basewatch.rebuild.requested'"),
		1);
	r = sweep_ok(x);
	assert_int_equal(scene_number(x, "SELECT count(*) FROM event"), 701);
}

/* More changes than are kept come in several transactions. */
static void very_many_changes_are_recorded_before_the_end(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, BW_SWEEP_CHANGES + 100);
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	fake.otherwise = fake_image("amd64", "b", "1");
	r = sweep_ok(x);
	assert_int_equal(r.recorded.changed, BW_SWEEP_CHANGES + 100);
	assert_int_equal(x->commits, 4 + 2);
}

static void trouble_is_recorded_and_its_end_too(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 5);
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	fake.otherwise = fake_trouble_of(BW_TROUBLE_DNS);
	r = sweep_ok(x);
	assert_int_equal(r.recorded.failed, 5);
	fake.otherwise = fake_image("amd64", "a", "1");
	r = sweep_ok(x);
	assert_int_equal(r.recorded.failed + r.recorded.changed, 0);
	r = sweep_ok(x);
	assert_int_equal(x->commits, 1);
}

static void what_was_answered_before_an_interruption_is_kept(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 100);
	fake.otherwise = fake_image("amd64", "a", "1");
	fake.stop_after = 40;
	r = sweep_ok(x);
	assert_true(r.interrupted);
	assert_int_equal(r.asked, 40);
	assert_int_equal(r.recorded.first, 40);
}

static void a_registry_that_is_silent_holds_nobody_else_up(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 300);
	fake.otherwise = fake_image("amd64", "a", "1");
	fake.silent = "r1.example";
	fake.stop_after = 200; /* the answers of the other two */
	bw_timer_start(fake.timer, 0);
	r = sweep_ok(x);
	assert_true(r.asked >= 199);
}

static void nothing_to_ask_ends_at_once(void **state)
{
	struct scene *x = *state;

	track(x, "/src/Dockerfile", "FROM scratch\n");
	assert_int_equal(sweep_ok(x).asked, 0);
	assert_int_equal(x->commits, 0);
}

static void a_failing_store_ends_the_sweep_with_its_error(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r = {0};
	char *problem = NULL;

	track_many(x, 500);
	fake.otherwise = fake_image("amd64", "a", "1");
	assert_int_equal(sqlite3_exec(x->store->db, "PRAGMA query_only=ON", NULL, NULL, &problem), SQLITE_OK);
	assert_true(sweep(x, &r) < 0);
	assert_non_null(strstr(x->err.msg, "x.db"));
}

/* --- what a registry grants ------------------------------------------------------------------- */

static int note_order(const struct fake_question *q, void *arg)
{
	struct bw_buf *to = arg;

	return bw_buf_addf(to, "%s ", q->repository) ? 0 : -1;
}

static void run_sql(struct scene *x, const char *sql)
{
	assert_int_equal(sqlite3_exec(x->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void what_was_not_asked_for_longest_goes_first(void **state)
{
	struct scene *x = *state;
	BW_AUTOBUF struct bw_buf order;

	bw_buf_init(&order, 1000);
	track(x, "/src/Dockerfile",
	      "FROM scratch\nCOPY --from=r.example/a:1 / /\nCOPY --from=r.example/b:1 / /\n"
	      "COPY --from=r.example/c:1 / /\nCOPY --from=r.example/d:1 / /\n");
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	run_sql(x,
		"UPDATE poll SET checked_at = CASE base_id WHEN 1 THEN 4000 WHEN 2 THEN 3000 WHEN 3 THEN 3000"
		" ELSE 2000 END");
	track(x, "/src/e/Dockerfile", "FROM r.example/e:1\n");
	fake.on_ask = note_order;
	fake.on_ask_arg = &order;
	(void)sweep_ok(x);
	assert_string_equal(bw_buf_str(&order), "e d b c a ");
}

/* As the client answers for itself. */
static struct bw_answer held_back(const char *message)
{
	struct bw_answer a = fake_trouble_of(BW_TROUBLE_THROTTLED);

	a.is_held_back = true;
	(void)snprintf(a.message, sizeof(a.message), "%s", message);
	return a;
}

static void what_is_held_back_has_not_failed_and_is_counted_by_registry(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track(x, "/src/Dockerfile",
	      "FROM scratch\nCOPY --from=a.example/x:1 / /\nCOPY --from=a.example/y:1 / /\n"
	      "COPY --from=b.example/x:1 / /\n");
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	fake_say("a.example/x:1", held_back("a.example: 2 are left"));
	fake_say("a.example/y:1", held_back("a.example: 2 are left"));
	r = sweep_ok(x);
	assert_int_equal(r.asked, 1);
	assert_int_equal(r.recorded.failed, 0);
	assert_int_equal(r.held_count, 1);
	assert_string_equal(r.held[0].registry, "a.example");
	assert_int_equal(r.held[0].count, 2);
	assert_string_equal(r.held[0].why, "2 are left");
	bw_sweep_result_done(&r);
	assert_int_equal(scene_number(x, "SELECT count(*) FROM poll WHERE trouble IS NOT NULL"), 0);
}

/* Both ask the same registry, and the questions of one take all of its room. */
static void strangers_are_asked_for_beside_the_users_own(void **state)
{
	const struct bw_source_row row = {.name = "https://x.example/a.git#main",
					  .url = "https://x.example/a.git",
					  .branch = "main",
					  .commit = "c"};
	static const int own, foreign;
	struct scene *x = *state;
	BW_AUTOBUF struct bw_buf text;

	x->clients.own = (struct bw_registry *)(uintptr_t)&own;
	x->clients.foreign = (struct bw_registry *)(uintptr_t)&foreign;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_adds(&text, "FROM scratch\n");
	for (int i = 0; i < 2 * FAKE_ROOM; i++)
		bw_buf_addf(&text, "COPY --from=r.example/own:%d /x /x\n", i);
	track(x, "/src/Dockerfile", text.data);
	assert_int_equal(bw_store_put_git_source(x->store, &row, 1000, &x->err), 0);
	track_in(x, row.name, "Dockerfile",
		 "FROM scratch\nCOPY --from=r.example/y:1 / /\nCOPY --from=r.example/z:1 / /\n");
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	assert_int_equal(fake.asks, 2 * FAKE_ROOM + 2);
}

static void budgets_and_pauses_are_handed_from_sweep_to_sweep(void **state)
{
	struct scene *x = *state;

	track(x, "/src/Dockerfile", "FROM a.example/x:1\n");
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	assert_int_equal(scene_number(x, "SELECT count(*) FROM standing"), 0);
	assert_int_equal(fake.remembers, 0);
	fake.plan = (struct bw_budget_plan){.is_known = true,
					    .limit = 100,
					    .remaining = 20,
					    .reserved = 20,
					    .window_s = 21600,
					    .hold_ms = 2000000};
	(void)sweep_ok(x);
	assert_int_equal(x->commits, 2); /* what was asked, and this */
	assert_int_equal(fake.remembers, 0);
	(void)sweep_ok(x);
	assert_int_equal(fake.remembers, 1);
	assert_true(fake.remembered.has_budget);
	assert_int_equal(fake.remembered.limit, 100);
	assert_int_equal(fake.remembered.remaining, 20);
	assert_int_equal(fake.remembered.window_s, 21600);
	assert_int_equal(fake.remembered.hold_ms, 2000000);
	assert_int_equal(fake.remembered.quiet_ms, 0);
	assert_in_range(fake.remembered.age_ms, 0, 60000);
	fake.plan = (struct bw_budget_plan){0};
	fake.quiet_ms = 5000;
	(void)sweep_ok(x);
	(void)sweep_ok(x);
	assert_false(fake.remembered.has_budget);
	assert_int_equal(fake.remembered.quiet_ms, 5000);
	fake.quiet_ms = 0;
	(void)sweep_ok(x);
	assert_int_equal(scene_number(x, "SELECT count(*) FROM standing"), 0);
}

static void the_pause_of_the_daemons_guard_is_its_own(void **state)
{
	struct scene *x = *state;
	const struct bw_standing guard = {.registry = "a.example",
					  .seen_ms = bw_clock_ms(),
					  .pause = BW_PAUSE_GUARD,
					  .paused_until_ms = bw_clock_ms() + 3600000};

	track(x, "/src/Dockerfile", "FROM a.example/x:1\n");
	fake.otherwise = fake_image("amd64", "a", "1");
	assert_int_equal(bw_store_put_standings(x->store, &guard, 1, &x->err), 0);
	(void)sweep_ok(x);
	assert_int_equal(fake.remembered.hold_ms + fake.remembered.quiet_ms, 0);
	assert_int_equal(scene_number(x, "SELECT count(*) FROM standing WHERE pause = 'guard'"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_base_is_asked_once_and_no_more_than_there_is_room_for),
		TEST(a_sweep_in_which_nothing_moved_is_one_transaction),
		TEST(changes_are_recorded),
		TEST(very_many_changes_are_recorded_before_the_end),
		TEST(trouble_is_recorded_and_its_end_too),
		TEST(what_was_answered_before_an_interruption_is_kept),
		TEST(a_registry_that_is_silent_holds_nobody_else_up),
		TEST(nothing_to_ask_ends_at_once),
		TEST(a_failing_store_ends_the_sweep_with_its_error),
		TEST(what_was_not_asked_for_longest_goes_first),
		TEST(what_is_held_back_has_not_failed_and_is_counted_by_registry),
		TEST(strangers_are_asked_for_beside_the_users_own),
		TEST(budgets_and_pauses_are_handed_from_sweep_to_sweep),
		TEST(the_pause_of_the_daemons_guard_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
