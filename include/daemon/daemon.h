/*
 * daemon.h - keeps watching (`basewatch run`): sources, polling, delivery and the state at brokers on one loop. They do
 * not know each other: what one has recorded in the store the others are told to look at.
 */
#ifndef BW_DAEMON_DAEMON_H
#define BW_DAEMON_DAEMON_H

#include "config/conf.h"
#include "daemon/registries.h"
#include "store/store.h"
#include "watch/schedule.h"
#include "watch/sweep.h"

struct bw_daemon;

/* As it asks with this configuration. */
struct bw_schedule_options bw_daemon_schedule(const struct bw_conf *c);

struct bw_daemon_options {
	struct bw_conf *conf; /* taken over when bw_daemon_new() succeeds */
	/* Reads the configuration anew; says itself what is wrong with it. */
	int (*reload)(struct bw_conf **ret, void *arg, struct bw_err *err);
	void *arg;
	const struct bw_registries_given *given; /* by the command line; outlives it */
	bool is_once;
};

/* What it cannot do without is tried here: BW_E_CONFIG for a secret that cannot be read, and the like. */
int bw_daemon_new(struct bw_store *s, const struct bw_daemon_options *o, struct bw_daemon **ret,
		  struct bw_err *err) BW_NODISCARD;
void bw_daemon_free(struct bw_daemon *d); /* before the store; NULL is fine */

/*
 * Until SIGTERM or SIGINT: then what is in flight may end, for BW_DAEMON_GRACE_MS at most; a second signal ends it at
 * once. SIGHUP reloads.
 */
void bw_daemon_run(struct bw_daemon *d);
#define BW_DAEMON_GRACE_MS 10000

/*
 * One full cycle: looks into the sources, asks for every base, sends what is due. What is left for later attempts stays
 * due. `ret->interrupted`: a signal came.
 */
int bw_daemon_run_once(struct bw_daemon *d, struct bw_sweep_result *ret, struct bw_err *err) BW_NODISCARD;
#define BW_DAEMON_DELIVERY_MS 60000 /* so long a single cycle waits for receivers */

#endif
