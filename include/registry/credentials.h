/*
 * credentials.h - who are we at a registry? The `auths` of docker's config.json and containers' auth.json.
 * Order: $REGISTRY_AUTH_FILE alone when it is set; else $DOCKER_CONFIG/config.json, else ~/.docker/config.json.
 */
#ifndef BW_REGISTRY_CREDENTIALS_H
#define BW_REGISTRY_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct bw_credential {
	char *user;
	char *password;
};

void bw_credential_done(struct bw_credential *c); /* wipes */

struct bw_credentials;

/* Empty: everything anonymous. */
struct bw_credentials *bw_credentials_new(void);
/* One more owner, who frees it as well. */
struct bw_credentials *bw_credentials_share(struct bw_credentials *c);
void bw_credentials_free(struct bw_credentials *c); /* by the last owner: wipes */

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
/*
 * Whoever logs in, and tools that renew log-ins which soon end, write that file while we run: reads it again when it is
 * another one than was loaded, and replaces all. Nothing that was found before may be used after it. A file that cannot be
 * read or parsed changes nothing, and is warned about once. At most one look in BW_CREDENTIALS_LOOK_MS of `now_ms`, which
 * is any clock; bw_credentials_reload() reads in any case.
 */
#define BW_CREDENTIALS_LOOK_MS 2000
void bw_credentials_refresh(struct bw_credentials *c, uint64_t now_ms);
void bw_credentials_reload(struct bw_credentials *c);
/* Another number after each refresh or reload that found others. 0 for NULL. */
uint64_t bw_credentials_number(const struct bw_credentials *c);
/* That file, whether it is there or not; NULL: the environment names none. The caller frees. */
char *bw_credentials_path(void);

/* For "registry/repository"; keys by registry, or namespaced ("host/ns"), longest first. NULL: anonymous. */
const struct bw_credential *bw_credentials_find(const struct bw_credentials *c, const char *registry,
						const char *repository);

#endif
