/* reply.h - what a receiver of webhooks answered, and what that means for the event. Pure. */
#ifndef BW_NOTIFY_REPLY_H
#define BW_NOTIFY_REPLY_H

#include <stdint.h>

#include "net/http.h"
#include "notify/redact.h"
#include "notify/sink.h"

#define BW_REPLY_MAX (BW_REDACT_LINE_MAX + 128)

/*
 * 2xx: taken. 400, 413, 422: this event will never be. 410: the receiver wants no more. Everything else, and no answer at
 * all, may be different later: a rotated token must not kill events. `message` gets "HTTP 503: <its first line with words in it>" or
 * what went wrong on the way, without secrets; ret->message points to it. `now_ms` is for a Retry-After that is a date.
 */
void bw_reply_judge(const struct bw_http_response *r, const struct bw_redactor *secrets, int64_t now_ms,
		    char message[BW_REPLY_MAX], struct bw_sink_outcome *ret);

#endif
