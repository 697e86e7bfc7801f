/*
 * doctor_sink.c - can the sinks be reached, as they would be? A broker is logged in to and nothing is published; a
 * webhook is asked with HEAD, which is not an event: any answer proves connection and certificate.
 */
#include "command/doctor.h"

#include <string.h>

#include "command/setup.h"
#include "core/mem.h"
#include "core/version.h"
#include "daemon/sinks.h"
#include "daemon/telling.h"
#include "net/address.h"
#include "net/http.h"
#include "notify/redact.h"

#define CONNECT_MS 5000
#define MAX_BODY   4096

struct probe {
	struct bw_doctor *doctor;
	const struct bw_conf_sink *conf;
	size_t expected;
	bool is_answered;
	struct bw_sinks_made made;
	struct bw_http *http;
	struct bw_http_transfer *transfer;
};

struct bw_doctor_sinks {
	struct probe *items;
	size_t count;
	char *instance;
};

static void answer(struct probe *p, struct bw_diagnosis x)
{
	p->is_answered = true;
	bw_doctor_answer(p->doctor, p->expected, x);
}

/* --- brokers -------------------------------------------------------------------------------------- */

static void take_change(const struct bw_mqtt_change *c, void *arg)
{
	struct probe *p = arg;
	BW_AUTOFREE char *seen = NULL;

	if (p->is_answered)
		return;
	if (!c->is_up) {
		answer(p,
		       bw_doctor_diagnosis(
			       BW_LEVEL_ERROR, c->why->msg,
			       c->why->code == BW_E_AUTH
				       ? "correct `username` and `password`, or what the broker allows them"
				       : "look whether the broker runs, at its certificate, and at firewalls "
					 "in between; what it is owed waits"));
		return;
	}
	seen = bw_asprintf("logged in with MQTT %s; `basewatch sink test %s` sends it an event",
			   c->version == 5 ? "5" : "3.1.1", p->conf->name);
	answer(p, bw_doctor_diagnosis(BW_LEVEL_OK, seen, NULL));
}

/* --- webhooks ------------------------------------------------------------------------------------- */

static void take_response(const struct bw_http_response *r, void *arg)
{
	struct probe *p = arg;
	struct bw_redactor *secrets = bw_redactor_new();
	char line[BW_REDACT_LINE_MAX];

	p->transfer = NULL;
	bw_redactor_add_url(secrets, p->conf->url);
	(void)bw_redact_line(secrets, r->error, strlen(r->error), line);
	/* A body may be larger than we take: there was an answer all the same. */
	answer(p, bw_diagnose_webhook(p->conf->name, r->status,
				      line[0] ? line : "it cannot be reached, and nothing says why"));
	bw_redactor_free(secrets);
}

/* No header and no signature of the configuration goes along. */
static int ask_webhook(struct probe *p, struct bw_err *err)
{
	const struct bw_conf_sink *s = p->conf;
	const char *const ca_files[] = {s->ca_file, NULL};
	const struct bw_http_options o = {.ca_files = ca_files,
					  .client_cert = s->cert_file,
					  .client_key = s->key_file,
					  .client_place = s->url,
					  .user_agent = "basewatch/" BW_VERSION};
	bool is_local = (bw_address_kind_of_url(s->url) & BW_ADDRESS_LOOPBACK) != 0;
	const struct bw_http_request req = {
		.method = BW_HTTP_HEAD,
		.url = s->url,
		.stays = true,
		.allow_plain = true,
		.is_direct = is_local,
		.refuse = (s->allow_link_local ? 0U : (unsigned)BW_ADDRESS_LINK_LOCAL) |
			  (is_local ? 0U : (unsigned)BW_ADDRESS_LOOPBACK),
		.max_body = MAX_BODY,
		.connect_timeout_ms = CONNECT_MS,
		.timeout_ms = (uint32_t)s->timeout_ms,
	};
	int rc = bw_http_new(p->doctor->loop, &o, &p->http, err);

	return rc < 0 ? rc : bw_http_start(p->http, &req, take_response, p, &p->transfer, err);
}

/* --- the area ------------------------------------------------------------------------------------- */

/* Making it reads its secrets and certificates, so those are known to be there. */
static void examine(struct bw_doctor *d, struct probe *p)
{
	const struct bw_mqtt_sink_hooks hooks = {.changed = take_change, .arg = p};
	const struct bw_sinks_options o = {.instance = d->sinks->instance, .is_test = true, .hooks = &hooks};
	BW_AUTOFREE char *title = bw_sinks_title(p->conf);
	struct bw_err err = BW_ERR_INIT;
	int rc;

	p->doctor = d;
	p->expected = bw_doctor_expect(d, BW_AREA_SINK, title);
	rc = bw_sinks_make(d->loop, p->conf, &o, &p->made, &err);
	if (rc == 0 && p->conf->type == BW_CONF_WEBHOOK)
		rc = ask_webhook(p, &err);
	if (rc < 0)
		answer(p, bw_doctor_diagnosis(BW_LEVEL_ERROR, err.msg,
					      "correct it in the configuration, or bring what it names"));
}

void bw_doctor_sinks_begin(struct bw_doctor *d)
{
	size_t count = d->conf->sinks.count;
	BW_AUTOFREE char *seen = bw_asprintf("%zu not asked", count);

	if (count == 0)
		return;
	if (d->args->offline) {
		bw_doctor_say(d, BW_AREA_SINK, BW_LEVEL_NOTE, "all", seen, "leave --offline away");
		return;
	}
	d->sinks = BW_NEW(struct bw_doctor_sinks);
	d->sinks->instance = bw_telling_instance(d->conf);
	d->sinks->items = bw_alloc(count * sizeof(*d->sinks->items));
	for (size_t i = 0; i < count; i++) {
		struct probe *p = &d->sinks->items[d->sinks->count++];

		p->conf = &d->conf->sinks.items[i];
		examine(d, p);
	}
}

void bw_doctor_sinks_end(struct bw_doctor *d)
{
	if (!d->sinks)
		return;
	for (size_t i = 0; i < d->sinks->count; i++) {
		struct probe *p = &d->sinks->items[i];

		if (p->made.sink.ops)
			p->made.sink.ops->free(p->made.sink.self);
		bw_http_free(p->http);
	}
	free(d->sinks->items);
	free(d->sinks->instance);
	free(d->sinks);
	d->sinks = NULL;
}
