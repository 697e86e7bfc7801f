/* test_reference.c - the grammar and the normal form of image references, by tables, and what tables cannot
 * say. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "image/reference.h"
#include "unit/table.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { TEXT, REGISTRY, REPOSITORY, TAG, DIGEST, NORMAL, BASE, FAMILIAR, GOOD_FIELDS };
enum { BAD_TEXT, BAD_OFFSET, BAD_MESSAGE, BAD_FIELDS };

/* A copy without the NUL, so a sanitizer notices a byte read too far. */
static int parse_exact(const char *s, size_t len, struct bw_reference *ret, size_t *ret_offset,
		       struct bw_err *err)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, s, len);
	rc = bw_reference_parse(copy, len, ret, ret_offset, err);
	free(copy);
	return rc;
}

static void check_forms(const struct bw_reference *r, char **fields)
{
	char *normal = bw_reference_format(r);
	char *base = bw_reference_base(r);

	assert_string_equal(normal, fields[NORMAL]);
	assert_string_equal(base ? base : "", fields[BASE]);
	assert_string_equal(bw_reference_familiar(normal), fields[FAMILIAR]);
	free(normal);
	free(base);
}

static void check_good(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	BW_AUTOREFERENCE struct bw_reference r = {0};
	size_t offset = 77;

	(void)count;
	(void)arg;
	if (parse_exact(fields[TEXT], lens[TEXT], &r, &offset, &err) < 0)
		fail_msg("'%s' is refused: %s", fields[TEXT], err.msg);
	assert_string_equal(r.registry, fields[REGISTRY]);
	assert_string_equal(r.repository, fields[REPOSITORY]);
	assert_string_equal(r.tag ? r.tag : "", fields[TAG]);
	assert_string_equal(r.digest.text, fields[DIGEST]);
	assert_int_equal(err.code, BW_OK);
	assert_int_equal(offset, 77);
	check_forms(&r, fields);
}

static void test_valid(void **state)
{
	(void)state;
	table_each("reference.tsv", GOOD_FIELDS, check_good, NULL);
}

/* What the normal form says is read back as the same, and so is what people are shown. */
static void check_again(char **fields, size_t *lens, size_t count, void *arg)
{
	const char *forms[] = {fields[NORMAL], fields[FAMILIAR]};

	(void)lens;
	(void)count;
	(void)arg;
	for (size_t i = 0; i < BW_COUNT(forms); i++) {
		BW_AUTOREFERENCE struct bw_reference r = {0};

		assert_int_equal(bw_reference_parse(forms[i], strlen(forms[i]), &r, NULL, NULL), 0);
		assert_string_equal(r.registry, fields[REGISTRY]);
		assert_string_equal(r.repository, fields[REPOSITORY]);
		check_forms(&r, fields);
	}
}

static void test_normal_form_is_stable(void **state)
{
	(void)state;
	table_each("reference.tsv", GOOD_FIELDS, check_again, NULL);
}

static void check_bad(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_reference r;
	struct bw_reference before;
	size_t offset = 77777;

	(void)count;
	(void)arg;
	memset(&before, 0x5a, sizeof(before));
	r = before;
	assert_int_equal(parse_exact(fields[BAD_TEXT], lens[BAD_TEXT], &r, &offset, &err), BW_E_INPUT);
	assert_int_equal(err.code, BW_E_INPUT);
	if (!strstr(err.msg, fields[BAD_MESSAGE]))
		fail_msg("'%s': the message is '%s', without '%s'", fields[BAD_TEXT], err.msg,
			 fields[BAD_MESSAGE]);
	assert_in_range(strlen(err.msg), 1, 160);
	if (offset != strtoul(fields[BAD_OFFSET], NULL, 10))
		fail_msg("'%s': byte %zu, expected %s (%s)", fields[BAD_TEXT], offset, fields[BAD_OFFSET],
			 err.msg);
	/* On failure the out parameter stays as it was. */
	assert_memory_equal(&r, &before, sizeof(r));
}

static void test_invalid(void **state)
{
	(void)state;
	table_each("reference_bad.tsv", BAD_FIELDS, check_bad, NULL);
}

static void test_needs_neither_offset_nor_err(void **state)
{
	struct bw_reference r = {0};

	(void)state;
	assert_int_equal(bw_reference_parse("Foo", 3, &r, NULL, NULL), BW_E_INPUT);
	assert_int_equal(bw_reference_parse("a@b", 3, &r, NULL, NULL), BW_E_INPUT);
	assert_int_equal(bw_reference_parse(NULL, 0, &r, NULL, NULL), BW_E_INPUT);
	assert_null(r.registry);
}

static void test_reads_only_its_length(void **state)
{
	BW_AUTOREFERENCE struct bw_reference r = {0};

	(void)state;
	assert_int_equal(bw_reference_parse("debian:12/evil", 9, &r, NULL, NULL), 0);
	assert_string_equal(r.repository, "library/debian");
	assert_string_equal(r.tag, "12");
}

/* Whatever byte stands there, the message is visible ASCII. */
static void test_messages_are_harmless(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *const around[][2] = {
			{"a", "b"}, {"a:", "b"}, {"a.b", "/c"}, {"a@", "b:0"}, {"a@sha256:", ""}};

		for (size_t i = 0; i < BW_COUNT(around); i++) {
			struct bw_err err = BW_ERR_INIT;
			BW_AUTOREFERENCE struct bw_reference r = {0};
			char text[32];
			size_t before = strlen(around[i][0]);
			size_t len = before + 1 + strlen(around[i][1]);
			size_t offset = 0;

			memcpy(text, around[i][0], before);
			text[before] = (char)c;
			memcpy(text + before + 1, around[i][1], strlen(around[i][1]));
			if (parse_exact(text, len, &r, &offset, &err) == 0)
				continue;
			assert_in_range(offset, 0, len);
			for (const char *m = err.msg; *m; m++)
				assert_in_range(*m, ' ', '~');
		}
	}
}

static void test_tag_to_watch(void **state)
{
	struct bw_reference r = {0};

	(void)state;
	assert_string_equal(bw_reference_tag(&r), "latest");
	r.tag = bw_strdup("12");
	assert_string_equal(bw_reference_tag(&r), "12");
	assert_int_equal(bw_digest_parse("sha256:" HEX64, 71, &r.digest, NULL), 0);
	assert_string_equal(bw_reference_tag(&r), "12");
	free(BW_TAKE(r.tag));
	assert_null(bw_reference_tag(&r));
	bw_reference_done(&r);
	assert_string_equal(r.digest.text, "");
	bw_reference_done(&r); /* done twice is done once */
}

static void test_familiar_takes_other_text(void **state)
{
	(void)state;
	assert_string_equal(bw_reference_familiar("debian:12"), "debian:12");
	assert_string_equal(bw_reference_familiar("quay.io/library/x:1"), "quay.io/library/x:1");
	assert_string_equal(bw_reference_familiar("docker.io.example/library/x:1"),
			    "docker.io.example/library/x:1");
	assert_string_equal(bw_reference_familiar("docker.io/libraryx/y:1"), "libraryx/y:1");
	assert_string_equal(bw_reference_familiar(""), "");
}

static void test_api_host(void **state)
{
	(void)state;
	assert_string_equal(bw_reference_api_host("docker.io"), "registry-1.docker.io");
	assert_string_equal(bw_reference_api_host("quay.io"), "quay.io");
	assert_string_equal(bw_reference_api_host("localhost:5000"), "localhost:5000");
	assert_string_equal(bw_reference_api_host("docker.io:443"), "docker.io:443");
	assert_string_equal(bw_reference_api_host("Docker.io"), "Docker.io");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_normal_form_is_stable),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_needs_neither_offset_nor_err),
		cmocka_unit_test(test_reads_only_its_length),
		cmocka_unit_test(test_messages_are_harmless),
		cmocka_unit_test(test_tag_to_watch),
		cmocka_unit_test(test_familiar_takes_other_text),
		cmocka_unit_test(test_api_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
