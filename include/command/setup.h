/* setup.h - the configuration as a verb needs it: found, read, and what is wrong with it said. */
#ifndef BW_COMMAND_SETUP_H
#define BW_COMMAND_SETUP_H

#include "command/args.h"
#include "config/conf.h"

/* --config FILE; else the default file, where there is one; NULL: none. The caller frees. */
char *bw_setup_path(const struct bw_args *a);

/*
 * Reads it; without a file nothing is configured. Errors and warnings are logged, each with its place. BW_E_CONFIG: it
 * is wrong; BW_E_GONE: the file that was named does not exist.
 */
int bw_setup_load(const struct bw_args *a, struct bw_conf **ret, struct bw_err *err) BW_NODISCARD;

/* The same in a verb that has read it before: warnings were said then. */
int bw_setup_load_again(const struct bw_args *a, struct bw_conf **ret, struct bw_err *err) BW_NODISCARD;

#endif
