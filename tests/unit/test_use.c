#include "unit/unit.h"

#include <string.h>

#include "buildfile/use.h"
#include "core/mem.h"

static void every_role_has_a_name(void **state)
{
	static const char *const names[] = {"final", "stage", "copy", "mount", "frontend", "context"};

	(void)state;
	assert_int_equal(sizeof(names) / sizeof(*names), BW_ROLE_COUNT);
	for (unsigned i = 0; i < BW_ROLE_COUNT; i++) {
		enum bw_role role = BW_ROLE_COUNT;

		assert_string_equal(bw_role_name((enum bw_role)i), names[i]);
		assert_true(bw_role_parse(names[i], &role));
		assert_int_equal(role, i);
	}
}

static void an_unknown_role_is_refused(void **state)
{
	enum bw_role role = BW_ROLE_COPY;

	(void)state;
	assert_false(bw_role_parse("Final", &role));
	assert_false(bw_role_parse("", &role));
	assert_int_equal(role, BW_ROLE_COPY);
	assert_string_equal(bw_role_name(BW_ROLE_COUNT), "");
}

static void a_use_is_emptied(void **state)
{
	struct bw_use use = {.written = bw_strdup("a")};

	(void)state;
	use.stage = bw_strdup("b");
	use.parts.registry = bw_strdup("c");
	bw_use_done(&use);
	assert_null(use.written);
	assert_null(use.parts.registry);
	bw_use_done(&use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_has_a_name),
		cmocka_unit_test(an_unknown_role_is_refused),
		cmocka_unit_test(a_use_is_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
