/*
 * What a sweep makes of answers that differ: what is fetched, what is believed, what is recorded. The classes
 * themselves are in test_classify.c.
 */
#include "sweep_scene.h"

#define APP  "r.example/app:1"
#define FROM "FROM r.example/app:1\n"

static void track_app(struct scene *x)
{
	track(x, "/src/Dockerfile", FROM);
}

static void moves(const char *name, struct bw_answer from, struct bw_answer to, struct scene *x)
{
	fake_say(name, from);
	(void)sweep_ok(x);
	fake_say(name, to);
}

/* --- bodies --------------------------------------------------------------------------------------- */

static void a_first_sight_fetches_nothing(void **state)
{
	struct scene *x = *state;

	track_app(x);
	fake_say(APP, fake_index("a", "b", ""));
	assert_int_equal(sweep_ok(x).recorded.first, 1);
	assert_int_equal(fake.asks, 1);
	assert_int_equal(fake.fetches + fake.blobs, 0);
}

static void a_change_fetches_what_it_compares_and_the_next_one_only_what_is_new(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), fake_index("c", "b", ""), x);
	r = sweep_ok(x);
	assert_int_equal(r.recorded.changed, 1);
	assert_int_equal(r.bodies, 4); /* two indexes, two images for amd64 */
	assert_int_equal(fake.asks, 1);
	assert_int_equal(fake.fetches, 4);
	assert_int_equal(fake.blobs, 0);
	assert_string_equal(last_row(x).change_class, "content");
	assert_int_equal(last_row(x).verdict, BW_STALE);

	fake_say(APP, fake_index("d", "b", ""));
	assert_int_equal(sweep_ok(x).bodies, 2);
	assert_int_equal(sweep_ok(x).bodies, 0);
	assert_int_equal(fake.asks, 1);
}

static void an_index_that_moved_around_the_same_images_turns_nobody_stale(void **state)
{
	struct scene *x = *state;
	struct seen_row row;

	track_app(x);
	moves(APP, fake_index("a", "b", "one"), fake_index("a", "b", "two"), x);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_int_equal(fake.fetches, 2);
	row = last_row(x);
	assert_int_equal(row.verdict, BW_FRESH);
	assert_string_equal(row.change_class, "index");
	assert_true(strlen(row.moved) > 0);
}

static void each_platform_of_the_uses_is_judged_for_itself(void **state)
{
	struct scene *x = *state;
	struct seen_row row;

	track(x, "/src/a/Dockerfile", "FROM --platform=linux/amd64 r.example/app:1\n");
	moves(APP, fake_index("a", "b", ""), fake_index("a", "c", ""), x);
	(void)sweep_ok(x);
	row = last_row(x);
	assert_int_equal(row.verdict, BW_FRESH);
	assert_string_equal(row.change_class, "index");

	track(x, "/src/b/Dockerfile", "FROM --platform=linux/arm64 r.example/app:1\n");
	(void)sweep_ok(x);
	fake_say(APP, fake_index("a", "d", ""));
	(void)sweep_ok(x);
	row = last_row(x);
	assert_int_equal(row.verdict, BW_STALE);
	assert_string_equal(row.change_class, "content");
}

static void a_platform_that_is_named_later_is_compared_with_what_the_build_stands_on(void **state)
{
	struct scene *x = *state;
	struct seen_row row;

	track(x, "/src/Dockerfile", "FROM --platform=linux/amd64 r.example/app:1\n");
	moves(APP, fake_index("a", "b", ""), fake_index("a", "c", ""), x);
	(void)sweep_ok(x);
	assert_int_equal(last_row(x).verdict, BW_FRESH);
	track(x, "/src/Dockerfile", "FROM --platform=linux/arm64 r.example/app:1\n");
	assert_int_equal(last_row(x).verdict, BW_STALE); /* as long as nobody has compared it */
	(void)sweep_ok(x);
	assert_int_equal(fake.asks, 1);
	assert_int_equal(fake.fetches, 2); /* both images; the indexes are known */
	row = last_row(x);
	assert_int_equal(row.verdict, BW_STALE);
	assert_string_equal(row.change_class, "content");
	track(x, "/src/Dockerfile", "FROM --platform=linux/s390x r.example/app:1\n");
	(void)sweep_ok(x);
	row = last_row(x);
	assert_int_equal(row.verdict, BW_FRESH);
	assert_string_equal(row.change_class, "index");
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches + fake.blobs, 0);
}

static void the_content_that_a_build_stands_on_is_fresh_under_any_digest(void **state)
{
	const struct bw_answer a = fake_index("a", "b", "one"), other = fake_index("c", "d", "");
	struct scene *x = *state;
	struct seen_row row;

	track_app(x);
	moves(APP, a, fake_index("a", "b", "two"), x);
	(void)sweep_ok(x);
	assert_string_equal(last_row(x).evidence, "same-content");
	fake_say(APP, other);
	(void)sweep_ok(x);
	assert_int_equal(last_row(x).verdict, BW_STALE);
	fake_say(APP, fake_index("a", "b", "three"));
	(void)sweep_ok(x);
	row = last_row(x);
	assert_int_equal(row.verdict, BW_FRESH);
	assert_string_equal(row.change_class, "index");
	fake_say(APP, other);
	(void)sweep_ok(x);
	fake_say(APP, a);
	(void)sweep_ok(x);
	row = last_row(x);
	assert_int_equal(row.verdict, BW_FRESH);
	assert_string_equal(row.evidence, "returned");
}

static void an_ignored_use_decides_nothing_and_costs_nothing(void **state)
{
	struct scene *x = *state;

	track(x, "/src/Dockerfile",
	      "FROM --platform=linux/amd64 r.example/app:1\n# basewatch: ignore\n"
	      "FROM --platform=linux/arm64 r.example/app:1\nCOPY --from=0 / /\n");
	moves(APP, fake_index("a", "b", ""), fake_index("a", "c", ""), x);
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 2);
	assert_int_equal(scalar(x, "SELECT count(*) FROM outstanding WHERE stale_since IS NOT NULL"), 0);
}

static void tags_that_share_a_digest_share_the_requests(void **state)
{
	struct scene *x = *state;

	track(x, "/src/Dockerfile",
	      FROM "COPY --from=r.example/app:2 /x /x\nCOPY --from=r.example/app:3 /x /x\n");
	fake.otherwise = fake_index("a", "b", "");
	(void)sweep_ok(x);
	fake.otherwise = fake_index("c", "b", "");
	assert_int_equal(sweep_ok(x).recorded.changed, 3);
	assert_int_equal(fake.fetches, 4);
}

static void a_body_that_one_repository_lacks_is_fetched_from_the_other(void **state)
{
	struct scene *x = *state;
	struct bw_answer to;

	track(x, "/src/Dockerfile", "FROM r.example/a/app:1\nCOPY --from=r.example/b/app:1 /x /x\n");
	fake.otherwise = fake_image("amd64", "a", "1");
	(void)sweep_ok(x);
	to = fake.otherwise = fake_image("amd64", "b", "1");
	fake_keep_for(&to.digest, "b/app");
	assert_int_equal(sweep_ok(x).recorded.changed, 2);
	assert_string_equal(last_row(x).change_class, "content");
	assert_true(fake_fetched(&to.digest) >= 2);
}

static void a_rollback_is_known_by_its_number(void **state)
{
	const struct bw_answer a = fake_index("a", "b", ""), b = fake_index("c", "b", "");
	struct scene *x = *state;
	struct seen_row row;

	track_app(x);
	moves(APP, a, b, x);
	(void)sweep_ok(x);
	fake_say(APP, a);
	assert_int_equal(sweep_ok(x).bodies, 0); /* both are known */
	row = last_row(x);
	assert_string_equal(row.change_class, "rollback");
	assert_int_equal(row.verdict, BW_FRESH);
	assert_string_equal(row.evidence, "returned");
}

/* An index of `count` platforms with one layer and this environment. */
static struct bw_answer wide_index(int count, const char *env)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_MAX_MANIFEST_BYTES);
	bw_buf_addf(&text, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[", FAKE_INDEX);
	for (int i = 0; i < count; i++) {
		BW_AUTOFREE char *arch = bw_asprintf("a%d", i);

		bw_buf_addf(&text,
			    "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1,"
			    "\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}",
			    i ? "," : "", FAKE_IMAGE, fake_image(arch, "a", env).digest.text, arch);
	}
	bw_buf_adds(&text, "]}");
	return fake_put(text.data, FAKE_INDEX);
}

static void a_change_that_takes_too_many_bodies_is_unclassified(void **state)
{
	struct scene *x = *state;

	track_app(x);
	moves(APP, wide_index(200, "1"), wide_index(200, "2"), x);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_int_equal(fake.fetches + fake.blobs, BW_INQUIRY_MAX_FETCHES);
	assert_string_equal(last_row(x).change_class, "unclassified");
}

static void a_change_within_the_limits_is_judged_however_wide(void **state)
{
	struct scene *x = *state;

	track_app(x);
	moves(APP, wide_index(60, "1"), wide_index(60, "2"), x);
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 122);
	assert_int_equal(fake.blobs, 2); /* of one platform, for the words */
	assert_string_equal(last_row(x).change_class, "config");
}

/* --- bodies that cannot be had -------------------------------------------------------------------- */

static void an_old_manifest_that_has_gone_leaves_the_change_unclassified(void **state)
{
	const struct bw_answer old = fake_index("a", "b", "");
	struct scene *x = *state;

	track_app(x);
	moves(APP, old, fake_index("c", "b", ""), x);
	fake_lose(&old.digest, BW_TROUBLE_TAG_GONE);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_string_equal(last_row(x).change_class, "unclassified");
	assert_int_equal(last_row(x).verdict, BW_STALE);
	assert_int_equal(fake_fetched(&old.digest), 1);
}

static void what_comes_back_after_it_had_gone_is_fetched_again(void **state)
{
	const struct bw_answer old = fake_index("a", "b", "");
	struct scene *x = *state;

	track_app(x);
	moves(APP, old, fake_index("c", "b", ""), x);
	fake_lose(&old.digest, BW_TROUBLE_TAG_GONE);
	(void)sweep_ok(x);
	fake_lose(&old.digest, BW_TROUBLE_NONE);
	fake_say(APP, old);
	(void)sweep_ok(x);
	assert_int_equal(fake_fetched(&old.digest), 1);
	assert_string_equal(last_row(x).change_class, "rollback");
}

static void a_body_that_cannot_be_had_just_now_is_waited_for_but_not_for_ever(void **state)
{
	const struct bw_answer to = fake_index("c", "b", "");
	struct scene *x = *state;
	struct seen_row row;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), to, x);
	fake_lose(&to.digest, BW_TROUBLE_SERVER);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sweep_ok(x).recorded.changed, 0);
		row = last_row(x);
		assert_int_equal(row.verdict, BW_UNKNOWN);
		assert_int_equal(row.trouble, BW_TROUBLE_SERVER);
		assert_non_null(strstr(row.message, "of which not all could be fetched"));
	}
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	row = last_row(x);
	assert_string_equal(row.change_class, "unclassified");
	assert_int_equal(row.verdict, BW_STALE);
	assert_int_equal(row.trouble, BW_TROUBLE_NONE);
}

static void only_sweeps_that_waited_for_bodies_count_as_waiting(void **state)
{
	const struct bw_answer to = fake_index("a", "b", "two");
	struct scene *x = *state;

	track_app(x);
	moves(APP, fake_index("a", "b", "one"), fake_trouble_of(BW_TROUBLE_TIMEOUT), x);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sweep_ok(x).recorded.failed, 1);
	fake_say(APP, to);
	fake_lose(&to.digest, BW_TROUBLE_SERVER);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sweep_ok(x).recorded.changed, 0);
	fake_lose(&to.digest, BW_TROUBLE_NONE);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_string_equal(last_row(x).change_class, "index");
}

static void what_may_come_later_is_waited_for_whatever_is_gone_for_good(void **state)
{
	const struct bw_answer amd = fake_image("amd64", "a", "1"), arm = fake_image("arm64", "c", "1");
	struct scene *x = *state;

	track(x, "/src/Dockerfile",
	      "FROM --platform=linux/amd64 r.example/app:1 AS x\n"
	      "FROM --platform=linux/arm64 r.example/app:1\nCOPY --from=x / /\n");
	moves(APP, fake_index("a", "b", ""), fake_index("c", "c", ""), x);
	fake_lose(&amd.digest, BW_TROUBLE_MALFORMED);
	fake_lose(&arm.digest, BW_TROUBLE_SERVER);
	assert_int_equal(sweep_ok(x).recorded.changed, 0);
	fake_lose(&arm.digest, BW_TROUBLE_NONE);
	fake_lose(&amd.digest, BW_TROUBLE_NONE);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
}

static void what_was_waited_for_and_came_is_a_change_with_its_class(void **state)
{
	const struct bw_answer to = fake_index("c", "b", "");
	struct scene *x = *state;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), to, x);
	fake_lose(&to.digest, BW_TROUBLE_THROTTLED);
	(void)sweep_ok(x);
	fake_lose(&to.digest, BW_TROUBLE_NONE);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_string_equal(last_row(x).change_class, "content");
}

static void a_body_with_another_digest_is_never_a_change(void **state)
{
	const struct bw_answer from = fake_index("a", "b", ""), to = fake_index("c", "b", "");
	struct scene *x = *state;
	struct seen_row row;

	track_app(x);
	moves(APP, from, to, x);
	fake_lose(&to.digest, BW_TROUBLE_MALFORMED);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(sweep_ok(x).recorded.changed, 0);
		row = last_row(x);
		assert_int_equal(row.trouble, BW_TROUBLE_MALFORMED);
		assert_int_equal(row.verdict, BW_UNKNOWN);
		assert_string_equal(row.digest, from.digest.text);
	}
}

static void a_body_that_is_right_but_cannot_be_read_is_a_change_without_a_class(void **state)
{
	struct scene *x = *state;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), fake_put("{\"schemaVersion\":2}", FAKE_IMAGE), x);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_string_equal(last_row(x).change_class, "unclassified");
}

/* --- replicas ------------------------------------------------------------------------------------- */

static void a_registry_that_takes_back_what_it_named_has_not_changed(void **state)
{
	const struct bw_answer a = fake_index("a", "b", ""), b = fake_index("c", "b", "");
	struct scene *x = *state;
	bool has_disagreed = false;

	track_app(x);
	moves(APP, a, b, x);
	fake_then(APP, a);
	fake_lose(&b.digest, BW_TROUBLE_TAG_GONE);
	assert_int_equal(sweep_ok(x).recorded.changed, 0);
	assert_int_equal(fake.asks, 3); /* b, then a, and a once more */
	assert_int_equal(last_row(x).verdict, BW_FRESH);
	assert_string_equal(last_row(x).digest, a.digest.text);
	assert_int_equal(bw_store_has_disagreed(x->store, "r.example", &has_disagreed, &x->err), 0);
	assert_true(has_disagreed);
}

static void a_registry_that_has_disagreed_is_asked_twice_before_a_change_is_believed(void **state)
{
	struct scene *x = *state;

	track_app(x);
	assert_int_equal(bw_store_put_disagreement(x->store, "r.example", 1000, &x->err), 0);
	moves(APP, fake_index("a", "b", ""), fake_index("c", "b", ""), x);
	assert_int_equal(fake.asks, 1); /* a first sight is no change */
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_int_equal(fake.asks, 2);
	assert_string_equal(last_row(x).change_class, "content");
	(void)sweep_ok(x);
	assert_int_equal(fake.asks, 1);
}

static void answers_that_never_agree_are_not_believed(void **state)
{
	const struct bw_answer a = fake_index("a", "b", ""), b = fake_index("c", "b", ""),
			       c = fake_index("d", "b", "");
	struct scene *x = *state;
	struct seen_row row;

	track_app(x);
	assert_int_equal(bw_store_put_disagreement(x->store, "r.example", 1000, &x->err), 0);
	moves(APP, a, b, x);
	fake_then(APP, c);
	fake_then(APP, b);
	fake_then(APP, a);
	fake_then(APP, c);
	assert_int_equal(sweep_ok(x).recorded.changed, 0);
	assert_int_equal(fake.asks, 5);
	row = last_row(x);
	assert_int_equal(row.trouble, BW_TROUBLE_UNSETTLED);
	assert_int_equal(row.verdict, BW_UNKNOWN);
	assert_string_equal(row.digest, a.digest.text);
}

static void a_registry_that_names_twice_what_it_does_not_have_is_believed_without_a_class(void **state)
{
	const struct bw_answer b = fake_index("c", "b", "");
	struct scene *x = *state;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), b, x);
	fake_lose(&b.digest, BW_TROUBLE_TAG_GONE);
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_int_equal(fake.asks, 2);
	assert_string_equal(last_row(x).change_class, "unclassified");
}

static void a_registry_that_fails_when_asked_again_is_in_trouble(void **state)
{
	struct scene *x = *state;

	track_app(x);
	assert_int_equal(bw_store_put_disagreement(x->store, "r.example", 1000, &x->err), 0);
	moves(APP, fake_index("a", "b", ""), fake_index("c", "b", ""), x);
	fake_then(APP, fake_trouble_of(BW_TROUBLE_TIMEOUT));
	assert_int_equal(sweep_ok(x).recorded.failed, 1);
	assert_int_equal(last_row(x).trouble, BW_TROUBLE_TIMEOUT);
}

/* --- pins ----------------------------------------------------------------------------------------- */

static void a_doubtful_pin_costs_its_fetches_once(void **state)
{
	const struct bw_answer child = fake_image("amd64", "a", "1"), index = fake_index("a", "b", "");
	BW_AUTOFREE char *text = bw_asprintf("FROM r.example/app:1@%s\nCOPY --from=r.example/app:2@%s / /\n",
					     child.digest.text, child.digest.text);
	struct scene *x = *state;

	track(x, "/src/Dockerfile", text);
	fake.otherwise = index;
	(void)sweep_ok(x);
	assert_int_equal(fake.asks, 2);
	assert_int_equal(fake.fetches, 1); /* both tags have one digest */
	assert_int_equal(fake.blobs, 0);
	assert_int_equal(last_row(x).pin, BW_PIN_CHILD);
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 0);
}

static void a_pin_to_an_image_that_has_gone_is_looked_for_once(void **state)
{
	const char *text =
		"FROM --platform=linux/arm64 "
		"r.example/app:1@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n";
	struct scene *x = *state;

	track(x, "/src/Dockerfile", text);
	fake_say(APP, fake_index("a", "b", ""));
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 2); /* the tag's index, and the pinned one in vain */
	assert_int_equal(last_row(x).verdict, BW_BEHIND);
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 0);
}

static void a_pin_to_something_that_cannot_be_read_is_fetched_once(void **state)
{
	const struct bw_answer odd = fake_put("{\"schemaVersion\":2}", FAKE_IMAGE);
	BW_AUTOFREE char *text =
		bw_asprintf("FROM --platform=linux/arm64 r.example/app:1@%s\n", odd.digest.text);
	struct scene *x = *state;

	track(x, "/src/Dockerfile", text);
	fake_say(APP, fake_index("a", "b", ""));
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 2);
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 0);
}

static void a_base_that_another_process_moved_meanwhile_is_left_as_it_is(void **state)
{
	const struct bw_answer a = fake_index("a", "b", "");
	struct bw_change as_it_was = {0};
	struct bw_record_counts counts;
	struct bw_seen seen = {.base_id = 1, .answer = &a, .change = &as_it_was};
	struct scene *x = *state;

	track_app(x);
	moves(APP, a, fake_index("c", "b", ""), x);
	(void)sweep_ok(x);
	as_it_was.from =
		a.digest; /* what a sweep that began before would say of a base that was in trouble */
	seen.at_ms = bw_clock_ms();
	assert_int_equal(bw_store_record(x->store, &seen, 1, NULL, &counts, &x->err), 0);
	assert_int_equal(counts.changed, 0);
	assert_string_equal(last_row(x).change_class, "content");
}

static void a_pin_for_another_platform_is_said(void **state)
{
	const struct bw_answer child = fake_image("arm64", "b", "1");
	BW_AUTOFREE char *text =
		bw_asprintf("FROM --platform=linux/amd64 r.example/app:1@%s\n", child.digest.text);
	struct scene *x = *state;

	track(x, "/src/Dockerfile", text);
	fake_say(APP, fake_index("a", "b", ""));
	(void)sweep_ok(x);
	assert_int_equal(last_row(x).verdict, BW_BEHIND);
	assert_string_equal(last_row(x).pin_platform, "linux/arm64");
}

static void thousands_of_doubts_that_the_store_can_settle_do_not_pile_up(void **state)
{
	const struct bw_answer child = fake_image("amd64", "a", "1");
	BW_AUTOBUF struct bw_buf text;
	struct scene *x = *state;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_addf(&text, "FROM r.example/app:1@%s\n", child.digest.text);
	for (int i = 0; i < 8000; i++)
		bw_buf_addf(&text, "COPY --from=r.example/app:%d@%s / /\n", i, child.digest.text);
	track(x, "/src/Dockerfile", text.data);
	fake.otherwise = fake_index("a", "b", "");
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 1);
	assert_int_equal(last_row(x).pin, BW_PIN_CHILD);
}

/* --- the end -------------------------------------------------------------------------------------- */

static void an_interrupted_judgement_is_made_again(void **state)
{
	struct bw_sweep_result r;
	struct scene *x = *state;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), fake_index("c", "b", ""), x);
	fake.stop_after = 2; /* the tag and one body */
	r = sweep_ok(x);
	assert_true(r.interrupted);
	assert_int_equal(r.recorded.changed, 0);
	fake.stop_after = 0;
	fake.count = 0;
	assert_int_equal(sweep_ok(x).recorded.changed, 1);
	assert_string_equal(last_row(x).change_class, "content");
}

static void a_store_that_fails_while_bodies_come_ends_the_sweep(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;
	char *problem = NULL;

	track_app(x);
	moves(APP, fake_index("a", "b", ""), fake_index("c", "b", ""), x);
	assert_int_equal(sqlite3_exec(x->store->db, "DROP TABLE manifest_child", NULL, NULL, &problem),
			 SQLITE_OK);
	assert_true(sweep(x, &r) < 0);
	assert_non_null(strstr(x->err.msg, "x.db"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_first_sight_fetches_nothing),
		TEST(a_change_fetches_what_it_compares_and_the_next_one_only_what_is_new),
		TEST(an_index_that_moved_around_the_same_images_turns_nobody_stale),
		TEST(each_platform_of_the_uses_is_judged_for_itself),
		TEST(a_platform_that_is_named_later_is_compared_with_what_the_build_stands_on),
		TEST(the_content_that_a_build_stands_on_is_fresh_under_any_digest),
		TEST(an_ignored_use_decides_nothing_and_costs_nothing),
		TEST(only_sweeps_that_waited_for_bodies_count_as_waiting),
		TEST(what_may_come_later_is_waited_for_whatever_is_gone_for_good),
		TEST(a_pin_to_something_that_cannot_be_read_is_fetched_once),
		TEST(a_base_that_another_process_moved_meanwhile_is_left_as_it_is),
		TEST(tags_that_share_a_digest_share_the_requests),
		TEST(a_body_that_one_repository_lacks_is_fetched_from_the_other),
		TEST(a_rollback_is_known_by_its_number),
		TEST(a_change_that_takes_too_many_bodies_is_unclassified),
		TEST(a_change_within_the_limits_is_judged_however_wide),
		TEST(an_old_manifest_that_has_gone_leaves_the_change_unclassified),
		TEST(what_comes_back_after_it_had_gone_is_fetched_again),
		TEST(a_body_that_cannot_be_had_just_now_is_waited_for_but_not_for_ever),
		TEST(what_was_waited_for_and_came_is_a_change_with_its_class),
		TEST(a_body_with_another_digest_is_never_a_change),
		TEST(a_body_that_is_right_but_cannot_be_read_is_a_change_without_a_class),
		TEST(a_registry_that_takes_back_what_it_named_has_not_changed),
		TEST(a_registry_that_has_disagreed_is_asked_twice_before_a_change_is_believed),
		TEST(answers_that_never_agree_are_not_believed),
		TEST(a_registry_that_names_twice_what_it_does_not_have_is_believed_without_a_class),
		TEST(a_registry_that_fails_when_asked_again_is_in_trouble),
		TEST(a_doubtful_pin_costs_its_fetches_once),
		TEST(a_pin_to_an_image_that_has_gone_is_looked_for_once),
		TEST(a_pin_for_another_platform_is_said),
		TEST(thousands_of_doubts_that_the_store_can_settle_do_not_pile_up),
		TEST(an_interrupted_judgement_is_made_again),
		TEST(a_store_that_fails_while_bodies_come_ends_the_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
