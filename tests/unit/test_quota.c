/* test_quota.c - what registries say of their limits: the table, and what is too long for one. */
#include "unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/quota.h"
#include "unit/table.h"

#define NOW 1767225600000LL

static void tell(const struct bw_quota *q, bool ok, char *out, size_t size)
{
	char window[24] = "-", reset[24] = "-";

	if (q->window_s)
		(void)snprintf(window, sizeof(window), "%" PRIu32, q->window_s);
	if (q->has_reset)
		(void)snprintf(reset, sizeof(reset), "%" PRIu32, q->reset_s);
	if (ok)
		(void)snprintf(out, size, "%" PRIu64 " %" PRIu64 " %s %s", q->limit, q->remaining, window,
			       reset);
	else
		(void)snprintf(out, size, "!");
}

static void check_row(char **fields, size_t *lens, size_t count, void *arg)
{
	BW_AUTOFREE char *headers = bw_asprintf("%s\n", fields[0]);
	struct bw_quota q = {.limit = 77};
	char got[100], wanted[100];
	bool ok = bw_quota_read(headers, NOW, &q);

	(void)lens;
	(void)arg;
	tell(&q, ok, got, sizeof(got));
	if (count == 5)
		(void)snprintf(wanted, sizeof(wanted), "%s %s %s %s", fields[1], fields[2], fields[3],
			       fields[4]);
	else
		(void)snprintf(wanted, sizeof(wanted), "%s", fields[1]);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s: got %s, not %s", fields[0], got, wanted);
	assert_true(ok || q.limit == 77);
}

static void test_every_form_of_a_limit_is_read(void **state)
{
	(void)state;
	table_each("quota.tsv", 2, check_row, NULL);
}

static void test_a_line_that_would_be_cut_in_a_number_says_nothing(void **state)
{
	BW_AUTOFREE char *blanks = bw_alloc(4000), *headers = NULL;
	struct bw_quota q;

	(void)state;
	memset(blanks, ' ', 3999);
	headers = bw_asprintf("ratelimit-limit: 100;w=%s60\nratelimit-remaining: 50\n", blanks);
	assert_false(bw_quota_read(headers, NOW, &q));
}

static void test_of_very_many_policies_the_first_are_taken(void **state)
{
	BW_AUTOFREE char *headers = NULL;
	struct bw_quota q;

	(void)state;
	headers = bw_asprintf("ratelimit-limit: 9%s\nratelimit-remaining: 5%s\n",
			      ",1;w=1,1;w=2,1;w=3,1;w=4,1;w=5,1;w=6,1;w=7,1;w=8,1;w=9",
			      ",1;w=1,1;w=2,1;w=3,1;w=4,1;w=5,1;w=6,1;w=7,1;w=8,0;w=9");
	assert_true(bw_quota_read(headers, NOW, &q));
	assert_int_equal(q.limit, 9);
	assert_int_equal(q.remaining, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form_of_a_limit_is_read),
		cmocka_unit_test(test_a_line_that_would_be_cut_in_a_number_says_nothing),
		cmocka_unit_test(test_of_very_many_policies_the_first_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
