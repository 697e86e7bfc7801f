/*
 * reference.h - image references: grammar and normal form as in distribution/reference (regexp.go,
 * normalize.go): Docker Hub defaults, ports, IPv6, tag and digest together.
 *
 *     debian              -> docker.io / library/debian : (no tag)
 *     Foo/bar             -> registry "Foo"
 *     localhost:5000      -> docker.io/library/localhost, tag 5000
 *     r:5000/a/b:1@sha256:...
 *     my_host.lan/app     -> registry "my_host.lan": no host name, but a builder asks it all the same
 *
 * Parsing does not add `latest`: see bw_reference_tag().
 */
#ifndef BW_IMAGE_REFERENCE_H
#define BW_IMAGE_REFERENCE_H

#include <stdbool.h>

#include "core/err.h"
#include "image/digest.h"

/* The texts share one allocation: only bw_reference_done() frees them. */
struct bw_reference {
	char *registry;		 /* host[:port] as written, `index.docker.io` folded into `docker.io` */
	char *repository;	 /* path, with `library/` where Docker Hub wants it; at most 255 bytes */
	char *tag;		 /* NULL: none written */
	struct bw_digest digest; /* may be empty */
};

/*
 * Parses exactly `len` bytes. On failure (BW_E_INPUT) the message says what is wrong and `*ret_offset` (may
 * be NULL) the byte in `s` where. On success the caller frees with bw_reference_done().
 */
int bw_reference_parse(const char *s, size_t len, struct bw_reference *ret, size_t *ret_offset,
		       struct bw_err *err) BW_NODISCARD;
void bw_reference_done(struct bw_reference *r);

/*
 * The tag to watch: the written one; `latest` when there is neither tag nor digest; NULL for a bare digest.
 */
const char *bw_reference_tag(const struct bw_reference *r);

/*
 * New strings, the caller frees. Normal form: "registry/repository[:tag][@digest]" with bw_reference_tag().
 */
char *bw_reference_format(const struct bw_reference *r);
/* The name of the base: "registry/repository:tag"; NULL when there is no tag to watch. */
char *bw_reference_base(const struct bw_reference *r);
/*
 * For people: without `docker.io/` and `library/` ("debian:12"). Takes any normal form; returns a part of it.
 * What would then name another registry ("docker.io/localhost/x") stays whole.
 */
const char *bw_reference_familiar(const char *normal);

/* The host that answers API requests: `registry-1.docker.io` for docker.io, else the registry itself. */
const char *bw_reference_api_host(const char *registry);

#define BW_AUTOREFERENCE BW_CLEANUP(bw_reference_done)

#endif
