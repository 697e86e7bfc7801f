/*
 * budget.c - see budget.h. Everything that is not known for certain is taken the careful way: a window that may have begun
 * anew is asked by one request alone, an answer that may be older than another changes nothing for the better.
 */
#include "registry/budget.h"

#include <string.h>

#define DAY_S	     86400
#define WEEK_MS	     604800000ULL
#define MOST_HOLDS   8 /* the tenth of a window was doubled beyond the window long before */
#define MOST_TRIES   3
#define MOST_UNSAID  3
#define MOST_CERTAIN 3 /* a colleague's request looks like the price of ours, but not three times in a row */
#define MARGIN_MS    1000 /* they count in whole seconds */

/* What is as good as never, and can be added to. */
#define NEVER (UINT64_MAX / 2)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void bw_budget_init(struct bw_budget *b, unsigned reserve_percent)
{
	*b = (struct bw_budget){.reserve_percent = reserve_percent < BW_BUDGET_RESERVE_MAX
							   ? reserve_percent
							   : BW_BUDGET_RESERVE_MAX};
}

/* --- what was said ---------------------------------------------------------------------------- */

static uint32_t window_s(const struct bw_budget *b)
{
	if (b->quota.window_s)
		return b->quota.window_s;
	return b->longest_s ? b->longest_s : DAY_S;
}

static uint64_t window_ms(const struct bw_budget *b)
{
	return window_s(b) * 1000ULL;
}

/* One at least is for us. */
static uint64_t reserve(const struct bw_budget *b)
{
	uint64_t wanted = (b->quota.limit * b->reserve_percent + 99) / 100;

	return least(wanted, b->quota.limit - 1);
}

/* Never 0: a division says nothing of what is not said. */
static uint64_t usable(const struct bw_budget *b)
{
	return most(less(b->quota.limit, reserve(b)), 1);
}

/* Half of it is for bodies. Questions that cost nothing may go until nothing is left. */
static uint64_t floor_for(const struct bw_budget *b, bool is_question)
{
	if (!is_question)
		return reserve(b) / 2;
	return b->cost == BW_BUDGET_FREE ? 0 : reserve(b);
}

/* When all of it is granted anew, as was said. */
static uint64_t reset_at(const struct bw_budget *b)
{
	return b->quota.has_reset ? b->said_ms + b->quota.reset_s * 1000ULL + MARGIN_MS : NEVER;
}

/* What was said before holds no longer: nobody knows it, or everything was granted anew since. */
static uint64_t over_at(const struct bw_budget *b)
{
	return b->said_ms + least(window_ms(b), WEEK_MS) + MARGIN_MS;
}

static bool is_over(const struct bw_budget *b, uint64_t now)
{
	return now >= over_at(b);
}

/* --- what we used ----------------------------------------------------------------------------- */

static uint64_t slice_ms(const struct bw_budget *b)
{
	return (window_ms(b) + BW_BUDGET_SLICES - 1) / BW_BUDGET_SLICES;
}

/* The slice at the far end is only partly of this window: it counts wholly. */
static uint64_t used_by_us(const struct bw_budget *b, uint64_t now)
{
	uint64_t newest = now / slice_ms(b), sum = 0;

	for (uint64_t i = 0; i <= BW_BUDGET_SLICES && i <= b->slice; i++)
		if (b->slice - i + BW_BUDGET_SLICES >= newest)
			sum += b->used[(b->slice - i) % BW_BUDGET_KEPT];
	return sum;
}

static void forget_used(struct bw_budget *b)
{
	memset(b->used, 0, sizeof(b->used));
	b->slice = 0;
}

static void count_used(struct bw_budget *b, uint64_t now)
{
	uint64_t slice = now / slice_ms(b);

	if (slice >= b->slice + BW_BUDGET_KEPT) {
		forget_used(b);
		b->slice = slice;
	}
	for (uint64_t i = b->slice + 1; i <= slice; i++)
		b->used[i % BW_BUDGET_KEPT] = 0;
	b->slice = most(b->slice, slice);
	b->used[b->slice % BW_BUDGET_KEPT]++;
}

/* Is something that we used a window ago granted anew between these times? A slice more or less. */
static bool is_regranted(const struct bw_budget *b, uint64_t from, uint64_t to)
{
	uint64_t first = less(from / slice_ms(b), BW_BUDGET_SLICES + 1), last = to / slice_ms(b) + 1;

	for (uint64_t i = first; i + BW_BUDGET_SLICES <= last && i <= b->slice; i++)
		if (i + BW_BUDGET_KEPT > b->slice && b->used[i % BW_BUDGET_KEPT])
			return true;
	return false;
}

/* When will so much of ours be granted anew that more than `floor` is left? */
static uint64_t regranted_at(const struct bw_budget *b, uint64_t floor, uint64_t now)
{
	uint64_t slice = now / slice_ms(b), used = used_by_us(b, now);

	for (uint64_t i = slice + 1; i <= slice + BW_BUDGET_SLICES + 1; i++) {
		uint64_t gone = i - BW_BUDGET_SLICES - 1;

		if (i > BW_BUDGET_SLICES && gone <= b->slice && gone + BW_BUDGET_KEPT > b->slice)
			used -= b->used[gone % BW_BUDGET_KEPT];
		if (less(b->quota.limit, used + b->others) > floor)
			return i * slice_ms(b);
	}
	return NEVER;
}

/* --- what is left ----------------------------------------------------------------------------- */

/* Without what is on its way. */
static uint64_t left_at(const struct bw_budget *b, uint64_t now)
{
	uint64_t predicted;

	if (now >= reset_at(b) || is_over(b, now))
		return b->quota.limit;
	if (b->is_doubted)
		return b->quota.remaining;
	predicted = less(b->quota.limit, used_by_us(b, now) + b->others);
	return most(b->quota.remaining, predicted);
}

/* It must not take more than half of the reserve. What others used up does not show when they used it. */
static bool may_probe(const struct bw_budget *b, uint64_t floor)
{
	return b->quota.remaining > (floor + 1) / 2 || (b->cost == BW_BUDGET_FREE && b->others > 0);
}

/* A tenth of the window, and twice as long each time; but ours come back in pairs, which is not to be disturbed. */
static uint64_t probe_ms(const struct bw_budget *b)
{
	uint64_t steady = window_ms(b) / usable(b), first = most(window_ms(b) / 10, steady * 3);

	return least(first << b->holds, window_ms(b));
}

/*
 * Nothing is left above `floor`: when is it worth another question? When the registry said; when ours of a window ago comes
 * back; and sooner or later in any case, as the window may begin anew at any time.
 */
static uint64_t worth_at(const struct bw_budget *b, uint64_t floor, uint64_t now)
{
	uint64_t at = least(reset_at(b), over_at(b));

	if (!b->is_doubted)
		at = least(at, regranted_at(b, floor, now));
	if (!b->quota.has_reset && may_probe(b, floor))
		at = least(at, b->said_ms + probe_ms(b));
	return at;
}

static uint64_t hold_ms(const struct bw_budget *b, uint64_t floor, uint64_t now)
{
	if (left_at(b, now) > floor)
		return 0;
	return less(b->resume_ms ? b->resume_ms : worth_at(b, floor, now), now);
}

/* --- does a question cost? -------------------------------------------------------------------- */

/*
 * The first pairs of all may lie where a pair of another process, or of our own before a restart, is granted anew: it takes
 * one more than these two to believe that questions are free.
 */
static void weigh(struct bw_budget *b, bool is_free)
{
	enum bw_budget_cost before = b->cost;

	b->evidence += is_free ? 1 : -1;
	if (b->evidence > MOST_CERTAIN)
		b->evidence = MOST_CERTAIN;
	if (b->evidence < -MOST_CERTAIN)
		b->evidence = -MOST_CERTAIN;
	if (b->evidence < 0)
		b->cost = BW_BUDGET_COSTS;
	else if (b->evidence >= (before == BW_BUDGET_UNKNOWN ? MOST_CERTAIN : 1))
		b->cost = BW_BUDGET_FREE;
	if (b->cost == BW_BUDGET_FREE && before != BW_BUDGET_FREE) {
		forget_used(b); /* most of it were questions, which did not use anything */
		b->free_run = 0;
	}
}

/* Whether two answers in a row make a pair: nothing else was sent, and hardly anything was granted in between. */
static bool is_pair(const struct bw_budget *b, uint64_t number, uint64_t now)
{
	return b->has_mark && b->mark_number + 1 == number &&
	       now - b->mark_ms <= window_ms(b) / b->quota.limit / 4;
}

static void measure(struct bw_budget *b, const struct bw_quota *q, uint64_t number, uint64_t now)
{
	bool pair = is_pair(b, number, now), told = pair && q->remaining < b->mark_remaining,
	     is_second = pair && b->mark_is_probe;

	if (told)
		weigh(b, false);
	if (pair && q->remaining == b->mark_remaining && !is_regranted(b, b->mark_ms, now)) {
		weigh(b, true);
		told = true;
	}
	if (b->has_mark && !told && b->cost == BW_BUDGET_UNKNOWN && ++b->tries >= MOST_TRIES)
		b->cost = BW_BUDGET_COSTS; /* granted anew too fast for us: the next pair may know better */
	b->has_mark = true;
	b->mark_is_probe = number == b->probe && !is_second;
	b->mark_remaining = q->remaining;
	b->mark_ms = now;
	b->mark_number = number;
}

/* Free questions that come all at once are never measured: as many as they were must not be gone. */
static void check_free(struct bw_budget *b, bool is_question, uint64_t remaining)
{
	if (!is_question || b->cost != BW_BUDGET_FREE || b->free_run == 0 || remaining > b->free_left ||
	    b->free_run >= 16) {
		b->free_left = remaining;
		b->free_run = is_question ? 1 : 0;
		return;
	}
	b->free_run++;
	if (b->free_run > 8 && b->free_left - remaining >= b->free_run - 1) {
		b->evidence = -1;
		b->cost = BW_BUDGET_COSTS;
	}
}

/* --- requests and answers --------------------------------------------------------------------- */

uint64_t bw_budget_sent(struct bw_budget *b, bool is_question)
{

	b->sent++;
	if (b->is_known && less(b->quota.remaining, b->in_flight) <= floor_for(b, is_question))
		b->probe = b->sent;
	b->alone = b->in_flight == 0 && is_question ? b->sent : 0;
	b->in_flight++;
	return b->sent;
}

static void begin(struct bw_budget *b, const struct bw_quota *q)
{
	b->others = 0;
	b->longest_s = 0;
	b->holds = 0;
	b->is_doubted = false;
	b->has_mark = false;
	b->tries = 0;
	b->unsaid = 0;
	b->quota = *q;
	forget_used(b);
}

/*
 * One that went although nothing was left as far as anybody had said, and that is not the second of a pair: was something
 * granted in the meantime?
 */
static void learn(struct bw_budget *b, const struct bw_quota *q, uint64_t number, uint64_t now)
{
	bool is_probe = number == b->probe && !(b->mark_is_probe && is_pair(b, number, now));

	if (q->remaining > b->quota.remaining || now >= reset_at(b) ||
	    (is_probe && q->remaining == b->quota.remaining)) {
		b->holds = 0;
		b->is_doubted = false;
	} else if (is_probe) {
		b->is_doubted = true;
		if (b->holds < MOST_HOLDS)
			b->holds++;
	}
}

/* Of two answers that crossed each other the worse one counts: nobody knows which is the newer. */
static void take(struct bw_budget *b, const struct bw_quota *q, uint64_t number, uint64_t now)
{
	uint64_t reset = q->has_reset ? now + q->reset_s * 1000ULL + MARGIN_MS : NEVER;
	bool is_newer = number > b->said_number;
	bool is_same = b->is_known && b->quota.limit == q->limit && b->quota.window_s == q->window_s;

	if (!is_same)
		begin(b, q);
	else if (is_newer || is_over(b, now))
		learn(b, q, number, now);
	else if (q->remaining > b->quota.remaining)
		return;
	if (now >= b->said_ms + 4 * MARGIN_MS)
		b->is_rolling = is_same && now < reset_at(b) && reset > reset_at(b) + 2 * MARGIN_MS;
	b->is_known = true;
	b->resume_ms = 0;
	b->quota = *q;
	b->said_ms = now;
	b->said_number = b->sent;
	b->unsaid = 0;
	if (q->has_reset && q->reset_s > b->longest_s) {
		b->longest_s = q->reset_s;
		if (!q->window_s)
			forget_used(b); /* its slices have another length now */
	}
}

/* An answer without a word about it. It may have cost all the same; and when none says anything, there is no limit. */
static void take_silence(struct bw_budget *b, bool is_success, uint64_t now)
{
	if (b->quota.remaining > 0)
		b->quota.remaining--;
	if (is_success && (is_over(b, now) || ++b->unsaid >= MOST_UNSAID))
		b->is_known = false;
}

void bw_budget_note(struct bw_budget *b, uint64_t number, bool is_question, const struct bw_quota *q,
		    bool is_success, uint64_t now_ms)
{
	bool costs = !is_question || b->cost != BW_BUDGET_FREE;

	if (b->in_flight > 0)
		b->in_flight--;
	if (q)
		take(b, q, number, now_ms);
	else if (b->is_known && costs)
		take_silence(b, is_success, now_ms);
	if (!b->is_known)
		return;
	if (costs)
		count_used(b, now_ms);
	if (!q)
		return;
	if (number == b->alone)
		measure(b, q, number, now_ms);
	check_free(b, is_question, q->remaining);
	b->others = less(b->quota.limit, b->quota.remaining + used_by_us(b, now_ms));
}

/* --- another process -------------------------------------------------------------------------- */

/* How often in a row had a question brought nothing back, that it was left alone for so long? */
static void guess_holds(struct bw_budget *b, uint64_t hold)
{
	while (b->holds < MOST_HOLDS && probe_ms(b) < hold)
		b->holds++;
}

/* Who used what and when is not known: all of it counts as that of others. What a question costs is seen where none is left. */
void bw_budget_remember(struct bw_budget *b, const struct bw_budget_past *p, uint64_t now_ms)
{
	uint64_t hold = least(p->hold_ms, WEEK_MS);

	if (p->limit == 0 || p->limit > UINT32_MAX || p->window_s == 0 ||
	    p->age_ms >= least(p->window_s * 1000ULL, WEEK_MS) + MARGIN_MS)
		return;
	b->is_known = true;
	b->quota = (struct bw_quota){
		.limit = p->limit, .remaining = least(p->remaining, p->limit), .window_s = p->window_s};
	b->said_ms = less(now_ms, p->age_ms);
	b->others = b->quota.limit - b->quota.remaining;
	if (p->is_free) {
		b->cost = BW_BUDGET_FREE;
		b->evidence = 1;
	} else if (b->quota.remaining <= reserve(b)) {
		b->cost = BW_BUDGET_COSTS;
		b->evidence = 1 - MOST_CERTAIN; /* so that the next one is no pair, and takes one only */
	}
	if (hold == 0)
		return;
	guess_holds(b, hold);
	b->resume_ms = most(now_ms + less(hold, p->age_ms), 1);
}

/* --- the plan --------------------------------------------------------------------------------- */

/*
 * Never faster than the whole of a window allows, and so that what is left lasts until the reset. A pair of ours may be ahead
 * of its time: that alone is no reason to spread.
 */
static uint64_t distance_ms(const struct bw_budget *b, uint64_t now)
{
	uint64_t steady = (window_ms(b) + usable(b) - 1) / usable(b);
	uint64_t left = less(left_at(b, now), reserve(b)), at = reset_at(b);

	if (at == NEVER || at <= now || left == 0 || b->is_rolling)
		return steady;
	if (!b->quota.window_s)
		return most((at - now) / left, 1);
	return at - now <= (left + 2) * steady ? steady : (at - now) / left;
}

/* One more question, at once, and it is certain. */
static bool seems_free(const struct bw_budget *b)
{
	return b->cost == BW_BUDGET_UNKNOWN && b->evidence > 0;
}

void bw_budget_plan(const struct bw_budget *b, uint64_t now_ms, struct bw_budget_plan *ret)
{
	*ret = (struct bw_budget_plan){0};
	if (!b->is_known || is_over(b, now_ms))
		return;
	ret->is_known = true;
	ret->is_free = b->cost == BW_BUDGET_FREE;
	ret->limit = b->quota.limit;
	ret->remaining = left_at(b, now_ms);
	ret->reserved = reserve(b);
	ret->window_s = window_s(b);
	ret->distance_ms = ret->is_free || seems_free(b) ? 0 : distance_ms(b, now_ms);
	ret->hold_ms = hold_ms(b, floor_for(b, true), now_ms);
}

/*
 * The first of a pair has just shown what was left, and the second would show whether it costs: worth something of the
 * reserve, if not the last one.
 */
static bool makes_pair(const struct bw_budget *b, uint64_t now)
{
	bool is_new = b->cost == BW_BUDGET_UNKNOWN && b->quota.remaining > 1;
	bool is_doubtful = b->mark_is_probe && b->evidence > 1 - MOST_CERTAIN &&
			   b->quota.remaining > (reserve(b) + 1) / 2;

	return (is_new || is_doubtful) && b->in_flight == 0 && is_pair(b, b->sent + 1, now);
}

/* What was said is of no use any longer, or the price of a question is not known yet: one goes alone and finds out. */
static bool goes_alone(const struct bw_budget *b, bool is_question, uint64_t now)
{
	return is_over(b, now) || now >= reset_at(b) ||
	       (is_question && b->cost == BW_BUDGET_UNKNOWN && b->has_mark);
}

enum bw_budget_step bw_budget_allows(const struct bw_budget *b, bool is_question, uint64_t now_ms,
				     uint64_t *ret_wait_ms)
{
	uint64_t floor, wait;

	if (!b->is_known)
		return BW_BUDGET_GO;
	if (goes_alone(b, is_question, now_ms) && b->in_flight > 0)
		return BW_BUDGET_SOON;
	floor = floor_for(b, is_question);
	if (less(left_at(b, now_ms), b->in_flight) > floor)
		return BW_BUDGET_GO;
	if (b->in_flight > 0)
		return BW_BUDGET_SOON;
	if (is_question && makes_pair(b, now_ms))
		return BW_BUDGET_GO;
	wait = hold_ms(b, floor, now_ms);
	if (!wait)
		return BW_BUDGET_GO;
	*ret_wait_ms = wait;
	return BW_BUDGET_LATER;
}
