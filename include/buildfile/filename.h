/* filename.h - is this a build file, by its name alone? */
#ifndef BW_BUILDFILE_FILENAME_H
#define BW_BUILDFILE_FILENAME_H

#include <stdbool.h>

/*
 * `Dockerfile`, `Dockerfile.*`, `*.Dockerfile`, `*.dockerfile`, `dockerfile`, `Containerfile` and its
 * variants; not
 * `*.dockerignore`, editor leftovers (`~`, `.orig`, `.swp`, ...), documents (`.md`). `name` has no slash.
 */
bool bw_filename_is_buildfile(const char *name);

/* A template (`.j2`, `.tmpl`, `.in`, ...): read leniently, never an error of the user. */
bool bw_filename_is_template(const char *path);

#endif
