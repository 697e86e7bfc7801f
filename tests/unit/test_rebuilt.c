/* What a message on "done" does, what the log says of it, and that nothing in it is believed. */
#include "unit/states_scene.h"

#include "core/log.h"
#include "daemon/rebuilt.h"
#include "store/fact.h"
#include "watch/event.h"

static char log_text[4096];

/* The log goes to standard error: catches what the message makes it say. */
static const char *take(struct scene *s, const char *build, const char *digest, const char *event)
{
	const struct bw_mqtt_rebuilt r = {.build = build, .digest = digest, .event = event};
	FILE *to = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(to);
	(void)fflush(stderr);
	assert_true(dup2(fileno(to), STDERR_FILENO) >= 0);
	bw_log_set_level(BW_LOG_INFO);
	bw_rebuilt_take(&r, s->f->store, s->states);
	bw_log_set_level(BW_LOG_WARN);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(to);
	len = fread(log_text, 1, sizeof(log_text) - 1, to);
	log_text[len] = '\0';
	(void)fclose(to);
	(void)settle(s, 100);
	return log_text;
}

static void expect_log(const char *line, const char *words)
{
	if (!strstr(line, words) || strchr(line, '\n') != line + strlen(line) - 1)
		fail_msg("\"%s\" is not one line with \"%s\"", line, words);
}

static int64_t stale(const struct scene *s)
{
	return ask(s->f, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL");
}

/* x and y stand on a, which moved from a to b, with an event for each. */
static void begin(struct scene *s)
{
	const struct bw_event_options o = {0};
	struct bw_answer a = {0};
	struct bw_teller t;
	struct bw_seen seen = {.at_ms = 30, .answer = &a};

	bw_event_teller(&o, &t);
	(void)put(s->f, "/x/Dockerfile", "a");
	(void)put(s->f, "/y/Dockerfile", "a");
	see(s->f, "a", 'a', 20);
	seen.base_id = base_id(s->f, "a");
	digest_from('b', &a.digest);
	assert_ok(s->f, bw_store_record(s->f->store, &seen, 1, &t, &s->f->counts, &s->f->err));
	begin_scene(s);
	assert_int_equal(stale(s), 2);
}

static void a_build_is_closed_by_the_digest_of_the_tag(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], b[BW_DIGEST_MAX];

	begin(s);
	assert_ok(s->f, bw_store_choose_none(s->f->store, &s->f->err)); /* what is chosen does not matter */
	expect_log(take(s, id_of("/x/Dockerfile", x), digest_of('b', b), NULL),
		   "rebuilt on sha256:bbbbbbbbbbbb: 1 of its bases closed");
	assert_int_equal(stale(s), 1);
	assert_int_equal(ask(s->f, "SELECT count(*) FROM outstanding WHERE build_id = 1 AND evidence = "
				   "'done' AND requested_at IS NULL"),
			 1);
	assert_ok(s->f, bw_store_choose_all(s->f->store, NULL, &s->f->err));
	fake_clear(&s->one);
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	expect_line(&s->one, x, "\"state\":\"ok\"");
	expect_log(take(s, x, b, NULL), "nothing was outstanding");
}

static void an_older_digest_leaves_it_stale(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], b[BW_DIGEST_MAX];

	begin(s);
	see(s->f, "a", 'c', 40);
	expect_log(take(s, id_of("/x/Dockerfile", x), digest_of('b', b), NULL),
		   "0 of its bases closed, 1 moved on since: still stale");
	assert_int_equal(stale(s), 2);
	assert_int_equal(s->one.count, 2); /* the other build stands on something else */
	expect_line(&s->one, x, "\"from\":\"sha256:bbbb");
}

static void a_stranger_s_words_change_nothing(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], d[BW_DIGEST_MAX];

	begin(s);
	expect_log(take(s, "\x1b[31m\n+#", digest_of('b', d), NULL),
		   "build \\x1b[31m\\x0a+#: somebody says that it was rebuilt: there is no such build");
	expect_log(take(s, id_of("/x/Dockerfile", x), digest_of('f', d), NULL),
		   "was ever seen at sha256:ffff");
	expect_log(take(s, x, "md5:00112233445566778899aabbccddeeff", NULL), "was rebuilt: ");
	expect_log(take(s, NULL, NULL, "ffffffffffff"),
		   "event ffffffffffff: somebody says that it was rebuilt: there is no event 'ffffffffffff'");
	run_sql(s->f->path, "UPDATE build SET ended_at = 50 WHERE id = 1");
	expect_log(take(s, x, digest_of('b', d), NULL), "there is no such build");
	assert_int_equal(stale(s), 2);
}

static void pins_wait_for_a_pin(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], b[BW_DIGEST_MAX];

	(void)put(s->f, "/x/Dockerfile", "p:1@" ZERO_DIGEST);
	see_type(s->f, "p:1", 'b', 20, OCI_IMAGE);
	begin_scene(s);
	expect_log(take(s, id_of("/x/Dockerfile", x), digest_of('b', b), NULL),
		   "nothing to close, 1 of its bases wait for a new pin");
}

/* Its first digits, for SQL. */
static void event_of(const struct scene *s, int64_t build, char ret[BW_EVENT_ID_MAX])
{
	sqlite3 *db = NULL;
	sqlite3_stmt *q = NULL;

	assert_int_equal(sqlite3_open(s->f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT id FROM event WHERE build_id IS ?1 ORDER BY number",
					    -1, &q, NULL),
			 SQLITE_OK);
	if (build)
		(void)sqlite3_bind_int64(q, 1, build);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	(void)snprintf(ret, BW_EVENT_ID_MAX, "%s", (const char *)sqlite3_column_text(q, 0));
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
}

static void an_event_closes_what_it_asked_for(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], y[BW_BUILD_ID_MAX], event[BW_EVENT_ID_MAX], change[BW_EVENT_ID_MAX];

	begin(s);
	event_of(s, 1, event);
	event_of(s, 0, change);
	expect_log(take(s, id_of("/y/Dockerfile", y), NULL, event), "the event is of build ");
	expect_log(take(s, NULL, NULL, change), "asks for no build");
	expect_log(take(s, NULL, NULL, "0000000000000000000000000000000000000000000000000000000000000000"),
		   "was rebuilt: ");
	assert_int_equal(stale(s), 2);
	expect_log(take(s, NULL, NULL, event), "1 of its bases closed");
	assert_int_equal(stale(s), 1);
	expect_line(&s->one, id_of("/x/Dockerfile", x), "\"state\":\"ok\"");
	expect_log(take(s, x, NULL, event), "nothing was outstanding");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_scene, tear_down_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_build_is_closed_by_the_digest_of_the_tag), CASE(an_older_digest_leaves_it_stale),
		CASE(a_stranger_s_words_change_nothing),	  CASE(pins_wait_for_a_pin),
		CASE(an_event_closes_what_it_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
