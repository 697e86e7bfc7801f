/* test_forecast.c - when is each base asked next, and why: watch/forecast.h. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "watch/forecast.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define NOW    INT64_C(1795262400000) /* 2026-11-21 12:00 UTC */
#define UUID   "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define HUB    "docker.io grants 100 requests in 6 h and 20 are kept for others: "

static const struct bw_standing hub = {.registry = "docker.io",
				       .seen_ms = NOW - MINUTE,
				       .has_budget = true,
				       .limit = 100,
				       .remaining = 40,
				       .reserved = 20,
				       .window_s = 21600,
				       .distance_ms = 270 * SECOND};

struct scene {
	struct bw_schedule_options o;
	struct bw_forecast *f;
};

static int set_up(void **state)
{
	struct scene *x = BW_NEW(struct scene);

	x->o = BW_SCHEDULE_DEFAULTS;
	x->f = bw_forecast_new(&x->o, UUID, NOW);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *x = *state;

	bw_forecast_free(x->f);
	free(x);
	return 0;
}

static void add_failed(struct scene *x, int64_t id, const char *registry, int64_t checked_ms,
		       uint32_t failures, enum bw_trouble t, uint32_t retry_after_s)
{
	char name[32];
	const struct bw_poll p = {.id = id,
				  .registry = registry,
				  .repository = name,
				  .tag = "1",
				  .checked_ms = checked_ms,
				  .failures = failures,
				  .trouble = t,
				  .retry_after_s = retry_after_s};

	(void)snprintf(name, sizeof(name), "library/image-%lld", (long long)id);
	bw_forecast_add_base(x->f, &p);
}

static void add(struct scene *x, int64_t id, const char *registry, int64_t checked_ms)
{
	add_failed(x, id, registry, checked_ms, 0, BW_TROUBLE_NONE, 0);
}

static struct bw_forecast_base find(const struct scene *x, int64_t id)
{
	struct bw_forecast_base b = {0};

	assert_true(bw_forecast_find(x->f, id, &b));
	return b;
}

static struct bw_forecast_registry registry(const struct scene *x, size_t n)
{
	struct bw_forecast_registry r = {0};

	assert_true(bw_forecast_registry(x->f, n, &r));
	return r;
}

static void each_kind_of_base_has_its_time_and_its_reason(void **state)
{
	struct scene *x = *state;
	struct bw_forecast_base b;

	add(x, 1, "a.example", NOW - 20 * MINUTE);
	add(x, 2, "a.example", 0);
	add_failed(x, 3, "a.example", NOW - 10 * SECOND, 1, BW_TROUBLE_TIMEOUT, 0);
	add_failed(x, 4, "a.example", NOW - MINUTE, 3, BW_TROUBLE_DENIED, 0);
	add(x, 5, "a.example", NOW - 5 * DAY);
	bw_forecast_end(x->f);
	b = find(x, 1);
	assert_in_range(b.at_ms, NOW + 10 * MINUTE, NOW + 46 * MINUTE);
	assert_string_equal(b.reason, "as scheduled");
	b = find(x, 2);
	assert_int_equal(b.at_ms, NOW);
	assert_string_equal(b.reason, "never asked");
	b = find(x, 3);
	assert_in_range(b.at_ms, NOW + 50 * SECOND, NOW + 56 * SECOND);
	assert_string_equal(b.reason, "retry after failure: the registry did not answer in time");
	b = find(x, 4);
	assert_in_range(b.at_ms, NOW + 3 * HOUR, NOW + 5 * HOUR);
	assert_memory_equal(b.reason, "retry after failure: ", 21);
	assert_int_equal(find(x, 5).at_ms, NOW); /* overdue */
	assert_false(bw_forecast_find(x->f, 6, &b));
	assert_null(registry(x, 0).text);
	assert_int_equal(registry(x, 0).bases, 5);
	assert_int_equal(registry(x, 0).interval_ms, 0);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void what_is_stretched_waits_for_its_place_in_the_order_of_due(void **state)
{
	struct scene *x = *state;
	int64_t at[1000];

	bw_forecast_add_standing(x->f, &hub);
	for (int64_t id = 1; id <= 1000; id++) /* the last one was asked just now, the first three days ago */
		add(x, id, "docker.io", NOW - (1000 - id) * 270 * SECOND);
	bw_forecast_end(x->f);
	assert_string_equal(registry(x, 0).text, HUB "1,000 bases are asked every 3 d 3 h");
	assert_int_equal(registry(x, 0).interval_ms, 270000 * SECOND);
	assert_string_equal(find(x, 500).reason, HUB "1,000 bases are asked every 3 d 3 h");
	/* The slots of an hour's bases are not in the order in which they were asked. */
	assert_in_range(find(x, 1).at_ms, NOW, NOW + 2 * HOUR);
	assert_in_range(find(x, 500).at_ms, NOW + 36 * HOUR, NOW + 39 * HOUR);
	assert_in_range(find(x, 1000).at_ms, NOW + 73 * HOUR, NOW + 77 * HOUR);
	for (int64_t id = 1; id <= 1000; id++)
		at[id - 1] = find(x, id).at_ms;
	qsort(at, 1000, sizeof(at[0]), by_time);
	for (size_t i = 1; i < 1000; i++)
		assert_true(at[i] - at[i - 1] >= 270 * SECOND);
}

/* Due in a day, it comes when those that are due before have been asked, some of them for the second time. */
static void what_is_due_much_later_finds_a_queue_then(void **state)
{
	struct scene *x = *state;
	struct bw_forecast_base b;

	bw_forecast_add_standing(x->f, &hub);
	for (int64_t id = 1; id <= 100; id++)
		add(x, id, "docker.io", NOW - 7 * HOUR);
	add_failed(x, 101, "docker.io", NOW, 9, BW_TROUBLE_DENIED, 0);
	bw_forecast_end(x->f);
	b = find(x, 101);
	assert_in_range(b.at_ms, NOW + 15 * HOUR, NOW + 33 * HOUR);
	assert_non_null(strstr(b.reason, "; " HUB "101 bases are asked every 7 h 34 min"));
}

static void first_sights_go_first_but_not_alone(void **state)
{
	struct scene *x = *state;
	size_t early = 0;

	bw_forecast_add_standing(x->f, &hub);
	for (int64_t id = 1; id <= 100; id++)
		add(x, id, "docker.io", id <= 50 ? 0 : NOW - DAY);
	bw_forecast_end(x->f);
	for (int64_t id = 51; id <= 100; id++)
		early += find(x, id).at_ms < NOW + 50 * 270 * SECOND;
	assert_in_range(early, 5, 8);
	assert_string_equal(find(x, 1).reason, "never asked: " HUB "100 bases are asked every 7 h 30 min");
}

static void a_budget_that_suffices_is_not_worth_a_word(void **state)
{
	struct scene *x = *state;

	bw_forecast_add_standing(x->f, &hub);
	for (int64_t id = 1; id <= 10; id++)
		add(x, id, "docker.io", NOW - 30 * MINUTE);
	bw_forecast_end(x->f);
	assert_null(registry(x, 0).text);
	assert_true(registry(x, 0).standing.has_budget);
	assert_string_equal(find(x, 1).reason, "as scheduled");
}

static void a_pause_is_waited_for_and_named(void **state)
{
	static const struct {
		enum bw_pause pause;
		const char *text;
	} rows[] = {
		{BW_PAUSE_BUDGET, HUB "paused until 2026-11-21 14:00"},
		{BW_PAUSE_THROTTLED, "docker.io: paused until 2026-11-21 14:00 (429 or Retry-After)"},
		{BW_PAUSE_GUARD, "docker.io: paused until 2026-11-21 14:00 (asked far more than planned)"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		struct bw_standing s = hub;
		struct scene *x;
		void *own = NULL;

		s.distance_ms = 0;
		s.is_free = true;
		s.pause = rows[i].pause;
		s.paused_until_ms = NOW + 2 * HOUR;
		assert_int_equal(set_up(&own), 0);
		x = own;
		bw_forecast_add_standing(x->f, &s);
		add(x, 1, "docker.io", NOW - HOUR);
		add(x, 2, "r.example", NOW - HOUR);
		bw_forecast_end(x->f);
		assert_int_equal(find(x, 1).at_ms, NOW + 2 * HOUR);
		assert_string_equal(find(x, 1).reason, rows[i].text);
		assert_string_equal(registry(x, 0).text, rows[i].text);
		assert_string_equal(find(x, 2).reason, "as scheduled");
		assert_string_equal(registry(x, 1).standing.registry, "r.example");
		(void)tear_down(&own);
	}
}

static void a_pause_that_is_over_is_none(void **state)
{
	struct scene *x = *state;
	struct bw_standing s = {.registry = "r.example", .pause = BW_PAUSE_THROTTLED, .paused_until_ms = NOW};

	bw_forecast_add_standing(x->f, &s);
	add(x, 1, "r.example", NOW - HOUR);
	bw_forecast_end(x->f);
	assert_null(registry(x, 0).text);
	assert_string_equal(find(x, 1).reason, "as scheduled");
}

static void a_registry_that_is_not_reachable_is_named(void **state)
{
	struct scene *x = *state;
	struct bw_standing s = {.registry = "r.example", .pause = BW_PAUSE_UNREACHABLE};

	bw_forecast_add_standing(x->f, &s);
	add_failed(x, 1, "r.example", NOW - HOUR, 5, BW_TROUBLE_DNS, 0);
	bw_forecast_end(x->f);
	assert_string_equal(registry(x, 0).text,
			    "r.example: not reachable, so it is asked without quick retries");
	assert_string_equal(find(x, 1).reason,
			    "retry after failure: the name of the registry cannot be resolved");
}

/* Another process was told to wait: its row says so. */
static void a_retry_after_of_one_base_holds_for_all_of_the_registry(void **state)
{
	struct scene *x = *state;

	add_failed(x, 1, "r.example", NOW - MINUTE, 1, BW_TROUBLE_THROTTLED, 3660);
	add(x, 2, "r.example", NOW - 2 * HOUR);
	bw_forecast_end(x->f);
	assert_int_equal(find(x, 2).at_ms, NOW + HOUR);
	assert_string_equal(find(x, 2).reason,
			    "r.example: paused until 2026-11-21 13:00 (429 or Retry-After)");
	assert_in_range(find(x, 1).at_ms, NOW + HOUR, NOW + 2 * HOUR);
}

static void spans_are_short_words(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{0, "1 s"},
		    {999, "1 s"},
		    {4 * SECOND, "4 s"},
		    {90 * SECOND, "1 min 30 s"},
		    {6 * HOUR, "6 h"},
		    {HOUR + 30 * MINUTE, "1 h 30 min"},
		    {270000 * SECOND, "3 d 3 h"},
		    {400 * DAY + 30 * MINUTE, "400 d"}};
	char out[BW_FORECAST_SPAN_MAX];

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		assert_string_equal(bw_forecast_span(rows[i].ms, out), rows[i].text);
}

/* What a damaged database may hold leads nowhere bad. */
static void rows_without_sense_do_no_harm(void **state)
{
	struct scene *x = *state;
	struct bw_standing s = hub;
	struct bw_forecast_registry r;

	s.distance_ms = INT64_MAX;
	s.paused_until_ms = INT64_MAX;
	s.pause = BW_PAUSE_BUDGET;
	bw_forecast_add_standing(x->f, &s);
	add(x, 1, "docker.io", INT64_MAX);
	add(x, 2, "docker.io", INT64_MIN);
	bw_forecast_end(x->f);
	assert_true(find(x, 1).at_ms >= NOW);
	assert_true(find(x, 2).at_ms >= NOW);
	assert_false(bw_forecast_registry(x->f, 1, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_of_base_has_its_time_and_its_reason, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_stretched_waits_for_its_place_in_the_order_of_due,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_due_much_later_finds_a_queue_then, set_up, tear_down),
		cmocka_unit_test_setup_teardown(first_sights_go_first_but_not_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_budget_that_suffices_is_not_worth_a_word, set_up,
						tear_down),
		cmocka_unit_test(a_pause_is_waited_for_and_named),
		cmocka_unit_test_setup_teardown(a_pause_that_is_over_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_registry_that_is_not_reachable_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_retry_after_of_one_base_holds_for_all_of_the_registry,
						set_up, tear_down),
		cmocka_unit_test(spans_are_short_words),
		cmocka_unit_test_setup_teardown(rows_without_sense_do_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
