/*
 * fault_vfs.h - a file system for SQLite that breaks at a chosen call: an error from the Nth write, sync, truncation or
 * mapping, once or from then on, or the end of the process (kill -9) in the middle of a write.
 */
#ifndef BW_TESTS_FAULT_VFS_H
#define BW_TESTS_FAULT_VFS_H

#include "unit/unit.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum fault_kind { FAULT_ONCE, FAULT_FOR_EVER, FAULT_FULL, FAULT_KILL };

static struct {
	sqlite3_vfs vfs, *real;
	enum fault_kind kind;
	int at;	   /* the call that breaks, counted from 1; 0: none */
	int calls; /* so far */
	bool hit;
} faulty;

struct faulty_file {
	sqlite3_file base;
	sqlite3_io_methods methods;
	sqlite3_file *real; /* lies behind this struct */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct faulty_file *)(void *)file)->real;
}

/* Does this call break? */
static bool breaks(void)
{
	faulty.calls++;
	if (faulty.at == 0 || faulty.calls < faulty.at)
		return false;
	if (faulty.kind != FAULT_FOR_EVER && faulty.kind != FAULT_FULL && faulty.calls > faulty.at)
		return false;
	faulty.hit = true;
	return true;
}

static void die_if_told(void)
{
	if (faulty.kind == FAULT_KILL)
		(void)kill(getpid(), SIGKILL);
}

static int faulty_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int faulty_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	return real_of(file)->pMethods->xRead(real_of(file), to, n, at);
}

/* Half of it is written first: what a crash or a full disk leaves behind. */
static int faulty_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(file);

	if (!breaks())
		return real->pMethods->xWrite(real, from, n, at);
	(void)real->pMethods->xWrite(real, from, n / 2, at);
	die_if_told();
	return faulty.kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (!breaks())
		return real_of(file)->pMethods->xTruncate(real_of(file), size);
	die_if_told();
	return SQLITE_IOERR_TRUNCATE;
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	if (!breaks())
		return real_of(file)->pMethods->xSync(real_of(file), flags);
	die_if_told();
	return SQLITE_IOERR_FSYNC;
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int faulty_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int faulty_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int faulty_check_lock(sqlite3_file *file, int *result)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int faulty_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int faulty_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int faulty_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int faulty_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **map)
{
	if (extend && breaks()) {
		die_if_told();
		return SQLITE_IOERR_SHMSIZE;
	}
	return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, map);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int flag)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), flag);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct faulty_file *f = (struct faulty_file *)(void *)file;
	int rc;

	(void)vfs;
	*f = (struct faulty_file){
		.methods =
			{
				.iVersion = 2,
				.xClose = faulty_close,
				.xRead = faulty_read,
				.xWrite = faulty_write,
				.xTruncate = faulty_truncate,
				.xSync = faulty_sync,
				.xFileSize = faulty_size,
				.xLock = faulty_lock,
				.xUnlock = faulty_unlock,
				.xCheckReservedLock = faulty_check_lock,
				.xFileControl = faulty_control,
				.xSectorSize = faulty_sector,
				.xDeviceCharacteristics = faulty_traits,
				.xShmMap = faulty_shm_map,
				.xShmLock = faulty_shm_lock,
				.xShmBarrier = faulty_shm_barrier,
				.xShmUnmap = faulty_shm_unmap,
			},
		.real = (sqlite3_file *)(void *)(f + 1),
	};
	rc = faulty.real->xOpen(faulty.real, name, f->real, flags, out);
	if (f->real->pMethods)
		f->base.pMethods = &f->methods;
	return rc;
}

/* From now on everything that SQLite opens goes through here. */
static void install_faulty_vfs(void)
{
	faulty.real = sqlite3_vfs_find(NULL);
	faulty.vfs = *faulty.real;
	faulty.vfs.szOsFile = (int)sizeof(struct faulty_file) + faulty.real->szOsFile;
	faulty.vfs.zName = "faulty";
	faulty.vfs.xOpen = faulty_open;
	(void)sqlite3_vfs_register(&faulty.vfs, 1);
}

static void set_fault(enum fault_kind kind, int at)
{
	faulty.kind = kind;
	faulty.at = at;
	faulty.calls = 0;
	faulty.hit = false;
}

#endif
