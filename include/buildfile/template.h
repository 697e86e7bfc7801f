/*
 * template.h - patches that are made before anybody knows the digest: when a file is read, each pinned use gets the
 * patch that moves its pin, with 64 zeros where the digest will stand; when the tag has moved, the digest is filled
 * in, and the file need not be there any more.
 *
 * Unified format with three lines of context, as `git apply` takes it; one line is changed.
 */
#ifndef BW_BUILDFILE_TEMPLATE_H
#define BW_BUILDFILE_TEMPLATE_H

#include "buildfile/dockerfile.h"

#define BW_TEMPLATE_MAX_BYTES	   (16U << 10) /* of one: seven lines, of which none is that long in earnest */
#define BW_TEMPLATE_MAX_FILE_BYTES (1U << 20)  /* of all uses of a file; those behind have none */

/* Is there anything that bw_template_make() could set? */
bool bw_template_is_wanted(const struct bw_dockerfile *d);

/*
 * Sets `patch` of the uses of `d`, which bw_dockerfile_parse() made of this text with these options. `path` is what the
 * patch calls the file: relative, with '/'; NULL or "": nothing is set. Costs nothing where nothing is pinned, else as
 * much as reading the text a few times.
 *
 * Made by bw_pin_apply(), and what it refuses has none. Nor has a use whose line is not valid UTF-8 or longer than the
 * maximum, whose digest is written over several lines, or shares its line with the placeholder or with the same digest
 * of another base: for a use may have to move while its neighbour stays. Uses of one base that share an ARG share
 * their patch.
 */
void bw_template_make(const char *path, const char *text, size_t len, const struct bw_build_options *opts,
		      struct bw_dockerfile *d);

/* A pinned use of one build file. */
struct bw_template_use {
	const char *template; /* of bw_template_make(), from wherever it was kept meanwhile; NULL: none */
	struct bw_digest to;  /* where its pin should move; unset: nobody knows */
	char *patch;	      /* set; the caller frees */
};

/*
 * Sets `patch`, so that each of them applies alone, and all of them one after the other in any order: uses that share a
 * patch, and those whose lines stand so close that one patch would spoil the context of another, have one in common.
 * That is the first one's; the others of them have NULL. So have uses without a template or a digest, those that
 * share a template and should not all move to one digest, and what is left when all of them together would
 * take more than `max_bytes`. A text that is no template is none.
 */
void bw_template_fill(struct bw_template_use *uses, size_t count, size_t max_bytes);

#endif
