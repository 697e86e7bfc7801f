/* test_agenda.c - when a source is looked into, and what another configuration leaves as it is. */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/agenda.h"

static struct bw_conf *parse(const char *text)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	if (bw_conf_parse(text, strlen(text), "/srv", 0, &c, &problems, &err) < 0)
		fail_msg("%s: %s", err.msg, problems.count > 0 ? problems.items[0].text : "");
	bw_conf_problems_done(&problems);
	return c;
}

static void read_origins(const char *text, struct bw_origins *ret)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = parse(text);

	if (bw_origins_init(ret, c, &err) < 0)
		fail_msg("%s", err.msg);
	bw_conf_free(c); /* nothing of it is kept */
}

/* --- time ------------------------------------------------------------------------------------------ */

static void the_next_look_is_an_interval_later_give_or_take(void **state)
{
	struct bw_agenda a = {0};
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		bw_agenda_begin(&a, 1000);
		bw_agenda_end(&a, 1500, 100000, 10, i * 2654435761U);
		least = a.next_ms < least ? a.next_ms : least;
		most = a.next_ms > most ? a.next_ms : most;
	}
	assert_in_range(least, 91500, 91600);
	assert_in_range(most, 111400, 111500);
	bw_agenda_begin(&a, 2000);
	assert_true(a.is_busy);
	bw_agenda_end(&a, 2000, 1000, 0, 7);
	assert_int_equal(a.next_ms, 3000);
	assert_false(a.is_busy);
}

static void a_change_is_looked_at_soon_and_not_all_the_time(void **state)
{
	struct bw_agenda a = {0};

	(void)state;
	bw_agenda_begin(&a, 10000);
	bw_agenda_end(&a, 12000, 900000, 0, 0);
	assert_int_equal(a.next_ms, 912000);
	bw_agenda_hurry(&a, 13000); /* it took two seconds: it rests for eight */
	assert_int_equal(a.next_ms, 20000);
	bw_agenda_hurry(&a, 30000);
	assert_int_equal(a.next_ms, 20000);
	a.next_ms = 912000;
	bw_agenda_hurry(&a, 30000);
	assert_int_equal(a.next_ms, 30000);
}

static void a_change_during_a_look_causes_another(void **state)
{
	struct bw_agenda a = {0};

	(void)state;
	bw_agenda_begin(&a, 1000);
	bw_agenda_hurry(&a, 1050);
	assert_true(a.is_again);
	bw_agenda_end(&a, 1100, 900000, 0, 0);
	assert_int_equal(a.next_ms, 1500);
	bw_agenda_begin(&a, 1500);
	bw_agenda_end(&a, 1501, 900000, 0, 0);
	assert_int_equal(a.next_ms, 901501);
}

static void a_shorter_interval_counts_from_now(void **state)
{
	struct bw_agenda a = {.next_ms = 900000};

	(void)state;
	bw_agenda_limit(&a, 1000, 5000);
	assert_int_equal(a.next_ms, 6000);
	bw_agenda_limit(&a, 1000, 50000);
	assert_int_equal(a.next_ms, 6000);
}

/* --- another configuration ------------------------------------------------------------------------- */

/* For each new source: "=N" as the old one N, "~N" where that was, "+" new. */
static void assert_matched(const char *before, const char *after, const char *expected)
{
	struct bw_origins old, now;
	const struct bw_origin *list[8];
	struct bw_agenda_match m[8];
	char text[64] = "";

	read_origins(before, &old);
	read_origins(after, &now);
	for (size_t i = 0; i < old.count; i++)
		list[i] = &old.items[i];
	bw_agenda_match(list, old.count, &now, m);
	for (size_t i = 0; i < now.count; i++) {
		size_t at = strlen(text);

		if (m[i].old == BW_AGENDA_NONE)
			(void)snprintf(text + at, sizeof(text) - at, "+");
		else
			(void)snprintf(text + at, sizeof(text) - at, "%c%zu", m[i].is_same ? '=' : '~',
				       m[i].old);
	}
	assert_string_equal(text, expected);
	bw_origins_done(&old);
	bw_origins_done(&now);
}

#define A   "{path: /a, name: a}"
#define B   "{git: 'https://h/b.git', name: b}"
#define ALL "sources: [" A ", " B "]\n"

static void a_source_that_is_the_same_stays(void **state)
{
	(void)state;
	assert_matched(ALL, ALL, "=0=1");
	assert_matched(ALL, "sources: [" B ", " A "]", "=1=0");
	assert_matched(ALL, "sources: [" A "]\npoll: {every: 5m}", "=0");
	assert_matched(ALL, "sources: [{path: /c}, " A "]", "+=0");
}

static void a_source_that_is_looked_into_in_another_way_is_read_again(void **state)
{
	(void)state;
	assert_matched(ALL, "sources: [{path: /a, name: a, exclude: [x]}, " B "]", "~0=1");
	assert_matched(ALL, "sources: [" A ", {git: 'https://h/b.git', name: b, branches: [x]}]", "=0~1");
	assert_matched(ALL, "sources: [" A ", {git: 'https://u:new@h/b.git', name: b}]", "=0~1");
	assert_matched(ALL, ALL "builds: [{source: a, file: Dockerfile, image: i}]", "~0=1");
	assert_matched(ALL, "sources: [{path: /b, name: a}]", "+");
	/* Two that differ by name alone. */
	assert_matched("sources: [{path: /a, name: one}, {path: /a, name: two}]",
		       "sources: [{path: /a, name: two}, {path: /a, name: one}]", "=1=0");
}

/* --- what an origin is ----------------------------------------------------------------------------- */

static void builds_of_a_file_replace_the_plain_one(void **state)
{
	struct bw_origins o;

	(void)state;
	read_origins("sources: [{path: /a, name: a, include: ['web/**']}]\n"
		     "builds:\n- {source: a, file: ./web/Dockerfile, target: One}\n"
		     "- {source: a, file: web/Dockerfile, target: two}\n- {source: a, file: odd.txt}\n",
		     &o);
	assert_true(bw_origin_means(&o.items[0], "web/Dockerfile", "one"));
	assert_true(bw_origin_means(&o.items[0], "web/Dockerfile", "two"));
	assert_false(bw_origin_means(&o.items[0], "web/Dockerfile", ""));
	assert_true(bw_origin_means(&o.items[0], "web/x/Dockerfile", ""));
	assert_false(bw_origin_means(&o.items[0], "web/x/Dockerfile", "two"));
	assert_false(bw_origin_means(&o.items[0], "Dockerfile", ""));
	assert_true(bw_origin_means(&o.items[0], "odd.txt", "")); /* named directly */
	bw_origins_done(&o);
}

static void labels_are_an_object_with_sorted_names(void **state)
{
	struct bw_origins o;

	(void)state;
	read_origins("sources: [{path: /a, name: a}]\nbuilds:\n- {source: a, file: D, image: 'x/y:1', "
		     "labels: {team: web, a: '\"'}}\n",
		     &o);
	assert_string_equal(o.items[0].recipes[1].labels, "{\"a\":\"\\\"\",\"team\":\"web\"}");
	assert_string_equal(o.items[0].recipes[1].image, "x/y:1");
	assert_null(o.items[0].recipes[0].image);
	bw_origins_done(&o);
}

static void branches_are_names_and_patterns(void **state)
{
	struct bw_origins o;

	(void)state;
	read_origins("sources: [{git: 'https://h/a'}, {git: 'https://h/b', branches: [main, 'r/*']}]", &o);
	assert_true(bw_origin_means_branch(&o.items[0], "any"));
	assert_false(bw_origin_has_pattern_for(&o.items[0], "any"));
	assert_true(bw_origin_means_branch(&o.items[1], "main"));
	assert_true(bw_origin_means_branch(&o.items[1], "r/1"));
	assert_false(bw_origin_means_branch(&o.items[1], "x"));
	assert_true(bw_origin_has_pattern_for(&o.items[1], "r/1"));
	assert_false(bw_origin_has_pattern_for(&o.items[1], "main"));
	bw_origins_done(&o);
}

static void secrets_of_an_address_are_not_shown(void **state)
{
	struct bw_origins o;

	(void)state;
	read_origins("sources: [{git: 'https://bot:hunter2@h/a.git'}]", &o);
	assert_string_equal(o.items[0].shown, "https://h/a.git");
	assert_null(strstr(o.items[0].place, "hunter2"));
	bw_origins_done(&o);
}

#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void what_is_no_platform_is_refused(void **state)
{
	struct bw_conf *c = parse("sources: [{path: /a, name: a}]\n"
				  "builds: [{source: a, file: D, platforms: [linux/" LONG "]}]\n");
	struct bw_err err = BW_ERR_INIT;
	struct bw_origins o;

	(void)state;
	assert_int_equal(bw_origins_init(&o, c, &err), BW_E_CONFIG);
	assert_string_equal(err.msg, "builds: D: 'linux/" LONG "' is no platform");
	bw_origins_done(&o);
	bw_conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_look_is_an_interval_later_give_or_take),
		cmocka_unit_test(a_change_is_looked_at_soon_and_not_all_the_time),
		cmocka_unit_test(a_change_during_a_look_causes_another),
		cmocka_unit_test(a_shorter_interval_counts_from_now),
		cmocka_unit_test(a_source_that_is_the_same_stays),
		cmocka_unit_test(a_source_that_is_looked_into_in_another_way_is_read_again),
		cmocka_unit_test(builds_of_a_file_replace_the_plain_one),
		cmocka_unit_test(labels_are_an_object_with_sorted_names),
		cmocka_unit_test(branches_are_names_and_patterns),
		cmocka_unit_test(secrets_of_an_address_are_not_shown),
		cmocka_unit_test(what_is_no_platform_is_refused),
	};

	return cmocka_run_group_tests_name("agenda", tests, NULL, NULL);
}
