/* load.c - bodies out of the database, for those that decide by them; see store/base.h. */
#include <string.h>

#include "core/mem.h"
#include "store/base.h"
#include "store/fault.h"
#include "store/manifest.h"

static int bind_digest(struct bw_store *s, enum bw_sql which, const struct bw_digest *d, sqlite3_stmt **ret,
		       struct bw_err *err)
{
	int rc = bw_sql_use(s, which, ret, err);

	if (rc == 0)
		bw_sql_bind_text(*ret, 1, d->text);
	return rc;
}

/* Only somebody else's hand can have put there what is none. */
static int read_digest(struct bw_store *s, sqlite3_stmt *q, int at, struct bw_digest *ret, struct bw_err *err)
{
	const char *text = bw_sql_column(q, at);
	int rc = bw_sql_columns_ok(s, err);

	if (rc < 0)
		return rc;
	if (!text || bw_digest_parse(text, strlen(text), ret, NULL) < 0)
		return bw_store_fault(s, SQLITE_CORRUPT, err);
	return 0;
}

/* --- manifests -------------------------------------------------------------------------------- */

enum {
	CHILD_DIGEST,
	CHILD_SIZE,
	CHILD_TYPE,
	CHILD_OS,
	CHILD_OS_VERSION,
	CHILD_ARCH,
	CHILD_VARIANT,
	CHILD_IS_ATTESTATION,
	CHILD_ANNOTATIONS,
};

/* A platform that cannot be read back is none: then the configuration of the image says which it is. */
static int read_child(struct bw_store *s, sqlite3_stmt *q, struct bw_child *ret, struct bw_err *err)
{
	int rc = read_digest(s, q, CHILD_DIGEST, &ret->digest, err);

	if (rc < 0)
		return rc;
	ret->size = bw_sql_column_int(q, CHILD_SIZE);
	bw_sql_column_copy(q, CHILD_TYPE, ret->media_type, sizeof(ret->media_type));
	ret->kind = bw_manifest_kind_of(ret->media_type);
	(void)bw_platform_set(&ret->platform, bw_sql_column(q, CHILD_OS), bw_sql_column(q, CHILD_OS_VERSION),
			      bw_sql_column(q, CHILD_ARCH), bw_sql_column(q, CHILD_VARIANT));
	ret->is_attestation = bw_sql_column_int(q, CHILD_IS_ATTESTATION) != 0;
	ret->annotations = bw_strdup_null(bw_sql_column(q, CHILD_ANNOTATIONS));
	return bw_sql_columns_ok(s, err);
}

static int load_children(struct bw_store *s, const struct bw_digest *d, struct bw_manifest *m,
			 struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	size_t capacity = 0;
	int rc = bind_digest(s, BW_SQL_CHILDREN, d, &q, err);

	while (rc >= 0 && m->child_count < BW_MANIFEST_MAX_CHILD && (rc = bw_sql_step(s, q, err)) > 0) {
		BW_PUSH(m->children, m->child_count, capacity) = (struct bw_child){0};
		rc = read_child(s, q, &m->children[m->child_count - 1], err);
	}
	return rc;
}

static int load_layers(struct bw_store *s, const struct bw_digest *d, struct bw_manifest *m,
		       struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	size_t capacity = 0;
	int rc = bind_digest(s, BW_SQL_LAYERS, d, &q, err);

	while (rc >= 0 && m->layer_count < BW_MANIFEST_MAX_LAYER && (rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_layer layer = {.size = bw_sql_column_int(q, 1)};

		rc = read_digest(s, q, 0, &layer.digest, err);
		if (rc == 0)
			BW_PUSH(m->layers, m->layer_count, capacity) = layer;
	}
	return rc;
}

/* 1: known; 0: not known. */
static int load_head(struct bw_store *s, const struct bw_digest *d, struct bw_manifest *m, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bind_digest(s, BW_SQL_MANIFEST_FIND, d, &q, err);

	if (rc == 0)
		rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	m->kind = bw_store_kind_parse(bw_sql_column(q, 0));
	bw_sql_column_copy(q, 1, m->media_type, sizeof(m->media_type));
	if (sqlite3_column_type(q, 2) != SQLITE_NULL)
		rc = read_digest(s, q, 2, &m->config, err);
	bw_sql_column_copy(q, 3, m->config_type, sizeof(m->config_type));
	if (rc >= 0)
		rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : 1;
}

static int load_manifest(struct bw_store *s, const struct bw_digest *d, struct bw_bodies *b,
			 struct bw_err *err)
{
	struct bw_manifest m = {0};
	int rc = load_head(s, d, &m, err);
	bool is_there = rc > 0;

	if (is_there)
		rc = load_children(s, d, &m, err);
	if (is_there && rc >= 0)
		rc = load_layers(s, d, &m, err);
	if (is_there && rc >= 0)
		bw_bodies_put_manifest(b, d, &m);
	bw_manifest_done(&m);
	return rc < 0 ? rc : is_there;
}

/* --- configurations --------------------------------------------------------------------------- */

/* Whoever put it there could read it. Where this program cannot, no registry can help. */
static void put_unreadable(struct bw_bodies *b, const struct bw_digest *d, const struct bw_err *why)
{
	struct bw_answer a = {.trouble = BW_TROUBLE_MALFORMED};
	size_t len = strnlen(why->msg, sizeof(a.message) - 1);

	memcpy(a.message, why->msg, len);
	bw_bodies_put_missing(b, d, &a);
}

static int load_config(struct bw_store *s, const struct bw_digest *d, struct bw_bodies *b, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_config c = {0};
	struct bw_err why = BW_ERR_INIT;
	const char *body;
	size_t len;
	int rc = bind_digest(s, BW_SQL_CONFIG_FIND, d, &q, err);

	if (rc == 0)
		rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	body = bw_sql_column_bytes(q, 0, &len);
	rc = bw_sql_columns_ok(s, err);
	if (rc < 0)
		return rc;
	if (bw_config_parse(body ? body : "", len, &c, &why) < 0)
		put_unreadable(b, d, &why);
	else
		bw_bodies_put_config(b, d, &c);
	return 1;
}

/* --- what is missing -------------------------------------------------------------------------- */

static int load_missing(struct bw_store *s, int64_t base_id, const struct bw_digest *d, struct bw_bodies *b,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_answer why = {0};
	int rc = bw_sql_use(s, BW_SQL_MISSING_FIND, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind_text(q, 2, d->text);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	why.trouble = bw_trouble_from_name(bw_sql_column(q, 0));
	bw_sql_column_copy(q, 1, why.message, sizeof(why.message));
	rc = bw_sql_columns_ok(s, err);
	if (rc < 0 || why.trouble == BW_TROUBLE_NONE)
		return rc; /* a word that we do not know: ask again */
	bw_bodies_put_missing(b, d, &why);
	return 1;
}

/* --- needs ------------------------------------------------------------------------------------ */

/* 1: met; 0: the database does not know. */
static int meet(struct bw_store *s, int64_t base_id, const struct bw_need *n, struct bw_bodies *b,
		struct bw_err *err)
{
	int rc = n->kind == BW_BODY_MANIFEST ? load_manifest(s, &n->digest, b, err)
					     : load_config(s, &n->digest, b, err);

	return rc == 0 && base_id != 0 ? load_missing(s, base_id, &n->digest, b, err) : rc;
}

int bw_store_load_needs(struct bw_store *s, int64_t base_id, struct bw_bodies *b, size_t *ret_met,
			struct bw_err *err)
{
	size_t count = 0, met = 0;
	const struct bw_need *needs = bw_bodies_needs(b, &count);
	BW_AUTOFREE struct bw_need *copy =
		bw_realloc(NULL, count, sizeof(*copy)); /* meeting them changes them */

	if (count > 0)
		memcpy(copy, needs, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++) {
		int rc = meet(s, base_id, &copy[i], b, err);

		if (rc < 0)
			return rc;
		met += rc > 0;
	}
	*ret_met = met;
	return 0;
}

struct meeting {
	int64_t base_id;
	struct bw_bodies *bodies;
	size_t met;
};

static int meet_all(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct meeting *m = arg;

	return bw_store_load_needs(s, m->base_id, m->bodies, &m->met, err);
}

int bw_store_meet_needs(struct bw_store *s, int64_t base_id, struct bw_bodies *b, size_t *ret_met,
			struct bw_err *err)
{
	struct meeting m = {.base_id = base_id, .bodies = b};
	int rc = bw_sql_view(s, meet_all, &m, err);

	if (rc == 0)
		*ret_met = m.met;
	return rc;
}
