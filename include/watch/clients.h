/*
 * clients.h - who asks the registries. One client; what only git repositories name is asked through a view of it that keeps
 * the network rules for strangers (bw_registry_for_strangers).
 */
#ifndef BW_WATCH_CLIENTS_H
#define BW_WATCH_CLIENTS_H

#include "registry/client.h"

struct bw_clients {
	struct bw_registry *own;
	struct bw_registry *foreign; /* a view of `own`; NULL: `own` asks for all */
};

#endif
