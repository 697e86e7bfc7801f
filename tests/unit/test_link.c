/* test_link.c - Link headers, and where the next page of a list of tags begins. */
#include "unit/unit.h"

#include <string.h>

#include "core/mem.h"
#include "registry/link.h"
#include "registry/page.h"
#include "unit/table.h"

static void check_next(char **fields, size_t *lens, size_t count, void *arg)
{
	char url[64] = "-";

	(void)lens, (void)count, (void)arg;
	if (!bw_link_next(fields[0], url, sizeof(url)))
		assert_string_equal(url, "-");
	assert_string_equal(url, fields[1]);
}

static void test_the_next_link_is_found_among_others(void **state)
{
	(void)state;
	table_each("link.tsv", 2, check_next, NULL);
}

static void check_parameter(char **fields, size_t *lens, size_t count, void *arg)
{
	char value[64] = "-";

	(void)lens, (void)count, (void)arg;
	if (!bw_link_parameter(fields[0], fields[1], value, sizeof(value)))
		assert_string_equal(value, "-");
	assert_string_equal(value, fields[2]);
}

static void test_parameters_of_a_query_are_found(void **state)
{
	(void)state;
	table_each("link_parameter.tsv", 3, check_parameter, NULL);
}

static void test_what_does_not_fit_is_not_cut(void **state)
{
	char five[5];

	(void)state;
	assert_true(bw_link_next("<1234>; rel=next", five, sizeof(five)));
	assert_string_equal(five, "1234");
	assert_false(bw_link_next("<12345>; rel=next", five, sizeof(five)));
	assert_true(bw_link_parameter("?last=1234", "last", five, sizeof(five)));
	assert_false(bw_link_parameter("?last=12345", "last", five, sizeof(five)));
}

/* --- pages ------------------------------------------------------------------------------------ */

static struct bw_page begin(unsigned n)
{
	struct bw_page p = {.n = n, .max_tags = 5, .max_bytes = 1000};

	bw_page_begin(&p);
	return p;
}

static int read_page(struct bw_page *p, const char *body, const char *link, struct bw_err *err)
{
	return bw_page_read(p, body, strlen(body), link, err);
}

static const struct {
	unsigned n;
	const char *link, *next;
} places[] = {
	{1000, NULL, ""},
	{1000, "", ""},
	{1000, "</v2/a/tags/list?n=1000&last=b>; rel=\"next\"", "?n=1000&last=b"},
	{1000, "</v2/a/tags/list?last=b&n=1000>; rel=\"next\"", "?n=1000&last=b"},
	{1000, "</v2/a/tags/list?last=b>; rel=\"next\"", "?n=1000&last=b"},
	{1000, "</v2/a/tags/list?last=b&n=100>; rel=\"next\"", "?n=100&last=b"},
	{1000, "</v2/a/tags/list?last=b&n=5000>; rel=\"next\"", "?n=1000&last=b"},
	{1000, "</v2/a/tags/list?last=b&n=0>; rel=\"next\"", "?n=1000&last=b"},
	{0, "</v2/a/tags/list?last=b&n=100>; rel=\"next\"", "?last=b"},
	/* never anybody else's host or path */
	{1000, "<https://evil.example/steal?last=b>; rel=\"next\"", "?n=1000&last=b"},
	{1000, "<http://169.254.169.254/latest?x=y>; rel=\"next\"", ""},
	{1000, "</v2/a/tags/list?n=1000>; rel=\"next\"", ""},
	/* Quay */
	{1000, "</v2/a/b/tags/list?n=1000&next_page=gAAA%3D>; rel=\"next\"", "?n=1000&next_page=gAAA%3D"},
	/* Artifactory leaves out a part of the path */
	{1000, "</v2/b/tags/list?last=1.2&n=1000>; rel=\"next\"", "?n=1000&last=1.2"},
	{1000, "</v2/b/tags/list?last=1.2>; rel=\"prev\"", ""},
};

static void test_of_a_link_only_the_place_in_the_list_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < BW_COUNT(places); i++) {
		struct bw_page p = begin(places[i].n);
		struct bw_err err = BW_ERR_INIT;

		assert_string_equal(p.query, places[i].n ? "?n=1000" : "");
		assert_int_equal(read_page(&p, "{\"tags\":[\"x\"]}", places[i].link, &err), 0);
		assert_string_equal(p.next, places[i].next);
		bw_page_done(&p);
	}
}

static const struct {
	const char *body, *tags; /* NULL: an error */
} bodies[] = {
	{"{\"name\":\"a\",\"tags\":[\"1\",\"2\"]}", "1 2 "},
	{"{\"name\":\"a\",\"tags\":[]}", ""},
	{"{\"name\":\"a\",\"tags\":null}", ""},
	{"{\"name\":\"a\"}", ""},
	/* Google's has more */
	{"{\"child\":[],\"manifest\":{\"sha256:1\":{\"tag\":[\"1\"],\"timeUploadedMs\":\"7\"}},\"tags\":["
	 "\"1\"]}",
	 "1 "},
	/* what is no tag */
	{"{\"tags\":[\"\",7,null,[\"x\"],\"a "
	 "b\",\"\\u001b[31m\",\"../x\",\".x\",\"-x\",\"x\\n\",\"_ok.-9\"]}",
	 "_ok.-9 "},
	{"{\"tags\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}", "1 2 3 4 5 "},
	{"{\"tags\":\"1\"}", NULL},
	{"{\"tags\":{}}", NULL},
	{"[\"1\"]", NULL},
	{"7", NULL},
	{"", NULL},
	{"<html>", NULL},
	{"{\"tags\":[\"1\"", NULL},
};

static void test_pages_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < BW_COUNT(bodies); i++) {
		struct bw_page p = begin(1000);
		struct bw_err err = BW_ERR_INIT;
		char all[64] = "";
		int rc = read_page(&p, bodies[i].body, NULL, &err);

		for (size_t k = 0; k < p.count; k++)
			(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", p.tags[k]);
		assert_int_equal(rc, bodies[i].tags ? 0 : BW_E_PEER);
		assert_true((rc == 0) == (*err.msg == '\0'));
		assert_string_equal(all, bodies[i].tags ? bodies[i].tags : "");
		assert_int_equal(p.is_full, p.count == 5);
		bw_page_done(&p);
	}
}

static void test_pages_add_up_and_too_long_a_tag_is_none(void **state)
{
	struct bw_page p = begin(1000);
	struct bw_err err = BW_ERR_INIT;
	char longest[160], body[400];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[128] = '\0';
	(void)snprintf(body, sizeof(body), "{\"tags\":[\"%s\",\"%sx\"]}", longest, longest);
	assert_int_equal(read_page(&p, "{\"tags\":[\"1\"]}", NULL, &err), 0);
	assert_int_equal(read_page(&p, body, NULL, &err), 0);
	assert_int_equal(p.count, 2);
	assert_string_equal(p.tags[0], "1");
	assert_string_equal(p.tags[1], longest);
	bw_page_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_next_link_is_found_among_others),
		cmocka_unit_test(test_parameters_of_a_query_are_found),
		cmocka_unit_test(test_what_does_not_fit_is_not_cut),
		cmocka_unit_test(test_of_a_link_only_the_place_in_the_list_is_taken),
		cmocka_unit_test(test_pages_are_read),
		cmocka_unit_test(test_pages_add_up_and_too_long_a_tag_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
