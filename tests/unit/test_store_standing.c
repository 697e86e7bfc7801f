/* How registries stand: store/standing.h. */
#include "unit/store_fixture.h"

#include "store/sql.h"
#include "store/standing.h"

static int add_standing(const struct bw_standing *s, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s at %lld", s->registry, (long long)s->seen_ms);
	if (s->has_budget)
		bw_buf_addf(&f->text, ": %llu of %llu in %u s, %llu kept, %lld ms%s",
			    (unsigned long long)s->remaining, (unsigned long long)s->limit, s->window_s,
			    (unsigned long long)s->reserved, (long long)s->distance_ms,
			    s->is_free ? ", free" : "");
	if (s->pause)
		bw_buf_addf(&f->text, "; %s until %lld", bw_pause_name(s->pause),
			    (long long)s->paused_until_ms);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

static void assert_standings(struct fixture *f, const char *text)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_standing(f->store, add_standing, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), text);
}

static const struct bw_standing hub = {.registry = "docker.io",
				       .seen_ms = 1000,
				       .has_budget = true,
				       .limit = 100,
				       .remaining = 40,
				       .reserved = 20,
				       .window_s = 21600,
				       .distance_ms = 270000};
static const struct bw_standing down = {
	.registry = "a.example", .seen_ms = 2000, .pause = BW_PAUSE_UNREACHABLE};

#define HUB  "docker.io at 1000: 40 of 100 in 21600 s, 20 kept, 270000 ms\n"
#define DOWN "a.example at 2000; unreachable until 0\n"

static void standings_are_kept_by_name_and_replaced(void **state)
{
	struct fixture *f = *state;
	struct bw_standing both[] = {hub, down}, other = hub;

	assert_standings(f, "");
	assert_ok(f, bw_store_put_standings(f->store, both, 2, &f->err));
	assert_standings(f, DOWN HUB);
	other.is_free = true;
	other.remaining = 7;
	other.pause = BW_PAUSE_BUDGET;
	other.paused_until_ms = 5000;
	assert_ok(f, bw_store_put_standings(f->store, &other, 1, &f->err));
	assert_standings(
		f,
		DOWN "docker.io at 1000: 7 of 100 in 21600 s, 20 kept, 270000 ms, free; budget until 5000\n");
}

static void one_with_nothing_to_say_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct bw_standing both[] = {hub, down}, nothing = {.registry = "a.example", .seen_ms = 3000};

	assert_ok(f, bw_store_put_standings(f->store, both, 2, &f->err));
	assert_ok(f, bw_store_put_standings(f->store, &nothing, 1, &f->err));
	assert_standings(f, HUB);
	assert_ok(f, bw_store_put_standings(f->store, &nothing, 1, &f->err));
	assert_ok(f, bw_store_put_standings(f->store, NULL, 0, &f->err));
	assert_standings(f, HUB);
}

static void any_number_that_a_registry_says_is_kept(void **state)
{
	struct fixture *f = *state;
	struct bw_standing s = {.registry = "x",
				.has_budget = true,
				.limit = UINT64_MAX,
				.remaining = UINT64_MAX,
				.window_s = UINT32_MAX,
				.distance_ms = INT64_MAX};

	assert_ok(f, bw_store_put_standings(f->store, &s, 1, &f->err));
	assert_standings(f, "x at 0: 9223372036854775807 of 9223372036854775807 in 4294967295 s, 0 kept, "
			    "9223372036854775807 ms\n");
}

static int refuse(const struct bw_standing *s, void *arg, struct bw_err *err)
{
	(void)s;
	++*(int *)arg;
	return bw_fail(err, BW_E_INPUT, "no more");
}

static void a_callback_may_end_it(void **state)
{
	struct fixture *f = *state;
	struct bw_standing both[] = {hub, down};
	int calls = 0;

	assert_ok(f, bw_store_put_standings(f->store, both, 2, &f->err));
	assert_int_equal(bw_store_each_standing(f->store, refuse, &calls, &f->err), BW_E_INPUT);
	assert_int_equal(calls, 1);
}

/* Each of the statements: all or nothing. */
static void what_fails_is_told_and_leaves_all_as_it_was(void **state)
{
	static const char first_break[] =
		"CREATE TRIGGER t BEFORE INSERT ON standing WHEN NEW.registry = 'a.example' BEGIN SELECT "
		"RAISE(ABORT, 'no'); END";
	static const char *const breaks[] = {
		first_break,
		"CREATE TRIGGER t BEFORE DELETE ON standing BEGIN SELECT RAISE(ABORT, 'no'); END",
		"DROP TABLE standing",
	};
	struct bw_standing first[] = {hub, down};
	const struct bw_standing second[] = {
		{.registry = "b.example", .pause = BW_PAUSE_GUARD}, {.registry = "docker.io"}, down};
	struct fixture *f = *state;

	for (size_t i = 0; i < BW_COUNT(breaks); i++) {
		assert_ok(f, bw_store_put_standings(f->store, first, 2, &f->err));
		assert_int_equal(sqlite3_exec(f->store->db, breaks[i], NULL, NULL, NULL), SQLITE_OK);
		f->err = BW_ERR_INIT;
		assert_true(bw_store_put_standings(f->store, second, 3, &f->err) < 0);
		assert_true(f->err.msg[0] != '\0');
		if (i < 2) {
			assert_standings(f, DOWN HUB);
			assert_int_equal(sqlite3_exec(f->store->db, "DROP TRIGGER t", NULL, NULL, NULL),
					 SQLITE_OK);
		}
	}
	assert_true(bw_store_each_standing(f->store, add_standing, f, &f->err) < 0);
}

static void words_for_pauses_are_their_own_inverse(void **state)
{
	(void)state;
	for (unsigned p = 0; p < BW_PAUSE_COUNT; p++)
		assert_int_equal(bw_pause_from_name(bw_pause_name((enum bw_pause)p)), p);
	assert_int_equal(bw_pause_from_name("tired"), BW_PAUSE_NONE);
	assert_int_equal(bw_pause_from_name(NULL), BW_PAUSE_NONE);
	assert_string_equal(bw_pause_name(BW_PAUSE_COUNT), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(standings_are_kept_by_name_and_replaced),
		TEST(one_with_nothing_to_say_is_forgotten),
		TEST(any_number_that_a_registry_says_is_kept),
		TEST(a_callback_may_end_it),
		TEST(what_fails_is_told_and_leaves_all_as_it_was),
		cmocka_unit_test(words_for_pauses_are_their_own_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
