/* base.c - which bases the chosen builds need; see store/base.h (record.c, history.c and manifest.c hold the rest). */
#include "store/base.h"

#include "store/list.h"
#include "store/sql.h"

enum { BASE_ID, BASE_REGISTRY, BASE_REPOSITORY, BASE_TAG, BASE_DIGEST, BASE_IN_TROUBLE, BASE_MEDIA_TYPE };

typedef bool (*take_fn)(sqlite3_stmt *q);

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

static int each_base(struct bw_store *s, sqlite3_stmt *q, take_fn take, bw_base_fn fn, void *arg,
		     struct bw_err *err)
{
	int64_t last_id = 0;
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const struct bw_base b = {
			.id = bw_sql_column_int(q, BASE_ID),
			.registry = bw_sql_column(q, BASE_REGISTRY),
			.repository = bw_sql_column(q, BASE_REPOSITORY),
			.tag = bw_sql_column(q, BASE_TAG),
			.digest = bw_sql_column(q, BASE_DIGEST),
			.in_trouble = bw_sql_column_int(q, BASE_IN_TROUBLE) != 0,
		};
		bool is_taken = b.id != last_id && (!take || take(q));

		last_id = b.id;
		rc = bw_sql_columns_ok(s, err);
		if (rc == 0 && is_taken)
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
	return each_base(s, q, NULL, fn, arg, err);
}

/* What is known to be a plain image has no children, so there is nothing to decide. */
static bool may_be_index(sqlite3_stmt *q)
{
	const char *media_type = bw_sql_column(q, BASE_MEDIA_TYPE);

	return bw_manifest_kind_of(media_type ? media_type : "") != BW_MANIFEST_IMAGE;
}

int bw_store_each_doubt(struct bw_store *s, int64_t now_ms, bw_base_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DOUBTS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	return each_base(s, q, may_be_index, fn, arg, err);
}
