/* done.c - what people say of builds: rebuilt, or not to be followed any more; see store/build.h and done.h. */
#include "store/done.h"

#include <string.h>

#include "core/mem.h"
#include "store/build.h"
#include "store/identity.h"
#include "store/pin.h"
#include "store/sql.h"

/* --- done ------------------------------------------------------------------------------------- */

/* What `done` has to write for one build and base. */
struct pair {
	int64_t base_id;
	int64_t build_id;
	bool to_current;	 /* else to the digest that was given, which the tag has left, */
	bool is_same;		 /* maybe with the content that the tag has now */
	struct bw_digest digest; /* that was given; unset: none */
};

struct doing {
	const char *build;  /* that is meant, by its id outside; NULL: the chosen ones */
	int64_t build_id;   /* of that */
	const char *digest; /* NULL: the current one of each base, or that which an event asks for */
	const char *evidence;
	int64_t now_ms;
	bool knows_digest; /* some base of these builds had it */
	struct pair *pairs;
	size_t count, capacity;
	struct bw_shelf shelf;
	struct bw_done_counts counts;
};

/* The last only of those that an event asks for. */
enum {
	PAIR_BUILD,
	PAIR_BASE,
	PAIR_IS_CURRENT,
	PAIR_IS_STALE,
	PAIR_GIVEN_CURRENT,
	PAIR_GIVEN_SAME,
	PAIR_GIVEN_SEEN,
	PAIR_GIVEN,
};

static void look_at_pair(struct doing *d, sqlite3_stmt *q, const char *digest)
{
	bool is_stale = bw_sql_column_int(q, PAIR_IS_STALE) != 0;
	bool is_current = bw_sql_column_int(q, PAIR_IS_CURRENT) != 0;
	struct pair p = {
		.base_id = bw_sql_column_int(q, PAIR_BASE),
		.build_id = bw_sql_column_int(q, PAIR_BUILD),
		.to_current = !digest || bw_sql_column_int(q, PAIR_GIVEN_CURRENT) != 0,
		.is_same = bw_sql_column_int(q, PAIR_GIVEN_SAME) != 0,
	};

	if (digest && strlen(digest) < sizeof(p.digest.text))
		memcpy(p.digest.text, digest, strlen(digest) + 1);
	if (digest && bw_sql_column_int(q, PAIR_GIVEN_SEEN) == 0)
		return; /* this base never had it: it was another base's rebuild */
	d->knows_digest = true;
	if (p.to_current && is_current && !is_stale)
		return; /* known already */
	if (p.to_current || p.is_same)
		d->counts.closed += is_stale;
	else
		d->counts.moved++;
	BW_PUSH(d->pairs, d->count, d->capacity) = p;
}

static int list_pairs(struct bw_store *s, struct doing *d, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, d->build ? BW_SQL_PAIRS_OF_BUILD : BW_SQL_PAIRS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind_text(q, 1, d->digest);
	bw_sql_bind(q, 2, d->now_ms);
	if (d->build)
		bw_sql_bind(q, 3, d->build_id);
	while ((rc = bw_sql_step(s, q, err)) > 0)
		look_at_pair(d, q, d->digest);
	return rc;
}

static int is_pinned_elsewhere(struct bw_store *s, sqlite3_stmt *q, struct doing *d, struct bw_err *err)
{
	const struct bw_pin_use use = {
		.base_id = bw_sql_column_int(q, 1),
		.pinned = bw_sql_column(q, 2),
		.platform = bw_sql_column(q, 3),
		.digest = bw_sql_column(q, 4),
		.media_type = bw_sql_column(q, 5),
	};
	struct bw_pinned answer = {0};
	int rc = bw_sql_columns_ok(s, err);

	if (rc == 0)
		rc = bw_store_decide_pin(s, &d->shelf, &use, &answer, NULL, err);
	return rc < 0 ? rc : answer.pin == BW_PIN_OTHER;
}

/* In the order of base and build, so that a pair with two pins counts once, and an index is read once. */
static int count_pinned(struct bw_store *s, struct doing *d, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int64_t last_build = 0, last_base = 0;
	int rc = bw_sql_use(s, d->build ? BW_SQL_PINNED_PAIRS_OF_BUILD : BW_SQL_PINNED_PAIRS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, d->now_ms);
	bw_sql_bind_text(q, 2, d->digest);
	if (d->build)
		bw_sql_bind(q, 3, d->build_id);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		int64_t build = bw_sql_column_int(q, 0), base = bw_sql_column_int(q, 1);

		d->knows_digest |= bw_sql_column_int(q, 6) != 0;
		if (build == last_build && base == last_base)
			continue;
		rc = is_pinned_elsewhere(s, q, d, err);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			d->counts.pinned++;
			last_build = build;
			last_base = base;
		}
	}
	return rc;
}

static int write_pair(struct bw_store *s, const struct doing *d, const struct pair *p, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, p->to_current ? BW_SQL_HANDLE_CURRENT : BW_SQL_HANDLE_OLDER, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, p->base_id);
	bw_sql_bind(q, 2, p->build_id);
	bw_sql_bind(q, 3, d->now_ms);
	bw_sql_bind_text(q, 6, d->evidence);
	if (!p->to_current) {
		bw_sql_bind_text(q, 4, p->digest.text);
		bw_sql_bind(q, 5, p->is_same);
	}
	return bw_sql_run(s, q, err);
}

static int write_pairs(struct bw_store *s, const struct doing *d, struct bw_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->count; i++)
		rc = write_pair(s, d, &d->pairs[i], err);
	return rc;
}

/* The first of these live builds that has the id. */
static int match_build(struct bw_store *s, sqlite3_stmt *q, struct doing *d, struct bw_err *err)
{
	int rc;

	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *source = bw_sql_column(q, 1), *path = bw_sql_column(q, 2),
			   *target = bw_sql_column(q, 3);
		char id[BW_BUILD_ID_MAX];

		rc = bw_sql_columns_ok(s, err);
		if (rc < 0)
			return rc;
		bw_identity_of_build(s->uuid, source ? source : "", path ? path : "", target ? target : "",
				     id);
		if (strcmp(id, d->build) != 0)
			continue;
		d->build_id = bw_sql_column_int(q, 0);
		return 0;
	}
	return rc < 0 ? rc : bw_fail(err, BW_E_GONE, "there is no such build");
}

/*
 * Among the live ones, one by one: the id is a hash, and somebody says this a few times a day. It takes its time where
 * there are many, so nobody is locked out meanwhile.
 */
static int find_build(struct bw_store *s, struct doing *d, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILD_NAMES, &q, err);

	return rc < 0 ? rc : match_build(s, q, d, err);
}

/* Under the lock: it may have ended since, and its row may be another's. */
static int confirm_build(struct bw_store *s, struct doing *d, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BUILD_NAMES_OF, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, d->build_id);
	return match_build(s, q, d, err);
}

static int do_done(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct doing *d = arg;
	int64_t builds = 1;
	int rc = d->build ? confirm_build(s, d, err) : bw_sql_number(s, BW_SQL_CHOSEN_COUNT, &builds, err);

	d->counts.builds = (size_t)builds;
	if (rc == 0)
		rc = list_pairs(s, d, err);
	if (rc == 0)
		rc = count_pinned(s, d, err);
	if (rc == 0 && d->digest && !d->knows_digest)
		return bw_fail(err, BW_E_INPUT,
			       "no base of these builds was ever seen at %s; `basewatch history` lists what "
			       "was seen",
			       d->digest);
	return rc < 0 ? rc : write_pairs(s, d, err);
}

static int run_done(struct bw_store *s, struct doing *d, struct bw_done_counts *ret, struct bw_err *err)
{
	int rc = d->build ? find_build(s, d, err) : 0;

	d->evidence = "done";
	if (rc == 0)
		rc = bw_sql_tx(s, do_done, d, err);
	free(d->pairs);
	bw_shelf_done(&d->shelf);
	if (rc == 0)
		*ret = d->counts;
	return rc;
}

int bw_store_done(struct bw_store *s, const struct bw_digest *digest, int64_t now_ms,
		  struct bw_done_counts *ret, struct bw_err *err)
{
	struct doing d = {.digest = digest ? digest->text : NULL, .now_ms = now_ms};

	return run_done(s, &d, ret, err);
}

int bw_store_done_build(struct bw_store *s, const char *build, const struct bw_digest *digest, int64_t now_ms,
			struct bw_done_counts *ret, int64_t *ret_build_id, struct bw_err *err)
{
	struct doing d = {.build = build, .digest = digest ? digest->text : NULL, .now_ms = now_ms};
	int rc = run_done(s, &d, ret, err);

	if (rc == 0 && ret_build_id)
		*ret_build_id = d.build_id;
	return rc;
}

/* --- what an event asks for ------------------------------------------------------------------- */

static int list_event_pairs(struct bw_store *s, int64_t number, struct doing *d, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_EVENT_PAIRS, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, number);
	bw_sql_bind(q, 2, d->now_ms);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		const char *digest = bw_sql_column(q, PAIR_GIVEN);

		rc = bw_sql_columns_ok(s, err);
		if (rc < 0)
			return rc;
		look_at_pair(d, q, digest ? digest : "");
	}
	return rc;
}

int bw_store_close_event(struct bw_store *s, int64_t number, const char *evidence, int64_t now_ms,
			 struct bw_done_counts *ret, struct bw_err *err)
{
	struct doing d = {.evidence = evidence, .now_ms = now_ms, .counts = {.builds = 1}};
	int rc = list_event_pairs(s, number, &d, err);

	if (rc == 0)
		rc = write_pairs(s, &d, err);
	free(d.pairs);
	if (rc == 0 && ret)
		*ret = d.counts;
	return rc;
}

struct closing {
	int64_t number, now_ms;
	struct bw_done_counts counts;
};

static int do_close(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct closing *c = arg;

	return bw_store_close_event(s, c->number, "done", c->now_ms, &c->counts, err);
}

int bw_store_done_event(struct bw_store *s, int64_t number, int64_t now_ms, struct bw_done_counts *ret,
			struct bw_err *err)
{
	struct closing c = {.number = number, .now_ms = now_ms};
	int rc = bw_sql_tx(s, do_close, &c, err);

	if (rc == 0)
		*ret = c.counts;
	return rc;
}

/* --- forget ----------------------------------------------------------------------------------- */

static int do_forget(struct bw_store *s, void *arg, struct bw_err *err)
{
	static const enum bw_sql steps[] = {BW_SQL_FORGET_BUILDS, BW_SQL_FORGET_FILES, BW_SQL_CHOOSE_NONE};
	int rc = bw_sql_number(s, BW_SQL_CHOSEN_FILES, arg, err);

	for (size_t i = 0; rc == 0 && i < BW_COUNT(steps); i++)
		rc = bw_sql_exec(s, steps[i], err);
	return rc;
}

int bw_store_forget(struct bw_store *s, size_t *ret_count, struct bw_err *err)
{
	int64_t files = 0;
	int rc = bw_sql_tx(s, do_forget, &files, err);

	if (rc == 0 && ret_count)
		*ret_count = (size_t)files;
	return rc;
}
