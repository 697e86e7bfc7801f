/*
 * fuzz_reference.c - any bytes as an image reference, a digest and a platform. What is accepted has a normal
 * form that is accepted again and means the same; what is refused says where, within the text, and in
 * harmless words.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/platform.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must also hold in a build without assertions. */
#define MUST(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static void check_refusal(int rc, const struct bw_err *err)
{
	MUST(rc == BW_E_INPUT && err->code == BW_E_INPUT);
	MUST(err->msg[0] != '\0' && strlen(err->msg) < 200);
	for (const char *c = err->msg; *c; c++)
		MUST(*c >= ' ' && *c <= '~');
}

/* `text` names the image that `r` names; its tag may now be written out. */
static void check_same(const char *text, const struct bw_reference *r)
{
	BW_AUTOREFERENCE struct bw_reference again = {0};
	const char *tag = bw_reference_tag(r);

	MUST(bw_reference_parse(text, strlen(text), &again, NULL, NULL) == 0);
	MUST(strcmp(again.registry, r->registry) == 0);
	MUST(strcmp(again.repository, r->repository) == 0);
	MUST(bw_digest_equal(&again.digest, &r->digest));
	MUST((tag == NULL) == (again.tag == NULL));
	MUST(!tag || strcmp(again.tag, tag) == 0);
}

static void check_reference(const char *text, size_t size)
{
	struct bw_err err = BW_ERR_INIT;
	BW_AUTOREFERENCE struct bw_reference r = {0};
	size_t offset = 0;
	int rc = bw_reference_parse(text, size, &r, &offset, &err);
	char *normal;
	char *base;

	if (rc != 0) {
		MUST(offset <= size);
		check_refusal(rc, &err);
		return;
	}
	MUST(err.code == BW_OK);
	MUST(r.registry[0] != '\0' && !strchr(r.registry, '/'));
	MUST(r.repository[0] != '\0' && strlen(r.repository) <= 255);
	MUST(!r.tag || (r.tag[0] != '\0' && strlen(r.tag) <= 128));
	normal = bw_reference_format(&r);
	base = bw_reference_base(&r);
	check_same(normal, &r);
	check_same(bw_reference_familiar(normal), &r);
	MUST((base == NULL) == (bw_reference_tag(&r) == NULL));
	MUST(!base || strncmp(normal, base, strlen(base)) == 0);
	free(normal);
	free(base);
}

static void check_digest(const char *text, size_t size)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_digest d = {0};
	size_t offset = 0;
	int rc = bw_digest_parse_at(text, size, &d, &offset, &err);

	if (rc == 0) {
		MUST(strlen(d.text) == size && memcmp(d.text, text, size) == 0);
		return;
	}
	MUST(offset <= size);
	check_refusal(rc, &err);
}

static void check_platform(const char *text, size_t size)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_platform p = {0};
	struct bw_platform again = {0};
	char out[BW_PLATFORM_MAX];
	char out_again[BW_PLATFORM_MAX];
	int rc = bw_platform_parse(text, size, &p, &err);

	if (rc != 0) {
		check_refusal(rc, &err);
		return;
	}
	bw_platform_format(&p, out);
	MUST(bw_platform_parse(out, strlen(out), &again, NULL) == 0);
	MUST(strcmp(bw_platform_format(&again, out_again), out) == 0);
	MUST(bw_platform_matches(&p, &again));
}

static void check_short(const char *text, size_t size)
{
	char out[BW_DIGEST_SHORT_MAX];
	char *copy = malloc(size + 1);

	MUST(copy);
	memcpy(copy, text, size);
	copy[size] = '\0';
	bw_digest_short(copy, out);
	MUST(strlen(out) < sizeof(out));
	for (const char *c = out; *c; c++)
		MUST(*c > ' ' && *c <= '~');
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";

	check_reference(text, size);
	check_digest(text, size);
	check_platform(text, size);
	check_short(text, size);
	return 0;
}
