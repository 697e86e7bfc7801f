/* standing.c - see store/standing.h. */
#include "store/standing.h"

#include <string.h>

#include "core/def.h"
#include "store/sql.h"

enum { NAME, SEEN, GRANTED, REMAINING, RESERVED, WINDOW, IS_FREE, DISTANCE, PAUSE, PAUSED_UNTIL };

static const char *const names[] = {
	[BW_PAUSE_NONE] = "",
	[BW_PAUSE_BUDGET] = "budget",
	[BW_PAUSE_THROTTLED] = "throttled",
	[BW_PAUSE_GUARD] = "guard",
	[BW_PAUSE_UNREACHABLE] = "unreachable",
};

const char *bw_pause_name(enum bw_pause p)
{
	return p < BW_PAUSE_COUNT ? names[p] : "";
}

enum bw_pause bw_pause_from_name(const char *name)
{
	for (unsigned i = BW_PAUSE_NONE + 1; name && i < BW_PAUSE_COUNT; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum bw_pause)i;
	return BW_PAUSE_NONE;
}

/* A registry may say any number. */
static int64_t bound(uint64_t n)
{
	return n < (uint64_t)INT64_MAX ? (int64_t)n : INT64_MAX;
}

static int forget(struct bw_store *s, const char *registry, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_STANDING_FORGET, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, registry);
	return bw_sql_run(s, q, err);
}

static int put(struct bw_store *s, const struct bw_standing *x, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_STANDING_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1 + NAME, x->registry);
	bw_sql_bind(q, 1 + SEEN, x->seen_ms);
	if (x->has_budget) { /* else NULL */
		bw_sql_bind(q, 1 + GRANTED, bound(x->limit));
		bw_sql_bind(q, 1 + REMAINING, bound(x->remaining));
		bw_sql_bind(q, 1 + RESERVED, bound(x->reserved));
		bw_sql_bind(q, 1 + WINDOW, x->window_s);
		bw_sql_bind(q, 1 + IS_FREE, x->is_free);
		bw_sql_bind(q, 1 + DISTANCE, x->distance_ms);
	}
	bw_sql_bind_text(q, 1 + PAUSE, bw_pause_name(x->pause));
	bw_sql_bind(q, 1 + PAUSED_UNTIL, x->paused_until_ms);
	return bw_sql_run(s, q, err);
}

struct list {
	const struct bw_standing *items;
	size_t count;
};

static int put_all(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct list *l = arg;
	int rc = 0;

	for (size_t i = 0; i < l->count && rc == 0; i++) {
		const struct bw_standing *x = &l->items[i];
		bool is_worth_it = x->has_budget || x->pause != BW_PAUSE_NONE;

		rc = is_worth_it ? put(s, x, err) : forget(s, x->registry, err);
	}
	return rc;
}

int bw_store_put_standings(struct bw_store *s, const struct bw_standing *x, size_t count, struct bw_err *err)
{
	struct list l = {x, count};

	return count > 0 ? bw_sql_tx(s, put_all, &l, err) : 0;
}

static uint64_t read_count(sqlite3_stmt *q, int at)
{
	int64_t n = bw_sql_column_int(q, at);

	return n > 0 ? (uint64_t)n : 0;
}

static void read(sqlite3_stmt *q, struct bw_standing *ret)
{
	*ret = (struct bw_standing){
		.registry = bw_sql_column(q, NAME),
		.seen_ms = bw_sql_column_int(q, SEEN),
		.has_budget = bw_sql_column(q, GRANTED) != NULL,
		.limit = read_count(q, GRANTED),
		.remaining = read_count(q, REMAINING),
		.reserved = read_count(q, RESERVED),
		.window_s = bw_sql_column_u32(q, WINDOW),
		.is_free = bw_sql_column_int(q, IS_FREE) != 0,
		.distance_ms = bw_sql_column_int(q, DISTANCE),
		.pause = bw_pause_from_name(bw_sql_column(q, PAUSE)),
		.paused_until_ms = bw_sql_column_int(q, PAUSED_UNTIL),
	};
}

int bw_store_each_standing(struct bw_store *s, bw_standing_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_STANDINGS, &q, err);

	if (rc < 0)
		return rc;
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_standing x;

		read(q, &x);
		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(&x, arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}
