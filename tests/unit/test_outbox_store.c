/* test_outbox_store.c - the outbox on the real loop and the real store: what it asks for is what the store gives. */
#include "unit/store_fixture.h"

#include "core/clock.h"
#include "notify/outbox.h"
#include "store/event.h"
#include "store/outbox.h"
#include "unit/fake_sink.h"

#define EVENTS 2000

struct world {
	struct fixture *f;
	struct bw_loop *loop;
	struct bw_outbox *outbox;
	unsigned failed;
};

static void note_failure(const struct bw_err *err, void *arg)
{
	struct world *w = arg;

	w->failed++;
	(void)fprintf(stderr, "%s\n", err->msg);
}

static void stop(void *arg)
{
	bw_loop_stop(((struct world *)arg)->loop);
}

static int begin(void **state)
{
	static const struct bw_outbox_options o = {.first_wait_ms = 2, .longest_wait_ms = 4};
	static const struct bw_sink_row sinks[] = {{.name = "a"}, {.name = "b"}};
	struct world *w = BW_NEW(struct world);
	struct bw_err err = BW_ERR_INIT;

	if (set_up_folder((void **)&w->f) < 0)
		return -1;
	open_fixture(w->f);
	assert_int_equal(bw_store_put_sinks(w->f->store, sinks, 2, bw_clock_ms(), &err), 0);
	assert_int_equal(bw_loop_new(&w->loop, &err), 0);
	assert_int_equal(bw_outbox_new(w->loop, w->f->store, &o, note_failure, w, &w->outbox, &err), 0);
	bw_outbox_on_idle(w->outbox, stop, w);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	void *fixture = w->f;

	bw_outbox_free(w->outbox);
	bw_loop_free(w->loop);
	free(w);
	return tear_down(&fixture);
}

static int put_events(struct bw_store *s, void *arg, struct bw_err *err)
{
	unsigned count = *(unsigned *)arg;
	int rc = 0;

	for (unsigned i = 1; rc == 0 && i <= count; i++) {
		char id[16], subject[16];
		struct bw_new_event e = {
			.id = id,
			.type = "io.basewatch.base.changed",
			.subject = subject,
			.json = "{}",
			.at_ms = bw_clock_ms(),
		};

		(void)snprintf(id, sizeof(id), "e%u", i);
		(void)snprintf(subject, sizeof(subject), "s%u", i % 50);
		rc = bw_store_put_event(s, &e, NULL, err);
	}
	return rc;
}

static void publish(struct world *w, unsigned count)
{
	struct bw_err err = BW_ERR_INIT;

	if (bw_sql_tx(w->f->store, put_events, &count, &err) < 0)
		fail_msg("%s", err.msg);
	bw_outbox_wake(w->outbox);
}

static struct fake_sink *add(struct world *w, const char *name, unsigned room)
{
	struct fake_sink *s = fake_sink_new(w->loop, room);

	s->latency_ms = 0;
	bw_outbox_add(w->outbox, name, fake_sink(s));
	return s;
}

static int refuse_any(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	(void)arg;
	return bw_fail(err, BW_E_LIMIT, "%s is still due", d->event_id);
}

static void assert_nothing_due(struct world *w, const char *sink)
{
	struct bw_err err = BW_ERR_INIT;

	if (bw_store_each_due(w->f->store, sink, bw_clock_ms() + 1000000, 1, refuse_any, NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_all_that_the_store_owes_arrives_in_order(void **state)
{
	struct world *w = *state;
	struct fake_sink *a = add(w, "a", 16), *b = add(w, "b", 1);

	publish(w, EVENTS);
	bw_loop_run(w->loop);
	assert_int_equal(a->taken, EVENTS);
	assert_int_equal(b->taken, EVENTS);
	for (unsigned i = 1; i <= EVENTS; i++)
		assert_true(a->count[i] == 1 && b->count[i] == 1);
	assert_int_equal(a->most, 16);
	assert_int_equal(w->failed, 0);
	assert_nothing_due(w, "a");
	assert_nothing_due(w, "b");
}

static void test_what_fails_is_found_again_when_its_time_has_come(void **state)
{
	struct world *w = *state;
	struct fake_sink *a = add(w, "a", 4);

	a->result = BW_SINK_RETRY;
	a->times = 20;
	publish(w, 100);
	while (a->taken < 100)
		bw_loop_run(w->loop);
	assert_int_equal(a->starts, 120);
	assert_nothing_due(w, "a");
	assert_int_equal(w->failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_that_the_store_owes_arrives_in_order, begin, end),
		cmocka_unit_test_setup_teardown(test_what_fails_is_found_again_when_its_time_has_come, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
