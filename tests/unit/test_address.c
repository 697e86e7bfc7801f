/* test_address.c - where URLs and names of registries lead. */
#include "unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "core/def.h"
#include "registry/address.h"
#include "registry/client.h"
#include "unit/table.h"

static void check_url(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_origin o;
	char name[BW_ORIGIN_MAX];
	bool is_one = bw_origin_parse(fields[0], &o);

	(void)lens;
	(void)arg;
	if (is_one != (strcmp(fields[1], "!") != 0))
		fail_msg("%s is %s", fields[0], is_one ? "an origin" : "none");
	if (!is_one)
		return;
	assert_int_equal(count, 4);
	assert_string_equal(bw_origin_name(&o, name), fields[1]);
	assert_string_equal(o.is_tls ? "tls" : "plain", fields[2]);
	assert_string_equal(bw_host_is_private(o.host) ? "private" : "public", fields[3]);
}

static void test_urls_have_an_origin_or_none(void **state)
{
	(void)state;
	table_each("origin.tsv", 2, check_url, NULL);
}

static void test_a_host_name_has_a_limit(void **state)
{
	char url[400] = "https://";
	struct bw_origin o;

	(void)state;
	memset(url + 8, 'a', 255);
	assert_true(bw_origin_parse(url, &o));
	memset(url + 8, 'a', 256);
	assert_false(bw_origin_parse(url, &o));
	memset(url + 8, 'a', 390);
	assert_false(bw_origin_parse(url, &o));
}

static bool are_equal(const char *a, const char *b)
{
	struct bw_origin x, y;

	assert_true(bw_origin_parse(a, &x));
	assert_true(bw_origin_parse(b, &y));
	return bw_origin_equal(&x, &y);
}

static void test_origins_are_scheme_host_and_port(void **state)
{
	(void)state;
	assert_true(are_equal("https://r.io/a", "https://R.io:443/b?c"));
	assert_true(are_equal("http://r.io/a", "http://r.io:80"));
	assert_false(are_equal("https://r.io/", "http://r.io/"));
	assert_false(are_equal("https://r.io/", "http://r.io:443/"));
	assert_false(are_equal("https://r.io/", "https://r.io:8443/"));
	assert_false(are_equal("https://r.io/", "https://s.io/"));
}

static void test_registries_on_this_machine(void **state)
{
	static const char *const here[] = {"localhost", "localhost:5000", "LOCALHOST:1",
					   "127.0.0.1", "127.0.0.1:5000", "127.255.1.2",
					   "[::1]",	"[::1]:5000",	  "[0:0::1]:1"};
	static const char *const elsewhere[] = {"docker.io",
						"127.example.com",
						"localhost.example.com",
						"128.0.0.1",
						"[::2]:5000",
						"10.0.0.1",
						"",
						"localhost:0",
						"127.1",
						"notlocalhost"};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(here); i++)
		if (!bw_registry_is_loopback(here[i]))
			fail_msg("%s is on this machine", here[i]);
	for (size_t i = 0; i < BW_COUNT(elsewhere); i++)
		if (bw_registry_is_loopback(elsewhere[i]))
			fail_msg("%s is not on this machine", elsewhere[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls_have_an_origin_or_none),
		cmocka_unit_test(test_a_host_name_has_a_limit),
		cmocka_unit_test(test_origins_are_scheme_host_and_port),
		cmocka_unit_test(test_registries_on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
