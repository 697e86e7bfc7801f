/* Patches without their digest, and what they become; the cases are in tests/unit/template/. */
#include "unit/pin_case.h"

#include "buildfile/template.h"
#include "core/io.h"
#include "unit/patch_apply.h"

#define MAX_FILL ((size_t)1 << 20)

/* --- the cases -------------------------------------------------------------------------------- */

static void show_patch(struct bw_buf *out, const char *mark, size_t use, const char *patch)
{
	(void)bw_buf_addf(out, "%s %zu%s\n", mark, use, patch ? "" : ": none");
	for (const char *c = patch; c && *c; c++)
		(void)bw_buf_adds(out, *c == '\r' ? "\\r" : (char[]){*c, '\0'});
}

static bool is_pinned(const struct bw_use *u)
{
	return u->reference && bw_digest_is_set(&u->parts.digest);
}

/* Uses of one reference and platform move to one digest, the first to 1. */
static size_t destination_of(const struct bw_dockerfile *d, size_t use)
{
	size_t i = 0;

	while (!d->uses[i].reference || strcmp(d->uses[i].reference, d->uses[use].reference) != 0 ||
	       !bw_text_is(d->uses[i].platform, d->uses[use].platform))
		i++;
	return i;
}

static struct bw_template_use *list_templates(const struct bw_dockerfile *d)
{
	struct bw_template_use *list = bw_alloc((d->use_count + 1) * sizeof(*list));

	for (size_t i = 0; i < d->use_count; i++) {
		list[i].template = d->uses[i].patch;
		if (is_pinned(&d->uses[i]))
			pin_digest(pin_letters[1 + destination_of(d, i) % 9], &list[i].to);
	}
	return list;
}

static void free_list(struct bw_template_use *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].patch);
	free(list);
}

static void run_case(struct dockerfile_case *c)
{
	struct bw_template_use *list;
	struct bw_buf text, shown;
	struct bw_dockerfile d;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&shown, MAX_FILL);
	pin_expand(&c->text, &text);
	bw_dockerfile_parse(bw_buf_str(&text), text.len, &c->opts, &d);
	bw_template_make("Dockerfile", bw_buf_str(&text), text.len, &c->opts, &d);
	list = list_templates(&d);
	bw_template_fill(list, d.use_count, MAX_FILL);
	for (size_t i = 0; i < d.use_count; i++)
		show_patch(&shown, "template", i, d.uses[i].patch);
	for (size_t i = 0; i < d.use_count; i++)
		if (d.uses[i].patch)
			show_patch(&shown, "patch", i, list[i].patch);
	(void)bw_buf_addc(&shown, '\0');
	pin_shorten(shown.data);
	if (strcmp(bw_buf_str(&shown), bw_buf_str(&c->expected)) != 0) {
		(void)fprintf(stderr, "--- expected\n%s--- found\n%s", bw_buf_str(&c->expected),
			      bw_buf_str(&shown));
		fail_msg("line %zu: %s", c->line, c->name);
	}
	free_list(list, d.use_count);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
	bw_buf_done(&shown);
}

static void pins_get_templates_and_these_patches(void **state)
{
	(void)state;
	assert_true(case_each("tests/unit/template/pins.txt", run_case) > 0);
}

static void what_is_not_sure_gets_none(void **state)
{
	(void)state;
	assert_true(case_each("tests/unit/template/refused.txt", run_case) > 0);
}

/* --- properties of every Dockerfile that the tests know --------------------------------------- */

static struct {
	size_t files, pins, templates, patches;
} seen;

/* Every use has the digest that it should move to (of one template, `only`); else its own. */
static void check_moved(const struct bw_buf *text, const struct bw_build_options *opts,
			const struct bw_dockerfile *before, const struct bw_template_use *list,
			const char *only)
{
	struct bw_dockerfile after;

	bw_dockerfile_parse(bw_buf_str(text), text->len, opts, &after);
	assert_int_equal(after.use_count, before->use_count);
	assert_true(bw_text_is(after.error, before->error));
	for (size_t i = 0; i < before->use_count; i++) {
		const char *template = before->uses[i].patch;
		bool moves = template && (!only || strcmp(only, template) == 0);

		if (strcmp(after.uses[i].parts.digest.text,
			   moves ? list[i].to.text : before->uses[i].parts.digest.text) != 0)
			fail_msg("use %zu %s has %s in\n%s", i, moves ? "moves but" : "stays but",
				 after.uses[i].parts.digest.text, bw_buf_str(text));
		assert_int_equal(after.uses[i].span.line, before->uses[i].span.line);
	}
	bw_dockerfile_done(&after);
}

static void apply_one(const char *patch, struct bw_buf *text)
{
	struct bw_buf p, next;

	bw_buf_init(&p, MAX_FILL);
	bw_buf_init(&next, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	assert_true(bw_buf_adds(&p, patch));
	patch_apply(&p, bw_buf_str(text), text->len, &next);
	bw_buf_done(&p);
	bw_buf_done(text);
	*text = next;
}

/* In the order of the uses, or the other way round. */
static void check_all(const struct bw_buf *text, const struct bw_build_options *opts,
		      const struct bw_dockerfile *d, bool backwards)
{
	struct bw_template_use *list = list_templates(d);
	struct bw_buf all;

	bw_buf_init(&all, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	assert_true(bw_buf_add(&all, bw_buf_str(text), text->len));
	bw_template_fill(list, d->use_count, MAX_FILL);
	for (size_t i = 0; i < d->use_count; i++) {
		const struct bw_template_use *u = &list[backwards ? d->use_count - 1 - i : i];

		if (u->patch)
			apply_one(u->patch, &all);
		seen.patches += u->patch != NULL;
	}
	check_moved(&all, opts, d, list, NULL);
	free_list(list, d->use_count);
	bw_buf_done(&all);
}

/* One use moves alone, with those that share its patch. */
static void check_alone(const struct bw_buf *text, const struct bw_build_options *opts,
			const struct bw_dockerfile *d, size_t use)
{
	struct bw_template_use *list = list_templates(d);
	struct bw_template_use one = list[use];
	struct bw_buf after;

	bw_buf_init(&after, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	assert_true(bw_buf_add(&after, bw_buf_str(text), text->len));
	bw_template_fill(&one, 1, MAX_FILL);
	assert_non_null(one.patch);
	apply_one(one.patch, &after);
	check_moved(&after, opts, d, list, one.template);
	free(one.patch);
	free(list);
	bw_buf_done(&after);
}

static void check_text(const struct bw_buf *text, const struct bw_build_options *opts)
{
	struct bw_dockerfile d;

	bw_dockerfile_parse(bw_buf_str(text), text->len, opts, &d);
	bw_template_make("a b/Dockerfile", bw_buf_str(text), text->len, opts, &d);
	for (size_t i = 0; i < d.use_count; i++) {
		seen.pins += is_pinned(&d.uses[i]);
		seen.templates += d.uses[i].patch != NULL;
		assert_true(!d.uses[i].patch || is_pinned(&d.uses[i]));
		if (d.uses[i].patch)
			check_alone(text, opts, &d, i);
	}
	check_all(text, opts, &d, false);
	check_all(text, opts, &d, true);
	seen.files++;
	bw_dockerfile_done(&d);
}

/* As it is, and with a pin for each reference. */
static void check_case(struct dockerfile_case *c)
{
	struct bw_pin_edit edits[PIN_MAX_EDITS];
	struct bw_buf text, pinned;
	struct bw_dockerfile d;
	size_t count = 0;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&pinned, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	pin_expand(&c->text, &text);
	check_text(&text, &c->opts);
	bw_dockerfile_parse(bw_buf_str(&text), text.len, &c->opts, &d);
	for (size_t i = 0; i < d.use_count && count < PIN_MAX_EDITS; i++) {
		if (!d.uses[i].reference || !bw_reference_tag(&d.uses[i].parts))
			continue;
		edits[count] = (struct bw_pin_edit){.use = i};
		bw_digest_of(d.uses[i].reference, strlen(d.uses[i].reference), &edits[count++].digest);
	}
	if (bw_pin_apply(bw_buf_str(&text), text.len, &c->opts, &d, edits, count, &pinned))
		check_text(&pinned, &c->opts);
	bw_pin_edits_done(edits, count);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
	bw_buf_done(&pinned);
}

static void every_patch_moves_its_pins_and_nothing_else(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	case_each_in("tests/unit/dockerfile", check_case);
	case_each_in("tests/unit/pin", check_case);
	case_each_in("tests/unit/template", check_case);
	print_message("%zu files, %zu pins, %zu templates, %zu patches\n", seen.files, seen.pins,
		      seen.templates, seen.patches);
	assert_true(seen.files > 400);
	assert_true(seen.templates > 200);
	assert_true(seen.templates * 10 > seen.pins * 7);
}

/* --- many ------------------------------------------------------------------------------------- */

static void add_pins(struct bw_buf *text, size_t count, size_t between)
{
	bw_buf_init(text, BW_MAX_BUILDFILE_BYTES);
	for (size_t i = 0; i < count; i++) {
		struct bw_digest digest;

		bw_digest_of(&i, sizeof(i), &digest);
		assert_true(bw_buf_addf(text, "FROM debian:12@%s AS s%zu\n", digest.text, i));
		for (size_t k = 0; k < between; k++)
			(void)bw_buf_adds(text, "ENV A=b\n");
	}
}

static void check_many(size_t count, size_t between, size_t patches)
{
	static const struct bw_build_options none;
	struct bw_buf text;

	memset(&seen, 0, sizeof(seen));
	add_pins(&text, count, between);
	check_text(&text, &none);
	assert_int_equal(seen.templates, count);
	assert_int_equal(seen.patches, 2 * patches);
	bw_buf_done(&text);
}

static void a_hundred_pins_have_a_hundred_patches(void **state)
{
	(void)state;
	check_many(100, 3, 100);
	check_many(100, 2, 1); /* each stands in the context of the next */
	check_many(17, 3, 17);
	check_many(16, 3, 16);
}

static void what_all_patches_take_is_bounded(void **state)
{
	static const struct bw_build_options none;
	struct bw_template_use *list;
	struct bw_dockerfile d;
	struct bw_buf text;
	size_t templates = 0, bytes = 0;

	(void)state;
	add_pins(&text, 4000, 3);
	bw_dockerfile_parse(text.data, text.len, &none, &d);
	bw_template_make("Dockerfile", text.data, text.len, &none, &d);
	for (size_t i = 0; i < d.use_count; i++)
		bytes += d.uses[i].patch ? strlen(d.uses[i].patch) : 0;
	assert_in_range(bytes, BW_TEMPLATE_MAX_FILE_BYTES - 1000, BW_TEMPLATE_MAX_FILE_BYTES);
	list = list_templates(&d);
	bw_template_fill(list, d.use_count, 10000);
	bytes = 0;
	for (size_t i = 0; i < d.use_count; i++) {
		templates += list[i].patch != NULL;
		bytes += list[i].patch ? strlen(list[i].patch) : 0;
	}
	assert_in_range(bytes, 9000, 10000);
	assert_true(templates > 10);
	free_list(list, d.use_count);
	bw_dockerfile_done(&d);
	bw_buf_done(&text);
}

static void a_long_line_has_no_template(void **state)
{
	static const struct bw_build_options none;
	struct bw_dockerfile d;
	struct bw_buf text;

	(void)state;
	for (size_t len = BW_TEMPLATE_MAX_BYTES - 1000; len <= BW_TEMPLATE_MAX_BYTES; len += 1000) {
		bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
		(void)bw_buf_adds(&text, "FROM debian:12@sha256:");
		for (int i = 0; i < 64; i++)
			(void)bw_buf_addc(&text, 'a');
		(void)bw_buf_adds(&text, "\n#");
		while (text.len < len)
			(void)bw_buf_addc(&text, 'x');
		bw_dockerfile_parse(text.data, text.len, &none, &d);
		bw_template_make("Dockerfile", text.data, text.len, &none, &d);
		assert_int_equal(d.use_count, 1);
		assert_int_equal(d.uses[0].patch != NULL, len < BW_TEMPLATE_MAX_BYTES);
		bw_dockerfile_done(&d);
		bw_buf_done(&text);
	}
}

static void what_has_no_pin_or_no_path_costs_nothing(void **state)
{
	static const struct bw_build_options none;
	static const char
		plain[] = "FROM debian:12\nFROM scratch\n",
		pinned[] =
			"FROM a:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
	struct bw_dockerfile d;

	(void)state;
	bw_dockerfile_parse(plain, strlen(plain), &none, &d);
	assert_false(bw_template_is_wanted(&d));
	bw_template_make("Dockerfile", plain, strlen(plain), &none, &d);
	assert_null(d.uses[0].patch);
	bw_dockerfile_done(&d);
	bw_dockerfile_parse(pinned, strlen(pinned), &none, &d);
	assert_true(bw_template_is_wanted(&d));
	bw_template_make(NULL, pinned, strlen(pinned), &none, &d);
	bw_template_make("", pinned, strlen(pinned), &none, &d);
	assert_null(d.uses[0].patch);
	bw_dockerfile_done(&d);
}

/* --- templates from elsewhere ----------------------------------------------------------------- */

#define ZEROS "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define OLD   "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NEW   "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD  "--- a/f\n+++ b/f\n"

static char *fill(const char *template, const char *to)
{
	struct bw_template_use u = {.template = template};

	(void)snprintf(u.to.text, sizeof(u.to.text), "%s", to);
	bw_template_fill(&u, 1, MAX_FILL);
	return u.patch;
}

static void what_is_no_template_gives_no_patch(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		HEAD,
		"--- a/f\n",
		HEAD "@@ -1 +1 @@\n",
		HEAD "@@ -0 +0 @@\n-" OLD "\n+" ZEROS "\n",
		HEAD "@@ -99999999999999999999 +1 @@\n-" OLD "\n+" ZEROS "\n",
		HEAD "@@ 1 +1 @@\n-" OLD "\n+" ZEROS "\n",
		HEAD "@@ -1 +1 @@\n-" OLD "\n",
		HEAD "@@ -1 +1 @@\n+" ZEROS "\n",
		HEAD "@@ -1 +1 @@\n+" ZEROS "\n-" OLD "\n",
		HEAD "@@ -1 +1 @@\n-" OLD "\n x\n+" ZEROS "\n",
		HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS "\n-" OLD "\n+" ZEROS "\n",
		HEAD "@@ -1 +1 @@\n-" OLD "\n+" OLD "\n",
		HEAD "@@ -1 +1 @@\n-" ZEROS "\n+" ZEROS "\n",
		HEAD "@@ -1 +1 @@\n-" NEW "\n+" ZEROS "\n", /* it has that already */
		HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS,
		HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS "\n\n",
		HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS "\nx\n",
	};
	char *good = fill(HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS "\n", NEW);

	(void)state;
	assert_string_equal(good, HEAD "@@ -1 +1 @@\n-" OLD "\n+" NEW "\n");
	free(good);
	for (size_t i = 0; i < BW_COUNT(bad); i++)
		if (fill(bad[i], NEW))
			fail_msg("%zu: %s", i, bad[i]);
	assert_null(fill(HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS "\n", ""));
	assert_null(fill(HEAD "@@ -1 +1 @@\n-" OLD "\n+" ZEROS "\n", "sha256:bb"));
	assert_null(fill(NULL, NEW));
	bw_template_fill(NULL, 0, MAX_FILL);
}

/* Two of two files, or of two versions of one, or that want two digests at one place. */
static void what_does_not_fit_together_gives_no_patch(void **state)
{
	static const char at_1[] = HEAD "@@ -1,2 +1,2 @@\n-a " OLD "\n+a " ZEROS "\n x\n";
	static const char other_file[] =
		"--- a/g\n+++ b/g\n@@ -1,2 +1,2 @@\n a " OLD "\n-b " OLD "\n+b " ZEROS "\n";
	static const char other_text[] = HEAD "@@ -1,2 +1,2 @@\n y " OLD "\n-b " OLD "\n+b " ZEROS "\n";
	static const char *const seconds[] = {other_file, other_text, at_1};
	static const char *const digests[] = {
		NEW, NEW,
		("sha256:"
		 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc")};

	(void)state;
	for (size_t i = 0; i < BW_COUNT(seconds); i++) {
		struct bw_template_use u[2] = {{.template = at_1}, {.template = seconds[i]}};

		(void)snprintf(u[0].to.text, sizeof(u[0].to.text), NEW);
		(void)snprintf(u[1].to.text, sizeof(u[1].to.text), "%s", digests[i]);
		bw_template_fill(u, 2, MAX_FILL);
		assert_null(u[0].patch);
		assert_null(u[1].patch);
	}
	{
		struct bw_template_use u[2] = {{.template = at_1}, {.template = at_1}};

		(void)snprintf(u[1].to.text, sizeof(u[1].to.text), NEW);
		bw_template_fill(u, 2, MAX_FILL); /* nobody knows what the first should have */
		assert_null(u[0].patch);
		assert_null(u[1].patch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_get_templates_and_these_patches),
		cmocka_unit_test(what_is_not_sure_gets_none),
		cmocka_unit_test(every_patch_moves_its_pins_and_nothing_else),
		cmocka_unit_test(a_hundred_pins_have_a_hundred_patches),
		cmocka_unit_test(what_all_patches_take_is_bounded),
		cmocka_unit_test(a_long_line_has_no_template),
		cmocka_unit_test(what_has_no_pin_or_no_path_costs_nothing),
		cmocka_unit_test(what_is_no_template_gives_no_patch),
		cmocka_unit_test(what_does_not_fit_together_gives_no_patch),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
