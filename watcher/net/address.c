/* address.c - kinds of IP addresses; RFC 6890, RFC 4291, and what cloud providers document for their metadata. */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/def.h"
#include "core/text.h"
#include "net/authority.h"

#define HOST_MAX 256

struct four_net {
	uint32_t net;
	unsigned bits;
	unsigned kind;
};

static const struct four_net four_nets[] = {
	{0x00000000, 8, BW_ADDRESS_LOOPBACK}, /* "this network": Linux connects 0.0.0.0 to itself */
	{0x7f000000, 8, BW_ADDRESS_LOOPBACK}, /* 127.0.0.0/8 */
	{0xa9fe0000, 16,
	 BW_ADDRESS_LINK_LOCAL}, /* 169.254.0.0/16: EC2, Azure, Google, OpenStack and others */
	{0x646464c8, 32, BW_ADDRESS_LINK_LOCAL}, /* 100.100.100.200: Alibaba */
	{0xa83f8110, 32, BW_ADDRESS_LINK_LOCAL}, /* 168.63.129.16: Azure's agent on the host */
	{0xc00000c0, 32, BW_ADDRESS_LINK_LOCAL}, /* 192.0.0.192: Oracle, the older one */
	{0x0a000000, 8, BW_ADDRESS_PRIVATE},	 /* 10.0.0.0/8 */
	{0xac100000, 12, BW_ADDRESS_PRIVATE},	 /* 172.16.0.0/12 */
	{0xc0a80000, 16, BW_ADDRESS_PRIVATE},	 /* 192.168.0.0/16 */
	{0x64400000, 10, BW_ADDRESS_PRIVATE},	 /* 100.64.0.0/10 */
};

struct six_net {
	uint8_t net[16];
	unsigned bytes; /* that must be the same */
	unsigned kind;
};

static const struct six_net six_nets[] = {
	{{[15] = 1}, 16, BW_ADDRESS_LOOPBACK},						 /* ::1 */
	{{0}, 16, BW_ADDRESS_LOOPBACK},							 /* :: */
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 16, BW_ADDRESS_LINK_LOCAL}, /* EC2 */
	{{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, 16, BW_ADDRESS_LINK_LOCAL}, /* Google */
	{{0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, [13] = 0xfe, [14] = 0xa9, [15] = 0xfe},
	 16,
	 BW_ADDRESS_LINK_LOCAL},					    /* Oracle */
	{{0xfd, 0x00, 0x00, 0x42, [15] = 0x42}, 16, BW_ADDRESS_LINK_LOCAL}, /* Scaleway */
};

/* Prefixes behind which an IPv4 address stands. */
static const struct {
	uint8_t prefix[12];
	unsigned bytes, at;
} carriers[] = {
	{{[10] = 0xff, [11] = 0xff}, 12, 12}, /* ::ffff:0:0/96, mapped (RFC 4291) */
	{{0}, 12, 12},			      /* ::/96, compatible (RFC 4291, obsolete) */
	{{0x00, 0x64, 0xff, 0x9b}, 12, 12},   /* 64:ff9b::/96, NAT64 (RFC 6052) */
	{{0x20, 0x02}, 2, 2},		      /* 2002::/16, 6to4 (RFC 3056) */
};

static unsigned kind_of_four(const void *bytes)
{
	uint32_t a;

	memcpy(&a, bytes, sizeof(a));
	a = ntohl(a);
	for (size_t i = 0; i < BW_COUNT(four_nets); i++)
		if ((a ^ four_nets[i].net) >> (32 - four_nets[i].bits) == 0)
			return four_nets[i].kind;
	return 0;
}

/*
 * 64:ff9b:1::/48 (RFC 8215) is for translators that cut it up as they like: an IPv4 address stands at one of the four
 * places that RFC 6052, 2.2 has for prefixes of 48, 56, 64 and 96 bits, around the byte 8. What looks like 0.0.0.0/8 at
 * one of them is most likely the filling of another.
 */
static unsigned kind_of_local_translation(const uint8_t *bytes)
{
	static const uint8_t prefix[6] = {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01};
	static const uint8_t places[][4] = {{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}, {12, 13, 14, 15}};
	unsigned kind = 0;

	if (memcmp(bytes, prefix, sizeof(prefix)) != 0)
		return 0;
	for (size_t i = 0; i < BW_COUNT(places); i++) {
		uint8_t four[4];

		for (size_t k = 0; k < sizeof(four); k++)
			four[k] = bytes[places[i][k]];
		if (four[0] != 0)
			kind |= kind_of_four(four);
	}
	return kind;
}

static unsigned kind_of_six(const struct in6_addr *a)
{
	const uint8_t *bytes = a->s6_addr;

	if (IN6_IS_ADDR_LINKLOCAL(a))
		return BW_ADDRESS_LINK_LOCAL;
	for (size_t i = 0; i < BW_COUNT(six_nets); i++)
		if (memcmp(bytes, six_nets[i].net, six_nets[i].bytes) == 0)
			return six_nets[i].kind;
	if ((bytes[0] & 0xfe) == 0xfc) /* fc00::/7 */
		return BW_ADDRESS_PRIVATE;
	for (size_t i = 0; i < BW_COUNT(carriers); i++)
		if (memcmp(bytes, carriers[i].prefix, carriers[i].bytes) == 0)
			return kind_of_four(bytes + carriers[i].at);
	return kind_of_local_translation(bytes);
}

unsigned bw_address_kind(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return kind_of_four(&((const struct sockaddr_in *)(const void *)a)->sin_addr);
	if (a->sa_family == AF_INET6)
		return kind_of_six(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
	return 0;
}

/* The host of a URL without brackets, port, user and zone; false: it does not fit, so it is no address. */
static bool host_of(const char *url, char out[HOST_MAX])
{
	size_t len;
	const char *from = bw_authority_of(url, &len);

	if (len > 0 && *from == '[')
		len = strcspn(++from, "]%/");
	else if (strspn(from, "0123456789abcdefABCDEF:.") < len || !memchr(from, ':', len) ||
		 memchr(from, ':', len) == memrchr(from, ':', len))
		len = strcspn(from, ":/?#"); /* more than one colon and nothing else: a bare IPv6 address */
	if (len >= HOST_MAX)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

unsigned bw_address_kind_of_url(const char *url)
{
	char host[HOST_MAX];
	struct in6_addr six;
	struct in_addr four;
	size_t len;

	if (!host_of(url, host))
		return 0;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return kind_of_six(&six);
	len = strlen(host);
	if (len > 0 && host[len - 1] == '.')
		host[len - 1] = '\0';
	bw_text_lower(host);
	if (bw_text_is(host, "localhost") || bw_text_ends(host, ".localhost"))
		return BW_ADDRESS_LOOPBACK;
	return inet_aton(host, &four) ? kind_of_four(&four) : 0;
}

const char *bw_address_kind_name(unsigned kind)
{
	if (kind & BW_ADDRESS_LINK_LOCAL)
		return "a link-local or metadata address";
	return kind & BW_ADDRESS_LOOPBACK ? "a loopback address" : "an address of a private network";
}
