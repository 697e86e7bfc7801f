/* test_entry.c - the entry that an image was listed for, without looking at anything twice. */
#include "unit/unit.h"

#include "command/entry.h"
#include "unit/image_world.h"

struct scene {
	struct world world;
	struct bw_bodies *bodies;
	struct bw_images images;
	struct bw_entry_search search;
};

static void list(struct scene *s, const struct bw_digest *top)
{
	do {
		bw_images_done(&s->images);
		bw_images_list(s->bodies, top, &s->images);
	} while (world_meet(&s->world, s->bodies) > 0);
	assert_true(s->images.is_complete);
}

static void begin(struct scene *s)
{
	*s = (struct scene){.bodies = bw_bodies_new()};
	world_init(&s->world);
}

static void end(struct scene *s)
{
	bw_images_done(&s->images);
	bw_bodies_free(s->bodies);
	world_done(&s->world);
}

static const struct bw_child *find(struct scene *s, const struct bw_digest *wanted)
{
	s->search = (struct bw_entry_search){.bodies = s->bodies, .images = &s->images, .wanted = wanted};
	return bw_entry_find(&s->search);
}

static void every_image_that_is_listed_has_its_entry(void **state)
{
	struct scene s;
	struct bw_digest top;

	(void)state;
	begin(&s);
	top = world_make(&s.world, '+',
			 "linux/386:a;type=docker [ linux/amd64:b [ linux/arm64:c ] linux/s390x:d ] "
			 "[ linux/ppc64le:e ] att:x linux/riscv64:f");
	list(&s, &top);
	assert_null(s.images.problem);
	assert_int_equal(s.images.count, 7);
	for (size_t i = 0; i < s.images.count; i++) {
		const struct bw_child *c = find(&s, &s.images.items[i].digest);

		assert_non_null(c);
		assert_string_equal(c->digest.text, s.images.items[i].digest.text);
		assert_string_equal(c->platform.arch, i == 5 ? "unknown" : s.images.items[i].platform.arch);
		assert_string_equal(c->media_type,
				    i == 0 ? "application/vnd.docker.distribution.manifest.v2+json"
					   : "application/vnd.oci.image.manifest.v1+json");
	}
	assert_null(find(&s, &top));
	end(&s);
}

static void a_single_image_has_no_entry(void **state)
{
	struct scene s;
	struct bw_digest top;

	(void)state;
	begin(&s);
	top = world_make(&s.world, '+', "single linux/amd64:a");
	list(&s, &top);
	assert_null(find(&s, &top));
	end(&s);
}

/* Copies of one index; an image last, or artifacts. */
static struct bw_digest add_index(struct scene *s, const char *name, const struct bw_digest *nested,
				  size_t times, const struct bw_digest *last)
{
	struct bw_buf text;

	bw_buf_init(&text, 4U << 20);
	bw_buf_adds(&text, "{\"schemaVersion\":2,\"mediaType\":\"application/"
			   "vnd.oci.image.index.v1+json\",\"manifests\":[");
	for (size_t i = 0; i < times; i++)
		bw_buf_addf(&text,
			    "{\"mediaType\":\"application/%s\",\"size\":9,\"digest\":\"%s\","
			    "\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},",
			    nested ? "vnd.oci.image.index.v1+json" : "vnd.other",
			    (nested ? nested : last)->text);
	bw_buf_addf(
		&text,
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":9,\"digest\":\"%s\","
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}}]}",
		last->text);
	return world_put(&s->world, BW_BODY_MANIFEST, name, bw_buf_take(&text, NULL));
}

/* A walk into each copy would be 300 * 300 * 300 entries. */
static void an_index_that_is_there_many_times_is_looked_through_once(void **state)
{
	enum { TIMES = 300 };
	struct bw_digest wanted, other, inner, middle, top;
	struct scene s;

	(void)state;
	begin(&s);
	bw_digest_of("wanted", 6, &wanted);
	bw_digest_of("other", 5, &other);
	inner = add_index(&s, "inner", NULL, TIMES, &other);
	middle = add_index(&s, "middle", &inner, TIMES, &other);
	top = add_index(&s, "top", &middle, TIMES, &wanted);
	list(&s, &top);
	assert_null(s.images.problem);
	assert_int_equal(s.images.count, 3);
	assert_non_null(find(&s, &wanted));
	assert_int_equal(s.search.looked, 3 * (TIMES + 1));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_image_that_is_listed_has_its_entry),
		cmocka_unit_test(a_single_image_has_no_entry),
		cmocka_unit_test(an_index_that_is_there_many_times_is_looked_through_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
