#include <errno.h>

#include "command/command.h"
#include "command/lookup.h"
#include "command/output.h"
#include "core/log.h"
#include "core/mem.h"
#include "report/listing.h"

/* --- the listing ------------------------------------------------------------------------------------ */

/* One row of the listing with the texts that it points to. */
struct shown {
	struct bw_resolved_child *children;
	char (*platforms)[BW_PLATFORM_MAX]; /* of the children, or of the one image */
};

static void show_children(const struct bw_images *images, struct shown *s, struct bw_resolved *row)
{
	s->platforms = bw_alloc((images->count + 1) * sizeof(*s->platforms));
	s->children = bw_alloc((images->count + 1) * sizeof(*s->children));
	for (size_t i = 0; i < images->count; i++) {
		const struct bw_image *x = &images->items[i];

		s->children[i] = (struct bw_resolved_child){
			.platform = bw_platform_format(&x->platform, s->platforms[i]),
			.digest = x->digest.text,
			.size = x->size,
			.is_attestation = x->is_attestation,
		};
	}
	row->children = s->children;
	row->child_count = images->count;
}

static void show_platform(const struct bw_image *image, struct shown *s, struct bw_resolved *row)
{
	s->platforms = bw_alloc(sizeof(*s->platforms));
	if (image->platform.os[0])
		row->platform = bw_platform_format(&image->platform, s->platforms[0]);
}

static void show_image(const struct bw_lookup *x, struct shown *s, struct bw_resolved *row)
{
	*row = (struct bw_resolved){
		.written = x->written, .reference = x->reference, .size = -1, .error = x->error};
	if (x->error || !bw_digest_is_set(&x->digest))
		return;
	row->digest = x->digest.text;
	row->media_type = x->media_type[0] ? x->media_type : NULL;
	row->size = x->size;
	if (x->image)
		show_platform(x->image, s, row);
	else if (x->images.is_index)
		show_children(&x->images, s, row);
}

static int show(const struct bw_lookup *images, size_t count, const struct bw_args *a, struct bw_err *err)
{
	struct bw_resolved *rows = bw_alloc((count + 1) * sizeof(*rows));
	struct shown *texts = bw_alloc((count + 1) * sizeof(*texts));
	struct bw_report_options o;
	bool written;
	int why;

	for (size_t i = 0; i < count; i++)
		show_image(&images[i], &texts[i], &rows[i]);
	bw_output_init(a, &o);
	written = bw_resolve_write(rows, count, &o);
	why = errno;
	bw_output_done(&o);
	for (size_t i = 0; i < count; i++) {
		free(texts[i].children);
		free(texts[i].platforms);
	}
	free(texts);
	free(rows);
	return written ? bw_output_flush(err) : bw_fail_sys(err, why, "write to standard output");
}

/* --- the verb --------------------------------------------------------------------------------------- */

/* Nothing but the manifest may be on standard output. */
static int show_manifest(const struct bw_lookup *x, struct bw_err *err)
{
	if (x->error)
		bw_error("%s: %s", x->written, x->error);
	else
		bw_output_bytes(bw_buf_str(&x->bytes), x->bytes.len);
	return bw_output_flush(err);
}

/* A bad reference is the user's (64); one that could not be resolved is unknown (2). */
static enum bw_exit worst(const struct bw_lookup *images, size_t count)
{
	enum bw_exit code = BW_EXIT_OK;

	for (size_t i = 0; i < count; i++) {
		if (images[i].is_bad)
			return BW_EXIT_USAGE;
		if (images[i].trouble)
			bw_error("%s: %s", images[i].written, images[i].trouble);
		if (images[i].error || images[i].trouble)
			code = BW_EXIT_UNKNOWN;
	}
	return code;
}

static enum bw_exit resolve(struct bw_lookup *images, size_t count, const struct bw_args *a)
{
	struct bw_err err = BW_ERR_INIT;
	bool interrupted = false;
	int rc = 0;

	if (!a->offline)
		rc = bw_lookup_all(images, count, a, &interrupted, &err);
	if (rc == 0)
		rc = a->manifest ? show_manifest(images, &err) : show(images, count, a, &err);
	if (rc < 0)
		return bw_exit_with(&err);
	return interrupted ? BW_EXIT_INTERRUPTED : worst(images, count);
}

/* NULL: nothing is wrong with the command line. */
static const char *find_misuse(const struct bw_args *a)
{
	if (a->operands.count == 0)
		return "resolve needs at least one IMAGE, such as debian:12";
	if (a->manifest && a->operands.count > 1)
		return "--manifest takes one IMAGE";
	if (a->offline && a->manifest)
		return "--offline and --manifest exclude each other";
	if (a->offline && a->platform.os[0])
		return "--offline and --platform exclude each other";
	return NULL;
}

enum bw_exit bw_command_resolve(const struct bw_args *a)
{
	const size_t count = a->operands.count;
	const char *misuse = find_misuse(a);
	struct bw_lookup *images;
	enum bw_exit code;

	if (misuse) {
		bw_error("%s", misuse);
		return BW_EXIT_USAGE;
	}
	images = bw_alloc(count * sizeof(*images));
	for (size_t i = 0; i < count; i++)
		bw_lookup_init(&images[i], a->operands.items[i]);
	code = resolve(images, count, a);
	for (size_t i = 0; i < count; i++)
		bw_lookup_done(&images[i]);
	free(images);
	return code;
}
