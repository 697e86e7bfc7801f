/* tell.c - see tell.h. */
#include "store/tell.h"

#include <string.h>

#include "core/mem.h"
#include "store/event.h"
#include "store/fault.h"
#include "store/request.h"
#include "store/sift.h"

/* --- an event --------------------------------------------------------------------------------- */

static int put_told(struct bw_store *s, const struct bw_fact *f, const struct bw_told *told, int64_t *ret,
		    struct bw_err *err)
{
	const struct bw_new_event e = {
		.id = told->id,
		.type = told->type,
		.subject = told->subject,
		.json = told->json,
		.at_ms = f->at_ms,
		.base_id = f->base ? f->base->id : 0,
		.sighting = f->base ? f->base->number : 0,
		.build_id = f->request ? f->request->build_id : 0,
		.sinks = told->sinks,
		.suppressed = told->suppressed,
	};

	return bw_store_put_event(s, &e, ret, err);
}

int bw_store_tell(struct bw_store *s, const struct bw_teller *t, const struct bw_fact *f, int64_t *ret,
		  struct bw_err *err)
{
	struct bw_told told = {0};
	int64_t number = 0;
	int rc = t->fn(f, t->arg, &told, err);

	if (rc == 0 && told.json)
		rc = put_told(s, f, &told, &number, err);
	free(told.subject);
	free(told.json);
	free(told.sinks);
	free(told.suppressed);
	if (rc == 0 && ret)
		*ret = number;
	return rc;
}

/* --- bases ------------------------------------------------------------------------------------ */

struct base_state {
	struct bw_fact_base base;
	struct bw_fact_trouble trouble;
	char *message; /* of the trouble */
	int64_t reach;
};

static void free_state(struct base_state *x)
{
	bw_fact_base_done(&x->base);
	free(x->message);
}

static int load_base(struct bw_store *s, int64_t base_id, struct base_state *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_FACT_BASE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	rc = bw_sql_step(s, q, err);
	if (rc == 0)
		return bw_store_no_base(s, base_id, err);
	if (rc < 0)
		return rc;
	ret->base.id = base_id;
	ret->base.registry = bw_strdup_null(bw_sql_column(q, 0));
	ret->base.repository = bw_strdup_null(bw_sql_column(q, 1));
	ret->base.tag = bw_strdup_null(bw_sql_column(q, 2));
	ret->base.number = bw_sql_column_u32(q, 3);
	ret->base.digest = bw_strdup_null(bw_sql_column(q, 4));
	ret->message = bw_strdup_null(bw_sql_column(q, 6));
	ret->trouble.trouble = bw_trouble_from_name(bw_sql_column(q, 5));
	ret->trouble.message = ret->message;
	ret->trouble.since_ms = bw_sql_column_int(q, 7);
	ret->trouble.failures = bw_sql_column_u32(q, 8);
	ret->reach = bw_sql_column_int(q, 9);
	return bw_sql_columns_ok(s, err);
}

int bw_store_tell_change(struct bw_store *s, const struct bw_teller *t, const struct bw_move *m,
			 struct bw_err *err)
{
	struct base_state x = {0};
	struct bw_fact f = {.kind = BW_FACT_CHANGED, .uuid = s->uuid, .at_ms = m->at_ms, .base = &x.base};
	struct bw_digest from = {0};
	int rc = bw_digest_parse(m->from, strlen(m->from), &from, err);

	f.from = &from;
	f.change = m->change;
	if (rc == 0)
		rc = load_base(s, m->base_id, &x, err);
	if (rc == 0)
		rc = bw_store_tell(s, t, &f, NULL, err);
	free_state(&x);
	return rc;
}

enum { REACH_FINE, REACH_TOLD };

static int set_reach(struct bw_store *s, int64_t base_id, int reach, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_REACH, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind(q, 2, reach);
	return bw_sql_run(s, q, err);
}

int bw_store_tell_trouble(struct bw_store *s, const struct bw_teller *t, const struct bw_seen *x,
			  struct bw_err *err)
{
	uint32_t after = t->unreachable_after ? t->unreachable_after : BW_UNREACHABLE_AFTER;
	struct base_state b = {0};
	struct bw_fact f = {.kind = BW_FACT_UNREACHABLE, .uuid = s->uuid, .at_ms = x->at_ms, .base = &b.base};
	int rc = load_base(s, x->base_id, &b, err);

	f.trouble = &b.trouble;
	if (rc == 0 && b.reach != REACH_TOLD && b.trouble.failures >= after) {
		rc = set_reach(s, x->base_id, REACH_TOLD, err);
		if (rc == 0)
			rc = bw_store_tell(s, t, &f, NULL, err);
	}
	free_state(&b);
	return rc;
}

static int tell_recovered(struct bw_store *s, const struct bw_teller *t, int64_t base_id, int64_t now_ms,
			  struct bw_err *err)
{
	struct base_state b = {0};
	struct bw_fact f = {.kind = BW_FACT_RECOVERED, .uuid = s->uuid, .at_ms = now_ms, .base = &b.base};
	int rc = load_base(s, base_id, &b, err);

	if (rc == 0)
		rc = set_reach(s, base_id, REACH_FINE, err);
	if (rc == 0)
		rc = bw_store_tell(s, t, &f, NULL, err);
	free_state(&b);
	return rc;
}

/* --- builds ----------------------------------------------------------------------------------- */

/* What the event asks for, so that it can be acknowledged. */
static int add_to_request(struct bw_store *s, int64_t number, const struct bw_fact_base *b,
			  struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_REQUEST_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, b->id);
	bw_sql_bind_text(q, 2, b->digest);
	bw_sql_bind(q, 3, number);
	return bw_sql_run(s, q, err);
}

/* That it was asked for. */
static int mark_requested(struct bw_store *s, const struct bw_fact_request *r, const struct bw_fact_base *b,
			  int64_t now_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, r->reminder ? BW_SQL_PAIR_REMINDED : BW_SQL_PAIR_REQUESTED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, b->id);
	bw_sql_bind_text(q, 2, b->digest);
	bw_sql_bind(q, 3, r->build_id);
	bw_sql_bind(q, 4, now_ms);
	if (r->reminder)
		bw_sql_bind(q, 5, r->reminder);
	return bw_sql_run(s, q, err);
}

/* What is suppressed was not asked for. */
static int tell_view(struct bw_store *s, const struct bw_teller *t, const struct bw_fact_request *r,
		     bool is_asked, int64_t now_ms, struct bw_err *err)
{
	struct bw_fact f = {.kind = BW_FACT_REQUESTED, .uuid = s->uuid, .at_ms = now_ms, .request = r};
	int64_t number = 0;
	int rc = r->base_count > 0 ? bw_store_tell(s, t, &f, &number, err) : 0;

	for (size_t i = 0; rc == 0 && i < r->base_count; i++) {
		if (number != 0)
			rc = add_to_request(s, number, &r->bases[i].base, err);
		if (rc == 0 && is_asked)
			rc = mark_requested(s, r, &r->bases[i].base, now_ms, err);
	}
	return rc;
}

int bw_store_tell_request(struct bw_store *s, const struct bw_teller *t, const struct bw_fact_request *r,
			  int64_t now_ms, bool *ret_asked, struct bw_err *err)
{
	struct bw_sifted x;
	int rc;

	bw_store_sift(r, t, &x);
	rc = tell_view(s, t, &x.asked, true, now_ms, err);
	if (rc == 0 && r->reminder == 0) /* nobody is reminded of what nobody was told */
		rc = tell_view(s, t, &x.suppressed, false, now_ms, err);
	if (ret_asked)
		*ret_asked = x.asked.base_count > 0;
	bw_sifted_done(&x);
	return rc;
}

static int settle_pending(struct bw_store *s, int64_t build_id, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_PAIRS_SETTLED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, build_id);
	bw_sql_bind(q, 2, now_ms);
	bw_sql_bind(q, 3, BW_SQL_FOR_EVER);
	return bw_sql_run(s, q, err);
}

/* Uses that are ignored for a while are asked for when that is over. */
static int tell_request(struct bw_store *s, const struct bw_teller *t, int64_t build_id, int64_t now_ms,
			struct bw_err *err)
{
	const struct bw_request_question w = {.build_id = build_id, .now_ms = now_ms, .teller = t};
	struct bw_fact_request r = {0};
	int rc = bw_store_load_request(s, &w, &r, err);

	if (rc == 0)
		rc = bw_store_tell_request(s, t, &r, now_ms, NULL, err);
	if (rc == 0)
		rc = settle_pending(s, build_id, now_ms, err);
	bw_request_done(&r);
	return rc;
}

/* --- at the end of a record, and later -------------------------------------------------------- */

struct ids {
	int64_t *items;
	size_t count, capacity;
};

static int list_ids(struct bw_store *s, sqlite3_stmt *q, struct ids *ret, struct bw_err *err)
{
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0)
		BW_PUSH(ret->items, ret->count, ret->capacity) = bw_sql_column_int(q, 0);
	return rc;
}

static int list_recovered(struct bw_store *s, struct ids *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASES_RECOVERED, &q, err);

	return rc < 0 ? rc : list_ids(s, q, ret, err);
}

/* At most `max`. */
static int list_pending(struct bw_store *s, int64_t now_ms, size_t max, struct ids *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILDS_PENDING, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, now_ms);
	bw_sql_bind(q, 2, max < INT32_MAX ? (int64_t)max : INT32_MAX);
	return list_ids(s, q, ret, err);
}

static int tell_recovered_bases(struct bw_store *s, const struct bw_teller *t, int64_t now_ms,
				struct bw_err *err)
{
	struct ids ids = {0};
	int rc = list_recovered(s, &ids, err);

	for (size_t i = 0; rc == 0 && i < ids.count; i++)
		rc = tell_recovered(s, t, ids.items[i], now_ms, err);
	free(ids.items);
	return rc;
}

int bw_store_tell_rest(struct bw_store *s, const struct bw_teller *t, int64_t now_ms, struct bw_err *err)
{
	struct ids ids = {0};
	int rc = tell_recovered_bases(s, t, now_ms, err);

	if (rc == 0)
		rc = list_pending(s, now_ms, SIZE_MAX, &ids, err);
	for (size_t i = 0; rc == 0 && i < ids.count; i++)
		rc = tell_request(s, t, ids.items[i], now_ms, err);
	free(ids.items);
	return rc;
}

struct late {
	const struct bw_teller *teller;
	int64_t now_ms;
	size_t max, told;
	bool more;
};

static int tell_late(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct late *x = arg;
	struct ids ids = {0};
	int rc = list_pending(s, x->now_ms, x->max + 1, &ids, err);

	x->told = ids.count < x->max ? ids.count : x->max;
	x->more = ids.count > x->max;
	for (size_t i = 0; rc == 0 && i < x->told; i++)
		rc = tell_request(s, x->teller, ids.items[i], x->now_ms, err);
	free(ids.items);
	return rc;
}

/* Mostly there is nothing: then no lock is taken. */
int bw_store_tell_pending(struct bw_store *s, int64_t now_ms, const struct bw_teller *t, size_t max,
			  size_t *ret, bool *ret_more, struct bw_err *err)
{
	struct late x = {.teller = t, .now_ms = now_ms, .max = max};
	struct ids any = {0};
	int rc = list_pending(s, now_ms, 1, &any, err);

	if (rc == 0 && any.count > 0)
		rc = bw_sql_tx(s, tell_late, &x, err);
	free(any.items);
	if (rc < 0)
		return rc;
	*ret = x.told;
	*ret_more = x.more;
	return 0;
}
