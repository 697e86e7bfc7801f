/*
 * authfile.h - the text of a config.json (docker/cli configfile), of an auth.json (containers-auth.json(5)), or of
 * $DOCKER_AUTH_CONFIG. Pure.
 *
 * Keys are brought into one form, host[:port][/namespace], so that finding is a few look-ups: the whole name, then without
 * its last part, and so on down to the host.
 */
#ifndef BW_REGISTRY_AUTHFILE_H
#define BW_REGISTRY_AUTHFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "registry/credentials.h"

struct bw_authfile;

#define BW_AUTHFILE_MAX_ENTRIES 4096	    /* of `auths`, and as many of `credHelpers` */
#define BW_CREDENTIAL_MAX_BYTES (64U << 10) /* a secret; tokens are a few KiB */

struct bw_authfile *bw_authfile_new(void);    /* nothing in it */
void bw_authfile_free(struct bw_authfile *f); /* wipes; NULL is fine */

/*
 * Once for each. BW_E_INPUT: it is no such file, and nothing is taken. 1: some entries cannot be used, and `err` names the
 * first; the others are taken. `is_strict`, for the variable: an `auth` for each registry and nothing else, or BW_E_INPUT.
 * Secrets never appear in a message.
 */
int bw_authfile_parse(struct bw_authfile *f, const char *text, size_t len, bool is_strict,
		      struct bw_err *err) BW_NODISCARD;

/* Where it comes from, for people, and the numbers of all credentials in it. */
typedef uint64_t (*bw_credential_number_fn)(const struct bw_credential *c, void *arg);
void bw_authfile_sign(struct bw_authfile *f, const char *source, bw_credential_number_fn fn, void *arg);

/* Do they say the same? */
bool bw_authfile_equal(const struct bw_authfile *a, const struct bw_authfile *b);

/* Both of the longest key that fits "key/repository"; `key` as of bw_authfile_key(). NULL: none. */
const struct bw_credential *bw_authfile_find(const struct bw_authfile *f, const char *key,
					     const char *repository);
/* NAME of docker-credential-NAME; `*ret_member` is where it stands, "credHelpers" or "credsStore". */
const char *bw_authfile_helper(const struct bw_authfile *f, const char *key, const char *repository,
			       const char **ret_member);

/* Each entry of `credHelpers` that names one, in no order. */
typedef void (*bw_authfile_helper_fn)(const char *key, const char *name, void *arg);
void bw_authfile_each_helper(const struct bw_authfile *f, bw_authfile_helper_fn fn, void *arg);

/* "https://index.docker.io/v1/" -> "docker.io", "Reg.lan:5000/team/" -> "reg.lan:5000/team". The caller frees. */
char *bw_authfile_key(const char *key);

/* Two credentials that a registry cannot tell apart. */
bool bw_credential_equal(const struct bw_credential *a, const struct bw_credential *b);
/* "<token>" as user name: what stands beside it is an identity token (docker/cli nativeStore). */
bool bw_credential_set(struct bw_credential *c, const char *user, const char *secret);
/* May be a part of docker-credential-NAME: no path, nothing that a shell or a terminal would make something of. */
bool bw_helper_name_is_good(const char *name);

#endif
