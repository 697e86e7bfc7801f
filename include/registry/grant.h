/*
 * grant.h - what a token says that it is good for: the `access` claim of a JWT (distribution docs spec/auth/jwt.md). Pure.
 *
 * Its signature is for the registry to check. What stands here only decides which repositories it is tried for, so a token
 * that says something wrong costs a request, and nothing else.
 */
#ifndef BW_REGISTRY_GRANT_H
#define BW_REGISTRY_GRANT_H

#include <stdbool.h>
#include <stddef.h>

struct bw_grants;

/* NULL: opaque, it does not say. One that grants nothing says so. */
struct bw_grants *bw_grants_read(const char *token, size_t len);
void bw_grants_free(struct bw_grants *g);

/* Does it say that this repository may be pulled? */
bool bw_grants_pull(const struct bw_grants *g, const char *repository);

#endif
