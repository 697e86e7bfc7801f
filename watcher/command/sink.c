/* sink.c - `sink test NAME`: one marked event to one sink, and what came of it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "command/command.h"
#include "command/output.h"
#include "command/setup.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "daemon/sinks.h"
#include "daemon/telling.h"
#include "watch/event.h"

#define MQTT_WAIT_MS 15000 /* for connection, log-in and acknowledgement together */
#define GRACE_MS     2000  /* a webhook ends by its own time limit; this is for the case that it should not */
#define LINE_BYTES   8192

struct trial {
	struct bw_loop *loop;
	struct bw_signal *on_int, *on_term;
	struct bw_timer *deadline;
	const struct bw_conf_sink *conf;
	uint64_t wait_ms;
	struct bw_sinks_made made;
	struct bw_told told; /* the event */
	/* how it ended */
	bool interrupted, has_answer;
	enum bw_sink_result result;
	uint32_t retry_after_s;
	char *message;
};

/* --- the event ------------------------------------------------------------------------------------ */

static int make_event(struct trial *t, const char *instance, struct bw_err *err)
{
	const struct bw_event_options o = {.instance = instance};
	struct bw_event_trial x = {.sink = t->conf->name, .at_ms = bw_clock_ms()};

	/* Without random numbers the time tells two tests apart. */
	(void)!getrandom(&x.random, sizeof(x.random), GRND_NONBLOCK);
	return bw_event_make_test(&x, &o, &t->told, err);
}

/* --- sending -------------------------------------------------------------------------------------- */

static void stop_on_signal(int signum, void *arg)
{
	struct trial *t = arg;

	(void)signum;
	t->interrupted = true;
	bw_loop_stop(t->loop);
}

static void stop_at_deadline(void *arg)
{
	struct trial *t = arg;

	bw_loop_stop(t->loop);
}

static void take_outcome(const struct bw_sink_outcome *o, void *arg)
{
	struct trial *t = arg;

	t->has_answer = true;
	t->result = o->result;
	t->retry_after_s = o->retry_after_s;
	t->message = bw_strdup(o->message);
	bw_loop_stop(t->loop);
}

static int open_trial(struct trial *t, const char *instance, struct bw_err *err)
{
	const struct bw_sinks_options o = {.instance = instance, .is_test = true};
	int rc = bw_loop_new(&t->loop, err);

	if (rc == 0)
		rc = bw_signal_new(t->loop, SIGINT, stop_on_signal, t, &t->on_int, err);
	if (rc == 0)
		rc = bw_signal_new(t->loop, SIGTERM, stop_on_signal, t, &t->on_term, err);
	if (rc == 0)
		rc = make_event(t, instance, err);
	if (rc == 0)
		rc = bw_sinks_make(t->loop, t->conf, &o, &t->made, err);
	return rc;
}

static void send_event(struct trial *t)
{
	const struct bw_sink *s = &t->made.sink;
	const struct bw_event e = {.id = t->told.id,
				   .type = t->told.type,
				   .subject = t->told.subject,
				   .json = t->told.json,
				   .len = strlen(t->told.json),
				   .attempt = 1};

	t->wait_ms = t->conf->type == BW_CONF_MQTT ? MQTT_WAIT_MS : (uint64_t)t->conf->timeout_ms + GRACE_MS;
	t->deadline = bw_timer_new(t->loop, stop_at_deadline, t);
	bw_timer_start(t->deadline, t->wait_ms);
	bw_info("event %s", e.id);
	s->ops->start(s->self, &e, take_outcome, t);
	bw_loop_run(t->loop);
	if (!t->has_answer)
		s->ops->cancel(s->self, t);
}

static void close_trial(struct trial *t)
{
	if (t->made.sink.ops)
		t->made.sink.ops->free(t->made.sink.self);
	bw_timer_free(t->deadline);
	bw_signal_free(t->on_int);
	bw_signal_free(t->on_term);
	bw_loop_free(t->loop);
	free(t->told.subject);
	free(t->told.json);
	free(t->message);
}

/* --- what happened -------------------------------------------------------------------------------- */

static void say_accepted(const struct trial *t, struct bw_buf *line)
{
	(void)bw_buf_adds(line, "accepted: ");
	if (t->conf->type == BW_CONF_WEBHOOK)
		(void)bw_buf_adds(line, t->message);
	else if (t->conf->qos > 0)
		(void)bw_buf_addf(line, "the broker acknowledged it (QoS %d)", (int)t->conf->qos);
	else
		(void)bw_buf_adds(line, "it was sent with QoS 0, which no broker acknowledges");
}

static void say_failed(const struct trial *t, struct bw_buf *line)
{
	(void)bw_buf_adds(line, t->result == BW_SINK_DEAD     ? "refused: "
				: t->result == BW_SINK_PAUSED ? "wants no events any more: "
							      : "not accepted: ");
	(void)bw_buf_adds(line, t->message[0] ? t->message : "no reason was given");
	/* With a broker it is we who would wait. */
	if (t->retry_after_s > 0 && t->conf->type == BW_CONF_WEBHOOK)
		(void)bw_buf_addf(line, "; it asks to wait %u s", (unsigned)t->retry_after_s);
}

static void print_result(const struct trial *t)
{
	BW_AUTOFREE char *title = bw_sinks_title(t->conf);
	BW_AUTOFREE char *escaped = NULL;
	BW_AUTOBUF struct bw_buf line;

	bw_buf_init(&line, LINE_BYTES);
	(void)bw_buf_addf(&line, "%s: ", title);
	if (!t->has_answer)
		(void)bw_buf_addf(&line, "not accepted: no answer within %u s",
				  (unsigned)(t->wait_ms / 1000));
	else if (t->result == BW_SINK_OK)
		say_accepted(t, &line);
	else
		say_failed(t, &line);
	escaped = bw_text_escaped(bw_buf_str(&line));
	puts(escaped);
}

static int test_sink(const struct bw_conf *c, const struct bw_conf_sink *s, enum bw_exit *ret,
		     struct bw_err *err)
{
	BW_AUTOFREE char *instance = bw_telling_instance(c);
	struct trial t = {.conf = s};
	int rc = open_trial(&t, instance, err);

	if (rc == 0) {
		send_event(&t);
		if (t.interrupted && !t.has_answer) {
			*ret = BW_EXIT_INTERRUPTED;
		} else {
			print_result(&t);
			*ret = t.has_answer && t.result == BW_SINK_OK ? BW_EXIT_OK : BW_EXIT_UNKNOWN;
		}
	}
	close_trial(&t);
	return rc;
}

/* --- the verb ------------------------------------------------------------------------------------- */

static int fail_no_sink(const struct bw_conf *c, const char *name, struct bw_err *err)
{
	BW_AUTOBUF struct bw_buf names;

	bw_buf_init(&names, LINE_BYTES);
	if (c->sinks.count == 0)
		return bw_fail(err, BW_E_GONE, "there is no sink '%s': none is configured", name);
	for (size_t i = 0; i < c->sinks.count; i++)
		(void)bw_buf_addf(&names, "%s%s", i > 0 ? ", " : "", c->sinks.items[i].name);
	return bw_fail(err, BW_E_GONE, "there is no sink '%s'; there are: %s", name, bw_buf_str(&names));
}

static int run(const struct bw_args *a, const char *name, enum bw_exit *ret, struct bw_err *err)
{
	const struct bw_conf_sink *s;
	struct bw_conf *c = NULL;
	int rc = bw_setup_load(a, &c, err);

	if (rc < 0)
		return rc;
	s = bw_sinks_find(c, name);
	rc = s ? test_sink(c, s, ret, err) : fail_no_sink(c, name, err);
	bw_conf_free(c);
	return rc;
}

enum bw_exit bw_command_sink(const struct bw_args *a)
{
	enum bw_exit code = BW_EXIT_OK;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (a->operands.count != 2 || !bw_text_is(a->operands.items[0], "test")) {
		bw_error("expected `sink test NAME`; see `basewatch sink --help`");
		return BW_EXIT_USAGE;
	}
	rc = run(a, a->operands.items[1], &code, &err);
	if (bw_output_flush(rc < 0 ? NULL : &err) < 0 && rc == 0)
		rc = err.code;
	return rc < 0 ? bw_exit_with(&err) : code;
}
