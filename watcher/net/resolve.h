/*
 * resolve.h - the addresses of a name, looked up by a thread of its own: getaddrinfo() blocks for as long as a resolver
 * is silent, and libuv's few threads are wanted for other work. A look-up can be dropped at any time.
 */
#ifndef BW_NET_RESOLVE_H
#define BW_NET_RESOLVE_H

#include "core/err.h"
#include "net/loop.h"

#define BW_RESOLVE_MAX	    8  /* addresses of one name that are of use */
#define BW_RESOLVE_TEXT_MAX 64 /* IPv6 with a zone */

struct bw_resolve;

struct bw_resolve_result {
	char address[BW_RESOLVE_MAX][BW_RESOLVE_TEXT_MAX]; /* numeric, in the order to be tried */
	unsigned count;					   /* 0: `error` says why */
	const char *error;
};

typedef void (*bw_resolve_fn)(const struct bw_resolve_result *r, void *arg);

/* `done` is called exactly once, never inside, and not after bw_resolve_cancel(). */
int bw_resolve_start(struct bw_loop *l, const char *host, bw_resolve_fn done, void *arg,
		     struct bw_resolve **ret, struct bw_err *err) BW_NODISCARD;
void bw_resolve_cancel(struct bw_resolve *r); /* NULL is fine; not after the callback */

#endif
