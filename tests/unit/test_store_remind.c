/* Reminders of rebuilds that were asked for and did not come, in simulated time. */
#include "unit/store_fixture.h"

#include "store/remind.h"
#include "unit/deliveries.h"
#include "unit/rule_scene.h"

#define DAY	(24LL * 3600 * 1000)
#define START	(20000 * DAY)
#define CONTENT "-=content,layers"

static size_t remind(struct scene *x, int64_t now_ms, int64_t every_ms)
{
	struct bw_teller t;
	size_t count = 99;
	bool more = true;

	make_teller(x, &t);
	assert_ok(x->f, bw_store_remind(x->f->store, now_ms, every_ms, &t, 100, &count, &more, &x->f->err));
	assert_false(more);
	return count;
}

/* Base a moved at START, and /x was asked to be rebuilt; b stands still. */
static void begin(struct scene *x, void **state)
{
	x->f = *state;
	sinks(x);
	(void)put(x->f, "/x/Dockerfile", "a b");
	see_all(x, START - DAY, 'a');
	see_judged_by(x, START, "a", "ab", CONTENT);
	(void)events(x);
}

static void a_reminder_is_due_when_its_time_has_come(void **state)
{
	static const struct {
		int64_t last, now, every;
		bool is_due;
	} cases[] = {
		{100, 199, 100, false},
		{100, 200, 100, true},
		{100, 9999, 100, true},
		{100, 100, 0, false},
		{100, 9999, 0, false},
		/* A clock that was set back: a little, and by more than reminders take. */
		{200, 150, 100, false},
		{200, 100, 100, false},
		{200, 99, 100, true},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(cases); i++)
		if (bw_remind_is_due(cases[i].last, cases[i].now, cases[i].every) != cases[i].is_due)
			fail_msg("case %zu", i);
}

static void a_build_that_stays_stale_is_asked_for_again(void **state)
{
	struct scene x = {0};

	begin(&x, state);
	assert_int_equal(remind(&x, START + DAY, 0), 0);
	assert_int_equal(remind(&x, START + 7 * DAY - 1, 7 * DAY), 0);
	assert_string_equal(new_events(&x), "");
	assert_int_equal(remind(&x, START + 7 * DAY, 7 * DAY), 1);
	assert_int_equal(remind(&x, START + 7 * DAY, 7 * DAY), 0);
	assert_int_equal(remind(&x, START + 14 * DAY - 1, 7 * DAY), 0);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] #1 ci chat\n");
	/* Another process goes on where this one was: all of it is in the database. */
	close_fixture(x.f);
	open_fixture(x.f);
	assert_ok(x.f, bw_store_choose_all(x.f->store, NULL, &x.f->err));
	assert_int_equal(remind(&x, START + 14 * DAY, 7 * DAY), 1);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] #2 ci chat\n");
	assert_int_equal(ask(x.f, "SELECT count(DISTINCT id) FROM event"), 4);
}

static void a_reminder_supersedes_what_was_not_sent(void **state)
{
	struct scene x = {0};

	begin(&x, state);
	assert_ok(x.f, record_sent(x.f->store, 3, START + 1, &x.f->err)); /* the request, to ci */
	assert_int_equal(remind(&x, START + DAY, DAY), 1);
	assert_int_equal(remind(&x, START + 2 * DAY, DAY), 1);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE state = 'superseded'"), 3);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE state = 'due' AND event = 4"), 2);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE is_first AND event = 4"), 2);
}

static void a_reminder_asks_for_what_is_outstanding_now(void **state)
{
	struct bw_done_counts counts = {0};
	struct scene x = {0};

	begin(&x, state);
	/* News of another base starts the time anew, and goes on counting. */
	assert_int_equal(remind(&x, START + DAY, DAY), 1);
	see_judged_by(&x, START + DAY + DAY / 2, "b", "ab", CONTENT);
	assert_int_equal(remind(&x, START + 2 * DAY, DAY), 0);
	assert_int_equal(remind(&x, START + 2 * DAY + DAY / 2, DAY), 1);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] #1 ci chat\n"
					    "base.changed b ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] [b 2] ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] [b 2] #2 ci chat\n");
	/* b returns: a alone is asked for, by a number that there was not yet. */
	see_judged_by(&x, START + 3 * DAY, "b", "ba", CONTENT);
	assert_int_equal(remind(&x, START + 4 * DAY, DAY), 1);
	assert_string_equal(new_events(&x), "base.changed b ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] #3 ci chat\n");
	/* The last one can be acknowledged like any request; then there is an end to it. */
	assert_ok(x.f, bw_store_done_event(x.f->store, (int64_t)x.seen, START + 5 * DAY, &counts, &x.f->err));
	assert_int_equal(counts.closed, 1);
	assert_int_equal(remind(&x, START + 50 * DAY, DAY), 0);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE reminders OR reminded_at"), 0);
	/* The next change is counted from the start. */
	see_judged_by(&x, START + 60 * DAY, "a", "bc", CONTENT);
	assert_int_equal(remind(&x, START + 61 * DAY, DAY), 1);
	assert_string_equal(new_events(&x),
			    "base.changed a ci chat\nrebuild.requested /x/Dockerfile [a 1] ci chat\n"
			    "rebuild.requested /x/Dockerfile [a 1] #1 ci chat\n");
}

static void nobody_is_reminded_of_what_has_ended_or_is_ignored(void **state)
{
	struct scene x = {0};

	begin(&x, state);
	run_sql(x.f->path, "UPDATE build SET ended_at = 1");
	assert_int_equal(remind(&x, START + 2 * DAY, DAY), 0);
	run_sql(x.f->path,
		"UPDATE build SET ended_at = NULL; UPDATE use SET ignored_until = 9223372036854775807");
	assert_int_equal(remind(&x, START + 2 * DAY, DAY), 0);
	run_sql(x.f->path, "UPDATE use SET ignored_until = 0");
	/* That it was looked at is remembered. */
	assert_int_equal(remind(&x, START + 3 * DAY - 1, DAY), 0);
	assert_int_equal(remind(&x, START + 3 * DAY, DAY), 1);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] #1 ci chat\n");
}

static void nobody_is_reminded_of_what_rules_suppress(void **state)
{
	static const char *const nobody[] = {NULL}, *const ci[] = {"ci", NULL}, *const a[] = {"**/a:*", NULL};
	static const struct bw_rule silent[] =
		{{.bases = a, .roles = 0xff, .classes = 0xff, .sinks = nobody}},
				    to_ci[] = {{.roles = 0xff, .classes = 0xff, .sinks = ci}};
	struct scene x = {.rules = {silent, 1}};

	begin(&x, state);
	assert_int_equal(remind(&x, START + DAY, DAY), 0); /* it was never asked for */
	see_judged_by(&x, START + DAY, "b", "ab", CONTENT);
	(void)events(&x);
	assert_int_equal(remind(&x, START + 2 * DAY, DAY), 1);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [b 2] #1 ci chat\n");
	/* The rules of the day hold: what they let through now is asked for, too. */
	x.rules = (struct bw_rules){to_ci, 1};
	assert_int_equal(remind(&x, START + 3 * DAY, DAY), 1);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] [b 2] #2 ci\n");
}

/* What a month brings with builds that are rebuilt, or not, by dice: never two reminders of one build within the time. */
static void a_month_of_hours_reminds_at_its_pace(void **state)
{
	struct scene x = {0};
	uint64_t seed = 7;
	size_t told = 0;

	x.f = *state;
	sinks(&x);
	for (char c = 'a'; c < 'a' + 6; c++) {
		char path[] = "/?/Dockerfile", base[] = "?";

		path[1] = base[0] = c;
		(void)put(x.f, path, base);
	}
	see_all(&x, START, 'a');
	see_all(&x, START + 1, 'b');
	for (int64_t hour = 1; hour <= 30 * 24; hour++) {
		struct bw_done_counts counts;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		told += remind(&x, START + hour * DAY / 24, 3 * DAY);
		if (seed >> 40 < 50000) { /* one in 300 hours */
			assert_ok(x.f, bw_store_choose_none(x.f->store, &x.f->err));
			assert_ok(x.f, bw_store_choose_location(x.f->store, "/", NULL, &x.f->err));
			assert_ok(x.f, bw_store_done(x.f->store, NULL, START + hour * DAY / 24, &counts,
						     &x.f->err));
			see_all(&x, START + hour * DAY / 24 + 1, hour % 2 ? 'c' : 'd');
		}
	}
	assert_true(told >= 6 * 5 && told <= 6 * 10);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM event e JOIN event n ON n.subject = e.subject AND "
				  "n.number > e.number"
				  " AND n.at - e.at BETWEEN 0 AND 3 * 86400000 - 1"
				  " WHERE e.type LIKE '%requested' AND n.type = e.type"
				  " AND n.json NOT LIKE '%\"reminder\":0}%'"),
			 0);
}

static void what_cannot_be_told_is_not_counted_as_told(void **state)
{
	struct scene x = {0};
	struct bw_teller t;
	size_t count = 99;
	bool more = true;

	begin(&x, state);
	make_teller(&x, &t);
	x.options.instance = NULL;
	run_sql(x.f->path,
		"CREATE TRIGGER full BEFORE INSERT ON delivery BEGIN SELECT raise(FAIL, 'no room'); END");
	assert_fault(x.f, bw_store_remind(x.f->store, START + DAY, DAY, &t, 100, &count, &more, &x.f->err),
		     BW_E_STORE, "no room");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM event"), 2);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE reminders OR reminded_at"), 0);
	run_sql(x.f->path, "DROP TRIGGER full");
	assert_int_equal(remind(&x, START + DAY, DAY), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reminder_is_due_when_its_time_has_come),
		CASE(a_build_that_stays_stale_is_asked_for_again),
		CASE(a_reminder_supersedes_what_was_not_sent),
		CASE(a_reminder_asks_for_what_is_outstanding_now),
		CASE(nobody_is_reminded_of_what_has_ended_or_is_ignored),
		CASE(nobody_is_reminded_of_what_rules_suppress),
		CASE(a_month_of_hours_reminds_at_its_pace),
		CASE(what_cannot_be_told_is_not_counted_as_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
