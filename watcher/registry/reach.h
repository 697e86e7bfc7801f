/*
 * reach.h - where may a registry, and whoever it sends us to, be?
 *
 * A stranger's build file (bw_registry_for_strangers) is no way into this machine and its network: what it names is not
 * asked at such an address, nor is what a registry sends us to. Whom the user named may be anywhere, and may send us to
 * its own kind of address: a registry on this machine has its token server there, and one in a private network there. To
 * another kind nobody may, except who was named himself to who was named himself.
 */
#ifndef BW_REGISTRY_REACH_H
#define BW_REGISTRY_REACH_H

#include <stdbool.h>

#include "net/http.h"
#include "registry/address.h"
#include "registry/internal.h"

struct bw_host;
struct bw_question;

/* The kinds of addresses that a question must not lead to: nothing is refused to whom the user named. */
unsigned bw_reach_refused(const struct bw_question *q);

/* Completes the request to the registry itself, or to its token endpoint; `refuse`: of the question that it is for. */
void bw_reach_of_host(const struct bw_host *h, unsigned refuse, struct bw_http_request *req);
void bw_reach_of_realm(const struct bw_host *h, unsigned refuse, struct bw_http_request *req);

/* Is it in a private network itself, or as good as? Only such a one may have its token endpoint there. */
bool bw_reach_is_private(const struct bw_host *h);

/* The host answered: what is its address? */
void bw_reach_note(struct bw_host *h, const struct bw_http_response *r);

#endif
