/*
 * mqtt_state.h - the retained state of bases and builds at the broker. What changes is published as it comes; after a
 * connect without session, or when something was missed, everything is published anew, page by page. Only the newest
 * state of a topic waits, and never for long: the owner's rows are the truth.
 */
#ifndef BW_NOTIFY_MQTT_STATE_H
#define BW_NOTIFY_MQTT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/mqtt.h"
#include "notify/mqtt_sink.h"

struct bw_mqtt_state;

/* As rows() of notify/mqtt_sink.h; it calls bw_mqtt_state_put(). */
typedef bool (*bw_mqtt_rows_fn)(int64_t *cursor, void *arg);

/* Where to: bw_mqtt_publish() with the session, or a test. */
typedef int (*bw_mqtt_publish_fn)(void *to, const struct bw_mqtt_publication *p, bw_mqtt_done_fn done,
				  void *arg, struct bw_err *err);

/* `rows` NULL: there is no state, and nothing is ever asked for. */
struct bw_mqtt_state *bw_mqtt_state_new(const char *prefix, unsigned qos, bw_mqtt_rows_fn rows, void *arg,
					bw_mqtt_publish_fn publish, void *to);
/* After the session: acknowledgements must not come any more. */
void bw_mqtt_state_free(struct bw_mqtt_state *t);

void bw_mqtt_state_up(struct bw_mqtt_state *t);
void bw_mqtt_state_down(struct bw_mqtt_state *t); /* when what was under way has failed */
void bw_mqtt_state_put(struct bw_mqtt_state *t, enum bw_mqtt_subject kind, const char *key, const char *json,
		       size_t len);
/* Nothing waits and nothing is under way, or there is no state to be told. */
bool bw_mqtt_state_is_settled(const struct bw_mqtt_state *t);

#endif
