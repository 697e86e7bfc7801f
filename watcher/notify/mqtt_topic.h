/* mqtt_topic.h - names of topics (notify/mqtt_sink.h has the list). Pure. */
#ifndef BW_NOTIFY_MQTT_TOPIC_H
#define BW_NOTIFY_MQTT_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* MQTT allows 65,535; a path of 4,096 bytes fits with every byte escaped. */
#define BW_MQTT_MAX_TOPIC 16384

/* Appends one level. False: over the maximum of `out`. */
bool bw_mqtt_topic_level(struct bw_buf *out, const char *s, size_t len);
/* "prefix/branch/<level>"; false: too long. `out` is emptied first. */
bool bw_mqtt_topic_make(struct bw_buf *out, const char *prefix, const char *branch, const char *level);
bool bw_mqtt_topic_is_prefix(const char *prefix);

#endif
