/*
 * poller.h - keeps asking what the wanted bases point to: the schedule says who is due (watch/schedule.h), what is new is
 * judged, and when a sweep is over it is recorded with its events, as bw_sweep() does. When a base has moved the other
 * bases of its builds are asked at once, so that a build gets one request for all of them.
 */
#ifndef BW_WATCH_POLLER_H
#define BW_WATCH_POLLER_H

#include "net/loop.h"
#include "store/base.h"
#include "watch/clients.h"
#include "watch/event.h"
#include "watch/schedule.h"

struct bw_poller;

struct bw_poller_options {
	struct bw_schedule_options schedule;
	uint32_t settle_ms;		       /* as in watch/sweep.h; read once */
	const struct bw_event_options *events; /* outlives the poller; what it holds may change */
	/* The first list: what could not be asked is asked at once, because something else is configured for it now. */
	bool hurries_failed;
};

enum bw_poller_news {
	BW_NEWS_FIRST, /* seen for the first time */
	BW_NEWS_MOVED,
	BW_NEWS_TROUBLE, /* cannot be asked; told when it begins, as far as this poller knows */
	BW_NEWS_FINE,	 /* answers again */
};

/* Something for the log. Valid during the call only; the texts of registries are not escaped. */
struct bw_poller_notice {
	enum bw_poller_news news;
	const char *registry, *repository, *tag;
	const struct bw_answer *answer; /* NULL: it answers again, with what it had */
	const struct bw_change *change; /* MOVED */
};

/* None may free the poller, and `stopped` may not call it. */
struct bw_poller_hooks {
	void (*noticed)(const struct bw_poller_notice *n, void *arg);
	/*
	 * Answers were recorded, and there may be events. `ids` are the bases with an answer that is worth a word; with
	 * none it was found out what digests are to each other, or what new builds stand on, which may be of any base.
	 */
	void (*recorded)(const int64_t *ids, size_t count, void *arg);
	/*
	 * The store cannot be written (disk full, locked), or (`err` NULL) can again. Told once. Meanwhile nothing is asked,
	 * and what was answered is kept: it is tried again every BW_POLLER_RETRY_MS.
	 */
	void (*store_failed)(const struct bw_err *err, void *arg);
	/* A registry is asked much more often than planned: it is left alone for a while. */
	void (*stopped)(const char *registry, const char *reason, void *arg);
	void *arg;
};

#define BW_POLLER_RETRY_MS 5000

struct bw_poller *bw_poller_new(struct bw_loop *l, struct bw_store *s, const struct bw_clients *c,
				const struct bw_poller_options *o, const struct bw_poller_hooks *h);
/* What is in flight is dropped: free the clients before the loop runs again. NULL is fine. */
void bw_poller_free(struct bw_poller *p);

/* Reads which bases are wanted now. To be called at the start, and when builds have changed. */
int bw_poller_reload(struct bw_poller *p, struct bw_err *err) BW_NODISCARD;
void bw_poller_set_schedule(struct bw_poller *p, const struct bw_schedule_options *o);

/* Asks for nothing more; what is in flight may end, and is recorded then. */
void bw_poller_drain(struct bw_poller *p);
/* Records what was answered so far though more is in flight: there is no time to wait for it. Not from a hook. */
void bw_poller_save(struct bw_poller *p);
/* Nothing is in flight, and everything is recorded. */
bool bw_poller_is_idle(const struct bw_poller *p);

struct bw_poller_counts {
	size_t bases;	 /* that are wanted */
	uint64_t asked;	 /* questions since the start */
	uint64_t sweeps; /* that are over */
};
void bw_poller_count(const struct bw_poller *p, struct bw_poller_counts *ret);

#endif
