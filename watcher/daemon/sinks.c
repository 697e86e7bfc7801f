#include "daemon/sinks.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "notify/webhook.h"

#define PRINT_MAX_BYTES (4U << 20) /* of all secrets of a sink together */

/* --- texts that hold a secret --------------------------------------------------------------------- */

struct texts {
	char **items; /* NULL-terminated */
	size_t count, capacity;
};

static void add_text(struct texts *t, char *text)
{
	if (t->count > 0)
		t->count--; /* the NULL at the end */
	BW_PUSH(t->items, t->count, t->capacity) = text;
	BW_PUSH(t->items, t->count, t->capacity) = NULL;
}

static void wipe_texts(struct texts *t)
{
	for (size_t i = 0; i + 1 < t->count; i++) {
		explicit_bzero(t->items[i], strlen(t->items[i]));
		free(t->items[i]);
	}
	free(t->items);
}
#define AUTOTEXTS BW_CLEANUP(wipe_texts)

/* "NAME: VALUE" for a header; without a name the value alone. */
static int add_secret(struct texts *t, const char *name, const struct bw_secret *s, struct bw_err *err)
{
	BW_AUTOSECRET struct bw_buf value;
	int rc;

	bw_buf_init(&value, BW_SECRET_MAX_BYTES);
	rc = bw_secret_read(s, &value, err);
	if (rc == 0)
		add_text(t, bw_asprintf("%s%s%s", name ? name : "", name ? ": " : "", bw_buf_str(&value)));
	return rc;
}

static int take_secrets(const struct bw_conf_sink *s, struct texts *t, struct bw_err *err)
{
	for (size_t i = 0; i < s->secrets.count; i++) {
		int rc = add_secret(t, NULL, &s->secrets.items[i], err);

		if (rc < 0)
			return bw_err_ctx(err, "sinks.%s.secrets[%zu]", s->name, i);
	}
	return 0;
}

static int take_headers(const struct bw_conf_sink *s, struct texts *t, struct bw_err *err)
{
	for (size_t i = 0; i < s->headers.count; i++) {
		const struct bw_conf_header *h = &s->headers.items[i];

		if (h->value.text)
			add_text(t, bw_asprintf("%s: %s", h->name, h->value.text));
		else if (add_secret(t, h->name, &h->value.secret, err) < 0)
			return bw_err_ctx(err, "sinks.%s.headers.%s", s->name, h->name);
	}
	return 0;
}

/* --- sinks ---------------------------------------------------------------------------------------- */

static int make_webhook(struct bw_loop *l, const struct bw_conf_sink *s, struct bw_sinks_made *ret,
			struct bw_err *err)
{
	AUTOTEXTS struct texts secrets = {0};
	AUTOTEXTS struct texts headers = {0};
	struct bw_webhook_options o = {
		.url = s->url,
		.ca_file = s->ca_file,
		.cert = s->cert_file,
		.key = s->key_file,
		.timeout_ms = (uint32_t)s->timeout_ms,
		.allow_link_local = s->allow_link_local,
	};
	int rc = take_secrets(s, &secrets, err);

	if (rc == 0)
		rc = take_headers(s, &headers, err);
	if (rc < 0)
		return rc;
	o.secrets = (const char *const *)secrets.items;
	o.headers = (const char *const *)headers.items;
	rc = bw_webhook_new(l, &o, &ret->sink, err);
	return rc < 0 ? bw_err_ctx(err, "sinks.%s", s->name) : 0;
}

static char *client_id_of(const struct bw_conf_sink *s, const struct bw_sinks_options *o)
{
	const char *end = o->is_test ? "-test" : "";

	if (s->client_id)
		return bw_asprintf("%s%s", s->client_id, end);
	return bw_asprintf("basewatch-%s%s", o->instance, end);
}

static int make_mqtt(struct bw_loop *l, const struct bw_conf_sink *s, const struct bw_sinks_options *o,
		     struct bw_sinks_made *ret, struct bw_err *err)
{
	static const struct bw_mqtt_sink_hooks no_hooks = {0};
	BW_AUTOFREE char *client_id = client_id_of(s, o);
	BW_AUTOSECRET struct bw_buf password;
	struct bw_mqtt_sink_options mo = {
		.session = {.url = s->url,
			    .username = s->username,
			    .ca_file = s->ca_file,
			    .cert_file = s->cert_file,
			    .key_file = s->key_file,
			    .client_id = client_id,
			    .session_expiry_s = o->session_expiry_s},
		.prefix = s->prefix,
		.qos = (unsigned)s->qos,
		.is_guest = o->is_test,
	};
	int rc;

	bw_buf_init(&password, BW_SECRET_MAX_BYTES);
	if (bw_secret_is_set(&s->password)) {
		rc = bw_secret_read(&s->password, &password, err);
		if (rc < 0)
			return bw_err_ctx(err, "sinks.%s.password", s->name);
		mo.session.password = bw_buf_str(&password);
	}
	rc = bw_mqtt_sink_new(l, &mo, o->hooks ? o->hooks : &no_hooks, &ret->mqtt, err);
	if (rc < 0)
		return bw_err_ctx(err, "sinks.%s", s->name);
	ret->sink = bw_mqtt_sink_interface(ret->mqtt);
	return 0;
}

int bw_sinks_make(struct bw_loop *l, const struct bw_conf_sink *s, const struct bw_sinks_options *o,
		  struct bw_sinks_made *ret, struct bw_err *err)
{
	struct bw_sinks_made made = {0};
	struct bw_err why = BW_ERR_INIT;
	int rc = s->type == BW_CONF_MQTT ? make_mqtt(l, s, o, &made, &why) : make_webhook(l, s, &made, &why);

	/* Whatever a room calls it: a person has to look at the configuration. */
	if (rc < 0)
		return bw_fail(err, BW_E_CONFIG, "%s", why.msg);
	*ret = made;
	return 0;
}

static int read_all(const struct bw_conf_sink *s, struct texts *ret, struct bw_err *err)
{
	int rc = take_secrets(s, ret, err);

	if (rc == 0)
		rc = take_headers(s, ret, err);
	if (rc == 0 && bw_secret_is_set(&s->password) && add_secret(ret, NULL, &s->password, err) < 0)
		rc = bw_err_ctx(err, "sinks.%s.password", s->name);
	return rc;
}

/* Each text goes in with its NUL, so that no two lists look alike. */
static void print_texts(const struct texts *t, struct bw_digest *ret)
{
	BW_AUTOSECRET struct bw_buf all;

	bw_buf_init(&all, PRINT_MAX_BYTES);
	for (size_t i = 0; i + 1 < t->count; i++)
		(void)bw_buf_add(&all, t->items[i], strlen(t->items[i]) + 1);
	bw_digest_of(all.data ? all.data : "", all.len, ret);
}

int bw_sinks_check(const struct bw_conf_sink *s, struct bw_digest *ret, struct bw_err *err)
{
	AUTOTEXTS struct texts all = {0};
	struct bw_err why = BW_ERR_INIT;

	if (read_all(s, &all, &why) < 0)
		return bw_fail(err, BW_E_CONFIG, "%s", why.msg);
	print_texts(&all, ret);
	return 0;
}

const struct bw_conf_sink *bw_sinks_find(const struct bw_conf *c, const char *name)
{
	for (size_t i = 0; i < c->sinks.count; i++)
		if (bw_text_is(c->sinks.items[i].name, name))
			return &c->sinks.items[i];
	return NULL;
}

char *bw_sinks_title(const struct bw_conf_sink *s)
{
	const char *host = strstr(s->url, "://");
	size_t len = strlen(s->url);

	if (s->type == BW_CONF_MQTT)
		return bw_asprintf("%s (mqtt %s)", s->name, s->url);
	if (host)
		len = (size_t)(host - s->url) + 3 + strcspn(host + 3, "/?#");
	return bw_asprintf("%s (webhook %.*s%s)", s->name, (int)len, s->url,
			   s->url[len] && strcmp(s->url + len, "/") != 0 ? "/..." : "");
}
