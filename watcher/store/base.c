/*
 * base.c - which bases the chosen builds need, and what is known of a base and its registry; see store/base.h
 * (record.c, history.c, manifest.c, load.c and pin.c hold the rest).
 */
#include "store/base.h"

#include "core/mem.h"
#include "image/answer.h"
#include "store/list.h"
#include "store/sql.h"

enum {
	BASE_ID,
	BASE_REGISTRY,
	BASE_REPOSITORY,
	BASE_TAG,
	BASE_DIGEST,
	BASE_FAILURES,
	BASE_WAITED,
	BASE_TROUBLE,
	BASE_CHECKED
};

/* --- lists ------------------------------------------------------------------------------------ */

int bw_store_is_wide(struct bw_store *s, bool *ret, struct bw_err *err)
{
	int64_t wide = 0;
	int rc = bw_sql_number(s, BW_SQL_CHOSEN_IS_WIDE, &wide, err);

	if (rc == 0)
		*ret = wide != 0;
	return rc;
}

int bw_store_count_wanted(struct bw_store *s, int64_t now_ms, size_t *ret_count, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_WANTED_COUNT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	rc = bw_sql_step(s, q, err);
	if (rc > 0 && ret_count)
		*ret_count = (size_t)bw_sql_column_int(q, 0);
	return rc < 0 ? rc : 0;
}

/* One that could not be asked has said nothing. */
static bool is_contradicted(sqlite3_stmt *q)
{
	const char *name = bw_sql_column(q, BASE_TROUBLE);
	enum bw_trouble t = name ? bw_trouble_from_name(name) : BW_TROUBLE_NONE;

	return t == BW_TROUBLE_UNSETTLED || bw_trouble_is_absence(t) || bw_sql_column_u32(q, BASE_WAITED) > 0;
}

void bw_store_read_base_columns(sqlite3_stmt *q, struct bw_base *ret)
{
	*ret = (struct bw_base){
		.id = bw_sql_column_int(q, BASE_ID),
		.registry = bw_sql_column(q, BASE_REGISTRY),
		.repository = bw_sql_column(q, BASE_REPOSITORY),
		.tag = bw_sql_column(q, BASE_TAG),
		.digest = bw_sql_column(q, BASE_DIGEST),
		.failures = bw_sql_column_u32(q, BASE_FAILURES),
		.waited = bw_sql_column_u32(q, BASE_WAITED),
		.is_contradicted = is_contradicted(q),
		.checked_ms = bw_sql_column_int(q, BASE_CHECKED),
	};
}

int bw_store_ask_foreign(struct bw_store *s, struct bw_foreign *f, int64_t now_ms, struct bw_base *ret,
			 struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = 0;

	if (f->base_id != ret->id) {
		rc = bw_sql_use(s, BW_SQL_BASE_IS_FOREIGN, &q, err);
		if (rc < 0)
			return rc;
		bw_sql_bind(q, 1, now_ms);
		bw_sql_bind(q, 2, ret->id);
		rc = bw_sql_step(s, q, err);
		if (rc < 0)
			return rc;
		*f = (struct bw_foreign){.base_id = ret->id, .is_foreign = bw_sql_column_int(q, 0) != 0};
	}
	ret->is_foreign = f->is_foreign;
	return 0;
}

/* One base of many rows: `told`, or kept until it is known whether all of them are a stranger's. */
struct bases {
	bw_base_fn fn;
	void *arg;
	int64_t told;
	struct bw_base kept; /* with its own texts; id 0: none */
};

static void drop_kept(struct bases *x)
{
	free((void *)(uintptr_t)x->kept.registry);
	free((void *)(uintptr_t)x->kept.repository);
	free((void *)(uintptr_t)x->kept.tag);
	free((void *)(uintptr_t)x->kept.digest);
	x->kept = (struct bw_base){0};
}

static void keep(struct bases *x, const struct bw_base *b)
{
	x->kept = *b;
	x->kept.registry = bw_strdup(b->registry);
	x->kept.repository = bw_strdup(b->repository);
	x->kept.tag = bw_strdup(b->tag);
	x->kept.digest = bw_strdup_null(b->digest);
}

static int tell_kept(struct bases *x, struct bw_err *err)
{
	int rc = x->kept.id ? x->fn(&x->kept, x->arg, err) : 0;

	drop_kept(x);
	return rc;
}

/* In the common case the first row of a base decides, and nothing is copied. */
static int on_base(struct bases *x, const struct bw_base *b, struct bw_err *err)
{
	int rc = 0;

	if (b->id == x->told || (b->id == x->kept.id && b->is_foreign))
		return 0;
	if (b->id == x->kept.id)
		drop_kept(x);
	else
		rc = tell_kept(x, err);
	if (rc < 0)
		return rc;
	if (b->is_foreign) {
		keep(x, b);
		return 0;
	}
	x->told = b->id;
	return x->fn(b, x->arg, err);
}

static int each_base(struct bw_store *s, sqlite3_stmt *q, bw_base_fn fn, void *arg, struct bw_err *err)
{
	struct bases x = {.fn = fn, .arg = arg};
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_base b;

		bw_store_read_base_columns(q, &b);
		b.is_foreign = bw_sql_column_int(q, BW_BASE_COLUMNS) != 0;
		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = on_base(&x, &b, err);
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = tell_kept(&x, err);
	drop_kept(&x);
	return rc;
}

int bw_store_each_wanted(struct bw_store *s, int64_t now_ms, bw_base_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	bool is_wide = false;
	int rc = bw_store_is_wide(s, &is_wide, err);

	if (rc == 0)
		rc = bw_sql_use(s, is_wide ? BW_SQL_WANTED_MANY : BW_SQL_WANTED_FEW, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	return each_base(s, q, fn, arg, err);
}

int bw_store_each_stand(struct bw_store *s, int64_t base_id, int64_t now_ms, bw_stand_fn fn, void *arg,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_STANDS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind(q, 2, now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *digest = bw_sql_column(q, 0), *platform = bw_sql_column(q, 1);

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(digest, platform, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_uncompared(struct bw_store *s, int64_t now_ms, bw_uncompared_fn fn, void *arg,
			     struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_foreign foreign = {0};
	int rc = bw_sql_use(s, BW_SQL_UNCOMPARED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_uncompared u = {.from = bw_sql_column(q, BW_BASE_COLUMNS),
					  .platform = bw_sql_column(q, BW_BASE_COLUMNS + 1)};

		bw_store_read_base_columns(q, &u.base);
		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = bw_store_ask_foreign(s, &foreign, now_ms, &u.base, err);
		if (rc == 0)
			rc = fn(&u, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* --- questions -------------------------------------------------------------------------------- */

int bw_store_find_sighting(struct bw_store *s, int64_t base_id, const struct bw_digest *d, uint32_t *ret,
			   struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SIGHTING_FIND, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind_text(q, 2, d->text);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	*ret = bw_sql_column_u32(q, 0);
	return 0;
}

int bw_store_has_disagreed(struct bw_store *s, const char *registry, bool *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_REGISTRY_FIND, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, registry);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	*ret = rc > 0;
	return 0;
}

struct disagreement {
	const char *registry;
	int64_t now_ms;
};

static int put_disagreement(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct disagreement *d = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_REGISTRY_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, d->registry);
	bw_sql_bind(q, 2, d->now_ms);
	return bw_sql_run(s, q, err);
}

int bw_store_put_disagreement(struct bw_store *s, const char *registry, int64_t now_ms, struct bw_err *err)
{
	struct disagreement d = {.registry = registry, .now_ms = now_ms};

	return bw_sql_tx(s, put_disagreement, &d, err);
}
