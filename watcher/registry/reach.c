/* reach.c - see reach.h. What a name leads to is known at the address only: net/hop.c refuses there. */
#include "registry/reach.h"

#include <string.h>

#include "net/address.h"
#include "registry/address.h"
#include "registry/host.h"
#include "registry/places.h"
#include "registry/question.h"

#define INSIDE (BW_ADDRESS_LOOPBACK | BW_ADDRESS_LINK_LOCAL)

static bool is_named(const char *url, void *arg)
{
	const struct bw_registry *r = arg;
	struct bw_origin o;

	return bw_origin_parse(url, &o) && bw_places_is_named(&r->places, &o);
}

unsigned bw_reach_refused(const struct bw_question *q)
{
	return q->host->is_named ? 0 : q->refuse;
}

void bw_reach_of_host(const struct bw_host *h, unsigned refuse, struct bw_http_request *req)
{
	req->refuse = refuse;
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

bool bw_reach_is_private(const struct bw_host *h)
{
	struct bw_origin o;

	return h->may_be_plain || h->peer_is_private ||
	       (bw_origin_of_registry(h->address, true, &o) && bw_host_is_private(o.host));
}

/* The user's word for a place is not one for whoever leads there. */
void bw_reach_of_realm(const struct bw_host *h, unsigned refuse, struct bw_http_request *req)
{
	bw_reach_of_host(h, refuse, req);
	if (is_on_own_host(h))
		return;
	req->refuse |= INSIDE & ~h->kind;
	if (!bw_reach_is_private(h))
		req->refuse |= BW_ADDRESS_PRIVATE;
	if (!h->is_named)
		req->is_named = NULL;
}

void bw_reach_note(struct bw_host *h, const struct bw_http_response *r)
{
	h->kind = bw_address_kind_of_url(h->address);
	if (*r->first_address)
		h->kind |= bw_address_kind_of_url(r->first_address);
	h->peer_is_private = *r->first_address && bw_host_is_private(r->first_address);
}
