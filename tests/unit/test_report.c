/*
 * test_report.c - rows in, report out: tables and JSON as golden files, the counts behind the exit code, and
 * what must hold whatever the rows.
 * UPDATE_GOLDEN=1 writes the golden files anew.
 */
#include "golden.h"

#include "../../watcher/report/reporter.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#define DAY  INT64_C(86400000)
#define HOUR INT64_C(3600000)
#define NOW  INT64_C(1795262400000) /* 2026-11-21 12:00 UTC */

#define SHA(c)                                                                                              \
	"sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c \
		c c c c c c c c c c c c c c c c c c c
#define OLD SHA("1")
#define MID SHA("2")
#define NEW SHA("3")

/* A use of a base that was first seen thirty days ago and is as the build knows it. */
static struct bw_row use_of(int64_t id, const char *base, const char *path, uint32_t line)
{
	return (struct bw_row){
		.source = "",
		.path = path,
		.target = "",
		.line = line,
		.role = BW_ROLE_FINAL,
		.stage = "0",
		.written = base,
		.reachable = true,
		.base_id = id,
		.base = base,
		.digest = NEW,
		.first_seen_ms = NOW - 30 * DAY,
		.digest_since_ms = NOW - 30 * DAY,
		.checked_at_ms = NOW - 1000,
		.handled = NEW,
	};
}

static struct bw_row stale_use(int64_t id, const char *base, const char *path, uint32_t line)
{
	struct bw_row r = use_of(id, base, path, line);

	r.handled = OLD;
	r.previous = OLD;
	r.change_class = "unclassified";
	r.changed_at_ms = r.digest_since_ms = r.stale_since_ms = NOW - 3 * DAY;
	return r;
}

static struct bw_row no_base(const char *written, const char *path, uint32_t line)
{
	struct bw_row r = use_of(0, NULL, path, line);

	r.written = written;
	r.digest = r.handled = NULL;
	r.first_seen_ms = r.digest_since_ms = r.checked_at_ms = 0;
	return r;
}

static struct bw_row broken_file(const char *path, uint32_t line, const char *problem)
{
	return (struct bw_row){.source = "", .path = path, .target = "", .line = line, .problem = problem};
}

static void report(FILE *out, const struct bw_row *rows, size_t count, struct bw_report_options o,
		   struct bw_tally *ret)
{
	struct bw_reporter *r;

	o.out = out;
	o.cwd = "/srv/src";
	o.now_ms = NOW;
	r = bw_reporter_new(&o, o.checked_at_ms);
	for (size_t i = 0; i < count; i++)
		bw_reporter_row(r, &rows[i]);
	assert_true(bw_reporter_end(r, ret));
	bw_reporter_free(r);
}

static void check(const struct bw_row *rows, size_t count, struct bw_report_options o, const char *name)
{
	struct bw_tally tally;
	struct golden g;

	golden_begin(&g);
	report(g.out, rows, count, o, &tally);
	golden_end(&g, name);
}

/* The report as text; the caller frees. */
static char *text_of(const struct bw_row *rows, size_t count, struct bw_report_options o,
		     struct bw_tally *ret)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	report(out, rows, count, o, ret);
	assert_int_equal(fclose(out), 0);
	return text;
}

#define ON_TERMINAL(columns) ((struct bw_report_options){.width = (columns), .checked_at_ms = NOW})
#define IN_A_FILE	     ((struct bw_report_options){.checked_at_ms = NOW})
#define AS_JSON		     ((struct bw_report_options){.format = BW_FORMAT_JSON, .checked_at_ms = NOW})

/* --- one of everything ------------------------------------------------------------------------ */

#define EVERYTHING 24

static void make_bases(struct bw_row *r)
{
	r[0] = use_of(1, "docker.io/library/alpine:3.20", "/srv/src/web/Dockerfile", 1);
	r[1] = use_of(1, "docker.io/library/alpine:3.20", "/srv/src/web/Dockerfile", 9);
	r[1].role = BW_ROLE_COPY;
	r[2] = stale_use(2, "docker.io/library/debian:12", "/srv/src/api/Dockerfile", 3);
	r[2].stage = "runtime";
	r[3] = use_of(2, "docker.io/library/debian:12", "/srv/src/batch/Dockerfile", 1);
	r[4] = stale_use(2, "docker.io/library/debian:12", "/srv/src/services/billing/invoices/Dockerfile",
			 17);
	r[4].role = BW_ROLE_MOUNT;
	r[4].stage = "build";
	r[4].platform = "linux/arm64";
	r[4].target = "runtime";
	r[5] = use_of(2, "docker.io/library/debian:12", "docker/Dockerfile", 2);
	r[5].source = "shop";
	r[5].pinned = OLD;
	r[5].pin = BW_PIN_OTHER;
	for (size_t i = 3; i <= 5; i++) {
		r[i].previous = OLD;
		r[i].change_class = "unclassified";
		r[i].changed_at_ms = r[i].digest_since_ms = NOW - 3 * DAY;
	}
	r[6] = use_of(3, "docker.io/library/node:22", "/srv/src/web/Dockerfile", 5);
	r[6].role = BW_ROLE_STAGE;
	r[6].stage = "assets";
	r[6].pinned = MID;
	r[6].pin = BW_PIN_OTHER;
	r[6].digest_since_ms = NOW - 26 * HOUR;
	r[7] = use_of(4, "ghcr.io/acme/platform/runtime-base:2026.11-bookworm", "/srv/src/api/Dockerfile", 1);
	r[7].role = BW_ROLE_STAGE;
	r[7].stage = "build";
	r[7].trouble = BW_TROUBLE_DNS;
	r[7].trouble_message = "ghcr.io: no address found for this name";
	r[7].trouble_since_ms = NOW - 20 * 60000;
	r[8] = use_of(5, "registry.lan:5000/tools/lint:1", "/srv/src/api/Dockerfile", 22);
	r[8].ignored = "internal";
	r[8].trouble = BW_TROUBLE_NONE;
	r[8].first_seen_ms = r[8].checked_at_ms = r[8].digest_since_ms = 0;
	r[8].digest = r[8].handled = NULL;
	r[9] = use_of(6, "docker.io/docker/dockerfile:1", "/srv/src/web/Dockerfile", 1);
	r[9].role = BW_ROLE_FRONTEND;
	r[9].stage = NULL;
}

static void make_rest(struct bw_row *r)
{
	r[0] = no_base("scratch", "/srv/src/api/Dockerfile", 30);
	r[0].is_scratch = true;
	r[1] = no_base("debian@" OLD, "/srv/src/batch/Dockerfile", 4);
	r[1].pinned = OLD;
	r[2] = no_base("scratch", "/srv/src/batch/Dockerfile", 9);
	r[2].is_scratch = true;
	r[3] = broken_file("/srv/src/old/Dockerfile", 7, "unknown instruction FORM");
	r[4] = no_base("${BASE}", "/srv/src/tools/Dockerfile", 2);
	r[4].unresolved = "ARG BASE has no value and no default";
	r[5] = no_base("{{ image }}", "/srv/src/tools/Dockerfile.j2", 1);
	r[5].unresolved = "not a reference: '{' at character 1";
	r[5].is_template = true;
	r[6] = no_base("${BASE}", "/srv/src/zoo/Dockerfile", 12);
	r[6].unresolved = "ARG BASE has no value and no default";
	r[6].role = BW_ROLE_COPY;
}

static size_t make_everything(struct bw_row rows[EVERYTHING])
{
	make_bases(rows);
	make_rest(rows + 10);
	return 17;
}

static void a_table_shows_the_worst_first(void **state)
{
	struct bw_row rows[EVERYTHING];
	size_t n = make_everything(rows);

	(void)state;
	check(rows, n, ON_TERMINAL(80), "report-80.txt");
	check(rows, n, ON_TERMINAL(120), "report-120.txt");
	check(rows, n, ON_TERMINAL(40), "report-40.txt");
}

static void a_table_in_a_file_is_never_cut(void **state)
{
	struct bw_row rows[EVERYTHING];

	(void)state;
	check(rows, make_everything(rows), IN_A_FILE, "report-file.txt");
}

static void a_terminal_may_have_colours(void **state)
{
	struct bw_row rows[EVERYTHING];
	struct bw_report_options o = ON_TERMINAL(100);

	(void)state;
	o.colour = true;
	check(rows, make_everything(rows), o, "report-colour.txt");
}

static void json_has_the_promised_members_in_order(void **state)
{
	struct bw_row rows[EVERYTHING];

	(void)state;
	check(rows, make_everything(rows), AS_JSON, "report-everything.json");
}

static void no_rows_are_a_report_too(void **state)
{
	(void)state;
	check(NULL, 0, IN_A_FILE, "report-nothing.txt");
	check(NULL, 0, (struct bw_report_options){.format = BW_FORMAT_JSON}, "report-nothing.json");
}

static void uses_without_a_base_alone_are_a_report(void **state)
{
	struct bw_row rows[7];

	(void)state;
	make_rest(rows);
	check(rows, 3, ON_TERMINAL(80), "report-baseless.txt");
	check(rows, 3, AS_JSON, "report-baseless.json");
}

/* --- what moved ------------------------------------------------------------------------------- */

/* A base that moved when the sweep looked, and no build has to follow. */
static struct bw_row carried_use(int64_t id, const char *base, const char *path, uint32_t line)
{
	struct bw_row r = use_of(id, base, path, line);

	r.previous = OLD;
	r.change_class = "index";
	r.moved = "attestations only";
	r.changed_at_ms = r.digest_since_ms = r.fresh_since_ms = r.checked_at_ms;
	r.evidence = "same-content";
	r.handled = OLD;
	r.is_same = true;
	return r;
}

static void pin(struct bw_row *r, enum bw_pin how, const char *have)
{
	r->pinned = how == BW_PIN_EQUAL ? NEW : MID;
	r->pin = how;
	r->evidence = NULL;
	r->fresh_since_ms = 0;
	r->platform = "linux/amd64";
	r->pin_platform = have;
}

#define CHANGES 13

static void make_changes(struct bw_row r[CHANGES])
{
	const char *debian = "docker.io/library/debian:12", *alpine = "docker.io/library/alpine:3.20";
	const char *node = "docker.io/library/node:22", *go = "docker.io/library/golang:1.23-bookworm";

	r[0] = use_of(1, "docker.io/library/aaa:1", "/srv/src/a/Dockerfile", 1);
	r[1] = carried_use(2, alpine, "/srv/src/a/Dockerfile", 2);
	r[2] = carried_use(2, alpine, "/srv/src/b/Dockerfile", 2);
	pin(&r[2], BW_PIN_EQUAL, "linux/arm64");
	r[3] = carried_use(2, alpine, "/srv/src/c/Dockerfile", 2);
	r[4] = stale_use(3, debian, "/srv/src/a/Dockerfile", 3);
	r[5] = stale_use(3, debian, "/srv/src/b/Dockerfile", 3);
	r[5].platform = "linux/arm64";
	r[5].change_class = "config";
	r[5].moved = "environment (DEBIAN_VERSION), labels (version), history";
	r[6] = carried_use(3, debian, "/srv/src/c/Dockerfile", 3);
	r[6].platform = "linux/riscv64";
	r[6].changed_at_ms = r[6].digest_since_ms = r[6].fresh_since_ms = r[5].changed_at_ms;
	r[7] = use_of(3, debian, "/srv/src/d/Dockerfile", 3);
	pin(&r[7], BW_PIN_CHILD, "");
	r[8] = use_of(4, go, "/srv/src/a/Dockerfile", 4);
	pin(&r[8], BW_PIN_OTHER, "linux/arm64");
	r[9] = carried_use(5, node, "/srv/src/a/Dockerfile", 5);
	r[9].evidence = "returned";
	r[9].handled = NEW;
	r[9].is_same = false;
	r[9].change_class = "rollback";
	r[9].moved = "back to sighting 3";
	r[10] = carried_use(6, "docker.io/library/ruby:3", "/srv/src/a/Dockerfile", 6);
	r[10].changed_at_ms = r[10].digest_since_ms = r[10].fresh_since_ms = NOW - 3 * DAY;
	r[11] = use_of(7, "r.lan/wrong:1", "/srv/src/a/Dockerfile", 7);
	pin(&r[11], BW_PIN_CHILD, "linux/arm/v7");
	r[12] = use_of(8, "r.lan/zero:1", "/srv/src/a/Dockerfile", 8);
	pin(&r[12], BW_PIN_UNDECIDED, NULL);
	for (size_t i = 4; i <= 7; i++) {
		r[i].previous = OLD;
		r[i].changed_at_ms = r[4].changed_at_ms;
	}
	r[4].change_class = r[7].change_class = "content";
	r[4].moved = r[7].moved = "linux/amd64: 3 of 5 layers differ, 48.1 -> 49.3 MiB; 7 more platforms";
}

static void a_change_is_shown_with_its_class_and_what_moved(void **state)
{
	struct bw_report_options colourful = ON_TERMINAL(100);
	struct bw_row rows[CHANGES];

	(void)state;
	make_changes(rows);
	colourful.colour = true;
	check(rows, CHANGES, ON_TERMINAL(80), "report-changes-80.txt");
	check(rows, CHANGES, ON_TERMINAL(40), "report-changes-40.txt");
	check(rows, CHANGES, colourful, "report-changes-colour.txt");
	check(rows, CHANGES, IN_A_FILE, "report-changes-file.txt");
	check(rows, CHANGES, AS_JSON, "report-changes.json");
}

static void a_change_that_counts_for_nobody_is_named_once(void **state)
{
	struct bw_row rows[2];
	struct bw_tally tally;
	BW_AUTOFREE char *now = NULL, *later = NULL, *next = NULL, *json = NULL;

	(void)state;
	rows[0] = carried_use(1, "docker.io/library/alpine:3.20", "/srv/src/a/Dockerfile", 1);
	rows[1] = carried_use(1, "docker.io/library/alpine:3.20", "/srv/src/b/Dockerfile", 1);
	now = text_of(rows, 2, IN_A_FILE, &tally);
	assert_non_null(
		strstr(now, "fresh    alpine:3.20  2 uses  moved sha256:111111111111 -> sha256:333333333333"
			    " (index: attestations only): same content\n"));
	assert_int_equal(tally.counted[BW_FRESH], 2);
	later = text_of(rows, 2, (struct bw_report_options){0}, &tally);
	assert_non_null(strstr(later, "fresh    alpine:3.20  2 uses\n"));
	assert_null(strstr(later, "moved"));
	rows[0].checked_at_ms = rows[1].checked_at_ms = NOW;
	next = text_of(rows, 2, IN_A_FILE, &tally);
	assert_null(strstr(next, "moved"));
	rows[0].evidence = NULL; /* a build that names the base since then has nothing to say */
	rows[0].handled = NEW;
	rows[0].is_same = false;
	json = text_of(rows, 2, (struct bw_report_options){.format = BW_FORMAT_JSON}, &tally);
	assert_non_null(
		strstr(json, "alpine:3.20\",\"verdict\":\"fresh\",\"reason\":\"moved sha256:111111111111 -> "
			     "sha256:333333333333 (index: attestations only): same content\""));
}

static void the_change_that_weighs_most_speaks_for_the_base(void **state)
{
	static const char *const classes[] = {"index", "config", "rollback", "unclassified", "content", NULL};
	struct bw_row rows[BW_COUNT(classes)];
	struct bw_tally tally;

	(void)state;
	for (size_t first = 0; first < BW_COUNT(classes); first++) {
		BW_AUTOFREE char *json = NULL;

		for (size_t i = 0; i < BW_COUNT(classes); i++) {
			size_t at = (first + i) % BW_COUNT(classes);

			rows[i] = stale_use(1, "docker.io/library/debian:12", "/srv/src/a/Dockerfile", 1);
			rows[i].change_class = classes[at];
			rows[i].moved = classes[at] ? "words" : NULL;
		}
		json = text_of(rows, BW_COUNT(classes), AS_JSON, &tally);
		assert_non_null(
			strstr(json, "sha256:333333333333 (content: words)\",\"since\":"
				     "\"2026-11-18T12:00:00Z\",\"class\":\"content\",\"moved\":\"words\","));
	}
}

/* --- first sight ------------------------------------------------------------------------------ */

static void a_first_sight_says_that_there_is_nothing_to_compare_with(void **state)
{
	struct bw_row rows[] = {
		use_of(1, "docker.io/library/alpine:3.20", "/srv/src/web/Dockerfile", 1),
		use_of(2, "docker.io/library/debian:12", "/srv/src/api/Dockerfile", 3),
		use_of(3, "docker.io/library/node:22", "/srv/src/web/Dockerfile", 5),
	};
	struct bw_tally tally;
	BW_AUTOFREE char *all = NULL, *one = NULL;

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++)
		rows[i].first_seen_ms = rows[i].digest_since_ms = rows[i].checked_at_ms;
	all = text_of(rows, 3, IN_A_FILE, &tally);
	assert_non_null(
		strstr(all, "3 bases: 3 fresh; first sight of 3 bases, nothing to compare with yet.\n"));
	assert_int_equal(tally.bases, 3);
	assert_int_equal(tally.first_sights, 3);
	rows[0].first_seen_ms -= DAY;
	rows[1].first_seen_ms -= DAY;
	one = text_of(rows, 3, IN_A_FILE, &tally);
	assert_non_null(strstr(one, "; first sight of 1 base, nothing to compare with yet.\n"));
	assert_int_equal(tally.first_sights, 1);
}

static void a_failure_is_no_first_sight(void **state)
{
	struct bw_row row = use_of(1, "docker.io/library/alpine:3.20", "/srv/src/web/Dockerfile", 1);
	struct bw_tally tally;
	BW_AUTOFREE char *text = NULL;

	(void)state;
	row.digest = row.handled = NULL;
	row.first_seen_ms = row.digest_since_ms = 0;
	row.trouble = BW_TROUBLE_TIMEOUT;
	row.trouble_message = "no answer within 10 s";
	row.trouble_since_ms = NOW;
	text = text_of(&row, 1, IN_A_FILE, &tally);
	assert_int_equal(tally.first_sights, 0);
	assert_null(strstr(text, "first sight"));
	assert_non_null(strstr(text, "1 base: 1 unknown."));
}

static void a_report_without_a_sweep_says_how_old_its_knowledge_is(void **state)
{
	struct bw_row row = use_of(1, "docker.io/library/alpine:3.20", "/srv/src/web/Dockerfile", 1);
	struct bw_tally tally;
	BW_AUTOFREE char *text = text_of(&row, 1, (struct bw_report_options){0}, &tally);

	(void)state;
	assert_non_null(strstr(text, "1 base: 1 fresh. Last checked 2026-11-21 11:59.\n"));
}

/* --- the base's verdict ----------------------------------------------------------------------- */

static void the_use_that_is_stale_for_longest_speaks_for_the_base(void **state)
{
	struct bw_row rows[3];
	struct bw_tally tally;
	BW_AUTOFREE char *json = NULL;

	(void)state;
	rows[0] = use_of(1, "docker.io/library/debian:12", "/srv/src/a/Dockerfile", 1);
	rows[1] = stale_use(1, "docker.io/library/debian:12", "/srv/src/b/Dockerfile", 1);
	rows[1].stale_since_ms = NOW - DAY;
	rows[2] = stale_use(1, "docker.io/library/debian:12", "/srv/src/c/Dockerfile", 1);
	rows[2].stale_since_ms = NOW - 5 * DAY;
	json = text_of(rows, 3, AS_JSON, &tally);
	assert_non_null(strstr(json, "\"verdict\":\"stale\",\"reason\":"));
	assert_non_null(strstr(json, "\"since\":\"2026-11-16T12:00:00Z\""));
	assert_non_null(strstr(json, "\"stale_since\":\"2026-11-16T12:00:00Z\""));
	assert_int_equal(tally.verdicts[BW_STALE], 1);
	assert_int_equal(tally.counted[BW_STALE], 2);
	assert_int_equal(tally.counted[BW_FRESH], 1);
}

static void an_ignored_use_does_not_hide_a_fresh_one(void **state)
{
	struct bw_row rows[2];
	struct bw_tally tally;
	BW_AUTOFREE char *text = NULL;

	(void)state;
	rows[0] = use_of(1, "docker.io/library/debian:12", "/srv/src/a/Dockerfile", 1);
	rows[1] = stale_use(1, "docker.io/library/debian:12", "/srv/src/b/Dockerfile", 1);
	rows[1].ignored = "";
	text = text_of(rows, 2, AS_JSON, &tally);
	assert_int_equal(tally.verdicts[BW_FRESH], 1);
	assert_int_equal(tally.counted[BW_STALE], 0);
	assert_int_equal(tally.counted[BW_IGNORED], 1);
	assert_non_null(strstr(text, "\"stale_since\":null"));
}

static void uses_that_are_well_are_only_counted(void **state)
{
	struct bw_row rows[202];
	BW_AUTOFREE char *text = NULL;
	struct bw_tally tally;

	(void)state;
	for (size_t i = 0; i < 202; i++)
		rows[i] = use_of(1, "docker.io/library/debian:12", "/srv/src/b/Dockerfile", (uint32_t)i + 1);
	rows[100] = stale_use(1, "docker.io/library/debian:12", "/srv/src/c/Dockerfile", 7);
	rows[201].ignored = "";
	text = text_of(rows, 202, IN_A_FILE, &tally);
	assert_non_null(strstr(
		text, "\n         c/Dockerfile:7  final\n         and 200 fresh uses, 1 ignored use\n"));
}

/* --- what counts ------------------------------------------------------------------------------ */

static void frontends_count_only_when_asked(void **state)
{
	struct bw_row row = stale_use(1, "docker.io/docker/dockerfile:1", "/srv/src/web/Dockerfile", 1);
	struct bw_report_options o = IN_A_FILE;
	struct bw_tally tally;

	(void)state;
	row.role = BW_ROLE_FRONTEND;
	free(text_of(&row, 1, o, &tally));
	assert_int_equal(tally.verdicts[BW_STALE], 1);
	assert_int_equal(tally.counted[BW_STALE], 0);
	o.count_frontends = true;
	free(text_of(&row, 1, o, &tally));
	assert_int_equal(tally.counted[BW_STALE], 1);
}

static void a_template_never_counts_as_unknown(void **state)
{
	struct bw_row rows[4];
	struct bw_tally tally;

	(void)state;
	rows[0] = stale_use(1, "docker.io/library/debian:12", "/srv/src/Dockerfile.in", 1);
	rows[1] = use_of(2, "r.lan/base:1", "/srv/src/Dockerfile.in", 9);
	rows[1].trouble = BW_TROUBLE_TIMEOUT;
	rows[1].trouble_since_ms = NOW;
	rows[2] = no_base("@BASE@", "/srv/src/Dockerfile.in", 2);
	rows[2].unresolved = "not a reference";
	rows[3] = broken_file("/srv/src/Dockerfile.in", 3, "unknown instruction");
	for (size_t i = 0; i < 4; i++)
		rows[i].is_template = true;
	check(rows, 4, ON_TERMINAL(80), "report-template.txt");
	free(text_of(rows, 4, IN_A_FILE, &tally));
	assert_int_equal(tally.verdicts[BW_STALE], 1);
	assert_int_equal(tally.verdicts[BW_UNKNOWN], 1);
	assert_int_equal(tally.verdicts[BW_UNFOLLOWABLE], 2);
	assert_int_equal(tally.counted[BW_UNKNOWN], 0);
	assert_int_equal(tally.counted[BW_STALE], 1);
}

static void a_broken_file_counts_as_unknown(void **state)
{
	struct bw_row row = broken_file("/srv/src/Dockerfile", 0, "Permission denied");
	struct bw_tally tally;
	BW_AUTOFREE char *json = NULL;

	(void)state;
	row.role = BW_ROLE_FRONTEND; /* not a use, whatever the other members say */
	json = text_of(&row, 1, AS_JSON, &tally);
	assert_int_equal(tally.counted[BW_UNKNOWN], 1);
	assert_int_equal(tally.verdicts[BW_UNKNOWN], 1);
	assert_int_equal(tally.bases, 0);
	assert_non_null(strstr(
		json, "\"other\":[{\"path\":\"Dockerfile\",\"source\":null,\"line\":null,\"role\":null,"
		      "\"stage\":null,\"platform\":null,\"pinned\":null,\"reachable\":true,"
		      "\"verdict\":\"unknown\",\"reason\":\"Permission denied\",\"class\":null,"
		      "\"moved\":null,\"evidence\":null,\"fresh_since\":null,\"pin\":null,"
		      "\"pin_platform\":null}]"));
}

/* --- hostile text ----------------------------------------------------------------------------- */

#define HOSTILE_ROWS 5

static void make_hostile(struct bw_row rows[HOSTILE_ROWS])
{
	rows[0] = stale_use(1, "evil.example/\033[2J:1", "/srv/src/a\033]0;owned\007/Dockerfile", 1);
	rows[0].change_class = "config";
	rows[0].moved = "labels (\033[31m\xE2\x80\xAE, a\nverdict: fresh)";
	rows[0].stage = "st\xC2\x9B"
			"31mage";
	rows[1] = use_of(2, "r.example/\xE4\xBD\xA0\xE5\xA5\xBD:1",
			 "/srv/src/\xE4\xBD\xA0\xE5\xA5\xBD/Dockerfile", 2);
	rows[1].trouble = BW_TROUBLE_MALFORMED;
	rows[1].trouble_message =
		"said \"\xE2\x80\xAEhserf\xE2\x80\xAC\"\nand\tmore, \xFF\xFE then "
		"\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97 without an end";
	rows[1].trouble_since_ms = NOW - 90 * DAY;
	rows[2] = no_base("${X}\033[31m", "/srv/src/b/Dockerfile", 3);
	rows[2].unresolved = "no value for X\r\nverdict: fresh";
	rows[3] = broken_file("/srv/src/c\nd/Dockerfile", 4, "\033[0mnot an instruction");
	rows[4] = no_base("scratch\033[5m", "/srv/src/e/\xCC\x81\xF0\x9F\x90\xB3/Dockerfile", 5);
	rows[4].is_scratch = true;
}

static void hostile_text_steers_no_terminal(void **state)
{
	struct bw_row rows[HOSTILE_ROWS];
	BW_AUTOFREE char *text = NULL;
	struct bw_tally tally;

	(void)state;
	make_hostile(rows);
	check(rows, HOSTILE_ROWS, ON_TERMINAL(80), "report-hostile-80.txt");
	check(rows, HOSTILE_ROWS, ON_TERMINAL(40), "report-hostile-40.txt");
	check(rows, HOSTILE_ROWS, AS_JSON, "report-hostile.json");
	text = text_of(rows, HOSTILE_ROWS, IN_A_FILE, &tally);
	for (const char *s = text; *s; s++)
		assert_true((unsigned char)*s >= 0x20 || *s == '\n');
	assert_null(strstr(text, "\xE2\x80\xAE"));
	assert_null(strstr(text, "\xC2\x9B"));
}

static void check_lines_fit(const char *text, unsigned width)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (bw_text_width(line, len) > width)
			fail_msg("wider than %u: %.*s", width, (int)len, line);
		for (size_t i = 0, n; i < len; i += n) {
			n = bw_utf8_len(line + i, len - i);
			if (n == 0)
				fail_msg("cut inside a character at width %u: %.*s", width, (int)len, line);
		}
		line += len + (line[len] == '\n');
	}
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	struct bw_row rows[EVERYTHING], hostile[HOSTILE_ROWS], changes[CHANGES];
	size_t n = make_everything(rows);
	struct bw_tally tally;

	(void)state;
	make_hostile(hostile);
	make_changes(changes);
	for (unsigned width = 1; width <= 130; width++) {
		BW_AUTOFREE char *a = text_of(rows, n, ON_TERMINAL(width), &tally);
		BW_AUTOFREE char *b = text_of(hostile, HOSTILE_ROWS, ON_TERMINAL(width), &tally);
		BW_AUTOFREE char *c = text_of(changes, CHANGES, ON_TERMINAL(width), &tally);

		check_lines_fit(a, width);
		check_lines_fit(b, width);
		check_lines_fit(c, width);
	}
}

/* --- what could not be looked into ------------------------------------------------------------ */

static void what_could_not_be_looked_into_is_unknown_and_counts(void **state)
{
	struct bw_row row = stale_use(1, "docker.io/library/debian:12", "/srv/src/c/Dockerfile", 7);
	struct bw_gap items[] = {
		{.place = (char[]){"/srv/src/closed"},
		 .problem = (char[]){"permission denied"},
		 .since_ms = NOW - DAY},
		{.place = (char[]){"https://x.example/\x1b[31mapi.git#dev"},
		 .problem = (char[]){"it has no branch\n'dev'"}},
	};
	const struct bw_gaps gaps = {.items = items, .count = BW_COUNT(items)};
	struct bw_tally tally;

	(void)state;
	for (unsigned rows = 0; rows < 2; rows++) {
		struct bw_report_options o = {.checked_at_ms = NOW, .gaps = &gaps};
		BW_AUTOFREE char *text = text_of(&row, rows, o, &tally);

		assert_int_equal(tally.counted[BW_UNKNOWN], 2);
		assert_int_equal(tally.verdicts[BW_UNKNOWN], 2);
	}
	check(&row, 1, (struct bw_report_options){.checked_at_ms = NOW, .gaps = &gaps}, "report-gaps.txt");
	check(NULL, 0, (struct bw_report_options){.checked_at_ms = NOW, .gaps = &gaps},
	      "report-gaps-only.txt");
	check(&row, 1, (struct bw_report_options){.width = 40, .checked_at_ms = NOW, .gaps = &gaps},
	      "report-gaps-40.txt");
	check(&row, 1,
	      (struct bw_report_options){.format = BW_FORMAT_JSON, .checked_at_ms = NOW, .gaps = &gaps},
	      "report-gaps.json");
}

/* --- when it is asked again -------------------------------------------------------------------- */

#define HUB_TEXT                                                                                            \
	"docker.io grants 100 requests in 6 h and 20 are kept for others: 1,000 bases are asked every 3 d " \
	"3 h"

static bool find_next(int64_t base_id, struct bw_next_check *ret, void *arg)
{
	(void)arg;
	*ret = (struct bw_next_check){.at_ms = NOW + base_id * HOUR,
				      .reason = base_id < 4 ? HUB_TEXT : "as scheduled"};
	return base_id < 5;
}

static bool find_none(int64_t base_id, struct bw_next_check *ret, void *arg)
{
	(void)base_id;
	(void)ret;
	(void)arg;
	return false;
}

static void the_next_check_and_why_is_said_where_a_daemon_watches(void **state)
{
	static const struct bw_outlook_registry registries[] = {
		{.name = "docker.io",
		 .bases = 1000,
		 .seen_ms = NOW - 60000,
		 .has_budget = true,
		 .limit = 100,
		 .remaining = 31,
		 .reserved = 20,
		 .window_s = 21600,
		 .interval_ms = 270000000,
		 .text = HUB_TEXT},
		{.name = "ghcr.io",
		 .bases = 3,
		 .seen_ms = NOW,
		 .has_budget = true,
		 .limit = 5000,
		 .is_free = true},
		{.name = "r\x1b[31m.example",
		 .bases = 1,
		 .seen_ms = NOW,
		 .pause = "throttled",
		 .paused_until_ms = NOW + HOUR,
		 .text = "r\x1b[31m.example: paused until 2026-11-21 13:16 (429 or Retry-After)"},
	};
	static const struct bw_outlook outlook = {
		.find = find_next, .registries = registries, .count = BW_COUNT(registries)};
	struct bw_row rows[EVERYTHING];
	size_t n = make_everything(rows);

	(void)state;
	check(rows, n, (struct bw_report_options){.width = 80, .outlook = &outlook}, "report-outlook-80.txt");
	check(rows, n, (struct bw_report_options){.outlook = &outlook}, "report-outlook-file.txt");
	check(rows, n, (struct bw_report_options){.format = BW_FORMAT_JSON, .outlook = &outlook},
	      "report-outlook.json");
}

static void what_a_sweep_held_back_is_said_once_for_its_registry(void **state)
{
	static const struct bw_outlook_registry registries[] = {
		{.name = "r.example",
		 .bases = 13,
		 .held_back = "4 of 20 requests are left; may be asked again at 2026-11-21 18:05",
		 .text = "r.example: 13 bases were not asked: 4 of 20 requests are left; may be asked again "
			 "at "
			 "2026-11-21 18:05"}};
	static const struct bw_outlook outlook = {.find = find_none, .registries = registries, .count = 1};
	struct bw_report_options o = {.checked_at_ms = NOW, .outlook = &outlook};
	struct bw_row rows[14];
	struct bw_tally tally;
	char names[14][32];

	(void)state;
	for (int i = 0; i < 14; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%s.example/app%02d:1", i < 13 ? "r" : "s", i);
		rows[i] = use_of(i + 1, names[i], "/srv/src/a/Dockerfile", (uint32_t)i + 1);
		rows[i].digest = rows[i].handled = NULL;
		rows[i].checked_at_ms = rows[i].first_seen_ms = 0;
	}
	check(rows, 14, o, "report-held.txt");
	o.width = 60;
	check(rows, 14, o, "report-held-60.txt");
	o.format = BW_FORMAT_JSON;
	free(text_of(rows, 14, o, &tally));
	assert_int_equal(tally.counted[BW_UNKNOWN], 14);
}

/* --- where it goes ---------------------------------------------------------------------------- */

static bool report_to(const char *path, enum bw_format format)
{
	struct bw_row rows[EVERYTHING];
	size_t n = make_everything(rows);
	struct bw_report_options o = {.format = format, .cwd = "/", .now_ms = NOW, .out = fopen(path, "w")};
	struct bw_reporter *r;
	struct bw_tally tally;
	bool ok;

	assert_non_null(o.out);
	r = bw_reporter_new(&o, NOW);
	for (size_t i = 0; i < n; i++)
		bw_reporter_row(r, &rows[i]);
	ok = bw_reporter_end(r, &tally);
	bw_reporter_free(r);
	fclose(o.out);
	return ok;
}

static void a_full_disk_is_noticed(void **state)
{
	(void)state;
	assert_false(report_to("/dev/full", BW_FORMAT_TABLE));
	assert_false(report_to("/dev/full", BW_FORMAT_JSON));
	assert_true(report_to("/dev/null", BW_FORMAT_TABLE));
	assert_true(report_to("/dev/null", BW_FORMAT_JSON));
}

static void a_reporter_can_be_given_up(void **state)
{
	struct bw_report_options o = {.out = stdout, .format = BW_FORMAT_TABLE, .cwd = "/", .now_ms = NOW};
	struct bw_row row = stale_use(1, "docker.io/library/debian:12", "/srv/src/c/Dockerfile", 7);
	struct bw_reporter *r = bw_reporter_new(&o, NOW);

	(void)state;
	bw_reporter_row(r, &row);
	bw_reporter_free(r);
	bw_reporter_free(NULL);
}

static void paths_are_shown_relative_to_the_current_folder(void **state)
{
	static const struct {
		const char *source, *path, *cwd, *wanted;
	} rows[] = {
		{"", "/srv/src/a/Dockerfile", "/srv/src", "a/Dockerfile"},
		{"", "/srv/src/a/Dockerfile", "/srv/src/", "a/Dockerfile"},
		{"", "/srv/srcs/a/Dockerfile", "/srv/src", "/srv/srcs/a/Dockerfile"},
		{"", "/srv/src", "/srv/src", "/srv/src"},
		{"", "/srv/src/", "/srv/src", "/srv/src/"},
		{"", "/Dockerfile", "/", "Dockerfile"},
		{"", "/a/Dockerfile", "", "/a/Dockerfile"},
		{"", "/a/Dockerfile", NULL, "/a/Dockerfile"},
		{NULL, "/a/Dockerfile", "/a", "Dockerfile"},
		{"shop", "web/Dockerfile", "/srv/src", "shop:web/Dockerfile"},
		{"", "-", "/srv/src", "-"},
	};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(rows); i++) {
		BW_AUTOFREE char *got = bw_report_path(rows[i].source, rows[i].path, rows[i].cwd);

		assert_string_equal(got, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_shows_the_worst_first),
		cmocka_unit_test(a_table_in_a_file_is_never_cut),
		cmocka_unit_test(a_terminal_may_have_colours),
		cmocka_unit_test(json_has_the_promised_members_in_order),
		cmocka_unit_test(no_rows_are_a_report_too),
		cmocka_unit_test(uses_without_a_base_alone_are_a_report),
		cmocka_unit_test(a_change_is_shown_with_its_class_and_what_moved),
		cmocka_unit_test(a_change_that_counts_for_nobody_is_named_once),
		cmocka_unit_test(the_change_that_weighs_most_speaks_for_the_base),
		cmocka_unit_test(a_first_sight_says_that_there_is_nothing_to_compare_with),
		cmocka_unit_test(a_failure_is_no_first_sight),
		cmocka_unit_test(a_report_without_a_sweep_says_how_old_its_knowledge_is),
		cmocka_unit_test(the_use_that_is_stale_for_longest_speaks_for_the_base),
		cmocka_unit_test(an_ignored_use_does_not_hide_a_fresh_one),
		cmocka_unit_test(uses_that_are_well_are_only_counted),
		cmocka_unit_test(frontends_count_only_when_asked),
		cmocka_unit_test(a_template_never_counts_as_unknown),
		cmocka_unit_test(a_broken_file_counts_as_unknown),
		cmocka_unit_test(hostile_text_steers_no_terminal),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(what_could_not_be_looked_into_is_unknown_and_counts),
		cmocka_unit_test(the_next_check_and_why_is_said_where_a_daemon_watches),
		cmocka_unit_test(what_a_sweep_held_back_is_said_once_for_its_registry),
		cmocka_unit_test(a_full_disk_is_noticed),
		cmocka_unit_test(a_reporter_can_be_given_up),
		cmocka_unit_test(paths_are_shown_relative_to_the_current_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
