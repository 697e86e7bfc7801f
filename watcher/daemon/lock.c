/* lock.c - see lock.h. flock(2), which belongs to the open file: no other close(2) of this process lets it go. */
#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

#define MAX_PID_TEXT 16

static char *name_lock(const char *db)
{
	char *real = realpath(db, NULL); /* NULL for one that is not there yet: then there is one name only */
	char *path = bw_asprintf("%s.lock", real ? real : db);

	free(real);
	return path;
}

static int fail_open(const char *path, int sys, struct bw_err *err)
{
	switch (sys) {
	case ELOOP:
	case EISDIR: return bw_fail(err, BW_E_DENIED, "%s is not an ordinary file", path);
	case EACCES:
	case EPERM:
	case EROFS: return bw_fail(err, BW_E_DENIED, "cannot write %s: %s", path, strerrordesc_np(sys));
	case ENOSPC:
	case EDQUOT: return bw_fail(err, BW_E_FULL, "cannot make %s: %s", path, strerrordesc_np(sys));
	default: return bw_fail_sys(err, sys, "open %s", path);
	}
}

/*
 * Not through a link, and no device or pipe: the folder may be one where others can write. Only the owner reads the
 * file, because whoever can open it could lock it as well, and keep the daemon out. The caller closes
 * what was opened, also when it was refused.
 */
static int open_lock(const char *path, int *ret_fd, struct bw_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0)
		return fail_open(path, errno, err);
	*ret_fd = fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return bw_fail(err, BW_E_DENIED, "%s is not an ordinary file", path);
	return 0;
}

/* 0: not written yet, or not what we write. */
static unsigned read_owner(int fd)
{
	char text[MAX_PID_TEXT + 1];
	ssize_t n = pread(fd, text, MAX_PID_TEXT, 0);
	uint64_t pid;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return bw_text_number(text, 1, INT_MAX, &pid) ? (unsigned)pid : 0;
}

static int fail_locked(const char *db, int fd, struct bw_err *err)
{
	unsigned pid = read_owner(fd);

	if (pid == 0)
		return bw_fail(err, BW_E_LOCKED, "another `basewatch run` works with %s", db);
	return bw_fail(err, BW_E_LOCKED, "another `basewatch run` (process %u) works with %s", pid, db);
}

/* For people only; a full disk is no reason not to run. */
static void write_owner(int fd)
{
	char text[MAX_PID_TEXT];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) < 0)
		return;
}

static int lock(int fd)
{
	int rc;

	do
		rc = flock(fd, LOCK_EX | LOCK_NB);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int bw_lock_take(const char *db, int *ret_fd, struct bw_err *err)
{
	BW_AUTOFREE char *path = name_lock(db);
	BW_AUTOCLOSE int fd = -1;
	int rc = open_lock(path, &fd, err);

	if (rc < 0)
		return rc;
	if (lock(fd) < 0)
		return errno == EWOULDBLOCK ? fail_locked(db, fd, err)
					    : bw_fail_sys(err, errno, "lock %s", path);
	write_owner(fd);
	*ret_fd = fd;
	fd = -1; /* the caller closes it */
	return 0;
}

int bw_lock_look(const char *db, unsigned *ret_pid, struct bw_err *err)
{
	BW_AUTOFREE char *path = name_lock(db);
	BW_AUTOCLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : fail_open(path, errno, err);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0; /* closing it lets it go */
	if (errno != EWOULDBLOCK)
		return bw_fail_sys(err, errno, "lock %s", path);
	*ret_pid = read_owner(fd);
	return 1;
}
