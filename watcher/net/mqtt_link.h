/*
 * mqtt_link.h - one connection to one address of a broker, by libmosquitto; the session (mqtt.c) makes a new one for
 * each attempt, so nothing of an old connection can be in the way of a new one.
 *
 * It runs on our loop, without the library's thread: no lock is shared, callbacks come where they are wanted, and a
 * free needs to wait for nobody. What that takes, each of it seen to go wrong:
 *   - the library looks names up in the caller: it is given addresses only (resolve.h), and the name for TLS by
 *     mqtt_tls.h;
 *   - it tells nobody that its wish to write has changed: after each call into it the watch is compared;
 *   - it may close its socket inside any call: we watch a duplicate, whose number is ours;
 *   - after a refused TLS connection it reports success for ever: an error on the socket ends the link;
 *   - its callbacks may not call it back: what they say is written down, and passed on after the call.
 */
#ifndef BW_NET_MQTT_LINK_H
#define BW_NET_MQTT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "net/loop.h"
#include "net/mqtt.h"
#include "net/mqtt_tls.h"

struct bw_mqtt_link;

struct bw_mqtt_link_params {
	const char *address; /* numeric */
	unsigned port;
	unsigned version;		       /* 5 or 4 */
	struct bw_mqtt_tls *tls;	       /* NULL: plain */
	const struct bw_mqtt_options *options; /* without defaults left open */
	unsigned window;		       /* messages that may be under way */
};

enum bw_mqtt_answer { BW_MQTT_ACCEPTED, BW_MQTT_WRONG_VERSION, BW_MQTT_REFUSED };

/* `err` of an acknowledgement or a refusal: NULL when all is well. The link may be freed in each of them. */
struct bw_mqtt_link_hooks {
	void (*answered)(enum bw_mqtt_answer a, bool has_session, const struct bw_err *err, void *arg);
	void (*acked)(int mid, const struct bw_err *err, void *arg);
	void (*subscribed)(int mid, const struct bw_err *err, void *arg);
	void (*message)(const struct bw_mqtt_message *m, void *arg);
	void (*lost)(const struct bw_err *err, void *arg); /* the last call */
	void *arg;
};

/* The hooks are never called inside. */
int bw_mqtt_link_new(struct bw_loop *l, const struct bw_mqtt_link_params *p,
		     const struct bw_mqtt_link_hooks *h, struct bw_mqtt_link **ret,
		     struct bw_err *err) BW_NODISCARD;
void bw_mqtt_link_free(struct bw_mqtt_link *k, bool with_leave); /* no hook any more; NULL is fine */

/* The hooks are never called inside. `ret_mid` comes back in acked() and subscribed(). */
int bw_mqtt_link_publish(struct bw_mqtt_link *k, const struct bw_mqtt_publication *p, int *ret_mid,
			 struct bw_err *err) BW_NODISCARD;
int bw_mqtt_link_subscribe(struct bw_mqtt_link *k, const char *topic, unsigned qos, int *ret_mid,
			   struct bw_err *err) BW_NODISCARD;
/* May the broker send under this subscription what has that topic? */
bool bw_mqtt_link_matches(const char *subscription, const char *topic);
bool bw_mqtt_link_is_filter(const char *topic); /* may be subscribed to */
bool bw_mqtt_link_is_topic(const char *topic);	/* may be published to */

#endif
