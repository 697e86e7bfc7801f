/*
 * fact.h - what a record makes known, for those who make events of it. The store calls the teller inside of the
 * transaction that records the fact, and writes what it gets beside it: so there is no fact without its event, and no
 * event without its fact (design §3).
 */
#ifndef BW_STORE_FACT_H
#define BW_STORE_FACT_H

#include "image/answer.h"
#include "image/class.h"
#include "store/base.h"
#include "store/outbox.h"

enum bw_fact_kind {
	BW_FACT_CHANGED,     /* a base has another digest */
	BW_FACT_UNREACHABLE, /* a base could not be asked for so long that somebody should know */
	BW_FACT_RECOVERED,   /* it answers again */
	BW_FACT_REQUESTED,   /* a build has something outstanding that was not asked for yet */
};

/* A base, and its last sighting. */
struct bw_fact_base {
	int64_t id;
	char *registry, *repository, *tag;
	uint32_t number; /* of the sighting; 0: never seen */
	char *digest;	 /* NULL: never seen */
};

/* Why it could not be asked. */
struct bw_fact_trouble {
	enum bw_trouble trouble;
	const char *message;
	uint32_t failures;
	int64_t since_ms;
};

/* A use that stands on an older digest. */
struct bw_fact_use {
	uint32_t line;
	char *role;
	char *stage;	/* NULL: none */
	char *platform; /* NULL: it names none */
	char *pinned;	/* digest in the reference; NULL */
};

/* A base of a build whose uses stand on an older digest. */
struct bw_fact_outstanding {
	struct bw_fact_base base;
	char *from;	     /* what the build stands on; where all uses are pinned, the first pin */
	enum bw_class class; /* the weightiest change since, for the platforms of the uses */
	char *moved;	     /* in that; NULL: nobody looked */
	int64_t since_ms;
	struct bw_fact_use *uses;
	size_t use_count, use_capacity;
};

#define BW_FACT_MAX_USES 2000 /* of one request: keeps events at a size that every broker takes */

struct bw_fact_request {
	int64_t build_id;
	char *source, *path, *target; /* as in store/build.h */
	char *url, *branch, *commit;  /* of a git source, else NULL */
	struct bw_fact_outstanding *bases;
	size_t base_count, base_capacity;
	size_t omitted; /* uses beyond BW_FACT_MAX_USES */
};

struct bw_fact {
	enum bw_fact_kind kind;
	const char *uuid; /* of the store */
	int64_t at_ms;
	const struct bw_fact_base *base;       /* but REQUESTED */
	const struct bw_digest *from;	       /* CHANGED: to `base->digest` */
	const struct bw_change *change;	       /* CHANGED; NULL: nobody judged it */
	const struct bw_fact_trouble *trouble; /* UNREACHABLE */
	const struct bw_fact_request *request; /* REQUESTED */
};

/* The event. The store frees the texts. */
struct bw_told {
	char id[BW_EVENT_ID_MAX];
	const char *type; /* "io.basewatch.base.changed", a constant */
	char *subject;
	char *json; /* NULL: nothing is to be published */
};

typedef int (*bw_tell_fn)(const struct bw_fact *f, void *arg, struct bw_told *ret, struct bw_err *err);

#define BW_UNREACHABLE_AFTER 3 /* failures in a row, unless told otherwise */

struct bw_teller {
	bw_tell_fn fn;
	void *arg;
	uint32_t unreachable_after; /* 0: BW_UNREACHABLE_AFTER */
	int64_t expire_ms;	    /* of deliveries; 0: BW_DELIVERY_EXPIRY_MS */
};

#endif
