/*
 * pairs.h - the images behind two digests side by side, by platform. Pure.
 *
 * Of each platform the first image counts, clients take no other (image-index.md). Windows builds pair although the
 * last part of their os.version moves with every patch (protocols: platform selection).
 */
#ifndef BW_WATCH_PAIRS_H
#define BW_WATCH_PAIRS_H

#include "image/images.h"

enum bw_pair_state {
	BW_PAIR_EQUAL,	     /* one digest */
	BW_PAIR_OPEN,	     /* two digests, not compared */
	BW_PAIR_ANNOTATIONS, /* two manifests with the same layers and configuration */
	BW_PAIR_CONFIG,	     /* the same layers, another configuration */
	BW_PAIR_CONTENT,     /* other layers, or other diff_ids */
	BW_PAIR_MISSING,     /* cannot be compared */
	BW_PAIR_STATE_COUNT,
};

struct bw_pair {
	const struct bw_image *old, *new;
	enum bw_pair_state state;
};

/* The pointers lead into the two lists. */
struct bw_pairs {
	struct bw_pair *items; /* linux/amd64 first, the others in the order of the new index */
	size_t count;
	const struct bw_image **added; /* platforms that only the new one has, in its order */
	size_t added_count;
	const struct bw_image **removed; /* those that only the old one has */
	size_t removed_count;
	bool is_reordered; /* the paired images stand in another order */
};

/* EQUAL or OPEN, by the digests. */
struct bw_pair bw_pair_of(const struct bw_image *old, const struct bw_image *new);

/* Two single images always pair, unless both say their platforms, and these differ. */
void bw_pairs_make(const struct bw_images *old, const struct bw_images *new, struct bw_pairs *ret);
void bw_pairs_done(struct bw_pairs *p);

#endif
