/* moves.c - see moves.h. */
#include "store/moves.h"

#include <string.h>

#include "core/mem.h"
#include "image/class.h"

static void forget(struct bw_meaning *x)
{
	free(x->platform);
	free(x->from);
	free(x->class);
	free(x->moved);
	*x = (struct bw_meaning){0};
}

void bw_moves_done(struct bw_moves *m)
{
	for (size_t i = 0; i < m->count; i++)
		forget(&m->meanings[i]);
	free(m->class);
	free(m->moved);
	m->class = m->moved = NULL;
	m->base_id = m->build_id = 0;
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
	m->class = bw_strdup_null(bw_sql_column(q, 2));
	m->moved = bw_strdup_null(bw_sql_column(q, 3));
	rc = bw_sql_columns_ok(s, err);
	if (rc == 0)
		m->base_id = base_id;
	return rc;
}

static const struct bw_meaning *find(const struct bw_moves *m, const struct bw_move_question *w)
{
	const char *platform = w->platform ? w->platform : "";

	for (size_t i = 0; i < m->count; i++) {
		const struct bw_meaning *x = &m->meanings[i];

		if (x->is_stand == w->is_stand && strcmp(x->platform, platform) == 0 &&
		    strcmp(x->from, w->from) == 0)
			return x;
	}
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

/* For a use that stands on the tag's digest, or on a pin, the last change as a whole is the next best. */
static int look_up(struct bw_store *s, struct bw_moves *m, const struct bw_move_question *w,
		   const struct bw_meaning **ret, struct bw_err *err)
{
	const char *platform = w->platform ? w->platform : "";
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_meaning *x;
	int rc = bw_sql_use(s, BW_SQL_MEANING, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind_text(q, 2, w->from);
	bw_sql_bind_text(q, 3, w->to);
	bw_sql_bind_text(q, 4, platform);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	x = make_room(m);
	x->platform = bw_strdup(platform);
	x->from = bw_strdup(w->from);
	x->is_stand = w->is_stand;
	if (rc > 0) {
		x->class = bw_strdup_null(bw_sql_column(q, 0));
		x->moved = bw_strdup_null(bw_sql_column(q, 1));
	} else if (w->is_stand) {
		x->class = bw_strdup(bw_class_name(BW_CLASS_UNCLASSIFIED));
	} else {
		x->class = bw_strdup_null(m->class);
		x->moved = bw_strdup_null(m->moved);
	}
	*ret = x;
	return bw_sql_columns_ok(s, err);
}

int bw_moves_mean(struct bw_store *s, struct bw_moves *m, const struct bw_move_question *w,
		  const struct bw_meaning **ret, struct bw_err *err)
{
	*ret = find(m, w);
	return *ret ? 0 : look_up(s, m, w, ret, err);
}

/* Rows of one build mostly follow each other. */
int bw_moves_count(struct bw_store *s, struct bw_moves *m, int64_t build_id, const struct bw_move_question *w,
		   int64_t now_ms, bool *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = 0;

	if (m->build_id != build_id) {
		m->build_id = 0;
		rc = bw_sql_use(s, BW_SQL_PAIR_COUNTS, &q, err);
		if (rc < 0)
			return rc;
		bw_sql_bind(q, 1, m->base_id);
		bw_sql_bind(q, 2, build_id);
		bw_sql_bind_text(q, 3, w->from);
		bw_sql_bind_text(q, 4, w->to);
		bw_sql_bind(q, 5, now_ms);
		rc = bw_sql_step(s, q, err);
		if (rc < 0)
			return rc;
		m->counts = bw_sql_column_int(q, 0) != 0;
		m->build_id = build_id;
	}
	*ret = m->counts;
	return 0;
}
