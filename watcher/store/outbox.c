/* outbox.c - what is owed to whom, for those who send; see store/outbox.h (event.c writes and lists events). */
#include "store/outbox.h"

#include "core/buf.h"
#include "core/mem.h"
#include "store/done.h"
#include "store/event.h"
#include "store/sql.h"

/* --- sinks ------------------------------------------------------------------------------------ */

struct sinks {
	const struct bw_sink_row *rows;
	size_t count;
	int64_t now_ms;
};

/* With a blank on either side of each, so that one is found in them whole. */
#define TYPES_MAX 4096

static int join_types(const struct bw_sink_row *x, struct bw_buf *to, struct bw_err *err)
{
	bool ok = bw_buf_addc(to, ' ');

	for (const char *const *type = x->types; ok && *type; type++)
		ok = bw_buf_addf(to, "%s ", *type);
	return ok ? 0 : bw_fail(err, BW_E_LIMIT, "sink %s: too many types of events", x->name);
}

static int put_sink(struct bw_store *s, const struct bw_sink_row *x, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOBUF struct bw_buf types;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SINK_PUT, &q, err);

	bw_buf_init(&types, TYPES_MAX);
	if (rc == 0 && x->types)
		rc = join_types(x, &types, err);
	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, x->name);
	bw_sql_bind_text(q, 2, x->types ? bw_buf_str(&types) : NULL);
	bw_sql_bind(q, 3, x->confirms);
	bw_sql_bind(q, 4, now_ms);
	bw_sql_bind(q, 5, x->expire_ms > 0 ? x->expire_ms : BW_DELIVERY_EXPIRY_MS);
	return bw_sql_run(s, q, err);
}

static int remove_sinks(struct bw_store *s, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SINKS_REMOVE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	return bw_sql_run(s, q, err);
}

/* All go, and those that are named stay. */
static int put_sinks(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct sinks *x = arg;
	int rc = remove_sinks(s, x->now_ms, err);

	for (size_t i = 0; rc == 0 && i < x->count; i++)
		rc = put_sink(s, &x->rows[i], x->now_ms, err);
	return rc;
}

int bw_store_put_sinks(struct bw_store *s, const struct bw_sink_row *sinks, size_t count, int64_t now_ms,
		       struct bw_err *err)
{
	struct sinks x = {.rows = sinks, .count = count, .now_ms = now_ms};

	return bw_sql_tx(s, put_sinks, &x, err);
}

/* --- what is due ------------------------------------------------------------------------------ */

int bw_store_each_due(struct bw_store *s, const char *sink, int64_t now_ms, size_t max, bw_delivery_fn fn,
		      void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_DUE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, sink);
	bw_sql_bind(q, 2, now_ms);
	bw_sql_bind(q, 3, max < INT32_MAX ? (int64_t)max : INT32_MAX);
	return bw_store_each_delivery(s, q, fn, arg, err);
}

int bw_store_next_due(struct bw_store *s, const char *sink, int64_t *ret_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_NEXT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, sink);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	*ret_ms = rc > 0 ? bw_sql_column_int(q, 0) : INT64_MAX;
	return 0;
}

struct hurry {
	const char *sink;
	int64_t now_ms;
};

static int hurry(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct hurry *x = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_HURRY, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, x->sink);
	bw_sql_bind(q, 2, x->now_ms);
	return bw_sql_run(s, q, err);
}

int bw_store_sink_due_now(struct bw_store *s, const char *sink, int64_t now_ms, struct bw_err *err)
{
	struct hurry x = {.sink = sink, .now_ms = now_ms};

	return bw_sql_tx(s, hurry, &x, err);
}

/* --- what came of it -------------------------------------------------------------------------- */

struct outcomes {
	const struct bw_delivery_outcome *items;
	size_t count;
	int64_t now_ms;
	int64_t any_confirms; /* of all sinks: mostly none does, and nobody has to ask for each delivery */
};

/* `ret`: it was due still. */
static int end_row(struct bw_store *s, const struct bw_delivery_outcome *o, int64_t now_ms, bool *ret,
		   struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERY_END, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, o->id);
	bw_sql_bind_text(q, 2, bw_delivery_state_name(o->state));
	bw_sql_bind(q, 3, now_ms);
	bw_sql_bind_text(q, 4, o->error);
	rc = bw_sql_run(s, q, err);
	*ret = rc == 0 && sqlite3_changes(s->db) > 0;
	return rc;
}

/* Who stood behind it in its queue is the first now. */
static int move_up(struct bw_store *s, int64_t id, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERY_NEXT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, id);
	return bw_sql_run(s, q, err);
}

static int confirm(struct bw_store *s, int64_t id, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERY_CONFIRMED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, id);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	return bw_store_close_event(s, bw_sql_column_int(q, 0), "delivered", now_ms, NULL, err);
}

static int end_delivery(struct bw_store *s, const struct bw_delivery_outcome *o, const struct outcomes *x,
			struct bw_err *err)
{
	bool was_due = false;
	int rc = end_row(s, o, x->now_ms, &was_due, err);

	if (rc < 0 || !was_due)
		return rc;
	rc = move_up(s, o->id, err);
	if (rc == 0 && x->any_confirms && o->state == BW_DELIVERY_SENT)
		rc = confirm(s, o->id, x->now_ms, err);
	return rc;
}

static int put_off(struct bw_store *s, const struct bw_delivery_outcome *o, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERY_RETRY, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, o->id);
	bw_sql_bind(q, 2, o->next_ms);
	bw_sql_bind_text(q, 3, o->error);
	return bw_sql_run(s, q, err);
}

static int record_all(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct outcomes *x = arg;
	int rc = bw_sql_number(s, BW_SQL_SINKS_CONFIRM, &x->any_confirms, err);

	for (size_t i = 0; rc == 0 && i < x->count; i++) {
		const struct bw_delivery_outcome *o = &x->items[i];

		rc = o->state == BW_DELIVERY_DUE ? put_off(s, o, err) : end_delivery(s, o, x, err);
	}
	return rc;
}

int bw_store_record_deliveries(struct bw_store *s, const struct bw_delivery_outcome *outcomes, size_t count,
			       int64_t now_ms, struct bw_err *err)
{
	struct outcomes x = {.items = outcomes, .count = count, .now_ms = now_ms};

	return bw_sql_tx(s, record_all, &x, err);
}

/* --- expiry ----------------------------------------------------------------------------------- */

static int have_expired(struct bw_store *s, int64_t now_ms, bool *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_HAVE_EXPIRED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	rc = bw_sql_step(s, q, err);
	*ret = rc > 0 && bw_sql_column_int(q, 0) != 0;
	return rc < 0 ? rc : 0;
}

struct expiry {
	int64_t now_ms;
	size_t count;
};

static int expire(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct expiry *x = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_EXPIRE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->now_ms);
	rc = bw_sql_run(s, q, err);
	if (rc < 0)
		return rc;
	x->count = (size_t)sqlite3_changes(s->db);
	return bw_sql_exec(s, BW_SQL_DELIVERIES_FIRST_ALL, err);
}

/* Asked for again and again, it mostly finds nothing: then no lock is taken. */
int bw_store_expire_deliveries(struct bw_store *s, int64_t now_ms, size_t *ret, struct bw_err *err)
{
	struct expiry x = {.now_ms = now_ms};
	bool any = false;
	int rc = have_expired(s, now_ms, &any, err);

	if (rc == 0 && any)
		rc = bw_sql_tx(s, expire, &x, err);
	if (rc == 0 && ret)
		*ret = x.count;
	return rc;
}
