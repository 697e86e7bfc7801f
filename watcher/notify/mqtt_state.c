/* mqtt_state.c - a short queue in front of the session, the newest state per topic, and the walk over all rows. */
#include "notify/mqtt_state.h"

#include <string.h>

#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"
#include "notify/mqtt_topic.h"

#define WINDOW	    64	  /* under way at once; events have the rest of the session */
#define MAX_WAITING 20000 /* beyond that everything is published anew, when these are gone */

struct item {
	struct item *next;
	char *topic;
	char *json; /* "" clears */
	size_t len;
};

struct bw_mqtt_state {
	char *prefix;
	unsigned qos;
	bw_mqtt_rows_fn rows;
	void *arg;
	bw_mqtt_publish_fn publish;
	void *to;

	struct item *first, **last;
	struct bw_map *waiting; /* topic to item */
	unsigned under_way;
	int64_t cursor;
	bool is_up;
	bool is_walking;  /* there are more rows */
	bool is_pumping;  /* rows() is being called: what it puts is sent afterwards */
	bool is_behind;	  /* the broker does not have everything */
	bool is_overfull; /* something had no place: there will be another walk */
};

static void free_item(struct item *i)
{
	free(i->topic);
	free(i->json);
	free(i);
}

struct bw_mqtt_state *bw_mqtt_state_new(const char *prefix, unsigned qos, bw_mqtt_rows_fn rows, void *arg,
					bw_mqtt_publish_fn publish, void *to)
{
	struct bw_mqtt_state *t = BW_NEW(struct bw_mqtt_state);

	t->prefix = bw_strdup(prefix);
	t->qos = qos;
	t->rows = rows;
	t->arg = arg;
	t->publish = publish;
	t->to = to;
	t->last = &t->first;
	t->waiting = bw_map_new();
	t->is_behind = true; /* of what changed before this process began, nobody knows what was published */
	return t;
}

static struct item *take_first(struct bw_mqtt_state *t)
{
	struct item *i = t->first;

	if (!i)
		return NULL;
	t->first = i->next;
	if (!t->first)
		t->last = &t->first;
	bw_map_remove(t->waiting, i->topic);
	return i;
}

static void drop_all(struct bw_mqtt_state *t)
{
	struct item *i;

	while ((i = take_first(t)))
		free_item(i);
}

void bw_mqtt_state_free(struct bw_mqtt_state *t)
{
	if (!t)
		return;
	drop_all(t);
	bw_map_free(t->waiting, NULL);
	free(t->prefix);
	free(t);
}

static void pump(struct bw_mqtt_state *t);

/* What the broker refuses for good is not sent again and again; everything else is, after the next connect. */
static void on_done(const struct bw_err *err, void *arg)
{
	struct bw_mqtt_state *t = arg;

	t->under_way--;
	if (err && err->code != BW_E_INPUT)
		t->is_behind = true;
	pump(t);
}

static void send(struct bw_mqtt_state *t, const struct item *i)
{
	const struct bw_mqtt_publication p = {
		.topic = i->topic,
		.payload = i->json,
		.len = i->len,
		.qos = t->qos,
		.retain = true,
		.content_type = i->len > 0 ? "application/json" : NULL,
	};
	struct bw_err err = BW_ERR_INIT;

	if (t->publish(t->to, &p, on_done, t, &err) == 0) {
		t->under_way++;
	} else if (err.code != BW_E_INPUT) {
		t->is_behind = true;
		t->is_up = false; /* we are told so a moment later: until then no row is asked for */
	}
}

static void begin_walk(struct bw_mqtt_state *t)
{
	t->is_overfull = false;
	t->is_walking = true;
	t->cursor = 0;
}

/* Sends what fits, and asks for the next page when nothing waits. */
static void pump(struct bw_mqtt_state *t)
{
	if (t->is_pumping || !t->is_up)
		return;
	t->is_pumping = true;
	while (t->is_up && t->under_way < WINDOW && (t->first || t->is_walking || t->is_overfull)) {
		struct item *i = take_first(t);

		if (i) {
			send(t, i);
			free_item(i);
			continue;
		}
		if (!t->is_walking)
			begin_walk(t);
		t->is_walking = t->rows(&t->cursor, t->arg);
	}
	t->is_pumping = false;
}

bool bw_mqtt_state_is_settled(const struct bw_mqtt_state *t)
{
	return !t->rows || (t->is_up && !t->is_behind && !t->is_walking && !t->is_overfull && !t->first &&
			    t->under_way == 0);
}

/* Also when the broker kept our session: after a crash it may have that, and older messages than it had acknowledged. */
void bw_mqtt_state_up(struct bw_mqtt_state *t)
{
	t->is_up = true;
	if (t->rows) {
		t->is_behind = false;
		begin_walk(t);
	}
	pump(t);
}

void bw_mqtt_state_down(struct bw_mqtt_state *t)
{
	if (t->first || t->is_walking || t->is_overfull || t->under_way > 0)
		t->is_behind = true;
	t->is_up = false;
	t->is_overfull = false;
	t->is_walking = false;
	drop_all(t);
}

static void add_item(struct bw_mqtt_state *t, const char *topic, char *json, size_t len)
{
	struct item *i = bw_map_get(t->waiting, topic);

	if (i) {
		free(i->json);
	} else {
		i = BW_NEW(struct item);
		i->topic = bw_strdup(topic);
		*t->last = i;
		t->last = &i->next;
		bw_map_put(t->waiting, topic, i);
	}
	i->json = json;
	i->len = len;
}

void bw_mqtt_state_put(struct bw_mqtt_state *t, enum bw_mqtt_subject kind, const char *key, const char *json,
		       size_t len)
{
	BW_AUTOBUF struct bw_buf topic;

	bw_buf_init(&topic, BW_MQTT_MAX_TOPIC);
	if (!t->is_up || bw_map_count(t->waiting) >= MAX_WAITING) {
		t->is_overfull = t->is_up && t->rows;
		t->is_behind |= !t->is_overfull;
		return;
	}
	/* A key that is too long for a topic has no state there; its events name it in full. */
	if (!bw_mqtt_topic_make(&topic, t->prefix, kind == BW_MQTT_BASE ? "state/base" : "state/build", key))
		return;
	add_item(t, bw_buf_str(&topic), json ? bw_strndup(json, len) : bw_strdup(""), json ? len : 0);
	pump(t);
}
