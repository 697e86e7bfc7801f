/*
 * moved.h - what moved, in words. Pure. The most telling comes first, because the end may be cut off; of a list the
 * first three are named.
 */
#ifndef BW_WATCH_MOVED_H
#define BW_WATCH_MOVED_H

#include "image/class.h"
#include "watch/classify.h"
#include "watch/pairs.h"

#define BW_MOVED_MAX 240 /* bytes; longer texts are cut, with "..." */

/* What the decision was made of. */
struct bw_findings {
	const struct bw_class_question *q;
	const struct bw_platform *want; /* os "": no platform is named */
	enum bw_class class;
	const struct bw_images *old, *new;
	const struct bw_pairs *pairs; /* by platform, whatever is wanted */
	/* What decided: all pairs, compared, or what a build for the named platform took and would take. */
	const struct bw_pair *judged;
	size_t judged_count;
	const struct bw_image *named_old, *named_new; /* with a named platform; NULL: there is none for it */
	bool is_doubtful; /* a part of the indexes that might matter is not known */
	/*
	 * What moved besides the images, in words: the same for every wanted platform, so whoever needs it first puts
	 * it here, where NULL was.
	 */
	char **rest;
};

/* A new string. Bodies are only looked up. Linear in the number of pairs, but for the making of `rest`. */
char *bw_moved_words(const struct bw_bodies *b, const struct bw_findings *f);
/* The same when one of the two top manifests cannot be had. */
char *bw_moved_without(const struct bw_bodies *b, const struct bw_class_question *q, enum bw_class class);

#endif
