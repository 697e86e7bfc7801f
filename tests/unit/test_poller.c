/*
 * The poller: who is asked when is the schedule's (test_schedule.c); here is what it does with it, on a real store in
 * simulated time.
 */
#include "poller_scene.h"

#include "store/outbox.h"

#define A	  "r0.example/app:0"
#define B	  "r1.example/app:1"
#define ONE	  "FROM r0.example/app:0\n"
#define TWO	  "FROM r0.example/app:0 AS x\nFROM r1.example/app:1\nCOPY --from=x /x /x\n"
#define SIGHTINGS "SELECT count(*) FROM sighting"

static struct bw_poller_counts counts_of(const struct scene *x)
{
	struct bw_poller_counts c;

	bw_poller_count(x->poller, &c);
	return c;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void bases_never_seen_are_asked_at_once_and_each_once(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 300);
	track_in(x->store, "", "/src/other/Dockerfile", ONE);
	reload(x);
	virtual_run(5 * SECOND);
	assert_int_equal(fake.asks, 300);
	assert_int_equal(count_told(x, "first "), 300);
	assert_int_equal(number(x, SIGHTINGS), 300);
	assert_int_equal(x->words, 300);
	assert_int_equal(counts_of(x).bases, 300);
	assert_int_equal(counts_of(x).asked, 300);
	assert_true(bw_poller_is_idle(x->poller));
	virtual_run(10 * SECOND);
	assert_int_equal(fake.asks, 300);
}

static void a_sweep_in_which_nothing_moved_is_one_transaction_and_grows_nothing(void **state)
{
	struct scene *x = *state;
	uint64_t sweeps;
	int64_t pages;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 20);
	settle(x);
	sweeps = counts_of(x).sweeps;
	pages = number(x, "PRAGMA page_count");
	virtual_now(virtual_loop.now_ms +
		    30 * HOUR); /* the machine slept: all are due, and asked at the pace */
	virtual_run(MINUTE);
	assert_int_equal(fake.asks, 20);
	assert_int_equal(counts_of(x).sweeps - sweeps, 1);
	assert_int_equal(x->commits, 1);
	assert_int_equal(x->words, 0);
	assert_int_equal(number(x, "PRAGMA page_count"), pages);
	assert_int_equal(number(x, SIGHTINGS), 20);
	assert_int_equal(number(x, "SELECT count(*) FROM event"), 0);
	assert_int_equal(number(x, "SELECT min(checked_at) > 1790100000000 FROM poll"), 1);
	assert_told(x, "");
}

static void a_base_that_nobody_wants_any_more_is_dropped(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	assert_int_equal(counts_of(x).bases, 2);
	track_in(x->store, "", "/src/Dockerfile", ONE); /* by another process: nobody tells the poller */
	virtual_run(2 * HOUR);
	assert_int_equal(counts_of(x).bases, 1);
	assert_int_equal(fake.asks, counts_of(x).asked - 2);
	assert_in_range(fake.asks, 1, 3);
	track(x, "/src/Dockerfile", "FROM scratch\n");
	assert_int_equal(counts_of(x).bases, 0);
	fake_count_anew();
	virtual_run(5 * HOUR);
	assert_int_equal(fake.asks, 0);
	assert_told(x, "");
}

static void a_base_that_is_dropped_in_flight_may_answer(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.held = "r1.example";
	track(x, "/src/Dockerfile", TWO);
	virtual_run(MINUTE);
	assert_told(x, "first " A "\n");
	track(x, "/src/Dockerfile", ONE);
	assert_int_equal(counts_of(x).bases, 1);
	fake_release();
	virtual_run(100);
	assert_told(x, "first " B "\n");
	assert_true(bw_poller_is_idle(x->poller));
	assert_int_equal(number(x, SIGHTINGS), 2);
}

static void a_reload_keeps_the_due_times(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_options o = x->options.schedule;
	int64_t due;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 10);
	settle(x);
	due = bw_schedule_delay(x->poller->schedule, read_now(x->poller));
	reload(x);
	bw_poller_set_schedule(x->poller, &o);
	assert_int_equal(bw_schedule_delay(x->poller->schedule, read_now(x->poller)), due);
	for (int minute = 0; minute < 120; minute++) {
		virtual_run(MINUTE);
		reload(x);
	}
	assert_in_range(fake.asks, 10, 30);
	assert_told(x, "");
}

/* Else the state of the new build would stay what it was before the base was asked. */
static void that_a_new_build_stands_on_what_a_base_has_is_worth_a_word(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	track(x, "/src/new/Dockerfile", ONE);
	run_until_asked(x, 1);
	virtual_run(10 * SECOND);
	assert_int_equal(x->records, 1);
	assert_int_equal(x->words, 0);
	run_until_asked(x, 2);
	virtual_run(10 * SECOND);
	assert_int_equal(x->records, 1);
	assert_told(x, "");
}

static void a_shorter_interval_holds_at_once(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_options o = x->options.schedule;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 10);
	settle(x);
	o.every_ms = 1000;
	bw_poller_set_schedule(x->poller, &o);
	virtual_run(MINUTE);
	assert_in_range(fake.asks, 500, 700);
	assert_in_range(x->commits, 50, 130);
}

static void a_restart_neither_forgets_nor_storms(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 50);
	settle(x);
	for (int i = 0; i < 20; i++) {
		stop_poller(x);
		start_poller(x);
		reload(x);
		virtual_run(SECOND);
	}
	assert_true(fake.asks <= 5);
	virtual_run(66 * MINUTE);
	assert_in_range(fake.asks, 50, 150);
	assert_int_equal(number(x, "SELECT max(checked_at) - min(checked_at) < 4000000 FROM poll"), 1);
	assert_int_equal(number(x, SIGHTINGS), 50);
	assert_told(x, "");
}

/* A question that the schedule takes as lost after ten minutes may be in the hands of a very slow registry. */
static void a_slow_base_has_one_question_at_a_time(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.held = "r0.example";
	track(x, "/src/Dockerfile", ONE);
	virtual_run(5 * HOUR);
	assert_int_equal(fake.asks, 1);
	assert_false(bw_poller_is_idle(x->poller));
	fake_release();
	virtual_run(SECOND);
	assert_told(x, "first " A "\n");
	assert_true(bw_poller_is_idle(x->poller));
	virtual_run(2 * HOUR);
	assert_in_range(fake.asks, 2, 5);
}

static void registries_of_yesterday_are_forgotten(void **state)
{
	struct scene *x = *state;
	char text[64];

	fake.otherwise = fake_image("amd64", "a", "1");
	for (int i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "FROM r%d.example/app\n", i);
		track(x, "/src/Dockerfile", text);
		virtual_run(MINUTE);
	}
	assert_int_equal(fake.asks, 100);
	reload(x);
	assert_true(bw_map_count(x->poller->groups) <= 1);
}

static void what_only_git_repositories_name_is_asked_by_the_second_client(void **state)
{
	const struct bw_source_row row = {.name = "https://x.example/a.git#main",
					  .url = "https://x.example/a.git",
					  .branch = "main",
					  .commit = "c"};
	static const int own, foreign;
	struct scene *x = *state;

	stop_poller(x);
	x->clients.own = (struct bw_registry *)(uintptr_t)&own;
	x->clients.foreign = (struct bw_registry *)(uintptr_t)&foreign;
	fake.stranger = x->clients.foreign;
	start_poller(x);
	assert_int_equal(bw_store_put_git_source(x->store, &row, bw_clock_ms(), &x->err), 0);
	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", ONE);
	track_in(x->store, row.name, "Dockerfile", TWO);
	reload(x);
	virtual_run(SECOND);
	assert_int_equal(fake.asks, 2);
	assert_int_equal(fake.strangers, 1); /* somebody of the house names A too */
	track(x, "/src/Dockerfile", "FROM scratch\n");
	fake_count_anew();
	move(A, "c");
	move(B, "d");
	virtual_run(2 * HOUR);
	assert_int_equal(events(x, "base.changed"), 2);
	assert_true(fake.fetches > 0);
	assert_int_equal(fake.strangers, fake.asks + fake.fetches + fake.blobs);
}

/* --- changes ---------------------------------------------------------------------------------- */

static void a_change_is_recorded_with_its_class_as_soon_as_the_sweep_is_over(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	move(A, "b");
	run_until_asked(x, 1);
	virtual_run(100);
	assert_told(x, "moved " A " content\n");
	assert_int_equal(events(x, "base.changed"), 1);
	assert_int_equal(events(x, "rebuild.requested"), 1);
	assert_int_equal(number(x, "SELECT count(*) FROM change WHERE class = 'content'"), 1);
	assert_int_equal(x->words, 1);
	virtual_run(2 * HOUR);
	assert_told(x, "");
	assert_int_equal(number(x, "SELECT count(*) FROM event"), 2);
}

static void bases_of_one_build_that_moved_make_one_request(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", TWO);
	track(x, "/src/other/Dockerfile", "FROM r2.example/app:2\n");
	fake.otherwise = fake_image("amd64", "c", "1");
	settle(x);
	move(A, "d");
	move(B, "e");
	virtual_run(2 * HOUR);
	assert_int_equal(count_told(x, "moved "), 2);
	assert_int_equal(events(x, "base.changed"), 2);
	assert_int_equal(events(x, "rebuild.requested"), 1);
	assert_int_equal(
		number(x, "SELECT count(*) FROM event WHERE type LIKE '%requested' AND json LIKE '%app:0%'"
			  " AND json LIKE '%app:1%'"),
		1);
}

/* Its registry has disagreed with itself: what it says is believed after half a minute, when the sweep is over. */
static void a_judgement_that_takes_longer_than_the_sweep_does_not_wait_for_the_next(void **state)
{
	struct scene *x = *state;
	uint64_t asked_ms;

	x->options.schedule.every_ms = 600 * 1000;
	bw_poller_set_schedule(x->poller, &x->options.schedule);
	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	assert_int_equal(bw_store_put_disagreement(x->store, "r0.example", bw_clock_ms(), &x->err), 0);
	move(A, "b");
	run_until_asked(x, 1);
	asked_ms = virtual_loop.now_ms;
	virtual_run(asked_ms + 29 * SECOND - virtual_loop.now_ms);
	assert_told(x, "");
	virtual_run(1100);
	assert_told(x, "moved " A " content\n");
	assert_int_equal(events(x, "base.changed"), 1);
	assert_true(bw_poller_is_idle(x->poller));
}

static void what_another_process_saw_is_no_news(void **state)
{
	struct bw_answer b = fake_image("amd64", "b", "1");
	struct bw_seen seen = {.base_id = 1, .answer = &b};
	struct scene *x = *state;
	struct bw_record_counts counts;
	struct bw_teller teller;
	struct bw_store *other;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	assert_int_equal(bw_store_open(x->path, &other, &x->err), 0);
	bw_event_teller(&x->events, &teller);
	seen.at_ms = bw_clock_ms();
	move(A, "b");
	assert_int_equal(bw_store_record(other, &seen, 1, &teller, &counts, &x->err), 0);
	assert_int_equal(counts.changed, 1);
	virtual_run(2 * HOUR);
	assert_in_range(fake.asks, 1, 4);
	assert_told(x, "");
	assert_int_equal(events(x, "base.changed"), 1);
	assert_int_equal(events(x, "rebuild.requested"), 1);
	bw_store_close(other);
}

static void another_process_may_be_faster_while_the_question_is_in_flight(void **state)
{
	struct bw_answer b = fake_image("amd64", "b", "1");
	struct bw_seen seen = {.base_id = 1, .answer = &b};
	struct scene *x = *state;
	struct bw_record_counts counts;
	struct bw_teller teller;
	struct bw_store *other;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	assert_int_equal(bw_store_open(x->path, &other, &x->err), 0);
	bw_event_teller(&x->events, &teller);
	fake.held = "r0.example";
	move(A, "b");
	run_until_asked(x, 1);
	seen.at_ms = bw_clock_ms();
	assert_int_equal(bw_store_record(other, &seen, 1, &teller, &counts, &x->err), 0);
	fake_release();
	virtual_run(SECOND);
	assert_true(bw_poller_is_idle(x->poller));
	assert_int_equal(number(x, SIGHTINGS), 2);
	assert_int_equal(events(x, "base.changed"), 1);
	assert_int_equal(events(x, "rebuild.requested"), 1);
	bw_store_close(other);
}

/* What another process asked an hour ago is not asked again now. */
static void the_question_of_another_process_counts_at_the_next_reload(void **state)
{
	struct bw_seen seen = {.base_id = 1};
	struct scene *x = *state;
	struct bw_record_counts counts;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	for (int i = 0; i < 30; i++) {
		virtual_run(10 * MINUTE);
		seen.at_ms = bw_clock_ms();
		assert_int_equal(bw_store_record(x->store, &seen, 1, NULL, &counts, &x->err), 0);
		reload(x);
	}
	assert_true(fake.asks <= 1);
}

/* --- trouble ---------------------------------------------------------------------------------- */

static void trouble_is_told_once_and_so_is_its_end(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	fake_say(A, fake_trouble_of(BW_TROUBLE_DNS));
	run_until_asked(x, 1);
	virtual_run(6 * MINUTE);
	assert_in_range(fake.asks, 3, 4); /* after 1 and 4 minutes, and in its slot should that come */
	virtual_run(17 * MINUTE);
	assert_in_range(fake.asks, 4, 6); /* after 16 */
	assert_told(x, "trouble " A " dns\n");
	assert_int_equal(number(x, "SELECT failures FROM poll"), fake.asks);
	assert_int_equal(events(x, "base.unreachable"), 1);
	move(A, "a");
	virtual_run(2 * HOUR);
	assert_told(x, "fine " A "\n");
	assert_int_equal(number(x, "SELECT failures FROM poll"), 0);
	assert_int_equal(events(x, "base.recovered"), 1);
	assert_int_equal(events(x, "base.changed"), 0);
}

/* The other one of the build answers late, has moved too, and would have this one asked at once. */
static void a_move_is_told_once_though_it_is_not_written_yet(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_options o = x->options.schedule;

	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	o.every_ms = 2000;
	o.jitter_percent = 0;
	bw_poller_set_schedule(x->poller, &o);
	move(A, "c");
	move(B, "d");
	fake.held = "r1.example";
	while (count_told(x, "moved " A) == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	virtual_run(900); /* the sweep is open still, and the window is over */
	fake_release();
	virtual_run(50);
	assert_int_equal(count_told(x, "moved " A), 1);
	assert_int_equal(count_told(x, "moved " B), 1);
	assert_int_equal(events(x, "base.changed"), 2);
	assert_int_equal(events(x, "rebuild.requested"), 1);
}

static void a_trouble_that_began_before_the_start_is_told_too(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	fake_say(A, fake_trouble_of(BW_TROUBLE_DNS));
	run_until_asked(x, 1);
	virtual_run(10 * SECOND);
	assert_told(x, "trouble " A " dns\n");
	stop_poller(x);
	start_poller(x);
	reload(x);
	virtual_run(HOUR);
	assert_told(x, "trouble " A " dns\n");
}

/* A registry that does not answer keeps the sweep open, so what was answered in it waits. */
static void trouble_is_told_once_though_it_is_asked_again_in_the_same_sweep(void **state)
{
	struct scene *x = *state;
	struct bw_schedule_options o = x->options.schedule;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	fake.silent = "r1.example";
	track(x, "/src/silent/Dockerfile", "FROM r1.example/app:1\n");
	o.every_ms = 1000;
	o.jitter_percent = 0;
	o.retry_ms = 1000;
	bw_poller_set_schedule(x->poller, &o);
	fake_say(A, fake_trouble_of(BW_TROUBLE_DNS));
	run_until_asked(x, 2); /* the silent one, too */
	virtual_run(10);
	assert_int_equal(number(x, "SELECT count(*) FROM poll WHERE failures > 0"), 0);
	(void)bw_schedule_nudge(x->poller->schedule, 1, read_now(x->poller));
	virtual_run(100);
	(void)bw_schedule_nudge(x->poller->schedule, 1, read_now(x->poller));
	arm(x->poller);
	virtual_run(100);
	assert_told(x, "trouble " A " dns\n");
	assert_int_equal(fake.asks, 3);
	assert_int_equal(number(x, "SELECT failures FROM poll WHERE base_id = 1"), 1);
}

static void what_could_not_be_asked_is_asked_at_once_when_something_else_is_configured(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	fake_say(A, fake_trouble_of(BW_TROUBLE_AUTH));
	virtual_run(12 * HOUR);
	assert_told(x, "trouble " A " auth\n");
	move(A, "b");
	stop_poller(x);
	fake_count_anew();
	x->options.hurries_failed = true;
	start_poller(x);
	reload(x);
	virtual_run(SECOND);
	assert_int_equal(fake.asks, 1);
	assert_told(x, "moved " A " content\n");
	fake_count_anew();
	fake_say(A, fake_trouble_of(BW_TROUBLE_AUTH));
	virtual_run(12 * HOUR);
	fake_count_anew();
	for (int i = 0; i < 10; i++) { /* the first list only */
		reload(x);
		virtual_run(3 * MINUTE);
	}
	assert_in_range(fake.asks, 0, 1);
}

static void trouble_of_a_base_never_seen_ends_with_its_first_sight(void **state)
{
	struct scene *x = *state;

	fake_say(A, fake_trouble_of(BW_TROUBLE_TAG_GONE));
	track(x, "/src/Dockerfile", ONE);
	virtual_run(3 * HOUR);
	assert_told(x, "trouble " A " tag-gone\n");
	assert_in_range(fake.asks, 2, 3);
	move(A, "a");
	virtual_run(30 * HOUR);
	assert_told(x, "first " A "\n");
}

static void a_base_that_moved_while_it_could_not_be_asked_has_moved(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	fake_say(A, fake_trouble_of(BW_TROUBLE_DNS));
	run_until_asked(x, 1);
	virtual_run(10 * SECOND);
	move(A, "b");
	virtual_run(2 * HOUR);
	assert_told(x, "trouble " A " dns\nmoved " A " content\n");
	assert_int_equal(events(x, "base.changed"), 1);
}

static void the_guard_of_the_schedule_is_passed_on(void **state)
{
	struct scene *x = *state;

	x->options.schedule.every_ms = 64000;
	bw_poller_set_schedule(x->poller, &x->options.schedule);
	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	for (int i = 0; i < 600; i++) {
		(void)bw_schedule_nudge(x->poller->schedule, 1, read_now(x->poller));
		arm(x->poller);
		virtual_run(1100);
	}
	assert_in_range(fake.asks, 200, 400);
	assert_int_equal(count_told(x, "stopped r0.example\n"), 1);
}

/* --- a store that fails ------------------------------------------------------------------------- */

/* What was answered is kept, and written when there is room again. */
static void a_full_disk_is_told_once_and_nothing_is_lost(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 50);
	settle(x);
	track(x, "/src/new/Dockerfile", "FROM r1.example/new:1\n");
	set_fault(FAULT_FULL, 1);
	virtual_run(2 * HOUR);
	assert_told(x, "first r1.example/new:1\nstore full\n");
	assert_int_equal(fake.asks, 1);
	assert_false(bw_poller_is_idle(x->poller));
	set_fault(FAULT_ONCE, 0);
	virtual_run(BW_POLLER_RETRY_MS);
	assert_told(x, "store again\n");
	assert_int_equal(number(x, SIGHTINGS), 51);
	assert_int_equal(x->words, 1);
	virtual_run(2 * HOUR);
	assert_true(fake.asks > 50);
	assert_told(x, "");
}

static void a_database_that_is_locked_is_told_once(void **state)
{
	struct scene *x = *state;
	sqlite3 *other = NULL;

	assert_int_equal(sqlite3_busy_timeout(x->store->db, 1), SQLITE_OK);
	assert_int_equal(sqlite3_open(x->path, &other), SQLITE_OK);
	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	virtual_run(HOUR);
	assert_told(x, "first " A "\nstore locked\n");
	assert_int_equal(fake.asks, 1);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	virtual_run(BW_POLLER_RETRY_MS);
	assert_told(x, "store again\n");
	assert_int_equal(number(x, SIGHTINGS), 1);
	(void)sqlite3_close(other);
}

/* The bodies are there, so only the record fails. The other base of the build comes while the disk is full. */
static void a_change_that_could_not_be_recorded_is_one_request_with_its_companion(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	move(B, "a");
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	move(A, "b");
	move(B, "b");
	virtual_run(2 * HOUR);
	assert_int_equal(events(x, "rebuild.requested"), 1);
	bw_buf_clear(&x->told);
	fake_count_anew();
	move(A, "a");
	while (count_told(x, "moved " A) == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	move(B, "a");
	fake.held = "r1.example";
	virtual_run(30 * SECOND);
	set_fault(FAULT_FULL, 1);
	fake_release();
	virtual_run(HOUR);
	assert_int_equal(count_told(x, "store full"), 1);
	assert_int_equal(events(x, "base.changed"), 2);
	set_fault(FAULT_ONCE, 0);
	virtual_run(10 * SECOND);
	assert_told(x, "moved " A " rollback\nmoved " B " rollback\nstore full\nstore again\n");
	assert_int_equal(events(x, "base.changed"), 4);
	assert_int_equal(number(x, "SELECT count(*) FROM outstanding WHERE requested_at IS NOT NULL"), 0);
}

/* A has moved and waits for B, which its registry holds; what was seen for the first time cannot be written. */
static void fail_in_the_middle_of_a_sweep(struct scene *x)
{
	move(A, "a");
	move(B, "a");
	fake_say("r2.example/app:2", fake_image("amd64", "c", "1"));
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	move(A, "b");
	while (count_told(x, "moved " A) == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	move(B, "b");
	fake.held = "r1.example";
	track(x, "/src/new/Dockerfile", "FROM r2.example/app:2\n");
	virtual_run(100);
	set_fault(FAULT_FULL, 1);
	virtual_run(2 * SECOND);
	assert_told(x, "moved " A " content\nfirst r2.example/app:2\nstore full\n");
	set_fault(FAULT_ONCE, 0);
}

static void what_is_tried_again_leaves_the_changes_of_an_open_sweep_where_they_are(void **state)
{
	struct scene *x = *state;

	fail_in_the_middle_of_a_sweep(x);
	virtual_run(BW_POLLER_RETRY_MS);
	assert_told(x, "store again\n");
	assert_int_equal(number(x, SIGHTINGS), 3);
	fake_release();
	virtual_run(SECOND);
	assert_int_equal(events(x, "base.changed"), 2);
	assert_int_equal(events(x, "rebuild.requested"), 1);
}

static void at_the_end_what_is_tried_again_takes_the_changes_along(void **state)
{
	struct scene *x = *state;

	fail_in_the_middle_of_a_sweep(x);
	bw_poller_drain(x->poller);
	fake_release();
	virtual_run(SECOND);
	assert_false(bw_poller_is_idle(x->poller));
	virtual_run(BW_POLLER_RETRY_MS);
	assert_true(bw_poller_is_idle(x->poller));
	assert_int_equal(number(x, SIGHTINGS), 5);
	assert_int_equal(events(x, "rebuild.requested"), 1);
}

static void what_could_not_be_judged_for_want_of_room_is_judged_later(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	move(A, "b");
	run_until_asked(x, 1);
	set_fault(FAULT_FULL, 1);
	virtual_run(10 * MINUTE);
	assert_told(x, "store full\n");
	assert_in_range(fake.asks, 2, 4);
	set_fault(FAULT_ONCE, 0);
	virtual_run(20 * MINUTE);
	assert_told(x, "moved " A " content\nstore again\n");
	assert_int_equal(events(x, "base.changed"), 1);
	assert_int_equal(events(x, "rebuild.requested"), 1);
}

static void run_sql(struct scene *x, const char *sql)
{
	if (sqlite3_exec(x->store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(x->store->db));
}

static void a_store_that_cannot_be_read_is_told_once_and_asked_again(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 20);
	settle(x);
	run_sql(x, "ALTER TABLE use RENAME COLUMN reachable TO unreachable");
	virtual_run(2 * HOUR);
	assert_told(x, "store damaged\n");
	assert_int_equal(fake.asks, 0);
	assert_int_equal(bw_poller_reload(x->poller, &x->err), BW_E_STORE);
	run_sql(x, "ALTER TABLE use RENAME COLUMN unreachable TO reachable");
	reload(x);
	assert_int_equal(counts_of(x).bases, 20);
	virtual_run(2 * HOUR);
	assert_told(x, "store again\n");
	assert_in_range(fake.asks, 20, 80);
}

/* --- doubts ------------------------------------------------------------------------------------- */

/* A build pinned to an image of the index that the tag has. */
static void track_pin(struct scene *x, const char *tag)
{
	const struct bw_answer child = fake_image("amd64", tag, "1"), index = fake_index(tag, "arm", tag);
	BW_AUTOFREE char *path = bw_asprintf("/src/%s/Dockerfile", tag);
	BW_AUTOFREE char *text = bw_asprintf("FROM %s@%s\n", tag, child.digest.text);

	fake_say(tag, index);
	track_in(x->store, "", path, text);
}

static int count_doubt(const struct bw_doubt *d, void *arg, struct bw_err *err)
{
	(void)d;
	(void)err;
	++*(int *)arg;
	return 0;
}

static int count_doubts(struct scene *x)
{
	int n = 0;

	assert_int_equal(bw_store_each_doubt(x->store, bw_clock_ms(), count_doubt, &n, &x->err), 0);
	return n;
}

static void pins_are_looked_up_after_the_sweep_that_saw_their_tag(void **state)
{
	struct scene *x = *state;

	track_pin(x, A);
	reload(x);
	assert_int_equal(fake.fetches, 0);
	virtual_run(SECOND);
	assert_int_equal(fake.asks, 1);
	assert_int_equal(fake.fetches, 1);
	assert_int_equal(x->records, 2); /* the tag, then what the pin is to it */
	assert_int_equal(x->words, 1);
	virtual_run(5 * HOUR);
	assert_int_equal(fake.fetches, 1);
}

static void a_pin_that_is_new_is_looked_up_at_the_reload(void **state)
{
	const struct bw_answer index = fake_index(A, "arm", A);
	struct scene *x = *state;

	fake_say(A, index);
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	track_pin(x, A);
	assert_int_equal(fake.fetches, 0);
	reload(x);
	assert_int_equal(fake.fetches, 1);
	assert_int_equal(fake.asks, 0);
	virtual_run(SECOND);
	assert_int_equal(x->records, 1);
	assert_int_equal(count_doubts(x), 0);
}

/* The registry of the other one is slow: what it brings later must find its place. */
static void doubts_that_end_with_a_full_disk_are_looked_for_again(void **state)
{
	struct scene *x = *state;

	track_pin(x, A);
	track_pin(x, B);
	fake.held = "r0.example";
	reload(x);
	virtual_run(0);
	fake_release();
	while (number(x, SIGHTINGS) < 2)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	assert_int_equal(fake.fetches, 2);
	fake.held = "r0.example";
	set_fault(FAULT_FULL, 1);
	virtual_run(SECOND);
	assert_int_equal(count_told(x, "store full"), 1);
	set_fault(FAULT_ONCE, 0);
	virtual_run(10 * SECOND);
	track(x, "/src/new/Dockerfile", "FROM scratch\n");
	virtual_run(SECOND);
	assert_int_equal(fake.fetches, 2); /* one of them is still on its way */
	fake_release();
	virtual_run(2 * HOUR);
	assert_int_equal(fake.fetches, 3);
	assert_int_equal(count_doubts(x), 0);
	assert_int_equal(count_told(x, "store again"), 1);
}

/* --- the end ------------------------------------------------------------------------------------ */

static void what_is_in_flight_may_end_and_nothing_more_is_asked(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	move(A, "c");
	move(B, "d");
	fake.held = "r0.example";
	while (!fake_holds())
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	fake_count_anew();
	bw_poller_drain(x->poller);
	assert_false(bw_poller_is_idle(x->poller));
	virtual_run(5 * HOUR);
	assert_int_equal(fake.asks, 0);
	assert_false(bw_poller_is_idle(x->poller));
	fake_release();
	virtual_run(0);
	assert_true(bw_poller_is_idle(x->poller));
	assert_int_equal(count_told(x, "moved " A), 1);
	assert_int_equal(fake.asks, 0);
	assert_int_equal(events(x, "base.changed"), count_told(x, "moved "));
	assert_int_equal(events(x, "rebuild.requested"), 1);
	reload(x);
	virtual_run(5 * HOUR);
	assert_int_equal(fake.asks, 0);
}

/* The end of all patience. */
static void what_was_answered_is_saved_though_more_is_in_flight(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	move(A, "c");
	fake.silent = "r1.example";
	while (count_told(x, "moved " A) == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	virtual_run(100); /* the other one is asked too, and keeps the sweep open */
	bw_poller_drain(x->poller);
	assert_int_equal(events(x, "base.changed"), 0);
	bw_poller_save(x->poller);
	assert_false(bw_poller_is_idle(x->poller));
	assert_int_equal(events(x, "base.changed"), 1);
	assert_int_equal(events(x, "rebuild.requested"), 1);
	assert_int_equal(number(x, SIGHTINGS), 3);
}

static void at_the_end_no_pin_is_looked_up_any_more(void **state)
{
	struct scene *x = *state;
	char tag[64];

	fake.held = "r0.example";
	for (int i = 0; i < 10; i++) {
		(void)snprintf(tag, sizeof(tag), "r0.example/pin:%d", i);
		track_pin(x, tag);
	}
	reload(x);
	virtual_run(SECOND);
	fake_release();
	while (fake.fetches == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	fake.held = "r0.example";
	virtual_run(SECOND);
	assert_int_equal(fake.fetches, FAKE_ROOM);
	bw_poller_drain(x->poller);
	assert_true(bw_poller_is_idle(x->poller));
	fake_release();
	virtual_run(5 * HOUR);
	assert_int_equal(fake.fetches, FAKE_ROOM);
	assert_int_equal(fake.asks, 10);
}

static void a_full_disk_at_the_end_keeps_it_from_being_idle(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.held = "r1.example";
	track(x, "/src/Dockerfile", TWO);
	virtual_run(100);
	bw_poller_drain(x->poller);
	set_fault(FAULT_FULL, 1);
	fake_release();
	virtual_run(0);
	assert_told(x, "first " A "\nfirst " B "\nstore full\n");
	virtual_run(MINUTE);
	assert_false(bw_poller_is_idle(x->poller));
	set_fault(FAULT_ONCE, 0);
	virtual_run(BW_POLLER_RETRY_MS);
	assert_true(bw_poller_is_idle(x->poller));
	assert_int_equal(number(x, SIGHTINGS), 2);
}

/* For the sanitizer: whatever is open. */
static void with_questions_in_flight_it_can_be_freed(void **state)
{
	struct scene *x = *state;

	fake.silent = "r2.example";
	track(x, "/src/silent/Dockerfile", "FROM r2.example/app\n"); /* a question */
	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", TWO);
	virtual_run(SECOND);
	assert_int_equal(bw_store_put_disagreement(x->store, "r0.example", bw_clock_ms(), &x->err), 0);
	move(A, "c"); /* waits to be asked again */
	move(B, "d");
	while (fake.fetches == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	fake.held = "r1.example"; /* bodies */
	track_pin(x, "r3.example/app:3");
	reload(x);
	virtual_run(SECOND);
	assert_false(bw_poller_is_idle(x->poller));
	stop_poller(x);
	assert_null(virtual_loop.timers->next); /* that of the client is left */
}

static void doubts_in_flight_can_be_freed(void **state)
{
	struct scene *x = *state;

	track_pin(x, A);
	track_pin(x, B);
	reload(x);
	while (fake.fetches == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	fake.held = "r0.example";
	virtual_run(SECOND);
	assert_int_equal(fake.fetches, 2);
	stop_poller(x);
	assert_null(virtual_loop.timers->next);
}

/* B keeps the sweep open, so the change of A is not recorded yet. */
static void what_was_not_recorded_is_seen_again_after_a_restart(void **state)
{
	struct scene *x = *state;

	move(A, "a");
	move(B, "b");
	track(x, "/src/Dockerfile", TWO);
	settle(x);
	move(A, "c");
	fake.held = "r1.example";
	while (count_told(x, "moved " A) == 0)
		(void)virtual_step(virtual_loop.now_ms + HOUR);
	assert_int_equal(events(x, "base.changed"), 0);
	stop_poller(x);
	fake.held = NULL;
	start_poller(x);
	reload(x);
	virtual_run(2 * HOUR);
	assert_int_equal(count_told(x, "moved " A), 2);
	assert_int_equal(events(x, "base.changed"), 1);
	assert_int_equal(events(x, "rebuild.requested"), 1);
}

/* --- an owner that does something in a hook ----------------------------------------------------- */

static void do_reload(struct scene *x)
{
	reload(x);
}

static void do_drain(struct scene *x)
{
	bw_poller_drain(x->poller);
}

static void a_hook_may_reload(void **state)
{
	struct scene *x = *state;

	x->on_noticed = x->on_recorded = do_reload;
	fake.otherwise = fake_image("amd64", "a", "1");
	track_pin(x, A);
	track_pin(x, B);
	track_many(x, 30);
	virtual_run(2 * HOUR);
	fake.otherwise = fake_image("amd64", "b", "1");
	virtual_run(2 * HOUR);
	assert_int_equal(count_told(x, "first "), 30);
	assert_int_equal(count_told(x, "moved "), 28);
	assert_int_equal(count_doubts(x), 0);
	assert_int_equal(fake.fetches, 2 + 2);
}

static void a_hook_may_drain(void **state)
{
	struct scene *x = *state;

	x->on_recorded = do_drain;
	fake.otherwise = fake_image("amd64", "a", "1");
	track_many(x, 300);
	virtual_run(HOUR);
	assert_true(bw_poller_is_idle(x->poller));
	assert_int_equal(number(x, SIGHTINGS), counts_of(x).asked);
	assert_in_range(counts_of(x).asked, 100, 299);
}

static void a_hook_may_drain_a_store_that_fails(void **state)
{
	struct scene *x = *state;

	x->on_failed = x->on_recorded = do_drain;
	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	set_fault(FAULT_FULL, 1);
	virtual_run(MINUTE);
	assert_told(x, "first " A "\nstore full\n");
	set_fault(FAULT_ONCE, 0);
	virtual_run(MINUTE);
	assert_told(x, "store again\n");
	assert_true(bw_poller_is_idle(x->poller));
}

/* --- what a registry grants -------------------------------------------------------------------- */

static const struct bw_budget_plan hub = {.is_known = true,
					  .limit = 100,
					  .remaining = 60,
					  .reserved = 20,
					  .window_s = 21600,
					  .distance_ms = 270 * SECOND};

static void a_budget_is_kept_from_the_first_answer_on(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.plan = hub;
	track_many(x, 200); /* of two registries */
	virtual_run(SECOND);
	assert_int_equal(fake.asks, 4); /* a pair of each */
	assert_int_equal(fake.most_waiting, 2);
	virtual_run(6 * HOUR);
	assert_in_range(fake.asks, 2 * 74, 2 * 86);
	fake.plan = (struct bw_budget_plan){0}; /* somebody has paid for it */
	virtual_run(HOUR);
	assert_int_equal(count_told(x, "first "), 200);
}

static void what_a_registry_grants_is_written_once(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.plan = hub;
	track(x, "/src/Dockerfile", ONE);
	virtual_run(10 * SECOND);
	assert_int_equal(number(x, "SELECT count(*) FROM standing"), 1);
	assert_int_equal(number(x, "SELECT granted * 1000 + reserved FROM standing"), 100020);
	assert_int_equal(number(x, "SELECT distance_ms FROM standing"), 270000);
	settle(x);
	for (int i = 0; i < 5; i++) { /* a little less each time */
		fake.plan.remaining -= 1;
		run_until_asked(x, (size_t)i + 1);
		virtual_run(10 * SECOND);
	}
	assert_int_equal(x->commits, 5); /* that it was checked */
	assert_int_equal(number(x, "SELECT remaining FROM standing"), 60);
	fake.plan.limit = 200;
	run_until_asked(x, 6);
	virtual_run(10 * SECOND);
	assert_int_equal(x->commits, 7);
	assert_int_equal(number(x, "SELECT granted * 1000 + remaining FROM standing"), 200055);
}

static void a_registry_without_a_word_about_it_has_no_row(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	track(x, "/src/Dockerfile", TWO);
	virtual_run(3 * HOUR);
	assert_int_equal(number(x, "SELECT count(*) FROM standing"), 0);
}

static void a_registry_of_which_nothing_is_asked_any_more_is_forgotten(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.plan = hub;
	track(x, "/src/Dockerfile", TWO);
	virtual_run(10 * SECOND);
	assert_int_equal(number(x, "SELECT count(*) FROM standing"), 2);
	track(x, "/src/Dockerfile", ONE);
	assert_int_equal(number(x, "SELECT count(*) FROM standing"), 1);
	fake.plan = (struct bw_budget_plan){0};
	virtual_run(3 * HOUR);
	assert_int_equal(number(x, "SELECT count(*) FROM standing"), 0);
}

static void a_hold_outlives_a_restart(void **state)
{
	struct scene *x = *state;

	fake.otherwise = fake_image("amd64", "a", "1");
	fake.plan = hub;
	fake.plan.hold_ms = 2 * HOUR;
	track_many(x, 20);
	virtual_run(10 * SECOND);
	assert_int_equal(fake.asks, 2);
	assert_int_equal(number(x, "SELECT count(*) FROM standing WHERE pause = 'budget'"), 2);
	stop_poller(x);
	start_poller(x);
	reload(x);
	virtual_run(HOUR);
	assert_int_equal(fake.asks, 2);
	fake.plan.hold_ms = 0;
	virtual_run(HOUR + MINUTE);
	assert_in_range(fake.asks, 4, 6);
}

static void what_the_budget_holds_back_is_no_failure_of_the_base(void **state)
{
	struct scene *x = *state;
	struct bw_answer held = fake_trouble_of(BW_TROUBLE_THROTTLED);

	move(A, "a");
	track(x, "/src/Dockerfile", ONE);
	settle(x);
	held.retry_after_s = 7200;
	fake_say(A, held);
	fake.plan = hub;
	fake.plan.hold_ms = 2 * HOUR;
	run_until_asked(x, 1);
	virtual_run(HOUR);
	assert_int_equal(fake.asks, 1);
	assert_told(x, "");
	assert_int_equal(number(x, "SELECT sum(failures) FROM poll"), 0);
	assert_int_equal(number(x, "SELECT count(*) FROM event"), 0);
	assert_true(bw_poller_is_idle(x->poller));
	move(A, "b");
	fake.plan.hold_ms = 0;
	virtual_run(HOUR + MINUTE);
	assert_int_equal(events(x, "base.changed"), 1);
	/* Without a budget it is one: the registry itself refuses to answer. */
	fake_say(A, held);
	fake.plan = (struct bw_budget_plan){0};
	fake_count_anew();
	run_until_asked(x, 1);
	virtual_run(MINUTE);
	assert_int_equal(number(x, "SELECT sum(failures) FROM poll"), 1);
	assert_int_equal(number(x, "SELECT count(*) FROM standing WHERE pause = 'throttled'"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_budget_is_kept_from_the_first_answer_on),
		TEST(what_a_registry_grants_is_written_once),
		TEST(a_registry_without_a_word_about_it_has_no_row),
		TEST(a_registry_of_which_nothing_is_asked_any_more_is_forgotten),
		TEST(a_hold_outlives_a_restart),
		TEST(what_the_budget_holds_back_is_no_failure_of_the_base),
		TEST(bases_never_seen_are_asked_at_once_and_each_once),
		TEST(a_sweep_in_which_nothing_moved_is_one_transaction_and_grows_nothing),
		TEST(a_base_that_nobody_wants_any_more_is_dropped),
		TEST(a_base_that_is_dropped_in_flight_may_answer),
		TEST(a_reload_keeps_the_due_times),
		TEST(that_a_new_build_stands_on_what_a_base_has_is_worth_a_word),
		TEST(a_shorter_interval_holds_at_once),
		TEST(a_restart_neither_forgets_nor_storms),
		TEST(a_slow_base_has_one_question_at_a_time),
		TEST(registries_of_yesterday_are_forgotten),
		TEST(what_only_git_repositories_name_is_asked_by_the_second_client),
		TEST(a_change_is_recorded_with_its_class_as_soon_as_the_sweep_is_over),
		TEST(bases_of_one_build_that_moved_make_one_request),
		TEST(a_judgement_that_takes_longer_than_the_sweep_does_not_wait_for_the_next),
		TEST(what_another_process_saw_is_no_news),
		TEST(another_process_may_be_faster_while_the_question_is_in_flight),
		TEST(the_question_of_another_process_counts_at_the_next_reload),
		TEST(trouble_is_told_once_and_so_is_its_end),
		TEST(a_move_is_told_once_though_it_is_not_written_yet),
		TEST(a_trouble_that_began_before_the_start_is_told_too),
		TEST(trouble_is_told_once_though_it_is_asked_again_in_the_same_sweep),
		TEST(what_could_not_be_asked_is_asked_at_once_when_something_else_is_configured),
		TEST(trouble_of_a_base_never_seen_ends_with_its_first_sight),
		TEST(a_base_that_moved_while_it_could_not_be_asked_has_moved),
		TEST(the_guard_of_the_schedule_is_passed_on),
		TEST(a_full_disk_is_told_once_and_nothing_is_lost),
		TEST(a_database_that_is_locked_is_told_once),
		TEST(a_change_that_could_not_be_recorded_is_one_request_with_its_companion),
		TEST(what_is_tried_again_leaves_the_changes_of_an_open_sweep_where_they_are),
		TEST(at_the_end_what_is_tried_again_takes_the_changes_along),
		TEST(what_could_not_be_judged_for_want_of_room_is_judged_later),
		TEST(a_store_that_cannot_be_read_is_told_once_and_asked_again),
		TEST(pins_are_looked_up_after_the_sweep_that_saw_their_tag),
		TEST(a_pin_that_is_new_is_looked_up_at_the_reload),
		TEST(doubts_that_end_with_a_full_disk_are_looked_for_again),
		TEST(what_is_in_flight_may_end_and_nothing_more_is_asked),
		TEST(at_the_end_no_pin_is_looked_up_any_more),
		TEST(a_full_disk_at_the_end_keeps_it_from_being_idle),
		TEST(with_questions_in_flight_it_can_be_freed),
		TEST(doubts_in_flight_can_be_freed),
		TEST(what_was_not_recorded_is_seen_again_after_a_restart),
		TEST(a_hook_may_reload),
		TEST(what_was_answered_is_saved_though_more_is_in_flight),
		TEST(a_hook_may_drain),
		TEST(a_hook_may_drain_a_store_that_fails),
	};

	install_faulty_vfs();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
