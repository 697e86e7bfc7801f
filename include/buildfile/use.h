/*
 * use.h - one place where a build stands on a base: what a parser finds and the store remembers.
 */
#ifndef BW_BUILDFILE_USE_H
#define BW_BUILDFILE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/reference.h"

enum bw_role {
	BW_ROLE_FINAL,	  /* the base that the FROM chain of the target ends in */
	BW_ROLE_STAGE,	  /* base of another stage */
	BW_ROLE_COPY,	  /* COPY --from=IMAGE */
	BW_ROLE_MOUNT,	  /* RUN --mount=from=IMAGE */
	BW_ROLE_FRONTEND, /* # syntax=IMAGE */
	BW_ROLE_CONTEXT,  /* --build-context NAME=docker-image://IMAGE */
	BW_ROLE_COUNT,
};

const char *bw_role_name(enum bw_role role);
bool bw_role_parse(const char *name, enum bw_role *ret);

/* A stretch of the file's bytes. Lines and columns count from 1, columns in bytes of the physical line. */
struct bw_span {
	uint32_t line;
	uint32_t column;
	size_t start; /* byte offset of the first byte in the file; a BOM counts */
	size_t end;   /* byte behind the last; may lie on a later line when a continuation splits the text */
};

struct bw_use {
	enum bw_role role;
	struct bw_span span;	 /* the reference as written, without quotes of the whole word */
	struct bw_span arg_span; /* where an ARG default holds the text; line 0 when none does */
	char *stage;	/* stage name or index as text of the stage that the use belongs to; NULL: frontend */
	char *platform; /* normal form; NULL: the target platform of the build */
	char *written;	/* bytes as written (continuations joined); never NULL */
	char *expanded; /* after ARG expansion, even where it is no valid reference; NULL: expansion failed */
	char *reference;	   /* normal form with tag; NULL: none (scratch, invalid, unset ARG) */
	struct bw_reference parts; /* of `reference`; zeroed without one */
	char *unresolved;	   /* why there is no reference; NULL when there is one, and for scratch */
	bool is_scratch;	   /* FROM scratch: no base, and nothing wrong */
	bool follows_target; /* the reference stands on TARGETARCH or the like: it is another one elsewhere */
	bool reachable;	     /* the target needs this stage */
	char *ignored;	     /* reason of an ignore annotation ("" without a reason); NULL: not ignored */
	int64_t ignored_until_ms; /* the annotation holds before this moment; 0: for ever */
	char *patch; /* that moves its pin (buildfile/template.h); NULL: none, as after parsing */
};

void bw_use_done(struct bw_use *u); /* frees what is inside */

#endif
