/* page.h - one page of a registry's list of tags (distribution-spec "Listing Tags"): what it holds, and how to get the next.
 * Pure. */
#ifndef BW_REGISTRY_PAGE_H
#define BW_REGISTRY_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define BW_PAGE_QUERY_MAX 1024

struct bw_page {
	char query
		[BW_PAGE_QUERY_MAX]; /* "?n=1000&last=x": of the page that is asked for; "": the registry's own idea */
	char next[BW_PAGE_QUERY_MAX]; /* of the next one; "": that was the last */
	unsigned n;		      /* entries of a page that are asked for; 0: not said */
	size_t max_bytes;	      /* of a page */
	unsigned status;	      /* that the registry answered with */

	char **tags; /* of all pages so far */
	size_t count, capacity, max_tags;
	bool is_full; /* there were more */
};

void bw_page_done(struct bw_page *p);

/* Makes `query` that of the first page. */
void bw_page_begin(struct bw_page *p);

/*
 * Adds the tags of a page and finds the query of the next. `link`: the value of its Link header; NULL: none. Of a link only
 * the place in the list is taken: whatever host and path it names, the next request goes where the last one went.
 * Names that are no tags are left out. BW_E_PEER: it is no such list.
 */
int bw_page_read(struct bw_page *p, const char *body, size_t len, const char *link,
		 struct bw_err *err) BW_NODISCARD;

#endif
