/*
 * store_fixture.h - for the tests of store/: a database in a folder of its own, build files made of references, and
 * answers made of letters: digest 'a' is "sha256:aaaa...".
 */
#ifndef BW_TESTS_STORE_FIXTURE_H
#define BW_TESTS_STORE_FIXTURE_H

#include "unit/unit.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/base.h"
#include "store/build.h"
#include "store/row.h"
#include "store/verdict.h"

#define MAX_USES    8
#define OCI_INDEX   "application/vnd.oci.image.index.v1+json"
#define OCI_IMAGE   "application/vnd.oci.image.manifest.v1+json"
#define ZERO_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

struct fixture {
	char folder[64];
	char path[96];
	struct bw_store *store;
	struct bw_err err;
	struct bw_record_counts counts;
	struct bw_buf text; /* what list_*() collected */
	int64_t now_ms;	    /* for verdicts */
};

/* --- folder and database ---------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static BW_UNUSED void open_fixture(struct fixture *f)
{
	f->err = BW_ERR_INIT;
	if (bw_store_open(f->path, &f->store, &f->err) < 0)
		fail_msg("%s", f->err.msg);
}

static BW_UNUSED void close_fixture(struct fixture *f)
{
	bw_store_close(f->store);
	f->store = NULL;
}

static int set_up_below(void **state, const char *parent)
{
	struct fixture *f = BW_NEW(struct fixture);

	(void)snprintf(f->folder, sizeof(f->folder), "%s/basewatch-store-XXXXXX", parent);
	if (!mkdtemp(f->folder))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/x.db", f->folder);
	bw_buf_init(&f->text, 1U << 20);
	f->now_ms = 1000000;
	*state = f;
	return 0;
}

static BW_UNUSED int set_up_folder(void **state)
{
	return set_up_below(state, "/tmp");
}

/* In memory where the system has a place for that: for tests that make hundreds of databases. */
static BW_UNUSED int set_up_fast_folder(void **state)
{
	return set_up_below(state, access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
}

static BW_UNUSED int set_up_store(void **state)
{
	if (set_up_folder(state) < 0)
		return -1;
	open_fixture(*state);
	return 0;
}

static BW_UNUSED int tear_down(void **state)
{
	struct fixture *f = *state;
	int rc;

	bw_store_close(f->store);
	(void)chmod(f->folder, 0700);
	rc = nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	bw_buf_done(&f->text);
	free(f);
	return rc;
}

/* The answer of one SQL question, asked past the store. */
static BW_UNUSED int64_t ask_path(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *q = NULL;
	int64_t value = -1;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(q) == SQLITE_ROW)
		value = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
	return value;
}

static BW_UNUSED int64_t ask(const struct fixture *f, const char *sql)
{
	return ask_path(f->path, sql);
}

/* Statements, past the store. */
static BW_UNUSED void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *message = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	(void)sqlite3_close(db);
}

static BW_UNUSED void assert_ok(struct fixture *f, int rc)
{
	if (rc != 0)
		fail_msg("%d: %s", rc, f->err.msg);
}

/* A failure of this class whose message names the database and has these words. */
static BW_UNUSED void assert_fault(const struct fixture *f, int rc, enum bw_code code, const char *words)
{
	assert_int_equal(rc, code);
	assert_int_equal(f->err.code, code);
	if (!strstr(f->err.msg, words) || !strstr(f->err.msg, f->path))
		fail_msg("\"%s\" lacks \"%s\" or the path", f->err.msg, words);
}

/* --- builds ----------------------------------------------------------------------------------- */

static BW_UNUSED const char *digest_of(char letter, char out[BW_DIGEST_MAX])
{
	memcpy(out, "sha256:", 7);
	memset(out + 7, letter, 64);
	out[71] = '\0';
	return out;
}

/*
 * A build file as the parser would give it: each text a reference, or "scratch", or "!why" for what has none. Behind a
 * reference "|linux/arm64" names a platform; "~" before it says that the target does not need the stage.
 */
struct made_file {
	struct bw_use uses[MAX_USES];
	struct bw_dockerfile file;
	struct bw_build_scan scan;
};

static void make_use(struct bw_use *u, const char *text, uint32_t line)
{
	BW_AUTOFREE char *copy = bw_strdup(text[0] == '~' ? text + 1 : text);
	char *bar = strchr(copy, '|');
	bool reachable = text[0] != '~';
	struct bw_err err;

	if (bar)
		*bar = '\0';
	text = copy;
	*u = (struct bw_use){
		.role = BW_ROLE_STAGE,
		.span = {.line = line,
			 .column = 6,
			 .start = 100 * (size_t)line,
			 .end = 100 * (size_t)line + 9},
		.stage = bw_asprintf("s%u", line),
		.platform = bw_strdup_null(bar ? bar + 1 : NULL),
		.written = bw_strdup(text),
		.reachable = reachable,
	};
	if (text[0] == '!') {
		u->unresolved = bw_strdup(text + 1);
		return;
	}
	u->expanded = bw_strdup(text);
	u->is_scratch = strcmp(text, "scratch") == 0;
	if (u->is_scratch)
		return;
	if (bw_reference_parse(text, strlen(text), &u->parts, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	u->reference = bw_reference_format(&u->parts);
}

/* "a:1 b:2 scratch": uses separated by blanks; '_' in a reason stands for a blank. */
static BW_UNUSED void make_file(struct made_file *m, const char *path, const char *uses)
{
	char *words = bw_strdup(uses), *rest = words, *word;

	*m = (struct made_file){
		.scan = {.source = "", .root = "", .path = path, .target = "", .file = &m->file},
	};
	m->file.uses = m->uses;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		assert_true(m->file.use_count < MAX_USES);
		make_use(&m->uses[m->file.use_count], word, (uint32_t)m->file.use_count + 1);
		m->file.use_count++;
	}
	bw_digest_of(uses, strlen(uses), &m->scan.fingerprint);
	free(words);
}

static BW_UNUSED void free_file(struct made_file *m)
{
	for (size_t i = 0; i < m->file.use_count; i++) {
		struct bw_use *u = &m->uses[i];

		free(u->stage);
		free(u->platform);
		free(u->written);
		free(u->expanded);
		free(u->reference);
		bw_reference_done(&u->parts);
		free(u->unresolved);
		free(u->ignored);
		free(u->patch);
	}
}

static BW_UNUSED int64_t put_made(struct fixture *f, const struct made_file *m, int64_t at_ms)
{
	int64_t id = -1;

	assert_ok(f, bw_store_put_builds(f->store, &m->scan, 1, at_ms, &id, &f->err));
	assert_true(id > 0);
	return id;
}

static BW_UNUSED int64_t put_at(struct fixture *f, const char *path, const char *uses, int64_t at_ms)
{
	struct made_file m;
	int64_t id;

	make_file(&m, path, uses);
	id = put_made(f, &m, at_ms);
	free_file(&m);
	return id;
}

static BW_UNUSED int64_t put(struct fixture *f, const char *path, const char *uses)
{
	return put_at(f, path, uses, 10);
}

static BW_UNUSED int64_t put_source(struct fixture *f, const char *name, const char *root, const char *path,
				    const char *uses)
{
	struct made_file m;
	int64_t id;

	make_file(&m, path, uses);
	m.scan.source = name;
	m.scan.root = root;
	id = put_made(f, &m, 10);
	free_file(&m);
	return id;
}

static BW_UNUSED int64_t put_target(struct fixture *f, const char *path, const char *target, const char *uses)
{
	struct made_file m;
	int64_t id;

	make_file(&m, path, uses);
	m.scan.target = target;
	id = put_made(f, &m, 10);
	free_file(&m);
	return id;
}

/* --- answers ---------------------------------------------------------------------------------- */

static BW_UNUSED void digest_from(char letter, struct bw_digest *ret)
{
	(void)digest_of(letter, ret->text);
}

/* Of a base on Docker Hub: "a" is docker.io/library/a:latest, "a:1" has a tag. */
static BW_UNUSED int64_t base_id(const struct fixture *f, const char *name)
{
	char sql[256];
	const char *colon = strchr(name, ':');
	int len = colon ? (int)(colon - name) : (int)strlen(name);

	(void)snprintf(sql, sizeof(sql),
		       "SELECT id FROM base WHERE repository = 'library/%.*s' AND tag = '%s'", len, name,
		       colon ? colon + 1 : "latest");
	return ask(f, sql);
}

static BW_UNUSED void record(struct fixture *f, const char *name, int64_t at_ms, const struct bw_answer *a)
{
	const struct bw_seen seen = {.base_id = base_id(f, name), .at_ms = at_ms, .answer = a};

	assert_true(seen.base_id > 0);
	assert_ok(f, bw_store_record(f->store, &seen, 1, NULL, &f->counts, &f->err));
}

static BW_UNUSED void see_type(struct fixture *f, const char *name, char letter, int64_t at_ms,
			       const char *media_type)
{
	struct bw_answer a = {0};

	(void)digest_of(letter, a.digest.text);
	(void)snprintf(a.media_type, sizeof(a.media_type), "%s", media_type);
	record(f, name, at_ms, &a);
}

static BW_UNUSED void see(struct fixture *f, const char *name, char letter, int64_t at_ms)
{
	see_type(f, name, letter, at_ms, OCI_INDEX);
}

static BW_UNUSED void see_trouble(struct fixture *f, const char *name, enum bw_trouble t, const char *message,
				  int64_t at_ms)
{
	struct bw_answer a = {.trouble = t, .retry_after_s = t == BW_TROUBLE_THROTTLED ? 60 : 0};

	(void)snprintf(a.message, sizeof(a.message), "%s", message);
	record(f, name, at_ms, &a);
}

static BW_UNUSED void see_same(struct fixture *f, const char *name, int64_t at_ms)
{
	record(f, name, at_ms, NULL);
}

#define MAX_PLATFORMS 16

/* A change with what it means for each platform. */
struct made_change {
	struct bw_comparison comparisons[MAX_PLATFORMS];
	struct bw_change change;
	char *words; /* holds all the texts */
};

static enum bw_class class_from(const char *word)
{
	enum bw_class class = BW_CLASS_UNCLASSIFIED;

	if (!bw_class_parse(word, &class))
		fail_msg("no class: %s", word);
	return class;
}

/*
 * "linux/amd64=content,3_layers -=index a>-=config": platforms with class and what moved, "-" for uses that name none,
 * behind "a>" compared with digest a; '_' stays. The change as a whole is the weightiest of those that start from
 * `from`, the first of equals.
 */
static BW_UNUSED void make_change(struct made_change *m, char from, const char *meanings)
{
	char *rest, *word;

	bool is_first = true;

	*m = (struct made_change){.words = bw_strdup(meanings)};
	m->change.comparisons = m->comparisons;
	m->change.class = BW_CLASS_INDEX;
	m->change.moved = "";
	digest_from(from, &m->change.from);
	rest = m->words;
	while ((word = strsep(&rest, " ")) != NULL) {
		struct bw_comparison *c = &m->comparisons[m->change.comparison_count++];
		bool is_other = word[0] && word[1] == '>';
		const char *platform, *class;

		assert_true(m->change.comparison_count <= MAX_PLATFORMS);
		digest_from(is_other ? word[0] : from, &c->from);
		word += is_other ? 2 : 0;
		platform = strsep(&word, "=");
		class = strsep(&word, ",");
		c->platform = strcmp(platform, "-") == 0 ? NULL : platform;
		c->class = class_from(class);
		c->moved = word ? word : "";
		if (!is_other && (c->class < m->change.class || is_first)) {
			m->change.class = c->class;
			m->change.moved = c->moved;
			is_first = false;
		}
	}
}

/* A judged change: from and to as letters. */
static BW_UNUSED void see_judged(struct fixture *f, const char *name, const char *from_to, int64_t at_ms,
				 const char *meanings)
{
	struct bw_answer a = {.media_type = OCI_INDEX};
	struct made_change m;
	struct bw_seen seen = {.base_id = base_id(f, name), .at_ms = at_ms, .answer = &a};

	make_change(&m, from_to[0], meanings);
	digest_from(from_to[1], &a.digest);
	seen.change = &m.change;
	assert_true(seen.base_id > 0);
	assert_ok(f, bw_store_record(f->store, &seen, 1, NULL, &f->counts, &f->err));
	free(m.words);
}

/* --- what always holds ------------------------------------------------------------------------ */

/* Each is a query for how much is wrong: 0 of it is. `when` and `n` are for the message. */
static BW_UNUSED void assert_whole(const char *const *invariants, size_t count, const char *path,
				   const char *when, int n)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *q = NULL;
		int64_t broken = 0;
		int rc = sqlite3_prepare_v2(db, invariants[i], -1, &q, NULL);

		if (rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
			broken = sqlite3_column_int64(q, 0);
		(void)sqlite3_finalize(q);
		/* Before the first step of the schema there is nothing to ask. */
		if (broken != 0 || (rc != SQLITE_OK && !strstr(sqlite3_errmsg(db), "no such table")))
			fail_msg("%s %d: %s: %lld %s", when, n, invariants[i], (long long)broken,
				 sqlite3_errmsg(db));
	}
	(void)sqlite3_close(db);
}

/* --- lists as text ---------------------------------------------------------------------------- */

/* "a" for "sha256:aaaa...", "-" for none. */
static BW_UNUSED const char *letter_of(const char *digest, char out[2])
{
	out[0] = digest ? digest[7] : '-';
	out[1] = '\0';
	return out;
}

static BW_UNUSED int add_row(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	struct bw_judgement j;
	const char *base = r->base ? strrchr(r->base, '/') + 1 : "-";

	(void)err;
	bw_judge(r, f->now_ms, &j);
	bw_buf_addf(&f->text, "%s%s%s%s%s:%u %s %s", r->source, r->source[0] ? ":" : "", r->path,
		    r->target[0] ? "@" : "", r->target, r->line, base, bw_verdict_name(j.verdict));
	if (j.since_ms)
		bw_buf_addf(&f->text, " since %lld", (long long)j.since_ms);
	if (j.reason[0])
		bw_buf_addf(&f->text, " (%s)", j.reason);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

/* The rows of the chosen builds with their verdicts, one line each. */
static BW_UNUSED const char *rows(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_row(f->store, add_row, f, &f->err));
	return bw_buf_str(&f->text);
}

static BW_UNUSED int add_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char letter[2];

	(void)err;
	bw_buf_addf(&f->text, "%s/%s:%s %s", b->registry, b->repository, b->tag,
		    letter_of(b->digest, letter));
	if (b->failures > 0)
		bw_buf_addf(&f->text, " failed %u", b->failures);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

static BW_UNUSED const char *wanted(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_wanted(f->store, f->now_ms, add_base, f, &f->err));
	return bw_buf_str(&f->text);
}

static BW_UNUSED int add_doubt(const struct bw_doubt *d, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char tag[2], pinned[2];

	(void)err;
	bw_buf_addf(&f->text, "%s/%s:%s %s, pinned to %s", d->base.registry, d->base.repository, d->base.tag,
		    letter_of(d->base.digest, tag), letter_of(d->pinned, pinned));
	if (d->platform)
		bw_buf_addf(&f->text, " for %s", d->platform);
	if (d->media_type)
		bw_buf_addf(&f->text, " (%s)", strcmp(d->media_type, OCI_INDEX) == 0 ? "index" : "image");
	bw_buf_addc(&f->text, '\n');
	return 0;
}

/* What bodies are missing for, one line for each question. */
static BW_UNUSED const char *doubts(struct fixture *f)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_doubt(f->store, f->now_ms, add_doubt, f, &f->err));
	return bw_buf_str(&f->text);
}

static BW_UNUSED int add_sighting(const struct bw_sighting *x, void *arg, struct bw_err *err)
{
	struct fixture *f = arg;
	char letter[2], previous[2];

	(void)err;
	bw_buf_addf(&f->text, "%s #%u %lld %s<-%s %s", x->base, x->number, (long long)x->at_ms,
		    letter_of(x->digest, letter), letter_of(x->previous, previous),
		    x->change_class ? x->change_class : "-");
	if (x->moved)
		bw_buf_addf(&f->text, " (%s)", x->moved);
	bw_buf_addc(&f->text, '\n');
	return 0;
}

static BW_UNUSED const char *history(struct fixture *f, const char *base)
{
	bw_buf_clear(&f->text);
	assert_ok(f, bw_store_each_sighting(f->store, base, add_sighting, f, &f->err));
	return bw_buf_str(&f->text);
}

#endif
