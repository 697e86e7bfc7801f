/*
 * lookup.h - asks the registries for single images: their digest, what is in them, and their manifest.
 */
#ifndef BW_COMMAND_LOOKUP_H
#define BW_COMMAND_LOOKUP_H

#include "command/args.h"
#include "image/images.h"

/* One IMAGE of the command line: what was written, then what the registry said. */
struct bw_lookup {
	const char *written;
	struct bw_reference parts;
	char *reference; /* normal form; NULL: `is_bad` */
	bool is_bad;	 /* not a reference at all */
	char *error;	 /* it ended there; NULL: it did not */

	struct bw_digest digest;
	char media_type[BW_MEDIA_TYPE_MAX];
	int64_t size; /* of the manifest; -1: not known */
	struct bw_images images;
	/* The image for the platform that was asked for, or a single one; of `images`. NULL: neither */
	const struct bw_image *image;
	char *trouble;	     /* the digest is right, but not everything in it could be had; NULL: it could */
	struct bw_buf bytes; /* the manifest, with --manifest */

	struct bw_answer answer;
	struct bw_bodies *bodies;
	struct bw_lookups *all;
	bool is_done;
};

/* Parses; a bad reference is an error of that lookup. */
void bw_lookup_init(struct bw_lookup *x, const char *written);
void bw_lookup_done(struct bw_lookup *x);

/*
 * Asks for all of them. With a platform in `a` digest, media type and size are those of the image for it, with
 * --manifest the bytes are fetched too. What an interruption left open has an error.
 */
int bw_lookup_all(struct bw_lookup *images, size_t count, const struct bw_args *a, bool *ret_interrupted,
		  struct bw_err *err) BW_NODISCARD;

#endif
