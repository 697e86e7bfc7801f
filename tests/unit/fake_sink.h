/*
 * fake_sink.h - a sink (notify/sink.h) that does what it is told: takes all, fails so many times, never answers, refuses.
 * It writes down what it got, and checks the promises of the outbox: order per subject, no more than there is room for.
 */
#ifndef BW_TESTS_FAKE_SINK_H
#define BW_TESTS_FAKE_SINK_H

#include "unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "net/loop.h"
#include "notify/sink.h"

#define FAKE_SINK_IDS 32768

struct fake_sink;

struct fake_flight {
	struct fake_flight *next;
	struct fake_sink *sink;
	const struct bw_event *event;
	bw_sink_done_fn done;
	void *arg;
	struct bw_timer *timer;
	unsigned subject;
};

struct fake_sink {
	struct bw_loop *loop;
	/* What it does. */
	unsigned room;		    /* at once */
	uint64_t latency_ms;	    /* of an answer */
	enum bw_sink_result result; /* of the next `times` events, or of all */
	unsigned times;		    /* 0: of all */
	bool never;		    /* answers nothing */
	const char *only;	    /* the result is only for this subject; others are taken */
	uint32_t retry_after_s;
	const char *message;
	/* What it saw. */
	struct fake_flight *flights;
	unsigned flying, most, starts, taken, cancelled;
	unsigned last[FAKE_SINK_IDS];	    /* per subject: the number of the last event that was taken */
	unsigned char count[FAKE_SINK_IDS]; /* per event number: how often it was taken */
	char got[4096];			    /* "+e1 -e1 ", as it came; for small tests */
	uint64_t last_start_ms;
	bool *is_freed;
};

/* "e12" is 12. */
static inline unsigned fake_number(const char *name)
{
	return (unsigned)strtoul(name + 1, NULL, 10) % FAKE_SINK_IDS;
}

static inline void fake_sink_note(struct fake_sink *s, const char *sign, const char *id)
{
	size_t len = strlen(s->got);

	if (len + 32 < sizeof(s->got))
		(void)snprintf(s->got + len, sizeof(s->got) - len, "%s%s ", sign, id);
}

static inline void fake_sink_end(struct fake_flight *f)
{
	struct fake_flight **at = &f->sink->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->sink->flying--;
	bw_timer_free(f->timer);
	free(f);
}

static inline enum bw_sink_result fake_sink_decide(struct fake_sink *s, const struct bw_event *e)
{
	if (s->result == BW_SINK_OK || (s->only && strcmp(s->only, e->subject) != 0))
		return BW_SINK_OK;
	if (s->times > 0 && --s->times == 0) {
		enum bw_sink_result last = s->result;

		s->result = BW_SINK_OK;
		return last;
	}
	return s->result;
}

static inline void fake_sink_answer(void *arg)
{
	struct fake_flight f = *(struct fake_flight *)arg;
	struct fake_sink *s = f.sink;
	struct bw_sink_outcome o = {.result = fake_sink_decide(s, f.event), .message = ""};

	if (o.result == BW_SINK_OK) {
		unsigned n = fake_number(f.event->id);

		s->taken++;
		s->count[n]++;
		assert_true(s->last[f.subject] <= n); /* order within the subject */
		s->last[f.subject] = n;
	} else {
		o.message = s->message ? s->message : "no";
		o.retry_after_s = s->retry_after_s;
	}
	fake_sink_note(s, o.result == BW_SINK_OK ? "+" : "-", f.event->id);
	fake_sink_end(arg);
	f.done(&o, f.arg);
}

static inline void fake_sink_start(void *self, const struct bw_event *e, bw_sink_done_fn done, void *arg)
{
	struct fake_sink *s = self;
	struct fake_flight *f = BW_NEW(struct fake_flight);

	assert_true(s->flying < s->room);
	f->subject = fake_number(e->subject);
	for (const struct fake_flight *other = s->flights; other; other = other->next)
		assert_int_not_equal(other->subject, f->subject);
	assert_int_equal(strlen(e->json), e->len);
	f->sink = s;
	f->event = e;
	f->done = done;
	f->arg = arg;
	f->next = s->flights;
	s->flights = f;
	s->starts++;
	s->flying++;
	s->most = s->flying > s->most ? s->flying : s->most;
	s->last_start_ms = bw_loop_now(s->loop);
	f->timer = bw_timer_new(s->loop, fake_sink_answer, f);
	if (!s->never)
		bw_timer_start(f->timer, s->latency_ms);
}

static inline void fake_sink_cancel(void *self, void *arg)
{
	struct fake_sink *s = self;
	struct fake_flight *f = s->flights;

	while (f->arg != arg)
		f = f->next;
	s->cancelled++;
	fake_sink_end(f);
}

static inline unsigned fake_sink_room(void *self)
{
	return ((struct fake_sink *)self)->room;
}

static inline void fake_sink_free(void *self)
{
	struct fake_sink *s = self;

	assert_null(s->flights);
	if (s->is_freed)
		*s->is_freed = true;
	free(s);
}

static inline struct fake_sink *fake_sink_new(struct bw_loop *l, unsigned room)
{
	struct fake_sink *s = BW_NEW(struct fake_sink);

	s->loop = l;
	s->room = room;
	s->latency_ms = 1;
	return s;
}

static inline struct bw_sink fake_sink(struct fake_sink *s)
{
	static const struct bw_sink_ops ops = {
		.kind = "fake",
		.start = fake_sink_start,
		.cancel = fake_sink_cancel,
		.room = fake_sink_room,
		.free = fake_sink_free,
	};

	return (struct bw_sink){.ops = &ops, .self = s};
}

#endif
