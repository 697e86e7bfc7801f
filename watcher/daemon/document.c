/* document.c - see document.h. */
#include "daemon/document.h"

#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "daemon/known.h"
#include "store/identity.h"
#include "store/row.h"
#include "store/state.h"
#include "store/verdict.h"
#include "watch/event.h"

#define MAX_BYTES (16U << 20) /* a document has some KiB; the cap of bases keeps the largest far below */

/* The worst of some uses (design §5). */
struct worst {
	enum bw_verdict verdict; /* BW_VERDICT_COUNT: of none */
	int64_t since_ms;
	char *reason;
};

/* A base as a build stands on it. */
struct stand {
	int64_t base_id;
	char *base, *from, *to;
	struct worst worst;
};

struct gathering {
	struct bw_document *to;
	const char *uuid;
	int64_t now_ms;
	size_t uses;
	struct worst all;      /* of uses that are no frontends: */
	struct worst syntaxes; /* they are shown, and decide only where there is nothing else */

	size_t outstanding; /* of a base: builds that stand on something older */
	int64_t last_outstanding;

	struct stand *stands; /* of a build */
	size_t stand_count, stand_capacity;
};

void bw_document_done(struct bw_document *d)
{
	free(d->key);
	free(d->json);
	free(d->peers);
	*d = (struct bw_document){0};
}

static void gathering_done(struct gathering *g)
{
	for (size_t i = 0; i < g->stand_count; i++) {
		struct stand *x = &g->stands[i];

		free(x->base);
		free(x->from);
		free(x->to);
		free(x->worst.reason);
	}
	free(g->stands);
	free(g->all.reason);
	free(g->syntaxes.reason);
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Of two with one verdict, that which has it for longer speaks. */
static bool is_worse(const struct bw_judgement *j, const struct worst *w)
{
	if (j->verdict != w->verdict)
		return j->verdict < w->verdict;
	if (j->since_ms != w->since_ms)
		return j->since_ms != 0 && (w->since_ms == 0 || j->since_ms < w->since_ms);
	return j->reason[0] && !w->reason;
}

static bool weigh(struct worst *w, const struct bw_judgement *j)
{
	if (!is_worse(j, w))
		return false;
	w->verdict = j->verdict;
	w->since_ms = j->since_ms;
	free(w->reason);
	w->reason = j->reason[0] ? bw_strdup(j->reason) : NULL;
	return true;
}

/*
 * "Again after" would be another time with each sweep, and many words of trouble hold a duration or the number of a
 * request: each would be published. What kind of trouble it is stays.
 */
static void judge(const struct gathering *g, const struct bw_row *r, struct bw_judgement *ret)
{
	struct bw_row row = *r;

	row.retry_after_s = 0;
	row.trouble_message = NULL;
	bw_judge(&row, g->now_ms, ret);
}

static void add_use(struct gathering *g, const struct bw_row *r, const struct bw_judgement *j)
{
	bool is_syntax = !r->problem && r->role == BW_ROLE_FRONTEND;

	g->uses += !r->problem;
	g->to->row_count++;
	(void)weigh(is_syntax ? &g->syntaxes : &g->all, j);
}

static const struct worst *worst_of(const struct gathering *g)
{
	return g->all.verdict == BW_VERDICT_COUNT ? &g->syntaxes : &g->all;
}

static void add_peer(struct bw_document *d, int64_t id)
{
	if (d->peer_count == 0 || d->peers[d->peer_count - 1] != id)
		BW_PUSH(d->peers, d->peer_count, d->peer_capacity) = id;
}

/* --- members ---------------------------------------------------------------------------------- */

/* Texts that are not there are null. */
static void put_text(struct bw_json *w, const char *key, const char *text)
{
	bw_json_key_str(w, key, text && text[0] ? text : NULL);
}

/* What to do, in one word for a dashboard. */
static const char *state_of(enum bw_verdict v)
{
	switch (v) {
	case BW_STALE: return "rebuild";
	case BW_BEHIND: return "repin";
	case BW_UNKNOWN: return "unknown";
	default: return "ok";
	}
}

static void put_worst(struct bw_json *w, const struct worst *x)
{
	bw_json_key_str(w, "verdict", bw_verdict_name(x->verdict));
	put_text(w, "reason", x->reason);
	bw_json_key_time(w, "since", x->since_ms);
}

static void begin(struct bw_json *w, const struct worst *x)
{
	bw_json_init(w, NULL, MAX_BYTES);
	bw_json_open(w, '{');
	bw_json_key_int(w, "version", 1);
	bw_json_key_str(w, "state", state_of(x->verdict));
	put_worst(w, x);
}

/* The last member: words of others, which may be others each time, so that they alone are no news. */
static void finish(struct bw_json *w, const char *key, const char *words, struct bw_document *d)
{
	d->hash = bw_known_hash(0, bw_buf_str(&w->buf), w->buf.len);
	put_text(w, key, words);
	bw_json_close(w, '}');
	if (!w->failed && !w->buf.overflow) { /* what got too long has no state, rather than an old one */
		d->len = w->buf.len;
		d->json = bw_strndup(bw_buf_str(&w->buf), d->len);
	}
	bw_json_done(w);
}

/* --- a base ----------------------------------------------------------------------------------- */

static uint64_t hash_text(uint64_t h, const char *text)
{
	return bw_known_hash(h, text ? text : "", strlen(text ? text : "") + 1);
}

static int add_row_of_base(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct gathering *g = arg;
	struct bw_document *d = g->to;
	struct bw_judgement j;
	int64_t numbers[3];

	(void)err;
	judge(g, r, &j);
	add_use(g, r, &j);
	add_peer(d, r->build_id);
	if ((j.verdict == BW_STALE || j.verdict == BW_BEHIND) && g->last_outstanding != r->build_id) {
		g->outstanding++;
		g->last_outstanding = r->build_id;
	}
	numbers[0] = r->build_id;
	numbers[1] = (int64_t)j.verdict;
	numbers[2] = j.since_ms;
	d->rows = bw_known_hash(d->rows, numbers, sizeof(numbers));
	d->rows = hash_text(d->rows, j.reason);
	d->rows = hash_text(d->rows, r->pinned ? r->pinned : r->handled);
	d->rows = hash_text(d->rows, r->digest);
	return 0;
}

static void put_sighting(struct bw_json *w, const struct bw_base_state *b)
{
	bw_json_key_str(w, "digest", b->digest);
	bw_json_key(w, "number");
	if (b->number > 0)
		bw_json_int(w, b->number);
	else
		bw_json_null(w);
	bw_json_key_time(w, "digest_since", b->digest_since_ms);
	bw_json_key_time(w, "changed_at", b->number > 1 ? b->digest_since_ms : 0);
	bw_json_key_str(w, "previous", b->previous);
	bw_json_key_str(w, "class", b->change_class);
	put_text(w, "moved", b->moved);
}

static int write_base(const struct bw_base_state *b, void *arg, struct bw_err *err)
{
	struct gathering *g = arg;
	struct bw_document *d = g->to;
	struct bw_json w;

	(void)err;
	d->key = bw_asprintf("%s/%s:%s", b->registry, b->repository, b->tag);
	if (g->uses == 0)
		return 0;
	begin(&w, worst_of(g));
	bw_json_key_str(&w, "base", d->key);
	bw_json_key_str(&w, "registry", b->registry);
	bw_json_key_str(&w, "repository", b->repository);
	bw_json_key_str(&w, "tag", b->tag);
	put_sighting(&w, b);
	put_text(&w, "trouble", bw_trouble_name(b->trouble));
	bw_json_key_time(&w, "trouble_since", b->trouble_since_ms);
	bw_json_key_int(&w, "uses", (int64_t)g->uses);
	bw_json_key_int(&w, "builds", (int64_t)d->peer_count);
	bw_json_key_int(&w, "outstanding", (int64_t)g->outstanding);
	finish(&w, "trouble_message", b->trouble_message, d);
	return 0;
}

static void begin_gathering(struct gathering *g, struct bw_store *s, struct bw_document *d)
{
	*g = (struct gathering){
		.to = d,
		.uuid = bw_store_uuid(s),
		.now_ms = bw_clock_ms(),
		.all.verdict = BW_VERDICT_COUNT,
		.syntaxes.verdict = BW_VERDICT_COUNT,
	};
}

/* Hands the document over, or frees what there is of it. */
static int end_gathering(struct gathering *g, int rc, struct bw_document *ret)
{
	gathering_done(g);
	if (rc < 0)
		bw_document_done(g->to);
	*ret = *g->to;
	return rc < 0 ? rc : 0;
}

int bw_document_of_base(struct bw_store *s, int64_t base_id, struct bw_document *ret, struct bw_err *err)
{
	struct bw_document d = {0};
	struct gathering g;
	int rc;

	begin_gathering(&g, s, &d);
	rc = bw_store_each_row_of_base(s, base_id, add_row_of_base, &g, err);
	if (rc == 0)
		rc = bw_store_read_base(s, base_id, write_base, &g, err);
	return end_gathering(&g, rc, ret);
}

/* --- a build ---------------------------------------------------------------------------------- */

/* Where uses of one base stand on different digests, the worst of them is shown. */
static void add_stand(struct gathering *g, const struct bw_row *r, const struct bw_judgement *j)
{
	struct stand *x = g->stand_count > 0 ? &g->stands[g->stand_count - 1] : NULL;

	if (!x || x->base_id != r->base_id) {
		assert(g->stands || g->stand_capacity == 0);
		BW_PUSH(g->stands, g->stand_count, g->stand_capacity) = (struct stand){
			.base_id = r->base_id,
			.base = bw_strdup(r->base),
			.to = bw_strdup_null(r->digest),
			.worst.verdict = BW_VERDICT_COUNT,
		};
		x = &g->stands[g->stand_count - 1];
		add_peer(g->to, r->base_id);
	}
	if (!weigh(&x->worst, j))
		return;
	free(x->from);
	x->from = bw_strdup_null(r->pinned ? r->pinned : r->handled);
}

static int add_row_of_build(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct gathering *g = arg;
	struct bw_judgement j;

	(void)err;
	judge(g, r, &j);
	add_use(g, r, &j);
	if (r->base_id != 0)
		add_stand(g, r, &j);
	return 0;
}

/* The worst first: nothing that somebody has to act on is behind the cap. */
static int compare_stands(const void *a, const void *b)
{
	const struct stand *x = a, *y = b;

	if (x->worst.verdict != y->worst.verdict)
		return x->worst.verdict < y->worst.verdict ? -1 : 1;
	return strcmp(x->base, y->base);
}

static void put_stands(struct bw_json *w, const struct gathering *g)
{
	size_t shown = g->stand_count < BW_DOCUMENT_MAX_BASES ? g->stand_count : BW_DOCUMENT_MAX_BASES;

	bw_json_key(w, "bases");
	bw_json_open(w, '[');
	for (size_t i = 0; i < shown; i++) {
		const struct stand *x = &g->stands[i];

		bw_json_open(w, '{');
		bw_json_key_str(w, "base", x->base);
		put_worst(w, &x->worst);
		bw_json_key_str(w, "from", x->from);
		bw_json_key_str(w, "to", x->to);
		bw_json_close(w, '}');
	}
	bw_json_close(w, ']');
	bw_json_key_int(w, "omitted", (int64_t)(g->stand_count - shown));
}

/* A build file without any use has nothing that could move. */
static struct worst worst_of_build(const struct gathering *g)
{
	struct worst w = *worst_of(g);

	if (w.verdict == BW_VERDICT_COUNT)
		w.verdict = BW_UNFOLLOWABLE;
	return w;
}

static int write_build(const struct bw_build_state *b, void *arg, struct bw_err *err)
{
	struct gathering *g = arg;
	struct bw_document *d = g->to;
	const struct worst worst = worst_of_build(g);
	struct bw_json w;

	(void)err;
	d->key = bw_alloc(BW_BUILD_ID_MAX);
	bw_identity_of_build(g->uuid, b->source, b->path, b->target, d->key);
	if (!b->is_live || !b->is_chosen)
		return 0;
	if (g->stand_count > 0)
		qsort(g->stands, g->stand_count, sizeof(g->stands[0]), compare_stands);
	begin(&w, &worst);
	bw_json_key_str(&w, "id", d->key);
	put_text(&w, "source", b->source);
	put_text(&w, "repository", b->url);
	put_text(&w, "branch", b->branch);
	put_text(&w, "commit", b->commit);
	bw_json_key_str(&w, "file", b->path);
	put_text(&w, "target", b->target);
	put_text(&w, "image", b->image);
	bw_event_put_labels(&w, b->labels);
	bw_json_key_time(&w, "problem_since", b->problem ? b->problem_since_ms : 0);
	bw_json_key_int(&w, "uses", (int64_t)g->uses);
	put_stands(&w, g);
	finish(&w, "problem", b->problem, d);
	return 0;
}

int bw_document_of_build(struct bw_store *s, int64_t build_id, struct bw_document *ret, struct bw_err *err)
{
	struct bw_document d = {0};
	struct gathering g;
	int rc;

	begin_gathering(&g, s, &d);
	rc = bw_store_each_row_of_build(s, build_id, add_row_of_build, &g, err);
	if (rc == 0)
		rc = bw_store_read_build(s, build_id, write_build, &g, err);
	return end_gathering(&g, rc, ret);
}
