#include "command/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/mem.h"

struct edit {
	const char *path;
	char *folder;
	char *temp;	 /* the new file, beside the old one; NULL: not made yet */
	struct stat old; /* as it was when it was compared */
};

/* What the person has to do differs: other permissions, more room, or a look at the disk. */
static int fail_sys(const char *what, const char *path, int sys, struct bw_err *err)
{
	bool is_denied = sys == EACCES || sys == EPERM || sys == EROFS;
	bool is_full = sys == ENOSPC || sys == EDQUOT;

	(void)bw_fail_sys(err, sys, "%s %s", what, path);
	if (is_denied || is_full)
		err->code = is_denied ? BW_E_DENIED : BW_E_FULL;
	return err->code;
}

static int fail_changed(struct bw_err *err)
{
	return bw_fail(err, BW_E_RETRY, "was changed since it was read: not edited");
}

/* Does the file still hold what was read? Remembers which file that was. */
static int compare(struct edit *e, const char *before, size_t len, struct bw_err *err)
{
	BW_AUTOCLOSE int fd = open(e->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	BW_AUTOBUF struct bw_buf text;
	int rc;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	if (fd < 0 && (errno == ELOOP || errno == ENOENT))
		return fail_changed(err);
	if (fd < 0 || fstat(fd, &e->old) < 0)
		return fail_sys("open", e->path, errno, err);
	if (!S_ISREG(e->old.st_mode))
		return fail_changed(err);
	rc = bw_read_all(fd, &text, err);
	if (rc == BW_E_LIMIT)
		return fail_changed(err);
	if (rc < 0)
		return rc;
	if (text.len != len || memcmp(bw_buf_str(&text), before, len) != 0)
		return fail_changed(err);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Only root may give a file away; a group that one is in, everybody. The mode comes behind: chown() takes bits off. */
static int dress(int fd, const struct stat *like)
{
	if (fchown(fd, like->st_uid, like->st_gid) < 0 && fchown(fd, (uid_t)-1, like->st_gid) < 0 &&
	    errno != EPERM)
		return -1;
	return fchmod(fd, like->st_mode & 07777);
}

static int make_temp(struct edit *e, const char *after, size_t len, struct bw_err *err)
{
	char *name = bw_asprintf("%s/.basewatch-XXXXXX", e->folder);
	BW_AUTOCLOSE int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0) {
		int sys = errno;

		free(name);
		return fail_sys("create a file in", e->folder, sys, err);
	}
	e->temp = name;
	if (write_all(fd, after, len) < 0 || dress(fd, &e->old) < 0 || fsync(fd) < 0)
		return fail_sys("write", e->temp, errno, err);
	return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int put_in_place(struct edit *e, struct bw_err *err)
{
	struct stat now;

	if (lstat(e->path, &now) < 0 || !is_same_file(&now, &e->old))
		return fail_changed(err);
	if (rename(e->temp, e->path) < 0)
		return fail_sys("replace", e->path, errno, err);
	free(BW_TAKE(e->temp));
	return 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return bw_strdup(".");
	return bw_strndup(path, slash > path ? (size_t)(slash - path) : 1);
}

static void hold_signals(sigset_t *ret_before)
{
	sigset_t held;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGINT);
	(void)sigaddset(&held, SIGTERM);
	(void)sigaddset(&held, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &held, ret_before);
}

int bw_edit_replace(const char *path, const char *before, size_t before_len, const char *after,
		    size_t after_len, struct bw_err *err)
{
	struct edit e = {.path = path, .folder = folder_of(path)};
	sigset_t signals;
	int rc;

	hold_signals(&signals);
	rc = compare(&e, before, before_len, err);
	if (rc == 0)
		rc = make_temp(&e, after, after_len, err);
	if (rc == 0)
		rc = put_in_place(&e, err);
	if (e.temp)
		(void)unlink(e.temp);
	(void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
	free(e.temp);
	free(e.folder);
	return rc;
}

/* Some file systems cannot do that to folders. */
int bw_edit_sync(const char *path, struct bw_err *err)
{
	BW_AUTOFREE char *folder = folder_of(path);
	BW_AUTOCLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return fail_sys("sync", folder, errno, err);
	return 0;
}
