/* test_turns.c - everything has its turn, in order, and never more than may be at the same time. */
#include "unit/unit.h"

#include "command/turns.h"

enum { COUNT = 100000, MOST = 16 };

struct scene {
	struct bw_turns turns;
	size_t started, open, most_open;
	size_t ends_at_once; /* every so many; 0: none */
	size_t depth, deepest;
};

static void start(size_t index, void *arg)
{
	struct scene *s = arg;

	assert_int_equal(index, s->started);
	s->started++;
	s->open++;
	s->depth++;
	s->most_open = s->open > s->most_open ? s->open : s->most_open;
	s->deepest = s->depth > s->deepest ? s->depth : s->deepest;
	if (s->ends_at_once > 0 && index % s->ends_at_once == 0) {
		s->open--;
		bw_turns_end(&s->turns);
	}
	s->depth--;
}

static void run(struct scene *s, size_t count)
{
	s->turns = (struct bw_turns){.count = count, .most = MOST, .start = start, .arg = s};
	bw_turns_begin(&s->turns);
	while (s->open > 0) {
		s->open--;
		bw_turns_end(&s->turns);
	}
	assert_int_equal(s->started, count);
}

static void no_more_than_the_most_are_open(void **state)
{
	struct scene s = {0};

	(void)state;
	run(&s, COUNT);
	assert_int_equal(s.most_open, MOST);
}

static void few_start_at_once(void **state)
{
	struct scene s = {0};

	(void)state;
	run(&s, 3);
	assert_int_equal(s.most_open, 3);
	s = (struct scene){0};
	run(&s, 0);
}

static void what_ends_at_once_is_followed_without_recursion(void **state)
{
	struct scene s = {.ends_at_once = 1};

	(void)state;
	run(&s, COUNT);
	assert_int_equal(s.most_open, 1);
	assert_int_equal(s.deepest, 1);
	s = (struct scene){.ends_at_once = 3};
	run(&s, COUNT);
	assert_int_equal(s.most_open, MOST);
	assert_int_equal(s.deepest, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_than_the_most_are_open),
		cmocka_unit_test(few_start_at_once),
		cmocka_unit_test(what_ends_at_once_is_followed_without_recursion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
