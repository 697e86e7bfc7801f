/*
 * What is owed to whom: order, superseding, expiry, sinks that come and go, twenty thousand deliveries, two processes,
 * and faults at any moment.
 */
#include "unit/store_fixture.h"

#include "store/event.h"
#include "store/outbox.h"
#include "store/source.h"
#include "store/sql.h"
#include "unit/deliveries.h"
#include "unit/fault_vfs.h"

#define CHANGED "io.basewatch.base.changed"
#define REQUEST "io.basewatch.rebuild.requested"
#define DAY_MS	(24LL * 3600 * 1000)

/* --- publishing ------------------------------------------------------------------------------- */

static int put_in_tx(struct bw_store *s, void *arg, struct bw_err *err)
{
	return bw_store_put_event(s, arg, NULL, err);
}

/* An event whose id is 64 times this letter. */
static int try_publish(struct bw_store *s, const char *type, char letter, const char *subject, int64_t at_ms,
		       struct bw_err *err)
{
	char id[BW_EVENT_ID_MAX] = "", json[128];
	struct bw_new_event e = {.id = id, .type = type, .subject = subject, .json = json, .at_ms = at_ms};

	memset(id, letter, BW_EVENT_ID_MAX - 1);
	(void)snprintf(json, sizeof(json), "{\"id\":\"%c\",\"subject\":\"%s\"}", letter, subject);
	return bw_sql_tx(s, put_in_tx, &e, err);
}

static void publish(struct fixture *f, const char *type, char letter, const char *subject, int64_t at_ms)
{
	assert_ok(f, try_publish(f->store, type, letter, subject, at_ms, &f->err));
}

static const char *const all_types[] = {"base.changed", "rebuild.requested", NULL};
static const char *const requests_only[] = {"rebuild.requested", NULL};

static void put_sinks(struct fixture *f, const char *first, const char *second)
{
	const struct bw_sink_row rows[] = {{.name = first, .expire_ms = DAY_MS},
					   {.name = second, .types = all_types, .expire_ms = DAY_MS}};

	assert_ok(f, bw_store_put_sinks(f->store, rows, second ? 2 : 1, 5, &f->err));
}

/* --- lists as text ---------------------------------------------------------------------------- */

static int add_due(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	assert_int_equal(d->len, strlen(d->json));
	bw_buf_addf(&f->text, "%lld%c%s%s", (long long)d->id, d->event_id[0], d->subject,
		    d->attempts ? "!" : "");
	if (d->state != BW_DELIVERY_DUE)
		bw_buf_addf(&f->text, "?%s", bw_delivery_state_name(d->state));
	bw_buf_addc(&f->text, ' ');
	return 0;
}

/* "1ax 3cy! ": number, event and subject of each delivery; "!" when it was tried before. */
static const char *due_at(struct fixture *f, const char *sink, int64_t now_ms)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_due(f->store, sink, now_ms, 100, add_due, f, &f->err));
	return bw_buf_str(&f->text);
}

static int64_t next_due(struct fixture *f, const char *sink)
{
	int64_t ms = -1;

	assert_ok(f, bw_store_next_due(f->store, sink, &ms, &f->err));
	return ms;
}

static int add_event(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%c %s", d->event_id[0], d->sink ? d->sink : "nobody");
	if (d->sink)
		bw_buf_addf(&f->text, " %s", bw_delivery_state_name(d->state));
	if (d->error)
		bw_buf_addf(&f->text, " (%s)", d->error);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

static const char *events_of(struct fixture *f, const struct bw_event_filter *filter)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_event(f->store, filter, add_event, f, &f->err));
	return bw_buf_str(&f->text);
}

static const char *events(struct fixture *f)
{
	static const struct bw_event_filter all;

	return events_of(f, &all);
}

static void sent(struct fixture *f, int64_t id)
{
	assert_ok(f, record_sent(f->store, id, 50, &f->err));
}

/* --- what is owed ----------------------------------------------------------------------------- */

static void each_sink_is_owed_what_it_takes(void **state)
{
	const struct bw_sink_row rows[] = {{.name = "all"}, {.name = "ci", .types = requests_only}};
	struct fixture *f = *state;

	publish(f, CHANGED, 'a', "x", 10);
	assert_ok(f, bw_store_put_sinks(f->store, rows, 2, 15, &f->err));
	publish(f, CHANGED, 'b', "x", 20);
	publish(f, REQUEST, 'c', "y", 20);
	assert_string_equal(due_at(f, "all", 20), "1bx 2cy ");
	assert_string_equal(due_at(f, "ci", 20), "3cy ");
	assert_string_equal(due_at(f, "other", 20), "");
	assert_string_equal(events(f), "a nobody\nb all due\nc all due\nc ci due\n");
}

static void an_event_is_published_once(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'a', "x", 20);
	assert_string_equal(events(f), "a s due\n");
	assert_int_equal(ask(f, "SELECT at FROM event"), 10);
}

static void order_is_kept_per_subject_and_no_further(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", "t");
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	publish(f, CHANGED, 'c', "y", 12);
	assert_string_equal(due_at(f, "s", 20), "1ax 5cy ");
	sent(f, 5);
	assert_string_equal(due_at(f, "s", 20), "1ax ");
	sent(f, 1);
	assert_string_equal(due_at(f, "s", 20), "3bx ");
	assert_string_equal(due_at(f, "t", 20), "2ax 6cy "); /* the other sink has a queue of its own */
	sent(f, 3);
	assert_string_equal(due_at(f, "s", 20), "");
	assert_true(next_due(f, "s") == INT64_MAX);
}

static void no_more_are_listed_than_there_is_room_for(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "y", 11);
	publish(f, CHANGED, 'c', "z", 12);
	assert_ok(f, bw_store_each_due(f->store, "s", 20, 2, add_due, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "1ax 2by ");
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_due(f->store, "s", 20, 0, add_due, f, &f->err));
	assert_string_equal(bw_buf_str(&f->text), "");
}

static int refuse(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "no more than %c", d->event_id[0]);
}

static void a_callback_can_end_a_list(void **state)
{
	static const struct bw_event_filter all;
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	assert_int_equal(bw_store_each_due(f->store, "s", 20, 2, refuse, f, &f->err), BW_E_LIMIT);
	assert_string_equal(f->err.msg, "no more than a");
	assert_int_equal(bw_store_each_event(f->store, &all, refuse, f, &f->err), BW_E_LIMIT);
}

static void a_failed_attempt_waits_and_holds_its_subject_up(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	publish(f, CHANGED, 'c', "y", 12);
	assert_int_equal(next_due(f, "s"), 10);
	assert_ok(f, record_retry(f->store, 1, 500, "refused", 20, &f->err));
	assert_string_equal(due_at(f, "s", 499), "3cy ");
	assert_int_equal(next_due(f, "s"), 12);
	sent(f, 3);
	assert_int_equal(next_due(f, "s"), 500);
	assert_string_equal(due_at(f, "s", 500), "1ax! ");
	assert_string_equal(events(f), "a s due (refused)\nb s due\nc s sent\n");
	assert_ok(f, record_dead(f->store, 1, "400 no", 501, &f->err));
	assert_string_equal(due_at(f, "s", 501), "2bx ");
	assert_string_equal(events(f), "a s dead (400 no)\nb s due\nc s sent\n");
	assert_int_equal(ask(f, "SELECT attempts FROM delivery WHERE id = 1"), 2);
}

static void many_outcomes_are_recorded_together(void **state)
{
	static const struct bw_delivery_outcome outcomes[] = {
		{.id = 1, .state = BW_DELIVERY_SENT},
		{.id = 3, .state = BW_DELIVERY_DEAD, .error = "400 no"},
		{.id = 4, .state = BW_DELIVERY_DUE, .next_ms = 90, .error = "busy"},
		{.id = 99, .state = BW_DELIVERY_SENT}, /* gone */
	};
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	publish(f, CHANGED, 'c', "y", 12);
	publish(f, CHANGED, 'd', "z", 13);
	publish(f, CHANGED, 'e', "y", 14);
	assert_ok(f, bw_store_record_deliveries(f->store, outcomes, BW_COUNT(outcomes), 20, &f->err));
	assert_string_equal(events(f), "a s sent\nb s due\nc s dead (400 no)\nd s due (busy)\ne s due\n");
	assert_string_equal(due_at(f, "s", 20), "2bx 5ey ");
	assert_string_equal(due_at(f, "s", 90), "2bx 4dz! 5ey ");
	assert_int_equal(ask(f, "SELECT sum(ended_at) FROM delivery"), 40);
}

static void a_newer_request_supersedes_the_older_of_the_same_build(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", "t");
	publish(f, REQUEST, 'a', "x", 10);
	publish(f, REQUEST, 'b', "y", 11);
	sent(f, 1); /* to s */
	publish(f, REQUEST, 'c', "x", 12);
	assert_string_equal(events(f), "a s sent\na t superseded\nb s due\nb t due\nc s due\nc t due\n");
	assert_string_equal(due_at(f, "s", 20), "3by 5cx ");
	assert_string_equal(due_at(f, "t", 20), "4by 6cx ");
	/* It was under way meanwhile: that it failed changes nothing any more, that it arrived is so. */
	assert_ok(f, record_retry(f->store, 2, 99, "late", 20, &f->err));
	assert_ok(f, record_dead(f->store, 2, "late", 20, &f->err));
	assert_string_equal(events(f), "a s sent\na t superseded\nb s due\nb t due\nc s due\nc t due\n");
	sent(f, 2);
	assert_string_equal(events(f), "a s sent\na t sent\nb s due\nb t due\nc s due\nc t due\n");
	assert_string_equal(due_at(f, "t", 20), "4by 6cx ");
}

static void a_change_is_never_superseded(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	publish(f, REQUEST, 'c', "x", 12);
	publish(f, REQUEST, 'd', "x", 13);
	assert_string_equal(events(f), "a s due\nb s due\nc s superseded\nd s due\n");
	assert_string_equal(due_at(f, "s", 20), "1ax ");
}

static void what_a_sink_is_owed_outlives_its_absence(void **state)
{
	struct fixture *f = *state;

	put_sinks(f, "s", "t");
	publish(f, REQUEST, 'a', "x", 10);
	put_sinks(f, "t", NULL);
	publish(f, REQUEST, 'b', "x", 20); /* contains a, but s does not get it */
	assert_string_equal(events(f), "a s due\na t superseded\nb t due\n");
	put_sinks(f, "s", "t");
	assert_string_equal(due_at(f, "s", 30), "1ax ");
	publish(f, REQUEST, 'c', "x", 40);
	assert_string_equal(events(f), "a s superseded\na t superseded\nb t superseded\nc s due\nc t due\n");
	assert_ok(f, bw_store_put_sinks(f->store, NULL, 0, 50, &f->err));
	publish(f, CHANGED, 'd', "x", 60);
	assert_string_equal(due_at(f, "s", 60), "4cx ");
	assert_int_equal(ask(f, "SELECT count(*) FROM delivery"), 5);
}

static void a_sink_may_change_what_it_takes(void **state)
{
	const struct bw_sink_row ci = {.name = "s", .types = requests_only, .confirms = true};
	struct fixture *f = *state;

	put_sinks(f, "s", NULL);
	assert_ok(f, bw_store_put_sinks(f->store, &ci, 1, 6, &f->err));
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, "io.basewatch.rebuild.requested-not", 'b', "x", 10);
	assert_string_equal(due_at(f, "s", 60), "");
	assert_int_equal(ask(f, "SELECT confirms FROM sink"), 1);
}

static void what_expires_is_dead_and_says_what_was_tried(void **state)
{
	struct fixture *f = *state;
	size_t count = 99;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "y", 10);
	publish(f, CHANGED, 'c', "x", 2000);
	assert_ok(f, record_retry(f->store, 1, 500, "refused", 20, &f->err));
	assert_ok(f, record_retry(f->store, 1, 900, "no answer", 20, &f->err));
	assert_ok(f, bw_store_expire_deliveries(f->store, DAY_MS, &count, &f->err));
	assert_int_equal(count, 0);
	assert_ok(f, bw_store_expire_deliveries(f->store, DAY_MS + 10, &count, &f->err));
	assert_int_equal(count, 2);
	assert_string_equal(events(f), "a s dead (expired after 2 attempts: no answer)\n"
				       "b s dead (expired after 0 attempts)\nc s due\n");
	assert_string_equal(due_at(f, "s", DAY_MS), "3cx ");
	assert_ok(f, bw_store_expire_deliveries(f->store, DAY_MS + 10, NULL, &f->err));
}

/* --- for people ------------------------------------------------------------------------------- */

static void lists_are_filtered(void **state)
{
	const struct bw_event_filter since = {.since_ms = 11}, sink = {.sink = "t"}, dead = {.dead = true},
				     both = {.sink = "t", .dead = true};
	struct fixture *f = *state;

	put_sinks(f, "s", "t");
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	assert_ok(f, record_dead(f->store, 1, "no", 20, &f->err));
	assert_string_equal(events_of(f, &since), "b s due\nb t due\n");
	assert_string_equal(events_of(f, &sink), "a t due\nb t due\n");
	assert_string_equal(events_of(f, &dead), "a s dead (no)\n");
	assert_string_equal(events_of(f, &both), "");
}

static void an_event_is_found_by_its_first_digits(void **state)
{
	struct bw_event_found e = {0};
	struct fixture *f = *state;

	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	assert_ok(f, bw_store_find_event(f->store, "bbbbbb", &e, &f->err));
	assert_int_equal(e.number, 2);
	assert_int_equal(e.build_id, 0);
	assert_string_equal(e.json, "{\"id\":\"b\",\"subject\":\"x\"}");
	assert_int_equal(strlen(e.id), 64);
	bw_event_found_done(&e);
	assert_int_equal(bw_store_find_event(f->store, "cccccc", &e, &f->err), BW_E_GONE);
	assert_string_equal(f->err.msg, "there is no event 'cccccc': `basewatch events` lists them");
	assert_int_equal(bw_store_find_event(f->store, "bbbbb", &e, &f->err), BW_E_INPUT);
	assert_non_null(strstr(f->err.msg, "first 6 or more digits, got 'bbbbb'"));
	assert_int_equal(bw_store_find_event(f->store, "%%%%%%%", &e, &f->err), BW_E_INPUT);
	run_sql(f->path, "UPDATE event SET id = 'aaaaaa1' WHERE number = 2");
	assert_int_equal(bw_store_find_event(f->store, "aaaaaa", &e, &f->err), BW_E_INPUT);
	assert_non_null(strstr(f->err.msg, "more than one event begins with 'aaaaaa'"));
	assert_null(e.json);
}

static void a_dead_delivery_comes_back_in_its_place(void **state)
{
	struct fixture *f = *state;
	size_t count = 99;

	put_sinks(f, "s", "t");
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "x", 11);
	assert_ok(f, record_dead(f->store, 1, "no", 20, &f->err));
	assert_ok(f, record_dead(f->store, 2, "no", 20, &f->err));
	assert_string_equal(due_at(f, "s", 30), "3bx ");
	assert_ok(f, bw_store_retry_event(f->store, 1, "s", 40, &count, &f->err));
	assert_int_equal(count, 1);
	assert_string_equal(due_at(f, "s", 39), "");
	assert_string_equal(due_at(f, "s", 40), "1ax ");
	assert_string_equal(due_at(f, "t", 40), "4bx ");
	assert_ok(f, bw_store_retry_event(f->store, 1, NULL, 40, &count, &f->err));
	assert_int_equal(count, 1);
	assert_string_equal(due_at(f, "t", 40), "2ax ");
	assert_ok(f, bw_store_retry_event(f->store, 1, NULL, 40, &count, &f->err));
	assert_int_equal(count, 0);
	assert_int_equal(ask(f, "SELECT expires_at FROM delivery WHERE id = 1"), 40 + DAY_MS);
}

static void a_replay_is_owed_to_the_sinks_of_today(void **state)
{
	struct fixture *f = *state;
	size_t count = 99;

	put_sinks(f, "s", NULL);
	publish(f, REQUEST, 'a', "x", 10);
	sent(f, 1);
	put_sinks(f, "s", "t");
	publish(f, REQUEST, 'b', "x", 20);
	assert_ok(f, bw_store_replay_event(f->store, 1, NULL, 30, &count, &f->err));
	assert_int_equal(count, 2);
	assert_string_equal(events(f), "a s sent\na s due\na t due\nb s due\nb t due\n");
	assert_string_equal(due_at(f, "t", 30), "3bx ");
	assert_ok(f, bw_store_replay_event(f->store, 1, NULL, 30, &count, &f->err));
	assert_int_equal(count, 0); /* it is due already */
	assert_ok(f, bw_store_replay_event(f->store, 2, "t", 30, &count, &f->err));
	assert_int_equal(count, 0);
	sent(f, 3);
	assert_ok(f, bw_store_replay_event(f->store, 2, "t", 30, &count, &f->err));
	assert_int_equal(count, 1);
}

/* --- many, and two processes ------------------------------------------------------------------ */

#define MANY 20000

static int publish_many(struct bw_store *s, void *arg, struct bw_err *err)
{
	int subjects = *(const int *)arg, rc = 0;

	for (int i = 0; rc == 0 && i < MANY; i++) {
		char id[BW_EVENT_ID_MAX], subject[32];
		const struct bw_new_event e = {
			.id = id, .type = CHANGED, .subject = subject, .json = "{}", .at_ms = 10 + i};

		(void)snprintf(id, sizeof(id), "%064x", (unsigned)i + (unsigned)subjects * MANY);
		(void)snprintf(subject, sizeof(subject), "x%d", i % subjects);
		rc = bw_store_put_event(s, &e, NULL, err);
	}
	return rc;
}

struct drained {
	struct fixture *f;
	int64_t ids[50];
	size_t count;
	int64_t last;
};

static int collect(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	struct drained *x = arg;

	(void)err;
	x->ids[x->count++] = d->id;
	return 0;
}

/* Sends all that is due, in rounds of 50; each is sent once. */
static void drain(struct fixture *f, bool in_order)
{
	struct drained x = {.f = f};
	size_t total = 0;

	do {
		x.count = 0;
		assert_ok(f, bw_store_each_due(f->store, "s", DAY_MS, 50, collect, &x, &f->err));
		for (size_t i = 0; i < x.count; i++) {
			if (in_order)
				assert_true(x.ids[i] > x.last);
			x.last = x.ids[i];
			sent(f, x.ids[i]);
		}
		total += x.count;
	} while (x.count > 0);
	assert_int_equal(total, MANY);
}

static void twenty_thousand_are_sent_in_order(void **state)
{
	struct fixture *f = *state;
	int subjects = MANY, one = 1;

	put_sinks(f, "s", NULL);
	assert_ok(f, bw_sql_tx(f->store, publish_many, &subjects, &f->err));
	drain(f, true);
	assert_ok(f, bw_sql_tx(f->store, publish_many, &one, &f->err)); /* of one base: one after the other */
	drain(f, true);
	assert_int_equal(ask(f, "SELECT count(*) FROM delivery WHERE state = 'sent'"), 2 * MANY);
}

/* What a worker asks again and again looks at no more than it takes. */
static void expect_plan(struct fixture *f, enum bw_sql which, const char *index)
{
	BW_AUTOBUF struct bw_buf sql, plan;
	sqlite3_stmt *q = NULL;

	bw_buf_init(&sql, 8192);
	bw_buf_init(&plan, 8192);
	bw_buf_addf(&sql, "EXPLAIN QUERY PLAN %s", bw_sql_text(which));
	if (sqlite3_prepare_v2(f->store->db, sql.data, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql.data, sqlite3_errmsg(f->store->db));
	while (sqlite3_step(q) == SQLITE_ROW)
		bw_buf_addf(&plan, "%s\n", (const char *)sqlite3_column_text(q, 3));
	(void)sqlite3_finalize(q);
	if (!strstr(plan.data, index) || strstr(plan.data, "TEMP B-TREE") ||
	    strstr(plan.data, "SCAN delivery") || strstr(plan.data, "SCAN d") ||
	    strstr(plan.data, "SCAN event") || strstr(plan.data, "SCAN e\n"))
		fail_msg("%s\n%s", bw_sql_text(which), plan.data);
}

static void questions_go_by_the_index(void **state)
{
	struct fixture *f = *state;

	expect_plan(f, BW_SQL_DELIVERIES_DUE, "delivery_first");
	expect_plan(f, BW_SQL_DELIVERIES_NEXT, "delivery_next");
	expect_plan(f, BW_SQL_DELIVERIES_FIRST, "delivery_queue");
	expect_plan(f, BW_SQL_DELIVERIES_LAST, "delivery_");
	expect_plan(f, BW_SQL_DELIVERIES_SUPERSEDE, "delivery_queue");
	expect_plan(f, BW_SQL_DELIVERIES_HAVE_EXPIRED, "delivery_expiry");
	expect_plan(f, BW_SQL_DELIVERIES_EXPIRE, "delivery_expiry");
	expect_plan(f, BW_SQL_DELIVERIES_REVIVE, "delivery_");
	expect_plan(f, BW_SQL_SINKS_REPEAT, "delivery_event");
	expect_plan(f, BW_SQL_SINKS_OWED, "INTEGER PRIMARY KEY");
	expect_plan(f, BW_SQL_DELIVERY_ADD, "delivery_queue");
	expect_plan(f, BW_SQL_DELIVERIES_HURRY, "delivery_next");
	expect_plan(f, BW_SQL_DELIVERIES_WITHDRAW, "delivery_queue");
	expect_plan(f, BW_SQL_BUILDS_REQUESTED, "outstanding_requested");
	expect_plan(f, BW_SQL_DELIVERY_CONFIRMED, "INTEGER PRIMARY KEY");
	expect_plan(f, BW_SQL_DELIVERY_END, "INTEGER PRIMARY KEY");
	expect_plan(f, BW_SQL_DELIVERY_NEXT, "delivery_queue");
	expect_plan(f, BW_SQL_EVENT_FIND, "sqlite_autoindex_event_1");
}

static void one_process_sends_what_another_publishes(void **state)
{
	struct fixture *f = *state;
	struct bw_store *other = NULL;

	put_sinks(f, "s", NULL);
	assert_ok(f, bw_store_open(f->path, &other, &f->err));
	assert_ok(f, try_publish(other, REQUEST, 'a', "x", 10, &f->err));
	assert_string_equal(due_at(f, "s", 20), "1ax ");
	/* While this one sends it, the other one supersedes it. */
	assert_ok(f, try_publish(other, REQUEST, 'b', "x", 20, &f->err));
	sent(f, 1);
	assert_string_equal(events(f), "a s sent\nb s due\n");
	assert_string_equal(due_at(f, "s", 50), "2bx ");
	assert_ok(f, record_sent(other, 2, 40, &f->err));
	assert_string_equal(due_at(f, "s", 50), "");
	bw_store_close(other);
}

/* --- faults ----------------------------------------------------------------------------------- */

static int broken_statement = -1;

static int break_statement(struct bw_store *s, struct bw_err *err)
{
	static const char text[] = "SELECT abs(-9223372036854775808), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9";

	if (broken_statement < 0)
		return 0;
	(void)sqlite3_finalize(s->statements[broken_statement]);
	return sqlite3_prepare_v2(s->db, text, -1, &s->statements[broken_statement], NULL) == SQLITE_OK
		       ? 0
		       : bw_fail(err, BW_E_STORE, "the statement cannot be broken");
}

static void outcomes_are_recorded_all_or_none(void **state)
{
	static const struct bw_delivery_outcome outcomes[] = {
		{.id = 1, .state = BW_DELIVERY_SENT}, {.id = 2, .state = BW_DELIVERY_DUE, .next_ms = 90}};
	struct fixture *f = *state;
	int rc;

	put_sinks(f, "s", NULL);
	publish(f, CHANGED, 'a', "x", 10);
	publish(f, CHANGED, 'b', "y", 11);
	broken_statement = BW_SQL_DELIVERY_RETRY;
	assert_ok(f, break_statement(f->store, &f->err));
	broken_statement = -1;
	rc = bw_store_record_deliveries(f->store, outcomes, BW_COUNT(outcomes), 20, &f->err);
	assert_int_equal(rc, BW_E_STORE);
	assert_non_null(strstr(f->err.msg, "integer overflow"));
	assert_string_equal(due_at(f, "s", 20), "1ax 2by ");
}

static int publish_three(struct bw_store *s, struct bw_err *err)
{
	const struct bw_sink_row rows[] = {
		{.name = "s", .types = all_types, .confirms = true, .expire_ms = DAY_MS},
		{.name = "t", .expire_ms = DAY_MS}};
	int rc = bw_store_put_sinks(s, rows, 2, 5, err);

	if (rc == 0)
		rc = try_publish(s, CHANGED, 'a', "x", 10, err);
	if (rc == 0)
		rc = try_publish(s, REQUEST, 'b', "y", 11, err);
	return rc < 0 ? rc : try_publish(s, REQUEST, 'c', "y", 12, err);
}

static int send_three(struct bw_store *s, struct bw_err *err)
{
	struct bw_event_found e = {0};
	int64_t next = 0;
	size_t count = 0;
	int rc = record_sent(s, 1, 20, err);

	if (rc == 0)
		rc = record_retry(s, 2, 30, "no", 20, err);
	if (rc == 0)
		rc = bw_store_next_due(s, "t", &next, err);
	if (rc == 0)
		rc = bw_store_sink_due_now(s, "t", 25, err);
	if (rc == 0)
		rc = bw_store_expire_deliveries(s, DAY_MS + 11, &count, err);
	if (rc == 0)
		rc = bw_store_find_event(s, "aaaaaa", &e, err);
	if (rc == 0)
		rc = bw_store_retry_event(s, 1, "t", 50, &count, err);
	if (rc == 0)
		rc = bw_store_replay_event(s, 1, "s", 60, &count, err);
	bw_event_found_done(&e);
	return rc;
}

static int take_source(const struct bw_source_row *x, void *arg, struct bw_err *err)
{
	(void)x;
	(void)arg;
	(void)err;
	return 0;
}

static int follow_git(struct bw_store *s, struct bw_err *err)
{
	const struct bw_source_row row = {
		.name = "https://x.example/a#b", .url = "https://x.example/a", .branch = "b", .commit = "1"};
	int rc = bw_store_put_git_source(s, &row, 10, err);

	if (rc == 0)
		rc = bw_store_each_git_source(s, NULL, take_source, NULL, err);
	return rc < 0 ? rc : bw_store_end_unchosen(s, row.name, 10, err);
}

static int take_nothing(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	(void)err;
	*(size_t *)arg += d->subject != NULL;
	return 0;
}

/* A life of the outbox in small; can be done again from wherever it broke off. */
static int work(const char *path, struct bw_err *err)
{
	static const struct bw_event_filter all, dead = {.dead = true};
	struct bw_store *s = NULL;
	size_t count = 0;
	int rc = bw_store_open(path, &s, err);

	if (rc == 0)
		rc = break_statement(s, err);
	if (rc == 0)
		rc = publish_three(s, err);
	if (rc == 0)
		rc = send_three(s, err);
	if (rc == 0)
		rc = bw_store_each_due(s, "t", 99, 9, take_nothing, &count, err);
	if (rc == 0)
		rc = bw_store_each_event(s, &all, take_nothing, &count, err);
	if (rc == 0)
		rc = bw_store_each_event(s, &dead, take_nothing, &count, err);
	if (rc == 0)
		rc = follow_git(s, err);
	bw_store_close(s);
	return rc;
}

static const char *const invariants[] = {
	"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
	"SELECT count(*) FROM pragma_foreign_key_check",
	/* of each queue the first is the first, and nobody else */
	"SELECT count(*) FROM delivery d WHERE is_first <> (state = 'due' AND NOT EXISTS(SELECT 1 FROM "
	"delivery e"
	" WHERE e.state = 'due' AND e.sink_id = d.sink_id AND e.subject = d.subject AND e.id < d.id))",
	/* an event with what it owes, or none of it */
	"SELECT count(*) FROM event e WHERE (SELECT count(*) FROM delivery d WHERE d.event = e.number) < 2",
	"SELECT count(*) FROM delivery WHERE (state = 'due') <> (ended_at IS NULL)",
	"SELECT max(0, count(*) - 2) FROM delivery d JOIN event e ON e.number = d.event"
	" WHERE d.state = 'due' AND e.type = '" REQUEST "'",
};

static void remove_database(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < BW_COUNT(ends); i++) {
		char name[128];

		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

static void a_failed_statement_leaves_the_outbox_whole(void **state)
{
	struct fixture *f = *state;

	for (int i = BW_SQL_SINKS_REMOVE; i <= BW_SQL_EVENTS_DEAD; i++) {
		int rc;

		remove_database(f->path);
		broken_statement = i;
		f->err = BW_ERR_INIT;
		rc = work(f->path, &f->err);
		broken_statement = -1;
		assert_fault(f, rc, BW_E_STORE, "integer overflow");
		assert_whole(invariants, BW_COUNT(invariants), f->path, "statement", i);
		assert_ok(f, work(f->path, &f->err));
		assert_whole(invariants, BW_COUNT(invariants), f->path, "after statement", i);
	}
}

static void a_failed_write_leaves_the_outbox_whole(void **state)
{
	static const enum fault_kind kinds[] = {FAULT_ONCE, FAULT_FULL};
	struct fixture *f = *state;
	int hits = 0;

	for (size_t k = 0; k < BW_COUNT(kinds); k++) {
		for (int n = 1;; n++) {
			bool hit;

			remove_database(f->path);
			set_fault(kinds[k], n);
			(void)work(f->path, &f->err);
			hit = faulty.hit;
			set_fault(FAULT_ONCE, 0);
			if (!hit)
				break;
			hits++;
			assert_whole(invariants, BW_COUNT(invariants), f->path, "fault at call", n);
			assert_ok(f, work(f->path, &f->err));
			assert_whole(invariants, BW_COUNT(invariants), f->path, "after the fault at call", n);
		}
	}
	assert_true(hits > 100);
}

#define CASE(name)  cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)
#define FAULT(name) cmocka_unit_test_setup_teardown(name, set_up_fast_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_sink_is_owed_what_it_takes),
		CASE(an_event_is_published_once),
		CASE(order_is_kept_per_subject_and_no_further),
		CASE(no_more_are_listed_than_there_is_room_for),
		CASE(a_callback_can_end_a_list),
		CASE(a_failed_attempt_waits_and_holds_its_subject_up),
		CASE(many_outcomes_are_recorded_together),
		CASE(a_newer_request_supersedes_the_older_of_the_same_build),
		CASE(a_change_is_never_superseded),
		CASE(what_a_sink_is_owed_outlives_its_absence),
		CASE(a_sink_may_change_what_it_takes),
		CASE(what_expires_is_dead_and_says_what_was_tried),
		CASE(lists_are_filtered),
		CASE(an_event_is_found_by_its_first_digits),
		CASE(a_dead_delivery_comes_back_in_its_place),
		CASE(a_replay_is_owed_to_the_sinks_of_today),
		CASE(twenty_thousand_are_sent_in_order),
		CASE(questions_go_by_the_index),
		CASE(one_process_sends_what_another_publishes),
		CASE(outcomes_are_recorded_all_or_none),
		FAULT(a_failed_statement_leaves_the_outbox_whole),
		FAULT(a_failed_write_leaves_the_outbox_whole),
	};

	install_faulty_vfs();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
