/*
 * sweep_scene.h - the sweep with all that belongs to it (inquiries, judgements), on a real store and a real loop, with
 * the registries of fake_client.h.
 */
#ifndef BW_TESTS_SWEEP_SCENE_H
#define BW_TESTS_SWEEP_SCENE_H

#include "fake_client.h"

#include <unistd.h>

#include "store/build.h"
#include "store/row.h"
#include "store/sql.h"
#include "store/verdict.h"

#include "../../watcher/watch/inquiry.c"
#include "../../watcher/watch/judge.c"
#include "../../watcher/watch/ledger.c"
#include "../../watcher/watch/probe.c"
#include "../../watcher/watch/round.c"
#include "../../watcher/watch/side.c"

#include "../../watcher/watch/doubts.c"
#include "../../watcher/watch/recall.c"
#include "../../watcher/watch/sweep.c"

struct scene {
	char folder[64];
	char path[96];
	struct bw_store *store;
	struct bw_loop *loop;
	struct bw_err err;
	struct bw_clients clients;
	int commits;
};

static int count_commit(void *arg)
{
	((struct scene *)arg)->commits++;
	return 0;
}

static int set_up(void **state)
{
	struct scene *x = BW_NEW(struct scene);

	snprintf(x->folder, sizeof(x->folder), "/tmp/basewatch-sweep.XXXXXX");
	assert_non_null(mkdtemp(x->folder));
	snprintf(x->path, sizeof(x->path), "%s/x.db", x->folder);
	assert_int_equal(bw_store_open(x->path, &x->store, &x->err), 0);
	assert_int_equal(bw_loop_new(&x->loop, &x->err), 0);
	fake_init(x->loop);
	(void)sqlite3_commit_hook(x->store->db, count_commit, x);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *x = *state;

	fake_done();
	bw_loop_free(x->loop);
	bw_store_close(x->store);
	(void)unlink(x->path);
	(void)rmdir(x->folder);
	free(x);
	return 0;
}

/* One build file with this text. */
static void track_in(struct scene *x, const char *source, const char *path, const char *text)
{
	struct bw_build_options o = {0};
	struct bw_dockerfile file = {0};
	struct bw_build_scan scan = {.source = source, .root = "", .path = path, .target = "", .file = &file};
	int64_t id;

	bw_platform_host(&o.builder);
	bw_dockerfile_parse(text, strlen(text), &o, &file);
	bw_digest_of(text, strlen(text), &scan.fingerprint);
	assert_int_equal(bw_store_put_builds(x->store, &scan, 1, 1000, &id, &x->err), 0);
	bw_dockerfile_done(&file);
}

static void track(struct scene *x, const char *path, const char *text)
{
	track_in(x, "", path, text);
}

/* The answer of one SQL question. */
static inline int64_t scene_number(struct scene *x, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t n = -1;

	assert_int_equal(sqlite3_prepare_v2(x->store->db, sql, -1, &q, NULL), SQLITE_OK);
	if (sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	return n;
}

static int sweep(struct scene *x, struct bw_sweep_result *ret)
{
	const struct bw_sweep_options o = {.settle_ms = 1};
	const struct bw_sweep_hooks none = {0};

	x->commits = 0;
	fake_count_anew();
	return bw_sweep(x->loop, x->store, &x->clients, &o, &none, ret, &x->err);
}

static struct bw_sweep_result sweep_ok(struct scene *x)
{
	struct bw_sweep_result r = {0};

	assert_int_equal(sweep(x, &r), 0);
	return r;
}

static inline int64_t scalar(struct scene *x, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(x->store->db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	value = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	return value;
}

/* The last row of the report, with copies of the texts that tests look at. */
struct seen_row {
	enum bw_verdict verdict;
	enum bw_pin pin;
	enum bw_trouble trouble;
	char digest[BW_DIGEST_MAX], change_class[16], moved[512], message[512], pin_platform[64],
		evidence[32];
};

static inline int take_row(const struct bw_row *r, void *arg, struct bw_err *err)
{
	struct seen_row *to = arg;
	struct bw_judgement j;

	(void)err;
	bw_judge(r, bw_clock_ms(), &j);
	*to = (struct seen_row){.verdict = j.verdict, .pin = r->pin, .trouble = r->trouble};
	snprintf(to->digest, sizeof(to->digest), "%s", r->digest ? r->digest : "");
	snprintf(to->change_class, sizeof(to->change_class), "%s", r->change_class ? r->change_class : "");
	snprintf(to->moved, sizeof(to->moved), "%s", r->moved ? r->moved : "");
	snprintf(to->message, sizeof(to->message), "%s", r->trouble_message ? r->trouble_message : "");
	snprintf(to->pin_platform, sizeof(to->pin_platform), "%s", r->pin_platform ? r->pin_platform : "-");
	snprintf(to->evidence, sizeof(to->evidence), "%s", r->evidence ? r->evidence : "");
	return 0;
}

static inline struct seen_row last_row(struct scene *x)
{
	struct seen_row r = {0};

	assert_int_equal(bw_store_each_row(x->store, take_row, &r, &x->err), 0);
	return r;
}

#endif
