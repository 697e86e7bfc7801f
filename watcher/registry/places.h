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
#include "registry/door.h"
#include "registry/mirror.h"
#include "registry/tally.h"

/* How a host is to be treated; every value is set, whoever said it. */
struct bw_manners {
	unsigned connections;
	unsigned in_flight;	    /* 0: as many as its protocol makes sense of */
	double requests_per_second; /* 0: any number */
	unsigned reserve_percent;
};

struct bw_place {
	char *host; /* normal: what docker.io is called is "docker.io" */
	bool is_insecure;
	const struct bw_door
		*door; /* as its entry has it; the one to go through is that of bw_places_door() */
	struct bw_manners manners;
	struct bw_mirror *mirrors; /* in order */
	size_t mirror_count;
	struct bw_tally *tallies; /* of the mirrors; the only thing here that changes */
	bool mirrors_only;	  /* the registry itself is not asked */
};

struct bw_places {
	struct bw_place *items;
	size_t count;
	char **insecure; /* of the command line: without a port for all ports; NULL-terminated */
	char **certs;	 /* folders in place of those of registry/certs.h; NULL: those */
	unsigned number; /* another one when the files of certificates are to be looked at again */
	struct bw_doors doors;
	const struct bw_door *otherwise; /* as `door`, for all others */
	struct bw_manners manners;	 /* the same */
};

/* The caller frees with bw_places_done() also when it fails. */
int bw_places_init(struct bw_places *x, struct bw_loop *l, const struct bw_registry_options *o,
		   struct bw_err *err) BW_NODISCARD;
/* Is it the door of an entry? These stay. */
bool bw_places_use_door(const struct bw_places *x, const struct bw_door *d);
/* Ends the requests of all doors, without callbacks. */
void bw_places_close(struct bw_places *x);
void bw_places_done(struct bw_places *x); /* after bw_places_close() */

/* As it is named in references; NULL: nothing is said of it. */
const struct bw_place *bw_places_find(const struct bw_places *x, const char *registry);
/* The same for where a URL leads. */
const struct bw_place *bw_places_find_origin(const struct bw_places *x, const struct bw_origin *o);

/*
 * The door to a registry, with what certs.d has for it now; looks into folders, and reads files when they are new. BW_E_INPUT
 * begins with the file or folder that is of no use: that is only this registry's trouble.
 */
int bw_places_door(struct bw_places *x, const char *registry, const struct bw_door **ret,
		   struct bw_err *err) BW_NODISCARD;
/*
 * The same to the token endpoint that this registry names, which it is asked itself through `door`. One with an entry or a
 * certs.d folder of its own has a door like any registry; another is gone to like the registry, by its CA files and its
 * proxy. But who we are is shown only to the registry's own host, and with an entry or folder of its own where the user named the
 * registry as well: anybody may name a realm, and would choose what is asked there in our name.
 */
int bw_places_door_of_realm(struct bw_places *x, const char *registry, const struct bw_door *door,
			    const struct bw_origin *realm, const struct bw_door **ret,
			    struct bw_err *err) BW_NODISCARD;

/* For the host of this place; NULL: of one that nothing is said of. Lives as long as `x`. */
const struct bw_manners *bw_places_manners(const struct bw_places *x, const struct bw_place *place);

/* Did the user allow this place to be spoken to without TLS? */
bool bw_places_is_insecure(const struct bw_places *x, const struct bw_origin *o);
/* Did he name it without TLS, as a mirror with http://? */
bool bw_places_is_plain(const struct bw_places *x, const struct bw_origin *o);
/* Did he name it, as a registry or as a mirror of one? */
bool bw_places_is_named(const struct bw_places *x, const struct bw_origin *o);

#endif
