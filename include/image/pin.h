/*
 * pin.h - is a pinned digest what the tag has now? Pure.
 */
#ifndef BW_IMAGE_PIN_H
#define BW_IMAGE_PIN_H

#include "image/images.h"

enum bw_pin {
	BW_PIN_NONE,  /* the use has no digest of its own */
	BW_PIN_EQUAL, /* the tag's digest */
	BW_PIN_CHILD, /* a child of the tag's index for the use's platform, or a nested index that gives it */
	BW_PIN_OTHER, /* neither */
	BW_PIN_UNDECIDED, /* not the tag's digest, and too little is known of that */
};

struct bw_pin_question {
	const struct bw_digest *pinned;
	const struct bw_digest *tag;
	const char *tag_media_type;	/* as the registry said; "" or NULL: not known */
	const struct bw_platform *want; /* of the use; NULL or os "": none named, any image will do */
};

struct bw_pinned {
	enum bw_pin pin;
	bool is_child; /* the pin is, or was, one image while the tag has an index: a new pin should be one too */
	/* The platform of the pinned image, as far as it is known; os "". */
	struct bw_platform have;
	bool is_misfit; /* the use names a platform, and the pinned manifest has nothing for it */
};

/*
 * Notes needs: the tag's manifest with what is in it, and where the pin is none of that, and the use names a
 * platform, the pinned manifest with its configuration. UNDECIDED only while something of the tag is missing, or
 * was left out of it (struct bw_images); `have`, `is_child` and `is_misfit` are then not known either. Nothing is
 * needed for a pin that equals the tag's digest, and nothing is said of it. Of a tag that is an image nothing is
 * needed: then a pin is that or another. Without a wanted platform the pinned manifest is not needed, but
 * `is_child` and `have` are taken from it where it is known.
 */
void bw_pin_decide(struct bw_bodies *b, const struct bw_pin_question *q, struct bw_pinned *ret);

#endif
