/*
 * statement.c - the text of every statement. CROSS JOIN is SQLite's way to fix the order of the tables: the plan is
 * chosen here, where it is known which side is the small one, and not by statistics that nobody gathers.
 */
#include "store/statement.h"

#include <assert.h>

/* A use that needs an answer: the target needs its stage, and no annotation holds now (?1). */
#define IS_WANTED "u.reachable AND u.ignored_until <= ?1"

#define NO_TROUBLE                                                                                 \
	"trouble = NULL, trouble_message = NULL, trouble_since = NULL, failures = 0, waited = 0, " \
	"retry_after = NULL"
#define RECOVERED  "reach = CASE reach WHEN 1 THEN 2 ELSE reach END" /* to be told */
#define CHECKED_AT "checked_at = max(checked_at, ?2)"		     /* never moves backwards */

#define NOT_REQUESTED \
	"requested_digest = NULL, requested_at = NULL, reminders = 0, reminded_at = NULL, pending = 0"

/* The state p of a base, and its last sighting x, where it has been seen. */
#define CURRENT_OF(id) " poll p ON p.base_id = " id " CROSS JOIN sighting x ON x.id = p.sighting_id"
#define WAS_SEEN_AT(digest) \
	"EXISTS(SELECT 1 FROM sighting y WHERE y.base_id = u.base_id AND y.digest = " digest ")"

/*
 * ?1 the source, ?2 a path: itself and everything below it, '' for all. '0' is the character behind '/', and a blob is
 * greater than any text; so this is a range of the index, of which only the neighbours ("a.x" of "a") are left out.
 */
#define IS_BELOW                                                                                      \
	"f.source_id = ?1 AND f.path >= ?2 AND f.path < CASE ?2 WHEN '' THEN x'' ELSE ?2 || '0' END " \
	"AND (?2 = '' OR f.path = ?2 OR f.path > ?2 || '/')"

#define WANTED_COLUMNS                                                                           \
	"u.base_id, b.registry, b.repository, b.tag, x.digest, p.failures, p.waited, p.trouble," \
	" p.checked_at"

/*
 * Is the build of a use a stranger's, of a git repository? For few uses each build is looked up; for many the list of those
 * builds, which is made once, is cheaper.
 */
#define IS_FOREIGN "(SELECT s.url IS NOT NULL FROM build t" FILE_OF_BUILD " WHERE t.id = u.build_id)"
#define IS_FOREIGN_OF_MANY                                                 \
	"u.build_id IN (SELECT t.id FROM source s CROSS JOIN build_file f" \
	" ON f.source_id = s.id CROSS JOIN build t ON t.build_file_id = f.id WHERE s.url IS NOT NULL)"
/* The chosen builds that need an answer of base ?2, each once: one may name it in thousands of lines. */
#define NEEDING                                                                               \
	"(SELECT DISTINCT u.build_id FROM use u INDEXED BY use_base CROSS JOIN temp.chosen c" \
	" ON c.build_id = u.build_id WHERE u.base_id = ?2 AND " IS_WANTED ")"
/* Are all of them strangers', of git repositories? */
#define IS_BASE_FOREIGN                                                                                \
	"NOT EXISTS(SELECT 1 FROM " NEEDING " n CROSS JOIN build t ON t.id = n.build_id" FILE_OF_BUILD \
	" WHERE s.url IS NULL)"

/* A pair without a row stands on what the tag has: nothing has moved since the build names the base (schema.c). */
#define HANDLED "CASE WHEN o.base_id IS NULL THEN x.digest ELSE o.handled END"

/*
 * Does it count for a build that a base went from one digest to another? For the uses that the tag moves: pinned ones
 * stay where they are, the target does not need all of them, and those ignored now decide nothing. What nobody has
 * compared counts; so it does for a build that has no such use any more, until it has one again.
 */
#define COUNTS_FOR(base, build, from, to, now)                                                            \
	"coalesce((SELECT max(coalesce(class_counts(k.class), 1)) FROM use v INDEXED BY use_base"         \
	" LEFT JOIN comparison k ON k.base_id = v.base_id AND k.to_digest = " to                          \
	" AND k.from_digest = " from " AND k.platform = coalesce(v.platform, '') WHERE v.base_id = " base \
	" AND v.build_id = " build " AND v.reachable AND v.ignored_until <= " now                         \
	" AND v.pinned IS NULL), 1)"
#define PAIR_COUNTS(to, now) \
	COUNTS_FOR("outstanding.base_id", "outstanding.build_id", "outstanding.handled", to, now)

/* The number of the newest sighting of a base with this digest. */
#define LAST_SEEN_AT(base, digest)                                                           \
	"(SELECT y.number FROM sighting y WHERE y.base_id = " base " AND y.digest = " digest \
	" ORDER BY y.number DESC LIMIT 1)"

/* In the order of the reader (row.c), which asks for the names of a build when another build begins. */
#define USE_COLUMNS                                                                           \
	"u.build_id, u.line, u.role, u.stage, u.platform, u.written, u.pinned, u.reachable, " \
	"u.ignored, u.ignored_until"
#define NO_USE_COLUMNS "t.id, t.problem_line, NULL, NULL, NULL, NULL, NULL, 1, NULL, 0"
#define BASE_COLUMNS                                                                               \
	"u.base_id, b.registry, b.repository, b.tag, p.checked_at, p.trouble, p.trouble_message, " \
	"p.trouble_since, p.retry_after, x.digest, x.seen_at, x.media_type, x.number, "            \
	"o.base_id, o.handled, o.stale_since, o.evidence, o.closed_at"
#define JOIN_PLACE " CROSS JOIN build t ON t.id = c.build_id" FILE_OF_BUILD
#define FILE_OF_BUILD                                        \
	" CROSS JOIN build_file f ON f.id = t.build_file_id" \
	" CROSS JOIN source s ON s.id = f.source_id"
#define JOIN_PAIR " LEFT JOIN outstanding o ON o.base_id = u.base_id AND o.build_id = u.build_id"
#define LEFT_JOIN_CURRENT_OF(id) \
	" LEFT JOIN poll p ON p.base_id = " id " LEFT JOIN sighting x ON x.id = p.sighting_id"
#define LEFT_JOIN_CURRENT LEFT_JOIN_CURRENT_OF("u.base_id")
#define BASES_THEN_USES                                                                              \
	" FROM base b INDEXED BY base_name CROSS JOIN use u INDEXED BY use_base ON u.base_id = b.id" \
	" CROSS JOIN temp.chosen c ON c.build_id = u.build_id"
#define ROW_COLUMNS USE_COLUMNS ", " BASE_COLUMNS
#define ROW_JOINS   JOIN_PLACE LEFT_JOIN_CURRENT JOIN_PAIR
#define BASE_ORDER  " ORDER BY b.registry, b.repository, b.tag"
#define ROW_ORDER   BASE_ORDER ", s.name, f.path, t.target, u.id"

/* What done.c looks at; `builds` has the ids. */
#define PAIRS_OF(builds)                                                                                    \
	"SELECT u.build_id, u.base_id, " HANDLED " IS x.digest, o.stale_since IS NOT NULL, ?1 IS x.digest," \
	" NOT " COUNTS_FOR("u.base_id", "u.build_id", "?1", "x.digest", "?2") ", " WAS_SEEN_AT(             \
		"?1") " FROM " builds " c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NULL" \
		      " CROSS JOIN" CURRENT_OF("u.base_id") JOIN_PAIR " GROUP BY u.build_id, u.base_id"
#define PINNED_PAIRS_OF(builds)                                                                    \
	"SELECT u.build_id, u.base_id, u.pinned, u.platform, x.digest, x.media_type," WAS_SEEN_AT( \
		"?2") " FROM " builds                                                              \
		      " c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NOT NULL"    \
		      " CROSS JOIN" CURRENT_OF("u.base_id") " WHERE " IS_WANTED                    \
							    " ORDER BY u.base_id, u.build_id"

#define HISTORY_OF(bases)                                                                           \
	"SELECT b.registry || '/' || b.repository || ':' || b.tag, y.number, y.seen_at, y.digest, " \
	"z.digest, h.class, h.moved FROM " bases " CROSS JOIN sighting y ON y.base_id = b.id"       \
	" LEFT JOIN sighting z ON z.base_id = y.base_id AND z.number = y.number - 1"                \
	" LEFT JOIN change h ON h.base_id = y.base_id AND h.number = y.number"
#define HISTORY_ORDER BASE_ORDER ", y.number"

/* Uses without a base and broken files: by source, path, line, target and place in the file. */
#define OTHER_USES USE_COLUMNS ", NULL, u.is_scratch, u.unresolved, s.name, f.path, t.target, u.id"
#define OTHERS_END                                                                         \
	" WHERE u.base_id IS NULL UNION ALL SELECT " NO_USE_COLUMNS                        \
	", t.problem, 0, NULL, s.name, f.path, t.target, -1 FROM temp.chosen c" JOIN_PLACE \
	" WHERE t.problem IS NOT NULL ORDER BY 14, 15, 2, 16, 17"

/* A sink that is there, and gets events of this type: "io.basewatch." is cut off. */
#define IS_TAKEN_BY_SINK \
	"k.removed_at IS NULL AND (k.types IS NULL OR instr(k.types, ' ' || substr(e.type, 14) || ' ') > 0)"
#define SINKS_OF_EVENT                                                                           \
	"SELECT k.id, k.expire_ms, e.subject FROM event e CROSS JOIN sink k WHERE e.number = ?1" \
	" AND " IS_TAKEN_BY_SINK
#define DELIVERY_COLUMNS                                                                          \
	"d.id, k.name, e.id, e.type, e.subject, e.json, d.attempts, d.created_at, d.expires_at, " \
	"d.next_at, d.state, d.error, d.ended_at, e.at, e.suppressed"
/* ?1 since, ?2 a sink or NULL for all, ?3 only suppressed ones. */
#define EVENTS_OF(deliveries)                                                                      \
	"SELECT " DELIVERY_COLUMNS " FROM event e" deliveries " WHERE e.at >= ?1 AND (?2 IS NULL " \
	"OR k.name = ?2) AND (NOT ?3 OR e.suppressed IS NOT NULL) ORDER BY e.number, d.id"

/* clang-format off */
static const char *const texts[BW_SQL_COUNT] = {
	[BW_SQL_BEGIN_READ] = "BEGIN",
	[BW_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[BW_SQL_COMMIT] = "COMMIT",

	/* --- what scans found ------------------------------------------------------------------------- */

	[BW_SQL_BUILD_FIND] =
		"SELECT t.id, t.fingerprint, t.problem, t.problem_line, t.ended_at IS NOT NULL, f.is_template, s.root,"
		" t.image, t.labels FROM source s"
		" CROSS JOIN build_file f ON f.source_id = s.id AND f.path = ?2"
		" CROSS JOIN build t ON t.build_file_id = f.id AND t.target = ?3"
		" WHERE s.name = ?1",
	[BW_SQL_SOURCE_PUT] =
		"INSERT INTO source(name, root) VALUES(?1, ?2)"
		" ON CONFLICT(name) DO UPDATE SET root = excluded.root RETURNING id",
	[BW_SQL_FILE_PUT] =
		"INSERT INTO build_file(source_id, path, is_template, first_seen) VALUES(?1, ?2, ?3, ?4)"
		" ON CONFLICT(source_id, path) DO UPDATE SET is_template = excluded.is_template, ended_at = NULL"
		" RETURNING id",
	[BW_SQL_BUILD_PUT] =
		"INSERT INTO build(build_file_id, target, fingerprint, problem, problem_line, first_seen, image, labels)"
		" VALUES(?1, ?2, coalesce(?3, ''), ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT(build_file_id, target) DO UPDATE SET fingerprint = coalesce(?3, fingerprint),"
		" problem = ?4, problem_line = ?5, ended_at = NULL, image = ?7, labels = ?8 RETURNING id",
	[BW_SQL_USES_DROP] = "DELETE FROM use WHERE build_id = ?1",
	[BW_SQL_USE_ADD] =
		"INSERT INTO use(build_id, base_id, reachable, ignored_until, line, role, stage, platform,"
		" written, pinned, ignored, unresolved, is_scratch, line_column, byte_start, byte_end, arg_line,"
		" arg_column, arg_start, arg_end, patch)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
	[BW_SQL_BASE_FIND] = "SELECT id FROM base WHERE registry = ?1 AND repository = ?2 AND tag = ?3",
	[BW_SQL_BASE_ADD] =
		"INSERT INTO base(registry, repository, tag) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
	[BW_SQL_PAIRS_KEEP] =
		"INSERT INTO outstanding(base_id, build_id, handled) SELECT u.base_id, u.build_id, x.digest"
		" FROM use u CROSS JOIN" CURRENT_OF("u.base_id") " WHERE u.build_id = ?1"
		" ON CONFLICT DO NOTHING",
	[BW_SQL_PAIR_NAME] =
		"INSERT INTO outstanding(base_id, build_id) SELECT base_id, ?2 FROM poll"
		" WHERE base_id = ?1 AND sighting_id IS NOT NULL ON CONFLICT DO NOTHING",
	[BW_SQL_BASE_NAMED] = "UPDATE poll SET newly_named = 1 WHERE base_id = ?1 AND newly_named = 0",

	/* --- branches of git repositories: with a problem ?6 the rest stays as it was known ------------ */

	[BW_SQL_GIT_SOURCE_PUT] =
		"INSERT INTO source(name, root, url, branch, commit_id, checked_at, problem, problem_since)"
		" VALUES(?1, '', ?2, ?3, CASE WHEN ?6 IS NULL THEN ?4 END, ?5, ?6, CASE WHEN ?6 IS NOT NULL THEN ?5 END)"
		" ON CONFLICT(name) DO UPDATE SET url = excluded.url, branch = excluded.branch,"
		" commit_id = coalesce(excluded.commit_id, commit_id), checked_at = excluded.checked_at,"
		" problem = excluded.problem,"
		" problem_since = CASE WHEN ?6 IS NOT NULL THEN coalesce(problem_since, ?5) END",
	[BW_SQL_GIT_SOURCES] =
		"SELECT name, url, branch, commit_id, checked_at, problem, problem_since,"
		" EXISTS(SELECT 1 FROM build_file f JOIN build t ON t.build_file_id = f.id"
		"  JOIN temp.chosen c ON c.build_id = t.id WHERE f.source_id = source.id)"
		" FROM source WHERE url IS NOT NULL AND (?1 IS NULL OR name = ?1) ORDER BY name",

	[BW_SQL_GAPS] = "SELECT place, problem, since FROM gap WHERE source_key = ?1 ORDER BY place",
	[BW_SQL_GAPS_DROP] = "DELETE FROM gap WHERE source_key = ?1",
	[BW_SQL_GAP_ADD] =
		"INSERT OR REPLACE INTO gap(source_key, place, problem, since) VALUES(?1, ?2, ?3, ?4)",

	/* --- which builds are meant; REPLACE, so that those chosen already count as matches ----------- */

	[BW_SQL_CHOOSE_ONE] = "INSERT OR REPLACE INTO temp.chosen(build_id) VALUES(?1)",
	[BW_SQL_UNCHOOSE_ONE] = "DELETE FROM temp.chosen WHERE build_id = ?1",
	[BW_SQL_CHOOSE_NONE] = "DELETE FROM temp.chosen",
	[BW_SQL_CHOOSE_ALL] =
		"INSERT OR REPLACE INTO temp.chosen(build_id) SELECT id FROM build WHERE ended_at IS NULL",
	[BW_SQL_CHOOSE_BELOW] =
		"INSERT OR REPLACE INTO temp.chosen(build_id) SELECT t.id FROM build_file f"
		" CROSS JOIN build t ON t.build_file_id = f.id AND t.ended_at IS NULL WHERE " IS_BELOW,
	[BW_SQL_KEEP_TARGET] =
		"DELETE FROM temp.chosen WHERE build_id NOT IN"
		"(SELECT t.id FROM temp.chosen c CROSS JOIN build t ON t.id = c.build_id AND t.target = ?1)",
	[BW_SQL_CHOSEN_COUNT] =
		"SELECT count(*) FROM temp.chosen c CROSS JOIN build t ON t.id = c.build_id",
	[BW_SQL_CHOSEN_LOST] =
		"SELECT c.build_id FROM temp.chosen c WHERE NOT EXISTS"
		"(SELECT 1 FROM build t WHERE t.id = c.build_id AND t.ended_at IS NULL) ORDER BY c.build_id",
	/* Up to here sorting their uses is cheap in time and memory; beyond, the order of base_name serves. */
	[BW_SQL_CHOSEN_IS_WIDE] =
		"SELECT count(*) > 2000 FROM (SELECT 1 FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id"
		" LIMIT 2001)",
	/* Have the builds got their ids in the order of their names, as a first scan gives them? */
	[BW_SQL_CHOSEN_IS_IN_ORDER] =
		"SELECT NOT EXISTS(SELECT 1 FROM temp.chosen c" JOIN_PLACE
		" CROSS JOIN build t2 ON t2.id = (SELECT n.build_id FROM temp.chosen n CROSS JOIN build e ON e.id = n.build_id"
		" WHERE n.build_id > c.build_id ORDER BY n.build_id LIMIT 1)"
		" CROSS JOIN build_file f2 ON f2.id = t2.build_file_id CROSS JOIN source s2 ON s2.id = f2.source_id"
		" WHERE (s.name, f.path, t.target) > (s2.name, f2.path, t2.target))",
	[BW_SQL_SOURCES] = "SELECT id, root FROM source WHERE url IS NULL",
	[BW_SQL_SOURCE_FIND] = "SELECT id, root FROM source WHERE name = ?1",
	[BW_SQL_FILES_BELOW] =
		"SELECT f.id, f.path FROM build_file f WHERE " IS_BELOW " AND f.ended_at IS NULL AND NOT EXISTS"
		"(SELECT 1 FROM build t CROSS JOIN temp.chosen c ON c.build_id = t.id WHERE t.build_file_id = f.id)",
	[BW_SQL_BUILDS_BELOW] =
		"SELECT t.id, f.path, t.target FROM build_file f"
		" CROSS JOIN build t ON t.build_file_id = f.id AND t.ended_at IS NULL WHERE " IS_BELOW
		" ORDER BY f.path, t.target",
	/* The live builds of the file of ?1 that nobody means any more. */
	[BW_SQL_OTHERS_FIND] =
		"SELECT 1 FROM build n CROSS JOIN build t ON t.build_file_id = n.build_file_id AND t.ended_at IS NULL"
		" WHERE n.id = ?1 AND t.id NOT IN (SELECT c.build_id FROM temp.chosen c) LIMIT 1",
	[BW_SQL_OTHERS_END] =
		"UPDATE build SET ended_at = ?2 WHERE build_file_id = (SELECT n.build_file_id FROM build n WHERE n.id = ?1)"
		" AND ended_at IS NULL AND id NOT IN (SELECT c.build_id FROM temp.chosen c)",
	[BW_SQL_FILE_END] = "UPDATE build_file SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL",
	[BW_SQL_BUILDS_END] = "UPDATE build SET ended_at = ?2 WHERE build_file_id = ?1 AND ended_at IS NULL",

	/* --- what people say of builds; ?1 the digest that they name, or NULL ------------------------- */

	[BW_SQL_PAIRS] = PAIRS_OF("temp.chosen"),
	[BW_SQL_PINNED_PAIRS] = PINNED_PAIRS_OF("temp.chosen"),
	/* The same of one build, ?3, chosen or not; and by what the live ones are known (identity.c). */
	[BW_SQL_PAIRS_OF_BUILD] = PAIRS_OF("(SELECT ?3 AS build_id)"),
	[BW_SQL_PINNED_PAIRS_OF_BUILD] = PINNED_PAIRS_OF("(SELECT ?3 AS build_id)"),
	[BW_SQL_BUILD_NAMES] =
		"SELECT t.id, s.name, f.path, t.target FROM build t" FILE_OF_BUILD " WHERE t.ended_at IS NULL",
	[BW_SQL_BUILD_NAMES_OF] =
		"SELECT t.id, s.name, f.path, t.target FROM build t" FILE_OF_BUILD
		" WHERE t.id = ?1 AND t.ended_at IS NULL",
	[BW_SQL_HANDLE_CURRENT] =
		"INSERT INTO outstanding(base_id, build_id, handled, closed_at, evidence)"
		" SELECT p.base_id, ?2, x.digest, ?3, ?6 FROM poll p CROSS JOIN sighting x ON x.id = p.sighting_id WHERE p.base_id = ?1"
		" ON CONFLICT(base_id, build_id) DO UPDATE SET handled = excluded.handled, stale_since = NULL,"
		" closed_at = excluded.closed_at, evidence = excluded.evidence, " NOT_REQUESTED,
	/* ?5: it has the content that the tag has now. */
	[BW_SQL_HANDLE_OLDER] =
		"INSERT INTO outstanding(base_id, build_id, handled, stale_since, closed_at, evidence)"
		" SELECT p.base_id, ?2, ?4, iif(?5, NULL, x.seen_at), iif(?5, ?3, NULL), iif(?5, ?6, NULL)"
		" FROM poll p CROSS JOIN sighting x ON x.id = p.sighting_id WHERE p.base_id = ?1"
		" ON CONFLICT(base_id, build_id) DO UPDATE SET handled = excluded.handled,"
		" stale_since = iif(?5, NULL, coalesce(stale_since, excluded.stale_since)),"
		" closed_at = excluded.closed_at, evidence = excluded.evidence,"
		" requested_digest = iif(?5, NULL, requested_digest), requested_at = iif(?5, NULL, requested_at),"
		" pending = iif(?5, 0, pending)",
	/*
	 * As PAIRS, of event ?1 and the digests that it asks for. A build that stands on something newer already is left
	 * alone: jobs may end in another order than they began.
	 */
	[BW_SQL_EVENT_PAIRS] =
		"SELECT e.build_id, r.base_id, " HANDLED " IS x.digest, o.stale_since IS NOT NULL,"
		" r.digest IS x.digest, NOT " COUNTS_FOR("r.base_id", "e.build_id", "r.digest", "x.digest", "?2") ", 1, r.digest"
		" FROM event e CROSS JOIN request r ON r.event = e.number CROSS JOIN" CURRENT_OF("r.base_id")
		" LEFT JOIN outstanding o ON o.base_id = r.base_id AND o.build_id = e.build_id"
		" WHERE e.number = ?1 AND e.build_id IS NOT NULL AND coalesce(" LAST_SEEN_AT("r.base_id", "o.handled")
		", 0) <= " LAST_SEEN_AT("r.base_id", "r.digest"),
	[BW_SQL_CHOSEN_FILES] =
		"SELECT count(DISTINCT t.build_file_id) FROM temp.chosen c CROSS JOIN build t ON t.id = c.build_id",
	[BW_SQL_FORGET_BUILDS] = "DELETE FROM build WHERE id IN (SELECT build_id FROM temp.chosen)",
	[BW_SQL_FORGET_FILES] =
		"DELETE FROM build_file WHERE NOT EXISTS"
		"(SELECT 1 FROM build t WHERE t.build_file_id = build_file.id)",

	/* --- what the registries say ------------------------------------------------------------------ */

	[BW_SQL_WANTED_COUNT] =
		"SELECT count(DISTINCT u.base_id) FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id"
		" WHERE " IS_WANTED,
	/* Once per use; the reader (base.c) makes one base of them, which is foreign when all of its uses are. */
	[BW_SQL_WANTED_FEW] =
		"SELECT " WANTED_COLUMNS ", " IS_FOREIGN
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id CROSS JOIN base b ON b.id = u.base_id"
		LEFT_JOIN_CURRENT " WHERE " IS_WANTED BASE_ORDER,
	[BW_SQL_WANTED_MANY] =
		"SELECT " WANTED_COLUMNS ", " IS_FOREIGN_OF_MANY
		" FROM base b INDEXED BY base_name CROSS JOIN use u INDEXED BY use_base ON u.base_id = b.id"
		" CROSS JOIN temp.chosen c ON c.build_id = u.build_id" LEFT_JOIN_CURRENT " WHERE " IS_WANTED BASE_ORDER,
	[BW_SQL_POLLS] =
		"SELECT b.id, b.registry, b.repository, b.tag, p.checked_at, p.failures, p.trouble, p.retry_after"
		" FROM base b LEFT JOIN poll p ON p.base_id = b.id"
		" WHERE EXISTS(SELECT 1 FROM use u INDEXED BY use_base CROSS JOIN temp.chosen c ON c.build_id = u.build_id"
		" WHERE u.base_id = b.id AND " IS_WANTED ")",
	/* ?2 the base. */
	[BW_SQL_POLL_BASE] =
		"SELECT b.id, b.registry, b.repository, b.tag, x.digest, p.failures, p.waited, p.trouble, p.checked_at, " IS_BASE_FOREIGN
		" FROM base b" LEFT_JOIN_CURRENT_OF("b.id") " WHERE b.id = ?2 AND EXISTS(SELECT 1 FROM " NEEDING " n)",
	[BW_SQL_BASE_IS_FOREIGN] = "SELECT " IS_BASE_FOREIGN,
	[BW_SQL_COMPANIONS] =
		"SELECT DISTINCT v.base_id FROM " NEEDING " met"
		" CROSS JOIN use v INDEXED BY use_build ON v.build_id = met.build_id"
		" WHERE v.base_id <> ?2 AND v.reachable AND v.ignored_until <= ?1 LIMIT ?3",
	/*
	 * Of all live builds, chosen or not: the change is recorded once for all of them. First what the tag has, which
	 * the change starts from, then what builds stand on besides.
	 */
	[BW_SQL_STANDS] =
		"SELECT x.digest, u.platform, 0 FROM use u INDEXED BY use_base CROSS JOIN build t ON t.id = u.build_id"
		" CROSS JOIN" CURRENT_OF("u.base_id")
		" WHERE u.base_id = ?1 AND u.reachable AND u.ignored_until <= ?2 AND t.ended_at IS NULL"
		" UNION SELECT o.handled, u.platform, 1 FROM use u INDEXED BY use_base CROSS JOIN build t ON t.id = u.build_id"
		" CROSS JOIN" CURRENT_OF("u.base_id")
		" CROSS JOIN outstanding o ON o.base_id = u.base_id AND o.build_id = u.build_id AND o.handled <> x.digest"
		" WHERE u.base_id = ?1 AND u.reachable AND u.ignored_until <= ?2 AND u.pinned IS NULL"
		" AND t.ended_at IS NULL ORDER BY 3, 1, 2",
	/* A platform that a build names since the base moved, or a body that could not be had when it did. */
	[BW_SQL_UNCOMPARED] =
		"SELECT DISTINCT " WANTED_COLUMNS ", o.handled, u.platform"
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NULL"
		" CROSS JOIN" CURRENT_OF("u.base_id")
		" CROSS JOIN outstanding o ON o.base_id = u.base_id AND o.build_id = u.build_id AND o.handled <> x.digest"
		" CROSS JOIN base b ON b.id = u.base_id"
		" WHERE " IS_WANTED " AND NOT EXISTS(SELECT 1 FROM comparison k WHERE k.base_id = u.base_id"
		" AND k.to_digest = x.digest AND k.from_digest = o.handled AND k.platform = coalesce(u.platform, ''))" BASE_ORDER
		", o.handled, u.platform",
	[BW_SQL_SIGHTING_FIND] = "SELECT " LAST_SEEN_AT("?1", "?2"),
	[BW_SQL_REGISTRY_FIND] = "SELECT 1 FROM registry WHERE name = ?1",
	[BW_SQL_REGISTRY_PUT] =
		"INSERT INTO registry(name, disagreed_at) VALUES(?1, ?2)"
		" ON CONFLICT(name) DO UPDATE SET disagreed_at = max(disagreed_at, ?2)",
	[BW_SQL_STANDINGS] = "SELECT registry, seen_at, granted, remaining, reserved, window_s, is_free, distance_ms, pause,"
			     " paused_until FROM standing ORDER BY registry",
	[BW_SQL_STANDING_PUT] = "REPLACE INTO standing(registry, seen_at, granted, remaining, reserved, window_s, is_free,"
				" distance_ms, pause, paused_until) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[BW_SQL_STANDING_FORGET] = "DELETE FROM standing WHERE registry = ?1",
	[BW_SQL_BASE_TOUCH] =
		"UPDATE poll SET checked_at = ?2, " NO_TROUBLE
		" WHERE base_id = ?1 AND sighting_id IS NOT NULL AND newly_named = 0 AND reach = 0 AND checked_at <= ?2",
	[BW_SQL_BASE_STATE] =
		"SELECT x.number, p.checked_at, p.newly_named, x.digest, x.media_type FROM base b" LEFT_JOIN_CURRENT_OF("b.id")
		" WHERE b.id = ?1",
	[BW_SQL_BASE_TROUBLE] =
		"INSERT INTO poll(base_id, checked_at, failures, newly_named, trouble, trouble_message, trouble_since,"
		" retry_after, waited) VALUES(?1, ?2, 1, 0, ?3, ?4, ?2, ?5, ?6)"
		" ON CONFLICT(base_id) DO UPDATE SET " CHECKED_AT ", trouble = ?3, trouble_message = ?4,"
		" trouble_since = coalesce(trouble_since, ?2), failures = failures + 1,"
		" waited = waited + ?6, retry_after = ?5",
	[BW_SQL_BASE_SAME] =
		"UPDATE poll SET " CHECKED_AT ", " NO_TROUBLE ", " RECOVERED ", newly_named = 0 WHERE base_id = ?1",
	/* After the sighting was added, whose id is ?3. */
	[BW_SQL_BASE_MOVED] =
		"INSERT INTO poll(base_id, sighting_id, checked_at, failures, newly_named) VALUES(?1, ?3, ?2, 0, 0)"
		" ON CONFLICT(base_id) DO UPDATE SET " CHECKED_AT ", " NO_TROUBLE ", " RECOVERED
		", sighting_id = ?3, newly_named = 0",
	[BW_SQL_SIGHTING_ADD] =
		"INSERT INTO sighting(base_id, number, seen_at, digest, media_type) VALUES(?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT(base_id, number) DO NOTHING",
	[BW_SQL_SIGHTING_TYPE] = "UPDATE sighting SET media_type = ?3 WHERE base_id = ?1 AND number = ?2",
	[BW_SQL_CHANGE_ADD] = "INSERT INTO change(base_id, number, class, moved) VALUES(?1, ?2, ?3, ?4)",
	[BW_SQL_COMPARISON_ADD] =
		"INSERT INTO comparison(base_id, from_digest, to_digest, platform, class, moved)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET class = excluded.class, moved = excluded.moved",
	[BW_SQL_PAIRS_START] = "UPDATE outstanding SET handled = ?2 WHERE base_id = ?1 AND handled IS NULL",
	[BW_SQL_PAIRS_FIX] =
		"INSERT INTO outstanding(base_id, build_id, handled)"
		" SELECT base_id, build_id, ?2 FROM use WHERE base_id = ?1 ON CONFLICT DO NOTHING",
	[BW_SQL_PAIRS_RETURNED] =
		"UPDATE outstanding SET stale_since = NULL, closed_at = ?3, evidence = 'returned', " NOT_REQUESTED
		" WHERE base_id = ?1 AND handled = ?2 AND stale_since IS NOT NULL",
	[BW_SQL_PAIRS_SAME] =
		"UPDATE outstanding SET stale_since = NULL, closed_at = ?3, evidence = 'same-content', " NOT_REQUESTED
		" WHERE base_id = ?1 AND handled <> ?2 AND NOT " PAIR_COUNTS("?2", "?3"),
	[BW_SQL_PAIRS_STALE] =
		"UPDATE outstanding SET stale_since = ?3, closed_at = NULL, evidence = NULL, pending = 1"
		" WHERE base_id = ?1 AND handled <> ?2 AND stale_since IS NULL AND " PAIR_COUNTS("?2", "?3"),
	/* ?4 the digest before the change. */
	[BW_SQL_PAIRS_PEND] =
		"UPDATE outstanding SET pending = 1 WHERE base_id = ?1 AND handled <> ?2 AND stale_since IS NOT NULL"
		" AND " COUNTS_FOR("outstanding.base_id", "outstanding.build_id", "?4", "?2", "?3"),
	[BW_SQL_PAIRS_PEND_ALL] = "UPDATE outstanding SET pending = 1 WHERE base_id = ?1 AND handled <> ?2",
	/*
	 * Builds that have become fresh at ?2, by themselves, because of base ?1, and stand on nothing else that is stale: what
	 * asks to rebuild them and was never tried. Found in the queues of their last request.
	 */
	[BW_SQL_DELIVERIES_WITHDRAW] =
		"UPDATE delivery SET state = 'superseded', is_first = 0, ended_at = ?2 WHERE id IN (SELECT d.id"
		" FROM outstanding o CROSS JOIN event e ON e.number = (SELECT n.number FROM event n INDEXED BY event_build"
		" WHERE n.build_id = o.build_id AND n.type = 'io.basewatch.rebuild.requested' ORDER BY n.number DESC LIMIT 1)"
		" CROSS JOIN delivery d INDEXED BY delivery_queue ON d.state = 'due' AND d.subject = e.subject AND d.attempts = 0"
		" CROSS JOIN event r ON r.number = d.event AND r.type = e.type"
		" WHERE o.base_id = ?1 AND o.closed_at = ?2 AND o.evidence IN ('returned', 'same-content')"
		" AND NOT EXISTS(SELECT 1 FROM outstanding z INDEXED BY outstanding_build"
		" WHERE z.build_id = o.build_id AND z.stale_since IS NOT NULL)) RETURNING subject",
	[BW_SQL_HISTORY] =
		HISTORY_OF("base b")
		" WHERE b.registry = ?1 AND b.repository = ?2 AND (?3 IS NULL OR b.tag = ?3)" HISTORY_ORDER,
	[BW_SQL_HISTORY_ALL] = HISTORY_OF("base b INDEXED BY base_name") HISTORY_ORDER,

	/* --- bodies ----------------------------------------------------------------------------------- */

	[BW_SQL_MANIFEST_FIND] = "SELECT kind, media_type, config, config_type FROM manifest WHERE digest = ?1",
	[BW_SQL_MANIFEST_ADD] =
		"INSERT INTO manifest(digest, media_type, kind, size, fetched_at, config, config_type)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
	[BW_SQL_CHILD_ADD] =
		"INSERT INTO manifest_child(manifest, ordinal, digest, media_type, size, os, os_version, arch, variant,"
		" is_attestation, annotations) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[BW_SQL_CHILDREN] =
		"SELECT digest, size, media_type, os, os_version, arch, variant, is_attestation, annotations"
		" FROM manifest_child WHERE manifest = ?1 ORDER BY ordinal",
	[BW_SQL_LAYER_ADD] = "INSERT INTO manifest_layer(manifest, ordinal, digest, size) VALUES(?1, ?2, ?3, ?4)",
	[BW_SQL_LAYERS] = "SELECT digest, size FROM manifest_layer WHERE manifest = ?1 ORDER BY ordinal",
	[BW_SQL_CONFIG_FIND] = "SELECT body FROM config WHERE digest = ?1",
	[BW_SQL_CONFIG_ADD] =
		"INSERT INTO config(digest, size, fetched_at, body) VALUES(?1, length(?3), ?2, ?3)"
		" ON CONFLICT DO NOTHING",
	[BW_SQL_MISSING_ANY] = "SELECT EXISTS(SELECT 1 FROM missing)",
	[BW_SQL_MISSING_FIND] = "SELECT trouble, message FROM missing WHERE base_id = ?1 AND digest = ?2",
	[BW_SQL_MISSING_PUT] =
		"INSERT INTO missing(base_id, digest, trouble, message, at) VALUES(?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT(base_id, digest) DO UPDATE SET trouble = excluded.trouble, message = excluded.message,"
		" at = excluded.at",
	[BW_SQL_MISSING_DROP] = "DELETE FROM missing WHERE base_id = ?1 AND digest = ?2",
	/* What the newest index of the base that has this image says it is for. */
	[BW_SQL_PIN_PLATFORM] =
		"SELECT h.os, h.os_version, h.arch, h.variant FROM sighting x CROSS JOIN manifest_child h"
		" ON h.manifest = x.digest AND h.digest = ?2 AND NOT h.is_attestation AND h.os <> ''"
		" WHERE x.base_id = ?1 ORDER BY x.number DESC, h.ordinal LIMIT 1",
	/* Builds that are pinned alike ask the same: once is enough. */
	[BW_SQL_DOUBTS] =
		"SELECT DISTINCT " WANTED_COLUMNS ", x.media_type, u.pinned, u.platform"
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NOT NULL"
		" CROSS JOIN base b ON b.id = u.base_id CROSS JOIN" CURRENT_OF("u.base_id")
		" WHERE " IS_WANTED " AND x.digest <> u.pinned" BASE_ORDER ", u.pinned, u.platform",

	/* --- rows ------------------------------------------------------------------------------------- */

	[BW_SQL_ROWS_FEW] =
		"SELECT " ROW_COLUMNS
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id CROSS JOIN base b ON b.id = u.base_id"
		ROW_JOINS ROW_ORDER,
	[BW_SQL_PLACE] =
		"SELECT s.name, f.path, t.target, f.is_template FROM build t" FILE_OF_BUILD " WHERE t.id = ?1",
	/* ?1 a base, ?2 the number of its last sighting: that before, the first, and the change between. */
	[BW_SQL_MOVE] =
		"SELECT y.digest, z.seen_at, h.class, h.moved FROM sighting y"
		" LEFT JOIN sighting z ON z.base_id = y.base_id AND z.number = 1"
		" LEFT JOIN change h ON h.base_id = y.base_id AND h.number = ?2"
		" WHERE y.base_id = ?1 AND y.number = ?2 - 1",
	[BW_SQL_MEANING] =
		"SELECT class, moved FROM comparison"
		" WHERE base_id = ?1 AND from_digest = ?2 AND to_digest = ?3 AND platform = ?4",
	[BW_SQL_PAIR_COUNTS] = "SELECT " COUNTS_FOR("?1", "?2", "?3", "?4", "?5"),
	/* Base by base in the order of the index: only the uses of one base are sorted at a time. */
	[BW_SQL_ROWS_MANY] = "SELECT " ROW_COLUMNS BASES_THEN_USES ROW_JOINS ROW_ORDER,
	/* The same where the ids of the builds are in the order of their names: nothing is sorted at all. */
	[BW_SQL_ROWS_MANY_IN_ORDER] =
		"SELECT " ROW_COLUMNS BASES_THEN_USES LEFT_JOIN_CURRENT JOIN_PAIR BASE_ORDER ", u.build_id, u.id",
	[BW_SQL_OTHERS_FEW] =
		"SELECT " OTHER_USES " FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id" JOIN_PLACE
		OTHERS_END,
	[BW_SQL_OTHERS_MANY] =
		"SELECT " OTHER_USES " FROM use u INDEXED BY use_base CROSS JOIN temp.chosen c ON c.build_id = u.build_id"
		JOIN_PLACE OTHERS_END,

	/* Of the chosen builds that use a base, in the order of their ids; and of a chosen build, its bases by theirs. */
	[BW_SQL_ROWS_OF_BASE] =
		"SELECT " ROW_COLUMNS
		" FROM use u INDEXED BY use_base CROSS JOIN temp.chosen c ON c.build_id = u.build_id"
		" CROSS JOIN base b ON b.id = u.base_id" LEFT_JOIN_CURRENT JOIN_PAIR
		" WHERE u.base_id = ?1 ORDER BY u.build_id, u.id",
	[BW_SQL_ROWS_OF_BUILD] =
		"SELECT " ROW_COLUMNS
		" FROM temp.chosen c CROSS JOIN use u INDEXED BY use_build ON u.build_id = c.build_id"
		" CROSS JOIN base b ON b.id = u.base_id" LEFT_JOIN_CURRENT JOIN_PAIR
		" WHERE c.build_id = ?1 ORDER BY u.base_id, u.id",
	[BW_SQL_OTHERS_OF_BUILD] =
		"SELECT " USE_COLUMNS ", NULL, u.is_scratch, u.unresolved FROM temp.chosen c"
		" CROSS JOIN use u INDEXED BY use_build ON u.build_id = c.build_id"
		" WHERE c.build_id = ?1 AND u.base_id IS NULL UNION ALL SELECT " NO_USE_COLUMNS ", t.problem, 0, NULL"
		" FROM temp.chosen c CROSS JOIN build t ON t.id = c.build_id"
		" WHERE c.build_id = ?1 AND t.problem IS NOT NULL",

	/* --- one base or build at a time --------------------------------------------------------------- */

	[BW_SQL_DATA_VERSION] = "PRAGMA data_version",
	[BW_SQL_BASES_AFTER] = "SELECT id FROM base WHERE id > ?1 ORDER BY id LIMIT ?2",
	[BW_SQL_BUILDS_AFTER] = "SELECT id FROM build WHERE id > ?1 ORDER BY id LIMIT ?2",
	[BW_SQL_BASE_STATE_OF] =
		"SELECT b.registry, b.repository, b.tag, x.digest, x.number, x.seen_at, z.digest, h.class, h.moved,"
		" p.trouble, p.trouble_message, p.trouble_since FROM base b" LEFT_JOIN_CURRENT_OF("b.id")
		" LEFT JOIN sighting z ON z.base_id = b.id AND z.number = x.number - 1"
		" LEFT JOIN change h ON h.base_id = b.id AND h.number = x.number WHERE b.id = ?1",
	[BW_SQL_BUILD_STATE_OF] =
		"SELECT s.name, f.path, t.target, s.url, s.branch, s.commit_id, s.problem, s.problem_since,"
		" t.ended_at IS NULL, EXISTS(SELECT 1 FROM temp.chosen c WHERE c.build_id = t.id), t.image, t.labels"
		" FROM build t" FILE_OF_BUILD " WHERE t.id = ?1",

	/* --- what is told ------------------------------------------------------------------------------ */

	[BW_SQL_FACT_BASE] =
		"SELECT b.registry, b.repository, b.tag, x.number, x.digest, p.trouble, p.trouble_message, p.trouble_since,"
		" p.failures, p.reach FROM base b" LEFT_JOIN_CURRENT_OF("b.id") " WHERE b.id = ?1",
	[BW_SQL_BASE_REACH] = "UPDATE poll SET reach = ?2 WHERE base_id = ?1",
	[BW_SQL_BASES_RECOVERED] = "SELECT base_id FROM poll INDEXED BY poll_recovered WHERE reach = 2",
	/*
	 * Of the chosen builds: who does not watch a build asks nobody for it, and leaves it to whoever does. In the order of
	 * the index, so that a few of many are found at once.
	 */
	[BW_SQL_BUILDS_PENDING] =
		"SELECT DISTINCT o.build_id FROM outstanding o INDEXED BY outstanding_pending"
		" CROSS JOIN temp.chosen c ON c.build_id = o.build_id CROSS JOIN build t ON t.id = o.build_id"
		" WHERE o.pending > 0 AND o.pending <= ?1 AND t.ended_at IS NULL LIMIT ?2",
	[BW_SQL_REQUEST_PLACE] =
		"SELECT s.name, f.path, t.target, s.url, s.branch, s.commit_id, t.image, t.labels FROM build t" FILE_OF_BUILD
		" WHERE t.id = ?1",
	/*
	 * Frontends are shown, and ask for nothing (design: the verdict), unless a rule says so (?3); neither do pairs that a
	 * change of the class index left fresh (?2). Those that were asked for stay in later requests, which contain the older.
	 */
	[BW_SQL_REQUEST_USES] =
		"SELECT u.base_id, b.registry, b.repository, b.tag, x.number, x.digest, x.media_type, o.handled,"
		" coalesce(o.stale_since, x.seen_at), u.line, u.role, u.stage, u.platform, u.pinned, u.ignored_until,"
		" u.patch FROM outstanding o INDEXED BY outstanding_build CROSS JOIN base b ON b.id = o.base_id"
		" CROSS JOIN use u INDEXED BY use_base ON u.base_id = o.base_id AND u.build_id = o.build_id"
		" CROSS JOIN" CURRENT_OF("o.base_id")
		" WHERE o.build_id = ?1 AND (o.stale_since IS NOT NULL OR (?2 AND o.handled <> x.digest"
		" AND (o.pending > 0 OR o.requested_digest = x.digest))) AND u.reachable AND (?3 OR u.role <> 'frontend')"
		BASE_ORDER ", u.id",
	[BW_SQL_REQUEST_ADD] = "INSERT INTO request(base_id, digest, event) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING",
	[BW_SQL_PAIR_REQUESTED] =
		"UPDATE outstanding SET requested_digest = ?2, requested_at = ?4, reminded_at = NULL"
		" WHERE base_id = ?1 AND build_id = ?3",
	/* Reminder ?5 asks for it again, or, where the rules had not let it before, for the first time. */
	[BW_SQL_PAIR_REMINDED] =
		"UPDATE outstanding SET requested_digest = ?2, requested_at = coalesce(requested_at, ?4), reminders = ?5"
		" WHERE base_id = ?1 AND build_id = ?3",
	/* Chosen builds that stay stale though they were asked for: how often they were reminded of, and when last. */
	[BW_SQL_BUILDS_REQUESTED] =
		"SELECT o.build_id, max(o.reminders), max(coalesce(o.reminded_at, o.requested_at))"
		" FROM outstanding o INDEXED BY outstanding_requested CROSS JOIN temp.chosen c ON c.build_id = o.build_id"
		" CROSS JOIN build t ON t.id = o.build_id"
		" WHERE o.requested_at IS NOT NULL AND o.stale_since IS NOT NULL AND t.ended_at IS NULL GROUP BY o.build_id",
	[BW_SQL_PAIRS_REMINDED] =
		"UPDATE outstanding SET reminded_at = ?2 WHERE build_id = ?1 AND requested_at IS NOT NULL",
	/* What the annotations kept from being asked for at ?2 is to be looked at again when the first of them ends. */
	[BW_SQL_PAIRS_SETTLED] =
		"UPDATE outstanding SET pending = CASE WHEN requested_digest = (SELECT x.digest FROM poll p"
		" CROSS JOIN sighting x ON x.id = p.sighting_id WHERE p.base_id = outstanding.base_id) THEN 0"
		" ELSE coalesce((SELECT min(v.ignored_until) FROM use v INDEXED BY use_base"
		" WHERE v.base_id = outstanding.base_id AND v.build_id = ?1 AND v.reachable"
		" AND v.ignored_until > ?2 AND v.ignored_until < ?3), 0) END WHERE build_id = ?1 AND pending > 0",
	[BW_SQL_PAIRS_RECONSIDER] = "UPDATE outstanding SET pending = 1 WHERE build_id = ?1 AND pending > 1",

	/* --- what is owed to whom ---------------------------------------------------------------------- */

	[BW_SQL_SINKS_REMOVE] = "UPDATE sink SET removed_at = ?1 WHERE removed_at IS NULL",
	[BW_SQL_SINK_PUT] =
		"INSERT INTO sink(name, types, confirms, first_seen, expire_ms) VALUES(?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT(name) DO UPDATE SET types = excluded.types, confirms = excluded.confirms,"
		" expire_ms = excluded.expire_ms, removed_at = NULL",
	[BW_SQL_EVENT_ADD] =
		"INSERT INTO event(id, type, subject, at, json, base_id, sighting, build_id, suppressed)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(id) DO NOTHING",
	/* ?1 an id or the beginning of one; 'g' is behind all hexadecimal digits. */
	[BW_SQL_EVENT_FIND] =
		"SELECT number, id, type, subject, at, json, build_id FROM event WHERE id >= ?1 AND id < ?1 || 'g'"
		" ORDER BY id LIMIT 2",
	[BW_SQL_EVENT_SUBJECT] = "SELECT subject FROM event WHERE number = ?1",
	/* ?2 sinks, each between line breaks, or NULL for all. */
	[BW_SQL_SINKS_OWED] =
		SINKS_OF_EVENT " AND (?2 IS NULL OR instr(?2, char(10) || k.name || char(10)) > 0)",
	/* ?2 a sink, or NULL for all. What is still due is not repeated. */
	[BW_SQL_SINKS_REPEAT] =
		SINKS_OF_EVENT " AND (?2 IS NULL OR k.name = ?2) AND NOT EXISTS"
		"(SELECT 1 FROM delivery d WHERE d.event = e.number AND d.sink_id = k.id AND d.state = 'due')",
	/* One row at a time: an INSERT with a SELECT that reads its own table would build a table of its own for each event. */
	[BW_SQL_DELIVERY_ADD] =
		"INSERT INTO delivery(sink_id, event, subject, state, is_first, attempts, created_at, expires_at, next_at)"
		" VALUES(?1, ?2, ?3, 'due', NOT EXISTS(SELECT 1 FROM delivery q INDEXED BY delivery_queue"
		" WHERE q.state = 'due' AND q.subject = ?3 AND q.sink_id = ?1), 0, ?4, ?5, ?4)",
	/* ?1 the event that has just got its deliveries, of build ?2: it contains what those sinks were not sent yet. */
	[BW_SQL_DELIVERIES_SUPERSEDE] =
		"UPDATE delivery SET state = 'superseded', is_first = 0, ended_at = ?3"
		" WHERE state = 'due' AND subject = ?2 AND event <> ?1"
		" AND sink_id IN (SELECT n.sink_id FROM delivery n WHERE n.event = ?1)"
		" AND (SELECT e.type FROM event e WHERE e.number = delivery.event) ="
		" (SELECT e.type FROM event e WHERE e.number = ?1)",
	/* The first of each queue of sink ?1 waits no longer. */
	[BW_SQL_DELIVERIES_HURRY] =
		"UPDATE delivery SET next_at = ?2 WHERE is_first = 1 AND next_at > ?2"
		" AND sink_id = (SELECT k.id FROM sink k WHERE k.name = ?1)",
	/* Nobody of this subject is the first ... */
	[BW_SQL_DELIVERIES_LAST] =
		"UPDATE delivery SET is_first = 0 WHERE state = 'due' AND subject = ?1 AND is_first = 1",
	/* ... until the first of the queue of each sink is it. */
	[BW_SQL_DELIVERIES_FIRST] =
		"UPDATE delivery SET is_first = 1 WHERE is_first = 0 AND id IN (SELECT (SELECT d.id FROM delivery d"
		" WHERE d.state = 'due' AND d.subject = ?1 AND d.sink_id = k.id ORDER BY d.id LIMIT 1) FROM sink k)",
	[BW_SQL_DELIVERIES_FIRST_ALL] =
		"UPDATE delivery SET is_first = 1 WHERE is_first = 0 AND id IN"
		"(SELECT min(d.id) FROM delivery d WHERE d.state = 'due' GROUP BY d.subject, d.sink_id)",
	[BW_SQL_DELIVERIES_DUE] =
		"SELECT " DELIVERY_COLUMNS
		" FROM sink k CROSS JOIN delivery d INDEXED BY delivery_first ON d.sink_id = k.id AND d.is_first = 1"
		" CROSS JOIN event e ON e.number = d.event"
		" WHERE k.name = ?1 AND d.next_at <= ?2 ORDER BY d.id LIMIT ?3",
	[BW_SQL_DELIVERIES_NEXT] =
		"SELECT d.next_at FROM sink k CROSS JOIN delivery d INDEXED BY delivery_next"
		" ON d.sink_id = k.id AND d.is_first = 1 WHERE k.name = ?1 ORDER BY d.next_at LIMIT 1",
	/* No RETURNING, and no IN: either would build a table of its own for each delivery. */
	/* What was on its way when it was superseded, and has arrived, was sent. */
	[BW_SQL_DELIVERY_END] =
		"UPDATE delivery SET state = ?2, is_first = 0, attempts = attempts + 1, ended_at = ?3, error = ?4"
		" WHERE id = ?1 AND (state = 'due' OR (state = 'superseded' AND ?2 = 'sent'))",
	[BW_SQL_SINKS_CONFIRM] = "SELECT EXISTS(SELECT 1 FROM sink WHERE confirms)",
	/* Its event, if its sink confirms. */
	[BW_SQL_DELIVERY_CONFIRMED] =
		"SELECT d.event FROM delivery d CROSS JOIN sink k ON k.id = d.sink_id WHERE d.id = ?1 AND k.confirms",
	/* Behind ?1, which has ended. */
	[BW_SQL_DELIVERY_NEXT] =
		"UPDATE delivery SET is_first = 1 WHERE is_first = 0 AND id = (SELECT q.id FROM delivery d"
		" CROSS JOIN delivery q INDEXED BY delivery_queue ON q.state = 'due' AND q.subject = d.subject"
		" AND q.sink_id = d.sink_id WHERE d.id = ?1 ORDER BY q.id LIMIT 1)",
	[BW_SQL_DELIVERY_RETRY] =
		"UPDATE delivery SET attempts = attempts + 1, next_at = ?2, error = ?3 WHERE id = ?1 AND state = 'due'",
	[BW_SQL_DELIVERIES_HAVE_EXPIRED] =
		"SELECT EXISTS(SELECT 1 FROM delivery WHERE state = 'due' AND expires_at <= ?1)",
	[BW_SQL_DELIVERIES_EXPIRE] =
		"UPDATE delivery SET state = 'dead', is_first = 0, ended_at = ?1, error = 'expired after ' || attempts ||"
		" CASE attempts WHEN 1 THEN ' attempt' ELSE ' attempts' END || coalesce(': ' || error, '')"
		" WHERE state = 'due' AND expires_at <= ?1",
	/* The dead deliveries of event ?1, to sink ?2 or all: due again at ?3, as if they had never been tried. */
	[BW_SQL_DELIVERIES_REVIVE] =
		"UPDATE delivery SET state = 'due', attempts = 0, next_at = ?3, ended_at = NULL,"
		" expires_at = ?3 + (SELECT k.expire_ms FROM sink k WHERE k.id = sink_id)"
		" WHERE state = 'dead' AND event = ?1"
		" AND (?2 IS NULL OR sink_id = (SELECT k.id FROM sink k WHERE k.name = ?2))",
	[BW_SQL_EVENTS] =
		EVENTS_OF(" LEFT JOIN delivery d ON d.event = e.number LEFT JOIN sink k ON k.id = d.sink_id"),
	[BW_SQL_EVENTS_DEAD] =
		EVENTS_OF(" CROSS JOIN delivery d ON d.event = e.number AND d.state = 'dead'"
			  " CROSS JOIN sink k ON k.id = d.sink_id"),

	/* --- is it well ------------------------------------------------------------------------------- */

	[BW_SQL_SCHEMA_VERSION] = "PRAGMA user_version",
	[BW_SQL_CHECK] = "PRAGMA quick_check(1)",
	[BW_SQL_DEBTS] =
		"SELECT k.name, k.removed_at IS NOT NULL,"
		" (SELECT count(*) FROM delivery d WHERE d.state = 'due' AND d.sink_id = k.id),"
		" (SELECT count(*) FROM delivery d WHERE d.state = 'dead' AND d.sink_id = k.id),"
		" (SELECT min(d.created_at) FROM delivery d WHERE d.state = 'due' AND d.sink_id = k.id),"
		" (SELECT min(d.ended_at) FROM delivery d WHERE d.state = 'dead' AND d.sink_id = k.id),"
		" (SELECT d.error FROM delivery d WHERE d.state = 'due' AND d.sink_id = k.id ORDER BY d.id LIMIT 1)"
		" FROM sink k ORDER BY k.name",
	/* Bare columns beside one min() are those of its row (SQLite, SELECT, 2.5). */
	[BW_SQL_AILING] =
		"SELECT b.registry, count(*), min(p.trouble_since), b.repository || ':' || b.tag, p.trouble_message"
		" FROM poll p CROSS JOIN base b ON b.id = p.base_id WHERE p.trouble IS NOT NULL"
		" AND EXISTS(SELECT 1 FROM use u INDEXED BY use_base CROSS JOIN build t ON t.id = u.build_id"
		" WHERE u.base_id = b.id AND u.reachable AND u.ignored_until <= ?1 AND t.ended_at IS NULL)"
		" GROUP BY b.registry ORDER BY b.registry",
	[BW_SQL_FOLDER_FILES] =
		"SELECT CASE s.name WHEN '' THEN f.path ELSE s.root || '/' || f.path END"
		" FROM build_file f CROSS JOIN source s ON s.id = f.source_id WHERE s.url IS NULL AND f.ended_at IS NULL",
};
/* clang-format on */

const char *bw_sql_text(enum bw_sql which)
{
	assert(texts[which]);
	return texts[which];
}
