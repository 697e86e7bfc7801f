/* reader.h - first pass over a Dockerfile: lines and instructions in, a plan out. Reads on behind errors. */
#ifndef BW_BUILDFILE_READER_H
#define BW_BUILDFILE_READER_H

#include "buildfile/plan.h"

/*
 * Fills the zeroed `plan`, which may point into `text`; what is wrong goes into `d`. The caller frees with
 * bw_plan_done().
 */
void bw_plan_read(struct bw_plan *plan, const char *text, size_t len, struct bw_dockerfile *d);

#endif
