/* authority.h - the part of a URL that names host and port. Pure. */
#ifndef BW_NET_AUTHORITY_H
#define BW_NET_AUTHORITY_H

#include <stddef.h>

/* "HOST[:PORT]" of "[SCHEME://][USER@]HOST[:PORT][/...]", inside of `url`; its length in `ret_len`. */
const char *bw_authority_of(const char *url, size_t *ret_len);
/* Of that: where the host ends, brackets of an IPv6 address included. */
size_t bw_authority_host_length(const char *from, size_t len);

#endif
