/* test_image_pin.c - is a pin what the tag has, and what is needed to know it. */
#include "unit/unit.h"

#include "image/pin.h"
#include "unit/image_body.h"

static struct bw_bodies *bodies;

/* '1' is the tag's index in most tests: a linux/amd64, b linux/arm64, c an attestation. */
static int set_up(void **state)
{
	(void)state;
	bodies = bw_bodies_new();
	PUT_INDEX(bodies, '1', {'a', "linux/amd64", NULL}, {'b', "linux/arm64", NULL},
		  {'c', "attestation", NULL});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bw_bodies_free(bodies);
	return 0;
}

static struct bw_pinned decide_typed(char pinned, char tag, const char *type, const char *want)
{
	struct bw_digest p = digest_of_char(pinned);
	struct bw_digest t = digest_of_char(tag);
	struct bw_platform platform = platform_of(want);
	struct bw_pin_question q = {
		.pinned = &p, .tag = &t, .tag_media_type = type, .want = want ? &platform : NULL};
	struct bw_pinned ret;

	memset(&ret, 0x5a, sizeof(ret));
	bw_pin_decide(bodies, &q, &ret);
	return ret;
}

static struct bw_pinned decide(char pinned, char tag, const char *want)
{
	return decide_typed(pinned, tag, OCI_INDEX, want);
}

static const char *const pin_names[] = {"none", "equal", "child", "other", "undecided"};

/* `have` "-": not known. */
static void assert_pinned(const struct bw_pinned *p, const char *pin, const char *have, bool is_child,
			  bool is_misfit)
{
	char out[BW_PLATFORM_MAX];

	assert_string_equal(pin_names[p->pin], pin);
	(void)bw_platform_format(&p->have, out);
	assert_string_equal(out[0] ? out : "-", have);
	assert_int_equal(p->is_child, is_child);
	assert_int_equal(p->is_misfit, is_misfit);
}

#define ASSERT_PINNED(question, ...)               \
	do {                                       \
		struct bw_pinned ret_ = question;  \
		assert_pinned(&ret_, __VA_ARGS__); \
	} while (0)

/* --- without a need --------------------------------------------------------------------------- */

static void test_the_tags_digest_needs_nothing(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('9', '9', "linux/amd64"), "equal", "-", false, false);
	ASSERT_PINNED(decide('9', '9', NULL), "equal", "-", false, false);
	ASSERT_PINNED(decide_typed('9', '9', NULL, NULL), "equal", "-", false, false);
	assert_needs(bodies, "");
}

static void test_no_pin_and_no_tag_are_no_question(void **state)
{
	struct bw_digest none = {0};
	struct bw_digest a = digest_of_char('a');
	struct bw_pinned ret;

	(void)state;
	bw_pin_decide(bodies, &(struct bw_pin_question){.pinned = &none, .tag = &a}, &ret);
	assert_pinned(&ret, "none", "-", false, false);
	bw_pin_decide(bodies, &(struct bw_pin_question){.tag = &a}, &ret);
	assert_pinned(&ret, "none", "-", false, false);
	bw_pin_decide(bodies, &(struct bw_pin_question){.pinned = &a, .tag = &none}, &ret);
	assert_pinned(&ret, "undecided", "-", false, false);
	bw_pin_decide(bodies, &(struct bw_pin_question){.pinned = &a}, &ret);
	assert_pinned(&ret, "undecided", "-", false, false);
	assert_needs(bodies, "");
}

static void test_a_tag_that_is_an_image_has_no_children(void **state)
{
	(void)state;
	ASSERT_PINNED(decide_typed('8', '9', OCI_IMAGE, NULL), "other", "-", false, false);
	assert_needs(bodies, "");
	put_image(bodies, '9', 'f', NULL);
	ASSERT_PINNED(decide_typed('8', '9', NULL, NULL), "other", "-", false, false);
	ASSERT_PINNED(decide_typed('8', '9', OCI_INDEX, NULL), "other", "-", false, false);
	assert_needs(bodies, "");
}

/* --- children --------------------------------------------------------------------------------- */

static void test_a_child_for_the_platform_is_what_the_tag_has(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('a', '1', "linux/amd64"), "child", "linux/amd64", true, false);
	ASSERT_PINNED(decide('b', '1', "linux/arm64/v8"), "child", "linux/arm64", true, false);
	ASSERT_PINNED(decide('a', '1', NULL), "child", "linux/amd64", true, false);
	ASSERT_PINNED(decide('b', '1', ""), "child", "linux/arm64", true, false);
	assert_needs(bodies, "");
}

static void test_a_child_for_another_platform_does_not_fit(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('a', '1', "linux/arm64"), "other", "linux/amd64", true, true);
	ASSERT_PINNED(decide('b', '1', "linux/s390x"), "other", "linux/arm64", true, true);
	assert_needs(bodies, "");
}

static void test_an_attestation_is_no_image(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('c', '1', NULL), "other", "-", false, false);
	ASSERT_PINNED(decide('c', '1', "linux/amd64"), "other", "-", false, true);
	assert_needs(bodies, "");
}

/* A client takes the first of its platform; the second is for the platform, and yet not what it gets. */
static void test_the_second_of_a_platform_is_not_what_the_tag_gives(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '2', {'a', "linux/amd64", NULL}, {'b', "linux/amd64", NULL},
		  {'b', "linux/386", NULL});
	ASSERT_PINNED(decide('a', '2', "linux/amd64"), "child", "linux/amd64", true, false);
	ASSERT_PINNED(decide('b', '2', "linux/amd64"), "other", "linux/amd64", true, false);
	ASSERT_PINNED(decide('b', '2', "linux/386"), "child", "linux/386", true, false);
	ASSERT_PINNED(decide('b', '2', NULL), "child", "linux/amd64", true, false);
	assert_needs(bodies, "");
}

static void test_windows_builds_are_different_platforms(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '2', {'a', "windows(10.0.17763.5)/amd64", NULL},
		  {'b', "windows(10.0.20348.7)/amd64", NULL});
	ASSERT_PINNED(decide('b', '2', "windows(10.0.20348)/amd64"), "child", "windows(10.0.20348.7)/amd64",
		      true, false);
	ASSERT_PINNED(decide('a', '2', "windows(10.0.20348)/amd64"), "other", "windows(10.0.17763.5)/amd64",
		      true, true);
}

/* --- needs ------------------------------------------------------------------------------------ */

static void test_the_tags_index_is_needed_first(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('8', '9', "linux/amd64"), "undecided", "-", false, false);
	ASSERT_PINNED(decide_typed('8', '9', "", NULL), "undecided", "-", false, false);
	assert_needs(bodies, "m9");
	put_missing(bodies, '9', BW_TROUBLE_TAG_GONE);
	ASSERT_PINNED(decide('8', '9', "linux/amd64"), "undecided", "-", false, false);
	assert_needs(bodies, "");
}

static void test_another_pin_is_looked_up_for_its_platform(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('8', '1', "linux/amd64"), "other", "-", false, false);
	assert_needs(bodies, "m8");
	put_image(bodies, '8', '7', NULL);
	ASSERT_PINNED(decide('8', '1', "linux/amd64"), "other", "-", true, false);
	assert_needs(bodies, "c7");
	put_config(bodies, '7', "linux/arm64");
	ASSERT_PINNED(decide('8', '1', "linux/amd64"), "other", "linux/arm64", true, true);
	ASSERT_PINNED(decide('8', '1', "linux/arm64"), "other", "linux/arm64", true, false);
	assert_needs(bodies, "");
}

static void test_another_pin_of_an_image_tag_is_looked_up_too(void **state)
{
	(void)state;
	ASSERT_PINNED(decide_typed('8', '9', OCI_IMAGE, "linux/amd64"), "other", "-", false, false);
	assert_needs(bodies, "m8");
	put_image(bodies, '8', '7', NULL);
	put_config(bodies, '7', "linux/arm64");
	ASSERT_PINNED(decide_typed('8', '9', OCI_IMAGE, "linux/amd64"), "other", "linux/arm64", false, true);
}

static void test_a_pin_that_cannot_be_had_is_still_another(void **state)
{
	(void)state;
	put_missing(bodies, '8', BW_TROUBLE_TAG_GONE);
	ASSERT_PINNED(decide('8', '1', "linux/amd64"), "other", "-", false, false);
	put_image(bodies, '7', '6', NULL);
	put_missing(bodies, '6', BW_TROUBLE_TAG_GONE);
	ASSERT_PINNED(decide('7', '1', "linux/amd64"), "other", "-", true, false);
	assert_needs(bodies, "");
}

static void test_without_a_platform_the_pinned_image_is_not_needed_but_used(void **state)
{
	(void)state;
	ASSERT_PINNED(decide('8', '1', NULL), "other", "-", false, false);
	assert_needs(bodies, "");
	put_image(bodies, '8', '7', NULL);
	ASSERT_PINNED(decide('8', '1', NULL), "other", "-", true, false);
	put_config(bodies, '7', "linux/arm64");
	ASSERT_PINNED(decide('8', '1', NULL), "other", "linux/arm64", true, false);
	assert_needs(bodies, "");
}

static void test_an_old_index_is_no_child(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '8', {'d', "linux/amd64", NULL}, {'e', "linux/386", NULL});
	ASSERT_PINNED(decide('8', '1', NULL), "other", "-", false, false);
	ASSERT_PINNED(decide('8', '1', "linux/amd64"), "other", "-", false, false);
	ASSERT_PINNED(decide('8', '1', "linux/arm64"), "other", "-", false, true);
	assert_needs(bodies, "");
}

static void test_an_artifact_has_nothing_for_any_platform(void **state)
{
	(void)state;
	put_image(bodies, '8', '7', "application/vnd.cncf.helm.config.v1+json");
	ASSERT_PINNED(decide('8', '1', "linux/amd64"), "other", "-", true, true);
	ASSERT_PINNED(decide('8', '1', NULL), "other", "-", true, false);
	assert_needs(bodies, "");
}

/* --- indexes that say little ------------------------------------------------------------------ */

static void test_children_without_platform_are_looked_up(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '2', {'8', NULL, NULL}, {'a', "linux/amd64", NULL});
	/* The first may be for linux/amd64 as well. */
	ASSERT_PINNED(decide('a', '2', "linux/amd64"), "undecided", "-", false, false);
	assert_needs(bodies, "m8");
	/* Any image will do: nothing that is not known could change that. */
	ASSERT_PINNED(decide('a', '2', NULL), "child", "linux/amd64", true, false);
	ASSERT_PINNED(decide('8', '2', NULL), "undecided", "-", false, false);
	put_image(bodies, '8', '7', NULL);
	ASSERT_PINNED(decide('a', '2', "linux/amd64"), "undecided", "-", false, false);
	assert_needs(bodies, "c7");
	put_config(bodies, '7', "linux/amd64");
	ASSERT_PINNED(decide('a', '2', "linux/amd64"), "other", "linux/amd64", true, false);
	ASSERT_PINNED(decide('8', '2', "linux/amd64"), "child", "linux/amd64", true, false);
	ASSERT_PINNED(decide('8', '2', NULL), "child", "linux/amd64", true, false);
	assert_needs(bodies, "");
}

static void test_an_only_image_without_platform_is_what_the_tag_gives(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '2', {'8', NULL, NULL}, {'c', "attestation", NULL});
	put_image(bodies, '8', '7', NULL);
	put_config(bodies, '7', NULL);
	ASSERT_PINNED(decide('8', '2', "linux/amd64"), "child", "-", true, false);
}

/* What was left out may be the pin. */
static void test_an_index_that_is_too_deep_leaves_it_open(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '2', {'a', "linux/amd64", NULL}, {'3', NULL, OCI_INDEX});
	PUT_INDEX(bodies, '3', {'4', NULL, OCI_INDEX});
	PUT_INDEX(bodies, '4', {'5', NULL, OCI_INDEX});
	ASSERT_PINNED(decide('a', '2', "linux/amd64"), "child", "linux/amd64", true, false);
	ASSERT_PINNED(decide('8', '2', "linux/amd64"), "undecided", "-", false, false);
	assert_needs(bodies, "");
}

/* --- nested indexes --------------------------------------------------------------------------- */

static void test_a_nested_index_is_what_the_tag_has_when_it_gives_the_same_image(void **state)
{
	(void)state;
	PUT_INDEX(bodies, '2', {'d', "linux/amd64", NULL}, {'3', NULL, OCI_INDEX});
	ASSERT_PINNED(decide('3', '2', NULL), "child", "-", false, false);
	assert_needs(bodies, "m3");
	PUT_INDEX(bodies, '3', {'e', "linux/amd64", NULL}, {'f', "linux/arm64", NULL});
	ASSERT_PINNED(decide('3', '2', NULL), "child", "-", false, false);
	ASSERT_PINNED(decide('3', '2', "linux/arm64"), "child", "-", false, false);
	ASSERT_PINNED(decide('3', '2', "linux/amd64"), "other", "-", false, false);
	ASSERT_PINNED(decide('3', '2', "linux/386"), "other", "-", false, true);
	ASSERT_PINNED(decide('f', '2', "linux/arm64"), "child", "linux/arm64", true, false);
	ASSERT_PINNED(decide('e', '2', "linux/amd64"), "other", "linux/amd64", true, false);
	assert_needs(bodies, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_tags_digest_needs_nothing),
		CASE(test_no_pin_and_no_tag_are_no_question),
		CASE(test_a_tag_that_is_an_image_has_no_children),
		CASE(test_a_child_for_the_platform_is_what_the_tag_has),
		CASE(test_a_child_for_another_platform_does_not_fit),
		CASE(test_an_attestation_is_no_image),
		CASE(test_the_second_of_a_platform_is_not_what_the_tag_gives),
		CASE(test_windows_builds_are_different_platforms),
		CASE(test_the_tags_index_is_needed_first),
		CASE(test_another_pin_is_looked_up_for_its_platform),
		CASE(test_another_pin_of_an_image_tag_is_looked_up_too),
		CASE(test_a_pin_that_cannot_be_had_is_still_another),
		CASE(test_without_a_platform_the_pinned_image_is_not_needed_but_used),
		CASE(test_an_old_index_is_no_child),
		CASE(test_an_artifact_has_nothing_for_any_platform),
		CASE(test_children_without_platform_are_looked_up),
		CASE(test_an_only_image_without_platform_is_what_the_tag_gives),
		CASE(test_an_index_that_is_too_deep_leaves_it_open),
		CASE(test_a_nested_index_is_what_the_tag_has_when_it_gives_the_same_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
