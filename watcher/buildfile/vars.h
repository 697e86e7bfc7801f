/*
 * vars.h - the variables that FROM and --platform see (BuildKit dockerfile2llb): global ARGs with the build-args that
 * apply to them, and the automatic platform ARGs.
 */
#ifndef BW_BUILDFILE_VARS_H
#define BW_BUILDFILE_VARS_H

#include "buildfile/dockerfile.h"
#include "buildfile/plan.h"
#include "buildfile/word.h"
#include "core/map.h"

#define BW_VARS_AUTOMATIC 11

/* What the names of ARGs are made of, in files that people write. */
#define BW_NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* A declared global ARG. */
struct bw_var {
	char *value; /* NULL: declared, but unset */
	size_t len;
	char *missing; /* name of an unset ARG that left a gap in the value; NULL: none */
	const struct bw_arg
		*arg;	   /* whose default is the value letter by letter, or passes it on; NULL: none is */
	bool is_of_target; /* the value stands on an automatic TARGET... ARG */
};

struct bw_vars {
	const struct bw_build_options *opts;
	struct bw_map *declared; /* name to struct bw_var; NULL: no global ARG */
	const char *automatic[BW_VARS_AUTOMATIC];
	char build_platform[BW_PLATFORM_MAX];
	char target_platform[BW_PLATFORM_MAX];
	size_t work; /* the budget of all expansions of the file */
};

/*
 * Evaluates the ARGs of the plan in their order. `target_stage` is the value of TARGETSTAGE. An ARG that
 * cannot be expanded is an error of the file, and unset. `v` must not move afterwards; the caller frees with
 * bw_vars_done().
 */
void bw_vars_init(struct bw_vars *v, const struct bw_plan *plan, const struct bw_build_options *opts,
		  const char *target_stage, struct bw_dockerfile *d);
void bw_vars_done(struct bw_vars *v);

/* The value of a build-arg; NULL: not given. */
const char *bw_build_arg(const struct bw_build_options *opts, const char *name);

/* Has this variable a value though no ARG gives it one? */
bool bw_vars_is_automatic(const char *name);

/* Expands a word of the file with these variables. */
int bw_vars_expand(struct bw_vars *v, char escape, struct bw_text word, struct bw_buf *out,
		   struct bw_word_facts *facts, struct bw_err *err) BW_NODISCARD;

/* Where the ARG default stands that the expanded word holds; line 0: nowhere. */
struct bw_span bw_vars_span(const struct bw_word_facts *facts);

/* "ARG V has no value: give --build-arg V=..."; NULL when no unset variable was met. The caller frees. */
char *bw_vars_missing(const struct bw_vars *v, const struct bw_word_facts *facts);

#endif
