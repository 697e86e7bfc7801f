/*
 * digest.h - content digests, `algorithm:hex` (OCI image-spec descriptor.md "Digests"). Known: sha256,
 * sha384, sha512, hex in lower case and of exact length. By value, no allocation.
 */
#ifndef BW_IMAGE_DIGEST_H
#define BW_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define BW_DIGEST_MAX 136 /* "sha512:" + 128 + NUL */

struct bw_digest {
	char text[BW_DIGEST_MAX]; /* "" = none */
};

/* Parses exactly `len` bytes. Errors (BW_E_INPUT) name what is wrong: algorithm, length, characters. */
int bw_digest_parse(const char *s, size_t len, struct bw_digest *ret, struct bw_err *err) BW_NODISCARD;
/* The same; on failure `*ret_offset` (may be NULL) is the byte in `s` where it goes wrong. */
int bw_digest_parse_at(const char *s, size_t len, struct bw_digest *ret, size_t *ret_offset,
		       struct bw_err *err) BW_NODISCARD;

bool bw_digest_is_set(const struct bw_digest *d);
/* Two unset digests are equal. */
bool bw_digest_equal(const struct bw_digest *a, const struct bw_digest *b);

/* The digest of bytes with sha256; unset when the crypto library fails. */
void bw_digest_of(const void *bytes, size_t len, struct bw_digest *ret);
/* Do the bytes hash to `d`, by the algorithm of `d`? */
bool bw_digest_matches(const struct bw_digest *d, const void *bytes, size_t len);

#define BW_DIGEST_SHORT_MAX 20
/*
 * For people: "sha256:0123456789ab". Returns `out`; "" for none (or NULL). Text that is no digest is copied
 * up to its first byte that is not visible ASCII, and cut.
 */
const char *bw_digest_short(const char *text, char out[BW_DIGEST_SHORT_MAX]);

#endif
