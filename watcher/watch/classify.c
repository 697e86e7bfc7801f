/*
 * classify.c - see classify.h. It asks for bodies in steps, and stops as soon as the class cannot change any more:
 *
 *   the two top manifests, and what tells the platforms of the images in them, once for all wanted platforms;
 *   for each of these the manifests of the first pair whose digests differ: mostly it has other layers, and decides;
 *   when it does not, those of all other such pairs together, and not one round trip after the other;
 *   only when none has other layers: the configurations of the first pair where these differ.
 *
 * With an earlier sighting of the new digest the question is only `index` or `rollback`: the first pair that is not
 * the same image answers it, and no configuration is needed.
 */
#include "watch/classify.h"

#include <string.h>

#include "core/mem.h"
#include "watch/moved.h"
#include "watch/pairs.h"

/* What all wanted platforms share; nothing of it outlives the call. */
struct matter {
	struct bw_bodies *bodies;
	const struct bw_class_question *q;
	struct bw_images old, new;
	struct bw_pairs pairs; /* of all platforms, not compared */
	char *rest;	       /* see moved.h */
};

/* One decision under way. */
struct view {
	struct matter *m;
	const struct bw_platform *want;
	const struct bw_image *named_old, *named_new; /* for the wanted platform */
	struct bw_pair *judged; /* what decides: these two, or all pairs; its own, for it compares them */
	size_t judged_count;
	bool is_apart; /* nothing to compare, and that is a change: a platform came or went, or none is in both */
	bool is_doubtful; /* a part of the indexes is not known */
	const struct bw_answer *held;
};

static bool is_named(const struct bw_platform *want)
{
	return want->os[0] != '\0';
}

/* Something could not be had. What may come later, or is broken, is for the caller to know; the former rather. */
static void hold(const struct bw_answer **held, const struct bw_answer *why)
{
	bool is_passing = why && bw_trouble_is_passing(why->trouble);

	if (!why || (!is_passing && why->trouble != BW_TROUBLE_MALFORMED))
		return;
	if (!*held || (is_passing && !bw_trouble_is_passing((*held)->trouble)))
		*held = why;
}

/* --- what is compared with what --------------------------------------------------------------- */

static bool is_unknown(const struct bw_images *x)
{
	return x->missing || x->problem;
}

static bool is_partial_index(const struct bw_images *x)
{
	return x->is_index && is_unknown(x);
}

static void doubt(struct view *v)
{
	v->is_doubtful = true;
	hold(&v->held, v->m->old.missing);
	hold(&v->held, v->m->new.missing);
}

/* Is it not known whether there is anything for the wanted platform? */
static bool is_open_choice(const struct bw_images *x, const struct bw_image *chosen)
{
	/* The only image is taken for want of another one; its configuration might say that it is none for this. */
	bool is_guess = chosen && chosen->platform.os[0] == '\0';

	return is_partial_index(x) && (!chosen || is_guess);
}

/*
 * What a build for the wanted platform took, and would take now. Even when it is found, another one might stand before
 * it in what is not known of the index.
 */
static void choose_named(struct view *v)
{
	const struct matter *m = v->m;
	const struct bw_image *old = bw_images_for(&m->old, v->want);
	const struct bw_image *new = bw_images_for(&m->new, v->want);
	bool is_open = is_open_choice(&m->old, old) || is_open_choice(&m->new, new);

	v->named_old = old;
	v->named_new = new;
	if (old && new) {
		v->judged = BW_NEW(struct bw_pair);
		v->judged[v->judged_count++] = bw_pair_of(old, new);
		is_open = is_partial_index(&m->old) || is_partial_index(&m->new);
	} else if (!is_open) {
		v->is_apart = old || new;
	}
	if (is_open)
		doubt(v);
}

/* All platforms that both have. One that only one of them has is no matter for builds that name none. */
static void choose_common(struct view *v)
{
	const struct matter *m = v->m;
	const struct bw_pairs *p = &m->pairs;
	/* Of two single images the platforms may be unknown: they are compared all the same. */
	bool has_index = m->old.is_index || m->new.is_index;

	v->judged = bw_alloc((p->count + 1) * sizeof(*v->judged));
	v->judged_count = p->count;
	memcpy(v->judged, p->items, p->count * sizeof(*v->judged));
	if (is_unknown(&m->old) || is_unknown(&m->new)) {
		if (has_index || p->count == 0)
			doubt(v);
	} else {
		v->is_apart = p->count == 0 && p->added_count + p->removed_count > 0;
	}
}

/* An artifact is no image, but where a tag is one, and becomes another, that is a change all the same. */
static void stand_in(const struct bw_bodies *b, const struct bw_digest *top, struct bw_images *x)
{
	if (x->is_index || x->count > 0 || !bw_bodies_peek_manifest(b, top))
		return;
	x->items = BW_NEW(struct bw_image);
	x->items[x->count++].digest = *top;
}

/* False: needs are open. */
static bool list_images(struct matter *m)
{
	size_t open;

	bw_images_list(m->bodies, m->q->from, &m->old);
	bw_images_list(m->bodies, m->q->to, &m->new);
	stand_in(m->bodies, m->q->from, &m->old);
	stand_in(m->bodies, m->q->to, &m->new);
	if (m->old.is_complete && m->new.is_complete)
		return true;
	(void)bw_bodies_needs(m->bodies, &open);
	return open == 0;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool same_layers(const struct bw_manifest *a, const struct bw_manifest *b)
{
	if (a->layer_count != b->layer_count)
		return false;
	for (size_t i = 0; i < a->layer_count; i++)
		if (!bw_digest_equal(&a->layers[i].digest, &b->layers[i].digest))
			return false;
	return true;
}

static bool same_diff_ids(const struct bw_config *a, const struct bw_config *b)
{
	if (a->diff_count != b->diff_count)
		return false;
	for (size_t i = 0; i < a->diff_count; i++)
		if (!bw_digest_equal(&a->diff_ids[i], &b->diff_ids[i]))
			return false;
	return true;
}

/* OPEN: needs are noted. What is missing on one side is reason enough not to fetch the other. */
static enum bw_pair_state compare_manifests(struct view *v, const struct bw_pair *p)
{
	const struct bw_answer *no_old = bw_bodies_missing(v->m->bodies, &p->old->digest);
	const struct bw_answer *no_new = bw_bodies_missing(v->m->bodies, &p->new->digest);
	const struct bw_manifest *old, *new;

	if (no_old || no_new) {
		hold(&v->held, no_old);
		hold(&v->held, no_new);
		return BW_PAIR_MISSING;
	}
	old = bw_bodies_manifest(v->m->bodies, &p->old->digest);
	new = bw_bodies_manifest(v->m->bodies, &p->new->digest);
	if (!old || !new)
		return BW_PAIR_OPEN;
	if (old->kind != BW_MANIFEST_IMAGE || new->kind != BW_MANIFEST_IMAGE)
		return BW_PAIR_MISSING;
	if (!same_layers(old, new))
		return BW_PAIR_CONTENT;
	return bw_digest_equal(&old->config, &new->config) ? BW_PAIR_ANNOTATIONS : BW_PAIR_CONFIG;
}

/* Can no other pair change the class any more? */
static bool is_decisive(const struct view *v, enum bw_pair_state state)
{
	bool differs = state == BW_PAIR_CONFIG || state == BW_PAIR_CONTENT || state == BW_PAIR_MISSING;

	return v->m->q->seen_number > 0 ? differs : state == BW_PAIR_CONTENT;
}

/*
 * The first pair that differs is compared alone, because mostly it decides; when it does not, all others are needed, and
 * at once. Nothing behind one that decides is needed. False: needs are open.
 */
static bool compare_pairs(struct view *v)
{
	bool is_first = true, is_open = false;

	for (size_t i = 0; i < v->judged_count; i++) {
		struct bw_pair *p = &v->judged[i];

		if (p->state == BW_PAIR_EQUAL)
			continue;
		p->state = compare_manifests(v, p);
		is_open |= p->state == BW_PAIR_OPEN;
		if (is_decisive(v, p->state) || (is_first && is_open))
			break;
		is_first = false;
	}
	return !is_open;
}

static const struct bw_config *read_config(struct view *v, const struct bw_manifest *of, bool *is_open)
{
	const struct bw_config *c = bw_bodies_config(v->m->bodies, &of->config);
	const struct bw_answer *why = bw_bodies_missing(v->m->bodies, &of->config);

	hold(&v->held, why);
	*is_open |= !c && !why;
	return c;
}

/* The digests prove that the configurations differ; the bodies tell in what, and whether the layers do so too. */
static void compare_configs(struct view *v, struct bw_pair *p, bool *is_open)
{
	const struct bw_manifest *old = bw_bodies_peek_manifest(v->m->bodies, &p->old->digest);
	const struct bw_manifest *new = bw_bodies_peek_manifest(v->m->bodies, &p->new->digest);
	const struct bw_config *a, *b;

	/* Those of artifacts are anything. */
	if (!old || !new || !bw_digest_is_set(&old->config) || !bw_digest_is_set(&new->config) ||
	    !bw_config_is_type(old->config_type) || !bw_config_is_type(new->config_type))
		return;
	a = read_config(v, old, is_open);
	b = read_config(v, new, is_open);
	if (a && b && !same_diff_ids(a, b))
		p->state = BW_PAIR_CONTENT;
}

static bool has_state(const struct view *v, enum bw_pair_state state)
{
	for (size_t i = 0; i < v->judged_count; i++)
		if (v->judged[i].state == state)
			return true;
	return false;
}

/*
 * Of the first pair alone: it lends the words. The same layers under other diff_ids are a registry's lie, for which not
 * every platform's configuration is worth two requests.
 */
static bool compare_one_config(struct view *v)
{
	bool is_open = false;

	if (v->m->q->seen_number > 0 || has_state(v, BW_PAIR_CONTENT))
		return true;
	for (size_t i = 0; i < v->judged_count; i++) {
		if (v->judged[i].state != BW_PAIR_CONFIG)
			continue;
		compare_configs(v, &v->judged[i], &is_open);
		break;
	}
	return !is_open;
}

/* --- the decision ----------------------------------------------------------------------------- */

/* Is it known that something which counts has changed, whatever is missing? */
static bool is_proven(const struct view *v)
{
	return v->is_apart || has_state(v, BW_PAIR_CONTENT) || has_state(v, BW_PAIR_CONFIG);
}

static enum bw_class class_of(const struct view *v)
{
	bool is_undecided = v->is_doubtful || has_state(v, BW_PAIR_MISSING);

	if (!is_proven(v) && !is_undecided)
		return BW_CLASS_INDEX;
	if (v->m->q->seen_number > 0)
		return BW_CLASS_ROLLBACK;
	if (v->is_apart || has_state(v, BW_PAIR_CONTENT))
		return BW_CLASS_CONTENT;
	return is_undecided ? BW_CLASS_UNCLASSIFIED : BW_CLASS_CONFIG;
}

/* Might the class be another one if what is missing were there? A rollback might be none. */
static bool might_change(enum bw_class class)
{
	return class != BW_CLASS_CONTENT && class != BW_CLASS_INDEX;
}

static void answer(const struct view *v, struct bw_classed *ret)
{
	struct matter *m = v->m;
	enum bw_class class = class_of(v);
	const struct bw_findings f = {
		.q = m->q,
		.want = v->want,
		.class = class,
		.old = &m->old,
		.new = &m->new,
		.pairs = &m->pairs,
		.judged = v->judged,
		.judged_count = v->judged_count,
		.named_old = v->named_old,
		.named_new = v->named_new,
		.is_doubtful = v->is_doubtful,
		.rest = &m->rest,
	};

	*ret = (struct bw_classed){
		.class = class,
		.moved = bw_moved_words(m->bodies, &f),
		.held_by = might_change(class) ? v->held : NULL,
	};
}

static void put_waiting(struct bw_classed *ret)
{
	*ret = (struct bw_classed){.class = BW_CLASS_UNCLASSIFIED, .moved = bw_strdup("")};
}

/* Decides by the images. */
static void decide(struct matter *m, const struct bw_platform *want, struct bw_classed *ret)
{
	struct view v = {.m = m, .want = want};
	bool is_settled;

	if (is_named(want))
		choose_named(&v);
	else
		choose_common(&v);
	/* What is not known of the indexes leaves nothing but a rollback. */
	is_settled = v.is_doubtful && m->q->seen_number > 0;
	if (is_settled || (compare_pairs(&v) && compare_one_config(&v)))
		answer(&v, ret);
	else
		put_waiting(ret);
	free(v.judged);
}

/*
 * Named platforms come first: each needs a few bodies at most, which the many of those without a name must not keep
 * from being fetched where their number has a limit.
 */
static void decide_each(struct matter *m, const struct bw_platform *wants, size_t count,
			struct bw_classed *ret)
{
	bw_pairs_make(&m->old, &m->new, &m->pairs);
	for (size_t i = 0; i < count; i++)
		if (is_named(&wants[i]))
			decide(m, &wants[i], &ret[i]);
	for (size_t i = 0; i < count; i++)
		if (!is_named(&wants[i]))
			decide(m, &wants[i], &ret[i]);
}

/*
 * One of the two top manifests is missing; false: none is. Without the new one nothing can be said, without the old one
 * only whether the new one is an old acquaintance. The new one is fetched in any case: it is the old one of the next
 * change.
 */
static bool decide_without(const struct matter *m, struct bw_classed *ret)
{
	const struct bw_answer *no_old = bw_bodies_missing(m->bodies, m->q->from);
	const struct bw_answer *no_new = bw_bodies_missing(m->bodies, m->q->to);

	if (!no_new && !no_old)
		return false;
	if (!no_new && !bw_bodies_manifest(m->bodies, m->q->to)) {
		put_waiting(ret);
		return true;
	}
	*ret = (struct bw_classed){.class = BW_CLASS_UNCLASSIFIED, .held_by = no_new};
	if (!no_new) {
		hold(&ret->held_by, no_old);
		if (m->q->seen_number > 0)
			ret->class = BW_CLASS_ROLLBACK;
	}
	ret->moved = bw_moved_without(m->bodies, m->q, ret->class);
	return true;
}

/* Where it does not take the images to decide, or they are not known yet: the same for every platform. */
static bool decide_at_once(struct matter *m, struct bw_classed *ret)
{
	if (bw_digest_equal(m->q->from, m->q->to)) {
		*ret = (struct bw_classed){.class = BW_CLASS_INDEX, .moved = bw_strdup("the same digest")};
		return true;
	}
	if (decide_without(m, ret))
		return true;
	if (list_images(m))
		return false;
	put_waiting(ret);
	return true;
}

void bw_classify(struct bw_bodies *b, const struct bw_class_question *q, const struct bw_platform *wants,
		 size_t count, struct bw_classed *ret)
{
	struct matter m = {.bodies = b, .q = q};
	struct bw_classed all = {0};

	if (!decide_at_once(&m, &all))
		decide_each(&m, wants, count, ret);
	for (size_t i = 0; all.moved && i < count; i++) {
		ret[i] = all;
		ret[i].moved = bw_strdup(all.moved);
	}
	free(all.moved);
	free(m.rest);
	bw_pairs_done(&m.pairs);
	bw_images_done(&m.old);
	bw_images_done(&m.new);
}
