/* manifest.c - keeps manifests and configurations by digest; see store/base.h. Reading them is in load.c. */
#include "store/manifest.h"

#include "core/text.h"
#include "store/base.h"
#include "store/fault.h"

const char *bw_store_kind_name(enum bw_manifest_kind kind)
{
	if (kind == BW_MANIFEST_INDEX)
		return "index";
	return kind == BW_MANIFEST_IMAGE ? "image" : "unknown";
}

enum bw_manifest_kind bw_store_kind_parse(const char *name)
{
	if (bw_text_is(name, bw_store_kind_name(BW_MANIFEST_INDEX)))
		return BW_MANIFEST_INDEX;
	return bw_text_is(name, bw_store_kind_name(BW_MANIFEST_IMAGE)) ? BW_MANIFEST_IMAGE
								       : BW_MANIFEST_UNKNOWN;
}

/* 1: there is a row for this digest; 0: there is none. */
static int is_known(struct bw_store *s, enum bw_sql which, const char *digest, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, digest);
	return bw_sql_step(s, q, err);
}

/* --- manifests -------------------------------------------------------------------------------- */

struct fetched {
	const char *digest;
	const struct bw_manifest *m;
	int64_t size;
	int64_t now_ms;
};

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
	bw_sql_bind_text(q, 11, c->annotations);
	return bw_sql_run(s, q, err);
}

static int add_layer(struct bw_store *s, const char *manifest, const struct bw_layer *l, size_t ordinal,
		     struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_LAYER_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, manifest);
	bw_sql_bind(q, 2, (int64_t)ordinal);
	bw_sql_bind_text(q, 3, l->digest.text);
	bw_sql_bind(q, 4, l->size);
	return bw_sql_run(s, q, err);
}

static int add_manifest(struct bw_store *s, const struct fetched *f, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	bool has_config = bw_digest_is_set(&f->m->config);
	int rc = bw_sql_use(s, BW_SQL_MANIFEST_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, f->digest);
	bw_sql_bind_text(q, 2, f->m->media_type);
	bw_sql_bind_text(q, 3, bw_store_kind_name(f->m->kind));
	bw_sql_bind(q, 4, f->size);
	bw_sql_bind(q, 5, f->now_ms);
	bw_sql_bind_text(q, 6, has_config ? f->m->config.text : NULL);
	bw_sql_bind_text(q, 7, has_config ? f->m->config_type : NULL);
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
	for (size_t i = 0; rc == 0 && i < f->m->layer_count; i++)
		rc = add_layer(s, f->digest, &f->m->layers[i], i, err);
	return rc;
}

int bw_store_put_manifest(struct bw_store *s, const struct bw_digest *digest, const struct bw_manifest *m,
			  size_t size, int64_t now_ms, struct bw_err *err)
{
	struct fetched f = {.digest = digest->text, .m = m, .size = (int64_t)size, .now_ms = now_ms};
	int rc = is_known(s, BW_SQL_MANIFEST_FIND, digest->text, err);

	if (rc != 0)
		return rc < 0 ? rc : 0; /* known: no reason to take the write lock */
	return bw_sql_tx(s, put_fetched, &f, err);
}

/* --- configurations --------------------------------------------------------------------------- */

struct fetched_config {
	const char *digest;
	const char *body;
	size_t len;
	int64_t now_ms;
};

static int add_config(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct fetched_config *f = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CONFIG_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, f->digest);
	bw_sql_bind(q, 2, f->now_ms);
	bw_sql_bind_bytes(q, 3, f->body, f->len);
	return bw_sql_run(s, q, err);
}

int bw_store_put_config(struct bw_store *s, const struct bw_digest *digest, const char *body, size_t len,
			int64_t now_ms, struct bw_err *err)
{
	struct fetched_config f = {.digest = digest->text, .body = body, .len = len, .now_ms = now_ms};
	int rc = is_known(s, BW_SQL_CONFIG_FIND, digest->text, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return bw_sql_tx(s, add_config, &f, err);
}

/* --- what is missing -------------------------------------------------------------------------- */

struct missing {
	int64_t base_id;
	const char *digest;
	const struct bw_answer *why;
	int64_t now_ms;
};

static int put_missing(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct missing *m = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_MISSING_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind_text(q, 2, m->digest);
	bw_sql_bind_text(q, 3, bw_trouble_name(m->why->trouble));
	bw_sql_bind_text(q, 4, m->why->message);
	bw_sql_bind(q, 5, m->now_ms);
	rc = bw_sql_run(s, q, err);
	return rc < 0 ? bw_store_name_base(s, m->base_id, rc, err) : 0;
}

int bw_store_put_missing(struct bw_store *s, int64_t base_id, const struct bw_digest *digest,
			 const struct bw_answer *why, int64_t now_ms, struct bw_err *err)
{
	struct missing m = {.base_id = base_id, .digest = digest->text, .why = why, .now_ms = now_ms};

	if (base_id == 0 || why->trouble == BW_TROUBLE_NONE || bw_trouble_is_passing(why->trouble))
		return 0;
	return bw_sql_tx(s, put_missing, &m, err);
}
