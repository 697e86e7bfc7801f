/* mqtt_link.c - libmosquitto's external loop on libuv (mqtt_link.h says why and how). */
#include "net/mqtt_link.h"

#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "core/mem.h"
#include "core/text.h"

#define MISC_MS	     1000
#define LINGER_MS    500
#define MAX_WORDS    200    /* of the broker's own words */
#define MAX_ROUNDS   32	    /* reads in one turn while TLS holds more */
#define PACKET_EXTRA 66000U /* topic and header beyond the payload */

/* What a callback of the library has said, until it may be passed on. */
struct note {
	struct note *next;
	enum { NOTE_ANSWER, NOTE_ACK, NOTE_SUBACK, NOTE_MESSAGE } kind;
	int mid;
	int reason;
	bool flag;   /* the broker has a session; the message is retained */
	char *words; /* of the broker; the topic of a message */
	char *payload;
	size_t len;
};

struct bw_mqtt_link {
	uv_poll_t uv; /* its close callback frees us */
	struct bw_loop *loop;
	struct mosquitto *mosq;
	struct bw_mqtt_link_hooks hooks;
	struct bw_mqtt_tls *tls;
	unsigned version;
	size_t max_message;
	int fd;			      /* a duplicate of the library's socket */
	int watched;		      /* UV_READABLE, UV_WRITABLE */
	struct bw_timer *misc, *soon; /* each second; in the next turn */
	struct note *notes, **last;
	bool is_lost, is_closed;
	bool has_watch;
	bool wants_read;  /* TLS holds more than one turn takes */
	bool is_answered; /* the broker took part in the conversation */
	int first_sys;	  /* the library's calls take errors out of the socket, and may say nothing of them */
	struct bw_err why;
	char tls_error[MAX_WORDS]; /* what the library logged last about TLS */
};

/* --- words ------------------------------------------------------------------------------------ */

static const char *words_of(int rc)
{
	switch (rc) {
	case MOSQ_ERR_CONN_LOST: return "the broker closed the connection";
	case MOSQ_ERR_KEEPALIVE: return "the broker does not answer any more";
	case MOSQ_ERR_PROTOCOL:
	case MOSQ_ERR_MALFORMED_PACKET: return "the broker broke the protocol";
	case MOSQ_ERR_OVERSIZE_PACKET: return "larger than the broker takes";
	case MOSQ_ERR_QOS_NOT_SUPPORTED: return "the broker does not support this QoS";
	case MOSQ_ERR_RETAIN_NOT_SUPPORTED: return "the broker does not retain messages";
	default: return mosquitto_strerror(rc);
	}
}

/*
 * With TLS the library has one code for every failure; the reason is in the certificate, or in OpenSSL's words. A broker
 * that misses our certificate says so behind the handshake, and whether we read that before our next write fails is luck.
 */
static void say_lost(struct bw_mqtt_link *k, int rc, int sys)
{
	const char *complaint = k->tls ? bw_mqtt_tls_complaint(k->tls) : NULL;

	if (k->is_lost)
		return;
	k->is_lost = true;
	if (complaint)
		bw_fail(&k->why, BW_E_PEER, "the certificate is not accepted: %s", complaint);
	else if (k->tls && !k->is_answered && bw_mqtt_tls_lacks_identity(k->tls))
		bw_fail(&k->why, BW_E_PEER,
			"TLS: the broker wants a certificate of the client, and there is none (cert-file, "
			"key-file)");
	else if (k->tls_error[0])
		bw_fail(&k->why, BW_E_PEER, "TLS: %s", k->tls_error);
	else if (rc == MOSQ_ERR_ERRNO && sys != 0)
		bw_fail(&k->why, BW_E_RETRY, "%s", strerror(sys));
	else if (rc >= 0x80)
		bw_fail(&k->why, BW_E_RETRY, "the broker ended the session: %s", mosquitto_reason_string(rc));
	else
		bw_fail(&k->why, rc == MOSQ_ERR_PROTOCOL ? BW_E_PEER : BW_E_RETRY, "%s", words_of(rc));
}

/* CONNACK: bad name or password, not authorised, banned. */
static enum bw_code code_of_refusal(const struct bw_mqtt_link *k, int reason)
{
	if (k->version == 4)
		return reason == CONNACK_REFUSED_SERVER_UNAVAILABLE ? BW_E_RETRY : BW_E_AUTH;
	switch (reason) {
	case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
	case MQTT_RC_NOT_AUTHORIZED:
	case MQTT_RC_BANNED:
	case MQTT_RC_BAD_AUTHENTICATION_METHOD:
	case MQTT_RC_CLIENTID_NOT_VALID: return BW_E_AUTH;
	default: return BW_E_RETRY;
	}
}

/* PUBACK, PUBREC, SUBACK of MQTT 5. */
static enum bw_code code_of_reason(int reason)
{
	switch (reason) {
	case MQTT_RC_NOT_AUTHORIZED: return BW_E_AUTH;
	case MQTT_RC_TOPIC_NAME_INVALID:
	case MQTT_RC_PAYLOAD_FORMAT_INVALID:
	case MQTT_RC_PACKET_TOO_LARGE: return BW_E_INPUT;
	default: return BW_E_RETRY;
	}
}

/* The broker's own words come behind those of the code. */
static void say_reason(struct bw_err *err, enum bw_code code, const char *text, const char *words)
{
	size_t len = strcspn(text, ".");

	bw_fail(err, code, "the broker says: %.*s%s%s", (int)len, text, words ? ": " : "",
		words ? words : "");
}

/* --- what the library calls: only written down ------------------------------------------------ */

static struct note *add_note(struct bw_mqtt_link *k, int kind, int mid, int reason)
{
	struct note *n = BW_NEW(struct note);

	n->kind = (unsigned)kind;
	n->mid = mid;
	n->reason = reason;
	*k->last = n;
	k->last = &n->next;
	return n;
}

static void free_note(struct note *n)
{
	free(n->words);
	free(n->payload);
	free(n);
}

static char *reason_string(const mosquitto_property *props)
{
	char *s = NULL, *ret;

	if (!props || !mosquitto_property_read_string(props, MQTT_PROP_REASON_STRING, &s, false) || !s)
		return NULL;
	ret = bw_strndup(s, strnlen(s, MAX_WORDS));
	free(s);
	return ret;
}

static void on_connect(struct mosquitto *mosq, void *arg, int reason, int flags,
		       const mosquitto_property *props)
{
	struct note *n = add_note(arg, NOTE_ANSWER, 0, reason);

	(void)mosq;
	((struct bw_mqtt_link *)arg)->is_answered = true;
	n->flag = (flags & 1) != 0;
	n->words = reason_string(props);
}

static void on_publish(struct mosquitto *mosq, void *arg, int mid, int reason,
		       const mosquitto_property *props)
{
	struct note *n = add_note(arg, NOTE_ACK, mid, reason);

	(void)mosq;
	if (reason >= 0x80)
		n->words = reason_string(props);
}

static void on_subscribe(struct mosquitto *mosq, void *arg, int mid, int count, const int *granted,
			 const mosquitto_property *props)
{
	struct note *n = add_note(arg, NOTE_SUBACK, mid, count > 0 ? granted[0] : 0x80);

	(void)mosq;
	if (n->reason >= 0x80)
		n->words = reason_string(props);
}

static void on_message(struct mosquitto *mosq, void *arg, const struct mosquitto_message *m,
		       const mosquitto_property *props)
{
	struct bw_mqtt_link *k = arg;
	struct note *n = add_note(k, NOTE_MESSAGE, m->mid, 0);

	(void)mosq;
	(void)props;
	n->flag = m->retain;
	n->words = bw_strdup(m->topic ? m->topic : ""); /* at most 65,535 bytes */
	n->len = m->payloadlen > 0 ? (size_t)m->payloadlen : 0;
	if (n->len <= k->max_message)
		n->payload = bw_strndup(n->len ? m->payload : "", n->len);
}

static void on_disconnect(struct mosquitto *mosq, void *arg, int rc, const mosquitto_property *props)
{
	(void)mosq;
	(void)props;
	say_lost(arg, rc, errno);
}

/* "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed": the last part is for people. */
static void on_log(struct mosquitto *mosq, void *arg, int level, const char *text)
{
	struct bw_mqtt_link *k = arg;
	const char *tail = strrchr(text, ':');

	(void)mosq;
	if (level == MOSQ_LOG_ERR && bw_text_starts(text, "OpenSSL Error") && tail && !k->tls_error[0])
		(void)snprintf(k->tls_error, sizeof(k->tls_error), "%s", tail + 1);
}

/* --- the watch -------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *uv, int status, int events);

/* After every call into the library: does it have a socket, and does it want to write? */
static void rewatch(struct bw_mqtt_link *k)
{
	int fd = mosquitto_socket(k->mosq), want = UV_READABLE;

	if (fd < 0 && !k->is_lost)
		say_lost(k, MOSQ_ERR_CONN_LOST, 0);
	if (k->is_lost) {
		uv_poll_stop(&k->uv);
		k->watched = 0;
		return;
	}
	if (mosquitto_want_write(k->mosq))
		want |= UV_WRITABLE;
	if (want != k->watched)
		uv_poll_start(&k->uv, want, on_poll);
	k->watched = want;
}

static void tell_soon(struct bw_mqtt_link *k)
{
	if (k->notes || k->is_lost || k->wants_read)
		bw_timer_start(k->soon, 0);
}

/* --- passing on ------------------------------------------------------------------------------- */

static void tell_answer(struct bw_mqtt_link *k, const struct note *n)
{
	const char *text =
		k->version == 4 ? mosquitto_connack_string(n->reason) : mosquitto_reason_string(n->reason);
	bool is_version = n->reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION ||
			  n->reason == CONNACK_REFUSED_PROTOCOL_VERSION;
	struct bw_err err = BW_ERR_INIT;

	if (n->reason == 0) {
		k->hooks.answered(BW_MQTT_ACCEPTED, n->flag, NULL, k->hooks.arg);
		return;
	}
	say_reason(&err, code_of_refusal(k, n->reason), text, n->words);
	k->hooks.answered(is_version ? BW_MQTT_WRONG_VERSION : BW_MQTT_REFUSED, false, &err, k->hooks.arg);
}

static void tell_result(struct bw_mqtt_link *k, const struct note *n)
{
	struct bw_err err = BW_ERR_INIT;
	bool is_bad = n->reason >= 0x80;

	if (is_bad)
		say_reason(&err, code_of_reason(n->reason), mosquitto_reason_string(n->reason), n->words);
	(n->kind == NOTE_ACK ? k->hooks.acked : k->hooks.subscribed)(n->mid, is_bad ? &err : NULL,
								     k->hooks.arg);
}

static void tell_message(struct bw_mqtt_link *k, const struct note *n)
{
	const struct bw_mqtt_message m = {
		.topic = n->words, .payload = n->payload, .len = n->len, .is_retained = n->flag};

	k->hooks.message(&m, k->hooks.arg);
}

static void tell_note(struct bw_mqtt_link *k, const struct note *n)
{
	switch (n->kind) {
	case NOTE_ANSWER: tell_answer(k, n); break;
	case NOTE_ACK:
	case NOTE_SUBACK: tell_result(k, n); break;
	case NOTE_MESSAGE: tell_message(k, n); break;
	}
}

/* A hook may free the link: its memory lives until the close callback, and nothing more is said. */
static void tell(struct bw_mqtt_link *k)
{
	while (k->notes && !k->is_closed) {
		struct note *n = k->notes;

		k->notes = n->next;
		if (!k->notes)
			k->last = &k->notes;
		tell_note(k, n);
		free_note(n);
	}
	if (k->is_lost && !k->is_closed) {
		bw_timer_stop(k->misc);
		k->hooks.lost(&k->why, k->hooks.arg);
	}
}

/* --- turns ------------------------------------------------------------------------------------ */

static void note_errno(struct bw_mqtt_link *k)
{
	if (k->first_sys == 0 && errno != 0 && errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN)
		k->first_sys = errno;
}

/*
 * The library stops reading when errno says EAGAIN, also when that is an old one. What TLS has taken out of the socket
 * already wakes nobody: it is read at once, or in the next turn.
 */
static void read_in(struct bw_mqtt_link *k)
{
	k->wants_read = true;
	for (int i = 0; i < MAX_ROUNDS && k->wants_read; i++) {
		int rc;

		errno = 0;
		rc = mosquitto_loop_read(k->mosq, 1);
		note_errno(k);
		if (rc != MOSQ_ERR_SUCCESS)
			say_lost(k, rc, errno);
		k->wants_read = !k->is_lost && bw_mqtt_tls_has_more(mosquitto_ssl_get(k->mosq));
	}
}

static void write_out(struct bw_mqtt_link *k)
{
	int rc;

	errno = 0;
	rc = mosquitto_loop_write(k->mosq, 1);
	note_errno(k);
	if (rc != MOSQ_ERR_SUCCESS)
		say_lost(k, rc, errno);
}

static void settle(struct bw_mqtt_link *k)
{
	rewatch(k);
	if (k->wants_read)
		bw_timer_start(k->soon, 0);
	tell(k);
}

/* libuv has no number for an error on the socket, the socket has. Behind a reset there may be the reason, unread. */
static void take_socket_error(struct bw_mqtt_link *k)
{
	int sys = 0;
	socklen_t len = sizeof(sys);

	if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &sys, &len) != 0)
		sys = 0;
	if (sys == ECONNRESET || sys == EPIPE)
		read_in(k);
	say_lost(k, sys ? MOSQ_ERR_ERRNO : MOSQ_ERR_CONN_LOST, sys);
}

/*
 * A refused connection with TLS: the library takes the error out of the socket and goes on with success, on a socket
 * that wakes us for ever.
 */
static void look_for_hangup(struct bw_mqtt_link *k)
{
	struct pollfd p = {.fd = k->fd, .events = POLLIN};

	if (!k->is_answered && poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)))
		say_lost(k, k->first_sys ? MOSQ_ERR_ERRNO : MOSQ_ERR_CONN_LOST, k->first_sys);
}

static void on_poll(uv_poll_t *uv, int status, int events)
{
	struct bw_mqtt_link *k = uv->data;

	if (status < 0)
		take_socket_error(k);
	if (!k->is_lost && (events & UV_WRITABLE))
		write_out(k);
	if (!k->is_lost && (events & UV_READABLE))
		read_in(k);
	if (!k->is_lost)
		look_for_hangup(k);
	settle(k);
}

static void on_misc(void *arg)
{
	struct bw_mqtt_link *k = arg;
	int rc;

	errno = 0;
	rc = mosquitto_loop_misc(k->mosq);
	if (rc != MOSQ_ERR_SUCCESS)
		say_lost(k, rc, errno);
	bw_timer_start(k->misc, MISC_MS);
	settle(k);
}

static void on_soon(void *arg)
{
	struct bw_mqtt_link *k = arg;

	if (k->wants_read && !k->is_lost)
		read_in(k);
	settle(k);
}

/* --- beginning and end ------------------------------------------------------------------------ */

static void set_callbacks(struct mosquitto *mosq)
{
	mosquitto_connect_v5_callback_set(mosq, on_connect);
	mosquitto_disconnect_v5_callback_set(mosq, on_disconnect);
	mosquitto_publish_v5_callback_set(mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(mosq, on_subscribe);
	mosquitto_message_v5_callback_set(mosq, on_message);
	mosquitto_log_callback_set(mosq, on_log);
}

static int set_options(struct bw_mqtt_link *k, const struct bw_mqtt_link_params *p)
{
	const struct bw_mqtt_options *o = p->options;
	struct mosquitto *mosq = k->mosq;
	int rc = mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION,
				      p->version == 5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);

	if (rc == 0)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	if (rc == 0 && p->version == 5)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, 65535);
	if (rc == 0 && p->version == 4)
		rc = mosquitto_max_inflight_messages_set(mosq, p->window);
	if (rc == 0 && o->username)
		rc = mosquitto_username_pw_set(mosq, o->username, o->password);
	if (rc == 0 && o->will_topic)
		rc = mosquitto_will_set(mosq, o->will_topic,
					o->will_payload ? (int)strlen(o->will_payload) : 0, o->will_payload,
					(int)o->will_qos, o->will_retain);
	if (rc == 0 && p->tls)
		rc = mosquitto_void_option(mosq, MOSQ_OPT_SSL_CTX, bw_mqtt_tls_context(p->tls));
	if (rc == 0 && p->tls)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	return rc;
}

/*
 * The library takes properties of CONNECT with its blocking call only. It keeps them before it looks at the host: asked
 * for no host at all it does nothing else, and the asynchronous call below uses them. A version that should not do
 * so would cost us the kept session, no more: the broker says whether it has one.
 */
static void keep_properties(struct bw_mqtt_link *k, const struct bw_mqtt_options *o)
{
	mosquitto_property *props = NULL;

	if (k->version != 5)
		return;
	mosquitto_property_add_int32(&props, MQTT_PROP_MAXIMUM_PACKET_SIZE,
				     (uint32_t)o->max_message + PACKET_EXTRA);
	if (o->session_expiry_s > 0)
		mosquitto_property_add_int32(&props, MQTT_PROP_SESSION_EXPIRY_INTERVAL, o->session_expiry_s);
	(void)mosquitto_connect_bind_v5(k->mosq, "", 1, o->keepalive_s, NULL, props);
	mosquitto_property_free_all(&props);
}

/* A connection that is under way is success, too; so is, by then, one that the library has given up in its call. */
static int begin(struct bw_mqtt_link *k, const struct bw_mqtt_link_params *p, struct bw_err *err)
{
	int rc = set_options(k, p);

	if (rc != MOSQ_ERR_SUCCESS)
		return bw_fail(err, BW_E_INPUT, "libmosquitto: %s", mosquitto_strerror(rc));
	keep_properties(k, p->options);
	errno = 0;
	rc = mosquitto_connect_async(k->mosq, p->address, (int)p->port, p->options->keepalive_s);
	note_errno(k);
	if (rc != MOSQ_ERR_SUCCESS) { /* on this machine also the end of a handshake */
		say_lost(k, rc, errno);
		*err = k->why;
		return err->code;
	}
	k->fd = fcntl(mosquitto_socket(k->mosq), F_DUPFD_CLOEXEC, 0);
	if (k->fd < 0 || uv_poll_init(bw_loop_uv(k->loop), &k->uv, k->fd) < 0)
		return bw_fail(err, BW_E_SYS, "cannot watch the connection: %s", strerror(errno));
	k->has_watch = true;
	k->uv.data = k;
	return 0;
}

static void release(struct bw_mqtt_link *k)
{
	if (k->fd >= 0)
		close(k->fd);
	while (k->notes) {
		struct note *n = k->notes;

		k->notes = n->next;
		free_note(n);
	}
	free(k);
}

static void release_handle(uv_handle_t *uv)
{
	release(uv->data);
}

int bw_mqtt_link_new(struct bw_loop *l, const struct bw_mqtt_link_params *p,
		     const struct bw_mqtt_link_hooks *h, struct bw_mqtt_link **ret, struct bw_err *err)
{
	struct bw_mqtt_link *k = BW_NEW(struct bw_mqtt_link);
	struct bw_err why = BW_ERR_INIT;
	int rc = 0;

	k->loop = l;
	k->fd = -1;
	k->last = &k->notes;
	k->hooks = *h;
	k->tls = p->tls;
	k->version = p->version;
	k->max_message = p->options->max_message;
	/* Counted by the library; its clean-up would unload OpenSSL's configuration under libcurl: never called. */
	mosquitto_lib_init();
	k->mosq = mosquitto_new(p->options->client_id, p->options->session_expiry_s == 0, k);
	if (!k->mosq)
		rc = bw_fail(&why, BW_E_SYS, "libmosquitto: %s", strerror(errno));
	if (rc == 0) {
		set_callbacks(k->mosq);
		rc = begin(k, p, &why);
	}
	k->misc = bw_timer_new(l, on_misc, k);
	k->soon = bw_timer_new(l, on_soon, k);
	if (rc < 0) {
		bw_mqtt_link_free(k, false);
		if (err)
			*err = why;
		return rc;
	}
	bw_timer_start(k->misc, MISC_MS);
	rewatch(k);
	tell_soon(k);
	*ret = k;
	return 0;
}

static void close_watch(struct bw_mqtt_link *k)
{
	bw_timer_free(k->misc);
	uv_close((uv_handle_t *)&k->uv, release_handle);
}

static void on_patience_ends(void *arg)
{
	close_watch(arg);
}

static void on_last_words(uv_poll_t *uv, int status, int events)
{
	struct bw_mqtt_link *k = uv->data;
	char dropped[4096];
	ssize_t n;

	(void)events;
	n = status < 0 ? 0 : recv(k->fd, dropped, sizeof(dropped), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_watch(k);
}

/*
 * A socket that is closed while something is unread resets the connection, and the broker never reads what we wrote
 * last, our leave among it. So we only stop writing, and let the broker close; the duplicate holds the connection.
 */
static void linger(struct bw_mqtt_link *k)
{
	k->misc = bw_timer_new(k->loop, on_patience_ends, k);
	bw_timer_start(k->misc, LINGER_MS);
	shutdown(k->fd, SHUT_WR);
	if (uv_poll_start(&k->uv, UV_READABLE, on_last_words) < 0)
		close_watch(k);
}

void bw_mqtt_link_free(struct bw_mqtt_link *k, bool with_leave)
{
	bool leaves;

	if (!k || k->is_closed)
		return;
	k->is_closed = true;
	leaves = with_leave && !k->is_lost && k->has_watch;
	bw_timer_free(k->misc);
	bw_timer_free(k->soon);
	k->misc = NULL;
	if (k->has_watch)
		uv_poll_stop(&k->uv);
	if (leaves)
		mosquitto_disconnect(k->mosq);
	mosquitto_destroy(k->mosq);
	k->mosq = NULL;
	if (leaves)
		linger(k);
	else if (k->has_watch)
		close_watch(k);
	else
		release(k);
}

/* --- use -------------------------------------------------------------------------------------- */

/* A broker ends the session for a string that is not UTF-8, or has control characters; the library only does for some. */
static bool is_sendable(const char *s)
{
	size_t len = strnlen(s, 65536);

	return len < 65536 && mosquitto_validate_utf8(s, (int)len) == MOSQ_ERR_SUCCESS;
}

static mosquitto_property *properties_of(const struct bw_mqtt_publication *p)
{
	mosquitto_property *props = NULL;

	if (p->content_type && is_sendable(p->content_type))
		mosquitto_property_add_string(&props, MQTT_PROP_CONTENT_TYPE, p->content_type);
	for (size_t i = 0; i < p->property_count; i++) {
		const struct bw_mqtt_property *pair = &p->properties[i];

		if (is_sendable(pair->name) && is_sendable(pair->value))
			mosquitto_property_add_string_pair(&props, MQTT_PROP_USER_PROPERTY, pair->name,
							   pair->value);
	}
	return props;
}

static int fail_call(int rc, struct bw_err *err)
{
	switch (rc) {
	case MOSQ_ERR_SUCCESS: return 0;
	case MOSQ_ERR_INVAL:
	case MOSQ_ERR_MALFORMED_UTF8:
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_OVERSIZE_PACKET: return bw_fail(err, BW_E_INPUT, "%s", words_of(rc));
	default: return bw_fail(err, BW_E_RETRY, "%s", words_of(rc));
	}
}

int bw_mqtt_link_publish(struct bw_mqtt_link *k, const struct bw_mqtt_publication *p, int *ret_mid,
			 struct bw_err *err)
{
	mosquitto_property *props = NULL;
	int rc, mid = 0;

	if (k->is_lost)
		return bw_fail(err, BW_E_RETRY, "%s", k->why.msg);
	if (k->version == 5)
		props = properties_of(p);
	rc = mosquitto_publish_v5(k->mosq, &mid, p->topic, (int)p->len, p->payload, (int)p->qos, p->retain,
				  props);
	mosquitto_property_free_all(&props);
	rewatch(k);
	tell_soon(k);
	if (rc == MOSQ_ERR_SUCCESS)
		*ret_mid = mid;
	return fail_call(rc, err);
}

int bw_mqtt_link_subscribe(struct bw_mqtt_link *k, const char *topic, unsigned qos, int *ret_mid,
			   struct bw_err *err)
{
	int rc, mid = 0;

	if (k->is_lost)
		return bw_fail(err, BW_E_RETRY, "%s", k->why.msg);
	rc = mosquitto_subscribe(k->mosq, &mid, topic, (int)qos);
	rewatch(k);
	tell_soon(k);
	if (rc == MOSQ_ERR_SUCCESS)
		*ret_mid = mid;
	return fail_call(rc, err);
}

bool bw_mqtt_link_matches(const char *subscription, const char *topic)
{
	bool matches = false;

	return mosquitto_topic_matches_sub(subscription, topic, &matches) == MOSQ_ERR_SUCCESS && matches;
}

bool bw_mqtt_link_is_filter(const char *topic)
{
	return *topic && is_sendable(topic) && mosquitto_sub_topic_check(topic) == MOSQ_ERR_SUCCESS;
}

bool bw_mqtt_link_is_topic(const char *topic)
{
	return *topic && is_sendable(topic) && mosquitto_pub_topic_check(topic) == MOSQ_ERR_SUCCESS;
}

const char *bw_mqtt_version(char out[BW_MQTT_VERSION_MAX])
{
	int major = 0, minor = 0, revision = 0;

	mosquitto_lib_version(&major, &minor, &revision);
	(void)snprintf(out, BW_MQTT_VERSION_MAX, "libmosquitto %d.%d.%d", major, minor, revision);
	return out;
}
