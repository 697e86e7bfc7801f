/* reply.c - statuses to outcomes; Standard Webhooks, RFC 9110 10.2.3 (Retry-After), RFC 6585 4 (429). */
#include "notify/reply.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

#define MAX_LOCATION 2048

static enum bw_sink_result result_of(unsigned status)
{
	if (status / 100 == 2)
		return BW_SINK_OK;
	switch (status) {
	case 400:
	case 413:
	case 422: return BW_SINK_DEAD;
	case 410: return BW_SINK_PAUSED;
	default: return BW_SINK_RETRY;
	}
}

/* Seconds or a date; 0 when it says nothing that can be understood. */
static uint32_t retry_after(const struct bw_http_response *r, int64_t now_ms)
{
	char text[64];
	uint64_t seconds;
	int64_t at_ms;

	if (!bw_http_header(r, "retry-after", 0, text, sizeof(text)))
		return 0;
	if (bw_text_number(text, 0, UINT64_MAX, &seconds))
		return seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
	if (!bw_time_parse_http(text, &at_ms) || at_ms <= now_ms)
		return 0;
	seconds = ((uint64_t)(at_ms - now_ms) + 999) / 1000;
	return seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
}

/*
 * The host alone: the rest of where a redirect leads may be anything, also a secret of ours. A place without a host is
 * on the same one.
 */
static void say_redirect(const struct bw_http_response *r, const struct bw_redactor *secrets, char *message)
{
	char location[MAX_LOCATION] = "", line[BW_REDACT_LINE_MAX];
	const char *host = "the same host", *at;
	size_t len = strlen(host);

	if (bw_http_header(r, "location", 0, location, sizeof(location)) && (at = strstr(location, "//")) &&
	    strcspn(location, "/?#") == (size_t)(at - location)) {
		host = at + 2;
		len = strcspn(host, "/?#\\");
		at = memrchr(host, '@', len);
		if (at) {
			len -= (size_t)(at + 1 - host);
			host = at + 1;
		}
	}
	(void)snprintf(message, BW_REPLY_MAX, "HTTP %u: redirected to %s; redirects are not followed",
		       r->status, bw_redact_line(secrets, host, len, line));
}

/*
 * An answer that was cut off may end in the middle of a secret, which nobody recognises then: nothing is taken of it.
 */
static void say_answer(const struct bw_http_response *r, const struct bw_redactor *secrets, char *message)
{
	char line[BW_REDACT_LINE_MAX] = "";

	if (r->failure == BW_HTTP_OK && r->body)
		bw_redact_line(secrets, bw_buf_str(r->body), r->body->len, line);
	(void)snprintf(message, BW_REPLY_MAX, "HTTP %u%s%s", r->status, *line ? ": " : "", line);
}

void bw_reply_judge(const struct bw_http_response *r, const struct bw_redactor *secrets, int64_t now_ms,
		    char message[BW_REPLY_MAX], struct bw_sink_outcome *ret)
{
	/* Its status is all that we need of an answer that is larger than we take. */
	bool is_answer = r->failure == BW_HTTP_OK || (r->failure == BW_HTTP_LIMIT && r->status >= 200);

	*ret = (struct bw_sink_outcome){.result = BW_SINK_RETRY, .message = message};
	if (!is_answer) {
		bw_redact_line(secrets, r->error, strlen(r->error), message);
		return;
	}
	ret->result = result_of(r->status);
	if (r->status == 429 || r->status == 503)
		ret->retry_after_s = retry_after(r, now_ms);
	if (r->status / 100 == 3)
		say_redirect(r, secrets, message);
	else
		say_answer(r, secrets, message);
}
