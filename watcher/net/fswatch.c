/*
 * fswatch.c - inotify through libuv. A watch belongs to a folder and not to its
 * path, so a path that leads to another folder than before (removed and made
 * again, a parent renamed) needs another watch. Nobody tells that reliably;
 * therefore each list is watched anew as a whole before what was watched is let
 * go: the kernel gives the same watch for the same folder, and nothing is
 * missed meanwhile.
 */
#include "net/fswatch.h"

#include <uv.h>

#include "core/mem.h"

#define MAX_PATIENCE 10 /* times the quiet time, for a burst that does not end */

struct watch {
	uv_fs_event_t uv;
	struct bw_fswatch *owner;
};

struct watches {
	struct watch **items;
	size_t count, capacity;
};

struct bw_fswatch {
	struct bw_loop *loop;
	struct bw_fswatch_hooks hooks;
	uv_timer_t timer; /* until it has been quiet */
	uint64_t quiet_ms;
	uint64_t burst_at; /* when its first event came; while the timer is active */
	struct watches watches;
	bool is_exhausted; /* has been said */
};

/* --- what is told
 * -----------------------------------------------------------------------------------
 */

/* The owner may free everything in its hook: nothing is touched behind the
 * call. */
static void tell_change(uv_timer_t *t)
{
	struct bw_fswatch *w = t->data;

	w->hooks.changed(w->hooks.arg);
}

/*
 * Which name and what happened to it does not matter. Where the kernel's queue
 * was too short, events are missing, but those before them were told, and led
 * here too.
 */
static void see_event(uv_fs_event_t *uv, const char *name, int events, int status)
{
	struct bw_fswatch *w = ((struct watch *)uv->data)->owner;
	uint64_t now = bw_loop_now(w->loop), delay = w->quiet_ms, last;

	(void)name, (void)events, (void)status;
	if (!uv_is_active((uv_handle_t *)&w->timer))
		w->burst_at = now;
	last = w->burst_at + MAX_PATIENCE * w->quiet_ms;
	if (now + delay > last)
		delay = last > now ? last - now : 0;
	uv_timer_start(&w->timer, tell_change, delay, 0);
}

/* --- what is watched
 * --------------------------------------------------------------------------------
 */

static void release(uv_handle_t *uv)
{
	free(uv->data);
}

static void close_all(struct watches *ws)
{
	for (size_t i = 0; i < ws->count; i++)
		uv_close((uv_handle_t *)&ws->items[i]->uv, release);
	free(ws->items);
	*ws = (struct watches){0};
}

/* Negative as libuv has it. */
static int start_watch(struct bw_fswatch *w, const char *folder)
{
	struct watch *x = BW_NEW(struct watch);
	int rc;

	x->owner = w;
	(void)uv_fs_event_init(bw_loop_uv(w->loop), &x->uv); /* cannot fail here */
	x->uv.data = x;
	uv_unref((uv_handle_t *)&x->uv);
	rc = uv_fs_event_start(&x->uv, see_event, folder, 0);
	if (rc < 0)
		uv_close((uv_handle_t *)&x->uv, release);
	else
		BW_PUSH(w->watches.items, w->watches.count, w->watches.capacity) = x;
	return rc;
}

/* Of the system's resources, or of ours; everything else concerns this one
 * folder, and is not said. */
static bool is_exhaustion(int rc)
{
	return rc == UV_ENOSPC || rc == UV_EMFILE || rc == UV_ENFILE || rc == UV_ENOMEM;
}

/* Adds the index of each folder for which nothing was left to `missing`, and
 * returns the last reason. */
static int watch_folders(struct bw_fswatch *w, const char *const *folders, const size_t *which, size_t count,
			 size_t *missing, size_t *ret_missing)
{
	size_t n = 0;
	int reason = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = which ? which[i] : i;
		int rc = start_watch(w, folders[at]);

		if (!is_exhaustion(rc))
			continue;
		reason = rc;
		missing[n++] = at;
	}
	*ret_missing = n;
	return reason;
}

static void tell_exhaustion(struct bw_fswatch *w, int reason, size_t watched, size_t wanted)
{
	struct bw_err err = BW_ERR_INIT;

	if (reason == UV_ENOSPC) /* whose text speaks of a device */
		bw_fail(&err, BW_E_LIMIT,
			"only %zu of %zu folders can be watched: fs.inotify.max_user_watches", watched,
			wanted);
	else if (reason != 0)
		bw_fail_sys(&err, -reason, "only %zu of %zu folders can be watched", watched, wanted);
	else
		bw_fail(&err, BW_E_LIMIT, "only %d of %zu folders can be watched", BW_FSWATCH_MAX, wanted);
	w->hooks.exhausted(&err, w->hooks.arg);
}

void bw_fswatch_set(struct bw_fswatch *w, const char *const *folders, size_t count)
{
	struct watches old = w->watches;
	size_t most = count < BW_FSWATCH_MAX ? count : BW_FSWATCH_MAX, lacking;
	BW_AUTOFREE size_t *missing = bw_alloc((most + 1) * sizeof(*missing));
	bool was_exhausted = w->is_exhausted;
	int reason;

	w->watches = (struct watches){0};
	reason = watch_folders(w, folders, NULL, most, missing, &lacking);
	close_all(&old);
	if (lacking > 0) /* what was let go just now may be enough */
		reason = watch_folders(w, folders, missing, lacking, missing, &lacking);
	w->is_exhausted = lacking > 0 || most < count;
	if (w->is_exhausted && !was_exhausted)
		tell_exhaustion(w, lacking > 0 ? reason : 0, most - lacking, count);
}

/* --- life
 * -------------------------------------------------------------------------------------------
 */

struct bw_fswatch *bw_fswatch_new(struct bw_loop *l, const struct bw_fswatch_hooks *h, uint32_t quiet_ms)
{
	struct bw_fswatch *w = BW_NEW(struct bw_fswatch);

	w->loop = l;
	w->hooks = *h;
	w->quiet_ms = quiet_ms;
	uv_timer_init(bw_loop_uv(l), &w->timer);
	w->timer.data = w;
	uv_unref((uv_handle_t *)&w->timer);
	return w;
}

void bw_fswatch_free(struct bw_fswatch *w)
{
	if (!w)
		return;
	close_all(&w->watches);
	uv_close((uv_handle_t *)&w->timer, release);
}
