/*
 * test_outbox.c - the workers in simulated time, over a store that is a table and sinks that do what they are told.
 */
#include "unit/virtual_loop.h"

#include <stdio.h>
#include <string.h>

#include "store/outbox.h"

#define DAY_MS	86400000ULL
#define WEEK_MS (7 * DAY_MS)

/* --- a store that is a table ------------------------------------------------------------------ */

struct row {
	char sink[16], event[16], subject[16], error[64];
	unsigned attempts;
	int64_t next_ms, expires_ms;
	enum bw_delivery_state state;
};

static struct {
	struct row *rows;
	size_t count, capacity;
	bool is_full;	  /* every writing call fails */
	bool is_locked;	  /* every call fails */
	const char *json; /* of all events; NULL: a short one */
	unsigned calls, writes;
} table;

static int table_fails(bool writes, struct bw_err *err)
{
	table.calls++;
	table.writes += writes;
	if (table.is_locked)
		return bw_fail(err, BW_E_LOCKED, "the database is locked");
	return table.is_full && writes ? bw_fail(err, BW_E_FULL, "disk full") : 0;
}

static void owe(const char *sink, unsigned event, unsigned subject)
{
	struct row *r;

	BW_PUSH(table.rows, table.count, table.capacity) = (struct row){0};
	r = &table.rows[table.count - 1];
	(void)snprintf(r->sink, sizeof(r->sink), "%s", sink);
	(void)snprintf(r->event, sizeof(r->event), "e%u", event);
	(void)snprintf(r->subject, sizeof(r->subject), "s%u", subject);
	r->next_ms = bw_clock_ms();
	r->expires_ms = r->next_ms + (int64_t)WEEK_MS;
}

/* Nothing earlier of the same subject is due to this sink. */
static bool is_first(const struct row *r, unsigned char *seen)
{
	unsigned n = (unsigned)strtoul(r->subject + 1, NULL, 10) % 32768;

	return seen[n]++ == 0;
}

static int table_each_due(struct bw_store *s, const char *sink, int64_t now_ms, size_t max, bw_delivery_fn fn,
			  void *arg, struct bw_err *err)
{
	BW_AUTOFREE unsigned char *seen = bw_alloc(32768);
	int rc = table_fails(false, err);

	(void)s;
	for (size_t i = 0; rc == 0 && i < table.count && max > 0; i++) {
		const struct row *r = &table.rows[i];
		struct bw_delivery d = {
			.id = (int64_t)i + 1,
			.sink = r->sink,
			.event_id = r->event,
			.type = "io.basewatch.base.changed",
			.subject = r->subject,
			.json = table.json ? table.json : "{}",
			.len = table.json ? strlen(table.json) : 2,
			.attempts = r->attempts,
			.expires_ms = r->expires_ms,
			.next_ms = r->next_ms,
		};

		if (r->state != BW_DELIVERY_DUE || strcmp(r->sink, sink) != 0 || !is_first(r, seen) ||
		    r->next_ms > now_ms)
			continue;
		seen[(unsigned)strtoul(r->subject + 1, NULL, 10) % 32768] = 1;
		rc = fn(&d, arg, err);
		max--;
	}
	return rc;
}

static int table_next_due(struct bw_store *s, const char *sink, int64_t *ret_ms, struct bw_err *err)
{
	BW_AUTOFREE unsigned char *seen = bw_alloc(32768);
	int rc = table_fails(false, err);

	(void)s;
	*ret_ms = INT64_MAX;
	for (size_t i = 0; i < table.count; i++) {
		const struct row *r = &table.rows[i];

		if (r->state == BW_DELIVERY_DUE && strcmp(r->sink, sink) == 0 && is_first(r, seen) &&
		    r->next_ms < *ret_ms)
			*ret_ms = r->next_ms;
	}
	return rc;
}

static void record_row(const struct bw_delivery_outcome *o, int64_t now_ms)
{
	struct row *r = &table.rows[o->id - 1];

	if (r->state != BW_DELIVERY_DUE)
		return;
	r->state = o->state;
	r->attempts++;
	(void)snprintf(r->error, sizeof(r->error), "%s", o->error ? o->error : "");
	if (o->state == BW_DELIVERY_DUE) {
		assert_true(o->next_ms > now_ms);
		assert_true(o->next_ms <= r->expires_ms);
		r->next_ms = o->next_ms;
	}
}

static int table_record(struct bw_store *s, const struct bw_delivery_outcome *outcomes, size_t count,
			int64_t now_ms, struct bw_err *err)
{
	int rc = table_fails(true, err);

	(void)s;
	assert_true(count > 0);
	assert_int_equal(now_ms, bw_clock_ms());
	for (size_t i = 0; rc == 0 && i < count; i++)
		record_row(&outcomes[i], now_ms);
	return rc;
}

static int table_expire(struct bw_store *s, int64_t now_ms, size_t *ret, struct bw_err *err)
{
	int rc = table_fails(false, err);

	(void)s;
	(void)ret;
	for (size_t i = 0; rc == 0 && i < table.count; i++)
		if (table.rows[i].state == BW_DELIVERY_DUE && table.rows[i].expires_ms <= now_ms)
			table.rows[i].state = BW_DELIVERY_DEAD;
	return rc;
}

#define bw_store_each_due	   table_each_due
#define bw_store_next_due	   table_next_due
#define bw_store_record_deliveries table_record
#define bw_store_expire_deliveries table_expire
#include "notify/outbox.c"

#include "unit/fake_sink.h"

/* --- the stage -------------------------------------------------------------------------------- */

static struct {
	struct bw_outbox *outbox;
	unsigned failed, idle;
	char failure[BW_ERR_MAX];
	unsigned attempts, paused;
	struct bw_outbox_attempt last;
	bool frees_when_idle;
} stage;

static void note_failure(const struct bw_err *err, void *arg)
{
	(void)arg;
	stage.failed++;
	(void)snprintf(stage.failure, sizeof(stage.failure), "%s", err->msg);
}

static void note_attempt(const struct bw_outbox_attempt *a, void *arg)
{
	(void)arg;
	stage.attempts++;
	stage.paused += a->result == BW_SINK_PAUSED;
	stage.last = *a;
}

static void note_idle(void *arg)
{
	(void)arg;
	stage.idle++;
	assert_true(bw_outbox_is_idle(stage.outbox));
	if (stage.frees_when_idle) {
		bw_outbox_free(stage.outbox);
		stage.outbox = NULL;
	}
}

static int begin(void **state)
{
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	memset(&stage, 0, sizeof(stage));
	memset(&table, 0, sizeof(table));
	virtual_loop.fired = 0;
	virtual_now(1000);
	assert_int_equal(bw_outbox_new(NULL, NULL, NULL, note_failure, NULL, &stage.outbox, &err), 0);
	stage.outbox->random = 88172645463325252ULL; /* the same every time */
	bw_outbox_on_attempt(stage.outbox, note_attempt, NULL);
	bw_outbox_on_idle(stage.outbox, note_idle, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	bw_outbox_free(stage.outbox);
	assert_null(virtual_loop.timers);
	free(table.rows);
	bw_clock_set(0);
	return 0;
}

static struct fake_sink *add(const char *name, unsigned room)
{
	struct fake_sink *s = fake_sink_new(NULL, room);

	bw_outbox_add(stage.outbox, name, fake_sink(s));
	return s;
}

static void run_until_idle(void)
{
	uint64_t until = virtual_loop.now_ms + DAY_MS;

	while (!bw_outbox_is_idle(stage.outbox))
		assert_true(virtual_step(until));
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void test_what_is_due_is_sent_and_recorded(void **state)
{
	struct fake_sink *s = add("a", 4);

	(void)state;
	owe("a", 1, 1);
	owe("a", 2, 2);
	owe("other", 3, 3);
	assert_false(bw_outbox_is_idle(stage.outbox));
	run_until_idle();
	assert_string_equal(s->got, "+e1 +e2 ");
	assert_int_equal(table.rows[0].state, BW_DELIVERY_SENT);
	assert_int_equal(table.rows[1].state, BW_DELIVERY_SENT);
	assert_int_equal(table.rows[2].state, BW_DELIVERY_DUE);
	assert_int_equal(stage.attempts, 2);
	assert_int_equal(stage.idle, 1);
}

static void test_order_is_kept_within_a_subject_and_only_there(void **state)
{
	struct fake_sink *s = add("a", 8);

	(void)state;
	s->result = BW_SINK_RETRY;
	s->only = "s1";
	s->times = 3;
	for (unsigned i = 1; i <= 6; i++)
		owe("a", i, i % 2);
	virtual_run(60000);
	/* The even ones pass while the odd ones wait for e1. */
	assert_string_equal(s->got, "-e1 +e2 +e4 +e6 -e1 -e1 +e1 +e3 +e5 ");
	assert_true(bw_outbox_is_idle(stage.outbox));
}

static void test_a_sink_with_room_for_one_gets_one_at_a_time(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	for (unsigned i = 1; i <= 50; i++)
		owe("a", i, i);
	run_until_idle();
	assert_int_equal(s->most, 1);
	assert_int_equal(s->taken, 50);
}

static void test_twenty_thousand_are_delivered_once_each_in_order(void **state)
{
	struct fake_sink *s = add("a", 100);

	(void)state;
	for (unsigned i = 1; i <= 20000; i++)
		owe("a", i, i % 500);
	run_until_idle();
	assert_int_equal(s->taken, 20000);
	assert_int_equal(s->starts, 20000);
	assert_int_equal(s->most, 100);
	for (unsigned i = 1; i <= 20000; i++)
		assert_int_equal(s->count[i], 1);
	/* Most are read ahead, and recorded together. */
	assert_true(table.calls < 4 * 20000 / 400 + 10);
	assert_true(table.writes < 20000 / 400 + 10);
}

static void test_something_new_is_sent_when_it_is_told(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	run_until_idle();
	virtual_run(10);
	owe("a", 1, 1);
	bw_outbox_wake(stage.outbox);
	assert_false(bw_outbox_is_idle(stage.outbox));
	virtual_run(2);
	assert_string_equal(s->got, "+e1 ");
	assert_int_equal(stage.idle, 2);
}

static void test_something_new_is_found_within_a_minute_when_nobody_tells(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	run_until_idle();
	owe("a", 1, 1);
	virtual_run(60002);
	assert_string_equal(s->got, "+e1 ");
}

static void test_what_is_under_way_is_not_started_again(void **state)
{
	struct fake_sink *s = add("a", 4);

	(void)state;
	s->latency_ms = 5000;
	owe("a", 1, 1);
	virtual_run(100);
	owe("a", 2, 2);
	owe("a", 3, 1); /* behind the first */
	bw_outbox_wake(stage.outbox);
	virtual_run(100);
	assert_int_equal(s->starts, 2);
	virtual_run(20000);
	assert_string_equal(s->got, "+e1 +e2 +e3 ");
	assert_int_equal(s->starts, 3);
}

static void test_without_work_hardly_anything_happens(void **state)
{
	(void)state;
	add("a", 1);
	add("b", 1);
	run_until_idle();
	virtual_loop.fired = 0;
	virtual_run(DAY_MS);
	assert_in_range(virtual_loop.fired, 2, 2 * 1440);
	assert_int_equal(table.writes, 0);
}

static void test_a_sink_without_room_is_asked_again(void **state)
{
	struct fake_sink *s = add("a", 0);

	(void)state;
	owe("a", 1, 1);
	virtual_run(5000);
	assert_int_equal(s->starts, 0);
	assert_false(bw_outbox_is_idle(stage.outbox)); /* it could go now */
	assert_true(virtual_loop.fired < 10);
	s->room = 1;
	virtual_run(1002);
	assert_string_equal(s->got, "+e1 ");
}

/* --- what is read ahead ----------------------------------------------------------------------- */

static void test_what_is_slow_is_recorded_soon_while_the_next_is_under_way(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->latency_ms = 500;
	for (unsigned i = 1; i <= 3; i++)
		owe("a", i, i);
	virtual_run(505);
	assert_int_equal(s->starts, 2);
	assert_int_equal(table.rows[0].state, BW_DELIVERY_DUE);
	virtual_run(RECORD_MS);
	assert_int_equal(table.rows[0].state, BW_DELIVERY_SENT);
	assert_int_equal(stage.attempts, 1);
	assert_int_equal(s->starts, 2);
}

static void test_what_is_superseded_is_not_sent_when_somebody_tells(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->latency_ms = 500;
	for (unsigned i = 1; i <= 3; i++)
		owe("a", i, i);
	virtual_run(100);
	table.rows[1].state = BW_DELIVERY_SUPERSEDED;
	bw_outbox_wake(stage.outbox);
	run_until_idle();
	assert_string_equal(s->got, "+e1 +e3 ");
}

static void test_the_newer_one_waits_for_the_superseded_one_that_is_on_its_way(void **state)
{
	struct fake_sink *s = add("a", 4);

	(void)state;
	s->latency_ms = 500;
	owe("a", 1, 7);
	virtual_run(100);
	table.rows[0].state = BW_DELIVERY_SUPERSEDED;
	owe("a", 2, 7);
	owe("a", 3, 8);
	bw_outbox_wake(stage.outbox);
	virtual_run(100);
	assert_int_equal(s->starts, 2); /* e1 and e3 */
	run_until_idle();
	assert_string_equal(s->got, "+e1 +e3 +e2 ");
}

static void test_what_was_read_ahead_is_believed_for_a_second(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->latency_ms = 1200;
	for (unsigned i = 1; i <= 3; i++)
		owe("a", i, i);
	virtual_run(100);
	table.rows[1].state = BW_DELIVERY_SUPERSEDED; /* by another process, which tells nobody */
	run_until_idle();
	assert_string_equal(s->got, "+e1 +e3 ");
}

static void test_a_failure_throws_away_what_was_read_ahead(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->result = BW_SINK_RETRY;
	s->times = 1;
	for (unsigned i = 1; i <= 5; i++)
		owe("a", i, i);
	virtual_run(600); /* it is left alone at least so long */
	assert_string_equal(s->got, "-e1 ");
	assert_ptr_equal(stage.outbox->workers->ready.next, &stage.outbox->workers->ready);
	run_until_idle();
	virtual_run(5000);
	assert_int_equal(s->taken, 5);
}

static void test_large_events_are_not_read_far_ahead(void **state)
{
	BW_AUTOFREE char *json = bw_alloc(600001);
	struct fake_sink *s = add("a", 1);

	(void)state;
	memset(json, ' ', 600000);
	table.json = json;
	s->latency_ms = 100;
	for (unsigned i = 1; i <= 5; i++)
		owe("a", i, i);
	virtual_run(50);
	assert_int_equal(s->starts, 1);
	assert_int_equal(stage.outbox->workers->batch_count, 2);
	run_until_idle();
	assert_int_equal(s->taken, 5);
}

/* --- failures --------------------------------------------------------------------------------- */

static void test_a_failure_is_tried_again_later_with_the_reason_kept(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->result = BW_SINK_RETRY;
	s->times = 2;
	s->message = "busy";
	owe("a", 1, 1);
	virtual_run(5);
	assert_string_equal(s->got, "-e1 ");
	assert_string_equal(table.rows[0].error, "busy");
	assert_int_equal(table.rows[0].state, BW_DELIVERY_DUE);
	assert_in_range(stage.last.wait_ms, 750, 1251);
	assert_int_equal(stage.last.attempt, 1);
	assert_true(bw_outbox_is_idle(stage.outbox)); /* it waits */
	virtual_run(1300);
	assert_string_equal(s->got, "-e1 -e1 ");
	assert_in_range(stage.last.wait_ms, 1500, 2501);
	virtual_run(2600);
	assert_string_equal(s->got, "-e1 -e1 +e1 ");
	assert_int_equal(table.rows[0].state, BW_DELIVERY_SENT);
}

static void test_the_wait_grows_to_a_quarter_of_an_hour_and_no_further(void **state)
{
	struct fake_sink *s = add("a", 1);
	unsigned starts;

	(void)state;
	s->result = BW_SINK_RETRY;
	owe("a", 1, 1);
	virtual_run(DAY_MS);
	starts = s->starts;
	virtual_run(DAY_MS);
	assert_in_range(s->starts - starts, 86400 / 1125 - 1, 86400 / 675 + 1);
}

static void test_what_expires_is_dead_and_not_sent_any_more(void **state)
{
	struct fake_sink *s = add("a", 1);
	unsigned starts;

	(void)state;
	s->result = BW_SINK_RETRY;
	owe("a", 1, 1);
	virtual_run(WEEK_MS + 120000);
	assert_int_equal(table.rows[0].state, BW_DELIVERY_DEAD);
	starts = s->starts;
	virtual_run(DAY_MS);
	assert_int_equal(s->starts, starts);
}

static void test_what_expired_while_nobody_ran_is_not_sent(void **state)
{
	struct fake_sink *s;

	(void)state;
	owe("a", 1, 1);
	owe("a", 2, 1);
	table.rows[0].expires_ms = bw_clock_ms() - 1;
	s = add("a", 4);
	run_until_idle();
	virtual_run(2000);
	assert_string_equal(s->got, "+e2 ");
	assert_int_equal(table.rows[0].state, BW_DELIVERY_DEAD);
}

static void test_the_receivers_own_time_is_kept(void **state)
{
	struct fake_sink *s = add("a", 4);

	(void)state;
	s->result = BW_SINK_RETRY;
	s->times = 1;
	s->retry_after_s = 600;
	owe("a", 1, 1);
	virtual_run(10);
	owe("a", 2, 2); /* it said so to all of us */
	bw_outbox_wake(stage.outbox);
	assert_true(bw_outbox_is_idle(stage.outbox));
	virtual_run(599000);
	assert_string_equal(s->got, "-e1 ");
	virtual_run(2000);
	assert_int_equal(s->taken, 2);
}

static void test_a_refused_event_is_dead_and_the_next_one_goes_on(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->result = BW_SINK_DEAD;
	s->times = 1;
	s->message = "no such field";
	owe("a", 1, 1);
	owe("a", 2, 1);
	virtual_run(5);
	assert_string_equal(s->got, "-e1 +e2 ");
	assert_int_equal(table.rows[0].state, BW_DELIVERY_DEAD);
	assert_string_equal(table.rows[0].error, "no such field");
}

static void test_a_paused_sink_stops_and_says_so_once(void **state)
{
	struct fake_sink *s = add("a", 4), *other = add("b", 4);

	(void)state;
	s->result = BW_SINK_PAUSED;
	for (unsigned i = 1; i <= 20; i++) {
		owe("a", i, i);
		owe("b", i, i);
	}
	virtual_run(DAY_MS);
	assert_int_equal(s->starts, 4); /* those were under way at once */
	assert_int_equal(stage.paused, 1);
	assert_int_equal(table.rows[0].state, BW_DELIVERY_DUE);
	assert_string_equal(table.rows[0].error, "no");
	assert_int_equal(other->taken, 20);
	assert_true(bw_outbox_is_idle(stage.outbox));
}

static void test_a_dead_sink_gets_few_attempts_and_delays_no_other(void **state)
{
	struct fake_sink *dead = add("dead", 16), *silent = add("silent", 16), *alive = add("alive", 16);

	(void)state;
	dead->result = BW_SINK_RETRY;
	silent->never = true;
	for (unsigned i = 1; i <= 1000; i++) {
		owe("dead", i, i);
		owe("silent", i, i);
		owe("alive", i, i);
	}
	virtual_run(2000);
	assert_int_equal(alive->taken, 1000);
	assert_int_equal(silent->starts, 16);
	virtual_run(3600000);
	assert_in_range(dead->starts, 100, 16 + 3600 / 22);
	dead->result = BW_SINK_OK;
	virtual_run(1125000 + 30000);
	assert_int_equal(dead->taken, 1000);
}

static void test_one_event_that_always_fails_starves_nobody(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->result = BW_SINK_RETRY;
	s->only = "s0";
	for (unsigned i = 1; i <= 100; i++)
		owe("a", i, i == 1 ? 0 : i);
	virtual_run(20000);
	assert_int_equal(s->taken, 99);
	for (unsigned i = 101; i <= 110; i++) {
		owe("a", i, i);
		bw_outbox_wake(stage.outbox);
		virtual_run(60000);
	}
	assert_int_equal(s->taken, 109);
}

static void test_a_clock_that_is_set_forward_is_seen_within_a_minute(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	owe("a", 1, 1);
	table.rows[0].next_ms += 3600000;
	virtual_run(10);
	assert_true(bw_outbox_is_idle(stage.outbox));
	table.rows[0].next_ms -= 3600000; /* as if an hour had passed on the wall */
	virtual_run(60002);
	assert_string_equal(s->got, "+e1 ");
}

static void test_those_that_fail_together_count_as_one_failure(void **state)
{
	struct fake_sink *s = add("a", 16);

	(void)state;
	s->result = BW_SINK_RETRY;
	for (unsigned i = 1; i <= 16; i++)
		owe("a", i, i);
	virtual_run(5);
	assert_int_equal(s->starts, 16);
	s->result = BW_SINK_OK;
	virtual_run(1300);
	assert_int_equal(s->taken, 16);
}

static void test_a_sink_that_fails_is_not_asked_with_the_same_event_each_time(void **state)
{
	struct fake_sink *s = add("a", 1);

	(void)state;
	s->result = BW_SINK_RETRY;
	owe("a", 1, 1);
	virtual_run(3600000);
	s->got[0] = '\0';
	owe("a", 2, 2);
	owe("a", 3, 3);
	bw_outbox_wake(stage.outbox);
	virtual_run(3 * 37500);
	assert_non_null(strstr(s->got, "-e2"));
	assert_non_null(strstr(s->got, "-e3"));
}

/* --- the store -------------------------------------------------------------------------------- */

static void test_a_full_disk_is_told_once_and_nothing_is_sent_twice_meanwhile(void **state)
{
	struct fake_sink *s = add("a", 2);

	(void)state;
	table.is_full = true;
	for (unsigned i = 1; i <= 10; i++)
		owe("a", i, i);
	virtual_run(60000);
	assert_int_equal(stage.failed, 1);
	assert_string_equal(stage.failure, "disk full");
	assert_int_equal(s->starts, 10); /* they were read before anybody knew */
	assert_false(bw_outbox_is_idle(stage.outbox));
	assert_in_range(table.writes, 10, 13);
	owe("a", 11, 11);
	bw_outbox_wake(stage.outbox);
	virtual_run(60000);
	assert_int_equal(s->starts, 10);
	table.is_full = false;
	virtual_run(6000);
	assert_int_equal(s->taken, 11);
	assert_int_equal(s->starts, 11);
	table.is_full = true;
	owe("a", 12, 12);
	bw_outbox_wake(stage.outbox);
	virtual_run(100);
	assert_int_equal(stage.failed, 2);
}

static void test_a_locked_database_is_left_alone_by_all_workers(void **state)
{
	struct fake_sink *a = add("a", 1), *b = add("b", 1);

	(void)state;
	table.is_locked = true;
	owe("a", 1, 1);
	owe("b", 2, 2);
	virtual_run(50);
	assert_int_equal(table.calls, 1);
	bw_outbox_wake(stage.outbox);
	virtual_run(4900);
	assert_int_equal(table.calls, 1);
	virtual_run(30000);
	assert_in_range(table.calls, 5, 7);
	assert_int_equal(stage.failed, 1);
	table.is_locked = false;
	virtual_run(6000);
	assert_int_equal(a->taken + b->taken, 2);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void test_draining_ends_what_is_under_way_and_starts_nothing(void **state)
{
	struct fake_sink *s = add("a", 2);

	(void)state;
	s->latency_ms = 100;
	for (unsigned i = 1; i <= 10; i++)
		owe("a", i, i);
	virtual_run(50);
	bw_outbox_drain(stage.outbox);
	assert_false(bw_outbox_is_idle(stage.outbox));
	virtual_run(20);
	assert_int_equal(stage.idle, 0);
	virtual_run(1000);
	assert_int_equal(stage.idle, 1);
	assert_int_equal(s->starts, 2);
	assert_int_equal(table.rows[0].state, BW_DELIVERY_SENT);
	assert_int_equal(table.rows[2].state, BW_DELIVERY_DUE);
}

static void test_draining_without_work_is_idle_at_once(void **state)
{
	(void)state;
	add("a", 1);
	bw_outbox_drain(stage.outbox);
	virtual_run(1);
	assert_int_equal(stage.idle, 1);
}

static void test_what_is_under_way_is_cancelled_at_the_end_and_stays_due(void **state)
{
	struct fake_sink *s = add("a", 5), *t = add("b", 5);
	bool freed[2] = {false, false};

	(void)state;
	s->is_freed = &freed[0];
	t->is_freed = &freed[1];
	s->never = true;
	for (unsigned i = 1; i <= 10; i++)
		owe(i % 2 ? "a" : "b", i, i);
	virtual_run(100);
	assert_int_equal(s->flying, 5);
	bw_outbox_free(stage.outbox);
	stage.outbox = NULL;
	assert_true(freed[0] && freed[1]);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(table.rows[i].state, i % 2 ? BW_DELIVERY_SENT : BW_DELIVERY_DUE);
}

static void test_what_has_landed_is_recorded_at_the_end(void **state)
{
	(void)state;
	add("a", 1);
	owe("a", 1, 1);
	while (stage.outbox->workers->landed.next == &stage.outbox->workers->landed)
		assert_true(virtual_step(virtual_loop.now_ms + 1000));
	bw_outbox_free(stage.outbox);
	stage.outbox = NULL;
	assert_int_equal(table.rows[0].state, BW_DELIVERY_SENT);
}

static void test_it_may_be_freed_when_it_becomes_idle(void **state)
{
	(void)state;
	add("a", 1);
	add("b", 1);
	owe("a", 1, 1);
	stage.frees_when_idle = true;
	virtual_run(1000);
	assert_null(stage.outbox);
	assert_int_equal(table.rows[0].state, BW_DELIVERY_SENT);
}

static void test_nothing_to_do_is_idle_from_the_start(void **state)
{
	(void)state;
	assert_true(bw_outbox_is_idle(stage.outbox));
	bw_outbox_wake(stage.outbox);
	assert_true(bw_outbox_is_idle(stage.outbox));
}

/* --- chance ----------------------------------------------------------------------------------- */

/* Sinks that fail at random for a day, and a store that does: all arrives, once, in order, when they are well again. */
static void test_whatever_fails_everything_arrives_in_order(void **state)
{
	struct fake_sink *s[3] = {add("a", 1), add("b", 8), add("c", 64)};
	uint64_t random = 12345;

	(void)state;
	for (unsigned i = 1; i <= 3000; i++) {
		char name[2] = {"abc"[i % 3], '\0'};

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		owe(name, i, (unsigned)(random >> 40) % 50);
		s[i % 3]->result = random >> 62 == 0 ? BW_SINK_RETRY : BW_SINK_OK;
		table.is_full = random >> 58 == 5;
		bw_outbox_wake(stage.outbox);
		virtual_run((random >> 33) % 60000);
	}
	table.is_full = false;
	for (unsigned i = 0; i < 3; i++)
		s[i]->result = BW_SINK_OK;
	virtual_run(DAY_MS);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(s[i]->taken, 1000);
	for (unsigned i = 1; i <= 3000; i++)
		assert_int_equal(s[i % 3]->count[i], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_due_is_sent_and_recorded),
		TEST(test_order_is_kept_within_a_subject_and_only_there),
		TEST(test_a_sink_with_room_for_one_gets_one_at_a_time),
		TEST(test_twenty_thousand_are_delivered_once_each_in_order),
		TEST(test_something_new_is_sent_when_it_is_told),
		TEST(test_something_new_is_found_within_a_minute_when_nobody_tells),
		TEST(test_what_is_under_way_is_not_started_again),
		TEST(test_without_work_hardly_anything_happens),
		TEST(test_a_sink_without_room_is_asked_again),
		TEST(test_what_is_slow_is_recorded_soon_while_the_next_is_under_way),
		TEST(test_what_is_superseded_is_not_sent_when_somebody_tells),
		TEST(test_the_newer_one_waits_for_the_superseded_one_that_is_on_its_way),
		TEST(test_what_was_read_ahead_is_believed_for_a_second),
		TEST(test_a_failure_throws_away_what_was_read_ahead),
		TEST(test_large_events_are_not_read_far_ahead),
		TEST(test_a_failure_is_tried_again_later_with_the_reason_kept),
		TEST(test_the_wait_grows_to_a_quarter_of_an_hour_and_no_further),
		TEST(test_what_expires_is_dead_and_not_sent_any_more),
		TEST(test_what_expired_while_nobody_ran_is_not_sent),
		TEST(test_the_receivers_own_time_is_kept),
		TEST(test_a_refused_event_is_dead_and_the_next_one_goes_on),
		TEST(test_a_paused_sink_stops_and_says_so_once),
		TEST(test_a_dead_sink_gets_few_attempts_and_delays_no_other),
		TEST(test_one_event_that_always_fails_starves_nobody),
		TEST(test_a_clock_that_is_set_forward_is_seen_within_a_minute),
		TEST(test_those_that_fail_together_count_as_one_failure),
		TEST(test_a_sink_that_fails_is_not_asked_with_the_same_event_each_time),
		TEST(test_a_full_disk_is_told_once_and_nothing_is_sent_twice_meanwhile),
		TEST(test_a_locked_database_is_left_alone_by_all_workers),
		TEST(test_draining_ends_what_is_under_way_and_starts_nothing),
		TEST(test_draining_without_work_is_idle_at_once),
		TEST(test_what_is_under_way_is_cancelled_at_the_end_and_stays_due),
		TEST(test_what_has_landed_is_recorded_at_the_end),
		TEST(test_it_may_be_freed_when_it_becomes_idle),
		TEST(test_nothing_to_do_is_idle_from_the_start),
		TEST(test_whatever_fails_everything_arrives_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
