/* signature.c - Standard Webhooks, "Verifying signatures": symmetric v1. */
#include "notify/signature.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/params.h>

#include "core/mem.h"
#include "core/text.h"

#define PREFIX	  "whsec_"
#define MIN_BYTES 24
#define MAX_BYTES 64
#define MAC_BYTES 32

struct key {
	unsigned char bytes[MAX_BYTES];
	size_t len;
};

struct bw_signer {
	struct key keys[BW_SIGNER_MAX_SECRETS];
	size_t count;
};

static bool decode(const char *secret, struct key *ret)
{
	BW_AUTOBUF struct bw_buf bytes;
	bool ok;

	bw_buf_init(&bytes, MAX_BYTES);
	if (bw_text_starts(secret, PREFIX))
		secret += strlen(PREFIX);
	ok = bw_base64_decode(secret, strlen(secret), &bytes) && bytes.len >= MIN_BYTES;
	if (ok) {
		memcpy(ret->bytes, bytes.data, bytes.len);
		ret->len = bytes.len;
	}
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.capacity);
	return ok;
}

int bw_signer_new(const char *const *secrets, struct bw_signer **ret, struct bw_err *err)
{
	struct bw_signer *s = BW_NEW(struct bw_signer);
	int rc = 0;

	for (size_t i = 0; rc == 0 && secrets && secrets[i]; i++) {
		if (i == BW_SIGNER_MAX_SECRETS)
			rc = bw_fail(err, BW_E_INPUT, "at most %d secrets sign a webhook",
				     BW_SIGNER_MAX_SECRETS);
		else if (!decode(secrets[i], &s->keys[s->count++]))
			rc = bw_fail(
				err, BW_E_INPUT,
				"secret %zu: not base64 of %d to %d bytes, with \"%s\" before it or without",
				i + 1, MIN_BYTES, MAX_BYTES, PREFIX);
	}
	if (rc < 0) {
		bw_signer_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void bw_signer_free(struct bw_signer *s)
{
	if (s)
		explicit_bzero(s, sizeof(*s));
	free(s);
}

/* HMAC of the three parts with the two dots between them, without putting them together. */
static bool mac(EVP_MAC_CTX *ctx, const struct key *k, const char *head, const char *body, size_t len,
		unsigned char out[MAC_BYTES])
{
	char sha256[] = "SHA256", digest[] = "digest";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(digest, sha256, 0),
		OSSL_PARAM_construct_end(),
	};
	size_t size = 0;

	return ctx && EVP_MAC_init(ctx, k->bytes, k->len, params) == 1 &&
	       EVP_MAC_update(ctx, (const unsigned char *)head, strlen(head)) == 1 &&
	       EVP_MAC_update(ctx, (const unsigned char *)body, len) == 1 &&
	       EVP_MAC_final(ctx, out, &size, MAC_BYTES) == 1 && size == MAC_BYTES;
}

bool bw_signer_sign(const struct bw_signer *s, const char *id, int64_t timestamp_s, const char *body,
		    size_t len, struct bw_buf *out)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
	BW_AUTOFREE char *head = bw_asprintf("%s.%" PRId64 ".", id, timestamp_s);
	unsigned char bytes[MAC_BYTES];
	bool ok = s->count > 0;

	for (size_t i = 0; ok && i < s->count; i++)
		ok = mac(ctx, &s->keys[i], head, body, len, bytes) && bw_buf_adds(out, i ? " v1," : "v1,") &&
		     bw_base64_encode(bytes, sizeof(bytes), out);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);
	return ok;
}
