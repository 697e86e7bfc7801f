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
#include "image/chars.h"
#include "image/quote.h"

#define OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define OCI_IMAGE    "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_LIST  "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"
#define SCHEMA1	     "application/vnd.docker.distribution.manifest.v1+json"
#define SCHEMA1_JWS  "application/vnd.docker.distribution.manifest.v1+prettyjws"

#define ATTESTATION_KEY "vnd.docker.reference.type" /* BuildKit's mark on attestation children */

/* A parsed value takes many times its bytes, so 4 MiB of "[[],[],..." would take hundreds of MiB. */
#define MAX_VALUES 200000 /* the largest index that we take has 1,000 children with some 20 values each */
#define MAX_DEPTH  64	  /* real ones nest 5 levels */
#define DETAIL_MAX 160	  /* of jansson's own words */

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

/* Without parameters and blanks ("; charset=utf-8"). "" when there is none; false when it cannot be one. */
static bool strip_media_type(const char *s, char out[BW_MEDIA_TYPE_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	if (!s)
		return true;
	s += strspn(s, " \t");
	while (is_visible(s[len]) && s[len] != ';')
		len++;
	if (s[len + strspn(s + len, " \t")] != '\0' && s[len + strspn(s + len, " \t")] != ';')
		return false;
	if (len >= BW_MEDIA_TYPE_MAX)
		return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

enum bw_manifest_kind bw_manifest_kind_of(const char *media_type)
{
	char stripped[BW_MEDIA_TYPE_MAX];

	if (!strip_media_type(media_type, stripped))
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

/* --- reading JSON ----------------------------------------------------------------------------- */

/* Members that are null are not there: Go programs write null for an empty list. */
static const json_t *member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

/* A string member; NULL when it is not there. `whose` is for the message. */
static int read_string(const json_t *object, const char *key, const char *whose, const char **ret,
		       struct bw_err *err)
{
	const json_t *value = member(object, key);

	if (value && !json_is_string(value))
		return bw_fail(err, BW_E_PEER, "%s: '%s' is not a string", whose, key);
	*ret = value ? json_string_value(value) : NULL;
	return 0;
}

/* "" when there is none: an OCI index may lack it. */
static int read_media_type(const json_t *object, const char *whose, char out[BW_MEDIA_TYPE_MAX],
			   struct bw_err *err)
{
	const char *text = NULL;
	int rc = read_string(object, "mediaType", whose, &text, err);

	if (rc < 0)
		return rc;
	if (text && strnlen(text, BW_MEDIA_TYPE_MAX) == BW_MEDIA_TYPE_MAX)
		return bw_fail(err, BW_E_LIMIT, "%s: 'mediaType' is longer than %d bytes", whose,
			       BW_MEDIA_TYPE_MAX - 1);
	if (!strip_media_type(text, out))
		return bw_fail(err, BW_E_PEER, "%s: 'mediaType' is not a media type", whose);
	return 0;
}

/* Counts what a parser would have to build, before it builds it. Need not notice that the text is no JSON. */
static int check_extent(const char *body, size_t len, struct bw_err *err)
{
	size_t values = 0;
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = body[i];

		if (in_string) {
			if (c == '\\')
				i++;
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
			values++;
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == ',') {
			values++;
		}
		if (depth > MAX_DEPTH)
			return bw_fail(err, BW_E_LIMIT, "manifest nests deeper than %d levels", MAX_DEPTH);
		if (values > MAX_VALUES)
			return bw_fail(err, BW_E_LIMIT, "manifest has more than %d values", MAX_VALUES);
	}
	return 0;
}

/*
 * Duplicate members are refused: parsers differ in which one they take. Numbers beyond 64 bits and NUL bytes
 * are refused by the library.
 */
static int load(const char *body, size_t len, json_t **ret, struct bw_err *err)
{
	char detail[DETAIL_MAX];
	json_error_t je;
	json_t *root;
	int rc;

	if (len > BW_MAX_MANIFEST_BYTES)
		return bw_fail(err, BW_E_LIMIT, "manifest is larger than %u bytes", BW_MAX_MANIFEST_BYTES);
	rc = check_extent(body, len, err);
	if (rc < 0)
		return rc;
	root = json_loadb(len ? body : "", len, JSON_REJECT_DUPLICATES, &je);
	if (!root)
		return bw_fail(err, BW_E_PEER, "manifest is not valid JSON: %s (byte %d)",
			       bw_quote(je.text, strlen(je.text), detail, sizeof(detail)), je.position);
	if (!json_is_object(root)) {
		json_decref(root);
		return bw_fail(err, BW_E_PEER, "manifest is not a JSON object");
	}
	*ret = root;
	return 0;
}

/* --- children of an index --------------------------------------------------------------------- */

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* Left zeroed when the descriptor has none. */
static int read_platform(const json_t *descriptor, const char *whose, struct bw_platform *ret,
			 struct bw_err *err)
{
	static const char *const keys[] = {"os", "os.version", "architecture", "variant"};
	const json_t *platform = member(descriptor, "platform");
	const char *values[BW_COUNT(keys)];
	int rc;

	if (!platform)
		return 0;
	if (!json_is_object(platform))
		return bw_fail(err, BW_E_PEER, "%s: 'platform' is not an object", whose);
	for (size_t i = 0; i < BW_COUNT(keys); i++) {
		rc = read_string(platform, keys[i], whose, &values[i], err);
		if (rc < 0)
			return rc;
		if (strnlen(or_empty(values[i]), BW_PLATFORM_PART) == BW_PLATFORM_PART)
			return bw_fail(err, BW_E_LIMIT, "%s: '%s' of its platform is longer than %d bytes",
				       whose, keys[i], BW_PLATFORM_PART - 1);
	}
	if (!bw_platform_set(ret, values[0], values[1], values[2], values[3]))
		return bw_fail(err, BW_E_PEER,
			       "%s: its platform is too long or has characters that no platform has", whose);
	return 0;
}

static int read_digest(const json_t *descriptor, const char *whose, struct bw_digest *ret, struct bw_err *err)
{
	const json_t *value = member(descriptor, "digest");

	if (!json_is_string(value))
		return bw_fail(err, BW_E_PEER, "%s has no 'digest'", whose);
	if (bw_digest_parse(json_string_value(value), json_string_length(value), ret, err) < 0) {
		/* The digest module blames input; here it is the registry that is wrong. */
		if (err)
			err->code = BW_E_PEER;
		(void)bw_err_ctx(err, "%s", whose);
		return BW_E_PEER;
	}
	return 0;
}

/* Only shown to people, so an index without sizes is taken. */
static int read_size(const json_t *descriptor, const char *whose, int64_t *ret, struct bw_err *err)
{
	const json_t *value = member(descriptor, "size");

	if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
		return bw_fail(err, BW_E_PEER, "%s: 'size' is not a number of bytes", whose);
	*ret = value ? json_integer_value(value) : 0;
	return 0;
}

/* Of all annotations only BuildKit's mark is of use here. */
static int read_annotations(const json_t *descriptor, const char *whose, struct bw_child *c,
			    struct bw_err *err)
{
	const json_t *annotations = member(descriptor, "annotations");

	if (annotations && !json_is_object(annotations))
		return bw_fail(err, BW_E_PEER, "%s: 'annotations' is not an object", whose);
	c->is_attestation =
		bw_platform_is_unknown(&c->platform) || (annotations && member(annotations, ATTESTATION_KEY));
	return 0;
}

static int read_child(const json_t *descriptor, size_t index, struct bw_child *c, struct bw_err *err)
{
	char whose[BW_QUOTE_MAX];
	int rc;

	snprintf(whose, sizeof(whose), "entry %zu of the index", index + 1);
	if (!json_is_object(descriptor))
		return bw_fail(err, BW_E_PEER, "%s is not an object", whose);
	rc = read_digest(descriptor, whose, &c->digest, err);
	if (rc == 0)
		rc = read_media_type(descriptor, whose, c->media_type, err);
	if (rc == 0)
		rc = read_size(descriptor, whose, &c->size, err);
	if (rc == 0)
		rc = read_platform(descriptor, whose, &c->platform, err);
	if (rc == 0)
		rc = read_annotations(descriptor, whose, c, err);
	return rc;
}

/* `manifests` may be null, which Go writes for an empty list. Nested indexes are children like others. */
static int read_children(const json_t *root, struct bw_manifest *m, struct bw_err *err)
{
	const json_t *list = member(root, "manifests");
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
	const json_t *version = member(root, "schemaVersion");

	if (is_schema1_type(w->body_type) || is_schema1_type(w->content_type) || member(root, "fsLayers") ||
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
	int rc = read_media_type(root, "manifest", w->body_type, err);

	if (rc < 0)
		return rc;
	/* A Content-Type that is none says nothing; the body counts. */
	if (!strip_media_type(content_type, w->content_type))
		w->content_type[0] = '\0';
	w->has_manifests = member(root, "manifests");
	w->has_layers = member(root, "layers") || member(root, "config");
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
	const json_t *layers = member(root, "layers");
	const json_t *config = member(root, "config");

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
	return m->kind == BW_MANIFEST_INDEX ? read_children(root, m, err) : 0;
}

int bw_manifest_parse(const char *body, size_t len, const char *content_type, struct bw_manifest *ret,
		      struct bw_err *err)
{
	struct bw_manifest m = {0};
	json_auto_t *root = NULL;
	int rc = load(body, len, &root, err);

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
	free(m->children);
	memset(m, 0, sizeof(*m));
}

/* --- which child would a build get ------------------------------------------------------------ */

/* Something that a builder could run: no attestation, no nested index, no artifact of another type. */
static bool is_image(const struct bw_child *c)
{
	return !c->is_attestation && bw_manifest_kind_of(c->media_type) == BW_MANIFEST_IMAGE;
}

static size_t count_images(const struct bw_manifest *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->child_count; i++)
		n += is_image(&m->children[i]);
	return n;
}

/* A child that names no platform can only be taken for the wanted one when there is no other to take. */
static bool fits(const struct bw_manifest *m, const struct bw_child *c, const struct bw_platform *want)
{
	return c->platform.os[0] == '\0' ? count_images(m) == 1 : bw_platform_matches(want, &c->platform);
}

static bool is_same_platform(const struct bw_platform *a, const struct bw_platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->os_version, b->os_version) == 0 &&
	       strcmp(a->arch, b->arch) == 0 && strcmp(a->variant, b->variant) == 0;
}

/* Of several children with one platform a client takes the first (image-index.md). */
static bool is_first_of_platform(const struct bw_manifest *m, const struct bw_child *c)
{
	for (const struct bw_child *other = m->children; other < c; other++)
		if (is_image(other) && is_same_platform(&other->platform, &c->platform))
			return false;
	return true;
}

bool bw_manifest_has_child(const struct bw_manifest *m, const struct bw_digest *digest,
			   const struct bw_platform *want)
{
	for (size_t i = 0; i < m->child_count; i++) {
		const struct bw_child *c = &m->children[i];

		if (!is_image(c) || !bw_digest_equal(&c->digest, digest))
			continue;
		if (!want || want->os[0] == '\0' || (fits(m, c, want) && is_first_of_platform(m, c)))
			return true;
	}
	return false;
}
