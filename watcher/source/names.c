/*
 * names.c - see names.h. Reads folders with getdents64() instead of readdir(): no stream to allocate and no
 * fcntl() and fstat() to set it up per folder, which halves the time in trees of many small folders.
 */
#include "source/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buildfile/filename.h"
#include "core/mem.h"

#define BLOCK_BYTES (64U << 10)

/* Of the names that matter in one folder and all its parents: about three million of them. */
#define MAX_TEXT_BYTES (64U << 20)

void bw_names_init(struct bw_names *n)
{
	*n = (struct bw_names){0};
	bw_buf_init(&n->text, MAX_TEXT_BYTES);
	n->block = bw_alloc(BLOCK_BYTES);
}

void bw_names_done(struct bw_names *n)
{
	free(n->items);
	free(n->block);
	bw_buf_done(&n->text);
}

void bw_names_cut(struct bw_names *n, size_t count)
{
	/* The texts lie in the order of reading, the items in the sorted one: the lowest of them all is the
	 * end. */
	for (size_t i = count; i < n->count; i++)
		if (n->items[i].at < n->text.len)
			n->text.len = n->items[i].at;
	n->count = count;
}

/* The type from the folder itself where the file system tells it, so that no file costs a stat. */
static unsigned char type_of(const struct dirent64 *e, int fd)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_REG; /* a build file by its name then fails to open, and that is told */
	return (unsigned char)IFTODT(st.st_mode);
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* What the entry is to the walk; false: nothing. */
static bool classify(const struct dirent64 *e, int fd, enum bw_name_kind *ret)
{
	switch (type_of(e, fd)) {
	case DT_DIR: *ret = BW_NAME_FOLDER; return !is_dots(e->d_name);
	case DT_LNK: *ret = BW_NAME_LINK; return true;
	case DT_REG: *ret = BW_NAME_FILE; return bw_filename_is_buildfile(e->d_name);
	default: *ret = BW_NAME_ODD; return bw_filename_is_buildfile(e->d_name);
	}
}

static bool add(struct bw_names *n, const char *name, enum bw_name_kind kind)
{
	struct bw_name item = {.at = (uint32_t)n->text.len, .kind = kind};

	/* The NUL stays between the names: sorting compares them where they are. */
	if (!bw_buf_adds(&n->text, name) || (kind == BW_NAME_FOLDER && !bw_buf_addc(&n->text, '/')))
		return false;
	item.len = (uint32_t)n->text.len - item.at;
	if (!bw_buf_addc(&n->text, '\0'))
		return false;
	BW_PUSH(n->items, n->count, n->capacity) = item;
	return true;
}

static bool add_block(struct bw_names *n, int fd, size_t bytes)
{
	const char *at = n->block;
	const char *end = at + bytes;

	while (at < end) {
		const struct dirent64 *e = (const void *)at;
		enum bw_name_kind kind;

		if (classify(e, fd, &kind) && !add(n, e->d_name, kind))
			return false;
		at += e->d_reclen;
	}
	return true;
}

static int compare(const void *a, const void *b, void *text)
{
	const struct bw_name *x = a, *y = b;

	return strcmp((const char *)text + x->at, (const char *)text + y->at);
}

int bw_names_read(struct bw_names *n, int fd, struct bw_err *err)
{
	size_t first = n->count;
	ssize_t got;
	int rc = 0;

	while (rc == 0 && (got = getdents64(fd, n->block, BLOCK_BYTES)) != 0) {
		if (got < 0 && errno == ENOENT)
			break; /* removed meanwhile: that is its end */
		if (got < 0)
			rc = bw_fail_sys(err, errno, "folder cannot be read to its end");
		else if (!add_block(n, fd, (size_t)got))
			rc = bw_fail(err, BW_E_LIMIT,
				     "folder has too many names; the rest of it is left out");
	}
	if (n->count > first)
		qsort_r(n->items + first, n->count - first, sizeof(*n->items), compare, n->text.data);
	return rc;
}
