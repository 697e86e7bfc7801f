/* test_manifest.c - manifest bodies: kinds, children, layers, and hostile ones. */
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

static void test_annotations_are_kept_in_a_form_that_can_be_compared(void **state)
{
	static const char *const children[] = {
		CHILD("a", OCI_IMAGE, ",\"annotations\":{ \"b\" : \"\\u00e9\\/\", \"a\":\"1\"}"),
		CHILD("b", OCI_IMAGE, ",\"annotations\":{}"),
		CHILD("c", OCI_IMAGE, ",\"annotations\":null"),
		CHILD("d", OCI_IMAGE, ",\"annotations\":{\"n\":[1,null,{\"y\":2,\"x\":true}]}"),
		CHILD("e", OCI_IMAGE, ""),
	};
	struct bw_manifest m = MAKE(children);

	(void)state;
	assert_string_equal(m.children[0].annotations, "{\"a\":\"1\",\"b\":\"\xc3\xa9/\"}");
	assert_null(m.children[1].annotations);
	assert_null(m.children[2].annotations);
	assert_string_equal(m.children[3].annotations, "{\"n\":[1,null,{\"x\":true,\"y\":2}]}");
	assert_null(m.children[4].annotations);
	bw_manifest_done(&m);
}

/* --- an image --------------------------------------------------------------------------------- */

#define DESCRIPTOR(c, more) "{\"digest\":\"" DIGEST_TEXT(c) "\"" more "}"
#define FOREIGN \
	",\"mediaType\":\"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"urls\":[\"x\"]"

static struct bw_manifest make_image(const char *body)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest m = {0};

	if (parse_exact(body, strlen(body), OCI_IMAGE, &m, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(m.kind, BW_MANIFEST_IMAGE);
	return m;
}

static const char layered[] =
	"{\"config\":" DESCRIPTOR("c", ",\"mediaType\":\"application/x; y\"") ",\"layers\":[" DESCRIPTOR(
		"a", ",\"size\":9007199254740993") "," DESCRIPTOR("b", FOREIGN) "," DESCRIPTOR("a", "") "]}";

static void test_an_image_has_layers_and_a_configuration(void **state)
{
	struct bw_manifest m = make_image(layered);

	(void)state;
	assert_string_equal(m.config.text, DIGEST_TEXT("c"));
	assert_string_equal(m.config_type, "application/x");
	assert_int_equal(m.layer_count, 3);
	assert_string_equal(m.layers[0].digest.text, DIGEST_TEXT("a"));
	assert_int_equal(m.layers[0].size, 9007199254740993);
	assert_string_equal(m.layers[1].digest.text, DIGEST_TEXT("b"));
	assert_int_equal(m.layers[1].size, 0);
	assert_string_equal(m.layers[2].digest.text, DIGEST_TEXT("a"));
	bw_manifest_done(&m);
	assert_null(m.layers);
	assert_int_equal(m.layer_count, 0);
}

static void test_an_image_may_lack_layers_or_a_configuration(void **state)
{
	static const char *const bodies[] = {
		"{\"config\":{\"mediaType\":\"application/x\"}}",
		"{\"config\":{\"mediaType\":\"application/x\"},\"layers\":null}",
		"{\"config\":{\"digest\":null},\"layers\":[]}",
		"{\"layers\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(bodies); i++) {
		struct bw_manifest m = make_image(bodies[i]);

		assert_int_equal(m.layer_count, 0);
		assert_null(m.layers);
		assert_false(bw_digest_is_set(&m.config));
		assert_string_equal(m.config_type, "");
		bw_manifest_done(&m);
	}
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
	assert_null(m.layers);
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

static void test_an_image_has_at_most_1000_layers(void **state)
{
	struct bw_manifest m = {0};
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 1U << 20);
	assert_true(bw_buf_adds(&b, "{\"layers\":["));
	repeat(&b, DESCRIPTOR("a", "") ",", 999);
	assert_true(bw_buf_adds(&b, DESCRIPTOR("b", "") "]}"));
	assert_int_equal(bw_manifest_parse(b.data, b.len, NULL, &m, NULL), 0);
	assert_int_equal(m.layer_count, 1000);
	assert_string_equal(m.layers[999].digest.text, DIGEST_TEXT("b"));
	bw_manifest_done(&m);
	b.len -= 2;
	assert_true(bw_buf_adds(&b, "," DESCRIPTOR("b", "") "]}"));
	check_limit(&b, "image has 1001 layers, more than 1000");
}

static void test_annotations_beyond_64_KiB_are_left_out(void **state)
{
	static const char tail[] = "\"}}]}";
	struct bw_manifest m = {0};
	BW_AUTOBUF struct bw_buf b;
	size_t start;

	(void)state;
	bw_buf_init(&b, 1U << 20);
	assert_true(bw_buf_adds(&b, "{\"manifests\":[{\"digest\":\"" DIGEST_TEXT("a") "\",\"annotations\":"));
	start = b.len;
	assert_true(bw_buf_adds(&b, "{\"vnd.docker.reference.type\":\""));
	while (b.len - start < BW_ANNOTATIONS_MAX - 2)
		assert_true(bw_buf_addc(&b, 'x'));
	assert_true(bw_buf_adds(&b, tail));
	assert_int_equal(bw_manifest_parse(b.data, b.len, OCI_INDEX, &m, NULL), 0);
	assert_int_equal(strlen(m.children[0].annotations), BW_ANNOTATIONS_MAX);
	bw_manifest_done(&m);
	b.len -= strlen(tail);
	assert_true(bw_buf_addf(&b, "x%s", tail));
	assert_int_equal(bw_manifest_parse(b.data, b.len, OCI_INDEX, &m, NULL), 0);
	assert_null(m.children[0].annotations);
	assert_true(m.children[0].is_attestation);
	bw_manifest_done(&m);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_children_keep_what_the_index_says),
		cmocka_unit_test(test_attestations_are_known),
		cmocka_unit_test(test_annotations_are_kept_in_a_form_that_can_be_compared),
		cmocka_unit_test(test_an_image_has_layers_and_a_configuration),
		cmocka_unit_test(test_an_image_may_lack_layers_or_a_configuration),
		cmocka_unit_test(test_a_body_is_not_larger_than_4_MiB),
		cmocka_unit_test(test_a_body_has_not_too_many_values),
		cmocka_unit_test(test_an_index_has_at_most_1000_children),
		cmocka_unit_test(test_an_image_has_at_most_1000_layers),
		cmocka_unit_test(test_annotations_beyond_64_KiB_are_left_out),
		cmocka_unit_test(test_commas_in_strings_are_no_values),
		cmocka_unit_test(test_empty_bodies_need_no_memory),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_every_kind_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
