/*
 * statement.c - the text of every statement. CROSS JOIN is SQLite's way to fix the order of the tables: the plan is
 * chosen here, where it is known which side is the small one, and not by statistics that nobody gathers.
 */
#include <assert.h>

#include "store/sql.h"

/* A use that needs an answer: the target needs its stage, and no annotation holds now (?1). */
#define IS_WANTED "u.reachable AND (u.ignored IS NULL OR u.ignored_until <= ?1)"

#define BASE_NAME "b.registry || '/' || b.repository || ':' || b.tag"
#define NO_TROUBLE                                                                     \
	"trouble = NULL, trouble_message = NULL, trouble_since = NULL, failures = 0, " \
	"retry_after = NULL"
#define CHECKED_AT "checked_at = max(coalesce(checked_at, 0), ?2)" /* never moves backwards */

/*
 * ?1 the source, ?2 a path: itself and everything below it, '' for all. '0' is the character behind '/', and a blob is
 * greater than any text; so this is a range of the index, of which only the neighbours ("a.x" of "a") are left out.
 */
#define IS_BELOW                                                                                      \
	"f.source_id = ?1 AND f.path >= ?2 AND f.path < CASE ?2 WHEN '' THEN x'' ELSE ?2 || '0' END " \
	"AND (?2 = '' OR f.path = ?2 OR f.path > ?2 || '/')"

#define WANTED_COLUMNS "b.id, b.registry, b.repository, b.tag, b.digest, b.trouble IS NOT NULL, b.media_type"

/* A pair without a row stands on what the tag has: nothing has moved since the build names the base (schema.c). */
#define HANDLED "CASE WHEN o.base_id IS NULL THEN b.digest ELSE o.handled END"

/* The same columns for every row; the reader (row.c) counts them. */
#define PLACE_COLUMNS "s.name, f.path, t.target, f.is_template"
#define USE_COLUMNS                                                                     \
	"NULL, u.line, u.role, u.stage, u.platform, u.written, u.pinned, u.reachable, " \
	"u.is_scratch, u.unresolved, u.ignored, u.ignored_until"
#define NO_USE_COLUMNS "t.problem, t.problem_line, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL"
#define BASE_COLUMNS                                                                    \
	"b.id, " BASE_NAME ", b.digest, b.media_type, b.first_seen, b.changed_at, "     \
	"b.digest_since, b.checked_at, b.trouble, b.trouble_message, b.trouble_since, " \
	"b.retry_after, "                                                               \
	"CASE WHEN b.sightings > 1 THEN (SELECT p.digest FROM sighting p"               \
	" WHERE p.base_id = b.id AND p.number = b.sightings - 1) END, "                 \
	"CASE WHEN b.sightings > 1 THEN (SELECT c.class FROM change c"                  \
	" WHERE c.base_id = b.id AND c.number = b.sightings) END, " HANDLED ", o.stale_since"
#define NO_BASE_COLUMNS                                                                     \
	"0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, " \
	"NULL, NULL"
#define JOIN_PLACE                                           \
	" CROSS JOIN build t ON t.id = c.build_id"           \
	" CROSS JOIN build_file f ON f.id = t.build_file_id" \
	" CROSS JOIN source s ON s.id = f.source_id"
#define JOIN_PAIR  " LEFT JOIN outstanding o ON o.base_id = u.base_id AND o.build_id = u.build_id"
#define BASE_ORDER " ORDER BY b.registry, b.repository, b.tag"
#define ROW_ORDER  BASE_ORDER ", s.name, f.path, t.target, u.ordinal"

/* Uses without a base and broken files: by source, path, line, target and ordinal. */
#define OTHER_USES PLACE_COLUMNS ", " USE_COLUMNS ", " NO_BASE_COLUMNS ", u.ordinal"
#define OTHERS_END                                                                                          \
	" WHERE u.base_id IS NULL UNION ALL SELECT " PLACE_COLUMNS ", " NO_USE_COLUMNS ", " NO_BASE_COLUMNS \
	", -1 FROM temp.chosen c" JOIN_PLACE " WHERE t.problem IS NOT NULL ORDER BY 1, 2, 6, 3, 33"

/* clang-format off */
static const char *const texts[BW_SQL_COUNT] = {
	[BW_SQL_BEGIN_READ] = "BEGIN",
	[BW_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[BW_SQL_COMMIT] = "COMMIT",

	/* --- what scans found ------------------------------------------------------------------------- */

	[BW_SQL_BUILD_FIND] =
		"SELECT t.id, t.fingerprint, t.problem, t.problem_line, t.ended_at IS NOT NULL, f.is_template, s.root"
		" FROM source s"
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
		"INSERT INTO build(build_file_id, target, fingerprint, problem, problem_line, first_seen)"
		" VALUES(?1, ?2, coalesce(?3, ''), ?4, ?5, ?6)"
		" ON CONFLICT(build_file_id, target) DO UPDATE SET fingerprint = coalesce(?3, fingerprint),"
		" problem = ?4, problem_line = ?5, ended_at = NULL RETURNING id",
	[BW_SQL_USES_DROP] = "DELETE FROM use WHERE build_id = ?1",
	[BW_SQL_USE_ADD] =
		"INSERT INTO use(build_id, ordinal, base_id, role, line, line_column, byte_start, byte_end, arg_line,"
		" arg_column, arg_start, arg_end, stage, platform, written, expanded, reference, pinned, unresolved,"
		" is_scratch, reachable, ignored, ignored_until)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"
		" ?21, ?22, ?23)",
	[BW_SQL_BASE_FIND] = "SELECT id FROM base WHERE registry = ?1 AND repository = ?2 AND tag = ?3",
	[BW_SQL_BASE_ADD] =
		"INSERT INTO base(registry, repository, tag, sightings, failures, newly_named)"
		" VALUES(?1, ?2, ?3, 0, 0, 0) ON CONFLICT DO NOTHING",
	[BW_SQL_PAIRS_KEEP] =
		"INSERT INTO outstanding(base_id, build_id, handled) SELECT u.base_id, u.build_id, b.digest"
		" FROM use u CROSS JOIN base b ON b.id = u.base_id AND b.digest IS NOT NULL WHERE u.build_id = ?1"
		" ON CONFLICT DO NOTHING",
	[BW_SQL_PAIR_NAME] =
		"INSERT INTO outstanding(base_id, build_id) SELECT id, ?2 FROM base"
		" WHERE id = ?1 AND digest IS NOT NULL ON CONFLICT DO NOTHING",
	[BW_SQL_BASE_NAMED] = "UPDATE base SET newly_named = 1 WHERE id = ?1 AND newly_named = 0",

	/* --- which builds are meant; REPLACE, so that those chosen already count as matches ----------- */

	[BW_SQL_CHOOSE_ONE] = "INSERT OR REPLACE INTO temp.chosen(build_id) VALUES(?1)",
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
	/* Up to here sorting their uses is cheap in time and memory; beyond, the order of base_name serves. */
	[BW_SQL_CHOSEN_IS_WIDE] =
		"SELECT count(*) > 2000 FROM (SELECT 1 FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id"
		" LIMIT 2001)",
	[BW_SQL_CHOSEN_NAMES] =
		"SELECT " PLACE_COLUMNS " FROM temp.chosen c" JOIN_PLACE " ORDER BY c.build_id",
	[BW_SQL_SOURCES] = "SELECT id, root FROM source",
	[BW_SQL_SOURCE_FIND] = "SELECT id, root FROM source WHERE name = ?1",
	[BW_SQL_FILES_BELOW] =
		"SELECT f.id, f.path FROM build_file f WHERE " IS_BELOW " AND f.ended_at IS NULL AND NOT EXISTS"
		"(SELECT 1 FROM build t CROSS JOIN temp.chosen c ON c.build_id = t.id WHERE t.build_file_id = f.id)",
	[BW_SQL_FILE_END] = "UPDATE build_file SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL",
	[BW_SQL_BUILDS_END] = "UPDATE build SET ended_at = ?2 WHERE build_file_id = ?1 AND ended_at IS NULL",

	/* --- what people say of builds; ?1 the digest that they name, or NULL ------------------------- */

	[BW_SQL_PAIRS] =
		"SELECT u.build_id, u.base_id, " HANDLED " IS b.digest, o.stale_since IS NOT NULL,"
		" ?1 IS b.digest, EXISTS(SELECT 1 FROM sighting x WHERE x.base_id = b.id AND x.digest = ?1)"
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NULL"
		" CROSS JOIN base b ON b.id = u.base_id AND b.digest IS NOT NULL" JOIN_PAIR
		" GROUP BY u.build_id, u.base_id",
	[BW_SQL_PINNED_PAIRS] =
		"SELECT u.build_id, u.base_id, u.pinned, u.platform, b.digest, b.media_type,"
		" EXISTS(SELECT 1 FROM sighting x WHERE x.base_id = b.id AND x.digest = ?2)"
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NOT NULL"
		" CROSS JOIN base b ON b.id = u.base_id AND b.digest IS NOT NULL"
		" WHERE " IS_WANTED " ORDER BY u.build_id, u.base_id",
	[BW_SQL_HANDLE_CURRENT] =
		"INSERT INTO outstanding(base_id, build_id, handled, closed_at, evidence)"
		" SELECT id, ?2, digest, ?3, 'done' FROM base WHERE id = ?1"
		" ON CONFLICT(base_id, build_id) DO UPDATE SET handled = excluded.handled, stale_since = NULL,"
		" closed_at = excluded.closed_at, evidence = excluded.evidence",
	[BW_SQL_HANDLE_OLDER] =
		"INSERT INTO outstanding(base_id, build_id, handled, stale_since)"
		" SELECT id, ?2, ?4, digest_since FROM base WHERE id = ?1"
		" ON CONFLICT(base_id, build_id) DO UPDATE SET handled = excluded.handled,"
		" stale_since = coalesce(stale_since, excluded.stale_since), closed_at = NULL, evidence = NULL",
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
	/* Once per use; the reader (base.c) takes the first of each base. */
	[BW_SQL_WANTED_FEW] =
		"SELECT " WANTED_COLUMNS
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id CROSS JOIN base b ON b.id = u.base_id"
		" WHERE " IS_WANTED BASE_ORDER,
	[BW_SQL_WANTED_MANY] =
		"SELECT " WANTED_COLUMNS
		" FROM base b INDEXED BY base_name CROSS JOIN use u INDEXED BY use_base ON u.base_id = b.id"
		" CROSS JOIN temp.chosen c ON c.build_id = u.build_id WHERE " IS_WANTED BASE_ORDER,
	[BW_SQL_DOUBTS] =
		"SELECT " WANTED_COLUMNS
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id AND u.pinned IS NOT NULL"
		" CROSS JOIN base b ON b.id = u.base_id AND b.digest <> u.pinned"
		" WHERE " IS_WANTED " AND NOT EXISTS(SELECT 1 FROM manifest m WHERE m.digest = b.digest)" BASE_ORDER,
	[BW_SQL_BASE_TOUCH] =
		"UPDATE base SET checked_at = ?2, " NO_TROUBLE
		" WHERE id = ?1 AND digest IS NOT NULL AND newly_named = 0 AND checked_at <= ?2",
	[BW_SQL_BASE_STATE] = "SELECT digest, sightings, checked_at, newly_named FROM base WHERE id = ?1",
	[BW_SQL_BASE_TROUBLE] =
		"UPDATE base SET " CHECKED_AT ", trouble = ?3, trouble_message = ?4,"
		" trouble_since = coalesce(trouble_since, ?2), failures = failures + 1, retry_after = ?5 WHERE id = ?1",
	[BW_SQL_BASE_SAME] =
		"UPDATE base SET " CHECKED_AT ", " NO_TROUBLE ", media_type = coalesce(?3, media_type), newly_named = 0"
		" WHERE id = ?1",
	[BW_SQL_BASE_FIRST] =
		"UPDATE base SET checked_at = ?2, " NO_TROUBLE ", digest = ?3, media_type = ?4, sightings = 1,"
		" first_seen = ?2, digest_since = ?2 WHERE id = ?1 AND digest IS NULL",
	[BW_SQL_BASE_MOVED] =
		"UPDATE base SET " CHECKED_AT ", " NO_TROUBLE ", digest = ?3, media_type = ?4, sightings = ?5,"
		" changed_at = ?2, digest_since = ?2, newly_named = 0 WHERE id = ?1",
	[BW_SQL_SIGHTING_ADD] = "INSERT INTO sighting(base_id, number, digest, seen_at) VALUES(?1, ?2, ?3, ?4)",
	[BW_SQL_CHANGE_ADD] = "INSERT INTO change(base_id, number, class, at) VALUES(?1, ?2, 'unclassified', ?3)",
	[BW_SQL_PAIRS_START] = "UPDATE outstanding SET handled = ?2 WHERE base_id = ?1 AND handled IS NULL",
	[BW_SQL_PAIRS_FIX] =
		"INSERT INTO outstanding(base_id, build_id, handled)"
		" SELECT base_id, build_id, ?2 FROM use WHERE base_id = ?1 ON CONFLICT DO NOTHING",
	[BW_SQL_PAIRS_RETURNED] =
		"UPDATE outstanding SET stale_since = NULL, closed_at = ?3, evidence = 'returned'"
		" WHERE base_id = ?1 AND handled = ?2 AND stale_since IS NOT NULL",
	[BW_SQL_PAIRS_STALE] =
		"UPDATE outstanding SET stale_since = coalesce(stale_since, ?3), closed_at = NULL, evidence = NULL"
		" WHERE base_id = ?1 AND handled <> ?2",
	[BW_SQL_HISTORY] =
		"SELECT " BASE_NAME ", x.number, x.seen_at, x.digest, p.digest, h.class FROM base b"
		" CROSS JOIN sighting x ON x.base_id = b.id"
		" LEFT JOIN sighting p ON p.base_id = x.base_id AND p.number = x.number - 1"
		" LEFT JOIN change h ON h.base_id = x.base_id AND h.number = x.number"
		" WHERE b.registry = ?1 AND b.repository = ?2 AND (?3 IS NULL OR b.tag = ?3)"
		" ORDER BY b.registry, b.repository, b.tag, x.number",
	[BW_SQL_HISTORY_ALL] =
		"SELECT " BASE_NAME ", x.number, x.seen_at, x.digest, p.digest, h.class"
		" FROM base b INDEXED BY base_name CROSS JOIN sighting x ON x.base_id = b.id"
		" LEFT JOIN sighting p ON p.base_id = x.base_id AND p.number = x.number - 1"
		" LEFT JOIN change h ON h.base_id = x.base_id AND h.number = x.number"
		" ORDER BY b.registry, b.repository, b.tag, x.number",

	/* --- manifests -------------------------------------------------------------------------------- */

	[BW_SQL_MANIFEST_FIND] = "SELECT kind FROM manifest WHERE digest = ?1",
	[BW_SQL_MANIFEST_ADD] =
		"INSERT INTO manifest(digest, media_type, kind, size, fetched_at) VALUES(?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT DO NOTHING",
	[BW_SQL_CHILD_ADD] =
		"INSERT INTO manifest_child(manifest, ordinal, digest, media_type, size, os, os_version, arch, variant,"
		" is_attestation) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[BW_SQL_CHILD_FIND] =
		"SELECT media_type, os, os_version, arch, variant, is_attestation FROM manifest_child"
		" WHERE manifest = ?1 AND digest = ?2",

	/* --- rows ------------------------------------------------------------------------------------- */

	[BW_SQL_ROWS_FEW] =
		"SELECT " PLACE_COLUMNS ", " USE_COLUMNS ", " BASE_COLUMNS
		" FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id CROSS JOIN base b ON b.id = u.base_id"
		JOIN_PLACE JOIN_PAIR ROW_ORDER,
	/* Base by base in the order of the index: only the uses of one base are sorted at a time. */
	[BW_SQL_ROWS_MANY] =
		"SELECT " PLACE_COLUMNS ", " USE_COLUMNS ", " BASE_COLUMNS
		" FROM base b INDEXED BY base_name CROSS JOIN use u INDEXED BY use_base ON u.base_id = b.id"
		" CROSS JOIN temp.chosen c ON c.build_id = u.build_id" JOIN_PLACE JOIN_PAIR ROW_ORDER,
	/* The same where the ids of the builds are in the order of their names: nothing is sorted at all. */
	[BW_SQL_ROWS_MANY_IN_ORDER] =
		"SELECT " PLACE_COLUMNS ", " USE_COLUMNS ", " BASE_COLUMNS
		" FROM base b INDEXED BY base_name CROSS JOIN use u INDEXED BY use_base ON u.base_id = b.id"
		" CROSS JOIN temp.chosen c ON c.build_id = u.build_id" JOIN_PLACE JOIN_PAIR
		BASE_ORDER ", u.build_id, u.ordinal",
	[BW_SQL_OTHERS_FEW] =
		"SELECT " OTHER_USES " FROM temp.chosen c CROSS JOIN use u ON u.build_id = c.build_id" JOIN_PLACE
		OTHERS_END,
	[BW_SQL_OTHERS_MANY] =
		"SELECT " OTHER_USES " FROM use u INDEXED BY use_base CROSS JOIN temp.chosen c ON c.build_id = u.build_id"
		JOIN_PLACE OTHERS_END,
};
/* clang-format on */

const char *bw_sql_text(enum bw_sql which)
{
	assert(texts[which]);
	return texts[which];
}
