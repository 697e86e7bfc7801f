/*
 * plan.h - what was read of a Dockerfile before anything is resolved: its stages, its global ARGs, and the
 * sites where an image or a stage may be named. reader.h fills it, resolve.h links it, dockerfile.c makes
 * uses of it.
 */
#ifndef BW_BUILDFILE_PLAN_H
#define BW_BUILDFILE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buildfile/dockerfile.h"
#include "buildfile/note.h"
#include "buildfile/use.h"
#include "buildfile/word.h"

#define BW_NOWHERE SIZE_MAX /* no such stage, no such site */

enum bw_site_kind { BW_SITE_FROM, BW_SITE_COPY, BW_SITE_MOUNT };

/* A place that names an image or a stage. */
struct bw_site {
	enum bw_site_kind kind;
	struct bw_span span;
	size_t stage;	 /* where it stands */
	size_t note;	 /* index of its annotation; BW_NOWHERE: none */
	bool is_trigger; /* in an ONBUILD */
	struct bw_text written;
	struct bw_text
		text;  /* what is expanded (FROM, with its quotes) or looked up (COPY, mount, without them) */
	char *failure; /* why this can name nothing; NULL: it can */
	size_t source; /* COPY, mount: the stage it names; BW_NOWHERE: an image */
	char *memory;  /* holds both texts; NULL: they are part of the file */
};

struct bw_stage {
	char *name; /* lower case; NULL: none */
	uint32_t line;
	size_t from;	     /* its FROM site; BW_NOWHERE: the FROM was empty */
	size_t sites;	     /* the first site behind FROM; they go on to the next stage's FROM */
	char *platform_word; /* as written; NULL: no --platform */
	size_t platform_len;
	bool has_bare_mount;	     /* a RUN --mount without `from`, ... */
	bool has_bare_mount_trigger; /* ... in an ONBUILD: BuildKit looks for a stage `scratch` then */

	/* Set by bw_plan_resolve(). */
	struct bw_buf base_text; /* the expanded name */
	struct bw_word_facts facts;
	char *platform;	     /* normal form; NULL: none */
	bool follows_target; /* `platform` is another one for another target platform of the build */
	char *platform_failure;
	size_t base;	     /* the stage it is built from; BW_NOWHERE: an image */
	const char *context; /* the named context that replaces the stage; NULL: none */
	bool is_reachable;
	size_t first_child;	      /* the first stage built from this one; BW_NOWHERE: none */
	size_t first_reachable_child; /* ... that the target needs */
};

/* One `NAME[=default]` of an ARG before the first FROM. */
struct bw_arg {
	char *name;
	char *value; /* the default as written; NULL: none */
	size_t value_len;
	size_t quote;	     /* 1 when `value` has quotes around it that `span` leaves out */
	struct bw_span span; /* of the default */
	uint32_t line;
};

struct bw_site_note {
	struct bw_note note;
	uint32_t line;
	bool is_used;
};

/* An ONBUILD that cannot run: an error of the file once it fires. */
struct bw_trigger_error {
	size_t stage;
	uint32_t line;
	char *text;
};

struct bw_plan {
	struct bw_stage *stages;
	size_t stage_count, stage_capacity;
	struct bw_site *sites;
	size_t site_count, site_capacity;
	struct bw_arg *args;
	size_t arg_count, arg_capacity;
	struct bw_site_note *notes;
	size_t note_count, note_capacity;
	struct bw_trigger_error *trigger_errors;
	size_t trigger_error_count, trigger_error_capacity;
	size_t instruction_count;
	size_t target; /* set by bw_plan_resolve() */
	char escape;   /* of the file */
};

void bw_plan_done(struct bw_plan *p);

/* The sites of stage `i` are [stages[i].sites, returned). */
size_t bw_plan_sites_end(const struct bw_plan *p, size_t i);

/* Findings go straight into the result. Of several errors the one with the lowest line stays (0: after all
 * others). */
void bw_plan_error(struct bw_dockerfile *d, uint32_t line, const char *fmt, ...) BW_PRINTF(3, 4);
void bw_plan_warn(struct bw_dockerfile *d, uint32_t line, const char *fmt, ...) BW_PRINTF(3, 4);

#endif
