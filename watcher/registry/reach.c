/* reach.c - see reach.h. What a name leads to is known at the address only: net/hop.c refuses there. */
#include "registry/reach.h"

#include <string.h>

#include "net/address.h"
#include "registry/host.h"
#include "registry/places.h"

#define INSIDE (BW_ADDRESS_LOOPBACK | BW_ADDRESS_LINK_LOCAL)

static bool is_named(const char *url, void *arg)
{
	const struct bw_registry *r = arg;
	struct bw_origin o;

	return bw_origin_parse(url, &o) && bw_places_is_named(&r->places, &o);
}

void bw_reach_of_host(const struct bw_host *h, struct bw_http_request *req)
{
	req->refuse = h->is_named ? 0 : h->registry->refuse;
	req->refuse_hops = INSIDE;
	req->is_named = is_named;
	req->named_arg = h->registry;
}

static bool is_on_own_host(const struct bw_host *h)
{
	struct bw_origin own;

	return bw_origin_of_registry(h->address, true, &own) &&
	       strcmp(own.host, h->login.realm_origin.host) == 0;
}

void bw_reach_of_realm(const struct bw_host *h, struct bw_http_request *req)
{
	bw_reach_of_host(h, req);
	if (!is_on_own_host(h))
		req->refuse |= INSIDE & ~h->kind;
}

void bw_reach_note(struct bw_host *h, const struct bw_http_response *r)
{
	h->kind = bw_address_kind_of_url(h->address);
	if (*r->first_address)
		h->kind |= bw_address_kind_of_url(r->first_address);
	h->peer_is_private = *r->first_address && bw_host_is_private(r->first_address);
}
