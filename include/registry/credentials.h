/*
 * credentials.h - who are we at a registry? The first of these that names it (docker/cli configfile, containers-auth.json(5),
 * docker-credential-helpers):
 *
 *   1. the configuration, given to bw_credentials_configure()
 *   2. $DOCKER_AUTH_CONFIG, one JSON object with `auths` and in them `auth`, and nothing else, or it does not count
 *   3. when $REGISTRY_AUTH_FILE is set that file, and no other; else
 *      $XDG_RUNTIME_DIR/containers/auth.json (without that variable /run/containers/UID/auth.json),
 *      $XDG_CONFIG_HOME/containers/auth.json (~/.config/...), $DOCKER_CONFIG/config.json (~/.docker/...)
 *   4. nobody
 *
 * Keys of `auths` and of `credHelpers` are registries or namespaces of them, and the longest that fits counts. In one file a
 * helper program goes before `auths`: that of `credHelpers`, or else of `credsStore`. One that has nothing for a registry leaves
 * it to the next of these, as an empty entry of `auths` does; one that fails is an error, and nobody in particular is no
 * substitute: that would look like a missing repository. Only a program that is not installed is skipped, with one warning, as
 * docker itself does it; where the configuration names it that is an error, too.
 */
#ifndef BW_REGISTRY_CREDENTIALS_H
#define BW_REGISTRY_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "net/loop.h"

enum bw_credential_kind {
	BW_CREDENTIAL_PASSWORD, /* `user` and `secret` */
	BW_CREDENTIAL_IDENTITY, /* `secret` is an OAuth2 refresh token; `user` is "" or what stood beside it */
	BW_CREDENTIAL_BEARER,	/* `secret` is a token for the registry itself; `user` is "" */
};

struct bw_credential {
	enum bw_credential_kind kind;
	char *user, *secret;
	char *source; /* for people: "the configuration", a path, "docker-credential-pass (credsStore in PATH)" */
	uint64_t
		number; /* equal: the same kind, user and secret. Tells nothing about them, and lasts as long as we run */
};

void bw_credential_done(struct bw_credential *c); /* wipes */

struct bw_credentials;

/* Nothing in it: nobody in particular, everywhere. Without a loop no helper program can be run: then those fail. */
struct bw_credentials *bw_credentials_new(struct bw_loop *l);
/* One more owner, who frees it as well. */
struct bw_credentials *bw_credentials_share(struct bw_credentials *c);
/* By the last owner: wipes, and ends helper programs. Nobody may wait any more. Before the loop. */
void bw_credentials_free(struct bw_credentials *c);

/* What the configuration says of one registry, HOST[:PORT]; exactly one of the three. Copied. */
struct bw_credentials_given {
	const char *host;
	const char *username, *password;
	const char *helper; /* NAME of docker-credential-NAME */
	bool is_anonymous;  /* whatever other sources have */
};
/* Replaces what was given before; another number when it differs. */
void bw_credentials_configure(struct bw_credentials *c, const struct bw_credentials_given *list,
			      size_t count);

/*
 * The same in two steps, where something else may fail in between: up to the second nothing has changed. *ret_differs: then
 * there is going to be another number.
 */
struct bw_credentials_draft;
struct bw_credentials_draft *bw_credentials_draft_new(struct bw_credentials *c,
						      const struct bw_credentials_given *list, size_t count,
						      bool *ret_differs);
void bw_credentials_use(struct bw_credentials *c, struct bw_credentials_draft *d); /* frees it */
void bw_credentials_draft_free(struct bw_credentials_draft *d);			   /* wipes; NULL is fine */

/*
 * Reads what the environment names. A missing file is fine, but not the one of $REGISTRY_AUTH_FILE. What cannot be read or parsed gives an error that names it; all
 * else is taken, and the caller warns once and goes on. Secrets never appear in a message.
 */
int bw_credentials_load(struct bw_credentials *c, struct bw_err *err) BW_NODISCARD;
/* The text of one more such file, as if it came behind those that are there, and is never read again. BW_E_INPUT as above. */
int bw_credentials_parse(struct bw_credentials *c, const char *text, size_t len,
			 struct bw_err *err) BW_NODISCARD;
/*
 * Whoever logs in, and tools that renew log-ins which soon end, write those files while we run: reads again what is another
 * file than was loaded. Nothing that was found before may be used after it. A file that cannot be read or parsed changes
 * nothing, and is warned about once. At most one look in BW_CREDENTIALS_LOOK_MS of `now_ms`, which is any clock;
 * bw_credentials_reload() reads in any case, and forgets what helper programs said.
 */
#define BW_CREDENTIALS_LOOK_MS 2000
void bw_credentials_refresh(struct bw_credentials *c, uint64_t now_ms);
void bw_credentials_reload(struct bw_credentials *c);
/* Another number after each refresh or reload that found others. 0 for NULL. */
uint64_t bw_credentials_number(const struct bw_credentials *c);

enum bw_credentials_step {
	BW_CREDENTIALS_SOMEBODY, /* *ret; valid until anything else is called here */
	BW_CREDENTIALS_NOBODY,	 /* nobody in particular */
	BW_CREDENTIALS_WAIT,	 /* a helper program runs: w->ready() comes once, then ask again */
	BW_CREDENTIALS_FAILED,	 /* it failed; `err` says how. BW_E_GONE: there is no such program */
};

/* Part of whoever waits; zeroed before its first use. */
struct bw_credentials_waiter {
	void (*ready)(void *arg); /* never inside bw_credentials_ask() */
	void *arg;
	struct bw_credentials_waiter *next, **at; /* ours; `at` NULL: waits for nothing */
};

/*
 * Who are we for "registry/repository"? `c` NULL: nobody. What a helper program said is kept for
 * BW_CREDENTIALS_KEEP_MS, its failure for BW_CREDENTIALS_FAILED_MS, and one run serves all who wait for the same answer.
 */
#define BW_CREDENTIALS_KEEP_MS	 300000
#define BW_CREDENTIALS_FAILED_MS 30000
enum bw_credentials_step bw_credentials_ask(struct bw_credentials *c, const char *registry,
					    const char *repository, struct bw_credentials_waiter *w,
					    const struct bw_credential **ret, struct bw_err *err);
/* Waits no longer. Fine when it does not wait. */
void bw_credentials_leave(struct bw_credentials_waiter *w);
/* A registry refused this one: what a helper program said is asked for anew when it is wanted next. */
void bw_credentials_refused(struct bw_credentials *c, uint64_t number);

/* Each registry, or namespace of one, for which a file names a helper program; `source` as below. */
typedef void (*bw_credentials_helper_fn)(const char *registry, const char *source, void *arg);
void bw_credentials_each_helper(const struct bw_credentials *c, bw_credentials_helper_fn fn, void *arg);

/*
 * Where would the answer come from, for people, without running anything? "" for nobody in particular. A helper program that
 * is named here may turn out to have nothing. The caller frees.
 */
char *bw_credentials_source(const struct bw_credentials *c, const char *registry, const char *repository);

#endif
