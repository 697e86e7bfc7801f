/*
 * fuzz_manifest.c - any bytes as a manifest body. The first byte picks the Content-Type. What is accepted has
 * a kind and children within the caps; what is refused blames the peer or a limit.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must also hold in a build without assertions. */
#define MUST(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static const char *pick_content_type(uint8_t byte)
{
	static const char *const types[] = {
		NULL,
		"application/vnd.oci.image.index.v1+json",
		"application/vnd.oci.image.manifest.v1+json; charset=utf-8",
		"application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.docker.distribution.manifest.v2+json",
		"application/vnd.docker.distribution.manifest.v1+prettyjws",
		"application/json",
		"",
	};

	return types[byte % BW_COUNT(types)];
}

static void check_child(const struct bw_manifest *m, const struct bw_child *c)
{
	struct bw_digest d = {0};
	bool is_image = bw_manifest_kind_of(c->media_type) == BW_MANIFEST_IMAGE && !c->is_attestation;
	char out[BW_PLATFORM_MAX];

	MUST(bw_digest_parse(c->digest.text, strlen(c->digest.text), &d, NULL) == 0);
	MUST(c->size >= 0);
	MUST(memchr(c->media_type, '\0', sizeof(c->media_type)));
	MUST(strlen(bw_platform_format(&c->platform, out)) < sizeof(out));
	MUST(!bw_platform_is_unknown(&c->platform) || c->is_attestation);
	/* The same digest may be there twice, once as an image. */
	MUST(!is_image || bw_manifest_has_child(m, &c->digest, NULL));
	MUST(!bw_manifest_has_child(m, &c->digest, &c->platform) ||
	     bw_manifest_has_child(m, &c->digest, NULL));
}

static void check_manifest(const struct bw_manifest *m)
{
	MUST(m->kind == BW_MANIFEST_INDEX || m->kind == BW_MANIFEST_IMAGE);
	MUST(bw_manifest_kind_of(m->media_type) == m->kind);
	MUST(m->child_count <= BW_MANIFEST_MAX_CHILD);
	MUST(m->child_count == 0 || m->kind == BW_MANIFEST_INDEX);
	MUST((m->children == NULL) == (m->child_count == 0));
	for (size_t i = 0; i < m->child_count; i++)
		check_child(m, &m->children[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_manifest m = {0};
	int rc;

	if (size == 0)
		return 0;
	rc = bw_manifest_parse((const char *)data + 1, size - 1, pick_content_type(data[0]), &m, &err);
	if (rc == 0) {
		check_manifest(&m);
		bw_manifest_done(&m);
		return 0;
	}
	MUST(rc == BW_E_PEER || rc == BW_E_LIMIT);
	MUST(err.code == (enum bw_code)rc && err.msg[0] != '\0');
	for (const char *c = err.msg; *c; c++)
		MUST(*c >= ' ' && *c <= '~');
	MUST(m.children == NULL);
	return 0;
}
