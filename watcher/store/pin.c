/* pin.c - see pin.h; and which pins cannot be decided by what the database has: store/base.h. */
#include "store/pin.h"

#include <string.h>

#include "store/base.h"
#include "store/list.h"
#include "store/manifest.h"

void bw_shelf_done(struct bw_shelf *shelf)
{
	bw_bodies_free(shelf->bodies);
	*shelf = (struct bw_shelf){0};
}

/* What one use lacks must not look as if the next one needed it, so then the shelf is cleared too. */
static struct bw_bodies *bodies_for(struct bw_shelf *shelf, int64_t base_id)
{
	size_t open = 0;

	if (shelf->bodies)
		(void)bw_bodies_needs(shelf->bodies, &open);
	if (shelf->base_id != base_id || open > 0)
		bw_shelf_done(shelf);
	if (!shelf->bodies)
		shelf->bodies = bw_bodies_new();
	shelf->base_id = base_id;
	return shelf->bodies;
}

static bool read_digest(const char *text, struct bw_digest *ret)
{
	return text && bw_digest_parse(text, strlen(text), ret, NULL) == 0;
}

/* A platform that cannot be read back is none: the pin then only has to be some image of the index. */
static void read_platform(const char *text, struct bw_platform *ret)
{
	if (!text || bw_platform_parse(text, strlen(text), ret, NULL) < 0)
		*ret = (struct bw_platform){0};
}

int bw_store_decide_pin(struct bw_store *s, struct bw_shelf *shelf, const struct bw_pin_use *u,
			struct bw_pinned *ret, bool *ret_lacks, struct bw_err *err)
{
	struct bw_digest pinned, tag;
	struct bw_platform want;
	const struct bw_pin_question q = {
		.pinned = &pinned,
		.tag = &tag,
		.tag_media_type = u->media_type,
		.want = &want,
	};
	struct bw_bodies *b;
	size_t met = 0, open = 0;
	int rc;

	*ret = (struct bw_pinned){.pin = u->pinned ? BW_PIN_UNDECIDED : BW_PIN_NONE};
	if (!read_digest(u->pinned, &pinned) || !read_digest(u->digest, &tag))
		return 0;
	read_platform(u->platform, &want);
	b = bodies_for(shelf, u->base_id);
	do {
		bw_pin_decide(b, &q, ret);
		rc = bw_store_load_needs(s, u->base_id, b, &met, err);
	} while (rc == 0 && met > 0);
	(void)bw_bodies_needs(b, &open);
	if (rc == 0 && ret_lacks)
		*ret_lacks = open > 0;
	return rc;
}

static int find_successor(struct bw_store *s, struct bw_shelf *shelf, const struct bw_pin_use *u,
			  const struct bw_pin_question *q, struct bw_successor *ret, struct bw_err *err)
{
	struct bw_bodies *b = bodies_for(shelf, u->base_id);
	size_t met = 0;
	int rc;

	do {
		bw_successor_find(b, q, ret);
		rc = bw_store_load_needs(s, u->base_id, b, &met, err);
	} while (rc == 0 && met > 0);
	return rc;
}

/* What an image is for stands in its configuration, which may never have been fetched, but also in the index. */
static int find_platform(struct bw_store *s, const struct bw_pin_use *u, struct bw_platform *ret,
			 struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_PIN_PLATFORM, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, u->base_id);
	bw_sql_bind_text(q, 2, u->pinned);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	if (!bw_platform_set(ret, bw_sql_column(q, 0), bw_sql_column(q, 1), bw_sql_column(q, 2),
			     bw_sql_column(q, 3)))
		*ret = (struct bw_platform){0};
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : 1;
}

int bw_store_find_successor(struct bw_store *s, struct bw_shelf *shelf, const struct bw_pin_use *u,
			    struct bw_digest *ret, struct bw_err *err)
{
	struct bw_digest pinned, tag;
	struct bw_platform want;
	const struct bw_pin_question q = {
		.pinned = &pinned,
		.tag = &tag,
		.tag_media_type = u->media_type,
		.want = &want,
	};
	struct bw_successor successor;
	int rc;

	*ret = (struct bw_digest){0};
	if (!read_digest(u->pinned, &pinned) || !read_digest(u->digest, &tag))
		return 0;
	read_platform(u->platform, &want);
	rc = find_successor(s, shelf, u, &q, &successor, err);
	if (rc == 0 && successor.kind == BW_SUCCESSION_PLATFORM_UNSEEN) {
		rc = find_platform(s, u, &want, err);
		if (rc > 0)
			rc = find_successor(s, shelf, u, &q, &successor, err);
	}
	if (rc == 0)
		*ret = successor.digest;
	return rc;
}

/* --- doubts ----------------------------------------------------------------------------------- */

enum { DOUBT_MEDIA_TYPE = BW_BASE_COLUMNS, DOUBT_PINNED, DOUBT_PLATFORM };

struct doubting {
	int64_t now_ms;
	bw_doubt_fn fn;
	void *arg;
	struct bw_shelf shelf;
	struct bw_foreign foreign;
};

static int on_doubt(struct bw_store *s, sqlite3_stmt *q, struct doubting *x, struct bw_err *err)
{
	struct bw_doubt d = {
		.media_type = bw_sql_column(q, DOUBT_MEDIA_TYPE),
		.pinned = bw_sql_column(q, DOUBT_PINNED),
		.platform = bw_sql_column(q, DOUBT_PLATFORM),
	};
	struct bw_pin_use use;
	struct bw_pinned pinned;
	bool lacks = false;
	int rc;

	bw_store_read_base_columns(q, &d.base);
	use = (struct bw_pin_use){
		.base_id = d.base.id,
		.pinned = d.pinned,
		.platform = d.platform,
		.digest = d.base.digest,
		.media_type = d.media_type,
	};
	rc = bw_sql_columns_ok(s, err);
	if (rc == 0)
		rc = bw_store_decide_pin(s, &x->shelf, &use, &pinned, &lacks, err);
	if (rc < 0 || !lacks)
		return rc;
	rc = bw_store_ask_foreign(s, &x->foreign, x->now_ms, &d.base, err);
	return rc < 0 ? rc : x->fn(&d, x->arg, err);
}

static int list_doubts(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct doubting *x = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DOUBTS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		rc = on_doubt(s, q, x, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_doubt(struct bw_store *s, int64_t now_ms, bw_doubt_fn fn, void *arg, struct bw_err *err)
{
	struct doubting x = {.now_ms = now_ms, .fn = fn, .arg = arg};
	int rc = bw_sql_view(s, list_doubts, &x, err);

	bw_shelf_done(&x.shelf);
	return rc;
}
