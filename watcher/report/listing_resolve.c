/* listing_resolve.c - what references resolve to; see report/listing.h. */
#include "core/text.h"
#include "image/manifest.h"
#include "json.h"
#include "line.h"
#include "out.h"
#include "report/listing.h"

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
		bw_json_key_str(&w, "media_type", x->media_type && *x->media_type ? x->media_type : NULL);
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

#define DIGEST_COLUMNS 71 /* "sha256:" and 64 digits */
#define KIND_COLUMNS   14 /* "image (Docker)" */

static const char *name_of(const struct bw_resolved *x)
{
	return x->reference ? x->reference : x->written;
}

static void put_kind(struct bw_line *l, const struct bw_resolved *x)
{
	if (!x->error && x->media_type && *x->media_type)
		bw_line_flow(l, BW_DIM, kind_in_words(x->media_type));
}

/* Names and digests are there to be copied, so they stay whole whatever the width; the digest moves to the
 * next line. */
static void put_image(struct bw_line *l, const struct bw_resolved *x, size_t names)
{
	bool fits = l->width == 0 || names + 2 + DIGEST_COLUMNS + 2 + KIND_COLUMNS <= l->width;

	bw_line_begin(l, 0, 2);
	bw_line_whole(l, BW_BOLD, name_of(x));
	bw_line_pad(l, names);
	if (!fits)
		put_kind(l, x);
	if (x->digest)
		bw_line_whole(l, BW_PLAIN, x->digest);
	if (fits)
		put_kind(l, x);
	if (x->error)
		bw_line_flow(l, BW_MAGENTA, x->error);
	bw_line_end(l);
}

static bool write_table(const struct bw_resolved *images, size_t count, const struct bw_report_options *o)
{
	struct bw_line l;
	size_t names = 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = bw_line_columns(name_of(&images[i]));

		names = n > names && n <= 48 ? n
					     : names; /* a longer one stands out, and moves nothing else */
	}
	bw_line_init(&l, o->out, o->width, o->colour);
	for (size_t i = 0; i < count; i++)
		put_image(&l, &images[i], names);
	bw_line_done(&l);
	return bw_out_finish(o->out, !l.failed);
}

bool bw_resolve_write(const struct bw_resolved *images, size_t count, const struct bw_report_options *o)
{
	return o->format == BW_FORMAT_JSON ? write_json(images, count, o) : write_table(images, count, o);
}
