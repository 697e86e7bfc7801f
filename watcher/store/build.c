/* build.c - records what scans found; see store/build.h (choose.c and done.c hold the rest of it). */
#include "store/build.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/sql.h"

/* What is stored of a build, as far as it decides whether there is anything to write. */
struct stored {
	int64_t id; /* 0: not stored */
	bool same_uses;
	bool same;
};

struct put {
	const struct bw_build_scan *scans;
	size_t count;
	int64_t now_ms;
	int64_t *ids; /* 0: differs from what is stored */
};

static const char *problem_of(const struct bw_build_scan *x)
{
	if (x->file)
		return x->file->error;
	return x->problem ? x->problem : "could not be read";
}

static uint32_t problem_line_of(const struct bw_build_scan *x)
{
	return x->file && x->file->error ? x->file->error_line : 0;
}

/* Files that live in a folder without a name all belong to the one source '', which has no root. */
static const char *root_of(const struct bw_build_scan *x)
{
	return x->source[0] ? x->root : "";
}

static int find_stored(struct bw_store *s, const struct bw_build_scan *x, struct stored *ret,
		       struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILD_FIND, &q, err);

	*ret = (struct stored){0};
	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, x->source);
	bw_sql_bind_text(q, 2, x->path);
	bw_sql_bind_text(q, 3, x->target);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	ret->id = bw_sql_column_int(q, 0);
	/* What could not be read keeps its uses; without a fingerprint nothing is known to be the same. */
	ret->same_uses = !x->file || (bw_digest_is_set(&x->fingerprint) &&
				      bw_text_is(bw_sql_column(q, 1), x->fingerprint.text));
	ret->same = ret->same_uses && bw_text_is(bw_sql_column(q, 2), problem_of(x)) &&
		    bw_sql_column_u32(q, 3) == problem_line_of(x) && bw_sql_column_int(q, 4) == 0 &&
		    (bw_sql_column_int(q, 5) != 0) == x->is_template &&
		    bw_text_is(bw_sql_column(q, 6), root_of(x)) &&
		    bw_text_is(bw_sql_column(q, 7), x->image) && bw_text_is(bw_sql_column(q, 8), x->labels);
	return bw_sql_columns_ok(s, err);
}

static int compare(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct put *p = arg;

	for (size_t i = 0; i < p->count; i++) {
		struct stored old;
		int rc = find_stored(s, &p->scans[i], &old, err);

		if (rc < 0)
			return rc;
		p->ids[i] = old.same ? old.id : 0;
	}
	return 0;
}

static int choose(struct bw_store *s, void *arg, struct bw_err *err)
{
	const struct put *p = arg;

	for (size_t i = 0; i < p->count; i++) {
		BW_AUTOSQL sqlite3_stmt *q = NULL;
		int rc = bw_sql_use(s, BW_SQL_CHOOSE_ONE, &q, err);

		if (rc < 0)
			return rc;
		bw_sql_bind(q, 1, p->ids[i]);
		rc = bw_sql_run(s, q, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Runs an upsert to its end and takes the id that it returns. */
static int run_for_id(struct bw_store *s, sqlite3_stmt *q, int64_t *ret, struct bw_err *err)
{
	int rc = bw_sql_step(s, q, err);

	if (rc <= 0)
		return rc;
	*ret = bw_sql_column_int(q, 0);
	return bw_sql_run(s, q, err);
}

static int put_source(struct bw_store *s, const struct bw_build_scan *x, int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SOURCE_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, x->source);
	bw_sql_bind_text(q, 2, root_of(x));
	return run_for_id(s, q, ret, err);
}

static int put_file(struct bw_store *s, const struct bw_build_scan *x, int64_t source_id, int64_t now_ms,
		    int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_FILE_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, source_id);
	bw_sql_bind_text(q, 2, x->path);
	bw_sql_bind(q, 3, x->is_template);
	bw_sql_bind(q, 4, now_ms);
	return run_for_id(s, q, ret, err);
}

static int put_build(struct bw_store *s, const struct bw_build_scan *x, int64_t file_id, int64_t now_ms,
		     int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILD_PUT, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, file_id);
	bw_sql_bind_text(q, 2, x->target);
	bw_sql_bind_text(q, 3, x->file ? x->fingerprint.text : NULL);
	bw_sql_bind_text(q, 4, problem_of(x));
	bw_sql_bind(q, 5, problem_line_of(x));
	bw_sql_bind(q, 6, now_ms);
	bw_sql_bind_text(q, 7, x->image);
	bw_sql_bind_text(q, 8, x->labels);
	return run_for_id(s, q, ret, err);
}

static int run_for_base(struct bw_store *s, sqlite3_stmt *q, const struct bw_reference *r, struct bw_err *err)
{
	bw_sql_bind_text(q, 1, r->registry);
	bw_sql_bind_text(q, 2, r->repository);
	bw_sql_bind_text(q, 3, bw_reference_tag(r));
	return bw_sql_step(s, q, err);
}

/* 0 in `ret`: there is one already. */
static int add_base(struct bw_store *s, const struct bw_reference *r, int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_ADD, &q, err);

	if (rc == 0)
		rc = run_for_base(s, q, r, err);
	if (rc == 0)
		*ret = sqlite3_changes(s->db) > 0 ? sqlite3_last_insert_rowid(s->db) : 0;
	return rc;
}

static int find_base(struct bw_store *s, const struct bw_reference *r, int64_t *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_FIND, &q, err);

	if (rc == 0)
		rc = run_for_base(s, q, r, err);
	if (rc > 0)
		*ret = bw_sql_column_int(q, 0);
	return rc < 0 ? rc : 0;
}

/* One statement about a build, or a base and a build; says in `ret_changed` (may be NULL) whether it changed anything. */
static int run_for(struct bw_store *s, enum bw_sql which, int64_t first_id, int64_t second_id,
		   bool *ret_changed, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, which, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, first_id);
	if (second_id != 0)
		bw_sql_bind(q, 2, second_id);
	rc = bw_sql_run(s, q, err);
	if (rc == 0 && ret_changed)
		*ret_changed = sqlite3_changes(s->db) > 0;
	return rc;
}

/* What a known base has now may be older than this build's naming it: its next answer is the baseline. */
static int name_pair(struct bw_store *s, int64_t base_id, int64_t build_id, struct bw_err *err)
{
	bool is_new = false;
	int rc = run_for(s, BW_SQL_PAIR_NAME, base_id, build_id, &is_new, err);

	if (rc == 0 && is_new)
		rc = run_for(s, BW_SQL_BASE_NAMED, base_id, 0, NULL, err);
	return rc;
}

/* The base that a use stands on; 0 where there is nothing to follow. Most bases of a new build are new too. */
static int put_base(struct bw_store *s, const struct bw_use *u, int64_t build_id, int64_t *ret,
		    struct bw_err *err)
{
	int rc;

	*ret = 0;
	if (!u->reference || !bw_reference_tag(&u->parts))
		return 0;
	rc = add_base(s, &u->parts, ret, err);
	if (rc < 0 || *ret != 0)
		return rc;
	rc = find_base(s, &u->parts, ret, err);
	return rc < 0 ? rc : name_pair(s, *ret, build_id, err);
}

static void bind_spans(sqlite3_stmt *q, const struct bw_use *u)
{
	bw_sql_bind(q, 5, u->span.line);
	bw_sql_bind(q, 14, u->span.column);
	bw_sql_bind(q, 15, (int64_t)u->span.start);
	bw_sql_bind(q, 16, (int64_t)u->span.end);
	if (u->arg_span.line == 0)
		return;
	bw_sql_bind(q, 17, u->arg_span.line);
	bw_sql_bind(q, 18, u->arg_span.column);
	bw_sql_bind(q, 19, (int64_t)u->arg_span.start);
	bw_sql_bind(q, 20, (int64_t)u->arg_span.end);
}

/* As the table has it (schema.c): one comparison says whether the annotation holds. */
static int64_t ignored_until_of(const struct bw_use *u)
{
	if (!u->ignored)
		return 0;
	return u->ignored_until_ms != 0 ? u->ignored_until_ms : BW_SQL_FOR_EVER;
}

static const char *pin_of(const struct bw_use *u)
{
	return u->reference && bw_digest_is_set(&u->parts.digest) ? u->parts.digest.text : NULL;
}

static int add_use(struct bw_store *s, const struct bw_use *u, int64_t build_id, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int64_t base_id = 0;
	int rc = put_base(s, u, build_id, &base_id, err);

	if (rc == 0)
		rc = bw_sql_use(s, BW_SQL_USE_ADD, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, build_id);
	if (base_id != 0)
		bw_sql_bind(q, 2, base_id);
	bw_sql_bind(q, 3, u->reachable);
	bw_sql_bind(q, 4, ignored_until_of(u));
	bw_sql_bind_text(q, 6, bw_role_name(u->role));
	bw_sql_bind_text(q, 7, u->stage);
	bw_sql_bind_text(q, 8, u->platform);
	bw_sql_bind_text(q, 9, u->written);
	bw_sql_bind_text(q, 10, pin_of(u));
	bw_sql_bind_text(q, 11, u->ignored);
	bw_sql_bind_text(q, 12, u->unresolved);
	bw_sql_bind(q, 13, u->is_scratch);
	bind_spans(q, u);
	bw_sql_bind_text(q, 21, u->patch);
	return bw_sql_run(s, q, err);
}

/* What the build stands on stays known for the bases that it no longer names: it may name them again. */
static int replace_uses(struct bw_store *s, const struct bw_dockerfile *f, int64_t build_id,
			struct bw_err *err)
{
	int rc = run_for(s, BW_SQL_PAIRS_KEEP, build_id, 0, NULL, err);

	if (rc == 0)
		rc = run_for(s, BW_SQL_USES_DROP, build_id, 0, NULL, err);
	for (size_t i = 0; rc == 0 && i < f->use_count; i++)
		rc = add_use(s, &f->uses[i], build_id, err);
	if (rc == 0) /* what waits for the end of an annotation may not have to wait any more */
		rc = run_for(s, BW_SQL_PAIRS_RECONSIDER, build_id, 0, NULL, err);
	return rc;
}

/* Looks again, now under the lock: another process may have scanned the same file. */
static int put_one(struct bw_store *s, const struct bw_build_scan *x, int64_t now_ms, int64_t *ret,
		   struct bw_err *err)
{
	int64_t source_id = 0, file_id = 0, build_id = 0;
	struct stored old;
	int rc = find_stored(s, x, &old, err);

	if (rc == 0)
		rc = put_source(s, x, &source_id, err);
	if (rc == 0)
		rc = put_file(s, x, source_id, now_ms, &file_id, err);
	if (rc == 0)
		rc = put_build(s, x, file_id, now_ms, &build_id, err);
	if (rc == 0 && x->file && !old.same_uses)
		rc = replace_uses(s, x->file, build_id, err);
	if (rc == 0)
		*ret = build_id;
	return rc;
}

static int put_changed(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct put *p = arg;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->count; i++)
		if (p->ids[i] == 0)
			rc = put_one(s, &p->scans[i], p->now_ms, &p->ids[i], err);
	return rc;
}

static bool is_settled(const struct put *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->ids[i] == 0)
			return false;
	return true;
}

int bw_store_put_builds(struct bw_store *s, const struct bw_build_scan *scans, size_t count, int64_t now_ms,
			int64_t *ret_ids, struct bw_err *err)
{
	BW_AUTOFREE int64_t *ids = bw_realloc(NULL, count, sizeof(*ids));
	struct put p = {.scans = scans, .count = count, .now_ms = now_ms, .ids = ids};
	int rc = bw_sql_view(s, compare, &p, err);

	if (rc == 0 && !is_settled(&p))
		rc = bw_sql_tx(s, put_changed, &p, err);
	if (rc == 0)
		rc = bw_sql_view(s, choose, &p, err);
	if (rc == 0 && count > 0)
		memcpy(ret_ids, ids, count * sizeof(*ids));
	return rc;
}
