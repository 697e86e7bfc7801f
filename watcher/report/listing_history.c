/* listing_history.c - how bases moved; see report/listing.h and history.h. */
#include "history.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "image/digest.h"
#include "image/reference.h"
#include "json.h"
#include "line.h"
#include "report/listing.h"
#include "report/out.h"
#include "words.h"

/* Behind number, time and short digest, with a gap of two behind each. */
#define CLASS_START  (4 + 2 + strlen("2026-11-21 12:00") + 2 + strlen("sha256:0123456789ab") + 2)
#define STAYED_START (CLASS_START + strlen("unclassified") + 2)
#define MOVED_START  (STAYED_START + strlen("now, for 60 minutes") + 2)

struct bw_history {
	const struct bw_report_options *o;
	struct bw_json w;
	struct bw_line line;
	char *base; /* of the last sighting; NULL before the first */

	/* The last sighting waits in a table: only the next one says how long it stayed. */
	bool waiting;
	uint32_t number;
	int64_t at_ms;
	char digest[BW_DIGEST_SHORT_MAX];
	char *change_class;
	char *moved;
};

static bool is_json(const struct bw_history *h)
{
	return h->o->format == BW_FORMAT_JSON;
}

struct bw_history *bw_history_new(const struct bw_report_options *o)
{
	struct bw_history *h = BW_NEW(struct bw_history);

	h->o = o;
	bw_json_init(&h->w, o->out, 0);
	bw_line_init(&h->line, o->out, o->width, o->colour);
	if (is_json(h)) {
		bw_json_open(&h->w, '{');
		bw_json_key_int(&h->w, "version", 1);
		bw_json_key(&h->w, "bases");
		bw_json_open(&h->w, '[');
	}
	return h;
}

void bw_history_free(struct bw_history *h)
{
	if (!h)
		return;
	bw_json_done(&h->w);
	bw_line_done(&h->line);
	free(h->base);
	free(h->change_class);
	free(h->moved);
	free(h);
}

/*
 * --- JSON
 * ---------------------------------------------------------------------------------------------------------
 */

static void json_end_base(struct bw_history *h)
{
	if (!h->base)
		return;
	bw_json_close(&h->w, ']');
	bw_json_close(&h->w, '}');
}

/* Sightings come base by base, so a base is open until another one begins. */
static void json_add(struct bw_history *h, const struct bw_sighting *x, bool is_new_base)
{
	struct bw_json *w = &h->w;

	if (is_new_base) {
		json_end_base(h);
		bw_json_open(w, '{');
		bw_json_key_str(w, "base", x->base);
		bw_json_key(w, "sightings");
		bw_json_open(w, '[');
	}
	bw_json_open(w, '{');
	bw_json_key_int(w, "number", x->number);
	bw_json_key_time(w, "at", x->at_ms);
	bw_json_key_str(w, "digest", x->digest);
	bw_json_key_str(w, "previous", x->previous);
	bw_json_key_str(w, "class", x->change_class);
	bw_json_key_str(w, "moved", x->moved && x->moved[0] ? x->moved : NULL);
	bw_json_close(w, '}');
}

/* --- table ------------------------------------------------------------------------------------ */

/*
 * `until_ms` 0: it is what the base points to as far as we know. What moved stands last: it is the longest, and the
 * columns before it stay columns wherever it has to wrap.
 */
static void table_flush(struct bw_history *h, int64_t until_ms)
{
	struct bw_line *l = &h->line;
	BW_AUTOFREE char *number = NULL, *stayed = NULL;
	char at[BW_TIME_MAX], span[BW_WORDS_MAX];

	if (!h->waiting)
		return;
	(void)bw_words_span((until_ms ? until_ms : h->o->now_ms) - h->at_ms, span);
	number = bw_asprintf("%4u", (unsigned)h->number);
	stayed = until_ms ? bw_asprintf("for %s", span) : bw_asprintf("now, for %s", span);
	bw_line_begin(l, 0, 6);
	bw_line_cell(l, BW_DIM, number, 4, 10);
	bw_line_flow(l, BW_PLAIN, bw_time_short(h->at_ms, at));
	bw_line_flow(l, BW_PLAIN, h->digest);
	bw_line_pad(l, CLASS_START - 2);
	bw_line_flow(l, BW_PLAIN, h->change_class ? h->change_class : "first sight");
	bw_line_pad(l, STAYED_START - 2);
	bw_line_flow(l, until_ms ? BW_DIM : BW_GREEN, stayed);
	if (h->moved && h->moved[0]) {
		bw_line_pad(l, MOVED_START - 2);
		bw_line_flow(l, BW_PLAIN, h->moved);
	}
	bw_line_end(l);
	h->waiting = false;
}

/* A sighting ends the one before it, which can be shown now. */
static void table_add(struct bw_history *h, const struct bw_sighting *x, bool is_new_base)
{
	table_flush(h, is_new_base ? 0 : x->at_ms);
	if (is_new_base) {
		if (h->base)
			bw_line_end(&h->line);
		bw_line_begin(&h->line, 0, 0);
		bw_line_flow(&h->line, BW_BOLD, bw_reference_familiar(x->base));
		bw_line_end(&h->line);
	}
	h->waiting = true;
	h->number = x->number;
	h->at_ms = x->at_ms;
	(void)bw_digest_short(x->digest, h->digest);
	free(h->change_class);
	h->change_class = bw_strdup_null(x->change_class);
	free(h->moved);
	h->moved = bw_strdup_null(x->moved);
}

void bw_history_add(struct bw_history *h, const struct bw_sighting *x)
{
	bool is_new_base = !h->base || strcmp(h->base, x->base) != 0;

	if (is_json(h))
		json_add(h, x, is_new_base);
	else
		table_add(h, x, is_new_base);
	if (is_new_base) {
		free(h->base);
		h->base = bw_strdup(x->base);
	}
}

bool bw_history_end(struct bw_history *h)
{
	if (is_json(h)) {
		json_end_base(h);
		bw_json_close(&h->w, ']');
		bw_json_close(&h->w, '}');
		return bw_report_json_finish(&h->w);
	}
	table_flush(h, 0);
	if (!h->base) {
		bw_line_words(&h->line, BW_PLAIN, "No sightings.");
		bw_line_end(&h->line);
	}
	return bw_out_finish(h->o->out, !h->line.failed);
}

/* --- from the store --------------------------------------------------------------------------- */

struct feed {
	struct bw_history *h;
	size_t count;
};

static int on_sighting(const struct bw_sighting *x, void *arg, struct bw_err *err)
{
	struct feed *f = arg;

	(void)err;
	bw_history_add(f->h, x);
	f->count++;
	return 0;
}

int bw_history_write(struct bw_store *s, const char *base, const struct bw_report_options *o,
		     size_t *ret_count, struct bw_err *err)
{
	struct feed f = {.h = bw_history_new(o)};
	int rc = bw_store_each_sighting(s, base, on_sighting, &f, err);

	if (rc >= 0 && !bw_history_end(f.h))
		rc = bw_fail_sys(err, errno ? errno : EIO, "write the history");
	bw_history_free(f.h);
	if (rc < 0)
		return rc;
	*ret_count = f.count;
	return 0;
}
