/*
 * mqtt_sink.h - the sink that publishes to an MQTT broker. Below the prefix:
 *
 *   events/<type>               each event, structured CloudEvent JSON, not retained; <type> is the event's own type
 *   state/base/<base>           what is known of a base now, retained
 *   state/build/<build>         the same of a build; an empty message when it has ended
 *   availability                "online" or, by last will or on leaving, "offline", retained
 *   done                        subscribed to: {"build": ID, "digest": "sha256:..."} or {"event": ID}
 *
 * <type>, <base> and <build> are one level each: '%', '+', '#', '/', '$', control characters and what is not UTF-8 are
 * written as %XX, byte by byte. With MQTT 5 an event has the content type application/cloudevents+json, and its
 * attributes as user properties besides. Sent means: the broker acknowledged that message (QoS 0: it was written).
 */
#ifndef BW_NOTIFY_MQTT_SINK_H
#define BW_NOTIFY_MQTT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/mqtt.h"
#include "notify/sink.h"

struct bw_mqtt_sink;

enum bw_mqtt_subject { BW_MQTT_BASE, BW_MQTT_BUILD };

/*
 * Somebody says that a build was rebuilt: on a digest, or as an event asked for. Checked for form only: neither may exist.
 * Valid during the call.
 */
struct bw_mqtt_rebuilt {
	const char *build;  /* 32 digits; NULL: that of the event */
	const char *digest; /* "sha256:..."; NULL: there is an event */
	const char *event;  /* the first digits of its id, 6 to 64; NULL: there is a digest */
};

struct bw_mqtt_sink_hooks {
	/*
	 * After each connect, also when the broker kept our session: hands over what there is, one page (some hundred
	 * rows) at a time, by bw_mqtt_sink_put(); builds that have ended are rows without JSON.
	 * `cursor` is 0 at first and the owner's to move. False: that was the last page. May be NULL: no state.
	 */
	bool (*rows)(int64_t *cursor, struct bw_mqtt_sink *s, void *arg);
	void (*rebuilt)(const struct bw_mqtt_rebuilt *r,
			void *arg); /* may be NULL: nothing is subscribed to */
	/* A message on done that makes no sense, a refused subscription. For the log; not escaped. May be NULL. */
	void (*complain)(const struct bw_err *err, void *arg);
	/* The session is up or down (net/mqtt.h): for the log, and to let the outbox look again. May be NULL. */
	void (*changed)(const struct bw_mqtt_change *c, void *arg);
	void *arg;
};

struct bw_mqtt_sink_options {
	/* Without the will, which is set here; with QoS 2 the broker keeps no session, whatever this says (net/mqtt.h). */
	struct bw_mqtt_options session;
	const char *prefix; /* NULL: "basewatch" */
	unsigned qos;	    /* 0, 1, 2 */
	bool is_guest;	    /* says nothing about availability: another one does, or will */
};

/* Begins to connect. BW_E_INPUT when options make no sense. Hooks are never called inside. */
int bw_mqtt_sink_new(struct bw_loop *l, const struct bw_mqtt_sink_options *o,
		     const struct bw_mqtt_sink_hooks *h, struct bw_mqtt_sink **ret,
		     struct bw_err *err) BW_NODISCARD;
/* For the outbox, which frees it. Otherwise call ops->free(self); also when an event is done, not from rows(). */
struct bw_sink bw_mqtt_sink_interface(struct bw_mqtt_sink *s);

/*
 * The state of a base or a build has changed: replaces what the broker has. `json` NULL: the build has ended. While
 * the session is down this is only remembered as something that was missed: rows() will be asked.
 */
void bw_mqtt_sink_put(struct bw_mqtt_sink *s, enum bw_mqtt_subject kind, const char *key, const char *json,
		      size_t len);

/* The broker has everything that it was told of the state. */
bool bw_mqtt_sink_is_settled(const struct bw_mqtt_sink *s);

/* BW_E_INPUT when it cannot be the beginning of topics. For the check of a configuration, too. */
int bw_mqtt_sink_check_prefix(const char *prefix, struct bw_err *err) BW_NODISCARD;

#endif
