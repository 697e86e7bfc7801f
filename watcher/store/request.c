/* request.c - see request.h. */
#include "store/request.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/moves.h"
#include "store/patch.h"
#include "store/pin.h"

enum {
	ROW_BASE,
	ROW_REGISTRY,
	ROW_REPOSITORY,
	ROW_TAG,
	ROW_NUMBER,
	ROW_DIGEST,
	ROW_MEDIA_TYPE,
	ROW_HANDLED,
	ROW_SINCE,
	ROW_LINE,
	ROW_ROLE,
	ROW_STAGE,
	ROW_PLATFORM,
	ROW_PINNED,
	ROW_IGNORED_UNTIL,
	ROW_PATCH,
};

struct loading {
	struct bw_fact_request *to;
	const struct bw_request_question *question;
	struct bw_shelf shelf;
	struct bw_moves moves;
	struct bw_kept_pins kept;
	size_t uses;
};

/* --- freeing ---------------------------------------------------------------------------------- */

void bw_fact_base_done(struct bw_fact_base *b)
{
	free(b->registry);
	free(b->repository);
	free(b->tag);
	free(b->digest);
}

static void free_outstanding(struct bw_fact_outstanding *x)
{
	for (size_t i = 0; i < x->use_count; i++) {
		free(x->uses[i].role);
		free(x->uses[i].stage);
		free(x->uses[i].platform);
		free(x->uses[i].pinned);
		free(x->uses[i].moved);
		free(x->uses[i].template);
	}
	free(x->uses);
	free(x->from);
	free(x->moved);
	bw_fact_base_done(&x->base);
}

void bw_request_done(struct bw_fact_request *r)
{
	for (size_t i = 0; i < r->base_count; i++)
		free_outstanding(&r->bases[i]);
	free(r->bases);
	free(r->source);
	free(r->path);
	free(r->target);
	free(r->url);
	free(r->branch);
	free(r->commit);
	free(r->image);
	free(r->labels);
	*r = (struct bw_fact_request){0};
}

/* --- loading ---------------------------------------------------------------------------------- */

static char *text_of(sqlite3_stmt *q, int at)
{
	return bw_strdup_null(bw_sql_column(q, at));
}

static int load_place(struct bw_store *s, struct bw_fact_request *r, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_REQUEST_PLACE, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, r->build_id);
	rc = bw_sql_step(s, q, err);
	if (rc <= 0)
		return rc;
	r->source = text_of(q, 0);
	r->path = text_of(q, 1);
	r->target = text_of(q, 2);
	r->url = text_of(q, 3);
	r->branch = text_of(q, 4);
	r->commit = text_of(q, 5);
	r->image = text_of(q, 6);
	r->labels = text_of(q, 7);
	return bw_sql_columns_ok(s, err);
}

static struct bw_fact_outstanding *add_base(struct bw_fact_request *r, sqlite3_stmt *q)
{
	const char *from = bw_sql_column(q, ROW_PINNED);
	struct bw_fact_outstanding x = {
		.base =
			{
				.id = bw_sql_column_int(q, ROW_BASE),
				.registry = text_of(q, ROW_REGISTRY),
				.repository = text_of(q, ROW_REPOSITORY),
				.tag = text_of(q, ROW_TAG),
				.number = bw_sql_column_u32(q, ROW_NUMBER),
				.digest = text_of(q, ROW_DIGEST),
			},
		.from = bw_strdup_null(from ? from : bw_sql_column(q, ROW_HANDLED)),
		.class = BW_CLASS_COUNT,
		.since_ms = bw_sql_column_int(q, ROW_SINCE),
	};

	assert(r->bases || r->base_capacity == 0);
	BW_PUSH(r->bases, r->base_count, r->base_capacity) = x;
	return &r->bases[r->base_count - 1];
}

/* What changed for this use may weigh more than for those before it. */
static void add_weight(struct bw_fact_outstanding *x, const struct bw_fact_use *u)
{
	if (u->class >= x->class)
		return;
	x->class = u->class;
	free(x->moved);
	x->moved = bw_strdup_null(u->moved);
}

/*
 * What changed for this use. A pin moves by itself, so what the tag did last is the news; but where that was nothing, and
 * the pin is older, nobody compared what was before.
 */
static int weigh(struct bw_store *s, struct loading *l, const struct bw_fact_outstanding *x,
		 struct bw_fact_use *u, const char *handled, struct bw_err *err)
{
	struct bw_move_question w = {.platform = u->platform,
				     .from = handled,
				     .to = x->base.digest,
				     .is_stand = !u->pinned && handled};
	const struct bw_meaning *meaning = NULL;
	int rc = bw_moves_load(s, &l->moves, x->base.id, x->base.number, err);

	u->class = BW_CLASS_UNCLASSIFIED;
	if (!w.is_stand)
		w.from = l->moves.previous.text;
	if (rc == 0)
		rc = bw_moves_mean(s, &l->moves, &w, &meaning, err);
	if (rc < 0 || !meaning)
		return rc;
	if (meaning->class)
		(void)bw_class_parse(meaning->class, &u->class);
	if (u->pinned && u->class == BW_CLASS_INDEX && !bw_text_is(u->pinned, w.from))
		u->class = BW_CLASS_UNCLASSIFIED;
	else
		u->moved = bw_strdup_null(meaning->moved);
	return 0;
}

static struct bw_pin_use pin_of(sqlite3_stmt *q)
{
	return (struct bw_pin_use){
		.base_id = bw_sql_column_int(q, ROW_BASE),
		.pinned = bw_sql_column(q, ROW_PINNED),
		.platform = bw_sql_column(q, ROW_PLATFORM),
		.digest = bw_sql_column(q, ROW_DIGEST),
		.media_type = bw_sql_column(q, ROW_MEDIA_TYPE),
	};
}

static int find_successor(struct bw_store *s, struct loading *l, sqlite3_stmt *q, struct bw_digest *ret,
			  struct bw_err *err)
{
	const struct bw_pin_use use = pin_of(q);

	return bw_store_find_successor(s, &l->shelf, &use, ret, err);
}

static int add_use(struct bw_store *s, struct loading *l, sqlite3_stmt *q, struct bw_err *err)
{
	struct bw_fact_request *r = l->to;
	struct bw_fact_outstanding *x = r->base_count ? &r->bases[r->base_count - 1] : NULL;
	const char *pinned = bw_sql_column(q, ROW_PINNED), *handled = bw_sql_column(q, ROW_HANDLED);
	struct bw_fact_use u = {0};
	int rc;

	if (l->uses == BW_FACT_MAX_USES) {
		r->omitted++;
		return 0;
	}
	if (!x || x->base.id != bw_sql_column_int(q, ROW_BASE)) {
		x = add_base(r, q);
	} else if (!pinned && handled) { /* what a rebuild moves says more than a pin */
		free(x->from);
		x->from = bw_strdup(handled);
	}
	u.line = bw_sql_column_u32(q, ROW_LINE);
	u.role = text_of(q, ROW_ROLE);
	u.stage = text_of(q, ROW_STAGE);
	u.platform = text_of(q, ROW_PLATFORM);
	u.pinned = bw_strdup_null(pinned);
	l->uses++;
	u.template = text_of(q, ROW_PATCH);
	rc = weigh(s, l, x, &u, handled, err);
	if (rc == 0 && u.template)
		rc = find_successor(s, l, q, &u.to, err);
	add_weight(x, &u);
	BW_PUSH(x->uses, x->use_count, x->use_capacity) = u;
	return rc;
}

/* Only what the tag is known to have is as good as the tag: a doubt is no reason to be silent. */
static int is_pin_fresh(struct bw_store *s, struct loading *l, sqlite3_stmt *q, bool *ret, struct bw_err *err)
{
	const struct bw_pin_use use = pin_of(q);
	struct bw_pinned answer = {0};
	int rc = 0;

	if (use.pinned)
		rc = bw_store_decide_pin(s, &l->shelf, &use, &answer, NULL, err);
	*ret = use.pinned && (answer.pin == BW_PIN_EQUAL || answer.pin == BW_PIN_CHILD);
	return rc;
}

static int look_at_use(struct bw_store *s, struct loading *l, sqlite3_stmt *q, struct bw_err *err)
{
	bool is_fresh = false;
	int rc = bw_sql_columns_ok(s, err);

	if (rc < 0)
		return rc;
	if (bw_sql_column_int(q, ROW_IGNORED_UNTIL) > l->question->now_ms)
		return 0;
	rc = is_pin_fresh(s, l, q, &is_fresh, err);
	if (rc == 0 && is_fresh)
		bw_store_keep_pin(&l->kept, bw_sql_column(q, ROW_PATCH));
	if (rc == 0 && !is_fresh)
		rc = add_use(s, l, q, err);
	return rc < 0 ? rc : bw_sql_columns_ok(s, err);
}

static int load_uses(struct bw_store *s, struct loading *l, struct bw_err *err)
{
	BW_AUTOSQL sqlite3_stmt *q = NULL;
	int rc = bw_sql_use(s, BW_SQL_REQUEST_USES, &q, err);

	if (rc < 0)
		return rc;
	bw_sql_bind(q, 1, l->to->build_id);
	bw_sql_bind(q, 2, l->question->teller->counts_index);
	bw_sql_bind(q, 3, l->question->teller->counts_frontends);
	while ((rc = bw_sql_step(s, q, err)) > 0) {
		rc = look_at_use(s, l, q, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int bw_store_load_request(struct bw_store *s, const struct bw_request_question *w,
			  struct bw_fact_request *ret, struct bw_err *err)
{
	struct bw_fact_request r = {.build_id = w->build_id};
	struct loading l = {.to = &r, .question = w};
	int rc = load_place(s, &r, err);

	if (rc == 0)
		rc = load_uses(s, &l, err);
	bw_store_settle_pins(&r, &l.kept);
	bw_shelf_done(&l.shelf);
	bw_moves_done(&l.moves);
	if (rc < 0) {
		bw_request_done(&r);
		return rc;
	}
	*ret = r;
	return 0;
}
