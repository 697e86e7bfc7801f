/* nearest.h - there is no such tag: which of those that there are may be meant? Pure. */
#ifndef BW_COMMAND_NEAREST_H
#define BW_COMMAND_NEAREST_H

#include <stddef.h>

#define BW_NEAREST_MAX 3

/*
 * At most BW_NEAREST_MAX of `tags`, nearest first, and of those that are equally near the newest-looking first: the same but
 * for its case; the same version and variant, or the same version in another variant, of the same length; other versions of
 * the same major number; versions of the neighbours; similar spelling. Where nothing is near, the newest-looking ones that
 * there are, those of the same form first. Returns how many.
 */
size_t bw_nearest_tags(const char *wanted, const char *const *tags, size_t count,
		       const char *ret[BW_NEAREST_MAX]);

#endif
