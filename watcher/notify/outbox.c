/*
 * outbox.c - one worker per sink with one timer (style §9). A turn of a worker records what has ended since the last one,
 * asks the store what may be sent, starts it, and sleeps until the next delivery is due. The store is the only truth:
 * what is here is what is under way.
 *
 * A queue that flows asks the store once for many: what is next is read ahead, and what was taken is recorded a moment
 * later, together. A crash in that moment sends those again, which is harmless. Whatever says that things may be
 * different now (a failure, something new, a second that has passed) is a reason to look again.
 */
#include "notify/outbox.h"

#include <string.h>
#include <sys/random.h>

#include "core/clock.h"
#include "core/mem.h"
#include "notify/backoff.h"

#define FIRST_WAIT_MS	1000
#define LONGEST_WAIT_MS 900000
#define LONGEST_HOLD_MS 30000 /* of a sink that fails without saying for how long */
#define STORE_PAUSE_MS	5000
#define LOOK_AGAIN_MS	1000  /* something is due, and what it waits for does not tell us */
#define LONGEST_NAP_MS	60000 /* the wall clock may be set while we sleep */
#define EXPIRE_EVERY_MS 60000

#define AHEAD	     512	/* so many are read ahead ... */
#define AHEAD_BYTES  (1U << 20) /* ... while they have less than this */
#define AHEAD_MS     1000	/* and are believed for so long */
#define RECORD_COUNT 512	/* landed ones that are recorded at once */
#define RECORD_MS    50		/* what has landed waits no longer for others */

/* One delivery on its way. */
struct flight {
	struct flight *prev, *next; /* among worker->ready, ->flying or ->landed */
	struct worker *worker;
	int64_t id, expires_ms;
	char *event_id, *type, *subject, *json;
	struct bw_event event;
	enum bw_sink_result result; /* when landed, as the rest */
	uint32_t retry_after_s;
	char *message;
	bool is_learned; /* what it means for the worker */
	uint64_t wait_ms;
};

struct worker {
	struct worker *next;
	struct bw_outbox *outbox;
	char *name;
	struct bw_sink sink;
	struct bw_timer *timer;
	struct flight ready, flying, landed; /* sentinels of rings; ready: read ahead, not started */
	unsigned flying_count, landed_count;
	uint64_t ready_until_ms, landed_since_ms; /* the loop's time */
	bool has_failed;			  /* one of the landed */
	unsigned failures;			  /* in a row, of any event */
	uint64_t hold_ms;			  /* the loop's time until which it is left alone */
	bool is_asked;				  /* the receiver said so itself */
	bool is_paused;				  /* for good */
	bool must_look; /* the store has not been asked since something may have changed */
	bool has_more;	/* the store has something that may be sent, and the sink had no room */
	int64_t *known; /* ids under way, sorted: they are due still, as the store sees it */
	size_t known_count, known_capacity;
	size_t batch_room, batch_count, batch_bytes; /* of what the store just gave: among the ready */
	bool has_expired;
};

struct bw_outbox {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_backoff backoff, hold;
	struct worker *workers;
	bw_outbox_failed_fn failed;
	void *failed_arg;
	bw_outbox_attempt_fn attempt;
	void *attempt_arg;
	void (*idle)(void *arg);
	void *idle_arg;
	uint64_t random;
	uint64_t store_pause_ms; /* the loop's time until which the store is left alone */
	uint64_t next_expiry_ms; /* the loop's time */
	bool is_stunned;	 /* it failed in this turn of the loop */
	bool is_failing;	 /* and `failed` was told */
	bool is_draining, was_idle;
};

/* --- flights ---------------------------------------------------------------------------------- */

static void ring_init(struct flight *ring)
{
	ring->prev = ring;
	ring->next = ring;
}

static void ring_add(struct flight *ring, struct flight *f)
{
	f->prev = ring->prev;
	f->next = ring;
	ring->prev->next = f;
	ring->prev = f;
}

static void ring_remove(struct flight *f)
{
	f->prev->next = f->next;
	f->next->prev = f->prev;
	f->prev = NULL;
	f->next = NULL;
}

static struct flight *ring_first(const struct flight *ring)
{
	/* The analyzer does not see that a flight leaves its ring before it is freed. */
	return ring->next == ring ? NULL : ring->next; /* NOLINT(clang-analyzer-unix.Malloc) */
}

static struct flight *flight_new(struct worker *w, const struct bw_delivery *d)
{
	struct flight *f = BW_NEW(struct flight);

	f->worker = w;
	f->id = d->id;
	f->expires_ms = d->expires_ms;
	f->event_id = bw_strdup(d->event_id);
	f->type = bw_strdup(d->type);
	f->subject = bw_strdup(d->subject);
	f->json = bw_strndup(d->json, d->len);
	f->event = (struct bw_event){
		.id = f->event_id,
		.type = f->type,
		.subject = f->subject,
		.json = f->json,
		.len = d->len,
		.attempt = d->attempts + 1,
	};
	return f;
}

static void flight_free(struct flight *f)
{
	free(f->event_id);
	free(f->type);
	free(f->subject);
	free(f->json);
	free(f->message);
	free(f);
}

static void drop(struct flight *ring)
{
	struct flight *f;

	while ((f = ring_first(ring))) {
		ring_remove(f);
		flight_free(f);
	}
}

/* xorshift64: only spreads attempts, nobody must be surprised by it. */
static uint32_t next_random(struct bw_outbox *o)
{
	o->random ^= o->random << 13;
	o->random ^= o->random >> 7;
	o->random ^= o->random << 17;
	return (uint32_t)(o->random >> 32);
}

/* From the sink, at any time but inside of start(). What it means is recorded in a turn of the worker. */
static void land(const struct bw_sink_outcome *outcome, void *arg)
{
	struct flight *f = arg;
	struct worker *w = f->worker;
	uint64_t now = bw_loop_now(w->outbox->loop);

	f->result = outcome->result;
	f->retry_after_s = outcome->retry_after_s;
	f->message = bw_strdup(outcome->message ? outcome->message : "");
	ring_remove(f);
	w->flying_count--;
	if (w->landed_count++ == 0)
		w->landed_since_ms = now;
	ring_add(&w->landed, f);
	w->has_failed = w->has_failed || f->result != BW_SINK_OK;
	if (w->outbox->store_pause_ms <= now)
		bw_timer_start(w->timer, 0); /* all that land in this turn of the loop are seen together */
}

/* --- recording -------------------------------------------------------------------------------- */

/* Not beyond the expiry: then it is time to look at it again. */
static int64_t next_attempt(const struct flight *f)
{
	int64_t at = bw_clock_ms() + (int64_t)f->wait_ms;

	return at < f->expires_ms ? at : f->expires_ms;
}

static struct bw_delivery_outcome outcome_of(const struct flight *f)
{
	switch (f->result) {
	case BW_SINK_OK: return (struct bw_delivery_outcome){.id = f->id, .state = BW_DELIVERY_SENT};
	case BW_SINK_DEAD:
		return (struct bw_delivery_outcome){
			.id = f->id, .state = BW_DELIVERY_DEAD, .error = f->message};
	case BW_SINK_RETRY:
	case BW_SINK_PAUSED: break;
	}
	return (struct bw_delivery_outcome){
		.id = f->id, .state = BW_DELIVERY_DUE, .next_ms = next_attempt(f), .error = f->message};
}

/*
 * What it means for all that this sink is owed. Those that fail together count once; an event that fails while others
 * are taken is held against nobody else. Once for each flight, however often its recording is tried.
 */
static void learn(struct worker *w, struct flight *f)
{
	struct bw_outbox *o = w->outbox;
	uint64_t now = bw_loop_now(o->loop), until;

	if (f->is_learned)
		return;
	f->is_learned = true;
	if (f->result == BW_SINK_PAUSED)
		w->is_paused = true;
	if (f->result != BW_SINK_RETRY) { /* a refusal is an answer, too */
		w->failures = 0;
		w->hold_ms = w->is_asked ? w->hold_ms : 0;
		return;
	}
	if (w->hold_ms > now && f->retry_after_s == 0)
		return;
	w->failures++;
	until = now + bw_backoff_asked_ms(&o->hold, w->failures, f->retry_after_s, next_random(o));
	w->is_asked = f->retry_after_s > 0;
	w->hold_ms = until > w->hold_ms ? until : w->hold_ms;
}

/* Behind the hold, so that then another one is tried first: not for ever the same oldest one. */
static uint64_t wait_of(const struct worker *w, const struct flight *f)
{
	struct bw_outbox *o = w->outbox;
	uint64_t now = bw_loop_now(o->loop);
	uint64_t own = bw_backoff_asked_ms(&o->backoff, f->event.attempt, f->retry_after_s, next_random(o));

	return w->hold_ms > now && own <= w->hold_ms - now ? w->hold_ms - now + 1 : own;
}

static void tell(struct worker *w, const struct flight *f)
{
	struct bw_outbox_attempt a = {
		.sink = w->name,
		.event_id = f->event_id,
		.type = f->type,
		.subject = f->subject,
		.attempt = f->event.attempt,
		.result = f->result,
		.message = f->message,
		.wait_ms = f->result == BW_SINK_RETRY ? f->wait_ms : 0,
	};

	if (w->outbox->attempt)
		w->outbox->attempt(&a, w->outbox->attempt_arg);
}

static void judge(struct worker *w, struct flight *f)
{
	if (f->result == BW_SINK_PAUSED && w->is_paused && !f->is_learned)
		f->result = BW_SINK_RETRY; /* it was said already */
	learn(w, f);
	f->wait_ms = wait_of(w, f);
}

static void tell_landed(struct worker *w)
{
	struct flight *f;

	if (w->has_failed)
		drop(&w->ready);
	if (!ring_first(&w->ready))
		w->must_look = true;
	w->has_failed = false;
	w->landed_count = 0;
	while ((f = ring_first(&w->landed))) {
		ring_remove(f);
		tell(w, f);
		flight_free(f);
	}
}

/* All together, or none: then they stay landed. */
static int record_landed(struct worker *w, struct bw_err *err)
{
	BW_AUTOFREE struct bw_delivery_outcome *outcomes = NULL;
	size_t count = 0;
	int rc;

	if (w->landed_count == 0)
		return 0;
	outcomes = bw_realloc(NULL, w->landed_count, sizeof(*outcomes));
	for (struct flight *f = w->landed.next; f != &w->landed; f = f->next) {
		judge(w, f);
		outcomes[count++] = outcome_of(f);
	}
	rc = bw_store_record_deliveries(w->outbox->store, outcomes, count, bw_clock_ms(), err);
	if (rc == 0)
		tell_landed(w);
	return rc;
}

/* --- looking ---------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void learn_known(struct worker *w)
{
	w->known_count = 0;
	for (const struct flight *f = w->flying.next; f != &w->flying; f = f->next)
		BW_PUSH(w->known, w->known_count, w->known_capacity) = f->id;
	if (w->known_count > 1)
		qsort(w->known, w->known_count, sizeof(*w->known), compare_ids);
}

static bool is_known(const struct worker *w, int64_t id)
{
	return w->known_count > 0 &&
	       bsearch(&id, w->known, w->known_count, sizeof(*w->known), compare_ids) != NULL;
}

/* Not of a sink that fails: things are different each time. */
static unsigned ahead_of(const struct worker *w)
{
	return w->failures > 0 || w->outbox->is_failing ? 0 : AHEAD;
}

static bool fits(const struct worker *w)
{
	return w->batch_count < w->batch_room ||
	       (w->batch_count < w->batch_room + ahead_of(w) && w->batch_bytes < AHEAD_BYTES);
}

/* A newer one of the same build is the first in its queue when it supersedes one that is on its way. */
static bool is_on_its_way(const struct worker *w, const char *subject)
{
	for (const struct flight *f = w->flying.next; f != &w->flying; f = f->next)
		if (strcmp(f->subject, subject) == 0)
			return true;
	return false;
}

/* Only takes it: what start() does to the loop is not done inside of a query. */
static int take(const struct bw_delivery *d, void *arg, struct bw_err *err)
{
	struct worker *w = arg;

	(void)err;
	if (is_known(w, d->id) || is_on_its_way(w, d->subject))
		return 0;
	if (d->expires_ms <= bw_clock_ms())
		w->has_expired = true;
	else if (fits(w)) {
		ring_add(&w->ready, flight_new(w, d));
		w->batch_count++;
		w->batch_bytes += d->len;
	} else
		w->has_more = true;
	return 0;
}

static int expire(struct bw_outbox *o, struct bw_err *err)
{
	int rc = bw_store_expire_deliveries(o->store, bw_clock_ms(), NULL, err);

	if (rc == 0)
		o->next_expiry_ms = bw_loop_now(o->loop) + EXPIRE_EVERY_MS;
	return rc;
}

/* A sink that failed last time is asked with one event first. */
static unsigned room_of(const struct worker *w)
{
	unsigned room = w->sink.ops->room(w->sink.self);

	if (w->failures > 0 && room > 1)
		room = 1;
	return room > w->flying_count ? room - w->flying_count : 0;
}

static void start_ready(struct worker *w)
{
	struct flight *f;

	for (unsigned room = room_of(w); room > 0 && (f = ring_first(&w->ready)); room--) {
		ring_remove(f);
		ring_add(&w->flying, f);
		w->flying_count++;
		w->sink.ops->start(w->sink.self, &f->event, land, f);
	}
}

/* Asks for one more than is taken, to know whether there is more. */
static int look(struct worker *w, struct bw_err *err)
{
	int rc;

	drop(&w->ready);
	learn_known(w);
	w->batch_room = room_of(w);
	w->batch_count = 0;
	w->batch_bytes = 0;
	w->has_more = false;
	w->has_expired = false;
	rc = bw_store_each_due(w->outbox->store, w->name, bw_clock_ms(),
			       w->known_count + w->batch_room + ahead_of(w) + 1, take, w, err);
	if (rc == 0 && w->has_expired)
		rc = expire(w->outbox, err);
	if (rc < 0) {
		drop(&w->ready);
		return rc;
	}
	w->must_look = false;
	w->ready_until_ms = bw_loop_now(w->outbox->loop) + AHEAD_MS;
	start_ready(w);
	return 0;
}

/* How long it may sleep when nothing lands and nobody wakes it. */
static int nap(const struct worker *w, uint64_t *ret_ms, struct bw_err *err)
{
	uint64_t now = bw_loop_now(w->outbox->loop);
	int64_t next = INT64_MAX, wait;
	int rc;

	if (w->hold_ms > now) {
		*ret_ms = w->hold_ms - now < LONGEST_NAP_MS ? w->hold_ms - now : LONGEST_NAP_MS;
		return 0;
	}
	*ret_ms = LOOK_AGAIN_MS;
	if (w->has_more || ring_first(&w->ready)) /* what lands makes room, and a turn of its own */
		return 0;
	rc = bw_store_next_due(w->outbox->store, w->name, &next, err);
	if (rc < 0)
		return rc;
	/* What is due now and was not started is under way, or waits for room, or for an earlier one. */
	wait = next == INT64_MAX ? LONGEST_NAP_MS : next - bw_clock_ms();
	if (wait <= 0)
		wait = LOOK_AGAIN_MS;
	*ret_ms = wait < LONGEST_NAP_MS ? (uint64_t)wait : LONGEST_NAP_MS;
	return 0;
}

/* --- a turn of a worker ----------------------------------------------------------------------- */

static bool may_look(const struct worker *w)
{
	return !w->is_paused && !w->outbox->is_draining && w->hold_ms <= bw_loop_now(w->outbox->loop);
}

/* What was read ahead is used up, or not to be believed any more. */
static bool is_stale(const struct worker *w)
{
	return w->must_look || !ring_first(&w->ready) || w->ready_until_ms <= bw_loop_now(w->outbox->loop);
}

/* Is the store asked in this turn, or does what is ready go on without it? */
static bool must_settle(const struct worker *w)
{
	if (w->has_failed || !may_look(w) || is_stale(w) || w->landed_count >= RECORD_COUNT)
		return true;
	return w->landed_count > 0 && w->landed_since_ms + RECORD_MS <= bw_loop_now(w->outbox->loop);
}

/* What landed is recorded before the store is asked again: it is due there until then. */
static int settle(struct worker *w, uint64_t *ret_ms, struct bw_err *err)
{
	struct bw_outbox *o = w->outbox;
	int rc = record_landed(w, err);

	if (rc == 0 && !o->is_draining && o->next_expiry_ms <= bw_loop_now(o->loop))
		rc = expire(o, err);
	if (rc == 0 && may_look(w) && is_stale(w))
		rc = look(w, err);
	if (rc < 0)
		return rc;
	*ret_ms = LONGEST_NAP_MS;
	return may_look(w) || w->hold_ms > bw_loop_now(o->loop) ? nap(w, ret_ms, err) : 0;
}

static int take_turn(struct worker *w, uint64_t *ret_ms, struct bw_err *err)
{
	if (may_look(w) && !is_stale(w) && !w->has_failed)
		start_ready(w);
	if (must_settle(w))
		return settle(w, ret_ms, err);
	*ret_ms = w->landed_count > 0 ? RECORD_MS : LOOK_AGAIN_MS;
	return 0;
}

/*
 * A locked database makes each call wait for seconds, so all workers leave it alone for a while. It begins in the next
 * turn of the loop, as the loop's time does not see how long the call took.
 */
static void store_failed(struct bw_outbox *o, const struct bw_err *err)
{
	bool is_told = o->is_failing;

	o->is_stunned = true;
	o->is_failing = true;
	for (struct worker *w = o->workers; w; w = w->next)
		bw_timer_start(w->timer, 1);
	if (!is_told && o->failed)
		o->failed(err, o->failed_arg);
}

/* True: the store is left alone, and the worker sleeps meanwhile. */
static bool is_stopped(struct worker *w)
{
	struct bw_outbox *o = w->outbox;
	uint64_t now = bw_loop_now(o->loop);

	if (o->is_stunned)
		o->store_pause_ms = now + STORE_PAUSE_MS;
	o->is_stunned = false;
	if (o->store_pause_ms > now)
		bw_timer_start(w->timer, o->store_pause_ms - now);
	return o->store_pause_ms > now;
}

static void check_idle(struct bw_outbox *o)
{
	bool was_idle = o->was_idle;

	o->was_idle = bw_outbox_is_idle(o);
	if (o->was_idle && !was_idle && o->idle)
		o->idle(o->idle_arg); /* may have freed us */
}

static void work(void *arg)
{
	struct worker *w = arg;
	struct bw_outbox *o = w->outbox;
	struct bw_err err = BW_ERR_INIT;
	uint64_t sleep_ms = 0;

	if (is_stopped(w))
		return;
	if (take_turn(w, &sleep_ms, &err) < 0) {
		w->must_look = true;
		store_failed(o, &err);
	} else {
		o->is_failing = false;
		bw_timer_start(w->timer, sleep_ms);
	}
	check_idle(o);
}

/* --- public ----------------------------------------------------------------------------------- */

int bw_outbox_new(struct bw_loop *l, struct bw_store *s, const struct bw_outbox_options *options,
		  bw_outbox_failed_fn failed, void *arg, struct bw_outbox **ret, struct bw_err *err)
{
	struct bw_outbox *o = BW_NEW(struct bw_outbox);

	(void)err;
	o->loop = l;
	o->store = s;
	o->backoff.first_ms = options && options->first_wait_ms ? options->first_wait_ms : FIRST_WAIT_MS;
	o->backoff.longest_ms =
		options && options->longest_wait_ms ? options->longest_wait_ms : LONGEST_WAIT_MS;
	o->hold = o->backoff;
	if (o->hold.longest_ms > LONGEST_HOLD_MS)
		o->hold.longest_ms = LONGEST_HOLD_MS;
	o->failed = failed;
	o->failed_arg = arg;
	o->was_idle = true;
	if (getrandom(&o->random, sizeof(o->random), GRND_NONBLOCK) != sizeof(o->random))
		o->random = (uint64_t)(uintptr_t)o;
	o->random |= 1; /* the generator stays at zero for ever */
	*ret = o;
	return 0;
}

static void worker_free(struct worker *w)
{
	struct bw_err err = BW_ERR_INIT;
	struct flight *f;

	bw_timer_free(w->timer);
	if (!w->outbox->is_failing)
		(void)record_landed(w, &err); /* sending twice is harmless, but needless */
	drop(&w->landed);
	drop(&w->ready);
	while ((f = ring_first(&w->flying))) {
		w->sink.ops->cancel(w->sink.self, f);
		ring_remove(f);
		flight_free(f);
	}
	w->sink.ops->free(w->sink.self);
	free(w->known);
	free(w->name);
	free(w);
}

void bw_outbox_free(struct bw_outbox *o)
{
	struct worker *w;

	if (!o)
		return;
	o->attempt = NULL;
	while ((w = o->workers)) {
		o->workers = w->next;
		worker_free(w);
	}
	free(o);
}

/* Asks the store in the next turn of the loop. What is held or paused stays so. */
static void wake(struct worker *w)
{
	struct bw_outbox *o = w->outbox;

	w->must_look = true;
	o->was_idle = false;
	if (o->store_pause_ms <= bw_loop_now(o->loop))
		bw_timer_start(w->timer, 0);
}

void bw_outbox_add(struct bw_outbox *o, const char *name, struct bw_sink sink)
{
	struct worker *w = BW_NEW(struct worker);
	struct worker **last = &o->workers;

	w->outbox = o;
	w->name = bw_strdup(name);
	w->sink = sink;
	ring_init(&w->ready);
	ring_init(&w->flying);
	ring_init(&w->landed);
	w->timer = bw_timer_new(o->loop, work, w);
	while (*last)
		last = &(*last)->next;
	*last = w;
	wake(w);
}

static struct worker **find(struct bw_outbox *o, const char *name)
{
	struct worker **at = &o->workers;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

void bw_outbox_remove(struct bw_outbox *o, const char *name)
{
	struct worker **at = find(o, name), *w = *at;

	if (!w)
		return;
	*at = w->next;
	worker_free(w);
}

void bw_outbox_revive(struct bw_outbox *o, const char *name)
{
	struct worker *w = *find(o, name);

	if (!w)
		return;
	w->failures = 0;
	w->hold_ms = 0;
	wake(w);
}

void bw_outbox_wake(struct bw_outbox *o)
{
	for (struct worker *w = o->workers; w; w = w->next)
		wake(w);
}

void bw_outbox_on_attempt(struct bw_outbox *o, bw_outbox_attempt_fn fn, void *arg)
{
	o->attempt = fn;
	o->attempt_arg = arg;
}

static bool is_worker_idle(const struct worker *w)
{
	if (w->flying_count > 0 || ring_first(&w->landed))
		return false;
	return !may_look(w) || !(w->must_look || w->has_more || ring_first(&w->ready));
}

bool bw_outbox_is_sink_idle(const struct bw_outbox *o, const char *name)
{
	for (const struct worker *w = o->workers; w; w = w->next)
		if (strcmp(w->name, name) == 0)
			return is_worker_idle(w);
	return true;
}

bool bw_outbox_is_idle(const struct bw_outbox *o)
{
	for (const struct worker *w = o->workers; w; w = w->next)
		if (!is_worker_idle(w))
			return false;
	return true;
}

void bw_outbox_on_idle(struct bw_outbox *o, void (*fn)(void *arg), void *arg)
{
	o->idle = fn;
	o->idle_arg = arg;
}

void bw_outbox_drain(struct bw_outbox *o)
{
	o->is_draining = true;
	bw_outbox_wake(o);
}
