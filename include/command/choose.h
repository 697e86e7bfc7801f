/*
 * choose.h - which builds in the store are meant by PATH, SOURCE or SOURCE:PATH on the command line.
 */
#ifndef BW_COMMAND_CHOOSE_H
#define BW_COMMAND_CHOOSE_H

#include "command/args.h"
#include "store/build.h"

/*
 * Chooses what the operands name (none: the current folder), then keeps --target. A path stands for every
 * build at or below it. BW_E_GONE when an operand names nothing that is tracked - unless `lenient` and it is
 * an existing path.
 */
int bw_choose(const struct bw_args *a, bool lenient, struct bw_store *s, size_t *ret_count,
	      struct bw_err *err) BW_NODISCARD;

/* Absolute path of an operand: real where it exists, else made absolute by words alone. The caller frees. */
char *bw_choose_location(const char *path);

#endif
