/* health.c - see store/health.h (store.c opens). */
#include "store/health.h"

#include <string.h>

#include "store/fault.h"
#include "store/sql.h"

#define STEPS_BETWEEN_QUESTIONS 1000 /* of SQLite's virtual machine: less than a millisecond */

enum { DEBT_SINK, DEBT_REMOVED, DEBT_DUE, DEBT_DEAD, DEBT_DUE_SINCE, DEBT_DEAD_SINCE, DEBT_ERROR };
enum { AILING_REGISTRY, AILING_BASES, AILING_SINCE, AILING_BASE, AILING_MESSAGE };

int bw_store_schema(struct bw_store *s, int64_t *ret, struct bw_err *err)
{
	return bw_sql_number(s, BW_SQL_SCHEMA_VERSION, ret, err);
}

/* --- is it sound? --------------------------------------------------------------------------------- */

struct asking {
	bool (*go_on)(void *arg);
	void *arg;
};

static int is_enough(void *arg)
{
	const struct asking *a = arg;

	return !a->go_on(a->arg);
}

int bw_store_check(struct bw_store *s, bool (*go_on)(void *arg), void *arg, struct bw_err *err)
{
	struct asking a = {.go_on = go_on, .arg = arg};
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CHECK, &q, err);
	int code;

	if (rc < 0)
		return rc;
	if (go_on)
		sqlite3_progress_handler(s->db, STEPS_BETWEEN_QUESTIONS, is_enough, &a);
	code = sqlite3_step(q);
	sqlite3_progress_handler(s->db, 0, NULL, NULL);
	if (code == SQLITE_INTERRUPT)
		return 1;
	if (code != SQLITE_ROW)
		return bw_store_fault(s, code, err);
	if (strcmp(bw_sql_column(q, 0) ? bw_sql_column(q, 0) : "", "ok") != 0)
		return bw_fail(err, BW_E_STORE, "%s: damaged: %s", s->path, bw_sql_column(q, 0));
	return 0;
}

/* --- what is owed, what ails ---------------------------------------------------------------------- */

int bw_store_each_debt(struct bw_store *s, bw_debt_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DEBTS, &q, err);

	if (rc < 0)
		return rc;
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const struct bw_debt d = {
			.sink = bw_sql_column(q, DEBT_SINK),
			.is_removed = bw_sql_column_int(q, DEBT_REMOVED) != 0,
			.due = (uint64_t)bw_sql_column_int(q, DEBT_DUE),
			.dead = (uint64_t)bw_sql_column_int(q, DEBT_DEAD),
			.due_since_ms = bw_sql_column_int(q, DEBT_DUE_SINCE),
			.dead_since_ms = bw_sql_column_int(q, DEBT_DEAD_SINCE),
			.error = bw_sql_column(q, DEBT_ERROR),
		};

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(&d, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_ailing(struct bw_store *s, int64_t now_ms, bw_ailing_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_AILING, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const struct bw_ailing a = {
			.registry = bw_sql_column(q, AILING_REGISTRY),
			.bases = (uint64_t)bw_sql_column_int(q, AILING_BASES),
			.since_ms = bw_sql_column_int(q, AILING_SINCE),
			.base = bw_sql_column(q, AILING_BASE),
			.message = bw_sql_column(q, AILING_MESSAGE),
		};

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(&a, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_folder_file(struct bw_store *s, bw_file_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_FOLDER_FILES, &q, err);

	if (rc < 0)
		return rc;
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *path = bw_sql_column(q, 0);

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(path, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}
