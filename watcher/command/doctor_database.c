/* doctor_database.c - is the database sound, is there room for it, and what does it say of sinks and bases? */
#include "command/doctor.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "command/state.h"
#include "core/clock.h"
#include "core/mem.h"
#include "daemon/lock.h"
#include "daemon/sinks.h"
#include "store/build.h"

#define CHECK_MS 8000 /* what a database of some GiB takes; the rest has to wait meanwhile */

static void find(struct bw_doctor *d, const char *subject, struct bw_diagnosis x)
{
	bw_doctor_find(d, BW_AREA_DATABASE, subject, x);
}

/* --- the file ------------------------------------------------------------------------------------- */

/* The deepest folder on the way to `path` that is there. A new string. */
static char *existing_folder(const char *path)
{
	char *folder = bw_strdup(path);
	char *slash;

	while ((slash = strrchr(folder, '/'))) {
		if (slash == folder) {
			folder[1] = '\0';
			return folder;
		}
		*slash = '\0';
		if (access(folder, F_OK) == 0)
			return folder;
	}
	free(folder);
	return bw_strdup(".");
}

static void look_at_space(struct bw_doctor *d, const char *path, uint64_t database_bytes)
{
	BW_AUTOFREE char *folder = existing_folder(path);
	struct statvfs fs;

	if (statvfs(folder, &fs) == 0)
		find(d, "disk",
		     bw_diagnose_space((uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize, database_bytes));
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* There is none yet: could one be made? */
static void look_at_nothing(struct bw_doctor *d, const char *path)
{
	BW_AUTOFREE char *folder = existing_folder(path);
	BW_AUTOFREE char *seen = bw_asprintf("%s: there is none yet", path);
	BW_AUTOFREE char *denied = bw_asprintf("%s; the folder %s may not be written to", seen, folder);

	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_NOTE, "file", seen,
			      "`basewatch check` makes one");
	else
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_ERROR, "file", denied,
			      "give the folder to whoever runs basewatch, or name another place (`state:`, "
			      "--db)");
	look_at_space(d, path, 0);
}

/* --- is it sound? --------------------------------------------------------------------------------- */

struct patience {
	struct bw_doctor *doctor;
	int64_t until_ms;
};

/* Signals are held back meanwhile: the loop does not run. */
static bool go_on(void *arg)
{
	struct patience *p = arg;
	sigset_t pending;

	if (sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM)))
		p->doctor->interrupted = true;
	return !p->doctor->interrupted && bw_clock_ms() < p->until_ms;
}

static int check_patiently(struct bw_doctor *d, struct bw_err *err)
{
	struct patience p = {.doctor = d, .until_ms = bw_clock_ms() + CHECK_MS};
	sigset_t held, before;
	int rc;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGINT);
	(void)sigaddset(&held, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &held, &before);
	rc = bw_store_check(d->store, go_on, &p, err);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static const char damaged[] = "move it away and put a copy from a backup in its place; without one, the next "
			      "`basewatch check` begins anew, with the first sight of every base";

static void look_whether_sound(struct bw_doctor *d)
{
	struct bw_err err = BW_ERR_INIT;
	int64_t schema = 0;
	int rc = bw_store_schema(d->store, &schema, &err);

	if (rc == 0)
		rc = check_patiently(d, &err);
	if (rc < 0) {
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_ERROR, "integrity", err.msg, damaged);
	} else if (rc > 0) {
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_NOTE, "integrity",
			      "so large that the check was not finished; nothing was wrong so far", NULL);
	} else {
		BW_AUTOFREE char *seen = bw_asprintf("sound; schema %lld", (long long)schema);

		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_OK, "integrity", seen, NULL);
	}
}

/* --- what it says --------------------------------------------------------------------------------- */

static int find_debt(const struct bw_debt *x, void *arg, struct bw_err *err)
{
	struct bw_doctor *d = arg;
	BW_AUTOFREE char *subject = bw_asprintf("sink %s", x->sink);

	(void)err;
	if (x->is_removed && x->due == 0)
		return 0; /* gone, and nobody waits */
	find(d, subject, bw_diagnose_debt(x, bw_sinks_find(d->conf, x->sink) != NULL, bw_clock_ms()));
	return 0;
}

static int find_ailing(const struct bw_ailing *x, void *arg, struct bw_err *err)
{
	BW_AUTOFREE char *subject = bw_asprintf("bases of %s", x->registry);

	(void)err;
	find(arg, subject, bw_diagnose_ailing(x));
	return 0;
}

/* Without one nothing is watched and nothing is sent, which is fine where nothing is configured. */
static void look_for_daemon(struct bw_doctor *d, const char *path)
{
	bool is_wanted = d->conf->sources.count > 0 || d->conf->sinks.count > 0;
	struct bw_err err = BW_ERR_INIT;
	unsigned pid = 0;
	int rc = bw_lock_look(path, &pid, &err);
	BW_AUTOFREE char *seen = pid > 0 ? bw_asprintf("runs (process %u)", pid) : bw_strdup("runs");

	if (rc > 0)
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_OK, "daemon", seen, NULL);
	else if (rc < 0)
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_NOTE, "daemon", err.msg, NULL);
	else if (is_wanted)
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_NOTE, "daemon", "none runs with this database",
			      "`basewatch run` watches the sources and sends what is due");
}

static void look_at_rows(struct bw_doctor *d)
{
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_store_each_debt(d->store, find_debt, d, &err);

	if (rc == 0)
		rc = bw_store_each_ailing(d->store, bw_clock_ms(), find_ailing, d, &err);
	if (rc < 0)
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_ERROR, "contents", err.msg, damaged);
}

/* --- the area ------------------------------------------------------------------------------------- */

static const char *advise(int code)
{
	switch (code) {
	case BW_E_STORE: return damaged;
	case BW_E_DENIED: return "run this as the user that owns it, or name another with --db";
	case BW_E_LOCKED: return "another process holds it for very long: look for old basewatch processes";
	case BW_E_FULL: return "make room on its file system";
	default: return NULL; /* the message says it */
	}
}

static void look_at(struct bw_doctor *d, const char *path)
{
	BW_AUTOFREE char *log = bw_asprintf("%s-wal", path);
	uint64_t size = size_of(path), log_size = size_of(log);
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_store_open_to_look(path, &d->store, &err);

	if (rc == BW_E_GONE) {
		look_at_nothing(d, path);
		return;
	}
	if (rc < 0) {
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_ERROR, "file", err.msg, advise(rc));
		return;
	}
	bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_OK, "file", path, NULL);
	look_whether_sound(d);
	find(d, "size", bw_diagnose_size(size, log_size));
	look_at_space(d, path, size);
	look_for_daemon(d, path);
	look_at_rows(d);
}

void bw_doctor_database_begin(struct bw_doctor *d)
{
	BW_AUTOFREE char *path = NULL;
	struct bw_err err = BW_ERR_INIT;

	if (bw_state_place(d->args->db, d->conf->state, &path, &err) < 0)
		bw_doctor_say(d, BW_AREA_DATABASE, BW_LEVEL_ERROR, "file", err.msg, NULL);
	else
		look_at(d, path);
}

void bw_doctor_database_end(struct bw_doctor *d)
{
	bw_store_close(d->store);
	d->store = NULL;
}
