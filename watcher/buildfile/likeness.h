/* likeness.h - does an edited Dockerfile give the same uses, but for the digests that were wanted? */
#ifndef BW_BUILDFILE_LIKENESS_H
#define BW_BUILDFILE_LIKENESS_H

#include "buildfile/dockerfile.h"

enum bw_likeness {
	BW_ALIKE,
	BW_ALIKE_SHORT, /* nothing is wrong, but a use that must have its wanted digest has not */
	BW_UNLIKE_USE,	/* a use is another one, or has a digest that nobody wants for it */
	BW_UNLIKE_FILE, /* other uses, errors or warnings */
};

/*
 * `wishes` and `must` have an element for each use. A use keeps its digest or gets the wanted one (NULL: none is);
 * where `must` says so it has to get it. `*ret_use` is set for ALIKE_SHORT and UNLIKE_USE.
 */
enum bw_likeness bw_likeness_of(const struct bw_dockerfile *before, const struct bw_dockerfile *after,
				const struct bw_digest *const *wishes, const bool *must, size_t *ret_use);

#endif
