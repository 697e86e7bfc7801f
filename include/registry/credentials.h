/*
 * credentials.h - who are we at a registry? The `auths` of docker's config.json and containers' auth.json.
 * Order: $REGISTRY_AUTH_FILE alone when it is set; else $DOCKER_CONFIG/config.json, else ~/.docker/config.json.
 */
#ifndef BW_REGISTRY_CREDENTIALS_H
#define BW_REGISTRY_CREDENTIALS_H

#include <stddef.h>

#include "core/err.h"

struct bw_credential {
	char *user;
	char *password;
};

void bw_credential_done(struct bw_credential *c); /* wipes */

struct bw_credentials;

/* Empty: everything anonymous. */
struct bw_credentials *bw_credentials_new(void);
void bw_credentials_free(struct bw_credentials *c); /* wipes */

/*
 * Adds the `auths` of a file's text. Entries that cannot be used are skipped; the first such problem is reported in
 * `err` with BW_E_INPUT after everything usable was taken. Secrets never appear in a message.
 */
int bw_credentials_parse(struct bw_credentials *c, const char *text, size_t len,
			 struct bw_err *err) BW_NODISCARD;

/*
 * Reads the file that the environment names (getenv; `home` from $HOME). A missing file is fine. A file that cannot
 * be read or parsed gives an error that names it: the caller warns once and goes on.
 */
int bw_credentials_load(struct bw_credentials *c, struct bw_err *err) BW_NODISCARD;
/* That file, whether it is there or not; NULL: the environment names none. The caller frees. */
char *bw_credentials_path(void);

/* For "registry/repository"; keys by registry, or namespaced ("host/ns"), longest first. NULL: anonymous. */
const struct bw_credential *bw_credentials_find(const struct bw_credentials *c, const char *registry,
						const char *repository);

#endif
