/*
 * image_body.h - bodies by digest for tests: small manifests and configurations, each under a digest that is one hex
 * digit 64 times, so that a test can write 'a' for it.
 */
#ifndef BW_TESTS_IMAGE_BODY_H
#define BW_TESTS_IMAGE_BODY_H

#include <string.h>

#include "core/mem.h"
#include "image/bodies.h"
#include "unit/unit.h"

#define OCI_INDEX  "application/vnd.oci.image.index.v1+json"
#define OCI_IMAGE  "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"

static inline struct bw_digest digest_of_char(char c)
{
	struct bw_digest d = {0};

	memcpy(d.text, "sha256:", 7);
	memset(d.text + 7, c, 64);
	return d;
}

static inline struct bw_platform platform_of(const char *text)
{
	struct bw_platform p = {0};

	if (text && *text)
		assert_int_equal(bw_platform_parse(text, strlen(text), &p, NULL), 0);
	return p;
}

/* A child of an index. `platform`: NULL none, "attestation" for one; `type` NULL: an OCI image. */
struct child {
	char digest;
	const char *platform;
	const char *type;
};

static inline void put_index(struct bw_bodies *b, char digest, const struct child *children, size_t count)
{
	struct bw_manifest m = {.kind = BW_MANIFEST_INDEX, .media_type = OCI_INDEX, .child_count = count};
	struct bw_digest d = digest_of_char(digest);

	m.children = count ? bw_alloc(count * sizeof(*m.children)) : NULL;
	for (size_t i = 0; i < count; i++) {
		struct bw_child *c = &m.children[i];
		const char *platform = children[i].platform;

		c->digest = digest_of_char(children[i].digest);
		c->size = 100 + (int64_t)i;
		strncpy(c->media_type, children[i].type ? children[i].type : OCI_IMAGE,
			sizeof(c->media_type) - 1);
		c->kind = bw_manifest_kind_of(c->media_type);
		c->is_attestation = platform && strcmp(platform, "attestation") == 0;
		c->platform = platform_of(c->is_attestation ? "unknown/unknown" : platform);
	}
	bw_bodies_put_manifest(b, &d, &m);
}

#define PUT_INDEX(b, digest, ...)                                 \
	put_index(b, digest, (const struct child[]){__VA_ARGS__}, \
		  sizeof((const struct child[]){__VA_ARGS__}) / sizeof(struct child))

/* An image manifest; `type` NULL: that of an image's configuration. */
static inline void put_image(struct bw_bodies *b, char digest, char config, const char *type)
{
	struct bw_manifest m = {.kind = BW_MANIFEST_IMAGE, .media_type = OCI_IMAGE};
	struct bw_digest d = digest_of_char(digest);

	m.config = digest_of_char(config);
	strncpy(m.config_type, type ? type : OCI_CONFIG, sizeof(m.config_type) - 1);
	bw_bodies_put_manifest(b, &d, &m);
}

static inline void put_config(struct bw_bodies *b, char digest, const char *platform)
{
	struct bw_config c = {.platform = platform_of(platform)};
	struct bw_digest d = digest_of_char(digest);

	bw_bodies_put_config(b, &d, &c);
}

static inline void put_missing(struct bw_bodies *b, char digest, enum bw_trouble why)
{
	struct bw_answer a = {.trouble = why};
	struct bw_digest d = digest_of_char(digest);

	bw_bodies_put_missing(b, &d, &a);
}

/* `expected` is one word per need: "m" or "c" and the digit of its digest, as in "ma cb". */
static inline void assert_needs(const struct bw_bodies *b, const char *expected)
{
	size_t count = 0;
	const struct bw_need *needs = bw_bodies_needs(b, &count);
	char found[256] = "";

	for (size_t i = 0; i < count && i < 80; i++) {
		size_t len = strlen(found);

		found[len] = needs[i].kind == BW_BODY_MANIFEST ? 'm' : 'c';
		found[len + 1] = needs[i].digest.text[7];
		found[len + 2] = i + 1 < count ? ' ' : '\0';
	}
	assert_string_equal(found, expected);
}

#endif
