/* test_bodies.c - what is known by digest, and what is noted as needed. */
#include "unit/unit.h"

#include "unit/image_body.h"

static void test_what_is_not_known_is_noted_once(void **state)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest a = digest_of_char('a');
	struct bw_digest c = digest_of_char('c');

	(void)state;
	assert_needs(b, "");
	assert_null(bw_bodies_manifest(b, &c));
	assert_null(bw_bodies_manifest(b, &a));
	assert_null(bw_bodies_manifest(b, &c));
	assert_null(bw_bodies_config(b, &a));
	assert_needs(b, "mc ma ca");
	bw_bodies_free(b);
}

static void test_a_look_notes_nothing(void **state)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest a = digest_of_char('a');

	(void)state;
	assert_null(bw_bodies_peek_manifest(b, &a));
	assert_null(bw_bodies_peek_config(b, &a));
	assert_null(bw_bodies_missing(b, &a));
	assert_needs(b, "");
	bw_bodies_free(b);
}

static void test_what_has_no_digest_is_no_need(void **state)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest none = {0};

	(void)state;
	assert_null(bw_bodies_manifest(b, &none));
	assert_null(bw_bodies_config(b, &none));
	assert_needs(b, "");
	bw_bodies_free(b);
}

static void test_a_body_ends_the_need_of_its_kind(void **state)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest a = digest_of_char('a');
	struct bw_digest c = digest_of_char('c');

	(void)state;
	(void)bw_bodies_manifest(b, &a);
	(void)bw_bodies_config(b, &a);
	(void)bw_bodies_manifest(b, &c);
	put_image(b, 'a', 'c', NULL);
	assert_needs(b, "ca mc");
	assert_string_equal(bw_bodies_manifest(b, &a)->config_type, OCI_CONFIG);
	assert_ptr_equal(bw_bodies_peek_manifest(b, &a), bw_bodies_manifest(b, &a));
	put_config(b, 'a', "linux/arm64");
	assert_string_equal(bw_bodies_config(b, &a)->platform.arch, "arm64");
	assert_ptr_equal(bw_bodies_peek_config(b, &a), bw_bodies_config(b, &a));
	assert_needs(b, "mc");
	bw_bodies_free(b);
}

static void test_what_is_put_is_taken_over(void **state)
{
	static const char body[] = "{\"config\":{\"User\":\"u\"}}";
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest a = digest_of_char('a');
	struct bw_config c = {0};
	struct bw_manifest m = {.kind = BW_MANIFEST_IMAGE};

	(void)state;
	assert_int_equal(bw_config_parse(body, sizeof(body) - 1, &c, NULL), 0);
	bw_bodies_put_config(b, &a, &c);
	assert_null(c.parts[BW_CONFIG_USER]);
	assert_string_equal(bw_bodies_config(b, &a)->parts[BW_CONFIG_USER], "\"u\"");
	bw_bodies_put_manifest(b, &a, &m);
	assert_int_equal(m.kind, BW_MANIFEST_UNKNOWN);
	bw_bodies_free(b);
}

static void test_the_first_body_of_a_digest_stays(void **state)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest a = digest_of_char('a');
	const struct bw_manifest *m;
	const struct bw_config *c;

	(void)state;
	PUT_INDEX(b, 'a', {'b', "linux/amd64", NULL});
	put_config(b, 'a', "linux/amd64");
	m = bw_bodies_manifest(b, &a);
	c = bw_bodies_config(b, &a);
	PUT_INDEX(b, 'a', {'b', NULL, NULL}, {'c', NULL, NULL});
	put_config(b, 'a', "linux/arm64");
	assert_ptr_equal(bw_bodies_manifest(b, &a), m);
	assert_int_equal(m->child_count, 1);
	assert_ptr_equal(bw_bodies_config(b, &a), c);
	assert_string_equal(c->platform.arch, "amd64");
	bw_bodies_free(b);
}

static void test_what_cannot_be_had_is_not_needed(void **state)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest a = digest_of_char('a');
	const struct bw_answer *why;

	(void)state;
	(void)bw_bodies_manifest(b, &a);
	(void)bw_bodies_config(b, &a);
	put_missing(b, 'a', BW_TROUBLE_TAG_GONE);
	assert_needs(b, "");
	why = bw_bodies_missing(b, &a);
	assert_int_equal(why->trouble, BW_TROUBLE_TAG_GONE);
	assert_null(bw_bodies_manifest(b, &a));
	assert_null(bw_bodies_config(b, &a));
	assert_needs(b, "");
	put_missing(b, 'a', BW_TROUBLE_DNS);
	assert_ptr_equal(bw_bodies_missing(b, &a), why);
	assert_int_equal(why->trouble, BW_TROUBLE_TAG_GONE);
	put_image(b, 'a', 'b', NULL);
	assert_non_null(bw_bodies_manifest(b, &a));
	bw_bodies_free(b);
}

static void test_values_stay_where_they_are_among_many(void **state)
{
	static const char digits[] = "0123456789abcdef";
	struct bw_bodies *b = bw_bodies_new();
	const struct bw_manifest *first;
	struct bw_digest d = digest_of_char('0');

	(void)state;
	put_image(b, '0', '1', NULL);
	first = bw_bodies_manifest(b, &d);
	for (size_t i = 0; i < 256; i++) {
		d.text[8] = digits[i / 16];
		d.text[9] = digits[i % 16];
		(void)bw_bodies_manifest(b, &d);
		(void)bw_bodies_config(b, &d);
	}
	d = digest_of_char('0');
	assert_ptr_equal(bw_bodies_manifest(b, &d), first);
	assert_string_equal(first->config.text, digest_of_char('1').text);
	bw_bodies_free(b);
	bw_bodies_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_known_is_noted_once),
		cmocka_unit_test(test_a_look_notes_nothing),
		cmocka_unit_test(test_what_has_no_digest_is_no_need),
		cmocka_unit_test(test_a_body_ends_the_need_of_its_kind),
		cmocka_unit_test(test_what_is_put_is_taken_over),
		cmocka_unit_test(test_the_first_body_of_a_digest_stays),
		cmocka_unit_test(test_what_cannot_be_had_is_not_needed),
		cmocka_unit_test(test_values_stay_where_they_are_among_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
