/* gap.c - see store/gap.h. */
#include "store/gap.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "store/sql.h"

/* --- lists ------------------------------------------------------------------------------------ */

static const char *without_place(const char *place, const char *problem)
{
	size_t len = strlen(place);

	return strncmp(problem, place, len) == 0 && strncmp(problem + len, ": ", 2) == 0 ? problem + len + 2
											 : problem;
}

void bw_gaps_add(struct bw_gaps *g, const char *place, const char *problem, int64_t since_ms)
{
	if (g->count >= BW_GAPS_MAX)
		return;
	BW_PUSH(g->items, g->count, g->capacity) =
		(struct bw_gap){.place = bw_strdup(place),
				.problem = bw_strdup(without_place(place, problem)),
				.since_ms = since_ms};
}

static const struct bw_gap *find(const struct bw_gaps *g, const char *place)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->items[i].place, place) == 0)
			return &g->items[i];
	return NULL;
}

bool bw_gaps_has(const struct bw_gaps *g, const char *place)
{
	return find(g, place) != NULL;
}

void bw_gaps_move(struct bw_gaps *from, struct bw_gaps *to)
{
	for (size_t i = 0; i < from->count; i++)
		bw_gaps_add(to, from->items[i].place, from->items[i].problem, from->items[i].since_ms);
	bw_gaps_done(from);
}

void bw_gaps_done(struct bw_gaps *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->items[i].place);
		free(g->items[i].problem);
	}
	free(g->items);
	*g = (struct bw_gaps){0};
}

/* --- the store -------------------------------------------------------------------------------- */

int bw_store_load_gaps(struct bw_store *s, const char *key, struct bw_gaps *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_GAPS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, key);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *place = bw_sql_column(q, 0), *problem = bw_sql_column(q, 1);

		rc = bw_sql_columns_ok(s, err);
		if (rc < 0)
			return rc;
		bw_gaps_add(ret, place ? place : "", problem ? problem : "", bw_sql_column_int(q, 2));
	}
	return rc;
}

struct put {
	const char *key;
	const struct bw_gaps *gaps;
};

static int add_row(struct bw_store *s, const char *key, const struct bw_gap *g, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_GAP_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, key);
	bw_sql_bind_text(q, 2, g->place);
	bw_sql_bind_text(q, 3, g->problem);
	bw_sql_bind(q, 4, g->since_ms);
	return bw_sql_run(s, q, err);
}

static int drop_rows(struct bw_store *s, const char *key, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_GAPS_DROP, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, key);
	return bw_sql_run(s, q, err);
}

static int put_rows(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct put *p = arg;
	int rc = drop_rows(s, p->key, err);

	for (size_t i = 0; i < p->gaps->count && rc == 0; i++)
		rc = add_row(s, p->key, &p->gaps->items[i], err);
	return rc;
}

/* What was a gap before is one since then. True: the store has them just so. */
static bool date(struct bw_gaps *g, const struct bw_gaps *known, int64_t now_ms)
{
	bool is_same = g->count == known->count;

	for (size_t i = 0; i < g->count; i++) {
		const struct bw_gap *k = find(known, g->items[i].place);

		is_same = is_same && k && strcmp(k->problem, g->items[i].problem) == 0;
		g->items[i].since_ms = k ? k->since_ms : now_ms;
	}
	return is_same;
}

int bw_store_put_gaps(struct bw_store *s, const char *key, struct bw_gaps *g, int64_t now_ms,
		      struct bw_err *err)
{
	struct put p = {.key = key, .gaps = g};
	struct bw_gaps known = {0};
	int rc = bw_store_load_gaps(s, key, &known, err);

	if (rc == 0 && !date(g, &known, now_ms))
		rc = bw_sql_tx(s, put_rows, &p, err);
	bw_gaps_done(&known);
	return rc;
}
