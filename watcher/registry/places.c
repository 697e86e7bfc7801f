/* places.c - see places.h. */
#include "registry/places.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "core/version.h"
#include "net/http.h"

#define CONNECTIONS 3
#define ALL	    "*"

/* --- doors ------------------------------------------------------------------------------------ */

/* `doors` was made large enough: places point into it. */
static int open_door(struct bw_places *x, struct bw_loop *l, const char *ca_file, unsigned connections,
		     const struct bw_door **ret, struct bw_err *err)
{
	const struct bw_http_options o = {
		.ca_file = ca_file,
		.connections_per_host = connections,
		.user_agent = "basewatch/" BW_VERSION,
	};
	struct bw_door *d = &x->doors[x->door_count];
	int rc;

	for (size_t i = 0; i < x->door_count; i++) {
		*ret = &x->doors[i];
		if (x->doors[i].connections == connections && bw_text_is(x->doors[i].ca_file, ca_file))
			return 0;
	}
	rc = bw_http_new(l, &o, &d->http, err);
	if (rc < 0)
		return rc;
	d->ca_file = bw_strdup_null(ca_file);
	d->connections = connections;
	x->door_count++;
	*ret = d;
	return 0;
}

/* --- places ----------------------------------------------------------------------------------- */

/* What stands for all hosts that have no entry of their own; an empty one when there is none. */
static struct bw_registry_host_options for_others(const struct bw_registry_options *o)
{
	struct bw_registry_host_options all = {.host = ALL};

	for (size_t i = 0; i < o->host_count; i++)
		if (strcmp(o->hosts[i].host, ALL) == 0)
			all = o->hosts[i];
	if (!all.connections)
		all.connections = o->connections ? o->connections : CONNECTIONS;
	return all;
}

static char *normal_host(const char *host)
{
	char *copy = bw_strdup(bw_host_is_hub(host) ? "docker.io" : host);

	bw_text_lower(copy);
	return copy;
}

/* The file of an entry is one of the configuration: there a person has to look. */
static int open_door_of(struct bw_places *x, struct bw_loop *l, const struct bw_registry_host_options *h,
			const char *ca_file, unsigned connections, const struct bw_door **ret,
			struct bw_err *err)
{
	struct bw_err why = BW_ERR_INIT;
	int rc = open_door(x, l, h->ca_file ? h->ca_file : ca_file, connections, ret, &why);

	if (rc < 0 && h->ca_file)
		return bw_fail(err, BW_E_CONFIG, "registries: %s: ca-file: %s", h->host, why.msg);
	return rc < 0 ? bw_fail(err, why.code, "%s", why.msg) : 0;
}

static int add_place(struct bw_places *x, struct bw_loop *l, const struct bw_registry_options *o,
		     const struct bw_registry_host_options *h, unsigned connections, struct bw_err *err)
{
	struct bw_place *p = &x->items[x->count];
	int rc = open_door_of(x, l, h, o->ca_file, h->connections ? h->connections : connections, &p->door,
			      err);

	if (rc < 0)
		return rc;
	p->host = normal_host(h->host);
	p->is_insecure = h->insecure;
	p->credential.user = bw_strdup_null(h->username);
	p->credential.password = h->username ? bw_strdup(h->password ? h->password : "") : NULL;
	x->count++;
	return 0;
}

static char **copy_list(const char *const *list)
{
	char **copy;
	size_t n = 0;

	while (list && list[n])
		n++;
	copy = bw_alloc((n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = bw_strdup(list[i]);
	return copy;
}

int bw_places_init(struct bw_places *x, struct bw_loop *l, const struct bw_registry_options *o,
		   struct bw_err *err)
{
	const struct bw_registry_host_options others = for_others(o);
	int rc;

	*x = (struct bw_places){.insecure = copy_list(o->insecure)};
	x->items = bw_alloc((o->host_count + 1) * sizeof(*x->items));
	x->doors = bw_alloc((o->host_count + 1) * sizeof(*x->doors));
	rc = open_door_of(x, l, &others, o->ca_file, others.connections, &x->otherwise, err);
	for (size_t i = 0; i < o->host_count && rc == 0; i++)
		if (strcmp(o->hosts[i].host, ALL) != 0)
			rc = add_place(x, l, o, &o->hosts[i], others.connections, err);
	return rc;
}

void bw_places_close(struct bw_places *x)
{
	for (size_t i = 0; i < x->door_count; i++)
		bw_http_free(BW_TAKE(x->doors[i].http));
}

void bw_places_done(struct bw_places *x)
{
	for (size_t i = 0; i < x->count; i++) {
		bw_credential_done(&x->items[i].credential);
		free(x->items[i].host);
	}
	for (size_t i = 0; i < x->door_count; i++)
		free(x->doors[i].ca_file);
	for (char **entry = x->insecure; entry && *entry; entry++)
		free(*entry);
	free(x->items);
	free(x->doors);
	free(x->insecure);
}

/* --- who is it? ------------------------------------------------------------------------------- */

const struct bw_place *bw_places_find_origin(const struct bw_places *x, const struct bw_origin *o)
{
	const char *host = bw_host_is_hub(o->host) ? "docker.io" : o->host;
	struct bw_origin own;

	for (size_t i = 0; i < x->count; i++)
		if (bw_origin_of_registry(x->items[i].host, o->is_tls, &own) && own.port == o->port &&
		    strcmp(own.host, host) == 0)
			return &x->items[i];
	return NULL;
}

const struct bw_place *bw_places_find(const struct bw_places *x, const char *registry)
{
	struct bw_origin o;

	return x->count > 0 && bw_origin_of_registry(registry, true, &o) ? bw_places_find_origin(x, &o)
									 : NULL;
}

/* An entry without a port stands for every port of that host: only then the scheme decides which one is
 * meant. */
static bool covers(const char *entry, const struct bw_origin *o)
{
	struct bw_origin tls, plain;

	if (!bw_origin_of_registry(entry, true, &tls) || !bw_origin_of_registry(entry, false, &plain))
		return false;
	return bw_text_is(tls.host, o->host) && (tls.port != plain.port || tls.port == o->port);
}

static bool is_listed(const struct bw_places *x, const struct bw_origin *o)
{
	for (char **entry = x->insecure; *entry; entry++)
		if (covers(*entry, o))
			return true;
	return false;
}

bool bw_places_is_insecure(const struct bw_places *x, const struct bw_origin *o)
{
	const struct bw_place *p = bw_places_find_origin(x, o);

	return (p && p->is_insecure) || is_listed(x, o);
}

bool bw_places_is_named(const struct bw_places *x, const struct bw_origin *o)
{
	return bw_places_find_origin(x, o) || is_listed(x, o);
}
