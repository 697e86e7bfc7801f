/*
 * outbox.h - events that were published, and what is owed to whom. An event is written in the transaction that records
 * what it tells of, with one delivery for each sink that a rule gives it to (design §3, §6). Who sends asks here what
 * is due; nothing is lost by a crash between two calls, and sending twice is harmless: the id is that of the event.
 */
#ifndef BW_STORE_OUTBOX_H
#define BW_STORE_OUTBOX_H

#include "store/store.h"

enum bw_delivery_state {
	BW_DELIVERY_DUE,
	BW_DELIVERY_SENT,
	BW_DELIVERY_DEAD, /* given up: refused for good, or expired; `error` says why */
	BW_DELIVERY_SUPERSEDED, /* not sent yet, and a newer event of the build contains it, or the build is fresh again */
};

/* Strings are valid only during the callback. */
struct bw_delivery {
	int64_t id;
	const char
		*sink; /* NULL: a list of events shows one that nobody is owed; only the event is set then */
	const char *event_id;
	const char *type; /* "io.basewatch.base.changed" */
	const char *subject;
	const char *json; /* the event as it is sent: one line, byte-identical at each attempt */
	size_t len;
	unsigned attempts;
	int64_t created_ms;
	int64_t expires_ms;
	int64_t next_ms; /* not before */
	enum bw_delivery_state state;
	const char *error;	/* of the last attempt; NULL */
	int64_t ended_ms;	/* when it was sent, given up or superseded; 0: still due */
	int64_t at_ms;		/* when the event was published */
	const char *suppressed; /* of the event: why it was owed to nobody; NULL: it was not suppressed */
};

#define BW_DELIVERY_EXPIRY_MS (7LL * 24 * 3600 * 1000) /* unless told otherwise */

/* "due", "sent", "dead", "superseded": the word in the database and in JSON. */
const char *bw_delivery_state_name(enum bw_delivery_state state);

typedef int (*bw_delivery_fn)(const struct bw_delivery *d, void *arg, struct bw_err *err);

/*
 * The sinks that there are now, by name. New ones get what happens from now on; those that are not in the list any more
 * are owed nothing new, and what they are still owed stays as it is (a sink that comes back gets it until it expires).
 * `types` NULL: all events.
 */
struct bw_sink_row {
	const char *name;
	const char *const *types; /* NULL-terminated: "base.changed", "rebuild.requested", ... */
	bool confirms;		  /* a delivery makes the build fresh (design §5) */
	int64_t expire_ms;	  /* so long a delivery is tried; 0: BW_DELIVERY_EXPIRY_MS */
};
int bw_store_put_sinks(struct bw_store *s, const struct bw_sink_row *sinks, size_t count, int64_t now_ms,
		       struct bw_err *err) BW_NODISCARD;

/*
 * Up to `max` deliveries that this sink may be sent now, oldest first: due, their time has come, and nothing earlier of
 * the same subject is still due to this sink (order is kept per build and per base).
 */
int bw_store_each_due(struct bw_store *s, const char *sink, int64_t now_ms, size_t max, bw_delivery_fn fn,
		      void *arg, struct bw_err *err) BW_NODISCARD;
/* When the next one may be sent, maybe long ago; INT64_MAX: nothing is due. */
int bw_store_next_due(struct bw_store *s, const char *sink, int64_t *ret_ms, struct bw_err *err) BW_NODISCARD;

/* The receiver is back after a while: what waits for its next attempt may be sent at once. */
int bw_store_sink_due_now(struct bw_store *s, const char *sink, int64_t now_ms,
			  struct bw_err *err) BW_NODISCARD;

/* What came of an attempt. */
struct bw_delivery_outcome {
	int64_t id;
	enum bw_delivery_state state; /* SENT, DEAD, or DUE: it is to be tried again */
	int64_t next_ms;	      /* DUE: not before */
	const char *error;	      /* but SENT; may be NULL */
};
/*
 * Of any number of attempts, in one transaction: all are recorded, or none. A delivery that is not due any more
 * (superseded meanwhile) stays as it is, unless it was sent after all. When the sink confirms, what a delivered rebuild.requested asked for is done:
 * evidence "delivered".
 */
int bw_store_record_deliveries(struct bw_store *s, const struct bw_delivery_outcome *outcomes, size_t count,
			       int64_t now_ms, struct bw_err *err) BW_NODISCARD;
/*
 * Deliveries past their expiry become dead ("expired after 12 attempts: ..."). `ret` (may be NULL): how many. Until then
 * bw_store_each_due() lists them.
 */
int bw_store_expire_deliveries(struct bw_store *s, int64_t now_ms, size_t *ret,
			       struct bw_err *err) BW_NODISCARD;

/* --- for people ------------------------------------------------------------------------------- */

struct bw_event_filter {
	int64_t since_ms; /* 0: all */
	const char *sink; /* with a delivery to this sink; NULL: all */
	bool dead;	  /* only dead deliveries */
	bool suppressed;  /* only events that rules suppressed */
};

/* Oldest first; once for each delivery, or once for an event that has none. */
int bw_store_each_event(struct bw_store *s, const struct bw_event_filter *filter, bw_delivery_fn fn,
			void *arg, struct bw_err *err) BW_NODISCARD;

#define BW_EVENT_ID_MAX 65 /* 64 hexadecimal digits and the NUL */

struct bw_event_found {
	int64_t number;
	char id[BW_EVENT_ID_MAX];
	char *json;	  /* as it is sent */
	int64_t build_id; /* that it asks to rebuild; 0: none (any more) */
};

/*
 * By its id, or the first digits of it, at least 6. BW_E_GONE: there is none; BW_E_INPUT: no id, or of several. To be
 * freed with bw_event_found_done().
 */
int bw_store_find_event(struct bw_store *s, const char *id, struct bw_event_found *ret,
			struct bw_err *err) BW_NODISCARD;
void bw_event_found_done(struct bw_event_found *e);

/* The dead deliveries of an event, to one sink or all (NULL), are due again at once. */
int bw_store_retry_event(struct bw_store *s, int64_t number, const char *sink, int64_t now_ms, size_t *ret,
			 struct bw_err *err) BW_NODISCARD;
/*
 * New deliveries of an event, to one sink or all (NULL) that are there now and get this type; not where it is due still.
 * Rules are not asked: so a suppressed event can be sent after all.
 */
int bw_store_replay_event(struct bw_store *s, int64_t number, const char *sink, int64_t now_ms, size_t *ret,
			  struct bw_err *err) BW_NODISCARD;

#endif
