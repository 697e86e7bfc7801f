/* What a change means for builds: classes, platforms, what stays fresh, and which change is shown. */
#include "unit/store_fixture.h"

#include <sys/random.h>

#include "store/sql.h"

#define AMD64 "linux/amd64"
#define ARM64 "linux/arm64"

/* What each row says of its change: "/x:1 stale content (3_layers) since 200" or "/x:1 fresh index same-content 200". */
static int add_meaning(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	struct bw_judgement j;

	(void)err;
	bw_judge(r, f->now_ms, &j);
	bw_buf_addf(&f->text, "%s:%u %s", r->path, r->line, bw_verdict_name(j.verdict));
	if (r->change_class)
		bw_buf_addf(&f->text, " %s", r->change_class);
	if (r->moved)
		bw_buf_addf(&f->text, " (%s)", r->moved);
	if (r->stale_since_ms)
		bw_buf_addf(&f->text, " since %lld", (long long)r->stale_since_ms);
	if (r->evidence)
		bw_buf_addf(&f->text, " %s %lld", r->evidence, (long long)r->fresh_since_ms);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

static const char *meanings(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_row(f->store, add_meaning, f, &f->err));
	return bw_buf_str(&f->text);
}

/* --- does it count? --------------------------------------------------------------------------- */

static void a_change_that_does_not_count_leaves_the_build_fresh(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, "-=index,attestations");
	assert_int_equal(f->counts.changed, 1);
	assert_string_equal(meanings(f), "/x:1 fresh index (attestations) same-content 200\n");
	assert_string_equal(history(f, NULL),
			    "docker.io/library/a:latest #1 100 a<-- -\n"
			    "docker.io/library/a:latest #2 200 b<-a index (attestations)\n");
	see_judged(f, "a", "bc", 300, "-=index,annotations a>-=index,both");
	assert_string_equal(meanings(f), "/x:1 fresh index (both) same-content 300\n");
	see_judged(f, "a", "cd", 400,
		   "-=content,layers a>-=content,all"); /* compared with what it stands on */
	assert_string_equal(meanings(f), "/x:1 stale content (all) since 400\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE handled LIKE 'sha256:aaa%'"), 1);
	see_judged(f, "a", "de", 500,
		   "-=content,back a>-=index,again"); /* the content of a, under another digest */
	assert_string_equal(meanings(f), "/x:1 fresh index (again) same-content 500\n");
	see_judged(f, "a", "ef", 600, "-=index,x"); /* with what it stands on nobody compared it */
	assert_string_equal(meanings(f), "/x:1 stale unclassified since 600\n");
}

static void every_other_class_makes_builds_stale(void **state)
{
	static const char *const counted[] = {"content", "unclassified", "rollback", "config"};
	struct fixture *f = *state;

	for (size_t i = 0; i < BW_COUNT(counted); i++) {
		BW_AUTOFREE char *name = bw_asprintf("a:%zu", i),
				 *meaning = bw_asprintf("-=%s,x", counted[i]);
		BW_AUTOFREE char *said = bw_asprintf("/x:1 stale %s (x) since 200\n", counted[i]);

		assert_ok(f, bw_store_choose_none(f->store, &f->err));
		put(f, "/x", name);
		see(f, name, 'a', 100);
		see_judged(f, name, "ab", 200, meaning);
		assert_string_equal(meanings(f), said);
	}
}

static void without_a_judgement_a_change_is_unclassified(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	assert_string_equal(meanings(f), "/x:1 fresh\n");
	see(f, "a", 'b', 200);
	assert_string_equal(meanings(f), "/x:1 stale unclassified since 200\n");
	see_judged(f, "a", "bc", 300, "-=index,x a>-=index,y");
	run_sql(f->path, "UPDATE comparison SET class = 'odd'"); /* a word that nobody knows counts */
	assert_string_equal(meanings(f), "/x:1 stale odd (y) since 300 same-content 300\n");
}

static void a_change_that_was_judged_too_late_records_nothing(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, "-=index,x");
	see_judged(f, "a", "ac", 300, "-=content,x"); /* another process has recorded b meanwhile */
	assert_int_equal(f->counts.changed, 0);
	assert_string_equal(meanings(f), "/x:1 fresh index (x) same-content 200\n");
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 200);
	see_judged(f, "a", "ab", 400, "-=content,x"); /* it has recorded this very change */
	assert_int_equal(f->counts.changed, 0);
	assert_string_equal(meanings(f), "/x:1 fresh index (x) same-content 200\n");
	assert_int_equal(ask(f, "SELECT checked_at FROM poll"), 400);
	assert_int_equal(ask(f, "SELECT count(*) FROM change"), 1);
}

static void the_return_of_the_tag_closes_it_whatever_the_class(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, "-=content,x");
	see_judged(f, "a", "ba", 300, "-=rollback,y");
	assert_string_equal(meanings(f), "/x:1 fresh rollback (y) returned 300\n");
	see_judged(f, "a", "ac", 400, "-=index,z");
	assert_string_equal(meanings(f), "/x:1 fresh index (z) same-content 400\n");
	see_judged(f, "a", "ca", 500, "-=index,z");
	assert_string_equal(meanings(f), "/x:1 fresh index (z) same-content 400\n");
	see_judged(f, "a", "ab", 600, "-=content,x");
	see_judged(f, "a", "bc", 700, "-=rollback,w a>-=index,z");
	see_judged(f, "a", "ca", 800, "-=index,z"); /* by way of others, to what it was built on */
	assert_string_equal(meanings(f), "/x:1 fresh index (z) same-content 700\n");
}

/* --- for which build? ------------------------------------------------------------------------- */

static void each_build_is_judged_by_its_platforms(void **state)
{
	struct fixture *f = *state;

	put(f, "/amd", "a|" AMD64);
	put(f, "/arm", "a|" ARM64);
	put(f, "/both", "a|" AMD64 " a|" ARM64);
	put(f, "/none", "a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=content,layers " ARM64 "=index,attestations -=config,env");
	assert_string_equal(meanings(f), "/amd:1 stale content (layers) since 200\n"
					 "/arm:1 fresh index (attestations) same-content 200\n"
					 "/both:1 stale content (layers) since 200\n"
					 "/both:2 stale index (attestations) since 200\n"
					 "/none:1 stale config (env) since 200\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM comparison"), 3);
	assert_string_equal(history(f, "docker.io/library/a"),
			    "docker.io/library/a:latest #1 100 a<-- -\n"
			    "docker.io/library/a:latest #2 200 b<-a content (layers)\n");
}

static void the_same_class_with_other_words_has_its_own_row(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a|" AMD64 " a|" ARM64 " a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=content,one " ARM64 "=content,two -=content");
	assert_string_equal(meanings(f), "/x:1 stale content (one) since 200\n"
					 "/x:2 stale content (two) since 200\n"
					 "/x:3 stale content since 200\n");
}

static void pinned_unreachable_and_ignored_uses_do_not_decide(void **state)
{
	struct fixture *f = *state;

	put(f, "/pinned", "a:1@" ZERO_DIGEST "|" AMD64 " a:1|" ARM64);
	put(f, "/unreached", "~a:1|" AMD64 " a:1|" ARM64);
	put(f, "/only", "a:1@" ZERO_DIGEST "|" ARM64); /* nothing to judge by */
	put(f, "/ignored", "a:1|" AMD64 " a:1|" ARM64);
	run_sql(f->path, "UPDATE use SET ignored = '', ignored_until = 9223372036854775807"
			 " WHERE build_id = 4 AND platform = '" AMD64 "'");
	see_type(f, "a:1", 'a', 100, OCI_IMAGE);
	see_judged(f, "a:1", "ab", 200, AMD64 "=content,x " ARM64 "=index,y");
	assert_string_equal(meanings(f), "/ignored:1 ignored content (x) same-content 200\n"
					 "/ignored:2 fresh index (y) same-content 200\n"
					 "/only:1 unknown index (y) since 200\n"
					 "/pinned:1 unknown content (x) same-content 200\n"
					 "/pinned:2 fresh index (y) same-content 200\n"
					 "/unreached:1 ignored content (x) same-content 200\n"
					 "/unreached:2 fresh index (y) same-content 200\n");
}

static void a_platform_that_was_not_compared_counts_until_it_is(void **state)
{
	const struct bw_comparison late = {
		.platform = "linux/s390x", .class = BW_CLASS_INDEX, .moved = "late"};
	struct bw_comparison c = late;
	struct fixture *f = *state;
	struct bw_digest to;

	put(f, "/x", "a|" AMD64);
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=index,y");
	assert_string_equal(meanings(f), "/x:1 fresh index (y) same-content 200\n");
	put(f, "/x", "a|linux/s390x"); /* now it is built for another one */
	assert_string_equal(meanings(f), "/x:1 stale unclassified since 200 same-content 200\n");
	digest_from('a', &c.from);
	digest_from('b', &to);
	assert_ok(f, bw_store_put_comparison(f->store, base_id(f, "a"), &to, &c, 300, &f->err));
	assert_string_equal(meanings(f), "/x:1 fresh index (late) same-content 300\n");
	c.class = BW_CLASS_CONTENT;
	assert_ok(f, bw_store_put_comparison(f->store, base_id(f, "a"), &to, &c, 400, &f->err));
	assert_string_equal(meanings(f), "/x:1 stale content (late) since 400\n");
	digest_from('c', &to); /* the tag has never been there */
	c.class = BW_CLASS_INDEX;
	assert_ok(f, bw_store_put_comparison(f->store, base_id(f, "a"), &to, &c, 500, &f->err));
	assert_string_equal(meanings(f), "/x:1 stale content (late) since 400\n");
}

static int add_uncompared(const struct bw_uncompared *u, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char from[2], to[2];

	(void)err;
	bw_buf_addf(&f->text, "%s %s>%s %s\n", u->base.repository, letter_of(u->from, from),
		    letter_of(u->base.digest, to), u->platform ? u->platform : "-");
	return 0;
}

static const char *uncompared(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_uncompared(f->store, 1000, add_uncompared, f, &f->err));
	return bw_buf_str(&f->text);
}

static void what_was_not_compared_is_listed(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a|" AMD64 " b");
	see(f, "a", 'a', 100);
	see(f, "b", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=index,y");
	assert_string_equal(uncompared(f), "");
	see_judged(f, "b", "ab", 200, AMD64 "=index,y");
	assert_string_equal(uncompared(f), "library/b a>b -\n");
	put(f, "/x", "a|" ARM64 " a|" ARM64 " a b@" ZERO_DIGEST " ~b");
	assert_string_equal(uncompared(f), "library/a a>b -\nlibrary/a a>b " ARM64 "\n");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(uncompared(f), "");
}

static void a_build_that_waits_for_its_baseline_gets_it(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	put(f, "/y", "a");
	see_judged(f, "a", "ab", 200, "-=index,x");
	assert_string_equal(meanings(f), "/x:1 fresh index (x) same-content 200\n/y:1 fresh index (x)\n");
}

static void builds_that_are_away_are_judged_when_they_are_back(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	put(f, "/y", "a|" ARM64);
	put(f, "/z", "a|" AMD64);
	see(f, "a", 'a', 100);
	run_sql(f->path, "UPDATE build SET ended_at = 150 WHERE id = 1");
	put(f, "/z", "b"); /* names another base meanwhile */
	see_judged(f, "a", "ab", 200, ARM64 "=index,x");
	put(f, "/x", "a");
	put(f, "/z", "a|" AMD64);
	assert_string_equal(meanings(f), "/x:1 stale unclassified since 200\n"
					 "/y:1 fresh index (x) same-content 200\n"
					 "/z:1 stale unclassified since 200\n");
	assert_string_equal(uncompared(f), "library/a a>b -\nlibrary/a a>b " AMD64 "\n");
}

/* --- which change is shown? ------------------------------------------------------------------- */

static void a_stale_build_shows_what_the_tag_has_against_what_it_stands_on(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, "-=content,b");
	put(f, "/y", "a");
	see_same(f, "a", 250);
	see_judged(f, "a", "bc", 300, "-=index,c a>-=config,ac");
	assert_string_equal(meanings(f),
			    "/x:1 stale config (ac) since 200\n/y:1 fresh index (c) same-content 300\n");
	see_judged(f, "a", "cd", 400, "-=content,d a>-=content,ad b>-=config,bd");
	assert_string_equal(meanings(f),
			    "/x:1 stale content (ad) since 200\n/y:1 stale config (bd) since 400\n");
	see_judged(f, "a", "da", 500, "-=rollback,a b>-=rollback,ba");
	assert_string_equal(meanings(f),
			    "/x:1 fresh rollback (a) returned 500\n/y:1 stale rollback (ba) since 400\n");
}

static void what_is_shown_is_that_of_the_platform(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a|" AMD64 " a|" ARM64);
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=content,b " ARM64 "=index,b");
	see_judged(f, "a", "bc", 300,
		   AMD64 "=index,c " ARM64 "=config,c a>" AMD64 "=content,ac a>" ARM64 "=config,ac");
	assert_string_equal(meanings(f),
			    "/x:1 stale content (ac) since 200\n/x:2 stale config (ac) since 200\n");
}

static void many_platforms_of_one_base_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct bw_answer a = {0};
	struct bw_comparison classes[50];
	struct bw_change change = {.class = BW_CLASS_CONTENT, .moved = "", .comparisons = classes};
	struct bw_seen seen = {.base_id = 1, .at_ms = 200, .answer = &a, .change = &change};
	struct bw_buf expected;

	bw_buf_init(&expected, 1U << 20);
	for (int round = 0; round < 2; round++) /* twice, so that what was looked up is asked for again */
		for (int i = 0; i < 50; i++) {
			BW_AUTOFREE char *path = bw_asprintf("/%d%02d", round, i);
			BW_AUTOFREE char *use = bw_asprintf("a|linux/p%d", i);

			put(f, path, use);
			bw_buf_addf(&expected, "%s:1 %s (%d)%s\n", path,
				    i % 2 ? "stale config" : "fresh index", i,
				    i % 2 ? " since 200" : " same-content 200");
		}
	see(f, "a", 'a', 100);
	for (int i = 0; i < 50; i++)
		classes[i] = (struct bw_comparison){.platform = bw_asprintf("linux/p%d", i),
						    .class = i % 2 ? BW_CLASS_CONFIG : BW_CLASS_INDEX,
						    .moved = bw_asprintf("%d", i)};
	change.comparison_count = 50;
	digest_from('a', &change.from);
	for (int i = 0; i < 50; i++)
		classes[i].from = change.from;
	digest_from('b', &a.digest);
	assert_ok(f, bw_store_record(f->store, &seen, 1, NULL, &f->counts, &f->err));
	assert_string_equal(meanings(f), bw_buf_str(&expected));
	for (int i = 0; i < 50; i++) {
		free((void *)(uintptr_t)classes[i].platform);
		free((void *)(uintptr_t)classes[i].moved);
	}
	bw_buf_done(&expected);
}

/* --- what people say -------------------------------------------------------------------------- */

static void choose(struct fixture *f, const char *path)
{
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_ok(f, bw_store_choose_location(f->store, path, NULL, &f->err));
}

static void a_rebuild_on_a_digest_with_the_same_content_is_fresh(void **state)
{
	struct fixture *f = *state;
	struct bw_done_counts c;
	struct bw_digest b;

	put(f, "/amd", "a|" AMD64);
	put(f, "/arm", "a|" ARM64);
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=content,b " ARM64 "=content,b");
	see_judged(f, "a", "bc", 300,
		   AMD64 "=index,c " ARM64 "=content,c a>" AMD64 "=content,ac a>" ARM64 "=content,ac");
	digest_from('b', &b);
	choose(f, "/");
	assert_ok(f, bw_store_done(f->store, &b, 400, &c, &f->err));
	assert_int_equal(c.closed, 1);
	assert_int_equal(c.moved, 1);
	assert_string_equal(meanings(f), "/amd:1 fresh index (c) done 400\n"
					 "/arm:1 stale content (c) since 200\n");
}

/* --- what the judgement takes ----------------------------------------------------------------- */

static int add_stand(const char *digest, const char *platform, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char letter[2];

	(void)err;
	bw_buf_addf(&f->text, "%s:%s ", letter_of(digest, letter), platform ? platform : "-");
	return 0;
}

static const char *stands(struct fixture *f, const char *name)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_stand(f->store, base_id(f, name), 1000, add_stand, f, &f->err));
	return bw_buf_str(&f->text);
}

static int refuse(const char *digest, const char *platform, void *arg, struct bw_err *err)
{
	(void)digest;
	(void)platform;
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "enough");
}

static void a_change_is_judged_for_all_that_live_uses_stand_on(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1|" ARM64 " a:1 b|linux/s390x a:1|" ARM64 " ~a:1|linux/riscv64");
	put(f, "/y", "a:1@" ZERO_DIGEST "|" AMD64);
	put(f, "/z", "a:1|linux/ppc64le");
	put(f, "/i", "a:1|linux/386");
	run_sql(f->path, "UPDATE use SET ignored = '', ignored_until = 9999999 WHERE build_id = 4");
	run_sql(f->path, "UPDATE build SET ended_at = 5 WHERE id = 3");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(stands(f, "a:1"), ""); /* there is nothing to compare with yet */
	see(f, "a:1", 'a', 100);
	assert_string_equal(stands(f, "a:1"), "a:- a:" AMD64 " a:" ARM64 " ");
	see_judged(f, "a:1", "ab", 200, "-=content,x " ARM64 "=content,x");
	assert_string_equal(stands(f, "a:1"), "b:- b:" AMD64 " b:" ARM64 " a:- a:" ARM64 " ");
	assert_int_equal(bw_store_each_stand(f->store, 1, 1000, refuse, NULL, &f->err), BW_E_LIMIT);
	see(f, "b", 'c', 100);
	assert_string_equal(stands(f, "b"), "c:linux/s390x ");
}

static uint32_t number_of(struct fixture *f, const char *name, char letter)
{
	struct bw_digest d;
	uint32_t number = 77;

	digest_from(letter, &d);
	assert_ok(f, bw_store_find_sighting(f->store, base_id(f, name), &d, &number, &f->err));
	return number;
}

static void a_digest_is_found_by_its_newest_sighting(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a b");
	see(f, "a", 'a', 100);
	see(f, "a", 'b', 200);
	see(f, "a", 'a', 300);
	see(f, "b", 'c', 300);
	assert_int_equal(number_of(f, "a", 'a'), 3);
	assert_int_equal(number_of(f, "a", 'b'), 2);
	assert_int_equal(number_of(f, "a", 'c'), 0);
	assert_int_equal(number_of(f, "b", 'c'), 1);
}

static void a_registry_that_disagreed_is_remembered(void **state)
{
	struct fixture *f = *state;
	bool has = true;

	assert_ok(f, bw_store_has_disagreed(f->store, "quay.io", &has, &f->err));
	assert_false(has);
	assert_ok(f, bw_store_put_disagreement(f->store, "quay.io", 100, &f->err));
	assert_ok(f, bw_store_put_disagreement(f->store, "quay.io", 50, &f->err));
	assert_ok(f, bw_store_has_disagreed(f->store, "quay.io", &has, &f->err));
	assert_true(has);
	assert_ok(f, bw_store_has_disagreed(f->store, "docker.io", &has, &f->err));
	assert_false(has);
	assert_int_equal(ask(f, "SELECT disagreed_at FROM registry"), 100);
}

/* --- many builds ------------------------------------------------------------------------------ */

#define BUILDS 10000

static void put_builds(struct fixture *f)
{
	struct bw_build_scan *scans = bw_alloc(BUILDS * sizeof(*scans));
	int64_t *ids = bw_alloc(BUILDS * sizeof(*ids));
	struct made_file amd, arm;

	make_file(&amd, "", "a|" AMD64);
	make_file(&arm, "", "a|" ARM64);
	for (int i = 0; i < BUILDS; i++) {
		scans[i] = i % 2 ? arm.scan : amd.scan;
		scans[i].path = bw_asprintf("/%d", i);
	}
	assert_ok(f, bw_store_put_builds(f->store, scans, BUILDS, 10, ids, &f->err));
	for (int i = 0; i < BUILDS; i++)
		free((void *)(uintptr_t)scans[i].path);
	free_file(&amd);
	free_file(&arm);
	free(scans);
	free(ids);
}

static int count_class(const struct bw_row *r, void *arg, struct bw_err *err)
{
	size_t *counts = arg;

	(void)err;
	counts[strcmp(r->change_class, "content") == 0 && r->stale_since_ms == 200]++;
	return 0;
}

static void a_base_of_ten_thousand_builds_takes_one_look_per_platform(void **state)
{
	struct fixture *f = *state;
	size_t counts[2] = {0};

	put_builds(f);
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=content,b " ARM64 "=index,b");
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE evidence = 'same-content'"),
			 BUILDS / 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE stale_since = 200"), BUILDS / 2);
	assert_ok(f, bw_store_each_row(f->store, count_class, counts, &f->err));
	assert_int_equal(counts[0], BUILDS / 2);
	assert_int_equal(counts[1], BUILDS / 2);
	assert_int_equal(sqlite3_stmt_status(f->store->statements[BW_SQL_MEANING], SQLITE_STMTSTATUS_RUN, 0),
			 2);
	assert_int_equal(sqlite3_stmt_status(f->store->statements[BW_SQL_MOVE], SQLITE_STMTSTATUS_RUN, 0), 1);
	assert_int_equal(
		sqlite3_stmt_status(f->store->statements[BW_SQL_PAIRS_SAME], SQLITE_STMTSTATUS_RUN, 0), 1);
}

/* --- against the rules as written (design §5), with random histories -------------------------- */

#define SEQUENCES  1000
#define STEPS	   25
#define MODELS	   4 /* builds */
#define LETTERS	   4 /* digests */
#define JUDGED	   3 /* platforms that changes are judged for; of one more there are uses only */
#define PLATFORMS  (JUDGED + 1)
#define MODEL_USES 3

static const char *const platform_names[PLATFORMS] = {NULL, AMD64, ARM64, "linux/s390x"};

/* What is known of two digests: class -1 is nothing. */
struct model_comparison {
	int class;
	char moved[16];
};

struct model_change {
	char digest;
	int64_t at_ms;
	struct model_comparison whole;
};

struct model_use {
	int platform;
	bool is_pinned, is_reachable;
};

struct model_build {
	struct model_use uses[MODEL_USES];
	int use_count;	/* 0: names another base instead */
	bool is_there;	/* was put at all */
	bool is_known;	/* has named the base, so what it stands on is kept */
	char stands_on; /* 0: not known yet */
	int64_t stale_since;
	const char *evidence;
	int64_t fresh_since;
};

struct model {
	struct fixture *f;
	uint64_t random;
	unsigned seed;
	int sequence;
	int64_t now;
	char name[16], folder[16];
	struct model_change history[STEPS + 1]; /* [0]: the first sighting */
	int seen;
	struct model_comparison known[LETTERS][LETTERS][PLATFORMS]; /* from, to */
	struct model_build builds[MODELS];
	int rows; /* seen in one list */
};

static unsigned draw(struct model *m, unsigned below)
{
	m->random = m->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(m->random >> 33) % below;
}

static char current_of(const struct model *m)
{
	return m->seen > 0 ? m->history[m->seen - 1].digest : 0;
}

static struct model_comparison *known_of(struct model *m, char from, char to, int platform)
{
	return &m->known[from - 'a'][to - 'a'][platform];
}

/* Does it count that the tag has `to`, and the build stands on `from`? */
static bool counts_for(struct model *m, const struct model_build *b, char from, char to)
{
	bool is_judged = false;

	for (int i = 0; i < b->use_count; i++) {
		const struct model_use *u = &b->uses[i];

		if (u->is_pinned || !u->is_reachable)
			continue;
		is_judged = true;
		if (known_of(m, from, to, u->platform)->class != BW_CLASS_INDEX)
			return true;
	}
	return !is_judged;
}

static void become_fresh(struct model_build *b, char digest, const char *evidence, int64_t at_ms)
{
	b->stands_on = digest;
	b->stale_since = 0;
	b->evidence = evidence;
	b->fresh_since = evidence ? at_ms : 0;
}

static void move_build(struct model *m, struct model_build *b, const struct model_change *c)
{
	if (!b->is_known)
		return;
	if (b->stands_on == 0) {
		b->stands_on = c->digest;
	} else if (b->stands_on == c->digest) {
		if (b->stale_since != 0)
			become_fresh(b, c->digest, "returned", c->at_ms);
	} else if (!counts_for(m, b, b->stands_on, c->digest)) {
		become_fresh(b, b->stands_on, "same-content", c->at_ms);
	} else if (b->stale_since == 0) {
		b->stale_since = c->at_ms;
		b->evidence = NULL;
		b->fresh_since = 0;
	}
}

static void give_baseline(struct model *m)
{
	for (int i = 0; i < MODELS; i++)
		if (m->builds[i].is_known && m->builds[i].stands_on == 0)
			m->builds[i].stands_on = current_of(m);
}

static struct model_change *next_change(struct model *m, char digest)
{
	struct model_change *c = &m->history[m->seen++];

	*c = (struct model_change){.digest = digest, .at_ms = m->now, .whole.class = BW_CLASS_UNCLASSIFIED};
	return c;
}

/* --- what happens, to the model and to the store */

static void put_build(struct model *m, int i)
{
	struct model_build *b = &m->builds[i];
	BW_AUTOFREE char *path = bw_asprintf("%s/%d", m->folder, i);
	struct bw_buf text;

	bw_buf_init(&text, 4096);
	b->use_count = (int)draw(m, MODEL_USES + 1);
	for (int n = 0; n < b->use_count; n++) {
		struct model_use *u = &b->uses[n];

		*u = (struct model_use){.platform = (int)draw(m, PLATFORMS),
					.is_pinned = draw(m, 6) == 0,
					.is_reachable = draw(m, 6) != 0};
		bw_buf_addf(&text, "%s%s%s%s%s ", u->is_reachable ? "" : "~", m->name,
			    u->is_pinned ? "@" ZERO_DIGEST : "", u->platform ? "|" : "",
			    u->platform ? platform_names[u->platform] : "");
	}
	put_at(m->f, path, b->use_count ? bw_buf_str(&text) : "other", m->now);
	bw_buf_done(&text);
	b->is_there = true;
	/* Before its first sight, a base that is not named any more leaves nothing behind. */
	b->is_known = b->use_count > 0 || (b->is_known && m->seen > 0);
}

/* Mostly nothing that counts; the words are often the same. */
static struct model_comparison draw_comparison(struct model *m, char digest)
{
	struct model_comparison c = {.class = draw(m, 3) ? BW_CLASS_INDEX : (int)draw(m, BW_CLASS_COUNT)};

	(void)snprintf(c.moved, sizeof(c.moved), "%c%u", digest, draw(m, 2));
	return c;
}

/* What the change starts from is judged for most platforms, what builds stood on before only for some. */
static void judge_at_random(struct model *m, char digest, struct model_change *c,
			    struct model_comparison drawn[], struct made_change *made)
{
	size_t count = 0;

	*made = (struct made_change){.change.comparisons = made->comparisons};
	digest_from(current_of(m), &made->change.from);
	c->whole.class = -1;
	for (char from = 'a'; from < 'a' + LETTERS; from++)
		for (int p = 0; p < PLATFORMS; p++) {
			struct bw_comparison *to = &made->comparisons[count];

			if (from == digest || (from == current_of(m) ? p >= JUDGED : draw(m, 2) == 0))
				continue;
			drawn[count] = draw_comparison(m, digest);
			digest_from(from, &to->from);
			to->platform = platform_names[p];
			to->class = (enum bw_class)drawn[count].class;
			to->moved = drawn[count].moved;
			if (from == current_of(m) &&
			    (c->whole.class < 0 || drawn[count].class < c->whole.class))
				c->whole = drawn[count];
			count++;
		}
	made->change.comparison_count = count;
	made->change.class = (enum bw_class)c->whole.class;
	made->change.moved = c->whole.moved;
}

static void learn(struct model *m, char digest, const struct made_change *made,
		  const struct model_comparison drawn[])
{
	for (size_t i = 0; i < made->change.comparison_count; i++) {
		const struct bw_comparison *c = &made->comparisons[i];
		int p = 0;

		while (!bw_text_is(platform_names[p], c->platform) && (platform_names[p] || c->platform))
			p++;
		*known_of(m, c->from.text[7], digest, p) = drawn[i];
	}
}

static void record_change(struct model *m, char digest)
{
	struct bw_answer a = {.media_type = OCI_INDEX};
	struct model_comparison drawn[MAX_PLATFORMS];
	struct made_change made;
	struct bw_seen seen = {.base_id = base_id(m->f, m->name), .at_ms = m->now, .answer = &a};
	bool is_judged = draw(m, 5) != 0, is_overtaken = is_judged && draw(m, 6) == 0;
	struct model_change *c = next_change(m, digest);

	digest_from(digest, &a.digest);
	m->seen--; /* the judgement starts from what was there before */
	if (is_judged) {
		judge_at_random(m, digest, c, drawn, &made);
		seen.change = &made.change;
	}
	if (is_overtaken)
		digest_from('z', &made.change.from);
	assert_ok(m->f, bw_store_record(m->f->store, &seen, 1, NULL, &m->f->counts, &m->f->err));
	assert_int_equal(m->f->counts.changed, !is_overtaken);
	if (is_overtaken)
		return;
	if (is_judged)
		learn(m, digest, &made, drawn);
	m->seen++;
	for (int i = 0; i < MODELS; i++)
		move_build(m, &m->builds[i], c);
}

static void answer(struct model *m)
{
	char digest = (char)('a' + draw(m, LETTERS));

	if (base_id(m->f, m->name) < 0)
		return; /* nobody names it yet */
	if (m->seen == 0) {
		(void)next_change(m, digest);
		see(m->f, m->name, digest, m->now);
		give_baseline(m);
	} else if (digest == current_of(m)) {
		if (draw(m, 2))
			see(m->f, m->name, digest, m->now);
		else
			see_same(m->f, m->name, m->now);
		give_baseline(m);
	} else if (draw(m, 8) == 0) {
		see_trouble(m->f, m->name, BW_TROUBLE_DNS, "", m->now);
	} else {
		record_change(m, digest);
	}
}

static bool was_seen(const struct model *m, char digest, int *ret_last)
{
	for (int i = m->seen - 1; i >= 0; i--)
		if (m->history[i].digest == digest) {
			*ret_last = i;
			return true;
		}
	return false;
}

static bool has_use(const struct model_build *b, bool is_pinned)
{
	for (int i = 0; i < b->use_count; i++)
		if (b->uses[i].is_pinned == is_pinned && (!is_pinned || b->uses[i].is_reachable))
			return true;
	return false;
}

/* Rebuilt on `digest`, or on what the tag has now. */
static void do_done(struct model *m, struct model_build *b, char digest)
{
	int last;

	if (!has_use(b, false) || m->seen == 0 || (digest && !was_seen(m, digest, &last)))
		return;
	if (!digest || digest == current_of(m)) {
		if (b->stands_on != current_of(m) || b->stale_since)
			become_fresh(b, current_of(m), "done", m->now);
	} else if (!counts_for(m, b, digest, current_of(m))) {
		become_fresh(b, digest, "done", m->now);
	} else {
		b->stands_on = digest;
		b->stale_since = b->stale_since ? b->stale_since : m->history[m->seen - 1].at_ms;
		b->evidence = NULL;
		b->fresh_since = 0;
	}
}

static void say_done(struct model *m)
{
	int i = (int)draw(m, MODELS), last;
	struct model_build *b = &m->builds[i];
	char digest = draw(m, 2) ? (char)('a' + draw(m, LETTERS)) : '\0';
	bool is_named = has_use(b, false) || has_use(b, true);
	BW_AUTOFREE char *path = bw_asprintf("%s/%d", m->folder, i);
	struct bw_done_counts counts;
	struct bw_digest d;
	int rc;

	if (!b->is_there)
		return;
	choose(m->f, path);
	digest_from(digest, &d);
	rc = bw_store_done(m->f->store, digest ? &d : NULL, m->now, &counts, &m->f->err);
	assert_int_equal(rc == 0, !digest || (is_named && was_seen(m, digest, &last)));
	choose(m->f, m->folder);
	do_done(m, b, digest);
}

/* --- what must be seen then */

/* NULL: nothing is known. */
static const struct model_comparison *expected_meaning(struct model *m, const struct model_build *b,
						       const struct model_use *u)
{
	static const struct model_comparison unclassified = {.class = BW_CLASS_UNCLASSIFIED};
	bool is_stand = !u->is_pinned && b->stands_on && b->stands_on != current_of(m);
	const struct model_comparison *known;
	char from;

	if (m->seen < 2)
		return NULL;
	from = is_stand ? b->stands_on : m->history[m->seen - 2].digest;
	known = known_of(m, from, current_of(m), u->platform);
	if (known->class >= 0)
		return known;
	return is_stand ? &unclassified : &m->history[m->seen - 1].whole;
}

static int64_t expected_since(struct model *m, const struct model_build *b)
{
	char now = current_of(m);

	if (!b->stands_on || b->stands_on == now || !counts_for(m, b, b->stands_on, now))
		return 0;
	return b->stale_since ? b->stale_since : m->history[m->seen - 1].at_ms;
}

static void assert_text(const struct model *m, const char *what, const char *is, const char *should)
{
	if (!bw_text_is(is, should))
		fail_msg("STORE_SEED=%u sequence %d: %s is %s, should be %s", m->seed, m->sequence, what,
			 is ? is : "NULL", should ? should : "NULL");
}

static int check_row(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct model *m = arg;
	struct model_build *b = &m->builds[r->path[strlen(m->folder) + 1] - '0'];
	const struct model_comparison *c;
	const struct model_use *u;
	char handled[2] = "-", stands_on[2] = {b->stands_on ? b->stands_on : '-', '\0'};

	(void)err;
	if (b->use_count == 0)
		return 0;
	u = &b->uses[r->line - 1];
	m->rows++;
	assert_text(m, "handled", letter_of(r->handled, handled), stands_on);
	assert_text(m, "evidence", r->evidence, b->evidence);
	assert_int_equal(r->stale_since_ms, expected_since(m, b));
	assert_int_equal(r->fresh_since_ms, b->fresh_since);
	c = expected_meaning(m, b, u);
	assert_text(m, "class", r->change_class, c ? bw_class_name((enum bw_class)c->class) : NULL);
	assert_text(m, "moved", r->moved, c && c->moved[0] ? c->moved : NULL);
	return 0;
}

static void check_model(struct model *m)
{
	int uses = 0;

	for (int i = 0; i < MODELS; i++)
		uses += m->builds[i].use_count;
	m->rows = 0;
	assert_ok(m->f, bw_store_each_row(m->f->store, check_row, m, &m->f->err));
	assert_int_equal(m->rows, uses);
}

static void run_sequence(struct model *m)
{
	(void)snprintf(m->name, sizeof(m->name), "s%d:1", m->sequence);
	(void)snprintf(m->folder, sizeof(m->folder), "/%d", m->sequence);
	assert_ok(m->f, bw_store_choose_none(m->f->store, &m->f->err));
	for (int step = 0; step < STEPS; step++) {
		unsigned what = draw(m, 10);

		m->now += 1 + draw(m, 100);
		if (what < 3)
			put_build(m, (int)draw(m, MODELS));
		else if (what < 9)
			answer(m);
		else
			say_done(m);
		check_model(m);
	}
}

static void random_histories_follow_the_rules_as_written(void **state)
{
	struct fixture *f = *state;
	const char *given = getenv("STORE_SEED");
	uint64_t number = 0;
	unsigned seed = 0;

	assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	seed = given && bw_text_number(given, 1, 1000000000, &number) ? (unsigned)number : seed % 1000000 + 1;
	print_message("# STORE_SEED=%u\n", seed);
	for (int i = 0; i < SEQUENCES; i++) {
		struct model m = {.f = f,
				  .seed = seed,
				  .random = seed + (uint64_t)i * 7919,
				  .sequence = i,
				  .now = 1000};

		for (size_t k = 0; k < sizeof(m.known) / sizeof(m.known[0][0][0]); k++)
			(&m.known[0][0][0])[k].class = -1;
		run_sequence(&m);
	}
}

#define CASE(name)	cmocka_unit_test_setup_teardown(name, set_up_store, tear_down)
#define FAST_CASE(name) cmocka_unit_test_setup_teardown(name, set_up_fast_store, tear_down)

static int set_up_fast_store(void **state)
{
	if (set_up_fast_folder(state) < 0)
		return -1;
	open_fixture(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_change_that_does_not_count_leaves_the_build_fresh),
		CASE(every_other_class_makes_builds_stale),
		CASE(without_a_judgement_a_change_is_unclassified),
		CASE(a_change_that_was_judged_too_late_records_nothing),
		CASE(the_return_of_the_tag_closes_it_whatever_the_class),
		CASE(each_build_is_judged_by_its_platforms),
		CASE(the_same_class_with_other_words_has_its_own_row),
		CASE(pinned_unreachable_and_ignored_uses_do_not_decide),
		CASE(a_platform_that_was_not_compared_counts_until_it_is),
		CASE(what_was_not_compared_is_listed),
		CASE(a_build_that_waits_for_its_baseline_gets_it),
		CASE(builds_that_are_away_are_judged_when_they_are_back),
		CASE(a_stale_build_shows_what_the_tag_has_against_what_it_stands_on),
		CASE(what_is_shown_is_that_of_the_platform),
		CASE(many_platforms_of_one_base_are_told_apart),
		CASE(a_rebuild_on_a_digest_with_the_same_content_is_fresh),
		CASE(a_change_is_judged_for_all_that_live_uses_stand_on),
		CASE(a_digest_is_found_by_its_newest_sighting),
		CASE(a_registry_that_disagreed_is_remembered),
		CASE(a_base_of_ten_thousand_builds_takes_one_look_per_platform),
		FAST_CASE(random_histories_follow_the_rules_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
