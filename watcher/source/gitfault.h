/*
 * gitfault.h - what went wrong, from what git said. Its exit status is 128 for nearly everything, so its words (LC_ALL=C)
 * have to decide; most come from libcurl, ssh and the server, and change rarely. Pure. Private to source/.
 */
#ifndef BW_SOURCE_GITFAULT_H
#define BW_SOURCE_GITFAULT_H

#include "core/err.h"
#include "source/giturl.h"

/*
 * `said`: the end of its standard error. The message is git's own line that says the most, escaped, without user info.
 * BW_E_GONE: no such repository, or not for us to see; BW_E_AUTH: a password, key or host key is wrong or missing;
 * BW_E_RETRY: not reached, or broken off; BW_E_FULL; BW_E_LIMIT: out of memory; BW_E_INPUT: a transport that is not
 * allowed; else BW_E_PEER. `u` may be NULL.
 */
int bw_gitfault(const char *said, const struct bw_giturl *u, struct bw_err *err);

#endif
