/* mqtt_topic.c - see the header. */
#include "notify/mqtt_topic.h"

#include <stdint.h>
#include <string.h>

#include "core/text.h"

#define MAX_PREFIX 256

/*
 * MQTT 1.5.4: control characters and non-characters should not be in a topic, and brokers may close the connection for
 * them. '%' is ours.
 */
static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && !strchr("%+#/$", c);
}

static uint32_t code_point(const unsigned char *s, size_t len)
{
	uint32_t c = len == 2 ? s[0] & 0x1fU : len == 3 ? s[0] & 0x0fU : s[0] & 0x07U;

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3fU);
	return c;
}

/* Bytes of a sequence that may stay as it is; 0: the first byte has to be escaped. */
static size_t plain_sequence(const char *s, size_t len)
{
	size_t n = bw_utf8_len(s, len);
	uint32_t c;

	if (n < 2)
		return 0;
	c = code_point((const unsigned char *)s, n);
	if (c < 0xa0 || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
		return 0;
	return n;
}

bool bw_mqtt_topic_level(struct bw_buf *out, const char *s, size_t len)
{
	bool ok = true;

	for (size_t i = 0; i < len && ok;) {
		size_t n = is_plain(s[i]) ? 1 : plain_sequence(s + i, len - i);

		if (n > 0) {
			ok = bw_buf_add(out, s + i, n);
			i += n;
		} else {
			ok = bw_buf_addf(out, "%%%02X", (unsigned)(unsigned char)s[i++]);
		}
	}
	return ok;
}

bool bw_mqtt_topic_make(struct bw_buf *out, const char *prefix, const char *branch, const char *level)
{
	bw_buf_clear(out);
	return bw_buf_addf(out, "%s/%s/", prefix, branch) && bw_mqtt_topic_level(out, level, strlen(level)) &&
	       *level;
}

/* Several levels, none empty; topics that begin with '$' are the broker's own. */
bool bw_mqtt_topic_is_prefix(const char *prefix)
{
	size_t len = strnlen(prefix, MAX_PREFIX + 1);

	if (len == 0 || len > MAX_PREFIX || prefix[0] == '$' || prefix[0] == '/' || prefix[len - 1] == '/' ||
	    strstr(prefix, "//"))
		return false;
	for (size_t i = 0; i < len;) {
		size_t n = is_plain(prefix[i]) || strchr("/%$", prefix[i])
				   ? 1
				   : plain_sequence(prefix + i, len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
