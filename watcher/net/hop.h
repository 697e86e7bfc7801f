/*
 * hop.h - may this hop of a transfer be made? Each place that a transfer goes to is looked at twice: before a socket is
 * opened, and before a byte of the request goes out; see struct bw_http_request for the rules.
 */
#ifndef BW_NET_HOP_H
#define BW_NET_HOP_H

#include <netinet/in.h>
#include <stdbool.h>

#include "net/http.h"

/* What is known of the hops of one transfer. */
struct bw_hops {
	unsigned refuse, refuse_hops;
	bw_http_named_fn is_named;
	void *arg;
	const char *proxy; /* for every URL; "": none; NULL: as the environment says */
	const char *first_url;
	char first_peer[INET6_ADDRSTRLEN]; /* "": not connected yet */
	unsigned first_port;
	/* what was refused */
	bool is_refused;
	unsigned kind;
	char address[INET6_ADDRSTRLEN]; /* "": the URL says it */
	char refusal[128];
};

struct bw_hop {
	const char *url; /* NULL: not known */
	const char *address;
	unsigned port;
	bool is_redirect;
};

/* `proxy` as in struct bw_hops; it and `url` live as long as `x` is used. */
void bw_hops_begin(struct bw_hops *x, const struct bw_http_request *req, const char *url, const char *proxy);

/* That the user chose for this URL; NULL: none. */
const char *bw_hops_proxy(const struct bw_hops *x, const char *url);

/* False: `x` says why. The second one is for places that there is a connection to, whoever made it. */
bool bw_hops_may_open(struct bw_hops *x, const struct bw_hop *h);
bool bw_hops_may_send(struct bw_hops *x, const struct bw_hop *h);

/* The address of the first place; "": that of a proxy, or there was no connection. */
const char *bw_hops_first_address(const struct bw_hops *x);

/* Do both URLs name one host and port? */
bool bw_hop_is_same_host(const char *a, const char *b);
/* The same by what they mean, and is it spoken to over TLS? https://h and https://H:443/x are one place. */
bool bw_hop_is_same_tls_place(const char *a, const char *b);

#endif
