/* state.h - where the database is, and opening it for a verb. */
#ifndef BW_COMMAND_STATE_H
#define BW_COMMAND_STATE_H

#include "command/args.h"
#include "store/store.h"

/*
 * --db FILE; else `basewatch.db` in $STATE_DIRECTORY, else in $XDG_STATE_HOME/basewatch, else in
 * ~/.local/state/basewatch. The caller frees.
 */
int bw_state_path(const struct bw_args *a, char **ret, struct bw_err *err) BW_NODISCARD;

/* Opens it, creating the database and its folder (0700) where they are missing; an existing folder is used as
 * it is. */
int bw_state_open(const struct bw_args *a, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;

/* Opens an existing one; BW_E_GONE with advice when there is none. */
int bw_state_open_existing(const struct bw_args *a, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;

#endif
