/*
 * webhook.h - a sink that sends each event in a POST of its own: a CloudEvent in structured mode, signed as Standard
 * Webhooks has it. Redirects are not followed. What the receiver answers reaches nobody with a secret of ours in it.
 */
#ifndef BW_NOTIFY_WEBHOOK_H
#define BW_NOTIFY_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "notify/sink.h"

#define BW_WEBHOOK_MAX_HEADERS 16

/* Everything is copied. Lists are NULL-terminated, or NULL. */
struct bw_webhook_options {
	const char *url;	    /* http or https; no user and no password in it */
	const char *const *secrets; /* that sign, see notify/signature.h; none: it is not signed */
	const char *const *headers; /* "Name: value", besides ours; the values may be secret */
	const char *ca_file;	    /* trusted besides the system store; may be NULL */
	const char *cert, *key;	    /* of the client, PEM; `key` NULL: it is in the file of `cert` */
	uint32_t timeout_ms;	    /* of a whole request; 0: 10,000 */
	unsigned connections;	    /* events under way at once; 0: 4 */
	bool allow_link_local;	    /* link-local addresses and metadata services may be connected to */
	bool allow_loopback;	    /* this machine, too; it always may be when the URL itself names it */
};

/* BW_E_INPUT for options that can never work; the message has no secret in it. */
int bw_webhook_new(struct bw_loop *l, const struct bw_webhook_options *o, struct bw_sink *ret,
		   struct bw_err *err) BW_NODISCARD;

#endif
