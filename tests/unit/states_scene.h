/*
 * states_scene.h - states over a real database, in simulated time, with brokers that write down what they are given.
 * Include it first of all: it has the sources under test.
 */
#ifndef BW_TESTS_STATES_SCENE_H
#define BW_TESTS_STATES_SCENE_H

#include "unit/virtual_loop.h"

#include <string.h>

#include "core/buf.h"
#include "notify/mqtt_sink.h"
#include "store/identity.h"

/* The states know a broker by its address only. */
struct fake_broker {
	struct bw_buf text; /* "base docker.io/library/a:latest {...}\n"; "-" for nothing behind the key */
	unsigned count;	    /* of lines, since the last fake_clear() */
	unsigned most;	    /* of them, those of one turn */
	bool is_brief;	    /* counts only */
};

static struct bw_mqtt_sink *fake_sink(struct fake_broker *b)
{
	return (struct bw_mqtt_sink *)(void *)b;
}

static void fake_put(struct bw_mqtt_sink *s, enum bw_mqtt_subject kind, const char *key, const char *json,
		     size_t len)
{
	struct fake_broker *b = (struct fake_broker *)(void *)s;

	b->count++;
	if (b->is_brief)
		return;
	bw_buf_addf(&b->text, "%s %s ", kind == BW_MQTT_BASE ? "base" : "build", key);
	if (json)
		bw_buf_add(&b->text, json, len);
	else
		bw_buf_addc(&b->text, '-');
	bw_buf_addc(&b->text, '\n');
}

#define bw_mqtt_sink_put fake_put
#include "daemon/states.c" /* NOLINT(bugprone-suspicious-include): white box */

#include "unit/store_fixture.h"

#define SCENE_UUID "6b1d3a52-1111-4222-8333-444455556666" /* so that builds have the same ids each time */

struct scene {
	struct fixture *f;
	struct bw_states *states;
	struct fake_broker one, two;
	unsigned failures;
	char failure[BW_ERR_MAX];
};

static void note_failure(const struct bw_err *err, void *arg)
{
	struct scene *s = arg;

	s->failures++;
	(void)snprintf(s->failure, sizeof(s->failure), "%s", err->msg);
}

static int set_up_scene(void **state)
{
	struct scene *s = BW_NEW(struct scene);
	void *f = NULL;

	virtual_loop.fired = 0;
	virtual_now(0);
	if (set_up_store(&f) < 0)
		return -1;
	s->f = f;
	close_fixture(s->f);
	run_sql(s->f->path, "UPDATE meta SET value = '" SCENE_UUID "' WHERE key = 'uuid'");
	open_fixture(s->f);
	bw_buf_init(&s->one.text, 64U << 20);
	bw_buf_init(&s->two.text, 64U << 20);
	s->states = bw_states_new(NULL, s->f->store, note_failure, s);
	bw_states_add(s->states, fake_sink(&s->one));
	*state = s;
	return 0;
}

static int tear_down_scene(void **state)
{
	struct scene *s = *state;
	void *f = s->f;

	bw_states_free(s->states);
	assert_null(virtual_loop.timers);
	bw_buf_done(&s->one.text);
	bw_buf_done(&s->two.text);
	bw_clock_set(0);
	free(s);
	return tear_down(&f);
}

static void fake_clear(struct fake_broker *b)
{
	bw_buf_clear(&b->text);
	b->count = 0;
	b->most = 0;
}

/* Turns until nothing waits, at most `limit` of them; how many it were. */
static BW_UNUSED unsigned settle(struct scene *s, unsigned limit)
{
	unsigned turns = 0;

	while (!bw_states_is_idle(s->states) && turns < limit) {
		unsigned before = s->one.count;

		assert_true(virtual_step(virtual_loop.now_ms + 2 * LOOK_MS));
		if (s->one.count - before > s->one.most)
			s->one.most = s->one.count - before;
		turns++;
	}
	assert_true(bw_states_is_idle(s->states));
	return turns;
}

/* Everything is looked at, and what that told is forgotten. */
static BW_UNUSED void begin_scene(struct scene *s)
{
	assert_ok(s->f, bw_store_choose_all(s->f->store, NULL, &s->f->err));
	bw_states_touch_all(s->states);
	(void)settle(s, 10000);
	fake_clear(&s->one);
	fake_clear(&s->two);
}

/* What a broker is given when it connects, in how many pages. */
static BW_UNUSED unsigned walk(struct scene *s, struct fake_broker *b)
{
	unsigned pages = 1;
	int64_t cursor = 0;

	while (bw_states_rows(&cursor, fake_sink(b), s->states))
		pages++;
	return pages;
}

/* The line of that key: its document, or "-"; "" where there is none. Of several the last. */
static BW_UNUSED char *line_of(const struct fake_broker *b, const char *key)
{
	BW_AUTOFREE char *head = bw_asprintf(" %s ", key);
	const char *at = bw_buf_str(&b->text), *found = NULL, *end;

	while ((at = strstr(at, head)))
		found = at += strlen(head);
	if (!found)
		return bw_strdup("");
	end = strchr(found, '\n');
	return bw_strndup(found, end ? (size_t)(end - found) : strlen(found));
}

static BW_UNUSED void expect_line(const struct fake_broker *b, const char *key, const char *words)
{
	BW_AUTOFREE char *line = line_of(b, key);

	if (!strstr(line, words) || (!*words && *line))
		fail_msg("%s: \"%s\" lacks \"%s\"", key, line, words);
}

static BW_UNUSED const char *id_of(const char *path, char ret[BW_BUILD_ID_MAX])
{
	bw_identity_of_build(SCENE_UUID, "", path, "", ret);
	return ret;
}

#endif
