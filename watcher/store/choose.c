/* choose.c - which builds are meant, and which have ended; see store/build.h. */
#include "store/build.h"

#include <string.h>

#include "core/mem.h"
#include "store/source.h"
#include "store/sql.h"

/* --- choosing --------------------------------------------------------------------------------- */

/* What is left of `path` inside `root` ("" when it is the root itself); NULL when it lies elsewhere. */
static const char *inside(const char *root, const char *path)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	if (strncmp(root, path, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	path += len;
	return path + strspn(path, "/");
}

/*
 * Which part of a source lies at or below `location`: "" for all, NULL for none, else a path as build_file has it.
 * Paths of the source without a name are absolute; its root is ''.
 */
static const char *part_of_source(const char *root, const char *location)
{
	if (root[0] == '\0')
		return strcmp(location, "/") == 0 ? "" : location;
	return inside(location, root) ? "" : inside(root, location);
}

int bw_store_choose_none(struct bw_store *s, struct bw_err *err)
{
	return bw_sql_exec(s, BW_SQL_CHOOSE_NONE, err);
}

static size_t changes(const struct bw_store *s)
{
	int n = sqlite3_changes(s->db);

	return n > 0 ? (size_t)n : 0;
}

int bw_store_choose_all(struct bw_store *s, size_t *ret_count, struct bw_err *err)
{
	int rc = bw_sql_exec(s, BW_SQL_CHOOSE_ALL, err);

	if (rc == 0 && ret_count)
		*ret_count = changes(s);
	return rc;
}

static int choose_below(struct bw_store *s, int64_t source_id, const char *path, size_t *count,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CHOOSE_BELOW, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, source_id);
	bw_sql_bind_text(q, 2, path);
	rc = bw_sql_run(s, q, err);
	if (rc == 0)
		*count += changes(s);
	return rc;
}

int bw_store_choose_location(struct bw_store *s, const char *location, size_t *ret_count, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	size_t count = 0;
	int rc = bw_sql_use(s, BW_SQL_SOURCES, &q, err);

	while (rc >= 0 && (rc = bw_sql_step(s, q, err)) > 0) {
		const char *root = bw_sql_column(q, 1);
		const char *part = root ? part_of_source(root, location) : NULL;

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0 && part)
			rc = choose_below(s, bw_sql_column_int(q, 0), part, &count, err);
	}
	if (rc == 0 && ret_count)
		*ret_count = count;
	return rc;
}

/* 1 with the source's id, and its root as a new string where that is wanted; 0: no such source. */
static int find_source(struct bw_store *s, const char *name, int64_t *ret_id, char **ret_root,
		       struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SOURCE_FIND, &q, err);
	const char *root;

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, name);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	root = bw_sql_column(q, 1);
	rc = bw_sql_columns_ok(s, err);
	if (rc < 0)
		return rc;
	*ret_id = bw_sql_column_int(q, 0);
	if (ret_root)
		*ret_root = bw_strdup(root ? root : "");
	return 1;
}

int bw_store_choose_source(struct bw_store *s, const char *source, const char *path, size_t *ret_count,
			   struct bw_err *err)
{
	int64_t id = 0;
	size_t count = 0;
	int rc = find_source(s, source, &id, NULL, err);

	if (rc > 0)
		rc = choose_below(s, id, path, &count, err);
	if (rc == 0 && ret_count)
		*ret_count = count;
	return rc;
}

int bw_store_keep_target(struct bw_store *s, const char *target, size_t *ret_count, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int64_t count = 0;
	int rc = bw_sql_use(s, BW_SQL_KEEP_TARGET, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, target);
	rc = bw_sql_run(s, q, err);
	if (rc == 0)
		rc = bw_sql_number(s, BW_SQL_CHOSEN_COUNT, &count, err);
	if (rc == 0 && ret_count)
		*ret_count = (size_t)count;
	return rc;
}

/* One statement for each of the builds; ?2 the time, where it needs one. */
struct per_build {
	enum bw_sql which;
	const int64_t *ids;
	size_t count;
	int64_t now_ms; /* 0: none is needed */
};

static int run_per_build(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct per_build *p = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->count; i++) {
		BW_AUTOSQL sqlite3_stmt *q = NULL;

		rc = bw_sql_use(s, p->which, &q, err);
		if (rc < 0)
			return rc;
		bw_sql_bind(q, 1, p->ids[i]);
		if (p->now_ms != 0)
			bw_sql_bind(q, 2, p->now_ms);
		rc = bw_sql_run(s, q, err);
	}
	return rc;
}

int bw_store_choose_builds(struct bw_store *s, const int64_t *ids, size_t count, struct bw_err *err)
{
	struct per_build p = {.which = BW_SQL_CHOOSE_ONE, .ids = ids, .count = count};

	return bw_sql_view(s, run_per_build, &p, err);
}

int bw_store_unchoose_builds(struct bw_store *s, const int64_t *ids, size_t count, struct bw_err *err)
{
	struct per_build p = {.which = BW_SQL_UNCHOOSE_ONE, .ids = ids, .count = count};

	return bw_sql_view(s, run_per_build, &p, err);
}

int bw_store_each_lost(struct bw_store *s, bw_lost_fn fn, void *arg, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_CHOSEN_LOST, &q, err);

	if (rc < 0)
		return rc;
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		rc = fn(bw_sql_column_int(q, 0), arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* --- listing ---------------------------------------------------------------------------------- */

static int list_live(struct bw_store *s, int64_t source_id, const char *part, bw_live_fn fn, void *arg,
		     struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILDS_BELOW, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, source_id);
	bw_sql_bind_text(q, 2, part);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *path = bw_sql_column(q, 1), *target = bw_sql_column(q, 2);

		rc = bw_sql_columns_ok(s, err);
		if (rc == 0)
			rc = fn(bw_sql_column_int(q, 0), path ? path : "", target ? target : "", arg, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_each_live(struct bw_store *s, const char *source, const char *location, bw_live_fn fn, void *arg,
		       struct bw_err *err)
{
	BW_AUTOFREE char *root = NULL;
	const char *part;
	int64_t id = 0;
	int rc = find_source(s, source, &id, &root, err);

	if (rc <= 0)
		return rc;
	part = part_of_source(root, location);
	return part ? list_live(s, id, part, fn, arg, err) : 0;
}

/* --- ending ----------------------------------------------------------------------------------- */

struct ending {
	int64_t *file_ids;
	size_t count, capacity;
	int64_t now_ms;
};

static int end_one(struct bw_store *s, enum bw_sql which, int64_t file_id, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, file_id);
	bw_sql_bind(q, 2, now_ms);
	return bw_sql_run(s, q, err);
}

static int end_files(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct ending *e = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < e->count; i++) {
		rc = end_one(s, BW_SQL_FILE_END, e->file_ids[i], e->now_ms, err);
		if (rc == 0)
			rc = end_one(s, BW_SQL_BUILDS_END, e->file_ids[i], e->now_ms, err);
	}
	return rc;
}

struct gone {
	bw_gone_fn fn;
	void *arg;
};

/* Asks outside of any write transaction: looking at many files takes its time. */
static int list_gone(struct bw_store *s, int64_t source_id, const char *root, const char *part,
		     const struct gone *g, struct ending *e, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_FILES_BELOW, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, source_id);
	bw_sql_bind_text(q, 2, part);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *path = bw_sql_column(q, 1);
		BW_AUTOFREE char *location =
			root[0] ? bw_asprintf("%s/%s", root, path ? path : "") : bw_strdup(path ? path : "");

		rc = bw_sql_columns_ok(s, err);
		if (rc < 0)
			return rc;
		if (g->fn(location, g->arg))
			BW_PUSH(e->file_ids, e->count, e->capacity) = bw_sql_column_int(q, 0);
	}
	return rc;
}

/* The files of one source that the callback gives away. */
static int end_where(struct bw_store *s, int64_t source_id, const char *root, const char *part,
		     const struct gone *g, int64_t now_ms, struct bw_err *err)
{
	struct ending e = {.now_ms = now_ms};
	int rc = list_gone(s, source_id, root, part, g, &e, err);

	if (rc == 0 && e.count > 0)
		rc = bw_sql_tx(s, end_files, &e, err);
	free(e.file_ids);
	return rc;
}

int bw_store_end_missing(struct bw_store *s, const char *source, const char *location, bw_gone_fn is_gone,
			 void *arg, int64_t now_ms, struct bw_err *err)
{
	BW_AUTOFREE char *root = NULL;
	const struct gone g = {.fn = is_gone, .arg = arg};
	const char *part;
	int64_t id = 0;
	int rc = find_source(s, source, &id, &root, err);

	if (rc <= 0)
		return rc;
	part = part_of_source(root, location);
	return part ? end_where(s, id, root, part, &g, now_ms, err) : 0;
}

static bool always(const char *location, void *arg)
{
	(void)location;
	(void)arg;
	return true;
}

int bw_store_end_unchosen(struct bw_store *s, const char *source, int64_t now_ms, struct bw_err *err)
{
	const struct gone g = {.fn = always};
	int64_t id = 0;
	int rc = find_source(s, source, &id, NULL, err);

	return rc <= 0 ? rc : end_where(s, id, "", "", &g, now_ms, err);
}

/* Mostly there are none, and then nothing is written. */
static int has_others(struct bw_store *s, int64_t build_id, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_OTHERS_FIND, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, build_id);
	return bw_sql_step(s, q, err);
}

int bw_store_end_others(struct bw_store *s, const int64_t *ids, size_t count, int64_t now_ms,
			struct bw_err *err)
{
	struct per_build end = {.which = BW_SQL_OTHERS_END, .ids = ids, .count = count, .now_ms = now_ms};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = has_others(s, ids[i], err);
	return rc > 0 ? bw_sql_tx(s, run_per_build, &end, err) : rc;
}
