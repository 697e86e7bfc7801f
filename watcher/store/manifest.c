/* manifest.c - manifests by digest, and what they say of pins; see manifest.h and store/base.h. */
#include "store/manifest.h"

#include <string.h>

#include "core/text.h"
#include "store/base.h"

/* --- writing ---------------------------------------------------------------------------------- */

struct fetched {
	const char *digest;
	const struct bw_manifest *m;
	int64_t size;
	int64_t now_ms;
};

static const char *kind_name(enum bw_manifest_kind kind)
{
	if (kind == BW_MANIFEST_INDEX)
		return "index";
	return kind == BW_MANIFEST_IMAGE ? "image" : "unknown";
}

static int add_child(struct bw_store *s, const char *manifest, const struct bw_child *c, size_t ordinal,
		     struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CHILD_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, manifest);
	bw_sql_bind(q, 2, (int64_t)ordinal);
	bw_sql_bind_text(q, 3, c->digest.text);
	bw_sql_bind_text(q, 4, c->media_type);
	bw_sql_bind(q, 5, c->size);
	bw_sql_bind_text(q, 6, c->platform.os);
	bw_sql_bind_text(q, 7, c->platform.os_version);
	bw_sql_bind_text(q, 8, c->platform.arch);
	bw_sql_bind_text(q, 9, c->platform.variant);
	bw_sql_bind(q, 10, c->is_attestation);
	return bw_sql_run(s, q, err);
}

static int add_manifest(struct bw_store *s, const struct fetched *f, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_MANIFEST_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, f->digest);
	bw_sql_bind_text(q, 2, f->m->media_type);
	bw_sql_bind_text(q, 3, kind_name(f->m->kind));
	bw_sql_bind(q, 4, f->size);
	bw_sql_bind(q, 5, f->now_ms);
	return bw_sql_run(s, q, err);
}

static int put_fetched(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct fetched *f = arg;
	int rc = add_manifest(s, f, err);

	if (rc < 0 || sqlite3_changes(s->db) == 0)
		return rc; /* another process was first; the same digest is the same content */
	for (size_t i = 0; rc == 0 && i < f->m->child_count; i++)
		rc = add_child(s, f->digest, &f->m->children[i], i, err);
	return rc;
}

/* 1: known, and its kind; 0: not known. */
static int find_manifest(struct bw_store *s, const char *digest, enum bw_manifest_kind *ret,
			 struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_MANIFEST_FIND, &q, err);
	const char *kind;

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, digest);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	kind = bw_sql_column(q, 0);
	*ret = BW_MANIFEST_UNKNOWN;
	if (bw_text_is(kind, kind_name(BW_MANIFEST_INDEX)))
		*ret = BW_MANIFEST_INDEX;
	else if (bw_text_is(kind, kind_name(BW_MANIFEST_IMAGE)))
		*ret = BW_MANIFEST_IMAGE;
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : 1;
}

int bw_store_put_manifest(struct bw_store *s, const struct bw_digest *digest, const struct bw_manifest *m,
			  size_t size, int64_t now_ms, struct bw_err *err)
{
	struct fetched f = {.digest = digest->text, .m = m, .size = (int64_t)size, .now_ms = now_ms};
	enum bw_manifest_kind kind;
	int rc = find_manifest(s, digest->text, &kind, err);

	if (rc != 0)
		return rc < 0 ? rc : 0; /* known: no reason to take the write lock */
	return bw_sql_tx(s, put_fetched, &f, err);
}

/* --- pins ------------------------------------------------------------------------------------- */

static bool copy_digest(struct bw_digest *to, const char *text)
{
	return text && bw_digest_parse(text, strlen(text), to, NULL) == 0;
}

/* The rule itself is image/manifest.h's, so the stored child is given to it as an index of one. */
static bool is_wanted_child(sqlite3_stmt *q, const struct bw_digest *pinned, const struct bw_platform *want)
{
	const char *media_type = bw_sql_column(q, 0);
	struct bw_child c = {.digest = *pinned, .is_attestation = bw_sql_column_int(q, 5) != 0};
	const struct bw_manifest one = {.kind = BW_MANIFEST_INDEX, .children = &c, .child_count = 1};

	if (media_type && strlen(media_type) < sizeof(c.media_type))
		memcpy(c.media_type, media_type, strlen(media_type) + 1);
	if (!bw_platform_set(&c.platform, bw_sql_column(q, 1), bw_sql_column(q, 2), bw_sql_column(q, 3),
			     bw_sql_column(q, 4)))
		return false;
	return bw_manifest_has_child(&one, pinned, want);
}

/* A platform that cannot be read back is none: the pin then only has to be some image of the index. */
static int has_child(struct bw_store *s, const struct bw_pin_question *p, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_platform want = {0};
	struct bw_digest pinned;
	int rc = bw_sql_use(s, BW_SQL_CHILD_FIND, &q, err);

	if (rc < 0 || !copy_digest(&pinned, p->pinned))
		return rc;
	if (p->platform && bw_platform_parse(p->platform, strlen(p->platform), &want, NULL) < 0)
		want = (struct bw_platform){0};
	bw_sql_bind_text(q, 1, p->digest);
	bw_sql_bind_text(q, 2, pinned.text);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		bool found = is_wanted_child(q, &pinned, &want);

		rc = bw_sql_columns_ok(s, err);
		if (rc < 0 || found)
			return rc < 0 ? rc : 1;
	}
	return rc;
}

int bw_store_decide_pin(struct bw_store *s, const struct bw_pin_question *p, enum bw_pin *ret,
			struct bw_err *err)
{
	enum bw_manifest_kind kind = BW_MANIFEST_UNKNOWN;
	int rc = 0;

	*ret = BW_PIN_UNDECIDED;
	if (!p->pinned)
		*ret = BW_PIN_NONE;
	else if (p->digest && strcmp(p->pinned, p->digest) == 0)
		*ret = BW_PIN_EQUAL;
	else if (p->digest && bw_manifest_kind_of(p->media_type ? p->media_type : "") == BW_MANIFEST_IMAGE)
		*ret = BW_PIN_OTHER; /* an image has no children */
	else if (p->digest)
		rc = find_manifest(s, p->digest, &kind, err);
	if (rc <= 0)
		return rc;
	rc = kind == BW_MANIFEST_INDEX ? has_child(s, p, err) : 0;
	if (rc >= 0)
		*ret = rc > 0 ? BW_PIN_CHILD : BW_PIN_OTHER;
	return rc < 0 ? rc : 0;
}
