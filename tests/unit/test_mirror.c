/* test_mirror.c - addresses of mirrors. */
#include "unit/unit.h"

#include <string.h>

#include "core/mem.h"
#include "registry/mirror.h"
#include "unit/table.h"

static void check_fields(struct bw_mirror *m, char **fields)
{
	BW_AUTOFREE char *repository = bw_mirror_repository(m, "library/alpine");
	BW_AUTOFREE char *query = bw_mirror_query(m, "docker.io");

	assert_string_equal(m->registry, fields[1]);
	assert_string_equal(m->is_plain ? "plain" : "tls", fields[2]);
	assert_string_equal(m->prefix, fields[3]);
	assert_string_equal(repository, fields[4]);
	assert_string_equal(query ? query : "-", fields[5]);
	bw_mirror_done(m);
	assert_null(m->registry);
}

static void check_url(char **fields, size_t *lens, size_t count, void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_mirror m = {0};
	int rc = bw_mirror_parse(fields[0], &m, &err);

	(void)lens;
	(void)arg;
	if (strcmp(fields[1], "!") == 0) {
		assert_int_equal(rc, BW_E_INPUT);
		assert_string_equal(err.msg, fields[2]);
		assert_null(m.registry);
		return;
	}
	if (rc < 0)
		fail_msg("%s: %s", fields[0], err.msg);
	assert_int_equal(count, 6);
	check_fields(&m, fields);
}

static void test_urls_are_mirrors_or_say_why_not(void **state)
{
	(void)state;
	table_each("mirror.tsv", 3, check_url, NULL);
}

static void test_a_path_leaves_room_for_a_repository(void **state)
{
	BW_AUTOFREE char *url = bw_alloc(300);
	struct bw_err err = BW_ERR_INIT;
	struct bw_mirror m;

	(void)state;
	memcpy(url, "https://a/", 10);
	memset(url + 10, 'p', 199);
	assert_int_equal(bw_mirror_parse(url, &m, &err), 0);
	assert_int_equal(strlen(m.prefix), 199);
	bw_mirror_done(&m);
	url[209] = 'p';
	assert_int_equal(bw_mirror_parse(url, &m, &err), BW_E_INPUT);
	assert_string_equal(err.msg, "the path is longer than 200 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls_are_mirrors_or_say_why_not),
		cmocka_unit_test(test_a_path_leaves_room_for_a_repository),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
