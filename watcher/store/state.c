/* state.c - see store/state.h. */
#include "store/state.h"

#include "store/sql.h"

int bw_store_has_changed(struct bw_store *s, int64_t *note, bool *ret, struct bw_err *err)
{
	int64_t version = 0;
	int rc = bw_sql_number(s, BW_SQL_DATA_VERSION, &version, err);

	if (rc < 0)
		return rc;
	*ret = *note != 0 && *note != version;
	*note = version;
	return 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

static int list(struct bw_store *s, enum bw_sql which, int64_t after, int64_t *ids, size_t max,
		size_t *ret_count, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	size_t count = 0;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, after);
	bw_sql_bind(q, 2, (int64_t)max);
	while (count < max && (rc = bw_sql_step(s, q, err)) > 0)
		ids[count++] = bw_sql_column_int(q, 0);
	if (rc < 0)
		return rc;
	*ret_count = count;
	return 0;
}

int bw_store_list_bases(struct bw_store *s, int64_t after, int64_t *ids, size_t max, size_t *ret_count,
			struct bw_err *err)
{
	return list(s, BW_SQL_BASES_AFTER, after, ids, max, ret_count, err);
}

int bw_store_list_builds(struct bw_store *s, int64_t after, int64_t *ids, size_t max, size_t *ret_count,
			 struct bw_err *err)
{
	return list(s, BW_SQL_BUILDS_AFTER, after, ids, max, ret_count, err);
}

/* --- one of them ------------------------------------------------------------------------------ */

enum {
	BASE_REGISTRY,
	BASE_REPOSITORY,
	BASE_TAG,
	BASE_DIGEST,
	BASE_NUMBER,
	BASE_SINCE,
	BASE_PREVIOUS,
	BASE_CLASS,
	BASE_MOVED,
	BASE_TROUBLE,
	BASE_MESSAGE,
	BASE_TROUBLE_SINCE,
};

enum {
	BUILD_SOURCE,
	BUILD_PATH,
	BUILD_TARGET,
	BUILD_URL,
	BUILD_BRANCH,
	BUILD_COMMIT,
	BUILD_PROBLEM,
	BUILD_PROBLEM_SINCE,
	BUILD_IS_LIVE,
	BUILD_IS_CHOSEN,
	BUILD_IMAGE,
	BUILD_LABELS,
};

/* 1: the row of this id; 0: there is none. */
static int find(struct bw_store *s, enum bw_sql which, int64_t id, sqlite3_stmt **ret, struct bw_err *err)
{
	int rc = bw_sql_use(s, which, ret, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(*ret, 1, id);
	return bw_sql_step(s, *ret, err);
}

static void read_trouble(sqlite3_stmt *q, struct bw_base_state *b)
{
	const char *name = bw_sql_column(q, BASE_TROUBLE);

	if (!name)
		return;
	b->trouble = bw_trouble_from_name(name);
	if (b->trouble == BW_TROUBLE_NONE)
		b->trouble = BW_TROUBLE_MALFORMED; /* as rows have it (row.c) */
	b->trouble_message = bw_sql_column(q, BASE_MESSAGE);
	b->trouble_since_ms = bw_sql_column_int(q, BASE_TROUBLE_SINCE);
}

int bw_store_read_base(struct bw_store *s, int64_t base_id, bw_base_state_fn fn, void *arg,
		       struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_base_state b;
	int rc = find(s, BW_SQL_BASE_STATE_OF, base_id, &q, err);

	if (rc <= 0)
		return rc;
	b = (struct bw_base_state){
		.registry = bw_sql_column(q, BASE_REGISTRY),
		.repository = bw_sql_column(q, BASE_REPOSITORY),
		.tag = bw_sql_column(q, BASE_TAG),
		.digest = bw_sql_column(q, BASE_DIGEST),
		.number = bw_sql_column_u32(q, BASE_NUMBER),
		.digest_since_ms = bw_sql_column_int(q, BASE_SINCE),
		.previous = bw_sql_column(q, BASE_PREVIOUS),
		.change_class = bw_sql_column(q, BASE_CLASS),
		.moved = bw_sql_column(q, BASE_MOVED),
	};
	read_trouble(q, &b);
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : fn(&b, arg, err);
}

int bw_store_read_build(struct bw_store *s, int64_t build_id, bw_build_state_fn fn, void *arg,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	struct bw_build_state b;
	int rc = find(s, BW_SQL_BUILD_STATE_OF, build_id, &q, err);

	if (rc <= 0)
		return rc;
	b = (struct bw_build_state){
		.source = bw_sql_column(q, BUILD_SOURCE),
		.path = bw_sql_column(q, BUILD_PATH),
		.target = bw_sql_column(q, BUILD_TARGET),
		.url = bw_sql_column(q, BUILD_URL),
		.branch = bw_sql_column(q, BUILD_BRANCH),
		.commit = bw_sql_column(q, BUILD_COMMIT),
		.problem = bw_sql_column(q, BUILD_PROBLEM),
		.problem_since_ms = bw_sql_column_int(q, BUILD_PROBLEM_SINCE),
		.is_live = bw_sql_column_int(q, BUILD_IS_LIVE) != 0,
		.is_chosen = bw_sql_column_int(q, BUILD_IS_CHOSEN) != 0,
		.image = bw_sql_column(q, BUILD_IMAGE),
		.labels = bw_sql_column(q, BUILD_LABELS),
	};
	rc = bw_sql_columns_ok(s, err);
	return rc < 0 ? rc : fn(&b, arg, err);
}
