/* sinks.h - from a sink of the configuration to one that sends. */
#ifndef BW_DAEMON_SINKS_H
#define BW_DAEMON_SINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"
#include "image/digest.h"
#include "net/loop.h"
#include "notify/mqtt_sink.h"
#include "notify/sink.h"

struct bw_sinks_options {
	const char *instance; /* for the client id at a broker, where the configuration names none */
	/*
	 * Only a test, beside the watcher that may run with the same configuration: another client id, because a broker
	 * ends the session of the first client when a second one has its id, and no word about availability.
	 */
	bool is_test;
	uint32_t session_expiry_s;		/* MQTT: as in net/mqtt.h */
	const struct bw_mqtt_sink_hooks *hooks; /* MQTT; NULL: none */
};

struct bw_sinks_made {
	struct bw_sink sink;	   /* whoever takes it over frees it: sink.ops->free(sink.self) */
	struct bw_mqtt_sink *mqtt; /* the same sink, for bw_mqtt_sink_put(); NULL: a webhook */
};

/*
 * Reads the secrets that the sink needs, and forgets them again: the sink keeps what it has to. BW_E_CONFIG with the key
 * when one cannot be read or a value makes no sense. Nothing is sent yet; a broker is being connected to.
 */
int bw_sinks_make(struct bw_loop *l, const struct bw_conf_sink *s, const struct bw_sinks_options *o,
		  struct bw_sinks_made *ret, struct bw_err *err) BW_NODISCARD;

/*
 * Reads the secrets that the sink needs, as bw_sinks_make() does and with its errors, and gives their fingerprint: one
 * that differs from the last one asks for a new sink.
 */
int bw_sinks_check(const struct bw_conf_sink *s, struct bw_digest *ret, struct bw_err *err) BW_NODISCARD;

/* NULL: there is none of that name. */
const struct bw_conf_sink *bw_sinks_find(const struct bw_conf *c, const char *name);

/*
 * "ci (webhook https://ci.lan/...)" for people: path and query of a webhook may be as secret as a password. Not escaped;
 * a new string.
 */
char *bw_sinks_title(const struct bw_conf_sink *s);

#endif
