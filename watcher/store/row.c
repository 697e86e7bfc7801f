/* row.c - the chosen builds' uses with all that is known of them; see store/row.h. */
#include "store/row.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "store/list.h"
#include "store/manifest.h"
#include "store/sql.h"

/* The columns of the BW_SQL_ROWS_* and BW_SQL_OTHERS_* statements (statement.c). */
enum {
	ROW_SOURCE,
	ROW_PATH,
	ROW_TARGET,
	ROW_IS_TEMPLATE,
	ROW_PROBLEM,
	ROW_LINE,
	ROW_ROLE,
	ROW_STAGE,
	ROW_PLATFORM,
	ROW_WRITTEN,
	ROW_PINNED,
	ROW_REACHABLE,
	ROW_IS_SCRATCH,
	ROW_UNRESOLVED,
	ROW_IGNORED,
	ROW_IGNORED_UNTIL,
	ROW_BASE_ID,
	ROW_BASE,
	ROW_DIGEST,
	ROW_MEDIA_TYPE,
	ROW_FIRST_SEEN,
	ROW_CHANGED_AT,
	ROW_DIGEST_SINCE,
	ROW_CHECKED_AT,
	ROW_TROUBLE,
	ROW_TROUBLE_MESSAGE,
	ROW_TROUBLE_SINCE,
	ROW_RETRY_AFTER,
	ROW_PREVIOUS,
	ROW_CLASS,
	ROW_HANDLED,
	ROW_STALE_SINCE,
	ROW_COUNT,
};

struct lister {
	bw_row_fn fn;
	void *arg;
};

static void read_use(sqlite3_stmt *q, struct bw_row *r)
{
	const char *role = bw_sql_column(q, ROW_ROLE);

	r->source = bw_sql_column(q, ROW_SOURCE);
	r->path = bw_sql_column(q, ROW_PATH);
	r->target = bw_sql_column(q, ROW_TARGET);
	r->is_template = bw_sql_column_int(q, ROW_IS_TEMPLATE) != 0;
	r->problem = bw_sql_column(q, ROW_PROBLEM);
	r->line = bw_sql_column_u32(q, ROW_LINE);
	/* A role of a newer program cannot be here: its schema would be newer too. */
	if (!role || !bw_role_parse(role, &r->role))
		r->role = BW_ROLE_STAGE;
	r->stage = bw_sql_column(q, ROW_STAGE);
	r->platform = bw_sql_column(q, ROW_PLATFORM);
	r->written = bw_sql_column(q, ROW_WRITTEN);
	r->pinned = bw_sql_column(q, ROW_PINNED);
	r->reachable = bw_sql_column_int(q, ROW_REACHABLE) != 0;
	r->is_scratch = bw_sql_column_int(q, ROW_IS_SCRATCH) != 0;
	r->unresolved = bw_sql_column(q, ROW_UNRESOLVED);
	r->ignored = bw_sql_column(q, ROW_IGNORED);
	r->ignored_until_ms = bw_sql_column_int(q, ROW_IGNORED_UNTIL);
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

static void read_base(sqlite3_stmt *q, struct bw_row *r)
{
	r->base = bw_sql_column(q, ROW_BASE);
	r->digest = bw_sql_column(q, ROW_DIGEST);
	r->first_seen_ms = bw_sql_column_int(q, ROW_FIRST_SEEN);
	r->changed_at_ms = bw_sql_column_int(q, ROW_CHANGED_AT);
	r->digest_since_ms = bw_sql_column_int(q, ROW_DIGEST_SINCE);
	r->checked_at_ms = bw_sql_column_int(q, ROW_CHECKED_AT);
	read_trouble(q, r);
	r->previous = bw_sql_column(q, ROW_PREVIOUS);
	r->change_class = bw_sql_column(q, ROW_CLASS);
	r->handled = bw_sql_column(q, ROW_HANDLED);
	r->stale_since_ms = bw_sql_column_int(q, ROW_STALE_SINCE);
}

static int read_pin(struct bw_store *s, sqlite3_stmt *q, struct bw_row *r, struct bw_err *err)
{
	const struct bw_pin_question pin = {
		.pinned = r->pinned,
		.platform = r->platform,
		.digest = r->digest,
		.media_type = bw_sql_column(q, ROW_MEDIA_TYPE),
	};

	return bw_store_decide_pin(s, &pin, &r->pin, err);
}

static int each(struct bw_store *s, enum bw_sql which, const struct lister *l, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	assert(sqlite3_column_count(q) >= ROW_COUNT);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		struct bw_row r = {.base_id = bw_sql_column_int(q, ROW_BASE_ID)};

		read_use(q, &r);
		if (r.base_id != 0)
			read_base(q, &r);
		rc = bw_sql_columns_ok(s, err);
		if (rc == 0 && r.pinned && r.base_id != 0)
			rc = read_pin(s, q, &r, err);
		if (rc == 0)
			rc = l->fn(&r, l->arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* The names of a build that the order of rows goes by. */
struct build_name {
	char *parts[3]; /* source, path, target */
};

static void forget_name(struct build_name *n)
{
	for (size_t i = 0; i < BW_COUNT(n->parts); i++)
		free(n->parts[i]);
	*n = (struct build_name){0};
}

static int compare_names(const struct build_name *a, const struct build_name *b)
{
	int order = 0;

	for (size_t i = 0; order == 0 && i < BW_COUNT(a->parts); i++)
		order = strcmp(a->parts[i], b->parts[i]);
	return order;
}

static void read_name(sqlite3_stmt *q, struct build_name *ret)
{
	for (size_t i = 0; i < BW_COUNT(ret->parts); i++) {
		const char *text = bw_sql_column(q, (int)i);

		ret->parts[i] = bw_strdup(text ? text : "");
	}
}

/*
 * Have the builds got their ids in the order of their names, as a first scan gives them? There are far fewer builds
 * than uses, so asking costs little, and saves the sorting of the uses.
 */
static int ask_order(struct bw_store *s, bool *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct build_name last = {0};
	bool in_order = true;
	int rc = bw_sql_use(s, BW_SQL_CHOSEN_NAMES, &q, err);

	while (rc >= 0 && in_order && (rc = bw_sql_step(s, q, err)) > 0) {
		struct build_name name;

		read_name(q, &name);
		in_order = !last.parts[0] || compare_names(&last, &name) < 0;
		forget_name(&last);
		last = name;
		rc = bw_sql_columns_ok(s, err);
	}
	forget_name(&last);
	if (rc >= 0)
		*ret = in_order;
	return rc < 0 ? rc : 0;
}

static int list_rows(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct lister *l = arg;
	enum bw_sql which = BW_SQL_ROWS_FEW;
	bool is_wide = false, in_order = false;
	int rc = bw_store_is_wide(s, &is_wide, err);

	if (rc == 0 && is_wide)
		rc = ask_order(s, &in_order, err);
	if (is_wide)
		which = in_order ? BW_SQL_ROWS_MANY_IN_ORDER : BW_SQL_ROWS_MANY;
	if (rc == 0)
		rc = each(s, which, l, err);
	return rc < 0 ? rc : each(s, is_wide ? BW_SQL_OTHERS_MANY : BW_SQL_OTHERS_FEW, l, err);
}

/* Both lists see the same state of the database, however long the reader takes. */
int bw_store_each_row(struct bw_store *s, bw_row_fn fn, void *arg, struct bw_err *err)
{
	struct lister l = {.fn = fn, .arg = arg};

	return bw_sql_view(s, list_rows, &l, err);
}
