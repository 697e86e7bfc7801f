/*
 * registries.h - who asks the registries, as the configuration (`registries:`), the command line and docker's credentials
 * file want it: a client for what the user's own build files name, and a view of it, with the network rules, for what only
 * git repositories name (registry/client.h, watch/clients.h).
 *
 * The command line goes before the configuration, and a log-in of the configuration before the credentials file.
 */
#ifndef BW_DAEMON_REGISTRIES_H
#define BW_DAEMON_REGISTRIES_H

#include <stdint.h>

#include "config/conf.h"
#include "net/loop.h"
#include "watch/clients.h"

/* By the command line; the texts are only looked at while clients are made. */
struct bw_registries_given {
	const char *ca_file; /* instead of every other; NULL: not given */
	const char *const
		*insecure;    /* HOST[:PORT], besides those of the configuration; NULL-terminated, or NULL */
	unsigned connections; /* per registry, whatever the configuration says; 0: not given */
	uint32_t connect_timeout_ms, answer_timeout_ms, give_up_ms; /* 0: the defaults */
	uint32_t dead_ms; /* by whoever asks again soon; 0: the default */
	/* What registries say to their users (registry/client.h); NULL: it is logged as a warning */
	void (*warned)(const char *registry, const char *about, const char *text, void *arg);
	void *warned_arg;
	bool logs_mirrors; /* when one stops being usable, and when it is again */
	/*
	 * Whose credentials file it is, too: what was read of it stays when it cannot be read any more. The log-ins of the
	 * configuration are not in force before bw_registries_use(). NULL: nobody's, and then they are.
	 */
	const struct bw_registries *former;
};

struct bw_registries {
	struct bw_clients clients; /* both; whoever frees one before bw_registries_close() takes it out */
	struct bw_credentials *credentials;
	uint64_t login_number;		     /* of these, when they came into force */
	struct bw_credentials_draft *logins; /* of the configuration, not in force yet; NULL: they are */
	bool has_other_logins;		     /* they differ from those that are */
};

/*
 * What a client is told of one registry; who logs in there is none of it. Points into `c`, but for the list of mirrors:
 * that is the caller's to free, and may be NULL.
 */
const char **bw_registries_host(const struct bw_conf_registry *c, struct bw_registry_host_options *ret);

/*
 * `c` NULL: nothing is configured. A credentials file that cannot be read is warned about and skipped. BW_E_CONFIG, with
 * the key: a secret or a file of certificates that the configuration names cannot be read.
 */
int bw_registries_open(struct bw_loop *l, const struct bw_conf *c, const struct bw_registries_given *g,
		       struct bw_registries *ret, struct bw_err *err) BW_NODISCARD;
/* From now on its log-ins are in force, for the one that it was opened behind as well. */
void bw_registries_use(struct bw_registries *x);
/* What was refused to the one that it takes the place of, and is the same now, stays refused. */
void bw_registries_inherit(struct bw_registries *x, const struct bw_registries *former);
/*
 * Reads the credentials file again. True: there are others than when it was opened, so whoever was turned away may ask
 * again at once.
 */
bool bw_registries_reload(struct bw_registries *x);
/* Drops what is in flight, without callbacks; before the loop. One that is zeroed is fine. */
void bw_registries_close(struct bw_registries *x);

#endif
