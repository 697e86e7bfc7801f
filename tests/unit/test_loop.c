/* test_loop.c - the event loop: timers, signals, and freeing them in every moment. */
#include "unit/unit.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "net/loop.h"

struct story {
	size_t turns;
	struct bw_loop *loop;
	struct bw_timer *timer, *other;
	struct bw_signal *signal;
	char said[16];
	size_t length;
	uint64_t at_ms;
};

static void say(struct story *s, char c)
{
	assert_true(s->length < sizeof(s->said) - 1);
	s->said[s->length++] = c;
}

static int begin(void **state)
{
	struct story *s = BW_NEW(struct story);
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&s->loop, &err), 0);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct story *s = *state;

	bw_timer_free(s->timer);
	bw_timer_free(s->other);
	bw_signal_free(s->signal);
	bw_loop_free(s->loop);
	free(s);
	return 0;
}

static void say_a(void *arg)
{
	say(arg, 'a');
}

static void say_b(void *arg)
{
	say(arg, 'b');
}

static void test_an_empty_loop_ends_at_once(void **state)
{
	struct story *s = *state;

	bw_loop_run(s->loop);
	bw_loop_free(NULL);
	assert_int_equal(s->length, 0);
}

static void test_timers_fire_once_and_in_order(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, say_a, s);
	s->other = bw_timer_new(s->loop, say_b, s);
	bw_timer_start(s->timer, 20);
	bw_timer_start(s->other, 1);
	assert_true(bw_timer_is_armed(s->timer));
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "ba");
	assert_false(bw_timer_is_armed(s->timer));
}

static void test_a_timer_that_is_started_again_waits_anew(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, say_a, s);
	s->other = bw_timer_new(s->loop, say_b, s);
	bw_timer_start(s->timer, 1);
	bw_timer_start(s->other, 5);
	bw_timer_start(s->timer, 10);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "ba");
}

static void test_a_stopped_timer_keeps_nothing_alive(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, say_a, s);
	assert_false(bw_timer_is_armed(s->timer));
	bw_timer_start(s->timer, 3600000);
	bw_timer_stop(s->timer);
	assert_false(bw_timer_is_armed(s->timer));
	bw_loop_run(s->loop);
	assert_int_equal(s->length, 0);
}

static void free_myself(void *arg)
{
	struct story *s = arg;

	say(s, 'f');
	bw_timer_free(BW_TAKE(s->timer));
	bw_timer_free(BW_TAKE(s->other));
}

static void test_a_timer_may_be_freed_in_its_own_callback(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, free_myself, s);
	s->other = bw_timer_new(s->loop, say_b, s);
	bw_timer_start(s->timer, 0);
	bw_timer_start(s->other, 0);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "f");
}

static void arm_myself(void *arg)
{
	struct story *s = arg;

	if (++s->turns > 50000000)
		fail_msg("%s", "nothing else ever has its turn");
	bw_timer_start(s->timer, 0);
}

static void stop_all(void *arg)
{
	struct story *s = arg;

	say(s, 's');
	bw_timer_stop(s->timer);
}

static void test_a_timer_without_delay_leaves_turns_to_others(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, arm_myself, s);
	s->other = bw_timer_new(s->loop, stop_all, s);
	bw_timer_start(s->timer, 0);
	bw_timer_start(s->other, 2);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "s");
	assert_true(s->turns > 1);
	assert_false(bw_timer_is_armed(s->timer));
}

static void again(void *arg)
{
	struct story *s = arg;

	say(s, 'r');
	if (s->length < 3)
		bw_timer_start(s->timer, 0);
}

static void test_a_timer_may_start_itself_again(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, again, s);
	bw_timer_start(s->timer, 0);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "rrr");
}

static void stop(void *arg)
{
	struct story *s = arg;

	say(s, 's');
	bw_loop_stop(s->loop);
}

static void test_stop_leaves_what_waits_for_the_next_run(void **state)
{
	struct story *s = *state;

	s->timer = bw_timer_new(s->loop, stop, s);
	s->other = bw_timer_new(s->loop, say_b, s);
	bw_timer_start(s->timer, 0);
	bw_timer_start(s->other, 30);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "s");
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "sb");
}

static void note_time(void *arg)
{
	struct story *s = arg;

	s->at_ms = bw_loop_now(s->loop);
}

static uint64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A program works for a while before it lets the loop run: its deadlines must not look old then. */
static void test_time_does_not_stand_still_outside_of_the_loop(void **state)
{
	struct story *s = *state;
	uint64_t start = bw_loop_now(s->loop), busy_until = monotonic_ms() + 60;

	while (monotonic_ms() < busy_until)
		;
	assert_true(bw_loop_now(s->loop) >= start + 59);
	s->timer = bw_timer_new(s->loop, note_time, s);
	start = bw_loop_now(s->loop);
	bw_timer_start(s->timer, 40);
	bw_loop_run(s->loop);
	assert_true(s->at_ms >= start + 40);
}

static void hear(int signum, void *arg)
{
	struct story *s = arg;

	assert_int_equal(signum, SIGUSR1);
	say(s, 'u');
	bw_loop_stop(s->loop);
}

static void raise_it(void *arg)
{
	(void)arg;
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
}

static void test_signals_arrive_as_events(void **state)
{
	struct story *s = *state;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_signal_new(s->loop, SIGUSR1, hear, s, &s->signal, &err), 0);
	s->timer = bw_timer_new(s->loop, raise_it, s);
	s->other = bw_timer_new(s->loop, say_b, s); /* keeps the loop waiting; a signal alone does not */
	bw_timer_start(s->timer, 0);
	bw_timer_start(s->other, 3600000);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "u");
}

static void test_waiting_for_a_signal_keeps_nothing_alive(void **state)
{
	struct story *s = *state;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_signal_new(s->loop, SIGUSR1, hear, s, &s->signal, &err), 0);
	bw_loop_run(s->loop);
	assert_int_equal(s->length, 0);
}

static void test_a_signal_that_nobody_can_catch_is_refused(void **state)
{
	struct story *s = *state;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_signal_new(s->loop, SIGKILL, hear, s, &s->signal, &err), BW_E_SYS);
	assert_string_equal(err.msg, "signal 9: Invalid argument");
	assert_null(s->signal);
}

/* Far from what a loaded machine makes of a turn that does nothing. */
#define BUSY_MS 200
#define SLOW_MS 150

static void be_busy(void *arg)
{
	struct story *s = arg;
	uint64_t busy_until = monotonic_ms() + BUSY_MS;

	while (monotonic_ms() < busy_until)
		;
	if (s->length > 0)
		bw_loop_stop(s->loop);
}

static void note_slow_turn(uint32_t ms, void *arg)
{
	struct story *s = arg;

	assert_true(ms >= BUSY_MS - 1);
	s->at_ms = ms;
	say(s, 'S');
}

static void test_a_turn_that_holds_up_the_others_is_told(void **state)
{
	struct story *s = *state;

	bw_loop_on_slow(s->loop, SLOW_MS, note_slow_turn, s);
	s->timer = bw_timer_new(s->loop, be_busy, s);
	s->other = bw_timer_new(s->loop, say_b, s);
	bw_timer_start(s->timer, 0);
	bw_timer_start(s->other, BUSY_MS + 20); /* a turn of its own */
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "Sb");
	assert_int_equal(bw_loop_longest(s->loop), s->at_ms);
}

static void test_waiting_is_not_being_slow(void **state)
{
	struct story *s = *state;

	bw_loop_on_slow(s->loop, SLOW_MS, note_slow_turn, s);
	bw_loop_run(s->loop); /* nothing keeps it alive */
	s->timer = bw_timer_new(s->loop, say_a, s);
	bw_timer_start(s->timer, BUSY_MS);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "a");
	assert_true(bw_loop_longest(s->loop) <= SLOW_MS);
}

static void test_work_outside_of_the_loop_is_no_turn(void **state)
{
	struct story *s = *state;

	bw_loop_on_slow(s->loop, SLOW_MS, note_slow_turn, s);
	be_busy(s);
	s->timer = bw_timer_new(s->loop, say_a, s);
	bw_timer_start(s->timer, 0);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "a");
}

static void hear_and_be_busy(int signum, void *arg)
{
	hear(signum, arg);
	be_busy(arg);
}

/* Descriptors are served inside of libuv's poll; and this turn is the last one. */
static void test_slow_work_for_a_descriptor_counts_too(void **state)
{
	struct story *s = *state;
	struct bw_err err = BW_ERR_INIT;

	bw_loop_on_slow(s->loop, SLOW_MS, note_slow_turn, s);
	assert_int_equal(bw_signal_new(s->loop, SIGUSR1, hear_and_be_busy, s, &s->signal, &err), 0);
	s->timer = bw_timer_new(s->loop, raise_it, s);
	s->other = bw_timer_new(s->loop, say_b, s);
	bw_timer_start(s->timer, 0);
	bw_timer_start(s->other, 3600000);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "uS");
}

static void hear_alarm(int signum, void *arg)
{
	struct story *s = arg;

	assert_int_equal(signum, SIGALRM);
	bw_loop_stop(s->loop);
}

/* libuv forgets what it waited before. */
static void test_waiting_that_a_signal_ends_is_not_being_slow(void **state)
{
	struct story *s = *state;
	struct itimerval at = {.it_value.tv_usec = BUSY_MS * 1000};
	struct bw_err err = BW_ERR_INIT;

	bw_loop_on_slow(s->loop, SLOW_MS, note_slow_turn, s);
	assert_int_equal(bw_signal_new(s->loop, SIGALRM, hear_alarm, s, &s->signal, &err), 0);
	s->timer = bw_timer_new(s->loop, say_a, s);
	bw_timer_start(s->timer, 3600000);
	assert_int_equal(setitimer(ITIMER_REAL, &at, NULL), 0);
	bw_loop_run(s->loop);
	assert_string_equal(s->said, "");
	assert_true(bw_loop_longest(s->loop) <= SLOW_MS);
}

static void test_the_longest_turn_is_known_without_a_listener(void **state)
{
	struct story *s = *state;

	assert_int_equal(bw_loop_longest(s->loop), 0);
	bw_loop_on_slow(s->loop, 0, NULL, NULL);
	s->timer = bw_timer_new(s->loop, be_busy, s);
	bw_timer_start(s->timer, 0);
	bw_loop_run(s->loop);
	assert_true(bw_loop_longest(s->loop) >= BUSY_MS - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_empty_loop_ends_at_once),
		TEST(test_timers_fire_once_and_in_order),
		TEST(test_a_timer_that_is_started_again_waits_anew),
		TEST(test_a_stopped_timer_keeps_nothing_alive),
		TEST(test_a_timer_may_be_freed_in_its_own_callback),
		TEST(test_a_timer_without_delay_leaves_turns_to_others),
		TEST(test_a_timer_may_start_itself_again),
		TEST(test_stop_leaves_what_waits_for_the_next_run),
		TEST(test_time_does_not_stand_still_outside_of_the_loop),
		TEST(test_signals_arrive_as_events),
		TEST(test_waiting_for_a_signal_keeps_nothing_alive),
		TEST(test_a_signal_that_nobody_can_catch_is_refused),
		TEST(test_a_turn_that_holds_up_the_others_is_told),
		TEST(test_waiting_is_not_being_slow),
		TEST(test_work_outside_of_the_loop_is_no_turn),
		TEST(test_slow_work_for_a_descriptor_counts_too),
		TEST(test_waiting_that_a_signal_ends_is_not_being_slow),
		TEST(test_the_longest_turn_is_known_without_a_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
