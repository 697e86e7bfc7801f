/*
 * schema.c - see schema.h. Times are milliseconds since the epoch, NULL where there was none yet. Texts with a fixed
 * set of words (role, trouble, class, kind) hold the words that reports use.
 */
#include "store/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "store/fault.h"

/* clang-format off */
static const char *const step_1[] = {
	"CREATE TABLE meta("
	" key TEXT PRIMARY KEY,"
	" value TEXT NOT NULL"
	") STRICT, WITHOUT ROWID",

	/*
	 * The folder without a name is the source ''; the paths of its files are absolute. A branch of a git repository
	 * has all that follows `root`, which is '' then; a folder has nothing of it.
	 */
	"CREATE TABLE source("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" root TEXT NOT NULL,"
	" url TEXT," /* without user info */
	" branch TEXT,"
	" commit_id TEXT," /* NULL: never reached */
	" checked_at INTEGER,"
	" problem TEXT," /* of the last time; NULL: it was reached */
	" problem_since INTEGER"
	") STRICT",
	"INSERT INTO source(name, root) VALUES('', '')",

	/* What of a configured source could not be looked into the last time. */
	"CREATE TABLE gap("
	" source_key TEXT NOT NULL,"
	" place TEXT NOT NULL,"
	" problem TEXT NOT NULL,"
	" since INTEGER NOT NULL,"
	" PRIMARY KEY(source_key, place)"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE build_file("
	" id INTEGER PRIMARY KEY,"
	" source_id INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,"
	" path TEXT NOT NULL,"
	" is_template INTEGER NOT NULL,"
	" first_seen INTEGER NOT NULL,"
	" ended_at INTEGER,"
	" UNIQUE(source_id, path)"
	") STRICT",

	/* Whoever holds the id of one that another process has forgotten must not find another build by it. */
	"CREATE TABLE build("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" build_file_id INTEGER NOT NULL REFERENCES build_file ON DELETE CASCADE,"
	" target TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL,"
	" problem TEXT,"
	" problem_line INTEGER NOT NULL,"
	" image TEXT," /* what it produces; NULL: nobody said */
	" labels TEXT," /* compact JSON with sorted keys */
	" first_seen INTEGER NOT NULL,"
	" ended_at INTEGER,"
	" UNIQUE(build_file_id, target)"
	") STRICT",

	/* The name and nothing else: lists in the order of the names go by the index alone. */
	"CREATE TABLE base("
	" id INTEGER PRIMARY KEY,"
	" registry TEXT NOT NULL,"
	" repository TEXT NOT NULL,"
	" tag TEXT NOT NULL"
	") STRICT",
	"CREATE UNIQUE INDEX base_name ON base(registry, repository, tag)",

	/* What the registries said, for ever: a row is added for each new digest of a base, numbered 1, 2, ... */
	"CREATE TABLE sighting("
	" id INTEGER PRIMARY KEY,"
	" base_id INTEGER NOT NULL REFERENCES base ON DELETE CASCADE,"
	" number INTEGER NOT NULL,"
	" seen_at INTEGER NOT NULL,"
	" digest TEXT NOT NULL,"
	" media_type TEXT," /* NULL: the registry did not say */
	" UNIQUE(base_id, number)"
	") STRICT",

	/* `number` is that of the sighting that the change led to. `class`: the weightiest of its platforms. */
	"CREATE TABLE change("
	" base_id INTEGER NOT NULL,"
	" number INTEGER NOT NULL,"
	" class TEXT NOT NULL,"
	" moved TEXT," /* what moved, for people; NULL: nobody looked */
	" PRIMARY KEY(base_id, number),"
	" FOREIGN KEY(base_id, number) REFERENCES sighting(base_id, number) ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID",

	/*
	 * What two digests of a base are to each other, for uses of one platform, '' for those that name none: what
	 * builds stand on, or stood on, and what the tag has. A fact about two digests, so it holds for ever.
	 */
	"CREATE TABLE comparison("
	" base_id INTEGER NOT NULL REFERENCES base ON DELETE CASCADE,"
	" from_digest TEXT NOT NULL,"
	" to_digest TEXT NOT NULL,"
	" platform TEXT NOT NULL,"
	" class TEXT NOT NULL,"
	" moved TEXT,"
	" PRIMARY KEY(base_id, to_digest, from_digest, platform)"
	") STRICT, WITHOUT ROWID",

	/*
	 * What changes with each answer; no row: never asked. The rows are small, so that a sweep without news writes
	 * few pages. `sighting_id`: the last one, NULL: never seen; only a sighting's own transaction changes it.
	 * `newly_named`: some build names the base since its last answer only; `outstanding` has the row.
	 * `reach`: 1 since base.unreachable was published, 2 when it answers again and base.recovered was not yet; else 0.
	 */
	"CREATE TABLE poll("
	" base_id INTEGER PRIMARY KEY REFERENCES base ON DELETE CASCADE,"
	" sighting_id INTEGER,"
	" checked_at INTEGER NOT NULL,"
	" failures INTEGER NOT NULL,"
	" waited INTEGER NOT NULL DEFAULT 0," /* of them, those for the bodies of a new digest */
	" newly_named INTEGER NOT NULL,"
	" reach INTEGER NOT NULL DEFAULT 0,"
	" trouble TEXT,"
	" trouble_message TEXT,"
	" trouble_since INTEGER,"
	" retry_after INTEGER"
	") STRICT",
	"CREATE INDEX poll_recovered ON poll(base_id) WHERE reach = 2",

	/* `ignored_until`: 0 where no annotation holds, the last moment that there is where one holds for ever. */
	"CREATE TABLE use("
	" id INTEGER PRIMARY KEY," /* in the order of the file */
	" build_id INTEGER NOT NULL REFERENCES build ON DELETE CASCADE,"
	" base_id INTEGER REFERENCES base ON DELETE RESTRICT,"
	" reachable INTEGER NOT NULL,"
	" ignored_until INTEGER NOT NULL,"
	" line INTEGER NOT NULL,"
	" role TEXT NOT NULL,"
	" stage TEXT,"
	" platform TEXT,"
	" written TEXT NOT NULL,"
	" pinned TEXT,"
	" ignored TEXT,"
	" unresolved TEXT,"
	" is_scratch INTEGER NOT NULL,"
	" line_column INTEGER NOT NULL,"
	" byte_start INTEGER NOT NULL,"
	" byte_end INTEGER NOT NULL,"
	" arg_line INTEGER," /* all four NULL: the text comes from no ARG default */
	" arg_column INTEGER,"
	" arg_start INTEGER,"
	" arg_end INTEGER,"
	" patch TEXT" /* that moves its pin, without the digest (buildfile/template.h) */
	") STRICT",
	"CREATE INDEX use_build ON use(build_id)",
	/* With all that decides whether a base is asked. */
	"CREATE INDEX use_base ON use(base_id, build_id, id, reachable, ignored_until)",

	/*
	 * What a build is known to stand on. No row: on what the tag has now, because nothing has moved since the
	 * build names the base; so a sweep without changes writes nothing here. `handled` NULL: not known until the
	 * base is asked again, because the build names it since its last answer only. `stale_since`: when the first
	 * change that counts for this build was seen. Which change since then weighs most depends on the platform of
	 * the use, so that is looked up among the changes behind the newest sighting of `handled` (moves.c).
	 * `evidence` and `closed_at`: by what, and when, the pair last became fresh; NULL while it is stale.
	 * `requested_digest` and `requested_at`: what the last rebuild.requested asked for while it is stale. `pending`: a
	 * change that counts has come since, or nothing was asked for yet: 1, or from when on it may be asked for, because all
	 * its uses are ignored until then; else 0. `reminders`: how often it was asked for again;
	 * `reminded_at`: when that was last looked at. Where rules want to know of changes of the class `index`, all this
	 * but the reminders is said of pairs that such a change left fresh, too.
	 */
	"CREATE TABLE outstanding("
	" base_id INTEGER NOT NULL REFERENCES base ON DELETE CASCADE,"
	" build_id INTEGER NOT NULL REFERENCES build ON DELETE CASCADE,"
	" handled TEXT,"
	" stale_since INTEGER,"
	" closed_at INTEGER,"
	" evidence TEXT,"
	" requested_digest TEXT,"
	" requested_at INTEGER,"
	" reminders INTEGER NOT NULL DEFAULT 0,"
	" reminded_at INTEGER,"
	" pending INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(base_id, build_id)"
	") STRICT, WITHOUT ROWID",
	"CREATE INDEX outstanding_build ON outstanding(build_id)",
	"CREATE INDEX outstanding_pending ON outstanding(pending, build_id) WHERE pending > 0",
	"CREATE INDEX outstanding_requested ON outstanding(build_id) WHERE requested_at IS NOT NULL",

	/* Bodies are immutable, so they are kept by digest, for all bases together. */
	"CREATE TABLE manifest("
	" digest TEXT PRIMARY KEY,"
	" media_type TEXT NOT NULL,"
	" kind TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" config TEXT," /* of an image: the digest of its configuration, and its media type */
	" config_type TEXT,"
	" fetched_at INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE manifest_child("
	" manifest TEXT NOT NULL REFERENCES manifest ON DELETE CASCADE,"
	" ordinal INTEGER NOT NULL,"
	" digest TEXT NOT NULL,"
	" media_type TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" os TEXT NOT NULL,"
	" os_version TEXT NOT NULL,"
	" arch TEXT NOT NULL,"
	" variant TEXT NOT NULL,"
	" is_attestation INTEGER NOT NULL,"
	" annotations TEXT," /* compact JSON with sorted keys */
	" PRIMARY KEY(manifest, ordinal)"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE manifest_layer("
	" manifest TEXT NOT NULL REFERENCES manifest ON DELETE CASCADE,"
	" ordinal INTEGER NOT NULL," /* from 0, the lowest layer first */
	" digest TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" PRIMARY KEY(manifest, ordinal)"
	") STRICT, WITHOUT ROWID",

	/* As it came: what is read from it may grow with the program. Bodies are long, so the index is apart. */
	"CREATE TABLE config("
	" id INTEGER PRIMARY KEY,"
	" digest TEXT NOT NULL UNIQUE,"
	" size INTEGER NOT NULL,"
	" fetched_at INTEGER NOT NULL,"
	" body BLOB NOT NULL"
	") STRICT",

	/* What the registry of a base no longer has, and will not have when it is asked again. */
	"CREATE TABLE missing("
	" base_id INTEGER NOT NULL REFERENCES base ON DELETE CASCADE,"
	" digest TEXT NOT NULL,"
	" trouble TEXT NOT NULL,"
	" message TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY(base_id, digest)"
	") STRICT, WITHOUT ROWID",

	/* Registries of which something is known; `disagreed_at`: when its replicas last gave two answers at once. */
	"CREATE TABLE registry("
	" name TEXT PRIMARY KEY,"
	" disagreed_at INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID",

	/*
	 * How registries stand with the daemon; NULL: they say nothing of what they grant. `granted` requests in `window_s`
	 * seconds, of which `remaining` were left at `seen_at`, and `reserved` are left to others. `pause`: why nothing is
	 * asked until `paused_until`, a word of store/standing.h, or ''.
	 */
	"CREATE TABLE standing("
	" registry TEXT PRIMARY KEY,"
	" seen_at INTEGER NOT NULL,"
	" granted INTEGER,"
	" remaining INTEGER,"
	" reserved INTEGER,"
	" window_s INTEGER,"
	" is_free INTEGER,"
	" distance_ms INTEGER,"
	" pause TEXT NOT NULL,"
	" paused_until INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID",

	/*
	 * Facts that were published, for ever, numbered in the order of publishing; `json` is what is sent, byte by byte.
	 * The numbers say what it tells of: a base with a sighting, or a build; NULL where there is none (any more).
	 * `suppressed`: why the rules gave it to nobody; NULL for all others.
	 */
	"CREATE TABLE event("
	" number INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE,"
	" type TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" json TEXT NOT NULL,"
	" base_id INTEGER,"
	" sighting INTEGER,"
	" build_id INTEGER REFERENCES build ON DELETE SET NULL,"
	" suppressed TEXT"
	") STRICT",
	"CREATE INDEX event_at ON event(at)",
	"CREATE INDEX event_build ON event(build_id) WHERE build_id IS NOT NULL",

	/* The digests that a rebuild.requested asks for. */
	"CREATE TABLE request("
	" event INTEGER NOT NULL REFERENCES event ON DELETE CASCADE,"
	" base_id INTEGER NOT NULL,"
	" digest TEXT NOT NULL,"
	" PRIMARY KEY(event, base_id)"
	") STRICT, WITHOUT ROWID",

	/*
	 * `types`: those that it gets, with a blank before and behind each, NULL for all. `expire_ms`: how long a delivery is
	 * tried, 7 days (BW_DELIVERY_EXPIRY_MS) unless told otherwise. `removed_at` NULL: it is there.
	 */
	"CREATE TABLE sink("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" types TEXT,"
	" confirms INTEGER NOT NULL,"
	" expire_ms INTEGER NOT NULL DEFAULT 604800000,"
	" first_seen INTEGER NOT NULL,"
	" removed_at INTEGER"
	") STRICT",

	/*
	 * One event that is owed to one sink. `state`: due, sent, dead, superseded. `is_first`: due, and nothing earlier of
	 * the same subject is due to this sink; so what may be sent now is found without looking at the queue behind it.
	 */
	"CREATE TABLE delivery("
	" id INTEGER PRIMARY KEY,"
	" sink_id INTEGER NOT NULL REFERENCES sink ON DELETE RESTRICT,"
	" event INTEGER NOT NULL REFERENCES event ON DELETE CASCADE,"
	" subject TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" is_first INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" created_at INTEGER NOT NULL,"
	" expires_at INTEGER NOT NULL,"
	" next_at INTEGER NOT NULL,"
	" ended_at INTEGER,"
	" error TEXT"
	") STRICT",
	"CREATE INDEX delivery_event ON delivery(event)",
	"CREATE INDEX delivery_queue ON delivery(subject, sink_id, id) WHERE state = 'due'",
	"CREATE INDEX delivery_expiry ON delivery(expires_at) WHERE state = 'due'",
	"CREATE INDEX delivery_first ON delivery(sink_id, id, next_at) WHERE is_first = 1",
	"CREATE INDEX delivery_next ON delivery(sink_id, next_at) WHERE is_first = 1",
	"CREATE INDEX delivery_dead ON delivery(event) WHERE state = 'dead'",

	"PRAGMA application_id = 1651991650",
	"PRAGMA user_version = 1",
	NULL,
};
/* clang-format on */

/* steps[n] leads from version n to n + 1 and ends with setting it. */
static const char *const *const steps[] = {step_1};

#define NEWEST ((int64_t)(sizeof(steps) / sizeof(steps[0])))

/* These few run once, so they are not among the cached statements. */
static int ask_number(struct bw_store *s, const char *sql, int64_t *ret, struct bw_err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		*ret = sqlite3_column_int64(q, 0);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_OK)
		rc = bw_store_fault(s, rc, err);
	(void)sqlite3_finalize(q);
	return rc;
}

static int ask_version(struct bw_store *s, int64_t *ret, struct bw_err *err)
{
	return ask_number(s, "PRAGMA user_version", ret, err);
}

struct stamp {
	int64_t application;
	int64_t version;
	int64_t objects;
};

static int read_stamp(struct bw_store *s, void *arg, struct bw_err *err)
{
	struct stamp *x = arg;
	int rc = ask_number(s, "PRAGMA application_id", &x->application, err);

	if (rc == 0)
		rc = ask_version(s, &x->version, err);
	return rc < 0 ? rc : ask_number(s, "SELECT count(*) FROM sqlite_schema", &x->objects, err);
}

/* Of one moment: another process may be making this very database. */
int bw_schema_check(struct bw_store *s, struct bw_err *err)
{
	struct stamp x = {0};
	int rc = bw_sql_view(s, read_stamp, &x, err);

	if (rc < 0)
		return rc;
	if (x.application == 0 && x.version == 0 && x.objects == 0)
		return 0; /* new, or an empty file made by hand */
	if (x.application != BW_SCHEMA_APPLICATION)
		return bw_fail(err, BW_E_FOREIGN,
			       "%s: this is the database of another program and is left alone: name another "
			       "file with "
			       "--db",
			       s->path);
	if (x.version > NEWEST)
		return bw_fail(
			err, BW_E_FOREIGN,
			"%s: this database is of a newer basewatch (schema %lld, this program knows %lld): "
			"update this program, or name another file with --db",
			s->path, (long long)x.version, (long long)NEWEST);
	return 0;
}

static int add_uuid(struct bw_store *s, struct bw_err *err)
{
	unsigned char b[16];
	char text[BW_STORE_UUID_MAX];
	sqlite3_stmt *q = NULL;
	int rc;

	/* 16 bytes never come in parts (getrandom(2)). */
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return bw_fail(err, BW_E_SYS, "%s: the system has no random numbers", s->path);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4, RFC 9562 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	(void)snprintf(text, sizeof(text),
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		       b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		       b[15]);
	rc = sqlite3_prepare_v2(s->db, "INSERT INTO meta(key, value) VALUES('uuid', ?1)", -1, &q, NULL);
	if (rc == SQLITE_OK) {
		bw_sql_bind_text(q, 1, text);
		rc = sqlite3_step(q);
	}
	rc = rc == SQLITE_DONE ? 0 : bw_store_fault(s, rc, err);
	(void)sqlite3_finalize(q);
	return rc;
}

/* One step, unless another process has taken it while we waited for the lock. */
static int take_step(struct bw_store *s, void *arg, struct bw_err *err)
{
	int64_t wanted = *(const int64_t *)arg, version = 0;
	int rc = ask_version(s, &version, err);

	if (rc < 0 || version >= wanted)
		return rc;
	for (const char *const *sql = steps[wanted - 1]; *sql; sql++) {
		int code = sqlite3_exec(s->db, *sql, NULL, NULL, NULL);

		if (code != SQLITE_OK)
			return bw_store_fault(s, code, err);
	}
	return wanted == 1 ? add_uuid(s, err) : 0;
}

static int read_uuid(struct bw_store *s, struct bw_err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = 'uuid'", -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		const char *text = bw_sql_column(q, 0);

		(void)snprintf(s->uuid, sizeof(s->uuid), "%s", text ? text : "");
		rc = bw_sql_columns_ok(s, err);
	} else if (rc == SQLITE_DONE) {
		rc = bw_store_fault(s, SQLITE_CORRUPT, err); /* the first step wrote one */
	} else {
		rc = bw_store_fault(s, rc, err);
	}
	(void)sqlite3_finalize(q);
	return rc;
}

int bw_schema_accept(struct bw_store *s, struct bw_err *err)
{
	int64_t version = 0;
	int rc = ask_version(s, &version, err);

	if (rc < 0 || version == NEWEST)
		return rc < 0 ? rc : read_uuid(s, err);
	if (version == 0)
		return bw_fail(err, BW_E_FOREIGN,
			       "%s: this file is empty: `basewatch check` makes a database of it", s->path);
	return bw_fail(err, BW_E_FOREIGN,
		       "%s: this database is of an older basewatch (schema %lld, this program has %lld): "
		       "`basewatch check` brings it up to date",
		       s->path, (long long)version, (long long)NEWEST);
}

int bw_schema_migrate(struct bw_store *s, struct bw_err *err)
{
	int64_t version = 0;
	int rc = ask_version(s, &version, err);

	while (rc == 0 && version < NEWEST) {
		version++;
		rc = bw_sql_tx(s, take_step, &version, err);
	}
	return rc < 0 ? rc : read_uuid(s, err);
}
