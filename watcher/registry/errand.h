/*
 * errand.h - one request to a token endpoint, for one ticket or for several at once. However many questions wait for a
 * scope, one errand at a time is under way for it.
 */
#ifndef BW_REGISTRY_ERRAND_H
#define BW_REGISTRY_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "net/loop.h"
#include "registry/auth.h"
#include "registry/credentials.h"

#define BW_ERRAND_SCOPES 16 /* in one request */

struct bw_host;
struct bw_ticket;

enum bw_errand_state {
	BW_ERRAND_OPEN, /* it departs at the end of this turn of the loop, and takes along who comes till then */
	BW_ERRAND_DEPARTED, /* the request is on its way */
	BW_ERRAND_OVER,	    /* those who wait are being told */
};

struct bw_errand {
	struct bw_errand *prev, *next; /* of its registry */
	struct bw_host *host;
	enum bw_errand_state state;
	struct bw_ticket *tickets[BW_ERRAND_SCOPES]; /* the first is the one that it was begun for */
	unsigned count;
	size_t scope_bytes; /* of a URL */
	unsigned refuse;    /* kinds of addresses, the same for all who begin it, join it or are invited */
	bool is_anonymous;
	bool is_of_tickets;	  /* it was refused because of what was asked for, not of who asks */
	struct bw_credential who; /* a copy, as what was found may be another before the answer comes */
	uint64_t login_number;	  /* of all credentials, when it was begun */
	char *form;		  /* of a POST; NULL: a GET */
	struct bw_timer *timer;
	uint64_t asked_ms, deadline_ms;
	struct bw_http_transfer *transfer;
};

/*
 * Asks for a token for this ticket, and for those that questions behind this one will want; or first waits for an errand
 * of others that shows whether this credential is taken. `c` NULL: as nobody in particular; it may be gone when this
 * returns. WAIT or FAILED.
 */
enum bw_auth_step bw_errand_begin(struct bw_question *q, struct bw_ticket *t, const struct bw_credential *c,
				  struct bw_failure *f);
void bw_errand_free(struct bw_errand *e); /* wipes; without the transfer, which has ended */

#endif
