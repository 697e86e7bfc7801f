/*
 * states.h - what is known of each base and build, kept at the MQTT brokers as retained messages (notify/mqtt_sink.h):
 * "state/base/<base>" and "state/build/<build>". The documents are described in config/basewatch-state.schema.json.
 *
 * Told are the chosen builds of the store's handle and the bases that they use; what else the database knows is cleared.
 * So whoever chooses does it in one turn of the loop, and tells us afterwards.
 */
#ifndef BW_DAEMON_STATES_H
#define BW_DAEMON_STATES_H

#include "net/loop.h"
#include "notify/mqtt_sink.h"
#include "store/store.h"

struct bw_states;

/* Told once, until it works again: the store cannot be read. It is tried again every two seconds. */
typedef void (*bw_states_failed_fn)(const struct bw_err *err, void *arg);

struct bw_states *bw_states_new(struct bw_loop *l, struct bw_store *s, bw_states_failed_fn failed, void *arg);
void bw_states_free(struct bw_states *x); /* before store and loop; NULL is fine */

/* A broker that is told from now on; not after its sink was freed, which is what remove is for. */
void bw_states_add(struct bw_states *x, struct bw_mqtt_sink *m);
void bw_states_remove(struct bw_states *x, struct bw_mqtt_sink *m);
/* The hook `rows` of a sink, with the states as `arg`. Nothing before the first bw_states_touch_all(). */
bool bw_states_rows(int64_t *cursor, struct bw_mqtt_sink *m, void *arg);

/*
 * Answers of these bases were recorded: they, and the builds on them, may be told anew. Only what differs is sent. What
 * another process writes is found without being told.
 */
void bw_states_touch(struct bw_states *x, const int64_t *base_ids, size_t count);
/* Somebody said something of this build alone (its row in the store): it and its bases. */
void bw_states_touch_build(struct bw_states *x, int64_t build_id);
/*
 * Anything may have changed: a scan, somebody's `done`. Looked at in pages, over several turns. The first time says that
 * the builds are chosen; until then nothing is told.
 */
void bw_states_touch_all(struct bw_states *x);
/* Nothing is waiting to be looked at. */
bool bw_states_is_idle(const struct bw_states *x);

#endif
