/*
 * auth.h - how a registry wants to be spoken to: nothing, Basic, or a Bearer token per repository. Learnt
 * from the 401 of a real request, then remembered: later questions come with a token in their hand.
 */
#ifndef BW_REGISTRY_AUTH_H
#define BW_REGISTRY_AUTH_H

#include <stdbool.h>

#include "net/http.h"
#include "registry/errors.h"

struct bw_host;
struct bw_question;

enum bw_auth_step {
	BW_AUTH_READY, /* `*ret_header` is the header to send, NULL for none; valid until the next call */
	BW_AUTH_WAIT,  /* for a token or for a helper program: bw_question_proceed() or _failed() comes */
	BW_AUTH_LATER, /* another question goes first; bw_login_release() tells */
	BW_AUTH_FAILED /* `*f` says why */
};

enum bw_auth_step bw_auth_prepare(struct bw_question *q, const char **ret_header, struct bw_failure *f);

/* The registry answered 401. True: it is worth asking again; false: `*f` says why not. */
bool bw_auth_challenged(struct bw_question *q, const struct bw_http_response *r, struct bw_failure *f);

/*
 * The registry answered something else. True: it is worth asking again with a token of its own, or to see that the
 * credential is refused.
 */
bool bw_auth_answered(struct bw_question *q, unsigned status);

#endif
