/*
 * poller_scene.h - the poller with all that belongs to it on a real store, in simulated time, with the registries of
 * fake_client.h. What its hooks were told is kept as text.
 */
#ifndef BW_TESTS_POLLER_SCENE_H
#define BW_TESTS_POLLER_SCENE_H

#include "virtual_loop.h"

#include "fake_client.h"
#include "fault_vfs.h"

#include <unistd.h>

#include "core/buf.h"
#include "store/build.h"
#include "store/source.h"
#include "store/sql.h"

#include "../../watcher/watch/doubts.c"
#include "../../watcher/watch/inquiry.c"
#include "../../watcher/watch/judge.c"
#include "../../watcher/watch/ledger.c"
#include "../../watcher/watch/probe.c"
#include "../../watcher/watch/round.c"
#include "../../watcher/watch/side.c"
#include "../../watcher/watch/standings.c"

#include "../../watcher/watch/poller.c"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

struct scene {
	char folder[64];
	char path[96];
	struct bw_store *store;
	struct bw_poller *poller;
	struct bw_poller_options options;
	struct bw_event_options events;
	struct bw_clients clients;
	struct bw_err err;
	int commits;
	struct bw_buf told; /* a line for each notice, and each word of store and guard */
	size_t records, words;
	void (*on_noticed)(struct scene *x); /* what the owner does in a hook; NULL: nothing */
	void (*on_recorded)(struct scene *x);
	void (*on_failed)(struct scene *x);
};

/* --- hooks ------------------------------------------------------------------------------------ */

static void hear_notice(const struct bw_poller_notice *n, void *arg)
{
	static const char *const names[] = {"first", "moved", "trouble", "fine"};
	struct scene *x = arg;

	bw_buf_addf(&x->told, "%s %s/%s:%s", names[n->news], n->registry, n->repository, n->tag);
	if (n->news == BW_NEWS_TROUBLE)
		bw_buf_addf(&x->told, " %s", bw_trouble_name(n->answer->trouble));
	if (n->news == BW_NEWS_MOVED && n->change)
		bw_buf_addf(&x->told, " %s", bw_class_name(n->change->class));
	bw_buf_addc(&x->told, '\n');
	assert_true((n->news == BW_NEWS_FINE) == !n->answer);
	assert_true((n->news == BW_NEWS_MOVED) == (n->change != NULL));
	if (x->on_noticed)
		x->on_noticed(x);
}

static void hear_recorded(const int64_t *ids, size_t count, void *arg)
{
	struct scene *x = arg;

	assert_true(count == 0 || ids);
	x->records++;
	x->words += count;
	if (x->on_recorded)
		x->on_recorded(x);
}

static void hear_failure(const struct bw_err *err, void *arg)
{
	struct scene *x = arg;

	if (!err)
		bw_buf_adds(&x->told, "store again\n");
	else
		bw_buf_addf(&x->told, "store %s\n",
			    err->code == BW_E_FULL     ? "full"
			    : err->code == BW_E_LOCKED ? "locked"
						       : "damaged");
	if (err && x->on_failed)
		x->on_failed(x);
}

static void hear_stop(const char *registry, const char *reason, void *arg)
{
	struct scene *x = arg;

	assert_non_null(strstr(reason, "please report it"));
	bw_buf_addf(&x->told, "stopped %s\n", registry);
}

/* --- beginning and end ------------------------------------------------------------------------ */

static int count_commit(void *arg)
{
	((struct scene *)arg)->commits++;
	return 0;
}

static void start_poller(struct scene *x)
{
	const struct bw_poller_hooks hooks = {.noticed = hear_notice,
					      .recorded = hear_recorded,
					      .store_failed = hear_failure,
					      .stopped = hear_stop,
					      .arg = x};

	x->poller = bw_poller_new(NULL, x->store, &x->clients, &x->options, &hooks);
}

/* As at the end of a process: the questions in flight are lost with their clients. */
static void stop_poller(struct scene *x)
{
	bw_poller_free(x->poller);
	x->poller = NULL;
	fake_forget();
}

static int set_up(void **state)
{
	struct scene *x = BW_NEW(struct scene);

	(void)snprintf(x->folder, sizeof(x->folder), "/tmp/basewatch-poller.XXXXXX");
	assert_non_null(mkdtemp(x->folder));
	(void)snprintf(x->path, sizeof(x->path), "%s/x.db", x->folder);
	memset(&virtual_loop, 0, sizeof(virtual_loop));
	virtual_now(0);
	set_fault(FAULT_ONCE, 0);
	assert_int_equal(bw_store_open(x->path, &x->store, &x->err), 0);
	/* It decides on the slots of the schedule: which base is asked before which must not differ from run to run. */
	(void)snprintf(x->store->uuid, sizeof(x->store->uuid), "00000000-0000-4000-8000-000000000001");
	(void)sqlite3_commit_hook(x->store->db, count_commit, x);
	bw_buf_init(&x->told, 1U << 20);
	fake_init(NULL);
	x->options = (struct bw_poller_options){
		.schedule = BW_SCHEDULE_DEFAULTS, .settle_ms = 30000, .events = &x->events};
	start_poller(x);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *x = *state;

	bw_poller_free(x->poller);
	fake_done();
	bw_store_close(x->store);
	bw_buf_done(&x->told);
	(void)unlink(x->path);
	(void)rmdir(x->folder);
	free(x);
	bw_clock_set(0);
	return 0;
}

/* --- builds ----------------------------------------------------------------------------------- */

static void track_in(struct bw_store *s, const char *source, const char *path, const char *text)
{
	struct bw_build_options o = {0};
	struct bw_dockerfile file = {0};
	struct bw_build_scan scan = {.source = source, .root = "", .path = path, .target = "", .file = &file};
	struct bw_err err = BW_ERR_INIT;
	int64_t id;

	bw_platform_host(&o.builder);
	bw_dockerfile_parse(text, strlen(text), &o, &file);
	bw_digest_of(text, strlen(text), &scan.fingerprint);
	assert_int_equal(bw_store_put_builds(s, &scan, 1, bw_clock_ms(), &id, &err), 0);
	bw_dockerfile_done(&file);
}

static void reload(struct scene *x)
{
	if (bw_poller_reload(x->poller, &x->err) < 0)
		fail_msg("%s", x->err.msg);
}

/* One build file with this text, and the poller knows. */
static void track(struct scene *x, const char *path, const char *text)
{
	track_in(x->store, "", path, text);
	reload(x);
}

static void track_many(struct scene *x, int count)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_adds(&text, "FROM scratch\n");
	for (int i = 0; i < count; i++)
		bw_buf_addf(&text, "COPY --from=r%d.example/app:%d /x /x\n", i % 2, i);
	track(x, "/src/Dockerfile", bw_buf_str(&text));
}

/* --- what came of it -------------------------------------------------------------------------- */

static int64_t number(struct scene *x, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(x->store->db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(x->store->db));
	if (sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	return n;
}

static int64_t events(struct scene *x, const char *type)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM event WHERE type = 'io.basewatch.%s'", type);
	return number(x, sql);
}

static size_t count_told(const struct scene *x, const char *words)
{
	size_t n = 0;

	for (const char *at = x->told.data; at && (at = strstr(at, words)) != NULL; at++)
		n++;
	return n;
}

#define assert_told(x, text)                                       \
	do {                                                       \
		assert_string_equal(bw_buf_str(&(x)->told), text); \
		bw_buf_clear(&(x)->told);                          \
	} while (0)

/* First sight of everything is over; from here on it is counted anew. */
static void settle(struct scene *x)
{
	virtual_run(10 * SECOND);
	assert_true(bw_poller_is_idle(x->poller));
	bw_buf_clear(&x->told);
	x->commits = 0;
	x->records = x->words = 0;
	fake_count_anew();
}

/* Simulated time passes until so many were asked for since the last count. */
static void run_until_asked(struct scene *x, size_t asks)
{
	uint64_t end = virtual_loop.now_ms + 3 * HOUR;

	(void)x;
	while (fake.asks < asks && virtual_step(end))
		;
	assert_int_equal(fake.asks, asks);
}

static void move(const char *tag, const char *layer)
{
	fake_say(tag, fake_image("amd64", layer, "1"));
}

#endif
