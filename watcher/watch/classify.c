/*
 * classify.c - see classify.h. It asks for bodies in steps, and stops as soon as the class cannot change any more:
 *
 *   the two top manifests, and what tells the platforms of the images in them;
 *   the manifests of one pair after the other, where their digests differ, until one has other layers;
 *   only when none has: the configurations of the first pair where these differ.
 *
 * With an earlier sighting of the new digest the question is only `index` or `rollback`: the first pair that is not
 * the same image answers it, and no configuration is needed.
 */
#include "watch/classify.h"

#include "core/mem.h"
#include "watch/moved.h"
#include "watch/pairs.h"

/* One decision under way; nothing of it outlives the call. */
struct matter {
	struct bw_bodies *bodies;
	const struct bw_class_question *q;
	struct bw_images old, new;
	struct bw_pairs pairs; /* of all platforms */
	struct bw_pair named;  /* for the wanted platform */
	const struct bw_image *named_old, *named_new;
	struct bw_pair *judged; /* what decides: `named`, or all pairs */
	size_t judged_count;
	bool is_apart; /* nothing to compare, and that is a change: a platform came or went, or none is in both */
	bool is_doubtful; /* a part of the indexes is not known */
	const struct bw_answer *held;
};

static bool is_named(const struct matter *m)
{
	return m->q->want && m->q->want->os[0] != '\0';
}

/* Something could not be had. What may come later, or is broken, is for the caller to know; the former rather. */
static void hold(struct matter *m, const struct bw_answer *why)
{
	bool is_passing = why && bw_trouble_is_passing(why->trouble);

	if (!why || (!is_passing && why->trouble != BW_TROUBLE_MALFORMED))
		return;
	if (!m->held || (is_passing && !bw_trouble_is_passing(m->held->trouble)))
		m->held = why;
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

static void doubt(struct matter *m)
{
	m->is_doubtful = true;
	hold(m, m->old.missing);
	hold(m, m->new.missing);
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
static void choose_named(struct matter *m)
{
	const struct bw_image *old = bw_images_for(&m->old, m->q->want);
	const struct bw_image *new = bw_images_for(&m->new, m->q->want);
	bool is_open = is_open_choice(&m->old, old) || is_open_choice(&m->new, new);

	m->named_old = old;
	m->named_new = new;
	if (old && new) {
		m->named = bw_pair_of(old, new);
		m->judged = &m->named;
		m->judged_count = 1;
		is_open = is_partial_index(&m->old) || is_partial_index(&m->new);
	} else if (!is_open) {
		m->is_apart = old || new;
	}
	if (is_open)
		doubt(m);
}

/* All platforms that both have. One that only one of them has is no matter for builds that name none. */
static void choose_common(struct matter *m)
{
	const struct bw_pairs *p = &m->pairs;
	/* Of two single images the platforms may be unknown: they are compared all the same. */
	bool has_index = m->old.is_index || m->new.is_index;

	m->judged = p->items;
	m->judged_count = p->count;
	if (is_unknown(&m->old) || is_unknown(&m->new)) {
		if (has_index || p->count == 0)
			doubt(m);
	} else {
		m->is_apart = p->count == 0 && p->added_count + p->removed_count > 0;
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
static enum bw_pair_state compare_manifests(struct matter *m, const struct bw_pair *p)
{
	const struct bw_answer *no_old = bw_bodies_missing(m->bodies, &p->old->digest);
	const struct bw_answer *no_new = bw_bodies_missing(m->bodies, &p->new->digest);
	const struct bw_manifest *old, *new;

	if (no_old || no_new) {
		hold(m, no_old);
		hold(m, no_new);
		return BW_PAIR_MISSING;
	}
	old = bw_bodies_manifest(m->bodies, &p->old->digest);
	new = bw_bodies_manifest(m->bodies, &p->new->digest);
	if (!old || !new)
		return BW_PAIR_OPEN;
	if (old->kind != BW_MANIFEST_IMAGE || new->kind != BW_MANIFEST_IMAGE)
		return BW_PAIR_MISSING;
	if (!same_layers(old, new))
		return BW_PAIR_CONTENT;
	return bw_digest_equal(&old->config, &new->config) ? BW_PAIR_ANNOTATIONS : BW_PAIR_CONFIG;
}

/* Can no other pair change the class any more? */
static bool is_decisive(const struct matter *m, enum bw_pair_state state)
{
	bool differs = state == BW_PAIR_CONFIG || state == BW_PAIR_CONTENT || state == BW_PAIR_MISSING;

	return m->q->seen_number > 0 ? differs : state == BW_PAIR_CONTENT;
}

/* One pair after the other: mostly the first that differs decides. False: needs are open. */
static bool compare_pairs(struct matter *m)
{
	for (size_t i = 0; i < m->judged_count; i++) {
		struct bw_pair *p = &m->judged[i];

		if (p->state == BW_PAIR_EQUAL)
			continue;
		p->state = compare_manifests(m, p);
		if (p->state == BW_PAIR_OPEN)
			return false;
		if (is_decisive(m, p->state))
			break;
	}
	return true;
}

static const struct bw_config *read_config(struct matter *m, const struct bw_manifest *of, bool *is_open)
{
	const struct bw_config *c = bw_bodies_config(m->bodies, &of->config);
	const struct bw_answer *why = bw_bodies_missing(m->bodies, &of->config);

	hold(m, why);
	*is_open |= !c && !why;
	return c;
}

/* The digests prove that the configurations differ; the bodies tell in what, and whether the layers do so too. */
static void compare_configs(struct matter *m, struct bw_pair *p, bool *is_open)
{
	const struct bw_manifest *old = bw_bodies_peek_manifest(m->bodies, &p->old->digest);
	const struct bw_manifest *new = bw_bodies_peek_manifest(m->bodies, &p->new->digest);
	const struct bw_config *a, *b;

	/* Those of artifacts are anything. */
	if (!old || !new || !bw_digest_is_set(&old->config) || !bw_digest_is_set(&new->config) ||
	    !bw_config_is_type(old->config_type) || !bw_config_is_type(new->config_type))
		return;
	a = read_config(m, old, is_open);
	b = read_config(m, new, is_open);
	if (a && b && !same_diff_ids(a, b))
		p->state = BW_PAIR_CONTENT;
}

static bool has_state(const struct matter *m, enum bw_pair_state state)
{
	for (size_t i = 0; i < m->judged_count; i++)
		if (m->judged[i].state == state)
			return true;
	return false;
}

/*
 * Of the first pair alone: it lends the words. The same layers under other diff_ids are a registry's lie, for which not
 * every platform's configuration is worth two requests.
 */
static bool compare_one_config(struct matter *m)
{
	bool is_open = false;

	if (m->q->seen_number > 0 || has_state(m, BW_PAIR_CONTENT))
		return true;
	for (size_t i = 0; i < m->judged_count; i++) {
		if (m->judged[i].state != BW_PAIR_CONFIG)
			continue;
		compare_configs(m, &m->judged[i], &is_open);
		break;
	}
	return !is_open;
}

/* --- the decision ----------------------------------------------------------------------------- */

/* Is it known that something which counts has changed, whatever is missing? */
static bool is_proven(const struct matter *m)
{
	return m->is_apart || has_state(m, BW_PAIR_CONTENT) || has_state(m, BW_PAIR_CONFIG);
}

static enum bw_class class_of(const struct matter *m)
{
	bool is_undecided = m->is_doubtful || has_state(m, BW_PAIR_MISSING);

	if (!is_proven(m) && !is_undecided)
		return BW_CLASS_INDEX;
	if (m->q->seen_number > 0)
		return BW_CLASS_ROLLBACK;
	if (m->is_apart || has_state(m, BW_PAIR_CONTENT))
		return BW_CLASS_CONTENT;
	return is_undecided ? BW_CLASS_UNCLASSIFIED : BW_CLASS_CONFIG;
}

/* Might the class be another one if what is missing were there? A rollback might be none. */
static bool might_change(enum bw_class class)
{
	return class != BW_CLASS_CONTENT && class != BW_CLASS_INDEX;
}

static void answer(const struct matter *m, struct bw_classed *ret)
{
	enum bw_class class = class_of(m);
	const struct bw_findings f = {
		.q = m->q,
		.class = class,
		.old = &m->old,
		.new = &m->new,
		.pairs = &m->pairs,
		.judged = m->judged,
		.judged_count = m->judged_count,
		.named_old = m->named_old,
		.named_new = m->named_new,
		.is_doubtful = m->is_doubtful,
	};

	*ret = (struct bw_classed){
		.class = class,
		.moved = bw_moved_words(m->bodies, &f),
		.held_by = might_change(class) ? m->held : NULL,
	};
}

/* Decides by the images; false: needs are open. */
static bool decide(struct matter *m, struct bw_classed *ret)
{
	bool is_settled;

	if (!list_images(m))
		return false;
	bw_pairs_make(&m->old, &m->new, &m->pairs);
	if (is_named(m))
		choose_named(m);
	else
		choose_common(m);
	/* What is not known of the indexes leaves nothing but a rollback. */
	is_settled = m->is_doubtful && m->q->seen_number > 0;
	if (!is_settled && !(compare_pairs(m) && compare_one_config(m)))
		return false;
	answer(m, ret);
	return true;
}

/*
 * One of the two top manifests is missing; false: none is. Without the new one nothing can be said, without the old one
 * only whether the new one is an old acquaintance. The new one is fetched in any case: it is the old one of the next
 * change.
 */
static bool decide_without(struct matter *m, struct bw_classed *ret)
{
	const struct bw_answer *no_old = bw_bodies_missing(m->bodies, m->q->from);
	const struct bw_answer *no_new = bw_bodies_missing(m->bodies, m->q->to);
	enum bw_class class = BW_CLASS_UNCLASSIFIED;

	if (!no_new && !no_old)
		return false;
	if (!no_new && !bw_bodies_manifest(m->bodies, m->q->to))
		return true; /* with an open need */
	if (no_new) {
		m->held = no_new;
	} else {
		hold(m, no_old);
		if (m->q->seen_number > 0)
			class = BW_CLASS_ROLLBACK;
	}
	*ret = (struct bw_classed){
		.class = class, .moved = bw_moved_without(m->bodies, m->q, class), .held_by = m->held};
	return true;
}

void bw_classify(struct bw_bodies *b, const struct bw_class_question *q, struct bw_classed *ret)
{
	struct matter m = {.bodies = b, .q = q};

	*ret = (struct bw_classed){.class = BW_CLASS_UNCLASSIFIED};
	if (bw_digest_equal(q->from, q->to))
		*ret = (struct bw_classed){.class = BW_CLASS_INDEX, .moved = bw_strdup("the same digest")};
	else if (!decide_without(&m, ret))
		(void)decide(&m, ret);
	bw_pairs_done(&m.pairs);
	bw_images_done(&m.old);
	bw_images_done(&m.new);
	if (!ret->moved)
		ret->moved = bw_strdup("");
}
