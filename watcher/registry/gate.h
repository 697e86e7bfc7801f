/*
 * gate.h - the manners of one registry: how many requests may be on their way, how many in a second, how many while its
 * budget lasts (registry/budget.h), and none while it wants to be left alone. Every request passes here when it is sent,
 * also a further one of the same question; requests for tokens do not.
 */
#ifndef BW_REGISTRY_GATE_H
#define BW_REGISTRY_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "net/http.h"
#include "registry/budget.h"
#include "registry/errors.h"

struct bw_host;
struct bw_question;
struct bw_registry_standing;

struct bw_gate {
	struct bw_budget budget;
	uint64_t
		spaced_us; /* with requests per second: when the next one would go if all were evenly spaced */
	uint64_t
		quiet_until; /* the registry asked for it (429, or 503 with Retry-After): nothing before, ... */
	uint64_t quiet_since; /* ... which it said to a request that was sent before this */
	bool is_wary;	      /* it did: one goes alone then, before all the others come back */
};

void bw_gate_init(struct bw_host *h);
/* What another process knew of its budget. */
void bw_gate_remember(struct bw_host *h, const struct bw_registry_standing *x, uint64_t now);

/* How many questions may have a request on its way, or wait for a token. */
unsigned bw_gate_width(const struct bw_host *h);

enum bw_gate_step {
	BW_GATE_GO,
	BW_GATE_AT,   /* not before *ret_at */
	BW_GATE_SOON, /* when the next answer has come: something is on its way */
	BW_GATE_DRY,  /* the budget is used up: `f` says so */
};
/* May this question make a request now? Nothing but *ret_at and *f is changed. */
enum bw_gate_step bw_gate_try(const struct bw_question *q, uint64_t now, uint64_t *ret_at,
			      struct bw_failure *f);

/* Its request is on its way. */
void bw_gate_sent(struct bw_question *q, uint64_t now);
/* It has come back, with an answer or without. */
void bw_gate_answered(struct bw_question *q, const struct bw_http_response *r, uint64_t now);

/* When is that, for people? The minute in which it is over. */
const char *bw_gate_time(uint64_t wait_ms, char out[BW_TIME_MAX]);

/* The answer to this question's last request wants quiet for `ms`. */
void bw_gate_hush(struct bw_question *q, uint64_t ms, uint64_t now);

#endif
