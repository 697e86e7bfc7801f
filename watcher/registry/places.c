/* places.c - see places.h. */
#include "registry/places.h"

#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "image/reference.h"
#include "registry/certs.h"

#define CONNECTIONS 3
#define ALL	    "*"

/* --- places ----------------------------------------------------------------------------------- */

/* What the entry for all says; an empty one when there is none. What is shown is for one host, and never for all. */
static struct bw_registry_host_options entry_for_all(const struct bw_registry_options *o)
{
	struct bw_registry_host_options all = {.host = ALL};

	for (size_t i = 0; i < o->host_count; i++)
		if (strcmp(o->hosts[i].host, ALL) == 0)
			all = o->hosts[i];
	all.cert_file = all.key_file = NULL;
	return all;
}

/* What holds where an entry says nothing. */
static struct bw_registry_host_options for_others(const struct bw_registry_host_options *all,
						  const struct bw_registry_options *o)
{
	struct bw_registry_host_options others = *all;

	if (!others.ca_file)
		others.ca_file = o->ca_file;
	if (!others.connections)
		others.connections = o->connections ? o->connections : CONNECTIONS;
	return others;
}

/* What a host does not say itself is as for all others. */
static struct bw_manners manners_of(const struct bw_registry_host_options *h, const struct bw_manners *others)
{
	struct bw_manners m = *others;

	if (h->connections)
		m.connections = h->connections;
	if (h->in_flight)
		m.in_flight = h->in_flight;
	if (h->requests_per_second > 0)
		m.requests_per_second = h->requests_per_second;
	if (h->has_reserve)
		m.reserve_percent = h->reserve_percent;
	return m;
}

static char *normal_host(const char *host)
{
	char *copy = bw_strdup(bw_host_is_hub(host) ? "docker.io" : host);

	bw_text_lower(copy);
	return copy;
}

static char *url_of(const char *host)
{
	return bw_asprintf("https://%s/", bw_reference_api_host(host));
}

static bool is_about(const char *message, const char *path)
{
	return path && bw_text_starts(message, path) && message[strlen(path)] == ':';
}

/* What stands in an entry is a matter of the configuration: there a person has to look. */
static int explain(const struct bw_registry_host_options *h, const struct bw_err *why, struct bw_err *err)
{
	const char *key = NULL;

	if (bw_text_starts(why->msg, "proxy: "))
		return bw_fail(err, BW_E_CONFIG, "registries: %s: %s", h->host, why->msg);
	if (is_about(why->msg, h->ca_file))
		key = "ca-file";
	else if (is_about(why->msg, h->cert_file))
		key = "cert-file";
	else if (is_about(why->msg, h->key_file))
		key = "key-file";
	if (key)
		return bw_fail(err, BW_E_CONFIG, "registries: %s: %s: %s", h->host, key, why->msg);
	return bw_fail(err, why->code, "%s", why->msg);
}

/* `h` says everything, but for what `others` say for all. */
static int open_door(struct bw_places *x, const struct bw_registry_host_options *h,
		     const struct bw_registry_host_options *others, const struct bw_door **ret,
		     struct bw_err *err)
{
	const char *const ca_files[] = {h->ca_file ? h->ca_file : others->ca_file, NULL};
	BW_AUTOFREE char *host = normal_host(h->host);
	BW_AUTOFREE char *place = url_of(host);
	const struct bw_door_wish wish = {
		.ca_files = ca_files,
		.cert_file = h->cert_file,
		.key_file = h->key_file,
		.place = place,
		.proxy = h->proxy ? h->proxy : others->proxy,
		.connections = h->connections ? h->connections : others->connections,
	};
	struct bw_err why = BW_ERR_INIT;

	return bw_doors_open(&x->doors, &wish, ret, &why) < 0 ? explain(h, &why, err) : 0;
}

/* The text is not repeated: somebody may have written a password into it. */
static int add_mirrors(struct bw_place *p, const struct bw_registry_host_options *h, struct bw_err *err)
{
	struct bw_err why = BW_ERR_INIT;
	size_t n = 0;

	while (h->mirrors && h->mirrors[n])
		n++;
	p->mirrors = bw_alloc((n + 1) * sizeof(*p->mirrors));
	p->tallies = bw_alloc((n + 1) * sizeof(*p->tallies));
	for (size_t i = 0; i < n; i++) {
		if (bw_mirror_parse_next(h->mirrors[i], p->host, p->mirrors, i, &p->mirrors[i], &why) < 0)
			return bw_fail(err, BW_E_CONFIG, "registries: %s: mirrors: number %zu: %s", h->host,
				       i + 1, why.msg);
		bw_tally_init(&p->tallies[i], &p->mirrors[i]);
		p->mirror_count++;
	}
	p->mirrors_only = n > 0 && h->mirrors_only;
	return 0;
}

static int add_place(struct bw_places *x, const struct bw_registry_host_options *h,
		     const struct bw_registry_host_options *others, struct bw_err *err)
{
	struct bw_place *p = &x->items[x->count];
	const struct bw_place *former = bw_places_find(x, h->host);
	int rc;

	if (former)
		return bw_fail(err, BW_E_CONFIG, "registries: %s: this is %s, which has an entry already",
			       h->host, former->host);
	rc = open_door(x, h, others, &p->door, err);
	if (rc < 0)
		return rc;
	p->host = normal_host(h->host);
	p->is_insecure = h->insecure;
	p->manners = manners_of(h, &x->manners);
	x->count++;
	return add_mirrors(p, h, err);
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
	const struct bw_registry_host_options all = entry_for_all(o), others = for_others(&all, o);
	int rc;

	*x = (struct bw_places){.insecure = copy_list(o->insecure), .doors = {.loop = l}};
	x->certs = o->certs ? copy_list(o->certs) : NULL;
	x->manners = (struct bw_manners){.reserve_percent = BW_BUDGET_RESERVE_PERCENT};
	x->manners = manners_of(&others, &x->manners);
	x->items = bw_alloc((o->host_count + 1) * sizeof(*x->items));
	rc = open_door(x, &all, &others, &x->otherwise, err);
	for (size_t i = 0; i < o->host_count && rc == 0; i++)
		if (strcmp(o->hosts[i].host, ALL) != 0)
			rc = add_place(x, &o->hosts[i], &others, err);
	return rc;
}

bool bw_places_use_door(const struct bw_places *x, const struct bw_door *d)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->items[i].door == d)
			return true;
	return x->otherwise == d;
}

void bw_places_close(struct bw_places *x)
{
	bw_doors_close(&x->doors);
}

static void free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void bw_places_done(struct bw_places *x)
{
	for (size_t i = 0; i < x->count; i++) {
		for (size_t k = 0; k < x->items[i].mirror_count; k++) {
			bw_mirror_done(&x->items[i].mirrors[k]);
			bw_tally_done(&x->items[i].tallies[k]);
		}
		free(x->items[i].mirrors);
		free(x->items[i].tallies);
		free(x->items[i].host);
	}
	bw_doors_done(&x->doors);
	free_list(x->insecure);
	free_list(x->certs);
	free(x->items);
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

const struct bw_manners *bw_places_manners(const struct bw_places *x, const struct bw_place *place)
{
	return place ? &place->manners : &x->manners;
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

/* Whoever is named as a mirror is the same as if he stood in a reference. */
static const struct bw_mirror *find_mirror(const struct bw_places *x, const struct bw_origin *o,
					   bool is_plain)
{
	const char *host = bw_host_is_hub(o->host) ? "docker.io" : o->host;

	for (size_t i = 0; i < x->count; i++)
		for (size_t k = 0; k < x->items[i].mirror_count; k++) {
			const struct bw_mirror *m = &x->items[i].mirrors[k];
			struct bw_origin own;

			if ((m->is_plain || !is_plain) &&
			    bw_origin_of_registry(m->registry, o->is_tls, &own) && own.port == o->port &&
			    strcmp(own.host, host) == 0)
				return m;
		}
	return NULL;
}

bool bw_places_is_insecure(const struct bw_places *x, const struct bw_origin *o)
{
	const struct bw_place *p = bw_places_find_origin(x, o);

	return (p && p->is_insecure) || is_listed(x, o) || find_mirror(x, o, true);
}

bool bw_places_is_plain(const struct bw_places *x, const struct bw_origin *o)
{
	return find_mirror(x, o, true) != NULL;
}

bool bw_places_is_named(const struct bw_places *x, const struct bw_origin *o)
{
	return bw_places_find_origin(x, o) || is_listed(x, o) || find_mirror(x, o, false);
}

/* --- doors ------------------------------------------------------------------------------------ */

static int open_with(struct bw_places *x, const struct bw_door *own, const struct bw_certs *c,
		     const char *place, const struct bw_door **ret, struct bw_err *err)
{
	const struct bw_door_wish wish = {
		.ca_files = (const char *const *)own->ca_files,
		.more_ca_files = (const char *const *)c->ca_files,
		.cert_file = own->cert_file ? own->cert_file : c->cert_file,
		.key_file = own->cert_file ? own->key_file : c->key_file,
		.place = place,
		.proxy = own->proxy,
		.connections = own->connections,
	};
	size_t before = x->doors.count;
	int rc = bw_doors_open(&x->doors, &wish, ret, err);

	if (rc == 0 && x->doors.count > before && !own->cert_file && c->left_out)
		bw_warn("%s: more than one client certificate; %s is shown", c->left_out, c->cert_file);
	return rc;
}

int bw_places_door(struct bw_places *x, const char *registry, const struct bw_door **ret, struct bw_err *err)
{
	const struct bw_place *p = bw_places_find(x, registry);
	BW_AUTOFREE char *host = normal_host(registry);
	BW_AUTOFREE char *place = url_of(host);
	struct bw_certs certs;
	int rc = bw_certs_find(registry, (const char *const *)x->certs, &certs, err);

	if (rc == 0)
		rc = open_with(x, p ? p->door : x->otherwise, &certs, place, ret, err);
	bw_certs_done(&certs);
	return rc;
}

static bool has_folder(const struct bw_places *x, const char *registry)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_certs certs;
	bool has = bw_certs_find(registry, (const char *const *)x->certs, &certs, &err) < 0 || certs.folder;

	bw_certs_done(&certs);
	return has;
}

static bool is_host_of(const char *registry, const struct bw_origin *o)
{
	struct bw_origin own;

	return bw_origin_of_registry(bw_reference_api_host(registry), o->is_tls, &own) &&
	       strcmp(own.host, o->host) == 0;
}

static bool is_registry_named(const struct bw_places *x, const char *registry)
{
	struct bw_origin o;

	return bw_origin_of_registry(registry, true, &o) && bw_places_is_named(x, &o);
}

int bw_places_door_of_realm(struct bw_places *x, const char *registry, const struct bw_door *door,
			    const struct bw_origin *realm, const struct bw_door **ret, struct bw_err *err)
{
	const struct bw_place *p = bw_places_find_origin(x, realm);
	const struct bw_certs none = {.folder = NULL};
	const struct bw_door *found = p ? p->door : door;
	struct bw_door like;
	BW_AUTOFREE char *place = NULL;
	char name[BW_ORIGIN_MAX];
	bool has_own;
	int rc = 0;

	bw_origin_name(realm, name);
	has_own = realm->is_tls && (p || has_folder(x, name));
	if (has_own)
		rc = bw_places_door(x, name, &found, err);
	if (rc < 0)
		return rc;
	*ret = found;
	if (!found->cert_file || (has_own && is_registry_named(x, registry)))
		return 0;
	/*
	 * One beside it: over a connection where our certificate was shown nothing goes that somebody else sends us to.
	 */
	like = *found;
	if (!realm->is_tls || !is_host_of(registry, realm))
		like.cert_file = like.key_file = NULL;
	place = bw_asprintf("https://%s/", name);
	return open_with(x, &like, &none, place, ret, err);
}
