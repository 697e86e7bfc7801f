/*
 * successor.h - to which digest should a pin move? Pure.
 *
 * A pin to one platform's image of an index stays one: it moves to what the tag has for that platform now. Everything
 * else moves to the tag's own digest, which holds for every platform.
 */
#ifndef BW_IMAGE_SUCCESSOR_H
#define BW_IMAGE_SUCCESSOR_H

#include "image/pin.h"

enum bw_succession {
	BW_SUCCESSION_NONE,  /* it need not move: it is what the tag has, or there is no pin */
	BW_SUCCESSION_TAG,   /* to the tag's digest */
	BW_SUCCESSION_CHILD, /* to the image that the tag has for `platform` */

	/* Nobody can say, or not before the needs are met. */
	BW_SUCCESSION_TAG_UNSEEN,      /* what the tag has */
	BW_SUCCESSION_PIN_UNSEEN,      /* what the pin was */
	BW_SUCCESSION_PLATFORM_UNSEEN, /* which platform the pin is for */

	/* No digest would be right. */
	BW_SUCCESSION_NO_PLATFORM, /* the pinned image does not say which platform it is for */
	BW_SUCCESSION_LACK,	   /* the tag has nothing for `platform` */
};

struct bw_successor {
	enum bw_succession kind;
	struct bw_digest digest;     /* of TAG and CHILD; else unset */
	struct bw_platform platform; /* of CHILD and LACK */
	struct bw_pinned pinned;     /* what bw_pin_decide() said */
	bool is_pin_gone; /* of TAG: the registry no longer has what was pinned, so it may have been one image */
	bool lacks;	  /* of TAG: what the tag has now has nothing for the platform that the use names */
};

/* Notes needs, and decides on what is there; to be called again when they are met. */
void bw_successor_find(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_successor *ret);

#endif
