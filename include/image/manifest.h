/*
 * manifest.h - what a manifest body says (OCI image-spec manifest.md, image-index.md; Docker schema 2). Pure:
 * bytes in, values out; hostile input is capped and gives an error.
 */
#ifndef BW_IMAGE_MANIFEST_H
#define BW_IMAGE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "image/digest.h"
#include "image/platform.h"

enum bw_manifest_kind { BW_MANIFEST_UNKNOWN, BW_MANIFEST_INDEX, BW_MANIFEST_IMAGE };

#define BW_MEDIA_TYPE_MAX     128
#define BW_MANIFEST_MAX_CHILD 1000 /* children of one index; real ones have tens */

/* The Accept header that every manifest request carries: both index and both manifest types. */
#define BW_MANIFEST_ACCEPT                                            \
	"application/vnd.oci.image.index.v1+json, "                   \
	"application/vnd.docker.distribution.manifest.list.v2+json, " \
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"

struct bw_child {
	struct bw_digest digest;
	int64_t size; /* bytes */
	char media_type[BW_MEDIA_TYPE_MAX];
	struct bw_platform platform; /* os "" when the descriptor has none */
	bool is_attestation;	     /* unknown/unknown, or annotation vnd.docker.reference.type */
};

struct bw_manifest {
	enum bw_manifest_kind kind;
	char media_type[BW_MEDIA_TYPE_MAX];
	struct bw_child *children; /* of an index, in its order */
	size_t child_count;
};

/* Kind of a media type; parameters and case are ignored. Schema 1 is BW_MANIFEST_UNKNOWN. */
enum bw_manifest_kind bw_manifest_kind_of(const char *media_type);

/*
 * Parses a body. `content_type` is the response's (may be NULL): an OCI index may lack `mediaType`, then the
 * content type decides, then the shape. Both `manifests` and `layers` is refused (media-type confusion).
 * BW_E_PEER on malformed input, BW_E_LIMIT beyond the caps. The caller frees with bw_manifest_done().
 */
int bw_manifest_parse(const char *body, size_t len, const char *content_type, struct bw_manifest *ret,
		      struct bw_err *err) BW_NODISCARD;
void bw_manifest_done(struct bw_manifest *m);

/*
 * Is `digest` a child image of this index that a build for `want` would get? Without a wanted platform (NULL
 * or empty) any image child counts; attestations and nested indexes never do. Of several with the same
 * platform the first counts; one that names no platform counts when it is the only image.
 */
bool bw_manifest_has_child(const struct bw_manifest *m, const struct bw_digest *digest,
			   const struct bw_platform *want);

#endif
