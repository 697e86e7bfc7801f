/*
 * repin.h - which digest a use should be pinned to. Pure: bodies in, decision out.
 *
 * A pin to one platform's image of an index stays one: it moves to what the tag has for that platform now. Everything
 * else moves to the tag's own digest, which holds for every platform.
 */
#ifndef BW_COMMAND_REPIN_H
#define BW_COMMAND_REPIN_H

#include "image/bodies.h"

enum bw_repin_outcome {
	BW_REPIN_UNKNOWN, /* too little could be learned: `reason` */
	BW_REPIN_KEEP,	  /* it is pinned to what the tag has */
	BW_REPIN_MOVE,	  /* to `digest` */
	BW_REPIN_REFUSE,  /* no digest would be right: `reason` */
};

struct bw_repin {
	struct bw_digest pinned; /* unset: not pinned yet */
	struct bw_platform want; /* of the use; os "": it names none */

	/* Set by bw_repin_decide(). */
	enum bw_repin_outcome outcome;
	struct bw_digest digest;
	char *reason;
	char *note; /* what a person should know, though it was decided; NULL: nothing */
};

/*
 * `tag` is the answer of the registry, without a trouble; `name` what people call the base. Notes needs, and decides on
 * what is there; to be called again when the needs are met.
 */
void bw_repin_decide(struct bw_bodies *b, const struct bw_answer *tag, const char *name, struct bw_repin *x);
/* It could not be learned. Takes the new string `reason` over. */
void bw_repin_fail(struct bw_repin *x, char *reason);
void bw_repin_done(struct bw_repin *x); /* frees what is inside */

#endif
