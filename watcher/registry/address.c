/* address.c - origins of URLs, and which addresses are not public. */
#include "registry/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/def.h"
#include "core/text.h"
#include "registry/client.h"

static bool parse_port(const char *s, unsigned *ret)
{
	uint64_t port;

	if (!bw_text_number(s, 1, 65535, &port))
		return false;
	*ret = (unsigned)port;
	return true;
}

/* What a name (letters, digits, `-`, `_`) or an address may be made of. */
static bool is_host(const char *s, bool is_bracketed)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	static const char six[] = "0123456789abcdefABCDEF:.";

	return *s && s[strspn(s, is_bracketed ? six : name)] == '\0';
}

/* `text` is host[:port] of `len` bytes; the port is set only when there is one. */
static bool parse_host(const char *text, size_t len, struct bw_origin *ret)
{
	char copy[BW_HOST_MAX + 16];
	char *host = copy, *rest;
	bool is_bracketed;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	is_bracketed = *copy == '[';
	if (is_bracketed) {
		host++;
		rest = strchr(host, ']');
		if (!rest)
			return false;
		*rest++ = '\0';
	} else {
		rest = copy + strcspn(copy, ":");
	}
	if (*rest && (*rest != ':' || !parse_port(rest + 1, &ret->port)))
		return false;
	*rest = '\0';
	if (!is_host(host, is_bracketed) || strlen(host) >= sizeof(ret->host))
		return false;
	memcpy(ret->host, host, strlen(host) + 1);
	bw_text_lower(ret->host);
	return true;
}

bool bw_origin_parse(const char *url, struct bw_origin *ret)
{
	const char *host;

	*ret = (struct bw_origin){.is_tls = strncasecmp(url, "https://", 8) == 0};
	if (!ret->is_tls && strncasecmp(url, "http://", 7) != 0)
		return false;
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	ret->port = ret->is_tls ? 443 : 80;
	host = url + (ret->is_tls ? 8 : 7);
	return parse_host(host, strcspn(host, "/?#"), ret);
}

bool bw_origin_of_registry(const char *registry, bool is_tls, struct bw_origin *ret)
{
	*ret = (struct bw_origin){.is_tls = is_tls, .port = is_tls ? 443 : 80};
	return parse_host(registry, strlen(registry), ret);
}

const char *bw_origin_name(const struct bw_origin *o, char out[BW_ORIGIN_MAX])
{
	int len = snprintf(out, BW_ORIGIN_MAX, strchr(o->host, ':') ? "[%s]" : "%s", o->host);

	if (o->port != (o->is_tls ? 443U : 80U))
		(void)snprintf(out + len, BW_ORIGIN_MAX - (size_t)len, ":%u", o->port);
	return out;
}

bool bw_origin_equal(const struct bw_origin *a, const struct bw_origin *b)
{
	return a->is_tls == b->is_tls && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool bw_host_is_hub(const char *host)
{
	static const char *const names[] = {"docker.io", "index.docker.io", "registry-1.docker.io",
					    "registry.hub.docker.com"};

	for (size_t i = 0; i < BW_COUNT(names); i++)
		if (strcasecmp(host, names[i]) == 0)
			return true;
	return false;
}

bool bw_host_is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_private_four(uint32_t a)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} nets[] = {
		{0x00000000, 8},  /* 0.0.0.0/8: this network, unspecified */
		{0x0a000000, 8},  /* 10.0.0.0/8 */
		{0x64400000, 10}, /* 100.64.0.0/10 */
		{0x7f000000, 8},  /* 127.0.0.0/8 */
		{0xa9fe0000, 16}, /* 169.254.0.0/16: link-local, metadata services */
		{0xac100000, 12}, /* 172.16.0.0/12 */
		{0xc0a80000, 16}, /* 192.168.0.0/16 */
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if ((a ^ nets[i].net) >> (32 - nets[i].bits) == 0)
			return true;
	return false;
}

static bool is_private_six(const struct in6_addr *a)
{
	uint32_t four;

	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a)) { /* ::1 and :: are among the latter */
		memcpy(&four, &a->s6_addr[12], sizeof(four));
		return is_private_four(ntohl(four));
	}
	return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LINKLOCAL(a) ||
	       (a->s6_addr[0] & 0xfe) == 0xfc;
}

bool bw_host_is_private(const char *host)
{
	struct in6_addr six;
	struct in_addr four;
	size_t len = strlen(host);

	if (strcmp(host, "localhost") == 0 || bw_text_ends(host, ".localhost") ||
	    (len > 0 && host[len - 1] == '.' && strncmp(host, "localhost", len - 1) == 0))
		return true;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return is_private_six(&six);
	/* inet_aton() takes what libcurl takes: "127.1", "0x7f000001", "2130706433". */
	return inet_aton(host, &four) != 0 && is_private_four(ntohl(four.s_addr));
}

bool bw_registry_is_same(const char *a, const char *b)
{
	struct bw_origin x, y;

	if (!bw_origin_of_registry(a, true, &x) || !bw_origin_of_registry(b, true, &y) || x.port != y.port)
		return false;
	return strcmp(x.host, y.host) == 0 || (bw_host_is_hub(x.host) && bw_host_is_hub(y.host));
}

bool bw_registry_is_loopback(const char *registry)
{
	struct bw_origin o;

	return bw_origin_of_registry(registry, true, &o) && bw_host_is_loopback(o.host);
}
