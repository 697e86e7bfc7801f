/* host.c - the gate of one registry. */
#include "registry/host.h"

#include <assert.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/reference.h"
#include "net/address.h"
#include "registry/list.h"
#include "registry/places.h"
#include "registry/question.h"

#define MAX_SILENCES 3

/* Which states may follow which. */
static bool may_become(enum bw_host_state from, enum bw_host_state to)
{
	switch (to) {
	case BW_HOST_NEW: return from == BW_HOST_FAILED;
	case BW_HOST_INTRODUCING: return from == BW_HOST_NEW;
	case BW_HOST_OPEN: return true; /* a late answer also opens a host that counts as failed */
	case BW_HOST_FAILED: return true;
	}
	return false;
}

static void set_state(struct bw_host *h, enum bw_host_state to)
{
	assert(may_become(h->state, to));
	h->state = to;
	if (to != BW_HOST_INTRODUCING)
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

static void wake(void *arg);

struct bw_host *bw_host_new(struct bw_registry *r, const char *name)
{
	struct bw_host *h = BW_NEW(struct bw_host);
	struct bw_origin o;

	h->registry = r;
	h->name = bw_strdup(name);
	h->address = bw_reference_api_host(h->name);
	h->is_loopback = bw_registry_is_loopback(name);
	h->may_be_plain = may_be_plain(r, name);
	h->kind = bw_address_kind_of_url(h->address);
	h->is_named = bw_origin_of_registry(name, true, &o) && bw_places_is_named(&r->places, &o);
	h->place = bw_places_find(&r->places, name);
	h->door = h->place ? h->place->door : r->places.otherwise;
	h->timer = bw_timer_new(r->loop, wake, h);
	bw_login_init(&h->login);
	return h;
}

void bw_host_free(void *arg)
{
	struct bw_host *h = arg;

	if (!h)
		return;
	bw_list_free(&h->queue);
	bw_list_free(&h->waiting);
	bw_list_free(&h->asking);
	bw_timer_free(h->timer);
	bw_login_done(&h->login);
	free(h->name);
	free(h);
}

bool bw_host_is_idle(const struct bw_host *h)
{
	uint64_t now = now_ms(h);

	if (h->queue.head || h->waiting.head || h->asking.head || h->is_pumping)
		return false;
	if (h->paused_until_ms > now || (h->state == BW_HOST_FAILED && h->failed_until_ms > now))
		return false;
	return !bw_login_is_in_use(h);
}

/* --- what happens to it ----------------------------------------------------------------------- */

/* A failure that the registry told us itself ("not before ...") is not undone by another answer. */
static bool opens(const struct bw_host *h, unsigned status)
{
	switch (h->state) {
	case BW_HOST_NEW: return true;
	case BW_HOST_INTRODUCING: return status != 401;
	case BW_HOST_OPEN: return false;
	case BW_HOST_FAILED: return h->failure.retry != BW_RETRY_LATER;
	}
	return false;
}

void bw_host_answered(struct bw_host *h, unsigned http_version, unsigned status)
{
	h->silences = 0;
	h->last_answer_ms = now_ms(h);
	h->http_version = http_version;
	if (!h->is_plain || status != 400) /* that is what a server of TLS says to plain HTTP */
		h->has_spoken = true;
	if (opens(h, status))
		set_state(h, BW_HOST_OPEN);
}

void bw_host_silent(struct bw_host *h, const struct bw_failure *f)
{
	h->silences++;
	if (h->silences >= MAX_SILENCES)
		bw_host_fail(h, f, h->registry->dead_ms);
	else if (h->state != BW_HOST_FAILED)
		set_state(h, BW_HOST_OPEN);
}

void bw_host_question_ended(struct bw_host *h, const struct bw_question *q)
{
	if (h->state == BW_HOST_INTRODUCING && h->introducer == q)
		set_state(h, BW_HOST_OPEN);
	/* The closed connection that looked like "no TLS" may have been something else: the next question
	 * sees. */
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
	set_state(h, BW_HOST_FAILED);
	h->failure = *f;
	h->failed_until_ms = now_ms(h) + ms;
	h->silences = 0;
	end_all(&h->queue, BW_QUESTION_QUEUED, f);
	end_all(&h->waiting, BW_QUESTION_WAITING, f);
}

void bw_host_pause(struct bw_host *h, uint64_t ms)
{
	uint64_t until = now_ms(h) + ms;

	if (until > h->paused_until_ms)
		h->paused_until_ms = until;
}

/* --- who may go ------------------------------------------------------------------------------- */

static unsigned limit(const struct bw_host *h)
{
	if (h->state != BW_HOST_OPEN)
		return 1;
	return h->http_version == 2 ? BW_HOST_STREAMS : h->door->connections;
}

static struct bw_question *first_ready(const struct bw_host *h, uint64_t now)
{
	for (struct bw_question *q = h->waiting.head; q; q = q->next)
		if (q->state == BW_QUESTION_WAITING && q->ready_ms <= now)
			return q;
	return NULL;
}

/* Those who tried before go first: their time is running. */
static struct bw_question *next_to_go(struct bw_host *h, uint64_t now)
{
	struct bw_question *q;

	if (now < h->paused_until_ms || h->slots >= limit(h))
		return NULL;
	q = first_ready(h, now);
	if (q || !h->queue.head || h->state == BW_HOST_INTRODUCING)
		return q;
	q = h->queue.head;
	if (h->state == BW_HOST_NEW) {
		set_state(h, BW_HOST_INTRODUCING);
		h->introducer = q;
	}
	return q;
}

/* When does something happen by itself? 0: never. */
static uint64_t next_event(const struct bw_host *h, uint64_t now)
{
	uint64_t next = h->queue.head && h->paused_until_ms > now ? h->paused_until_ms : 0;

	for (const struct bw_question *q = h->waiting.head; q; q = q->next) {
		uint64_t at = q->ready_ms > h->paused_until_ms ? q->ready_ms : h->paused_until_ms;

		/* One that waits for a token, or for a slot, only has its end before it. */
		if (q->state == BW_QUESTION_LOGIN || at <= now || at > q->deadline_ms)
			at = q->deadline_ms;
		if (next == 0 || at < next)
			next = at;
	}
	return next;
}

static void set_timer(struct bw_host *h, uint64_t now)
{
	uint64_t at = next_event(h, now);

	if (at)
		bw_timer_start(h->timer, at > now ? at - now : 0);
	else if (bw_timer_is_armed(h->timer))
		bw_timer_stop(h->timer);
}

/* A question that ends at once lets the next one go: the guard keeps that a loop and no recursion. */
void bw_host_pump(struct bw_host *h)
{
	struct bw_question *q;
	uint64_t now = now_ms(h);

	if (h->is_pumping)
		return;
	h->is_pumping = true;
	if (h->state == BW_HOST_FAILED && now >= h->failed_until_ms)
		set_state(h, BW_HOST_NEW);
	do {
		if (h->state == BW_HOST_FAILED) {
			struct bw_failure f = failure_now(h);

			end_all(&h->queue, BW_QUESTION_QUEUED, &f);
		}
		q = next_to_go(h, now);
		if (q)
			bw_question_proceed(q);
	} while (q);
	h->is_pumping = false;
	set_timer(h, now);
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
