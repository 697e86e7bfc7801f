/* fault.c - see fault.h. */
#include "store/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define WHO_MAX	   128
#define LOOKUP_MAX 4096

static void name_user(uid_t uid, char out[WHO_MAX])
{
	char space[LOOKUP_MAX];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, space, sizeof(space), &found) == 0 && found)
		(void)snprintf(out, WHO_MAX, "user %s", found->pw_name);
	else
		(void)snprintf(out, WHO_MAX, "the user with id %lu", (unsigned long)uid);
}

static void name_group(gid_t gid, char out[WHO_MAX])
{
	char space[LOOKUP_MAX];
	struct group entry, *found = NULL;

	if (getgrgid_r(gid, &entry, space, sizeof(space), &found) == 0 && found)
		(void)snprintf(out, WHO_MAX, " and group %s", found->gr_name);
	else
		(void)snprintf(out, WHO_MAX, " and the group with id %lu", (unsigned long)gid);
}

static bool is_read_only_system(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
}

/*
 * The folder counts as much as the file: SQLite keeps the -wal and -shm files beside it, and even a reader writes
 * there. Whichever of the two refuses is named.
 */
int bw_store_denied(const struct bw_store *s, struct bw_err *err)
{
	bool is_folder = faccessat(AT_FDCWD, s->folder, W_OK | X_OK, AT_EACCESS) != 0;
	const char *what = is_folder ? s->folder : s->path;
	const char *kind = is_folder ? "the folder" : "the file";
	char user[WHO_MAX], group[WHO_MAX] = "";
	struct stat st;

	if (stat(what, &st) < 0)
		return bw_fail(err, BW_E_DENIED,
			       "%s: cannot write there: %s %s: %s; name another database with --db", s->path,
			       kind, what, strerror(errno));
	if (is_read_only_system(what))
		return bw_fail(
			err, BW_E_DENIED,
			"%s: cannot write there: %s %s is on a read-only file system; name another database "
			"with --db",
			s->path, kind, what);
	name_user(st.st_uid, user);
	if ((st.st_mode & S_IWGRP) != 0)
		name_group(st.st_gid, group);
	return bw_fail(
		err, BW_E_DENIED,
		"%s: cannot write there: in %s %s only %s%s may write; run as one that may, or name another "
		"database with --db",
		s->path, kind, what, user, group);
}

static bool is_full(struct bw_store *s, int rc)
{
	int sys = s->db ? sqlite3_system_errno(s->db) : 0;

	if ((rc & 0xff) == SQLITE_FULL)
		return true;
	/* Not every way to run out of room has its own result code. */
	return ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN) &&
	       (sys == ENOSPC || sys == EDQUOT);
}

static int io_fault(struct bw_store *s, struct bw_err *err)
{
	int sys = sqlite3_system_errno(s->db);

	bw_fail(err, BW_E_STORE,
		"%s: %s (%s): look after the disk, then run again; what was recorded before is kept", s->path,
		sqlite3_errmsg(s->db), sys ? strerror(sys) : "no further reason");
	if (err)
		err->sys = sys;
	return BW_E_STORE;
}

int bw_store_fault(struct bw_store *s, int rc, struct bw_err *err)
{
	if (is_full(s, rc))
		return bw_fail(err, BW_E_FULL,
			       "%s: the disk is full: make room in %s; what was recorded "
			       "before is kept",
			       s->path, s->folder);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return bw_fail(
			err, BW_E_LOCKED,
			"%s: the database is held by another process for more than %u s: wait until that is "
			"done (`fuser -v` with this file shows it), then run again",
			s->path, (s->busy_ms + 999) / 1000);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH: return bw_store_denied(s, err);
	case SQLITE_NOTADB:
		return bw_fail(
			err, BW_E_FOREIGN,
			"%s: this file is no database of basewatch and is left alone: name another file with "
			"--db",
			s->path);
	case SQLITE_CORRUPT:
		return bw_fail(
			err, BW_E_STORE,
			"%s: the database is damaged (%s): put a backup in its place, or move the file away "
			"to begin anew without its history",
			s->path,
			(sqlite3_errcode(s->db) & 0xff) == SQLITE_CORRUPT ? sqlite3_errmsg(s->db)
									  : sqlite3_errstr(rc));
	case SQLITE_IOERR: return io_fault(s, err);
	case SQLITE_NOMEM:
		return bw_fail(err, BW_E_STORE, "%s: out of memory; what was recorded before is kept",
			       s->path);
	default:
		return bw_fail(err, BW_E_STORE,
			       "%s: the database refused (%s, code %d): this is a fault of basewatch, please "
			       "report it",
			       s->path, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc), rc);
	}
}

int bw_store_no_base(const struct bw_store *s, int64_t base_id, struct bw_err *err)
{
	return bw_fail(err, BW_E_INPUT, "%s: there is no base with number %lld", s->path, (long long)base_id);
}

int bw_store_name_base(const struct bw_store *s, int64_t base_id, int rc, struct bw_err *err)
{
	return sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_FOREIGNKEY
		       ? bw_store_no_base(s, base_id, err)
		       : rc;
}
