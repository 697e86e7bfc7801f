/* contexts.h - named contexts (--build-context NAME=VALUE) that stand in for stages and bases
 * (BuildKit dockerui/namedcontext.go). */
#ifndef BW_BUILDFILE_CONTEXTS_H
#define BW_BUILDFILE_CONTEXTS_H

#include "buildfile/dockerfile.h"
#include "buildfile/pattern.h"
#include "image/reference.h"

/*
 * The value of the context for a base, NULL: there is none. Compared is the familiar name without `:latest`,
 * first with "::platform" behind it (`platform` NULL: that of the build). `scratch` and `context` are never
 * replaced as stage names.
 */
const char *bw_context_of_reference(const struct bw_build_options *opts, const struct bw_reference *ref,
				    const struct bw_platform *platform);
const char *bw_context_of_stage(const struct bw_build_options *opts, const char *name,
				const struct bw_platform *platform);

/*
 * The image that a context's value names (`docker-image://REF`); NULL: something local, or no image at all.
 */
const char *bw_context_image(const char *value);

#endif
