/*
 * sink.h - where events go: an interface with implementations (MQTT, webhook). The outbox (notify/outbox.h) drives them.
 */
#ifndef BW_NOTIFY_SINK_H
#define BW_NOTIFY_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* An event as it is sent. Strings live from start() until `done` or cancel(). */
struct bw_event {
	const char *id;
	const char *type;    /* "io.basewatch.base.changed" */
	const char *subject; /* the base or the build */
	const char *json;    /* structured CloudEvent on one line */
	size_t len;
	unsigned attempt; /* 1 for the first */
};

enum bw_sink_result {
	BW_SINK_OK,
	BW_SINK_RETRY, /* later: no connection, 5xx, 429, a rotated token, ... */
	BW_SINK_DEAD,  /* this event will never be taken: 400, 413, 422 */
	BW_SINK_PAUSED, /* the receiver wants no events any more (410): the sink stops until it is configured anew */
};

/* What came of it. `message` is the receiver's own words, redacted, capped, not yet escaped; "" without any. */
struct bw_sink_outcome {
	enum bw_sink_result result;
	uint32_t retry_after_s; /* with RETRY; 0: not said */
	const char *message;
};

typedef void (*bw_sink_done_fn)(const struct bw_sink_outcome *o, void *arg);

struct bw_sink_ops {
	const char *kind; /* "mqtt", "webhook" */
	/* Begins to send. `done` comes exactly once, never from inside start(), not after cancel(). */
	void (*start)(void *self, const struct bw_event *e, bw_sink_done_fn done, void *arg);
	/* The event that was started with this `arg` is wanted no more. */
	void (*cancel)(void *self, void *arg);
	/* How many events may be under way at once (1 keeps strict order). 0: none can be taken now; asked each second. */
	unsigned (*room)(void *self);
	void (*free)(void *self);
};

struct bw_sink {
	const struct bw_sink_ops *ops;
	void *self;
};

#endif
