/*
 * What a record makes known: which facts are told, once each, in the transaction that records them, and how a request is
 * acknowledged. The events themselves are in test_event.c.
 */
#include "unit/store_fixture.h"

#include "store/fact.h"
#include "store/outbox.h"
#include "store/sql.h"
#include "unit/deliveries.h"

/* --- the teller of these tests ---------------------------------------------------------------- */

struct notebook {
	struct fixture *f;
	int number; /* of the facts told */
	bool refuses;
};

static void note_base(struct bw_buf *to, const struct bw_fact_base *b)
{
	char letter[2];

	bw_buf_addf(to, "%s:%s#%u=%s", strrchr(b->repository, '/') + 1, b->tag, (unsigned)b->number,
		    letter_of(b->digest, letter));
}

static void note_request(struct bw_buf *to, const struct bw_fact_request *r)
{
	bw_buf_addf(to, "%s%s", r->path, r->omitted ? "+" : "");
	for (size_t i = 0; i < r->base_count; i++) {
		const struct bw_fact_outstanding *x = &r->bases[i];
		char from[2];

		bw_buf_addf(to, " [%s ", letter_of(x->from, from));
		note_base(to, &x->base);
		bw_buf_addf(to, " %s", bw_class_name(x->class));
		for (size_t k = 0; k < x->use_count; k++)
			bw_buf_addf(to, " %u%s", (unsigned)x->uses[k].line, x->uses[k].pinned ? "p" : "");
		bw_buf_addc(to, ']');
	}
}

/* One line for each fact, in the fixture's text. */
static int told(const struct bw_fact *f, void *arg, struct bw_told *ret, struct bw_err *err)
{
	static const char *const types[] = {
		[BW_FACT_CHANGED] = "io.basewatch.base.changed",
		[BW_FACT_UNREACHABLE] = "io.basewatch.base.unreachable",
		[BW_FACT_RECOVERED] = "io.basewatch.base.recovered",
		[BW_FACT_REQUESTED] = "io.basewatch.rebuild.requested",
	};
	struct notebook *n = arg;
	struct bw_buf *to = &n->f->text;

	if (n->refuses)
		return bw_fail(err, BW_E_LIMIT, "nobody listens");
	bw_buf_addf(to, "%lld %s ", (long long)f->at_ms, strrchr(types[f->kind], '.') + 1);
	if (f->request)
		note_request(to, f->request);
	else
		note_base(to, f->base);
	if (f->trouble)
		bw_buf_addf(to, " %s %u", f->trouble->message, (unsigned)f->trouble->failures);
	bw_buf_addc(to, '\n');
	(void)snprintf(ret->id, sizeof(ret->id), "%064x", (unsigned)++n->number);
	ret->type = types[f->kind];
	ret->subject = bw_strdup(f->request ? f->request->path : f->base->repository);
	ret->json = bw_asprintf("{\"n\":%d}", n->number);
	return 0;
}

struct answer {
	const char *name;
	char from, to; /* from 0: a first sight, to 0: as before, to '!': trouble */
	const char *meanings;
};

/* What one record of these answers tells, line by line. */
static const char *tell(struct notebook *n, int64_t at_ms, const struct answer *answers, size_t count)
{
	const struct bw_teller t = {.fn = told, .arg = n};
	struct fixture *f = n->f;
	struct bw_seen seen[4] = {0};
	struct bw_answer a[4] = {0};
	struct made_change made[4] = {0};

	assert_true(count <= 4);
	bw_buf_clear(&f->text);
	for (size_t i = 0; i < count; i++) {
		const struct answer *x = &answers[i];

		seen[i] = (struct bw_seen){.base_id = base_id(f, x->name), .at_ms = at_ms};
		if (x->to)
			seen[i].answer = &a[i];
		if (x->to == '!') {
			a[i].trouble = BW_TROUBLE_DNS;
			(void)snprintf(a[i].message, sizeof(a[i].message), "no");
		} else if (x->to) {
			digest_from(x->to, &a[i].digest);
		}
		if (x->meanings) {
			make_change(&made[i], x->from, x->meanings);
			seen[i].change = &made[i].change;
		}
	}
	assert_ok(f, bw_store_record(f->store, seen, count, &t, &f->counts, &f->err));
	for (size_t i = 0; i < count; i++)
		free(made[i].words);
	return bw_buf_str(&f->text);
}

static const char *move(struct notebook *n, int64_t at_ms, const char *name, char from, char to,
			const char *meanings)
{
	const struct answer x = {name, from, to, meanings};

	return tell(n, at_ms, &x, 1);
}

#define CONTENT "-=content,layers"
#define INDEX	"-=index,attestations"

/* --- requests --------------------------------------------------------------------------------- */

static void a_first_sight_tells_nothing(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b");
	assert_string_equal(move(&n, 20, "a", 0, 'a', NULL), "");
	assert_string_equal(move(&n, 30, "a", 0, 0, NULL), "");
}

static void what_is_outstanding_is_asked_for_once(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b a:2");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	assert_string_equal(
		move(&n, 30, "a", 'a', 'b', CONTENT),
		"30 changed a:latest#2=b\n30 requested /x/Dockerfile [a a:latest#2=b content 1]\n");
	assert_string_equal(move(&n, 40, "a", 'b', 'b', NULL), "");
	assert_string_equal(move(&n, 40, "a", 0, 0, NULL), "");
	assert_int_equal(
		ask(n.f, "SELECT requested_at FROM outstanding WHERE requested_digest LIKE 'sha256:bbb%'"),
		30);
	/* A newer change is asked for anew; one that does not count is not. */
	assert_string_equal(
		move(&n, 50, "a", 'b', 'c', CONTENT " a>-=content,both"),
		"50 changed a:latest#3=c\n50 requested /x/Dockerfile [a a:latest#3=c content 1]\n");
	assert_string_equal(move(&n, 60, "a", 'c', 'd', INDEX), "60 changed a:latest#4=d\n");
	/* Back to where it stands, nothing is to be done; away again it is. */
	assert_string_equal(move(&n, 70, "a", 'd', 'a', CONTENT), "70 changed a:latest#5=a\n");
	assert_int_equal(
		ask(n.f, "SELECT count(*) FROM outstanding WHERE requested_digest IS NOT NULL OR pending"),
		0);
	assert_string_equal(
		move(&n, 80, "a", 'a', 'd', CONTENT),
		"80 changed a:latest#6=d\n80 requested /x/Dockerfile [a a:latest#6=d content 1]\n");
}

static void a_build_gets_one_request_for_all_its_bases(void **state)
{
	const struct answer first[] = {{"a", 0, 'a', NULL}, {"b", 0, 'a', NULL}, {"c", 0, 'a', NULL}};
	const struct answer moved[] = {
		{"b", 'a', 'b', CONTENT}, {"a", 'a', 'c', CONTENT}, {"c", 'a', 'd', INDEX}};
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b c b");
	(void)put(n.f, "/y/Dockerfile", "b");
	assert_string_equal(tell(&n, 20, first, 3), "");
	assert_string_equal(
		tell(&n, 30, moved, 3),
		"30 changed b:latest#2=b\n30 changed a:latest#2=c\n30 changed c:latest#2=d\n"
		"30 requested /x/Dockerfile [a a:latest#2=c content 1] [a b:latest#2=b content 2 4]\n"
		"30 requested /y/Dockerfile [a b:latest#2=b content 1]\n");
	/* What is outstanding still is in the next request too. */
	assert_string_equal(
		move(&n, 40, "a", 'c', 'e', CONTENT " a>-=config,both"),
		"40 changed a:latest#3=e\n"
		"40 requested /x/Dockerfile [a a:latest#3=e config 1] [a b:latest#2=b content 2 4]\n");
}

static void only_platforms_that_a_build_uses_count(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/amd/Dockerfile", "a|linux/amd64");
	(void)put(n.f, "/arm/Dockerfile", "a|linux/arm64");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	assert_string_equal(
		move(&n, 30, "a", 'a', 'b', "linux/amd64=index,x linux/arm64=config,y"),
		"30 changed a:latest#2=b\n30 requested /arm/Dockerfile [a a:latest#2=b config 1]\n");
}

static void what_no_target_needs_is_not_asked_for(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "~a b");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	assert_string_equal(move(&n, 30, "a", 'a', 'b', CONTENT), "30 changed a:latest#2=b\n");
}

static void ignored_uses_are_asked_for_when_that_ends(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	(void)move(&n, 20, "b", 0, 'a', NULL);
	run_sql(n.f->path, "UPDATE use SET ignored_until = 100 WHERE line = 1");
	assert_string_equal(move(&n, 30, "a", 'a', 'b', CONTENT), "30 changed a:latest#2=b\n");
	assert_string_equal(move(&n, 99, "b", 0, 0, NULL), "");
	assert_string_equal(move(&n, 100, "b", 0, 0, NULL),
			    "100 requested /x/Dockerfile [a a:latest#2=b content 1]\n");
	run_sql(n.f->path, "UPDATE use SET ignored_until = 9223372036854775807");
	assert_string_equal(move(&n, 110, "a", 'b', 'c', CONTENT), "110 changed a:latest#3=c\n");
	assert_int_equal(ask(n.f, "SELECT count(*) FROM outstanding WHERE pending"), 0);
}

static void a_build_that_ended_is_asked_for_when_it_is_back(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a");
	(void)put(n.f, "/y/Dockerfile", "b");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	(void)move(&n, 20, "b", 0, 'a', NULL);
	run_sql(n.f->path, "UPDATE build SET ended_at = 25 WHERE id = 1");
	assert_string_equal(move(&n, 30, "a", 'a', 'b', CONTENT), "30 changed a:latest#2=b\n");
	run_sql(n.f->path, "UPDATE build SET ended_at = NULL");
	assert_string_equal(move(&n, 40, "b", 0, 0, NULL),
			    "40 requested /x/Dockerfile [a a:latest#2=b content 1]\n");
}

static void more_uses_than_fit_are_counted(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	run_sql(n.f->path,
		"WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < 2100)"
		" INSERT INTO use(build_id, base_id, reachable, ignored_until, line, role, written,"
		" is_scratch, line_column, byte_start, byte_end)"
		" SELECT 1, 1, 1, 0, n, 'copy', 'a', 0, 1, 1, 1 FROM c");
	assert_non_null(strstr(move(&n, 30, "a", 'a', 'b', CONTENT), "requested /x/Dockerfile+ ["));
}

/* --- troubles --------------------------------------------------------------------------------- */

static void three_failures_are_told_once_and_so_is_the_end(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	for (int round = 0; round < 2; round++) {
		int at = 30 + 100 * round;
		char text[96];

		assert_string_equal(move(&n, at, "a", 0, '!', NULL), "");
		assert_string_equal(move(&n, at + 1, "a", 0, '!', NULL), "");
		(void)snprintf(text, sizeof(text), "%d unreachable a:latest#1=a no 3\n", at + 2);
		assert_string_equal(move(&n, at + 2, "a", 0, '!', NULL), text);
		assert_string_equal(move(&n, at + 3, "a", 0, '!', NULL), "");
		(void)snprintf(text, sizeof(text), "%d recovered a:latest#1=a\n", at + 4);
		assert_string_equal(move(&n, at + 4, "a", 0, round ? 'a' : 0, NULL), text);
		assert_string_equal(move(&n, at + 5, "a", 0, 0, NULL), "");
	}
}

static void a_change_after_troubles_is_told_too(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	for (int at = 30; at < 34; at++) {
		const struct answer both[] = {{"a", 0, '!', NULL}, {"b", 0, '!', NULL}};

		(void)tell(&n, at, both, 2);
	}
	assert_string_equal(move(&n, 40, "a", 'a', 'b', CONTENT),
			    "40 changed a:latest#2=b\n40 recovered a:latest#2=b\n"
			    "40 requested /x/Dockerfile [a a:latest#2=b content 1]\n");
	assert_string_equal(move(&n, 50, "b", 0, 'a', NULL), "50 recovered b:latest#1=a\n");
}

static void two_failures_are_not_told(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a");
	(void)move(&n, 30, "a", 0, '!', NULL);
	(void)move(&n, 31, "a", 0, '!', NULL);
	assert_string_equal(move(&n, 32, "a", 0, 'a', NULL), "");
}

/* --- the transaction -------------------------------------------------------------------------- */

static void what_cannot_be_told_is_not_recorded(void **state)
{
	struct notebook n = {.f = *state, .refuses = true};
	const struct bw_teller t = {.fn = told, .arg = &n};
	struct bw_answer a = {0};
	struct bw_seen seen = {.base_id = 1, .at_ms = 30, .answer = &a};

	(void)put(n.f, "/x/Dockerfile", "a");
	see(n.f, "a", 'a', 20);
	digest_from('b', &a.digest);
	assert_int_equal(bw_store_record(n.f->store, &seen, 1, &t, &n.f->counts, &n.f->err), BW_E_LIMIT);
	assert_string_equal(n.f->err.msg, "nobody listens");
	assert_int_equal(ask(n.f, "SELECT max(number) FROM sighting"), 1);
	n.refuses = false;
	assert_ok(n.f, bw_store_record(n.f->store, &seen, 1, &t, &n.f->counts, &n.f->err));
	assert_int_equal(ask(n.f, "SELECT count(*) FROM event"), 2);
}

static void without_a_teller_requests_wait_for_one(void **state)
{
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a");
	see(n.f, "a", 'a', 20);
	see(n.f, "a", 'b', 30);
	assert_int_equal(ask(n.f, "SELECT count(*) FROM event"), 0);
	assert_string_equal(move(&n, 40, "a", 0, 0, NULL),
			    "40 requested /x/Dockerfile [a a:latest#2=b unclassified 1]\n");
}

/* --- acknowledged ----------------------------------------------------------------------------- */

static struct bw_done_counts done_event(struct fixture *f, int64_t number)
{
	struct bw_done_counts c = {0};

	assert_ok(f, bw_store_done_event(f->store, number, 90, &c, &f->err));
	return c;
}

static void an_event_closes_what_it_asked_for(void **state)
{
	const struct answer first[] = {{"a", 0, 'a', NULL}, {"b", 0, 'a', NULL}};
	const struct answer moved[] = {{"a", 'a', 'b', CONTENT}, {"b", 'a', 'b', CONTENT}};
	struct notebook n = {.f = *state};

	(void)put(n.f, "/x/Dockerfile", "a b");
	(void)put(n.f, "/y/Dockerfile", "a");
	(void)tell(&n, 20, first, 2);
	(void)tell(&n, 30, moved, 2);		    /* changed 1, 2; requested 3 (x), 4 (y) */
	(void)move(&n, 40, "a", 'b', 'c', CONTENT); /* 5; requested 6 (x), 7 (y) */
	assert_int_equal(done_event(n.f, 1).closed, 0);
	assert_int_equal(done_event(n.f, 3).moved, 1);
	assert_int_equal(ask(n.f, "SELECT count(*) FROM outstanding WHERE evidence = 'done'"),
			 1); /* x on b */
	assert_int_equal(ask(n.f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 2);
	assert_int_equal(done_event(n.f, 6).closed, 1);
	assert_int_equal(done_event(n.f, 3).moved, 0); /* the older job ends later */
	assert_int_equal(ask(n.f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 1);
	assert_int_equal(ask(n.f, "SELECT count(*) FROM outstanding WHERE build_id = 1 AND requested_at"), 0);
	run_sql(n.f->path, "PRAGMA foreign_keys = ON; DELETE FROM build WHERE id = 2");
	assert_int_equal(done_event(n.f, 7).closed, 0);
}

static void a_delivery_to_a_sink_that_confirms_is_evidence(void **state)
{
	const struct bw_sink_row rows[] = {{.name = "ci", .confirms = true}, {.name = "chat"}};
	struct notebook n = {.f = *state};

	assert_ok(n.f, bw_store_put_sinks(n.f->store, rows, 2, 5, &n.f->err));
	(void)put(n.f, "/x/Dockerfile", "a");
	(void)move(&n, 20, "a", 0, 'a', NULL);
	(void)move(&n, 30, "a", 'a', 'b', CONTENT);
	for (int64_t id = 1; id <= 4; id++) {
		const char *sql =
			"SELECT count(*) FROM outstanding WHERE evidence = 'delivered' AND closed_at = 90";

		if (id != 3)
			assert_ok(n.f, record_sent(n.f->store, id, 90, &n.f->err));
		assert_int_equal(ask(n.f, sql), 0);
	}
	assert_ok(n.f, record_sent(n.f->store, 3, 90, &n.f->err));
	assert_int_equal(
		ask(n.f, "SELECT count(*) FROM outstanding WHERE evidence = 'delivered' AND closed_at = 90"),
		1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_first_sight_tells_nothing),
		CASE(what_is_outstanding_is_asked_for_once),
		CASE(a_build_gets_one_request_for_all_its_bases),
		CASE(only_platforms_that_a_build_uses_count),
		CASE(what_no_target_needs_is_not_asked_for),
		CASE(ignored_uses_are_asked_for_when_that_ends),
		CASE(a_build_that_ended_is_asked_for_when_it_is_back),
		CASE(more_uses_than_fit_are_counted),
		CASE(three_failures_are_told_once_and_so_is_the_end),
		CASE(a_change_after_troubles_is_told_too),
		CASE(two_failures_are_not_told),
		CASE(what_cannot_be_told_is_not_recorded),
		CASE(without_a_teller_requests_wait_for_one),
		CASE(an_event_closes_what_it_asked_for),
		CASE(a_delivery_to_a_sink_that_confirms_is_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
