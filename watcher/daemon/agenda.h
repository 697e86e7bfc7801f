/*
 * agenda.h - when a source is looked into, and what another configuration leaves of the sources that there are. Pure.
 * Times are those of the loop. Private to daemon/.
 */
#ifndef BW_DAEMON_AGENDA_H
#define BW_DAEMON_AGENDA_H

#include "daemon/origin.h"

struct bw_agenda {
	uint64_t next_ms;  /* when it is due */
	uint64_t ended_ms; /* of the last look */
	uint64_t took_ms;
	bool is_busy;  /* it is being looked into */
	bool is_again; /* it has to be looked into once more, because something happened meanwhile */
};

/* A look begins, ends. The next is in `every_ms`, moved by up to `jitter_percent` of it; `random` is any number. */
void bw_agenda_begin(struct bw_agenda *a, uint64_t now_ms);
void bw_agenda_end(struct bw_agenda *a, uint64_t now_ms, int64_t every_ms, int64_t jitter_percent,
		   uint32_t random);
/* Something has happened in it: due as soon as that does not make us walk through it all the time. */
void bw_agenda_hurry(struct bw_agenda *a, uint64_t now_ms);
/* Another interval: it is not due later than that from now. */
void bw_agenda_limit(struct bw_agenda *a, uint64_t now_ms, int64_t every_ms);

#define BW_AGENDA_NONE SIZE_MAX

/* What becomes of a source of the new configuration. */
struct bw_agenda_match {
	size_t old;   /* the source that it was; BW_AGENDA_NONE: it is new */
	bool is_same; /* it need not be looked into again */
};
/* Each old source is that of one new one at most. `ret` has room for all of the new ones. */
void bw_agenda_match(const struct bw_origin *const *old, size_t count, const struct bw_origins *now,
		     struct bw_agenda_match *ret);

#endif
