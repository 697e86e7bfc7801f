/*
 * offer.h - the platforms that an image is there for. Pure.
 */
#ifndef BW_COMMAND_OFFER_H
#define BW_COMMAND_OFFER_H

#include "image/images.h"

/*
 * What there is for `want`, and nothing else: unlike builders, an image that is known to be for another platform is
 * not taken because it is the only one. NULL: none.
 */
const struct bw_image *bw_offer_pick(const struct bw_images *x, const struct bw_platform *want);

/* "no linux/riscv64 in debian:12; it has linux/amd64, linux/arm64". A new string. */
char *bw_offer_lack(const struct bw_images *x, const struct bw_platform *want, const char *name);

#endif
