/* ask.h - loop and registry clients as command line and configuration want them. */
#ifndef BW_COMMAND_ASK_H
#define BW_COMMAND_ASK_H

#include "command/args.h"
#include "daemon/registries.h"
#include "net/loop.h"

/* What the command line says of registries; it refers to `a`. */
void bw_asker_given(const struct bw_args *a, struct bw_registries_given *ret);

struct bw_warned;

struct bw_asker {
	struct bw_loop *loop;
	struct bw_registries registries;
	struct bw_warned *warned; /* what registries had to say */
	struct bw_signal *on_int, *on_term;
	bool interrupted; /* a signal came: the loop was stopped */
};

/*
 * `c` NULL: the configuration is looked for and read here. BW_E_CONFIG: it is wrong, or a secret or a file that it names
 * for a registry cannot be read. Credentials of other tools that cannot be read are warned about and skipped.
 */
int bw_asker_init(struct bw_asker *k, const struct bw_args *a, const struct bw_conf *c,
		  struct bw_err *err) BW_NODISCARD;
/*
 * What the database knows of pauses and budgets (watch/recall.h), for who asks without one; before the first question. Where
 * there is none, or it cannot be read, nothing is known.
 */
void bw_asker_recall(struct bw_asker *k, const struct bw_args *a);
void bw_asker_done(struct bw_asker *k); /* also after a failed init */

#endif
