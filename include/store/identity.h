/*
 * identity.h - what a build is called outside: in events, in states, and by those who say that it was rebuilt. Pure.
 */
#ifndef BW_STORE_IDENTITY_H
#define BW_STORE_IDENTITY_H

#include "core/def.h"

#define BW_BUILD_ID_MAX 33 /* 32 hexadecimal digits and the NUL */

/* Stable for a database, a source, a path in it and a target (store/build.h). */
void bw_identity_of_build(const char *uuid, const char *source, const char *path, const char *target,
			  char ret[BW_BUILD_ID_MAX]);

#endif
