/*
 * secret.h - a secret that the configuration names but does not hold. The value is read when it is asked for, so that a
 * rotated one is used without a reload, and it is in no message, no log and no listing.
 */
#ifndef BW_CONFIG_SECRET_H
#define BW_CONFIG_SECRET_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"

#define BW_SECRET_MAX_BYTES (64U << 10) /* a password or a key, not a document */

/* At most one of them is set; both NULL: there is no secret. */
struct bw_secret {
	char *env;  /* name of an environment variable */
	char *file; /* absolute path */
};

bool bw_secret_is_set(const struct bw_secret *s);

/*
 * Reads the value into `ret`, which must have been given BW_SECRET_MAX_BYTES or more as its maximum; one newline at the
 * end is dropped. BW_E_GONE: no such variable or file. BW_E_DENIED: the file may be read by everyone, which is refused.
 * BW_E_INPUT: empty, or holds a NUL. BW_E_LIMIT, BW_E_SYS. The caller wipes with bw_secret_wipe().
 */
int bw_secret_read(const struct bw_secret *s, struct bw_buf *ret, struct bw_err *err) BW_NODISCARD;

/* Overwrites and frees. */
void bw_secret_wipe(struct bw_buf *value);
#define BW_AUTOSECRET BW_CLEANUP(bw_secret_wipe)

void bw_secret_done(struct bw_secret *s); /* frees the names */

#endif
