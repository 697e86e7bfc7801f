/*
 * change.c - a change of a base, and what follows from it for builds (design §5): what becomes outstanding, is closed by
 * the tag's return, or is carried along because nothing that counts has changed for the build's platforms.
 */
#include "store/change.h"

#include "core/text.h"

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

static int add_platform(struct bw_store *s, const struct bw_move *m, const struct bw_use_class *u,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CHANGE_PLATFORM_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind(q, 2, m->number);
	bw_sql_bind_text(q, 3, u->platform ? u->platform : "");
	bw_sql_bind_text(q, 4, bw_class_name(u->class));
	bw_sql_bind_text(q, 5, words(u->moved));
	return bw_sql_run(s, q, err);
}

/* A platform that has no row of its own is read as the change itself. */
static int add_platforms(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	size_t count = m->change ? m->change->platform_count : 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct bw_use_class *u = &m->change->platforms[i];

		if (u->class != class_of(m) || !bw_text_is(words(u->moved), moved_of(m)))
			rc = add_platform(s, m, u, err);
	}
	return rc;
}

/* May there be a build for which nothing that counts has changed? Mostly not, and then nobody has to look. */
static bool may_be_carried(const struct bw_move *m)
{
	size_t count = m->change ? m->change->platform_count : 0;

	for (size_t i = 0; i < count; i++)
		if (!bw_class_counts(m->change->platforms[i].class))
			return true;
	return !bw_class_counts(class_of(m));
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

/* What happens to pairs at the time of the change. */
static int move_pairs(struct bw_store *s, enum bw_sql which, const struct bw_move *m, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, m->base_id);
	bw_sql_bind_text(q, 2, m->to);
	bw_sql_bind(q, 3, m->at_ms);
	if (which == BW_SQL_PAIRS_CARRY) {
		bw_sql_bind_text(q, 4, m->from);
		bw_sql_bind(q, 5, m->number);
	}
	return bw_sql_run(s, q, err);
}

/*
 * A -> B -> C stays one outstanding since B; back to A closes it. Builds that stood on the tag without a row of their
 * own stay where they were, on the digest before, unless they are carried along. A build that is stale already stays on
 * its digest, whatever the class of this change.
 */
int bw_store_record_move(struct bw_store *s, const struct bw_move *m, struct bw_err *err)
{
	int rc = add_change(s, m, err);

	if (rc == 0)
		rc = add_platforms(s, m, err);
	if (rc == 0)
		rc = bw_store_start_pairs(s, m->base_id, m->to, err);
	if (rc == 0)
		rc = update_pairs(s, BW_SQL_PAIRS_FIX, m->base_id, m->from, err);
	if (rc == 0)
		rc = move_pairs(s, BW_SQL_PAIRS_RETURNED, m, err);
	if (rc == 0 && may_be_carried(m))
		rc = move_pairs(s, BW_SQL_PAIRS_CARRY, m, err);
	return rc < 0 ? rc : move_pairs(s, BW_SQL_PAIRS_STALE, m, err);
}
