/*
 * listing.c - what a scan found, file after file; only the file at hand is in memory. See report/listing.h,
 * whose other parts are listing_history.c and listing_resolve.c.
 */
#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "image/digest.h"
#include "image/reference.h"
#include "json.h"
#include "line.h"
#include "place.h"
#include "report/listing.h"
#include "report/out.h"
#include "words.h"

#define NARROW 60 /* columns */

struct bw_scan_writer {
	const struct bw_report_options *o;
	struct bw_json w;
	struct bw_line line;
	uint64_t files;
	uint64_t broken; /* files that could not be read to their end */
	uint64_t uses;
	uint64_t unresolved; /* uses */
};

static bool is_json(const struct bw_scan_writer *w)
{
	return w->o->format == BW_FORMAT_JSON;
}

struct bw_scan_writer *bw_scan_writer_new(const struct bw_report_options *o)
{
	struct bw_scan_writer *w = BW_NEW(struct bw_scan_writer);

	w->o = o;
	bw_json_init(&w->w, o->out, 0);
	bw_line_init(&w->line, o->out, o->width, o->colour);
	if (is_json(w)) {
		bw_json_open(&w->w, '{');
		bw_json_key_int(&w->w, "version", 1);
		bw_json_key(&w->w, "files");
		bw_json_open(&w->w, '[');
	}
	return w;
}

/* Why the file could not be read to its end: "line N: text"; NULL when it could. The caller frees. */
static char *error_of(const struct bw_scan_file *f)
{
	if (!f->file)
		return bw_strdup(f->problem ? f->problem : "could not be read");
	if (!f->file->error)
		return NULL;
	if (f->file->error_line == 0)
		return bw_strdup(f->file->error);
	return bw_asprintf("line %u: %s", (unsigned)f->file->error_line, f->file->error);
}

/* An annotation holds before its day, not on it (buildfile/use.h). */
static bool is_ignored(const struct bw_use *u, int64_t now_ms)
{
	return u->ignored && (u->ignored_until_ms == 0 || now_ms < u->ignored_until_ms);
}

static const char *digest_of(const struct bw_use *u)
{
	return u->reference && bw_digest_is_set(&u->parts.digest) ? u->parts.digest.text : NULL;
}

/*
 * --- JSON
 * ---------------------------------------------------------------------------------------------------------
 */

/* The normal form and its parts: all null where there is no reference. */
static void json_reference(struct bw_json *w, const struct bw_use *u)
{
	const struct bw_reference *r = u->reference ? &u->parts : NULL;

	bw_json_key_str(w, "reference", u->reference);
	bw_json_key_str(w, "registry", r ? r->registry : NULL);
	bw_json_key_str(w, "repository", r ? r->repository : NULL);
	bw_json_key_str(w, "tag", r ? bw_reference_tag(r) : NULL);
	bw_json_key_str(w, "digest", digest_of(u));
}

static void json_use(struct bw_scan_writer *sw, const struct bw_use *u)
{
	struct bw_json *w = &sw->w;

	bw_json_open(w, '{');
	bw_report_json_line(w, "line", u->span.line);
	bw_report_json_line(w, "column", u->span.column);
	bw_json_key_str(w, "role", bw_role_name(u->role));
	bw_json_key_str(w, "stage", u->stage);
	bw_json_key_str(w, "written", u->written);
	bw_json_key_str(w, "expanded", u->expanded);
	json_reference(w, u);
	bw_json_key_str(w, "platform", u->platform);
	bw_json_key_bool(w, "reachable", u->reachable);
	bw_json_key_bool(w, "ignored", is_ignored(u, sw->o->now_ms));
	bw_json_key_str(w, "unresolved", u->is_scratch ? NULL : u->unresolved);
	bw_json_close(w, '}');
}

/* A file that could not be read has no uses; one that was read in part keeps those found. */
static void json_file(struct bw_scan_writer *sw, const struct bw_scan_file *f, const char *error)
{
	struct bw_json *w = &sw->w;

	bw_json_open(w, '{');
	bw_json_key_str(w, "path", bw_place_inside(f->source, f->path, sw->o->cwd));
	bw_report_json_source(w, f->source);
	bw_json_key_str(w, "error", error);
	bw_json_key(w, "uses");
	bw_json_open(w, '[');
	for (size_t i = 0; f->file && i < f->file->use_count; i++)
		json_use(sw, &f->file->uses[i]);
	bw_json_close(w, ']');
	bw_json_close(w, '}');
}

/* --- table ------------------------------------------------------------------------------------ */

/* What stands for the image: without its digest, which is as long as a line and gets a mark of its own. */
static char *image_of(const struct bw_use *u)
{
	const char *familiar, *at;

	if (!u->reference)
		return bw_strdup(u->written);
	familiar = bw_reference_familiar(u->reference);
	at = strchr(familiar, '@');
	return bw_strndup(familiar, at ? (size_t)(at - familiar) : strlen(familiar));
}

/* Where columns end; 0 on a narrow terminal, which has no room for them. */
struct scan_columns {
	size_t line; /* columns of the number */
	size_t role_end;
	size_t stage_end;
	size_t image_end;
};

static size_t wider(size_t columns, const char *s, size_t cap)
{
	size_t n = bw_line_columns(s);

	n = n > cap ? cap : n;
	return n > columns ? n : columns;
}

static struct scan_columns measure(const struct bw_scan_writer *w, const struct bw_dockerfile *d)
{
	size_t image_cap = w->o->width > 0 ? w->o->width / 2 : 48, stage = 0, images = 0;
	struct scan_columns c = {0};
	char number[16];

	for (size_t i = 0; i < d->use_count; i++) {
		const struct bw_use *u = &d->uses[i];
		BW_AUTOFREE char *image = image_of(u);

		(void)snprintf(number, sizeof(number), "%" PRIu32, u->span.line);
		c.line = wider(c.line, number, sizeof(number));
		stage = wider(stage, u->stage ? u->stage : "", 16);
		images = wider(images, image, image_cap);
	}
	if (w->o->width > 0 && w->o->width < NARROW)
		return c;
	c.role_end = 2 + c.line + 2 + strlen("frontend");
	c.stage_end = c.role_end + (stage > 0 ? 2 + stage : 0);
	c.image_end = c.stage_end + 2 + images;
	return c;
}

/* What is special about a use. A digest is a mark, because it is not what the base is called. */
static void put_marks(struct bw_scan_writer *w, const struct bw_use *u)
{
	struct bw_line *l = &w->line;
	char digest[BW_DIGEST_SHORT_MAX];
	BW_AUTOFREE char *pinned = NULL;

	if (u->unresolved && !u->is_scratch)
		bw_line_flow(l, BW_MAGENTA, u->unresolved);
	if (digest_of(u)) {
		pinned = bw_asprintf("pinned %s", bw_digest_short(digest_of(u), digest));
		bw_line_flow(l, BW_DIM, pinned);
	}
	if (u->platform)
		bw_line_flow(l, BW_DIM, u->platform);
	if (!u->reachable)
		bw_line_flow(l, BW_DIM, "unreachable");
	if (is_ignored(u, w->o->now_ms))
		bw_line_flow(l, BW_DIM, "ignored");
}

/*
 * "  16  final  runtime  debian:12  pinned sha256:..."; what a build does not take, or cannot move, is dim.
 */
static void put_use(struct bw_scan_writer *w, const struct bw_use *u, const struct scan_columns *c)
{
	struct bw_line *l = &w->line;
	bool asleep = !u->reachable || is_ignored(u, w->o->now_ms) || u->is_scratch;
	BW_AUTOFREE char *image = image_of(u);
	BW_AUTOFREE char *number = u->span.line > 0 ? bw_asprintf("%*" PRIu32, (int)c->line, u->span.line)
						    : bw_asprintf("%*s", (int)c->line, "-");
	bw_line_begin(l, 2, 6);
	bw_line_cell(l, BW_DIM, number, c->line, c->line);
	bw_line_flow(l, BW_DIM, bw_role_name(u->role));
	bw_line_pad(l, c->role_end);
	if (u->stage)
		bw_line_flow(l, BW_DIM, u->stage);
	bw_line_pad(l, c->stage_end);
	bw_line_flow(l, asleep ? BW_DIM : BW_PLAIN, image);
	bw_line_pad(l, c->image_end);
	put_marks(w, u);
	bw_line_end(l);
}

/* Path, uses, and what went wrong last: it is what the eye rests on. */
static void table_file(struct bw_scan_writer *w, const struct bw_scan_file *f, const char *error)
{
	BW_AUTOFREE char *path = bw_report_path(f->source, f->path, w->o->cwd);
	struct bw_line *l = &w->line;
	size_t count = f->file ? f->file->use_count : 0;
	struct scan_columns c;

	bw_line_begin(l, 0, 2);
	bw_line_cell(l, BW_BOLD, path, 0, w->o->width);
	if (count == 0 && !error)
		bw_line_flow(l, BW_DIM, "names no base");
	bw_line_end(l);
	if (count > 0)
		c = measure(w, f->file);
	for (size_t i = 0; i < count; i++)
		put_use(w, &f->file->uses[i], &c);
	if (error) {
		bw_line_begin(l, 2, 2);
		bw_line_words(l, BW_MAGENTA, error);
		bw_line_end(l);
	}
	bw_line_end(l);
}

static void table_end(struct bw_scan_writer *w)
{
	char uses[BW_WORDS_MAX], files[BW_WORDS_MAX];
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, 512);
	bw_buf_addf(&text, "%s in %s.", bw_words_count(w->uses, "use", "uses", uses),
		    bw_words_count(w->files, "build file", "build files", files));
	if (w->unresolved > 0)
		bw_buf_addf(&text, " %s could not be resolved.",
			    bw_words_count(w->unresolved, "use", "uses", uses));
	if (w->broken > 0)
		bw_buf_addf(&text, " %s could not be read to the end.",
			    bw_words_count(w->broken, "file", "files", files));
	bw_line_begin(&w->line, 0, 0);
	bw_line_words(&w->line, BW_PLAIN, bw_buf_str(&text));
	bw_line_end(&w->line);
}

void bw_scan_writer_add(struct bw_scan_writer *w, const struct bw_scan_file *f)
{
	BW_AUTOFREE char *error = error_of(f);

	w->files++;
	w->broken += error != NULL;
	for (size_t i = 0; f->file && i < f->file->use_count; i++) {
		const struct bw_use *u = &f->file->uses[i];

		w->uses++;
		w->unresolved += u->unresolved && !u->is_scratch;
	}
	if (is_json(w))
		json_file(w, f, error);
	else
		table_file(w, f, error);
}

bool bw_scan_writer_end(struct bw_scan_writer *w)
{
	bool ok;

	if (is_json(w)) {
		bw_json_close(&w->w, ']');
		bw_json_close(&w->w, '}');
		ok = bw_report_json_finish(&w->w);
	} else {
		table_end(w);
		ok = bw_out_finish(w->o->out, !w->line.failed);
	}
	bw_json_done(&w->w);
	bw_line_done(&w->line);
	free(w);
	return ok;
}
