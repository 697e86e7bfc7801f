#include "doubts.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "image/pin.h"
#include "watch/classify.h"

/* One after the other: a base may be in both lists, and each is in the order of the registries. */
enum phase { UNCOMPARED, PINS, PHASES };

struct bw_doubts {
	struct bw_sides *sides;
	struct bw_store *store;
	struct bw_doubts_hooks hooks;
	struct bw_round *rounds[PHASES];
	enum phase phase;
	size_t open, asked; /* inquiries */
	bool has_ended;
};

/* A pair of digests: what the tag has, and the pin or what a build stands on. */
struct doubt {
	struct bw_round_item *item;
	struct bw_bodies *bodies;
	struct bw_digest tag, other;
	struct bw_platform platform;
	char *name; /* of the platform; NULL: none is named */
	bool is_pin;
	char media_type[BW_MEDIA_TYPE_MAX]; /* with a pin */
	struct bw_classed classed;	    /* without */
};

static void free_doubt(void *more, void *arg)
{
	struct doubt *d = more;

	(void)arg;
	bw_bodies_free(d->bodies);
	free(d->classed.moved);
	free(d->name);
	free(d);
}

void bw_doubts_halt(struct bw_doubts *x)
{
	if (!x || x->has_ended)
		return;
	x->has_ended = true;
	bw_round_halt(x->rounds[x->phase]);
}

static void end(struct bw_doubts *x, int rc, const struct bw_err *err)
{
	if (x->has_ended)
		return;
	bw_doubts_halt(x);
	x->hooks.ended(rc, err, x->hooks.arg);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void decide_doubt(struct bw_bodies *b, void *arg)
{
	struct doubt *d = arg;
	const struct bw_pin_question pin = {
		.pinned = &d->other,
		.tag = &d->tag,
		.tag_media_type = d->media_type,
		.want = &d->platform,
	};
	const struct bw_class_question q = {.from = &d->other, .to = &d->tag};
	struct bw_pinned ret;

	if (d->is_pin) {
		bw_pin_decide(b, &pin, &ret);
		return;
	}
	free(d->classed.moved);
	d->classed.moved = NULL;
	bw_classify(b, &q, &d->platform, 1, &d->classed);
}

/* What may pass is asked for again the next time; until then it counts as a change. */
static int keep_comparison(struct bw_doubts *x, const struct doubt *d, struct bw_err *err)
{
	const struct bw_comparison c = {
		.from = d->other,
		.platform = d->name,
		.class = d->classed.class,
		.moved = d->classed.moved,
	};
	const struct bw_answer *why = d->classed.held_by;

	if (d->is_pin ||
	    (why && (bw_trouble_is_passing(why->trouble) || why->trouble == BW_TROUBLE_MALFORMED)))
		return 0;
	return bw_store_put_comparison(x->store, d->item->probe.base_id, &d->tag, &c, bw_clock_ms(), err);
}

/*
 * When the tag's manifest cannot be had a pin stays undecided, which the verdict shows as unknown; the next time it is
 * tried again.
 */
static void doubt_settled(int rc, const struct bw_err *err, void *arg)
{
	struct doubt *d = arg;
	struct bw_round_item *it = d->item;
	struct bw_doubts *x = bw_round_arg_of(it);
	struct bw_err mine = BW_ERR_INIT;

	if (rc == 0) {
		rc = keep_comparison(x, d, &mine);
		err = &mine;
	}
	bw_bodies_free(BW_TAKE(d->bodies));
	it->probe.group->open--;
	x->open--;
	if (rc < 0)
		end(x, rc, err);
	else
		bw_round_answered(it);
}

static void ask_doubt(struct bw_round_item *it, void *arg)
{
	struct bw_doubts *x = arg;
	const struct bw_probe *p = &it->probe;
	struct doubt *d = it->more;
	const struct bw_body_origin origin = {.base_id = p->base_id,
					      .registry = p->group->registry,
					      .repository = p->repository,
					      .is_old = true};

	x->asked++;
	x->open++;
	p->group->open++;
	d->item = it;
	d->bodies = bw_bodies_new();
	bw_inquire(p->group->side->inquiries, &origin, d->bodies, decide_doubt, doubt_settled, d);
}

/* --- the lists -------------------------------------------------------------------------------- */

static bool set_digest(struct bw_digest *to, const char *text)
{
	return text && bw_digest_parse(text, strlen(text), to, NULL) == 0;
}

/* The digests come from the store, which only takes valid ones. NULL: a base that did not answer just now. */
static int add(struct bw_doubts *x, const struct bw_base *base, const char *other, const char *platform,
	       struct doubt **ret, struct bw_err *err)
{
	struct doubt *d;

	*ret = NULL;
	if (base->failures > 0)
		return 0;
	d = BW_NEW(struct doubt);
	bw_round_add(x->rounds[x->phase], base, d);
	if (!set_digest(&d->tag, base->digest) || !set_digest(&d->other, other))
		return bw_fail(err, BW_E_STORE, "a digest of %s/%s:%s in the database is damaged",
			       base->registry, base->repository, base->tag);
	d->name = bw_strdup_null(platform);
	if (platform && bw_platform_parse(platform, strlen(platform), &d->platform, NULL) < 0)
		d->platform = (struct bw_platform){0};
	*ret = d;
	return 0;
}

static int add_pin(const struct bw_doubt *x, void *arg, struct bw_err *err)
{
	struct doubt *d;
	int rc = add(arg, &x->base, x->pinned, x->platform, &d, err);

	if (rc < 0 || !d)
		return rc;
	d->is_pin = true;
	if (x->media_type && strlen(x->media_type) < sizeof(d->media_type))
		memcpy(d->media_type, x->media_type, strlen(x->media_type) + 1);
	return 0;
}

static int add_uncompared(const struct bw_uncompared *x, void *arg, struct bw_err *err)
{
	struct doubt *d;

	return add(arg, &x->base, x->from, x->platform, &d, err);
}

static int list(struct bw_doubts *x, struct bw_err *err)
{
	int64_t now_ms = bw_clock_ms();

	if (x->phase == PINS)
		return bw_store_each_doubt(x->store, now_ms, add_pin, x, err);
	return bw_store_each_uncompared(x->store, now_ms, add_uncompared, x, err);
}

/* --- the phases ------------------------------------------------------------------------------- */

static void start_phase(struct bw_doubts *x, enum phase phase);

static void phase_ended(void *arg)
{
	struct bw_doubts *x = arg;

	if (x->has_ended)
		return;
	if (x->phase + 1 < PHASES)
		start_phase(x, x->phase + 1);
	else
		end(x, 0, NULL);
}

static void pass_progress(size_t done, size_t total, void *arg)
{
	const struct bw_doubts *x = arg;

	if (x->hooks.progress)
		x->hooks.progress(done, total, x->hooks.arg);
}

static void start_phase(struct bw_doubts *x, enum phase phase)
{
	const struct bw_round_hooks hooks = {.ask = ask_doubt,
					     .forget = free_doubt,
					     .progress = pass_progress,
					     .ended = phase_ended,
					     .arg = x};
	struct bw_err err = BW_ERR_INIT;
	int rc;

	x->phase = phase;
	x->rounds[phase] = bw_round_new(x->sides, &hooks);
	rc = list(x, &err);
	if (rc < 0)
		end(x, rc, &err);
	else
		bw_round_start(x->rounds[phase]);
}

void bw_doubts_start(struct bw_doubts *x)
{
	start_phase(x, UNCOMPARED);
}

struct bw_doubts *bw_doubts_new(struct bw_sides *sides, struct bw_store *s, const struct bw_doubts_hooks *h)
{
	struct bw_doubts *x = BW_NEW(struct bw_doubts);

	x->sides = sides;
	x->store = s;
	x->hooks = *h;
	return x;
}

size_t bw_doubts_count_asked(const struct bw_doubts *x)
{
	return x->asked;
}

bool bw_doubts_is_open(const struct bw_doubts *x)
{
	return x->open > 0;
}

void bw_doubts_free(struct bw_doubts *x)
{
	if (!x)
		return;
	for (enum phase p = UNCOMPARED; p < PHASES; p++)
		bw_round_free(x->rounds[p]);
	free(x);
}
