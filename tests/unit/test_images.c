/* test_images.c - the images behind a digest, and which of them a build would get. */
#include "unit/unit.h"

#include <stdio.h>

#include "image/images.h"
#include "unit/image_body.h"

#define HELM_CONFIG "application/vnd.cncf.helm.config.v1+json"

static struct bw_bodies *bodies;

static int set_up(void **state)
{
	(void)state;
	bodies = bw_bodies_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bw_bodies_free(bodies);
	return 0;
}

static struct bw_images list(char top)
{
	struct bw_digest d = digest_of_char(top);
	struct bw_images x;

	bw_images_list(bodies, &d, &x);
	return x;
}

/* As text: "a:linux/amd64 b:- c:!" for images of a platform, of none, and attestations. */
static void assert_list(const struct bw_images *x, const char *expected)
{
	char found[512] = "";

	for (size_t i = 0; i < x->count; i++) {
		const struct bw_image *image = &x->items[i];
		size_t len = strlen(found);
		char platform[BW_PLATFORM_MAX];

		(void)bw_platform_format(&image->platform, platform);
		(void)snprintf(found + len, sizeof(found) - len, "%s%c:%s", i ? " " : "",
			       image->digest.text[7],
			       image->is_attestation ? "!"
			       : platform[0]	     ? platform
						     : "-");
	}
	assert_string_equal(found, expected);
}

/* The digit of what a build for this platform gets; '-': nothing. */
static void assert_for(const struct bw_images *x, const char *want, char expected)
{
	struct bw_platform p = platform_of(want);
	const struct bw_image *image = bw_images_for(x, want ? &p : NULL);

	assert_int_equal(image ? image->digest.text[7] : '-', expected);
}

/* --- listing ---------------------------------------------------------------------------------- */

static void test_an_index_lists_its_children_in_order(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'a', "linux/amd64", NULL}, {'b', "attestation", NULL},
		  {'c', "linux/arm/v7", NULL}, {'d', "windows(10.0.1.2)/amd64", NULL});
	x = list('1');
	assert_list(&x, "a:linux/amd64 b:! c:linux/arm/v7 d:windows(10.0.1.2)/amd64");
	assert_true(x.is_index);
	assert_true(x.is_complete);
	assert_null(x.missing);
	assert_null(x.problem);
	assert_int_equal(x.items[2].size, 102);
	assert_int_equal(x.index_count, 1);
	assert_string_equal(x.indexes[0].text, digest_of_char('1').text);
	assert_needs(bodies, "");
	bw_images_done(&x);
	assert_int_equal(x.count, 0);
	bw_images_done(&x);
}

static void test_annotations_come_along(void **state)
{
	static const char body[] = "{\"manifests\":[{\"mediaType\":\"" OCI_IMAGE "\",\"digest\":\"sha256:"
				   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
				   "\"platform\":{\"os\":\"linux\"},\"annotations\":{\"a\":\"b\"}}]}";
	struct bw_digest d = digest_of_char('1');
	struct bw_manifest m = {0};
	struct bw_images x;

	(void)state;
	assert_int_equal(bw_manifest_parse(body, sizeof(body) - 1, NULL, &m, NULL), 0);
	bw_bodies_put_manifest(bodies, &d, &m);
	x = list('1');
	assert_int_equal(x.count, 1);
	assert_string_equal(x.items[0].annotations, "{\"a\":\"b\"}");
	bw_images_done(&x);
}

static void test_a_single_manifest_needs_its_configuration(void **state)
{
	struct bw_images x = list('a');

	(void)state;
	assert_list(&x, "");
	assert_false(x.is_complete);
	assert_needs(bodies, "ma");
	bw_images_done(&x);
	put_image(bodies, 'a', 'c', NULL);
	x = list('a');
	assert_list(&x, "a:-");
	assert_false(x.is_complete);
	assert_false(x.is_index);
	assert_needs(bodies, "cc");
	bw_images_done(&x);
	put_config(bodies, 'c', "linux/arm64");
	x = list('a');
	assert_list(&x, "a:linux/arm64");
	assert_true(x.is_complete);
	assert_int_equal(x.index_count, 0);
	assert_needs(bodies, "");
	bw_images_done(&x);
}

static void test_artifacts_are_no_images(void **state)
{
	struct bw_images x;

	(void)state;
	put_image(bodies, 'a', 'c', HELM_CONFIG);
	x = list('a');
	assert_list(&x, "");
	assert_true(x.is_complete);
	bw_images_done(&x);
	PUT_INDEX(bodies, '1', {'a', NULL, NULL}, {'b', "linux/amd64", NULL},
		  {'c', "linux/amd64", "application/x"}, {'d', NULL, ""});
	x = list('1');
	assert_list(&x, "b:linux/amd64");
	assert_true(x.is_complete);
	assert_null(x.problem);
	assert_needs(bodies, "");
	bw_images_done(&x);
}

static void test_children_without_platform_are_looked_up(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'a', NULL, NULL}, {'b', "linux/amd64", NULL}, {'c', NULL, NULL});
	x = list('1');
	assert_list(&x, "a:- b:linux/amd64 c:-");
	assert_false(x.is_complete);
	assert_null(x.missing);
	assert_needs(bodies, "ma mc");
	bw_images_done(&x);
	put_image(bodies, 'a', 'd', NULL);
	put_image(bodies, 'c', 'e', NULL);
	x = list('1');
	assert_needs(bodies, "cd ce");
	bw_images_done(&x);
	put_config(bodies, 'd', "linux/s390x");
	put_config(bodies, 'e', NULL);
	x = list('1');
	assert_list(&x, "a:linux/s390x b:linux/amd64 c:-");
	assert_true(x.is_complete);
	assert_needs(bodies, "");
	bw_images_done(&x);
}

/* Older attestations are ordinary images but for their platform. */
static void test_a_configuration_may_tell_an_attestation(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'a', NULL, NULL});
	put_image(bodies, 'a', 'c', NULL);
	put_config(bodies, 'c', "unknown/unknown");
	x = list('1');
	assert_list(&x, "a:!");
	assert_string_equal(x.items[0].platform.os, "");
	assert_for(&x, "linux/amd64", '-');
	bw_images_done(&x);
}

static void test_what_cannot_be_had_is_told(void **state)
{
	struct bw_images x;

	(void)state;
	put_missing(bodies, 'a', BW_TROUBLE_TAG_GONE);
	put_missing(bodies, 'c', BW_TROUBLE_TIMEOUT);
	put_image(bodies, 'b', 'c', NULL);
	x = list('a');
	assert_list(&x, "");
	assert_false(x.is_complete);
	assert_int_equal(x.missing->trouble, BW_TROUBLE_TAG_GONE);
	bw_images_done(&x);
	PUT_INDEX(bodies, '1', {'d', NULL, NULL}, {'b', NULL, NULL}, {'a', NULL, NULL},
		  {'a', NULL, OCI_INDEX});
	x = list('1');
	assert_list(&x, "d:- b:- a:-");
	assert_false(x.is_complete);
	assert_int_equal(x.missing->trouble, BW_TROUBLE_TIMEOUT);
	assert_needs(bodies, "md");
	bw_images_done(&x);
}

/* --- nested indexes --------------------------------------------------------------------------- */

static void test_nested_indexes_are_listed_in_their_place(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'a', "linux/amd64", NULL}, {'2', NULL, OCI_INDEX}, {'d', "linux/386", NULL});
	x = list('1');
	assert_false(x.is_complete);
	assert_needs(bodies, "m2");
	bw_images_done(&x);
	PUT_INDEX(bodies, '2', {'b', "linux/arm64", NULL}, {'3', NULL, OCI_INDEX});
	PUT_INDEX(bodies, '3', {'c', "linux/amd64", NULL});
	x = list('1');
	assert_list(&x, "a:linux/amd64 b:linux/arm64 c:linux/amd64 d:linux/386");
	assert_true(x.is_complete);
	assert_null(x.problem);
	assert_int_equal(x.index_count, 3);
	assert_string_equal(x.indexes[2].text, digest_of_char('3').text);
	assert_for(&x, "linux/amd64", 'a');
	bw_images_done(&x);
}

static void test_what_is_nested_too_deep_is_left_out(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'2', NULL, OCI_INDEX});
	PUT_INDEX(bodies, '2', {'3', NULL, OCI_INDEX}, {'b', "linux/arm64", NULL});
	PUT_INDEX(bodies, '3', {'4', NULL, OCI_INDEX}, {'c', "linux/amd64", NULL});
	x = list('1');
	assert_list(&x, "c:linux/amd64 b:linux/arm64");
	assert_true(x.is_complete);
	assert_string_equal(x.problem, "indexes are nested too deep");
	assert_needs(bodies, "");
	bw_images_done(&x);
}

/* No digest can name itself; but bodies are verified elsewhere, and this must end whatever they are. */
static void test_indexes_that_hold_themselves_end(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'1', NULL, OCI_INDEX}, {'2', NULL, OCI_INDEX}, {'a', "linux/amd64", NULL},
		  {'2', NULL, OCI_INDEX});
	PUT_INDEX(bodies, '2', {'1', NULL, OCI_INDEX}, {'2', NULL, OCI_INDEX}, {'b', "linux/arm64", NULL});
	x = list('1');
	assert_list(&x, "b:linux/arm64 a:linux/amd64");
	assert_true(x.is_complete);
	assert_null(x.problem);
	bw_images_done(&x);
}

static void test_media_types_that_lie_are_a_problem(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'2', NULL, NULL}, {'b', "linux/amd64", NULL});
	PUT_INDEX(bodies, '2', {'c', "linux/arm64", NULL});
	x = list('1');
	assert_list(&x, "b:linux/amd64");
	assert_string_equal(x.problem, "an entry of the index is called an image and is an index");
	bw_images_done(&x);
	PUT_INDEX(bodies, '3', {'d', NULL, OCI_INDEX}, {'b', "linux/amd64", NULL});
	put_image(bodies, 'd', 'e', NULL);
	x = list('3');
	assert_list(&x, "b:linux/amd64");
	assert_string_equal(x.problem, "an entry of the index is called an index and is an image");
	assert_needs(bodies, "");
	bw_images_done(&x);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* As many children as an index may have, all alike. */
static void put_many(char digest, struct child one)
{
	struct child *children = bw_alloc(BW_MANIFEST_MAX_CHILD * sizeof(*children));

	for (size_t i = 0; i < BW_MANIFEST_MAX_CHILD; i++)
		children[i] = one;
	put_index(bodies, digest, children, BW_MANIFEST_MAX_CHILD);
	free(children);
}

static void test_the_entries_of_all_levels_are_counted_together(void **state)
{
	struct bw_images x;

	(void)state;
	put_many('2', (struct child){'a', "linux/amd64", NULL});
	x = list('2');
	assert_int_equal(x.count, 1000);
	assert_null(x.problem);
	bw_images_done(&x);
	PUT_INDEX(bodies, '1', {'2', NULL, OCI_INDEX}, {'3', NULL, OCI_INDEX});
	x = list('1');
	assert_int_equal(x.count, 999);
	assert_true(x.is_complete);
	assert_string_equal(x.problem, "the index and those nested in it have too many entries");
	assert_needs(bodies, "");
	bw_images_done(&x);
}

static void test_at_most_64_images_are_asked_for_their_platform(void **state)
{
	struct bw_images x;
	size_t count;

	(void)state;
	put_many('1', (struct child){'a', NULL, NULL});
	put_image(bodies, 'a', 'c', NULL);
	put_config(bodies, 'c', "linux/arm64");
	x = list('1');
	assert_int_equal(x.count, 1000);
	for (size_t i = 0; i < x.count; i++)
		assert_string_equal(x.items[i].platform.arch, i < 64 ? "arm64" : "");
	assert_string_equal(x.problem, "too many images of the index do not say which platform they are for");
	(void)bw_bodies_needs(bodies, &count);
	assert_int_equal(count, 0);
	bw_images_done(&x);
}

/* --- choosing --------------------------------------------------------------------------------- */

static void test_a_build_gets_the_nearest_image_and_the_first_of_equals(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'f', "attestation", NULL}, {'a', "linux/amd64", NULL},
		  {'b', "linux/arm64/v8", NULL}, {'c', "linux/arm64", NULL}, {'d', "linux/arm/v6", NULL});
	x = list('1');
	assert_for(&x, "linux/amd64", 'a');
	assert_for(&x, "linux/arm64", 'b');
	assert_for(&x, "linux/arm64/v9", 'b'); /* the nearest */
	assert_for(&x, "linux/arm/v6", 'd');
	assert_for(&x, "linux/arm", 'd');
	assert_for(&x, "linux/arm/v5", '-');
	assert_for(&x, "linux/amd64/v3", 'a');
	assert_for(&x, "linux/386", '-');
	assert_for(&x, "windows/amd64", '-');
	assert_for(&x, "unknown/unknown", '-');
	assert_for(&x, NULL, '-');
	assert_for(&x, "", '-');
	assert_false(bw_images_is_first(&x, &x.items[0]));
	assert_true(bw_images_is_first(&x, &x.items[1]));
	assert_true(bw_images_is_first(&x, &x.items[2]));
	assert_false(bw_images_is_first(&x, &x.items[3]));
	assert_true(bw_images_is_first(&x, &x.items[4]));
	bw_images_done(&x);
}

static void test_windows_versions_are_different_platforms(void **state)
{
	struct bw_images x;

	(void)state;
	PUT_INDEX(bodies, '1', {'a', "windows(10.0.17763.5)/amd64", NULL},
		  {'b', "windows(10.0.20348.7)/amd64", NULL});
	x = list('1');
	assert_for(&x, "windows/amd64", 'a');
	assert_for(&x, "windows(10.0.20348)/amd64", 'b');
	assert_for(&x, "windows(10.0.20348.9)/amd64", 'b');
	assert_for(&x, "windows(10.0.2034)/amd64", '-');
	assert_true(bw_images_is_first(&x, &x.items[1]));
	bw_images_done(&x);
}

static void test_a_single_manifest_is_taken_for_any_platform(void **state)
{
	struct bw_images x;

	(void)state;
	put_image(bodies, 'a', 'c', NULL);
	put_config(bodies, 'c', "linux/arm64");
	x = list('a');
	assert_for(&x, "linux/arm64", 'a');
	assert_for(&x, "linux/amd64", 'a');
	assert_for(&x, NULL, 'a');
	bw_images_done(&x);
}

static void test_an_only_image_is_taken_when_nobody_says_its_platform(void **state)
{
	struct bw_images x;

	(void)state;
	put_image(bodies, 'a', 'c', NULL);
	put_config(bodies, 'c', NULL);
	PUT_INDEX(bodies, '1', {'a', NULL, NULL}, {'b', "attestation", NULL}, {'a', NULL, NULL});
	x = list('1');
	assert_for(&x, "linux/amd64", 'a');
	assert_for(&x, NULL, 'a');
	assert_true(bw_images_is_first(&x, &x.items[0]));
	assert_false(bw_images_is_first(&x, &x.items[2]));
	bw_images_done(&x);
	PUT_INDEX(bodies, '2', {'a', NULL, NULL}, {'b', "linux/arm64", NULL});
	x = list('2');
	assert_for(&x, "linux/amd64", '-');
	assert_for(&x, "linux/arm64", 'b');
	bw_images_done(&x);
	PUT_INDEX(bodies, '3', {'b', "linux/arm64", NULL});
	x = list('3');
	assert_for(&x, "linux/amd64", '-');
	assert_for(&x, NULL, 'b');
	bw_images_done(&x);
}

static void test_nothing_gives_nothing(void **state)
{
	struct bw_images x;

	(void)state;
	put_index(bodies, '1', NULL, 0);
	x = list('1');
	assert_true(x.is_index);
	assert_true(x.is_complete);
	assert_for(&x, "linux/amd64", '-');
	assert_for(&x, NULL, '-');
	bw_images_done(&x);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_an_index_lists_its_children_in_order),
		CASE(test_annotations_come_along),
		CASE(test_a_single_manifest_needs_its_configuration),
		CASE(test_artifacts_are_no_images),
		CASE(test_children_without_platform_are_looked_up),
		CASE(test_a_configuration_may_tell_an_attestation),
		CASE(test_what_cannot_be_had_is_told),
		CASE(test_nested_indexes_are_listed_in_their_place),
		CASE(test_what_is_nested_too_deep_is_left_out),
		CASE(test_indexes_that_hold_themselves_end),
		CASE(test_media_types_that_lie_are_a_problem),
		CASE(test_the_entries_of_all_levels_are_counted_together),
		CASE(test_at_most_64_images_are_asked_for_their_platform),
		CASE(test_a_build_gets_the_nearest_image_and_the_first_of_equals),
		CASE(test_windows_versions_are_different_platforms),
		CASE(test_a_single_manifest_is_taken_for_any_platform),
		CASE(test_an_only_image_is_taken_when_nobody_says_its_platform),
		CASE(test_nothing_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
