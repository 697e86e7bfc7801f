/*
 * rehearse.h - what `run` would refuse although the file is right for itself: everything that it makes of a configuration
 * is made and dropped again. Asks nobody.
 */
#ifndef BW_COMMAND_REHEARSE_H
#define BW_COMMAND_REHEARSE_H

#include <stdbool.h>

#include "config/conf.h"

/* Valid during the call. */
struct bw_refusal {
	const char *const *steps; /* the way to the key, as in bw_conf_complain() */
	const char *text;	  /* not escaped */
	/* Files or secrets that it names cannot be had here; the file may be meant for another machine. */
	bool is_elsewhere;
};
typedef void (*bw_refusal_fn)(const struct bw_refusal *r, void *arg);

/* At most one for each source, registry, mirror and sink. It fails only for reasons of this system. */
int bw_rehearse(const struct bw_conf *c, bw_refusal_fn fn, void *arg, struct bw_err *err) BW_NODISCARD;

#endif
