/* place.h - how paths are shown. */
#ifndef BW_REPORT_PLACE_H
#define BW_REPORT_PLACE_H

/*
 * The path of a build file as JSON has it: inside a named source as it is, else relative to `cwd` when it is
 * below it. A part of `path`.
 */
const char *bw_place_inside(const char *source, const char *path, const char *cwd);

#endif
