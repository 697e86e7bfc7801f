/*
 * places.h - what the user said of single registries (struct bw_registry_host_options), and which of them he named at
 * all: what a stranger names may lead only to these into this machine.
 */
#ifndef BW_REGISTRY_PLACES_H
#define BW_REGISTRY_PLACES_H

#include <stdbool.h>

#include "net/loop.h"
#include "registry/address.h"
#include "registry/client.h"
#include "registry/credentials.h"

/* Certificates belong to a bw_http as a whole, and so does the number of connections per host. */
struct bw_door {
	char *ca_file; /* NULL: only the system's */
	unsigned connections;
	struct bw_http *http;
};

struct bw_place {
	char *host; /* normal: what docker.io is called is "docker.io" */
	bool is_insecure;
	struct bw_credential credential; /* user NULL: none */
	const struct bw_door *door;
};

struct bw_places {
	struct bw_place *items;
	size_t count;
	char **insecure; /* of the command line: without a port for all ports; NULL-terminated */
	struct bw_door *doors;
	size_t door_count;
	const struct bw_door *otherwise; /* for all others */
};

/* The caller frees with bw_places_done() also when it fails. */
int bw_places_init(struct bw_places *x, struct bw_loop *l, const struct bw_registry_options *o,
		   struct bw_err *err) BW_NODISCARD;
/* Ends the requests of all doors, without callbacks. */
void bw_places_close(struct bw_places *x);
void bw_places_done(struct bw_places *x); /* wipes; after bw_places_close() */

/* As it is named in references; NULL: nothing is said of it. */
const struct bw_place *bw_places_find(const struct bw_places *x, const char *registry);
/* The same for where a URL leads. */
const struct bw_place *bw_places_find_origin(const struct bw_places *x, const struct bw_origin *o);

/* Did the user allow this place to be spoken to without TLS? */
bool bw_places_is_insecure(const struct bw_places *x, const struct bw_origin *o);
/* Did he name it? */
bool bw_places_is_named(const struct bw_places *x, const struct bw_origin *o);

#endif
