/*
 * source.h - sources that are not plain folders: branches of git repositories. Their builds are those of a named source
 * (store/build.h) whose name is "URL#branch" without user info and whose root is "".
 */
#ifndef BW_STORE_SOURCE_H
#define BW_STORE_SOURCE_H

#include "store/store.h"

struct bw_source_row {
	const char *name;    /* "https://github.com/acme/api.git#main" */
	const char *url;     /* without user info */
	const char *branch;  /* "main" */
	const char *commit;  /* last seen; NULL: never */
	int64_t checked_ms;  /* last time it was asked, with or without success; 0: never */
	const char *problem; /* why it could not be had last time; NULL: it could */
	int64_t problem_since_ms;
	bool has_chosen; /* a build of it is chosen; not written */
};

/* Creates or updates one: with `problem` NULL it was reached, else commit and builds stay as they were known. */
int bw_store_put_git_source(struct bw_store *s, const struct bw_source_row *x, int64_t now_ms,
			    struct bw_err *err) BW_NODISCARD;
typedef int (*bw_source_fn)(const struct bw_source_row *x, void *arg, struct bw_err *err);
/* In the order of the names. `name` NULL: all git sources. */
int bw_store_each_git_source(struct bw_store *s, const char *name, bw_source_fn fn, void *arg,
			     struct bw_err *err) BW_NODISCARD;
/* Ends the builds of files of a named source whose last scan did not see them: all live ones that are not chosen. */
int bw_store_end_unchosen(struct bw_store *s, const char *source, int64_t now_ms,
			  struct bw_err *err) BW_NODISCARD;

#endif
