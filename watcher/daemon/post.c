#include "daemon/post.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/rebuilt.h"
#include "daemon/sinks.h"
#include "notify/outbox.h"

#define SHORT_ID 12 /* of an event's id in the log: `events show` takes the beginning */
/* While nothing runs here a broker keeps what is said on "done": as long as it may take until somebody sees that. */
#define SESSION_EXPIRY_S (7U * 24 * 3600)

/* A sink of the configuration, as it was made. */
struct link {
	struct link *next;
	struct bw_post *post;
	char *name;
	struct bw_digest print;	   /* of its secrets: what they are named by may stay, and hold another one */
	struct bw_sink sink;	   /* the outbox's, once it is added there */
	struct bw_mqtt_sink *mqtt; /* NULL: a webhook */
	bool is_failing;	   /* said, and not yet that it works again */
	bool is_paused;		   /* its receiver wants nothing any more */
};

struct bw_post {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_states *states;
	struct bw_post_options options;
	struct bw_outbox *outbox;
	struct link *links;
};

static struct bw_log_context about(const struct link *k)
{
	return (struct bw_log_context){.sink = k->name};
}

/* --- what sinks say ------------------------------------------------------------------------------- */

static void say_failing(struct link *k, const char *message)
{
	const struct bw_log_context c = about(k);

	bw_log_at(k->is_failing ? BW_LOG_DEBUG : BW_LOG_WARN, &c,
		  "not reached: %s; what it is owed waits, and is tried again", message);
	k->is_failing = true;
}

/* What waits for a far away attempt need not: there may be hours of it. */
static void hurry(const struct link *k)
{
	const struct bw_log_context c = about(k);
	struct bw_err err = BW_ERR_INIT;

	if (bw_store_sink_due_now(k->post->store, k->name, bw_clock_ms(), &err) < 0)
		bw_log_at(BW_LOG_WARN, &c, "%s; deliveries wait for their own time", err.msg);
	bw_outbox_revive(k->post->outbox, k->name);
}

static void say_fine(struct link *k)
{
	const struct bw_log_context c = about(k);

	if (!k->is_failing)
		return;
	k->is_failing = false;
	bw_log_at(BW_LOG_INFO, &c, "reached again");
	hurry(k);
}

static struct link *find(const struct bw_post *p, const char *name)
{
	struct link *k = p->links;

	while (k && strcmp(k->name, name) != 0)
		k = k->next;
	return k;
}

static void attempted(const struct bw_outbox_attempt *a, void *arg)
{
	struct bw_post *p = arg;
	struct link *k = find(p, a->sink);
	BW_AUTOFREE char *id = bw_strndup(a->event_id, SHORT_ID);
	const struct bw_log_context c = {.sink = a->sink, .event = id};

	if (!k)
		return;
	switch (a->result) {
	case BW_SINK_OK:
		bw_log_at(BW_LOG_INFO, &c, "delivered %s of %s", a->type, a->subject);
		say_fine(k);
		break;
	case BW_SINK_RETRY: say_failing(k, a->message[0] ? a->message : "no reason was given"); break;
	case BW_SINK_DEAD:
		bw_log_at(BW_LOG_WARN, &c, "refused %s of %s for good: %s", a->type, a->subject, a->message);
		break;
	case BW_SINK_PAUSED:
		k->is_paused = true;
		bw_log_at(BW_LOG_ERROR, &c,
			  "wants no events any more: %s; it gets none until the configuration is reloaded",
			  a->message);
		break;
	}
}

static void outbox_failed(const struct bw_err *err, void *arg)
{
	(void)arg;
	bw_error("%s; deliveries wait, and nothing is lost", err->msg);
}

/* --- what brokers say ----------------------------------------------------------------------------- */

static void take_rebuilt(const struct bw_mqtt_rebuilt *r, void *arg)
{
	struct link *k = arg;

	bw_rebuilt_take(r, k->post->store, k->post->states);
}

static void complain(const struct bw_err *err, void *arg)
{
	const struct bw_log_context c = about(arg);

	bw_log_at(BW_LOG_WARN, &c, "%s", err->msg);
}

static void session_changed(const struct bw_mqtt_change *x, void *arg)
{
	struct link *k = arg;
	const struct bw_log_context c = about(k);

	if (!x->is_up) {
		say_failing(k, x->why->msg);
		return;
	}
	bw_log_at(BW_LOG_INFO, &c, "connected with MQTT %s", x->version == 5 ? "5" : "3.1.1");
	say_fine(k);
	bw_outbox_revive(k->post->outbox, k->name);
}

/* State is asked for by the broker's sink, and may be asked of nobody. */
static bool state_rows(int64_t *cursor, struct bw_mqtt_sink *m, void *arg)
{
	const struct link *k = arg;

	return bw_states_rows(cursor, m, k->post->states);
}

/* --- making them ---------------------------------------------------------------------------------- */

static void unlink_sink(struct bw_post *p, struct link **at)
{
	struct link *k = *at;

	*at = k->next;
	if (k->mqtt && p->states)
		bw_states_remove(p->states, k->mqtt);
	bw_outbox_remove(p->outbox, k->name);
	free(k->name);
	free(k);
}

static int make_sink(struct bw_post *p, const struct bw_conf_sink *s, const struct bw_digest *print,
		     struct link **ret, struct bw_err *err)
{
	struct link *k = BW_NEW(struct link);
	const struct bw_mqtt_sink_hooks hooks = {
		.rows = p->states ? state_rows : NULL,
		.rebuilt = p->states ? take_rebuilt : NULL,
		.complain = complain,
		.changed = session_changed,
		.arg = k,
	};
	const struct bw_sinks_options o = {
		.instance = p->options.instance,
		.is_test = p->options.is_once,
		.session_expiry_s = p->options.is_once ? 0 : SESSION_EXPIRY_S,
		.hooks = &hooks,
	};
	struct bw_sinks_made made = {0};
	int rc = bw_sinks_make(p->loop, s, &o, &made, err);

	if (rc < 0) {
		free(k);
		return rc;
	}
	k->post = p;
	k->name = bw_strdup(s->name);
	k->print = *print;
	k->sink = made.sink;
	k->mqtt = made.mqtt;
	*ret = k;
	return 0;
}

/* It may have failed for hours before: with another token, say, it fails no longer. */
static void use_sink(struct bw_post *p, struct link *k)
{
	k->next = p->links;
	p->links = k;
	bw_outbox_add(p->outbox, k->name, k->sink);
	if (k->mqtt && p->states)
		bw_states_add(p->states, k->mqtt);
	hurry(k);
}

static bool is_listed(const struct bw_conf_texts *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* A sink that is as it was keeps what is under way there. */
static bool is_kept(const struct link *k, const struct bw_conf_sink *s, const struct bw_digest *print,
		    const struct bw_conf_difference *d)
{
	return k && !k->is_paused && d && !is_listed(&d->changed, s->name) &&
	       bw_digest_equal(&k->print, print);
}

/* What one configured sink becomes: nothing new (it is kept), or a new one. */
struct plan {
	struct bw_digest print;
	struct link *made;
};

static int make_all(struct bw_post *p, const struct bw_conf *c, const struct bw_conf_difference *d,
		    struct plan *plans, struct bw_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->sinks.count && rc == 0; i++)
		rc = bw_sinks_check(&c->sinks.items[i], &plans[i].print, err);
	for (size_t i = 0; i < c->sinks.count && rc == 0; i++) {
		const struct bw_conf_sink *s = &c->sinks.items[i];

		if (!is_kept(find(p, s->name), s, &plans[i].print, d))
			rc = make_sink(p, s, &plans[i].print, &plans[i].made, err);
	}
	return rc;
}

static void drop_made(struct plan *plans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct link *k = plans[i].made;

		if (!k)
			continue;
		k->sink.ops->free(k->sink.self);
		free(k->name);
		free(k);
	}
}

static bool has_gone(const struct link *k, const struct bw_conf *c, const struct plan *plans)
{
	for (size_t i = 0; i < c->sinks.count; i++)
		if (strcmp(c->sinks.items[i].name, k->name) == 0)
			return plans[i].made != NULL;
	return true;
}

/* All are made before the first is touched: what cannot be made leaves everything as it was. */
int bw_post_set(struct bw_post *p, const struct bw_conf *c, const struct bw_conf_difference *d,
		struct bw_err *err)
{
	BW_AUTOFREE struct plan *plans = bw_alloc((c->sinks.count + 1) * sizeof(*plans));
	int rc = make_all(p, c, d, plans, err);

	if (rc < 0) {
		drop_made(plans, c->sinks.count);
		return rc;
	}
	for (struct link **at = &p->links; *at;)
		if (has_gone(*at, c, plans))
			unlink_sink(p, at);
		else
			at = &(*at)->next;
	for (size_t i = 0; i < c->sinks.count; i++)
		if (plans[i].made)
			use_sink(p, plans[i].made);
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------------ */

int bw_post_new(struct bw_loop *l, struct bw_store *s, struct bw_states *states,
		const struct bw_post_options *o, struct bw_post **ret, struct bw_err *err)
{
	struct bw_post *p = BW_NEW(struct bw_post);
	int rc;

	p->loop = l;
	p->store = s;
	p->states = states;
	p->options = *o;
	rc = bw_outbox_new(l, s, NULL, outbox_failed, p, &p->outbox, err);
	if (rc < 0) {
		free(p);
		return rc;
	}
	bw_outbox_on_attempt(p->outbox, attempted, p);
	*ret = p;
	return 0;
}

void bw_post_free(struct bw_post *p)
{
	if (!p)
		return;
	while (p->links)
		unlink_sink(p, &p->links);
	bw_outbox_free(p->outbox);
	free(p);
}

void bw_post_hurry(const struct bw_post *p)
{
	for (const struct link *k = p->links; k; k = k->next)
		hurry(k);
}

bool bw_post_has_broker(const struct bw_post *p)
{
	const struct link *k = p->links;

	while (k && !k->mqtt)
		k = k->next;
	return k != NULL;
}

void bw_post_wake(struct bw_post *p)
{
	bw_outbox_wake(p->outbox);
}

void bw_post_drain(struct bw_post *p)
{
	bw_outbox_drain(p->outbox);
}

bool bw_post_is_idle(const struct bw_post *p)
{
	return bw_outbox_is_idle(p->outbox);
}

static bool is_finished(const struct link *k)
{
	if (k->is_failing || k->is_paused)
		return true;
	return (!k->mqtt || bw_mqtt_sink_is_settled(k->mqtt)) &&
	       bw_outbox_is_sink_idle(k->post->outbox, k->name);
}

bool bw_post_is_finished(const struct bw_post *p)
{
	for (const struct link *k = p->links; k; k = k->next)
		if (!is_finished(k))
			return false;
	return true;
}
