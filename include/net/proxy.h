/*
 * proxy.h - proxies, and which one libcurl takes from the environment (curl(1), "ENVIRONMENT"). It does not tell, and a
 * socket to the user's own proxy must not be taken for one to the place that a stranger named.
 */
#ifndef BW_NET_PROXY_H
#define BW_NET_PROXY_H

#include <stdbool.h>

#include "core/err.h"

/* A proxy that somebody wrote down for us: is it one that we know how to use? BW_E_INPUT without what he wrote. */
int bw_proxy_check(const char *proxy, struct bw_err *err) BW_NODISCARD;
#define BW_PROXY_NAME_MAX 300
/* "HOST[:PORT]" for people, without its user. Returns `out`. */
const char *bw_proxy_name(const char *proxy, char out[BW_PROXY_NAME_MAX]);

/*
 * The proxy of the environment for this URL; NULL: none. A host that no_proxy names by a network ("10.0.0.0/8") is told a proxy, although it
 * is gone to without one.
 */
const char *bw_proxy_of(const char *url);

/* What is wrong with such a value, in words that have nothing of it; NULL: nothing. */
const char *bw_proxy_trouble(const char *value);
/*
 * Can the proxy of the environment for this URL be used? BW_E_INPUT names the variable, and not what is in it. Where no_proxy
 * names networks only libcurl knows whether there is one for it: then nothing is said.
 */
int bw_proxy_check_variable(const char *url, struct bw_err *err) BW_NODISCARD;

/*
 * Is "[SCHEME://][USER@]HOST[:PORT]" what listens at this numeric address? A name that does not say where it is may be
 * anywhere: then the port decides. For a host that is only excepted by its network that lets an address with the
 * proxy's port pass; it is the user who excepted it.
 */
bool bw_proxy_is_at(const char *proxy, const char *address, unsigned port);

#endif
