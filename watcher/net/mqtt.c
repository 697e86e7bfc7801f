/*
 * mqtt.c - the session: when to connect and how, what is under way, and what happens to it when the connection ends.
 * The connection itself is mqtt_link.h's.
 */
#include "net/mqtt.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/mem.h"
#include "core/text.h"
#include "net/mqtt_link.h"
#include "net/mqtt_tls.h"
#include "net/mqtt_url.h"
#include "net/resolve.h"

#define MAX_SUBSCRIPTIONS 8
#define MAX_UNDER_WAY \
	2000 /* a flow of events needs some hundred; this is what a dead broker can make us hold */
#define MIN_ADDRESS_MS 500
#define STEADY_MS      10000 /* a session that lasts so long was a good one: the next wait is short again */

/* What goes on, and which timer runs. Changed by enter() only. */
enum state {
	WAITING,    /* until the next attempt */
	RESOLVING,  /* looks the name up; until the attempt is too old */
	CONNECTING, /* one address; until its share of the attempt is over */
	UP,	    /* until the oldest message has to be acknowledged */
};

struct pending {
	struct pending *next;
	int mid;
	uint64_t deadline;
	bw_mqtt_done_fn done;
	void *arg;
};

struct subscription {
	char *topic;
	unsigned qos;
	int mid;
	bw_mqtt_message_fn fn;
	void *arg;
};

struct bw_mqtt {
	struct bw_loop *loop;
	struct bw_mqtt_options o; /* copies, with the defaults */
	struct bw_mqtt_url url;
	struct bw_mqtt_tls *tls;
	char place[BW_MQTT_HOST_MAX + 24]; /* "mqtts://broker.lan:8883", for messages */
	bw_mqtt_change_fn changed;
	void *arg;

	enum state state;
	struct bw_timer *timer;
	struct bw_resolve *lookup; /* may outlive its attempt: a resolver that hangs is asked once */
	struct bw_resolve_result addresses;
	unsigned next_address;
	uint64_t attempt_ends, up_since;
	unsigned failures;
	unsigned version;
	struct bw_mqtt_link *link;

	struct pending *pending, **last;
	unsigned pending_count;
	struct subscription subscriptions[MAX_SUBSCRIPTIONS];
	unsigned subscription_count;

	unsigned depth; /* of calls that come from below: memory stays until the outermost is over */
	bool is_closed;
};

static void try_address(struct bw_mqtt *m);
static void begin_attempt(struct bw_mqtt *m);

/* --- life ------------------------------------------------------------------------------------- */

static void free_options(struct bw_mqtt_options *o)
{
	if (o->password)
		explicit_bzero((char *)(uintptr_t)o->password, strlen(o->password));
	free((char *)(uintptr_t)o->url);
	free((char *)(uintptr_t)o->username);
	free((char *)(uintptr_t)o->password);
	free((char *)(uintptr_t)o->client_id);
	free((char *)(uintptr_t)o->will_topic);
	free((char *)(uintptr_t)o->will_payload);
}

static void release(struct bw_mqtt *m)
{
	bw_mqtt_tls_free(m->tls);
	free_options(&m->o);
	for (unsigned i = 0; i < m->subscription_count; i++)
		free(m->subscriptions[i].topic);
	free(m);
}

static void come_in(struct bw_mqtt *m)
{
	m->depth++;
}

/* Callbacks may have freed the session; whoever came in first lets its memory go. */
static void go_out(struct bw_mqtt *m)
{
	if (--m->depth == 0 && m->is_closed)
		release(m);
}

static void enter(struct bw_mqtt *m, enum state next)
{
	assert(next != UP || m->state == CONNECTING);
	bw_timer_stop(m->timer);
	m->state = next;
}

/* --- what is under way ------------------------------------------------------------------------ */

static void watch_oldest(struct bw_mqtt *m)
{
	uint64_t now = bw_loop_now(m->loop);

	if (!m->pending)
		bw_timer_stop(m->timer);
	else if (!bw_timer_is_armed(m->timer))
		bw_timer_start(m->timer, m->pending->deadline > now ? m->pending->deadline - now : 0);
}

/* Brokers acknowledge in order, nearly always: it is the first. */
static struct pending *take_pending(struct bw_mqtt *m, int mid)
{
	for (struct pending **at = &m->pending; *at; at = &(*at)->next) {
		struct pending *p = *at;

		if (p->mid != mid)
			continue;
		*at = p->next;
		if (!*at)
			m->last = at;
		m->pending_count--;
		return p;
	}
	return NULL;
}

static void fail_pending(struct bw_mqtt *m, const struct bw_err *why)
{
	struct pending *list = m->pending;

	m->pending = NULL;
	m->last = &m->pending;
	m->pending_count = 0;
	while (list) {
		struct pending *p = list;

		list = p->next;
		if (!m->is_closed)
			p->done(why, p->arg);
		free(p);
	}
}

/* --- the end of an attempt or a session ------------------------------------------------------- */

/* base * 2^n, at most the longest wait, and a quarter more or less: a broker that restarts is not stormed. */
static uint64_t choose_wait(const struct bw_mqtt *m)
{
	unsigned shift = m->failures < 20 ? m->failures : 20;
	uint64_t wait = (uint64_t)m->o.first_wait_ms << shift;
	uint32_t random = 0;

	if (wait > m->o.longest_wait_ms)
		wait = m->o.longest_wait_ms;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = UINT32_MAX / 2;
	return wait - wait / 4 + wait / 2 * random / UINT32_MAX;
}

static void end(struct bw_mqtt *m, const struct bw_err *why)
{
	struct bw_err err = *why;
	struct bw_mqtt_change c = {.why = &err};

	if (m->state == UP && bw_loop_now(m->loop) - m->up_since >= STEADY_MS)
		m->failures = 0;
	bw_mqtt_link_free(m->link, false);
	m->link = NULL;
	(void)bw_err_ctx(&err, "%s", m->place);
	enter(m, WAITING);
	c.next_ms = choose_wait(m);
	m->failures++;
	bw_timer_start(m->timer, c.next_ms);
	fail_pending(m, &err);
	if (!m->is_closed)
		m->changed(&c, m->arg);
}

static void end_with(struct bw_mqtt *m, const char *text)
{
	struct bw_err err = BW_ERR_INIT;

	bw_fail(&err, BW_E_RETRY, "%s", text);
	end(m, &err);
}

/* This address will not do; the next one may. */
static void give_up_address(struct bw_mqtt *m, const struct bw_err *why)
{
	struct bw_err err = *why;

	bw_mqtt_link_free(m->link, false);
	m->link = NULL;
	if (m->next_address < m->addresses.count && bw_loop_now(m->loop) < m->attempt_ends)
		try_address(m);
	else
		end(m, &err);
}

/* --- what the connection says ----------------------------------------------------------------- */

static void subscribe_now(struct bw_mqtt *m, struct subscription *s)
{
	struct bw_err err = BW_ERR_INIT;
	const struct bw_mqtt_message refused = {.topic = s->topic, .refused = err.msg};

	if (bw_mqtt_link_subscribe(m->link, s->topic, s->qos, &s->mid, &err) < 0)
		s->fn(&refused, s->arg);
}

static void begin_session(struct bw_mqtt *m, bool has_session)
{
	const struct bw_mqtt_change c = {.is_up = true, .has_session = has_session, .version = m->version};

	enter(m, UP);
	m->up_since = bw_loop_now(m->loop);
	for (unsigned i = 0; i < m->subscription_count && m->state == UP && !m->is_closed; i++)
		subscribe_now(m, &m->subscriptions[i]);
	if (m->state == UP && !m->is_closed)
		m->changed(&c, m->arg);
}

/* A broker of MQTT 3.1.1 is asked again at once, in its own language, which stays that of this session. */
static void on_answered(enum bw_mqtt_answer a, bool has_session, const struct bw_err *err, void *arg)
{
	struct bw_mqtt *m = arg;

	come_in(m);
	if (m->state != CONNECTING) {
		end_with(m, "the broker broke the protocol");
	} else if (a == BW_MQTT_ACCEPTED) {
		begin_session(m, has_session);
	} else if (a == BW_MQTT_WRONG_VERSION && m->version == 5) {
		m->version = 4;
		m->next_address--;
		bw_mqtt_link_free(m->link, false);
		m->link = NULL;
		try_address(m);
	} else {
		end(m, err);
	}
	go_out(m);
}

static void on_acked(int mid, const struct bw_err *err, void *arg)
{
	struct bw_mqtt *m = arg;
	struct pending *p = take_pending(m, mid);

	if (!p)
		return;
	come_in(m);
	watch_oldest(m);
	p->done(err, p->arg);
	free(p);
	go_out(m);
}

static void on_subscribed(int mid, const struct bw_err *err, void *arg)
{
	struct bw_mqtt *m = arg;
	struct bw_mqtt_message refused = {.refused = err ? err->msg : NULL};

	come_in(m);
	for (unsigned i = 0; err && i < m->subscription_count && !m->is_closed; i++) {
		struct subscription *s = &m->subscriptions[i];

		refused.topic = s->topic;
		if (s->mid == mid)
			s->fn(&refused, s->arg);
	}
	go_out(m);
}

static void on_message(const struct bw_mqtt_message *message, void *arg)
{
	struct bw_mqtt *m = arg;

	come_in(m);
	for (unsigned i = 0; i < m->subscription_count && !m->is_closed; i++) {
		struct subscription *s = &m->subscriptions[i];

		if (bw_mqtt_link_matches(s->topic, message->topic))
			s->fn(message, s->arg);
	}
	go_out(m);
}

static void on_lost(const struct bw_err *err, void *arg)
{
	struct bw_mqtt *m = arg;

	come_in(m);
	if (m->state == CONNECTING)
		give_up_address(m, err);
	else
		end(m, err);
	go_out(m);
}

/* --- attempts --------------------------------------------------------------------------------- */

/* Each address gets its share of what is left of the attempt: one that is a black hole leaves some to the next. */
static void try_address(struct bw_mqtt *m)
{
	const struct bw_mqtt_link_hooks hooks = {.answered = on_answered,
						 .acked = on_acked,
						 .subscribed = on_subscribed,
						 .message = on_message,
						 .lost = on_lost,
						 .arg = m};
	const struct bw_mqtt_link_params params = {.address = m->addresses.address[m->next_address],
						   .port = m->url.port,
						   .version = m->version,
						   .tls = m->tls,
						   .options = &m->o,
						   .window = MAX_UNDER_WAY};
	uint64_t now = bw_loop_now(m->loop);
	uint64_t left = m->attempt_ends > now ? m->attempt_ends - now : 0;
	uint64_t share = left / (m->addresses.count - m->next_address);
	struct bw_err err = BW_ERR_INIT;

	enter(m, CONNECTING);
	m->next_address++;
	bw_timer_start(m->timer, share > MIN_ADDRESS_MS ? share : MIN_ADDRESS_MS);
	if (bw_mqtt_link_new(m->loop, &params, &hooks, &m->link, &err) < 0)
		give_up_address(m, &err); /* at most as deep as there are addresses */
}

static void on_resolved(const struct bw_resolve_result *r, void *arg)
{
	struct bw_mqtt *m = arg;
	struct bw_err err = BW_ERR_INIT;

	m->lookup = NULL;
	if (m->state != RESOLVING)
		return; /* of an attempt that is over */
	come_in(m);
	if (r->count == 0) {
		bw_fail(&err, BW_E_RETRY, "the name of the broker is not known: %s", r->error);
		end(m, &err);
	} else {
		m->addresses = *r;
		m->next_address = 0;
		try_address(m);
	}
	go_out(m);
}

static bool is_numeric(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void begin_attempt(struct bw_mqtt *m)
{
	struct bw_err err = BW_ERR_INIT;

	m->attempt_ends = bw_loop_now(m->loop) + m->o.connect_timeout_ms;
	if (is_numeric(m->url.host)) {
		(void)snprintf(m->addresses.address[0], BW_RESOLVE_TEXT_MAX, "%.*s", BW_RESOLVE_TEXT_MAX - 1,
			       m->url.host);
		m->addresses.count = 1;
		m->next_address = 0;
		try_address(m);
		return;
	}
	enter(m, RESOLVING);
	bw_timer_start(m->timer, m->o.connect_timeout_ms);
	if (!m->lookup && bw_resolve_start(m->loop, m->url.host, on_resolved, m, &m->lookup, &err) < 0)
		end(m, &err);
}

static void on_timer(void *arg)
{
	struct bw_mqtt *m = arg;
	struct bw_err err = BW_ERR_INIT;

	come_in(m);
	switch (m->state) {
	case WAITING: begin_attempt(m); break;
	case RESOLVING: end_with(m, "the resolver does not answer"); break;
	case CONNECTING:
		bw_fail(&err, BW_E_RETRY, "no answer within the time limit");
		give_up_address(m, &err);
		break;
	case UP:
		if (m->pending && m->pending->deadline <= bw_loop_now(m->loop))
			end_with(m, "the broker did not acknowledge a message in time");
		else
			watch_oldest(m);
		break;
	}
	go_out(m);
}

/* --- options ---------------------------------------------------------------------------------- */

static int check_options(const struct bw_mqtt_options *o, struct bw_err *err)
{
	if (!o->cert_file != !o->key_file)
		return bw_fail(err, BW_E_INPUT, "a client certificate and its key belong together");
	if (o->password && !o->username)
		return bw_fail(err, BW_E_INPUT, "a password needs a user name");
	if (o->keepalive_s > 0 && o->keepalive_s < 5)
		return bw_fail(err, BW_E_INPUT, "the keepalive is at least 5 seconds");
	if (o->session_expiry_s > 0 && (!o->client_id || !*o->client_id))
		return bw_fail(err, BW_E_INPUT, "a session that the broker keeps needs a client id");
	if (o->will_topic && (o->will_qos > 2 || !bw_mqtt_link_is_topic(o->will_topic)))
		return bw_fail(err, BW_E_INPUT, "the topic of the last will is not valid");
	if (o->max_message > (16U << 20))
		return bw_fail(err, BW_E_INPUT, "messages of more than 16 MiB are not taken");
	return 0;
}

static char *make_client_id(void)
{
	unsigned char random[8] = {0};

	(void)!getrandom(random, sizeof(random), 0);
	return bw_asprintf("basewatch-%02x%02x%02x%02x%02x%02x%02x%02x", random[0], random[1], random[2],
			   random[3], random[4], random[5], random[6], random[7]);
}

/* The files are read once, by bw_mqtt_tls_new(). */
static void copy_options(struct bw_mqtt_options *to, const struct bw_mqtt_options *o)
{
	*to = *o;
	to->url = bw_strdup(o->url);
	to->username = bw_strdup_null(o->username);
	to->password = bw_strdup_null(o->password);
	to->client_id = o->client_id && *o->client_id ? bw_strdup(o->client_id) : make_client_id();
	to->will_topic = bw_strdup_null(o->will_topic);
	to->will_payload = bw_strdup_null(o->will_payload);
	to->ca_file = NULL;
	to->cert_file = NULL;
	to->key_file = NULL;
	to->keepalive_s = o->keepalive_s ? o->keepalive_s : 60;
	to->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : 10000;
	to->ack_timeout_ms = o->ack_timeout_ms ? o->ack_timeout_ms : 30000;
	to->first_wait_ms = o->first_wait_ms ? o->first_wait_ms : 1000;
	to->longest_wait_ms = o->longest_wait_ms ? o->longest_wait_ms : 60000;
	to->max_message = o->max_message ? o->max_message : 65536;
}

/* --- use -------------------------------------------------------------------------------------- */

int bw_mqtt_new(struct bw_loop *l, const struct bw_mqtt_options *o, bw_mqtt_change_fn changed, void *arg,
		struct bw_mqtt **ret, struct bw_err *err)
{
	struct bw_mqtt_tls *tls = NULL;
	struct bw_mqtt_url url;
	struct bw_mqtt *m;
	int rc = bw_mqtt_url_parse(o->url ? o->url : "", &url, err);

	if (rc == 0)
		rc = check_options(o, err);
	if (rc == 0 && url.is_tls)
		rc = bw_mqtt_tls_new(url.host, o->ca_file, o->cert_file, o->key_file, &tls, err);
	if (rc < 0)
		return rc;
	m = BW_NEW(struct bw_mqtt);
	m->loop = l;
	m->url = url;
	m->tls = tls;
	m->changed = changed;
	m->arg = arg;
	m->version = 5;
	m->last = &m->pending;
	copy_options(&m->o, o);
	(void)snprintf(m->place, sizeof(m->place), "%s://%s%s%s:%u", url.is_tls ? "mqtts" : "mqtt",
		       strchr(url.host, ':') ? "[" : "", url.host, strchr(url.host, ':') ? "]" : "",
		       url.port);
	m->timer = bw_timer_new(l, on_timer, m);
	bw_timer_start(m->timer, 0);
	*ret = m;
	return 0;
}

void bw_mqtt_free(struct bw_mqtt *m)
{
	if (!m || m->is_closed)
		return;
	come_in(m);
	m->is_closed = true;
	bw_timer_free(m->timer);
	bw_resolve_cancel(m->lookup);
	bw_mqtt_link_free(m->link, m->state == UP);
	m->link = NULL;
	m->state = WAITING;
	fail_pending(m, NULL); /* closed: it only frees them */
	go_out(m);
}

bool bw_mqtt_is_up(const struct bw_mqtt *m)
{
	return m->state == UP;
}

unsigned bw_mqtt_room(const struct bw_mqtt *m)
{
	return m->state == UP && m->pending_count < MAX_UNDER_WAY ? MAX_UNDER_WAY - m->pending_count : 0;
}

static int check_publication(const struct bw_mqtt *m, const struct bw_mqtt_publication *p, struct bw_err *err)
{
	if (m->state != UP)
		return bw_fail(err, BW_E_RETRY, "%s: there is no connection", m->place);
	if (m->pending_count >= MAX_UNDER_WAY)
		return bw_fail(err, BW_E_LIMIT, "%s: %d messages are under way already", m->place,
			       MAX_UNDER_WAY);
	if (p->qos > 2 || !bw_mqtt_link_is_topic(p->topic))
		return bw_fail(err, BW_E_INPUT, "the topic or the QoS of a message is not valid");
	if (p->qos == 2 && m->o.session_expiry_s > 0)
		return bw_fail(err, BW_E_INPUT, "QoS 2 needs sessions that the broker does not keep");
	if (p->len > (64U << 20))
		return bw_fail(err, BW_E_INPUT, "a message of more than 64 MiB");
	return 0;
}

int bw_mqtt_publish(struct bw_mqtt *m, const struct bw_mqtt_publication *p, bw_mqtt_done_fn done, void *arg,
		    struct bw_err *err)
{
	struct pending *n;
	int mid = 0, rc = check_publication(m, p, err);

	if (rc < 0)
		return rc;
	rc = bw_mqtt_link_publish(m->link, p, &mid, err);
	if (rc < 0)
		return rc;
	n = BW_NEW(struct pending);
	n->mid = mid;
	n->deadline = bw_loop_now(m->loop) + m->o.ack_timeout_ms;
	n->done = done;
	n->arg = arg;
	*m->last = n;
	m->last = &n->next;
	m->pending_count++;
	watch_oldest(m);
	return 0;
}

int bw_mqtt_subscribe(struct bw_mqtt *m, const char *topic, unsigned qos, bw_mqtt_message_fn fn, void *arg,
		      struct bw_err *err)
{
	struct subscription *s = &m->subscriptions[m->subscription_count];

	if (m->subscription_count >= MAX_SUBSCRIPTIONS)
		return bw_fail(err, BW_E_LIMIT, "at most %d subscriptions", MAX_SUBSCRIPTIONS);
	if (qos > 2 || !bw_mqtt_link_is_filter(topic))
		return bw_fail(err, BW_E_INPUT, "the topic or the QoS of a subscription is not valid");
	*s = (struct subscription){.topic = bw_strdup(topic), .qos = qos, .fn = fn, .arg = arg};
	m->subscription_count++;
	return m->state == UP ? bw_mqtt_link_subscribe(m->link, topic, qos, &s->mid, err) : 0;
}
