/* store.c - opens and closes the database; see store/store.h. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "store/fault.h"
#include "store/health.h"
#include "store/schema.h"

#define BUSY_MS 5000

/*
 * The cache is small because whole sweeps go through the database in the order of its tables. The chosen builds are a
 * temporary table: they belong to this connection alone and never reach the disk.
 * The log goes into the database when 64 MiB have gathered, or at the end: a sweep waits for the disk only once.
 */
static const char settings[] = "PRAGMA foreign_keys = ON;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA cache_size = -4096;"
			       "PRAGMA synchronous = NORMAL;"
			       "PRAGMA wal_autocheckpoint = 8192;"
			       "CREATE TEMP TABLE chosen(build_id INTEGER PRIMARY KEY) STRICT";

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return bw_strdup(".");
	return bw_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* SQLite gives a meaning to names like ":memory:" and "file:x?mode=ro"; with a slash before them they are files. */
static char *plain_path(const char *path)
{
	return path[0] == '/' ? bw_strdup(path) : bw_asprintf("./%s", path);
}

/*
 * Makes the file ourselves, so that it is 0600 whatever the umask says (-wal and -shm take their mode from it). An
 * existing file is not opened here: closing a descriptor of it would drop the locks that SQLite holds in this process.
 */
static int create_file(struct bw_store *s, const char *path, struct bw_err *err)
{
	BW_AUTOCLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 && errno == EEXIST && stat(path, &st) < 0 && errno == ENOENT)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC,
			  0600); /* a link to a file that is not there yet */
	else if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd >= 0)
		return fchmod(fd, 0600) < 0 ? bw_store_denied(s, err) : 0;
	if (errno == ENOSPC || errno == EDQUOT)
		return bw_store_fault(s, SQLITE_FULL, err);
	return bw_store_denied(s, err);
}

static int look_at_file(struct bw_store *s, const char *path, bool may_create, struct bw_err *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return bw_store_denied(s, err);
		if (!may_create)
			return bw_fail(err, BW_E_GONE,
				       "%s: there is no database yet: `basewatch check` makes one, --db "
				       "names another",
				       s->path);
		return create_file(s, path, err);
	}
	if (!S_ISREG(st.st_mode))
		return bw_fail(err, BW_E_DENIED, "%s: this is %s, not a file: name a file with --db", s->path,
			       S_ISDIR(st.st_mode) ? "a folder" : "a device");
	return 0;
}

void bw_store_set_busy_ms(struct bw_store *s, unsigned ms)
{
	s->busy_ms = ms;
	(void)sqlite3_busy_timeout(s->db, (int)ms);
}

/*
 * One thread has all of the store, so SQLite needs no locks between threads, and nobody asks how much
 * memory it has. Only the first call in a process counts; later ones change nothing.
 */
static void set_up_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_db(struct bw_store *s, const char *path, struct bw_err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, &s->db, flags, NULL);

	if (rc != SQLITE_OK)
		return bw_store_fault(s, rc, err);
	if (sqlite3_db_readonly(s->db, "main") != 0)
		return bw_store_denied(s, err); /* SQLite falls back to reading where it may not write */
	bw_store_set_busy_ms(s, BUSY_MS);
	/* Not even a damaged schema can make SQLite write to its own tables. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return 0;
}

/*
 * WAL stays on once it is set, so this writes to a new database only. Of several processes that make the same new
 * database, all but one may be told "busy" without being let wait; hence the loop.
 */
static int set_wal(struct bw_store *s, struct bw_err *err)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	unsigned waited_ms = 0;
	int rc;

	while ((rc = sqlite3_exec(s->db, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL", NULL, NULL,
				  NULL)) != SQLITE_OK) {
		if ((rc & 0xff) != SQLITE_BUSY || waited_ms >= s->busy_ms)
			return bw_store_fault(s, rc, err);
		(void)nanosleep(&pause, NULL);
		waited_ms += 5;
	}
	return 0;
}

enum opening { TO_LOOK, EXISTING, OR_CREATE };

/* What a process that was killed has left in the log stays there: closing would write it into the database. */
static void leave_log(struct bw_store *s)
{
	BW_AUTOFREE char *log = bw_asprintf("%s-wal", s->path);
	struct stat st;

	if (stat(log, &st) == 0 && st.st_size > 0)
		(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static int prepare_db(struct bw_store *s, enum opening how, struct bw_err *err)
{
	int rc, code;

	if (how == TO_LOOK)
		leave_log(s);
	rc = bw_schema_check(s, err);
	if (rc == 0)
		rc = how == TO_LOOK ? bw_schema_accept(s, err) : set_wal(s, err);
	if (rc < 0)
		return rc;
	code = sqlite3_exec(s->db, settings, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return bw_store_fault(s, code, err);
	rc = bw_sql_add_functions(s, err);
	if (rc < 0 || how == TO_LOOK)
		return rc;
	return bw_schema_migrate(s, err);
}

static void auto_store(struct bw_store **s)
{
	bw_store_close(*s);
}

static int open_store(const char *path, enum opening how, struct bw_store **ret, struct bw_err *err)
{
	BW_CLEANUP(auto_store) struct bw_store *s = BW_NEW(struct bw_store);
	BW_AUTOFREE char *plain = plain_path(path);
	int rc;

	s->path = bw_strdup(path);
	s->folder = folder_of(path);
	set_up_library();
	rc = look_at_file(s, plain, how == OR_CREATE, err);
	if (rc == 0)
		rc = open_db(s, plain, err);
	if (rc == 0)
		rc = prepare_db(s, how, err);
	if (rc < 0)
		return rc;
	*ret = BW_TAKE(s);
	return 0;
}

int bw_store_open(const char *path, struct bw_store **ret, struct bw_err *err)
{
	return open_store(path, OR_CREATE, ret, err);
}

int bw_store_open_existing(const char *path, struct bw_store **ret, struct bw_err *err)
{
	return open_store(path, EXISTING, ret, err);
}

int bw_store_open_to_look(const char *path, struct bw_store **ret, struct bw_err *err)
{
	return open_store(path, TO_LOOK, ret, err);
}

void bw_store_close(struct bw_store *s)
{
	if (!s)
		return;
	bw_sql_finalize_all(s);
	(void)sqlite3_close(s->db);
	free(s->path);
	free(s->folder);
	free(s);
}

const char *bw_store_uuid(const struct bw_store *s)
{
	return s->uuid;
}

const char *bw_store_path(const struct bw_store *s)
{
	return s->path;
}

const char *bw_store_version(void)
{
	return "SQLite " SQLITE_VERSION;
}
