/* test_proxy.c - which proxy libcurl would take, as the environment has it. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/proxy.h"

static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
				    "ALL_PROXY",  "HTTP_PROXY",	 "no_proxy",	"NO_PROXY"};

static int clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	return 0;
}

static void assert_proxy(const char *url, const char *expected)
{
	const char *got = bw_proxy_of(url);

	assert_string_equal(got ? got : "none", expected ? expected : "none");
}

static void test_each_scheme_has_its_variable(void **state)
{
	(void)state;
	assert_proxy("https://a/", NULL);
	setenv("http_proxy", "plain:1", 1);
	setenv("HTTPS_PROXY", "great:2", 1);
	assert_proxy("http://a/", "plain:1");
	assert_proxy("https://a/", "great:2");
	setenv("https_proxy", "small:3", 1);
	assert_proxy("HTTPS://a/", "small:3");
}

static void test_one_variable_is_for_all_schemes(void **state)
{
	(void)state;
	setenv("ALL_PROXY", "all:1", 1);
	setenv("https_proxy", "", 1);
	assert_proxy("https://a/", "all:1");
	assert_proxy("http://a/", "all:1");
	setenv("all_proxy", "small:2", 1);
	assert_proxy("http://a/", "small:2");
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
	setenv("HTTP_PROXY", "from a client of CGI:1", 1);
	assert_proxy("http://a/", NULL);
}

/* Whatever stands there, nothing of it is told: each has "sesame" as its password, or a part of one. */
static void test_a_variable_that_cannot_be_used_is_named_without_its_value(void **state)
{
	static const struct {
		const char *value, *why;
	} rows[] = {
		{"htp://joe:sesame@127.0.0.1:48888", "unknown scheme"},
		{"ftp://joe:sesame@p", "unknown scheme"},
		{"http://joe:sesame@p:99999", "its port makes no sense"},
		{"http://joe:sesame@p:port", "its port makes no sense"},
		{"joe:sesame", "its port makes no sense"},
		{"http://joe:sesame@", "its host makes no sense"},
		{"http://joe:sesame@p q", "its host makes no sense"},
		{"http://joe:s@e'sa\"me@p:1", "its host makes no sense"},
		{"http://joe:sesame @p\n", "it cannot be read"},
		{"http://joe:se/same@p:1", "'/', '?' and '#' in a password are written %2F, %3F and %23"},
		{"http://joe:1?sesame@p:1", "'/', '?' and '#' in a password are written %2F, %3F and %23"},
		{"joe:1#sesame@p:1", "'/', '?' and '#' in a password are written %2F, %3F and %23"},
	};
	static const char *const good[] = {
		"p:1",	      "http://p", "joe:sesame@p:1", "http://joe:se'sa\"me@p:1", "SOCKS5h://[::1]:1/",
		"https://p/x"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bw_err err = BW_ERR_INIT;
		char words[200];

		setenv("HTTPS_PROXY", rows[i].value, 1);
		(void)snprintf(words, sizeof(words), "HTTPS_PROXY is no URL of a proxy: %s", rows[i].why);
		if (bw_proxy_check_variable("https://a/", &err) != BW_E_INPUT || strcmp(err.msg, words) != 0)
			fail_msg("%s: %s", rows[i].value, err.msg);
		assert_int_equal(bw_proxy_check_variable("http://a/", &err), 0); /* it is not for that */
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct bw_err err = BW_ERR_INIT;

		setenv("HTTPS_PROXY", good[i], 1);
		if (bw_proxy_check_variable("https://a/", &err) != 0)
			fail_msg("%s: %s", good[i], err.msg);
	}
	setenv("HTTPS_PROXY", "htp://p", 1);
	setenv("no_proxy", "a", 1);
	assert_int_equal(bw_proxy_check_variable("https://a/", NULL), 0);
	setenv("no_proxy", "10.0.0.0/8", 1);
	assert_int_equal(bw_proxy_check_variable("https://10.1.1.1/", NULL), 0);
}

static void test_a_star_switches_all_off(void **state)
{
	(void)state;
	setenv("all_proxy", "all:1", 1);
	setenv("NO_PROXY", "*", 1);
	assert_proxy("http://a/", NULL);
	setenv("no_proxy", ".lan", 1); /* beats the other one */
	assert_proxy("http://a/", "all:1");
}

static void test_who_is_excepted_by_name_has_none(void **state)
{
	static const struct {
		const char *list, *url;
		bool is_excepted;
	} rows[] = {
		{"reg.lan", "https://reg.lan:5000/v2/", true},
		{"reg.lan", "https://REG.lan", true},
		{"reg.lan", "https://u:p@reg.lan/", true},
		{"reg.lan", "https://a.reg.lan/", true},
		{".lan", "https://reg.lan/", true},
		{"a.org, .lan,b.org", "https://reg.lan/", true},
		{"a.org b.org", "https://b.org/", true},
		{"10.1.2.3", "https://10.1.2.3:5000/", true},
		{"reg.lan", "https://myreg.lan/", false},
		{"reg.lan", "https://reg.lan.org/", false},
		{"10.0.0.0/8", "https://10.1.2.3/", false}, /* not every libcurl understands that */
		{" ,. ,", "https://reg.lan/", false},
	};

	(void)state;
	setenv("all_proxy", "all:1", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("no_proxy", rows[i].list, 1);
		if (!bw_proxy_of(rows[i].url) != rows[i].is_excepted)
			fail_msg("%s: %s", rows[i].list, rows[i].url);
	}
}

static void test_it_is_known_by_its_port_and_by_what_is_said_of_its_address(void **state)
{
	static const struct {
		const char *proxy, *address;
		unsigned port;
		bool is;
	} rows[] = {
		{"proxy.lan", "127.0.0.1", 1080, true},
		{"proxy.lan", "127.0.0.1", 3128, false},
		{"proxy.lan:3128", "10.0.0.1", 3128, true},
		{"http://u:p@proxy.lan:3128/", "10.0.0.1", 3128, true},
		{"http://u:9@proxy.lan", "10.0.0.1", 1080, true},
		{"https://proxy.lan", "10.0.0.1", 443, true},
		{"localhost:3128", "127.0.0.1", 3128, true},
		{"localhost:3128", "::1", 3128, true},
		{"localhost:3128", "10.0.0.1", 3128, false},
		{"127.0.0.1:3128", "127.0.0.1", 3128, true},
		{"127.1:3128", "127.0.0.1", 3128, true},
		{"127.0.0.1:3128", "127.0.0.2", 3128, false},
		{"10.0.0.1:3128", "127.0.0.1", 3128, false},
		{"10.0.0.1:3128", "10.0.0.1", 3128, true},
		{"socks5h://[::1]:9050", "::1", 9050, true},
		{"socks5h://[0::0:1]:9050", "::1", 9050, true},
		{"socks5h://[::1]", "::1", 1080, true},
		{"socks5h://[::1]:9050", "127.0.0.1", 9050, false},
		{"proxy.lan:0", "10.0.0.1", 0, false},
		{"proxy.lan:70000", "10.0.0.1", 70000, false},
		{"proxy.lan:123456789", "10.0.0.1", 1234, false},
		{"proxy.lan:x", "10.0.0.1", 1080, false},
		{"proxy.lan:", "10.0.0.1", 1080, false},
		{"[", "10.0.0.1", 1080, true},
		{"", "10.0.0.1", 1080, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bw_proxy_is_at(rows[i].proxy, rows[i].address, rows[i].port) != rows[i].is)
			fail_msg("%s: %s %u", rows[i].proxy, rows[i].address, rows[i].port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_scheme_has_its_variable, clear, clear),
		cmocka_unit_test_setup_teardown(test_one_variable_is_for_all_schemes, clear, clear),
		cmocka_unit_test_setup_teardown(
			test_a_variable_that_cannot_be_used_is_named_without_its_value, clear, clear),
		cmocka_unit_test_setup_teardown(test_a_star_switches_all_off, clear, clear),
		cmocka_unit_test_setup_teardown(test_who_is_excepted_by_name_has_none, clear, clear),
		cmocka_unit_test_setup_teardown(
			test_it_is_known_by_its_port_and_by_what_is_said_of_its_address, clear, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
