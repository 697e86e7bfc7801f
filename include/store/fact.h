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

/* A use that stands on an older digest. What changed, as for the base, but for this use's platform. */
struct bw_fact_use {
	uint32_t line;
	char *role;
	char *stage;	/* NULL: none */
	char *platform; /* NULL: it names none */
	char *pinned;	/* digest in the reference; NULL */
	char *patch; /* that moves the pin, ready to be applied; NULL: there is none, or another use has it */
	enum bw_class class;
	char *moved;
	/* What the patch is made of (buildfile/template.h); the digest is unset where nobody knows it. */
	char *template;
	struct bw_digest to;
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

/* Of one request: both keep events at a size that every broker takes. */
#define BW_FACT_MAX_USES	2000
#define BW_FACT_MAX_PATCH_BYTES (256U << 10)

struct bw_fact_request {
	int64_t build_id;
	char *source, *path, *target; /* as in store/build.h */
	char *url, *branch, *commit;  /* of a git source, else NULL */
	char *image, *labels;	      /* as in store/build.h; NULL */
	struct bw_fact_outstanding *bases;
	size_t base_count, base_capacity;
	size_t omitted;	   /* uses beyond BW_FACT_MAX_USES */
	uint32_t reminder; /* 0: news; else the number of this reminder of what was asked for */
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

/* The event. The store frees the texts, and of the sinks the list. */
struct bw_told {
	char id[BW_EVENT_ID_MAX];
	const char *type; /* "io.basewatch.base.changed", a constant */
	char *subject;
	char *json;	    /* NULL: nothing is to be published */
	const char **sinks; /* who is owed it, if it takes the type: names, NULL behind the last; NULL: all */
	char *suppressed; /* why nobody is: it is kept to be listed, and sent only when people say so; NULL */
};

typedef int (*bw_tell_fn)(const struct bw_fact *f, void *arg, struct bw_told *ret, struct bw_err *err);

/* What is to be done about a use that stands on an older digest. */
enum bw_use_fate {
	BW_USE_ASKED,	   /* somebody is asked to rebuild */
	BW_USE_SUPPRESSED, /* a rule says that nobody is */
	BW_USE_UNCOUNTED,  /* it asks nobody by itself, but goes with another use of its base that does */
};
typedef enum bw_use_fate (*bw_use_fate_fn)(const struct bw_fact_request *r,
					   const struct bw_fact_outstanding *x, const struct bw_fact_use *u,
					   void *arg);

#define BW_UNREACHABLE_AFTER 3 /* failures in a row, unless told otherwise */

/*
 * Of what is outstanding for a build the uses that are asked for are one fact, and those that are not, which are to be
 * suppressed, are another.
 */
struct bw_teller {
	bw_tell_fn fn;
	bw_use_fate_fn fate; /* NULL: all are asked for */
	void *arg;
	uint32_t unreachable_after; /* 0: BW_UNREACHABLE_AFTER */
	bool counts_index;     /* changes of the class `index` ask for a rebuild too, if `fate` says so */
	bool counts_frontends; /* so do frontends */
};

#endif
