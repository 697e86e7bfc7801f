#include "ledger.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "judge.h"
#include "watch/sweep.h"

struct page {
	struct bw_seen *items; /* `answer` and `change` are ours */
	size_t count, capacity;
};

struct bw_ledger {
	struct bw_store *store;
	const struct bw_event_options *options;
	struct bw_ledger_hooks hooks;
	struct bw_timer *timer;
	struct page seen;  /* goes with the next transaction */
	size_t noteworthy; /* those of it with an answer of their own */
	struct page moves; /* changes, which wait for the end */
	bool has_failed;
};

static void clear(struct page *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free((void *)(uintptr_t)p->items[i].answer);
		bw_judge_change_free((struct bw_change *)(uintptr_t)p->items[i].change);
	}
	p->count = 0;
}

/* The options may have changed since the last time. */
static int record(struct bw_ledger *l, struct bw_record_counts *ret, struct bw_err *err)
{
	struct bw_teller teller;

	bw_event_teller(l->options, &teller);
	return bw_store_record(l->store, l->seen.items, l->seen.count, &teller, ret, err);
}

/* The page is taken away first: the owner may come back in from a hook. */
static void flush(struct bw_ledger *l)
{
	struct bw_record_counts counts = {0};
	struct page written;
	struct bw_err err = BW_ERR_INIT;
	int rc;

	bw_timer_stop(l->timer);
	if (l->seen.count == 0)
		return;
	rc = record(l, &counts, &err);
	l->has_failed = rc < 0;
	if (rc < 0) {
		l->hooks.failed(rc, &err, l->hooks.arg);
		return;
	}
	written = l->seen;
	l->seen = (struct page){0};
	l->noteworthy = 0;
	l->hooks.recorded(written.items, written.count, &counts, l->hooks.arg);
	clear(&written);
	free(written.items);
}

static void flush_now(void *arg)
{
	flush(arg);
}

void bw_ledger_flush(struct bw_ledger *l)
{
	flush(l);
}

/* The changes with all else that waits, in one transaction: the events of a build are made of what is in it. */
void bw_ledger_close(struct bw_ledger *l)
{
	for (size_t i = 0; i < l->moves.count; i++)
		BW_PUSH(l->seen.items, l->seen.count, l->seen.capacity) = l->moves.items[i];
	l->moves.count = 0;
	flush(l);
}

static void flush_soon(struct bw_ledger *l)
{
	if (!bw_timer_is_armed(l->timer))
		bw_timer_start(l->timer, BW_SWEEP_FLUSH_MS);
}

void bw_ledger_turn(struct bw_ledger *l)
{
	if (l->moves.count > 0 || l->noteworthy > 0)
		bw_ledger_close(l);
	else if (l->seen.count > 0 && !l->has_failed)
		flush_soon(l);
}

void bw_ledger_retry(struct bw_ledger *l)
{
	if (l->has_failed)
		flush(l);
}

static void flush_when_due(struct bw_ledger *l, bool is_noteworthy)
{
	if (l->has_failed)
		return;
	if (l->moves.count >= BW_SWEEP_CHANGES)
		bw_ledger_close(l);
	else if (l->noteworthy >= BW_SWEEP_BATCH)
		flush(l);
	else if (is_noteworthy)
		flush_soon(l);
}

void bw_ledger_put(struct bw_ledger *l, int64_t base_id, const struct bw_answer *a, struct bw_change *change)
{
	struct bw_seen seen = {.base_id = base_id, .at_ms = bw_clock_ms(), .change = change};
	struct page *page = change ? &l->moves : &l->seen;

	if (a) {
		struct bw_answer *copy = BW_NEW(struct bw_answer);

		*copy = *a;
		seen.answer = copy;
	}
	BW_PUSH(page->items, page->count, page->capacity) = seen;
	l->noteworthy += a && !change;
	flush_when_due(l, a && !change);
}

bool bw_ledger_is_empty(const struct bw_ledger *l)
{
	return l->seen.count == 0 && l->moves.count == 0;
}

struct bw_ledger *bw_ledger_new(struct bw_loop *loop, struct bw_store *s, const struct bw_event_options *o,
				const struct bw_ledger_hooks *h)
{
	struct bw_ledger *l = BW_NEW(struct bw_ledger);

	l->store = s;
	l->options = o;
	l->hooks = *h;
	l->timer = bw_timer_new(loop, flush_now, l);
	return l;
}

void bw_ledger_free(struct bw_ledger *l)
{
	if (!l)
		return;
	clear(&l->seen);
	clear(&l->moves);
	free(l->seen.items);
	free(l->moves.items);
	bw_timer_free(l->timer);
	free(l);
}
