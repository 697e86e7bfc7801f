/* address.h - where does a URL or the name of a registry lead? Pure. */
#ifndef BW_REGISTRY_ADDRESS_H
#define BW_REGISTRY_ADDRESS_H

#include <stdbool.h>

#define BW_HOST_MAX 256 /* a DNS name has at most 253 bytes */

/* Scheme, host and port of a URL. */
struct bw_origin {
	bool is_tls;
	char host[BW_HOST_MAX]; /* lower case, without the brackets of an IPv6 address */
	unsigned port;
};

/* False: not http(s), no host, a user in it, or characters that no URL has. */
bool bw_origin_parse(const char *url, struct bw_origin *ret);
/* The same of "host[:port]" as it stands in a reference. */
bool bw_origin_of_registry(const char *registry, bool is_tls, struct bw_origin *ret);
#define BW_ORIGIN_MAX (BW_HOST_MAX + 8)
/* "host[:port]" for people, without the port that goes without saying. Returns `out`. */
const char *bw_origin_name(const struct bw_origin *o, char out[BW_ORIGIN_MAX]);
bool bw_origin_equal(const struct bw_origin *a, const struct bw_origin *b);

/* One of the names that people have for Docker Hub. */
bool bw_host_is_hub(const char *host);
/* "localhost" or a loopback address. */
bool bw_host_is_loopback(const char *host);
/*
 * An address, or a name for one, inside of a machine or a private network: loopback, private (RFC 1918, RFC
 * 4193, RFC 6598), link-local, unspecified. Also in the short and hexadecimal forms that libraries take
 * ("127.1").
 */
bool bw_host_is_private(const char *host);

#endif
