/* source.c - branches of git repositories; see store/source.h (choose.c ends their builds). */
#include "store/source.h"

#include "store/sql.h"

enum { GIT_NAME, GIT_URL, GIT_BRANCH, GIT_COMMIT, GIT_CHECKED, GIT_PROBLEM, GIT_SINCE, GIT_CHOSEN };

struct put {
	const struct bw_source_row *row;
	int64_t now_ms;
};

static int put_row(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct put *p = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_GIT_SOURCE_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, p->row->name);
	bw_sql_bind_text(q, 2, p->row->url);
	bw_sql_bind_text(q, 3, p->row->branch);
	bw_sql_bind_text(q, 4, p->row->commit);
	bw_sql_bind(q, 5, p->now_ms);
	bw_sql_bind_text(q, 6, p->row->problem);
	return bw_sql_run(s, q, err);
}

int bw_store_put_git_source(struct bw_store *s, const struct bw_source_row *x, int64_t now_ms,
			    struct bw_err *err)
{
	struct put p = {.row = x, .now_ms = now_ms};

	return bw_sql_tx(s, put_row, &p, err);
}

int bw_store_each_git_source(struct bw_store *s, const char *name, bw_source_fn fn, void *arg,
			     struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_GIT_SOURCES, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, name);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const struct bw_source_row x = {
			.name = bw_sql_column(q, GIT_NAME),
			.url = bw_sql_column(q, GIT_URL),
			.branch = bw_sql_column(q, GIT_BRANCH),
			.commit = bw_sql_column(q, GIT_COMMIT),
			.checked_ms = bw_sql_column_int(q, GIT_CHECKED),
			.problem = bw_sql_column(q, GIT_PROBLEM),
			.problem_since_ms = bw_sql_column_int(q, GIT_SINCE),
			.has_chosen = bw_sql_column_int(q, GIT_CHOSEN) != 0,
		};

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(&x, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}
