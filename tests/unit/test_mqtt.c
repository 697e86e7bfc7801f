#include "unit/unit.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/mqtt.h"
#include "notify/mqtt_sink.h"

/*
 * Stands in front of libc's: a resolver that does not answer until it is told to, and then knows nothing. It is called
 * from the thread of a look-up.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_released;
static unsigned lookups, ended;

int getaddrinfo(const char *restrict host, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	if (strcmp(host, "silent.example") != 0) {
		int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

		if (strcmp(host, "127.0.0.1") != 0)
			return EAI_NONAME;
		*(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo"); /* libmosquitto asks for its address */
		return libc(host, service, hints, ret);
	}
	pthread_mutex_lock(&lock);
	lookups++;
	while (!is_released)
		pthread_cond_wait(&changed, &lock);
	ended++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return EAI_AGAIN;
}

/* Lets every look-up go, and waits for their threads to come out of it. */
static void release_lookups(void)
{
	pthread_mutex_lock(&lock);
	is_released = true;
	pthread_cond_broadcast(&changed);
	while (ended < lookups)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

/* A socket that takes connections into its queue and never answers. */
static int listen_mutely(unsigned *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

struct scene {
	struct bw_loop *loop;
	struct bw_mqtt *session;
	unsigned downs, stop_after;
	char why[BW_ERR_MAX];
	bool frees;
};

static void on_changed(const struct bw_mqtt_change *c, void *arg)
{
	struct scene *s = arg;

	assert_false(c->is_up);
	(void)snprintf(s->why, sizeof(s->why), "%s", c->why->msg);
	if (s->frees) {
		bw_mqtt_free(s->session);
		s->session = NULL;
	}
	if (++s->downs >= s->stop_after)
		bw_loop_stop(s->loop);
}

static void begin(struct scene *s, const char *url, uint32_t connect_ms)
{
	const struct bw_mqtt_options o = {
		.url = url, .connect_timeout_ms = connect_ms, .first_wait_ms = 1, .longest_wait_ms = 1};
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&s->loop, &err), 0);
	assert_int_equal(bw_mqtt_new(s->loop, &o, on_changed, s, &s->session, &err), 0);
}

static void end(struct scene *s)
{
	bw_mqtt_free(s->session);
	bw_loop_free(s->loop);
}

static void ignore(const struct bw_err *err, void *arg)
{
	(void)err;
	(void)arg;
	fail();
}

static void publishing_without_a_session_fails_at_once(void **state)
{
	const struct bw_mqtt_publication p = {.topic = "t", .qos = 1};
	struct scene s = {.stop_after = 1};
	struct bw_err err = BW_ERR_INIT;

	(void)state;
	begin(&s, "mqtt://127.0.0.1:1", 1000);
	assert_int_equal(bw_mqtt_publish(s.session, &p, ignore, NULL, &err), BW_E_RETRY);
	assert_string_equal(err.msg, "mqtt://127.0.0.1:1: there is no connection");
	assert_int_equal(bw_mqtt_room(s.session), 0);
	end(&s);
}

static void a_resolver_that_hangs_is_asked_once_and_keeps_nobody(void **state)
{
	struct scene s = {.stop_after = 3};

	(void)state;
	begin(&s, "mqtt://silent.example", 20);
	bw_loop_run(s.loop);
	assert_string_equal(s.why, "mqtt://silent.example:1883: the resolver does not answer");
	end(&s); /* while it hangs still */
	assert_int_equal(lookups, 1);
	release_lookups();
}

static void a_name_that_nobody_knows_is_said(void **state)
{
	struct scene s = {.stop_after = 1};

	(void)state;
	begin(&s, "mqtt://none.example", 1000);
	bw_loop_run(s.loop);
	assert_non_null(strstr(s.why, "mqtt://none.example:1883: the name of the broker is not known: "));
	end(&s);
}

static void a_broker_that_never_answers_fails_in_time_and_can_be_left(void **state)
{
	unsigned port;
	int fd = listen_mutely(&port);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene s = {.stop_after = 2};
		char url[64];

		(void)snprintf(url, sizeof(url), i ? "mqtts://127.0.0.1:%u" : "mqtt://127.0.0.1:%u", port);
		begin(&s, url, 20);
		bw_loop_run(s.loop);
		assert_non_null(strstr(s.why, ": no answer within the time limit"));
		end(&s);
	}
	close(fd);
}

static void a_session_may_be_freed_in_its_own_callback(void **state)
{
	struct scene s = {.stop_after = 1, .frees = true};

	(void)state;
	begin(&s, "mqtt://none.example", 1000);
	bw_loop_run(s.loop);
	assert_int_equal(s.downs, 1);
	end(&s);
}

static void a_session_may_be_freed_before_it_began(void **state)
{
	struct scene s = {.stop_after = 1};

	(void)state;
	begin(&s, "mqtts://127.0.0.1:1", 1000);
	end(&s);
	assert_int_equal(s.downs, 0);
}

/* --- the sink --------------------------------------------------------------------------------- */

struct told {
	struct bw_loop *loop;
	struct bw_sink sink;
	unsigned count;
	enum bw_sink_result result;
	char message[BW_ERR_MAX];
	bool frees;
};

static void on_told(const struct bw_sink_outcome *o, void *arg)
{
	struct told *t = arg;

	t->count++;
	t->result = o->result;
	assert_true(o->retry_after_s > 0);
	(void)snprintf(t->message, sizeof(t->message), "%s", o->message);
	if (t->frees)
		t->sink.ops->free(t->sink.self);
	bw_loop_stop(t->loop);
}

static void begin_sink(struct told *t)
{
	const struct bw_mqtt_sink_options o = {.session = {.url = "mqtt://none.example"}, .qos = 1};
	const struct bw_mqtt_sink_hooks hooks = {.arg = t};
	struct bw_mqtt_sink *s;
	struct bw_err err = BW_ERR_INIT;

	assert_int_equal(bw_loop_new(&t->loop, &err), 0);
	assert_int_equal(bw_mqtt_sink_new(t->loop, &o, &hooks, &s, &err), 0);
	t->sink = bw_mqtt_sink_interface(s);
}

static void an_event_without_a_broker_goes_back_with_the_reason(void **state)
{
	const struct bw_event e = {.id = "1", .type = "x", .json = "{}", .len = 2, .attempt = 1};
	struct told t = {0};

	(void)state;
	begin_sink(&t);
	assert_true(t.sink.ops->room(t.sink.self) > 1);
	t.sink.ops->start(t.sink.self, &e, on_told, &t);
	assert_int_equal(t.count, 0);
	bw_loop_run(t.loop);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.result, BW_SINK_RETRY);
	assert_non_null(strstr(t.message, "the name of the broker is not known"));
	assert_int_equal(t.sink.ops->room(t.sink.self), 1);
	t.sink.ops->free(t.sink.self);
	bw_loop_free(t.loop);
}

static void a_cancelled_event_is_not_told_of(void **state)
{
	const struct bw_event e = {.id = "1", .type = "x", .json = "{}", .len = 2, .attempt = 1};
	struct told t = {0}, other = {0};

	(void)state;
	begin_sink(&t);
	other.loop = t.loop;
	t.sink.ops->start(t.sink.self, &e, on_told, &other);
	t.sink.ops->start(t.sink.self, &e, on_told, &t);
	t.sink.ops->cancel(t.sink.self, &other);
	bw_loop_run(t.loop);
	assert_int_equal(t.count, 1);
	assert_int_equal(other.count, 0);
	t.sink.ops->free(t.sink.self);
	bw_loop_free(t.loop);
}

static void a_sink_may_be_freed_when_an_event_is_done(void **state)
{
	const struct bw_event e = {.id = "1", .type = "x", .json = "{}", .len = 2, .attempt = 1};
	struct told t = {.frees = true};

	(void)state;
	begin_sink(&t);
	t.sink.ops->start(t.sink.self, &e, on_told, &t);
	t.sink.ops->start(t.sink.self, &e, on_told, &t);
	bw_loop_run(t.loop);
	assert_int_equal(t.count, 1);
	bw_loop_free(t.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(publishing_without_a_session_fails_at_once),
		cmocka_unit_test(a_resolver_that_hangs_is_asked_once_and_keeps_nobody),
		cmocka_unit_test(a_name_that_nobody_knows_is_said),
		cmocka_unit_test(a_broker_that_never_answers_fails_in_time_and_can_be_left),
		cmocka_unit_test(a_session_may_be_freed_in_its_own_callback),
		cmocka_unit_test(a_session_may_be_freed_before_it_began),
		cmocka_unit_test(an_event_without_a_broker_goes_back_with_the_reason),
		cmocka_unit_test(a_cancelled_event_is_not_told_of),
		cmocka_unit_test(a_sink_may_be_freed_when_an_event_is_done),
	};

	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
