/*
 * outbox.h - sends what is due (store/outbox.h): one worker per sink, so that a dead one delays no other. Order is kept
 * per build and per base within a sink. Failures wait with growing distance and jitter; what expires is dead.
 *
 * A sink that fails is left alone as a whole for a while (at most half a minute, or as long as it says itself), then
 * asked with what is the oldest by then: so a dead one gets a few attempts and not one per event.
 */
#ifndef BW_NOTIFY_OUTBOX_H
#define BW_NOTIFY_OUTBOX_H

#include "net/loop.h"
#include "notify/sink.h"
#include "store/outbox.h"

struct bw_outbox;

struct bw_outbox_options {
	uint32_t first_wait_ms;	  /* after the first failure; 0: 1,000 */
	uint32_t longest_wait_ms; /* 0: 900,000 */
};

/*
 * A failure of the store (disk full, locked), told once until it works again. Nothing is lost and nobody stops: the
 * deliveries stay due, and the outbox tries again every five seconds. Must not free the outbox.
 */
typedef void (*bw_outbox_failed_fn)(const struct bw_err *err, void *arg);

int bw_outbox_new(struct bw_loop *l, struct bw_store *s, const struct bw_outbox_options *o,
		  bw_outbox_failed_fn failed, void *arg, struct bw_outbox **ret,
		  struct bw_err *err) BW_NODISCARD;
/*
 * Cancels what is under way, without recording it: it stays due. Frees the sinks too. Before the store and the loop; NULL
 * is fine.
 */
void bw_outbox_free(struct bw_outbox *o);

/* Takes over the sink. `name` as in the store. */
void bw_outbox_add(struct bw_outbox *o, const char *name, struct bw_sink sink);

/* Cancels what is under way there (it stays due), and frees the sink. Without one of that name nothing. */
void bw_outbox_remove(struct bw_outbox *o, const char *name);
/* The sink can be reached again: it is not left alone any longer. */
void bw_outbox_revive(struct bw_outbox *o, const char *name);

/* There may be something new: looks at once. Otherwise each worker looks when its next delivery is due. */
void bw_outbox_wake(struct bw_outbox *o);

/* What came of one attempt, for the log. Valid only during the call. */
struct bw_outbox_attempt {
	const char *sink, *event_id, *type, *subject;
	unsigned attempt;
	enum bw_sink_result result; /* PAUSED only once: the sink has stopped with it */
	const char *message;	    /* as in bw_sink_outcome */
	uint64_t wait_ms;	    /* with RETRY: until the next attempt */
};
/* Told behind its recording. Must not free the outbox. */
typedef void (*bw_outbox_attempt_fn)(const struct bw_outbox_attempt *a, void *arg);
void bw_outbox_on_attempt(struct bw_outbox *o, bw_outbox_attempt_fn fn, void *arg);

/*
 * Nothing is under way, all outcomes are recorded, and nothing may be sent now: what is left waits for its next attempt.
 * For `run --once` and the end. Not while the store fails.
 */
bool bw_outbox_is_idle(const struct bw_outbox *o);
/* The same of one sink; true when there is none of that name. */
bool bw_outbox_is_sink_idle(const struct bw_outbox *o, const char *name);
/* Called when it becomes idle; may free the outbox. */
void bw_outbox_on_idle(struct bw_outbox *o, void (*fn)(void *arg), void *arg);
/* Starts nothing new; what is under way may end. */
void bw_outbox_drain(struct bw_outbox *o);

#endif
