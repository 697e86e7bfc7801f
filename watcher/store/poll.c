#include "store/poll.h"

#include "store/list.h"
#include "store/sql.h"

enum {
	POLL_ID,
	POLL_REGISTRY,
	POLL_REPOSITORY,
	POLL_TAG,
	POLL_CHECKED,
	POLL_FAILURES,
	POLL_TROUBLE,
	POLL_RETRY_AFTER,
};

int bw_store_each_poll(struct bw_store *s, int64_t now_ms, bw_poll_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_POLLS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const struct bw_poll p = {
			.id = bw_sql_column_int(q, POLL_ID),
			.registry = bw_sql_column(q, POLL_REGISTRY),
			.repository = bw_sql_column(q, POLL_REPOSITORY),
			.tag = bw_sql_column(q, POLL_TAG),
			.checked_ms = bw_sql_column_int(q, POLL_CHECKED),
			.failures = bw_sql_column_u32(q, POLL_FAILURES),
			.trouble = bw_trouble_from_name(bw_sql_column(q, POLL_TROUBLE)),
			.retry_after_s = bw_sql_column_u32(q, POLL_RETRY_AFTER),
		};

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(&p, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_find_wanted(struct bw_store *s, int64_t base_id, int64_t now_ms, bw_base_fn fn, void *arg,
			 struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_base b;
	int rc = bw_sql_use(s, BW_SQL_POLL_BASE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	bw_sql_bind(q, 2, base_id);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	bw_store_read_base_columns(q, &b);
	b.is_foreign = bw_sql_column_int(q, BW_BASE_COLUMNS) != 0;
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : fn(&b, arg, err);
}

int bw_store_each_companion(struct bw_store *s, int64_t base_id, int64_t now_ms, size_t max,
			    bw_companion_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_COMPANIONS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	bw_sql_bind(q, 2, base_id);
	bw_sql_bind(q, 3, (int64_t)max);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		rc = fn(bw_sql_column_int(q, 0), arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}
