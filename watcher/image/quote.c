/* quote.c - see quote.h. */
#include "image/quote.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "image/chars.h"

static const char ellipsis[] = "...";

const char *bw_quote(const char *s, size_t len, char *out, size_t size)
{
	size_t keep = len;

	assert(size > sizeof(ellipsis));
	if (len > size - 1)
		keep = size - sizeof(ellipsis);
	for (size_t i = 0; i < keep; i++)
		out[i] = is_visible(s[i]) || s[i] == ' ' ? s[i] : '?';
	out[keep] = '\0';
	if (keep < len)
		memcpy(out + keep, ellipsis, sizeof(ellipsis));
	return out;
}

const char *bw_quote_char(char c, char out[BW_QUOTE_MAX])
{
	unsigned char byte = (unsigned char)c;

	if (c == ' ')
		snprintf(out, BW_QUOTE_MAX, "a blank");
	else if (is_visible(c))
		snprintf(out, BW_QUOTE_MAX, "'%c'", c);
	else if (byte < 0x80)
		snprintf(out, BW_QUOTE_MAX, "byte 0x%02x", byte);
	else
		snprintf(out, BW_QUOTE_MAX, "a byte outside ASCII (0x%02x)", byte);
	return out;
}
