/* event.c - events: written once, listed for people, and sent again when they say so; see event.h, store/outbox.h. */
#include "store/event.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* --- writing ---------------------------------------------------------------------------------- */

/* `ret`: its number; 0: this id is there already. */
static int add_event(struct bw_store *s, const struct bw_new_event *e, int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_EVENT_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, e->id);
	bw_sql_bind_text(q, 2, e->type);
	bw_sql_bind_text(q, 3, e->subject);
	bw_sql_bind(q, 4, e->at_ms);
	bw_sql_bind_text(q, 5, e->json);
	if (e->base_id != 0) {
		bw_sql_bind(q, 6, e->base_id);
		bw_sql_bind(q, 7, e->sighting);
	}
	if (e->build_id != 0)
		bw_sql_bind(q, 8, e->build_id);
	bw_sql_bind_text(q, 9, e->suppressed);
	rc = bw_sql_run(s, q, err);
	if (rc == 0)
		*ret = sqlite3_changes(s->db) > 0 ? sqlite3_last_insert_rowid(s->db) : 0;
	return rc;
}

struct adding {
	int64_t number;
	const char *sinks; /* one, or several, each with a line break on either side; NULL: all */
	int64_t now_ms;
	size_t count;
};

enum { OWED_SINK, OWED_EXPIRE, OWED_SUBJECT };

/* To the sink of this row. */
static int add_delivery(struct bw_store *s, sqlite3_stmt *owed, struct adding *a, struct bw_err *err)
{
	const char *subject = bw_sql_column(owed, OWED_SUBJECT);
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_columns_ok(s, err);

	if (rc == 0)
		rc = bw_sql_use(s, BW_SQL_DELIVERY_ADD, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, bw_sql_column_int(owed, OWED_SINK));
	bw_sql_bind(q, 2, a->number);
	bw_sql_bind_text(q, 3, subject);
	bw_sql_bind(q, 4, a->now_ms);
	bw_sql_bind(q, 5, a->now_ms + bw_sql_column_int(owed, OWED_EXPIRE));
	a->count++;
	return bw_sql_run(s, q, err);
}

/* `which`: SINKS_OWED, or SINKS_REPEAT, which means one sink or all. */
static int add_deliveries(struct bw_store *s, enum bw_sql which, struct adding *a, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, a->number);
	bw_sql_bind_text(q, 2, a->sinks);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		rc = add_delivery(s, q, a, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* Only then the new one is not the first of its queue already. */
static int supersede(struct bw_store *s, int64_t number, const struct bw_new_event *e, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_SUPERSEDE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, number);
	bw_sql_bind_text(q, 2, e->subject);
	bw_sql_bind(q, 3, e->at_ms);
	rc = bw_sql_run(s, q, err);
	return rc < 0 || sqlite3_changes(s->db) == 0 ? rc : bw_store_line_up(s, e->subject, err);
}

static int run_for_subject(struct bw_store *s, enum bw_sql which, const char *subject, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, subject);
	return bw_sql_run(s, q, err);
}

int bw_store_line_up(struct bw_store *s, const char *subject, struct bw_err *err)
{
	return run_for_subject(s, BW_SQL_DELIVERIES_FIRST, subject, err);
}

#define SINKS_MAX (1U << 20)

static int join_sinks(const struct bw_new_event *e, struct bw_buf *to, struct bw_err *err)
{
	bool ok = bw_buf_addc(to, '\n');

	for (const char *const *sink = e->sinks; ok && *sink; sink++)
		ok = bw_buf_addf(to, "%s\n", *sink);
	return ok ? 0 : bw_fail(err, BW_E_LIMIT, "the event of %s: too many sinks", e->subject);
}

static int owe(struct bw_store *s, const struct bw_new_event *e, int64_t number, struct bw_err *err)
{
	struct adding a = {.number = number, .now_ms = e->at_ms};
	BW_AUTOBUF struct bw_buf sinks;
	int rc;

	bw_buf_init(&sinks, SINKS_MAX);
	rc = e->sinks ? join_sinks(e, &sinks, err) : 0;
	a.sinks = e->sinks ? bw_buf_str(&sinks) : NULL;
	if (rc == 0)
		rc = add_deliveries(s, BW_SQL_SINKS_OWED, &a, err);
	if (rc == 0 && a.count > 0 && strcmp(e->type, BW_TYPE_REBUILD_REQUESTED) == 0)
		rc = supersede(s, number, e, err);
	return rc;
}

int bw_store_put_event(struct bw_store *s, const struct bw_new_event *e, int64_t *ret, struct bw_err *err)
{
	int64_t number = 0;
	int rc = add_event(s, e, &number, err);

	if (rc == 0 && ret)
		*ret = number;
	return rc < 0 || number == 0 || e->suppressed ? rc : owe(s, e, number, err);
}

/* --- reading ---------------------------------------------------------------------------------- */

enum {
	ROW_ID,
	ROW_SINK,
	ROW_EVENT,
	ROW_TYPE,
	ROW_SUBJECT,
	ROW_JSON,
	ROW_ATTEMPTS,
	ROW_CREATED,
	ROW_EXPIRES,
	ROW_NEXT,
	ROW_STATE,
	ROW_ERROR,
	ROW_ENDED,
	ROW_AT,
	ROW_SUPPRESSED,
};

static const char *const states[] = {
	[BW_DELIVERY_DUE] = "due",
	[BW_DELIVERY_SENT] = "sent",
	[BW_DELIVERY_DEAD] = "dead",
	[BW_DELIVERY_SUPERSEDED] = "superseded",
};

const char *bw_delivery_state_name(enum bw_delivery_state state)
{
	return (size_t)state < BW_COUNT(states) ? states[state] : "";
}

static enum bw_delivery_state state_of(const char *name)
{
	for (size_t i = 0; i < BW_COUNT(states); i++)
		if (bw_text_is(name, states[i]))
			return (enum bw_delivery_state)i;
	return BW_DELIVERY_DUE;
}

static int read_delivery(struct bw_store *s, sqlite3_stmt *q, struct bw_delivery *ret, struct bw_err *err)
{
	const char *json = bw_sql_column(q, ROW_JSON);

	*ret = (struct bw_delivery){
		.id = bw_sql_column_int(q, ROW_ID),
		.sink = bw_sql_column(q, ROW_SINK),
		.event_id = bw_sql_column(q, ROW_EVENT),
		.type = bw_sql_column(q, ROW_TYPE),
		.subject = bw_sql_column(q, ROW_SUBJECT),
		.json = json,
		.len = json ? strlen(json) : 0,
		.attempts = bw_sql_column_u32(q, ROW_ATTEMPTS),
		.created_ms = bw_sql_column_int(q, ROW_CREATED),
		.expires_ms = bw_sql_column_int(q, ROW_EXPIRES),
		.next_ms = bw_sql_column_int(q, ROW_NEXT),
		.state = state_of(bw_sql_column(q, ROW_STATE)),
		.error = bw_sql_column(q, ROW_ERROR),
		.ended_ms = bw_sql_column_int(q, ROW_ENDED),
		.at_ms = bw_sql_column_int(q, ROW_AT),
		.suppressed = bw_sql_column(q, ROW_SUPPRESSED),
	};
	return bw_sql_columns_ok(s, err);
}

int bw_store_each_delivery(struct bw_store *s, sqlite3_stmt *q, bw_delivery_fn fn, void *arg,
			   struct bw_err *err)
{
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_delivery d;

		rc = read_delivery(s, q, &d, err);
		if (rc == 0)
			rc = fn(&d, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_event(struct bw_store *s, const struct bw_event_filter *filter, bw_delivery_fn fn,
			void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, filter->dead ? BW_SQL_EVENTS_DEAD : BW_SQL_EVENTS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, filter->since_ms);
	bw_sql_bind_text(q, 2, filter->sink);
	bw_sql_bind(q, 3, filter->suppressed);
	return bw_store_each_delivery(s, q, fn, arg, err);
}

/* --- one of them ------------------------------------------------------------------------------ */

enum { FOUND_NUMBER, FOUND_ID, FOUND_TYPE, FOUND_SUBJECT, FOUND_AT, FOUND_JSON, FOUND_BUILD };

#define ID_MIN 6 /* digits that are enough to name an event */

static bool is_id(const char *id)
{
	size_t len = strspn(id, "0123456789abcdef");

	return id[len] == '\0' && len >= ID_MIN && len < BW_EVENT_ID_MAX;
}

void bw_event_found_done(struct bw_event_found *e)
{
	free(e->json);
	*e = (struct bw_event_found){0};
}

static int take_found(struct bw_store *s, sqlite3_stmt *q, struct bw_event_found *ret, struct bw_err *err)
{
	struct bw_event_found e = {
		.number = bw_sql_column_int(q, FOUND_NUMBER),
		.build_id = bw_sql_column_int(q, FOUND_BUILD),
	};
	const char *json = bw_sql_column(q, FOUND_JSON);
	int rc;

	bw_sql_column_copy(q, FOUND_ID, e.id, sizeof(e.id));
	rc = bw_sql_columns_ok(s, err);
	if (rc < 0)
		return rc;
	e.json = bw_strdup(json ? json : "");
	*ret = e;
	return 0;
}

int bw_store_find_event(struct bw_store *s, const char *id, struct bw_event_found *ret, struct bw_err *err)
{
	struct bw_event_found e = {0};
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc;

	if (!is_id(id))
		return bw_fail(err, BW_E_INPUT,
			       "expected the id of an event, or its first %d or more digits, got '%s'",
			       ID_MIN, id);
	rc = bw_sql_use(s, BW_SQL_EVENT_FIND, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, id);
	rc = bw_sql_step(s, q, err);
	if (rc == 0)
		return bw_fail(err, BW_E_GONE, "there is no event '%s': `basewatch events` lists them", id);
	if (rc > 0)
		rc = take_found(s, q, &e, err);
	if (rc == 0)
		rc = bw_sql_step(s, q, err);
	if (rc > 0)
		rc = bw_fail(err, BW_E_INPUT, "more than one event begins with '%s': give more digits", id);
	if (rc < 0)
		bw_event_found_done(&e);
	else
		*ret = e;
	return rc;
}

/* --- sent again ------------------------------------------------------------------------------- */

/* Those that come back may stand before the first: the queue is lined up anew. */
static int line_up_anew(struct bw_store *s, int64_t number, struct bw_err *err)
{
	BW_AUTOFREE char *subject = NULL;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_EVENT_SUBJECT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, number);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	subject = bw_strdup_null(bw_sql_column(q, 0));
	rc = bw_sql_columns_ok(s, err);
	if (rc < 0 || !subject)
		return rc;
	rc = run_for_subject(s, BW_SQL_DELIVERIES_LAST, subject, err);
	return rc < 0 ? rc : bw_store_line_up(s, subject, err);
}

static int revive(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct adding *a = arg;
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_REVIVE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, a->number);
	bw_sql_bind_text(q, 2, a->sinks);
	bw_sql_bind(q, 3, a->now_ms);
	rc = bw_sql_run(s, q, err);
	if (rc < 0)
		return rc;
	a->count = (size_t)sqlite3_changes(s->db);
	return line_up_anew(s, a->number, err);
}

static int repeat(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct adding *a = arg;
	int rc = add_deliveries(s, BW_SQL_SINKS_REPEAT, a, err);

	return rc < 0 ? rc : line_up_anew(s, a->number, err);
}

static int again(struct bw_store *s, bw_tx_fn fn, struct adding *a, size_t *ret, struct bw_err *err)
{
	int rc = bw_sql_tx(s, fn, a, err);

	if (rc == 0)
		*ret = a->count;
	return rc;
}

int bw_store_retry_event(struct bw_store *s, int64_t number, const char *sink, int64_t now_ms, size_t *ret,
			 struct bw_err *err)
{
	struct adding a = {.number = number, .sinks = sink, .now_ms = now_ms};

	return again(s, revive, &a, ret, err);
}

int bw_store_replay_event(struct bw_store *s, int64_t number, const char *sink, int64_t now_ms, size_t *ret,
			  struct bw_err *err)
{
	struct adding a = {.number = number, .sinks = sink, .now_ms = now_ms};

	return again(s, repeat, &a, ret, err);
}
