/*
 * change.c - a change of a base, and what follows from it for builds (design §5): what becomes outstanding, and what is
 * closed because the tag has again, or still, the content that the build stands on.
 */
#include "store/change.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/event.h"

/* --- the change itself ------------------------------------------------------------------------ */

static enum bw_class class_of(const struct bw_move *m)
{
	return m->change ? m->change->class : BW_CLASS_UNCLASSIFIED;
}

/* No words are none. */
static const char *words(const char *moved)
{
	return moved && moved[0] ? moved : NULL;
}

static const char *moved_of(const struct bw_move *m)
{
	return m->change ? words(m->change->moved) : NULL;
}

static int add_change(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CHANGE_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind(q, 2, m->number);
	bw_sql_bind_text(q, 3, bw_class_name(class_of(m)));
	bw_sql_bind_text(q, 4, moved_of(m));
	return bw_sql_run(s, q, err);
}

int bw_store_add_comparison(struct bw_store *s, int64_t base_id, const char *to,
			    const struct bw_comparison *c, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_COMPARISON_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind_text(q, 2, c->from.text);
	bw_sql_bind_text(q, 3, to);
	bw_sql_bind_text(q, 4, c->platform ? c->platform : "");
	bw_sql_bind_text(q, 5, bw_class_name(c->class));
	bw_sql_bind_text(q, 6, words(c->moved));
	return bw_sql_run(s, q, err);
}

static int add_comparisons(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	size_t count = m->change ? m->change->comparison_count : 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = bw_store_add_comparison(s, m->base_id, m->to, &m->change->comparisons[i], err);
	return rc;
}

/* --- builds ----------------------------------------------------------------------------------- */

/* The pairs of a base and a digest. */
static int update_pairs(struct bw_store *s, enum bw_sql which, int64_t base_id, const char *digest,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind_text(q, 2, digest);
	return bw_sql_run(s, q, err);
}

int bw_store_start_pairs(struct bw_store *s, int64_t base_id, const char *digest, struct bw_err *err)
{
	return update_pairs(s, BW_SQL_PAIRS_START, base_id, digest, err);
}

static int settle(struct bw_store *s, enum bw_sql which, int64_t base_id, const char *to, int64_t at_ms,
		  struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind_text(q, 2, to);
	bw_sql_bind(q, 3, at_ms);
	return bw_sql_run(s, q, err);
}

struct subjects {
	char **items;
	size_t count, capacity;
};

/* Those of one subject mostly follow each other. */
static void note_subject(struct subjects *x, const char *subject)
{
	if (subject && (x->count == 0 || strcmp(x->items[x->count - 1], subject) != 0))
		BW_PUSH(x->items, x->count, x->capacity) = bw_strdup(subject);
}

static int list_withdrawn(struct bw_store *s, sqlite3_stmt *q, struct subjects *ret, struct bw_err *err)
{
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		note_subject(ret, bw_sql_column(q, 0));
		rc = bw_sql_columns_ok(s, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int line_up(struct bw_store *s, struct subjects *x, int rc, struct bw_err *err)
{
	for (size_t i = 0; i < x->count; i++) {
		if (rc == 0)
			rc = bw_store_line_up(s, x->items[i], err);
		free(x->items[i]);
	}
	free(x->items);
	return rc;
}

/*
 * Builds that are fresh again need no rebuild: what asks for one and was never sent is withdrawn. What was tried stays,
 * for the receiver may know of it; what is under way for the first time is sent none the less, and then counts as sent.
 */
static int withdraw(struct bw_store *s, int64_t base_id, int64_t at_ms, struct bw_err *err)
{
	struct subjects subjects = {0};
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_DELIVERIES_WITHDRAW, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	bw_sql_bind(q, 2, at_ms);
	rc = list_withdrawn(s, q, &subjects, err);
	return line_up(s, &subjects, rc, err);
}

/* Those that the tag has come back to, and those that have the content that it has. */
static int close_pairs(struct bw_store *s, int64_t base_id, const char *to, int64_t at_ms, struct bw_err *err)
{
	int rc = settle(s, BW_SQL_PAIRS_RETURNED, base_id, to, at_ms, err);
	int closed = rc == 0 ? sqlite3_changes(s->db) : 0;

	if (rc == 0)
		rc = settle(s, BW_SQL_PAIRS_SAME, base_id, to, at_ms, err);
	closed += rc == 0 ? sqlite3_changes(s->db) : 0;
	return rc < 0 || closed == 0 ? rc : withdraw(s, base_id, at_ms, err);
}

int bw_store_settle_pairs(struct bw_store *s, int64_t base_id, const char *to, int64_t at_ms,
			  struct bw_err *err)
{
	int rc = close_pairs(s, base_id, to, at_ms, err);

	return rc < 0 ? rc : settle(s, BW_SQL_PAIRS_STALE, base_id, to, at_ms, err);
}

/* A build that is outstanding already is asked for again only when this change counts for it. */
static int ask_again(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_PAIRS_PEND, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind_text(q, 2, m->to);
	bw_sql_bind(q, 3, m->at_ms);
	bw_sql_bind_text(q, 4, m->from);
	return bw_sql_run(s, q, err);
}

/*
 * A -> B -> C stays one outstanding since B; back to A, or to something with the content of A, closes it. A build stays
 * on the digest that it was built on, whatever the tag does; builds that stood on the tag without a row of their own
 * stay on the digest before.
 */
int bw_store_record_move(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	int rc = add_change(s, m, err);

	if (rc == 0)
		rc = add_comparisons(s, m, err);
	if (rc == 0)
		rc = bw_store_start_pairs(s, m->base_id, m->to, err);
	if (rc == 0)
		rc = update_pairs(s, BW_SQL_PAIRS_FIX, m->base_id, m->from, err);
	if (rc == 0)
		rc = bw_store_settle_pairs(s, m->base_id, m->to, m->at_ms, err);
	return rc < 0 ? rc : ask_again(s, m, err);
}

int bw_store_count_move(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	return update_pairs(s, BW_SQL_PAIRS_PEND_ALL, m->base_id, m->to, err);
}

/* --- later ------------------------------------------------------------------------------------ */

struct late {
	int64_t base_id, now_ms;
	const struct bw_digest *to;
	const struct bw_comparison *c;
};

static int add_late(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct late *x = arg;
	int rc = bw_store_add_comparison(s, x->base_id, x->to->text, x->c, err);
	BW_AUTOSQL sqlite3_stmt *q = NULL;

	if (rc == 0)
		rc = bw_sql_use(s, BW_SQL_BASE_STATE, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0 || !bw_text_is(bw_sql_column(q, 3), x->to->text))
		return rc < 0 ? rc : 0; /* the base has moved on */
	bw_sql_done(&q);
	return bw_store_settle_pairs(s, x->base_id, x->to->text, x->now_ms, err);
}

int bw_store_put_comparison(struct bw_store *s, int64_t base_id, const struct bw_digest *to,
			    const struct bw_comparison *c, int64_t now_ms, struct bw_err *err)
{
	struct late x = {.base_id = base_id, .now_ms = now_ms, .to = to, .c = c};

	return bw_sql_tx(s, add_late, &x, err);
}
