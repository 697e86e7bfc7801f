/*
 * test_webhook_receiver.c - the sink against a receiver in another language that verifies signatures by itself
 * (tests/peers/webhook_receiver.py).
 */
#include "unit/unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/io.h"
#include "net/loop.h"
#include "notify/webhook.h"
#include "unit/identity.h"

#define NEW_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OLD_SECRET "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define EVENTS	   200

struct world {
	char log[64], control[64], pem[64], url[128];
	pid_t pid;
	struct bw_loop *loop;
	struct bw_sink sink;
	unsigned pending;
	struct bw_sink_outcome last;
	char message[600];
	char ids[EVENTS][32], json[EVENTS][256];
	struct bw_event events[EVENTS];
};

extern char **environ;

static int begin(void **state)
{
	struct world *w = BW_NEW(struct world);
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct bw_err err = BW_ERR_INIT;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)snprintf(w->log, sizeof(w->log), "/tmp/basewatch-receiver-%d-log", (int)getpid());
	(void)snprintf(w->control, sizeof(w->control), "/tmp/basewatch-receiver-%d-control", (int)getpid());
	(void)snprintf(w->pem, sizeof(w->pem), "/tmp/basewatch-receiver-%d-pem", (int)getpid());
	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	if (w->sink.ops)
		w->sink.ops->free(w->sink.self);
	bw_loop_free(w->loop);
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	(void)unlink(w->log);
	(void)unlink(w->control);
	(void)unlink(w->pem);
	free(w);
	return 0;
}

/* Its first line says the port; it has ten seconds for that. */
static void start_receiver(struct world *w, bool tls)
{
	const char *argv[] = {
		"python3",     "-B",	    "tests/peers/webhook_receiver.py",
		"--log",       w->log,	    "--control",
		w->control,    "--secret",  NEW_SECRET,
		"--secret",    OLD_SECRET,  tls ? "--tls-cert" : NULL,
		w->pem,	       "--tls-key", w->pem,
		"--client-ca", w->pem,	    NULL,
	};
	posix_spawn_file_actions_t actions;
	struct pollfd ready = {.events = POLLIN};
	size_t len = 0;
	char line[64] = "";
	int ends[2];
	unsigned port;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	assert_int_equal(
		posix_spawnp(&w->pid, "python3", &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	ready.fd = ends[0];
	while (!strchr(line, '\n')) {
		ssize_t n;

		assert_int_equal(poll(&ready, 1, 10000), 1);
		n = read(ends[0], line + len, sizeof(line) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
	}
	close(ends[0]);
	assert_int_equal(sscanf(line, "{\"port\": %u}", &port), 1); /* NOLINT */
	(void)snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%u/in", tls ? "https" : "http", port);
}

static void open_sink(struct world *w, const struct bw_webhook_options *options)
{
	struct bw_webhook_options o = *options;
	struct bw_err err = BW_ERR_INIT;

	o.url = w->url;
	if (bw_webhook_new(w->loop, &o, &w->sink, &err) < 0)
		fail_msg("%s", err.msg);
}

static void note(const struct bw_sink_outcome *o, void *arg)
{
	struct world *w = arg;

	w->last = *o;
	(void)snprintf(w->message, sizeof(w->message), "%s", o->message);
	if (--w->pending == 0)
		bw_loop_stop(w->loop);
}

static void send_events(struct world *w, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++) {
		struct bw_event *e = &w->events[i];

		(void)snprintf(w->ids[i], sizeof(w->ids[i]), "e%u", i);
		(void)snprintf(
			w->json[i], sizeof(w->json[i]),
			"{\"specversion\":\"1.0\",\"id\":\"e%u\",\"source\":\"/basewatch/test\","
			"\"type\":\"io.basewatch.base.changed\",\"data\":{\"n\":%u,\"t\":\"\xc3\xa4\"}}",
			i, i);
		*e = (struct bw_event){.id = w->ids[i], .json = w->json[i], .len = strlen(w->json[i])};
		w->pending++;
		w->sink.ops->start(w->sink.self, e, note, w);
	}
	bw_loop_run(w->loop);
	assert_int_equal(w->pending, 0);
}

static void script(const struct world *w, const char *text)
{
	FILE *out = fopen(w->control, "we");

	assert_non_null(out);
	(void)fputs(text, out);
	(void)fclose(out);
}

/* Calls fn for each request that it got; returns how many. */
static unsigned each_request(const struct world *w, void (*fn)(json_t *request, unsigned i, void *arg),
			     void *arg)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_buf text;
	unsigned count = 0;
	char *rest, *line;

	bw_buf_init(&text, 1 << 22);
	assert_int_equal(bw_read_file(w->log, &text, &err), 0);
	rest = text.data;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *request = json_loads(line, 0, NULL);

		assert_non_null(request);
		fn(request, count++, arg);
		json_decref(request);
	}
	bw_buf_done(&text);
	return count;
}

static void check_verified(json_t *request, unsigned i, void *arg)
{
	unsigned char *seen = arg;
	const char *id = json_string_value(json_object_get(request, "id"));

	(void)i;
	assert_non_null(id);
	seen[strtoul(id + 1, NULL, 10)]++;
	assert_int_equal(json_array_size(json_object_get(request, "problems")), 0);
	assert_int_equal(json_array_size(json_object_get(request, "verified")), 2);
}

static void test_every_event_is_verified_by_other_code(void **state)
{
	static const char *const secrets[] = {NEW_SECRET, OLD_SECRET, NULL};
	struct bw_webhook_options o = {.secrets = secrets, .connections = 8};
	struct world *w = *state;
	unsigned char seen[EVENTS] = {0};

	start_receiver(w, false);
	open_sink(w, &o);
	for (unsigned i = 0; i < EVENTS; i += 8)
		send_events(w, i, 8);
	assert_int_equal(each_request(w, check_verified, seen), EVENTS);
	for (unsigned i = 0; i < EVENTS; i++)
		assert_int_equal(seen[i], 1);
}

static void check_old(json_t *request, unsigned i, void *arg)
{
	json_t *verified = json_object_get(request, "verified");

	(void)i;
	(void)arg;
	assert_int_equal(json_array_size(verified), 1);
	assert_int_equal(json_integer_value(json_array_get(verified, 0)), 2);
}

static void test_one_secret_of_two_is_enough(void **state)
{
	static const char *const secrets[] = {OLD_SECRET, NULL};
	struct bw_webhook_options o = {.secrets = secrets};
	struct world *w = *state;

	start_receiver(w, false);
	open_sink(w, &o);
	send_events(w, 0, 1);
	assert_int_equal(w->last.result, BW_SINK_OK);
	assert_int_equal(each_request(w, check_old, NULL), 1);
}

static void test_its_answers_are_understood_and_hold_no_secret(void **state)
{
	static const char *const secrets[] = {NEW_SECRET, NULL};
	static const char *const headers[] = {"Authorization: Bearer t0ken-of-ours", NULL};
	struct bw_webhook_options o = {.secrets = secrets, .headers = headers};
	struct world *w = *state;

	start_receiver(w, false);
	open_sink(w, &o);
	script(w, "{\"statuses\": [503, 422], \"retry_after\": \"7\", \"echo\": true}");
	send_events(w, 0, 1);
	assert_int_equal(w->last.result, BW_SINK_RETRY);
	assert_int_equal(w->last.retry_after_s, 7);
	assert_null(strstr(w->message, "t0ken"));
	send_events(w, 1, 1);
	assert_int_equal(w->last.result, BW_SINK_DEAD);
	assert_non_null(strstr(w->message, "HTTP 422: Host: 127.0.0.1"));
	script(w, "{\"statuses\": [302], \"location\": \"/there\"}");
	send_events(w, 2, 1);
	assert_string_equal(w->message, "HTTP 302: redirected to the same host; redirects are not followed");
}

static void check_client(json_t *request, unsigned i, void *arg)
{
	(void)i;
	assert_string_equal(json_string_value(json_object_get(request, "client")), arg);
	assert_int_equal(json_array_size(json_object_get(request, "verified")), 1);
}

static void test_with_certificates_on_both_sides(void **state)
{
	static const char *const secrets[] = {NEW_SECRET, NULL};
	struct world *w = *state;
	struct bw_webhook_options o = {.secrets = secrets, .ca_file = w->pem, .cert = w->pem};

	identity_write(w->pem, "IP:127.0.0.1");
	start_receiver(w, true);
	open_sink(w, &o);
	send_events(w, 0, 4);
	assert_string_equal(w->message, "HTTP 200");
	assert_int_equal(each_request(w, check_client, w->pem), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_event_is_verified_by_other_code),
		TEST(test_one_secret_of_two_is_enough),
		TEST(test_its_answers_are_understood_and_hold_no_secret),
		TEST(test_with_certificates_on_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
