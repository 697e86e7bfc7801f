/* remember.h - what the store keeps of a git repository that was looked into, or could not be. */
#ifndef BW_COMMAND_REMEMBER_H
#define BW_COMMAND_REMEMBER_H

#include "command/remote.h"
#include "store/store.h"

/*
 * The builds of its files are recorded and chosen already. Looked into: branch and commit are kept, and the builds of
 * files (and of branches that match the pattern) that are not there any more end. Not: the builds that were known of it
 * are chosen, with its problem and since when, which is said on stderr.
 */
int bw_remember_repository(struct bw_store *s, const struct bw_remote *r, int64_t now_ms,
			   struct bw_err *err) BW_NODISCARD;

#endif
