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

struct outcome {
	int64_t id;
	enum bw_delivery_state state;
	const char *error;
	int64_t at_ms; /* now, or of the next attempt */
	char *subject; /* of the delivery; NULL: it was not due any more */
	int64_t event, sink;
};

static int end_row(struct bw_store *s, struct outcome *o, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERY_END, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, o->id);
	bw_sql_bind_text(q, 2, bw_delivery_state_name(o->state));
	bw_sql_bind(q, 3, o->at_ms);
	bw_sql_bind_text(q, 4, o->error);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	o->subject = bw_strdup_null(bw_sql_column(q, 0));
	o->event = bw_sql_column_int(q, 1);
	o->sink = bw_sql_column_int(q, 2);
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : bw_sql_run(s, q, err);
}

static int confirm(struct bw_store *s, const struct outcome *o, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SINK_CONFIRMS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, o->sink);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0 || bw_sql_column_int(q, 0) == 0)
		return rc < 0 ? rc : 0;
	return bw_store_close_event(s, o->event, "delivered", o->at_ms, NULL, err);
}

static int end_delivery(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct outcome *o = arg;
	int rc = end_row(s, o, err);

	if (rc < 0 || !o->subject)
		return rc;
	rc = bw_store_line_up(s, o->subject, err);
	return rc == 0 && o->state == BW_DELIVERY_SENT ? confirm(s, o, err) : rc;
}

static int end(struct bw_store *s, struct outcome *o, struct bw_err *err)
{
	int rc = bw_sql_tx(s, end_delivery, o, err);

	free(o->subject);
	return rc;
}

int bw_store_delivery_sent(struct bw_store *s, int64_t id, int64_t now_ms, struct bw_err *err)
{
	struct outcome o = {.id = id, .state = BW_DELIVERY_SENT, .at_ms = now_ms};

	return end(s, &o, err);
}

int bw_store_delivery_dead(struct bw_store *s, int64_t id, const char *error, int64_t now_ms,
			   struct bw_err *err)
{
	struct outcome o = {.id = id, .state = BW_DELIVERY_DEAD, .error = error, .at_ms = now_ms};

	return end(s, &o, err);
}

static int wait_longer(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct outcome *o = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERY_RETRY, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, o->id);
	bw_sql_bind(q, 2, o->at_ms);
	bw_sql_bind_text(q, 3, o->error);
	return bw_sql_run(s, q, err);
}

int bw_store_delivery_retry(struct bw_store *s, int64_t id, int64_t next_ms, const char *error,
			    int64_t now_ms, struct bw_err *err)
{
	struct outcome o = {.id = id, .error = error, .at_ms = next_ms};

	(void)now_ms;
	return bw_sql_tx(s, wait_longer, &o, err);
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
