/*
 * tally.h - what came of asking a mirror, and whether it is of use now. What says something about the mirror as a whole (no
 * connection, no TLS, a log-in that fails) makes it useless at once; what may be about one image, several times in a row.
 * One answer that is of use makes it usable again.
 */
#ifndef BW_REGISTRY_TALLY_H
#define BW_REGISTRY_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "image/answer.h"

struct bw_mirror;

struct bw_tally {
	char *name, *host; /* of the mirror: for people, and as its messages begin */
	uint64_t good, bad;
	unsigned bad_in_row;
	bool is_off;
	char why[BW_ANSWER_MESSAGE_MAX];     /* of the last bad one, without the name; "" */
	char absence[BW_ANSWER_MESSAGE_MAX]; /* of the last that lacked something, good or bad */
};

void bw_tally_init(struct bw_tally *t, const struct bw_mirror *m);
void bw_tally_done(struct bw_tally *t);

/* True: with this one it turned; then `is_off` says to what. */
bool bw_tally_good(struct bw_tally *t);
bool bw_tally_bad(struct bw_tally *t, enum bw_trouble trouble, const char *why);

/* A message of the mirror without its name, which it begins with, if it does. */
const char *bw_tally_words(const struct bw_tally *t, const char *message);

#endif
