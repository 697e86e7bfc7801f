#include "command/next.h"

#include <stdlib.h>
#include <string.h>

#include "command/origins.h"
#include "command/setup.h"
#include "core/clock.h"
#include "core/mem.h"
#include "daemon/daemon.h"
#include "daemon/lock.h"
#include "daemon/tracked.h"
#include "store/build.h"
#include "watch/forecast.h"

struct bw_next {
	struct bw_forecast *forecast;
	struct bw_outlook outlook;
	struct bw_outlook_registry *registries;
	size_t count, capacity;
	int64_t now_ms;
};

/* --- what the daemon watches ---------------------------------------------------------------------- */

/* What is known of the sources of the configuration; also what a check of other folders has left is in the store. */
static int choose_watched(const struct bw_args *a, struct bw_store *s, struct bw_err *err)
{
	struct bw_origins o = {0};
	struct bw_ids ids = {0};
	int rc = bw_store_choose_none(s, err);

	if (rc == 0)
		rc = bw_origins_configured(a, &o, err);
	for (size_t i = 0; i < o.count && rc == 0; i++)
		rc = bw_tracked_list(s, &o.items[i], &ids, err);
	if (rc == 0)
		rc = bw_store_choose_builds(s, ids.items, ids.count, err);
	bw_origins_done(&o);
	free(ids.items);
	return rc;
}

static int take_standing(const struct bw_standing *x, void *arg, struct bw_err *err)
{
	(void)err;
	bw_forecast_add_standing(arg, x);
	return 0;
}

static int take_base(const struct bw_poll *p, void *arg, struct bw_err *err)
{
	(void)err;
	bw_forecast_add_base(arg, p);
	return 0;
}

static int foresee(struct bw_next *x, struct bw_store *s, struct bw_err *err)
{
	int rc = bw_store_each_standing(s, take_standing, x->forecast, err);

	if (rc == 0)
		rc = bw_store_each_poll(s, x->now_ms, take_base, x->forecast, err);
	if (rc == 0)
		bw_forecast_end(x->forecast);
	return rc;
}

/* --- as a report has it --------------------------------------------------------------------------- */

static bool find(int64_t base_id, struct bw_next_check *ret, void *arg)
{
	const struct bw_next *x = arg;
	struct bw_forecast_base b;

	if (!bw_forecast_find(x->forecast, base_id, &b))
		return false;
	*ret = (struct bw_next_check){.at_ms = b.at_ms, .reason = b.reason};
	return true;
}

static void add_registry(struct bw_next *x, const struct bw_forecast_registry *r)
{
	const struct bw_standing *s = &r->standing;

	BW_PUSH(x->registries, x->count, x->capacity) =
		(struct bw_outlook_registry){.name = s->registry,
					     .bases = r->bases,
					     .seen_ms = s->seen_ms,
					     .has_budget = s->has_budget,
					     .limit = s->limit,
					     .remaining = s->remaining,
					     .reserved = s->reserved,
					     .window_s = s->window_s,
					     .is_free = s->is_free,
					     .interval_ms = r->interval_ms,
					     .pause = s->pause ? bw_pause_name(s->pause) : NULL,
					     .paused_until_ms = s->paused_until_ms,
					     .text = r->text};
}

static void make_outlook(struct bw_next *x)
{
	struct bw_forecast_registry r;

	for (size_t i = 0; bw_forecast_registry(x->forecast, i, &r); i++)
		if (r.standing.has_budget || r.standing.pause != BW_PAUSE_NONE)
			add_registry(x, &r);
	x->outlook =
		(struct bw_outlook){.find = find, .arg = x, .registries = x->registries, .count = x->count};
}

/* --- the whole ------------------------------------------------------------------------------------ */

void bw_next_free(struct bw_next *x)
{
	if (!x)
		return;
	bw_forecast_free(x->forecast);
	free(x->registries);
	free(x);
}

/* As other verbs do: who names a database and paths needs no configuration, and then it is not looked at. */
static bool is_configured(const struct bw_args *a)
{
	return a->operands.count == 0 || !a->db || a->config;
}

static int make(const struct bw_args *a, struct bw_store *s, const struct bw_conf *c, struct bw_next **ret,
		struct bw_err *err)
{
	struct bw_next *x = BW_NEW(struct bw_next);
	struct bw_schedule_options o = bw_daemon_schedule(c);
	int rc;

	x->now_ms = bw_clock_ms();
	x->forecast = bw_forecast_new(&o, bw_store_uuid(s), x->now_ms);
	rc = choose_watched(a, s, err);
	if (rc == 0)
		rc = foresee(x, s, err);
	if (rc < 0) {
		bw_next_free(x);
		return rc;
	}
	make_outlook(x);
	*ret = x;
	return 0;
}

int bw_next_new(const struct bw_args *a, struct bw_store *s, struct bw_next **ret, struct bw_err *err)
{
	struct bw_conf *c = NULL;
	unsigned pid;
	int rc;

	*ret = NULL;
	/* Where the lock cannot be looked at nobody knows, and nothing is said. */
	if (!is_configured(a) || bw_lock_look(bw_store_path(s), &pid, NULL) <= 0)
		return 0;
	rc = bw_setup_load_again(a, &c, err);
	if (rc == 0 && c->sources.count > 0)
		rc = make(a, s, c, ret, err);
	bw_conf_free(c);
	return rc;
}

struct need {
	const struct bw_next *next;
	bool *is_needed; /* of each registry */
};

static int note_need(const struct bw_poll *p, void *arg, struct bw_err *err)
{
	const struct need *n = arg;

	(void)err;
	for (size_t i = 0; i < n->next->count; i++)
		n->is_needed[i] |= strcmp(n->next->registries[i].name, p->registry) == 0;
	return 0;
}

int bw_next_narrow(struct bw_next *x, struct bw_store *s, struct bw_err *err)
{
	struct need n = {.next = x, .is_needed = bw_alloc(x->count + 1)};
	size_t kept = 0;
	int rc = bw_store_each_poll(s, x->now_ms, note_need, &n, err);

	for (size_t i = 0; i < x->count && rc == 0; i++)
		if (n.is_needed[i])
			x->registries[kept++] = x->registries[i];
	if (rc == 0)
		x->count = x->outlook.count = kept;
	free(n.is_needed);
	return rc;
}

const struct bw_outlook *bw_next_outlook(const struct bw_next *x)
{
	return x ? &x->outlook : NULL;
}
