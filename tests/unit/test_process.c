#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "net/process.h"

struct scene {
	struct bw_loop *loop;
	unsigned told;
	enum bw_process_end end;
	int status;
	char *output, *errors;
	/* what `take` was given */
	size_t taken, take_most;
};

static int set_up(void **state)
{
	struct scene *s = BW_NEW(struct scene);

	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	if (bw_loop_new(&s->loop, NULL) < 0)
		return -1;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	bw_loop_free(s->loop);
	free(s->output);
	free(s->errors);
	free(s);
	return 0;
}

static void take_end(const struct bw_process_result *r, void *arg)
{
	struct scene *s = arg;

	s->told++;
	s->end = r->end;
	s->status = r->status;
	free(s->output);
	free(s->errors);
	s->output = bw_strdup(bw_buf_str(r->output));
	s->errors = bw_strdup(bw_buf_str(r->errors));
}

static const char *const plain_env[] = {"PATH=/usr/bin:/bin", NULL};

/* Runs a shell script to its end. `req` has what shall differ. */
static void run_with(struct scene *s, const char *script, struct bw_process_request req)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct bw_process *p = NULL;
	struct bw_err err = BW_ERR_INIT;

	req.argv = argv;
	if (!req.env)
		req.env = plain_env;
	if (req.max_output == 0)
		req.max_output = 1U << 20;
	if (req.max_errors == 0)
		req.max_errors = 4096;
	if (req.timeout_ms == 0)
		req.timeout_ms = 60000;
	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &p, &err), 0);
	assert_int_equal(s->told, 0); /* never inside */
	bw_loop_run(s->loop);
	assert_int_equal(s->told, 1);
}

static void run(struct scene *s, const char *script)
{
	run_with(s, script, (struct bw_process_request){0});
}

static void a_program_ends_with_its_status_and_what_it_said(void **state)
{
	struct scene *s = *state;

	run(s, "echo out; echo err >&2; exit 3");
	assert_int_equal(s->end, BW_PROCESS_EXITED);
	assert_int_equal(s->status, 3);
	assert_string_equal(s->output, "out\n");
	assert_string_equal(s->errors, "err\n");
}

static void arguments_reach_it_as_they_are(void **state)
{
	struct scene *s = *state;
	const char *const argv[] = {"printf", "%s|", "a b", "$(id)", "", "-x", "*", NULL};
	const struct bw_process_request req = {
		.argv = argv, .env = plain_env, .max_output = 100, .max_errors = 100};
	struct bw_process *p = NULL;

	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &p, NULL), 0);
	bw_loop_run(s->loop);
	assert_string_equal(s->output, "a b|$(id)||-x|*|");
}

static void nothing_is_inherited_but_what_is_listed(void **state)
{
	struct scene *s = *state;
	const char *const env[] = {"PATH=/usr/bin:/bin", "A=b c", NULL};

	assert_int_equal(setenv("BASEWATCH_TEST_SECRET", "x", 1), 0);
	run_with(s, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort; ls /proc/self/fd | wc -l",
		 (struct bw_process_request){.env = env});
	/* Its three, and the one that ls reads the folder with. */
	assert_string_equal(s->output, "A=b c\nPATH=/usr/bin:/bin\n4\n");
}

static void signals_are_as_they_are_by_default(void **state)
{
	struct scene *s = *state;

	/*
	 * Masks of blocked and of ignored signals; the shell itself may catch some. Signals 32 and 33 belong to the C
	 * library, which lets nobody reset them: whoever started the tests may have them ignored.
	 */
	run(s, "sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\([0-9a-f]\\{7\\}\\)$/\\1 \\2/p' /proc/self/status | tr "
	       "'\\n' ,");
	assert_string_equal(s->output, "Blk 0000000,Ign 0000000,");
}

static void it_has_no_terminal_and_no_input_unless_given(void **state)
{
	struct scene *s = *state;

	run(s, "wc -c; (: </dev/tty) 2>/dev/null || echo no terminal");
	assert_string_equal(s->output, "0\nno terminal\n");
}

static void input_is_written_to_its_end(void **state)
{
	struct scene *s = *state;
	size_t len = 3U << 20;
	BW_AUTOFREE char *input = bw_alloc(len);

	memset(input, 'x', len);
	run_with(s, "wc -c", (struct bw_process_request){.input = input, .input_len = len});
	assert_string_equal(s->output, "3145728\n");
}

static void a_child_that_reads_no_input_is_no_trouble(void **state)
{
	struct scene *s = *state;
	size_t len = 3U << 20;
	BW_AUTOFREE char *input = bw_alloc(len);

	run_with(s, "exit 0", (struct bw_process_request){.input = input, .input_len = len});
	assert_int_equal(s->end, BW_PROCESS_EXITED);
	assert_int_equal(s->status, 0);
}

static void the_folder_can_be_chosen(void **state)
{
	struct scene *s = *state;

	run_with(s, "pwd", (struct bw_process_request){.cwd = "/usr"});
	assert_string_equal(s->output, "/usr\n");
}

static void a_program_that_is_not_there_is_an_error_at_the_start(void **state)
{
	struct scene *s = *state;
	const char *const argv[] = {"basewatch-no-such-program", NULL};
	const struct bw_process_request req = {
		.argv = argv, .env = plain_env, .max_output = 100, .max_errors = 100};
	struct bw_process *p = NULL;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &p, &err), BW_E_SYS);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.msg, "run basewatch-no-such-program: No such file or directory");
	bw_loop_run(s->loop);
	assert_int_equal(s->told, 0);
}

static void a_signal_that_is_not_ours_is_told(void **state)
{
	struct scene *s = *state;

	run(s, "kill -SEGV $$");
	assert_int_equal(s->end, BW_PROCESS_KILLED);
	assert_int_equal(s->status, SIGSEGV);
}

static void too_much_output_ends_it(void **state)
{
	struct scene *s = *state;

	run_with(s, "yes", (struct bw_process_request){.max_output = 1000});
	assert_int_equal(s->end, BW_PROCESS_LIMIT);
}

static void output_of_exactly_the_limit_is_taken(void **state)
{
	struct scene *s = *state;

	run_with(s, "head -c 1000 /dev/zero | tr '\\0' x", (struct bw_process_request){.max_output = 1000});
	assert_int_equal(s->end, BW_PROCESS_EXITED);
	assert_int_equal(strlen(s->output), 1000);
}

static bool take(const char *bytes, size_t len, void *arg)
{
	struct scene *s = arg;

	(void)bytes;
	s->taken += len;
	return s->taken <= s->take_most;
}

static void output_can_be_handed_on_as_it_comes(void **state)
{
	struct scene *s = *state;

	s->take_most = SIZE_MAX;
	run_with(s, "head -c 3000000 /dev/zero",
		 (struct bw_process_request){.output = take, .max_output = 1});
	assert_int_equal(s->end, BW_PROCESS_EXITED);
	assert_int_equal(s->taken, 3000000);
	assert_string_equal(s->output, "");
}

static void who_takes_the_output_can_want_no_more(void **state)
{
	struct scene *s = *state;

	s->take_most = 100000;
	run_with(s, "yes", (struct bw_process_request){.output = take});
	assert_int_equal(s->end, BW_PROCESS_REFUSED);
	assert_true(s->taken < 300000);
}

static void of_the_errors_the_end_is_kept(void **state)
{
	struct scene *s = *state;

	run_with(s, "head -c 300000 /dev/zero | tr '\\0' x >&2; printf last >&2",
		 (struct bw_process_request){.max_errors = 10});
	assert_string_equal(s->errors, "xxxxxxlast");
}

static void what_takes_too_long_is_ended(void **state)
{
	struct scene *s = *state;

	run_with(s, "echo begun; exec sleep 60", (struct bw_process_request){.timeout_ms = 100});
	assert_int_equal(s->end, BW_PROCESS_TIMEOUT);
	assert_int_equal(s->status, SIGTERM);
	assert_string_equal(s->output, "begun\n");
}

static void who_does_not_listen_is_killed_with_all_it_started(void **state)
{
	struct scene *s = *state;

	run_with(s, "trap '' TERM; sleep 60 & echo $!; wait; sleep 60",
		 (struct bw_process_request){.timeout_ms = 100});
	assert_int_equal(s->end, BW_PROCESS_TIMEOUT);
	assert_int_equal(s->status, SIGKILL);
}

static void what_it_leaves_behind_is_killed(void **state)
{
	struct scene *s = *state;
	uint64_t start = bw_loop_now(s->loop);

	run(s, "sleep 60 & echo left; exit 5");
	assert_int_equal(s->end, BW_PROCESS_EXITED);
	assert_int_equal(s->status, 5);
	assert_string_equal(s->output, "left\n");
	assert_true(bw_loop_now(s->loop) - start < 30000);
}

static void the_size_of_files_is_limited(void **state)
{
	struct scene *s = *state;

	/* Its child is limited too. The pause: the limits come from outside, a moment behind the start. */
	run_with(s,
		 "read x; (head -c 100000 /dev/zero) >/tmp/basewatch-process-$$ ; r=$?; "
		 "wc -c </tmp/basewatch-process-$$; rm /tmp/basewatch-process-$$; exit $r",
		 (struct bw_process_request){.max_file_bytes = 50000, .input = "\n", .input_len = 1});
	assert_int_equal(s->end, BW_PROCESS_EXITED);
	assert_int_equal(s->status, 128 + SIGXFSZ);
	assert_string_equal(s->output, "50000\n");
}

static void the_limits_are_those_asked_for(void **state)
{
	struct scene *s = *state;

	run_with(s, "read x; ulimit -v; ulimit -f; ulimit -t",
		 (struct bw_process_request){.max_memory_bytes = 1U << 30,
					     .max_file_bytes = 1U << 20,
					     .max_cpu_s = 77,
					     .input = "\n",
					     .input_len = 1});
	assert_string_equal(s->output, "1048576\n2048\n77\n");
}

static void stop_loop(void *arg)
{
	bw_loop_stop(arg);
}

static void it_can_be_cancelled_with_everything_in_flight(void **state)
{
	struct scene *s = *state;
	const char *const argv[] = {"sh", "-c", "trap '' TERM; yes & cat >/dev/null; sleep 60", NULL};
	static const char input[1U << 20];
	const struct bw_process_request req = {.argv = argv,
					       .env = plain_env,
					       .max_output = 64U << 20,
					       .max_errors = 10,
					       .input = input,
					       .input_len = sizeof(input)};
	struct bw_timer *t = bw_timer_new(s->loop, stop_loop, s->loop);
	struct bw_process *p = NULL, *q = NULL;

	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &p, NULL), 0);
	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &q, NULL), 0);
	bw_process_cancel(p); /* at once */
	bw_timer_start(t, 50);
	bw_loop_run(s->loop);
	bw_process_cancel(q); /* while it talks */
	bw_timer_free(t);
	bw_loop_run(s->loop);
	assert_int_equal(s->told, 0);
	bw_process_cancel(NULL);
}

static void the_loop_can_be_freed_right_behind_a_cancel(void **state)
{
	struct scene *s = *state;
	const char *const argv[] = {"sleep", "60", NULL};
	const struct bw_process_request req = {
		.argv = argv, .env = plain_env, .max_output = 10, .max_errors = 10};
	struct bw_process *p = NULL;

	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &p, NULL), 0);
	bw_process_cancel(p);
}

static void start_another(const struct bw_process_result *r, void *arg)
{
	struct scene *s = arg;
	const char *const argv[] = {"echo", "second", NULL};
	const struct bw_process_request req = {
		.argv = argv, .env = plain_env, .max_output = 10, .max_errors = 10};
	struct bw_process *p = NULL;

	(void)r;
	assert_int_equal(bw_process_start(s->loop, &req, take_end, s, &p, NULL), 0);
}

static void another_can_be_started_in_the_callback(void **state)
{
	struct scene *s = *state;
	const char *const argv[] = {"true", NULL};
	const struct bw_process_request req = {
		.argv = argv, .env = plain_env, .max_output = 10, .max_errors = 10};
	struct bw_process *p = NULL;

	assert_int_equal(bw_process_start(s->loop, &req, start_another, s, &p, NULL), 0);
	bw_loop_run(s->loop);
	assert_string_equal(s->output, "second\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_program_ends_with_its_status_and_what_it_said),
		CASE(arguments_reach_it_as_they_are),
		CASE(nothing_is_inherited_but_what_is_listed),
		CASE(signals_are_as_they_are_by_default),
		CASE(it_has_no_terminal_and_no_input_unless_given),
		CASE(input_is_written_to_its_end),
		CASE(a_child_that_reads_no_input_is_no_trouble),
		CASE(the_folder_can_be_chosen),
		CASE(a_program_that_is_not_there_is_an_error_at_the_start),
		CASE(a_signal_that_is_not_ours_is_told),
		CASE(too_much_output_ends_it),
		CASE(output_of_exactly_the_limit_is_taken),
		CASE(output_can_be_handed_on_as_it_comes),
		CASE(who_takes_the_output_can_want_no_more),
		CASE(of_the_errors_the_end_is_kept),
		CASE(what_takes_too_long_is_ended),
		CASE(who_does_not_listen_is_killed_with_all_it_started),
		CASE(what_it_leaves_behind_is_killed),
		CASE(the_size_of_files_is_limited),
		CASE(the_limits_are_those_asked_for),
		CASE(it_can_be_cancelled_with_everything_in_flight),
		CASE(the_loop_can_be_freed_right_behind_a_cancel),
		CASE(another_can_be_started_in_the_callback),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
