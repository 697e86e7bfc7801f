/*
 * The sweep alone: its source with the registry's calls replaced, on a real store and a real loop. What is
 * asked, in which order and how often the store is written, with thousands of bases.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "registry/client.h"
#include "store/build.h"
#include "store/row.h"
#include "store/sql.h"

/* --- a registry that answers one turn later --------------------------------------------------- */

#define ROOM 4

struct question {
	bw_answer_fn answer;
	bw_body_fn body;
	char *registry, *what;
	void *arg;
};

static struct fake {
	struct bw_timer *timer;
	struct question waiting[64];
	size_t count;
	size_t asks, fetches, most_waiting;
	char digest;		 /* every base points to this digit, 64 times */
	const char *silent;	 /* a registry that never answers */
	enum bw_trouble trouble; /* of every answer */
	size_t stop_after;	 /* stops the loop after so many answers; 0: never */
	size_t answers;
	struct bw_loop *loop;
	const char *media_type, *manifest;
} fake;

static void answer_all(void *arg)
{
	struct question now[64];
	size_t count = fake.count;

	(void)arg;
	memcpy(now, fake.waiting, sizeof(now));
	fake.count = 0;
	for (size_t i = 0; i < count; i++) {
		struct bw_answer a = {.trouble = fake.trouble};
		struct bw_buf body;

		if (fake.stop_after && fake.answers == fake.stop_after) {
			bw_loop_stop(fake.loop);
			return;
		}
		fake.answers++;
		snprintf(a.message, sizeof(a.message), "as the test wants it");
		snprintf(a.media_type, sizeof(a.media_type), "%s", fake.media_type);
		if (!a.trouble) {
			memcpy(a.digest.text, "sha256:", 7);
			memset(a.digest.text + 7, fake.digest, 64);
		}
		if (now[i].answer) {
			now[i].answer(&a, now[i].arg);
			continue;
		}
		bw_buf_init(&body, 4096);
		bw_buf_adds(&body, fake.manifest);
		now[i].body(&a, a.trouble ? NULL : &body, now[i].arg);
		bw_buf_done(&body);
	}
}

static void enqueue(struct question q)
{
	if (fake.silent && strcmp(q.registry, fake.silent) == 0)
		return;
	assert_true(fake.count < BW_COUNT(fake.waiting));
	fake.waiting[fake.count++] = q;
	if (fake.count > fake.most_waiting)
		fake.most_waiting = fake.count;
	bw_timer_start(fake.timer, 0);
}

static unsigned fake_room(struct bw_registry *r, const char *registry)
{
	size_t used = 0;

	(void)r;
	for (size_t i = 0; i < fake.count; i++)
		used += strcmp(fake.waiting[i].registry, registry) == 0;
	return used < ROOM ? (unsigned)(ROOM - used) : 0;
}

static void fake_ask(struct bw_registry *r, const char *registry, const char *repository, const char *tag,
		     bw_answer_fn fn, void *arg)
{
	(void)r, (void)repository, (void)tag;
	fake.asks++;
	enqueue((struct question){.answer = fn, .registry = (char *)(uintptr_t)registry, .arg = arg});
}

static void fake_fetch(struct bw_registry *r, const char *registry, const char *repository,
		       const struct bw_digest *digest, bw_body_fn fn, void *arg)
{
	(void)r, (void)repository, (void)digest;
	fake.fetches++;
	enqueue((struct question){.body = fn, .registry = (char *)(uintptr_t)registry, .arg = arg});
}

#define bw_registry_room  fake_room
#define bw_registry_ask	  fake_ask
#define bw_registry_fetch fake_fetch
#include "../../watcher/watch/sweep.c"

/* --- the scene -------------------------------------------------------------------------------- */

struct scene {
	char folder[64];
	char path[96];
	struct bw_store *store;
	struct bw_loop *loop;
	struct bw_err err;
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
	fake = (struct fake){.digest = 'a', .loop = x->loop, .media_type = "", .manifest = ""};
	fake.timer = bw_timer_new(x->loop, answer_all, NULL);
	(void)sqlite3_commit_hook(x->store->db, count_commit, x);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *x = *state;

	bw_timer_free(fake.timer);
	bw_loop_free(x->loop);
	bw_store_close(x->store);
	(void)unlink(x->path);
	(void)rmdir(x->folder);
	free(x);
	return 0;
}

/* One build file that stands on `text`'s bases. */
static void track(struct scene *x, const char *path, const char *text)
{
	struct bw_build_options o = {0};
	struct bw_dockerfile file = {0};
	struct bw_build_scan scan = {.source = "", .root = "", .path = path, .target = "", .file = &file};
	int64_t id;

	bw_platform_host(&o.builder);
	bw_dockerfile_parse(text, strlen(text), &o, &file);
	bw_digest_of(text, strlen(text), &scan.fingerprint);
	assert_int_equal(bw_store_put_builds(x->store, &scan, 1, 1000, &id, &x->err), 0);
	bw_dockerfile_done(&file);
}

static void track_many(struct scene *x, int count)
{
	BW_AUTOBUF struct bw_buf text;

	bw_buf_init(&text, BW_MAX_BUILDFILE_BYTES);
	bw_buf_adds(&text, "FROM scratch\n");
	for (int i = 0; i < count; i++)
		bw_buf_addf(&text, "COPY --from=r%d.example/app:%d /x /x\n", i % 3, i);
	track(x, "/src/Dockerfile", text.data);
}

static struct bw_sweep_result sweep_ok(struct scene *x)
{
	const struct bw_sweep_hooks none = {0};
	struct bw_sweep_result r = {0};

	x->commits = 0;
	fake.asks = fake.fetches = fake.answers = 0;
	assert_int_equal(bw_sweep(x->loop, x->store, NULL, &none, &r, &x->err), 0);
	return r;
}

/* --- the tests -------------------------------------------------------------------------------- */

static void each_base_is_asked_once_and_no_more_than_there_is_room_for(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 3000);
	r = sweep_ok(x);
	assert_int_equal(fake.asks, 3000);
	assert_int_equal(r.asked, 3000);
	assert_int_equal(r.recorded.first, 3000);
	assert_true(fake.most_waiting <= 3 * ROOM);
	assert_false(r.interrupted);
}

static void a_sweep_in_which_nothing_moved_is_one_transaction(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 3000);
	(void)sweep_ok(x);
	r = sweep_ok(x);
	assert_int_equal(r.asked, 3000);
	assert_int_equal(r.recorded.first + r.recorded.changed + r.recorded.failed, 0);
	assert_int_equal(x->commits, 1);
}

static void changes_are_recorded(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 700);
	(void)sweep_ok(x);
	fake.digest = 'b';
	r = sweep_ok(x);
	assert_int_equal(r.recorded.changed, 700);
	assert_true(x->commits >= 3); /* a batch is written as soon as it is full */
}

static void trouble_is_recorded_and_its_end_too(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 5);
	(void)sweep_ok(x);
	fake.trouble = BW_TROUBLE_DNS;
	r = sweep_ok(x);
	assert_int_equal(r.recorded.failed, 5);
	fake.trouble = BW_TROUBLE_NONE;
	r = sweep_ok(x);
	assert_int_equal(r.recorded.failed + r.recorded.changed, 0);
	r = sweep_ok(x);
	assert_int_equal(x->commits, 1);
}

static void what_was_answered_before_an_interruption_is_kept(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 100);
	fake.stop_after = 40;
	r = sweep_ok(x);
	assert_true(r.interrupted);
	assert_int_equal(r.asked, 40);
	assert_int_equal(r.recorded.first, 40);
}

static void a_registry_that_is_silent_holds_nobody_else_up(void **state)
{
	struct scene *x = *state;
	struct bw_sweep_result r;

	track_many(x, 300);
	fake.silent = "r1.example";
	fake.stop_after = 200; /* the answers of the other two */
	bw_timer_start(fake.timer, 0);
	r = sweep_ok(x);
	assert_true(r.asked >= 199);
}

static const char index_body[] =
	"{\"schemaVersion\":2,\"mediaType\":\"application/"
	"vnd.oci.image.index.v1+json\",\"manifests\":[{\"mediaType\":"
	"\"application/vnd.oci.image.manifest.v1+json\",\"size\":7,\"digest\":"
	"\"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\","
	"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}";

static int take_pin(const struct bw_row *r, void *arg, struct bw_err *err)
{
	(void)err;
	*(enum bw_pin *)arg = r->pin;
	return 0;
}

static void a_doubtful_pin_costs_one_fetch_for_ever(void **state)
{
	struct scene *x = *state;
	enum bw_pin pin = BW_PIN_NONE;

	fake.media_type = "application/vnd.oci.image.index.v1+json";
	fake.manifest = index_body;
	track(x, "/src/Dockerfile",
	      "FROM r.example/app:1@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n"
	      "COPY "
	      "--from=r.example/"
	      "app:2@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc / /\n");
	(void)sweep_ok(x);
	assert_int_equal(fake.asks, 2);
	assert_int_equal(fake.fetches, 1); /* both tags have one digest */
	assert_int_equal(bw_store_each_row(x->store, take_pin, &pin, &x->err), 0);
	assert_int_equal(pin, BW_PIN_CHILD);
	(void)sweep_ok(x);
	assert_int_equal(fake.fetches, 0);
}

static void nothing_to_ask_ends_at_once(void **state)
{
	struct scene *x = *state;

	track(x, "/src/Dockerfile", "FROM scratch\n");
	assert_int_equal(sweep_ok(x).asked, 0);
	assert_int_equal(x->commits, 0);
}

static void a_failing_store_ends_the_sweep_with_its_error(void **state)
{
	const struct bw_sweep_hooks none = {0};
	struct scene *x = *state;
	struct bw_sweep_result r = {0};
	char *problem = NULL;

	track_many(x, 500);
	assert_int_equal(sqlite3_exec(x->store->db, "PRAGMA query_only=ON", NULL, NULL, &problem), SQLITE_OK);
	assert_true(bw_sweep(x->loop, x->store, NULL, &none, &r, &x->err) < 0);
	assert_non_null(strstr(x->err.msg, "x.db"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_base_is_asked_once_and_no_more_than_there_is_room_for),
		TEST(a_sweep_in_which_nothing_moved_is_one_transaction),
		TEST(changes_are_recorded),
		TEST(trouble_is_recorded_and_its_end_too),
		TEST(what_was_answered_before_an_interruption_is_kept),
		TEST(a_registry_that_is_silent_holds_nobody_else_up),
		TEST(a_doubtful_pin_costs_one_fetch_for_ever),
		TEST(nothing_to_ask_ends_at_once),
		TEST(a_failing_store_ends_the_sweep_with_its_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
