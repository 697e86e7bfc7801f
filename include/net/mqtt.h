/*
 * mqtt.h - the door to libmosquitto: a session with a broker on the loop. MQTT 5, and 3.1.1 with a broker that refuses
 * it; TLS is always verified, the host's name too. It connects by itself, again and again, with growing and jittered
 * distance. There is no queue: what is published while the session is down fails at once, and what is under way when it
 * ends fails with it, so that the caller's own store stays the only truth. The program must ignore SIGPIPE.
 */
#ifndef BW_NET_MQTT_H
#define BW_NET_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "net/loop.h"

struct bw_mqtt;

/* What is 0 or NULL has the default. Everything is copied. */
struct bw_mqtt_options {
	const char *url; /* net/mqtt_url.h */
	const char *username;
	const char *password;
	const char *ca_file;   /* PEM, trusted besides the system's store */
	const char *cert_file; /* of the client, PEM; with key_file */
	const char *key_file;
	const char *client_id;	     /* random; one is needed where the broker keeps the session */
	uint16_t keepalive_s;	     /* 60; at least 5 */
	uint32_t connect_timeout_ms; /* 10,000: name, connection, TLS and the broker's answer together */
	uint32_t ack_timeout_ms; /* 30,000: a message that is not acknowledged for so long ends the session */
	uint32_t first_wait_ms;	 /* 1,000 between attempts, then twice as long each time, +-25 % */
	uint32_t longest_wait_ms; /* 60,000 */
	/*
	 * 0: a clean start, nothing is kept. Otherwise the broker keeps subscriptions and their messages for so long
	 * (3.1.1 knows no limit). Then nothing may be published with QoS 2: message ids begin anew with each
	 * connection, and a broker that remembers an old one would take a new message for its repetition.
	 */
	uint32_t session_expiry_s;
	size_t max_message;	/* bytes of a message that comes in, 65,536; larger ones are not passed on */
	const char *will_topic; /* the broker publishes it when the session ends without bw_mqtt_free() */
	const char *will_payload;
	unsigned will_qos;
	bool will_retain;
};

/* The session began or ended, or an attempt to begin one failed. Valid during the call only. */
struct bw_mqtt_change {
	bool is_up;
	bool has_session; /* up: the broker remembered us */
	unsigned version; /* up: 5, or 4 for MQTT 3.1.1 */
	const struct bw_err
		*why;	  /* down: BW_E_AUTH when a person has to act; the broker's words are not escaped */
	uint64_t next_ms; /* down: the next attempt is so far away */
};

/* A message that came in. Valid during the call only; everything in it is hostile. */
struct bw_mqtt_message {
	const char *topic;
	const char *payload; /* NULL: larger than max_message */
	size_t len;
	bool is_retained;
	const char *refused; /* no message: the broker refuses the subscription, and says why */
};

struct bw_mqtt_property {
	const char *name, *value;
};

struct bw_mqtt_publication {
	const char *topic;
	const void *payload;
	size_t len;
	unsigned qos; /* 0, 1, 2 */
	bool retain;
	/* Only with MQTT 5; pairs that are not UTF-8 are left out. */
	const char *content_type; /* may be NULL */
	const struct bw_mqtt_property *properties;
	size_t property_count;
};

typedef void (*bw_mqtt_change_fn)(const struct bw_mqtt_change *c, void *arg);
typedef void (*bw_mqtt_message_fn)(const struct bw_mqtt_message *m, void *arg);
/*
 * `err` NULL: the broker has acknowledged this message (QoS 0: it was written). Otherwise: BW_E_RETRY and BW_E_AUTH
 * may work later; BW_E_INPUT is refused for good.
 */
typedef void (*bw_mqtt_done_fn)(const struct bw_err *err, void *arg);

/*
 * Begins to connect; `changed` is never called inside. BW_E_INPUT when options make no sense or a file cannot be read.
 */
int bw_mqtt_new(struct bw_loop *l, const struct bw_mqtt_options *o, bw_mqtt_change_fn changed, void *arg,
		struct bw_mqtt **ret, struct bw_err *err) BW_NODISCARD;
/* Takes leave of the broker: no will. Without callbacks; also from inside one. NULL is fine. */
void bw_mqtt_free(struct bw_mqtt *m);

bool bw_mqtt_is_up(const struct bw_mqtt *m);
/* How many more messages may be under way; 0 while the session is down. */
unsigned bw_mqtt_room(const struct bw_mqtt *m);

/*
 * `done` is called exactly once if this succeeds, never inside, and not after bw_mqtt_free(); if it fails, never.
 * BW_E_RETRY: the session is down. BW_E_LIMIT: there is no room. BW_E_INPUT: this message can never be sent.
 */
int bw_mqtt_publish(struct bw_mqtt *m, const struct bw_mqtt_publication *p, bw_mqtt_done_fn done, void *arg,
		    struct bw_err *err) BW_NODISCARD;

/* From now on, in this session and all that follow. At most 8. */
int bw_mqtt_subscribe(struct bw_mqtt *m, const char *topic, unsigned qos, bw_mqtt_message_fn fn, void *arg,
		      struct bw_err *err) BW_NODISCARD;

#define BW_MQTT_VERSION_MAX 40
/* "libmosquitto 2.0.11", for --version. Returns `out`. */
const char *bw_mqtt_version(char out[BW_MQTT_VERSION_MAX]);

#endif
