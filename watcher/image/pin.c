/*
 * pin.c - is a pinned digest what the tag has now? See image/pin.h. What a client would take for the tag, and what
 * the pin gives, are images behind a digest: image/images.h says which.
 */
#include "image/pin.h"

#include <string.h>

static bool has_platform(const struct bw_platform *p)
{
	return p && p->os[0] != '\0';
}

/* The entry for the wanted platform, else the first, because one image may be there for several; NULL: none. */
static const struct bw_image *find_image(const struct bw_images *x, const struct bw_pin_question *q)
{
	const struct bw_image *found = NULL;

	for (size_t i = 0; i < x->count; i++) {
		const struct bw_image *image = &x->items[i];

		if (!bw_digest_equal(&image->digest, q->pinned))
			continue;
		if (!has_platform(q->want) || bw_platform_distance(q->want, &image->platform) >= 0)
			return image;
		found = found ? found : image;
	}
	return found;
}

static bool is_nested(const struct bw_images *x, const struct bw_digest *d)
{
	for (size_t i = 0; i < x->index_count; i++)
		if (bw_digest_equal(&x->indexes[i], d))
			return true;
	return false;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* A nested index is what the tag has when it gives the same image. Its bodies are known: it is part of the tag. */
static bool gives_same_image(struct bw_bodies *b, const struct bw_pin_question *q,
			     const struct bw_images *tag)
{
	const struct bw_image *ours, *theirs;
	BW_AUTOIMAGES struct bw_images nested;

	bw_images_list(b, q->pinned, &nested);
	ours = bw_images_for(&nested, q->want);
	theirs = bw_images_for(tag, q->want);
	return ours && theirs && bw_digest_equal(&ours->digest, &theirs->digest);
}

/* `found`: the tag's entry with the pinned digest; NULL: there is none. */
static bool is_what_tag_gives(struct bw_bodies *b, const struct bw_pin_question *q,
			      const struct bw_images *tag, const struct bw_image *found)
{
	const struct bw_image *theirs;

	if (is_nested(tag, q->pinned))
		return !has_platform(q->want) || gives_same_image(b, q, tag);
	if (!found || found->is_attestation)
		return false;
	if (!has_platform(q->want))
		return true;
	theirs = bw_images_for(tag, q->want);
	return theirs && bw_digest_equal(&theirs->digest, q->pinned);
}

/* --- what is known of the pinned image -------------------------------------------------------- */

static void judge_platform(const struct bw_pin_question *q, const struct bw_platform *have,
			   struct bw_pinned *ret)
{
	ret->have = *have;
	ret->is_misfit = ret->pin != BW_PIN_CHILD && has_platform(q->want) && has_platform(have) &&
			 !bw_platform_matches(q->want, have);
}

/* Without a wanted platform nothing is needed of the pinned manifest; what is known of it is taken. */
static void peek_pinned(const struct bw_bodies *b, const struct bw_pin_question *q, struct bw_pinned *ret)
{
	const struct bw_manifest *m = bw_bodies_peek_manifest(b, q->pinned);
	const struct bw_config *c;

	if (!m || m->kind != BW_MANIFEST_IMAGE || !bw_config_is_type(m->config_type))
		return;
	c = bw_bodies_peek_config(b, &m->config);
	if (c && !bw_platform_is_unknown(&c->platform))
		judge_platform(q, &c->platform, ret);
}

/* An index fits when it has something for the platform; a single image when it is for it, or for none. */
static void ask_pinned(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_pinned *ret)
{
	const struct bw_image *image;
	BW_AUTOIMAGES struct bw_images x;

	bw_images_list(b, q->pinned, &x);
	if (!x.is_complete || x.problem)
		return; /* not known, so not said */
	image = bw_images_for(&x, q->want);
	if (!image)
		ret->is_misfit = true;
	else if (!x.is_index)
		judge_platform(q, &image->platform, ret);
}

static void describe_pinned(struct bw_bodies *b, const struct bw_pin_question *q,
			    const struct bw_image *found, struct bw_pinned *ret)
{
	if (found && found->is_attestation)
		ret->is_misfit = has_platform(q->want);
	else if (found)
		judge_platform(q, &found->platform, ret);
	else if (has_platform(q->want))
		ask_pinned(b, q, ret);
	else
		peek_pinned(b, q, ret);
}

/* Is it, as far as is known, one image? Then whoever pinned it wants one image. */
static bool is_single(const struct bw_bodies *b, const struct bw_pin_question *q,
		      const struct bw_image *found)
{
	const struct bw_manifest *m = bw_bodies_peek_manifest(b, q->pinned);

	return found ? !found->is_attestation : m && m->kind == BW_MANIFEST_IMAGE;
}

/* --- the question ----------------------------------------------------------------------------- */

/*
 * Can more of the tag's bodies still change the answer? Not that of a use without a platform whose pin was found: any
 * image will do. With one, an image whose platform is not known yet may be the first for it.
 */
static bool is_settled(const struct bw_pin_question *q, const struct bw_images *tag,
		       const struct bw_image *found)
{
	if (tag->is_complete)
		return true;
	return !has_platform(q->want) &&
	       (is_nested(tag, q->pinned) || (found && has_platform(&found->platform)));
}

static void compare_with_tag(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_pinned *ret)
{
	const struct bw_image *found;
	BW_AUTOIMAGES struct bw_images tag;

	bw_images_list(b, q->tag, &tag);
	found = find_image(&tag, q);
	if (!is_settled(q, &tag, found))
		return;
	if (is_what_tag_gives(b, q, &tag, found))
		ret->pin = BW_PIN_CHILD;
	else if (tag.problem)
		return; /* it may be in what was left out */
	else
		ret->pin = BW_PIN_OTHER;
	ret->is_child = is_single(b, q, found);
	describe_pinned(b, q, found, ret);
}

/* A tag with a single image has no children, and a pin is that image or another. */
static bool is_image_tag(const struct bw_bodies *b, const struct bw_pin_question *q)
{
	const struct bw_manifest *m = bw_bodies_peek_manifest(b, q->tag);

	return m ? m->kind == BW_MANIFEST_IMAGE : bw_manifest_kind_of(q->tag_media_type) == BW_MANIFEST_IMAGE;
}

void bw_pin_decide(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_pinned *ret)
{
	*ret = (struct bw_pinned){.pin = BW_PIN_UNDECIDED};
	if (!q->pinned || !bw_digest_is_set(q->pinned)) {
		ret->pin = BW_PIN_NONE;
	} else if (q->tag && bw_digest_is_set(q->tag)) {
		if (bw_digest_equal(q->pinned, q->tag))
			ret->pin = BW_PIN_EQUAL;
		else if (is_image_tag(b, q)) {
			ret->pin = BW_PIN_OTHER;
			describe_pinned(b, q, NULL, ret);
		} else {
			compare_with_tag(b, q, ret);
		}
	}
}
