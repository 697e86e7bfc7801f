/*
 * buf.h - the one growing byte buffer. Every instance has a maximum; an append beyond it fails, sets
 * `overflow` and changes nothing else. `data` is always NUL-terminated (the NUL is not counted in `len`),
 * also when empty.
 */
#ifndef BW_CORE_BUF_H
#define BW_CORE_BUF_H

#include <stdbool.h>

#include "core/def.h"

struct bw_buf {
	char *data;
	size_t len;
	size_t capacity;
	size_t max;
	bool overflow;
};

void bw_buf_init(struct bw_buf *b, size_t max); /* allocates nothing; call before the first early return */
void bw_buf_done(struct bw_buf *b);		/* frees; NULL data is fine */
void bw_buf_clear(struct bw_buf *b);		/* empty, keeps the memory */

/* Room for n more bytes: adding so many moves nothing, and leaves no copies behind. false: over the maximum */
bool bw_buf_reserve(struct bw_buf *b, size_t n);
bool bw_buf_add(struct bw_buf *b, const void *bytes, size_t n); /* false: over the maximum */
bool bw_buf_addc(struct bw_buf *b, char c);
bool bw_buf_adds(struct bw_buf *b, const char *s);
bool bw_buf_addf(struct bw_buf *b, const char *fmt, ...) BW_PRINTF(2, 3);

const char *bw_buf_str(const struct bw_buf *b);	      /* never NULL */
char *bw_buf_take(struct bw_buf *b, size_t *ret_len); /* hands the memory over; the buffer is empty again */

#define BW_AUTOBUF BW_CLEANUP(bw_buf_done)

/* Every maximum of the program, each with its reason. */
#define BW_MAX_BUILDFILE_BYTES	 (1U << 20)  /* no real Dockerfile comes near 1 MiB */
#define BW_MAX_MANIFEST_BYTES	 (4U << 20)  /* what registries must accept at least (distribution-spec) */
#define BW_MAX_CONFIG_BYTES	 (8U << 20)  /* real ones have some 10 KiB; labels may hold whole documents */
#define BW_MAX_TOKEN_BYTES	 (64U << 10) /* token answers are a few KiB */
#define BW_MAX_HEADER_BYTES	 (64U << 10) /* of one response */
#define BW_MAX_ERROR_BODY_BYTES	 (64U << 10) /* only the first words of an error body are of use */
#define BW_MAX_CREDENTIALS_BYTES (1U << 20)  /* config.json of a person with very many registries */
#define BW_MAX_WORD_BYTES	 (64U << 10) /* an expanded Dockerfile word; a line has 65,535 bytes */

#endif
