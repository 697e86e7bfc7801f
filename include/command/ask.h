/* ask.h - loop, credentials and registry client as the command line wants them. */
#ifndef BW_COMMAND_ASK_H
#define BW_COMMAND_ASK_H

#include "command/args.h"
#include "net/loop.h"
#include "registry/client.h"

struct bw_asker {
	struct bw_loop *loop;
	struct bw_credentials *credentials;
	struct bw_registry *registry;
	struct bw_signal *on_int, *on_term;
	bool interrupted; /* a signal came: the loop was stopped */
};

/* Credentials that cannot be read are warned about and skipped. */
int bw_asker_init(struct bw_asker *k, const struct bw_args *a, struct bw_err *err) BW_NODISCARD;
void bw_asker_done(struct bw_asker *k); /* also after a failed init */

#endif
