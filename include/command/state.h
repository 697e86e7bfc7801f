/* state.h - where the database is, and opening it for a verb. */
#ifndef BW_COMMAND_STATE_H
#define BW_COMMAND_STATE_H

#include "command/args.h"
#include "command/exit.h"
#include "store/store.h"

/*
 * --db FILE; else `basewatch.db` in the folder `state` of the configuration, else in $STATE_DIRECTORY, else in
 * $XDG_STATE_HOME/basewatch, else in ~/.local/state/basewatch. The caller frees. BW_E_CONFIG when the configuration is wrong.
 */
int bw_state_path(const struct bw_args *a, char **ret, struct bw_err *err) BW_NODISCARD;

/* The same, given --db and `state` of the configuration; NULL: not said. */
int bw_state_place(const char *db, const char *state, char **ret, struct bw_err *err) BW_NODISCARD;

/* Opens it, creating the database and its folder (0700) where they are missing; an existing folder is used as
 * it is. */
int bw_state_open(const struct bw_args *a, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;

/* Opens an existing one; BW_E_GONE with advice when there is none. */
int bw_state_open_existing(const struct bw_args *a, struct bw_store **ret, struct bw_err *err) BW_NODISCARD;

/* What a verb does with an existing database; `*ret` is BW_EXIT_OK unless it says otherwise. */
typedef int (*bw_state_fn)(const struct bw_args *a, struct bw_store *s, enum bw_exit *ret,
			   struct bw_err *err);

/* Opens an existing one, runs the verb, closes it, says what failed: the exit code of the whole. */
enum bw_exit bw_state_run(const struct bw_args *a, bw_state_fn verb);

#endif
