/*
 * base.c - which bases the chosen builds need, and what is known of a base and its registry; see store/base.h
 * (record.c, history.c, manifest.c, load.c and pin.c hold the rest).
 */
#include "store/base.h"

#include "store/list.h"
#include "store/sql.h"

enum { BASE_ID, BASE_REGISTRY, BASE_REPOSITORY, BASE_TAG, BASE_DIGEST, BASE_FAILURES, BASE_WAITED };

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

static void read_base(sqlite3_stmt *q, struct bw_base *ret)
{
	*ret = (struct bw_base){
		.id = bw_sql_column_int(q, BASE_ID),
		.registry = bw_sql_column(q, BASE_REGISTRY),
		.repository = bw_sql_column(q, BASE_REPOSITORY),
		.tag = bw_sql_column(q, BASE_TAG),
		.digest = bw_sql_column(q, BASE_DIGEST),
		.failures = bw_sql_column_u32(q, BASE_FAILURES),
		.waited = bw_sql_column_u32(q, BASE_WAITED),
	};
}

static int each_base(struct bw_store *s, sqlite3_stmt *q, bw_base_fn fn, void *arg, struct bw_err *err)
{
	int64_t last_id = 0;
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_base b;
		bool is_new;

		read_base(q, &b);
		is_new = b.id != last_id;
		last_id = b.id;
		rc = bw_sql_columns_ok(s, err);
		if (rc == 0 && is_new)
			rc = fn(&b, arg, err);
		if (rc < 0)
			return rc;
	}
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
	int rc = bw_sql_use(s, BW_SQL_UNCOMPARED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_uncompared u = {.from = bw_sql_column(q, BASE_WAITED + 1),
					  .platform = bw_sql_column(q, BASE_WAITED + 2)};

		read_base(q, &u.base);
		rc = bw_sql_columns_ok(s, err);
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
