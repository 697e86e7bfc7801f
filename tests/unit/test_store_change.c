/* What a change means for builds: classes, platforms, what is carried along, and which change is shown. */
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

static void a_change_that_does_not_count_carries_the_build_along(void **state)
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
	see_judged(f, "a", "bc", 300, "-=index,annotations");
	assert_string_equal(meanings(f), "/x:1 fresh index (annotations) same-content 300\n");
	see_judged(f, "a", "cd", 400, "-=content,layers"); /* from the digest that it was carried to */
	assert_string_equal(meanings(f), "/x:1 stale content (layers) since 400\n");
	assert_int_equal(ask(f, "SELECT count(*) FROM outstanding WHERE handled LIKE 'sha256:ccc%'"), 1);
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
	run_sql(f->path, "UPDATE change SET class = 'odd'"); /* a word that nobody knows */
	see_judged(f, "a", "bc", 300, "-=config,x");
	assert_string_equal(meanings(f), "/x:1 stale odd since 200\n"); /* weighs as much as unclassified */
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
	assert_string_equal(meanings(f), "/x:1 fresh index (z) same-content 500\n");
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
	assert_int_equal(ask(f, "SELECT count(*) FROM change_platform"),
			 2); /* amd64 is as the change itself */
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

static void pinned_and_unreachable_uses_do_not_decide(void **state)
{
	struct fixture *f = *state;

	put(f, "/pinned", "a:1@" ZERO_DIGEST "|" AMD64 " a:1|" ARM64);
	put(f, "/unreached", "~a:1|" AMD64 " a:1|" ARM64);
	put(f, "/only", "a:1@" ZERO_DIGEST "|" ARM64); /* nothing to judge by: the change as a whole */
	see_type(f, "a:1", 'a', 100, OCI_IMAGE);
	see_judged(f, "a:1", "ab", 200, AMD64 "=content,x " ARM64 "=index,y");
	assert_string_equal(meanings(f), "/only:1 unknown index (y) since 200\n"
					 "/pinned:1 unknown content (x) same-content 200\n"
					 "/pinned:2 fresh index (y) same-content 200\n"
					 "/unreached:1 ignored content (x) same-content 200\n"
					 "/unreached:2 fresh index (y) same-content 200\n");
}

static void a_platform_that_was_not_judged_is_taken_as_the_change_itself(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a|linux/s390x");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=index,y");
	assert_string_equal(meanings(f), "/x:1 fresh index (y) same-content 200\n");
	see_judged(f, "a", "bc", 300, AMD64 "=index,y " ARM64 "=config,x");
	assert_string_equal(meanings(f), "/x:1 stale config (x) since 300\n");
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

static void ended_builds_are_carried_along_too(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	put(f, "/y", "a|" ARM64);
	see(f, "a", 'a', 100);
	run_sql(f->path, "UPDATE build SET ended_at = 150 WHERE id = 1");
	see_judged(f, "a", "ab", 200, ARM64 "=index,x");
	put(f, "/x", "a");
	assert_string_equal(meanings(f), "/x:1 fresh index (x) same-content 200\n"
					 "/y:1 fresh index (x) same-content 200\n");
}

/* --- which change is shown? ------------------------------------------------------------------- */

static void a_stale_build_shows_the_weightiest_change_since(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a");
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, "-=content,b");
	see_judged(f, "a", "bc", 300, "-=index,c"); /* counts for nobody new, and ends nothing */
	assert_string_equal(meanings(f), "/x:1 stale content (b) since 200\n");
	put(f, "/y", "a");
	see_same(f, "a", 350);
	see_judged(f, "a", "cd", 400, "-=content,d"); /* the newest of equals */
	see_judged(f, "a", "de", 500, "-=config,e");
	assert_string_equal(meanings(f),
			    "/x:1 stale content (d) since 200\n/y:1 stale content (d) since 400\n");
	see_judged(f, "a", "ea", 600, "-=rollback,a"); /* what weighed before is over */
	see_judged(f, "a", "af", 700, "-=config,f");
	assert_string_equal(meanings(f),
			    "/x:1 stale config (f) since 700\n/y:1 stale content (d) since 400\n");
}

static void the_weightiest_is_that_of_the_platform(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a|" AMD64 " a|" ARM64);
	see(f, "a", 'a', 100);
	see_judged(f, "a", "ab", 200, AMD64 "=content,b " ARM64 "=index,b");
	see_judged(f, "a", "bc", 300, AMD64 "=index,c " ARM64 "=config,c");
	assert_string_equal(meanings(f),
			    "/x:1 stale content (b) since 200\n/x:2 stale config (c) since 200\n");
}

static void many_platforms_of_one_base_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct bw_answer a = {0};
	struct bw_use_class classes[50];
	struct bw_change change = {.class = BW_CLASS_CONTENT, .moved = "", .platforms = classes};
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
		classes[i] = (struct bw_use_class){.platform = bw_asprintf("linux/p%d", i),
						   .class = i % 2 ? BW_CLASS_CONFIG : BW_CLASS_INDEX,
						   .moved = bw_asprintf("%d", i)};
	change.platform_count = 50;
	digest_from('a', &change.from);
	digest_from('b', &a.digest);
	assert_ok(f, bw_store_record(f->store, &seen, 1, &f->counts, &f->err));
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
	see_judged(f, "a", "bc", 300, AMD64 "=index,c " ARM64 "=content,c");
	digest_from('b', &b);
	choose(f, "/");
	assert_ok(f, bw_store_done(f->store, &b, 400, &c, &f->err));
	assert_int_equal(c.closed, 1);
	assert_int_equal(c.moved, 1);
	assert_string_equal(meanings(f), "/amd:1 fresh index (c) done 400\n"
					 "/arm:1 stale content (c) since 200\n");
}

/* --- what the judgement takes ----------------------------------------------------------------- */

static int add_platform(const char *platform, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;

	(void)err;
	bw_buf_addf(&f->text, "%s ", platform ? platform : "-");
	return 0;
}

static const char *platforms(struct fixture *f, const char *name)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_platform(f->store, base_id(f, name), add_platform, f, &f->err));
	return bw_buf_str(&f->text);
}

static int refuse(const char *platform, void *arg, struct bw_err *err)
{
	(void)platform;
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "enough");
}

static void the_platforms_of_a_base_are_those_of_all_live_uses(void **state)
{
	struct fixture *f = *state;

	put(f, "/x", "a:1|" ARM64 " a:1 b|linux/s390x a:1|" ARM64 " ~a:1|linux/riscv64");
	put(f, "/y", "a:1@" ZERO_DIGEST "|" AMD64);
	put(f, "/z", "a:1|linux/ppc64le");
	run_sql(f->path, "UPDATE use SET ignored = '', ignored_until = 9999999 WHERE build_id = 2");
	run_sql(f->path, "UPDATE build SET ended_at = 5 WHERE id = 3");
	assert_ok(f, bw_store_choose_none(f->store, &f->err));
	assert_string_equal(platforms(f, "a:1"), "- " AMD64 " " ARM64 " ");
	assert_string_equal(platforms(f, "b"), "linux/s390x ");
	assert_int_equal(bw_store_each_platform(f->store, 1, refuse, NULL, &f->err), BW_E_LIMIT);
	assert_string_equal(platforms(f, "b"), "linux/s390x ");
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
		sqlite3_stmt_status(f->store->statements[BW_SQL_PAIRS_CARRY], SQLITE_STMTSTATUS_RUN, 0), 1);
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

struct model_change {
	char digest;
	int64_t at_ms;
	int class[PLATFORMS + 1]; /* the last one: as a whole */
	char moved[PLATFORMS + 1][16];
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

static int class_for(const struct model_change *c, int platform)
{
	return c->class[platform < JUDGED ? platform : PLATFORMS];
}

static bool counts_for(const struct model_change *c, const struct model_build *b)
{
	bool is_judged = false;

	for (int i = 0; i < b->use_count; i++) {
		const struct model_use *u = &b->uses[i];

		if (u->is_pinned || !u->is_reachable)
			continue;
		is_judged = true;
		if (class_for(c, u->platform) != BW_CLASS_INDEX)
			return true;
	}
	return !is_judged && c->class[PLATFORMS] != BW_CLASS_INDEX;
}

static void become_fresh(struct model_build *b, char digest, const char *evidence, int64_t at_ms)
{
	b->stands_on = digest;
	b->stale_since = 0;
	b->evidence = evidence;
	b->fresh_since = evidence ? at_ms : 0;
}

static void move_build(struct model_build *b, const struct model_change *c)
{
	if (!b->is_known)
		return;
	if (b->stands_on == 0) {
		b->stands_on = c->digest;
	} else if (b->stands_on == c->digest) {
		become_fresh(b, c->digest, "returned", c->at_ms);
	} else if (b->stale_since == 0) {
		if (!counts_for(c, b)) {
			become_fresh(b, c->digest, "same-content", c->at_ms);
			return;
		}
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

	*c = (struct model_change){.digest = digest, .at_ms = m->now};
	for (int i = 0; i <= PLATFORMS; i++)
		c->class[i] = BW_CLASS_UNCLASSIFIED;
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

static void judge_at_random(struct model *m, struct model_change *c, struct made_change *made)
{
	make_change(made, current_of(m), "-=index linux/amd64=index linux/arm64=index");
	made->change.class = BW_CLASS_INDEX;
	for (int i = 0; i < JUDGED; i++) {
		/* Mostly nothing that counts; the words are often the same. */
		c->class[i] = draw(m, 3) ? BW_CLASS_INDEX : (int)draw(m, BW_CLASS_COUNT);
		(void)snprintf(c->moved[i], sizeof(c->moved[i]), "%c%u", c->digest, draw(m, 2));
		made->platforms[i].class = (enum bw_class)c->class[i];
		made->platforms[i].moved = c->moved[i];
		if (i == 0 || made->platforms[i].class < made->change.class) {
			made->change.class = made->platforms[i].class;
			made->change.moved = c->moved[i];
		}
	}
	c->class[PLATFORMS] = (int)made->change.class;
	(void)snprintf(c->moved[PLATFORMS], sizeof(c->moved[PLATFORMS]), "%s", made->change.moved);
}

static void record_change(struct model *m, char digest)
{
	struct bw_answer a = {.media_type = OCI_INDEX};
	struct made_change made;
	struct bw_seen seen = {.base_id = base_id(m->f, m->name), .at_ms = m->now, .answer = &a};
	bool is_judged = draw(m, 5) != 0, is_overtaken = is_judged && draw(m, 6) == 0;
	struct model_change *c = next_change(m, digest);

	digest_from(digest, &a.digest);
	m->seen--; /* the judgement starts from what was there before */
	judge_at_random(m, c, &made);
	if (is_judged)
		seen.change = &made.change;
	else
		c = next_change(m, digest), m->seen--;
	if (is_overtaken)
		digest_from('z', &made.change.from);
	assert_ok(m->f, bw_store_record(m->f->store, &seen, 1, &m->f->counts, &m->f->err));
	free(made.words);
	assert_int_equal(m->f->counts.changed, !is_overtaken);
	if (is_overtaken)
		return;
	m->seen++;
	for (int i = 0; i < MODELS; i++)
		move_build(&m->builds[i], c);
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
	bool to_current = true;
	int last = m->seen - 1;

	if (!has_use(b, false) || m->seen == 0 || (digest && !was_seen(m, digest, &last)))
		return;
	for (int i = last + 1; i < m->seen; i++)
		if (counts_for(&m->history[i], b))
			to_current = false;
	if (digest == current_of(m))
		to_current = true;
	if (!to_current) {
		b->stands_on = digest;
		b->stale_since = b->stale_since ? b->stale_since : m->history[m->seen - 1].at_ms;
		b->evidence = NULL;
		b->fresh_since = 0;
	} else if (b->stands_on != current_of(m) || b->stale_since) {
		become_fresh(b, current_of(m), "done", m->now);
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

static const struct model_change *expected_change(const struct model *m, const struct model_build *b,
						  const struct model_use *u)
{
	const struct model_change *found = NULL;
	int first = m->seen - 1;

	if (m->seen < 2)
		return NULL;
	if (!u->is_pinned && b->stale_since && was_seen(m, b->stands_on, &first))
		first++;
	for (int i = first; i < m->seen; i++)
		if (!found || class_for(&m->history[i], u->platform) <= class_for(found, u->platform))
			found = &m->history[i];
	return found;
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
	const struct model_build *b = &m->builds[r->path[strlen(m->folder) + 1] - '0'];
	const struct model_change *c;
	const struct model_use *u;
	char handled[2] = "-", stands_on[2] = {b->stands_on ? b->stands_on : '-', '\0'};

	(void)err;
	if (b->use_count == 0)
		return 0;
	u = &b->uses[r->line - 1];
	m->rows++;
	assert_text(m, "handled", letter_of(r->handled, handled), stands_on);
	assert_text(m, "evidence", r->evidence, b->evidence);
	assert_int_equal(r->stale_since_ms, b->stale_since);
	assert_int_equal(r->fresh_since_ms, b->fresh_since);
	c = expected_change(m, b, u);
	assert_text(m, "class", r->change_class,
		    c ? bw_class_name((enum bw_class)class_for(c, u->platform)) : NULL);
	if (c) {
		const char *moved = c->moved[u->platform < JUDGED ? u->platform : PLATFORMS];

		assert_text(m, "moved", r->moved, moved[0] ? moved : NULL);
	}
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
		CASE(a_change_that_does_not_count_carries_the_build_along),
		CASE(every_other_class_makes_builds_stale),
		CASE(without_a_judgement_a_change_is_unclassified),
		CASE(a_change_that_was_judged_too_late_records_nothing),
		CASE(the_return_of_the_tag_closes_it_whatever_the_class),
		CASE(each_build_is_judged_by_its_platforms),
		CASE(the_same_class_with_other_words_has_its_own_row),
		CASE(pinned_and_unreachable_uses_do_not_decide),
		CASE(a_platform_that_was_not_judged_is_taken_as_the_change_itself),
		CASE(a_build_that_waits_for_its_baseline_gets_it),
		CASE(ended_builds_are_carried_along_too),
		CASE(a_stale_build_shows_the_weightiest_change_since),
		CASE(the_weightiest_is_that_of_the_platform),
		CASE(many_platforms_of_one_base_are_told_apart),
		CASE(a_rebuild_on_a_digest_with_the_same_content_is_fresh),
		CASE(the_platforms_of_a_base_are_those_of_all_live_uses),
		CASE(a_digest_is_found_by_its_newest_sighting),
		CASE(a_registry_that_disagreed_is_remembered),
		CASE(a_base_of_ten_thousand_builds_takes_one_look_per_platform),
		FAST_CASE(random_histories_follow_the_rules_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
