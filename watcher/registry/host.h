/* host.h - one registry: what we know about it, and who may ask it now. */
#ifndef BW_REGISTRY_HOST_H
#define BW_REGISTRY_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "registry/crowd.h"
#include "registry/errors.h"
#include "registry/gate.h"
#include "registry/internal.h"
#include "registry/login.h"
#include "registry/warning.h"

#define BW_HOST_QUEUE \
	256 /* questions that one registry may hold back: as many see what tokens the next ones want */
#define BW_HOST_STREAMS 32 /* in flight over HTTP/2; more are not faster */

/*
 * A circuit breaker. It opens when the host cannot be reached or does not answer, three times in a row, or answers with
 * errors of its own only, eight times in a row; it stays open for dead_ms, twice as long after each probe that fails, up to
 * 16 times; and an answer closes it. What begins is half open: the first question goes alone, and the others profit.
 */
enum bw_circuit {
	BW_CIRCUIT_HALF_OPEN, /* nobody asked it yet, or not since it failed: the next question is the probe */
	BW_CIRCUIT_PROBING,   /* that question is on its way, the others wait for what it learns */
	BW_CIRCUIT_CLOSED,    /* questions go, as many as its manners allow */
	BW_CIRCUIT_OPEN,      /* until failed_until_ms every question gets `failure` without a request */
};

struct bw_host {
	struct bw_registry *registry;
	char *name;	     /* as in references, of who asked first */
	char *key;	     /* of that (bw_host_key) */
	const char *address; /* host[:port] that answers; may be `name` */
	enum bw_circuit state;
	struct bw_question *introducer; /* only to compare with */

	bool is_loopback;
	bool is_named;		      /* by the user (places.h) ... */
	const struct bw_place *place; /* ... with this; NULL: nothing is said of it */
	const struct bw_door *door;   /* NULL: not opened yet, see bw_host_door() */
	unsigned door_number;	      /* of the places, by then */
	bool may_be_plain;	      /* loopback, or the user said so */
	bool is_plain;		      /* it did not speak TLS */
	bool has_spoken;	      /* it answered in this way: no more doubt about TLS or not */
	bool is_get_only;	      /* HEAD is of no use there */
	unsigned get_hints;
	unsigned http_version; /* 0: not known */
	bool peer_is_private;  /* the address we are connected to */
	unsigned kind;	       /* of that address and of the name (net/address.h) */
	bool has_clock;	       /* its first answer said what time it is there: ... */
	int64_t ahead_ms;      /* ... so far is our clock ahead of it */

	struct bw_list queue, waiting, asking;
	unsigned slots; /* taken by questions */
	bool is_pumping;
	struct bw_timer *timer; /* for questions that wait, and the end of a pause */

	unsigned silences;	/* attempts without an answer since the last answer */
	unsigned server_errors; /* answers since the last one that was none */
	unsigned trips;		/* of the breaker, since the last answer that was no error of the server */
	uint64_t last_answer_ms;
	uint64_t failed_until_ms;
	struct bw_gate gate;
	struct bw_failure failure;

	struct bw_warnings warnings; /* that were told */
	struct bw_login login;
	struct bw_seat by_use, line; /* crowd.h */
};

struct bw_host *bw_host_new(struct bw_registry *r, const char *name);
/* Normal: all names that lead to one registry have one. */
char *bw_host_key(const struct bw_registry *r, const char *name);
void bw_host_free(void *h); /* with its questions, untold */

/* To go through now, opened when it is needed; NULL: its certificates are of no use, as `f` says. */
const struct bw_door *bw_host_door(struct bw_host *h, struct bw_failure *f);

/* Somebody waits for it. */
bool bw_host_is_busy(const struct bw_host *h);
/* It is not to be asked now: it said so, or has failed. */
bool bw_host_is_paused(const struct bw_host *h);

/* Lets go who may go now. */
void bw_host_pump(struct bw_host *h);

/*
 * An HTTP answer came. After one that asks for a log-in the introduction goes on, so that credentials are
 * shown once before many questions come with them: a wrong password sent 32 times at once locks accounts.
 */
void bw_host_answered(struct bw_host *h, unsigned http_version, unsigned status);
/* An attempt ended without an answer: the introduction is over, and the third time in a row the host has
 * failed. */
void bw_host_silent(struct bw_host *h, const struct bw_failure *f);
/* The question ended; without an answer, an introduction is over with it. */
void bw_host_question_ended(struct bw_host *h, const struct bw_question *q);
/* Everything that waits, and what comes within `ms`, gets this failure. */
void bw_host_fail(struct bw_host *h, const struct bw_failure *f, uint64_t ms);
/* It asked another process to be left alone, for `ms` more: the same, but it has not failed. */
void bw_host_hush(struct bw_host *h, uint64_t ms);
/*
 * A question must not lead to where this registry, or its token endpoint, is. That is no failure of the registry: those that
 * wait under the same rule get the same answer, and the others go on.
 */
void bw_host_refused(struct bw_host *h, const struct bw_question *q, const struct bw_failure *f);
/* For how long does it want to be left alone, as it said? */
uint64_t bw_host_quiet_ms(const struct bw_host *h);
/* The breaker opens: the same, for as long as it does. */
void bw_host_trip(struct bw_host *h, const struct bw_failure *f);
/* It has answered with errors of its own only for a while: the next questions are put one by one, all attempts of each. */
bool bw_host_is_suspect(const struct bw_host *h);
/* A question failed for good by errors of the server: if it has said nothing else for long enough, the breaker opens. */
void bw_host_erred(struct bw_host *h, const struct bw_failure *f);

#endif
