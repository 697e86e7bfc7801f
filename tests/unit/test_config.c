/* test_config.c - configurations of images: what they say, how they are compared, and hostile ones. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "image/config.h"

#define EIGHT(c) c c c c c c c c
#define DIGEST_A "sha256:" EIGHT(EIGHT("a"))
#define DIGEST_B "sha256:" EIGHT(EIGHT("b"))

/* A copy of exactly this size, so that AddressSanitizer sees a read behind it. */
static int parse_exact(const char *body, size_t len, struct bw_config *ret, struct bw_err *err)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, body, len);
	rc = bw_config_parse(copy, len, ret, err);
	free(copy);
	return rc;
}

/* Single quotes stand for double ones. */
static struct bw_config make(const char *text)
{
	BW_AUTOFREE char *body = bw_strdup(text);
	struct bw_err err = BW_ERR_INIT;
	struct bw_config c = {0};

	for (char *quote = strchr(body, '\''); quote; quote = strchr(quote, '\''))
		*quote = '"';
	if (parse_exact(body, strlen(body), &c, &err) < 0)
		fail_msg("%s: %s", body, err.msg);
	return c;
}

static void assert_part(const struct bw_config *c, enum bw_config_part part, const char *expected)
{
	if (!expected)
		assert_null(c->parts[part]);
	else if (!c->parts[part])
		fail_msg("part %d is not there, expected %s", (int)part, expected);
	else
		assert_string_equal(c->parts[part], expected);
}

/* --- parsing ---------------------------------------------------------------------------------- */

static const char full[] =
	"{'created':'2024-01-02T03:04:05Z','author':'me','architecture':'aarch64','os':'Linux','variant':'v8'"
	","
	"'os.features':['x'],'docker_version':'','container':'c1',"
	"'config':{'Env':['PATH=/bin','A=1'],'Labels':{'b':'2','a':'1'},'Entrypoint':['/e'],'Cmd':['c'],"
	"'User':'0:0','WorkingDir':'/w','ExposedPorts':{'80/tcp':{}},'Volumes':{'/v':{}},"
	"'Healthcheck':{'Test':['NONE']},'StopSignal':'SIGINT','Shell':['/bin/sh','-c'],'OnBuild':['RUN x'],"
	"'Hostname':'h','Tty':false,'Image':''},"
	"'rootfs':{'type':'layers','diff_ids':['" DIGEST_A "','" DIGEST_B "']},"
	"'history':[{'created':'2024-01-01T00:00:00Z','created_by':'ADD','comment':''},"
	"{'created_by':'ENV','empty_layer':true}]}";

static void test_a_configuration_names_its_platform_and_layers(void **state)
{
	struct bw_config c = make(full);
	char out[BW_PLATFORM_MAX];

	(void)state;
	assert_string_equal(bw_platform_format(&c.platform, out), "linux/arm64");
	assert_int_equal(c.diff_count, 2);
	assert_string_equal(c.diff_ids[0].text, DIGEST_A);
	assert_string_equal(c.diff_ids[1].text, DIGEST_B);
	bw_config_done(&c);
	assert_null(c.diff_ids);
	assert_int_equal(c.diff_count, 0);
	bw_config_done(&c);
}

static void test_a_configuration_is_taken_apart(void **state)
{
	struct bw_config c = make(full);

	(void)state;
	assert_part(&c, BW_CONFIG_ENV, "[\"PATH=/bin\",\"A=1\"]");
	assert_part(&c, BW_CONFIG_LABELS, "{\"a\":\"1\",\"b\":\"2\"}");
	assert_part(&c, BW_CONFIG_ENTRYPOINT, "[\"/e\"]");
	assert_part(&c, BW_CONFIG_CMD, "[\"c\"]");
	assert_part(&c, BW_CONFIG_USER, "\"0:0\"");
	assert_part(&c, BW_CONFIG_WORKDIR, "\"/w\"");
	assert_part(&c, BW_CONFIG_PORTS, "{\"80/tcp\":{}}");
	assert_part(&c, BW_CONFIG_VOLUMES, "{\"/v\":{}}");
	assert_part(&c, BW_CONFIG_HEALTHCHECK, "{\"Test\":[\"NONE\"]}");
	assert_part(&c, BW_CONFIG_STOP_SIGNAL, "\"SIGINT\"");
	assert_part(&c, BW_CONFIG_SHELL, "[\"/bin/sh\",\"-c\"]");
	assert_part(&c, BW_CONFIG_ONBUILD, "[\"RUN x\"]");
	assert_part(&c, BW_CONFIG_HISTORY,
		    "[{\"created_by\":\"ADD\"},{\"created_by\":\"ENV\",\"empty_layer\":true}]");
	assert_part(&c, BW_CONFIG_OTHER,
		    "{\"author\":\"me\",\"config\":{\"Hostname\":\"h\"},\"container\":\"c1\",\"os.features\":"
		    "[\"x\"]}");
	assert_part(&c, BW_CONFIG_DATES,
		    "{\"created\":\"2024-01-02T03:04:05Z\",\"history\":[\"2024-01-01T00:00:00Z\",null]}");
	bw_config_done(&c);
}

/* Builders write null, an empty list or nothing, as they please. */
static void test_what_is_empty_is_not_there(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"config\":null,\"rootfs\":null,\"history\":null,\"created\":null,\"os\":null}",
		"{\"config\":{},\"rootfs\":{},\"history\":[],\"created\":\"\",\"author\":\"\"}",
		"{\"config\":{\"Env\":null,\"Labels\":{},\"Cmd\":[],\"User\":\"\",\"Tty\":false,\"N\":0}}",
		"{\"rootfs\":{\"diff_ids\":null}}",
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(bodies); i++) {
		struct bw_config c = make(bodies[i]);

		assert_string_equal(c.platform.os, "");
		assert_int_equal(c.diff_count, 0);
		assert_null(c.diff_ids);
		for (size_t part = 0; part < BW_CONFIG_PART_COUNT; part++)
			assert_part(&c, (enum bw_config_part)part, NULL);
		bw_config_done(&c);
	}
}

static void test_odd_parts_are_kept_as_they_are(void **state)
{
	struct bw_config c = make("{\"config\":{\"Env\":{\"a\":1},\"Labels\":[true],\"Cmd\":7,\"User\":1.5},"
				  "\"history\":{\"created\":1}}");

	(void)state;
	assert_part(&c, BW_CONFIG_ENV, "{\"a\":1}");
	assert_part(&c, BW_CONFIG_LABELS, "[true]");
	assert_part(&c, BW_CONFIG_CMD, "7");
	assert_part(&c, BW_CONFIG_USER, "1.5");
	assert_part(&c, BW_CONFIG_HISTORY, "{\"created\":1}");
	assert_part(&c, BW_CONFIG_DATES, NULL);
	bw_config_done(&c);
	c = make("{\"config\":\"x\",\"history\":[1,null,{}],\"created\":7}");
	assert_part(&c, BW_CONFIG_OTHER, "{\"config\":\"x\"}");
	assert_part(&c, BW_CONFIG_HISTORY, "[1,null,{}]");
	assert_part(&c, BW_CONFIG_DATES, "{\"created\":7}");
	bw_config_done(&c);
}

static void test_malformed_configurations_blame_the_peer(void **state)
{
	static const struct {
		const char *body;
		int code;
		const char *message;
	} rows[] = {
		{"[]", BW_E_PEER, "configuration is not a JSON object"},
		{"{\"a\":1,\"a\":2}", BW_E_PEER,
		 "configuration is not valid JSON: duplicate object key near '\"a\"' (byte 10)"},
		{"{\"rootfs\":[]}", BW_E_PEER, "configuration: 'rootfs' is not an object"},
		{"{\"rootfs\":\"x\"}", BW_E_PEER, "configuration: 'rootfs' is not an object"},
		{"{\"rootfs\":{\"diff_ids\":{}}}", BW_E_PEER, "configuration: 'diff_ids' is not a list"},
		{"{\"rootfs\":{\"diff_ids\":7}}", BW_E_PEER, "configuration: 'diff_ids' is not a list"},
		{"{\"rootfs\":{\"diff_ids\":[null]}}", BW_E_PEER,
		 "configuration: layer 1 of 'diff_ids' is not a string"},
		{"{\"rootfs\":{\"diff_ids\":[\"" DIGEST_A "\",7]}}", BW_E_PEER,
		 "configuration: layer 2 of 'diff_ids' is not a string"},
		{"{\"rootfs\":{\"diff_ids\":[\"sha256:0\"]}}", BW_E_PEER,
		 "'diff_ids' of the configuration: digest is too short: sha256 has 64 hex digits, not 1"},
		{"{\"os\":7}", BW_E_PEER, "configuration: 'os' is not a string"},
		{"{\"os\":\"a b\"}", BW_E_PEER,
		 "configuration: its platform is too long or has characters that no platform has"},
		{"{\"architecture\":\"" EIGHT(EIGHT("x")) "\"}", BW_E_LIMIT,
		 "configuration: 'architecture' of its platform is longer than 63 bytes"},
		{"{\"config\":{\"Labels\":{\"a\\u0000b\":\"\"}}}", BW_E_PEER,
		 "configuration is not valid JSON: NUL byte in object key not supported near '\"a\\u0000b\"' "
		 "(byte 31)"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_err err = BW_ERR_INIT;
		struct bw_config before;
		struct bw_config c;

		memset(&before, 0x5a, sizeof(before));
		c = before;
		assert_int_equal(parse_exact(rows[i].body, strlen(rows[i].body), &c, &err), rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		assert_string_equal(err.msg, rows[i].message);
		assert_memory_equal(&c, &before, sizeof(c));
	}
}

static void test_an_empty_body_needs_no_memory(void **state)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_config c = {0};

	(void)state;
	assert_int_equal(bw_config_parse(NULL, 0, &c, &err), BW_E_PEER);
	assert_non_null(strstr(err.msg, "configuration is not valid JSON"));
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
	struct bw_config c = {0};

	assert_int_equal(bw_config_parse(b->data, b->len, &c, &err), BW_E_LIMIT);
	assert_string_equal(err.msg, message);
	assert_null(c.diff_ids);
}

static void test_a_configuration_has_at_most_1000_layers(void **state)
{
	struct bw_config c = {0};
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 1U << 20);
	assert_true(bw_buf_adds(&b, "{\"rootfs\":{\"diff_ids\":["));
	repeat(&b, "\"" DIGEST_A "\",", 999);
	assert_true(bw_buf_adds(&b, "\"" DIGEST_B "\"]}}"));
	assert_int_equal(bw_config_parse(b.data, b.len, &c, NULL), 0);
	assert_int_equal(c.diff_count, 1000);
	assert_string_equal(c.diff_ids[999].text, DIGEST_B);
	bw_config_done(&c);
	b.len -= 3;
	assert_true(bw_buf_adds(&b, ",\"" DIGEST_B "\"]}}"));
	check_limit(&b, "configuration has 1001 layers, more than 1000");
}

static void test_a_configuration_is_not_larger_than_8_MiB(void **state)
{
	struct bw_config c = {0};
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 16U << 20);
	assert_true(bw_buf_adds(&b, "{\"config\":{\"Labels\":{\"a\":\""));
	repeat(&b, "0123456789abcdef", (8U << 20) / 16 - 3);
	while (b.len < (8U << 20) - 4)
		assert_true(bw_buf_addc(&b, 'x'));
	assert_true(bw_buf_adds(&b, "\"}}}"));
	assert_int_equal(b.len, 8U << 20);
	assert_int_equal(bw_config_parse(b.data, b.len, &c, NULL), 0);
	bw_config_done(&c);
	assert_true(bw_buf_addc(&b, ' '));
	check_limit(&b, "configuration is larger than 8388608 bytes");
}

static void test_a_configuration_has_not_too_many_values(void **state)
{
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 8U << 20);
	assert_true(bw_buf_adds(&b, "{\"x\":["));
	repeat(&b, "[],", 100001);
	check_limit(&b, "configuration has more than 200000 values");
	bw_buf_clear(&b);
	repeat(&b, "{\"a\":", 65);
	check_limit(&b, "configuration nests deeper than 64 levels");
}

/* "1e15" is four bytes, and eighteen when it is written out. */
static void test_a_configuration_does_not_grow_without_limit(void **state)
{
	BW_AUTOBUF struct bw_buf b;

	(void)state;
	bw_buf_init(&b, 8U << 20);
	assert_true(bw_buf_adds(&b, "{\"x\":{\"a\":\""));
	repeat(&b, "0123456789abcdef", (8U << 20) / 16 - 8192);
	assert_true(bw_buf_adds(&b, "\",\"b\":["));
	repeat(&b, "1e15,", 20000);
	assert_true(bw_buf_adds(&b, "0]}}"));
	check_limit(&b, "configuration is too large when written out");
}

/* --- types ------------------------------------------------------------------------------------ */

static void test_types_of_configurations_of_images(void **state)
{
	static const struct {
		const char *media_type;
		bool is_image;
	} rows[] = {
		{"application/vnd.oci.image.config.v1+json", true},
		{"application/vnd.docker.container.image.v1+json", true},
		{" APPLICATION/VND.OCI.IMAGE.CONFIG.V1+JSON ; charset=utf-8", true},
		{"application/vnd.oci.empty.v1+json", false},
		{"application/vnd.cncf.helm.config.v1+json", false},
		{"application/vnd.oci.image.manifest.v1+json", false},
		{"application/vnd.oci.image.config.v1+json x", false},
		{"", false},
		{NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		if (bw_config_is_type(rows[i].media_type) != rows[i].is_image)
			fail_msg("'%s'", rows[i].media_type ? rows[i].media_type : "(none)");
}

/* --- comparing -------------------------------------------------------------------------------- */

/* Both ways must give the same words, but for the names, which come from both sides anyway. */
static void assert_compare_bodies(const char *a, const char *b, const char *expected)
{
	struct bw_config one = make(a);
	struct bw_config other = make(b);
	BW_AUTOBUF struct bw_buf out;

	bw_buf_init(&out, 4096);
	bw_config_compare(&one, &other, &out);
	assert_string_equal(bw_buf_str(&out), expected);
	bw_buf_clear(&out);
	bw_config_compare(&other, &one, &out);
	assert_string_equal(bw_buf_str(&out), expected);
	bw_buf_clear(&out);
	bw_config_compare(&one, &one, &out);
	assert_string_equal(bw_buf_str(&out), "");
	bw_config_done(&one);
	bw_config_done(&other);
}

/* Members of `config`. */
static void assert_compare(const char *a, const char *b, const char *expected)
{
	BW_AUTOBUF struct bw_buf one, other;

	bw_buf_init(&one, 1U << 16);
	bw_buf_init(&other, 1U << 16);
	assert_true(bw_buf_addf(&one, "{\"config\":{%s}}", a));
	assert_true(bw_buf_addf(&other, "{\"config\":{%s}}", b));
	assert_compare_bodies(one.data, other.data, expected);
}

static void test_every_part_that_differs_is_named(void **state)
{
	static const struct {
		const char *a, *b, *expected;
	} rows[] = {
		{"\"Entrypoint\":[\"a\"]", "\"Entrypoint\":[\"b\"]", "entrypoint"},
		{"\"Cmd\":[\"a\",\"b\"]", "\"Cmd\":[\"a b\"]", "command"},
		{"\"Cmd\":\"a\"", "\"Cmd\":[\"a\"]", "command"},
		{"\"User\":\"0\"", "", "user"},
		{"\"WorkingDir\":\"/\"", "\"WorkingDir\":\"/x\"", "working directory"},
		{"\"ExposedPorts\":{\"80/tcp\":{}}", "\"ExposedPorts\":{\"80/tcp\":{},\"443/tcp\":{}}",
		 "ports (443/tcp)"},
		{"\"Volumes\":{\"/a\":{}}", "\"Volumes\":{\"/b\":{}}", "volumes (/a, /b)"},
		{"\"Healthcheck\":{\"Retries\":1}", "\"Healthcheck\":{\"Retries\":2}", "health check"},
		{"\"StopSignal\":\"9\"", "\"StopSignal\":\"15\"", "stop signal"},
		{"\"Shell\":[\"a\"]", "", "shell"},
		{"\"OnBuild\":[\"RUN a\"]", "\"OnBuild\":[\"RUN b\"]", "ONBUILD"},
		{"\"Hostname\":\"a\"", "\"Hostname\":\"b\"", "other members (Hostname)"},
		{"\"User\":\"a\",\"Cmd\":[\"a\"]", "\"User\":\"b\",\"Cmd\":[\"b\"]", "command, user"},
		{"\"User\":\"\",\"Env\":[],\"Tty\":false", "\"OnBuild\":null", ""},
		{"\"Labels\":{\"a\":\"1\",\"b\":\"2\"}", "\"Labels\":{\"b\":\"2\",\"a\":\"1\"}", ""},
		{"\"User\":\"\\u0041\\/\"", "\"User\":\"A/\"", ""},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		assert_compare(rows[i].a, rows[i].b, rows[i].expected);
}

static void test_variables_are_told_by_name(void **state)
{
	static const struct {
		const char *a, *b, *expected;
	} rows[] = {
		{"[\"A=1\",\"B=2\"]", "[\"A=1\",\"B=3\"]", "environment (B)"},
		{"[\"A=1\"]", "[\"B=1\"]", "environment (A, B)"},
		{"[\"A=1=2\"]", "[\"A=1=3\"]", "environment (A)"},
		{"[\"A\"]", "[\"A=\"]", "environment (A)"},
		{"[\"A=1\",\"AB=1\",\"ABC=1\"]", "[\"A=2\",\"AB=1\",\"ABC=2\"]", "environment (A, ABC)"},
		{"[\"A=1\",\"B=1\",\"C=1\"]", "[\"A=2\",\"B=2\",\"C=2\"]", "environment (A, B, C)"},
		{"[\"D=1\",\"B=1\",\"C=1\",\"A=1\"]", "[\"E=1\"]", "environment (A, B, C and 2 more)"},
		{"[\"=x\"]", "[\"=y\"]", "environment ()"},
		/* Set twice: the last counts. */
		{"[\"A=1\",\"B=1\",\"A=2\"]", "[\"A=3\",\"B=1\",\"A=2\",\"C=1\"]", "environment (C)"},
		{"[\"A=1\",\"A=2\"]", "[\"A=2\",\"A=1\"]", "environment (A)"},
		/* Nothing that a container would see, and yet another configuration. */
		{"[\"A=1\",\"B=1\"]", "[\"B=1\",\"A=1\"]", "environment"},
		{"[\"A=1\",\"A=2\"]", "[\"A=2\"]", "environment"},
		/* Odd ones have no names. */
		{"[\"A=1\",7]", "[\"A=1\",8]", "environment"},
		{"{\"A\":\"1\"}", "[\"A=1\"]", "environment"},
		{"\"A=1\"", "\"A=2\"", "environment"},
		{"null", "[\"A=1\"]", "environment (A)"},
		{"[\"A\\u0000B=1\"]", "[\"A\\u0000B=2\"]", "environment (A?B)"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		BW_AUTOBUF struct bw_buf a, b;

		bw_buf_init(&a, 4096);
		bw_buf_init(&b, 4096);
		assert_true(bw_buf_addf(&a, "\"Env\":%s", rows[i].a));
		assert_true(bw_buf_addf(&b, "\"Env\":%s", rows[i].b));
		assert_compare(a.data, b.data, rows[i].expected);
	}
}

static void test_labels_are_told_by_key(void **state)
{
	(void)state;
	assert_compare("\"Labels\":{\"v\":\"1\",\"w\":\"1\"}", "\"Labels\":{\"v\":\"2\",\"w\":\"1\"}",
		       "labels (v)");
	assert_compare("\"Labels\":{\"v\":\"1\"}", "\"Labels\":null", "labels (v)");
	assert_compare("\"Labels\":{\"v\":\"1\"}", "\"Labels\":{\"v\":1}", "labels (v)");
	assert_compare("\"Labels\":[\"v\"]", "\"Labels\":{\"v\":\"1\"}", "labels");
	assert_compare("\"Labels\":{\"v\":\"a\\u0000b\"}", "\"Labels\":{\"v\":\"a\\u0000c\"}", "labels (v)");
	assert_compare("\"Env\":[\"A=1\"],\"Labels\":{\"v\":\"1\"}",
		       "\"Env\":[\"A=2\"],\"Labels\":{\"v\":\"2\"}", "environment (A), labels (v)");
}

static void test_history_counts_without_its_dates(void **state)
{
	static const char a[] = "{\"created\":\"1\",\"history\":[{\"created\":\"1\",\"created_by\":\"x\"}]}";
	static const char b[] = "{\"created\":\"2\",\"history\":[{\"created\":\"2\",\"created_by\":\"x\"}]}";
	static const char c[] = "{\"created\":\"2\",\"history\":[{\"created\":\"2\",\"created_by\":\"y\"}]}";
	static const char d[] = "{\"history\":[{\"created\":\"1\"},{}]}";
	static const char e[] = "{\"history\":[{},{\"created\":\"1\"}]}";

	(void)state;
	assert_compare_bodies(a, b, "dates");
	assert_compare_bodies(b, c, "history");
	assert_compare_bodies(a, c, "history");
	assert_compare_bodies(d, e, "dates");
	assert_compare_bodies("{\"history\":[{\"empty_layer\":false,\"comment\":\"\"}]}",
			      "{\"history\":[{}]}", "");
	assert_compare_bodies("{\"history\":[{},{}]}", "{\"history\":[{}]}", "history");
	assert_compare_bodies("{\"history\":[{\"empty_layer\":true}]}", "{\"history\":[{}]}", "history");
}

/* They are compared as content and by platform; here they would be told twice. */
static void test_layers_and_platform_are_no_part(void **state)
{
	(void)state;
	assert_compare_bodies("{'os':'linux','architecture':'arm','variant':'v6','rootfs':{'diff_ids':[]}}",
			      "{'os':'windows','os.version':'1','rootfs':{'diff_ids':['" DIGEST_A "']}}", "");
}

static void test_members_that_nobody_knows_are_told(void **state)
{
	(void)state;
	assert_compare_bodies("{\"author\":\"a\",\"config\":{\"Image\":\"x\"},\"new\":{\"a\":1}}",
			      "{\"author\":\"b\",\"config\":{\"Image\":\"y\"},\"new\":{\"a\":2}}",
			      "other members (Image, author, new)");
	assert_compare_bodies("{\"config\":\"x\"}", "{\"config\":\"y\"}", "other members (config)");
	assert_compare_bodies("{\"config\":\"x\"}", "{}", "other members (config)");
}

#define ACCENT	 "\xc3\xa9"
#define SEVEN(c) c c c c c c c
#define LONG	 EIGHT(EIGHT("n"))

static void test_long_names_are_cut_between_characters(void **state)
{
	(void)state;
	assert_compare("\"Env\":[\"" LONG "=1\"]", "", "environment (" LONG ")");
	assert_compare("\"Env\":[\"" LONG "n=1\"]", "", "environment (" LONG "...)");
	assert_compare("\"Env\":[\"x" EIGHT(EIGHT(ACCENT)) "=1\"]", "",
		       "environment (x" EIGHT(ACCENT ACCENT ACCENT) SEVEN(ACCENT) "...)");
}

/* As many variables as fit, all of them different: this must take no time to speak of, and few words. */
static void test_many_names_are_compared_quickly(void **state)
{
	struct bw_config a = {0}, b = {0};
	BW_AUTOBUF struct bw_buf one, other, out;

	(void)state;
	bw_buf_init(&one, BW_MAX_CONFIG_BYTES);
	bw_buf_init(&other, BW_MAX_CONFIG_BYTES);
	bw_buf_init(&out, 4096);
	assert_true(bw_buf_adds(&one, "{\"config\":{\"Env\":[\"\""));
	assert_true(bw_buf_adds(&other, "{\"config\":{\"Env\":[\"\""));
	for (unsigned i = 0; i < 190000; i++) {
		assert_true(bw_buf_addf(&one, ",\"LONG_COMMON_PREFIX_%u=1\"", i));
		assert_true(bw_buf_addf(&other, ",\"LONG_COMMON_PREFIX_%u=2\"", 189999 - i));
	}
	assert_true(bw_buf_adds(&one, "]}}"));
	assert_true(bw_buf_adds(&other, "]}}"));
	assert_int_equal(bw_config_parse(one.data, one.len, &a, NULL), 0);
	assert_int_equal(bw_config_parse(other.data, other.len, &b, NULL), 0);
	bw_config_compare(&a, &b, &out);
	assert_string_equal(out.data,
			    "environment (LONG_COMMON_PREFIX_0, LONG_COMMON_PREFIX_1, LONG_COMMON_PREFIX_10 "
			    "and 189997 more)");
	bw_config_done(&a);
	bw_config_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_configuration_names_its_platform_and_layers),
		cmocka_unit_test(test_a_configuration_is_taken_apart),
		cmocka_unit_test(test_what_is_empty_is_not_there),
		cmocka_unit_test(test_odd_parts_are_kept_as_they_are),
		cmocka_unit_test(test_malformed_configurations_blame_the_peer),
		cmocka_unit_test(test_an_empty_body_needs_no_memory),
		cmocka_unit_test(test_a_configuration_has_at_most_1000_layers),
		cmocka_unit_test(test_a_configuration_is_not_larger_than_8_MiB),
		cmocka_unit_test(test_a_configuration_has_not_too_many_values),
		cmocka_unit_test(test_a_configuration_does_not_grow_without_limit),
		cmocka_unit_test(test_types_of_configurations_of_images),
		cmocka_unit_test(test_every_part_that_differs_is_named),
		cmocka_unit_test(test_variables_are_told_by_name),
		cmocka_unit_test(test_labels_are_told_by_key),
		cmocka_unit_test(test_history_counts_without_its_dates),
		cmocka_unit_test(test_layers_and_platform_are_no_part),
		cmocka_unit_test(test_members_that_nobody_knows_are_told),
		cmocka_unit_test(test_long_names_are_cut_between_characters),
		cmocka_unit_test(test_many_names_are_compared_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
