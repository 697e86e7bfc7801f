/* schema.h - what the database looks like, and how older ones become so; private to store/. */
#ifndef BW_STORE_SCHEMA_H
#define BW_STORE_SCHEMA_H

#include "store/sql.h"

#define BW_SCHEMA_APPLICATION 1651991650 /* "bwdb"; `file` and SQLite's own tools show it */

/* BW_E_FOREIGN when this is another program's database or a newer basewatch's. Only reads. */
int bw_schema_check(struct bw_store *s, struct bw_err *err) BW_NODISCARD;
/* Takes the steps that are missing, each in a transaction of its own; reads the UUID. Checked before. */
int bw_schema_migrate(struct bw_store *s, struct bw_err *err) BW_NODISCARD;
/* Takes it as it is, and writes nothing: an older schema, or none, is BW_E_FOREIGN. Checked before. */
int bw_schema_accept(struct bw_store *s, struct bw_err *err) BW_NODISCARD;

#endif
