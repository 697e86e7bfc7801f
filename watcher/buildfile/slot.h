/*
 * slot.h - the places in a Dockerfile where the digest of a use stands, or where one may be written. They are found
 * by their letters, without following variables: only reading the edited file again proves one (see pin.c).
 */
#ifndef BW_BUILDFILE_SLOT_H
#define BW_BUILDFILE_SLOT_H

#include <stdbool.h>

#include "buildfile/dockerfile.h"
#include "buildfile/splice.h"

struct bw_slots {
	const char *file;
	size_t len;
	const struct bw_use *use;
	const struct bw_digest *wish;
	/* Private. */
	unsigned pass;
	size_t at;
};

/* All of it must live as long as `s`. The use has a reference, and a place in the file. */
void bw_slots_init(struct bw_slots *s, const char *file, size_t len, const struct bw_use *use,
		   const struct bw_digest *wish);

/*
 * The next place, the likeliest first: in the reference, in the ARG default that holds it, in what stands before its
 * FROM. What that costs is taken off `*work`, in bytes read. False: there are no more, or, where no work is left, none
 * was found with what there was; else the caller frees with bw_splice_done().
 */
bool bw_slots_next(struct bw_slots *s, struct bw_splice *ret, size_t *work);

/* Stands the last place outside of all that the use is known to be made of? */
bool bw_slots_is_guess(const struct bw_slots *s);

/* Why none of the places was one; a new string. */
char *bw_slots_refusal(const struct bw_use *use, const struct bw_build_options *opts);

#endif
