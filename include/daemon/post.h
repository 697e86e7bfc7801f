/*
 * post.h - the outbox with the sinks of the configuration: makes them, tells the log how they are, and what brokers say
 * to the rest of the house.
 */
#ifndef BW_DAEMON_POST_H
#define BW_DAEMON_POST_H

#include "config/conf.h"
#include "config/reload.h"
#include "daemon/states.h"
#include "net/loop.h"
#include "store/store.h"

struct bw_post;

struct bw_post_options {
	const char *instance; /* outlives it */
	bool is_once; /* beside a daemon that may come: another client id, no word about availability */
};

/* `states` may be NULL: no broker is told any. */
int bw_post_new(struct bw_loop *l, struct bw_store *s, struct bw_states *states,
		const struct bw_post_options *o, struct bw_post **ret, struct bw_err *err) BW_NODISCARD;
/* Cancels what is under way: it stays due. Before states, store and loop. NULL is fine. */
void bw_post_free(struct bw_post *p);

/*
 * The sinks of this configuration from now on. `d` says which are not as they were (NULL: all); the others stay, with what
 * is under way there, unless a secret of theirs is another one now. BW_E_CONFIG: a secret cannot be read; then nothing
 * has changed.
 */
int bw_post_set(struct bw_post *p, const struct bw_conf *c, const struct bw_conf_difference *d,
		struct bw_err *err) BW_NODISCARD;

/* What waits for its next attempt may be sent now: the clock was set back, and it would wait until then. */
void bw_post_hurry(const struct bw_post *p);

/* Is one of the sinks a broker, that wants to be told states? */
bool bw_post_has_broker(const struct bw_post *p);

/* There may be something new to be sent. */
void bw_post_wake(struct bw_post *p);
/* Starts nothing new. */
void bw_post_drain(struct bw_post *p);
/* As bw_outbox_is_idle(). */
bool bw_post_is_idle(const struct bw_post *p);
/* Each sink has what it is owed, and each broker its state; or it could not be reached. */
bool bw_post_is_finished(const struct bw_post *p);

#endif
