/* row.c - the chosen builds' uses with all that is known of them; see store/row.h. */
#include "store/row.h"

#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "store/list.h"
#include "store/moves.h"
#include "store/pin.h"
#include "store/sql.h"

/* The columns of all these statements (statement.c), then those of rows with a base, and of the others. */
enum {
	ROW_BUILD_ID,
	ROW_LINE,
	ROW_ROLE,
	ROW_STAGE,
	ROW_PLATFORM,
	ROW_WRITTEN,
	ROW_PINNED,
	ROW_REACHABLE,
	ROW_IGNORED,
	ROW_IGNORED_UNTIL,

	ROW_BASE_ID,
	ROW_REGISTRY,
	ROW_REPOSITORY,
	ROW_TAG,
	ROW_CHECKED_AT,
	ROW_TROUBLE,
	ROW_TROUBLE_MESSAGE,
	ROW_TROUBLE_SINCE,
	ROW_RETRY_AFTER,
	ROW_DIGEST,
	ROW_DIGEST_SINCE,
	ROW_MEDIA_TYPE,
	ROW_NUMBER,
	ROW_PAIR, /* NULL: the build stands on what the tag has, and the next four are NULL as well */
	ROW_HANDLED,
	ROW_STALE_SINCE,
	ROW_EVIDENCE,
	ROW_FRESH_SINCE,

	ROW_PROBLEM = ROW_BASE_ID,
	ROW_IS_SCRATCH,
	ROW_UNRESOLVED,
};

enum { PLACE_SOURCE, PLACE_PATH, PLACE_TARGET, PLACE_IS_TEMPLATE };

struct lister {
	int64_t of; /* the base or build whose rows are listed; 0: all */
	bw_row_fn fn;
	void *arg;
	int64_t build_id;    /* of the last row */
	struct bw_row build; /* what the rows of that build have in common */
	sqlite3_stmt *place; /* holds its texts */
	int64_t now_ms;	     /* for annotations that end */
	int64_t base_id;     /* of the last row */
	char *base;	     /* its name */
	size_t capacity;
	struct bw_moves moves; /* of a base that has moved */
	struct bw_shelf shelf; /* of a base with pinned uses */
	char pin_platform[BW_PLATFORM_MAX];
};

/* Puts the name of a base together, once for all its uses. */
static const char *name_base(sqlite3_stmt *q, int64_t base_id, struct lister *l)
{
	const char *parts[3];
	size_t lens[3], size = 0;
	char *to;

	if (base_id == l->base_id)
		return l->base;
	for (int i = 0; i < 3; i++) {
		parts[i] = bw_sql_column(q, ROW_REGISTRY + i);
		lens[i] = parts[i] ? strlen(parts[i]) : 0;
		size += lens[i] + 1;
	}
	if (size > l->capacity) {
		l->base = bw_realloc(l->base, size, 1);
		l->capacity = size;
	}
	to = l->base;
	for (int i = 0; i < 3; i++) {
		if (parts[i])
			memcpy(to, parts[i], lens[i]);
		to += lens[i];
		*to++ = "/:"[i]; /* the last one is the NUL */
	}
	l->base_id = base_id;
	return l->base;
}

/* Looks a build up, once for all its uses in a row. */
static int find_place(struct bw_store *s, sqlite3_stmt *q, struct lister *l, struct bw_err *err)
{
	int64_t build_id = bw_sql_column_int(q, ROW_BUILD_ID);
	int rc;

	if (build_id == l->build_id)
		return 0;
	l->build_id = 0;
	bw_sql_done(&l->place);
	rc = bw_sql_use(s, BW_SQL_PLACE, &l->place, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(l->place, 1, build_id);
	rc = bw_sql_step(s, l->place, err);
	if (rc < 0)
		return rc;
	l->build_id = build_id;
	l->build = (struct bw_row){
		.build_id = build_id,
		.source = bw_sql_column(l->place, PLACE_SOURCE),
		.path = bw_sql_column(l->place, PLACE_PATH),
		.target = bw_sql_column(l->place, PLACE_TARGET),
		.is_template = bw_sql_column_int(l->place, PLACE_IS_TEMPLATE) != 0,
	};
	return bw_sql_columns_ok(s, err);
}

static void read_use(sqlite3_stmt *q, struct bw_row *r)
{
	const char *role = bw_sql_column(q, ROW_ROLE);

	r->line = bw_sql_column_u32(q, ROW_LINE);
	/* A role of a newer program cannot be here: its schema would be newer too. */
	if (!role || !bw_role_parse(role, &r->role))
		r->role = BW_ROLE_STAGE;
	r->stage = bw_sql_column(q, ROW_STAGE);
	r->platform = bw_sql_column(q, ROW_PLATFORM);
	r->written = bw_sql_column(q, ROW_WRITTEN);
	r->pinned = bw_sql_column(q, ROW_PINNED);
	r->reachable = bw_sql_column_int(q, ROW_REACHABLE) != 0;
	r->ignored = bw_sql_column(q, ROW_IGNORED);
	if (r->ignored)
		r->ignored_until_ms = bw_sql_column_int(q, ROW_IGNORED_UNTIL);
	if (r->ignored_until_ms == BW_SQL_FOR_EVER)
		r->ignored_until_ms = 0;
}

static void read_trouble(sqlite3_stmt *q, struct bw_row *r)
{
	const char *name = bw_sql_column(q, ROW_TROUBLE);

	if (!name)
		return;
	r->trouble = bw_trouble_from_name(name);
	if (r->trouble == BW_TROUBLE_NONE)
		r->trouble = BW_TROUBLE_MALFORMED; /* a word that we do not know is never taken for fresh */
	r->trouble_message = bw_sql_column(q, ROW_TROUBLE_MESSAGE);
	r->trouble_since_ms = bw_sql_column_int(q, ROW_TROUBLE_SINCE);
	r->retry_after_s = bw_sql_column_u32(q, ROW_RETRY_AFTER);
}

static void read_pair(sqlite3_stmt *q, struct bw_row *r)
{
	r->handled = r->digest;
	if (bw_sql_column_int(q, ROW_PAIR) == 0)
		return;
	r->handled = bw_sql_column(q, ROW_HANDLED);
	r->stale_since_ms = bw_sql_column_int(q, ROW_STALE_SINCE);
	r->evidence = bw_sql_column(q, ROW_EVIDENCE);
	if (r->evidence)
		r->fresh_since_ms = bw_sql_column_int(q, ROW_FRESH_SINCE);
}

static bool stands_elsewhere(const struct bw_row *r)
{
	return r->handled && strcmp(r->handled, r->digest) != 0;
}

/* What is written of a pair is what was known when the base moved; comparisons since then may know better. */
static int read_staleness(struct bw_store *s, struct bw_row *r, struct lister *l, struct bw_err *err)
{
	const struct bw_move_question w = {.from = r->handled, .to = r->digest};
	bool counts = false;
	int rc;

	if (!stands_elsewhere(r)) {
		r->stale_since_ms = 0;
		return 0;
	}
	rc = bw_moves_count(s, &l->moves, l->build_id, &w, l->now_ms, &counts, err);
	if (rc < 0)
		return rc;
	r->is_same = !counts;
	if (r->is_same)
		r->stale_since_ms = 0;
	else if (r->stale_since_ms == 0)
		r->stale_since_ms = r->digest_since_ms;
	return 0;
}

/* Few bases have moved, so what is known of that is looked up for these alone. */
static int read_move(struct bw_store *s, int64_t number, struct bw_row *r, struct lister *l,
		     struct bw_err *err)
{
	const struct bw_meaning *meaning = NULL;
	struct bw_move_question w = {.platform = r->platform, .to = r->digest};
	int rc = bw_moves_load(s, &l->moves, r->base_id, number, err);

	if (rc == 0)
		rc = read_staleness(s, r, l, err);
	w.is_stand = !r->pinned && stands_elsewhere(r);
	w.from = w.is_stand ? r->handled : l->moves.previous.text;
	if (rc == 0)
		rc = bw_moves_mean(s, &l->moves, &w, &meaning, err);
	if (rc < 0 || !meaning)
		return rc;
	r->changed_at_ms = r->digest_since_ms;
	r->previous = bw_digest_is_set(&l->moves.previous) ? l->moves.previous.text : NULL;
	r->first_seen_ms = l->moves.first_seen_ms;
	r->change_class = meaning->class;
	r->moved = meaning->moved;
	return 0;
}

static int read_pin(struct bw_store *s, sqlite3_stmt *q, struct bw_row *r, struct lister *l,
		    struct bw_err *err)
{
	const struct bw_pin_use use = {
		.base_id = r->base_id,
		.pinned = r->pinned,
		.platform = r->platform,
		.digest = r->digest,
		.media_type = bw_sql_column(q, ROW_MEDIA_TYPE),
	};
	struct bw_pinned answer = {0};
	int rc = bw_sql_columns_ok(s, err);

	if (rc == 0)
		rc = bw_store_decide_pin(s, &l->shelf, &use, &answer, NULL, err);
	if (rc < 0)
		return rc;
	r->pin = answer.pin;
	if (answer.is_misfit)
		r->pin_platform = bw_platform_format(&answer.have, l->pin_platform);
	return 0;
}

static int on_base_row(struct bw_store *s, sqlite3_stmt *q, struct lister *l, struct bw_err *err)
{
	struct bw_row r = l->build;
	int64_t number = bw_sql_column_int(q, ROW_NUMBER);
	int rc = 0;

	read_use(q, &r);
	r.base_id = bw_sql_column_int(q, ROW_BASE_ID);
	r.base = name_base(q, r.base_id, l);
	r.checked_at_ms = bw_sql_column_int(q, ROW_CHECKED_AT);
	read_trouble(q, &r);
	r.digest = bw_sql_column(q, ROW_DIGEST);
	r.digest_since_ms = bw_sql_column_int(q, ROW_DIGEST_SINCE);
	r.first_seen_ms = r.digest_since_ms;
	read_pair(q, &r);
	if (number > 1)
		rc = read_move(s, number, &r, l, err);
	if (rc == 0)
		rc = bw_sql_columns_ok(s, err);
	if (rc == 0 && r.pinned)
		rc = read_pin(s, q, &r, l, err);
	return rc < 0 ? rc : l->fn(&r, l->arg, err);
}

static int on_other_row(struct bw_store *s, sqlite3_stmt *q, struct lister *l, struct bw_err *err)
{
	struct bw_row r = l->build;
	int rc;

	read_use(q, &r);
	r.problem = bw_sql_column(q, ROW_PROBLEM);
	r.is_scratch = bw_sql_column_int(q, ROW_IS_SCRATCH) != 0;
	r.unresolved = bw_sql_column(q, ROW_UNRESOLVED);
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : l->fn(&r, l->arg, err);
}

typedef int (*read_fn)(struct bw_store *s, sqlite3_stmt *q, struct lister *l, struct bw_err *err);

static int each(struct bw_store *s, enum bw_sql which, read_fn read, struct lister *l, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc == 0 && l->of != 0)
		bw_sql_bind(q, 1, l->of);
	while (rc >= 0 && (rc = bw_sql_step(s, q, err)) > 0) {
		rc = find_place(s, q, l, err);
		if (rc == 0)
			rc = read(s, q, l, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int list_rows(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct lister *l = arg;
	enum bw_sql which = BW_SQL_ROWS_FEW;
	bool is_wide = false;
	int64_t in_order = 0;
	int rc = bw_store_is_wide(s, &is_wide, err);

	/* There are far fewer builds than uses, so asking costs little, and saves the sorting of the uses. */
	if (rc == 0 && is_wide)
		rc = bw_sql_number(s, BW_SQL_CHOSEN_IS_IN_ORDER, &in_order, err);
	if (is_wide)
		which = in_order ? BW_SQL_ROWS_MANY_IN_ORDER : BW_SQL_ROWS_MANY;
	if (rc == 0)
		rc = each(s, which, on_base_row, l, err);
	if (rc == 0)
		rc = each(s, is_wide ? BW_SQL_OTHERS_MANY : BW_SQL_OTHERS_FEW, on_other_row, l, err);
	bw_sql_done(&l->place); /* nothing may be open at the end of the view */
	return rc;
}

static int list_rows_of_base(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct lister *l = arg;
	int rc = each(s, BW_SQL_ROWS_OF_BASE, on_base_row, l, err);

	bw_sql_done(&l->place);
	return rc;
}

static int list_rows_of_build(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct lister *l = arg;
	int rc = each(s, BW_SQL_ROWS_OF_BUILD, on_base_row, l, err);

	if (rc == 0)
		rc = each(s, BW_SQL_OTHERS_OF_BUILD, on_other_row, l, err);
	bw_sql_done(&l->place);
	return rc;
}

/* All that is asked for sees the same state of the database, however long the reader takes. */
static int list_in_view(struct bw_store *s, bw_tx_fn list, struct lister *l, struct bw_err *err)
{
	int rc;

	l->now_ms = bw_clock_ms();
	rc = bw_sql_view(s, list, l, err);
	free(l->base);
	bw_moves_done(&l->moves);
	bw_shelf_done(&l->shelf);
	return rc;
}

int bw_store_each_row(struct bw_store *s, bw_row_fn fn, void *arg, struct bw_err *err)
{
	struct lister l = {.fn = fn, .arg = arg};

	return list_in_view(s, list_rows, &l, err);
}

int bw_store_each_row_of_base(struct bw_store *s, int64_t base_id, bw_row_fn fn, void *arg,
			      struct bw_err *err)
{
	struct lister l = {.of = base_id, .fn = fn, .arg = arg};

	return list_in_view(s, list_rows_of_base, &l, err);
}

int bw_store_each_row_of_build(struct bw_store *s, int64_t build_id, bw_row_fn fn, void *arg,
			       struct bw_err *err)
{
	struct lister l = {.of = build_id, .fn = fn, .arg = arg};

	return list_in_view(s, list_rows_of_build, &l, err);
}
