/*
 * helper.h - runs docker-credential-NAME get (docker-credential-helpers, client/command.go): the registry on its standard
 * input, {"Username", "Secret"} on its output. One run serves all who wait for the same answer, at most
 * BW_HELPERS_AT_ONCE run at a time, and what they said is kept for a while. Such a program gets the few variables that
 * helpers and their clouds need, and nothing else of ours.
 */
#ifndef BW_REGISTRY_HELPER_H
#define BW_REGISTRY_HELPER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "net/loop.h"
#include "registry/authfile.h"
#include "registry/credentials.h"

#define BW_HELPERS_AT_ONCE   4
#define BW_HELPER_TIMEOUT_MS 15000
#define BW_HELPER_MAX_OUTPUT (64U << 10)
/* What can be done about one that fails; short enough for its message to fit into an answer, behind the registry. */
#define BW_HELPER_REMEDY "mend it, or set `username` or `anonymous` under `registries:`"

struct bw_helpers;

/* `fn` gives what they answer its number. */
struct bw_helpers *bw_helpers_new(struct bw_loop *l, bw_credential_number_fn fn, void *arg);
/* Ends what runs. Nobody may wait any more. NULL is fine. */
void bw_helpers_free(struct bw_helpers *h);

enum bw_helper_step {
	BW_HELPER_FOUND,   /* *ret, without a `source`; valid until anything else is called here */
	BW_HELPER_NOTHING, /* it has nothing for this registry */
	BW_HELPER_MISSING, /* there is no such program */
	BW_HELPER_WAIT,	   /* `w` is told, never inside of the call */
	/*
	 * `err` is for people and says what to do, and nothing that the program said: it may have a secret in it. What has none
	 * (complaint.h) is logged.
	 */
	BW_HELPER_FAILED,
};

/* `server` is a registry, HOST[:PORT]. `w` may be NULL; else it must not wait already. */
enum bw_helper_step bw_helpers_ask(struct bw_helpers *h, const char *name, const char *server,
				   struct bw_credentials_waiter *w, const struct bw_credential **ret,
				   struct bw_err *err);
/* The same without running anything: WAIT is "not known". */
enum bw_helper_step bw_helpers_known(const struct bw_helpers *h, const char *name, const char *server);
/* Wipes what was kept for long enough. */
void bw_helpers_expire(struct bw_helpers *h);
/* What was said does not count any more; whom somebody waits for is asked anew. */
void bw_helpers_forget(struct bw_helpers *h);
/* The same of the answer with this number. */
void bw_helpers_refused(struct bw_helpers *h, uint64_t number);

/* The answer. Pure. FOUND, NOTHING when it is an empty one, or FAILED with an `err` that names no program. */
enum bw_helper_step bw_helper_parse(const char *text, size_t len, struct bw_credential *ret,
				    struct bw_err *err);

#endif
