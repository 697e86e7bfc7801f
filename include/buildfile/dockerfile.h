/*
 * dockerfile.h - which bases does a Dockerfile stand on? Reads it exactly as BuildKit does
 * (frontend/dockerfile: parser, shell, instructions, dockerfile2llb) and lists every image that a build would
 * take from a registry. Pure: bytes and options in, uses out; no clock, no files.
 *
 * References to stages of the file are no uses. What cannot be resolved is a use with a reason. A file that
 * cannot be read to its end keeps what was found; `error` says where and why it stopped.
 */
#ifndef BW_BUILDFILE_DOCKERFILE_H
#define BW_BUILDFILE_DOCKERFILE_H

#include "buildfile/use.h"
#include "core/err.h"
#include "image/platform.h"

/* K=V of --build-arg or --build-context. */
struct bw_setting {
	char *name;
	char *value;
};

/* What a build would be given. A zeroed value plus `builder` is a plain `docker build .`. */
struct bw_build_options {
	const struct bw_setting *args;
	size_t arg_count;
	const struct bw_setting *contexts;
	size_t context_count;
	const char *target;	     /* stage name (any case) or index; NULL: the last stage */
	struct bw_platform builder;  /* BUILDPLATFORM, and TARGETPLATFORM when there is no `platform` */
	struct bw_platform platform; /* --platform of the build; os "" when not given */
};

/*
 * Something that a person should look at, though every build goes on as before: an annotation without
 * effect.
 */
struct bw_warning {
	uint32_t line;
	char *text;
};

struct bw_dockerfile {
	struct bw_use *uses; /* in the order of the file; the frontend first */
	size_t use_count;
	char *error;	     /* the file is not one that BuildKit would build: why; NULL when it is */
	uint32_t error_line; /* 1-based; 0 with an error that belongs to no line */
	struct bw_warning *warnings;
	size_t warning_count;
};

/*
 * Never fails: what is wrong is in the result. `len` is at most BW_MAX_BUILDFILE_BYTES (the reader's cap).
 * The caller frees with bw_dockerfile_done(). `opts` is not kept.
 *
 * What is a use, where it is not plain:
 *  - The frontend (`# syntax=`) has no stage and is always reachable. The build-arg BUILDKIT_SYNTAX replaces
 * it; the text then stands in no file, and the span is all zero.
 *  - A base that a named context replaces by another image has role `context`: place and `written` are those
 * of the text in the file, `expanded` and `reference` those of the image that the context names. A pin cannot
 * be edited there. A stage that a context replaces runs none of its instructions: their uses are not
 * reachable.
 *  - COPY and RUN in ONBUILD are uses when some stage of the file is built FROM the stage that holds them,
 * one for the place in the file, with the stage of the ONBUILD line; reachable when such a child is.
 *  - Role `final` goes to the FROM that the chain of the target ends in. An unknown target is an error, and
 * the last stage stands in for it. A target may also be given as an index, as other builders allow.
 *  - `arg_span` is the default value of the last global ARG whose value the reference holds unchanged, when
 * the value stands there letter by letter (without its quotes), or in an ARG that this one only passes on. A
 * value given by
 *    --build-arg has no place.
 *  - An annotation (watcher/buildfile/note.h) holds for all uses of the instruction below it, and for no
 * other.
 *  - With a platform in `opts`, every use without its own carries it, except the frontend, which runs on the
 * builder. Without one, a FROM whose --platform stands on TARGETPLATFORM, TARGETARCH and their like names no
 * platform: it is the build's, whichever that will be. BUILDPLATFORM names the builder's.
 *
 * What BuildKit refuses for one reference (an unset ARG, an invalid name, COPY from the own or a later stage)
 * is that use's `unresolved`; what it refuses for the file is `error`, the first in the order of lines.
 * Reading goes on behind an error except behind a heredoc without end and beyond BW_DOCKERFILE_MAX_USES.
 */
#define BW_DOCKERFILE_MAX_USES 65536 /* a file of 1 MiB could name more, a real one does not */

void bw_dockerfile_parse(const char *text, size_t len, const struct bw_build_options *opts,
			 struct bw_dockerfile *ret);
void bw_dockerfile_done(struct bw_dockerfile *d);

#endif
