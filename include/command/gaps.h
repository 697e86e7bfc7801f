/* gaps.h - what is known of sources that could not be looked into, for verbs that only ask the database. */
#ifndef BW_COMMAND_GAPS_H
#define BW_COMMAND_GAPS_H

#include "command/args.h"
#include "store/gap.h"

/*
 * Of the sources of the configuration, as far as the operands mean them (none: of all), and of the repositories that chosen
 * builds are from (store/build.h). The caller frees in every case.
 */
int bw_gaps_known(const struct bw_args *a, struct bw_store *s, struct bw_gaps *ret,
		  struct bw_err *err) BW_NODISCARD;

#endif
