/*
 * reach.h - where may a registry, and whoever it sends us to, be?
 *
 * A stranger's build file (bw_registry_options.refuse) is no way into this machine and its network: what it names is not
 * asked at such an address, nor is what a registry sends us to. Whom the user named may be anywhere, and may send us to
 * its own kind of address: a registry on this machine has its token server there. To another kind nobody may, except to
 * who was named himself.
 */
#ifndef BW_REGISTRY_REACH_H
#define BW_REGISTRY_REACH_H

#include <stdbool.h>

#include "net/http.h"
#include "registry/address.h"
#include "registry/internal.h"

struct bw_host;

/* Completes the request to the registry itself, or to its token endpoint. */
void bw_reach_of_host(const struct bw_host *h, struct bw_http_request *req);
void bw_reach_of_realm(const struct bw_host *h, struct bw_http_request *req);

/* The host answered: what is its address? */
void bw_reach_note(struct bw_host *h, const struct bw_http_response *r);

#endif
