/*
 * address.h - which addresses lead into places that a stranger may not send us to? A name proves nothing, because it may
 * resolve to something else at the next look-up: what counts is the address that is connected to. Pure.
 */
#ifndef BW_NET_ADDRESS_H
#define BW_NET_ADDRESS_H

#include <sys/socket.h>

/* A set. What is in none of them is 0. */
enum bw_address_kind {
	BW_ADDRESS_LOOPBACK = 1,   /* this machine: 127.0.0.0/8, ::1, and the unspecified address */
	BW_ADDRESS_LINK_LOCAL = 2, /* 169.254.0.0/16, fe80::/10, and the metadata services of clouds */
	BW_ADDRESS_PRIVATE = 4,	   /* RFC 1918, RFC 4193, RFC 6598, where they are none of the above */
};

/* Addresses that carry an IPv4 address (mapped, compatible, NAT64, 6to4) are what that one is. */
unsigned bw_address_kind(const struct sockaddr *a);
/*
 * The same for the host of a URL, or for a host alone, when it says so itself: an address in any form that libraries
 * take ("127.1", "0x7f000001", "[::1]"), or localhost and what is below it.
 */
unsigned bw_address_kind_of_url(const char *url);
/* Of one kind, for people: "a loopback address". */
const char *bw_address_kind_name(unsigned kind);

#endif
