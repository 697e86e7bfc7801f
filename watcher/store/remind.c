/* remind.c - see store/remind.h. */
#include "store/remind.h"

#include "core/mem.h"
#include "store/request.h"
#include "store/sql.h"
#include "store/tell.h"

bool bw_remind_is_due(int64_t last_ms, int64_t now_ms, int64_t every_ms)
{
	return every_ms > 0 && (now_ms - last_ms >= every_ms || last_ms - now_ms > every_ms);
}

/* A build that is due. */
struct due {
	int64_t build_id;
	uint32_t reminders; /* that there were */
};

struct reminding {
	int64_t now_ms, every_ms;
	const struct bw_teller *teller;
	struct due *items;
	size_t count, capacity;
	size_t max, told;
	bool more;
};

/* Those that are due, at most `max`. */
static int list(struct bw_store *s, struct reminding *r, size_t max, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILDS_REQUESTED, &q, err);

	r->count = 0;
	r->more = false;
	while (rc >= 0 && !r->more && (rc = bw_sql_step(s, q, err)) > 0) {
		const struct due x = {bw_sql_column_int(q, 0), bw_sql_column_u32(q, 1)};

		if (!bw_remind_is_due(bw_sql_column_int(q, 2), r->now_ms, r->every_ms))
			continue;
		r->more = r->count == max;
		if (!r->more)
			BW_PUSH(r->items, r->count, r->capacity) = x;
	}
	return rc < 0 ? rc : 0;
}

/* Told or not: it is looked at again when the next one is due. */
static int mark(struct bw_store *s, int64_t build_id, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_PAIRS_REMINDED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, build_id);
	bw_sql_bind(q, 2, now_ms);
	return bw_sql_run(s, q, err);
}

static int remind(struct bw_store *s, struct reminding *r, const struct due *x, struct bw_err *err)
{
	const struct bw_request_question w = {
		.build_id = x->build_id, .now_ms = r->now_ms, .teller = r->teller};
	struct bw_fact_request q = {0};
	bool is_asked = false;
	int rc = bw_store_load_request(s, &w, &q, err);

	q.reminder = x->reminders + 1;
	if (rc == 0)
		rc = bw_store_tell_request(s, r->teller, &q, r->now_ms, &is_asked, err);
	if (rc == 0)
		rc = mark(s, x->build_id, r->now_ms, err);
	r->told += rc == 0 && is_asked;
	bw_request_done(&q);
	return rc;
}

static int remind_all(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct reminding *r = arg;
	int rc = list(s, r, r->max, err);

	for (size_t i = 0; rc == 0 && i < r->count; i++)
		rc = remind(s, r, &r->items[i], err);
	return rc;
}

/* Mostly there is none: then no lock is taken. */
int bw_store_remind(struct bw_store *s, int64_t now_ms, int64_t every_ms, const struct bw_teller *t,
		    size_t max, size_t *ret, bool *ret_more, struct bw_err *err)
{
	struct reminding r = {.now_ms = now_ms, .every_ms = every_ms, .teller = t, .max = max};
	int rc = every_ms > 0 ? list(s, &r, 0, err) : 0;

	if (rc == 0 && r.more)
		rc = bw_sql_tx(s, remind_all, &r, err);
	free(r.items);
	if (rc < 0)
		return rc;
	if (ret)
		*ret = r.told;
	*ret_more = r.more;
	return 0;
}
