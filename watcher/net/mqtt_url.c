/* mqtt_url.c - see the header. */
#include "net/mqtt_url.h"

#include <stdint.h>
#include <string.h>

#include "core/text.h"

static const char *skip_scheme(const char *url, struct bw_mqtt_url *out)
{
	out->is_tls = bw_text_starts(url, "mqtts://");
	if (out->is_tls)
		return url + strlen("mqtts://");
	return bw_text_starts(url, "mqtt://") ? url + strlen("mqtt://") : NULL;
}

/* "[::1]" or "host"; `ret_end` is what comes behind it. */
static bool take_host(const char *s, struct bw_mqtt_url *out, const char **ret_end)
{
	bool has_brackets = *s == '[';
	size_t len;

	if (has_brackets)
		s++;
	len = has_brackets ? strspn(s, "0123456789abcdefABCDEF:.")
			   : strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
	if (len == 0 || len >= sizeof(out->host) || (has_brackets && s[len] != ']'))
		return false;
	memcpy(out->host, s, len);
	out->host[len] = '\0';
	*ret_end = s + len + has_brackets;
	return true;
}

int bw_mqtt_url_parse(const char *url, struct bw_mqtt_url *ret, struct bw_err *err)
{
	struct bw_mqtt_url u = {0};
	const char *at = skip_scheme(url, &u);
	uint64_t port;

	if (!at)
		return bw_fail(err, BW_E_INPUT, "the URL of a broker begins with mqtt:// or mqtts://");
	if (strchr(at, '@'))
		return bw_fail(err, BW_E_INPUT,
			       "user name and password do not belong into the URL of a broker");
	if (!take_host(at, &u, &at))
		return bw_fail(err, BW_E_INPUT, "the URL of a broker has no valid host");
	port = u.is_tls ? 8883 : 1883;
	if (*at == ':') {
		char digits[6] = "";
		size_t len = strcspn(++at, "/");

		if (len < sizeof(digits))
			memcpy(digits, at, len);
		if (!bw_text_number(digits, 1, 65535, &port))
			return bw_fail(err, BW_E_INPUT, "the port of a broker is a number from 1 to 65535");
		at += len;
	}
	if (*at != '\0' && strcmp(at, "/") != 0)
		return bw_fail(err, BW_E_INPUT, "the URL of a broker ends with its port, without a path");
	u.port = (unsigned)port;
	*ret = u;
	return 0;
}
