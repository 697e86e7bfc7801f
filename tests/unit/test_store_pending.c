/*
 * Requests that are owed and were not made yet: who records a change asks for the builds that he watches, and leaves the
 * others to those who watch them; what an annotation holds back is asked for when it ends.
 */
#include "unit/store_fixture.h"

#include "store/remind.h"
#include "store/sql.h"
#include "unit/rule_scene.h"

#define CONTENT "-=content,layers"
#define DAY	(24LL * 3600 * 1000)

/* "2 more": how many were told of, and whether others wait. */
static const char *tell_some(struct scene *x, int64_t now_ms, size_t max)
{
	static char text[32];
	struct bw_teller t;
	size_t count = 99;
	bool more = true;

	make_teller(x, &t);
	assert_ok(x->f, bw_store_tell_pending(x->f->store, now_ms, &t, max, &count, &more, &x->f->err));
	(void)snprintf(text, sizeof(text), "%zu%s", count, more ? " more" : "");
	return text;
}

static const char *remind_some(struct scene *x, int64_t now_ms, size_t max)
{
	static char text[32];
	struct bw_teller t;
	size_t count = 99;
	bool more = true;

	make_teller(x, &t);
	assert_ok(x->f, bw_store_remind(x->f->store, now_ms, DAY, &t, max, &count, &more, &x->f->err));
	(void)snprintf(text, sizeof(text), "%zu%s", count, more ? " more" : "");
	return text;
}

/* Another process with the same database. */
struct beside {
	struct fixture f;
	struct scene x;
};

static void open_beside(struct beside *b, const struct fixture *f)
{
	b->f = *f;
	bw_buf_init(&b->f.text, 1U << 20);
	open_fixture(&b->f);
	b->x = (struct scene){.f = &b->f};
}

static void close_beside(struct beside *b)
{
	close_fixture(&b->f);
	bw_buf_done(&b->f.text);
}

static void choose(struct fixture *f, const char *location)
{
	assert_ok(f, bw_store_choose_location(f->store, location, NULL, &f->err));
}

static int count_steps(void *arg)
{
	++*(int *)arg;
	return 0;
}

/* --- who watches ------------------------------------------------------------------------------ */

/* A check of one folder, while the daemon that watches another one runs. */
static void a_check_leaves_the_builds_of_others_to_those_who_watch_them(void **state)
{
	struct scene x = {.f = *state};
	struct beside check;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	open_beside(&check, x.f);
	(void)put(&check.f, "/y/Dockerfile", "a");
	see_judged_by(&check.x, 30, "a", "aa", NULL); /* the baseline of /y */
	see_judged_by(&check.x, 40, "a", "ab", CONTENT);
	assert_string_equal(new_events(&x),
			    "base.changed a ci chat\nrebuild.requested /y/Dockerfile [a 1] ci chat\n");
	assert_string_equal(tell_some(&check.x, 50, 9), "0");
	assert_string_equal(tell_some(&x, 50, 9), "1");
	assert_string_equal(tell_some(&x, 50, 9), "0");
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] ci chat\n");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE pending"), 0);
	close_beside(&check);
}

/* The same while no daemon runs: the next one finds it, though nothing moves any more. */
static void what_a_check_recorded_is_asked_for_by_the_next_daemon(void **state)
{
	struct scene x = {.f = *state};
	struct beside daemon;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	close_fixture(x.f);
	open_fixture(x.f);
	(void)put(x.f, "/y/Dockerfile", "b");
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	assert_string_equal(new_events(&x), "base.changed a ci chat\n");
	open_beside(&daemon, x.f);
	assert_string_equal(tell_some(&daemon.x, 40, 9), "0"); /* it has read no source yet */
	choose(&daemon.f, "/x");
	assert_string_equal(tell_some(&daemon.x, 40, 9), "1");
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] ci chat\n");
	close_beside(&daemon);
}

/* And so does its next record, whatever that is of. */
static void a_record_asks_for_what_others_left(void **state)
{
	struct scene x = {.f = *state};
	struct beside check;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	see_all(&x, 20, 'a');
	open_beside(&check, x.f);
	see_judged_by(&check.x, 30, "a", "ab", CONTENT);
	see_judged_by(&x, 40, "b", "aa", NULL);
	assert_string_equal(new_events(&x), "base.changed a ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] ci chat\n");
	close_beside(&check);
}

static void a_source_that_was_removed_is_asked_for_no_more(void **state)
{
	struct scene x = {.f = *state};
	int64_t id;

	sinks(&x);
	id = put(x.f, "/x/Dockerfile", "a");
	(void)put(x.f, "/y/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	assert_ok(x.f, bw_store_unchoose_builds(x.f->store, &id, 1, &x.f->err));
	(void)events(&x);
	see_judged_by(&x, 40, "a", "bc", CONTENT);
	assert_string_equal(remind_some(&x, 40 + DAY, 9), "1");
	assert_string_equal(new_events(&x), "base.changed a ci chat\n"
					    "rebuild.requested /y/Dockerfile [a 1] ci chat\n"
					    "rebuild.requested /y/Dockerfile [a 1] #1 ci chat\n");
	/* It comes back: one request with all that is outstanding, and the reminders go on. */
	assert_ok(x.f, bw_store_choose_builds(x.f->store, &id, 1, &x.f->err));
	assert_string_equal(tell_some(&x, 41 + DAY, 9), "1");
	assert_string_equal(remind_some(&x, 40 + 2 * DAY, 9), "1");
	assert_string_equal(remind_some(&x, 41 + 2 * DAY, 9), "1");
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] ci chat\n"
					    "rebuild.requested /y/Dockerfile [a 1] #2 ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] #1 ci chat\n");
}

/* --- in batches ------------------------------------------------------------------------------- */

static void many_are_told_in_batches(void **state)
{
	char path[] = "/?/Dockerfile";
	struct scene x = {.f = *state};
	struct beside check;

	sinks(&x);
	for (path[1] = 'p'; path[1] < 'p' + 5; path[1]++)
		(void)put(x.f, path, "a");
	see_all(&x, 20, 'a');
	open_beside(&check, x.f);
	see_judged_by(&check.x, 30, "a", "ab", CONTENT);
	(void)events(&x);
	assert_string_equal(tell_some(&x, 40, 2), "2 more");
	assert_string_equal(tell_some(&x, 40, 2), "2 more");
	assert_string_equal(tell_some(&x, 40, 2), "1");
	assert_string_equal(tell_some(&x, 40, 2), "0");
	assert_string_equal(new_events(&x), "rebuild.requested /p/Dockerfile [a 1] ci chat\n"
					    "rebuild.requested /q/Dockerfile [a 1] ci chat\n"
					    "rebuild.requested /r/Dockerfile [a 1] ci chat\n"
					    "rebuild.requested /s/Dockerfile [a 1] ci chat\n"
					    "rebuild.requested /t/Dockerfile [a 1] ci chat\n");
	assert_string_equal(remind_some(&x, 40 + DAY, 3), "3 more");
	assert_string_equal(remind_some(&x, 40 + DAY, 2), "2");
	assert_string_equal(remind_some(&x, 40 + DAY, 2), "0");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE reminders = 1"), 5);
	close_beside(&check);
}

/* Each process looks under the lock what is left. */
static void two_processes_tell_each_request_once(void **state)
{
	struct scene x = {.f = *state};
	struct beside daemon, check;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	open_beside(&check, x.f);
	see_judged_by(&check.x, 30, "a", "ab", CONTENT);
	open_beside(&daemon, x.f);
	choose(&daemon.f, "/");
	assert_string_equal(tell_some(&daemon.x, 40, 9), "1");
	assert_string_equal(tell_some(&x, 40, 9), "0");
	assert_string_equal(remind_some(&x, 40 + DAY, 9), "1");
	assert_string_equal(remind_some(&daemon.x, 40 + DAY, 9), "0");
	close_beside(&daemon);
	close_beside(&check);
}

static void what_cannot_be_told_stays_owed(void **state)
{
	struct scene x = {.f = *state};
	struct beside check;
	struct bw_teller t;
	size_t count = 99;
	bool more = true;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	open_beside(&check, x.f);
	see_judged_by(&check.x, 30, "a", "ab", CONTENT);
	make_teller(&x, &t);
	run_sql(x.f->path,
		"CREATE TRIGGER full BEFORE INSERT ON delivery BEGIN SELECT raise(FAIL, 'no room'); END");
	assert_fault(x.f, bw_store_tell_pending(x.f->store, 40, &t, 9, &count, &more, &x.f->err), BW_E_STORE,
		     "no room");
	assert_int_equal(count, 99);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM event"), 1);
	run_sql(x.f->path, "DROP TRIGGER full");
	assert_string_equal(tell_some(&x, 40, 9), "1");
	close_beside(&check);
}

/* --- annotations ------------------------------------------------------------------------------ */

static void ignore(const struct scene *x, const char *base, const char *until)
{
	BW_AUTOFREE char *sql = bw_asprintf("UPDATE use SET ignored_until = %s WHERE base_id = %lld", until,
					    (long long)base_id(x->f, base));

	run_sql(x->f->path, sql);
}

static void what_is_ignored_for_a_while_is_asked_for_when_that_is_over(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b c");
	see_all(&x, 20, 'a');
	ignore(&x, "a", "500");
	ignore(&x, "b", "700");
	ignore(&x, "c", "9223372036854775807");
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	see_judged_by(&x, 40, "b", "ab", CONTENT);
	see_judged_by(&x, 50, "c", "ab", CONTENT);
	(void)events(&x);
	assert_string_equal(tell_some(&x, 499, 9), "0");
	assert_string_equal(tell_some(&x, 500, 9), "1");
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] ci chat\n");
	/* The other base of the same build was not asked for with it. */
	assert_string_equal(tell_some(&x, 699, 9), "0");
	see_judged_by(&x, 700, "c", "bb", NULL);
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 1] [b 2] ci chat\n");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE pending"), 0);
}

static void an_annotation_that_goes_does_not_hold_back(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	see_all(&x, 20, 'a');
	ignore(&x, "a", "9000");
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	(void)events(&x);
	(void)put(x.f, "/x/Dockerfile", "b a"); /* the next scan: it is not ignored any more */
	assert_string_equal(tell_some(&x, 40, 9), "1");
	assert_string_equal(new_events(&x), "rebuild.requested /x/Dockerfile [a 2] ci chat\n");
}

/* A base that returns meanwhile is not asked for. */
static void what_is_fresh_again_waits_no_more(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	ignore(&x, "a", "500");
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	see_judged_by(&x, 40, "a", "ba", CONTENT);
	assert_string_equal(tell_some(&x, 500, 9), "0");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE pending"), 0);
}

#define MANY 500

/* What waits for a day that is far costs nothing until then: each recorded page looks for what is pending. */
static void what_waits_is_not_looked_at_with_each_record(void **state)
{
	struct scene x = {.f = *state};
	char path[32];
	int thousands = 0;

	sinks(&x);
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "/%u/Dockerfile", i);
		(void)put(x.f, path, "a b");
	}
	see_all(&x, 20, 'a');
	ignore(&x, "a", "500");
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	sqlite3_progress_handler(x.f->store->db, 1000, count_steps, &thousands);
	see_judged_by(&x, 40, "b", "aa", NULL);
	sqlite3_progress_handler(x.f->store->db, 0, NULL, NULL);
	assert_in_range(thousands, 0, 1);
	assert_string_equal(tell_some(&x, 500, 3), "3 more");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_check_leaves_the_builds_of_others_to_those_who_watch_them),
		CASE(what_a_check_recorded_is_asked_for_by_the_next_daemon),
		CASE(a_record_asks_for_what_others_left),
		CASE(a_source_that_was_removed_is_asked_for_no_more),
		CASE(many_are_told_in_batches),
		CASE(two_processes_tell_each_request_once),
		CASE(what_cannot_be_told_stays_owed),
		CASE(what_is_ignored_for_a_while_is_asked_for_when_that_is_over),
		CASE(an_annotation_that_goes_does_not_hold_back),
		CASE(what_is_fresh_again_waits_no_more),
		CASE(what_waits_is_not_looked_at_with_each_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
