/* mqtt_url.h - the address of a broker: mqtt://host[:port] or mqtts://host[:port]. Pure. */
#ifndef BW_NET_MQTT_URL_H
#define BW_NET_MQTT_URL_H

#include <stdbool.h>

#include "core/err.h"

#define BW_MQTT_HOST_MAX 254 /* a DNS name has at most 253 bytes */

struct bw_mqtt_url {
	bool is_tls;
	char host[BW_MQTT_HOST_MAX]; /* without the brackets of an IPv6 address */
	unsigned port;		     /* 1883, or 8883 with TLS, when it names none */
};

/*
 * BW_E_INPUT when it is none. User names and passwords do not belong into it: URLs are shown, stored and logged.
 * The message never repeats the URL, which may hold a password where it should not.
 */
int bw_mqtt_url_parse(const char *url, struct bw_mqtt_url *ret, struct bw_err *err) BW_NODISCARD;

#endif
