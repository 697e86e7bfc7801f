/*
 * record.c - what the registries said: sightings, and what is known of the last question. What a change means for
 * builds is in change.c. See store/base.h.
 */
#include <string.h>

#include "store/base.h"
#include "store/change.h"
#include "store/fault.h"
#include "store/sql.h"
#include "store/tell.h"

/*
 * Two watchers may ask about one base at the same time, and the one with the older answer may write last. It must not
 * look like a change back, nor end a trouble that came after it. An answer that is much older than the last one is a
 * clock that was set right.
 */
#define LATE_MS 60000

struct state {
	struct bw_digest digest;
	char media_type[BW_MEDIA_TYPE_MAX];
	uint32_t sightings;
	int64_t checked_at_ms; /* 0: never asked */
	bool newly_named;      /* a build waits for its baseline */
};

struct recording {
	const struct bw_seen *seen;
	size_t count;
	const struct bw_teller *teller; /* NULL: nobody is told */
	bool knows_missing;		/* asked once for all of them, and only when there is a sighting */
	bool has_missing;
	struct bw_record_counts counts;
};

static int load_state(struct bw_store *s, int64_t base_id, struct state *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_STATE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, base_id);
	rc = bw_sql_step(s, q, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return bw_store_no_base(s, base_id, err);
	*ret = (struct state){
		.sightings = bw_sql_column_u32(q, 0),
		.checked_at_ms = bw_sql_column_int(q, 1),
		.newly_named = bw_sql_column_int(q, 2) != 0,
	};
	bw_sql_column_copy(q, 3, ret->digest.text, sizeof(ret->digest.text));
	bw_sql_column_copy(q, 4, ret->media_type, sizeof(ret->media_type));
	return bw_sql_columns_ok(s, err);
}

/* --- bases ------------------------------------------------------------------------------------ */

static const char *media_type_of(const struct bw_seen *x)
{
	return x->answer && x->answer->media_type[0] ? x->answer->media_type : NULL;
}

/* The common case, no news, in one statement. False: there is more to it. */
static int touch(struct bw_store *s, const struct bw_seen *x, bool *ret, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_TOUCH, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind(q, 2, x->at_ms);
	rc = bw_sql_run(s, q, err);
	*ret = rc == 0 && sqlite3_changes(s->db) > 0;
	return rc;
}

/* False: the base has a sighting with this number. */
static int add_sighting(struct bw_store *s, const struct bw_seen *x, uint32_t number, bool *ret,
			struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_SIGHTING_ADD, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind(q, 2, number);
	bw_sql_bind(q, 3, x->at_ms);
	bw_sql_bind_text(q, 4, x->answer->digest.text);
	bw_sql_bind_text(q, 5, media_type_of(x));
	rc = bw_sql_run(s, q, err);
	*ret = rc == 0 && sqlite3_changes(s->db) > 0;
	return rc < 0 ? bw_store_name_base(s, x->base_id, rc, err) : 0;
}

/* The sighting that was just added is the last one of its base. */
static int move_base(struct bw_store *s, const struct bw_seen *x, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_MOVED, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind(q, 2, x->at_ms);
	bw_sql_bind(q, 3, sqlite3_last_insert_rowid(s->db));
	return bw_sql_run(s, q, err);
}

static int drop_missing(struct bw_store *s, const struct bw_seen *x, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_MISSING_DROP, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind_text(q, 2, x->answer->digest.text);
	return bw_sql_run(s, q, err);
}

/* What the registry has now it may be asked for again. Mostly nothing is missing at all. */
static int forget_missing(struct bw_store *s, const struct bw_seen *x, struct recording *r,
			  struct bw_err *err)
{
	int64_t any = 0;
	int rc = r->knows_missing ? 0 : bw_sql_number(s, BW_SQL_MISSING_ANY, &any, err);

	if (rc < 0)
		return rc;
	if (!r->knows_missing)
		r->has_missing = any != 0;
	r->knows_missing = true;
	return r->has_missing ? drop_missing(s, x, err) : 0;
}

/* A first sight needs no question: the first sighting can be added only once. False: there is more to it. */
static int record_first(struct bw_store *s, const struct bw_seen *x, struct recording *r, bool *ret,
			struct bw_err *err)
{
	int rc = add_sighting(s, x, 1, ret, err);

	if (rc < 0 || !*ret)
		return rc;
	rc = move_base(s, x, err);
	return rc < 0 ? rc : forget_missing(s, x, r, err);
}

static int put_trouble(struct bw_store *s, const struct bw_seen *x, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_TROUBLE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind(q, 2, x->at_ms);
	bw_sql_bind_text(q, 3, bw_trouble_name(x->answer->trouble));
	bw_sql_bind_text(q, 4, x->answer->message);
	bw_sql_bind(q, 5, x->answer->retry_after_s);
	bw_sql_bind(q, 6, bw_digest_is_set(&x->answer->digest));
	return bw_sql_run(s, q, err);
}

static int record_trouble(struct bw_store *s, const struct bw_seen *x, const struct recording *r,
			  struct bw_err *err)
{
	int rc = put_trouble(s, x, err);

	return rc == 0 && r->teller ? bw_store_tell_trouble(s, r->teller, x, err) : rc;
}

/* The registry may say later, or better, what kind of manifest it has. */
static int learn_media_type(struct bw_store *s, const struct bw_seen *x, const struct state *old,
			    struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc;

	if (!media_type_of(x) || strcmp(media_type_of(x), old->media_type) == 0)
		return 0;
	rc = bw_sql_use(s, BW_SQL_SIGHTING_TYPE, &q, err);
	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind(q, 2, old->sightings);
	bw_sql_bind_text(q, 3, media_type_of(x));
	return bw_sql_run(s, q, err);
}

static int record_same(struct bw_store *s, const struct bw_seen *x, const struct state *old,
		       struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_BASE_SAME, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, x->base_id);
	bw_sql_bind(q, 2, x->at_ms);
	rc = bw_sql_run(s, q, err);
	if (rc == 0)
		rc = learn_media_type(s, x, old, err);
	if (rc == 0 && old->newly_named)
		rc = bw_store_start_pairs(s, x->base_id, old->digest.text, err);
	return rc;
}

static int record_change(struct bw_store *s, const struct bw_seen *x, const struct state *old,
			 struct recording *r, struct bw_err *err)
{
	const struct bw_move move = {
		.base_id = x->base_id,
		.number = old->sightings + 1,
		.at_ms = x->at_ms,
		.from = old->digest.text,
		.to = x->answer->digest.text,
		.change = x->change,
	};
	bool is_new;
	int rc = add_sighting(s, x, move.number, &is_new, err);

	if (rc == 0)
		rc = move_base(s, x, err);
	if (rc == 0)
		rc = forget_missing(s, x, r, err);
	if (rc == 0)
		rc = bw_store_record_move(s, &move, err);
	if (rc == 0 && r->teller && r->teller->counts_index)
		rc = bw_store_count_move(s, &move, err);
	if (rc == 0 && r->teller)
		rc = bw_store_tell_change(s, r->teller, &move, err);
	r->counts.changed += rc == 0;
	return rc;
}

static bool is_trouble(const struct bw_seen *x)
{
	return x->answer && x->answer->trouble != BW_TROUBLE_NONE;
}

/* It was judged against another digest than the base has now: another process was faster, and what is there is newer. */
static bool is_overtaken(const struct bw_seen *x, const struct state *old)
{
	return x->change && !bw_digest_equal(&x->change->from, &old->digest);
}

/* What needs to know what is stored. */
static int record_compared(struct bw_store *s, const struct bw_seen *x, struct recording *r,
			   struct bw_err *err)
{
	struct state old = {0};
	int rc = load_state(s, x->base_id, &old, err);

	if (rc < 0)
		return rc;
	if (x->at_ms < old.checked_at_ms && old.checked_at_ms - x->at_ms <= LATE_MS)
		return 0;
	if (is_trouble(x))
		return record_trouble(s, x, r, err);
	if (!bw_digest_is_set(&old.digest))
		return 0; /* "as before" of a base that was never seen says nothing */
	if (!x->answer || bw_digest_equal(&old.digest, &x->answer->digest)) {
		r->counts.named += old.newly_named;
		return record_same(s, x, &old, err);
	}
	return is_overtaken(x, &old) ? 0 : record_change(s, x, &old, r, err);
}

static int record_one(struct bw_store *s, const struct bw_seen *x, struct recording *r, struct bw_err *err)
{
	bool is_done = false;
	int rc = 0;

	if (!x->answer) {
		rc = touch(s, x, &is_done, err);
	} else if (is_trouble(x)) {
		r->counts.failed++;
	} else if (!bw_digest_is_set(&x->answer->digest)) {
		return bw_fail(err, BW_E_INPUT, "%s: an answer without trouble has no digest", s->path);
	} else {
		rc = record_first(s, x, r, &is_done, err);
		r->counts.first += is_done;
	}
	return rc < 0 || is_done ? rc : record_compared(s, x, r, err);
}

static int record_all(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct recording *r = arg;
	int64_t now_ms = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->count; i++) {
		rc = record_one(s, &r->seen[i], r, err);
		now_ms = r->seen[i].at_ms > now_ms ? r->seen[i].at_ms : now_ms;
	}
	return rc == 0 && r->teller ? bw_store_tell_rest(s, r->teller, now_ms, err) : rc;
}

int bw_store_record(struct bw_store *s, const struct bw_seen *seen, size_t count, const struct bw_teller *t,
		    struct bw_record_counts *ret, struct bw_err *err)
{
	struct recording r = {.seen = seen, .count = count, .teller = t};
	int rc = count > 0 ? bw_sql_tx(s, record_all, &r, err) : 0;

	if (rc == 0)
		*ret = r.counts;
	return rc;
}
