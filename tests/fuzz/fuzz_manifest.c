/*
 * fuzz_manifest.c - any bytes as a manifest body. The first byte picks the Content-Type. What is accepted has
 * a kind, and children or layers within the caps; what is refused blames the peer or a limit.
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

static bool is_digest(const struct bw_digest *d)
{
	struct bw_digest parsed;

	return bw_digest_parse(d->text, strlen(d->text), &parsed, NULL) == 0;
}

static void check_child(const struct bw_child *c)
{
	char out[BW_PLATFORM_MAX];

	MUST(is_digest(&c->digest));
	MUST(c->size >= 0);
	MUST(memchr(c->media_type, '\0', sizeof(c->media_type)));
	MUST(strlen(bw_platform_format(&c->platform, out)) < sizeof(out));
	MUST(!bw_platform_is_unknown(&c->platform) || c->is_attestation);
	MUST(!c->annotations || (c->annotations[0] == '{' && strlen(c->annotations) <= BW_ANNOTATIONS_MAX));
}

static void check_index(const struct bw_manifest *m)
{
	MUST(m->child_count <= BW_MANIFEST_MAX_CHILD);
	MUST((m->children == NULL) == (m->child_count == 0));
	MUST(!m->layers && m->layer_count == 0 && !bw_digest_is_set(&m->config));
	for (size_t i = 0; i < m->child_count; i++)
		check_child(&m->children[i]);
}

static void check_image(const struct bw_manifest *m)
{
	MUST(m->layer_count <= BW_MANIFEST_MAX_LAYER);
	MUST((m->layers == NULL) == (m->layer_count == 0));
	MUST(!m->children && m->child_count == 0);
	MUST(!bw_digest_is_set(&m->config) || is_digest(&m->config));
	MUST(memchr(m->config_type, '\0', sizeof(m->config_type)));
	for (size_t i = 0; i < m->layer_count; i++)
		MUST(is_digest(&m->layers[i].digest) && m->layers[i].size >= 0);
}

static void check_manifest(const struct bw_manifest *m)
{
	MUST(m->kind == BW_MANIFEST_INDEX || m->kind == BW_MANIFEST_IMAGE);
	MUST(bw_manifest_kind_of(m->media_type) == m->kind);
	if (m->kind == BW_MANIFEST_INDEX)
		check_index(m);
	else
		check_image(m);
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
	MUST(m.children == NULL && m.layers == NULL);
	return 0;
}
