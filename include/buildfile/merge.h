/*
 * merge.h - one build for several platforms at once: the file is read once for each (buildfile/dockerfile.h), and what
 * was read becomes one list of uses. Pure.
 */
#ifndef BW_BUILDFILE_MERGE_H
#define BW_BUILDFILE_MERGE_H

#include "buildfile/dockerfile.h"

/*
 * Takes over what is in `files`, one per platform in the order in which they are built for; they are zeroed. The uses
 * keep the order of the file. One place in it is
 *  - a use per platform, each carrying its own, where it stands on a base: a pin may be the image of one platform, and a
 *    tag may move for one;
 *  - one use, where all platforms have the same (the frontend, a FROM with a --platform of its own), and where no base
 *    can be followed that a platform could differ in (scratch, a digest without a tag, what cannot be resolved);
 *  - one use, not reachable, when no platform needs its stage; those that do not need it are left out otherwise.
 * The error is that of the first platform that has one.
 */
void bw_dockerfile_merge(struct bw_dockerfile *files, size_t count, struct bw_dockerfile *ret);

#endif
