/*
 * Whatever fails, at whichever moment: the call says so with its class, the database stays whole, no transaction is
 * there by halves, and the same work done once more leads to the same end.
 */
#include "unit/store_fixture.h"

#include <sys/random.h>
#include <sys/wait.h>

#include "store/remind.h"
#include "store/sql.h"
#include "unit/fault_vfs.h"
#include "watch/event.h"

/* --- the work --------------------------------------------------------------------------------- */

#define BASES	  4
#define PLATFORMS "linux/amd64=content,layers linux/arm64=index,attestations -=config,environment"

/* Everything is told, at the first failure already; but of base c nobody is, and of the class index somebody. */
static void make_teller(struct bw_teller *ret)
{
	static const char *const bases[] = {"docker.io/library/c:*", NULL}, *const nobody[] = {NULL};
	static const struct bw_rule rules[] = {
		{.bases = bases, .roles = ~0U, .classes = ~0U, .sinks = nobody},
		{.roles = BW_RULES_ROLES, .classes = 1U << BW_CLASS_INDEX},
	};
	static const struct bw_rules all = {rules, BW_COUNT(rules)};
	static const struct bw_event_options options = {.unreachable_after = 1, .rules = &all};

	bw_event_teller(&options, ret);
}

static int record_told(struct bw_store *s, const struct bw_seen *seen, struct bw_err *err)
{
	struct bw_record_counts counts;
	struct bw_teller teller;

	make_teller(&teller);
	return bw_store_record(s, seen, BASES, &teller, &counts, err);
}

static int remind(struct bw_store *s, struct bw_err *err)
{
	struct bw_teller teller;
	bool more;

	make_teller(&teller);
	return bw_store_remind(s, 45, 5, &teller, 100, NULL, &more, err);
}

static int put_file(struct bw_store *s, const char *path, const char *uses, struct bw_err *err)
{
	struct made_file m;
	int64_t id;
	int rc;

	make_file(&m, path, uses);
	rc = bw_store_put_builds(s, &m.scan, 1, 10, &id, err);
	free_file(&m);
	return rc;
}

/*
 * All bases show the same digest, so a transaction that is there by halves is seen. Judged as a change from `from`; 0:
 * nobody did.
 */
static int move_all(struct bw_store *s, char from, char letter, int64_t at_ms, struct bw_err *err)
{
	struct made_change made;
	struct bw_answer a = {.media_type = OCI_INDEX};
	struct bw_seen seen[BASES];
	int rc;

	make_change(&made, from, PLATFORMS);
	digest_from(letter, &a.digest);
	for (int i = 0; i < BASES; i++)
		seen[i] = (struct bw_seen){
			.base_id = i + 1, .at_ms = at_ms, .answer = &a, .change = from ? &made.change : NULL};
	rc = record_told(s, seen, err);
	free(made.words);
	return rc;
}

static int fail_all(struct bw_store *s, int64_t at_ms, struct bw_err *err)
{
	struct bw_answer a = {.trouble = BW_TROUBLE_DNS, .message = "no"};
	struct bw_seen seen[BASES];

	for (int i = 0; i < BASES; i++)
		seen[i] = (struct bw_seen){.base_id = i + 1, .at_ms = at_ms, .answer = &a};
	return record_told(s, seen, err);
}

static int put_index(struct bw_store *s, char letter, struct bw_err *err)
{
	char annotations[] = "{}";
	struct bw_child children[2] = {
		{.media_type = OCI_IMAGE, .platform = {.os = "linux", .arch = "amd64"}},
		{.media_type = OCI_IMAGE, .is_attestation = true, .annotations = annotations}};
	const struct bw_manifest m = {
		.kind = BW_MANIFEST_INDEX, .media_type = OCI_INDEX, .children = children, .child_count = 2};
	struct bw_digest d;

	digest_from('e', &children[0].digest);
	digest_from('f', &children[1].digest);
	digest_from(letter, &d);
	return bw_store_put_manifest(s, &d, &m, 9, 10, err);
}

static int put_image(struct bw_store *s, struct bw_err *err)
{
	struct bw_layer layers[2] = {{.size = 1}, {.size = 2}};
	struct bw_manifest m = {.kind = BW_MANIFEST_IMAGE,
				.media_type = OCI_IMAGE,
				.config_type = "application/vnd.oci.image.config.v1+json",
				.layers = layers,
				.layer_count = 2};
	struct bw_digest d;

	digest_from('1', &layers[0].digest);
	digest_from('2', &layers[1].digest);
	digest_from('c', &m.config);
	digest_from('0', &d);
	return bw_store_put_manifest(s, &d, &m, 9, 10, err);
}

static int put_config(struct bw_store *s, struct bw_err *err)
{
	static const char body[] = "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":"
				   "\"layers\",\"diff_ids\":[]}}";
	struct bw_digest d;

	digest_from('c', &d);
	return bw_store_put_config(s, &d, body, sizeof(body) - 1, 10, err);
}

static int put_missing(struct bw_store *s, struct bw_err *err)
{
	struct bw_answer why = {.trouble = BW_TROUBLE_TAG_GONE, .message = "no"};
	struct bw_digest d;

	digest_from('d', &d);
	return bw_store_put_missing(s, 1, &d, &why, 10, err);
}

static int count_doubt(const struct bw_doubt *d, void *arg, struct bw_err *err)
{
	(void)err;
	*(size_t *)arg += d->pinned != NULL && d->platform != NULL && d->base.tag != NULL;
	return 0;
}

static int count_stand(const char *digest, const char *platform, void *arg, struct bw_err *err)
{
	(void)digest;
	(void)platform;
	(void)err;
	++*(size_t *)arg;
	return 0;
}

/* Compares what the store lists as not compared. */
static int keep_uncompared(const struct bw_uncompared *u, void *arg, struct bw_err *err)
{
	(void)err;
	*(int64_t *)arg = u->base.id;
	return 0;
}

static int compare_all(struct bw_store *s, struct bw_err *err)
{
	struct bw_comparison c = {.class = BW_CLASS_CONFIG, .moved = "late"};
	struct bw_digest to;
	int64_t base_id = 0;
	int rc = bw_store_each_uncompared(s, 1000, keep_uncompared, &base_id, err);

	digest_from('a', &c.from);
	digest_from('b', &to);
	return rc < 0 ? rc : bw_store_put_comparison(s, base_id ? base_id : 1, &to, &c, 55, err);
}

/* At most so many; none, when the work broke off later before. */
static int expect_doubts(struct bw_store *s, size_t expected, struct bw_err *err)
{
	size_t count = 0;
	int rc = bw_store_each_doubt(s, 50, count_doubt, &count, err);

	return rc == 0 && count > expected
		       ? bw_fail(err, BW_E_STORE, "%s: %zu doubts", bw_store_path(s), count)
		       : rc;
}

static int put_bodies(struct bw_store *s, struct bw_err *err)
{
	int rc = expect_doubts(s, 1, err);

	for (char letter = 'a'; rc == 0 && letter <= 'c'; letter++)
		rc = put_index(s, letter, err); /* whichever the tags have got to */
	if (rc == 0)
		rc = put_image(s, err);
	if (rc == 0)
		rc = expect_doubts(s, 1, err);
	if (rc == 0)
		rc = put_config(s, err);
	return rc < 0 ? rc : expect_doubts(s, 0, err);
}

/* What a judgement of a change asks. */
static int ask_all(struct bw_store *s, struct bw_err *err)
{
	struct bw_bodies *b = bw_bodies_new();
	struct bw_digest d;
	size_t count = 0, met = 0;
	uint32_t number = 0;
	bool has = false;
	int rc = bw_store_each_stand(s, 1, 1000, count_stand, &count, err);

	digest_from('b', &d);
	if (rc == 0)
		rc = compare_all(s, err);
	if (rc == 0)
		rc = bw_store_find_sighting(s, 1, &d, &number, err);
	if (rc == 0)
		rc = bw_store_put_disagreement(s, "docker.io", 10, err);
	if (rc == 0)
		rc = bw_store_has_disagreed(s, "docker.io", &has, err);
	(void)bw_bodies_manifest(b, &d);
	digest_from('d', &d);
	(void)bw_bodies_manifest(b, &d);
	if (rc == 0)
		rc = bw_store_meet_needs(s, 1, b, &met, err);
	if (rc == 0 && (count < 2 || met != 2 || number < 2 || !has))
		rc = bw_fail(err, BW_E_STORE, "%s: %zu %zu %u", bw_store_path(s), count, met, number);
	bw_bodies_free(b);
	return rc;
}

static int count_row(const struct bw_row *r, void *arg, struct bw_err *err)
{
	(void)err;
	*(size_t *)arg += r->path != NULL && r->source != NULL;
	return 0;
}

static bool never_there(const char *location, void *arg)
{
	(void)arg;
	return strcmp(location, "/z/Dockerfile") == 0;
}

static int end_and_done(struct bw_store *s, struct bw_err *err)
{
	struct bw_done_counts counts;
	int rc = bw_store_choose_none(s, err);

	if (rc == 0)
		rc = bw_store_end_missing(s, "", "/", never_there, NULL, 60, err);
	if (rc == 0)
		rc = bw_store_choose_location(s, "/x", NULL, err);
	if (rc == 0)
		rc = bw_store_done(s, NULL, 70, &counts, err);
	if (rc == 0)
		rc = bw_store_choose_location(s, "/", NULL, err);
	return rc;
}

static int broken_statement = -1;

/* This statement fails at its first step, whatever is bound to it. */
static int break_statement(struct bw_store *s, struct bw_err *err)
{
	static const char text[] =
		"SELECT abs(-9223372036854775808), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		" ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22";

	if (broken_statement < 0)
		return 0;
	(void)sqlite3_finalize(s->statements[broken_statement]);
	return sqlite3_prepare_v2(s->db, text, -1, &s->statements[broken_statement], NULL) == SQLITE_OK
		       ? 0
		       : bw_fail(err, BW_E_STORE, "the statement cannot be broken");
}

/* A life of the database in small; can be done again from wherever it broke off. */
static int work(const char *path, struct bw_err *err)
{
	const struct bw_sink_row sink = {.name = "s"};
	struct bw_store *s = NULL;
	size_t count = 0;
	int rc = bw_store_open(path, &s, err);

	if (rc == 0)
		rc = break_statement(s, err);
	if (rc == 0)
		rc = bw_store_put_sinks(s, &sink, 1, 5, err);
	if (rc == 0)
		rc = put_file(s, "/x/Dockerfile",
			      "a|linux/amd64 b|linux/arm64 c a:1@" ZERO_DIGEST "|linux/arm64 scratch", err);
	if (rc == 0)
		rc = put_file(s, "/y/Dockerfile", "c b a", err);
	if (rc == 0)
		rc = put_file(s, "/z/Dockerfile", "a", err);
	if (rc == 0)
		rc = move_all(s, 0, 'a', 20, err);
	if (rc == 0)
		rc = put_missing(s, err);
	if (rc == 0)
		rc = fail_all(s, 30, err);
	if (rc == 0)
		rc = move_all(s, 'a', 'b', 40, err);
	if (rc == 0)
		rc = remind(s, err);
	if (rc == 0)
		rc = put_bodies(s, err);
	if (rc == 0)
		rc = ask_all(s, err);
	if (rc == 0)
		rc = end_and_done(s, err);
	if (rc == 0)
		rc = bw_store_each_row(s, count_row, &count, err);
	if (rc == 0 && count != 8)
		rc = bw_fail(err, BW_E_STORE, "%zu rows", count);
	bw_store_close(s);
	return rc;
}

/* --- what must hold at any moment ------------------------------------------------------------- */

static const char *const invariants[] = {
	"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
	"SELECT count(*) FROM pragma_foreign_key_check",
	/* what was seen is numbered without a gap, and the last one is the current one */
	"SELECT count(*) FROM sighting x WHERE number > 1 AND NOT EXISTS"
	"(SELECT 1 FROM sighting y WHERE y.base_id = x.base_id AND y.number = x.number - 1)",
	"SELECT count(*) FROM base b WHERE (SELECT sighting_id FROM poll p WHERE p.base_id = b.id) IS NOT"
	" (SELECT id FROM sighting x WHERE x.base_id = b.id ORDER BY number DESC LIMIT 1)",
	/* a change leads to each but the first */
	"SELECT count(*) FROM sighting x WHERE (number > 1) <> EXISTS"
	"(SELECT 1 FROM change c WHERE c.base_id = x.base_id AND c.number = x.number)",
	/* on the tag's digest nothing is stale; on another it is, or has evidence that it need not be */
	"SELECT count(*) FROM outstanding o JOIN poll p ON p.base_id = o.base_id JOIN sighting x ON x.id = "
	"p.sighting_id WHERE handled = digest AND stale_since IS NOT NULL",
	"SELECT count(*) FROM outstanding o JOIN poll p ON p.base_id = o.base_id JOIN sighting x ON x.id = "
	"p.sighting_id WHERE handled <> digest AND stale_since IS NULL AND evidence IS NULL",
	/* a change leaves no build without a row that says what it stood on */
	"SELECT count(*) FROM use u JOIN change c ON c.base_id = u.base_id WHERE NOT EXISTS"
	"(SELECT 1 FROM outstanding o WHERE o.base_id = u.base_id AND o.build_id = u.build_id)",
	/* all of a record, or nothing */
	"SELECT count(DISTINCT n) - 1 FROM (SELECT (SELECT count(*) FROM sighting x WHERE x.base_id = b.id) n"
	" FROM base b WHERE id <= 4) HAVING count(*) > 0",
	"SELECT count(DISTINCT checked_at) > 1 FROM poll WHERE base_id <= 4",
	/* with all that was compared */
	"SELECT count(*) FROM change c JOIN sighting x ON x.base_id = c.base_id AND x.number = c.number"
	" WHERE moved IS NOT NULL AND 3 > (SELECT count(*) FROM comparison k"
	" WHERE k.base_id = c.base_id AND k.to_digest = x.digest)",
	/* fresh by some evidence since some time, or stale */
	"SELECT count(*) FROM outstanding WHERE (evidence IS NULL) <> (closed_at IS NULL)",
	"SELECT count(*) FROM outstanding WHERE evidence IS NOT NULL AND stale_since IS NOT NULL",
	/* what was recorded is published, and owed, with it */
	"SELECT count(*) FROM change c WHERE NOT EXISTS(SELECT 1 FROM event e WHERE e.base_id = c.base_id"
	" AND e.sighting = c.number AND e.type = 'io.basewatch.base.changed')",
	"SELECT count(*) FROM event e WHERE (suppressed IS NULL) <>"
	" (SELECT count(*) FROM delivery d WHERE d.event = e.number)",
	"SELECT count(*) FROM poll WHERE (reach = 1) <> (failures > 0) OR reach = 2",
	"SELECT count(*) FROM outstanding o JOIN build t ON t.id = o.build_id WHERE pending AND t.ended_at "
	"IS NULL",
	"SELECT count(*) FROM event e WHERE type = 'io.basewatch.rebuild.requested' AND NOT EXISTS"
	"(SELECT 1 FROM request r WHERE r.event = e.number)",
	/* all of a scan, or nothing */
	"SELECT count(*) FROM build t WHERE NOT EXISTS(SELECT 1 FROM use u WHERE u.build_id = t.id)",
	"SELECT count(*) FROM build_file f WHERE NOT EXISTS(SELECT 1 FROM build t WHERE t.build_file_id = "
	"f.id)",
	"SELECT count(*) FROM build_file f JOIN build t ON t.build_file_id = f.id"
	" WHERE (f.ended_at IS NULL) <> (t.ended_at IS NULL)",
	"SELECT count(*) FROM manifest m WHERE 2 <> (SELECT count(*) FROM manifest_child c WHERE c.manifest "
	"= m.digest) + (SELECT count(*) FROM manifest_layer l WHERE l.manifest = m.digest)",
};

/* Of a run that nothing disturbed; times of closing aside, it does not matter how often it broke off before. */
static void assert_finished(const char *path)
{
	assert_int_equal(ask_path(path, "SELECT count(*) FROM build"), 3);
	assert_int_equal(ask_path(path, "SELECT count(*) FROM build WHERE ended_at IS NOT NULL"), 1);
	assert_int_equal(ask_path(path, "SELECT count(*) FROM base"), 4);
	assert_true(ask_path(path, "SELECT min(number) FROM sighting x JOIN poll p ON p.sighting_id = x.id "
				   "WHERE p.base_id <= 4") >= 2);
	assert_int_equal(
		ask_path(path, "SELECT count(*) FROM outstanding WHERE build_id = 1 AND evidence = 'done'"),
		3);
	assert_int_equal(ask_path(path, "SELECT count(*) FROM manifest"), 4);
	assert_int_equal(ask_path(path, "SELECT count(*) FROM config"), 1);
	assert_int_equal(ask_path(path, "SELECT count(*) FROM missing"), 1);
	assert_int_equal(ask_path(path, "SELECT count(*) FROM registry"), 1);
}

static void remove_database(const char *path)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < BW_COUNT(tails); i++) {
		BW_AUTOFREE char *file = bw_asprintf("%s%s", path, tails[i]);

		(void)unlink(file);
	}
}

static bool is_store_class(int rc)
{
	return rc == BW_E_STORE || rc == BW_E_FULL || rc == BW_E_DENIED;
}

/* --- the Nth call to the disk fails ----------------------------------------------------------- */

static int break_each_call(struct fixture *f, enum fault_kind kind, const char *when)
{
	int failed = 0;

	for (int n = 1;; n++) {
		int rc;

		remove_database(f->path);
		set_fault(kind, n);
		f->err = BW_ERR_INIT;
		rc = work(f->path, &f->err);
		if (!faulty.hit)
			break;
		set_fault(kind, 0);
		if (rc < 0 && (!is_store_class(rc) || !strstr(f->err.msg, f->path)))
			fail_msg("%s %d: %d: %s", when, n, rc, f->err.msg);
		failed += rc < 0;
		assert_whole(invariants, BW_COUNT(invariants), f->path, when, n);
		assert_ok(f, work(f->path, &f->err)); /* the disk is well again */
		assert_whole(invariants, BW_COUNT(invariants), f->path, when, n);
		assert_finished(f->path);
	}
	set_fault(kind, 0);
	return failed;
}

static void an_io_error_at_any_call_leaves_the_database_whole(void **state)
{
	int failed = break_each_call(*state, FAULT_ONCE, "I/O error at call");

	assert_true(failed > 20);
}

static void a_disk_that_breaks_for_good_leaves_the_database_whole(void **state)
{
	int failed = break_each_call(*state, FAULT_FOR_EVER, "broken from call");

	assert_true(failed > 20);
}

static void a_disk_that_gets_full_leaves_the_database_whole(void **state)
{
	struct fixture *f = *state;

	assert_true(break_each_call(f, FAULT_FULL, "full from call") > 20);
	remove_database(f->path);
	set_fault(FAULT_FULL, 30);
	assert_fault(f, work(f->path, &f->err), BW_E_FULL, "the disk is full: make room in");
	set_fault(FAULT_FULL, 0);
}

/* --- a statement fails ------------------------------------------------------------------------- */

/* Those that this work has no use for. */
static bool is_not_used(int which)
{
	switch ((enum bw_sql)which) {
	case BW_SQL_BASE_NAMED:
	case BW_SQL_CHOOSE_ALL:
	case BW_SQL_UNCHOOSE_ONE: /* and the next three: test_sources.c */
	case BW_SQL_BUILDS_BELOW:
	case BW_SQL_OTHERS_FIND:
	case BW_SQL_OTHERS_END:
	case BW_SQL_KEEP_TARGET:
	case BW_SQL_CHOSEN_LOST: /* test_sources.c */
	case BW_SQL_CHOSEN_IS_IN_ORDER:
	case BW_SQL_CHOSEN_FILES:
	case BW_SQL_FORGET_BUILDS:
	case BW_SQL_FORGET_FILES:
	case BW_SQL_HANDLE_OLDER:
	case BW_SQL_WANTED_COUNT:
	case BW_SQL_WANTED_FEW:
	case BW_SQL_WANTED_MANY:
	case BW_SQL_POLLS: /* and the next two: test_store_poll.c */
	case BW_SQL_POLL_BASE:
	case BW_SQL_COMPANIONS:
	case BW_SQL_STANDINGS: /* and the next two: test_store_standing.c */
	case BW_SQL_STANDING_PUT:
	case BW_SQL_STANDING_FORGET:
	case BW_SQL_BASE_TOUCH:
	case BW_SQL_BASE_SAME:
	case BW_SQL_SIGHTING_TYPE:
	case BW_SQL_PIN_PLATFORM: /* test_store_patch.c */
	case BW_SQL_HISTORY:
	case BW_SQL_HISTORY_ALL:
	case BW_SQL_ROWS_MANY:
	case BW_SQL_ROWS_MANY_IN_ORDER:
	case BW_SQL_OTHERS_MANY:
	case BW_SQL_GAPS: /* and the next two: test_store_source.c */
	case BW_SQL_GAPS_DROP:
	case BW_SQL_GAP_ADD:
	case BW_SQL_GIT_SOURCE_PUT: /* from here on: test_store_outbox.c */
	case BW_SQL_GIT_SOURCES:
	case BW_SQL_EVENT_PAIRS:
	case BW_SQL_EVENT_FIND:
	case BW_SQL_EVENT_SUBJECT:
	case BW_SQL_SINKS_CONFIRM:
	case BW_SQL_DELIVERY_CONFIRMED:
	case BW_SQL_DELIVERY_NEXT:
	case BW_SQL_SINKS_REPEAT:
	case BW_SQL_DELIVERIES_LAST:
	case BW_SQL_DELIVERIES_FIRST_ALL:
	case BW_SQL_DELIVERIES_DUE:
	case BW_SQL_DELIVERIES_NEXT:
	case BW_SQL_DELIVERIES_HURRY:
	case BW_SQL_DELIVERY_END:
	case BW_SQL_DELIVERY_RETRY:
	case BW_SQL_DELIVERIES_HAVE_EXPIRED:
	case BW_SQL_DELIVERIES_EXPIRE:
	case BW_SQL_DELIVERIES_REVIVE:
	case BW_SQL_EVENTS:
	case BW_SQL_EVENTS_DEAD:
	case BW_SQL_SCHEMA_VERSION:
	case BW_SQL_CHECK:
	case BW_SQL_DEBTS:
	case BW_SQL_AILING:
	case BW_SQL_FOLDER_FILES:
	case BW_SQL_BUILD_NAMES: /* from here on: test_store_state.c */
	case BW_SQL_BUILD_NAMES_OF:
	case BW_SQL_PAIRS_OF_BUILD:
	case BW_SQL_PINNED_PAIRS_OF_BUILD:
	case BW_SQL_ROWS_OF_BASE:
	case BW_SQL_ROWS_OF_BUILD:
	case BW_SQL_OTHERS_OF_BUILD:
	case BW_SQL_DATA_VERSION:
	case BW_SQL_BASES_AFTER:
	case BW_SQL_BUILDS_AFTER:
	case BW_SQL_BASE_STATE_OF:
	case BW_SQL_BUILD_STATE_OF: return true;
	default: return false;
	}
}

static void a_failed_statement_is_told_and_leaves_the_database_whole(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < BW_SQL_COUNT; i++) {
		int rc;

		remove_database(f->path);
		broken_statement = i;
		f->err = BW_ERR_INIT;
		rc = work(f->path, &f->err);
		broken_statement = -1;
		if ((rc == 0) != is_not_used(i))
			fail_msg("statement %d: %d: %s", i, rc,
				 rc < 0 ? f->err.msg : bw_sql_text((enum bw_sql)i));
		if (rc < 0)
			assert_fault(f, rc, BW_E_STORE, "integer overflow");
		assert_whole(invariants, BW_COUNT(invariants), f->path, "statement", i);
		assert_ok(f, work(f->path, &f->err));
		assert_finished(f->path);
	}
}

/* --- kill -9 ---------------------------------------------------------------------------------- */

static unsigned env_number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);
	uint64_t value;

	return text && bw_text_number(text, 1, 1000000000, &value) ? (unsigned)value : otherwise;
}

static unsigned next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(*seed >> 33);
}

/* Works and moves the tags on until it is killed. */
static void work_until_killed(const char *path, int at)
{
	struct bw_err err;
	struct bw_store *s = NULL;

	set_fault(FAULT_KILL, at);
	if (work(path, &err) < 0 || bw_store_open(path, &s, &err) < 0 ||
	    bw_store_choose_all(s, NULL, &err) < 0)
		_exit(1);
	for (int i = 0; i < 5000; i++)
		if (move_all(s, (char)('a' + (i + 2) % 3), (char)('a' + i % 3), 100 + i, &err) < 0)
			_exit(2);
	_exit(0);
}

static void a_kill_at_any_moment_loses_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned runs = env_number("CRASH_RUNS", 20), first = 0;
	uint64_t seed;

	assert_int_equal(getrandom(&first, sizeof(first), 0), sizeof(first));
	first = env_number("CRASH_SEED", first % 1000000 + 1);
	seed = first;
	print_message("# CRASH_SEED=%u\n", first);
	for (unsigned run = 0; run < runs; run++) {
		int at = (int)(next_random(&seed) % (run % 2 ? 1500 : 150)) + 1, status = -1;
		pid_t pid;

		remove_database(f->path);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			work_until_killed(f->path, at);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail_msg("CRASH_SEED=%u run %u: the child ended with %d", first, run, status);
		assert_whole(invariants, BW_COUNT(invariants), f->path, "killed at call", at);
		assert_ok(f, work(f->path, &f->err));
		assert_whole(invariants, BW_COUNT(invariants), f->path, "after the kill at call", at);
	}
}

/* --- the Nth allocation of SQLite fails ------------------------------------------------------- */

static struct {
	sqlite3_mem_methods real;
	long at; /* 0: none fails */
	long calls;
	bool for_ever;
	bool hit;
} memory;

static bool is_out_of_memory(void)
{
	memory.calls++;
	if (memory.at == 0 || memory.calls < memory.at || (memory.calls > memory.at && !memory.for_ever))
		return false;
	memory.hit = true;
	return true;
}

static void *poor_malloc(int size)
{
	return is_out_of_memory() ? NULL : memory.real.xMalloc(size);
}

static void *poor_realloc(void *p, int size)
{
	return is_out_of_memory() ? NULL : memory.real.xRealloc(p, size);
}

static void install_poor_memory(void)
{
	sqlite3_mem_methods poor;

	(void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real);
	poor = memory.real;
	poor.xMalloc = poor_malloc;
	poor.xRealloc = poor_realloc;
	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &poor);
}

static int run_out_of_memory(struct fixture *f, bool for_ever)
{
	int failed = 0;

	/* Each of the first ones, then in growing strides: there are thousands. */
	for (long n = 1;; n += 1 + n / 25) {
		int rc;

		remove_database(f->path);
		memory.calls = 0;
		memory.hit = false;
		memory.for_ever = for_ever;
		memory.at = n;
		f->err = BW_ERR_INIT;
		rc = work(f->path, &f->err);
		memory.at = 0;
		if (!memory.hit)
			return failed;
		if (rc < 0 && (!is_store_class(rc) || !strstr(f->err.msg, f->path)))
			fail_msg("allocation %ld: %d: %s", n, rc, f->err.msg);
		failed += rc < 0;
		assert_whole(invariants, BW_COUNT(invariants), f->path, "out of memory at allocation",
			     (int)n);
		assert_ok(f, work(f->path, &f->err));
		assert_finished(f->path);
	}
}

static void a_failed_allocation_leaves_the_database_whole(void **state)
{
	struct fixture *f = *state;

	assert_true(run_out_of_memory(f, false) > 20);
	assert_true(run_out_of_memory(f, true) > 20);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_fast_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_io_error_at_any_call_leaves_the_database_whole),
		CASE(a_disk_that_breaks_for_good_leaves_the_database_whole),
		CASE(a_disk_that_gets_full_leaves_the_database_whole),
		CASE(a_failed_statement_is_told_and_leaves_the_database_whole),
		CASE(a_kill_at_any_moment_loses_nothing),
		CASE(a_failed_allocation_leaves_the_database_whole),
	};

	install_poor_memory(); /* before SQLite is used at all */
	install_faulty_vfs();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
