/*
 * door.h - HTTP clients for registries. Certificates and a proxy belong to a bw_http as a whole, and so does the number of
 * connections per host: hosts that want the same of all share one, and one that is shown a certificate of ours has its own.
 */
#ifndef BW_REGISTRY_DOOR_H
#define BW_REGISTRY_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "net/loop.h"

struct bw_door {
	char **ca_files;	    /* besides the system's; NULL-terminated */
	char *cert_file, *key_file; /* NULL: none */
	char *place;		    /* URL of the host that they are for; NULL without them */
	char *proxy;		    /* as in struct bw_http_options */
	unsigned connections;
	uint64_t stamp; /* of the files that are read but once */
	struct bw_http *http;
};

struct bw_doors {
	struct bw_loop *loop;
	struct bw_door **items;
	size_t count, capacity;
};

/* What a door shall be; nothing of it is kept. */
struct bw_door_wish {
	const char *const *ca_files; /* NULL-terminated, or NULL; so is the other: they add up */
	const char *const *more_ca_files;
	const char *cert_file, *key_file;
	const char *place; /* only matters with a certificate */
	const char *proxy;
	unsigned connections;
};

/*
 * The same one for the same wish; another one after CA files have changed. BW_E_INPUT: the message begins with the path that
 * cannot be used, or with "proxy: ".
 */
int bw_doors_open(struct bw_doors *x, const struct bw_door_wish *wish, const struct bw_door **ret,
		  struct bw_err *err) BW_NODISCARD;
/* Frees those that `is_used` does not know, unless something is in flight there. */
void bw_doors_sweep(struct bw_doors *x, bool (*is_used)(const struct bw_door *d, const void *arg),
		    const void *arg);
/* Ends all requests, without callbacks. */
void bw_doors_close(struct bw_doors *x);
void bw_doors_done(struct bw_doors *x); /* after bw_doors_close() */

#endif
