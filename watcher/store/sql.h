/*
 * sql.h - the handle of the database and its prepared statements; private to store/. Every SQL text is a constant in
 * statement.c, is prepared once per connection, and takes its values as bound parameters.
 *
 *     BW_AUTOSQL sqlite3_stmt *q = NULL;
 *     int rc = bw_sql_use(s, BW_SQL_BASE_FIND, &q, err);
 *
 * A statement in use is reset and unbound on every way out of the block, so nothing holds a lock or points to memory
 * that is gone. One statement is used once at a time: a callback never starts the iteration again that called it.
 */
#ifndef BW_STORE_SQL_H
#define BW_STORE_SQL_H

#include <sqlite3.h>

#include "store/statement.h"
#include "store/store.h"

#define BW_STORE_UUID_MAX 37 /* 36 characters and the NUL */

struct bw_store {
	sqlite3 *db;
	char *path;   /* as the caller named it, for messages */
	char *folder; /* that it lies in */
	char uuid[BW_STORE_UUID_MAX];
	unsigned busy_ms; /* how long a lock of another process is waited for */
	sqlite3_stmt *statements[BW_SQL_COUNT];
};

/*
 * The words of image/class.h in SQL: class_counts(word). A word that is none, and NULL, mean
 * `unclassified`.
 */
int bw_sql_add_functions(struct bw_store *s, struct bw_err *err) BW_NODISCARD;

/* A statement ready to bind and step; prepared at its first use. */
int bw_sql_use(struct bw_store *s, enum bw_sql which, sqlite3_stmt **ret, struct bw_err *err) BW_NODISCARD;
/* Resets and unbinds; the statement stays prepared. */
void bw_sql_done(sqlite3_stmt **q);
void bw_sql_finalize_all(struct bw_store *s);

#define BW_AUTOSQL BW_CLEANUP(bw_sql_done)

/* 1: a row; 0: there is none (any more). */
int bw_sql_step(struct bw_store *s, sqlite3_stmt *q, struct bw_err *err) BW_NODISCARD;
/* To the end, for statements whose rows nobody wants. 0. */
int bw_sql_run(struct bw_store *s, sqlite3_stmt *q, struct bw_err *err) BW_NODISCARD;
/* A statement without parameters, to the end. */
int bw_sql_exec(struct bw_store *s, enum bw_sql which, struct bw_err *err) BW_NODISCARD;
/* The same; `ret` receives the first column of its one row. */
int bw_sql_number(struct bw_store *s, enum bw_sql which, int64_t *ret, struct bw_err *err) BW_NODISCARD;

#define BW_SQL_FOR_EVER INT64_MAX /* behind every moment */

/* Parameters count from 1. Texts are not copied: they must live until the statement is done. */
void bw_sql_bind(sqlite3_stmt *q, int at, int64_t value);
void bw_sql_bind_text(sqlite3_stmt *q, int at, const char *text); /* NULL is NULL */
void bw_sql_bind_bytes(sqlite3_stmt *q, int at, const void *bytes, size_t len);

/* Columns count from 0. Texts are valid until the next step; NULL is NULL, and 0 for numbers. */
const char *bw_sql_column(sqlite3_stmt *q, int at);
/* Into an array of fixed size; "" for NULL, and for what does not fit. */
void bw_sql_column_copy(sqlite3_stmt *q, int at, char *to, size_t size);
const void *bw_sql_column_bytes(sqlite3_stmt *q, int at, size_t *ret_len);
int64_t bw_sql_column_int(sqlite3_stmt *q, int at);
uint32_t bw_sql_column_u32(sqlite3_stmt *q, int at); /* 0 for what no uint32_t holds */
/* A column that could not be handed out for lack of memory looks like NULL: ask after the last column of a row. */
int bw_sql_columns_ok(struct bw_store *s, struct bw_err *err) BW_NODISCARD;

typedef int (*bw_tx_fn)(struct bw_store *s, void *arg, struct bw_err *err);
/* Runs `fn` between BEGIN IMMEDIATE and COMMIT; after any error nothing of it has happened. */
int bw_sql_tx(struct bw_store *s, bw_tx_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;
/* The same without the write lock: one view of the database for several questions; may write temporary tables. */
int bw_sql_view(struct bw_store *s, bw_tx_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

#endif
