#include "unit/table.h"

#include <stdio.h>

#include "core/mem.h"
#include "net/mqtt_url.h"

static void check_row(char **f, size_t *lens, size_t count, void *arg)
{
	struct bw_mqtt_url u = {.host = "untouched"};
	struct bw_err err = BW_ERR_INIT;
	BW_AUTOFREE char *got = NULL;

	(void)lens;
	(void)count;
	(void)arg;
	if (f[1][0] == '!') {
		assert_int_equal(bw_mqtt_url_parse(f[0], &u, &err), BW_E_INPUT);
		assert_memory_equal(err.msg, f[1] + 1, strlen(f[1] + 1));
		assert_null(strstr(err.msg, "secret"));
		assert_string_equal(u.host, "untouched");
		return;
	}
	assert_int_equal(bw_mqtt_url_parse(f[0], &u, &err), 0);
	got = bw_asprintf("%d %s %u", u.is_tls, u.host, u.port);
	assert_string_equal(got, f[1]);
}

static void urls_are_read_as_in_the_table(void **state)
{
	(void)state;
	table_each("mqtt_url.tsv", 2, check_row, NULL);
}

static void a_host_is_as_long_as_a_name_may_be(void **state)
{
	char url[300] = "mqtt://";
	struct bw_mqtt_url u;
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	memset(url + 7, 'a', 253);
	assert_int_equal(bw_mqtt_url_parse(url, &u, &err), 0);
	url[7 + 253] = 'a';
	assert_int_equal(bw_mqtt_url_parse(url, &u, &err), BW_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_read_as_in_the_table),
		cmocka_unit_test(a_host_is_as_long_as_a_name_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
