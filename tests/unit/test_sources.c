/*
 * test_sources.c - configured sources in a real store, on a real loop: folders that change, repositories that move, go
 * away and come back, and another configuration.
 */
#include "unit/store_fixture.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/log.h"
#include "daemon/sources.h"
#include "store/source.h"

#define DEADLINE_MS 20000

extern char **environ;

struct scene {
	struct fixture *f;
	struct bw_loop *loop;
	struct bw_timer *deadline;
	struct bw_sources *sources;
	unsigned settled;
	const char *wanted;
	bool is_late;
	struct bw_timer *poll;
	int64_t checked_at;
	bool may_fail; /* the store: then it is waited for that, too */
};

/* --- files and repositories ------------------------------------------------------------------------ */

static char *at(const struct scene *s, const char *inner)
{
	return bw_asprintf("%s/%s", s->f->folder, inner);
}

/* By the shell, in the folder of the scene. */
static void sh(const struct scene *s, const char *script)
{
	BW_AUTOFREE char *text = bw_asprintf(
		"set -e; cd %s; export HOME=$PWD GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null "
		"GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t; %s",
		s->f->folder, script);
	char shell[] = "sh", flag[] = "-c";
	char *const words[] = {shell, flag, text, NULL};
	int status = -1;
	pid_t pid;

	assert_int_equal(posix_spawnp(&pid, words[0], NULL, NULL, words, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s", script);
}

/* r.git with two files on main; w is where it is worked on. */
static void make_repository(const struct scene *s)
{
	sh(s, "git init -q -b main w; mkdir w/a w/b; echo FROM x:1 >w/a/Dockerfile; echo FROM y:1 "
	      ">w/b/Dockerfile; git -C w add .; git -C w commit -q -m 1; git clone -q --bare w r.git; "
	      "git -C w remote add origin ../r.git");
}

static void push(const struct scene *s, const char *change)
{
	BW_AUTOFREE char *script = bw_asprintf(
		"cd w; %s; git add -A; git commit -q --allow-empty -m x; git push -q --all origin", change);

	sh(s, script);
}

/* --- waiting --------------------------------------------------------------------------------------- */

static int note_base(const struct bw_base *b, void *arg, struct bw_err *err)
{
	const char *slash = strrchr(b->repository, '/');

	(void)err;
	(void)bw_buf_addf(arg, "%s:%s ", slash ? slash + 1 : b->repository, b->tag);
	return 0;
}

/* "x:1 y:1 ": what would be asked for. */
static char *bases(const struct scene *s)
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, 4096);
	assert_ok(s->f, bw_store_each_wanted(s->f->store, bw_clock_ms(), note_base, &b, &s->f->err));
	return bw_strdup(bw_buf_str(&b));
}

static void look(struct scene *s)
{
	BW_AUTOFREE char *now = bases(s);

	if (!s->wanted || strcmp(now, s->wanted) == 0)
		bw_loop_stop(s->loop);
}

static void be_settled(void *arg)
{
	struct scene *s = arg;

	s->settled++;
	look(s);
}

static void be_failed(const struct bw_err *err, void *arg)
{
	const struct scene *s = arg;

	if (!s->may_fail)
		fail_msg("%s", err->msg);
	bw_loop_stop(s->loop);
}

static void be_late(void *arg)
{
	struct scene *s = arg;

	s->is_late = true;
	bw_loop_stop(s->loop);
}

/* Runs until the sources have settled so, or at all (NULL). */
static void wait_for(struct scene *s, const char *wanted)
{
	BW_AUTOFREE char *now = NULL;

	s->wanted = wanted;
	s->is_late = false;
	bw_timer_start(s->deadline, DEADLINE_MS);
	bw_loop_run(s->loop);
	now = bases(s);
	if (s->is_late)
		fail_msg("nothing came; there is: %s", now);
	if (wanted)
		assert_string_equal(now, wanted);
}

static void assert_bases(const struct scene *s, const char *wanted)
{
	BW_AUTOFREE char *now = bases(s);

	assert_string_equal(now, wanted);
}

static struct bw_sources_counts counts(const struct scene *s)
{
	struct bw_sources_counts c;

	bw_sources_count(s->sources, &c);
	return c;
}

/* --- the scene ------------------------------------------------------------------------------------- */

static struct bw_conf *configuration(const struct scene *s, const char *text)
{
	struct bw_conf_problems problems = {0};
	struct bw_err err = BW_ERR_INIT;
	struct bw_conf *c = NULL;

	if (bw_conf_parse(text, strlen(text), s->f->folder, 0, &c, &problems, &err) < 0)
		fail_msg("%s: %s", err.msg, problems.count > 0 ? problems.items[0].text : "");
	bw_conf_problems_done(&problems);
	return c;
}

static void start(struct scene *s, const char *text)
{
	const struct bw_sources_hooks h = {.settled = be_settled, .failed = be_failed, .arg = s};
	struct bw_conf *c = configuration(s, text);
	BW_AUTOFREE char *state = bw_asprintf("%s/git", s->f->folder);

	assert_ok(s->f, bw_sources_new(s->loop, s->f->store, state, c, &h, &s->sources, &s->f->err));
	bw_conf_free(c);
}

static void set(struct scene *s, const char *text)
{
	struct bw_conf *c = configuration(s, text);

	bw_sources_set(s->sources, c);
	bw_conf_free(c);
}

static int set_up_scene(void **state)
{
	struct scene *s = BW_NEW(struct scene);
	void *f = NULL;

	if (set_up_store(&f) < 0 || bw_loop_new(&s->loop, NULL) < 0)
		return -1;
	s->f = f;
	s->deadline = bw_timer_new(s->loop, be_late, s);
	bw_log_set_level(BW_LOG_ERROR); /* what is away is away on purpose */
	sh(s, "mkdir in in/a; echo FROM x:1 >in/a/Dockerfile");
	*state = s;
	return 0;
}

static int tear_down_scene(void **state)
{
	struct scene *s = *state;
	void *f = s->f;
	int rc;

	bw_sources_free(s->sources);
	bw_timer_free(s->deadline);
	bw_loop_free(s->loop);
	rc = tear_down(&f);
	free(s);
	return rc;
}

#define LIVE "SELECT count(*) FROM build WHERE ended_at IS NULL"

/* --- folders --------------------------------------------------------------------------------------- */

#define FOLDER "sources: [{path: in, name: shop}]\npoll: {rescan: 1h}\n"

static void a_new_a_changed_and_a_removed_build_file_are_seen(void **state)
{
	struct scene *s = *state;

	start(s, FOLDER);
	wait_for(s, "x:1 ");
	assert_int_equal(counts(s).files, 1);
	sh(s, "echo FROM x:2 >in/a/Dockerfile");
	wait_for(s, "x:2 ");
	sh(s, "echo FROM y:1 >in/Dockerfile");
	wait_for(s, "x:2 y:1 ");
	assert_int_equal(ask(s->f, LIVE), 2);
	sh(s, "rm in/a/Dockerfile");
	wait_for(s, "y:1 ");
	assert_int_equal(ask(s->f, LIVE), 1);
	assert_int_equal(counts(s).files, 1);
	/* A folder that is made, and gets its file later. */
	sh(s, "mkdir -p in/new/deep");
	wait_for(s, "y:1 ");
	sh(s, "echo FROM z:1 >in/new/deep/Dockerfile");
	wait_for(s, "y:1 z:1 ");
}

static void a_folder_that_vanished_keeps_its_builds_and_is_seen_when_it_is_back(void **state)
{
	struct scene *s = *state;

	start(s, FOLDER);
	wait_for(s, "x:1 ");
	sh(s, "mv in away");
	wait_for(s, "x:1 ");
	assert_int_equal(counts(s).unreachable, 1);
	assert_int_equal(ask(s->f, LIVE), 1);
	sh(s, "echo FROM y:1 >away/Dockerfile; mv away in");
	wait_for(s, "x:1 y:1 ");
	assert_int_equal(counts(s).unreachable, 0);
}

static void what_was_known_of_a_folder_that_is_not_there_at_the_start_is_meant(void **state)
{
	struct scene *s = *state;

	start(s, FOLDER);
	wait_for(s, "x:1 ");
	bw_sources_free(s->sources);
	s->sources = NULL;
	sh(s, "mv in away");
	start(s, FOLDER);
	wait_for(s, "x:1 ");
	assert_int_equal(counts(s).unreachable, 1);
}

static void includes_and_excludes_say_what_counts(void **state)
{
	struct scene *s = *state;

	sh(s, "mkdir in/b in/b/old; echo FROM y:1 >in/b/Dockerfile; echo FROM z:1 >in/b/old/Dockerfile");
	start(s, "sources: [{path: in, include: ['b/**'], exclude: [old]}]");
	wait_for(s, "y:1 ");
	assert_int_equal(ask(s->f, LIVE), 1);
}

/* --- repositories ---------------------------------------------------------------------------------- */

#define REPOSITORY \
	"sources: [{git: r.git, branches: [main, 'r/*'], name: api}]\npoll: {every: 1s, jitter: 0%}\n"

static void branches_that_move_come_and_go_are_followed(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	start(s, REPOSITORY);
	wait_for(s, "x:1 y:1 ");
	push(s, "echo FROM x:2 >a/Dockerfile; git rm -q b/Dockerfile");
	wait_for(s, "x:2 ");
	assert_int_equal(ask(s->f, LIVE), 1);
	push(s, "git checkout -q -b r/1; echo FROM z:1 >a/Dockerfile");
	wait_for(s, "x:2 z:1 ");
	assert_int_equal(ask(s->f, "SELECT count(*) FROM source WHERE url IS NOT NULL"), 2);
	sh(s, "git -C r.git update-ref -d refs/heads/r/1");
	wait_for(s, "x:2 ");
	assert_int_equal(ask(s->f, LIVE), 1);
	assert_int_equal(counts(s).unreachable, 0);
}

#define SINCE "SELECT problem_since FROM source WHERE url IS NOT NULL"

static void a_repository_that_is_away_keeps_its_builds_and_since_when_is_known(void **state)
{
	struct scene *s = *state;
	int64_t since;

	make_repository(s);
	start(s, REPOSITORY);
	wait_for(s, "x:1 y:1 ");
	sh(s, "mv r.git away.git");
	while (counts(s).unreachable == 0)
		wait_for(s, NULL);
	assert_bases(s, "x:1 y:1 ");
	since = ask(s->f, SINCE);
	assert_in_range(since, bw_clock_ms() - DEADLINE_MS, bw_clock_ms());
	/* Another run finds it away from the start. */
	bw_sources_free(s->sources);
	s->sources = NULL;
	start(s, REPOSITORY);
	wait_for(s, "x:1 y:1 ");
	assert_int_equal(counts(s).unreachable, 1);
	assert_int_equal(ask(s->f, SINCE), since);
	sh(s, "mv away.git r.git");
	while (counts(s).unreachable > 0)
		wait_for(s, NULL);
	assert_int_equal(ask(s->f, "SELECT count(*) FROM source WHERE problem IS NOT NULL"), 0);
	assert_bases(s, "x:1 y:1 ");
	assert_int_equal(ask(s->f, LIVE), 2);
}

#define CHECKED "SELECT max(checked_at) FROM source"

static void check_again(void *arg)
{
	struct scene *s = arg;

	if (ask(s->f, CHECKED) > s->checked_at)
		bw_loop_stop(s->loop);
	else
		bw_timer_start(s->poll, 20);
}

/* Whatever comes of it. */
static void look_once_more(struct scene *s)
{
	s->checked_at = ask(s->f, CHECKED);
	s->poll = bw_timer_new(s->loop, check_again, s);
	s->wanted = "never";
	bw_timer_start(s->poll, 20);
	bw_timer_start(s->deadline, DEADLINE_MS);
	bw_loop_run(s->loop);
	bw_timer_free(s->poll);
	assert_false(s->is_late);
}

static void that_a_repository_is_away_is_said_once_and_that_it_is_back(void **state)
{
	struct scene *s = *state;
	BW_AUTOFREE char *path = at(s, "log");
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600), kept = dup(2);
	char text[4096];
	ssize_t n;

	make_repository(s);
	start(s, REPOSITORY);
	wait_for(s, "x:1 y:1 ");
	assert_true(fd >= 0 && kept >= 0 && dup2(fd, 2) == 2);
	bw_log_set_level(BW_LOG_INFO);
	sh(s, "mv r.git away.git");
	for (int i = 0; i < 3; i++)
		look_once_more(s);
	sh(s, "mv away.git r.git");
	for (int i = 0; i < 2; i++)
		look_once_more(s);
	bw_log_set_level(BW_LOG_ERROR);
	assert_int_equal(dup2(kept, 2), 2);
	(void)close(kept);
	n = pread(fd, text, sizeof(text) - 1, 0);
	(void)close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "warning: source api: list branches: "));
	assert_non_null(strstr(text, "; what was known of it stays, since 20"));
	assert_non_null(strstr(text, "info: source api: is there again\n"));
	assert_ptr_equal(strchr(strchr(text, '\n') + 1, '\n') + 1, text + n);
}

/* --- the configuration ----------------------------------------------------------------------------- */

static void a_configured_build_takes_the_place_of_the_plain_one(void **state)
{
	struct scene *s = *state;

	sh(s, "printf 'ARG V=1\\nFROM x:$V AS one\\nFROM y:$V AS two\\n' >in/a/Dockerfile");
	start(s, FOLDER);
	wait_for(s, "y:1 ");
	set(s, FOLDER "builds:\n- {source: shop, file: a/Dockerfile, target: One, args: {V: 7}}\n");
	wait_for(s, "x:7 ");
	assert_int_equal(ask(s->f, LIVE), 1);
	set(s, FOLDER
	    "builds:\n- {source: shop, file: a/Dockerfile, target: one, args: {V: 7}}\n"
	    "- {source: shop, file: a/Dockerfile, target: two, platforms: [linux/amd64, linux/arm64]}\n");
	wait_for(s, "x:7 y:1 ");
	assert_int_equal(ask(s->f, LIVE), 2);
	assert_int_equal(ask(s->f, "SELECT count(DISTINCT platform) FROM use"), 2);
	set(s, FOLDER);
	wait_for(s, "y:1 ");
	assert_int_equal(ask(s->f, LIVE), 1);
}

static void a_configured_build_may_have_any_name(void **state)
{
	struct scene *s = *state;

	sh(s, "echo FROM z:1 >in/a/odd.txt");
	start(s, FOLDER "builds: [{source: shop, file: a/odd.txt}, {source: shop, file: gone}]\n");
	wait_for(s, "x:1 z:1 ");
}

static void another_configuration_keeps_what_is_the_same_and_lets_the_rest_go(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	sh(s, "mkdir other; echo FROM z:1 >other/Dockerfile");
	start(s, "sources: [{path: in}, {git: r.git}]");
	wait_for(s, "x:1 y:1 ");
	set(s, "sources: [{path: in}, {path: other}]");
	wait_for(s, "x:1 z:1 ");
	assert_int_equal(counts(s).files, 2);
	assert_int_equal(ask(s->f, LIVE), 4); /* they have not ended: nobody looks at them any more */
	set(s, "sources: [{path: other}]");
	wait_for(s, "z:1 ");
	set(s, "{}");
	wait_for(s, "");
	/* One folder in another: what one lets go the other may hold. */
	set(s, "sources: [{path: in}, {path: in/a}]");
	wait_for(s, "x:1 ");
	set(s, "sources: [{path: in/a}]");
	wait_for(s, "x:1 ");
}

static void nothing_is_told_before_all_were_looked_into(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	start(s, "sources: [{path: in, name: shop}, {git: r.git}, {path: nowhere}]");
	wait_for(s, NULL);
	assert_int_equal(s->settled, 1);
	assert_int_equal(counts(s).files, 3);
	assert_int_equal(counts(s).unreachable, 1);
	bw_sources_rescan(s->sources);
	wait_for(s, "x:1 y:1 ");
}

static void a_repository_that_does_not_answer_is_waited_for_as_long_as_was_said(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	start(s, "sources: [{path: in, name: shop}, {git: r.git}]");
	wait_for(s, "x:1 y:1 ");
	bw_sources_free(BW_TAKE(s->sources));
	sh(s,
	   "rm -f r.git/packed-refs; mkfifo r.git/packed-refs; mkdir in/b; echo FROM z:1 >in/b/Dockerfile");
	start(s, "sources: [{path: in, name: shop}, {git: r.git}]");
	bw_sources_limit_wait(s->sources, 200);
	wait_for(s, "x:1 y:1 z:1 ");
	sh(s, "rm in/b/Dockerfile");
	wait_for(s, "x:1 y:1 ");
}

static void work_under_way_is_left(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	start(s, "sources: [{path: in}, {git: r.git}]");
	bw_timer_start(s->deadline, 1);
	bw_loop_run(s->loop);
	set(s, "sources: [{path: in, exclude: [x]}, {git: r.git, exclude: [x]}]");
	bw_timer_start(s->deadline, 3);
	bw_loop_run(s->loop);
}

/* --- another process ------------------------------------------------------------------------------- */

/* As `basewatch forget` does it beside us. */
static void forget_all(struct scene *s)
{
	struct bw_store *other = NULL;
	size_t count = 0;

	assert_ok(s->f, bw_store_open(s->f->path, &other, &s->f->err));
	assert_ok(s->f, bw_store_choose_all(other, &count, &s->f->err));
	assert_ok(s->f, bw_store_forget(other, &count, &s->f->err));
	bw_store_close(other);
	assert_bases(s, "");
}

static void what_another_process_forgot_of_a_repository_is_found_at_once(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	start(s, "sources: [{git: r.git}]\npoll: {every: 1h}\n");
	wait_for(s, "x:1 y:1 ");
	bw_sources_look_again(s->sources); /* nothing is amiss */
	forget_all(s);
	bw_sources_look_again(s->sources);
	wait_for(s, "x:1 y:1 ");
	assert_int_equal(ask(s->f, LIVE), 2);
	assert_int_equal(counts(s).files, 2);
}

static void what_another_process_ended_while_it_was_looked_into_is_found_at_once(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	start(s, "sources: [{git: r.git}]\npoll: {every: 1h}\n");
	wait_for(s, "x:1 y:1 ");
	bw_sources_rescan(s->sources);
	bw_timer_start(s->deadline, 1); /* it has begun, with the commit that is known */
	bw_loop_run(s->loop);
	run_sql(s->f->path, "UPDATE build SET ended_at = 1 WHERE id = (SELECT min(id) FROM build)");
	bw_sources_look_again(s->sources);
	wait_for(s, "x:1 y:1 ");
	assert_int_equal(ask(s->f, LIVE), 2);
}

static void what_another_process_forgot_of_a_folder_is_found_at_once(void **state)
{
	struct scene *s = *state;

	start(s, FOLDER);
	wait_for(s, "x:1 ");
	forget_all(s);
	bw_sources_look_again(s->sources);
	wait_for(s, "x:1 ");
	assert_int_equal(ask(s->f, LIVE), 1);
}

static void what_was_put_before_the_store_failed_is_let_go_when_it_is_gone(void **state)
{
	struct scene *s = *state;

	sh(s, "for i in 0 1 2 3 4 5 6; do for k in 0 1 2 3 4 5 6 7 8 9; do mkdir in/$i$k; "
	      "echo FROM x:1 >in/$i$k/Dockerfile; done; done");
	start(s, FOLDER);
	run_sql(s->f->path, "CREATE TRIGGER t BEFORE INSERT ON build WHEN (SELECT count(*) FROM build) >= 64"
			    " BEGIN SELECT RAISE(ABORT, 'full'); END");
	s->may_fail = true;
	wait_for(s, NULL);
	s->may_fail = false;
	assert_int_equal(ask(s->f, LIVE), 64);
	run_sql(s->f->path, "DROP TRIGGER t");
	sh(s, "rm -r in/0?");
	assert_int_equal(ask(s->f, LIVE " AND id IN (SELECT t.id FROM build t JOIN build_file f ON"
					" f.id = t.build_file_id WHERE f.path GLOB '0?/*')"),
			 10);
	bw_sources_rescan(s->sources);
	while (ask(s->f, LIVE) != 61)
		wait_for(s, "x:1 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_scene, tear_down_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_a_changed_and_a_removed_build_file_are_seen),
		TEST(a_folder_that_vanished_keeps_its_builds_and_is_seen_when_it_is_back),
		TEST(what_was_known_of_a_folder_that_is_not_there_at_the_start_is_meant),
		TEST(includes_and_excludes_say_what_counts),
		TEST(branches_that_move_come_and_go_are_followed),
		TEST(a_repository_that_is_away_keeps_its_builds_and_since_when_is_known),
		TEST(that_a_repository_is_away_is_said_once_and_that_it_is_back),
		TEST(a_configured_build_takes_the_place_of_the_plain_one),
		TEST(a_configured_build_may_have_any_name),
		TEST(another_configuration_keeps_what_is_the_same_and_lets_the_rest_go),
		TEST(nothing_is_told_before_all_were_looked_into),
		TEST(a_repository_that_does_not_answer_is_waited_for_as_long_as_was_said),
		TEST(work_under_way_is_left),
		TEST(what_another_process_forgot_of_a_repository_is_found_at_once),
		TEST(what_another_process_ended_while_it_was_looked_into_is_found_at_once),
		TEST(what_another_process_forgot_of_a_folder_is_found_at_once),
		TEST(what_was_put_before_the_store_failed_is_let_go_when_it_is_gone),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
