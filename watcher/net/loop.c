/* loop.c - libuv behind one door: handles live in their owner and are freed in their close callback only. */
#include "net/loop.h"

#include <assert.h>
#include <stddef.h>
#include <uv.h>

#include "core/mem.h"

/* A ring with a head. */
struct link {
	struct link *prev, *next;
};

struct bw_loop {
	uv_loop_t *uv; /* behind a pointer, so that reading the clock leaves the loop const */
	bool is_running;
	/*
	 * Timers without a delay. libuv (1.44) would run one that is armed anew in its own callback again and again, and
	 * never get to its poll: work that is cut into turns would be one long one.
	 */
	struct link soon;
	uv_idle_t idle; /* called once a turn, while there are some */
	/* How long turns take, where somebody wants to know. */
	uv_prepare_t prepare; /* called before each poll */
	bool is_metered;
	uint64_t turn_at_ns,
		idle_ns; /* at the last reading: the time, and all time spent waiting until then */
	uint64_t longest_ns;
	uint32_t slow_ms;
	void (*slow)(uint32_t ms, void *arg);
	void *slow_arg;
};

struct bw_timer {
	uv_timer_t uv;
	struct link soon; /* among those without a delay; NULL: it is not */
	struct bw_loop *loop;
	bw_timer_fn fn;
	void *arg;
};

struct bw_signal {
	uv_signal_t uv;
	struct bw_loop *loop;
	bw_signal_fn fn;
	void *arg;
};

int bw_loop_new(struct bw_loop **ret, struct bw_err *err)
{
	struct bw_loop *l = BW_NEW(struct bw_loop);
	int rc;

	l->uv = BW_NEW(uv_loop_t);
	rc = uv_loop_init(l->uv);
	if (rc < 0) {
		free(l->uv);
		free(l);
		return bw_fail_sys(err, -rc, "event loop");
	}
	l->soon.prev = l->soon.next = &l->soon;
	(void)uv_idle_init(l->uv, &l->idle);
	l->idle.data = l;
	*ret = l;
	return 0;
}

/*
 * Handles that were freed just before are still closing: their memory goes in the turns that are made here.
 */
void bw_loop_free(struct bw_loop *l)
{
	int rc;

	if (!l)
		return;
	uv_close((uv_handle_t *)&l->idle, NULL);
	if (l->is_metered)
		uv_close((uv_handle_t *)&l->prepare, NULL);
	while ((rc = uv_loop_close(l->uv)) == UV_EBUSY && uv_loop_alive(l->uv))
		uv_run(l->uv, UV_RUN_NOWAIT);
	assert(rc == 0); /* someone freed the loop before what lives on it */
	free(l->uv);
	free(l);
}

/*
 * A turn is what happens between two waits. libuv calls back for descriptors inside of its poll, so the time between
 * its check and prepare handles is only half of one; what it counts as idle is the waiting alone. Returns the length in
 * nanoseconds, and begins the next one.
 */
static uint64_t end_turn(struct bw_loop *l)
{
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(l->uv);
	uint64_t passed = now - l->turn_at_ns, waited = idle - l->idle_ns;

	l->turn_at_ns = now;
	l->idle_ns = idle;
	return passed > waited ? passed - waited : 0;
}

/* The owner is called last: it may do as it likes, and what it does belongs to the next turn. */
static void judge_turn(struct bw_loop *l)
{
	uint64_t turn = end_turn(l), ms = turn / 1000000;

	if (turn > l->longest_ns)
		l->longest_ns = turn;
	if (l->slow && ms > l->slow_ms)
		l->slow(ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX, l->slow_arg);
}

static void judge_last_turn(uv_prepare_t *p)
{
	judge_turn(p->data);
}

void bw_loop_begin_turn(struct bw_loop *l)
{
	if (l->is_metered)
		(void)end_turn(l);
}

void bw_loop_run(struct bw_loop *l)
{
	bw_loop_begin_turn(l); /* what happened outside is no turn */
	l->is_running = true;
	uv_run(l->uv, UV_RUN_DEFAULT);
	l->is_running = false;
	if (l->is_metered)
		judge_turn(l);
}

static void start_meter(struct bw_loop *l)
{
	(void)uv_loop_configure(l->uv, UV_METRICS_IDLE_TIME); /* known since 1.39 */
	uv_prepare_init(l->uv, &l->prepare);
	l->prepare.data = l;
	uv_prepare_start(&l->prepare, judge_last_turn);
	uv_unref((uv_handle_t *)&l->prepare);
	l->is_metered = true;
	(void)end_turn(l);
}

void bw_loop_on_slow(struct bw_loop *l, uint32_t limit_ms, void (*fn)(uint32_t ms, void *arg), void *arg)
{
	l->slow_ms = limit_ms;
	l->slow = fn;
	l->slow_arg = arg;
	if (!l->is_metered)
		start_meter(l);
}

uint64_t bw_loop_longest(const struct bw_loop *l)
{
	return l->longest_ns / 1000000;
}

void bw_loop_stop(struct bw_loop *l)
{
	uv_stop(l->uv);
}

/*
 * Outside of bw_loop_run() nothing moves libuv's clock: a walk over a large tree before the first question
 * would make that question look seconds old.
 */
static void refresh_clock(const struct bw_loop *l)
{
	if (!l->is_running)
		uv_update_time(l->uv);
}

uint64_t bw_loop_now(const struct bw_loop *l)
{
	refresh_clock(l);
	return uv_now(l->uv);
}

uint64_t bw_loop_clock(const struct bw_loop *l)
{
	(void)l;
	return uv_hrtime() / 1000000;
}

void *bw_loop_uv(struct bw_loop *l)
{
	return l->uv;
}

struct bw_timer *bw_timer_new(struct bw_loop *l, bw_timer_fn fn, void *arg)
{
	struct bw_timer *t = BW_NEW(struct bw_timer);

	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	uv_timer_init(l->uv, &t->uv);
	t->uv.data = t;
	return t;
}

/* The owner may free the timer in `fn`: nothing is touched behind the call. */
static void fire_timer(uv_timer_t *uv)
{
	struct bw_timer *t = uv->data;

	t->fn(t->arg);
}

static void insert(struct link *x, struct link *before)
{
	x->prev = before->prev;
	x->next = before;
	x->prev->next = x;
	before->prev = x;
}

static void take_out(struct link *x)
{
	if (!x->next)
		return;
	x->prev->next = x->next;
	x->next->prev = x->prev;
	x->prev = x->next = NULL;
}

static struct bw_timer *timer_of(struct link *x)
{
	return (struct bw_timer *)(void *)((char *)x - offsetof(struct bw_timer, soon));
}

/* Those that are armed by now, and each once: what they arm has the next turn. */
static void fire_soon(uv_idle_t *idle)
{
	struct bw_loop *l = idle->data;
	struct link end;

	insert(&end, &l->soon);
	while (l->soon.next != &end) {
		struct bw_timer *t = timer_of(l->soon.next);

		take_out(&t->soon);
		t->fn(t->arg);
	}
	take_out(&end);
	if (l->soon.next == &l->soon)
		(void)uv_idle_stop(&l->idle);
}

static void start_soon(struct bw_timer *t)
{
	uv_timer_stop(&t->uv);
	if (t->soon.next)
		return;
	insert(&t->soon, &t->loop->soon);
	(void)uv_idle_start(&t->loop->idle, fire_soon);
}

void bw_timer_start(struct bw_timer *t, uint64_t delay_ms)
{
	if (delay_ms == 0) {
		start_soon(t);
		return;
	}
	take_out(&t->soon);
	refresh_clock(t->loop);
	uv_timer_start(&t->uv, fire_timer, delay_ms, 0);
}

void bw_timer_stop(struct bw_timer *t)
{
	take_out(&t->soon);
	uv_timer_stop(&t->uv);
}

bool bw_timer_is_armed(const struct bw_timer *t)
{
	return t->soon.next || uv_is_active((const uv_handle_t *)&t->uv) != 0;
}

static void release_handle(uv_handle_t *uv)
{
	free(uv->data);
}

void bw_timer_free(struct bw_timer *t)
{
	if (!t)
		return;
	take_out(&t->soon);
	uv_close((uv_handle_t *)&t->uv, release_handle);
}

static void fire_signal(uv_signal_t *uv, int signum)
{
	struct bw_signal *s = uv->data;

	bw_loop_begin_turn(s->loop);
	s->fn(signum, s->arg);
}

int bw_signal_new(struct bw_loop *l, int signum, bw_signal_fn fn, void *arg, struct bw_signal **ret,
		  struct bw_err *err)
{
	struct bw_signal *s = BW_NEW(struct bw_signal);
	int rc;

	s->loop = l;
	s->fn = fn;
	s->arg = arg;
	rc = uv_signal_init(l->uv, &s->uv);
	if (rc < 0) {
		free(s);
		return bw_fail_sys(err, -rc, "signal %d", signum);
	}
	s->uv.data = s;
	rc = uv_signal_start(&s->uv, fire_signal, signum);
	if (rc < 0) {
		bw_signal_free(s);
		return bw_fail_sys(err, -rc, "signal %d", signum);
	}
	uv_unref((uv_handle_t *)&s->uv); /* waiting for a signal is no work */
	*ret = s;
	return 0;
}

void bw_signal_free(struct bw_signal *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->uv, release_handle);
}

const char *bw_loop_version(void)
{
	return uv_version_string();
}
