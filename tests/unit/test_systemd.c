/* test_systemd.c - what a service manager hears, on a real socket: net/systemd.h. */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "net/systemd.h"

#define MAX_HEARD 8192

struct manager {
	struct bw_loop *loop;
	struct bw_systemd *systemd;
	struct bw_timer *deadline;
	char folder[64], path[96], name[64];
	int by_path, by_name; /* two sockets that listen */
	char heard[MAX_HEARD];
};

static int listen_at(const char *address)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t len = strlen(address);

	assert_true(fd >= 0 && len < sizeof(a.sun_path));
	memcpy(a.sun_path, address, len);
	if (address[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	return fd;
}

static int begin(void **state)
{
	struct manager *m = BW_NEW(struct manager);
	struct bw_err err = BW_ERR_INIT;

	(void)snprintf(m->folder, sizeof(m->folder), "/tmp/basewatch-systemd-XXXXXX");
	assert_non_null(mkdtemp(m->folder));
	(void)snprintf(m->path, sizeof(m->path), "%s/notify", m->folder);
	(void)snprintf(m->name, sizeof(m->name), "@basewatch-test-%d", (int)getpid());
	m->by_path = listen_at(m->path);
	m->by_name = listen_at(m->name);
	assert_int_equal(bw_loop_new(&m->loop, &err), 0);
	*state = m;
	return 0;
}

static int end(void **state)
{
	struct manager *m = *state;

	bw_systemd_free(m->systemd);
	bw_timer_free(m->deadline);
	bw_loop_free(m->loop);
	(void)close(m->by_path);
	(void)close(m->by_name);
	assert_int_equal(unlink(m->path), 0);
	assert_int_equal(rmdir(m->folder), 0);
	free(m);
	return 0;
}

static void start(struct manager *m, const char *address, const char *usec, const char *pid)
{
	if (address)
		assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
	if (usec)
		assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
	if (pid)
		assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	m->systemd = bw_systemd_new(m->loop);
}

/* Everything that has been said so far, one message in each pair of brackets. */
static const char *hear(struct manager *m, int fd)
{
	char message[4096];
	size_t used = 0;
	ssize_t n;

	while ((n = recv(fd, message, sizeof(message), 0)) >= 0) {
		assert_true(used + (size_t)n + 3 < MAX_HEARD);
		used += (size_t)snprintf(m->heard + used, MAX_HEARD - used, "[%.*s]", (int)n, message);
	}
	assert_int_equal(errno, EAGAIN);
	m->heard[used] = '\0';
	return m->heard;
}

static void say_everything(struct manager *m)
{
	bw_systemd_ready(m->systemd);
	bw_systemd_status(m->systemd, "%d bases", 3);
	bw_systemd_stopping(m->systemd);
}

static void test_a_manager_at_a_path_hears_each_state(void **state)
{
	struct manager *m = *state;

	start(m, m->path, NULL, NULL);
	say_everything(m);
	assert_string_equal(hear(m, m->by_path), "[READY=1][STATUS=3 bases][STOPPING=1]");
}

static void test_a_manager_with_an_abstract_name_hears_each_state(void **state)
{
	struct manager *m = *state;

	start(m, m->name, NULL, NULL);
	say_everything(m);
	assert_string_equal(hear(m, m->by_name), "[READY=1][STATUS=3 bases][STOPPING=1]");
	assert_string_equal(hear(m, m->by_path), "");
}

static unsigned long long monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000 + (unsigned long long)t.tv_nsec / 1000;
}

static void test_a_reload_is_told_with_its_time(void **state)
{
	struct manager *m = *state;
	unsigned long long before = monotonic_us(), told;

	start(m, m->path, NULL, NULL);
	bw_systemd_reloading(m->systemd);
	assert_int_equal(sscanf(hear(m, m->by_path), "[RELOADING=1\nMONOTONIC_USEC=%llu]", &told), 1);
	assert_in_range(told, before, monotonic_us());
}

static void test_children_inherit_nothing_of_it(void **state)
{
	struct manager *m = *state;

	start(m, m->path, "1000000", "1");
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
}

static void test_hostile_text_stays_one_short_status(void **state)
{
	struct manager *m = *state;
	BW_AUTOFREE char *text = bw_alloc(10001);

	start(m, m->path, NULL, NULL);
	bw_systemd_status(m->systemd, "%s", "a\nSTOPPING=1\x1B");
	assert_string_equal(hear(m, m->by_path), "[STATUS=a\\x0aSTOPPING=1\\x1b]");
	memset(text, 1, 10000);
	bw_systemd_status(m->systemd, "%s", text);
	assert_int_equal(strlen(hear(m, m->by_path)), strlen("[STATUS=]") + 400 * strlen("\\x01"));
}

static void test_without_a_manager_nothing_is_said(void **state)
{
	static const char *const addresses[] = {
		NULL, "", "@", "/", "relative", "vsock:2:1234", "/tmp/basewatch-nobody-listens-here"};
	struct manager *m = *state;
	BW_AUTOFREE char *far = bw_alloc(301);

	for (size_t i = 0; i < BW_COUNT(addresses); i++) {
		start(m, addresses[i], "1000", NULL);
		say_everything(m);
		bw_systemd_reloading(m->systemd);
		bw_loop_run(m->loop);
		bw_systemd_free(BW_TAKE(m->systemd));
	}
	memset(far, '/', 300);
	start(m, far, NULL, NULL);
	say_everything(m);
	bw_systemd_free(NULL);
	assert_string_equal(hear(m, m->by_path), "");
	assert_string_equal(hear(m, m->by_name), "");
}

/* Far more than its queue holds, with nobody reading: what may be lost is, and nobody waits for that. */
static void test_a_busy_manager_holds_nothing_up_for_long(void **state)
{
	struct manager *m = *state;
	unsigned long long before = monotonic_us();

	start(m, m->path, NULL, NULL);
	for (unsigned i = 0; i < 5000; i++)
		bw_systemd_status(m->systemd, "%u", i);
	bw_systemd_stopping(m->systemd);
	assert_true(monotonic_us() - before < 10000000);
	while (recv(m->by_path, m->heard, sizeof(m->heard), 0) >= 0)
		;
	bw_systemd_ready(m->systemd);
	assert_string_equal(hear(m, m->by_path), "[READY=1]");
}

/* --- the watchdog ------------------------------------------------------------------------------------ */

static void stop(void *arg)
{
	struct manager *m = arg;

	bw_loop_stop(m->loop);
}

/* Much longer than the intervals of the tests. */
static void turn_for_a_while(struct manager *m)
{
	m->deadline = bw_timer_new(m->loop, stop, m);
	bw_timer_start(m->deadline, 200);
	bw_loop_run(m->loop);
}

static void test_a_turning_loop_pings_the_watchdog_twice_per_interval(void **state)
{
	struct manager *m = *state;
	size_t pings;

	start(m, m->path, "100000", NULL);
	turn_for_a_while(m);
	pings = strlen(hear(m, m->by_path)) / strlen("[WATCHDOG=1]");
	assert_in_range(pings, 2, 4); /* at 50 ms, 100, 150, 200; fewer on a machine that stood still */
	assert_memory_equal(m->heard, "[WATCHDOG=1][WATCHDOG=1]", 24);
}

static void test_the_watchdog_of_this_process_is_pinged(void **state)
{
	struct manager *m = *state;
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	start(m, m->path, "20000", pid);
	turn_for_a_while(m);
	assert_memory_equal(hear(m, m->by_path), "[WATCHDOG=1]", 12);
}

static void test_the_watchdog_of_another_process_is_not(void **state)
{
	struct manager *m = *state;

	start(m, m->path, "20000", "1");
	turn_for_a_while(m);
	assert_string_equal(hear(m, m->by_path), "");
}

static void test_an_interval_that_is_none_is_no_watchdog(void **state)
{
	static const char *const intervals[] = {"", "0", "-1", "soon", "99999999999999999999999"};
	struct manager *m = *state;

	for (size_t i = 0; i < BW_COUNT(intervals); i++) {
		start(m, m->path, intervals[i], NULL);
		if (i + 1 < BW_COUNT(intervals))
			bw_systemd_free(BW_TAKE(m->systemd));
	}
	turn_for_a_while(m);
	assert_string_equal(hear(m, m->by_path), "");
}

static void test_the_watchdog_keeps_nothing_alive(void **state)
{
	struct manager *m = *state;

	start(m, m->path, "2000", NULL);
	bw_loop_run(m->loop);
	assert_string_equal(hear(m, m->by_path), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_manager_at_a_path_hears_each_state),
		TEST(test_a_manager_with_an_abstract_name_hears_each_state),
		TEST(test_a_reload_is_told_with_its_time),
		TEST(test_children_inherit_nothing_of_it),
		TEST(test_hostile_text_stays_one_short_status),
		TEST(test_without_a_manager_nothing_is_said),
		TEST(test_a_busy_manager_holds_nothing_up_for_long),
		TEST(test_a_turning_loop_pings_the_watchdog_twice_per_interval),
		TEST(test_the_watchdog_of_this_process_is_pinged),
		TEST(test_the_watchdog_of_another_process_is_not),
		TEST(test_an_interval_that_is_none_is_no_watchdog),
		TEST(test_the_watchdog_keeps_nothing_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
