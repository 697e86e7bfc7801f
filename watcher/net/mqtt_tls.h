/*
 * mqtt_tls.h - TLS towards one broker. libmosquitto is given an address, not a name (its own look-up would block), and
 * would ask the server for that address and verify it; so the name is put in its place when the handshake begins.
 */
#ifndef BW_NET_MQTT_TLS_H
#define BW_NET_MQTT_TLS_H

#include <stdbool.h>

#include "core/err.h"

struct bw_mqtt_tls;

/* BW_E_INPUT when a file cannot be used. `cert_file` and `key_file` may be NULL, both. */
int bw_mqtt_tls_new(const char *host, const char *ca_file, const char *cert_file, const char *key_file,
		    struct bw_mqtt_tls **ret, struct bw_err *err) BW_NODISCARD;
void bw_mqtt_tls_free(struct bw_mqtt_tls *t);

/* The SSL_CTX; it verifies. Forgets what was wrong with the last certificate, and what was asked for. */
void *bw_mqtt_tls_context(struct bw_mqtt_tls *t);
/* Why the last certificate was not accepted; NULL: it was, or none came. */
const char *bw_mqtt_tls_complaint(const struct bw_mqtt_tls *t);
/* The broker has asked for a certificate of the client, and there is none. It may be content without. */
bool bw_mqtt_tls_lacks_identity(const struct bw_mqtt_tls *t);
/* Has the library read bytes that a caller does not see in the socket any more? `ssl` may be NULL. */
bool bw_mqtt_tls_has_more(const void *ssl);

#endif
