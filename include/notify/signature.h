/*
 * signature.h - signatures of webhooks as Standard Webhooks has them: HMAC-SHA256 over "<id>.<timestamp>.<body>", one for
 * each secret, so that a secret can be replaced while receivers still have the old one. Pure.
 */
#ifndef BW_NOTIFY_SIGNATURE_H
#define BW_NOTIFY_SIGNATURE_H

#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct bw_signer;

#define BW_SIGNER_MAX_SECRETS 8

/*
 * `secrets`: base64 of 24 to 64 bytes each, with "whsec_" before it or without; NULL-terminated, or NULL for none.
 * BW_E_INPUT for anything else, with a message that says which one and does not repeat it.
 */
int bw_signer_new(const char *const *secrets, struct bw_signer **ret, struct bw_err *err) BW_NODISCARD;
void bw_signer_free(struct bw_signer *s); /* wipes; NULL is fine */

/* Appends "v1,<base64>" for each secret, with blanks between them; false: there is no secret, or no room. */
bool bw_signer_sign(const struct bw_signer *s, const char *id, int64_t timestamp_s, const char *body,
		    size_t len, struct bw_buf *out);

#endif
