/* link.h - `Link` headers (RFC 8288), by which a list says where its next page is. Pure. */
#ifndef BW_REGISTRY_LINK_H
#define BW_REGISTRY_LINK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The target of the first link of this header value whose relation is `next`, as it is written: a whole URL, or one
 * relative to the request. A link with an `anchor` is about something else and does not count. False: there is none, or
 * it does not fit.
 */
bool bw_link_next(const char *value, char *ret, size_t size);

/*
 * The value of a query parameter of a URL, percent-encoded as it stands there. False: the URL has none of that name; or
 * it is empty, does not fit, or has characters that a value must not have (RFC 3986 3.4).
 */
bool bw_link_parameter(const char *url, const char *name, char *ret, size_t size);

#endif
