/* gate.c - see gate.h. */
#include "registry/gate.h"

#include <stdio.h>

#include "core/clock.h"
#include "registry/host.h"
#include "registry/places.h"
#include "registry/question.h"

#define SPAN_MAX  48
#define MINUTE_MS 60000

static const struct bw_manners *manners(const struct bw_host *h)
{
	return bw_places_manners(&h->registry->places, h->place);
}

void bw_gate_init(struct bw_host *h)
{
	bw_budget_init(&h->gate.budget, manners(h)->reserve_percent);
}

void bw_gate_remember(struct bw_host *h, const struct bw_registry_standing *x, uint64_t now)
{
	const struct bw_budget_past past = {
		.is_free = x->is_free,
		.limit = x->limit,
		.remaining = x->remaining,
		.window_s = x->window_s,
		.hold_ms = x->hold_ms,
		.age_ms = x->age_ms,
	};

	if (x->has_budget)
		bw_budget_remember(&h->gate.budget, &past, now);
}

/* Over HTTP/1 one on each connection; what was asked for may be less. */
unsigned bw_gate_width(const struct bw_host *h)
{
	const struct bw_manners *m = manners(h);
	unsigned most = h->http_version == 2 ? BW_HOST_STREAMS : m->connections;

	if (h->state != BW_CIRCUIT_CLOSED || h->gate.is_wary || bw_host_is_suspect(h))
		return 1;
	if (m->in_flight == 0)
		return most;
	return h->http_version == 2 || m->in_flight < most ? m->in_flight : most;
}

/* --- requests per second ---------------------------------------------------------------------- */

static uint64_t interval_us(const struct bw_host *h)
{
	double rate = manners(h)->requests_per_second;

	return rate > 0 ? (uint64_t)(1000000 / rate) : 0;
}

/* Evenly spaced; who did not use his time may be ahead of it, by one second's worth. */
static uint64_t spaced_at(const struct bw_host *h)
{
	uint64_t interval = interval_us(h), ahead = interval < 1000000 ? 1000000 - interval : 0;

	if (!interval || h->gate.spaced_us <= ahead)
		return 0;
	return (h->gate.spaced_us - ahead + 999) / 1000;
}

static void space(struct bw_host *h, uint64_t now)
{
	uint64_t from = now * 1000;

	h->gate.spaced_us = (h->gate.spaced_us > from ? h->gate.spaced_us : from) + interval_us(h);
}

/* --- the budget ------------------------------------------------------------------------------- */

/* What is asked again and again. All else is done once for each change. */
static bool is_question(const struct bw_question *q)
{
	return q->method == BW_HTTP_HEAD || (q->host->is_get_only && q->tag);
}

/* "36 min" */
static const char *span(uint64_t s, char out[SPAN_MAX])
{
	unsigned long long n = s;

	if (s < 120)
		(void)snprintf(out, SPAN_MAX, "%llu s", n);
	else if (s < 7200)
		(void)snprintf(out, SPAN_MAX, "%llu min", (n + 59) / 60);
	else if (s % 3600 == 0)
		(void)snprintf(out, SPAN_MAX, "%llu h", n / 3600);
	else
		(void)snprintf(out, SPAN_MAX, "%llu h %llu min", n / 3600, n % 3600 / 60);
	return out;
}

static const char *is_or_are(uint64_t n)
{
	return n == 1 ? "is" : "are";
}

/* Who comes in that minute comes in time. */
const char *bw_gate_time(uint64_t wait_ms, char out[BW_TIME_MAX])
{
	return bw_time_short(bw_clock_ms() + (int64_t)wait_ms + MINUTE_MS - 1, out);
}

static void set_dry(const struct bw_host *h, uint64_t wait_ms, uint64_t now, struct bw_failure *f)
{
	char window[SPAN_MAX], at[BW_TIME_MAX];
	struct bw_budget_plan p;

	bw_budget_plan(&h->gate.budget, now, &p);
	bw_failure_set(f, BW_TROUBLE_THROTTLED, BW_RETRY_NEVER,
		       "%s: %llu of %llu requests%s%s %s left, and %llu %s kept for others; may be asked "
		       "again at %s",
		       h->name, (unsigned long long)p.remaining, (unsigned long long)p.limit,
		       h->gate.budget.quota.window_s ? " in " : "",
		       h->gate.budget.quota.window_s ? span(p.window_s, window) : "", is_or_are(p.remaining),
		       (unsigned long long)p.reserved, is_or_are(p.reserved), bw_gate_time(wait_ms, at));
	f->is_held_back = true;
	f->has_retry_after = true;
	f->retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
}

static enum bw_gate_step try_budget(const struct bw_question *q, uint64_t now, struct bw_failure *f)
{
	uint64_t wait = 0;

	switch (bw_budget_allows(&q->host->gate.budget, is_question(q), now, &wait)) {
	case BW_BUDGET_GO: break;
	case BW_BUDGET_SOON: return BW_GATE_SOON;
	case BW_BUDGET_LATER: set_dry(q->host, wait, now, f); return BW_GATE_DRY;
	}
	return BW_GATE_GO;
}

/* --- the gate --------------------------------------------------------------------------------- */

enum bw_gate_step bw_gate_try(const struct bw_question *q, uint64_t now, uint64_t *ret_at,
			      struct bw_failure *f)
{
	const struct bw_host *h = q->host;
	uint64_t at = spaced_at(h);

	if (h->gate.quiet_until > at)
		at = h->gate.quiet_until;
	if (at > now) {
		*ret_at = at;
		return BW_GATE_AT;
	}
	return try_budget(q, now, f);
}

void bw_gate_sent(struct bw_question *q, uint64_t now)
{
	struct bw_gate *g = &q->host->gate;

	q->sent_ms = now;
	q->was_counted = is_question(q);
	q->budget_number = bw_budget_sent(&g->budget, q->was_counted);
	space(q->host, now);
}

/* What the place says that it redirects to is not about its own requests. */
void bw_gate_answered(struct bw_question *q, const struct bw_http_response *r, uint64_t now)
{
	struct bw_gate *g = &q->host->gate;
	struct bw_quota quota;
	bool says = r->status && !r->redirected && bw_quota_read(r->headers, bw_clock_ms(), &quota);

	bw_budget_note(&g->budget, q->budget_number, q->was_counted, says ? &quota : NULL, r->status == 200,
		       now);
	if (r->status && r->status < 429 && q->sent_ms >= g->quiet_until)
		g->is_wary = false;
}

/* To a request that was sent before the quiet began, it was said then: its way back adds nothing. */
void bw_gate_hush(struct bw_question *q, uint64_t ms, uint64_t now)
{
	struct bw_gate *g = &q->host->gate;
	bool is_known = g->quiet_until && q->sent_ms <= g->quiet_since;

	if (!is_known)
		g->quiet_since = now;
	if (g->quiet_since + ms > g->quiet_until)
		g->quiet_until = g->quiet_since + ms;
	g->is_wary = true;
}
