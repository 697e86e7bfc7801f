/*
 * mqtt_driver.c - the MQTT session and sink under test, as a program that mqtt.bats starts, kills and listens to.
 *
 *   mqtt_driver publish [OPTION...]   COUNT messages at once; what fails is published again in the next session
 *   mqtt_driver sink [OPTION...]      a sink: COUNT events, its state, what comes in on done; until SIGTERM
 *
 * It says what happens, line by line; at the end the longest turn of the loop. Exit 0: all was acknowledged (publish),
 * or it was told to end (sink); 1: the time was over, or --once and there was no session; 2: options.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/text.h"
#include "net/loop.h"
#include "net/mqtt.h"
#include "notify/mqtt_sink.h"

#define TICK_MS 5

struct driver {
	struct bw_loop *loop;
	struct bw_timer *tick, *deadline;
	struct bw_mqtt *session;
	struct bw_mqtt_sink *sink;
	struct bw_sink interface;
	struct bw_mqtt_sink_options o;
	const char *topic;
	unsigned count, acked, repeated, failed;
	bool *is_acked;
	struct bw_event *events;
	bool is_once;
	uint64_t last_tick, longest;
	int status;
};

static struct driver *the_driver; /* an argument of `done` is the number of a message */

/* --- lines ------------------------------------------------------------------------------------ */

static void say(const char *word, const char *text)
{
	char *escaped = bw_text_escaped(text);

	printf("%s %s\n", word, escaped);
	free(escaped);
}

static void end(struct driver *d, int status)
{
	d->status = status;
	bw_loop_stop(d->loop);
}

static void on_tick(void *arg)
{
	struct driver *d = arg;
	uint64_t now = bw_loop_now(d->loop);

	if (now - d->last_tick > d->longest)
		d->longest = now - d->last_tick;
	d->last_tick = now;
	bw_timer_start(d->tick, TICK_MS);
}

static void on_deadline(void *arg)
{
	puts("the time is over");
	end(arg, 1);
}

static void on_changed(const struct bw_mqtt_change *c, void *arg)
{
	struct driver *d = arg;

	if (c->is_up) {
		printf("up version %u%s\n", c->version, c->has_session ? " with session" : "");
		return;
	}
	say(c->why->code == BW_E_AUTH ? "down auth" : "down", c->why->msg);
	if (d->is_once)
		end(d, 1);
}

/* --- publish ---------------------------------------------------------------------------------- */

static void on_done(const struct bw_err *err, void *arg)
{
	struct driver *d = the_driver;
	bool *acked = arg;

	if (err) {
		d->failed++;
		return;
	}
	d->acked += !*acked;
	*acked = true;
	if (d->acked == d->count)
		end(d, 0);
}

static void publish_all(struct driver *d)
{
	const struct bw_mqtt_property properties[] = {{"colour", "green"}, {"size", "grün"}, {"bad", "\xff"}};
	char text[16];
	struct bw_mqtt_publication p = {.topic = d->topic,
					.payload = text,
					.qos = d->o.qos,
					.content_type = "text/plain",
					.properties = properties,
					.property_count = BW_COUNT(properties)};
	struct bw_err err = BW_ERR_INIT;

	d->repeated += d->failed;
	d->failed = 0;
	for (unsigned i = 0; i < d->count; i++) {
		if (d->is_acked[i])
			continue;
		p.len = (size_t)snprintf(text, sizeof(text), "%u", i);
		if (bw_mqtt_publish(d->session, &p, on_done, &d->is_acked[i], &err) < 0) {
			say("not published", err.msg);
			end(d, 1);
			return;
		}
	}
	printf("published %u\n", d->count - d->acked);
}

static void on_session(const struct bw_mqtt_change *c, void *arg)
{
	on_changed(c, arg);
	if (c->is_up)
		publish_all(arg);
}

static void on_message(const struct bw_mqtt_message *m, void *arg)
{
	(void)arg;
	say(m->refused ? "refused" : "message", m->refused   ? m->refused
						: m->payload ? m->payload
							     : "(too large)");
}

static bool begin_publish(struct driver *d, struct bw_err *err)
{
	struct bw_mqtt_publication p = {.topic = "early", .payload = "", .qos = 1};

	if (bw_mqtt_new(d->loop, &d->o.session, on_session, d, &d->session, err) < 0)
		return false;
	if (bw_mqtt_publish(d->session, &p, on_done, NULL, err) == 0)
		puts("published while down");
	return bw_mqtt_subscribe(d->session, "echo/#", 1, on_message, d, err) == 0;
}

/* --- sink ------------------------------------------------------------------------------------- */

static void on_sent(const struct bw_sink_outcome *o, void *arg)
{
	struct bw_event *e = arg;
	static const char *const words[] = {"sent", "retry", "dead", "paused"};
	char text[BW_ERR_MAX + 64];

	(void)snprintf(text, sizeof(text), "%s after %u: %s", e->id, o->retry_after_s, o->message);
	say(words[o->result], text);
	if (o->result == BW_SINK_RETRY) /* as an outbox would */
		the_driver->interface.ops->start(the_driver->interface.self, e, on_sent, e);
}

static void start_event(struct driver *d, unsigned number)
{
	struct bw_event *e = &d->events[number];

	e->id = bw_asprintf("e%u", number);
	e->type = "io.basewatch.base.changed";
	e->subject = "docker.io/library/debian:12";
	e->json = bw_asprintf(
		"{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/basewatch/test\",\"type\":\"%s\","
		"\"subject\":\"%s\",\"data\":{\"n\":%u}}",
		e->id, e->type, e->subject, number);
	e->len = strlen(e->json);
	d->interface.ops->start(d->interface.self, e, on_sent, e);
}

static bool give_rows(int64_t *cursor, struct bw_mqtt_sink *s, void *arg)
{
	static const char json[] = "{\"verdict\":\"stale\"}";

	(void)arg;
	printf("rows %d\n", (int)*cursor);
	switch ((*cursor)++) {
	case 0:
		bw_mqtt_sink_put(s, BW_MQTT_BASE, "docker.io/library/debian:12", json, strlen(json));
		bw_mqtt_sink_put(s, BW_MQTT_BASE, "+#/$%\n\xff:1", json, strlen(json));
		return true;
	case 1: bw_mqtt_sink_put(s, BW_MQTT_BUILD, "shop/web", json, strlen(json)); return true;
	default: bw_mqtt_sink_put(s, BW_MQTT_BUILD, "ended", NULL, 0); return false;
	}
}

static void on_rebuilt(const struct bw_mqtt_rebuilt *r, void *arg)
{
	(void)arg;
	say("rebuilt", r->build);
	say("digest", r->digest);
}

static void on_complaint(const struct bw_err *err, void *arg)
{
	(void)arg;
	say("complaint", err->msg);
}

static void on_signal(int signum, void *arg)
{
	struct driver *d = arg;
	static const char json[] = "{\"verdict\":\"fresh\"}";

	if (signum == SIGTERM) {
		end(d, 0);
		return;
	}
	bw_mqtt_sink_put(d->sink, BW_MQTT_BASE, "docker.io/library/debian:12", json, strlen(json));
	bw_mqtt_sink_put(d->sink, BW_MQTT_BUILD, "shop/web", NULL, 0);
}

static bool begin_sink(struct driver *d, struct bw_err *err)
{
	const struct bw_mqtt_sink_hooks hooks = {.rows = give_rows,
						 .rebuilt = on_rebuilt,
						 .complain = on_complaint,
						 .changed = on_changed,
						 .arg = d};

	if (bw_mqtt_sink_new(d->loop, &d->o, &hooks, &d->sink, err) < 0)
		return false;
	d->interface = bw_mqtt_sink_interface(d->sink);
	for (unsigned i = 0; i < d->count; i++)
		start_event(d, i);
	return true;
}

/* --- options ---------------------------------------------------------------------------------- */

static unsigned number(const char *s)
{
	uint64_t n = 0;

	return bw_text_number(s, 0, 1000000, &n) ? (unsigned)n : 0;
}

static bool take_option(struct driver *d, int c, unsigned *limit_s)
{
	struct bw_mqtt_options *o = &d->o.session;

	switch (c) {
	case 'u': o->username = optarg; break;
	case 'p': o->password = optarg; break;
	case 'a': o->ca_file = optarg; break;
	case 'c': o->cert_file = optarg; break;
	case 'k': o->key_file = optarg; break;
	case 'i': o->client_id = optarg; break;
	case 'e': o->session_expiry_s = number(optarg); break;
	case 'C': o->connect_timeout_ms = number(optarg); break;
	case 'A': o->ack_timeout_ms = number(optarg); break;
	case 'W': o->first_wait_ms = o->longest_wait_ms = number(optarg); break;
	case 'q': d->o.qos = number(optarg); break;
	case 't': d->topic = optarg; break;
	case 'x': d->o.prefix = optarg; break;
	case 'n': d->count = number(optarg); break;
	case '1': d->is_once = true; break;
	case 'f': *limit_s = number(optarg); break;
	default: return false;
	}
	return true;
}

static void run(struct driver *d, unsigned limit_s)
{
	struct bw_signal *term = NULL, *usr = NULL;
	struct bw_err err = BW_ERR_INIT;

	d->tick = bw_timer_new(d->loop, on_tick, d);
	d->deadline = bw_timer_new(d->loop, on_deadline, d);
	if (bw_signal_new(d->loop, SIGTERM, on_signal, d, &term, &err) < 0 ||
	    bw_signal_new(d->loop, SIGUSR1, on_signal, d, &usr, &err) < 0)
		say("signal", err.msg);
	d->last_tick = bw_loop_now(d->loop);
	bw_timer_start(d->tick, TICK_MS);
	bw_timer_start(d->deadline, 1000 * (uint64_t)limit_s);
	bw_loop_run(d->loop);
	bw_signal_free(term);
	bw_signal_free(usr);
	bw_timer_free(d->tick);
	bw_timer_free(d->deadline);
}

int main(int argc, char **argv)
{
	struct driver d = {.topic = "t", .count = 1, .status = 2};
	struct bw_err err = BW_ERR_INIT;
	unsigned limit_s = 30;
	bool is_sink, ok = argc > 2;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	is_sink = ok && bw_text_is(argv[1], "sink");
	if (ok)
		d.o.session.url = argv[2];
	d.o.qos = 1;
	optind = 3;
	while (ok && (c = getopt(argc, argv, "u:p:a:c:k:i:e:C:A:W:q:t:x:n:1f:")) != -1)
		ok = take_option(&d, c, &limit_s);
	if (!ok || bw_loop_new(&d.loop, &err) < 0) {
		(void)fprintf(stderr, "usage: mqtt_driver publish|sink URL [OPTION...]\n");
		return 2;
	}
	the_driver = &d;
	d.is_acked = bw_alloc(d.count + 1);
	d.events = bw_alloc((d.count + 1) * sizeof(*d.events));
	if (is_sink ? begin_sink(&d, &err) : begin_publish(&d, &err))
		run(&d, limit_s);
	else
		say("options", err.msg);
	bw_mqtt_free(d.session);
	if (d.sink)
		d.interface.ops->free(d.interface.self);
	bw_loop_free(d.loop);
	free(d.is_acked);
	for (unsigned i = 0; i < d.count; i++) {
		free((char *)(uintptr_t)d.events[i].id);
		free((char *)(uintptr_t)d.events[i].json);
	}
	free(d.events);
	if (!is_sink)
		printf("acked %u of %u, repeated %s\n", d.acked, d.count, d.repeated ? "some" : "none");
	printf("longest turn %u ms\n", (unsigned)d.longest);
	return d.status;
}
