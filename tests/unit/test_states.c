/* What brokers are told of bases and builds: everything once, then what differs, in pieces that no turn feels. */
#include "unit/states_scene.h"

#include "unit/golden.h"

#define A_BASE "docker.io/library/a:latest"
#define B_BASE "docker.io/library/b:latest"

static void touch(struct scene *s, const char *name)
{
	int64_t id = base_id(s->f, name);

	bw_states_touch(s->states, &id, 1);
	(void)settle(s, 1000);
}

/* --- what is sent, and when ------------------------------------------------------------------- */

static void nothing_is_told_before_the_builds_are_chosen(void **state)
{
	struct scene *s = *state;

	(void)put(s->f, "/x/Dockerfile", "a");
	touch(s, "a");
	assert_int_equal(walk(s, &s->one), 1);
	virtual_run(10000);
	assert_int_equal(s->one.count, 0);
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	assert_int_equal(s->one.count, 2);
}

static void an_unchanged_answer_sends_nothing(void **state)
{
	struct scene *s = *state;

	(void)put(s->f, "/x/Dockerfile", "a");
	see(s->f, "a", 'a', 20);
	begin_scene(s);
	see_same(s->f, "a", 5000);
	touch(s, "a");
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	assert_int_equal(s->one.count, 0);
	see_trouble(s->f, "a", BW_TROUBLE_THROTTLED, "after 17 ms", 6000);
	touch(s, "a");
	assert_int_equal(s->one.count, 2);
	see_trouble(s->f, "a", BW_TROUBLE_THROTTLED, "after 4 ms",
		    200000); /* other words, and another "again after" */
	touch(s, "a");
	assert_int_equal(s->one.count, 2);
}

static void a_change_tells_the_base_and_the_builds_on_it_and_nobody_else(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], y[BW_BUILD_ID_MAX], z[BW_BUILD_ID_MAX];

	(void)put(s->f, "/x/Dockerfile", "a b a|linux/arm64");
	(void)put(s->f, "/y/Dockerfile", "a");
	(void)put(s->f, "/z/Dockerfile", "b");
	see(s->f, "a", 'a', 20);
	see(s->f, "b", 'a', 20);
	begin_scene(s);
	see(s->f, "a", 'b', 30);
	touch(s, "a");
	assert_int_equal(s->one.count, 3);
	expect_line(&s->one, A_BASE, "{\"version\":1,\"state\":\"rebuild\",\"verdict\":\"stale\"");
	expect_line(&s->one, A_BASE, "\"uses\":3,\"builds\":2,\"outstanding\":2");
	expect_line(&s->one, id_of("/x/Dockerfile", x), "\"state\":\"rebuild\"");
	expect_line(&s->one, id_of("/y/Dockerfile", y), "\"state\":\"rebuild\"");
	expect_line(&s->one, id_of("/z/Dockerfile", z), "");
	expect_line(&s->one, B_BASE, "");
}

static void each_broker_is_told(void **state)
{
	struct scene *s = *state;

	(void)put(s->f, "/x/Dockerfile", "a");
	begin_scene(s);
	bw_states_add(s->states, fake_sink(&s->two));
	see(s->f, "a", 'a', 30);
	touch(s, "a");
	assert_int_equal(s->one.count, 2);
	assert_string_equal(bw_buf_str(&s->one.text), bw_buf_str(&s->two.text));
	bw_states_remove(s->states, fake_sink(&s->one));
	see_trouble(s->f, "a", BW_TROUBLE_DNS, "no host", 40);
	touch(s, "a");
	assert_int_equal(s->one.count, 2);
	assert_int_equal(s->two.count, 4);
}

static void a_connect_gives_everything_and_nothing_again(void **state)
{
	struct scene *s = *state;

	(void)put(s->f, "/x/Dockerfile", "a");
	(void)put(s->f, "/y/Dockerfile", "a b");
	begin_scene(s);
	bw_states_add(s->states, fake_sink(&s->two));
	(void)walk(s, &s->two);
	assert_int_equal(s->two.count, 4);
	assert_int_equal(s->one.count, 0);
	(void)walk(s, &s->two);
	assert_int_equal(s->two.count, 8);
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	assert_int_equal(s->two.count, 8);
}

/* The walk is made of pages; what it has not come to yet it will give anyway, in its newest state. */
static void news_during_a_walk_come_once(void **state)
{
	struct scene *s = *state;
	int64_t cursor = 0;

	(void)put(s->f, "/x/Dockerfile", "a");
	begin_scene(s);
	bw_states_add(s->states, fake_sink(&s->two));
	assert_true(bw_states_rows(&cursor, fake_sink(&s->two), s->states)); /* what is gone */
	see(s->f, "a", 'a', 30);
	touch(s, "a");
	assert_int_equal(s->one.count, 2);
	assert_int_equal(s->two.count, 0);
	assert_true(bw_states_rows(&cursor, fake_sink(&s->two), s->states)); /* the bases */
	assert_int_equal(s->two.count, 1);
	see_trouble(s->f, "a", BW_TROUBLE_DNS, "no host", 40);
	touch(s, "a");
	assert_int_equal(s->two.count, 2);
	assert_false(bw_states_rows(&cursor, fake_sink(&s->two), s->states)); /* the builds */
	assert_int_equal(s->two.count, 3);
	expect_line(&s->two, A_BASE, "\"trouble\":\"dns\"");
}

/* --- what ends -------------------------------------------------------------------------------- */

static bool is_gone(const char *location, void *arg)
{
	return strcmp(location, arg) == 0;
}

static void choose_without(struct scene *s, const char *gone)
{
	assert_ok(s->f, bw_store_choose_none(s->f->store, &s->f->err));
	assert_ok(s->f, bw_store_end_missing(s->f->store, "", "/", is_gone, (void *)(uintptr_t)gone, 50,
					     &s->f->err));
	assert_ok(s->f, bw_store_choose_all(s->f->store, NULL, &s->f->err));
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
}

static void a_build_that_ends_is_cleared_with_the_bases_that_nobody_else_uses(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX];

	(void)put(s->f, "/x/Dockerfile", "a b");
	(void)put(s->f, "/y/Dockerfile", "a");
	begin_scene(s);
	choose_without(s, "/x/Dockerfile");
	assert_int_equal(s->one.count, 3);
	expect_line(&s->one, id_of("/x/Dockerfile", x), "-");
	expect_line(&s->one, B_BASE, "-");
	expect_line(&s->one, A_BASE, "\"uses\":1,\"builds\":1");
	fake_clear(&s->one);
	(void)walk(s, &s->one); /* the database knows that it ended */
	assert_int_equal(s->one.count, 4);
	expect_line(&s->one, x, "-");
	expect_line(&s->one, B_BASE, "-");
	(void)put(s->f, "/x/Dockerfile", "a b");
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	expect_line(&s->one, x, "\"file\":\"/x/Dockerfile\"");
}

static void what_is_chosen_no_more_is_cleared(void **state)
{
	struct scene *s = *state;

	(void)put(s->f, "/x/Dockerfile", "a");
	begin_scene(s);
	assert_ok(s->f, bw_store_choose_none(s->f->store, &s->f->err));
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	assert_int_equal(s->one.count, 2);
	expect_line(&s->one, A_BASE, "-");
}

/* SQLite gives the number of the last row away again: another build has it then. */
static void a_forgotten_build_is_cleared_also_for_brokers_that_were_away(void **state)
{
	struct scene *s = *state;
	char x[BW_BUILD_ID_MAX], y[BW_BUILD_ID_MAX];

	(void)put(s->f, "/x/Dockerfile", "a");
	begin_scene(s);
	run_sql(s->f->path, "PRAGMA foreign_keys = ON; DELETE FROM build; DELETE FROM build_file");
	virtual_run(2 * LOOK_MS);
	assert_int_equal(s->one.count, 2);
	expect_line(&s->one, id_of("/x/Dockerfile", x), "-");
	expect_line(&s->one, A_BASE, "-");
	bw_states_add(s->states, fake_sink(&s->two));
	(void)walk(s, &s->two);
	expect_line(&s->two, x, "-");
	(void)put(s->f, "/y/Dockerfile", "a");
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	expect_line(&s->one, id_of("/y/Dockerfile", y), "\"state\":\"unknown\"");
	run_sql(s->f->path, "UPDATE build_file SET path = '/z/Dockerfile' WHERE path = '/y/Dockerfile'");
	virtual_run(2 * LOOK_MS);
	expect_line(&s->one, y, "-");
	expect_line(&s->one, id_of("/z/Dockerfile", x), "\"state\":\"unknown\"");
	run_sql(s->f->path, "UPDATE build_file SET path = '/x/Dockerfile' WHERE path = '/z/Dockerfile'");
	virtual_run(2 * LOOK_MS);
	fake_clear(&s->two);
	(void)walk(s, &s->two);
	assert_int_equal(s->two.count, 4);					  /* two are gone */
	expect_line(&s->two, id_of("/x/Dockerfile", x), "\"state\":\"unknown\""); /* it is back */
	expect_line(&s->two, y, "-");
}

/* --- how ------------------------------------------------------------------------------------- */

static void another_process_is_noticed_and_silence_costs_nothing(void **state)
{
	struct scene *s = *state;
	struct bw_store *mine = s->f->store, *other = NULL;

	(void)put(s->f, "/x/Dockerfile", "a");
	begin_scene(s);
	assert_ok(s->f, bw_store_open(s->f->path, &other, &s->f->err));
	virtual_run(10 * LOOK_MS);
	assert_int_equal(s->one.count, 0);
	assert_false(s->states->wants_pass);
	s->f->store = other;
	see(s->f, "a", 'a', 30);
	s->f->store = mine;
	virtual_run(2 * LOOK_MS);
	assert_int_equal(s->one.count, 2);
	expect_line(&s->one, A_BASE, "\"state\":\"ok\"");
	bw_store_close(other);
}

static void put_many(struct scene *s, unsigned builds, unsigned bases_each)
{
	for (unsigned i = 0; i < builds; i++) {
		BW_AUTOBUF struct bw_buf uses;
		char path[32];

		bw_buf_init(&uses, 4096);
		for (unsigned k = 0; k < bases_each; k++)
			bw_buf_addf(&uses, "b%u ", i * bases_each + k);
		(void)snprintf(path, sizeof(path), "/%u/Dockerfile", i);
		(void)put(s->f, path, bw_buf_str(&uses));
	}
}

static void five_thousand_bases_are_told_in_pieces(void **state)
{
	struct scene *s = *state;
	unsigned turns;

	put_many(s, 1000, 5);
	s->one.is_brief = true;
	assert_ok(s->f, bw_store_choose_all(s->f->store, NULL, &s->f->err));
	bw_states_touch_all(s->states);
	turns = settle(s, 10000);
	assert_int_equal(s->one.count, 6000);
	assert_in_range(s->one.most, 1, TURN_WORK);
	assert_in_range(turns, 6000 / TURN_WORK, 200);
	fake_clear(&s->one);
	assert_in_range(walk(s, &s->one), 6000 / PAGE, 6000 / PAGE + 100);
	assert_int_equal(s->one.count, 6000);
	fake_clear(&s->one);
	bw_states_touch_all(s->states);
	(void)settle(s, 10000);
	assert_int_equal(s->one.count, 0);
	touch(s, "b17");
	assert_int_equal(s->states->work, 2); /* one base, one use: no build is looked at */
}

static void a_base_of_many_builds_is_told_in_pieces_too(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < 1000; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/%u/Dockerfile", i);
		(void)put(s->f, path, "a");
	}
	see(s->f, "a", 'a', 20);
	s->one.is_brief = true;
	begin_scene(s);
	see(s->f, "a", 'b', 30);
	bw_states_touch(s->states, &(int64_t){1}, 1);
	assert_in_range(settle(s, 100), 5, 20);
	assert_int_equal(s->one.count, 1001);
	assert_in_range(s->one.most, 1, TURN_WORK);
}

static void one_build_is_looked_at_with_its_bases(void **state)
{
	struct scene *s = *state;
	struct bw_done_counts counts;
	struct bw_digest b;
	int64_t build = 0;
	char x[BW_BUILD_ID_MAX];

	(void)put(s->f, "/x/Dockerfile", "a");
	(void)put(s->f, "/y/Dockerfile", "a");
	see(s->f, "a", 'a', 20);
	see(s->f, "a", 'b', 30);
	begin_scene(s);
	digest_from('b', &b);
	assert_ok(s->f, bw_store_done_build(s->f->store, id_of("/x/Dockerfile", x), &b, 50, &counts, &build,
					    &s->f->err));
	bw_states_touch_build(s->states, build);
	bw_states_touch_build(s->states, 12345); /* there is none */
	(void)settle(s, 100);
	assert_int_equal(s->one.count, 2);
	expect_line(&s->one, x, "\"state\":\"ok\"");
	expect_line(&s->one, A_BASE, "\"builds\":2,\"outstanding\":1");
}

static void a_store_that_fails_is_told_once_and_nothing_is_lost(void **state)
{
	struct scene *s = *state;

	(void)put(s->f, "/x/Dockerfile", "a");
	(void)put(s->f, "/y/Dockerfile", "b");
	begin_scene(s);
	bw_states_add(s->states, fake_sink(&s->two));
	see(s->f, "a", 'a', 30);
	run_sql(s->f->path, "ALTER TABLE use RENAME TO missing_use");
	bw_states_touch(s->states, &(int64_t){1}, 1);
	virtual_run(10 * LOOK_MS);
	assert_int_equal(s->failures, 1);
	assert_non_null(strstr(s->failure, "use"));
	assert_false(bw_states_is_idle(s->states));
	(void)walk(s, &s->two);
	assert_int_equal(s->two.count, 0);
	run_sql(s->f->path, "ALTER TABLE missing_use RENAME TO use");
	virtual_run(4 * LOOK_MS);
	assert_true(bw_states_is_idle(s->states));
	assert_int_equal(s->two.count, 4); /* its walk broke off */
	expect_line(&s->one, A_BASE, "\"state\":\"ok\"");
	run_sql(s->f->path, "ALTER TABLE use RENAME TO missing_use");
	bw_states_touch_all(s->states);
	virtual_run(4 * LOOK_MS);
	assert_int_equal(s->failures, 2);
}

/* --- the documents ---------------------------------------------------------------------------- */

static void expect_document(const struct scene *s, const char *key, const char *file)
{
	BW_AUTOFREE char *line = line_of(&s->one, key);
	struct golden g;

	golden_begin(&g);
	(void)fprintf(g.out, "%s\n", line);
	golden_end(&g, file);
}

static void the_documents_say_what_there_is_to_say(void **state)
{
	struct scene *s = *state;
	char id[BW_BUILD_ID_MAX];

	(void)put(s->f, "/x/Dockerfile", "a b|linux/arm64 c:1 scratch !what_is_${X}");
	(void)put(s->f, "/y/Dockerfile", "d:1@" ZERO_DIGEST);
	(void)put(s->f, "/n\n\x1b[31m/Dockerfile", "scratch");
	see(s->f, "a", 'a', 20000);
	see(s->f, "b", 'a', 20000);
	see_judged(s->f, "b", "ab", 30000, "linux/arm64=content,3_of_5\n_layers -=config,environment");
	see_type(s->f, "d:1", 'b', 30000, OCI_IMAGE);
	see_trouble(s->f, "a", BW_TROUBLE_DNS, "no \"host\"\n", 40000);
	see_trouble(s->f, "b", BW_TROUBLE_TIMEOUT, "", 41000);
	run_sql(s->f->path,
		"UPDATE source SET url = 'https://x.example/shop.git', branch = 'main', commit_id = "
		"'c0ffee', problem = 'no way', problem_since = 50000; UPDATE build SET image = 'shop/web:1', "
		"labels = '{\"team\":\"\u00fc\"}' WHERE id = 1");
	assert_ok(s->f, bw_store_choose_all(s->f->store, NULL, &s->f->err));
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	expect_document(s, A_BASE, "state-base-unknown.json");
	expect_document(s, B_BASE, "state-base-stale.json");
	expect_document(s, "docker.io/library/c:1", "state-base-new.json");
	expect_document(s, id_of("/x/Dockerfile", id), "state-build-stale.json");
	expect_document(s, id_of("/y/Dockerfile", id), "state-build-behind.json");
	expect_document(s, id_of("/n\n\x1b[31m/Dockerfile", id), "state-build-scratch.json");
}

static void the_schema_knows_each_kind_of_trouble(void **state)
{
	size_t len;
	char *schema = golden_read("config/basewatch-state.schema.json", &len);

	(void)state;
	for (enum bw_trouble t = BW_TROUBLE_NONE + 1; t < BW_TROUBLE_COUNT; t++) {
		BW_AUTOFREE char *word = bw_asprintf("\"%s\"", bw_trouble_name(t));

		if (!strstr(schema, word))
			fail_msg("%s is not there", word);
	}
	free(schema);
}

static void a_build_shows_its_worst_bases_when_there_are_too_many(void **state)
{
	struct scene *s = *state;
	char sql[256], id[BW_BUILD_ID_MAX];

	put_many(s, 20, 7);
	for (unsigned i = 0; i < 140; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "b%u", i);
		see(s->f, name, 'a', 20);
	}
	(void)snprintf(sql, sizeof(sql), "UPDATE use SET build_id = 1; DELETE FROM build WHERE id > 1");
	run_sql(s->f->path, sql);
	see(s->f, "b99", 'b', 30);
	assert_ok(s->f, bw_store_choose_all(s->f->store, NULL, &s->f->err));
	bw_states_touch_all(s->states);
	(void)settle(s, 100);
	expect_line(&s->one, id_of("/0/Dockerfile", id), "\"omitted\":40");
	expect_line(&s->one, id,
		    "\"bases\":[{\"base\":\"docker.io/library/b99:latest\",\"verdict\":\"stale\"");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_scene, tear_down_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_told_before_the_builds_are_chosen),
		CASE(an_unchanged_answer_sends_nothing),
		CASE(a_change_tells_the_base_and_the_builds_on_it_and_nobody_else),
		CASE(each_broker_is_told),
		CASE(a_connect_gives_everything_and_nothing_again),
		CASE(news_during_a_walk_come_once),
		CASE(a_build_that_ends_is_cleared_with_the_bases_that_nobody_else_uses),
		CASE(what_is_chosen_no_more_is_cleared),
		CASE(a_forgotten_build_is_cleared_also_for_brokers_that_were_away),
		CASE(another_process_is_noticed_and_silence_costs_nothing),
		CASE(five_thousand_bases_are_told_in_pieces),
		CASE(a_base_of_many_builds_is_told_in_pieces_too),
		CASE(one_build_is_looked_at_with_its_bases),
		CASE(a_store_that_fails_is_told_once_and_nothing_is_lost),
		CASE(the_documents_say_what_there_is_to_say),
		cmocka_unit_test(the_schema_knows_each_kind_of_trouble),
		CASE(a_build_shows_its_worst_bases_when_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
