/* origins.h - what a verb is about: its operands, or the sources of the configuration. */
#ifndef BW_COMMAND_ORIGINS_H
#define BW_COMMAND_ORIGINS_H

#include "command/args.h"
#include "daemon/origin.h"

/*
 * The operands; without any, and with `may_be_configured`, the sources of the configuration where it has some; else the
 * current folder. BW_E_INPUT for an address that is none, and for options that say how to build what the configuration
 * says already. The caller frees with bw_origins_done() in every case; `a` must live as long.
 */
int bw_origins_choose(const struct bw_args *a, bool may_be_configured, struct bw_origins *ret,
		      bool *ret_is_configured, struct bw_err *err) BW_NODISCARD;

/* The sources of the configuration; none where it has none. The caller frees in every case. */
int bw_origins_configured(const struct bw_args *a, struct bw_origins *ret, struct bw_err *err) BW_NODISCARD;

#endif
