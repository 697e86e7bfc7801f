/*
 * next.h - when the daemon that works with a database asks for its bases next, and why then: for `report` and `doctor`.
 */
#ifndef BW_COMMAND_NEXT_H
#define BW_COMMAND_NEXT_H

#include "command/args.h"
#include "report/outlook.h"
#include "store/store.h"

struct bw_next;

/*
 * Looks whether a daemon runs, and foresees what it asks for, as the configuration has it. NULL in `*ret` where none does,
 * or where the configuration is not known: then there is nothing to say. Chooses other builds of the store (store/build.h):
 * choose anew afterwards.
 */
int bw_next_new(const struct bw_args *a, struct bw_store *s, struct bw_next **ret,
		struct bw_err *err) BW_NODISCARD;
void bw_next_free(struct bw_next *x); /* NULL is fine */

/* Leaves out registries of which the chosen builds need nothing. */
int bw_next_narrow(struct bw_next *x, struct bw_store *s, struct bw_err *err) BW_NODISCARD;

/*
 * For a report: `registries` are those of which there is something to say, by name. Lives as long as `x`, and changes with
 * bw_next_narrow(). NULL for NULL.
 */
const struct bw_outlook *bw_next_outlook(const struct bw_next *x);

#endif
