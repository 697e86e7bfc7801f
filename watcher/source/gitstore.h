/* gitstore.h - the bare repositories below the state folder, one for each address. Private to source/. */
#ifndef BW_SOURCE_GITSTORE_H
#define BW_SOURCE_GITSTORE_H

#include <stdbool.h>

#include "core/err.h"
#include "source/giturl.h"

/* Makes the folder where it is missing; returns its absolute path. */
int bw_gitstore_open(const char *state, char **ret, struct bw_err *err) BW_NODISCARD;

/* STATE/HASH.git; object names have another length in repositories with SHA-256, so those have a folder of their own. */
char *bw_gitstore_path(const char *state, const struct bw_giturl *u, bool is_sha256);
/* STATE/HASH.lock */
char *bw_gitstore_lock_path(const char *state, const struct bw_giturl *u);

/* 1 with the lock held as long as `*ret_fd` is open; 0: another process holds it. */
int bw_gitstore_lock(const char *path, int *ret_fd, struct bw_err *err) BW_NODISCARD;

bool bw_gitstore_exists(const char *path);
/* So many fetches have left their packs, or were broken off, that it is better fetched anew. */
bool bw_gitstore_is_worn(const char *path);

#endif
