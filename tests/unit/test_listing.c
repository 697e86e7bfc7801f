/*
 * test_listing.c - scan, history and resolve: tables and JSON as golden files.
 * UPDATE_GOLDEN=1 writes the golden files anew.
 */
#include "golden.h"

#include "../../watcher/report/history.h"
#include "core/mem.h"
#include "core/text.h"
#include "report/listing.h"

#define DAY INT64_C(86400000)
#define NOW INT64_C(1795262400000) /* 2026-11-21 12:00 UTC */

#define SHA(c)                                                                                              \
	"sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c \
		c c c c c c c c c c c c c c c c c c c
#define OLD SHA("1")
#define MID SHA("2")
#define NEW SHA("3")

/*
 * --- scan
 * -----------------------------------------------------------------------------------------------------------
 */

static struct bw_use use_of(enum bw_role role, uint32_t line, const char *written, const char *reference)
{
	struct bw_use u = {
		.role = role,
		.span = {.line = line, .column = 6},
		.stage = bw_strdup("0"),
		.written = bw_strdup(written),
		.expanded = bw_strdup(written),
		.reference = bw_strdup_null(reference),
		.reachable = true,
	};

	if (reference)
		assert_int_equal(bw_reference_parse(reference, strlen(reference), &u.parts, NULL, NULL), 0);
	return u;
}

static void set(char **member, const char *s)
{
	free(*member);
	*member = bw_strdup_null(s);
}

#define USES 8

static void make_uses(struct bw_use u[USES])
{
	u[0] = use_of(BW_ROLE_FRONTEND, 1, "docker/dockerfile:1", "docker.io/docker/dockerfile:1");
	set(&u[0].stage, NULL);
	u[1] = use_of(BW_ROLE_STAGE, 4, "${REGISTRY}/base:1", "registry.lan:5000/base:1");
	set(&u[1].expanded, "registry.lan:5000/base:1");
	set(&u[1].stage, "build");
	set(&u[1].platform, "linux/arm64");
	u[2] = use_of(BW_ROLE_COPY, 9, "busybox@" OLD, "docker.io/library/busybox@" OLD);
	set(&u[2].stage, "build");
	u[3] = use_of(BW_ROLE_STAGE, 12, "golang", "docker.io/library/golang:latest");
	u[3].reachable = false;
	u[4] = use_of(BW_ROLE_STAGE, 15, "${MISSING:?set it}", NULL);
	set(&u[4].expanded, NULL);
	set(&u[4].unresolved, "MISSING: set it");
	u[5] = use_of(BW_ROLE_MOUNT, 17, "ghcr.io/acme/tools:1@" NEW, "ghcr.io/acme/tools:1@" NEW);
	u[5].ignored = bw_strdup("internal");
	u[5].ignored_until_ms = NOW + DAY;
	u[6] = use_of(BW_ROLE_STAGE, 18, "debian:12", "docker.io/library/debian:12");
	u[6].ignored = bw_strdup("");
	u[6].ignored_until_ms = NOW;
	u[7] = use_of(BW_ROLE_FINAL, 20, "scratch", NULL);
	u[7].is_scratch = true;
}

static void write_scan(FILE *out, struct bw_report_options o)
{
	struct bw_use uses[USES], hostile[2];
	struct bw_dockerfile plain = {.uses = uses, .use_count = USES}, empty = {0};
	struct bw_dockerfile cut = {.uses = hostile, .use_count = 2, .error_line = 7};
	struct bw_dockerfile lost = {.error = NULL};
	struct bw_scan_writer *w;

	make_uses(uses);
	hostile[0] = use_of(BW_ROLE_STAGE, 2, "a\033[31m", NULL);
	set(&hostile[0].unresolved, "not a reference: \\x1b at character 2\033[0m");
	set(&hostile[0].stage, "\xE4\xBD\xA0\xE5\xA5\xBD\xE2\x80\xAE");
	hostile[1] = use_of(BW_ROLE_CONTEXT, 0, "alpine", "docker.io/library/alpine:latest");
	cut.error = bw_strdup("unknown instruction \033[2JFORM");
	lost.error = bw_strdup("the file is empty");
	o.out = out;
	o.cwd = "/srv/src";
	o.now_ms = NOW;
	w = bw_scan_writer_new(&o);
	bw_scan_writer_add(
		w, &(struct bw_scan_file){.source = "", .path = "/srv/src/web/Dockerfile", .file = &plain});
	bw_scan_writer_add(w,
			   &(struct bw_scan_file){.source = "shop", .path = "a/Dockerfile", .file = &empty});
	bw_scan_writer_add(w, &(struct bw_scan_file){
				      .source = "", .path = "/srv/src/e\033vil/Dockerfile", .file = &cut});
	bw_scan_writer_add(w,
			   &(struct bw_scan_file){.source = "", .path = "/other/Dockerfile", .file = &lost});
	bw_scan_writer_add(w, &(struct bw_scan_file){.source = "",
						     .path = "/srv/src/big/Dockerfile",
						     .problem = "larger than 1 MiB"});
	assert_true(bw_scan_writer_end(w));
	for (size_t i = 0; i < USES; i++)
		bw_use_done(&uses[i]);
	bw_use_done(&hostile[0]);
	bw_use_done(&hostile[1]);
	free(cut.error);
	free(lost.error);
}

static void check_scan(struct bw_report_options o, const char *name)
{
	struct golden g;

	golden_begin(&g);
	write_scan(g.out, o);
	golden_end(&g, name);
}

static void a_scan_lists_each_files_uses(void **state)
{
	(void)state;
	check_scan((struct bw_report_options){.width = 80}, "scan-80.txt");
	check_scan((struct bw_report_options){.width = 40}, "scan-40.txt");
	check_scan((struct bw_report_options){.width = 100, .colour = true}, "scan-colour.txt");
	check_scan((struct bw_report_options){0}, "scan-file.txt");
}

static void a_scan_as_json_has_the_promised_members(void **state)
{
	(void)state;
	check_scan((struct bw_report_options){.format = BW_FORMAT_JSON}, "scan-everything.json");
}

static void a_scan_of_nothing_is_a_document_too(void **state)
{
	struct bw_report_options o = {.format = BW_FORMAT_JSON, .cwd = "/"};
	struct golden g;

	(void)state;
	golden_begin(&g);
	o.out = g.out;
	assert_true(bw_scan_writer_end(bw_scan_writer_new(&o)));
	golden_end(&g, "scan-nothing.json");
	golden_begin(&g);
	o.out = g.out;
	o.format = BW_FORMAT_TABLE;
	assert_true(bw_scan_writer_end(bw_scan_writer_new(&o)));
	golden_end(&g, "scan-nothing.txt");
}

/* --- history ---------------------------------------------------------------------------------- */

static const struct bw_sighting sightings[] = {
	{"docker.io/library/alpine:3.20", 1, NOW - 40 * DAY, OLD, NULL, NULL, NULL},
	{"docker.io/library/debian:12", 1, NOW - 90 * DAY, OLD, NULL, NULL, NULL},
	{"docker.io/library/debian:12", 2, NOW - 30 * DAY, NEW, OLD, "content",
	 "linux/amd64: 3 of 5 layers differ, 48.1 -> 49.3 MiB; 7 more platforms"},
	{"docker.io/library/debian:12", 3, NOW - 29 * DAY, OLD, NEW, "rollback", "back to sighting 1"},
	{"docker.io/library/debian:12", 11, NOW - 7200000, MID, OLD, "index", "attestations only"},
	{"docker.io/library/debian:12", 12, NOW - 3600000, NEW, MID, "unclassified", ""},
	{"evil.example/\033[2J:1", 1, NOW - 2000, "sha256:\033[31m", NULL, NULL, NULL},
	{"evil.example/\033[2J:1", 2, NOW - 1000, "sha256:\033[31m", OLD, "config",
	 "labels (\033[31m\xE2\x80\xAE, a\nb)"},
};

static void check_history(struct bw_report_options o, size_t count, const char *name)
{
	struct bw_history *h;
	struct golden g;

	golden_begin(&g);
	o.out = g.out;
	o.now_ms = NOW;
	h = bw_history_new(&o);
	for (size_t i = 0; i < count; i++)
		bw_history_add(h, &sightings[i]);
	assert_true(bw_history_end(h));
	bw_history_free(h);
	golden_end(&g, name);
}

static void a_history_says_how_long_each_digest_stayed(void **state)
{
	(void)state;
	check_history((struct bw_report_options){.width = 80}, BW_COUNT(sightings), "history-80.txt");
	check_history((struct bw_report_options){.width = 40}, BW_COUNT(sightings), "history-40.txt");
	check_history((struct bw_report_options){.width = 120}, BW_COUNT(sightings), "history-120.txt");
	check_history((struct bw_report_options){.width = 80, .colour = true}, BW_COUNT(sightings),
		      "history-colour.txt");
	check_history((struct bw_report_options){0}, BW_COUNT(sightings), "history-file.txt");
	check_history((struct bw_report_options){0}, 0, "history-nothing.txt");
}

static void a_history_as_json_groups_sightings_by_base(void **state)
{
	struct bw_report_options o = {.format = BW_FORMAT_JSON};

	(void)state;
	/* Without the last two, whose digest no store would hold: the schema refuses it. */
	check_history(o, BW_COUNT(sightings) - 2, "history-everything.json");
	check_history(o, 0, "history-nothing.json");
}

/* --- resolve ---------------------------------------------------------------------------------- */

static const struct bw_resolved_child tree[] = {
	{"linux/amd64", OLD, 1026, false},
	{"linux/arm64/v8", NEW, 1, false},
	{"windows(10.0.20348.2031)/amd64", OLD, 9223372036854775807, false},
	{"linux/\033[31mevil", OLD, 0, false},
	{"", NEW, 475, false},
	{"", OLD, 840, true},
	{"unknown/unknown", NEW, 841, true},
};

static const struct bw_resolved images[] = {
	{.written = "debian:12",
	 .reference = "docker.io/library/debian:12",
	 .digest = NEW,
	 .media_type = "application/vnd.oci.image.index.v1+json",
	 .size = 8192,
	 .children = tree,
	 .child_count = BW_COUNT(tree)},
	{.written = "ghcr.io/acme/base",
	 .reference = "ghcr.io/acme/base:latest",
	 .digest = OLD,
	 .media_type = "application/vnd.docker.distribution.manifest.list.v2+json",
	 .size = -1},
	{.written = "a/b:1",
	 .reference = "docker.io/a/b:1",
	 .digest = OLD,
	 .media_type = "application/vnd.docker.distribution.manifest.v2+json",
	 .size = 0},
	{.written = "a/c:1",
	 .reference = "docker.io/a/c:1",
	 .digest = OLD,
	 .media_type = "application/vnd.oci.image.manifest.v1+json",
	 .size = 475,
	 .platform = "linux/arm/v7"},
	{.written = "a/d:1",
	 .reference = "docker.io/a/d:1",
	 .digest = OLD,
	 .media_type = "text/\033[31mhtml",
	 .size = -1,
	 .platform = "li\033[2Jnux/amd64"},
	{.written = "a/e:1",
	 .reference = "docker.io/a/e:1",
	 .digest = OLD,
	 .media_type = "",
	 .size = -1,
	 .platform = ""},
	{.written = "a/f:1",
	 .reference = "docker.io/a/f:1",
	 .digest = OLD,
	 .media_type = "application/vnd.oci.image.index.v1+json",
	 .size = 94,
	 .children = tree + 5,
	 .child_count = 1},
	{.written = "a/g:1",
	 .reference = "docker.io/a/g:1",
	 .digest = OLD,
	 .media_type = "application/vnd.oci.image.index.v1+json",
	 .size = 60,
	 .children = tree,
	 .child_count = 0},
	{.written = "gone:1",
	 .reference = "docker.io/library/gone:1",
	 .size = -1,
	 .error = "the repository is not there, or needs a log-in"},
	{.written = "Bad Name\033[0m", .size = -1, .error = "blank in the name (at character 4)"},
	{.written = "offline:1", .reference = "docker.io/library/offline:1", .size = -1},
};

static void check_resolve(struct bw_report_options o, const char *name)
{
	struct golden g;

	golden_begin(&g);
	o.out = g.out;
	assert_true(bw_resolve_write(images, BW_COUNT(images), &o));
	golden_end(&g, name);
}

static void resolve_shows_whole_digests(void **state)
{
	(void)state;
	check_resolve((struct bw_report_options){.width = 140}, "resolve-140.txt");
	check_resolve((struct bw_report_options){.width = 120}, "resolve-120.txt");
	check_resolve((struct bw_report_options){.width = 80}, "resolve-80.txt");
	check_resolve((struct bw_report_options){.width = 40}, "resolve-40.txt");
	check_resolve((struct bw_report_options){.width = 140, .colour = true}, "resolve-colour.txt");
	check_resolve((struct bw_report_options){0}, "resolve-file.txt");
}

static void resolve_as_json_has_the_promised_members(void **state)
{
	(void)state;
	check_resolve((struct bw_report_options){.format = BW_FORMAT_JSON}, "resolve-everything.json");
}

/* --- where it goes ---------------------------------------------------------------------------- */

static void a_full_disk_is_noticed(void **state)
{
	(void)state;
	for (enum bw_format format = BW_FORMAT_TABLE; format <= BW_FORMAT_JSON; format++) {
		struct bw_report_options o = {.format = format, .cwd = "/", .out = fopen("/dev/full", "w")};
		struct bw_history *h;

		assert_non_null(o.out);
		assert_false(bw_resolve_write(images, 1, &o));
		h = bw_history_new(&o);
		bw_history_add(h, &sightings[0]);
		assert_false(bw_history_end(h));
		bw_history_free(h);
		assert_false(bw_scan_writer_end(bw_scan_writer_new(&o)));
		fclose(o.out);
	}
	bw_history_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scan_lists_each_files_uses),
		cmocka_unit_test(a_scan_as_json_has_the_promised_members),
		cmocka_unit_test(a_scan_of_nothing_is_a_document_too),
		cmocka_unit_test(a_history_says_how_long_each_digest_stayed),
		cmocka_unit_test(a_history_as_json_groups_sightings_by_base),
		cmocka_unit_test(resolve_shows_whole_digests),
		cmocka_unit_test(resolve_as_json_has_the_promised_members),
		cmocka_unit_test(a_full_disk_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
