/*
 * Rules in the transaction of a record: what is asked for, what is suppressed and kept, who is owed what, and what becomes
 * of requests that nobody needs any more. The rules themselves are in test_rules.c.
 */
#include "unit/store_fixture.h"

#include "store/fact.h"
#include "store/outbox.h"
#include "store/sql.h"
#include "unit/deliveries.h"
#include "unit/rule_scene.h"

#define CONTENT "-=content,layers"
#define INDEX	"-=index,attestations"

#define ALL 0xffU

static const char *const nobody[] = {NULL}, *const ci[] = {"ci", NULL}, *const chat[] = {"chat", NULL};
static const char *const base_a[] = {"docker.io/library/a:*", NULL}, *const base_b[] = {"*/library/b:*",
											NULL};

/* --- suppressed ------------------------------------------------------------------------------- */

static void a_suppressed_base_is_left_out_and_kept_as_such(void **state)
{
	const struct bw_rule rules[] = {
		{.bases = base_a, .roles = 1U << BW_ROLE_STAGE, .classes = ALL, .sinks = nobody}};
	struct scene x = {.f = *state, .rules = {rules, 1}};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_string_equal(events(&x), "base.changed a ci chat\nbase.changed b ci chat\n"
					"rebuild.requested /x/Dockerfile [b 2] ci chat\n"
					"rebuild.requested /x/Dockerfile [a 1] (rule 1 names no sinks)\n");
	/* Nothing of it is asked again, nor kept again. */
	see_all(&x, 40, 'b');
	assert_string_equal(new_events(&x), "");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE pending"), 0);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE requested_at IS NOT NULL"), 1);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 2);
}

static void only_suppressed_events_can_be_listed(void **state)
{
	static const struct bw_event_filter only = {.suppressed = true},
					    dead = {.suppressed = true, .dead = true};
	const struct bw_rule rules[] = {{.bases = base_a, .roles = ALL, .classes = ALL, .sinks = nobody}};
	struct scene x = {.f = *state, .rules = {rules, 1}};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_string_equal(list(&x, &only),
			    "base.changed a (rule 1 names no sinks)\n"
			    "rebuild.requested /x/Dockerfile [a 1] (rule 1 names no sinks)\n");
	assert_string_equal(list(&x, &dead), "");
}

static void uses_of_one_base_may_part(void **state)
{
	const struct bw_rule rules[] = {
		{.roles = 1U << BW_ROLE_STAGE, .classes = 1U << BW_CLASS_CONTENT, .sinks = nobody},
		{.roles = ALL, .classes = ALL, .sinks = ci}};
	struct scene x = {.f = *state, .rules = {rules, 2}};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a|linux/amd64 a|linux/arm64");
	see_all(&x, 20, 'a');
	see_judged_by(&x, 30, "a", "ab", "linux/amd64=content,layers linux/arm64=config,environment");
	assert_string_equal(events(&x), "base.changed a ci chat\n"
					"rebuild.requested /x/Dockerfile [a 2] ci\n"
					"rebuild.requested /x/Dockerfile [a 1] (rule 1 names no sinks)\n");
	assert_int_equal(ask(x.f,
			     "SELECT count(*) FROM event WHERE json LIKE '%\"class\":\"config\",\"moved\":"
			     "\"environment\",\"since\"%' AND suppressed IS NULL"),
			 1);
	assert_int_equal(ask(x.f,
			     "SELECT count(*) FROM event WHERE json LIKE '%\"class\":\"content\",\"moved\":"
			     "\"layers\",\"since\"%' AND suppressed IS NOT NULL"),
			 1);
	/* Both are of one pair and one sighting: what is acknowledged is the pair. */
	assert_int_equal(ask(x.f, "SELECT count(DISTINCT id) FROM event"), 3);
}

static void what_does_not_count_goes_along_with_what_does(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a|linux/amd64 a|linux/arm64");
	see_all(&x, 20, 'a');
	see_judged_by(&x, 30, "a", "ab", "linux/amd64=index,attestations linux/arm64=content,layers");
	assert_string_equal(events(&x),
			    "base.changed a ci chat\nrebuild.requested /x/Dockerfile [a 1 2] ci chat\n");
}

static void a_later_change_is_asked_for_by_the_rules_of_its_time(void **state)
{
	const struct bw_rule rules[] = {
		{.bases = base_a, .roles = 1U << BW_ROLE_STAGE, .classes = ALL, .sinks = nobody}};
	struct scene x = {.f = *state, .rules = {rules, 1}};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	(void)events(&x);
	/* The rule goes: what was suppressed stays so, until something changes for that build. */
	x.rules.count = 0;
	see_all(&x, 40, 'b');
	assert_string_equal(new_events(&x), "");
	see_all(&x, 50, 'c');
	assert_string_equal(new_events(&x),
			    "base.changed a ci chat\nrebuild.requested /x/Dockerfile [a 1] ci chat\n");
}

static void a_suppressed_event_can_be_sent_after_all(void **state)
{
	const struct bw_rule rules[] = {{.roles = ALL, .classes = ALL, .sinks = nobody}};
	struct scene x = {.f = *state, .rules = {rules, 1}};
	struct bw_done_counts counts = {0};
	size_t count = 0;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery"), 0);
	assert_ok(x.f, bw_store_replay_event(x.f->store, 2, "ci", 50, &count, &x.f->err));
	assert_int_equal(count, 1);
	assert_string_equal(events(&x), "base.changed a (rule 1 names no sinks)\n"
					"rebuild.requested /x/Dockerfile [a 1] ci (rule 1 names no sinks)\n");
	assert_ok(x.f, bw_store_done_event(x.f->store, 2, 60, &counts, &x.f->err));
	assert_int_equal(counts.closed, 1);
}

/* --- to whom ---------------------------------------------------------------------------------- */

static void bases_that_go_to_different_sinks_are_one_request_for_both(void **state)
{
	const struct bw_rule rules[] = {{.bases = base_a, .roles = ALL, .classes = ALL, .sinks = ci},
					{.bases = base_b, .roles = ALL, .classes = ALL, .sinks = chat}};
	struct scene x = {.f = *state, .rules = {rules, 2}};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	(void)put(x.f, "/y/Dockerfile", "a");
	(void)put(x.f, "/z/Dockerfile", "b");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_string_equal(events(&x), "base.changed a ci chat\nbase.changed b ci chat\n"
					"rebuild.requested /x/Dockerfile [a 1] [b 2] ci chat\n"
					"rebuild.requested /y/Dockerfile [a 1] ci\n"
					"rebuild.requested /z/Dockerfile [b 1] chat\n");
}

static void a_sink_gets_only_the_types_that_it_takes(void **state)
{
	static const char *const types[] = {"base.changed", NULL};
	const struct bw_rule rules[] = {{.roles = ALL, .classes = ALL, .sinks = ci}};
	const struct bw_sink_row rows[] = {{.name = "ci", .types = types}, {.name = "ci2"}};
	struct scene x = {.f = *state, .rules = {rules, 1}};

	assert_ok(x.f, bw_store_put_sinks(x.f->store, rows, 2, 5, &x.f->err));
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_string_equal(events(&x), "base.changed a ci ci2\nrebuild.requested /x/Dockerfile [a 1]\n");
}

static void deliveries_expire_as_their_sink_says(void **state)
{
	const struct bw_sink_row rows[] = {{.name = "ci", .expire_ms = 100}, {.name = "chat"}};
	struct scene x = {.f = *state};
	size_t count = 0;

	assert_ok(x.f, bw_store_put_sinks(x.f->store, rows, 2, 5, &x.f->err));
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE sink_id = 1 AND expires_at = 130"), 2);
	assert_true(ask(x.f, "SELECT min(expires_at) FROM delivery WHERE sink_id = 2") ==
		    30 + BW_DELIVERY_EXPIRY_MS);
	assert_ok(x.f, bw_store_expire_deliveries(x.f->store, 130, &count, &x.f->err));
	assert_int_equal(count, 2);
	/* What comes back gets the time that its sink has now. */
	x.f->err = BW_ERR_INIT;
	assert_ok(x.f, bw_store_put_sinks(x.f->store, &(struct bw_sink_row){.name = "ci", .expire_ms = 7}, 1,
					  5, &x.f->err));
	assert_ok(x.f, bw_store_retry_event(x.f->store, 1, "ci", 200, &count, &x.f->err));
	assert_ok(x.f, bw_store_replay_event(x.f->store, 2, "ci", 200, &count, &x.f->err));
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE expires_at = 207"), 2);
}

/* --- beyond the default ----------------------------------------------------------------------- */

static void a_rule_for_the_class_index_asks_though_the_build_stays_fresh(void **state)
{
	const struct bw_rule rules[] = {
		{.bases = base_a, .roles = ALL, .classes = 1U << BW_CLASS_INDEX, .sinks = ci}};
	struct scene x = {.f = *state, .rules = {rules, 1}};
	struct bw_done_counts counts = {0};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	(void)put(x.f, "/y/Dockerfile", "b");
	see_all(&x, 20, 'a');
	see_judged_by(&x, 30, "a", "ab", INDEX);
	assert_string_equal(events(&x), "base.changed a ci chat\nrebuild.requested /x/Dockerfile [a 1] ci\n");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 0);
	/* Once. */
	see_judged_by(&x, 35, "a", "bb", NULL);
	assert_string_equal(new_events(&x), "");
	/* A later request of that build has it too, and so may supersede it; nobody else is asked. */
	see_judged_by(&x, 40, "b", "ab", CONTENT);
	assert_string_equal(new_events(&x), "base.changed b ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] [b 2] ci chat\n"
					    "rebuild.requested /y/Dockerfile [b 1] ci chat\n");
	/* Acknowledged, it is not asked for any more. */
	assert_ok(x.f, bw_store_done_event(x.f->store, 4, 45, &counts, &x.f->err));
	assert_int_equal(counts.closed, 1); /* b; a was not stale */
	see_judged_by(&x, 50, "b", "bc", CONTENT);
	assert_string_equal(new_events(&x), "base.changed b ci chat\n"
					    "rebuild.requested /x/Dockerfile [b 2] ci chat\n"
					    "rebuild.requested /y/Dockerfile [b 1] ci chat\n");
}

static void without_such_a_rule_the_class_index_asks_nobody(void **state)
{
	const struct bw_rule rules[] = {{.roles = ALL, .classes = ALL, .sinks = nobody}};
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_judged_by(&x, 30, "a", "ab", INDEX);
	x.rules = (struct bw_rules){rules, 1};
	see_judged_by(&x, 40, "a", "bc", INDEX " a>" INDEX);
	assert_string_equal(events(&x), "base.changed a ci chat\nbase.changed a (rule 1 names no sinks)\n");
}

static void a_pin_that_is_older_than_the_last_change_is_not_silenced_by_it(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile",
		  "a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	(void)put(x.f, "/y/Dockerfile",
		  "a:latest@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	(void)put(x.f, "/z/Dockerfile",
		  "a:latest@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	see_all(&x, 20, 'a');
	see_judged_by(&x, 30, "a", "ab", CONTENT);
	(void)events(&x);
	see_judged_by(&x, 40, "a", "bc", INDEX);
	assert_string_equal(new_events(&x), "base.changed a ci chat\n"
					    "rebuild.requested /y/Dockerfile [a 1] (no rule counts it)\n"
					    "rebuild.requested /z/Dockerfile [a 1] ci chat\n");
	assert_int_equal(ask(x.f, "SELECT count(*) FROM event WHERE subject = '/z/Dockerfile' AND json LIKE"
				  " '%\"class\":\"unclassified\",\"moved\":null%'"),
			 1);
}

static void frontends_ask_where_a_rule_says_so(void **state)
{
	const struct bw_rule rules[] = {{.bases = base_a, .roles = ALL, .classes = ALL, .sinks = ci}};
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a b");
	run_sql(x.f->path, "UPDATE use SET role = 'frontend'");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_string_equal(events(&x), "base.changed a ci chat\nbase.changed b ci chat\n");
	x.rules = (struct bw_rules){rules, 1};
	see_all(&x, 40, 'c');
	assert_string_equal(new_events(&x), "base.changed a ci chat\nbase.changed b ci chat\n"
					    "rebuild.requested /x/Dockerfile [a 1] ci\n"
					    "rebuild.requested /x/Dockerfile [b 2] (no rule counts it)\n");
}

/* --- withdrawn -------------------------------------------------------------------------------- */

static int64_t state_of(const struct scene *x, const char *what)
{
	BW_AUTOFREE char *sql =
		bw_asprintf("SELECT count(*) FROM delivery d JOIN event e ON e.number = d.event"
			    " WHERE e.type LIKE '%%requested' AND d.state = '%s'",
			    what);

	return ask(x->f, sql);
}

static int count_steps(void *arg)
{
	++*(int *)arg;
	return 0;
}

static void what_was_not_sent_is_withdrawn_when_the_tag_returns(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	(void)put(x.f, "/y/Dockerfile", "a b");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_int_equal(state_of(&x, "due"), 4);
	see_judged_by(&x, 40, "a", "ba", CONTENT);
	/* Of /x; /y still stands on an old b. */
	assert_int_equal(state_of(&x, "superseded"), 2);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE state = 'superseded' AND is_first = 0"
				  " AND ended_at = 40 AND subject = '/x/Dockerfile'"),
			 2);
	assert_int_equal(state_of(&x, "due"), 2);
	see_judged_by(&x, 50, "b", "bd",
		      "-=content,layers a>-=index,attestations"); /* the content of a again */
	assert_int_equal(state_of(&x, "due"), 0);
	assert_int_equal(state_of(&x, "superseded"), 4);
	/* Changes are facts: they stay. */
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE state = 'due'"), 8);
}

/* Only the queues of these builds are lined up anew, whatever else is due. */
static void who_is_behind_what_was_withdrawn_moves_up(void **state)
{
	struct scene x = {.f = *state};
	int thousands = 0;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	run_sql(x.f->path,
		"INSERT INTO delivery(sink_id, event, subject, state, is_first, attempts, created_at,"
		" expires_at, next_at) SELECT sink_id, 1, subject, 'due', 0, 0, 30, 9999, 30 FROM delivery"
		" WHERE subject = '/x/Dockerfile';"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
		" INSERT INTO delivery(sink_id, event, subject, state, is_first, attempts, created_at,"
		" expires_at, next_at) SELECT 1, 1, 'other ' || i, 'due', 1, 0, 30, 9999, 30 FROM n");
	sqlite3_progress_handler(x.f->store->db, 1000, count_steps, &thousands);
	see_judged_by(&x, 40, "a", "ba", CONTENT);
	sqlite3_progress_handler(x.f->store->db, 0, NULL, NULL);
	assert_in_range(thousands, 0, 10);
	assert_int_equal(state_of(&x, "superseded"), 2);
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE subject = '/x/Dockerfile'"
				  " AND state = 'due' AND is_first = 1 AND event = 1"),
			 2);
}

static void what_was_tried_stays_due_when_the_tag_returns(void **state)
{
	struct scene x = {.f = *state};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_ok(x.f, record_retry(x.f->store, 3, 999, "no answer", 31, &x.f->err));
	see_judged_by(&x, 40, "a", "ba", CONTENT);
	assert_int_equal(state_of(&x, "due"), 1);
	assert_int_equal(state_of(&x, "superseded"), 1);
	/* What was under way for the first time has arrived none the less. */
	assert_ok(x.f, record_sent(x.f->store, 4, 50, &x.f->err));
	assert_int_equal(state_of(&x, "superseded"), 0);
	assert_int_equal(state_of(&x, "sent"), 1);
}

static void done_withdraws_nothing(void **state)
{
	struct scene x = {.f = *state};
	struct bw_done_counts counts = {0};

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	assert_ok(x.f, bw_store_done(x.f->store, NULL, 40, &counts, &x.f->err));
	assert_int_equal(counts.closed, 1);
	assert_int_equal(state_of(&x, "due"), 2); /* who wants to be told of it is told */
}

/* --- back again ------------------------------------------------------------------------------- */

static void what_waits_for_a_sink_is_due_when_it_is_back(void **state)
{
	struct scene x = {.f = *state};
	int64_t next = 0;

	sinks(&x);
	(void)put(x.f, "/x/Dockerfile", "a");
	see_all(&x, 20, 'a');
	see_all(&x, 30, 'b');
	for (int64_t id = 1; id <= 4; id++)
		assert_ok(x.f, record_retry(x.f->store, id, 5000 + id, "down", 31, &x.f->err));
	assert_ok(x.f, bw_store_sink_due_now(x.f->store, "ci", 60, &x.f->err));
	assert_ok(x.f, bw_store_next_due(x.f->store, "ci", &next, &x.f->err));
	assert_int_equal(next, 60);
	assert_ok(x.f, bw_store_next_due(x.f->store, "chat", &next, &x.f->err));
	assert_int_equal(next, 5002);
	/* What is due already is not put off. */
	assert_ok(x.f, bw_store_sink_due_now(x.f->store, "ci", 70, &x.f->err));
	assert_int_equal(ask(x.f, "SELECT count(*) FROM delivery WHERE next_at = 60"), 2);
	assert_ok(x.f, bw_store_sink_due_now(x.f->store, "unknown", 70, &x.f->err));
	assert_int_equal(ask(x.f, "SELECT sum(attempts) FROM delivery"), 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_suppressed_base_is_left_out_and_kept_as_such),
		CASE(only_suppressed_events_can_be_listed),
		CASE(uses_of_one_base_may_part),
		CASE(what_does_not_count_goes_along_with_what_does),
		CASE(a_later_change_is_asked_for_by_the_rules_of_its_time),
		CASE(a_suppressed_event_can_be_sent_after_all),
		CASE(bases_that_go_to_different_sinks_are_one_request_for_both),
		CASE(a_sink_gets_only_the_types_that_it_takes),
		CASE(deliveries_expire_as_their_sink_says),
		CASE(a_rule_for_the_class_index_asks_though_the_build_stays_fresh),
		CASE(without_such_a_rule_the_class_index_asks_nobody),
		CASE(a_pin_that_is_older_than_the_last_change_is_not_silenced_by_it),
		CASE(frontends_ask_where_a_rule_says_so),
		CASE(what_was_not_sent_is_withdrawn_when_the_tag_returns),
		CASE(who_is_behind_what_was_withdrawn_moves_up),
		CASE(what_was_tried_stays_due_when_the_tag_returns),
		CASE(done_withdraws_nothing),
		CASE(what_waits_for_a_sink_is_due_when_it_is_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
