#include "image/successor.h"

/* Gone for good: nobody will ever know what it was. */
static bool is_gone(const struct bw_answer *why)
{
	return why && bw_trouble_is_absence(why->trouble);
}

static bool has_platform(const struct bw_platform *p)
{
	return p && p->os[0] != '\0';
}

static void move_to_tag(const struct bw_pin_question *q, struct bw_successor *ret)
{
	ret->kind = BW_SUCCESSION_TAG;
	ret->digest = *q->tag;
}

/* Is it known that nothing behind the tag is for the platform that the use names? */
static bool lacks_platform(const struct bw_images *now, const struct bw_pin_question *q)
{
	return has_platform(q->want) && now->is_index && now->is_complete && !now->problem &&
	       !bw_images_for(now, q->want);
}

/* The tag's digest serves every platform, so it is right whatever the pin was; only narrower it may have been. */
static void move_unseen(const struct bw_bodies *b, const struct bw_images *now,
			const struct bw_pin_question *q, struct bw_successor *ret)
{
	if (!is_gone(bw_bodies_missing(b, q->pinned))) {
		ret->kind = BW_SUCCESSION_PIN_UNSEEN;
		return;
	}
	move_to_tag(q, ret);
	ret->is_pin_gone = true;
	ret->lacks = lacks_platform(now, q);
}

/* The platform that the pin is for: what the use names, else what the pinned image says of itself. */
static bool find_platform(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_successor *ret)
{
	BW_AUTOIMAGES struct bw_images old = {0};

	if (has_platform(q->want)) {
		ret->platform = *q->want;
		return true;
	}
	bw_images_list(b, q->pinned, &old);
	if (old.count > 0)
		ret->platform = old.items[0].platform;
	if (has_platform(&ret->platform))
		return true;
	ret->kind = !old.is_complete && !is_gone(old.missing) ? BW_SUCCESSION_PLATFORM_UNSEEN
							      : BW_SUCCESSION_NO_PLATFORM;
	return false;
}

static void move_child(struct bw_bodies *b, const struct bw_images *now, const struct bw_pin_question *q,
		       struct bw_successor *ret)
{
	const struct bw_image *image;

	if (!find_platform(b, q, ret))
		return;
	image = bw_images_for(now, &ret->platform);
	ret->kind = image ? BW_SUCCESSION_CHILD : BW_SUCCESSION_LACK;
	if (image)
		ret->digest = image->digest;
}

/* The pin is nothing that the tag has. */
static void follow_tag(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_successor *ret)
{
	BW_AUTOIMAGES struct bw_images now = {0};
	const struct bw_manifest *old;

	/* A pin to a tag of one image can only be that image: what it was before need not be fetched. */
	if (bw_manifest_kind_of(q->tag_media_type) == BW_MANIFEST_IMAGE) {
		move_to_tag(q, ret);
		return;
	}
	bw_images_list(b, q->tag, &now);
	old = now.is_index ? bw_bodies_manifest(b, q->pinned) : NULL;
	if (now.is_index && !old) {
		move_unseen(b, &now, q, ret);
	} else if (old && old->kind == BW_MANIFEST_IMAGE) {
		move_child(b, &now, q, ret);
	} else {
		move_to_tag(q, ret);
		ret->lacks = lacks_platform(&now, q);
	}
}

void bw_successor_find(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_successor *ret)
{
	*ret = (struct bw_successor){.kind = BW_SUCCESSION_NONE};
	bw_pin_decide(b, q, &ret->pinned);
	if (ret->pinned.pin == BW_PIN_OTHER)
		follow_tag(b, q, ret);
	else if (ret->pinned.pin == BW_PIN_UNDECIDED)
		ret->kind = BW_SUCCESSION_TAG_UNSEEN;
}
