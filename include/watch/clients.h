/*
 * clients.h - who asks the registries. What only git repositories name is asked for by a client of its own, which keeps
 * the network rules for strangers (registry/client.h).
 */
#ifndef BW_WATCH_CLIENTS_H
#define BW_WATCH_CLIENTS_H

#include "registry/client.h"

struct bw_clients {
	struct bw_registry *own;
	struct bw_registry *foreign; /* NULL: `own` asks for all */
};

#endif
