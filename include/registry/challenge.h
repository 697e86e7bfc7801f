/*
 * challenge.h - WWW-Authenticate (RFC 9110 11.6.1, distribution docs spec/auth/token.md). Pure.
 */
#ifndef BW_REGISTRY_CHALLENGE_H
#define BW_REGISTRY_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

enum bw_challenge_scheme { BW_CHALLENGE_NONE, BW_CHALLENGE_BASIC, BW_CHALLENGE_BEARER };

struct bw_challenge {
	enum bw_challenge_scheme scheme;
	char *realm; /* Bearer: URL of the token endpoint; Basic: a text for people; may be NULL with Basic */
	char *service; /* NULL: not given */
	char *scope;   /* NULL: not given */
	char *error;   /* "invalid_token", "insufficient_scope"; NULL */
};

/*
 * Looks through one or more header values (several challenges per value are fine) and takes Bearer if there is a
 * usable one (with a realm), else Basic. BW_E_PEER when there is neither; the message names what was offered.
 */
int bw_challenge_parse(const char *const *values, size_t count, struct bw_challenge *ret,
		       struct bw_err *err) BW_NODISCARD;
void bw_challenge_done(struct bw_challenge *c);

#endif
