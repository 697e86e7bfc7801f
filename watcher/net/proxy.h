/*
 * proxy.h - which proxy libcurl takes from the environment (curl(1), "ENVIRONMENT"). It does not tell, and a socket to
 * the user's own proxy must not be taken for one to the place that a stranger named.
 */
#ifndef BW_NET_PROXY_H
#define BW_NET_PROXY_H

#include <stdbool.h>

/*
 * The proxy for URLs with the scheme of this one; NULL: none. The hosts in no_proxy are not looked at, except for "*":
 * one of them is gone to without a proxy although there is one.
 */
const char *bw_proxy_of(const char *url);

/*
 * Is "[SCHEME://][USER@]HOST[:PORT]" what listens at this numeric address? A name that does not say where it is may be
 * anywhere: then the port decides.
 */
bool bw_proxy_is_at(const char *proxy, const char *address, unsigned port);

#endif
