/* errors.h - from an answer that is no success to the kind of trouble, and whether asking again may help.
 * Pure. */
#ifndef BW_REGISTRY_ERRORS_H
#define BW_REGISTRY_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "image/answer.h"
#include "net/http.h"

enum bw_retry {
	BW_RETRY_NEVER,
	BW_RETRY_SOON,	  /* connection trouble, 5xx: a moment later it may work */
	BW_RETRY_TIMEOUT, /* the same, but each attempt costs a whole timeout */
	BW_RETRY_LATER,	  /* the peer says when */
};

struct bw_failure {
	enum bw_trouble trouble;
	enum bw_cause cause;
	enum bw_retry retry;
	bool is_of_host;  /* says something about the whole host: no address, no connection, no TLS */
	bool is_of_realm; /* that host is the one of the token endpoint */
	bool is_elsewhere; /* said by whom the registry redirects to: it is not about the registry, nor our log-in there */
	bool is_held_back; /* image/answer.h */
	bool has_retry_after;
	uint32_t retry_after_s; /* at most a day */
	char message[BW_ANSWER_MESSAGE_MAX];
};

void bw_failure_set(struct bw_failure *f, enum bw_trouble trouble, enum bw_retry retry, const char *fmt, ...)
	BW_PRINTF(4, 5);

/*
 * No answer (connection, TLS, limits, ...), 429 or 5xx (503 with Retry-After is taken as 429 is): false for every other answer. `whom` names the peer
 * in the message; for a redirected request the host that it was redirected to takes its place.
 */
bool bw_failure_of_response(const struct bw_http_response *r, const char *whom, struct bw_failure *ret);

/*
 * The token endpoint at `realm`, that the registry `whom` named, leads to an address that it must not lead to. False: it
 * is something else.
 */
bool bw_failure_of_realm(const struct bw_http_response *r, const char *whom, const char *realm,
			 struct bw_failure *ret);

/*
 * The 4xx answer of a registry to a GET, by the codes in its body (distribution-spec "Error Codes") and status. `what`
 * was asked for by its digest ("the blob sha256:0123456789ab"), and the message says that it is not there; NULL: a tag.
 */
void bw_failure_of_refusal(const struct bw_http_response *r, const char *whom, const char *what,
			   struct bw_failure *ret);

/*
 * A success whose digests contradict each other (MALFORMED); the message names both in short: "r.io: asked for
 * sha256:..., and it sent sha256:...".
 */
struct bw_contradiction {
	const char *one, *other; /* "asked for", "it sent" */
	const struct bw_digest *digest_of_one, *digest_of_other;
};
void bw_failure_of_digests(const struct bw_http_response *r, const char *whom,
			   const struct bw_contradiction *c, struct bw_failure *ret);

/*
 * The peer's own words about its refusal: of an error document (distribution-spec "Error Codes"), of what token endpoints
 * answer (`details`, RFC 6749 5.2 `error_description`), of plain text, or the title of a web page; cut at `size`, on one
 * line, and not escaped. "" when it has none. Returns `out`.
 */
#define BW_WORDS_MAX 161
const char *bw_failure_words(const struct bw_http_response *r, char *out, size_t size);

/* Retry-After as seconds from now. False: there is none that makes sense. */
bool bw_retry_after(const struct bw_http_response *r, uint32_t *ret_s);

#endif
