/* What registries said, and what follows from it for builds. */
#include "unit/store_fixture.h"

#define MOVED_AB "(moved sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb (unclassified))"
#define MOVED_AC "(moved sha256:aaaaaaaaaaaa -> sha256:cccccccccccc (unclassified))"
#define BACK_TO_A \
	"(moved sha256:bbbbbbbbbbbb -> sha256:aaaaaaaaaaaa (unclassified): what this build stands on)"
#define MOVED_BC "(moved sha256:bbbbbbbbbbbb -> sha256:cccccccccccc (unclassified))"

/* --- sightings and changes -------------------------------------------------------------------- */

static void a_base_is_unknown_until_it_is_asked(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown (never asked)\n");
	assert_string_equal(wanted(f), "docker.io/library/a:latest -\n");
}

static void first_sight_is_a_baseline_and_no_change(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	assert_int_equal(f->counts.first, 1);
	assert_int_equal(f->counts.changed, 0);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
	assert_string_equal(history(f, NULL), "docker.io/library/a:latest #1 100 a<-- -\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM change"), 0);
	assert_int_equal(ask(f, "SELECT seen_at FROM sighting"), 100);
}

static void a_moved_tag_makes_its_builds_stale(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	put(f, "/y/Dockerfile", "b a");
	see(f, "a", 'a', 100);
	see(f, "b", 'd', 100);
	see(f, "a", 'b', 200);
	assert_int_equal(f->counts.changed, 1);
	assert_int_equal(f->counts.first, 0);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 " MOVED_AB "\n"
				     "/y/Dockerfile:2 a:latest stale since 200 " MOVED_AB "\n"
				     "/y/Dockerfile:1 b:latest fresh\n");
	assert_string_equal(history(f, "docker.io/library/a"),
			    "docker.io/library/a:latest #1 100 a<-- -\n"
			    "docker.io/library/a:latest #2 200 b<-a unclassified\n");
}

static void two_moves_are_one_outstanding_since_the_first(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see(f, "a", 'b', 200);
	see(f, "a", 'c', 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 " MOVED_AC "\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding"), 1);
	assert_int_equal(ask(f, "SELECT seen_at FROM sighting x JOIN poll p ON p.sighting_id = x.id"), 300);
	assert_int_equal(ask(f, "SELECT number FROM sighting x JOIN poll p ON p.sighting_id = x.id"), 3);
}

static void the_return_of_the_tag_closes_it(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see(f, "a", 'b', 200);
	see(f, "a", 'a', 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh " BACK_TO_A "\n");
	assert_int_equal(ask(f, "SELECT closed_at FROM outstanding WHERE evidence = 'returned'"), 300);
	see(f, "a", 'b', 400); /* and is told anew when it moves again */
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 400 " MOVED_AB "\n");
	assert_int_equal(ask(f, "SELECT evidence IS NULL AND closed_at IS NULL FROM outstanding"), 1);
	assert_string_equal(history(f, "docker.io/library/a:latest"),
			    "docker.io/library/a:latest #1 100 a<-- -\n"
			    "docker.io/library/a:latest #2 200 b<-a unclassified\n"
			    "docker.io/library/a:latest #3 300 a<-b unclassified\n"
			    "docker.io/library/a:latest #4 400 b<-a unclassified\n");
}

static void a_build_that_names_a_known_base_waits_for_its_next_answer(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	put(f, "/y/Dockerfile", "a a");
	assert_string_equal(rows(f),
			    "/x/Dockerfile:1 a:latest fresh\n"
			    "/y/Dockerfile:1 a:latest unknown (not asked since this build names it)\n"
			    "/y/Dockerfile:2 a:latest unknown (not asked since this build names it)\n");
	see(f, "a", 'b', 200);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 " MOVED_AB "\n"
				     "/y/Dockerfile:1 a:latest fresh\n"
				     "/y/Dockerfile:2 a:latest fresh\n");
	see(f, "a", 'c', 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 " MOVED_AC "\n"
				     "/y/Dockerfile:1 a:latest stale since 300 " MOVED_BC "\n"
				     "/y/Dockerfile:2 a:latest stale since 300 " MOVED_BC "\n");
}

static void the_baseline_comes_with_an_unchanged_answer_too(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	put(f, "/y/Dockerfile", "a");
	see_same(f, "a", 200);
	put(f, "/z/Dockerfile", "a");
	see(f, "a", 'a', 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n/y/Dockerfile:1 a:latest fresh\n"
				     "/z/Dockerfile:1 a:latest fresh\n");
	assert_int_equal(ask(f, "SELECT newly_named FROM poll"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE handled IS NULL"), 0);
}

static void a_base_that_is_named_again_is_judged_by_what_the_build_stood_on(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	put(f, "/x/Dockerfile", "b");
	see(f, "a", 'b', 200);
	see(f, "b", 'd', 200);
	put(f, "/x/Dockerfile", "a b");
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 " MOVED_AB "\n"
				     "/x/Dockerfile:2 b:latest fresh\n");
}

static void an_edited_build_keeps_what_it_stands_on(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	put(f, "/x/Dockerfile", "a scratch");
	assert_string_equal(rows(f),
			    "/x/Dockerfile:1 a:latest fresh\n"
			    "/x/Dockerfile:2 - unfollowable (scratch: there is nothing to follow)\n");
	see(f, "a", 'b', 200);
	put(f, "/x/Dockerfile", "scratch a");
	assert_string_equal(rows(f),
			    "/x/Dockerfile:2 a:latest stale since 200 " MOVED_AB "\n"
			    "/x/Dockerfile:1 - unfollowable (scratch: there is nothing to follow)\n");
}

static void an_ended_build_is_stale_when_it_comes_back(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	put(f, "/y/Dockerfile", "a");
	see(f, "a", 'a', 100);
	run_sql(f->path, "UPDATE build SET ended_at = 150 WHERE id = 1");
	see(f, "a", 'b', 200);
	put(f, "/x/Dockerfile", "a");
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 " MOVED_AB "\n"
				     "/y/Dockerfile:1 a:latest stale since 200 " MOVED_AB "\n");
}

static void an_unchanged_answer_only_says_when(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see_same(f, "a", 200);
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 200);
	see(f, "a", 'a', 300);
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 300);
	see_same(f, "a", 250);
	see(f, "a", 'a', 260);
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 300);
	assert_int_equal(ask(f, "SELECT count(*) FROM sighting"), 1);
	assert_int_equal(ask(f, "SELECT seen_at FROM sighting"), 100);
	assert_int_equal(f->counts.first + f->counts.changed + f->counts.failed, 0);
}

static void an_older_answer_that_comes_later_is_no_change_back(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see(f, "a", 'b', 100000);
	see(f, "a", 'a', 99000);
	assert_int_equal(f->counts.changed, 0);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 100000 " MOVED_AB "\n");
	see_trouble(f, "a", BW_TROUBLE_DNS, "late", 99500);
	assert_int_equal(ask(f, "SELECT failures FROM poll"), 0);
	see_trouble(f, "a", BW_TROUBLE_DNS, "", 100500);
	see_same(f, "a", 100400);
	see(f, "a", 'b', 100400);
	assert_int_equal(ask(f, "SELECT failures FROM poll"), 1);
	/* A clock that was wrong by more than that is believed: nothing would move until it is caught up with. */
	see(f, "a", 'a', 30000);
	assert_int_equal(f->counts.changed, 1);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh " BACK_TO_A "\n");
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 100500);
}

static void many_answers_are_one_transaction(void **state)
{
	struct fixture *f = *state;
	struct bw_answer a = {0}, none = {0};
	struct bw_seen seen[3] = {{.base_id = 1, .at_ms = 100, .answer = &a},
				  {.base_id = 2, .at_ms = 100, .answer = &a}};

	put(f, "/x/Dockerfile", "a b");
	(void)digest_of('a', a.digest.text);
	seen[2] = (struct bw_seen){.base_id = 77, .at_ms = 100, .answer = &a};
	assert_fault(f, bw_store_record(f->store, seen, 3, NULL, &f->counts, &f->err), BW_E_INPUT,
		     "no base with number 77");
	assert_int_equal(ask(f, "SELECT count(*) FROM sighting"), 0);
	seen[2] = (struct bw_seen){.base_id = 1, .at_ms = 100, .answer = &none};
	assert_fault(f, bw_store_record(f->store, seen, 3, NULL, &f->counts, &f->err), BW_E_INPUT,
		     "has no digest");
	assert_int_equal(ask(f, "SELECT count(*) FROM sighting"), 0);
	assert_ok(f, bw_store_record(f->store, seen, 2, NULL, &f->counts, &f->err));
	assert_int_equal(f->counts.first, 2);
	assert_ok(f, bw_store_record(f->store, seen, 0, NULL, &f->counts, &f->err));
	assert_int_equal(f->counts.first, 0);
}

static void as_before_of_a_base_that_was_never_seen_says_nothing(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see_same(f, "a", 100);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown (never asked)\n");
}

/* --- trouble ---------------------------------------------------------------------------------- */

static void trouble_turns_fresh_into_unknown_since_its_first_failure(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see_trouble(f, "a", BW_TROUBLE_DNS, "no such host", 200);
	assert_int_equal(f->counts.failed, 1);
	see_trouble(f, "a", BW_TROUBLE_SERVER, "502", 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest unknown since 200 "
				     "(the registry reports an internal error: 502)\n");
	assert_int_equal(ask(f, "SELECT failures FROM poll"), 2);
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 300);
	assert_string_equal(wanted(f), "docker.io/library/a:latest a failed 2\n");
}

static void an_answer_ends_the_trouble(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see_trouble(f, "a", BW_TROUBLE_THROTTLED, "slow down", 200);
	assert_int_equal(ask(f, "SELECT retry_after FROM poll"), 60);
	see(f, "a", 'a', 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
	assert_int_equal(
		ask(f, "SELECT trouble IS NULL AND trouble_message IS NULL AND trouble_since IS NULL AND "
		       "failures = 0 AND retry_after IS NULL FROM poll"),
		1);
	see_trouble(f, "a", BW_TROUBLE_TLS, "expired", 400);
	see_same(f, "a", 500);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
	see_trouble(f, "a", BW_TROUBLE_TLS, "expired", 600);
	see(f, "a", 'b', 700);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 700 " MOVED_AB "\n");
}

static void trouble_leaves_stale_and_says_so(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	see(f, "a", 'b', 200);
	see_trouble(f, "a", BW_TROUBLE_TAG_GONE, "manifest unknown", 300);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest stale since 200 (moved sha256:aaaaaaaaaaaa -> "
				     "sha256:bbbbbbbbbbbb (unclassified); could not be asked since "
				     "1970-01-01 00:00: the tag is gone: "
				     "manifest unknown)\n");
}

static void trouble_before_the_first_sight_is_told(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see_trouble(f, "a", BW_TROUBLE_DENIED, "no", 200);
	assert_string_equal(
		rows(f), "/x/Dockerfile:1 a:latest unknown since 200 (the registry denies access, or there "
			 "is no such repository: no)\n");
	see(f, "a", 'a', 300);
	assert_int_equal(f->counts.first, 1);
	assert_string_equal(rows(f), "/x/Dockerfile:1 a:latest fresh\n");
}

static void a_word_for_trouble_that_we_do_not_know_is_not_fresh(void **state)
{
	struct fixture *f = *state;

	put(f, "/x/Dockerfile", "a");
	see(f, "a", 'a', 100);
	run_sql(f->path, "UPDATE poll SET trouble = 'sunspots', trouble_message = 'x', trouble_since = 150");
	assert_string_equal(rows(f),
			    "/x/Dockerfile:1 a:latest unknown since 150 (the answer of the registry makes no "
			    "sense: x)\n");
}

/* --- lists ------------------------------------------------------------------------------------ */

static void a_base_is_wanted_once_however_many_uses_it_has(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	put(f, "/x/Dockerfile", "b:2 a a:latest b:1");
	put(f, "/y/Dockerfile", "a quay.io/a/a:1 localhost:5000/z");
	assert_string_equal(wanted(f),
			    "docker.io/library/a:latest -\ndocker.io/library/b:1 -\n"
			    "docker.io/library/b:2 -\nlocalhost:5000/z:latest -\nquay.io/a/a:1 -\n");
	assert_ok(f, bw_store_count_wanted(f->store, f->now_ms, &count, &f->err));
	assert_int_equal(count, 5);
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(wanted(f), "");
	assert_ok(f, bw_store_count_wanted(f->store, f->now_ms, NULL, &f->err));
}

static void rows_are_in_the_order_of_base_and_place(void **state)
{
	struct fixture *f = *state;
	struct made_file m;

	put(f, "/z/Dockerfile", "b a !unset_ARG");
	put_source(f, "shop", "/src/shop", "web/Dockerfile", "a scratch");
	put_target(f, "/a/Dockerfile", "test", "a");
	put_target(f, "/a/Dockerfile", "", "a a");
	make_file(&m, "/a/broken", "a");
	m.file.error = bw_strdup("unknown instruction");
	m.file.error_line = 7;
	(void)put_made(f, &m, 10);
	free(m.file.error);
	free_file(&m);
	see(f, "a", 'a', 20);
	assert_string_equal(rows(f),
			    "/a/Dockerfile:1 a:latest fresh\n"
			    "/a/Dockerfile:2 a:latest fresh\n"
			    "/a/Dockerfile@test:1 a:latest fresh\n"
			    "/a/broken:1 a:latest fresh\n"
			    "/z/Dockerfile:2 a:latest fresh\n"
			    "shop:web/Dockerfile:1 a:latest fresh\n"
			    "/z/Dockerfile:1 b:latest unknown (never asked)\n"
			    "/a/broken:7 - unknown (unknown instruction)\n"
			    "/z/Dockerfile:3 - unknown (unset_ARG)\n"
			    "shop:web/Dockerfile:2 - unfollowable (scratch: there is nothing to follow)\n");
}

struct walk {
	char last[512];
	size_t count, others;
};

/* By registry, repository and tag, each on its own: "a" comes before "a-b", whatever their tags. */
static void split_name(char *name)
{
	for (; *name; name++)
		if (*name == '/' || *name == ':')
			*name = '\x01';
}

static int check_order(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct walk *w = arg;
	char now[512];

	(void)err;
	(void)snprintf(now, sizeof(now), "%s %s", r->base ? r->base : "", r->path);
	split_name(now);
	if (!r->base)
		w->others++;
	else if (w->others > 0 || strcmp(w->last, now) > 0)
		fail_msg("%s after %s", now, w->last);
	memcpy(w->last, now, sizeof(now));
	w->count++;
	return 0;
}

static int count_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct walk *w = arg;
	char now[512];

	(void)err;
	(void)snprintf(now, sizeof(now), "%s/%s:%s", b->registry, b->repository, b->tag);
	split_name(now);
	assert_true(strcmp(w->last, now) < 0);
	memcpy(w->last, now, sizeof(now));
	w->count++;
	return 0;
}

#define MANY 500

/* More uses than are sorted: the lists go by the index, and must not look any different. */
static void put_many(struct fixture *f, bool backwards)
{
	for (int i = 0; i < MANY; i++) {
		int n = backwards ? MANY - 1 - i : i;
		BW_AUTOFREE char *path = bw_asprintf("/d%03d/Dockerfile", n);
		BW_AUTOFREE char *uses =
			bw_asprintf("i%d i%d i%d all x%d scratch", n, n + 1, (n * 7) % MANY, n % 3);

		put(f, path, uses);
	}
}

static void assert_many(struct fixture *f)
{
	struct walk w = {0}, bases = {0};
	size_t count = 0;

	assert_ok(f, bw_store_each_row(f->store, check_order, &w, &f->err));
	assert_int_equal(w.count, 6 * MANY);
	assert_int_equal(w.others, MANY);
	assert_ok(f, bw_store_each_wanted(f->store, 1, count_base, &bases, &f->err));
	assert_int_equal(bases.count, MANY + 1 + 1 + 3);
	assert_ok(f, bw_store_count_wanted(f->store, 1, &count, &f->err));
	assert_int_equal(count, bases.count);
}

static void long_lists_have_the_same_order_as_short_ones(void **state)
{
	struct fixture *f = *state;

	put_many(f, false);
	put(f, "/d000/Dockerfile", "i0 i1 i0 all x0 scratch"); /* an edit leaves the order of the ids alone */
	assert_many(f);
	put(f, "/zz/Dockerfile", "i0");
	assert_ok(f, bw_store_choose_all(f->store, NULL, &f->err));
	assert_ok(f, bw_store_forget(f->store, NULL, &f->err));
	put_many(f, true);
	assert_many(f);
	run_sql(f->path, "DELETE FROM use WHERE line = 2 AND build_id % 2 = 0"); /* and in the short way */
	run_sql(f->path, "DELETE FROM use WHERE line > 4");
	assert_ok(f, bw_store_each_row(f->store, check_order, &(struct walk){0}, &f->err));
}

static int stop_at_second(const struct bw_row *r, void *arg, struct bw_err *err)
{
	size_t *count = arg;

	(void)r;
	return ++*count == 2 ? bw_fail(err, BW_E_LIMIT, "enough") : 0;
}

static void a_callback_can_end_the_list(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	put(f, "/x/Dockerfile", "a b c");
	assert_int_equal(bw_store_each_row(f->store, stop_at_second, &count, &f->err), BW_E_LIMIT);
	assert_string_equal(f->err.msg, "enough");
	assert_int_equal(count, 2);
	put(f, "/y/Dockerfile", "a"); /* and nothing is left open */
	assert_int_equal(strlen(rows(f)) > 0, 1);
}

static void history_knows_tags_ports_and_all(void **state)
{
	struct fixture *f = *state;
	struct bw_answer a = {0};
	struct bw_seen seen = {.at_ms = 5, .answer = &a};

	put(f, "/x/Dockerfile", "localhost:5000/a:1 localhost:5000/a:2 localhost:5000/b:1");
	for (char letter = 'a'; letter < 'd'; letter++) {
		seen.base_id++;
		(void)digest_of(letter, a.digest.text);
		assert_ok(f, bw_store_record(f->store, &seen, 1, NULL, &f->counts, &f->err));
	}
	assert_string_equal(history(f, "localhost:5000/a"),
			    "localhost:5000/a:1 #1 5 a<-- -\nlocalhost:5000/a:2 #1 5 b<-- -\n");
	assert_string_equal(history(f, "localhost:5000/a:2"), "localhost:5000/a:2 #1 5 b<-- -\n");
	assert_string_equal(history(f, NULL),
			    "localhost:5000/a:1 #1 5 a<-- -\nlocalhost:5000/a:2 #1 5 b<-- -\n"
			    "localhost:5000/b:1 #1 5 c<-- -\n");
	assert_string_equal(history(f, "localhost:5000/c"), "");
	assert_string_equal(history(f, "localhost:5000"), "");
	assert_string_equal(history(f, ""), "");
}

static int first_row(const struct bw_row *r, void *arg, struct bw_err *err)
{
	(void)err;
	*(struct bw_row *)arg = *r;
	assert_string_equal(r->base, "docker.io/library/a:1");
	assert_string_equal(r->previous + 7,
			    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_string_equal(r->change_class, "unclassified");
	assert_string_equal(r->handled, r->previous);
	assert_string_equal(r->written, "a:1");
	assert_string_equal(r->stage, "s1");
	assert_string_equal(r->trouble_message, "slow");
	assert_null(r->pinned);
	return 0;
}

static void a_row_tells_everything_of_its_base(void **state)
{
	struct fixture *f = *state;
	struct bw_row r;

	put(f, "/x/Dockerfile", "a:1");
	see(f, "a:1", 'a', 100);
	see(f, "a:1", 'b', 200);
	see_trouble(f, "a:1", BW_TROUBLE_THROTTLED, "slow", 300);
	assert_ok(f, bw_store_each_row(f->store, first_row, &r, &f->err));
	assert_int_equal(r.first_seen_ms, 100);
	assert_int_equal(r.changed_at_ms, 200);
	assert_int_equal(r.digest_since_ms, 200);
	assert_int_equal(r.checked_at_ms, 300);
	assert_int_equal(r.trouble, BW_TROUBLE_THROTTLED);
	assert_int_equal(r.trouble_since_ms, 300);
	assert_int_equal(r.retry_after_s, 60);
	assert_int_equal(r.stale_since_ms, 200);
	assert_int_equal(r.role, BW_ROLE_STAGE);
	assert_int_equal(r.line, 1);
	assert_int_equal(r.pin, BW_PIN_NONE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_base_is_unknown_until_it_is_asked),
		CASE(first_sight_is_a_baseline_and_no_change),
		CASE(a_moved_tag_makes_its_builds_stale),
		CASE(two_moves_are_one_outstanding_since_the_first),
		CASE(the_return_of_the_tag_closes_it),
		CASE(a_build_that_names_a_known_base_waits_for_its_next_answer),
		CASE(the_baseline_comes_with_an_unchanged_answer_too),
		CASE(a_base_that_is_named_again_is_judged_by_what_the_build_stood_on),
		CASE(an_edited_build_keeps_what_it_stands_on),
		CASE(an_ended_build_is_stale_when_it_comes_back),
		CASE(an_unchanged_answer_only_says_when),
		CASE(an_older_answer_that_comes_later_is_no_change_back),
		CASE(many_answers_are_one_transaction),
		CASE(as_before_of_a_base_that_was_never_seen_says_nothing),
		CASE(trouble_turns_fresh_into_unknown_since_its_first_failure),
		CASE(an_answer_ends_the_trouble),
		CASE(trouble_leaves_stale_and_says_so),
		CASE(trouble_before_the_first_sight_is_told),
		CASE(a_word_for_trouble_that_we_do_not_know_is_not_fresh),
		CASE(a_base_is_wanted_once_however_many_uses_it_has),
		CASE(rows_are_in_the_order_of_base_and_place),
		CASE(long_lists_have_the_same_order_as_short_ones),
		CASE(a_callback_can_end_the_list),
		CASE(history_knows_tags_ports_and_all),
		CASE(a_row_tells_everything_of_its_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
