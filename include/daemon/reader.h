/*
 * reader.h - from the files of an origin to its builds: each file by each recipe that it has. Logs nothing, and may run
 * on any thread.
 */
#ifndef BW_DAEMON_READER_H
#define BW_DAEMON_READER_H

#include "core/map.h"
#include "daemon/origin.h"

struct bw_reader_hooks {
	/* One build. What it is given lives during the call. A negative return ends the reading. */
	int (*build)(struct bw_found_build *x, void *arg, struct bw_err *err);
	/* Something that a person should look at; all that was to be read was. */
	void (*warn)(const char *text, void *arg);
	/* Of a folder only: as in source/folder.h; `folder` may be NULL. */
	void (*trouble)(const char *path, const char *problem, void *arg);
	int (*folder)(const char *path, int64_t changed_s, void *arg, struct bw_err *err);
	/* A build file was found, or what a link with such a name leads to. Its real path, in a folder; may be NULL. */
	void (*file)(const char *real_path, void *arg);
	void *arg;
};

struct bw_reader {
	const struct bw_origin *origin;
	struct bw_reader_hooks hooks;
	const char *source; /* of what is at hand */
	const char *root;   /* of a named folder, when it is not the folder that is walked; else NULL */
	size_t files;	    /* read so far, or tried to be */
	/* Private. */
	struct bw_map *seen; /* files with a recipe of their own */
};

void bw_reader_init(struct bw_reader *r, const struct bw_origin *o, const struct bw_reader_hooks *h);
void bw_reader_done(struct bw_reader *r);

/* One file: `path` as the store names it, `inner` inside the source. Without a text, `problem` says why. */
int bw_reader_take(struct bw_reader *r, const char *root, const char *path, const char *inner,
		   const struct bw_buf *text, const char *problem, struct bw_err *err) BW_NODISCARD;

/* All of a folder (bw_folder_walk()); also files that are configured and have no name of a build file. */
int bw_reader_walk(struct bw_reader *r, char **ret_root, struct bw_err *err) BW_NODISCARD;

/* Everything was read: warns of builds that are configured and whose file is not there. */
void bw_reader_end(struct bw_reader *r);

#endif
