/* test_net_address.c - places that a stranger may not send us to, as a table. */
#include "unit/table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "net/address.h"

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	unsigned wanted = f[1][0] == 'L'   ? BW_ADDRESS_LOOPBACK
			  : f[1][0] == 'M' ? BW_ADDRESS_LINK_LOCAL
			  : f[1][0] == 'P' ? BW_ADDRESS_PRIVATE
					   : 0;

	(void)lens;
	(void)count;
	(void)arg;
	assert_int_equal(bw_address_kind_of_url(f[0]), wanted);
}

static void test_an_address_in_any_form_is_what_it_is(void **state)
{
	(void)state;
	table_each("net_address.tsv", 2, check_row, NULL);
}

static void test_what_is_connected_to_counts(void **state)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	inet_pton(AF_INET, "169.254.169.254", &four.sin_addr);
	assert_int_equal(bw_address_kind((struct sockaddr *)&four), BW_ADDRESS_LINK_LOCAL);
	inet_pton(AF_INET, "127.3.2.1", &four.sin_addr);
	assert_int_equal(bw_address_kind((struct sockaddr *)&four), BW_ADDRESS_LOOPBACK);
	inet_pton(AF_INET, "8.8.8.8", &four.sin_addr);
	assert_int_equal(bw_address_kind((struct sockaddr *)&four), 0);
	inet_pton(AF_INET6, "fe80::1", &six.sin6_addr);
	assert_int_equal(bw_address_kind((struct sockaddr *)&six), BW_ADDRESS_LINK_LOCAL);
	inet_pton(AF_INET6, "2001:db8::1", &six.sin6_addr);
	assert_int_equal(bw_address_kind((struct sockaddr *)&six), 0);
	assert_int_equal(bw_address_kind((struct sockaddr *)&local), 0);
}

static void test_a_host_that_is_longer_than_any_is_none(void **state)
{
	char url[600];

	(void)state;
	memset(url, '1', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	assert_int_equal(bw_address_kind_of_url(url), 0);
	assert_int_equal(bw_address_kind_of_url(""), 0);
	assert_int_equal(bw_address_kind_of_url("http://"), 0);
}

static void test_the_kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(bw_address_kind_name(BW_ADDRESS_LOOPBACK), "a loopback address");
	assert_string_equal(bw_address_kind_name(BW_ADDRESS_LINK_LOCAL), "a link-local or metadata address");
	assert_string_equal(bw_address_kind_name(BW_ADDRESS_PRIVATE), "an address of a private network");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_in_any_form_is_what_it_is),
		cmocka_unit_test(test_what_is_connected_to_counts),
		cmocka_unit_test(test_a_host_that_is_longer_than_any_is_none),
		cmocka_unit_test(test_the_kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
