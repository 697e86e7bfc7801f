#include "command/repin.h"

#include <stdlib.h>

#include "command/offer.h"
#include "command/wording.h"
#include "core/mem.h"
#include "image/pin.h"

void bw_repin_done(struct bw_repin *x)
{
	free(x->reason);
	free(x->note);
	x->reason = NULL;
	x->note = NULL;
}

static void settle(struct bw_repin *x, enum bw_repin_outcome outcome, char *reason)
{
	bw_repin_done(x);
	x->outcome = outcome;
	x->reason = reason;
}

static void move_to(struct bw_repin *x, const struct bw_digest *d)
{
	settle(x, BW_REPIN_MOVE, NULL);
	x->digest = *d;
}

void bw_repin_fail(struct bw_repin *x, char *reason)
{
	settle(x, BW_REPIN_UNKNOWN, reason);
}

/* `why` NULL: the need is not met yet, and this is called again. */
static void fail_for(struct bw_repin *x, const char *what, const struct bw_answer *why)
{
	BW_AUTOFREE char *words = why ? bw_wording_of_digest(why) : NULL;

	bw_repin_fail(x, words ? bw_asprintf("%s: %s", what, words) : bw_strdup(what));
}

/* Gone for good: nobody will ever know what it was. */
static bool is_gone(const struct bw_answer *why)
{
	return why && bw_trouble_is_absence(why->trouble);
}

/* Is it known that nothing behind the tag is for the platform that the use names? */
static bool lacks_platform(const struct bw_images *now, const struct bw_repin *x)
{
	return x->want.os[0] && now->is_index && now->is_complete && !now->problem &&
	       !bw_images_for(now, &x->want);
}

/* A build goes wrong with what the tag has now, and would without a pin. */
static void note_lack(const struct bw_images *now, struct bw_repin *x)
{
	BW_AUTOFREE char *before = NULL;
	char want[BW_PLATFORM_MAX];

	if (!lacks_platform(now, x))
		return;
	before = BW_TAKE(x->note);
	bw_platform_format(&x->want, want);
	x->note = bw_asprintf("%s%swhat the tag has now has nothing for %s", before ? before : "",
			      before ? "; " : "", want);
}

/* The tag's digest serves every platform, so it is right whatever the pin was; only narrower it may have been. */
static void move_unseen(struct bw_bodies *b, const struct bw_answer *tag, const struct bw_images *now,
			struct bw_repin *x)
{
	const struct bw_answer *why = bw_bodies_missing(b, &x->pinned);
	char digest[BW_DIGEST_SHORT_MAX];

	if (!is_gone(why)) {
		fail_for(x, "cannot see what the pin was", why);
		return;
	}
	move_to(x, &tag->digest);
	x->note = bw_asprintf(
		"the registry no longer has %s, so nobody knows whether it was the image of one platform: "
		"pinned to the tag's digest%s",
		bw_digest_short(x->pinned.text, digest), lacks_platform(now, x) ? "" : ", which serves all");
	note_lack(now, x);
}

/* The platform that the pin is for: what the use names, else what the pinned image says of itself. */
static bool find_platform(struct bw_bodies *b, struct bw_repin *x, struct bw_platform *ret)
{
	BW_AUTOIMAGES struct bw_images old = {0};

	*ret = x->want;
	if (ret->os[0])
		return true;
	bw_images_list(b, &x->pinned, &old);
	if (old.count > 0)
		*ret = old.items[0].platform;
	if (ret->os[0])
		return true;
	if (!old.is_complete && !is_gone(old.missing))
		fail_for(x, "cannot see which platform the pin is for", old.missing);
	else
		settle(x, BW_REPIN_REFUSE,
		       bw_strdup("the pinned image does not say which platform it is for"));
	return false;
}

static void note_misfit(const struct bw_pinned *p, struct bw_repin *x)
{
	char have[BW_PLATFORM_MAX], want[BW_PLATFORM_MAX];

	if (!p->is_misfit)
		return;
	bw_platform_format(&p->have, have);
	bw_platform_format(&x->want, want);
	if (have[0])
		x->note = bw_asprintf("the pinned image is for %s, the build for %s", have, want);
	else
		x->note = bw_asprintf("what it is pinned to has nothing for %s", want);
}

/* To the tag's digest, from something that was no single image. */
static void move_whole(const struct bw_answer *tag, const struct bw_images *now, const struct bw_pinned *p,
		       struct bw_repin *x)
{
	move_to(x, &tag->digest);
	note_misfit(p, x);
	note_lack(now, x);
}

static void move_child(struct bw_bodies *b, const struct bw_images *now, const struct bw_pinned *p,
		       const char *name, struct bw_repin *x)
{
	const struct bw_image *image;
	struct bw_platform platform;

	if (!find_platform(b, x, &platform))
		return;
	image = bw_images_for(now, &platform);
	if (!image) {
		settle(x, BW_REPIN_REFUSE, bw_offer_lack(now, &platform, name));
		return;
	}
	move_to(x, &image->digest);
	note_misfit(p, x);
}

/* The pin is nothing that the tag has. */
static void follow_tag(struct bw_bodies *b, const struct bw_answer *tag, const struct bw_pinned *p,
		       const char *name, struct bw_repin *x)
{
	BW_AUTOIMAGES struct bw_images now = {0};
	const struct bw_manifest *old;

	/* A pin to a tag of one image can only be that image: what it was before need not be fetched. */
	if (bw_manifest_kind_of(tag->media_type) == BW_MANIFEST_IMAGE) {
		move_to(x, &tag->digest);
		note_misfit(p, x);
		return;
	}
	bw_images_list(b, &tag->digest, &now);
	old = now.is_index ? bw_bodies_manifest(b, &x->pinned) : NULL;
	if (now.is_index && !old) {
		move_unseen(b, tag, &now, x);
	} else if (old && old->kind == BW_MANIFEST_IMAGE) {
		move_child(b, &now, p, name, x);
	} else {
		move_whole(tag, &now, p, x);
	}
}

void bw_repin_decide(struct bw_bodies *b, const struct bw_answer *tag, const char *name, struct bw_repin *x)
{
	const struct bw_pin_question q = {
		.pinned = &x->pinned,
		.tag = &tag->digest,
		.tag_media_type = tag->media_type,
		.want = &x->want,
	};
	BW_AUTOIMAGES struct bw_images now = {0};
	struct bw_pinned p = {0};

	if (!bw_digest_is_set(&x->pinned)) {
		move_to(x, &tag->digest);
		return;
	}
	bw_pin_decide(b, &q, &p);
	switch (p.pin) {
	case BW_PIN_NONE:
	case BW_PIN_EQUAL:
	case BW_PIN_CHILD:
		settle(x, BW_REPIN_KEEP, NULL);
		note_misfit(&p, x);
		break;
	case BW_PIN_OTHER: follow_tag(b, tag, &p, name, x); break;
	case BW_PIN_UNDECIDED:
		bw_images_list(b, &tag->digest, &now);
		if (now.problem)
			bw_repin_fail(x, bw_asprintf("cannot see what the tag has: %s", now.problem));
		else
			fail_for(x, "cannot see what the tag has", now.missing);
		break;
	}
}
