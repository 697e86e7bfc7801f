/* A page of a list of tags: the first line of the input is its Link header, the rest its body. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "registry/link.h"
#include "registry/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(const char *query)
{
	assert(strlen(query) < BW_PAGE_QUERY_MAX);
	assert(!*query || *query == '?');
	for (const char *s = query; *s; s++)
		assert(*s > ' ' && *s < 0x7f && *s != '#' && *s != '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BW_AUTOFREE char *text = bw_strndup((const char *)data, size);
	struct bw_page p = {.n = 1000, .max_tags = 100, .max_bytes = 1U << 20};
	struct bw_err err = BW_ERR_INIT;
	char *body = text, *link = strsep(&body, "\n"), url[64];
	size_t len = body ? size - (size_t)(body - text) : 0;

	if (bw_link_next(link, url, sizeof(url)))
		assert(*url && strlen(url) < sizeof(url) && !strchr(url, '>'));
	bw_page_begin(&p);
	if (bw_page_read(&p, body ? body : "", len, link, &err) < 0)
		assert(err.code == BW_E_PEER && *err.msg);
	check_query(p.next);
	assert(p.count <= p.max_tags);
	for (size_t i = 0; i < p.count; i++)
		assert(*p.tags[i] && strlen(p.tags[i]) <= 128);
	bw_page_done(&p);
	return 0;
}
