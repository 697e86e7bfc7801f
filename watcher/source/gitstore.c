#include "source/gitstore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/digest.h"
#include "source/git.h"

/* Each change of a branch leaves two packs of some KiB. Git never cleans up what was fetched without contents. */
#define MAX_PACKS 64

/* Hex digits of the hash of an address. */
#define NAME_DIGITS 32

int bw_gitstore_open(const char *state, char **ret, struct bw_err *err)
{
	char *real;

	if (mkdir(state, 0700) < 0 && errno != EEXIST) {
		bool is_full = errno == ENOSPC || errno == EDQUOT;

		(void)bw_fail_sys(err, errno, "create folder %s for git repositories", state);
		if (err)
			err->code = is_full ? BW_E_FULL : BW_E_DENIED;
		return is_full ? BW_E_FULL : BW_E_DENIED;
	}
	real = realpath(state, NULL);
	if (!real)
		return bw_fail_sys(err, errno, "%s", state);
	*ret = real;
	return 0;
}

/*
 * Of what git is given: the user of ssh decides which repository a relative path is in. Secrets are no part of it: a
 * hash of them could be guessed at.
 */
static char *path_with(const char *state, const struct bw_giturl *u, const char *ending)
{
	struct bw_digest d;

	bw_digest_of(u->fetch, strlen(u->fetch), &d);
	return bw_asprintf("%s/%.*s%s", state, NAME_DIGITS, d.text + strlen("sha256:"), ending);
}

char *bw_gitstore_path(const char *state, const struct bw_giturl *u, bool is_sha256)
{
	return path_with(state, u, is_sha256 ? "-sha256.git" : ".git");
}

char *bw_gitstore_lock_path(const char *state, const struct bw_giturl *u)
{
	return path_with(state, u, ".lock");
}

int bw_gitstore_lock(const char *path, int *ret_fd, struct bw_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int sys;

	if (fd < 0) {
		sys = errno;
		(void)bw_fail_sys(err, sys, "open %s", path);
		if (err && (sys == EACCES || sys == EROFS || sys == EPERM))
			err->code = BW_E_DENIED;
		return err ? (int)err->code : BW_E_SYS;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return 1;
	}
	sys = errno;
	(void)close(fd);
	return sys == EWOULDBLOCK ? 0 : bw_fail_sys(err, sys, "lock %s", path);
}

bool bw_gitstore_exists(const char *path)
{
	BW_AUTOFREE char *head = bw_asprintf("%s/HEAD", path);

	return access(head, F_OK) == 0;
}

bool bw_gitstore_is_worn(const char *path)
{
	BW_AUTOFREE char *packs = bw_asprintf("%s/objects/pack", path);
	DIR *d = opendir(packs);
	const struct dirent *e;
	size_t count = 0;

	while (d && (e = readdir(d)))
		count += bw_text_ends(e->d_name, ".pack") || bw_text_starts(e->d_name, "tmp_");
	if (d)
		(void)closedir(d);
	return count > MAX_PACKS;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path) < 0 && errno != ENOENT ? errno : 0;
}

int bw_git_remove(const char *folder, struct bw_err *err)
{
	int sys = nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (sys < 0)
		sys = errno == ENOENT ? 0 : errno;
	return sys == 0 ? 0 : bw_fail_sys(err, sys, "remove %s", folder);
}
