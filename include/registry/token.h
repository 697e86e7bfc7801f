/*
 * token.h - the answer of a token endpoint (distribution docs spec/auth/token.md and oauth.md), and the URL or the form
 * that asks it. Pure.
 */
#ifndef BW_REGISTRY_TOKEN_H
#define BW_REGISTRY_TOKEN_H

#include <stdbool.h>
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

/* Says this answer to a form that the refresh token in it is not good (any more)? */
bool bw_token_is_bad_grant(const char *body, size_t len);

/* "realm?service=S&scope=X[&account=U]" with everything percent-encoded; the caller frees. */
char *bw_token_url(const char *realm, const char *service, const char *scope, const char *account);
/* Bytes that one scope takes in it. */
size_t bw_token_scope_bytes(const char *scope);

/*
 * What is posted to the realm for an identity token; `scopes` with blanks between them. The caller wipes and frees. NULL:
 * too long.
 */
char *bw_token_form(const char *service, const char *scopes, const char *refresh_token);

#endif
