/* test_hop.c - is this URL the place that our certificate is for? */
#include "unit/unit.h"

#include <stdlib.h>

#include "net/hop.h"

static void test_a_place_is_known_by_its_host_and_port_over_tls(void **state)
{
	static const struct {
		const char *a, *b;
		bool is;
	} rows[] = {
		{"https://h.lan/", "https://h.lan/v2/x?y#z", true},
		{"https://h.lan/", "https://H.LAN", true},
		{"https://h.lan/", "https://h.lan:443/v2/", true},
		{"https://h.lan:5000/", "https://h.lan:5000/v2/", true},
		{"https://[::1]:5000/", "https://[::1]:5000/v2/", true},
		{"https://[::1]/", "https://[::1]:443", true},
		{"https://h.lan/", "https://u:p@h.lan/", true},
		{"https://h.lan/", "http://h.lan/", false},
		{"https://h.lan:443/", "http://h.lan:443/", false},
		{"https://h.lan/", "https://h.lan:5000/", false},
		{"https://h.lan:5000/", "https://h.lan:5001/", false},
		{"https://h.lan:5000/", "https://h.lan/", false},
		{"https://h.lan/", "https://h.lan.evil.example/", false},
		{"https://h.lan/", "https://h.lan@evil.example/", false},
		{"https://h.lan/", "https://evil.example/h.lan/", false},
		{"https://h.lan/", "https://evil.example?https://h.lan/", false},
		{"https://h.lan/", "https://x.h.lan/", false},
		{"https://[::1]:5000/", "https://[::1]/", false},
		{"", "https://h.lan/", false},
		{"https://h.lan/", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bw_hop_is_same_tls_place(rows[i].a, rows[i].b) != rows[i].is)
			fail_msg("%s: %s", rows[i].a, rows[i].b);
}

static void test_the_proxy_that_is_said_is_for_every_url(void **state)
{
	struct bw_http_request req = {.is_direct = false};
	struct bw_hops x = {0};

	(void)state;
	setenv("https_proxy", "http://of.environment:1", 1);
	bw_hops_begin(&x, &req, "https://h.lan/", NULL);
	assert_string_equal(bw_hops_proxy(&x, "https://h.lan/"), "http://of.environment:1");
	assert_null(bw_hops_proxy(&x, NULL));
	bw_hops_begin(&x, &req, "https://h.lan/", "http://said:1");
	assert_string_equal(bw_hops_proxy(&x, "https://other.lan/"), "http://said:1");
	bw_hops_begin(&x, &req, "https://h.lan/", "");
	assert_null(bw_hops_proxy(&x, "https://h.lan/"));
	req.is_direct = true;
	bw_hops_begin(&x, &req, "https://h.lan/", "http://said:1");
	assert_null(bw_hops_proxy(&x, "https://h.lan/"));
	bw_hops_begin(&x, &req, "https://h.lan/", NULL);
	assert_null(bw_hops_proxy(&x, "https://h.lan/"));
	unsetenv("https_proxy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_place_is_known_by_its_host_and_port_over_tls),
		cmocka_unit_test(test_the_proxy_that_is_said_is_for_every_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
