/*
 * Pins. Whatever the bytes: what was edited reads as wanted and everything else as before, a second time nothing is
 * left to do, and a patch has a line for each line that it takes. Patches that were made before the digest was known fit
 * the text one after the other, and move what has one and nothing else.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "buildfile/pin.h"
#include "buildfile/template.h"
#include "core/mem.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct round {
	const struct bw_build_options *opts;
	bool is_shared; /* all want the same digest */
	bool is_long;	/* of another algorithm than most have */
};

static void invent(const struct round *r, size_t use, struct bw_digest *ret)
{
	char letter = r->is_shared ? 'a' : "0123456789"[use % 10];

	*ret = (struct bw_digest){0};
	memcpy(ret->text, r->is_long ? "sha512:" : "sha256:", 7);
	memset(ret->text + 7, letter, r->is_long ? 128 : 64);
}

static void check_use(const struct bw_use *a, const struct bw_use *b, const struct bw_pin_edit *e)
{
	const struct bw_digest *wanted = e->is_edited ? &e->digest : &a->parts.digest;

	assert(bw_digest_equal(&b->parts.digest, wanted));
	assert(e->is_edited || e->refused || bw_digest_equal(wanted, &e->digest));
	assert(!e->is_edited || (!e->refused && e->line > 0));
	assert(a->role == b->role && a->span.line == b->span.line && a->reachable == b->reachable);
	assert(bw_text_is(a->stage, b->stage) && bw_text_is(a->platform, b->platform));
	assert(bw_text_is(a->parts.registry, b->parts.registry));
	assert(bw_text_is(a->parts.repository, b->parts.repository));
	assert(bw_text_is(bw_reference_tag(&a->parts), bw_reference_tag(&b->parts)));
	assert(bw_text_is(a->unresolved, b->unresolved) && bw_text_is(a->ignored, b->ignored));
}

static size_t count_newlines(const struct bw_buf *b)
{
	size_t count = 0;

	for (size_t i = 0; i < b->len; i++)
		count += b->data[i] == '\n';
	return count;
}

static void check_patch(const char *text, size_t size, const struct bw_buf *after)
{
	struct bw_buf patch, nothing;

	bw_buf_init(&patch, (size_t)16 << 20);
	bw_buf_init(&nothing, 1);
	bw_patch_format(text[0] ? "a \"b\"" : "a", text, size, after->data, after->len, &patch);
	assert(!patch.overflow && count_newlines(&patch) > 4);
	bw_patch_format("a", text, size, text, size, &nothing);
	assert(nothing.len == 0 && !nothing.overflow);
	bw_buf_done(&patch);
}

/* True: something was edited, and `ret` is the new text, read again and compared. */
static bool apply(const struct round *r, const char *text, size_t size, struct bw_buf *ret)
{
	struct bw_dockerfile before, after;
	struct bw_pin_edit *edits;
	bool is_edited;

	bw_dockerfile_parse(text, size, r->opts, &before);
	edits = bw_alloc((before.use_count + 1) * sizeof(*edits));
	for (size_t i = 0; i < before.use_count; i++) {
		edits[i].use = i;
		invent(r, i, &edits[i].digest);
	}
	is_edited = bw_pin_apply(text, size, r->opts, &before, edits, before.use_count, ret);
	assert(is_edited == (ret->len > 0));
	if (is_edited) {
		bw_dockerfile_parse(ret->data, ret->len, r->opts, &after);
		assert(before.use_count == after.use_count && before.warning_count == after.warning_count);
		assert(bw_text_is(before.error, after.error) && before.error_line == after.error_line);
		for (size_t i = 0; i < before.use_count; i++)
			check_use(&before.uses[i], &after.uses[i], &edits[i]);
		bw_dockerfile_done(&after);
		check_patch(text, size, ret);
	}
	bw_pin_edits_done(edits, before.use_count);
	free(edits);
	bw_dockerfile_done(&before);
	return is_edited;
}

static void run(const struct round *r, const char *text, size_t size)
{
	struct bw_buf once, twice;

	bw_buf_init(&once, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	bw_buf_init(&twice, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	if (apply(r, text, size, &once))
		assert(!apply(r, once.data, once.len, &twice));
	bw_buf_done(&once);
	bw_buf_done(&twice);
}

/* --- templates -------------------------------------------------------------------------------- */

static const char *next_line(const char *s)
{
	const char *newline = strchr(s, '\n');

	assert(newline);
	return newline + 1;
}

static size_t line_start(const struct bw_buf *text, size_t line)
{
	size_t at = 0;

	for (; line > 1; line--) {
		const char *newline = memchr(text->data + at, '\n', text->len - at);

		assert(newline);
		at = (size_t)(newline - text->data) + 1;
	}
	return at;
}

/* The old or the new lines of the one hunk of a patch. */
static void side(const char *hunk, char other, struct bw_buf *ret)
{
	bool is_mine = false;

	for (const char *next; *hunk; hunk = next) {
		next = next_line(hunk);
		if (*hunk == '\\')
			ret->len -= is_mine;
		is_mine = *hunk != other && *hunk != '\\';
		if (is_mine)
			(void)bw_buf_add(ret, hunk + 1, (size_t)(next - hunk) - 1);
	}
}

static void apply_patch(const char *patch, struct bw_buf *text)
{
	const char *hunk = next_line(next_line(patch));
	struct bw_buf old, new, out;
	size_t at;

	assert(memcmp(hunk, "@@ -", 4) == 0);
	bw_buf_init(&old, 1U << 20);
	bw_buf_init(&new, 1U << 20);
	bw_buf_init(&out, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	at = line_start(text, strtoul(hunk + 4, NULL, 10));
	side(next_line(hunk), '+', &old);
	side(next_line(hunk), '-', &new);
	assert(text->len - at >= old.len && memcmp(text->data + at, old.data, old.len) == 0);
	(void)bw_buf_add(&out, text->data, at);
	(void)bw_buf_add(&out, new.data, new.len);
	(void)bw_buf_add(&out, text->data + at + old.len, text->len - at - old.len);
	bw_buf_done(&old);
	bw_buf_done(&new);
	bw_buf_done(text);
	*text = out;
}

static void check_templates(const struct bw_build_options *opts, const char *text, size_t size)
{
	struct bw_dockerfile before, after;
	struct bw_template_use *list;
	struct bw_buf now;

	bw_buf_init(&now, (size_t)2 * BW_MAX_BUILDFILE_BYTES);
	(void)bw_buf_add(&now, text, size);
	bw_dockerfile_parse(text, size, opts, &before);
	bw_template_make("a", text, size, opts, &before);
	list = bw_alloc((before.use_count + 1) * sizeof(*list));
	for (size_t i = 0; i < before.use_count; i++) {
		const struct bw_digest *pin = &before.uses[i].parts.digest;

		list[i].template = before.uses[i].patch;
		bw_digest_of(pin->text, strlen(pin->text), &list[i].to); /* one for all with that pin */
	}
	bw_template_fill(list, before.use_count, 1U << 20);
	for (size_t i = 0; i < before.use_count; i++)
		if (list[i].patch)
			apply_patch(list[i].patch, &now);
	bw_dockerfile_parse(bw_buf_str(&now), now.len, opts, &after);
	assert(after.use_count == before.use_count && bw_text_is(after.error, before.error));
	for (size_t i = 0; i < before.use_count; i++) {
		const struct bw_digest *is = &after.uses[i].parts.digest;

		assert(bw_digest_equal(is, list[i].template ? &list[i].to : &before.uses[i].parts.digest));
		free(list[i].patch);
	}
	free(list);
	bw_buf_done(&now);
	bw_dockerfile_done(&before);
	bw_dockerfile_done(&after);
}

/* A text that may be none. */
static void fill_anything(const char *text, size_t size)
{
	char *copy = bw_strndup(text, size);
	struct bw_template_use u[2] = {{.template = copy}, {.template = copy + (size > 0)}};

	for (size_t i = 0; i < BW_COUNT(u); i++)
		bw_digest_of("x", 1, &u[i].to);
	bw_template_fill(u, BW_COUNT(u), 1U << 20);
	for (size_t i = 0; i < BW_COUNT(u); i++)
		free(u[i].patch);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name_v[] = "V", value_v[] = "12", name_base[] = "base",
		    image[] = "docker-image://debian:12";
	static const struct bw_setting args[] = {{name_v, value_v}};
	static const struct bw_setting contexts[] = {{name_base, image}};
	static const struct bw_build_options none;
	static const struct bw_build_options given = {
		.args = args,
		.arg_count = BW_COUNT(args),
		.contexts = contexts,
		.context_count = BW_COUNT(contexts),
		.builder = {.os = "linux", .arch = "amd64"},
	};
	const struct round rounds[] = {
		{&none, false, false},
		{&given, true, false},
		{&given, size % 2 == 0, true},
	};

	/* Long inputs find nothing that short ones do not, and each of them is read many times. */
	if (size > 16384)
		return 0;
	for (size_t i = 0; i < BW_COUNT(rounds); i++)
		run(&rounds[i], (const char *)data, size);
	check_templates(&none, (const char *)data, size);
	check_templates(&given, (const char *)data, size);
	fill_anything((const char *)data, size);
	return 0;
}
