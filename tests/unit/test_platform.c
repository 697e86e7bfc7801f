/* test_platform.c - platform specifiers, their normal form, and which one a builder takes. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "image/platform.h"
#include "unit/table.h"

static int parse_exact(const char *s, size_t len, struct bw_platform *ret, struct bw_err *err)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, s, len);
	rc = bw_platform_parse(copy, len, ret, err);
	free(copy);
	return rc;
}

static struct bw_platform make(const char *text)
{
	struct bw_platform p = {0};

	if (bw_platform_parse(text, strlen(text), &p, NULL) < 0)
		fail_msg("'%s' is refused", text);
	return p;
}

static void check_good(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_platform p = {0};
	struct bw_platform again = {0};
	char out[BW_PLATFORM_MAX];

	(void)count;
	(void)arg;
	if (parse_exact(fields[0], lens[0], &p, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(bw_platform_format(&p, out), fields[1]);
	/* The normal form is its own normal form. */
	assert_int_equal(parse_exact(out, strlen(out), &again, &err), 0);
	assert_string_equal(bw_platform_format(&again, out), fields[1]);
	assert_true(bw_platform_matches(&p, &again));
	assert_int_equal(err.code, BW_OK);
}

static void test_parse(void **state)
{
	(void)state;
	table_each("platform.tsv", 2, check_good, NULL);
}

static void check_bad(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_platform before;
	struct bw_platform p;

	(void)count;
	(void)arg;
	memset(&before, 0x5a, sizeof(before));
	p = before;
	assert_int_equal(parse_exact(fields[0], lens[0], &p, &err), BW_E_INPUT);
	assert_int_equal(err.code, BW_E_INPUT);
	assert_string_equal(err.msg, fields[1]);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void test_parse_refuses(void **state)
{
	(void)state;
	table_each("platform_bad.tsv", 2, check_bad, NULL);
	assert_int_equal(bw_platform_parse("", 0, &(struct bw_platform){0}, NULL), BW_E_INPUT);
}

static void test_one_word_is_completed(void **state)
{
	static const char *const arch[][2] = {
		{"arm64", "linux/arm64"},     {"aarch64", "linux/arm64"}, {"AMD64", "linux/amd64"},
		{"x86_64", "linux/amd64"},    {"arm", "linux/arm/v7"},	  {"armhf", "linux/arm/v7"},
		{"armel", "linux/arm/v6"},    {"i386", "linux/386"},	  {"i686", "linux/386"},
		{"s390x", "linux/s390x"},     {"wasm", "linux/wasm"},	  {"386", "linux/386"},
		{"ppc64le", "linux/ppc64le"},
	};
	static const char *const os[] = {"linux", "windows", "freebsd", "zos", "js"};
	struct bw_platform host;
	char out[BW_PLATFORM_MAX];

	(void)state;
	for (size_t i = 0; i < BW_COUNT(arch); i++) {
		struct bw_platform p = make(arch[i][0]);

		assert_string_equal(bw_platform_format(&p, out), arch[i][1]);
	}
	bw_platform_host(&host);
	for (size_t i = 0; i < BW_COUNT(os); i++) {
		struct bw_platform p = make(os[i]);

		assert_string_equal(p.os, os[i]);
		assert_string_equal(p.arch, host.arch);
		assert_string_equal(p.variant, host.variant);
	}
	assert_string_equal(make("macOS").os, "darwin");
	assert_string_equal(make("windows(10.0.1)").os_version, "10.0.1");
}

static void test_host(void **state)
{
	struct bw_platform host;

	(void)state;
	memset(&host, 0x5a, sizeof(host));
	bw_platform_host(&host);
	assert_string_equal(host.os, "linux");
	assert_string_equal(host.os_version, "");
	assert_string_not_equal(host.arch, "");
#ifdef __x86_64__
	assert_string_equal(host.arch, "amd64");
	assert_string_equal(host.variant, "");
#endif
}

static void test_set_normalises(void **state)
{
	struct bw_platform p = {0};
	char out[BW_PLATFORM_MAX];

	(void)state;
	assert_true(bw_platform_set(&p, "Linux", NULL, "aarch64", "v8"));
	assert_string_equal(bw_platform_format(&p, out), "linux/arm64");
	assert_true(bw_platform_set(&p, "windows", "10.0.20348.1", "amd64", NULL));
	assert_string_equal(bw_platform_format(&p, out), "windows(10.0.20348.1)/amd64");
	assert_true(bw_platform_set(&p, "linux", "", "arm", ""));
	assert_string_equal(bw_platform_format(&p, out), "linux/arm/v7");
	assert_true(bw_platform_set(&p, NULL, NULL, NULL, NULL));
	assert_string_equal(bw_platform_format(&p, out), "");
	assert_true(bw_platform_set(&p, NULL, NULL, "amd64", NULL));
	assert_string_equal(p.os, "");
	assert_string_equal(bw_platform_format(&p, out), "");
}

static void test_set_refuses(void **state)
{
	static const char *const odd[] = {"a/b",  "a(b",      "a)b", "a b", "a\nb",
					  "\x1b", "\xc3\xa9", "a+b", "%41"};
	char longest[BW_PLATFORM_PART];
	char longer[BW_PLATFORM_PART + 1];
	struct bw_platform p = make("linux/arm64/v9");

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < BW_COUNT(odd); i++) {
		assert_false(bw_platform_set(&p, odd[i], NULL, "amd64", NULL));
		assert_false(bw_platform_set(&p, "linux", odd[i], "amd64", NULL));
		assert_false(bw_platform_set(&p, "linux", NULL, odd[i], NULL));
		assert_false(bw_platform_set(&p, "linux", NULL, "amd64", odd[i]));
	}
	assert_false(bw_platform_set(&p, longer, NULL, "amd64", NULL));
	assert_false(bw_platform_set(&p, "linux", longer, "amd64", NULL));
	assert_false(bw_platform_set(&p, "linux", NULL, longer, NULL));
	assert_false(bw_platform_set(&p, "linux", NULL, "amd64", longer));
	memset(longest, '9', sizeof(longest) - 1);
	assert_false(bw_platform_set(&p, "linux", NULL, "arm64", longest)); /* no room for the 'v' */
	assert_true(bw_platform_matches(
		&p, &(struct bw_platform){.os = "linux", .arch = "arm64", .variant = "v9"}));
	assert_true(bw_platform_set(&p, longest, longest, longest, longest));
}

static void test_matches(void **state)
{
	static const struct {
		const char *want;
		const char *have;
		bool takes;
	} rows[] = {
		{"linux/amd64", "linux/amd64", true},
		{"linux/amd64", "linux/x86_64/v1", true},
		{"linux/amd64", "linux/amd64/v2", false},
		{"linux/amd64/v2", "linux/amd64", false},
		{"linux/amd64", "linux/386", false},
		{"linux/amd64", "windows/amd64", false},
		{"linux/arm64", "linux/arm64/v8", true},
		{"linux/arm64", "linux/arm/v7", false},
		{"linux/arm", "linux/arm/v7", true},
		{"linux/arm/v7", "linux/arm/v6", false},
		{"linux/arm/v6", "linux/arm/v7", false},
		{"linux/amd64", "linux(5.10)/amd64", true},
		{"windows/amd64", "windows(10.0.17763.1)/amd64", true},
		{"windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64", true},
		{"windows(10.0.17763.1)/amd64", "windows(10.0.17763.999)/amd64", true},
		{"windows(10.0.17763)/amd64", "windows(10.0.17763.999)/amd64", true},
		{"windows(10.0.17763.1)/amd64", "windows(10.0.17763)/amd64", true},
		{"windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64", false},
		{"windows(10.0.1776)/amd64", "windows(10.0.17763)/amd64", false},
		{"windows(10.0)/amd64", "windows(10.0.17763)/amd64", false},
		{"windows(10.0.17763)/amd64", "windows/amd64", false},
		{"unknown/unknown", "unknown/unknown", true},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_platform want = make(rows[i].want);
		struct bw_platform have = make(rows[i].have);

		if (bw_platform_matches(&want, &have) != rows[i].takes)
			fail_msg("want %s, have %s", rows[i].want, rows[i].have);
	}
}

static void test_unknown(void **state)
{
	struct bw_platform none = {0};
	struct bw_platform p = make("unknown/unknown");

	(void)state;
	assert_true(bw_platform_is_unknown(&p));
	p = make("Unknown/UNKNOWN");
	assert_true(bw_platform_is_unknown(&p));
	p = make("linux/unknown");
	assert_false(bw_platform_is_unknown(&p));
	p = make("unknown/amd64");
	assert_false(bw_platform_is_unknown(&p));
	assert_false(bw_platform_is_unknown(&none));
}

static void a_builder_takes_the_nearest(void **state)
{
	static const struct {
		const char *want;
		const char *have[6]; /* from the nearest on; what is not there is never taken */
		const char *never[4];
	} rows[] = {
		{"linux/arm/v7",
		 {"linux/arm/v7", "linux/arm/v6", "linux/arm/v5"},
		 {"linux/arm/v8", "linux/arm64"}},
		{"linux/arm/v5", {"linux/arm/v5"}, {"linux/arm/v6", "linux/amd64"}},
		{"linux/arm64",
		 {"linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"},
		 {"linux/arm64/v9", "linux/arm64/v8.1", "linux/amd64", "windows/arm64"}},
		{"linux/arm64/v9",
		 {"linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64", "linux/arm/v7"},
		 {"linux/arm64/v8.6"}},
		{"linux/arm64/v8.2",
		 {"linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64"},
		 {"linux/arm64/v8.3"}},
		{"linux/amd64", {"linux/amd64", "linux/386"}, {"linux/amd64/v2", "linux/arm64"}},
		{"linux/amd64/v3",
		 {"linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"},
		 {"linux/amd64/v4"}},
		{"linux/s390x", {"linux/s390x"}, {"linux/ppc64le", "linux/s390x/v2"}},
		{"windows(10.0.17763.1)/amd64",
		 {"windows(10.0.17763.9)/amd64"},
		 {"windows(10.0.20348.1)/amd64", "linux/amd64"}},
		{"linux/mips/odd", {"linux/mips/odd"}, {"linux/mips", "linux/mips/v1"}},
		{"linux/arm/v7x", {"linux/arm/v7x"}, {"linux/arm/v7", "linux/arm/v6"}},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_platform want = make(rows[i].want), have;
		int last = -1;

		for (size_t k = 0; k < BW_COUNT(rows[i].have) && rows[i].have[k]; k++) {
			have = make(rows[i].have[k]);
			if (bw_platform_distance(&want, &have) <= last)
				fail_msg("want %s, have %s", rows[i].want, rows[i].have[k]);
			last = bw_platform_distance(&want, &have);
			assert_true(k > 0 || last == 0);
		}
		for (size_t k = 0; k < BW_COUNT(rows[i].never) && rows[i].never[k]; k++) {
			have = make(rows[i].never[k]);
			if (bw_platform_distance(&want, &have) >= 0)
				fail_msg("want %s, have %s", rows[i].want, rows[i].never[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_builder_takes_the_nearest),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_one_word_is_completed),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_set_normalises),
		cmocka_unit_test(test_set_refuses),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
