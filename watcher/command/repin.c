#include "command/repin.h"

#include <stdlib.h>

#include "command/offer.h"
#include "command/wording.h"
#include "core/mem.h"
#include "image/successor.h"

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

/* A build goes wrong with what the tag has now, and would without a pin. */
static void note_lack(const struct bw_successor *s, struct bw_repin *x)
{
	BW_AUTOFREE char *before = NULL;
	char want[BW_PLATFORM_MAX];

	if (!s->lacks)
		return;
	before = BW_TAKE(x->note);
	bw_platform_format(&x->want, want);
	x->note = bw_asprintf("%s%swhat the tag has now has nothing for %s", before ? before : "",
			      before ? "; " : "", want);
}

static void note_gone(const struct bw_successor *s, struct bw_repin *x)
{
	char digest[BW_DIGEST_SHORT_MAX];

	x->note = bw_asprintf(
		"the registry no longer has %s, so nobody knows whether it was the image of one platform: "
		"pinned to the tag's digest%s",
		bw_digest_short(x->pinned.text, digest), s->lacks ? "" : ", which serves all");
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

static void move_to_tag(const struct bw_successor *s, struct bw_repin *x)
{
	move_to(x, &s->digest);
	if (s->is_pin_gone)
		note_gone(s, x);
	else
		note_misfit(&s->pinned, x);
	note_lack(s, x);
}

static void refuse_lack(struct bw_bodies *b, const struct bw_digest *tag, const struct bw_platform *platform,
			const char *name, struct bw_repin *x)
{
	BW_AUTOIMAGES struct bw_images now = {0};

	bw_images_list(b, tag, &now);
	settle(x, BW_REPIN_REFUSE, bw_offer_lack(&now, platform, name));
}

static void fail_tag(struct bw_bodies *b, const struct bw_digest *tag, struct bw_repin *x)
{
	BW_AUTOIMAGES struct bw_images now = {0};

	bw_images_list(b, tag, &now);
	if (now.problem)
		bw_repin_fail(x, bw_asprintf("cannot see what the tag has: %s", now.problem));
	else
		fail_for(x, "cannot see what the tag has", now.missing);
}

static void fail_platform(struct bw_bodies *b, struct bw_repin *x)
{
	BW_AUTOIMAGES struct bw_images old = {0};

	bw_images_list(b, &x->pinned, &old);
	fail_for(x, "cannot see which platform the pin is for", old.missing);
}

void bw_repin_decide(struct bw_bodies *b, const struct bw_answer *tag, const char *name, struct bw_repin *x)
{
	const struct bw_pin_question q = {
		.pinned = &x->pinned,
		.tag = &tag->digest,
		.tag_media_type = tag->media_type,
		.want = &x->want,
	};
	struct bw_successor s;

	if (!bw_digest_is_set(&x->pinned)) {
		move_to(x, &tag->digest);
		return;
	}
	bw_successor_find(b, &q, &s);
	switch (s.kind) {
	case BW_SUCCESSION_NONE:
		settle(x, BW_REPIN_KEEP, NULL);
		note_misfit(&s.pinned, x);
		break;
	case BW_SUCCESSION_TAG: move_to_tag(&s, x); break;
	case BW_SUCCESSION_CHILD:
		move_to(x, &s.digest);
		note_misfit(&s.pinned, x);
		break;
	case BW_SUCCESSION_TAG_UNSEEN: fail_tag(b, &tag->digest, x); break;
	case BW_SUCCESSION_PIN_UNSEEN:
		fail_for(x, "cannot see what the pin was", bw_bodies_missing(b, &x->pinned));
		break;
	case BW_SUCCESSION_PLATFORM_UNSEEN: fail_platform(b, x); break;
	case BW_SUCCESSION_NO_PLATFORM:
		settle(x, BW_REPIN_REFUSE,
		       bw_strdup("the pinned image does not say which platform it is for"));
		break;
	case BW_SUCCESSION_LACK: refuse_lack(b, &tag->digest, &s.platform, name, x); break;
	}
}
