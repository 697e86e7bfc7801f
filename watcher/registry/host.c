/* host.c - the gate of one registry. */
#include "registry/host.h"

#include <assert.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "image/reference.h"
#include "net/address.h"
#include "registry/list.h"
#include "registry/places.h"
#include "registry/question.h"

#define MAX_SILENCES	  3
#define MAX_SERVER_ERRORS 8
#define SUSPICIOUS_ERRORS 3
#define MAX_DOUBLINGS	  4

/* Which states of the breaker may follow which. */
static bool may_become(enum bw_circuit from, enum bw_circuit to)
{
	switch (to) {
	case BW_CIRCUIT_HALF_OPEN: return from == BW_CIRCUIT_OPEN || from == BW_CIRCUIT_PROBING;
	case BW_CIRCUIT_PROBING: return from == BW_CIRCUIT_HALF_OPEN;
	case BW_CIRCUIT_CLOSED: return true; /* a late answer also closes it */
	case BW_CIRCUIT_OPEN: return true;
	}
	return false;
}

static void set_state(struct bw_host *h, enum bw_circuit to)
{
	assert(may_become(h->state, to));
	h->state = to;
	if (to != BW_CIRCUIT_PROBING)
		h->introducer = NULL;
}

static uint64_t now_ms(const struct bw_host *h)
{
	return bw_loop_now(h->registry->loop);
}

static bool may_be_plain(const struct bw_registry *r, const char *name)
{
	struct bw_origin o;

	return bw_registry_is_loopback(name) ||
	       (bw_origin_of_registry(name, true, &o) && bw_places_is_insecure(&r->places, &o));
}

/* Without TLS a port says more than it does with it. */
char *bw_host_key(const struct bw_registry *r, const char *name)
{
	char key[BW_ORIGIN_MAX];
	struct bw_origin o;
	char *copy;

	if (bw_origin_of_registry(name, true, &o) && !may_be_plain(r, name)) {
		if (bw_host_is_hub(o.host))
			(void)snprintf(o.host, sizeof(o.host), "docker.io");
		return bw_strdup(bw_origin_name(&o, key));
	}
	copy = bw_strdup(name);
	bw_text_lower(copy);
	return copy;
}

static void wake(void *arg);

struct bw_host *bw_host_new(struct bw_registry *r, const char *name)
{
	struct bw_host *h = BW_NEW(struct bw_host);
	struct bw_origin o;

	h->registry = r;
	h->name = bw_strdup(name);
	h->key = bw_host_key(r, name);
	h->address = bw_reference_api_host(h->name);
	h->is_loopback = bw_registry_is_loopback(name);
	h->may_be_plain = may_be_plain(r, name);
	h->kind = bw_address_kind_of_url(h->address);
	h->is_named = bw_origin_of_registry(name, true, &o) && bw_places_is_named(&r->places, &o);
	h->is_plain = h->is_named && bw_places_is_plain(&r->places, &o);
	h->place = bw_places_find(&r->places, name);
	h->timer = bw_timer_new(r->loop, wake, h);
	bw_login_init(&h->login);
	bw_gate_init(h);
	return h;
}

void bw_host_free(void *arg)
{
	struct bw_host *h = arg;

	if (!h)
		return;
	bw_crowd_leave(h);
	bw_list_free(&h->queue);
	bw_list_free(&h->waiting);
	bw_list_free(&h->asking);
	bw_timer_free(h->timer);
	bw_login_done(&h->login);
	bw_warnings_done(&h->warnings);
	free(h->name);
	free(h->key);
	free(h);
}

const struct bw_door *bw_host_door(struct bw_host *h, struct bw_failure *f)
{
	struct bw_places *x = &h->registry->places;
	const struct bw_door *found = NULL;
	struct bw_err err = BW_ERR_INIT;

	if (h->door && h->door_number == x->number)
		return h->door;
	h->door_number = x->number;
	if (bw_places_door(x, h->name, &found, &err) < 0) {
		bw_failure_set(f, BW_TROUBLE_TLS, BW_RETRY_NEVER, "%s: %s", h->name, err.msg);
		f->is_of_host = true;
		f->cause = BW_CAUSE_CERT_FILES;
		found = NULL;
	}
	h->door = found;
	return found;
}

bool bw_host_is_busy(const struct bw_host *h)
{
	return h->queue.head || h->waiting.head || h->asking.head || h->is_pumping || bw_login_is_in_use(h);
}

bool bw_host_is_paused(const struct bw_host *h)
{
	uint64_t now = now_ms(h);
	struct bw_budget_plan plan;

	if (h->gate.quiet_until > now || (h->state == BW_CIRCUIT_OPEN && h->failed_until_ms > now))
		return true;
	bw_budget_plan(&h->gate.budget, now, &plan);
	return plan.hold_ms > 0;
}

/* --- what happens to it ----------------------------------------------------------------------- */

/*
 * A failure that the registry told us itself ("not before ...") is not undone by another answer, nor is the breaker by
 * a further error of the server.
 */
static bool closes(const struct bw_host *h, unsigned status)
{
	bool is_failed_probe = h->trips > 0 && status >= 500;

	switch (h->state) {
	case BW_CIRCUIT_HALF_OPEN: return !is_failed_probe;
	case BW_CIRCUIT_PROBING: return status != 401 && status < 500;
	case BW_CIRCUIT_CLOSED: return false;
	case BW_CIRCUIT_OPEN: return h->failure.retry != BW_RETRY_LATER && !is_failed_probe;
	}
	return false;
}

static void count_error(struct bw_host *h, unsigned status)
{
	if (status >= 500) {
		h->server_errors++;
		return;
	}
	h->server_errors = 0;
	h->trips = 0;
}

void bw_host_answered(struct bw_host *h, unsigned http_version, unsigned status)
{
	h->silences = 0;
	h->last_answer_ms = now_ms(h);
	h->http_version = http_version;
	if (!h->is_plain || status != 400) /* that is what a server of TLS says to plain HTTP */
		h->has_spoken = true;
	if (closes(h, status))
		set_state(h, BW_CIRCUIT_CLOSED);
	count_error(h, status);
}

void bw_host_silent(struct bw_host *h, const struct bw_failure *f)
{
	h->silences++;
	if (h->silences >= MAX_SILENCES || (h->trips > 0 && h->state == BW_CIRCUIT_PROBING))
		bw_host_trip(h, f);
	else if (h->state ==
		 BW_CIRCUIT_PROBING) /* one that began before it opened says nothing about it now */
		set_state(h, BW_CIRCUIT_CLOSED);
}

void bw_host_question_ended(struct bw_host *h, const struct bw_question *q)
{
	if (h->state == BW_CIRCUIT_PROBING && h->introducer == q)
		set_state(h, BW_CIRCUIT_CLOSED);
	/* The closed connection that looked like "no TLS" may have been something else, and http:// a slip:
	 * the next question sees. */
	if (!h->has_spoken)
		h->is_plain = false;
}

/* What a question gets that comes while the host counts as failed. */
static struct bw_failure failure_now(const struct bw_host *h)
{
	struct bw_failure f = h->failure;
	uint64_t now = now_ms(h);

	if (f.has_retry_after && h->failed_until_ms > now)
		f.retry_after_s = (uint32_t)((h->failed_until_ms - now + 999) / 1000);
	return f;
}

static void end_all(struct bw_list *list, enum bw_question_state state, const struct bw_failure *f)
{
	struct bw_question *q = list->head;

	while (q) {
		struct bw_question *next = q->next;

		if (q->state == state)
			bw_question_end(q, f);
		q = next;
	}
}

void bw_host_fail(struct bw_host *h, const struct bw_failure *f, uint64_t ms)
{
	set_state(h, BW_CIRCUIT_OPEN);
	h->failure = *f;
	h->failed_until_ms = now_ms(h) + ms;
	h->silences = 0;
	end_all(&h->queue, BW_QUESTION_QUEUED, f);
	end_all(&h->waiting, BW_QUESTION_WAITING, f);
}

void bw_host_hush(struct bw_host *h, uint64_t ms)
{
	struct bw_failure f;
	char at[BW_TIME_MAX];

	bw_failure_set(&f, BW_TROUBLE_THROTTLED, BW_RETRY_LATER,
		       "%s: it asked to be left alone until %s (429 or Retry-After)", h->name,
		       bw_gate_time(ms, at));
	f.is_held_back = true;
	f.has_retry_after = true;
	f.retry_after_s = (uint32_t)((ms + 999) / 1000);
	bw_host_fail(h, &f, ms);
}

uint64_t bw_host_quiet_ms(const struct bw_host *h)
{
	bool is_asked_off = h->state == BW_CIRCUIT_OPEN && h->failure.retry == BW_RETRY_LATER;
	uint64_t until = is_asked_off ? h->failed_until_ms : 0, now = now_ms(h);

	if (h->gate.quiet_until > until)
		until = h->gate.quiet_until;
	return until > now ? until - now : 0;
}

void bw_host_trip(struct bw_host *h, const struct bw_failure *f)
{
	unsigned doublings = h->trips < MAX_DOUBLINGS ? h->trips : MAX_DOUBLINGS;

	h->trips++;
	bw_host_fail(h, f, (uint64_t)h->registry->dead_ms << doublings);
}

static void end_alike(struct bw_list *list, enum bw_question_state state, const struct bw_question *like,
		      const struct bw_failure *f)
{
	struct bw_question *q = list->head;

	while (q) {
		struct bw_question *next = q->next;

		if (q != like && q->state == state && q->refuse == like->refuse)
			bw_question_end(q, f);
		q = next;
	}
}

/* One that introduced us leaves that to the next. */
void bw_host_refused(struct bw_host *h, const struct bw_question *q, const struct bw_failure *f)
{
	if (h->state == BW_CIRCUIT_PROBING && h->introducer == q)
		set_state(h, BW_CIRCUIT_HALF_OPEN);
	end_alike(&h->queue, BW_QUESTION_QUEUED, q, f);
	end_alike(&h->waiting, BW_QUESTION_WAITING, q, f);
}

bool bw_host_is_suspect(const struct bw_host *h)
{
	return h->server_errors >= SUSPICIOUS_ERRORS;
}

void bw_host_erred(struct bw_host *h, const struct bw_failure *f)
{
	if (h->server_errors >= MAX_SERVER_ERRORS)
		bw_host_trip(h, f);
}

/* --- who may go ------------------------------------------------------------------------------- */

static struct bw_question *first_ready(const struct bw_host *h, uint64_t now)
{
	for (struct bw_question *q = h->waiting.head; q; q = q->next)
		if (q->state == BW_QUESTION_WAITING && q->ready_ms <= now)
			return q;
	return NULL;
}

/* Those who tried before go first: their time is running. */
static struct bw_question *first_in_line(const struct bw_host *h, uint64_t now)
{
	struct bw_question *q = first_ready(h, now);

	if (q || h->state == BW_CIRCUIT_PROBING || (bw_host_is_suspect(h) && h->waiting.head))
		return q;
	return h->queue.head;
}

/* NULL: nobody, before `at` unless something else happens; 0: for nothing but that. */
static struct bw_question *next_to_go(struct bw_host *h, uint64_t now, uint64_t *ret_at)
{
	struct bw_question *q = h->slots < bw_gate_width(h) ? first_in_line(h, now) : NULL;
	struct bw_failure f;

	for (*ret_at = 0; q; q = first_in_line(h, now)) {
		enum bw_gate_step step = bw_gate_try(q, now, ret_at, &f);

		if (step == BW_GATE_GO)
			break;
		if (step != BW_GATE_DRY)
			return NULL;
		bw_question_end(q, &f);
	}
	if (q && !bw_crowd_admits(h))
		return NULL;
	if (q && h->state == BW_CIRCUIT_HALF_OPEN) {
		set_state(h, BW_CIRCUIT_PROBING);
		h->introducer = q;
	}
	return q;
}

/* When does something happen by itself? 0: never. `at`: somebody may go then. */
static uint64_t next_event(const struct bw_host *h, uint64_t now, uint64_t at)
{
	uint64_t next = at;

	for (const struct bw_question *q = h->waiting.head; q; q = q->next) {
		uint64_t due = q->ready_ms > at ? q->ready_ms : at;

		/* One that waits for a token, or for a slot, only has its end before it. */
		if (q->state == BW_QUESTION_LOGIN || due <= now || due > q->deadline_ms)
			due = q->deadline_ms;
		if (next == 0 || due < next)
			next = due;
	}
	return next;
}

static void set_timer(struct bw_host *h, uint64_t now, uint64_t may_go_at)
{
	uint64_t at = next_event(h, now, may_go_at);

	if (at)
		bw_timer_start(h->timer, at > now ? at - now : 0);
	else if (bw_timer_is_armed(h->timer))
		bw_timer_stop(h->timer);
}

/* A question that ends at once lets the next one go: the guard keeps that a loop and no recursion. */
void bw_host_pump(struct bw_host *h)
{
	struct bw_question *q;
	uint64_t now = now_ms(h), at;

	if (h->is_pumping)
		return;
	h->is_pumping = true;
	if (h->state == BW_CIRCUIT_OPEN && now >= h->failed_until_ms)
		set_state(h, BW_CIRCUIT_HALF_OPEN);
	do {
		if (h->state == BW_CIRCUIT_OPEN) {
			struct bw_failure f = failure_now(h);

			end_all(&h->queue, BW_QUESTION_QUEUED, &f);
		}
		q = next_to_go(h, now, &at);
		if (q)
			bw_question_proceed(q);
	} while (q);
	h->is_pumping = false;
	set_timer(h, now, at);
}

static void wake(void *arg)
{
	struct bw_host *h = arg;
	struct bw_registry *r = h->registry;
	struct bw_question *q = h->waiting.head;
	uint64_t now = now_ms(h);

	while (q) {
		struct bw_question *next = q->next;

		if (now >= q->deadline_ms)
			bw_question_give_up(q);
		q = next;
	}
	bw_host_pump(h);
	bw_registry_deliver(r);
}
