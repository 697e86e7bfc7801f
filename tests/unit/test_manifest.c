/* test_manifest.c - manifest bodies: kinds, children, hostile ones, and the child that a build would get. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "image/manifest.h"
#include "unit/table.h"

#define OCI_INDEX   "application/vnd.oci.image.index.v1+json"
#define OCI_IMAGE   "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_V2   "application/vnd.docker.distribution.manifest.v2+json"

#define EIGHT(c)       c c c c c c c c
#define DIGEST_TEXT(c) "sha256:" EIGHT(EIGHT(c))
#define CHILD(c, media_type, more) \
	"{\"mediaType\":\"" media_type "\",\"digest\":\"" DIGEST_TEXT(c) "\",\"size\":7" more "}"
#define ON(os, arch)	       ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"
#define WITH(os, arch, member) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"," member "}"
#define NOTE(key)	       ",\"annotations\":{\"" key "\":\"x\"}"

static int parse_exact(const char *body, size_t len, const char *content_type, struct bw_manifest *ret,
		       struct bw_err *err)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, body, len);
	rc = bw_manifest_parse(copy, len, content_type, ret, err);
	free(copy);
	return rc;
}

/* An OCI index of these children. */
static struct bw_manifest make(const char *const *children, size_t count)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest m = {0};
	BW_AUTOBUF struct bw_buf body;

	bw_buf_init(&body, 1U << 20);
	assert_true(bw_buf_adds(&body, "{\"schemaVersion\":2,\"manifests\":["));
	for (size_t i = 0; i < count; i++)
		assert_true(bw_buf_addf(&body, "%s%s", i ? "," : "", children[i]));
	assert_true(bw_buf_adds(&body, "]}"));
	if (parse_exact(body.data, body.len, OCI_INDEX, &m, &err) < 0)
		fail_msg("%s", err.msg);
	return m;
}

#define MAKE(children) make(children, BW_COUNT(children))

static struct bw_digest digest_of_char(char c)
{
	struct bw_digest d = {0};

	memcpy(d.text, "sha256:", 7);
	memset(d.text + 7, c, 64);
	return d;
}

/* --- parsing ---------------------------------------------------------------------------------- */

enum { CONTENT_TYPE, BODY, OUTCOME, WORDS, CHILDREN, FIELDS };

static void check_refused(char **fields, size_t *lens, const char *content_type)
{
	int expected = strcmp(fields[OUTCOME], "limit") == 0 ? BW_E_LIMIT : BW_E_PEER;
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest before;
	struct bw_manifest m;

	memset(&before, 0x5a, sizeof(before));
	m = before;
	assert_int_equal(parse_exact(fields[BODY], lens[BODY], content_type, &m, &err), expected);
	assert_int_equal(err.code, expected);
	/* The rest of a message about JSON is the library's own text. */
	if (strncmp(err.msg, fields[WORDS], strlen(fields[WORDS])) != 0 ||
	    (strlen(err.msg) != strlen(fields[WORDS]) && !strstr(err.msg, "not valid JSON")))
		fail_msg("the message is '%s', expected '%s'", err.msg, fields[WORDS]);
	for (const char *c = err.msg; *c; c++)
		assert_in_range(*c, ' ', '~');
	assert_memory_equal(&m, &before, sizeof(m));
	assert_int_equal(parse_exact(fields[BODY], lens[BODY], content_type, &m, NULL), expected);
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	const char *content_type = strcmp(fields[CONTENT_TYPE], "-") == 0 ? NULL : fields[CONTENT_TYPE];
	bool is_index = strcmp(fields[OUTCOME], "index") == 0;
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest m = {0};

	(void)count;
	(void)arg;
	if (!is_index && strcmp(fields[OUTCOME], "image") != 0) {
		check_refused(fields, lens, content_type);
		return;
	}
	if (parse_exact(fields[BODY], lens[BODY], content_type, &m, &err) < 0)
		fail_msg("refused: %s", err.msg);
	assert_int_equal(m.kind, is_index ? BW_MANIFEST_INDEX : BW_MANIFEST_IMAGE);
	assert_string_equal(m.media_type, fields[WORDS]);
	assert_int_equal(m.child_count, strtoul(fields[CHILDREN], NULL, 10));
	assert_int_equal(err.code, BW_OK);
	bw_manifest_done(&m);
	assert_null(m.children);
	bw_manifest_done(&m);
}

static void test_bodies(void **state)
{
	(void)state;
	table_each("manifest.tsv", FIELDS, check_row, NULL);
}

static void test_children_keep_what_the_index_says(void **state)
{
	static const char *const children[] = {
		CHILD("a", DOCKER_V2, WITH("linux", "arm", "\"variant\":\"v6\"")),
		CHILD("b", OCI_IMAGE "; charset=utf-8",
		      WITH("Windows", "x86_64", "\"os.version\":\"10.0.1.2\"")),
		CHILD("c", OCI_INDEX, ""),
	};
	struct bw_manifest m = MAKE(children);
	char out[BW_PLATFORM_MAX];

	(void)state;
	assert_int_equal(m.child_count, 3);
	assert_string_equal(m.children[0].digest.text, DIGEST_TEXT("a"));
	assert_int_equal(m.children[0].size, 7);
	assert_string_equal(m.children[0].media_type, DOCKER_V2);
	assert_string_equal(bw_platform_format(&m.children[0].platform, out), "linux/arm/v6");
	assert_string_equal(m.children[1].media_type, OCI_IMAGE);
	assert_string_equal(bw_platform_format(&m.children[1].platform, out), "windows(10.0.1.2)/amd64");
	assert_string_equal(m.children[2].media_type, OCI_INDEX);
	assert_string_equal(m.children[2].platform.os, "");
	assert_false(m.children[2].is_attestation);
	bw_manifest_done(&m);
}

static void test_attestations_are_known(void **state)
{
	static const char *const children[] = {
		CHILD("a", OCI_IMAGE, ON("unknown", "unknown")),
		CHILD("b", OCI_IMAGE, ON("linux", "amd64") NOTE("vnd.docker.reference.type")),
		CHILD("c", OCI_IMAGE, ON("linux", "amd64") NOTE("vnd.docker.reference.digest")),
		CHILD("d", OCI_IMAGE, ON("unknown", "amd64")),
	};
	struct bw_manifest m = MAKE(children);

	(void)state;
	assert_true(m.children[0].is_attestation);
	assert_true(m.children[1].is_attestation);
	assert_false(m.children[2].is_attestation);
	assert_false(m.children[3].is_attestation);
	bw_manifest_done(&m);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void repeat(struct bw_buf *b, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		assert_true(bw_buf_adds(b, text));
}

static void check_limit(const struct bw_buf *b, const char *message)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest m = {0};

	assert_int_equal(bw_manifest_parse(b->data, b->len, NULL, &m, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, message);
	assert_null(m.children);
}

static void test_a_body_is_not_larger_than_4_MiB(void **state)
{
	struct bw_manifest m = {0};
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 8U << 20);
	assert_true(bw_buf_adds(&b, "{\"manifests\":[],\"x\":\""));
	repeat(&b, "0123456789abcdef", (4U << 20) / 16 - 2);
	while (b.len < (4U << 20) - 2)
		assert_true(bw_buf_addc(&b, 'x'));
	assert_true(bw_buf_adds(&b, "\"}"));
	assert_int_equal(b.len, 4U << 20);
	assert_int_equal(bw_manifest_parse(b.data, b.len, NULL, &m, NULL), 0);
	bw_manifest_done(&m);
	assert_true(bw_buf_addc(&b, ' '));
	check_limit(&b, "manifest is larger than 4194304 bytes");
}

/* A small body that a parser would blow up to hundreds of MiB. */
static void test_a_body_has_not_too_many_values(void **state)
{
	static const char *const units[] = {"[],", "{},", "1,", "\"a\":1,"};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(units); i++) {
		BW_AUTOBUF struct bw_buf b;

		bw_buf_init(&b, 8U << 20);
		assert_true(bw_buf_adds(&b, "{\"manifests\":["));
		repeat(&b, units[i], 200001);
		check_limit(&b, "manifest has more than 200000 values");
	}
}

static void test_an_index_has_at_most_1000_children(void **state)
{
	struct bw_manifest m = {0};
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 1U << 20);
	assert_true(bw_buf_adds(&b, "{\"manifests\":["));
	repeat(&b, CHILD("a", OCI_IMAGE, "") ",", 999);
	assert_true(bw_buf_adds(&b, CHILD("b", OCI_IMAGE, "") "]}"));
	assert_int_equal(bw_manifest_parse(b.data, b.len, NULL, &m, NULL), 0);
	assert_int_equal(m.child_count, 1000);
	assert_string_equal(m.children[999].digest.text, DIGEST_TEXT("b"));
	bw_manifest_done(&m);
	b.len -= 2;
	assert_true(bw_buf_adds(&b, "," CHILD("b", OCI_IMAGE, "") "]}"));
	check_limit(&b, "index has 1001 entries, more than 1000");
}

static void test_commas_in_strings_are_no_values(void **state)
{
	struct bw_manifest m = {0};
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 8U << 20);
	assert_true(bw_buf_adds(&b, "{\"manifests\":[],\"x\":\""));
	repeat(&b, "\\\",[{", 300000);
	assert_true(bw_buf_adds(&b, "\"}"));
	assert_int_equal(bw_manifest_parse(b.data, b.len, NULL, &m, NULL), 0);
	assert_int_equal(m.kind, BW_MANIFEST_INDEX);
	bw_manifest_done(&m);
}

static void test_empty_bodies_need_no_memory(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest m = {0};

	(void)state;
	assert_int_equal(bw_manifest_parse(NULL, 0, NULL, &m, &err), BW_E_PEER);
	assert_non_null(strstr(err.msg, "manifest is not valid JSON"));
}

/* --- kinds ------------------------------------------------------------------------------------ */

static void test_kinds(void **state)
{
	static const struct {
		const char *media_type;
		enum bw_manifest_kind kind;
	} rows[] = {
		{OCI_INDEX, BW_MANIFEST_INDEX},
		{DOCKER_LIST, BW_MANIFEST_INDEX},
		{OCI_IMAGE, BW_MANIFEST_IMAGE},
		{DOCKER_V2, BW_MANIFEST_IMAGE},
		{OCI_INDEX ";charset=utf-8", BW_MANIFEST_INDEX},
		{OCI_INDEX " ; charset=\"utf-8\"", BW_MANIFEST_INDEX},
		{"\t " OCI_IMAGE " ", BW_MANIFEST_IMAGE},
		{"APPLICATION/VND.OCI.IMAGE.INDEX.V1+JSON", BW_MANIFEST_INDEX},
		{OCI_INDEX "x", BW_MANIFEST_UNKNOWN},
		{OCI_INDEX " x", BW_MANIFEST_UNKNOWN},
		{OCI_INDEX ", " OCI_IMAGE, BW_MANIFEST_UNKNOWN},
		{"application/vnd.docker.distribution.manifest.v1+json", BW_MANIFEST_UNKNOWN},
		{"application/vnd.docker.distribution.manifest.v1+prettyjws", BW_MANIFEST_UNKNOWN},
		{"application/vnd.oci.image.config.v1+json", BW_MANIFEST_UNKNOWN},
		{"application/json", BW_MANIFEST_UNKNOWN},
		{"", BW_MANIFEST_UNKNOWN},
		{";", BW_MANIFEST_UNKNOWN},
		{NULL, BW_MANIFEST_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		if (bw_manifest_kind_of(rows[i].media_type) != rows[i].kind)
			fail_msg("'%s'", rows[i].media_type ? rows[i].media_type : "(none)");
}

static void test_every_kind_is_asked_for(void **state)
{
	static const char *const types[] = {OCI_INDEX, DOCKER_LIST, OCI_IMAGE, DOCKER_V2};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(types); i++)
		assert_non_null(strstr(BW_MANIFEST_ACCEPT, types[i]));
}

/* --- the child that a build would get --------------------------------------------------------- */

/* `want` NULL: no platform wanted. */
static bool has(const struct bw_manifest *m, char c, const char *want)
{
	struct bw_digest d = digest_of_char(c);
	struct bw_platform p = {0};

	if (want)
		assert_int_equal(bw_platform_parse(want, strlen(want), &p, NULL), 0);
	return bw_manifest_has_child(m, &d, want ? &p : NULL);
}

static void test_child_of_the_wanted_platform(void **state)
{
	static const char *const children[] = {
		CHILD("a", OCI_IMAGE, ON("linux", "amd64")),
		CHILD("b", OCI_IMAGE, WITH("linux", "arm64", "\"variant\":\"v8\"")),
		CHILD("c", DOCKER_V2, WITH("linux", "arm", "\"variant\":\"v7\"")),
	};
	struct bw_manifest m = MAKE(children);
	struct bw_digest none = {0};

	(void)state;
	assert_true(has(&m, 'a', "linux/amd64"));
	assert_false(has(&m, 'a', "linux/arm64"));
	assert_true(has(&m, 'b', "linux/arm64"));
	assert_true(has(&m, 'c', "linux/arm"));
	assert_false(has(&m, 'c', "linux/arm/v6"));
	assert_false(has(&m, 'b', "windows/arm64"));
	assert_false(has(&m, 'd', "linux/amd64"));
	assert_true(has(&m, 'b', NULL));
	assert_false(has(&m, 'd', NULL));
	assert_true(bw_manifest_has_child(&m, &m.children[1].digest, &(struct bw_platform){0}));
	assert_false(bw_manifest_has_child(&m, &none, NULL));
	bw_manifest_done(&m);
}

static void test_attestations_and_nested_indexes_are_no_child_images(void **state)
{
	static const char *const children[] = {
		CHILD("a", OCI_IMAGE, ON("unknown", "unknown")),
		CHILD("b", OCI_INDEX, ON("linux", "amd64")),
		CHILD("c", "application/json", ON("linux", "amd64")),
		CHILD("d", OCI_IMAGE, ON("linux", "amd64") NOTE("vnd.docker.reference.type")),
	};
	struct bw_manifest m = MAKE(children);

	(void)state;
	assert_false(has(&m, 'a', NULL));
	assert_false(has(&m, 'a', "unknown/unknown"));
	assert_false(has(&m, 'b', NULL));
	assert_false(has(&m, 'b', "linux/amd64"));
	assert_false(has(&m, 'c', NULL));
	assert_false(has(&m, 'd', "linux/amd64"));
	bw_manifest_done(&m);
}

static void test_child_without_platform_counts_when_it_is_the_only_image(void **state)
{
	static const char *const alone[] = {
		CHILD("a", OCI_IMAGE, ""),
		CHILD("b", OCI_IMAGE, ON("unknown", "unknown")),
	};
	static const char *const in_company[] = {
		CHILD("a", OCI_IMAGE, ""),
		CHILD("b", OCI_IMAGE, ON("linux", "arm64")),
	};
	struct bw_manifest one = MAKE(alone);
	struct bw_manifest two = MAKE(in_company);

	(void)state;
	assert_true(has(&one, 'a', "linux/amd64"));
	assert_false(has(&one, 'b', "linux/amd64"));
	assert_false(has(&two, 'a', "linux/amd64"));
	assert_true(has(&two, 'a', NULL));
	assert_true(has(&two, 'b', "linux/arm64"));
	bw_manifest_done(&one);
	bw_manifest_done(&two);
}

static void test_of_several_children_with_one_platform_the_first_counts(void **state)
{
	static const char *const children[] = {
		CHILD("f", OCI_IMAGE, ON("unknown", "unknown")),
		CHILD("a", OCI_IMAGE, ON("linux", "arm64")),
		CHILD("b", OCI_IMAGE, WITH("linux", "arm64", "\"variant\":\"v8\"")),
		CHILD("a", OCI_IMAGE, ON("linux", "arm64")),
	};
	struct bw_manifest m = MAKE(children);

	(void)state;
	assert_true(has(&m, 'a', "linux/arm64"));
	assert_false(has(&m, 'b', "linux/arm64"));
	assert_true(has(&m, 'b', NULL));
	bw_manifest_done(&m);
}

static void test_windows_versions_are_different_platforms(void **state)
{
	static const char *const children[] = {
		CHILD("a", DOCKER_V2, WITH("windows", "amd64", "\"os.version\":\"10.0.17763.5\"")),
		CHILD("b", DOCKER_V2, WITH("windows", "amd64", "\"os.version\":\"10.0.20348.7\"")),
	};
	struct bw_manifest m = MAKE(children);

	(void)state;
	assert_true(has(&m, 'a', "windows/amd64"));
	assert_true(has(&m, 'b', "windows/amd64"));
	assert_true(has(&m, 'b', "windows(10.0.20348)/amd64"));
	assert_false(has(&m, 'a', "windows(10.0.20348)/amd64"));
	bw_manifest_done(&m);
}

static void test_an_image_has_no_children(void **state)
{
	struct bw_manifest m = {0};

	(void)state;
	assert_int_equal(bw_manifest_parse("{\"layers\":[]}", 13, OCI_IMAGE, &m, NULL), 0);
	assert_false(has(&m, 'a', NULL));
	bw_manifest_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_children_keep_what_the_index_says),
		cmocka_unit_test(test_attestations_are_known),
		cmocka_unit_test(test_a_body_is_not_larger_than_4_MiB),
		cmocka_unit_test(test_a_body_has_not_too_many_values),
		cmocka_unit_test(test_an_index_has_at_most_1000_children),
		cmocka_unit_test(test_commas_in_strings_are_no_values),
		cmocka_unit_test(test_empty_bodies_need_no_memory),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_every_kind_is_asked_for),
		cmocka_unit_test(test_child_of_the_wanted_platform),
		cmocka_unit_test(test_attestations_and_nested_indexes_are_no_child_images),
		cmocka_unit_test(test_child_without_platform_counts_when_it_is_the_only_image),
		cmocka_unit_test(test_of_several_children_with_one_platform_the_first_counts),
		cmocka_unit_test(test_windows_versions_are_different_platforms),
		cmocka_unit_test(test_an_image_has_no_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
