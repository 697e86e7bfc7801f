/* request.c - see request.h. */
#include "net/request.h"

#include <string.h>

#define MAX_URL_BYTES 8192

static bool is_clean(const char *s, char lowest)
{
	for (; *s; s++)
		if ((unsigned char)*s < (unsigned char)lowest || *s == 0x7f)
			return false;
	return true;
}

int bw_request_check(const struct bw_http_request *req, struct bw_err *err)
{
	bool is_tls = strncmp(req->url, "https://", 8) == 0;
	size_t count = 0;

	if (!is_tls && !(req->allow_plain && strncmp(req->url, "http://", 7) == 0))
		return bw_fail(err, BW_E_INPUT, "not an https URL: %s", req->url);
	if (strlen(req->url) > MAX_URL_BYTES || !is_clean(req->url, '!'))
		return bw_fail(err, BW_E_INPUT, "not a URL: %.100s", req->url);
	for (; req->headers && req->headers[count]; count++)
		if (!is_clean(req->headers[count], ' '))
			return bw_fail(err, BW_E_INPUT, "control character in a header for %s", req->url);
	if (count > BW_REQUEST_HEADERS)
		return bw_fail(err, BW_E_INPUT, "too many headers for %s", req->url);
	return 0;
}
