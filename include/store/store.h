/*
 * store.h - the SQLite database: the meeting place of all rooms, and the only room that knows SQL. Every command
 * works with or without a running daemon. Writers take the lock at once (BEGIN IMMEDIATE) and wait up to 5 s for it.
 *
 * Errors keep their class: BW_E_FOREIGN (not ours, or of a newer basewatch), BW_E_DENIED (cannot write there),
 * BW_E_FULL (disk full), BW_E_LOCKED (held by another process), BW_E_STORE (damaged, I/O error).
 *
 * Queries over builds work on the *chosen* builds of this handle: choose first (store/build.h), then ask.
 */
#ifndef BW_STORE_STORE_H
#define BW_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct bw_store;

/* Creates file (0600), schema and UUID when there is none, migrates an older schema. The folder must exist. */
int bw_store_open(const char *path, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;
void bw_store_close(struct bw_store *s); /* NULL is fine */

/* As bw_store_open(), but a database that does not exist is BW_E_GONE: for commands that only read. */
int bw_store_open_existing(const char *path, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;

/*
 * So long a lock of another process is waited for, instead of 5 s. For who must not be held up, and comes again: then it
 * is BW_E_LOCKED.
 */
void bw_store_set_busy_ms(struct bw_store *s, unsigned ms);

const char *bw_store_uuid(const struct bw_store *s);
const char *bw_store_path(const struct bw_store *s);
/* "SQLite 3.40.1", for --version. */
const char *bw_store_version(void);

#endif
