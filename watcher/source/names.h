/* names.h - the names of a folder that matter to the walk, sorted. Private to source/. */
#ifndef BW_SOURCE_NAMES_H
#define BW_SOURCE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

enum bw_name_kind {
	BW_NAME_FOLDER, /* spelled with a '/' at its end, so that the order of names is the order of whole
			   paths */
	BW_NAME_FILE,	/* a regular file with the name of a build file */
	BW_NAME_LINK,	/* any symbolic link: only where it leads tells whether it matters */
	BW_NAME_ODD,	/* a pipe, socket or device with the name of a build file */
};

struct bw_name {
	uint32_t at, len; /* in `text` */
	enum bw_name_kind kind;
};

/*
 * A stack: each read adds the names of one folder on top, the walk cuts them off when it leaves that
 * folder.
 */
struct bw_names {
	struct bw_name *items;
	size_t count;
	size_t capacity;
	struct bw_buf text;
	char *block; /* what the kernel fills */
};

void bw_names_init(struct bw_names *n);
void bw_names_done(struct bw_names *n);

/* Adds the names of the open folder `fd`, sorted bytewise. After a failure, those read so far are there,
 * sorted. */
int bw_names_read(struct bw_names *n, int fd, struct bw_err *err) BW_NODISCARD;
void bw_names_cut(struct bw_names *n, size_t count);

#endif
