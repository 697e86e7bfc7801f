/* listing_resolve.c - what references resolve to; see report/listing.h. */
#include <string.h>

#include "core/text.h"
#include "image/manifest.h"
#include "json.h"
#include "line.h"
#include "report/listing.h"
#include "report/out.h"
#include "words.h"

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static void key_size(struct bw_json *w, int64_t size)
{
	bw_json_key(w, "size");
	if (size >= 0)
		bw_json_int(w, size);
	else
		bw_json_null(w);
}

/* Null where there is no index; one without images has an empty list. */
static void key_children(struct bw_json *w, const struct bw_resolved *x)
{
	bw_json_key(w, "children");
	if (!x->children) {
		bw_json_null(w);
		return;
	}
	bw_json_open(w, '[');
	for (size_t i = 0; i < x->child_count; i++) {
		const struct bw_resolved_child *c = &x->children[i];

		bw_json_open(w, '{');
		bw_json_key_str(w, "platform", or_null(c->platform));
		bw_json_key_str(w, "digest", c->digest);
		key_size(w, c->size);
		bw_json_key_bool(w, "attestation", c->is_attestation);
		bw_json_close(w, '}');
	}
	bw_json_close(w, ']');
}

static bool write_json(const struct bw_resolved *images, size_t count, const struct bw_report_options *o)
{
	struct bw_json w;
	bool ok;

	bw_json_init(&w, o->out, 0);
	bw_json_open(&w, '{');
	bw_json_key_int(&w, "version", 1);
	bw_json_key(&w, "images");
	bw_json_open(&w, '[');
	for (size_t i = 0; i < count; i++) {
		const struct bw_resolved *x = &images[i];

		bw_json_open(&w, '{');
		bw_json_key_str(&w, "written", x->written);
		bw_json_key_str(&w, "reference", x->reference);
		bw_json_key_str(&w, "digest", x->digest);
		bw_json_key_str(&w, "media_type", or_null(x->media_type));
		key_size(&w, x->size);
		bw_json_key_str(&w, "platform", or_null(x->platform));
		key_children(&w, x);
		bw_json_key_str(&w, "error", x->error);
		bw_json_close(&w, '}');
	}
	bw_json_close(&w, ']');
	bw_json_close(&w, '}');
	ok = bw_report_json_finish(&w);
	bw_json_done(&w);
	return ok;
}

/* The four media types in words; another one as it is. */
static const char *kind_in_words(const char *media_type)
{
	bool is_oci = bw_text_starts(media_type, "application/vnd.oci.");

	switch (bw_manifest_kind_of(media_type)) {
	case BW_MANIFEST_INDEX: return is_oci ? "index" : "manifest list";
	case BW_MANIFEST_IMAGE: return is_oci ? "image" : "image (Docker)";
	case BW_MANIFEST_UNKNOWN: break;
	}
	return media_type;
}

/* --- the table -------------------------------------------------------------------------------- */

#define MAX_NAME   48 /* columns; a longer one stands out, and moves nothing else */
#define MAX_DETAIL 30 /* "image (Docker)  linux/arm64/v8" */
#define GAP	   2
#define INDENT	   2 /* of what is beneath an image */

/* Columns that all lines have in common. */
struct layout {
	size_t names;
	size_t digests;
	size_t details;
	bool is_one_line; /* name, digest and details fit beside each other */
};

static const char *name_of(const struct bw_resolved *x)
{
	return x->reference ? x->reference : x->written;
}

static const char *platform_of(const struct bw_resolved_child *c)
{
	return or_null(c->platform) ? c->platform : "no platform";
}

static const char *size_of(const struct bw_resolved_child *c, char out[BW_WORDS_MAX])
{
	return bw_words_count(c->size > 0 ? (uint64_t)c->size : 0, "byte", "bytes", out);
}

/* What kind of manifest it is; NULL: not known. */
static const char *kind_of(const struct bw_resolved *x)
{
	return !x->error && or_null(x->media_type) ? kind_in_words(x->media_type) : NULL;
}

static void widen(size_t *column, size_t columns, size_t max)
{
	if (columns > *column && columns <= max)
		*column = columns;
}

static void measure_image(struct layout *y, const struct bw_resolved *x)
{
	const char *kind = kind_of(x);
	size_t details = kind ? bw_line_columns(kind) : 0;
	char size[BW_WORDS_MAX];

	if (or_null(x->platform))
		details += (details ? GAP : 0) + bw_line_columns(x->platform);
	widen(&y->names, bw_line_columns(name_of(x)), MAX_NAME);
	widen(&y->digests, x->digest ? strlen(x->digest) : 0, SIZE_MAX);
	widen(&y->details, details, MAX_DETAIL);
	for (size_t i = 0; i < x->child_count; i++) {
		const struct bw_resolved_child *c = &x->children[i];

		if (c->is_attestation)
			continue;
		widen(&y->names, INDENT + bw_line_columns(platform_of(c)), MAX_NAME);
		widen(&y->digests, strlen(c->digest), SIZE_MAX);
		widen(&y->details, strlen(size_of(c, size)), MAX_DETAIL);
	}
}

static void put_details(struct bw_line *l, const struct bw_resolved *x)
{
	const char *kind = kind_of(x);

	if (kind)
		bw_line_flow(l, BW_DIM, kind);
	if (or_null(x->platform))
		bw_line_flow(l, BW_PLAIN, x->platform);
}

/*
 * Names and digests are there to be copied, so they stay whole whatever the width: where there is no room for a column
 * of digests, each has a line of its own.
 */
static void put_digest(struct bw_line *l, const char *digest, size_t indent, const struct layout *y)
{
	if (!y->is_one_line) {
		bw_line_end(l);
		bw_line_begin(l, indent, indent);
	}
	bw_line_whole(l, BW_PLAIN, digest);
}

static void put_image(struct bw_line *l, const struct bw_resolved *x, const struct layout *y)
{
	bw_line_begin(l, 0, INDENT);
	bw_line_whole(l, BW_BOLD, name_of(x));
	bw_line_pad(l, y->names);
	if (!y->is_one_line)
		put_details(l, x);
	if (x->digest)
		put_digest(l, x->digest, INDENT, y);
	if (y->is_one_line)
		put_details(l, x);
	if (x->error)
		bw_line_flow(l, BW_MAGENTA, x->error);
	bw_line_end(l);
}

static void put_child(struct bw_line *l, const struct bw_resolved_child *c, const struct layout *y)
{
	char size[BW_WORDS_MAX];

	bw_line_begin(l, INDENT, INDENT * 2);
	bw_line_flow(l, or_null(c->platform) ? BW_PLAIN : BW_DIM, platform_of(c));
	bw_line_pad(l, y->names);
	if (!y->is_one_line)
		bw_line_flow(l, BW_DIM, size_of(c, size));
	put_digest(l, c->digest, INDENT * 2, y);
	if (y->is_one_line)
		bw_line_flow(l, BW_DIM, size_of(c, size));
	bw_line_end(l);
}

/* Builders add an attestation to each image: nobody pulls one, so they are only counted. */
static void put_children(struct bw_line *l, const struct bw_resolved *x, const struct layout *y)
{
	char text[BW_WORDS_MAX];
	size_t attestations = 0;

	for (size_t i = 0; i < x->child_count; i++) {
		if (x->children[i].is_attestation)
			attestations++;
		else
			put_child(l, &x->children[i], y);
	}
	if (attestations == 0)
		return;
	bw_line_begin(l, INDENT, INDENT * 2);
	bw_line_flow(l, BW_DIM, bw_words_count(attestations, "attestation", "attestations", text));
	bw_line_end(l);
}

static bool write_table(const struct bw_resolved *images, size_t count, const struct bw_report_options *o)
{
	struct layout y = {0};
	struct bw_line l;

	for (size_t i = 0; i < count; i++)
		measure_image(&y, &images[i]);
	y.is_one_line = o->width == 0 || y.names + GAP + y.digests + GAP + y.details <= o->width;
	bw_line_init(&l, o->out, o->width, o->colour);
	for (size_t i = 0; i < count; i++) {
		put_image(&l, &images[i], &y);
		put_children(&l, &images[i], &y);
	}
	bw_line_done(&l);
	return bw_out_finish(o->out, !l.failed);
}

bool bw_resolve_write(const struct bw_resolved *images, size_t count, const struct bw_report_options *o)
{
	return o->format == BW_FORMAT_JSON ? write_json(images, count, o) : write_table(images, count, o);
}
