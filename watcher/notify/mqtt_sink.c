/*
 * mqtt_sink.c - events to a broker. While the session is down an event waits a short time for it, so that the first
 * ones after a start are not put off; then it goes back to the outbox with the time of the next attempt. Meanwhile the
 * sink has room for one, so that a dead broker does not stir up everything that is due.
 */
#include "notify/mqtt_sink.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "notify/mqtt_read.h"
#include "notify/mqtt_state.h"
#include "notify/mqtt_topic.h"
#include "notify/redact.h"

#define ROOM	     256 /* events under way: more is not faster with a broker on the same network */
#define PATIENCE_MS  10000
#define CONTENT_TYPE "application/cloudevents+json"

struct delivery {
	struct delivery *next;
	struct bw_mqtt_sink *sink;
	struct bw_event event;
	bw_sink_done_fn done;
	void *arg;
	uint64_t patience_ends;
	bool is_cancelled;
	struct bw_err why; /* among the refused */
};

struct bw_mqtt_sink {
	struct bw_loop *loop;
	struct bw_mqtt *session;
	struct bw_mqtt_state *state;
	struct bw_mqtt_sink_hooks hooks;
	struct bw_redactor *redactor;
	char *prefix;
	unsigned qos;
	bool is_guest;
	struct bw_timer
		*timer; /* patience of the first that waits; or at once, when there is something to tell */
	struct delivery *waiting, *under_way, *refused; /* waiting: oldest first */
	struct delivery *ending; /* of those that are told so now: `done` may start and cancel others */
	struct bw_err why;	 /* of the last failure to connect */
	uint64_t next_attempt;
	bool has_failed; /* to connect, and was not up since */
	unsigned depth;	 /* of calls from below: the outbox may free us when an event is done */
	bool is_closed;
};

/* --- life ------------------------------------------------------------------------------------- */

static void release(struct bw_mqtt_sink *s)
{
	bw_mqtt_state_free(s->state);
	bw_redactor_free(s->redactor);
	free(s->prefix);
	free(s);
}

static void come_in(struct bw_mqtt_sink *s)
{
	s->depth++;
}

static void go_out(struct bw_mqtt_sink *s)
{
	if (--s->depth == 0 && s->is_closed)
		release(s);
}

/* What the broker says may hold what it was told. */
static struct bw_err redacted(const struct bw_mqtt_sink *s, const struct bw_err *err)
{
	struct bw_err clean = *err;
	char line[BW_REDACT_LINE_MAX];

	(void)snprintf(clean.msg, sizeof(clean.msg), "%s",
		       bw_redact_line(s->redactor, err->msg, strlen(err->msg), line));
	return clean;
}

/* --- deliveries ------------------------------------------------------------------------------- */

static void push(struct delivery **list, struct delivery *d)
{
	while (*list)
		list = &(*list)->next;
	d->next = NULL;
	*list = d;
}

static void push_front(struct delivery **list, struct delivery *d)
{
	d->next = *list;
	*list = d;
}

static void unlink_delivery(struct delivery **list, const struct delivery *d)
{
	while (*list && *list != d)
		list = &(*list)->next;
	if (*list)
		*list = d->next;
}

/* `d` is in no list any more. */
static void finish(struct delivery *d, enum bw_sink_result result, uint32_t retry_after_s,
		   const char *message)
{
	const struct bw_sink_outcome o = {
		.result = result, .retry_after_s = retry_after_s, .message = message};

	if (!d->is_cancelled)
		d->done(&o, d->arg);
	free(d);
}

static uint32_t seconds_to_next(const struct bw_mqtt_sink *s)
{
	uint64_t now = bw_loop_now(s->loop);

	return s->next_attempt > now ? (uint32_t)((s->next_attempt - now) / 1000 + 1) : 1;
}

static enum bw_sink_result result_of(const struct bw_err *err)
{
	return err->code == BW_E_INPUT ? BW_SINK_DEAD : BW_SINK_RETRY;
}

static void on_published(const struct bw_err *err, void *arg)
{
	struct delivery *d = arg;
	struct bw_mqtt_sink *s = d->sink;
	struct bw_err why = BW_ERR_INIT;

	come_in(s);
	unlink_delivery(&s->under_way, d);
	if (err)
		why = redacted(s, err);
	finish(d, err ? result_of(err) : BW_SINK_OK, 0, why.msg);
	go_out(s);
}

static int publish_event(struct bw_mqtt_sink *s, struct delivery *d, struct bw_err *err)
{
	struct bw_mqtt_property properties[BW_MQTT_MAX_ATTRIBUTES];
	struct bw_mqtt_publication p = {.payload = d->event.json, .len = d->event.len, .qos = s->qos};
	BW_AUTOBUF struct bw_buf topic;
	BW_AUTOFREE char *text = NULL;

	bw_buf_init(&topic, BW_MQTT_MAX_TOPIC);
	if (!bw_mqtt_topic_make(&topic, s->prefix, "events", d->event.type))
		return bw_fail(err, BW_E_INPUT, "the type of the event makes no topic");
	p.topic = bw_buf_str(&topic);
	p.content_type = CONTENT_TYPE;
	p.property_count = bw_mqtt_read_attributes(d->event.json, d->event.len, properties, &text);
	p.properties = properties;
	return bw_mqtt_publish(s->session, &p, on_published, d, err);
}

static void arm(struct bw_mqtt_sink *s)
{
	uint64_t now = bw_loop_now(s->loop);

	if (s->is_closed)
		return;
	bw_timer_stop(s->timer);
	if (s->refused)
		bw_timer_start(s->timer, 0);
	else if (s->waiting)
		bw_timer_start(s->timer,
			       s->waiting->patience_ends > now ? s->waiting->patience_ends - now : 0);
}

/* Publishes, waits for the session, or remembers that it cannot be sent: start() itself never ends an event. */
static void dispatch(struct bw_mqtt_sink *s, struct delivery *d)
{
	if (!bw_mqtt_is_up(s->session))
		push(&s->waiting, d);
	else if (publish_event(s, d, &d->why) == 0)
		push_front(&s->under_way, d);
	else
		push(&s->refused, d);
	arm(s);
}

static void fail_refused(struct bw_mqtt_sink *s)
{
	struct delivery *d;

	s->ending = BW_TAKE(s->refused);
	while ((d = s->ending)) {
		const struct bw_err why = d->why;

		s->ending = d->next;
		finish(d, result_of(&why), 0, why.msg);
	}
}

static void fail_waiting(struct bw_mqtt_sink *s)
{
	const struct bw_err why = s->why;
	uint32_t after = seconds_to_next(s);
	struct delivery *d;

	s->ending = BW_TAKE(s->waiting);
	while ((d = s->ending)) {
		s->ending = d->next;
		finish(d, BW_SINK_RETRY, after,
		       why.msg[0] ? why.msg : "there is no connection to the broker");
	}
}

static void on_timer(void *arg)
{
	struct bw_mqtt_sink *s = arg;

	come_in(s);
	fail_refused(s);
	if (s->waiting && s->waiting->patience_ends <= bw_loop_now(s->loop))
		fail_waiting(s);
	arm(s);
	go_out(s);
}

static void start(void *self, const struct bw_event *e, bw_sink_done_fn done, void *arg)
{
	struct bw_mqtt_sink *s = self;
	struct delivery *d = BW_NEW(struct delivery);

	d->sink = s;
	d->event = *e;
	d->done = done;
	d->arg = arg;
	d->patience_ends = bw_loop_now(s->loop) + PATIENCE_MS;
	dispatch(s, d);
}

/* What is under way stays with the session until it is acknowledged; it holds no strings of the event any more. */
static void cancel(void *self, void *arg)
{
	struct bw_mqtt_sink *s = self;
	struct delivery **const lists[] = {&s->waiting, &s->refused, &s->ending};

	for (struct delivery *d = s->under_way; d; d = d->next)
		d->is_cancelled = d->is_cancelled || d->arg == arg;
	for (size_t i = 0; i < BW_COUNT(lists); i++) {
		struct delivery **at = lists[i];

		while (*at) {
			struct delivery *d = *at;

			if (d->arg != arg) {
				at = &d->next;
				continue;
			}
			*at = d->next;
			free(d);
		}
	}
	arm(s);
}

static unsigned room(void *self)
{
	const struct bw_mqtt_sink *s = self;

	return s->has_failed ? 1 : ROOM;
}

/* --- availability and state ------------------------------------------------------------------- */

static void ignore_result(const struct bw_err *err, void *arg)
{
	(void)err;
	(void)arg;
}

static void publish_availability(struct bw_mqtt_sink *s, const char *word, unsigned qos)
{
	BW_AUTOFREE char *topic = bw_asprintf("%s/availability", s->prefix);
	const struct bw_mqtt_publication p = {
		.topic = topic, .payload = word, .len = strlen(word), .qos = qos, .retain = true};
	struct bw_err err = BW_ERR_INIT;

	if (s->is_guest)
		return;
	/* A failure is the end of the session, which everybody is told of. */
	(void)!bw_mqtt_publish(s->session, &p, ignore_result, s, &err);
}

static int publish_state(void *to, const struct bw_mqtt_publication *p, bw_mqtt_done_fn done, void *arg,
			 struct bw_err *err)
{
	const struct bw_mqtt_sink *s = to;

	return bw_mqtt_publish(s->session, p, done, arg, err);
}

static bool ask_rows(int64_t *cursor, void *arg)
{
	struct bw_mqtt_sink *s = arg;

	return s->hooks.rows(cursor, s, s->hooks.arg);
}

void bw_mqtt_sink_put(struct bw_mqtt_sink *s, enum bw_mqtt_subject kind, const char *key, const char *json,
		      size_t len)
{
	bw_mqtt_state_put(s->state, kind, key, json, len);
}

bool bw_mqtt_sink_is_settled(const struct bw_mqtt_sink *s)
{
	return bw_mqtt_state_is_settled(s->state);
}

/* --- what the session says -------------------------------------------------------------------- */

static void on_up(struct bw_mqtt_sink *s)
{
	struct delivery *d = s->waiting;

	s->has_failed = false;
	s->why = BW_ERR_INIT;
	publish_availability(s, "online", s->qos);
	s->waiting = NULL;
	while (d) {
		struct delivery *next = d->next;

		dispatch(s, d);
		d = next;
	}
	arm(s);
	bw_mqtt_state_up(s->state);
}

static void on_down(struct bw_mqtt_sink *s, const struct bw_mqtt_change *c)
{
	s->has_failed = true;
	s->why = *c->why;
	s->next_attempt = bw_loop_now(s->loop) + c->next_ms;
	bw_mqtt_state_down(s->state);
	fail_waiting(s);
	arm(s);
}

static void on_changed(const struct bw_mqtt_change *c, void *arg)
{
	struct bw_mqtt_sink *s = arg;
	struct bw_mqtt_change told = *c;
	struct bw_err why = BW_ERR_INIT;

	come_in(s);
	if (c->why) {
		why = redacted(s, c->why);
		told.why = &why;
	}
	if (c->is_up)
		on_up(s);
	else
		on_down(s, &told);
	if (s->hooks.changed && !s->is_closed)
		s->hooks.changed(&told, s->hooks.arg);
	go_out(s);
}

static void complain(struct bw_mqtt_sink *s, struct bw_err *err)
{
	(void)bw_err_ctx(err, "%s/done", s->prefix);
	if (s->hooks.complain)
		s->hooks.complain(err, s->hooks.arg);
}

static void take_rebuilt(struct bw_mqtt_sink *s, const struct bw_mqtt_message *m)
{
	struct bw_mqtt_rebuilt r = {0};
	struct bw_err err = BW_ERR_INIT;
	json_t *root = NULL;

	if (bw_mqtt_read_rebuilt(m->payload ? m->payload : "", m->len, &r, &root, &err) < 0) {
		complain(s, &err);
		return;
	}
	s->hooks.rebuilt(&r, s->hooks.arg);
	json_decref(root);
}

static void on_message(const struct bw_mqtt_message *m, void *arg)
{
	struct bw_mqtt_sink *s = arg;
	struct bw_err err = BW_ERR_INIT;

	come_in(s);
	if (m->refused) {
		bw_fail(&err, BW_E_PEER, "%s", m->refused);
		err = redacted(s, &err);
		complain(s, &err);
	} else if (m->len > 0) { /* an empty one: somebody cleared a retained message */
		take_rebuilt(s, m);
	}
	go_out(s);
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* The leave-taking comes before the will, which the broker then forgets; without acknowledgement, nobody waits. */
static void free_sink(void *self)
{
	struct bw_mqtt_sink *s = self;
	struct delivery **const lists[] = {&s->waiting, &s->refused, &s->ending, &s->under_way};

	come_in(s);
	s->is_closed = true;
	if (s->session && bw_mqtt_is_up(s->session))
		publish_availability(s, "offline", 0);
	bw_mqtt_free(s->session);
	bw_timer_free(s->timer);
	for (size_t i = 0; i < BW_COUNT(lists); i++) {
		while (*lists[i]) {
			struct delivery *d = *lists[i];

			*lists[i] = d->next;
			free(d);
		}
	}
	go_out(s);
}

struct bw_sink bw_mqtt_sink_interface(struct bw_mqtt_sink *s)
{
	static const struct bw_sink_ops ops = {
		.kind = "mqtt", .start = start, .cancel = cancel, .room = room, .free = free_sink};

	return (struct bw_sink){.ops = &ops, .self = s};
}

int bw_mqtt_sink_check_prefix(const char *prefix, struct bw_err *err)
{
	if (bw_mqtt_topic_is_prefix(prefix))
		return 0;
	return bw_fail(err, BW_E_INPUT,
		       "a prefix has up to 256 bytes, levels with '/' between, and neither '+' nor '#'");
}

static int open_session(struct bw_mqtt_sink *s, const struct bw_mqtt_sink_options *o, struct bw_err *err)
{
	BW_AUTOFREE char *will = bw_asprintf("%s/availability", s->prefix);
	BW_AUTOFREE char *done = bw_asprintf("%s/done", s->prefix);
	struct bw_mqtt_options session = o->session;
	int rc;

	if (!s->is_guest) {
		session.will_topic = will;
		session.will_payload = "offline";
		session.will_qos = s->qos;
		session.will_retain = true;
	}
	session.max_message = BW_MQTT_MAX_REBUILT;
	if (s->qos == 2)
		session.session_expiry_s = 0; /* net/mqtt.h says why they do not go together */
	rc = bw_mqtt_new(s->loop, &session, on_changed, s, &s->session, err);
	if (rc == 0 && s->hooks.rebuilt)
		rc = bw_mqtt_subscribe(s->session, done, s->qos > 0 ? s->qos : 1, on_message, s, err);
	return rc;
}

int bw_mqtt_sink_new(struct bw_loop *l, const struct bw_mqtt_sink_options *o,
		     const struct bw_mqtt_sink_hooks *h, struct bw_mqtt_sink **ret, struct bw_err *err)
{
	const char *prefix = o->prefix ? o->prefix : "basewatch";
	struct bw_mqtt_sink *s;
	int rc = bw_mqtt_sink_check_prefix(prefix, err);

	if (rc == 0 && o->qos > 2)
		rc = bw_fail(err, BW_E_INPUT, "QoS is 0, 1 or 2");
	if (rc < 0)
		return rc;
	s = BW_NEW(struct bw_mqtt_sink);
	s->loop = l;
	s->hooks = *h;
	s->prefix = bw_strdup(prefix);
	s->qos = o->qos;
	s->is_guest = o->is_guest;
	s->redactor = bw_redactor_new();
	bw_redactor_add(s->redactor, o->session.password ? o->session.password : "");
	s->timer = bw_timer_new(l, on_timer, s);
	s->state = bw_mqtt_state_new(prefix, o->qos, h->rows ? ask_rows : NULL, s, publish_state, s);
	rc = open_session(s, o, err);
	if (rc < 0) {
		free_sink(s);
		return rc;
	}
	*ret = s;
	return 0;
}
