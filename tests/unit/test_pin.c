/* Pins in Dockerfiles, and the patches for them; the cases are in tests/unit/pin/. */
#include "unit/pin_case.h"

#include "core/io.h"
#include "unit/patch_apply.h"

/* --- patches ---------------------------------------------------------------------------------- */

static void check_patch(const char *before, size_t before_len, const struct bw_buf *after)
{
	struct bw_buf patch, again;

	bw_buf_init(&patch, 8U << 20);
	bw_buf_init(&again, 8U << 20);
	bw_patch_format("a/Dockerfile", before, before_len, bw_buf_str(after), after->len, &patch);
	assert_true(patch.len > 0);
	patch_apply(&patch, before, before_len, &again);
	assert_int_equal(again.len, after->len);
	assert_memory_equal(again.data, after->data, after->len);
	bw_buf_done(&patch);
	bw_buf_done(&again);
}

/* --- the cases -------------------------------------------------------------------------------- */

static void run_case(struct dockerfile_case *c)
{
	struct bw_pin_edit edits[PIN_MAX_EDITS];
	struct bw_buf text, after, shown;
	struct bw_dockerfile d;
	bool is_edited;
	size_t count;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&shown, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	pin_expand(&c->text, &text);
	bw_dockerfile_parse(bw_buf_str(&text), text.len, &c->opts, &d);
	count = pin_wishes(c->wants, &d, edits);
	is_edited = bw_pin_apply(bw_buf_str(&text), text.len, &c->opts, &d, edits, count, &after);
	assert_int_equal(is_edited, after.len > 0);
	pin_show_edits(&shown, edits, count);
	if (is_edited) {
		pin_show_lines(&shown, text.data, text.len, after.data, after.len);
		check_patch(text.data, text.len, &after);
		pin_shorten(shown.data);
	}
	if (strcmp(bw_buf_str(&shown), bw_buf_str(&c->expected)) != 0) {
		(void)fprintf(stderr, "--- expected\n%s--- found\n%s", bw_buf_str(&c->expected),
			      bw_buf_str(&shown));
		fail_msg("line %zu: %s", c->line, c->name);
	}
	bw_pin_edits_done(edits, count);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
	bw_buf_done(&after);
	bw_buf_done(&shown);
}

static void digests_in_references_are_moved_and_added(void **state)
{
	(void)state;
	assert_true(case_each("tests/unit/pin/references.txt", run_case) > 0);
}

static void digests_in_defaults_are_found(void **state)
{
	(void)state;
	assert_true(case_each("tests/unit/pin/args.txt", run_case) > 0);
}

static void other_bytes_stay(void **state)
{
	(void)state;
	assert_true(case_each("tests/unit/pin/bytes.txt", run_case) > 0);
}

/* --- properties of every Dockerfile that the tests know --------------------------------------- */

/* All but what an edit may change. */
static void assert_same_use(const struct bw_use *a, const struct bw_use *b)
{
	assert_int_equal(a->role, b->role);
	assert_int_equal(a->span.line, b->span.line);
	assert_int_equal(a->reachable, b->reachable);
	assert_int_equal(a->is_scratch, b->is_scratch);
	assert_int_equal(a->ignored_until_ms, b->ignored_until_ms);
	assert_true(bw_text_is(a->stage, b->stage));
	assert_true(bw_text_is(a->platform, b->platform));
	assert_true(bw_text_is(a->ignored, b->ignored));
	assert_true(bw_text_is(a->unresolved, b->unresolved));
	assert_true(bw_text_is(a->parts.registry, b->parts.registry));
	assert_true(bw_text_is(a->parts.repository, b->parts.repository));
	assert_true(bw_text_is(bw_reference_tag(&a->parts), bw_reference_tag(&b->parts)));
}

/* A made-up digest for each use with a tag: one for each base, or, `by_use`, one for each use. */
static size_t invent(const struct bw_dockerfile *d, bool by_use, struct bw_pin_edit *edits)
{
	size_t count = 0;

	for (size_t i = 0; i < d->use_count; i++) {
		char *base = d->uses[i].reference ? bw_reference_base(&d->uses[i].parts) : NULL;
		char *seed = base ? bw_asprintf("%s %zu", base, by_use ? i : 0) : NULL;

		if (seed) {
			edits[count] = (struct bw_pin_edit){.use = i};
			bw_digest_of(seed, strlen(seed), &edits[count++].digest);
		}
		free(base);
		free(seed);
	}
	return count;
}

/* What became of each use: the wanted digest where it says so, and else what there was. */
static void check_uses(const struct bw_dockerfile *before, const struct bw_dockerfile *after,
		       const struct bw_pin_edit *edits, size_t count)
{
	assert_int_equal(before->use_count, after->use_count);
	assert_true(bw_text_is(before->error, after->error));
	assert_int_equal(before->error_line, after->error_line);
	assert_int_equal(before->warning_count, after->warning_count);
	for (size_t i = 0, k = 0; i < before->use_count; i++) {
		const struct bw_digest *wanted = &before->uses[i].parts.digest;

		if (k < count && edits[k].use == i) {
			if (edits[k].is_edited)
				wanted = &edits[k].digest;
			assert_true(edits[k].is_edited || edits[k].refused ||
				    bw_digest_equal(&edits[k].digest, wanted));
			assert_false(edits[k].is_edited && edits[k].refused);
			assert_int_equal(edits[k].is_edited, edits[k].line > 0);
			k++;
		}
		assert_string_equal(after->uses[i].parts.digest.text, wanted->text);
		assert_same_use(&before->uses[i], &after->uses[i]);
	}
}

static struct {
	size_t files, edited, refused;
} seen;

/* With the same wishes nothing is left to do, and the same ones are refused. */
static void check_again(const struct bw_buf *text, const struct bw_build_options *opts,
			const struct bw_dockerfile *d, const struct bw_pin_edit *first, size_t count)
{
	struct bw_pin_edit *again = bw_alloc((count + 1) * sizeof(*again));
	struct bw_buf after;

	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	for (size_t i = 0; i < count; i++)
		again[i] = (struct bw_pin_edit){.use = first[i].use, .digest = first[i].digest};
	assert_false(bw_pin_apply(bw_buf_str(text), text->len, opts, d, again, count, &after));
	assert_int_equal(after.len, 0);
	for (size_t i = 0; i < count; i++) {
		assert_false(again[i].is_edited);
		assert_int_equal(!first[i].refused, !again[i].refused);
	}
	bw_pin_edits_done(again, count);
	free(again);
}

static void check_properties(const struct bw_buf *text, const struct bw_build_options *opts, bool by_use)
{
	struct bw_dockerfile before, after;
	struct bw_pin_edit *edits;
	struct bw_buf edited;
	size_t count;

	bw_buf_init(&edited, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	bw_dockerfile_parse(bw_buf_str(text), text->len, opts, &before);
	edits = bw_alloc((before.use_count + 1) * sizeof(*edits));
	count = invent(&before, by_use, edits);
	if (bw_pin_apply(bw_buf_str(text), text->len, opts, &before, edits, count, &edited))
		check_patch(text->data, text->len, &edited);
	else
		assert_true(bw_buf_add(&edited, bw_buf_str(text), text->len));
	bw_dockerfile_parse(bw_buf_str(&edited), edited.len, opts, &after);
	check_uses(&before, &after, edits, count);
	check_again(&edited, opts, &after, edits, count);
	seen.files++;
	for (size_t i = 0; i < count; i++) {
		seen.edited += edits[i].is_edited;
		seen.refused += edits[i].refused != NULL;
	}
	bw_pin_edits_done(edits, count);
	free(edits);
	bw_dockerfile_done(&before);
	bw_dockerfile_done(&after);
	bw_buf_done(&edited);
}

static void check_case(struct dockerfile_case *c)
{
	struct bw_buf text;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	pin_expand(&c->text, &text);
	check_properties(&text, &c->opts, false);
	check_properties(&text, &c->opts, true);
	bw_buf_done(&text);
}

static void every_dockerfile_of_the_tables_keeps_its_uses(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	case_each_in("tests/unit/dockerfile", check_case);
	case_each_in("tests/unit/pin", check_case);
	print_message("%zu times, %zu edits, %zu refused\n", seen.files, seen.edited, seen.refused);
	assert_true(seen.files > 400);
	assert_true(seen.edited > seen.refused);
}

static void every_example_can_be_pinned(void **state)
{
	static const char *const examples[] = {
		"config/examples/api/Dockerfile",
		"config/examples/cli/Dockerfile",
		"config/examples/web/Dockerfile",
		"config/examples/worker/Containerfile",
		"config/examples/reports/reports.Dockerfile",
	};

	(void)state;
	memset(&seen, 0, sizeof(seen));
	for (size_t i = 0; i < BW_COUNT(examples); i++) {
		struct bw_build_options opts = {.builder = {.os = "linux", .arch = "amd64"}};
		struct bw_buf text;
		struct bw_err err;

		bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
		assert_int_equal(0, bw_read_file(examples[i], &text, &err));
		check_properties(&text, &opts, false);
		bw_buf_done(&text);
	}
	/* All but golang:${GO_VERSION}. */
	assert_int_equal(seen.edited, 8);
	assert_int_equal(seen.refused, 1);
}

/* --- large and hostile files ------------------------------------------------------------------ */

static void apply_all(const struct bw_buf *text, bool by_use)
{
	static const struct bw_build_options none;

	memset(&seen, 0, sizeof(seen));
	check_properties(text, &none, by_use);
}

static void ten_thousand_uses_are_edited_at_once(void **state)
{
	struct bw_buf text;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, "ARG BASE=debian:12\n");
	for (int i = 0; i < 5000; i++)
		(void)bw_buf_adds(&text, "FROM $BASE\nFROM busybox:1\n");
	apply_all(&text, false);
	assert_int_equal(seen.edited, 10000);
	assert_int_equal(seen.refused, 0);
	bw_buf_done(&text);
}

/* One that breaks another among many: the others are edited. */
static void a_culprit_is_found_among_many(void **state)
{
	struct bw_buf text;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, "ARG BASE=debian:12\n");
	for (int i = 0; i < 500; i++)
		(void)bw_buf_adds(&text, "FROM busybox:1\n");
	(void)bw_buf_adds(&text, "FROM $BASE\nFROM ${BASE}-slim\n");
	for (int i = 0; i < 500; i++)
		(void)bw_buf_adds(&text, "FROM busybox:1\n");
	apply_all(&text, false);
	assert_int_equal(seen.edited, 1000);
	assert_int_equal(seen.refused, 2);
	bw_buf_done(&text);
}

static void hostile_files_end_soon(void **state)
{
	struct bw_buf text;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	/* Ever the same digest in front, and every use wants another one in its place. */
	for (int i = 0; i < 200; i++)
		(void)bw_buf_addf(&text, "ARG A%d=sha256:%064d\n", i, 0);
	for (int i = 0; i < 2000; i++)
		(void)bw_buf_addf(&text, "FROM debian:12@$A%d\nFROM debian:12@${A%d}\n", i % 200, i % 200);
	apply_all(&text, true);
	assert_int_equal(seen.edited, 0);
	assert_int_equal(seen.refused, 4000);
	bw_buf_done(&text);
}

/* `text` is all of the file; its only use has a digest that is looked for in all of it, and not found. */
static void expect_refusal(const struct bw_buf *text, const char *refusal)
{
	static const struct bw_build_options none;
	struct bw_pin_edit edit = {0};
	struct bw_dockerfile d;
	struct bw_buf after;

	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	bw_dockerfile_parse(text->data, text->len, &none, &d);
	assert_null(d.error);
	assert_int_equal(d.use_count, 1);
	pin_digest('a', &edit.digest);
	assert_false(bw_pin_apply(text->data, text->len, &none, &d, &edit, 1, &after));
	assert_string_equal(edit.refused, refusal);
	bw_pin_edits_done(&edit, 1);
	bw_dockerfile_done(&d);
}

/* A digest may go on behind each of these comments, and behind all that follow it. */
static void comments_without_end_are_not_looked_through_for_ever(void **state)
{
	static const char *const fillers[] = {"#s\\\n", "#s\\\n#\n", "#s\\\n \t\n"};
	static const char from[] = "ARG A=01234567012345670123456701234567\nFROM debian:12@sha256:${A}${A}\n";
	struct bw_buf text;

	(void)state;
	for (size_t i = 0; i < BW_COUNT(fillers); i++) {
		bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
		(void)bw_buf_addf(&text, "%s%s", fillers[i], from);
		expect_refusal(&text, "its digest does not stand in the file in one piece");
		bw_buf_clear(&text);
		while (text.len + strlen(fillers[i]) + strlen(from) <= BW_MAX_BUILDFILE_BYTES)
			(void)bw_buf_adds(&text, fillers[i]);
		(void)bw_buf_adds(&text, from);
		expect_refusal(&text, "too many places of the file would have to be tried");
		bw_buf_done(&text);
	}
}

/* The digest makes the line, or the file, longer than a Dockerfile may be. */
static void a_file_at_its_limits_is_refused(void **state)
{
	static const char from[] = "FROM debian:12\n";
	struct bw_pin_edit edit = {0};
	struct bw_dockerfile d;
	struct bw_build_options none = {0};
	struct bw_buf text, after;

	(void)state;
	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_adds(&text, from);
	while (text.len < BW_MAX_BUILDFILE_BYTES)
		(void)bw_buf_adds(&text, "\n");
	bw_dockerfile_parse(text.data, text.len, &none, &d);
	assert_null(d.error);
	pin_digest('a', &edit.digest);
	assert_false(bw_pin_apply(text.data, text.len, &none, &d, &edit, 1, &after));
	assert_string_equal(edit.refused, "with a digest the file would be read in another way");
	assert_int_equal(after.len, 0);
	bw_pin_edits_done(&edit, 1);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
	bw_buf_done(&after);
}

static void nothing_to_do_is_nothing_done(void **state)
{
	struct bw_build_options none = {0};
	struct bw_dockerfile d;
	struct bw_buf after;

	(void)state;
	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	bw_dockerfile_parse("FROM a\n", 7, &none, &d);
	assert_false(bw_pin_apply("FROM a\n", 7, &none, &d, NULL, 0, &after));
	assert_int_equal(after.len, 0);
	bw_dockerfile_done(&d);
}

/* --- the form of patches ---------------------------------------------------------------------- */

static void assert_patch(const char *path, const char *before, const char *after, const char *expected)
{
	struct bw_buf out;

	bw_buf_init(&out, 1U << 20);
	bw_patch_format(path, before, strlen(before), after, strlen(after), &out);
	assert_string_equal(bw_buf_str(&out), expected);
	bw_buf_done(&out);
}

static void a_patch_looks_like_one_of_git(void **state)
{
	(void)state;
	assert_patch("web/Dockerfile", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
		     "--- a/web/Dockerfile\n"
		     "+++ b/web/Dockerfile\n"
		     "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n");
}

static void a_patch_of_nothing_is_empty(void **state)
{
	(void)state;
	assert_patch("Dockerfile", "1\n2\n", "1\n2\n", "");
	assert_patch("Dockerfile", "", "", "");
}

static void hunks_that_touch_are_one(void **state)
{
	(void)state;
	/* Six lines between them: one hunk. */
	assert_patch("f", "1\n2\n3\n4\n5\n6\n7\n8\n", "A\n2\n3\n4\n5\n6\n7\nB\n",
		     "--- a/f\n+++ b/f\n"
		     "@@ -1,8 +1,8 @@\n-1\n+A\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+B\n");
	/* Seven: two. */
	assert_patch("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "A\n2\n3\n4\n5\n6\n7\n8\nB\n",
		     "--- a/f\n+++ b/f\n"
		     "@@ -1,4 +1,4 @@\n-1\n+A\n 2\n 3\n 4\n"
		     "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+B\n");
}

static void neighbours_go_and_come_together(void **state)
{
	(void)state;
	assert_patch("f", "1\n2\n3\n", "A\nB\n3\n",
		     "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n-1\n-2\n+A\n+B\n 3\n");
}

static void a_missing_newline_is_told(void **state)
{
	(void)state;
	assert_patch("f", "1", "A",
		     "--- a/f\n+++ b/f\n@@ -1 +1 @@\n"
		     "-1\n\\ No newline at end of file\n+A\n\\ No newline at end of file\n");
	assert_patch("f", "1\n2", "A\n2",
		     "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n"
		     "-1\n+A\n 2\n\\ No newline at end of file\n");
}

static void carriage_returns_stay_in_a_patch(void **state)
{
	(void)state;
	assert_patch("f", "1\r\n2\r\n", "A\r\n2\r\n",
		     "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-1\r\n+A\r\n 2\r\n");
}

static void odd_paths_are_quoted(void **state)
{
	(void)state;
	assert_patch("a b/Docker file", "1\n", "A\n",
		     "--- a/a b/Docker file\t\n+++ b/a b/Docker file\t\n@@ -1 +1 @@\n-1\n+A\n");
	assert_patch("\"q\"\\\t\n\x01\x7F", "1\n", "A\n",
		     "--- \"a/\\\"q\\\"\\\\\\t\\n\\001\\177\"\n+++ \"b/\\\"q\\\"\\\\\\t\\n\\001\\177\"\n"
		     "@@ -1 +1 @@\n-1\n+A\n");
	assert_patch("gr\xC3\xBC\xC3\x9F", "1\n", "A\n",
		     "--- \"a/gr\\303\\274\\303\\237\"\n+++ \"b/gr\\303\\274\\303\\237\"\n"
		     "@@ -1 +1 @@\n-1\n+A\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_in_references_are_moved_and_added),
		cmocka_unit_test(digests_in_defaults_are_found),
		cmocka_unit_test(other_bytes_stay),
		cmocka_unit_test(every_dockerfile_of_the_tables_keeps_its_uses),
		cmocka_unit_test(every_example_can_be_pinned),
		cmocka_unit_test(ten_thousand_uses_are_edited_at_once),
		cmocka_unit_test(a_culprit_is_found_among_many),
		cmocka_unit_test(hostile_files_end_soon),
		cmocka_unit_test(comments_without_end_are_not_looked_through_for_ever),
		cmocka_unit_test(a_file_at_its_limits_is_refused),
		cmocka_unit_test(nothing_to_do_is_nothing_done),
		cmocka_unit_test(a_patch_looks_like_one_of_git),
		cmocka_unit_test(a_patch_of_nothing_is_empty),
		cmocka_unit_test(hunks_that_touch_are_one),
		cmocka_unit_test(neighbours_go_and_come_together),
		cmocka_unit_test(a_missing_newline_is_told),
		cmocka_unit_test(carriage_returns_stay_in_a_patch),
		cmocka_unit_test(odd_paths_are_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
