/*
 * The sweep alone: what is asked, in which order and how often the store is written, with thousands of bases. Changes
 * are in test_judge.c.
 */
#include "sweep_scene.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
