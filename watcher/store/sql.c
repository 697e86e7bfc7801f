/* sql.c - see sql.h. */
#include "store/sql.h"

#include <assert.h>
#include <string.h>

#include "image/class.h"
#include "store/fault.h"

/* --- functions -------------------------------------------------------------------------------- */

static enum bw_class class_of(sqlite3_value *word)
{
	enum bw_class class = BW_CLASS_UNCLASSIFIED;
	const char *text = (const char *)sqlite3_value_text(word);

	if (text)
		(void)bw_class_parse(text, &class);
	return class;
}

static void class_counts(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int(ctx, bw_class_counts(class_of(values[0])));
}

static int add_function(struct bw_store *s, const char *name,
			void (*fn)(sqlite3_context *, int, sqlite3_value **))
{
	return sqlite3_create_function_v2(s->db, name, 1,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, fn,
					  NULL, NULL, NULL);
}

int bw_sql_add_functions(struct bw_store *s, struct bw_err *err)
{
	int rc = add_function(s, "class_counts", class_counts);

	return rc == SQLITE_OK ? 0 : bw_store_fault(s, rc, err);
}

/* --- statements ------------------------------------------------------------------------------- */

int bw_sql_use(struct bw_store *s, enum bw_sql which, sqlite3_stmt **ret, struct bw_err *err)
{
	sqlite3_stmt **cached = &s->statements[which];

	if (!*cached) {
		int rc = sqlite3_prepare_v3(s->db, bw_sql_text(which), -1, SQLITE_PREPARE_PERSISTENT, cached,
					    NULL);

		if (rc != SQLITE_OK)
			return bw_store_fault(s, rc, err);
	}
	assert(!sqlite3_stmt_busy(*cached));
	*ret = *cached;
	return 0;
}

/* What the last step said is known by then: sqlite3_reset() only repeats it. */
void bw_sql_done(sqlite3_stmt **q)
{
	if (!*q)
		return;
	(void)sqlite3_reset(*q);
	(void)sqlite3_clear_bindings(*q);
}

void bw_sql_finalize_all(struct bw_store *s)
{
	for (size_t i = 0; i < BW_SQL_COUNT; i++) {
		(void)sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
}

int bw_sql_step(struct bw_store *s, sqlite3_stmt *q, struct bw_err *err)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : bw_store_fault(s, rc, err);
}

int bw_sql_run(struct bw_store *s, sqlite3_stmt *q, struct bw_err *err)
{
	int rc;

	do
		rc = bw_sql_step(s, q, err);
	while (rc > 0);
	return rc;
}

int bw_sql_exec(struct bw_store *s, enum bw_sql which, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	return rc < 0 ? rc : bw_sql_run(s, q, err);
}

int bw_sql_number(struct bw_store *s, enum bw_sql which, int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc == 0)
		rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	*ret = rc > 0 ? bw_sql_column_int(q, 0) : 0;
	return 0;
}

/* Binding can only fail for a wrong index or a running statement, which are mistakes of ours: nothing is copied. */
void bw_sql_bind(sqlite3_stmt *q, int at, int64_t value)
{
	int rc = sqlite3_bind_int64(q, at, value);

	assert(rc == SQLITE_OK);
	(void)rc;
}

void bw_sql_bind_text(sqlite3_stmt *q, int at, const char *text)
{
	int rc = sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);

	assert(rc == SQLITE_OK);
	(void)rc;
}

void bw_sql_bind_bytes(sqlite3_stmt *q, int at, const void *bytes, size_t len)
{
	int rc = len > 0 ? sqlite3_bind_blob64(q, at, bytes, len, SQLITE_STATIC)
			 : sqlite3_bind_zeroblob(q, at, 0); /* no bytes are not NULL */

	assert(rc == SQLITE_OK);
	(void)rc;
}

const char *bw_sql_column(sqlite3_stmt *q, int at)
{
	return (const char *)sqlite3_column_text(q, at);
}

void bw_sql_column_copy(sqlite3_stmt *q, int at, char *to, size_t size)
{
	const char *text = bw_sql_column(q, at);

	to[0] = '\0';
	if (text && strlen(text) < size)
		memcpy(to, text, strlen(text) + 1);
}

const void *bw_sql_column_bytes(sqlite3_stmt *q, int at, size_t *ret_len)
{
	const void *bytes = sqlite3_column_blob(q, at);
	int len = sqlite3_column_bytes(q, at);

	*ret_len = bytes && len > 0 ? (size_t)len : 0;
	return bytes;
}

int64_t bw_sql_column_int(sqlite3_stmt *q, int at)
{
	return sqlite3_column_int64(q, at);
}

uint32_t bw_sql_column_u32(sqlite3_stmt *q, int at)
{
	int64_t value = sqlite3_column_int64(q, at);

	return value < 0 || value > UINT32_MAX ? 0 : (uint32_t)value;
}

int bw_sql_columns_ok(struct bw_store *s, struct bw_err *err)
{
	int rc = sqlite3_errcode(s->db);

	return (rc & 0xff) == SQLITE_NOMEM ? bw_store_fault(s, rc, err) : 0;
}

/* --- transactions ----------------------------------------------------------------------------- */

/* Some errors (full disk, I/O, no memory) have rolled back already; a second try would be an error of its own. */
static void roll_back(struct bw_store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static int between(struct bw_store *s, enum bw_sql begin, bw_tx_fn fn, void *arg, struct bw_err *err)
{
	int rc = bw_sql_exec(s, begin, err);

	if (rc < 0)
		return rc;
	rc = fn(s, arg, err);
	if (rc >= 0)
		rc = bw_sql_exec(s, BW_SQL_COMMIT, err);
	if (rc < 0)
		roll_back(s);
	return rc;
}

int bw_sql_tx(struct bw_store *s, bw_tx_fn fn, void *arg, struct bw_err *err)
{
	return between(s, BW_SQL_BEGIN, fn, arg, err);
}

int bw_sql_view(struct bw_store *s, bw_tx_fn fn, void *arg, struct bw_err *err)
{
	return between(s, BW_SQL_BEGIN_READ, fn, arg, err);
}
