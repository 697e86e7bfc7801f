#include "net/authority.h"

#include <string.h>

const char *bw_authority_of(const char *url, size_t *ret_len)
{
	const char *from = strstr(url, "://"), *at;

	from = from ? from + 3 : url;
	*ret_len = strcspn(from, "/?#");
	at = memrchr(from, '@', *ret_len);
	if (!at)
		return from;
	*ret_len -= (size_t)(at + 1 - from);
	return at + 1;
}

/* An address in brackets has colons of its own. */
size_t bw_authority_host_length(const char *from, size_t len)
{
	const char *bracket = len > 0 && *from == '[' ? memchr(from, ']', len) : NULL;
	const char *colon =
		memchr(bracket ? bracket : from, ':', bracket ? len - (size_t)(bracket - from) : len);

	return colon ? (size_t)(colon - from) : len;
}
