/* diagnosis.c - see diagnosis.h. */
#include "command/diagnosis.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

#define GIT_MAJOR 2
#define GIT_MINOR 31

#define CLOCK_MS    (5 * 60 * 1000) /* tokens and certificates are valid for minutes at least */
#define LATE_MS	    (60 * 60 * 1000)
#define LARGE_LOG   (256 * MIB) /* it goes into the database at 64 MiB, when nobody reads */
#define LITTLE_LEFT (16 * MIB)
#define TIGHT_LEFT  (256 * MIB)

#define OWN_DESCRIPTORS 64 /* database, loop, logs, a few children with their pipes */
#define PER_PEER	4  /* connections to a registry, and one to spare */

#define SIZE_MAX_TEXT 32

void bw_diagnosis_done(struct bw_diagnosis *d)
{
	free(d->seen);
	free(d->advice);
	*d = (struct bw_diagnosis){0};
}

static struct bw_diagnosis diagnose(enum bw_level level, char *seen, const char *advice)
{
	return (struct bw_diagnosis){.level = level, .seen = seen, .advice = bw_strdup_null(advice)};
}

/* "12 KiB", "3.4 MiB". Returns `out`. */
static const char *size_text(uint64_t bytes, char out[SIZE_MAX_TEXT])
{
	if (bytes >= GIB)
		(void)snprintf(out, SIZE_MAX_TEXT, "%.1f GiB", (double)bytes / (double)GIB);
	else if (bytes >= MIB)
		(void)snprintf(out, SIZE_MAX_TEXT, "%.1f MiB", (double)bytes / (double)MIB);
	else
		(void)snprintf(out, SIZE_MAX_TEXT, "%" PRIu64 " KiB", (bytes + KIB - 1) / KIB);
	return out;
}

/* --- git ------------------------------------------------------------------------------------------ */

/* "git version 2.39.5 (...)": the first two numbers. */
static bool read_version(const char *words, uint64_t *ret_major, uint64_t *ret_minor)
{
	static const char lead[] = "git version ";
	const char *major, *minor;

	if (!bw_text_starts(words, lead))
		return false;
	major = words + strlen(lead);
	minor = strchr(major, '.');
	if (!minor)
		return false;
	BW_AUTOFREE char *first = bw_strndup(major, (size_t)(minor - major));
	BW_AUTOFREE char *second = bw_strndup(minor + 1, strspn(minor + 1, "0123456789"));

	return bw_text_number(first, 0, 1000, ret_major) && bw_text_number(second, 0, 1000, ret_minor);
}

struct bw_diagnosis bw_diagnose_git(const char *words, bool is_needed)
{
	static const char advice[] = "install git 2.31 or newer, and let PATH lead to it";
	enum bw_level level = is_needed ? BW_LEVEL_ERROR : BW_LEVEL_NOTE;
	const char *why = is_needed ? "" : "; only git repositories need it, and none is configured";
	uint64_t major = 0, minor = 0;

	if (!words)
		return diagnose(level, bw_asprintf("not found in PATH%s", why), advice);
	if (!read_version(words, &major, &minor))
		return diagnose(level, bw_asprintf("'%s' is no version of git%s", words, why), advice);
	if (major < GIT_MAJOR || (major == GIT_MAJOR && minor < GIT_MINOR))
		return diagnose(level, bw_asprintf("%s is too old%s", words, why), advice);
	return diagnose(BW_LEVEL_OK, bw_strdup(words), NULL);
}

/* --- the rest of the environment ------------------------------------------------------------------- */

struct bw_diagnosis bw_diagnose_home(const char *home, bool is_folder)
{
	static const char lost[] = "credentials of registries and git are not found there; set HOME, or "
				   "DOCKER_CONFIG and --db";

	if (!home || !*home)
		return diagnose(BW_LEVEL_WARNING, bw_strdup("not set"), lost);
	if (!is_folder)
		return diagnose(BW_LEVEL_WARNING, bw_asprintf("%s is no folder that can be entered", home),
				lost);
	return diagnose(BW_LEVEL_OK, bw_strdup(home), NULL);
}

char *bw_diagnose_proxy(const char *value)
{
	const char *scheme = strstr(value, "://");
	const char *start = scheme ? scheme + 3 : value;
	const char *at = memrchr(start, '@', strcspn(start, "/?#"));

	/* A password may hold a slash all the same: then what is behind the last '@' is the host. */
	if (!at)
		at = strrchr(start, '@');
	if (!at)
		return bw_strdup(value);
	return bw_asprintf("%.*s[hidden]%s", (int)(start - value), value, at);
}

struct bw_diagnosis bw_diagnose_certificates(const char *file, bool has_file, const char *folder,
					     bool has_folder)
{
	bool both = has_file && has_folder;

	if (has_file || has_folder)
		return diagnose(BW_LEVEL_OK,
				bw_asprintf("%s%s%s", has_file ? file : "", both ? ", " : "",
					    has_folder ? folder : ""),
				NULL);
	return diagnose(BW_LEVEL_WARNING,
			bw_asprintf("the system has none: nothing in %s%s%s", file ? file : "",
				    file && folder ? " and " : "",
				    folder ? folder
				    : file ? ""
					   : "any known place"),
			"install ca-certificates; until then only what a ca-file names is trusted");
}

struct bw_diagnosis bw_diagnose_clock(int64_t ahead_ms, const char *whom)
{
	int64_t off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;

	if (off_ms <= CLOCK_MS)
		return diagnose(BW_LEVEL_OK, bw_asprintf("agrees with %s", whom), NULL);
	return diagnose(
		BW_LEVEL_WARNING,
		bw_asprintf("%" PRId64 " minutes %s that of %s", off_ms / 60000,
			    ahead_ms > 0 ? "ahead of" : "behind", whom),
		"let the system keep its time (timedatectl set-ntp true): certificates, tokens and all "
		"times that are shown depend on it");
}

struct bw_diagnosis bw_diagnose_watches(uint64_t limit, uint64_t folders)
{
	if (limit == 0)
		return diagnose(BW_LEVEL_NOTE,
				bw_strdup("how many folders can be watched is not known: changes in them are "
					  "found when `poll.rescan` comes round"),
				NULL);
	if (folders > limit)
		return diagnose(
			BW_LEVEL_WARNING,
			bw_asprintf("%" PRIu64 " folders to watch, and %" PRIu64 " watches for this user",
				    folders, limit),
			"raise fs.inotify.max_user_watches (sysctl); until then changes in the others "
			"are found when `poll.rescan` comes round");
	return diagnose(BW_LEVEL_OK,
			bw_asprintf("%" PRIu64 " %s to watch, %" PRIu64 " watches for this user", folders,
				    folders == 1 ? "folder" : "folders", limit),
			NULL);
}

struct bw_diagnosis bw_diagnose_descriptors(uint64_t limit, uint64_t peers)
{
	uint64_t needed = OWN_DESCRIPTORS + PER_PEER * peers;

	if (limit < needed)
		return diagnose(BW_LEVEL_WARNING,
				bw_asprintf("%" PRIu64 " may be open at once, up to %" PRIu64 " are needed",
					    limit, needed),
				"raise the limit: `ulimit -n`, or LimitNOFILE= in the unit");
	return diagnose(BW_LEVEL_OK, bw_asprintf("%" PRIu64 " may be open at once", limit), NULL);
}

void bw_diagnose_add_folders(struct bw_map *folders, const char *root, const char *file)
{
	BW_AUTOFREE char *path = bw_strdup(file);
	size_t len = strlen(root);
	char *slash;

	while (len > 1 && root[len - 1] == '/')
		len--;
	if (len > strlen(path) || strncmp(path, root, len) != 0 || (len > 1 && path[len] != '/'))
		return;
	/* Upwards, until one is known: its parents are known then, too. */
	while ((slash = strrchr(path, '/')) && (size_t)(slash - path) >= (len > 1 ? len : 1)) {
		*slash = '\0';
		if (bw_map_get(folders, path))
			return;
		(void)bw_map_put(folders, path, folders);
	}
	if (len == 1)
		(void)bw_map_put(folders, "/", folders);
}

/* --- database ------------------------------------------------------------------------------------- */

struct bw_diagnosis bw_diagnose_size(uint64_t database_bytes, uint64_t log_bytes)
{
	char size[SIZE_MAX_TEXT], log[SIZE_MAX_TEXT];
	bool is_large = log_bytes > LARGE_LOG;

	(void)size_text(database_bytes, size);
	(void)size_text(log_bytes, log);
	return diagnose(is_large ? BW_LEVEL_WARNING : BW_LEVEL_OK,
			log_bytes > 0 ? bw_asprintf("%s, and %s in the write-ahead log", size, log)
				      : bw_strdup(size),
			is_large ? "something has been reading for very long, so that the log cannot go into "
				   "the database: look for old basewatch processes"
				 : NULL);
}

struct bw_diagnosis bw_diagnose_space(uint64_t free_bytes, uint64_t database_bytes)
{
	char left[SIZE_MAX_TEXT];
	enum bw_level level = BW_LEVEL_OK;

	if (free_bytes < LITTLE_LEFT)
		level = BW_LEVEL_ERROR;
	else if (free_bytes < TIGHT_LEFT || free_bytes < database_bytes)
		level = BW_LEVEL_WARNING;
	return diagnose(level, bw_asprintf("%s free", size_text(free_bytes, left)),
			level == BW_LEVEL_OK
				? NULL
				: "make room on this file system, or move the database (`state:`, "
				  "--db): a full disk stops it from remembering");
}

static char *debt_text(const struct bw_debt *d)
{
	char at[BW_TIME_MAX];
	BW_AUTOFREE char *due = d->due == 0 ? bw_strdup("nothing is due")
					    : bw_asprintf("%" PRIu64 " due, the oldest since %s", d->due,
							  bw_time_short(d->due_since_ms, at));
	BW_AUTOFREE char *error = d->due > 0 && d->error ? bw_asprintf(" (%s)", d->error) : bw_strdup("");

	if (d->dead == 0)
		return bw_asprintf("%s%s", due, error);
	return bw_asprintf("%s%s; %" PRIu64 " given up, the first %s", due, error, d->dead,
			   bw_time_short(d->dead_since_ms, at));
}

/* Whether the daemon that runs has stopped it for that, only that one knows; the answer is in the database. */
static bool wants_no_more(const struct bw_debt *d)
{
	return d->error && bw_text_starts(d->error, "HTTP 410") && !isdigit((unsigned char)d->error[8]);
}

struct bw_diagnosis bw_diagnose_debt(const struct bw_debt *d, bool is_configured, int64_t now_ms)
{
	char *seen = debt_text(d);
	bool is_wanted = d->due > 0 && is_configured && !d->is_removed;

	if (is_wanted && wants_no_more(d))
		return diagnose(
			BW_LEVEL_WARNING, seen,
			"the receiver wants no events any more (410), so the daemon sends it none: remove "
			"the sink, or mend the receiver; then reload the configuration, or restart");
	if (d->dead > 0)
		return (struct bw_diagnosis){
			BW_LEVEL_WARNING, seen,
			bw_asprintf("`basewatch events --dead --sink %s` says why; `basewatch events retry "
				    "ID` makes them due again",
				    d->sink)};
	if (d->due > 0 && (d->is_removed || !is_configured))
		return diagnose(
			BW_LEVEL_NOTE, seen,
			"this sink is not configured here: what it is owed waits for it, and expires");
	if (d->due > 0 && d->error)
		return (struct bw_diagnosis){
			BW_LEVEL_WARNING, seen,
			bw_asprintf(
				"the last attempt failed, and it is tried again until it expires; once the "
				"receiver is mended, `basewatch sink test %s` tells whether it takes events",
				d->sink)};
	if (d->due > 0 && now_ms - d->due_since_ms > LATE_MS)
		return diagnose(BW_LEVEL_WARNING, seen,
				"only the daemon sends: does it run, and does the receiver answer?");
	return diagnose(BW_LEVEL_OK, seen, NULL);
}

struct bw_diagnosis bw_diagnose_ailing(const struct bw_ailing *a)
{
	char at[BW_TIME_MAX];
	BW_AUTOFREE char *more =
		a->bases > 1 ? bw_asprintf(", and %" PRIu64 " more", a->bases - 1) : bw_strdup("");

	return diagnose(BW_LEVEL_WARNING,
			bw_asprintf("%s%s could not be had when last asked for, since %s%s%s", a->base, more,
				    bw_time_short(a->since_ms, at), a->message ? ": " : "",
				    a->message ? a->message : ""),
			"see below for the registry; `basewatch report` lists all of them");
}

/* --- what is far away ----------------------------------------------------------------------------- */

struct bw_diagnosis bw_diagnose_webhook(const char *name, unsigned status, const char *why)
{
	if (status == 0)
		return diagnose(BW_LEVEL_ERROR, bw_strdup(why),
				"look whether the receiver runs, at its certificate, and at firewalls in "
				"between; what it is owed waits");
	return diagnose(BW_LEVEL_OK,
			bw_asprintf("answers (HTTP %u to a HEAD request); `basewatch sink test %s` sends it "
				    "an event",
				    status, name),
			NULL);
}
