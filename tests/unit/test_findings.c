/*
 * test_findings.c - what `doctor` found, as table and JSON, in golden files.
 * UPDATE_GOLDEN=1 writes them anew.
 */
#include "golden.h"

#include "core/mem.h"
#include "report/findings.h"

static void add(struct bw_findings *f, enum bw_area area, enum bw_level level, const char *subject,
		const char *seen, const char *advice)
{
	BW_PUSH(f->items, f->count, f->capacity) = (struct bw_finding){.area = area,
								       .level = level,
								       .subject = bw_strdup(subject),
								       .seen = bw_strdup(seen),
								       .advice = bw_strdup_null(advice)};
}

/* Not in the order of the areas, and with what nobody would want on a terminal.
 */
static void make_findings(struct bw_findings *f)
{
	*f = (struct bw_findings){0};
	add(f, BW_AREA_SINK, BW_LEVEL_ERROR, "broker (mqtt mqtt://broker.lan)",
	    "mqtt://broker.lan: the broker says: \033[31mNot authorized",
	    "correct `username` and `password`");
	add(f, BW_AREA_ENVIRONMENT, BW_LEVEL_OK, "git", "git version 2.39.5", NULL);
	add(f, BW_AREA_ENVIRONMENT, BW_LEVEL_NOTE, "user", "root",
	    "basewatch needs no rights of root: give it a user of its own");
	add(f, BW_AREA_DATABASE, BW_LEVEL_WARNING, "sink ci",
	    "12 due, the oldest since 2026-11-21 12:00 (HTTP 503: busy); 3 given up, "
	    "the first 2026-11-20 08:30",
	    "`basewatch events --dead --sink ci` says why; `basewatch events retry "
	    "ID` makes them due again");
	add(f, BW_AREA_DATABASE, BW_LEVEL_OK, "file", "/var/lib/basewatch/basewatch.db", NULL);
	add(f, BW_AREA_REGISTRY, BW_LEVEL_ERROR, "a-registry-with-a-very-long-name.example.org:5000",
	    "certificate has expired", "name the authority of its certificate");
}

static void write_as(const char *name, struct bw_report_options o, void (*make)(struct bw_findings *f))
{
	struct bw_findings f = {0};
	struct golden g;

	if (make)
		make(&f);
	golden_begin(&g);
	o.out = g.out;
	assert_true(bw_findings_write(&f, &o));
	golden_end(&g, name);
	bw_findings_done(&f);
}

static void a_table_has_the_areas_in_order_and_fits_the_terminal(void **state)
{
	(void)state;
	write_as("doctor-file.txt", (struct bw_report_options){0}, make_findings);
	write_as("doctor-120.txt", (struct bw_report_options){.width = 120}, make_findings);
	write_as("doctor-80.txt", (struct bw_report_options){.width = 80}, make_findings);
	write_as("doctor-40.txt", (struct bw_report_options){.width = 40}, make_findings);
	write_as("doctor-colour.txt", (struct bw_report_options){.width = 100, .colour = true},
		 make_findings);
}

static void json_has_every_finding_and_counts_the_levels(void **state)
{
	const struct bw_report_options o = {.format = BW_FORMAT_JSON};

	(void)state;
	write_as("doctor-everything.json", o, make_findings);
	write_as("doctor-nothing.json", o, NULL);
}

static void without_warnings_nothing_is_wrong(void **state)
{
	(void)state;
	write_as("doctor-nothing.txt", (struct bw_report_options){0}, NULL);
}

static void each_area_and_level_has_its_word(void **state)
{
	(void)state;
	for (enum bw_area a = 0; a < BW_AREA_COUNT; a++)
		assert_non_null(bw_area_name(a));
	assert_string_equal(bw_area_name(BW_AREA_SINK), "sink");
	for (enum bw_level l = 0; l < BW_LEVEL_COUNT; l++)
		assert_non_null(bw_level_name(l));
	assert_string_equal(bw_level_name(BW_LEVEL_WARNING), "warning");
}

static void a_write_that_fails_is_told(void **state)
{
	struct bw_report_options o = {.out = fopen("/dev/full", "w")};
	struct bw_findings f;

	(void)state;
	assert_non_null(o.out);
	make_findings(&f);
	assert_false(bw_findings_write(&f, &o));
	bw_findings_done(&f);
	fclose(o.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_has_the_areas_in_order_and_fits_the_terminal),
		cmocka_unit_test(json_has_every_finding_and_counts_the_levels),
		cmocka_unit_test(without_warnings_nothing_is_wrong),
		cmocka_unit_test(each_area_and_level_has_its_word),
		cmocka_unit_test(a_write_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
