/* moves.c - see moves.h. */
#include "store/moves.h"

#include <string.h>

#include "core/mem.h"

static void forget(struct bw_meaning *x)
{
	free(x->platform);
	free(x->class);
	free(x->moved);
	*x = (struct bw_meaning){0};
}

void bw_moves_done(struct bw_moves *m)
{
	for (size_t i = 0; i < m->count; i++)
		forget(&m->meanings[i]);
	m->base_id = 0;
	m->count = 0;
	m->next = 0;
}

int bw_moves_load(struct bw_store *s, struct bw_moves *m, int64_t base_id, int64_t number, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc;

	if (m->base_id == base_id)
		return 0;
	bw_moves_done(m);
	rc = bw_sql_use(s, BW_SQL_MOVE, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind(q, 2, number);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	bw_sql_column_copy(q, 0, m->previous.text, sizeof(m->previous.text));
	m->first_seen_ms = bw_sql_column_int(q, 1);
	rc = bw_sql_columns_ok(s, err);
	if (rc == 0)
		m->base_id = base_id;
	return rc;
}

static const struct bw_meaning *find(const struct bw_moves *m, const char *platform, const char *handled)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->meanings[i].platform, platform) == 0 &&
		    strcmp(m->meanings[i].handled.text, handled) == 0)
			return &m->meanings[i];
	return NULL;
}

static struct bw_meaning *make_room(struct bw_moves *m)
{
	struct bw_meaning *x;

	if (m->count < BW_MOVES_MAX)
		return &m->meanings[m->count++];
	x = &m->meanings[m->next];
	m->next = (m->next + 1) % BW_MOVES_MAX;
	forget(x);
	return x;
}

static int look_up(struct bw_store *s, struct bw_moves *m, int64_t number, const char *platform,
		   const char *handled, const struct bw_meaning **ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_meaning *x;
	int rc = bw_sql_use(s, BW_SQL_MEANING, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind(q, 2, number);
	bw_sql_bind_text(q, 3, platform);
	bw_sql_bind_text(q, 4, handled[0] ? handled : NULL);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	x = make_room(m);
	x->platform = bw_strdup(platform);
	if (strlen(handled) < sizeof(x->handled.text))
		memcpy(x->handled.text, handled, strlen(handled) + 1);
	x->class = bw_strdup_null(bw_sql_column(q, 0));
	x->moved = bw_strdup_null(bw_sql_column(q, 1));
	*ret = x;
	return bw_sql_columns_ok(s, err);
}

int bw_moves_mean(struct bw_store *s, struct bw_moves *m, int64_t number, const char *platform,
		  const char *handled, const struct bw_meaning **ret, struct bw_err *err)
{
	const struct bw_meaning *known;

	platform = platform ? platform : "";
	handled = handled ? handled : "";
	known = find(m, platform, handled);
	if (!known)
		return look_up(s, m, number, platform, handled, ret, err);
	*ret = known;
	return 0;
}
