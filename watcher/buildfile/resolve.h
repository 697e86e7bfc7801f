/*
 * resolve.h - second pass: expands the names of the bases, links stages with stages, finds the target and
 * what it needs (BuildKit dockerfile2llb/convert.go).
 */
#ifndef BW_BUILDFILE_RESOLVE_H
#define BW_BUILDFILE_RESOLVE_H

#include "buildfile/plan.h"
#include "buildfile/vars.h"

/* The value of TARGETSTAGE: the target asked for, else the name of the last stage, else "default". */
const char *bw_plan_target_name(const struct bw_plan *plan, const struct bw_build_options *opts);

/*
 * What is wrong with one reference is kept at its stage or site; what is wrong with the file goes into `d`.
 */
void bw_plan_resolve(struct bw_plan *plan, struct bw_vars *vars, const struct bw_build_options *opts,
		     struct bw_dockerfile *d);

/* Is the site of the plan in what the target needs? For a trigger: does it fire there? */
bool bw_plan_site_is_reachable(const struct bw_plan *plan, const struct bw_site *site);

#endif
