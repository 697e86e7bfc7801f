/* headers.h - collects the header of one HTTP response line by line, as libcurl hands it over. Pure. */
#ifndef BW_NET_HEADERS_H
#define BW_NET_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct bw_headers {
	struct bw_buf text; /* "name: value\n" each, names in lower case */
	bool is_begun;	    /* the status line was there */
	bool is_complete;   /* the empty line was there: what follows are trailers, until a new status line */
};

void bw_headers_init(struct bw_headers *h);
void bw_headers_done(struct bw_headers *h);
void bw_headers_clear(struct bw_headers *h);

/*
 * One line with or without its end of line. A status line begins anew. False: more than
 * BW_MAX_HEADER_BYTES.
 */
bool bw_headers_add(struct bw_headers *h, const char *line, size_t len);

/* See bw_http_header(). */
bool bw_headers_get(const char *text, const char *name, unsigned nth, char *out, size_t size);

#endif
