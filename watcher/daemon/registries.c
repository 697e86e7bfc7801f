#include "daemon/registries.h"

#include "core/log.h"
#include "core/mem.h"
#include "net/address.h"

/* What a stranger's build file must not lead to (registry/client.h). */
#define NOT_FOR_STRANGERS (BW_ADDRESS_LOOPBACK | BW_ADDRESS_LINK_LOCAL)

/* Of the configuration; the passwords stand in `secrets`, which are wiped. */
struct hosts {
	struct bw_registry_host_options *items;
	struct bw_buf *secrets;
	size_t count;
};

static void free_hosts(struct hosts *x)
{
	for (size_t i = 0; i < x->count; i++)
		bw_secret_wipe(&x->secrets[i]);
	free(x->items);
	free(x->secrets);
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
	int rc = 0;

	bw_buf_init(secret, BW_SECRET_MAX_BYTES);
	x->count++;
	*o = (struct bw_registry_host_options){
		.host = r->host,
		.connections = g->connections ? 0 : (unsigned)r->connections,
		.insecure = r->insecure,
		.ca_file = g->ca_file ? NULL : r->ca_file,
		.username = r->username,
	};
	if (r->username)
		rc = read_password(r, secret, err);
	o->password = r->username ? bw_buf_str(secret) : NULL;
	return rc;
}

static int take_hosts(const struct bw_conf *c, const struct bw_registries_given *g, struct hosts *ret,
		      struct bw_err *err)
{
	size_t count = c ? c->registries.count : 0;
	int rc = 0;

	ret->items = bw_alloc((count + 1) * sizeof(*ret->items));
	ret->secrets = bw_alloc((count + 1) * sizeof(*ret->secrets));
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_host(ret, &c->registries.items[i], g, err);
	return rc;
}

static struct bw_credentials *load_credentials(const struct bw_registries *former)
{
	struct bw_credentials *c;
	struct bw_err err = BW_ERR_INIT;

	if (former && former->credentials)
		return bw_credentials_share(former->credentials);
	c = bw_credentials_new();
	if (bw_credentials_load(c, &err) < 0)
		bw_warn("%s; going on without it", err.msg);
	return c;
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
	};
	int rc = bw_registry_new(l, &o, &x->clients.own, err);

	o.refuse = NOT_FOR_STRANGERS;
	return rc < 0 ? rc : bw_registry_new(l, &o, &x->clients.foreign, err);
}

int bw_registries_open(struct bw_loop *l, const struct bw_conf *c, const struct bw_registries_given *g,
		       struct bw_registries *ret, struct bw_err *err)
{
	struct bw_registries x = {0};
	struct hosts hosts = {0};
	int rc = take_hosts(c, g, &hosts, err);

	if (rc == 0) {
		x.credentials = load_credentials(g->former);
		x.login_number = bw_credentials_number(x.credentials);
		rc = make_clients(l, &hosts, g, &x, err);
	}
	free_hosts(&hosts);
	if (rc < 0) {
		bw_registries_close(&x);
		return rc;
	}
	*ret = x;
	return 0;
}

bool bw_registries_reload(struct bw_registries *x)
{
	bw_credentials_reload(x->credentials);
	return bw_credentials_number(x->credentials) != x->login_number;
}

void bw_registries_close(struct bw_registries *x)
{
	bw_registry_free(x->clients.own);
	bw_registry_free(x->clients.foreign);
	bw_credentials_free(x->credentials);
	*x = (struct bw_registries){0};
}
