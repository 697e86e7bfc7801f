/*
 * images.h - the images behind a digest: of an index its children, those of nested indexes included, each with its
 * platform; of a single manifest that one (OCI image-spec image-index.md).
 *
 * Where an index does not say which platform a child is for, the configuration of that image does; of a single
 * manifest it always does. Artifacts are left out, silently: no client takes one for an image. They are known by
 * the media type of their entry, and, where their platform has to be looked up, by that of their configuration. A
 * descriptor's `artifactType` is not heeded: clients choose by platform alone. Attestations are listed, as what
 * they are.
 */
#ifndef BW_IMAGE_IMAGES_H
#define BW_IMAGE_IMAGES_H

#include "image/bodies.h"

/* Beyond these, entries are left out or keep no platform, and `problem` says so. */
#define BW_IMAGES_MAX_DEPTH   3	   /* index in index in index */
#define BW_IMAGES_MAX_COUNT   1000 /* entries of all levels together */
#define BW_IMAGES_MAX_UNNAMED 64   /* children whose configuration is asked for their platform */

struct bw_image {
	struct bw_digest digest;
	int64_t size;		     /* of its manifest, bytes; 0: nobody says (a single manifest) */
	struct bw_platform platform; /* os "" when nobody says */
	/* Of its entry: compact JSON with sorted keys; NULL: none. The bodies' memory. */
	const char *annotations;
	bool is_attestation; /* not something to run; it has no platform */
};

struct bw_images {
	struct bw_image *items; /* in the order of the index, nested ones in their place */
	size_t count;
	bool is_index;
	bool is_complete; /* false: `bodies` lacks something that was noted as a need, or is missing for good */
	const struct bw_answer *missing; /* what of it cannot be had, the first; NULL: nothing */
	char *problem;			 /* why something was left out or not looked up; NULL: nothing was */
	struct bw_digest *indexes;	 /* of an index: its own digest, then those of the nested ones */
	size_t index_count;
};

/*
 * The caller frees with bw_images_done(), before the bodies. A nested index that is there twice is listed once:
 * what it repeats, no client takes.
 */
void bw_images_list(struct bw_bodies *b, const struct bw_digest *top, struct bw_images *ret);
void bw_images_done(struct bw_images *x);

/*
 * What a build for `want` would take: the image whose platform is nearest (bw_platform_distance()), the first of
 * equals; else, where there is only one image at all and it names no platform or is a single manifest, that one
 * (builders take it with a warning). NULL: none.
 * Without a wanted platform (NULL or os "") only an only image is sure.
 */
const struct bw_image *bw_images_for(const struct bw_images *x, const struct bw_platform *want);

/* Is this the first image of its platform? Clients take no other (image-index.md). False for attestations. */
bool bw_images_is_first(const struct bw_images *x, const struct bw_image *image);

#define BW_AUTOIMAGES BW_CLEANUP(bw_images_done)

#endif
