/* The class of a change: a table of changes with their words and needs, and what must hold for all changes. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "unit/image_world.h"
#include "unit/table.h"
#include "watch/classify.h"
#include "watch/moved.h"

/* A question with its world. */
struct question {
	struct world world;
	struct bw_bodies *bodies;
	struct bw_digest from, to;
	struct bw_platform want;
	uint32_t seen_number;
	struct bw_classed classed;
	size_t steps; /* needs were met so often, all that were open together */
};

static void begin(struct question *q, const char *from, const char *to)
{
	*q = (struct question){.bodies = bw_bodies_new()};
	world_init(&q->world);
	q->from = world_make(&q->world, '-', from);
	q->to = world_make(&q->world, '+', to);
}

static void finish(struct question *q)
{
	free(q->classed.moved);
	bw_bodies_free(q->bodies);
	world_done(&q->world);
}

/* Meets what is needed, which ends a step: a bar stands between two of them. 0: nothing was needed. */
static size_t step(struct question *q)
{
	size_t open;

	(void)bw_bodies_needs(q->bodies, &open);
	if (open == 0)
		return 0;
	bw_buf_adds(&q->world.asked, q->steps++ > 0 ? " |" : "");
	return world_meet(&q->world, q->bodies);
}

/* For all platforms at once; as long as something is needed for one, it has no words. */
static void answer_all(struct question *q, const struct bw_platform *wants, size_t count,
		       struct bw_classed *ret)
{
	const struct bw_class_question asked = {
		.from = &q->from, .to = &q->to, .seen_number = q->seen_number};

	while (q->steps < 12) {
		size_t waiting = 0;

		bw_classify(q->bodies, &asked, wants, count, ret);
		for (size_t i = 0; i < count; i++) {
			if (ret[i].moved[0] != '\0')
				continue;
			waiting++;
			assert_int_equal(ret[i].class, BW_CLASS_UNCLASSIFIED);
			assert_null(ret[i].held_by);
		}
		if (step(q) == 0) {
			assert_int_equal(waiting, 0);
			return;
		}
		assert_true(waiting > 0);
		for (size_t i = 0; i < count; i++)
			free(ret[i].moved);
	}
	fail_msg("it never ends");
}

static void answer(struct question *q)
{
	answer_all(q, &q->want, 1, &q->classed);
}

/* --- the table -------------------------------------------------------------------------------- */

/* "name=trouble,name=trouble" */
static void lose(struct world *w, char *list)
{
	for (char *rest = list, *one; (one = strsep(&rest, ","));) {
		char *trouble = strrchr(one, '=');
		struct world_body *body;

		assert_non_null(trouble);
		*trouble++ = '\0';
		body = world_find(w, one);
		if (!body) {
			fail_msg("no such body: %s", one);
			return;
		}
		body->trouble = bw_trouble_from_name(trouble);
		assert_int_not_equal(body->trouble, BW_TROUBLE_NONE);
	}
}

static const char *none(const char *field)
{
	return strcmp(field, ".") == 0 ? "" : field;
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	const char *want = none(fields[2]);
	struct question q;
	uint64_t seen = 0;
	enum bw_class class;

	(void)lens;
	(void)count;
	(void)arg;
	begin(&q, fields[0], fields[1]);
	if (want[0] != '\0')
		assert_int_equal(bw_platform_parse(want, strlen(want), &q.want, NULL), 0);
	assert_true(bw_text_number(fields[3], 0, UINT32_MAX, &seen));
	q.seen_number = (uint32_t)seen;
	if (strcmp(fields[4], ".") != 0)
		lose(&q.world, fields[4]);
	assert_true(bw_class_parse(fields[5], &class));
	answer(&q);
	assert_string_equal(q.classed.moved, fields[7]);
	assert_string_equal(bw_class_name(q.classed.class), fields[5]);
	assert_string_equal(q.classed.held_by ? bw_trouble_name(q.classed.held_by->trouble) : "",
			    none(fields[6]));
	assert_string_equal(bw_buf_str(&q.world.asked), none(fields[8]));
	finish(&q);
}

static void each_change_has_its_class_words_and_needs(void **state)
{
	(void)state;
	table_each("classify.tsv", 9, check_row, NULL);
}

/* It is the manifest before of the next change, and gone by then. */
static void the_new_manifest_is_needed_even_when_the_old_one_is_known_to_be_gone(void **state)
{
	char gone[] = "-=tag-gone";
	struct question q;

	(void)state;
	begin(&q, "linux/amd64:a", "linux/amd64:b");
	lose(&q.world, gone);
	world_give(world_find_digest(&q.world, &q.from), q.bodies);
	answer(&q);
	assert_string_equal(bw_buf_str(&q.world.asked), "+");
	assert_string_equal(q.classed.moved, "the registry no longer has the manifest before");
	assert_int_equal(q.classed.class, BW_CLASS_UNCLASSIFIED);
	finish(&q);
}

/* Several questions share the bodies: what one of them waits for does not hold up another that has all it takes. */
static void needs_of_other_questions_are_no_matter(void **state)
{
	const struct bw_digest other = {
		.text = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct question q;
	size_t needs;

	(void)state;
	begin(&q, "linux/amd64:a", "linux/amd64:a att:1");
	world_give(world_find_digest(&q.world, &q.from), q.bodies);
	world_give(world_find_digest(&q.world, &q.to), q.bodies);
	assert_null(bw_bodies_manifest(q.bodies, &other));
	bw_classify(q.bodies, &(struct bw_class_question){.from = &q.from, .to = &q.to}, &q.want, 1,
		    &q.classed);
	assert_string_equal(q.classed.moved, "attestations only");
	assert_int_equal(q.classed.class, BW_CLASS_INDEX);
	(void)bw_bodies_needs(q.bodies, &needs);
	assert_int_equal(needs, 1);
	finish(&q);
}

/* "NAME/a0:LAYERS NAME/a7:LAYERS ...": so many platforms, in an order of their own. */
static char *many_platforms(size_t count, const char *os, const char *layers)
{
	struct bw_buf out;

	bw_buf_init(&out, 4U << 20);
	for (size_t i = 0; i < count; i++)
		bw_buf_addf(&out, "%s/a%zu:%s ", os, (i * 7) % count, layers);
	assert_false(out.overflow);
	return bw_buf_take(&out, NULL);
}

/* One for each pair would be a minute where a registry is a second away. */
static void what_differs_in_configuration_only_takes_four_steps_however_much_it_is(void **state)
{
	char *from = many_platforms(60, "linux", "a;env=1"), *to = many_platforms(60, "linux", "a;env=2");
	struct question q;

	(void)state;
	begin(&q, from, to);
	answer(&q);
	assert_string_equal(q.classed.moved,
			    "linux/a0: environment (NODE_VERSION); 59 more platforms differ");
	assert_int_equal(q.classed.class, BW_CLASS_CONFIG);
	assert_int_equal(q.world.asked_count, 2 + 2 * 60 + 2);
	/* The tops, the first pair, the others, the configurations of the first. */
	assert_int_equal(q.steps, 4);
	assert_int_equal(strncmp(bw_buf_str(&q.world.asked),
				 "- + | -linux/a0 +linux/a0 | -linux/a7 +linux/a7 -",
				 strlen("- + | -linux/a0 +linux/a0 | -linux/a7 +linux/a7 -")),
			 0);
	finish(&q);
	free(from);
	free(to);
}

/* It decides whatever they are. */
static void nothing_is_needed_behind_a_pair_that_is_known_to_differ_in_layers(void **state)
{
	struct question q;

	(void)state;
	begin(&q, "linux/amd64:a;env=1 linux/arm64:b linux/386:c linux/s390x:d",
	      "linux/amd64:a;env=2 linux/arm64:b;env=2 linux/386:x linux/s390x:y");
	world_give(world_find(&q.world, "-linux/386"), q.bodies);
	world_give(world_find(&q.world, "+linux/386"), q.bodies);
	answer(&q);
	assert_string_equal(bw_buf_str(&q.world.asked),
			    "- + | -linux/amd64 +linux/amd64 | -linux/arm64 +linux/arm64");
	assert_string_equal(q.classed.moved,
			    "linux/386: 1 of 1 layers differ, 1.0 MiB in all; 3 more platforms differ");
	finish(&q);
}

/* Their number has a limit, and the named ones take the fewest. */
static void needs_of_named_platforms_come_first(void **state)
{
	struct bw_platform wants[3] = {0};
	struct bw_classed classed[3];
	struct question q;

	(void)state;
	assert_int_equal(bw_platform_parse("linux/386", 9, &wants[1], NULL), 0);
	begin(&q, "linux/amd64:a;env=1 linux/arm64:b;env=1 linux/386:c;env=1",
	      "linux/amd64:a;env=2 linux/arm64:b;env=2 linux/386:c;env=2");
	answer_all(&q, wants, 3, classed);
	assert_string_equal(bw_buf_str(&q.world.asked),
			    "- + | -linux/386 +linux/386 -linux/amd64 +linux/amd64 | -linux/386.config "
			    "+linux/386.config -linux/arm64 +linux/arm64 | -linux/amd64.config "
			    "+linux/amd64.config");
	assert_string_equal(classed[0].moved,
			    "linux/amd64: environment (NODE_VERSION); 2 more platforms differ");
	assert_string_equal(classed[1].moved,
			    "linux/386: environment (NODE_VERSION); 2 more platforms differ");
	assert_string_equal(classed[2].moved, classed[0].moved);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(classed[i].class, BW_CLASS_CONFIG);
		free(classed[i].moved);
	}
	finish(&q);
}

/* --- what holds for all changes --------------------------------------------------------------- */

#define RUNS 400

/* xorshift64: the same changes in every run, and the number of the failing one is told. */
static uint32_t draw(uint64_t *random, uint32_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)(*random >> 33) % below;
}

struct change {
	unsigned long seed;
	char *from, *to, *want; /* want "": none */
};

static const char *const some_platforms[] = {
	"linux/amd64",
	"linux/arm64",
	"linux/arm/v6",
	"linux/arm/v7",
	"windows(10.0.20348.1)/amd64",
	"windows(10.0.20348.2)/amd64",
	"windows(10.0.17763.1)/amd64",
};

/* An image of one of few platforms with one of few contents, so that two lists often share something. */
static void draw_entry(uint64_t *random, struct bw_buf *out)
{
	static const char *const options[] = {"",	 "",	     "",	";env=1", ";env=2",
					      ";note=1", ";entry=1", ";diff=1", ";bare=1"};
	static const char *const layers[] = {"a", "a", "a,b", "a,c", "c"};

	if (draw(random, 8) == 0)
		bw_buf_addf(out, "att:%u ", draw(random, 3));
	else if (draw(random, 20) == 0)
		bw_buf_addf(out, "artifact:%u;bare=1 ", draw(random, 2));
	else
		bw_buf_addf(out, "%s:%s%s ", some_platforms[draw(random, BW_COUNT(some_platforms))],
			    layers[draw(random, BW_COUNT(layers))], options[draw(random, BW_COUNT(options))]);
}

static char *draw_top(uint64_t *random)
{
	struct bw_buf out;
	bool is_single = draw(random, 6) == 0, is_nested = draw(random, 5) == 0;

	bw_buf_init(&out, 1U << 16);
	if (is_single) {
		bw_buf_addf(&out, "single %s:%u;env=%u", some_platforms[draw(random, 3)], draw(random, 2),
			    draw(random, 2));
		return bw_buf_take(&out, NULL);
	}
	bw_buf_adds(&out, is_nested ? "[ " : "");
	for (uint32_t i = draw(random, 5); i > 0; i--)
		draw_entry(random, &out);
	bw_buf_adds(&out, is_nested ? "] " : "");
	for (uint32_t i = draw(random, 4); i > 0; i--)
		draw_entry(random, &out);
	return bw_buf_take(&out, NULL);
}

static struct change draw_change(unsigned long seed)
{
	uint64_t random = 0x9E3779B97F4A7C15U * (seed + 1);
	struct change c = {.seed = seed};

	for (int i = 0; i < 5; i++)
		(void)draw(&random, 2);
	c.from = draw_top(&random);
	c.to = draw(&random, 3) ? draw_top(&random)
				: bw_asprintf("%s %s:a", c.from, some_platforms[draw(&random, 4)]);
	if (strncmp(c.from, "single", 6) == 0) {
		free(c.to);
		c.to = draw_top(&random);
	}
	c.want = bw_strdup(draw(&random, 2) ? "" : some_platforms[draw(&random, 4)]);
	return c;
}

static void drop_change(struct change *c)
{
	free(c->from);
	free(c->to);
	free(c->want);
}

static void begin_change(struct question *q, const char *from, const char *to, const char *want)
{
	begin(q, from, to);
	if (want[0] != '\0')
		assert_int_equal(bw_platform_parse(want, strlen(want), &q->want, NULL), 0);
}

static enum bw_class class_of(const char *from, const char *to, const char *want, uint32_t seen_number)
{
	struct question q;
	enum bw_class class;

	begin_change(&q, from, to, want);
	q.seen_number = seen_number;
	answer(&q);
	assert_null(q.classed.held_by);
	assert_true(strlen(q.classed.moved) > 0 && strlen(q.classed.moved) <= BW_MOVED_MAX);
	class = q.classed.class;
	finish(&q);
	return class;
}

/* Says which change it was; the assertion that follows says the rest. */
static void tell(const struct change *c, bool fails)
{
	if (fails)
		print_message("seed %lu: '%s' -> '%s' for '%s'\n", c->seed, c->from, c->to, c->want);
}

static void the_way_back_has_the_same_class(void **state)
{
	unsigned counts[BW_CLASS_COUNT] = {0};

	(void)state;
	for (unsigned long seed = 0; seed < RUNS; seed++) {
		struct change c = draw_change(seed);
		enum bw_class there = class_of(c.from, c.to, c.want, 0),
			      back = class_of(c.to, c.from, c.want, 0);

		tell(&c, there != back);
		assert_string_equal(bw_class_name(back), bw_class_name(there));
		counts[there]++;
		drop_change(&c);
	}
	/* It has been about something. */
	assert_true(counts[BW_CLASS_CONTENT] > 20 && counts[BW_CLASS_CONFIG] > 5 &&
		    counts[BW_CLASS_INDEX] > 20);
	assert_int_equal(counts[BW_CLASS_ROLLBACK], 0);
}

static void a_digest_of_old_is_a_rollback_or_nothing_has_changed(void **state)
{
	(void)state;
	for (unsigned long seed = 0; seed < RUNS; seed++) {
		struct change c = draw_change(seed);
		enum bw_class fresh = class_of(c.from, c.to, c.want, 0),
			      seen = class_of(c.from, c.to, c.want, 9);

		tell(&c, seen != (fresh == BW_CLASS_INDEX ? BW_CLASS_INDEX : BW_CLASS_ROLLBACK));
		assert_int_equal(seen, fresh == BW_CLASS_INDEX ? BW_CLASS_INDEX : BW_CLASS_ROLLBACK);
		drop_change(&c);
	}
}

/* Attestations between the entries of an index; as many as it has entries, and one more. */
static char *attest(const char *spec)
{
	char *copy = bw_strdup(spec), *rest = copy, *token;
	struct bw_buf out;

	bw_buf_init(&out, 1U << 16);
	while ((token = strsep(&rest, " ")))
		bw_buf_addf(&out, "att:new%zu %s ", out.len, token);
	free(copy);
	return bw_buf_take(&out, NULL);
}

static void attestations_never_count(void **state)
{
	size_t tried = 0;

	(void)state;
	for (unsigned long seed = 0; seed < RUNS; seed++) {
		struct change c = draw_change(seed);
		char *attested = attest(c.from);
		enum bw_class class = BW_CLASS_INDEX, again = BW_CLASS_INDEX;

		if (strncmp(c.from, "single", 6) != 0) {
			class = class_of(c.from, attested, c.want, 0);
			again = class_of(c.from, attested, c.want, 2);
			tried++;
		}
		tell(&c, class != BW_CLASS_INDEX || again != BW_CLASS_INDEX);
		assert_string_equal(bw_class_name(class), "index");
		assert_string_equal(bw_class_name(again), "index");
		free(attested);
		drop_change(&c);
	}
	assert_true(tried > RUNS / 2);
}

/* With one body lost: the same class, or one that is open, or what is proven all the same. */
static bool is_fair(const struct change *c, enum bw_class whole, enum bw_class class,
		    const struct world_body *lost)
{
	/* An entry without a platform, or in a nested index, might have been the first of its platform. */
	bool hides_first = strstr(c->from, "bare=1") || strstr(c->to, "bare=1") || strchr(c->from, '[') ||
			   strchr(c->to, '[');

	if (class == whole || class == BW_CLASS_UNCLASSIFIED || class == BW_CLASS_ROLLBACK)
		return true;
	/* The digests prove this much; diff_ids might have said more. */
	if (class == BW_CLASS_CONFIG)
		return whole == BW_CLASS_CONTENT && lost->kind == BW_BODY_CONFIG;
	return class == BW_CLASS_CONTENT && hides_first;
}

static void lose_one(const struct change *c, size_t which, uint32_t seen, enum bw_class whole)
{
	struct question q;
	struct world_body *lost;
	bool is_passing = which % 2;

	begin_change(&q, c->from, c->to, c->want);
	q.seen_number = seen;
	lost = &q.world.items[which];
	lost->trouble = is_passing ? BW_TROUBLE_TIMEOUT : BW_TROUBLE_TAG_GONE;
	answer(&q);
	if (!is_fair(c, whole, q.classed.class, lost))
		print_message("without '%s': %s: %s\n", lost->name, bw_class_name(q.classed.class),
			      q.classed.moved);
	tell(c, !is_fair(c, whole, q.classed.class, lost));
	assert_true(is_fair(c, whole, q.classed.class, lost));
	/* What may pass, and has left something open, is told. */
	if (is_passing && q.classed.class != whole && q.classed.class != BW_CLASS_CONTENT)
		assert_non_null(q.classed.held_by);
	if (q.classed.class == BW_CLASS_CONTENT || q.classed.class == BW_CLASS_INDEX)
		assert_null(q.classed.held_by);
	finish(&q);
}

static void what_is_missing_never_makes_a_change_lighter(void **state)
{
	(void)state;
	for (unsigned long seed = 0; seed < RUNS; seed++) {
		struct change c = draw_change(seed);
		uint32_t seen = seed % 3 == 0 ? 4 : 0;
		enum bw_class whole = class_of(c.from, c.to, c.want, seen);
		struct question q;
		size_t bodies;

		begin(&q, c.from, c.to);
		bodies = q.world.count;
		finish(&q);
		for (size_t i = 0; i < bodies; i++)
			lose_one(&c, i, seen, whole);
		drop_change(&c);
	}
}

/* Names of bodies, in any order. */
static bool has_asked(const struct question *q, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = bw_buf_str(&q->world.asked); (at = strstr(at, name)); at += len)
		if ((at == bw_buf_str(&q->world.asked) || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

#define WANTS 5 /* four platforms and none */

static void begin_trouble(struct question *q, const struct change *c)
{
	begin(q, c->from, c->to);
	q->seen_number = c->seed % 3 == 0 ? 4 : 0;
	if (c->seed % 2)
		q->world.items[c->seed % q->world.count].trouble =
			c->seed % 4 == 1 ? BW_TROUBLE_TIMEOUT : BW_TROUBLE_TAG_GONE;
}

/*
 * The same class, words and trouble. What it needed alone is taken off `left`, the needs of all together: these may be
 * fewer, because what one platform needed may decide for another, but none more.
 */
static void compare_alone(const struct change *c, const struct bw_platform *want,
			  const struct bw_classed *among, bool *left)
{
	struct question q;

	begin_trouble(&q, c);
	q.want = *want;
	answer(&q);
	tell(c, q.classed.class != among->class || strcmp(q.classed.moved, among->moved) != 0);
	assert_string_equal(bw_class_name(among->class), bw_class_name(q.classed.class));
	assert_string_equal(among->moved, q.classed.moved);
	assert_int_equal(among->held_by ? among->held_by->trouble : BW_TROUBLE_NONE,
			 q.classed.held_by ? q.classed.held_by->trouble : BW_TROUBLE_NONE);
	for (size_t i = 0; i < q.world.count; i++)
		left[i] &= !has_asked(&q, q.world.items[i].name);
	finish(&q);
}

static void platforms_together_are_judged_as_each_alone(void **state)
{
	struct bw_platform wants[WANTS] = {0};

	(void)state;
	for (size_t i = 0; i + 1 < WANTS; i++)
		assert_int_equal(
			bw_platform_parse(some_platforms[i], strlen(some_platforms[i]), &wants[i], NULL), 0);
	for (unsigned long seed = 0; seed < RUNS; seed++) {
		struct change c = draw_change(seed);
		struct bw_classed classed[WANTS];
		struct question q;
		bool *left;

		begin_trouble(&q, &c);
		answer_all(&q, wants, WANTS, classed);
		left = bw_alloc(q.world.count * sizeof(*left));
		for (size_t i = 0; i < q.world.count; i++)
			left[i] = has_asked(&q, q.world.items[i].name);
		for (size_t i = 0; i < WANTS; i++)
			compare_alone(&c, &wants[i], &classed[i], left);
		for (size_t i = 0; i < q.world.count; i++) {
			tell(&c, left[i]);
			assert_false(left[i]);
		}
		for (size_t i = 0; i < WANTS; i++)
			free(classed[i].moved);
		free(left);
		finish(&q);
		drop_change(&c);
	}
}

/* --- hostile ---------------------------------------------------------------------------------- */

static void a_thousand_platforms_are_compared_until_one_decides(void **state)
{
	char *from = many_platforms(1000, "linux", "a"), *to = many_platforms(1000, "linux", "b");
	char *other = many_platforms(1000, "plan9", "a");
	struct question q;

	(void)state;
	begin(&q, from, to);
	answer(&q);
	assert_string_equal(q.classed.moved,
			    "linux/a0: 1 of 1 layers differ, 1.0 MiB in all; 999 more platforms differ");
	assert_int_equal(q.classed.class, BW_CLASS_CONTENT);
	assert_int_equal(q.world.asked_count, 4);
	finish(&q);

	begin(&q, from, other);
	answer(&q);
	assert_string_equal(
		q.classed.moved,
		"no platform in common: linux/a0, linux/a7, linux/a14 and 997 more before, plan9/a0, "
		"plan9/a7, plan9/a14 and 997 more now");
	assert_int_equal(q.classed.class, BW_CLASS_CONTENT);
	assert_int_equal(q.world.asked_count, 2);
	finish(&q);
	free(from);
	free(to);
	free(other);
}

static void many_builds_of_windows_pair_one_to_one(void **state)
{
	struct bw_buf from, to;
	struct question q;

	(void)state;
	bw_buf_init(&from, 1U << 20);
	bw_buf_init(&to, 1U << 20);
	for (unsigned i = 0; i < 500; i++) {
		bw_buf_addf(&from, "windows(10.0.%u.1)/amd64:a;entry=1 ", i);
		bw_buf_addf(&to, "windows(10.0.%u.2)/amd64:a;note=1 ", 499 - i);
	}
	begin(&q, bw_buf_str(&from), bw_buf_str(&to));
	answer(&q);
	/* All pairs differ in their configurations, which hold the version. */
	assert_int_equal(q.classed.class, BW_CLASS_CONFIG);
	assert_string_equal(q.classed.moved,
			    "windows(10.0.499.2)/amd64: os version; 499 more platforms differ");
	assert_int_equal(q.world.asked_count, 2 + 2 * 500 + 2);
	finish(&q);
	bw_buf_done(&from);
	bw_buf_done(&to);
}

static void words_that_are_too_long_are_cut(void **state)
{
	struct bw_buf from, to;
	struct question q;
	size_t len;

	(void)state;
	bw_buf_init(&from, 1U << 16);
	bw_buf_init(&to, 1U << 16);
	for (unsigned i = 0; i < 4; i++) {
		bw_buf_addf(&from, "linux/%060u/%063u:a ", i, i);
		bw_buf_addf(&to, "linux/%060u/%063u:a;note=1 ", i, i);
	}
	begin(&q, bw_buf_str(&from), bw_buf_str(&to));
	answer(&q);
	len = strlen(q.classed.moved);
	assert_int_equal(len, BW_MOVED_MAX);
	assert_string_equal(q.classed.moved + len - 4, "0...");
	assert_int_equal(strncmp(q.classed.moved, "annotations of linux/0000", 25), 0);
	finish(&q);
	bw_buf_done(&from);
	bw_buf_done(&to);
}

static bool is_utf8(const char *s, size_t len)
{
	for (size_t at = 0, step; at < len; at += step) {
		step = bw_utf8_len(s + at, len - at);
		if (step == 0)
			return false;
	}
	return true;
}

/* Names of variables in characters of three bytes: moved by one byte each, the end falls into each part of one. */
static void words_are_cut_between_characters(void **state)
{
	char name[3 * 20 + 1] = "";

	(void)state;
	for (size_t i = 0; i < 20; i++)
		memcpy(name + 3 * i, "\xE2\x82\xAC", 4);
	for (int shift = 0; shift < 4; shift++) {
		char *from = bw_asprintf("linux/amd64:a;label=1;names=%.*s%s", shift, "___", name);
		char *to = bw_asprintf("linux/amd64:a;label=2;names=%.*s%s", shift, "___", name);
		struct question q;
		size_t len;

		begin(&q, from, to);
		answer(&q);
		len = strlen(q.classed.moved);
		assert_in_range(len, BW_MOVED_MAX - 2, BW_MOVED_MAX);
		assert_string_equal(q.classed.moved + len - 3, "...");
		assert_true(is_utf8(q.classed.moved, len));
		finish(&q);
		free(from);
		free(to);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_change_has_its_class_words_and_needs),
	cmocka_unit_test(the_new_manifest_is_needed_even_when_the_old_one_is_known_to_be_gone),
	cmocka_unit_test(needs_of_other_questions_are_no_matter),
	cmocka_unit_test(what_differs_in_configuration_only_takes_four_steps_however_much_it_is),
	cmocka_unit_test(nothing_is_needed_behind_a_pair_that_is_known_to_differ_in_layers),
	cmocka_unit_test(needs_of_named_platforms_come_first),
	cmocka_unit_test(the_way_back_has_the_same_class),
	cmocka_unit_test(a_digest_of_old_is_a_rollback_or_nothing_has_changed),
	cmocka_unit_test(attestations_never_count),
	cmocka_unit_test(what_is_missing_never_makes_a_change_lighter),
	cmocka_unit_test(platforms_together_are_judged_as_each_alone),
	cmocka_unit_test(a_thousand_platforms_are_compared_until_one_decides),
	cmocka_unit_test(many_builds_of_windows_pair_one_to_one),
	cmocka_unit_test(words_that_are_too_long_are_cut),
	cmocka_unit_test(words_are_cut_between_characters),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
