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
#define BW_MANIFEST_MAX_CHILD 1000	  /* children of one index; real ones have tens */
#define BW_MANIFEST_MAX_LAYER 1000	  /* layers of one image; builders stop at 127 */
#define BW_ANNOTATIONS_MAX    (64U << 10) /* of one entry; longer ones are left out as if there were none */

/* The Accept header that every manifest request carries: both index and both manifest types. */
#define BW_MANIFEST_ACCEPT                                            \
	"application/vnd.oci.image.index.v1+json, "                   \
	"application/vnd.docker.distribution.manifest.list.v2+json, " \
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"

struct bw_child {
	struct bw_digest digest;
	int64_t size; /* bytes */
	char media_type[BW_MEDIA_TYPE_MAX];
	enum bw_manifest_kind kind;  /* of that media type */
	struct bw_platform platform; /* os "" when the descriptor has none */
	bool is_attestation;	     /* unknown/unknown, or annotation vnd.docker.reference.type */
	char *annotations;	     /* compact JSON with sorted keys; NULL: none */
};

struct bw_layer {
	struct bw_digest digest;
	int64_t size; /* bytes, as stored (compressed) */
};

struct bw_manifest {
	enum bw_manifest_kind kind;
	char media_type[BW_MEDIA_TYPE_MAX];
	struct bw_child *children; /* of an index, in its order */
	size_t child_count;
	struct bw_layer *layers; /* of an image, lowest first */
	size_t layer_count;
	struct bw_digest config; /* of an image; unset when it has none */
	char config_type[BW_MEDIA_TYPE_MAX];
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

#endif
