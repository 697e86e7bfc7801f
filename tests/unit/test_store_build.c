/* What scans found, which builds are meant, and what people say of them. */
#include "unit/store_fixture.h"

/* --- recording scans -------------------------------------------------------------------------- */

static void everything_of_a_use_is_kept(void **state)
{
	struct fixture *f = *state;
	struct made_file m;

	make_file(&m, "/x/Dockerfile", "r:5000/a:1@" ZERO_DIGEST " !no_value");
	m.uses[0].role = BW_ROLE_FINAL;
	m.uses[0].platform = bw_strdup("linux/arm/v7");
	m.uses[0].arg_span = (struct bw_span){.line = 1, .column = 9, .start = 8, .end = 20};
	m.uses[0].ignored = bw_strdup("old");
	m.uses[0].ignored_until_ms = 99;
	(void)put_made(f, &m, 10);
	free_file(&m);
	assert_int_equal(
		ask(f,
		    "SELECT count(*) FROM use u JOIN base b ON b.id = u.base_id WHERE u.line = 1 AND "
		    "role = 'final' AND line = 1 AND line_column = 6 AND byte_start = 100 AND byte_end = 109 "
		    "AND arg_line = 1 AND arg_column = 9 AND arg_start = 8 AND arg_end = 20 AND stage = 's1' "
		    "AND platform = 'linux/arm/v7' AND written = "
		    "'r:5000/a:1@" ZERO_DIGEST "' AND pinned = '" ZERO_DIGEST "' AND unresolved IS NULL AND "
		    "is_scratch = 0 AND reachable = 1 AND ignored = 'old' AND ignored_until = 99 AND "
		    "b.registry = 'r:5000' AND b.repository = 'a' AND b.tag = '1'"),
		1);
	assert_int_equal(
		ask(f,
		    "SELECT count(*) FROM use WHERE line = 2 AND base_id IS NULL AND arg_line IS NULL AND "
		    "unresolved = 'no_value' AND pinned IS NULL AND ignored IS NULL AND ignored_until = 0"),
		1);
}

static void only_what_has_a_tag_is_a_base(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a@" ZERO_DIGEST " scratch !why b");
	assert_int_equal(ask(f, "SELECT count(*) FROM base"), 1);
	assert_string_equal(rows(f), "/x/Dockerfile:4 b:latest unknown (never asked)\n"
				     "/x/Dockerfile:1 - unfollowable (pinned to a digest without a tag: "
				     "there is nothing to follow)\n"
				     "/x/Dockerfile:2 - unfollowable (scratch: there is nothing to follow)\n"
				     "/x/Dockerfile:3 - unknown (why)\n");
}

/* Whoever still holds the id of one that was forgotten must not take another for it. */
static void the_id_of_a_build_is_never_given_again(void **state)
{
	struct fixture *f = *state;
	int64_t first = put(f, "/x/Dockerfile", "a");
	size_t count = 0;

	assert_ok(f, bw_store_choose_all(f->store, &count, &f->err));
	assert_ok(f, bw_store_forget(f->store, &count, &f->err));
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 0);
	assert_true(put(f, "/y/Dockerfile", "b") > first);
}

static int note_lost(int64_t id, void *arg, struct bw_err *err)
{
	int64_t *sum = arg;

	(void)err;
	*sum = *sum * 100 + id;
	return 0;
}

static void builds_that_another_process_forgot_or_ended_are_told_while_they_are_chosen(void **state)
{
	struct fixture *f = *state;
	int64_t a = put(f, "/a/Dockerfile", "a"), b = put(f, "/b/Dockerfile", "b"), lost = 0;

	(void)put(f, "/c/Dockerfile", "c");
	assert_ok(f, bw_store_each_lost(f->store, note_lost, &lost, &f->err));
	assert_int_equal(lost, 0);
	run_sql(f->path, "PRAGMA foreign_keys = ON; DELETE FROM build WHERE id = 2;"
			 "UPDATE build SET ended_at = 1 WHERE id = 1");
	assert_ok(f, bw_store_each_lost(f->store, note_lost, &lost, &f->err));
	assert_int_equal(lost, a * 100 + b);
	assert_ok(f, bw_store_unchoose_builds(f->store, &a, 1, &f->err));
	lost = 0;
	assert_ok(f, bw_store_each_lost(f->store, note_lost, &lost, &f->err));
	assert_int_equal(lost, b);
}

static void the_same_scan_again_writes_nothing(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other = NULL;
	sqlite3_stmt *q = NULL;
	int before, after;
	int64_t id = put(f, "/x/Dockerfile", "a b");

	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "PRAGMA data_version", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	before = sqlite3_column_int(q, 0);
	(void)sqlite3_reset(q);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put_at(f, "/x/Dockerfile", "a b", 1000 + i), id);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	after = sqlite3_column_int(q, 0);
	(void)sqlite3_reset(q);
	assert_int_equal(before, after);
	put(f, "/x/Dockerfile", "a b c");
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_int_not_equal(sqlite3_column_int(q, 0), before); /* the watch itself works */
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(other);
}

static void an_edited_file_has_its_new_uses_only(void **state)
{
	struct fixture *f = *state;
	int64_t id = put(f, "/x/Dockerfile", "a b c");

	assert_int_equal(put(f, "/x/Dockerfile", "b d"), id);
	assert_string_equal(wanted(f), "docker.io/library/b:latest -\ndocker.io/library/d:latest -\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM use"), 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM base"), 4); /* their history stays */
}

static void what_could_not_be_read_keeps_its_uses(void **state)
{
	struct fixture *f = *state;
	struct made_file m;
	int64_t id = put(f, "/x/Dockerfile", "a");

	make_file(&m, "/x/Dockerfile", "");
	m.scan.file = NULL;
	m.scan.problem = "Permission denied";
	assert_int_equal(put_made(f, &m, 10), id);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown (never asked)\n"
				     "/x/Dockerfile:0 - unknown (Permission denied)\n");
	m.scan.problem = NULL; /* no words for it */
	assert_int_equal(put_made(f, &m, 10), id);
	assert_non_null(strstr(rows(f), "unknown (could not be read)"));
	assert_int_equal(put(f, "/x/Dockerfile", "a"), id);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown (never asked)\n");
	assert_int_equal(ask(f, "SELECT problem IS NULL FROM build"), 1);
	m.scan.path = "/y/Dockerfile"; /* never read at all */
	(void)put_made(f, &m, 10);
	assert_int_equal(ask(f, "SELECT count(*) FROM build WHERE fingerprint = ''"), 1);
	free_file(&m);
}

static void a_template_forgives_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct made_file m;

	make_file(&m, "/x/Dockerfile.j2", "!why");
	m.scan.is_template = true;
	m.file.error = bw_strdup("no FROM");
	m.file.error_line = 3;
	(void)put_made(f, &m, 10);
	assert_string_equal(rows(f), "/x/Dockerfile.j2:1 - unfollowable (template: why)\n"
				     "/x/Dockerfile.j2:3 - unfollowable (template: no FROM)\n");
	m.scan.is_template = false;
	(void)put_made(f, &m, 10);
	assert_string_equal(rows(f),
			    "/x/Dockerfile.j2:1 - unknown (why)\n/x/Dockerfile.j2:3 - unknown (no FROM)\n");
	free(m.file.error);
	free_file(&m);
}

static void one_file_and_two_targets_are_two_builds(void **state)
{
	struct fixture *f = *state;
	int64_t plain = put_target(f, "/x/Dockerfile", "", "a b"),
		test = put_target(f, "/x/Dockerfile", "test", "a");

	assert_int_not_equal(plain, test);
	assert_int_equal(put_target(f, "/x/Dockerfile", "test", "a"), test);
	assert_int_equal(ask(f, "SELECT count(*) FROM build_file"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 2);
}

static void a_named_source_moves_with_its_checkout(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;
	int64_t id = put_source(f, "shop", "/ci/1/shop", "Dockerfile", "a");

	assert_int_equal(put_source(f, "shop", "/ci/2/shop", "Dockerfile", "a"), id);
	assert_int_equal(ask(f, "SELECT count(*) FROM source WHERE name = 'shop' AND root = '/ci/2/shop'"),
			 1);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, "/ci/1", &count, &f->err));
	assert_int_equal(count, 0);
	assert_ok(f, bw_store_choose_location(f->store, "/ci/2", &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_not_equal(put(f, "/ci/2/shop/Dockerfile", "a"),
			     id); /* without the name it is another build */
	assert_int_equal(ask(f, "SELECT root = '' FROM source WHERE name = ''"), 1);
}

static void many_scans_are_put_in_one_call(void **state)
{
	struct fixture *f = *state;
	struct made_file m[3];
	struct bw_build_scan scans[3];
	int64_t ids[3] = {0}, again[3] = {0};

	for (int i = 0; i < 3; i++) {
		make_file(&m[i], i == 0 ? "/x" : i == 1 ? "/y" : "/z", "a b");
		scans[i] = m[i].scan;
	}
	assert_ok(f, bw_store_put_builds(f->store, scans, 2, 10, ids, &f->err));
	assert_ok(f, bw_store_put_builds(f->store, scans, 3, 20, again, &f->err));
	assert_memory_equal(ids, again, 2 * sizeof(ids[0]));
	assert_true(again[2] > 0 && again[2] != again[0]);
	assert_int_equal(ask(f, "SELECT count(*) FROM build WHERE first_seen = 10"), 2);
	assert_ok(f, bw_store_put_builds(f->store, scans, 0, 20, again, &f->err));
	for (int i = 0; i < 3; i++)
		free_file(&m[i]);
}

/* --- choosing --------------------------------------------------------------------------------- */

static void put_some(struct fixture *f)
{
	put(f, "/a/Dockerfile", "a");
	put(f, "/a/b/Dockerfile", "b");
	put(f, "/ab/Dockerfile", "c");
	put(f, "/a.x", "d");
	put_source(f, "shop", "/a/shop", "web/Dockerfile", "e");
	put_source(f, "shop", "/a/shop", "web/api/Dockerfile", "f");
	put_source(f, "shop", "/a/shop", "webx", "g");
}

static size_t choose_location(struct fixture *f, const char *location)
{
	size_t count = 0;

	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, location, &count, &f->err));
	return count;
}

static size_t choose_source(struct fixture *f, const char *source, const char *path)
{
	size_t count = 0;

	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_source(f->store, source, path, &count, &f->err));
	return count;
}

static void a_location_means_itself_and_what_is_below(void **state)
{
	struct fixture *f = *state;

	put_some(f);
	assert_int_equal(choose_location(f, "/a"), 5);
	assert_string_equal(wanted(f), "docker.io/library/a:latest -\ndocker.io/library/b:latest -\n"
				       "docker.io/library/e:latest -\ndocker.io/library/f:latest -\n"
				       "docker.io/library/g:latest -\n");
	assert_int_equal(choose_location(f, "/a/b"), 1);
	assert_int_equal(choose_location(f, "/a/b/Dockerfile"), 1);
	assert_int_equal(choose_location(f, "/a/shop"), 3);
	assert_int_equal(choose_location(f, "/a/shop/web"), 2);
	assert_int_equal(choose_location(f, "/a/shop/web/Dockerfile"), 1);
	assert_int_equal(choose_location(f, "/a/sho"), 0);
	assert_int_equal(choose_location(f, "/"), 7);
	assert_int_equal(choose_location(f, "/nowhere"), 0);
}

static void a_source_is_chosen_by_name_and_path(void **state)
{
	struct fixture *f = *state;

	put_some(f);
	assert_int_equal(choose_source(f, "shop", ""), 3);
	assert_int_equal(choose_source(f, "shop", "web"), 2);
	assert_string_equal(wanted(f), "docker.io/library/e:latest -\ndocker.io/library/f:latest -\n");
	assert_int_equal(choose_source(f, "shop", "web/Dockerfile"), 1);
	assert_int_equal(choose_source(f, "shop", "we"), 0);
	assert_int_equal(choose_source(f, "stall", ""), 0);
}

static void each_choice_adds_and_counts_what_it_matches(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	put_some(f);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, "/a/b", NULL, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, "/ab", NULL, &f->err));
	assert_string_equal(wanted(f), "docker.io/library/b:latest -\ndocker.io/library/c:latest -\n");
	assert_ok(f, bw_store_choose_location(f->store, "/ab", &count, &f->err));
	assert_int_equal(count, 1); /* it matches, whether it was chosen before or not */
	assert_ok(f, bw_store_choose_all(f->store, &count, &f->err));
	assert_int_equal(count, 7);
}

static void other_targets_are_dropped(void **state)
{
	struct fixture *f = *state;
	size_t count = 9;

	put_target(f, "/x/Dockerfile", "", "a");
	put_target(f, "/x/Dockerfile", "test", "b");
	put_target(f, "/y/Dockerfile", "test", "c");
	assert_ok(f, bw_store_keep_target(f->store, "test", &count, &f->err));
	assert_int_equal(count, 2);
	assert_string_equal(wanted(f), "docker.io/library/b:latest -\ndocker.io/library/c:latest -\n");
	assert_ok(f, bw_store_keep_target(f->store, "none", NULL, &f->err));
	assert_string_equal(wanted(f), "");
}

/* --- ending ----------------------------------------------------------------------------------- */

static bool says_yes(const char *location, void *arg)
{
	struct bw_buf *asked = arg;

	bw_buf_addf(asked, "%s\n", location);
	return !strstr(location, "stays");
}

static const char *end_missing(struct fixture *f, const char *source, const char *location)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_end_missing(f->store, source, location, says_yes, &f->text, 77, &f->err));
	return bw_buf_str(&f->text);
}

static void a_file_that_disappears_ends_its_builds(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	put_some(f);
	put(f, "/a/stays/Dockerfile", "a");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	put(f, "/a/b/Dockerfile", "b"); /* this one was found */
	assert_string_equal(end_missing(f, "", "/a"), "/a/Dockerfile\n/a/stays/Dockerfile\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM build WHERE ended_at = 77"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM build_file WHERE ended_at = 77"), 1);
	assert_ok(f, bw_store_choose_all(f->store, &count, &f->err));
	assert_int_equal(count, 7);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(end_missing(f, "", "/a/Dockerfile"), ""); /* it has ended already */
}

static void files_of_a_named_source_are_missed_by_their_location(void **state)
{
	struct fixture *f = *state;

	put_some(f);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(end_missing(f, "shop", "/a/shop/web"),
			    "/a/shop/web/Dockerfile\n/a/shop/web/api/Dockerfile\n");
	assert_string_equal(end_missing(f, "shop", "/elsewhere"), "");
	assert_string_equal(end_missing(f, "shop", "/a"), "/a/shop/webx\n");
	assert_string_equal(end_missing(f, "nobody", "/"), "");
	assert_int_equal(ask(f, "SELECT count(*) FROM build WHERE ended_at IS NULL"), 4);
}

static void a_file_that_comes_back_is_the_same_build(void **state)
{
	struct fixture *f = *state;
	int64_t id = put(f, "/x/Dockerfile", "a");

	see(f, "a", 'a', 20);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	(void)end_missing(f, "", "/");
	assert_ok(f, bw_store_choose_all(f->store, NULL, &f->err));
	assert_string_equal(rows(f), "");
	assert_int_equal(put(f, "/x/Dockerfile", "a"), id);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM build_file WHERE ended_at IS NULL"), 1);
}

/* --- done ------------------------------------------------------------------------------------- */

static struct bw_done_counts done(struct fixture *f, char letter, int64_t at_ms)
{
	struct bw_done_counts counts = {0};
	struct bw_digest d;

	if (letter)
		(void)digest_of(letter, d.text);
	assert_ok(f, bw_store_done(f->store, letter ? &d : NULL, at_ms, &counts, &f->err));
	return counts;
}

static void a_rebuild_closes_what_was_stale(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c;

	put(f, "/x/Dockerfile", "a b a");
	see(f, "a", 'a', 100);
	see(f, "b", 'b', 100);
	see(f, "a", 'b', 200);
	c = done(f, 0, 250);
	assert_int_equal(c.builds, 1);
	assert_int_equal(c.closed, 1);
	assert_int_equal(c.moved, 0);
	assert_int_equal(c.pinned, 0);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n/x/Dockerfile:3 a:latest fresh\n"
				     "/x/Dockerfile:2 b:latest fresh\n");
	assert_int_equal(ask(f, "SELECT closed_at FROM outstanding WHERE evidence = 'done'"), 250);
	assert_int_equal(done(f, 0, 300).closed, 0);
	assert_int_equal(ask(f, "SELECT closed_at FROM outstanding WHERE evidence = 'done'"), 250);
	see(f, "a", 'c', 400);
	assert_non_null(
		strstr(rows(f), "/x/Dockerfile:1 a:latest stale since 400 (moved sha256:bbbbbbbbbbbb -> "));
}

static void a_rebuild_on_a_digest_that_was_left_since_is_still_stale(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see(f, "a", 'b', 200);
	see(f, "a", 'c', 300);
	c = done(f, 'b', 350);
	assert_int_equal(c.closed, 0);
	assert_int_equal(c.moved, 1);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 (moved sha256:bbbbbbbbbbbb -> "
				     "sha256:cccccccccccc (unclassified))\n");
	c = done(f, 'c', 400);
	assert_int_equal(c.closed, 1);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
	c = done(f, 'a', 500); /* it says itself that it stands on an old one */
	assert_int_equal(c.moved, 1);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 300 (moved sha256:aaaaaaaaaaaa -> "
				     "sha256:cccccccccccc (unclassified))\n");
}

static void a_digest_that_no_base_had_is_refused(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c;
	struct bw_digest d;

	put(f, "/x/Dockerfile", "a b");
	see(f, "a", 'a', 100);
	see(f, "b", 'c', 100);
	see(f, "a", 'b', 200);
	(void)digest_of('f', d.text);
	assert_int_equal(bw_store_done(f->store, &d, 250, &c, &f->err), BW_E_INPUT);
	assert_non_null(strstr(f->err.msg, "no base of these builds was ever seen at sha256:ffff"));
	assert_non_null(strstr(f->err.msg, "basewatch history"));
	c = done(f, 'b', 250); /* that of a; b is left alone */
	assert_int_equal(c.closed, 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding"), 1);
}

static void only_a_new_pin_makes_a_pinned_use_fresh(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c;

	put(f, "/x/Dockerfile", "a:1@" ZERO_DIGEST " a:1@" ZERO_DIGEST " b:1@" ZERO_DIGEST " a:1");
	see_type(f, "a:1", 'a', 100, OCI_IMAGE);
	see_type(f, "b:1", '0', 100, OCI_IMAGE);
	see_type(f, "a:1", 'b', 200, OCI_IMAGE);
	c = done(f, 0, 250);
	assert_int_equal(c.pinned, 1);
	assert_int_equal(c.closed, 1);
	assert_string_equal(
		rows(f), "/x/Dockerfile:1 a:1 behind since 200 (pinned to sha256:000000000000, the tag has "
			 "sha256:bbbbbbbbbbbb)\n"
			 "/x/Dockerfile:2 a:1 behind since 200 (pinned to sha256:000000000000, the tag has "
			 "sha256:bbbbbbbbbbbb)\n"
			 "/x/Dockerfile:4 a:1 fresh\n/x/Dockerfile:3 b:1 fresh\n");
}

static void done_gives_a_waiting_build_its_baseline(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	put(f, "/y/Dockerfile", "a b");
	assert_int_equal(done(f, 0, 150).closed, 0); /* it was not known to be stale */
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n/y/Dockerfile:1 a:latest fresh\n"
				     "/y/Dockerfile:2 b:latest unknown (never asked)\n");
}

/* --- forget ----------------------------------------------------------------------------------- */

static void what_is_forgotten_leaves_only_the_history_of_bases(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	put_some(f);
	see(f, "a", 'a', 100);
	see(f, "b", 'a', 100);
	see(f, "b", 'b', 200);
	assert_int_equal(choose_location(f, "/a/b"), 1);
	assert_ok(f, bw_store_forget(f->store, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 6);
	assert_int_equal(ask(f, "SELECT count(*) FROM build_file"), 6);
	assert_int_equal(ask(f, "SELECT count(*) FROM use"), 6);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM sighting"), 3);
	assert_string_equal(rows(f), "");
	assert_ok(f, bw_store_forget(f->store, NULL, &f->err)); /* nothing is chosen any more */
	assert_int_equal(ask(f, "SELECT count(*) FROM build"), 6);
}

static void forgetting_one_target_keeps_the_file_of_the_other(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	put_target(f, "/x/Dockerfile", "", "a");
	put_target(f, "/x/Dockerfile", "test", "b");
	assert_ok(f, bw_store_keep_target(f->store, "test", NULL, &f->err));
	assert_ok(f, bw_store_forget(f->store, &count, &f->err));
	assert_int_equal(count, 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM build_file"), 1);
	assert_ok(f, bw_store_choose_all(f->store, NULL, &f->err));
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown (never asked)\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(everything_of_a_use_is_kept),
		CASE(only_what_has_a_tag_is_a_base),
		CASE(the_id_of_a_build_is_never_given_again),
		CASE(builds_that_another_process_forgot_or_ended_are_told_while_they_are_chosen),
		CASE(the_same_scan_again_writes_nothing),
		CASE(an_edited_file_has_its_new_uses_only),
		CASE(what_could_not_be_read_keeps_its_uses),
		CASE(a_template_forgives_what_is_wrong),
		CASE(one_file_and_two_targets_are_two_builds),
		CASE(a_named_source_moves_with_its_checkout),
		CASE(many_scans_are_put_in_one_call),
		CASE(a_location_means_itself_and_what_is_below),
		CASE(a_source_is_chosen_by_name_and_path),
		CASE(each_choice_adds_and_counts_what_it_matches),
		CASE(other_targets_are_dropped),
		CASE(a_file_that_disappears_ends_its_builds),
		CASE(files_of_a_named_source_are_missed_by_their_location),
		CASE(a_file_that_comes_back_is_the_same_build),
		CASE(a_rebuild_closes_what_was_stale),
		CASE(a_rebuild_on_a_digest_that_was_left_since_is_still_stale),
		CASE(a_digest_that_no_base_had_is_refused),
		CASE(only_a_new_pin_makes_a_pinned_use_fresh),
		CASE(done_gives_a_waiting_build_its_baseline),
		CASE(what_is_forgotten_leaves_only_the_history_of_bases),
		CASE(forgetting_one_target_keeps_the_file_of_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
