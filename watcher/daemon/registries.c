#include "daemon/registries.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "net/address.h"

/* What a stranger's build file must not lead to (registry/client.h). */
#define NOT_FOR_STRANGERS (BW_ADDRESS_LOOPBACK | BW_ADDRESS_LINK_LOCAL)

/* Of the configuration; the passwords stand in `secrets`, which are wiped. */
struct hosts {
	struct bw_registry_host_options *items;
	struct bw_credentials_given *logins;
	struct bw_buf *secrets;
	const char ***mirrors;
	size_t count, login_count;
};

static void free_hosts(struct hosts *x)
{
	for (size_t i = 0; i < x->count; i++)
		bw_secret_wipe(&x->secrets[i]);
	for (size_t i = 0; i < x->count; i++)
		free(x->mirrors[i]);
	free(x->items);
	free(x->logins);
	free(x->secrets);
	free(x->mirrors);
}

/* NULL-terminated; NULL: there are none. */
static const char **mirrors_of(const struct bw_conf_registry *r)
{
	const char **list = NULL;

	if (r->mirrors.count > 0)
		list = bw_alloc((r->mirrors.count + 1) * sizeof(*list));
	for (size_t i = 0; i < r->mirrors.count; i++)
		list[i] = r->mirrors.items[i];
	return list;
}

const char **bw_registries_host(const struct bw_conf_registry *c, struct bw_registry_host_options *ret)
{
	const char **mirrors = mirrors_of(c);

	*ret = (struct bw_registry_host_options){
		.host = c->host,
		.connections = (unsigned)c->connections,
		.in_flight = (unsigned)c->in_flight,
		.requests_per_second = (double)c->requests_per_second / 1000.0,
		.has_reserve = c->reserve_percent >= 0,
		.reserve_percent = c->reserve_percent >= 0 ? (unsigned)c->reserve_percent : 0,
		.insecure = c->insecure,
		.ca_file = c->ca_file,
		.cert_file = c->cert_file,
		.key_file = c->key_file,
		.proxy = bw_text_is(c->proxy, "none") ? "" : c->proxy,
		.mirrors = mirrors,
		.mirrors_only = c->mirrors_only,
	};
	return mirrors;
}

static int read_password(const struct bw_conf_registry *r, struct bw_buf *secret, struct bw_err *err)
{
	struct bw_err why = BW_ERR_INIT;

	if (bw_secret_read(&r->password, secret, &why) < 0)
		return bw_fail(err, BW_E_CONFIG, "registries: %s: password: %s", r->host, why.msg);
	return 0;
}

static int add_host(struct hosts *x, const struct bw_conf_registry *r, const struct bw_registries_given *g,
		    struct bw_err *err)
{
	struct bw_registry_host_options *o = &x->items[x->count];
	struct bw_buf *secret = &x->secrets[x->count];
	struct bw_credentials_given login = {
		.host = r->host, .username = r->username, .helper = r->helper, .is_anonymous = r->anonymous};
	int rc = 0;

	bw_buf_init(secret, BW_SECRET_MAX_BYTES);
	x->mirrors[x->count] = bw_registries_host(r, o);
	x->count++;
	if (g->connections)
		o->connections = 0;
	if (g->ca_file)
		o->ca_file = NULL;
	if (r->username)
		rc = read_password(r, secret, err);
	if (r->username)
		login.password = bw_buf_str(secret);
	if (r->username || r->helper || r->anonymous)
		x->logins[x->login_count++] = login;
	return rc;
}

static int take_hosts(const struct bw_conf *c, const struct bw_registries_given *g, struct hosts *ret,
		      struct bw_err *err)
{
	size_t count = c ? c->registries.count : 0;
	int rc = 0;

	ret->items = bw_alloc((count + 1) * sizeof(*ret->items));
	ret->logins = bw_alloc((count + 1) * sizeof(*ret->logins));
	ret->secrets = bw_alloc((count + 1) * sizeof(*ret->secrets));
	ret->mirrors = bw_alloc((count + 1) * sizeof(*ret->mirrors));
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_host(ret, &c->registries.items[i], g, err);
	return rc;
}

static struct bw_credentials *load_credentials(struct bw_loop *l, const struct bw_registries *former)
{
	struct bw_credentials *c;
	struct bw_err err = BW_ERR_INIT;

	if (former && former->credentials)
		return bw_credentials_share(former->credentials);
	c = bw_credentials_new(l);
	if (bw_credentials_load(c, &err) < 0)
		bw_warn("%s; going on without it", err.msg);
	return c;
}

static void log_warning(const char *registry, const char *about, const char *text, void *arg)
{
	(void)arg;
	bw_warn("%s says of %s: %s", registry, about, text);
}

static void log_mirror(const char *registry, const char *mirror, const char *why, void *arg)
{
	(void)arg;
	if (why)
		bw_warn("mirror %s of %s is not usable: %s", mirror, registry, why);
	else
		bw_info("mirror %s of %s is usable again", mirror, registry);
}

static int make_clients(struct bw_loop *l, const struct hosts *hosts, const struct bw_registries_given *g,
			struct bw_registries *x, struct bw_err *err)
{
	struct bw_registry_options o = {
		.ca_file = g->ca_file,
		.insecure = g->insecure,
		.hosts = hosts->items,
		.host_count = hosts->count,
		.credentials = x->credentials,
		.connections = g->connections,
		.connect_timeout_ms = g->connect_timeout_ms,
		.answer_timeout_ms = g->answer_timeout_ms,
		.give_up_ms = g->give_up_ms,
		.dead_ms = g->dead_ms,
		.warned = g->warned ? g->warned : log_warning,
		.warned_arg = g->warned_arg,
		.mirror_turned = g->logs_mirrors ? log_mirror : NULL,
	};
	int rc = bw_registry_new(l, &o, &x->clients.own, err);

	if (rc == 0)
		x->clients.foreign = bw_registry_for_strangers(x->clients.own, NOT_FOR_STRANGERS);
	return rc;
}

int bw_registries_open(struct bw_loop *l, const struct bw_conf *c, const struct bw_registries_given *g,
		       struct bw_registries *ret, struct bw_err *err)
{
	struct bw_registries x = {0};
	struct hosts hosts = {0};
	int rc = take_hosts(c, g, &hosts, err);

	if (rc == 0) {
		x.credentials = load_credentials(l, g->former);
		rc = make_clients(l, &hosts, g, &x, err);
		if (rc == 0)
			x.logins = bw_credentials_draft_new(x.credentials, hosts.logins, hosts.login_count,
							    &x.has_other_logins);
		if (rc == 0 && !(g->former && g->former->credentials))
			bw_registries_use(&x);
	}
	free_hosts(&hosts);
	if (rc < 0) {
		bw_registries_close(&x);
		return rc;
	}
	*ret = x;
	return 0;
}

void bw_registries_use(struct bw_registries *x)
{
	if (x->logins)
		bw_credentials_use(x->credentials, BW_TAKE(x->logins));
	x->login_number = bw_credentials_number(x->credentials);
	x->has_other_logins = false;
}

void bw_registries_inherit(struct bw_registries *x, const struct bw_registries *former)
{
	bw_registry_inherit(x->clients.own, former->clients.own);
}

bool bw_registries_reload(struct bw_registries *x)
{
	bw_credentials_reload(x->credentials);
	bw_registry_reload(x->clients.own);
	return bw_credentials_number(x->credentials) != x->login_number;
}

void bw_registries_close(struct bw_registries *x)
{
	bw_registry_free(x->clients.foreign);
	bw_registry_free(x->clients.own);
	bw_credentials_draft_free(x->logins);
	bw_credentials_free(x->credentials);
	*x = (struct bw_registries){0};
}
