/* test_work.c - work on another thread, and coming back from it. */
#include "unit/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "core/mem.h"
#include "net/work.h"

#define MANY 50

struct story {
	struct bw_loop *loop;
	struct bw_work *work;
	pthread_t home, away;
	sem_t begun, may_end;
	bool worked, ended;
	unsigned told;
};

static int begin(void **state)
{
	struct story *s = BW_NEW(struct story);
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&s->loop, &err), 0);
	assert_int_equal(sem_init(&s->begun, 0, 0), 0);
	assert_int_equal(sem_init(&s->may_end, 0, 0), 0);
	s->home = pthread_self();
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct story *s = *state;

	bw_loop_free(s->loop);
	(void)sem_destroy(&s->begun);
	(void)sem_destroy(&s->may_end);
	free(s);
	return 0;
}

static void work(void *arg)
{
	struct story *s = arg;

	s->away = pthread_self();
	s->worked = true;
}

static void be_told(void *arg)
{
	struct story *s = arg;

	s->told++;
}

static void be_told_at_home(void *arg)
{
	struct story *s = arg;

	assert_true(s->worked);
	assert_false(pthread_equal(s->away, s->home));
	assert_true(pthread_equal(pthread_self(), s->home));
	be_told(s);
}

static void test_work_is_done_elsewhere_and_told_here(void **state)
{
	struct story *s = *state;

	bw_work_start(s->loop, work, be_told_at_home, s);
	assert_int_equal(s->told, 0);
	bw_loop_run(s->loop);
	assert_int_equal(s->told, 1);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

static void start_another(void *arg)
{
	struct story *s = arg;

	if (++s->told < MANY)
		bw_work_start(s->loop, do_nothing, start_another, s);
}

static void test_work_may_be_started_when_other_work_is_done(void **state)
{
	struct story *s = *state;

	bw_work_start(s->loop, do_nothing, start_another, s);
	bw_loop_run(s->loop);
	assert_int_equal(s->told, MANY);
}

static void test_more_work_than_threads_is_all_done(void **state)
{
	struct story *s = *state;

	for (unsigned i = 0; i < MANY; i++)
		bw_work_start(s->loop, do_nothing, be_told, s);
	bw_loop_run(s->loop);
	assert_int_equal(s->told, MANY);
}

static void work_until_allowed(void *arg)
{
	struct story *s = arg;

	(void)sem_post(&s->begun);
	while (sem_wait(&s->may_end) < 0)
		;
	s->ended = true;
}

static void *allow(void *arg)
{
	struct story *s = arg;

	(void)sem_post(&s->may_end);
	return NULL;
}

/* Whoever cancels frees what the work looks at: it must have ended by then. */
static void test_cancelling_waits_for_work_that_has_begun(void **state)
{
	struct story *s = *state;
	pthread_t other;

	s->work = bw_work_start(s->loop, work_until_allowed, be_told, s);
	while (sem_wait(&s->begun) < 0)
		;
	assert_int_equal(pthread_create(&other, NULL, allow, s), 0);
	bw_work_cancel(s->work);
	assert_true(s->ended);
	assert_int_equal(pthread_join(other, NULL), 0);
	bw_loop_run(s->loop);
	assert_int_equal(s->told, 0);
}

static void count_work(void *arg)
{
	unsigned *count = arg;

	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
}

/* libuv has four threads, or as many as UV_THREADPOOL_SIZE says. */
static void test_what_has_not_begun_never_begins_once_cancelled(void **state)
{
	struct story *s = *state, blockers[4] = {0};
	struct bw_work *waiting[MANY];
	unsigned worked = 0;

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(sem_init(&blockers[i].begun, 0, 0), 0);
		assert_int_equal(sem_init(&blockers[i].may_end, 0, 0), 0);
		bw_work_start(s->loop, work_until_allowed, be_told, &blockers[i]);
		while (sem_wait(&blockers[i].begun) < 0)
			;
	}
	for (size_t i = 0; i < MANY; i++)
		waiting[i] = bw_work_start(s->loop, count_work, be_told, &worked);
	for (size_t i = 0; i < MANY; i++)
		bw_work_cancel(waiting[i]);
	for (size_t i = 0; i < 4; i++)
		(void)sem_post(&blockers[i].may_end);
	bw_loop_run(s->loop);
	assert_int_equal(worked, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(blockers[i].told, 1);
		(void)sem_destroy(&blockers[i].begun);
		(void)sem_destroy(&blockers[i].may_end);
	}
}

static void test_a_loop_may_go_right_behind_what_was_cancelled(void **state)
{
	struct story *s = *state;

	s->work = bw_work_start(s->loop, work, be_told, s);
	bw_work_cancel(s->work);
	bw_work_cancel(NULL);
	bw_loop_free(s->loop);
	s->loop = NULL;
	assert_int_equal(s->told, 0);
}

static int set_threads(void **state)
{
	(void)state;
	return setenv("UV_THREADPOOL_SIZE", "4", 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_work_is_done_elsewhere_and_told_here),
		TEST(test_work_may_be_started_when_other_work_is_done),
		TEST(test_more_work_than_threads_is_all_done),
		TEST(test_cancelling_waits_for_work_that_has_begun),
		TEST(test_what_has_not_begun_never_begins_once_cancelled),
		TEST(test_a_loop_may_go_right_behind_what_was_cancelled),
	};

	return cmocka_run_group_tests(tests, set_threads, NULL);
}
