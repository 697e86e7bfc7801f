/* request.h - is this a request that can be made? Pure. */
#ifndef BW_NET_REQUEST_H
#define BW_NET_REQUEST_H

#include "net/http.h"

#define BW_REQUEST_HEADERS 24

/* BW_E_INPUT: the URL is none that we take, or a header would be more than one. */
int bw_request_check(const struct bw_http_request *req, struct bw_err *err) BW_NODISCARD;

#endif
