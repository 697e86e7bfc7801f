/* mqtt_read.h - reads the JSON that the MQTT sink has to look into: our own events, and what comes in. Pure. */
#ifndef BW_NOTIFY_MQTT_READ_H
#define BW_NOTIFY_MQTT_READ_H

#include <jansson.h>
#include <stddef.h>

#include "core/err.h"
#include "net/mqtt.h"
#include "notify/mqtt_sink.h"

#define BW_MQTT_MAX_REBUILT    4096 /* bytes of a message on done; an id and a digest need some hundred */
#define BW_MQTT_MAX_ATTRIBUTES 16

/*
 * The attributes of a CloudEvent of ours: members of the outermost object that are text, but for the data. `ret_text`
 * holds the strings; release it by free(). Where it is not JSON, there may be fewer.
 */
size_t bw_mqtt_read_attributes(const char *json, size_t len,
			       struct bw_mqtt_property out[BW_MQTT_MAX_ATTRIBUTES], char **ret_text);

/* A message on done. `ret_root` holds the strings. BW_E_PEER says what is wrong with it. */
int bw_mqtt_read_rebuilt(const char *payload, size_t len, struct bw_mqtt_rebuilt *ret, json_t **ret_root,
			 struct bw_err *err) BW_NODISCARD;

#endif
