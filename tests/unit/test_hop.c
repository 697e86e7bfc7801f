/* test_hop.c - is this URL the place that our certificate is for? */
#include "unit/unit.h"

#include <stdlib.h>

#include "net/address.h"
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

/* What a name leads to is known at its address only. */
static void test_a_name_in_a_private_network_is_refused_at_its_address(void **state)
{
	const struct bw_http_request req = {.refuse = BW_ADDRESS_PRIVATE};
	const char *url = "https://auth.example/token";
	static const struct {
		const char *address;
		bool may;
	} rows[] = {
		{"10.1.2.3", false},	    {"100.64.0.1", false},   {"fd12::1", false},
		{"::ffff:10.1.2.3", false}, {"93.184.216.34", true}, {"2001:db8::1", true},
		{"127.0.0.1", true}, /* of another kind */
	};
	struct bw_hops x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bw_hop hop = {.url = url, .address = rows[i].address, .port = 443};

		bw_hops_begin(&x, &req, url, "");
		if (bw_hops_may_open(&x, &hop) != rows[i].may || bw_hops_may_send(&x, &hop) != rows[i].may)
			fail_msg("%s", rows[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_place_is_known_by_its_host_and_port_over_tls),
		cmocka_unit_test(test_the_proxy_that_is_said_is_for_every_url),
		cmocka_unit_test(test_a_name_in_a_private_network_is_refused_at_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
