/*
 * token.h - the answer of a token endpoint (distribution docs spec/auth/token.md), and the URL to ask it. Pure.
 */
#ifndef BW_REGISTRY_TOKEN_H
#define BW_REGISTRY_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct bw_token {
	char *text;	     /* opaque */
	uint32_t lifetime_s; /* from when it was asked for; at least 60 */
};

/* `token` or `access_token`, `expires_in`; BW_E_PEER for anything else. */
int bw_token_parse(const char *body, size_t len, struct bw_token *ret, struct bw_err *err) BW_NODISCARD;
void bw_token_done(struct bw_token *t); /* wipes */

/* "realm?service=S&scope=X[&account=U]" with everything percent-encoded; the caller frees. */
char *bw_token_url(const char *realm, const char *service, const char *scope, const char *account);

#endif
