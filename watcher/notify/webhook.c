/* webhook.c - events as HTTP requests; CloudEvents HTTP binding (structured), Standard Webhooks for the signature. */
#include "notify/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "core/version.h"
#include "net/address.h"
#include "net/http.h"
#include "notify/redact.h"
#include "notify/reply.h"
#include "notify/signature.h"

#define CONNECT_TIMEOUT_MS 5000
#define TIMEOUT_MS	   10000
#define CONNECTIONS	   4
#define MAX_ANSWER	   16384 /* only the first line is of use */
#define MAX_SIGNATURE	   1024
#define MAX_URL		   4096
#define OWN_HEADERS	   5 /* type, id, timestamp, signature, expectation */

static const char content_type[] = "Content-Type: application/cloudevents+json; charset=utf-8";
/* Or libcurl asks before a large body whether it may send it, which costs a second where nobody answers that. */
static const char no_expectation[] = "Expect:";

struct webhook {
	struct bw_loop *loop;
	struct bw_http *http;
	struct bw_signer *signer;
	struct bw_redactor *redactor;
	char *url;
	char *headers[BW_WEBHOOK_MAX_HEADERS];
	size_t header_count;
	uint32_t timeout_ms;
	unsigned connections, refuse;
	bool is_signed, is_local;
	struct shot *shots;
	struct bw_timer *timer; /* for those that could not even be started */
};

/* One event on its way. */
struct shot {
	struct shot *next;
	struct webhook *webhook;
	struct bw_http_transfer *transfer; /* NULL: it could not be started */
	bw_sink_done_fn done;
	void *arg;
	char failure[BW_ERR_MAX];
};

/* --- sending ---------------------------------------------------------------------------------- */

/* Takes it out of the list; it is the caller's then. */
static void remove_shot(struct shot *x)
{
	struct shot **at = &x->webhook->shots;

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
}

/* Nothing is touched behind `done`: the sink may be freed in it. */
static void end(struct shot *x, const struct bw_sink_outcome *o)
{
	bw_sink_done_fn done = x->done;
	void *arg = x->arg;

	remove_shot(x);
	free(x);
	done(o, arg);
}

static void answered(const struct bw_http_response *r, void *arg)
{
	struct shot *x = arg;
	struct bw_sink_outcome o;
	char message[BW_REPLY_MAX];

	bw_reply_judge(r, x->webhook->redactor, bw_clock_ms(), message, &o);
	end(x, &o);
}

static void fail_unstarted(void *arg)
{
	struct webhook *w = arg;
	char line[BW_REDACT_LINE_MAX];

	for (struct shot *x = w->shots; x; x = x->next)
		if (!x->transfer) {
			struct bw_sink_outcome o = {.result = BW_SINK_RETRY, .message = line};

			bw_redact_line(w->redactor, x->failure, strlen(x->failure), line);
			bw_timer_start(w->timer, 0); /* one at a time: the list may change in the call */
			end(x, &o);
			return;
		}
}

static int post(struct webhook *w, struct shot *x, const struct bw_event *e, struct bw_err *err)
{
	BW_AUTOBUF struct bw_buf signature;
	int64_t now_s = bw_clock_ms() / 1000;
	BW_AUTOFREE char *id = bw_asprintf("webhook-id: %s", e->id);
	char timestamp[64];
	const char *headers[BW_WEBHOOK_MAX_HEADERS + OWN_HEADERS + 1] = {content_type, no_expectation, id,
									 timestamp};
	size_t count = 4;
	struct bw_http_request req = {
		.method = BW_HTTP_POST,
		.url = w->url,
		.headers = headers,
		.body = e->json,
		.body_len = e->len,
		.allow_plain = true,
		.is_direct = w->is_local,
		.refuse = w->refuse,
		.max_body = MAX_ANSWER,
		.connect_timeout_ms = w->timeout_ms < CONNECT_TIMEOUT_MS ? w->timeout_ms : CONNECT_TIMEOUT_MS,
		.timeout_ms = w->timeout_ms,
	};

	bw_buf_init(&signature, MAX_SIGNATURE);
	(void)snprintf(timestamp, sizeof(timestamp), "webhook-timestamp: %" PRId64, now_s);
	if (w->is_signed) {
		if (!bw_buf_adds(&signature, "webhook-signature: ") ||
		    !bw_signer_sign(w->signer, e->id, now_s, e->json, e->len, &signature))
			return bw_fail(err, BW_E_SYS, "the signature cannot be made");
		headers[count++] = bw_buf_str(&signature);
	}
	for (size_t i = 0; i < w->header_count; i++)
		headers[count++] = w->headers[i];
	return bw_http_start(w->http, &req, answered, x, &x->transfer, err);
}

static void start(void *self, const struct bw_event *e, bw_sink_done_fn done, void *arg)
{
	struct webhook *w = self;
	struct shot *x = BW_NEW(struct shot);
	struct bw_err err = BW_ERR_INIT;

	x->webhook = w;
	x->done = done;
	x->arg = arg;
	x->next = w->shots;
	w->shots = x;
	if (post(w, x, e, &err) < 0) {
		(void)snprintf(x->failure, sizeof(x->failure), "%s", err.msg);
		bw_timer_start(w->timer, 0); /* not from inside of start() */
	}
}

static void cancel(void *self, void *arg)
{
	struct webhook *w = self;
	struct shot *x = w->shots;

	while (x && x->arg != arg)
		x = x->next;
	if (!x)
		return;
	if (x->transfer)
		bw_http_cancel(x->transfer);
	remove_shot(x);
	free(x);
}

static unsigned room(void *self)
{
	return ((const struct webhook *)self)->connections;
}

static void webhook_free(void *self)
{
	struct webhook *w = self;
	struct shot *x;

	while ((x = w->shots)) {
		w->shots = x->next;
		if (x->transfer)
			bw_http_cancel(x->transfer);
		free(x);
	}
	bw_http_free(w->http);
	bw_timer_free(w->timer);
	bw_signer_free(w->signer);
	bw_redactor_free(w->redactor);
	for (size_t i = 0; i < w->header_count; i++) {
		explicit_bzero(w->headers[i], strlen(w->headers[i]));
		free(w->headers[i]);
	}
	free(w->url);
	free(w);
}

static const struct bw_sink_ops ops = {
	.kind = "webhook",
	.start = start,
	.cancel = cancel,
	.room = room,
	.free = webhook_free,
};

/* --- options ---------------------------------------------------------------------------------- */

static bool is_printable(const char *s, char lowest)
{
	for (; *s; s++)
		if ((unsigned char)*s < (unsigned char)lowest || *s == 0x7f)
			return false;
	return true;
}

/* The URL may hold a token, so no message repeats it. */
static int check_url(const char *url, struct bw_err *err)
{
	const char *host;
	size_t len;

	if (!bw_text_starts(url, "https://") && !bw_text_starts(url, "http://"))
		return bw_fail(err, BW_E_INPUT, "the URL has to begin with https:// or http://");
	host = strstr(url, "://") + 3;
	len = strcspn(host, "/?#");
	if (len == 0 || !is_printable(url, '!'))
		return bw_fail(err, BW_E_INPUT, "the URL has no host, or blanks or control characters in it");
	if (strlen(url) > MAX_URL)
		return bw_fail(err, BW_E_INPUT, "the URL is longer than %d bytes", MAX_URL);
	if (memchr(host, '@', len))
		return bw_fail(err, BW_E_INPUT,
			       "the URL has a user in it; put \"Authorization: Basic ...\" into the headers");
	return 0;
}

/* What we set ourselves, and what belongs to the connection. */
static bool is_ours(const char *header, size_t len)
{
	static const char *const names[] = {"Content-Type", "Content-Length", "Transfer-Encoding",
					    "Connection",   "Expect",	      "Host"};

	if (len >= 8 && strncasecmp(header, "webhook-", 8) == 0)
		return true;
	for (size_t i = 0; i < BW_COUNT(names); i++)
		if (strlen(names[i]) == len && strncasecmp(header, names[i], len) == 0)
			return true;
	return false;
}

/* "Name: value" with a name of RFC 9110 5.6.2; libcurl would take "Name:" as the wish to leave one out. */
static int check_header(const char *header, size_t number, struct bw_err *err)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strspn(header, token);
	const char *value = header + len;

	if (len == 0 || *value != ':')
		return bw_fail(err, BW_E_INPUT, "header %zu: not \"Name: value\"", number);
	value += 1 + strspn(value + 1, " ");
	if (!*value || !is_printable(value, ' '))
		return bw_fail(err, BW_E_INPUT,
			       "header %.*s: its value is empty, or has control characters in it",
			       (int)(len < 64 ? len : 64), header);
	if (is_ours(header, len))
		return bw_fail(err, BW_E_INPUT, "header %.*s: cannot be set", (int)(len < 64 ? len : 64),
			       header);
	return 0;
}

static int take_headers(struct webhook *w, const char *const *headers, struct bw_err *err)
{
	for (size_t i = 0; headers && headers[i]; i++) {
		const char *value;
		int rc = check_header(headers[i], i + 1, err);

		if (rc < 0)
			return rc;
		if (i == BW_WEBHOOK_MAX_HEADERS)
			return bw_fail(err, BW_E_INPUT, "more than %d headers", BW_WEBHOOK_MAX_HEADERS);
		w->headers[w->header_count++] = bw_strdup(headers[i]);
		value = strchr(headers[i], ':') + 1;
		bw_redactor_add_header(w->redactor, value + strspn(value, " "));
	}
	return 0;
}

static void hide_secrets(struct webhook *w, const char *const *secrets)
{
	for (size_t i = 0; secrets && secrets[i]; i++) {
		bw_redactor_add(w->redactor, secrets[i]);
		if (bw_text_starts(secrets[i], "whsec_"))
			bw_redactor_add(w->redactor, secrets[i] + 6);
	}
}

static int set_up(struct webhook *w, const struct bw_webhook_options *o, struct bw_err *err)
{
	const char *const ca_files[] = {o->ca_file, NULL};
	struct bw_http_options ho = {
		.ca_files = ca_files,
		.client_cert = o->cert,
		.client_key = o->key,
		.client_place = o->url,
		.connections_per_host = w->connections,
		.user_agent = "basewatch/" BW_VERSION,
	};
	int rc = check_url(w->url, err);

	if (rc == 0)
		rc = take_headers(w, o->headers, err);
	if (rc == 0)
		rc = bw_signer_new(o->secrets, &w->signer, err);
	if (rc == 0)
		rc = bw_http_new(w->loop, &ho, &w->http, err);
	return rc;
}

int bw_webhook_new(struct bw_loop *l, const struct bw_webhook_options *o, struct bw_sink *ret,
		   struct bw_err *err)
{
	struct webhook *w = BW_NEW(struct webhook);
	int rc;

	w->loop = l;
	w->url = bw_strdup(o->url);
	w->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
	w->connections = o->connections ? o->connections : CONNECTIONS;
	w->is_signed = o->secrets && o->secrets[0];
	w->is_local = (bw_address_kind_of_url(o->url) & BW_ADDRESS_LOOPBACK) != 0;
	w->refuse = o->allow_link_local ? 0 : BW_ADDRESS_LINK_LOCAL;
	if (!o->allow_loopback && !w->is_local)
		w->refuse |= BW_ADDRESS_LOOPBACK;
	w->redactor = bw_redactor_new();
	w->timer = bw_timer_new(l, fail_unstarted, w);
	hide_secrets(w, o->secrets);
	bw_redactor_add_url(w->redactor, o->url);
	rc = set_up(w, o, err);
	if (rc < 0) {
		webhook_free(w);
		return rc;
	}
	*ret = (struct bw_sink){.ops = &ops, .self = w};
	return 0;
}
