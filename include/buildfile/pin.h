/*
 * pin.h - edits the digests of references in a Dockerfile, and nothing else. Pure: text in, text out.
 *
 * An edit is made where the person would make it: in the reference, or in the ARG default that holds the reference or
 * its digest. The edited text is read again and must give the same uses with the new digests; what does not is left
 * out, with the reason.
 */
#ifndef BW_BUILDFILE_PIN_H
#define BW_BUILDFILE_PIN_H

#include "buildfile/dockerfile.h"
#include "core/buf.h"

/* What is wanted for a use, and what became of it. */
struct bw_pin_edit {
	size_t use;		 /* which of the file's uses */
	struct bw_digest digest; /* wanted */

	/* Set by bw_pin_apply(). */
	bool is_edited;
	uint32_t line; /* where the text was edited: that of the reference, or of an ARG */
	char *refused; /* why it could not be edited safely; NULL when it was, or needs no edit */
};

/*
 * `d` is what bw_dockerfile_parse() made of this text with these options. A use that has no digest gets one, behind
 * its tag (`:latest` is written where there is none); one that has another gets the wanted one in its place. A use that
 * has it already needs no edit. `ret` receives the whole new text; an empty buffer with a maximum of
 * 2 * BW_MAX_BUILDFILE_BYTES. True: something was edited; else `ret` is empty.
 *
 * Byte-exact elsewhere: BOM, line ends, continuations, quotes and comments stay. Line numbers stay. Refused is, among
 * others: a reference that stands in no file (--build-arg, --build-context), one whose name or tag comes from variables
 * where a digest would hold against another value of them, text that another use needs otherwise. A variable in front
 * of a name that is written out ("${REGISTRY}/library/debian:12") is no obstacle: the content is the same on every
 * mirror. A digest that stands there already is moved, whatever is before it.
 *
 * All uses that share a text (an ARG default) have to be in `edits` with one wanted digest, also those that a build
 * does not need: else each of them is refused. What was found is proved as a whole before it is returned; the number
 * of readings is bounded, and what is left over then is refused.
 */
bool bw_pin_apply(const char *text, size_t len, const struct bw_build_options *opts,
		  const struct bw_dockerfile *d, struct bw_pin_edit *edits, size_t count, struct bw_buf *ret);
void bw_pin_edits_done(struct bw_pin_edit *edits, size_t count); /* frees what is inside */

/*
 * Appends a patch as `git apply` takes it (unified format, three lines of context) that turns `before` into `after`.
 * Both have the same number of lines. `path` is relative, with '/'; it is quoted as git does where it must be.
 */
void bw_patch_format(const char *path, const char *before, size_t before_len, const char *after,
		     size_t after_len, struct bw_buf *out);

#endif
