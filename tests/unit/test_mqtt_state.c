#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/mqtt_state.h"

/* A session that writes down what it is given and acknowledges when told. */
struct fake {
	char topics[256][64];
	size_t lens[256];
	unsigned count, acked, pages;
	bool is_down;
	bw_mqtt_done_fn done;
	void *arg;
	struct bw_mqtt_state *state;
};

static int publish(void *to, const struct bw_mqtt_publication *p, bw_mqtt_done_fn done, void *arg,
		   struct bw_err *err)
{
	struct fake *f = to;

	if (f->is_down)
		return bw_fail(err, BW_E_RETRY, "down");
	assert_true(p->retain);
	assert_true(f->count < 256);
	(void)snprintf(f->topics[f->count], sizeof(f->topics[0]), "%s", p->topic);
	f->lens[f->count++] = p->len;
	f->done = done;
	f->arg = arg;
	return 0;
}

static void ack_all(struct fake *f, const struct bw_err *err)
{
	while (f->acked < f->count) {
		f->acked++;
		f->done(err, f->arg);
	}
}

/* Three pages of fifty. */
static bool rows(int64_t *cursor, void *arg)
{
	struct fake *f = arg;
	char key[16];

	f->pages++;
	for (int i = 0; i < 50; i++) {
		(void)snprintf(key, sizeof(key), "b%d", (int)*cursor * 50 + i);
		bw_mqtt_state_put(f->state, BW_MQTT_BASE, key, "{}", 2);
	}
	return ++*cursor < 3;
}

static int set_up(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->state = bw_mqtt_state_new("p", 1, rows, f, publish, f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fake *f = *state;

	bw_mqtt_state_free(f->state);
	free(f);
	return 0;
}

static void bring_up(struct fake *f)
{
	bw_mqtt_state_up(f->state);
	ack_all(f, NULL);
	assert_int_equal(f->count, 150);
	f->count = f->acked = f->pages = 0;
}

static void the_first_connect_publishes_everything_page_by_page(void **state)
{
	struct fake *f = *state;

	bw_mqtt_state_up(f->state);
	assert_int_equal(f->count, 64); /* a window, and no more of the rows than it takes */
	assert_int_equal(f->pages, 2);
	ack_all(f, NULL);
	assert_int_equal(f->pages, 3);
	assert_int_equal(f->count, 150);
	assert_string_equal(f->topics[0], "p/state/base/b0");
	assert_string_equal(f->topics[149], "p/state/base/b149");
}

/* A broker that has crashed may remember our session, and an older message than the one it had acknowledged. */
static void each_connect_publishes_everything_anew(void **state)
{
	struct fake *f = *state;

	bring_up(f);
	bw_mqtt_state_down(f->state);
	bw_mqtt_state_up(f->state);
	ack_all(f, NULL);
	assert_int_equal(f->count, 150);
}

static void what_changed_while_it_was_down_is_published_with_everything(void **state)
{
	struct fake *f = *state;

	bring_up(f);
	bw_mqtt_state_down(f->state);
	bw_mqtt_state_put(f->state, BW_MQTT_BUILD, "x", NULL, 0);
	assert_int_equal(f->count, 0);
	bw_mqtt_state_up(f->state);
	ack_all(f, NULL);
	assert_int_equal(f->count, 150);
}

static void what_was_under_way_when_it_broke_is_published_again_and_no_row_is_asked_for_meanwhile(
	void **state)
{
	struct fake *f = *state;
	const struct bw_err lost = {.code = BW_E_RETRY, .msg = "lost"};

	bw_mqtt_state_up(f->state);
	f->is_down = true;
	ack_all(f, &lost);
	assert_int_equal(f->pages, 2);
	bw_mqtt_state_down(f->state);
	f->is_down = false;
	f->count = f->acked = f->pages = 0;
	bw_mqtt_state_up(f->state);
	ack_all(f, NULL);
	assert_int_equal(f->count, 150);
}

static void the_newest_state_of_a_topic_replaces_one_that_waits(void **state)
{
	struct fake *f = *state;
	char key[16];

	bring_up(f);
	for (int i = 0; i < 64; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		bw_mqtt_state_put(f->state, BW_MQTT_BASE, key, "{}", 2);
	}
	bw_mqtt_state_put(f->state, BW_MQTT_BUILD, "w", "{\"a\":1}", 7);
	bw_mqtt_state_put(f->state, BW_MQTT_BUILD, "w", NULL, 0);
	assert_int_equal(f->count, 64);
	ack_all(f, NULL);
	assert_int_equal(f->count, 65);
	assert_string_equal(f->topics[64], "p/state/build/w");
	assert_int_equal(f->lens[64], 0);
}

static bool has_topic(const struct fake *f, const char *topic)
{
	for (unsigned i = 0; i < f->count; i++)
		if (strcmp(f->topics[i], topic) == 0)
			return true;
	return false;
}

static void what_has_no_place_is_published_when_there_is_some(void **state)
{
	struct fake *f = *state;
	char key[16];

	bring_up(f);
	for (int i = 0; i < 20000 + 64 + 1; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		bw_mqtt_state_put(f->state, BW_MQTT_BASE, key, "{}", 2);
	}
	assert_int_equal(f->pages, 0);
	for (int k = 0; f->pages == 0; k++) { /* the fake has room for some */
		assert_in_range(k, 0, 20000 / 64 + 2);
		f->count = f->acked = 0;
		for (int i = 0; i < 64; i++)
			f->done(NULL, f->arg);
	}
	assert_int_equal(f->pages, 1);
	assert_true(has_topic(f, "p/state/base/b0"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_connect_publishes_everything_page_by_page),
		TEST(each_connect_publishes_everything_anew),
		TEST(what_changed_while_it_was_down_is_published_with_everything),
		TEST(what_was_under_way_when_it_broke_is_published_again_and_no_row_is_asked_for_meanwhile),
		TEST(what_has_no_place_is_published_when_there_is_some),
		TEST(the_newest_state_of_a_topic_replaces_one_that_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
