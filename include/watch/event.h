/*
 * event.h - the CloudEvents that are made of facts (store/fact.h). Pure: a fact in, the bytes that are sent out. The
 * documents are described in config/basewatch-event.schema.json.
 *
 * The id of an event is the hash of the store's UUID, the type, the subject, the numbers of the sightings and the
 * digests: the same fact has one id however often it is made, and A -> B -> A -> B is as many events as changes. A
 * reminder has its number in it too, and what the rules suppress of a request is another event than the rest.
 */
#ifndef BW_WATCH_EVENT_H
#define BW_WATCH_EVENT_H

#include "core/json.h"
#include "store/fact.h"
#include "watch/rules.h"

struct bw_event_options {
	const char *instance;	      /* names this watcher in events; NULL: "localhost" */
	uint32_t unreachable_after;   /* 0: BW_UNREACHABLE_AFTER */
	const struct bw_rules *rules; /* which events are owed to whom; NULL: all to all */
};

/* The teller for bw_store_record(); the options must outlive it. */
void bw_event_teller(const struct bw_event_options *o, struct bw_teller *ret);

/* What the teller does: bw_tell_fn with the options as `arg`. */
int bw_event_make(const struct bw_fact *f, void *arg, struct bw_told *ret, struct bw_err *err) BW_NODISCARD;

/* Somebody wants to know whether a sink works. */
struct bw_event_trial {
	const char *sink; /* its name */
	int64_t at_ms;
	uint64_t random; /* tells two of them apart */
};
/* An event of the type io.basewatch.sink.test: marked as a test in its data, and no fact. The caller frees the texts. */
int bw_event_make_test(const struct bw_event_trial *t, const struct bw_event_options *o, struct bw_told *ret,
		       struct bw_err *err) BW_NODISCARD;

/* The member "labels" of a build (store/build.h), for all documents that tell of one. */
void bw_event_put_labels(struct bw_json *w, const char *labels);

#endif
