/* hop.c - which places are refused to a transfer, and which socket leads to a proxy. */
#include "net/hop.h"

#include <stdio.h>
#include <string.h>

#include "net/address.h"
#include "net/authority.h"
#include "net/proxy.h"

/* --- hosts of URLs ---------------------------------------------------------------------------- */

bool bw_hop_is_same_host(const char *a, const char *b)
{
	size_t a_len, b_len;

	a = bw_authority_of(a, &a_len);
	b = bw_authority_of(b, &b_len);
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool is_tls_port(const char *from, size_t len)
{
	return len == 0 || (len == 4 && memcmp(from, ":443", 4) == 0) || (len == 1 && *from == ':');
}

bool bw_hop_is_same_tls_place(const char *a, const char *b)
{
	size_t a_len, b_len, a_host, b_host;

	if (strncasecmp(a, "https:", 6) != 0 || strncasecmp(b, "https:", 6) != 0)
		return false;
	if (bw_hop_is_same_host(a, b))
		return true;
	a = bw_authority_of(a, &a_len);
	b = bw_authority_of(b, &b_len);
	a_host = bw_authority_host_length(a, a_len);
	b_host = bw_authority_host_length(b, b_len);
	return a_host == b_host && strncasecmp(a, b, a_host) == 0 &&
	       is_tls_port(a + a_host, a_len - a_host) && is_tls_port(b + b_host, b_len - b_host);
}

/* --- what is refused -------------------------------------------------------------------------- */

void bw_hops_begin(struct bw_hops *x, const struct bw_http_request *req, const char *url, const char *proxy)
{
	x->refuse = req->refuse;
	x->refuse_hops = req->refuse_hops;
	x->is_named = req->is_named;
	x->arg = req->named_arg;
	x->proxy = req->is_direct ? "" : proxy;
	x->first_url = url;
	x->first_peer[0] = '\0';
	x->first_port = 0;
	x->is_refused = false;
	x->kind = 0;
}

const char *bw_hops_proxy(const struct bw_hops *x, const char *url)
{
	if (x->proxy)
		return *x->proxy ? x->proxy : NULL;
	return url ? bw_proxy_of(url) : NULL;
}

/* Is this socket one to the proxy that the user chose? It is where he says, and stands for every place behind it. */
static bool is_proxy(const struct bw_hops *x, const char *url, const char *address, unsigned port)
{
	const char *proxy = bw_hops_proxy(x, url);

	return proxy && bw_proxy_is_at(proxy, address, port);
}

const char *bw_hops_first_address(const struct bw_hops *x)
{
	return x->first_peer[0] && is_proxy(x, x->first_url, x->first_peer, x->first_port) ? ""
											   : x->first_peer;
}

static unsigned first_kind(const struct bw_hops *x)
{
	const char *address = bw_hops_first_address(x);

	return bw_address_kind_of_url(x->first_url) | (*address ? bw_address_kind_of_url(address) : 0);
}

/* The kinds that this hop must not lead to. */
static unsigned refused_kinds(const struct bw_hops *x, const struct bw_hop *h)
{
	if (!h->is_redirect || !(x->refuse_hops & ~x->refuse))
		return x->refuse;
	return x->refuse | (x->refuse_hops & ~first_kind(x));
}

static bool refuses(struct bw_hops *x, const struct bw_hop *h, unsigned kind, const char *address)
{
	kind &= refused_kinds(x, h);
	if (!kind || (x->is_named && h->url && x->is_named(h->url, x->arg)))
		return false;
	x->is_refused = true;
	x->kind = kind;
	(void)snprintf(x->address, sizeof(x->address), "%s", address);
	(void)snprintf(x->refusal, sizeof(x->refusal), "%s is %s, which is not talked to",
		       *address ? address : "the host of the URL", bw_address_kind_name(kind));
	return true;
}

static bool is_watched(const struct bw_hops *x, const struct bw_hop *h)
{
	return x->refuse || (h->is_redirect && x->refuse_hops);
}

/* A proxy connects for us, to what the URL says: so that is looked at as well. */
static bool may_go(struct bw_hops *x, const struct bw_hop *h)
{
	unsigned kind = bw_address_kind_of_url(h->address);

	if (kind && !is_proxy(x, h->url, h->address, h->port) && refuses(x, h, kind, h->address))
		return false;
	return !h->url || !refuses(x, h, bw_address_kind_of_url(h->url), "");
}

bool bw_hops_may_open(struct bw_hops *x, const struct bw_hop *h)
{
	return !is_watched(x, h) || may_go(x, h);
}

bool bw_hops_may_send(struct bw_hops *x, const struct bw_hop *h)
{
	x->is_refused = false; /* there was another address */
	if (!h->is_redirect) {
		(void)snprintf(x->first_peer, sizeof(x->first_peer), "%s", h->address);
		x->first_port = h->port;
	}
	return !is_watched(x, h) || may_go(x, h);
}
