/*
 * rebuilt.h - somebody on another machine says, by a message on "done" (notify/mqtt_sink.h), that a build was rebuilt: the
 * same as `basewatch done` with --digest or --event. Says in one line what came of it.
 */
#ifndef BW_DAEMON_REBUILT_H
#define BW_DAEMON_REBUILT_H

#include "daemon/states.h"
#include "notify/mqtt_sink.h"
#include "store/store.h"

/* The chosen builds of `s` stay as they are. */
void bw_rebuilt_take(const struct bw_mqtt_rebuilt *r, struct bw_store *s, struct bw_states *x);

#endif
