/*
 * mirror.h - the address of a mirror of a registry. Pure.
 *
 *   https://mirror.lan:5000               asked as /v2/library/alpine
 *   https://harbor.lan/dockerhub          as /v2/dockerhub/library/alpine, like a `location` of registries.conf
 *   http://mirror.lan:5000                may be spoken to without TLS: named for it by that
 *   https://mirror.lan?ns=docker.io       with the query that containerd sends to its mirrors (docs/hosts.md); only `?ns`: it
 *                                         is the name of the registry
 *
 * Names are those of registries, so a mirror is the same whether it is asked as one or stands in a reference.
 */
#ifndef BW_REGISTRY_MIRROR_H
#define BW_REGISTRY_MIRROR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct bw_mirror {
	char *registry; /* HOST[:PORT] as in a reference, lower case; with the port when it is plain */
	bool is_plain;
	char *prefix; /* of its repositories: "dockerhub", "a/b"; "": none */
	char *ns;     /* NULL: does not want to know; "": the name of the registry that is asked for */
};

/* BW_E_INPUT says what is wrong, and never what stands before an `@`. The caller frees with bw_mirror_done(). */
int bw_mirror_parse(const char *url, struct bw_mirror *ret, struct bw_err *err) BW_NODISCARD;
/*
 * The same of the next one in the list of `registry`, behind those `before` it: the registry itself under any of its names,
 * and what is there twice, are wrong as well.
 */
int bw_mirror_parse_next(const char *url, const char *registry, const struct bw_mirror *before, size_t count,
			 struct bw_mirror *ret, struct bw_err *err) BW_NODISCARD;
void bw_mirror_done(struct bw_mirror *m);

/* "HOST[:PORT][/PATH]", for people. The caller frees. */
char *bw_mirror_name(const struct bw_mirror *m);

/* What it calls a repository: "dockerhub/library/alpine". The caller frees. */
char *bw_mirror_repository(const struct bw_mirror *m, const char *repository);
/* The query that goes with each request for something of `registry`: "ns=docker.io", or NULL. The caller frees. */
char *bw_mirror_query(const struct bw_mirror *m, const char *registry);

#endif
