/*
 * manifest.c - manifests and indexes: OCI image-spec manifest.md and image-index.md, Docker schema 2. What
 * one says of itself (mediaType), what its registry says (Content-Type) and what it looks like must agree:
 * otherwise two clients could read two different images out of one digest (image-spec, note on media-type
 * confusion).
 */
#include "image/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"
#include "image/body.h"
#include "image/quote.h"

#define OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define OCI_IMAGE    "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_LIST  "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"
#define SCHEMA1	     "application/vnd.docker.distribution.manifest.v1+json"
#define SCHEMA1_JWS  "application/vnd.docker.distribution.manifest.v1+prettyjws"

#define ATTESTATION_KEY "vnd.docker.reference.type" /* BuildKit's mark on attestation children */

static const struct bw_body_rules rules = {.name = "manifest", .max_bytes = BW_MAX_MANIFEST_BYTES};

static const struct {
	const char *media_type;
	enum bw_manifest_kind kind;
} kinds[] = {
	{OCI_INDEX, BW_MANIFEST_INDEX},
	{OCI_IMAGE, BW_MANIFEST_IMAGE},
	{DOCKER_LIST, BW_MANIFEST_INDEX},
	{DOCKER_IMAGE, BW_MANIFEST_IMAGE},
};

/* --- media types ------------------------------------------------------------------------------ */

enum bw_manifest_kind bw_manifest_kind_of(const char *media_type)
{
	char stripped[BW_MEDIA_TYPE_MAX];

	if (!bw_body_strip_type(media_type, stripped))
		return BW_MANIFEST_UNKNOWN;
	for (size_t i = 0; i < BW_COUNT(kinds); i++)
		if (bw_text_is_nocase(kinds[i].media_type, stripped))
			return kinds[i].kind;
	return BW_MANIFEST_UNKNOWN;
}

/* Retired, and its digest is that of a part of the body only: nothing that we could compare. */
static bool is_schema1_type(const char *media_type)
{
	return bw_text_is_nocase(media_type, SCHEMA1) || bw_text_is_nocase(media_type, SCHEMA1_JWS);
}

/* --- children of an index --------------------------------------------------------------------- */

/* Left zeroed when the descriptor has none. */
static int read_platform(const json_t *descriptor, const char *whose, struct bw_platform *ret,
			 struct bw_err *err)
{
	const json_t *platform = bw_body_member(descriptor, "platform");

	if (!platform)
		return 0;
	if (!json_is_object(platform))
		return bw_fail(err, BW_E_PEER, "%s: 'platform' is not an object", whose);
	return bw_body_platform(platform, whose, ret, err);
}

/* Kept to be compared; of use by themselves is only BuildKit's mark. */
static int read_annotations(const json_t *descriptor, const char *whose, struct bw_child *c,
			    struct bw_err *err)
{
	const json_t *annotations = bw_body_member(descriptor, "annotations");

	if (annotations && !json_is_object(annotations))
		return bw_fail(err, BW_E_PEER, "%s: 'annotations' is not an object", whose);
	c->is_attestation = bw_platform_is_unknown(&c->platform) ||
			    (annotations && bw_body_member(annotations, ATTESTATION_KEY));
	if (json_object_size(annotations) > 0)
		c->annotations = bw_body_dump(annotations, BW_ANNOTATIONS_MAX);
	return 0;
}

static int read_child(const json_t *descriptor, size_t index, struct bw_child *c, struct bw_err *err)
{
	char whose[BW_QUOTE_MAX];
	int rc;

	snprintf(whose, sizeof(whose), "entry %zu of the index", index + 1);
	if (!json_is_object(descriptor))
		return bw_fail(err, BW_E_PEER, "%s is not an object", whose);
	rc = bw_body_digest(descriptor, whose, &c->digest, err);
	if (rc == 0)
		rc = bw_body_media_type(descriptor, whose, c->media_type, err);
	c->kind = bw_manifest_kind_of(c->media_type);
	if (rc == 0)
		rc = bw_body_size(descriptor, whose, &c->size, err);
	if (rc == 0)
		rc = read_platform(descriptor, whose, &c->platform, err);
	if (rc == 0)
		rc = read_annotations(descriptor, whose, c, err);
	return rc;
}

/* `manifests` may be null, which Go writes for an empty list. Nested indexes are children like others. */
static int read_children(const json_t *root, struct bw_manifest *m, struct bw_err *err)
{
	const json_t *list = bw_body_member(root, "manifests");
	size_t count = json_array_size(list);

	if (list && !json_is_array(list))
		return bw_fail(err, BW_E_PEER, "'manifests' of the index is not a list");
	if (count > BW_MANIFEST_MAX_CHILD)
		return bw_fail(err, BW_E_LIMIT, "index has %zu entries, more than %d", count,
			       BW_MANIFEST_MAX_CHILD);
	if (count == 0)
		return 0;
	m->children = bw_alloc(count * sizeof(*m->children));
	m->child_count = count;
	for (size_t i = 0; i < count; i++) {
		int rc = read_child(json_array_get(list, i), i, &m->children[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- layers and configuration of an image ----------------------------------------------------- */

/* Layers that are not distributed ("foreign", of Windows) are layers like others: they have a digest. */
static int read_layer(const json_t *descriptor, size_t index, struct bw_layer *l, struct bw_err *err)
{
	char whose[BW_QUOTE_MAX];
	int rc;

	snprintf(whose, sizeof(whose), "layer %zu of the manifest", index + 1);
	if (!json_is_object(descriptor))
		return bw_fail(err, BW_E_PEER, "%s is not an object", whose);
	rc = bw_body_digest(descriptor, whose, &l->digest, err);
	return rc < 0 ? rc : bw_body_size(descriptor, whose, &l->size, err);
}

/* That it is a list, or not there, is known by now. */
static int read_layers(const json_t *root, struct bw_manifest *m, struct bw_err *err)
{
	const json_t *list = bw_body_member(root, "layers");
	size_t count = json_array_size(list);

	if (count > BW_MANIFEST_MAX_LAYER)
		return bw_fail(err, BW_E_LIMIT, "image has %zu layers, more than %d", count,
			       BW_MANIFEST_MAX_LAYER);
	if (count == 0)
		return 0;
	m->layers = bw_alloc(count * sizeof(*m->layers));
	m->layer_count = count;
	for (size_t i = 0; i < count; i++) {
		int rc = read_layer(json_array_get(list, i), i, &m->layers[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A descriptor without a digest describes nothing; it is taken as if it were not there. */
static int read_config(const json_t *root, struct bw_manifest *m, struct bw_err *err)
{
	static const char whose[] = "'config' of the manifest";
	const json_t *config = bw_body_member(root, "config");
	int rc;

	if (!config || !bw_body_member(config, "digest"))
		return 0;
	rc = bw_body_digest(config, whose, &m->config, err);
	return rc < 0 ? rc : bw_body_media_type(config, whose, m->config_type, err);
}

static int read_image(const json_t *root, struct bw_manifest *m, struct bw_err *err)
{
	int rc = read_config(root, m, err);

	return rc < 0 ? rc : read_layers(root, m, err);
}

/* --- what kind of manifest -------------------------------------------------------------------- */

/* Three witnesses: the body's own word, the response's word, and the shape. */
struct witness {
	char body_type[BW_MEDIA_TYPE_MAX];
	char content_type[BW_MEDIA_TYPE_MAX];
	bool has_manifests;
	bool has_layers;
};

static int check_version(const json_t *root, const struct witness *w, struct bw_err *err)
{
	const json_t *version = bw_body_member(root, "schemaVersion");

	if (is_schema1_type(w->body_type) || is_schema1_type(w->content_type) ||
	    bw_body_member(root, "fsLayers") ||
	    (json_is_integer(version) && json_integer_value(version) == 1))
		return bw_fail(err, BW_E_PEER,
			       "schema 1 image: a manifest format that was retired; the image has to be "
			       "pushed again");
	if (version && (!json_is_integer(version) || json_integer_value(version) != 2))
		return bw_fail(err, BW_E_PEER, "manifest has a 'schemaVersion' other than 2");
	return 0;
}

static int hear_witnesses(const json_t *root, const char *content_type, struct witness *w, struct bw_err *err)
{
	int rc = bw_body_media_type(root, "manifest", w->body_type, err);

	if (rc < 0)
		return rc;
	/* A Content-Type that is none says nothing; the body counts. */
	if (!bw_body_strip_type(content_type, w->content_type))
		w->content_type[0] = '\0';
	w->has_manifests = bw_body_member(root, "manifests");
	w->has_layers = bw_body_member(root, "layers") || bw_body_member(root, "config");
	return check_version(root, w, err);
}

/* The body's word counts most, then the response's, then the shape; none may contradict another. */
static int settle_kind(const json_t *root, const struct witness *w, enum bw_manifest_kind *ret,
		       struct bw_err *err)
{
	enum bw_manifest_kind kind = bw_manifest_kind_of(w->body_type);
	enum bw_manifest_kind told = bw_manifest_kind_of(w->content_type);

	if (w->has_manifests && w->has_layers)
		return bw_fail(err, BW_E_PEER,
			       "manifest is an index and an image at once ('manifests' and 'layers')");
	if (w->body_type[0] != '\0' && kind == BW_MANIFEST_UNKNOWN)
		return bw_fail(err, BW_E_PEER, "unknown kind of manifest: '%s'", w->body_type);
	if (kind != BW_MANIFEST_UNKNOWN && told != BW_MANIFEST_UNKNOWN && kind != told)
		return bw_fail(err, BW_E_PEER, "manifest says '%s', its registry says '%s'", w->body_type,
			       w->content_type);
	if (kind == BW_MANIFEST_UNKNOWN)
		kind = told;
	if (kind == BW_MANIFEST_UNKNOWN && w->has_layers)
		kind = BW_MANIFEST_IMAGE;
	if (kind == BW_MANIFEST_UNKNOWN && json_object_get(root, "manifests"))
		kind = BW_MANIFEST_INDEX;
	if (kind == BW_MANIFEST_UNKNOWN)
		return bw_fail(err, BW_E_PEER,
			       "neither an index nor an image: no 'mediaType', 'manifests' or 'layers'");
	*ret = kind;
	return 0;
}

/* Does the shape agree with the kind? */
static int check_shape(const json_t *root, const struct witness *w, enum bw_manifest_kind kind,
		       struct bw_err *err)
{
	const json_t *layers = bw_body_member(root, "layers");
	const json_t *config = bw_body_member(root, "config");

	if (kind == BW_MANIFEST_INDEX && w->has_layers)
		return bw_fail(err, BW_E_PEER, "manifest is called an index and has the layers of an image");
	if (kind == BW_MANIFEST_IMAGE && w->has_manifests)
		return bw_fail(err, BW_E_PEER,
			       "manifest is called an image and has the 'manifests' of an index");
	if (kind == BW_MANIFEST_INDEX && !json_object_get(root, "manifests"))
		return bw_fail(err, BW_E_PEER, "index has no 'manifests'");
	if (kind == BW_MANIFEST_IMAGE && !w->has_layers)
		return bw_fail(err, BW_E_PEER, "image manifest has neither 'config' nor 'layers'");
	if (layers && !json_is_array(layers))
		return bw_fail(err, BW_E_PEER, "'layers' of the manifest is not a list");
	if (config && !json_is_object(config))
		return bw_fail(err, BW_E_PEER, "'config' of the manifest is not an object");
	return 0;
}

/* Only OCI allows a body without `mediaType`, so without any word it is an OCI one. */
static void name_media_type(const struct witness *w, struct bw_manifest *m)
{
	const char *text = m->kind == BW_MANIFEST_INDEX ? OCI_INDEX : OCI_IMAGE;

	if (w->body_type[0] != '\0')
		text = w->body_type;
	else if (bw_manifest_kind_of(w->content_type) != BW_MANIFEST_UNKNOWN)
		text = w->content_type;
	snprintf(m->media_type, sizeof(m->media_type), "%s", text);
}

static int read_manifest(const json_t *root, const char *content_type, struct bw_manifest *m,
			 struct bw_err *err)
{
	struct witness w = {0};
	int rc = hear_witnesses(root, content_type, &w, err);

	if (rc == 0)
		rc = settle_kind(root, &w, &m->kind, err);
	if (rc == 0)
		rc = check_shape(root, &w, m->kind, err);
	if (rc < 0)
		return rc;
	name_media_type(&w, m);
	return m->kind == BW_MANIFEST_INDEX ? read_children(root, m, err) : read_image(root, m, err);
}

int bw_manifest_parse(const char *body, size_t len, const char *content_type, struct bw_manifest *ret,
		      struct bw_err *err)
{
	struct bw_manifest m = {0};
	json_auto_t *root = NULL;
	int rc = bw_body_load(body, len, &rules, &root, err);

	if (rc == 0)
		rc = read_manifest(root, content_type, &m, err);
	if (rc < 0) {
		bw_manifest_done(&m);
		return rc;
	}
	*ret = m;
	return 0;
}

void bw_manifest_done(struct bw_manifest *m)
{
	for (size_t i = 0; i < m->child_count; i++)
		free(m->children[i].annotations);
	free(m->children);
	free(m->layers);
	memset(m, 0, sizeof(*m));
}
