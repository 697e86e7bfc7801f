/* test_repin.c - what a pin should become, and what has to be fetched to know it. */
#include "unit/unit.h"

#include <stdlib.h>

#include "command/offer.h"
#include "command/repin.h"
#include "unit/image_world.h"
#include "unit/table.h"

struct scene {
	struct world world;
	struct bw_bodies *bodies;
	struct bw_answer tag;
	struct bw_repin repin;
};

/* A name that a table gets wrong ends the test. */
static struct world_body *known(struct world_body *b)
{
	if (!b)
		abort();
	return b;
}

static const char *media_type_of(const struct world *w, const struct bw_digest *d)
{
	bool is_index = strstr(known(world_find_digest(w, d))->text, "\"manifests\"") != NULL;

	return is_index ? "application/vnd.oci.image.index.v1+json"
			: "application/vnd.oci.image.manifest.v1+json";
}

static void begin(struct scene *s, const char *before, const char *now)
{
	*s = (struct scene){.bodies = bw_bodies_new()};
	world_init(&s->world);
	(void)world_make(&s->world, '-', before);
	s->tag.digest = world_make(&s->world, '+', now);
	(void)snprintf(s->tag.media_type, sizeof(s->tag.media_type), "%s",
		       media_type_of(&s->world, &s->tag.digest));
}

static void end(struct scene *s)
{
	bw_repin_done(&s->repin);
	bw_bodies_free(s->bodies);
	world_done(&s->world);
}

static void decide(struct scene *s)
{
	do
		bw_repin_decide(s->bodies, &s->tag, "app:1", &s->repin);
	while (world_meet(&s->world, s->bodies) > 0);
}

static const char *const outcomes[] = {"unknown", "keep", "move", "refuse"};

static void expect_text(const char *got, const char *wanted)
{
	if (strcmp(wanted, "-") == 0)
		assert_null(got);
	else if (!got || !strstr(got, wanted))
		fail_msg("'%s' is not in: %s", wanted, got ? got : "(nothing)");
}

/* "name=trouble" */
static void lose(struct scene *s, const char *lost)
{
	size_t len = strcspn(lost, "=");
	char *name = bw_strndup(lost, len);
	struct world_body *body = known(world_find(&s->world, name));

	body->trouble = bw_trouble_from_name(lost + len + 1);
	assert_int_not_equal(body->trouble, BW_TROUBLE_NONE);
	free(name);
}

/* before, now, pinned, platform, lost, outcome, moved to, text, asked */
static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct scene s;

	(void)lens, (void)arg;
	assert_int_equal(count, 9);
	begin(&s, f[0], f[1]);
	if (strcmp(f[2], "none") != 0)
		s.repin.pinned = known(world_find(&s.world, f[2]))->digest;
	if (strcmp(f[3], "any") != 0)
		assert_int_equal(bw_platform_parse(f[3], strlen(f[3]), &s.repin.want, NULL), 0);
	if (strcmp(f[4], "nothing") != 0)
		lose(&s, f[4]);
	decide(&s);
	assert_string_equal(outcomes[s.repin.outcome], f[5]);
	if (s.repin.outcome == BW_REPIN_MOVE)
		assert_string_equal(known(world_find_digest(&s.world, &s.repin.digest))->name, f[6]);
	else
		assert_string_equal("-", f[6]);
	expect_text(s.repin.reason ? s.repin.reason : s.repin.note, f[7]);
	assert_string_equal(s.world.asked.len ? bw_buf_str(&s.world.asked) : "-", f[8]);
	end(&s);
}

static void a_pin_follows_its_tag(void **state)
{
	(void)state;
	table_each("repin.tsv", 9, check_row, NULL);
}

static void what_could_not_be_asked_is_unknown_with_the_reason(void **state)
{
	struct bw_repin x = {0};

	(void)state;
	bw_repin_fail(&x, bw_strdup("no answer"));
	assert_int_equal(x.outcome, BW_REPIN_UNKNOWN);
	assert_string_equal(x.reason, "no answer");
	bw_repin_done(&x);
	assert_null(x.reason);
}

/* It was asked for by its digest, so there is no tag that could be gone. */
static void what_a_registry_does_not_have_is_told_in_its_words(void **state)
{
	static const struct bw_answer none = {.trouble = BW_TROUBLE_TAG_GONE,
					      .message = "r.io does not have it"};
	static const struct bw_answer late = {.trouble = BW_TROUBLE_TIMEOUT, .message = "r.io: too late"};
	struct scene s;

	(void)state;
	begin(&s, "linux/amd64:a", "linux/amd64:b");
	s.repin.pinned = known(world_find(&s.world, "-"))->digest;
	bw_bodies_put_missing(s.bodies, &s.tag.digest, &none);
	decide(&s);
	assert_int_equal(s.repin.outcome, BW_REPIN_UNKNOWN);
	assert_string_equal(s.repin.reason, "cannot see what the tag has: r.io does not have it");
	end(&s);
	begin(&s, "linux/amd64:a", "linux/amd64:b");
	s.repin.pinned = known(world_find(&s.world, "-"))->digest;
	bw_bodies_put_missing(s.bodies, &s.tag.digest, &late);
	decide(&s);
	assert_string_equal(s.repin.reason,
			    "cannot see what the tag has: the registry did not answer in time: "
			    "r.io: too late");
	end(&s);
}

/* --- what an image is there for --------------------------------------------------------------- */

static void expect_lack(const char *now, const char *want, const char *wanted)
{
	struct bw_images images;
	struct bw_platform platform;
	struct scene s;
	char *got;

	begin(&s, now, now);
	do {
		bw_images_list(s.bodies, &s.tag.digest, &images);
		if (world_meet(&s.world, s.bodies) == 0)
			break;
		bw_images_done(&images);
	} while (true);
	assert_int_equal(bw_platform_parse(want, strlen(want), &platform, NULL), 0);
	assert_null(bw_offer_pick(&images, &platform));
	got = bw_offer_lack(&images, &platform, "app:1");
	assert_string_equal(got, wanted);
	free(got);
	bw_images_done(&images);
	end(&s);
}

static void a_platform_that_is_not_there_names_those_that_are(void **state)
{
	(void)state;
	expect_lack("linux/amd64:a linux/amd64:b linux/arm64:a att:x", "linux/riscv64",
		    "no linux/riscv64 in app:1; it has linux/amd64, linux/arm64");
	expect_lack("single linux/arm64:a", "linux/amd64", "no linux/amd64 in app:1; it has linux/arm64");
	expect_lack("att:x", "linux/amd64", "no linux/amd64 in app:1; it names no platform");
}

static void a_long_list_of_platforms_is_cut(void **state)
{
	struct bw_buf spec;

	(void)state;
	bw_buf_init(&spec, 1U << 16);
	for (int i = 0; i < 30; i++)
		bw_buf_addf(&spec, "windows(10.0.%d.1)/amd64:a ", 20000 + i);
	{
		struct scene s;
		struct bw_images images;
		struct bw_platform platform;
		char *got;

		begin(&s, bw_buf_str(&spec), bw_buf_str(&spec));
		(void)bw_bodies_manifest(s.bodies, &s.tag.digest);
		(void)world_meet(&s.world, s.bodies);
		bw_images_list(s.bodies, &s.tag.digest, &images);
		assert_int_equal(bw_platform_parse("linux/amd64", 11, &platform, NULL), 0);
		got = bw_offer_lack(&images, &platform, "app:1");
		assert_non_null(strstr(got, "it has windows(10.0.20000.1)/amd64, "));
		assert_non_null(strstr(got, "windows(10.0.20023.1)/amd64 and 6 more"));
		assert_null(strstr(got, "20024"));
		free(got);
		bw_images_done(&images);
		end(&s);
	}
	bw_buf_done(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_follows_its_tag),
		cmocka_unit_test(what_could_not_be_asked_is_unknown_with_the_reason),
		cmocka_unit_test(what_a_registry_does_not_have_is_told_in_its_words),
		cmocka_unit_test(a_platform_that_is_not_there_names_those_that_are),
		cmocka_unit_test(a_long_list_of_platforms_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
