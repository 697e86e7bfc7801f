/* held.c - see command/held.h. */
#include "command/held.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "store/standing.h"

struct bw_held {
	struct bw_outlook outlook;
	struct bw_outlook_registry *registries;
	char **texts;
	size_t count;
};

/* Nobody asks again by himself. */
static bool find(int64_t base_id, struct bw_next_check *ret, void *arg)
{
	(void)base_id;
	(void)ret;
	(void)arg;
	return false;
}

static struct bw_outlook_registry *registry_of(const struct bw_held *x, const char *name)
{
	for (size_t i = 0; i < x->count; i++)
		if (strcmp(x->registries[i].name, name) == 0)
			return &x->registries[i];
	return NULL;
}

static int take_standing(const struct bw_standing *s, void *arg, struct bw_err *err)
{
	struct bw_outlook_registry *r = registry_of(arg, s->registry);

	(void)err;
	if (!r)
		return 0;
	r->seen_ms = s->seen_ms;
	r->has_budget = s->has_budget;
	r->limit = s->limit;
	r->remaining = s->remaining;
	r->reserved = s->reserved;
	r->window_s = s->window_s;
	r->is_free = s->is_free;
	r->pause = s->pause ? bw_pause_name(s->pause) : NULL;
	r->paused_until_ms = s->pause ? s->paused_until_ms : 0;
	return 0;
}

/* "docker.io: 220 bases were not asked: 20 of 100 requests in 6 h are left, ...; may be asked again at 2026-11-21 18:05" */
static void add(struct bw_held *x, const struct bw_sweep_held *h)
{
	char *text = bw_asprintf("%s: %zu base%s not asked: %s", h->registry, h->count,
				 h->count == 1 ? " was" : "s were", h->why);

	x->texts[x->count] = text;
	x->registries[x->count++] = (struct bw_outlook_registry){
		.name = h->registry, .bases = h->count, .text = text, .held_back = h->why};
}

int bw_held_new(struct bw_store *s, const struct bw_sweep_result *r, struct bw_held **ret, struct bw_err *err)
{
	struct bw_held *x = BW_NEW(struct bw_held);
	int rc;

	x->registries = bw_alloc((r->held_count + 1) * sizeof(*x->registries));
	x->texts = bw_alloc((r->held_count + 1) * sizeof(*x->texts));
	for (size_t i = 0; i < r->held_count; i++)
		add(x, &r->held[i]);
	rc = x->count > 0 ? bw_store_each_standing(s, take_standing, x, err) : 0;
	if (rc < 0) {
		bw_held_free(x);
		return rc;
	}
	x->outlook = (struct bw_outlook){.find = find, .registries = x->registries, .count = x->count};
	*ret = x;
	return 0;
}

void bw_held_free(struct bw_held *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->count; i++)
		free(x->texts[i]);
	free(x->texts);
	free(x->registries);
	free(x);
}

const struct bw_outlook *bw_held_outlook(const struct bw_held *x)
{
	return x && x->count > 0 ? &x->outlook : NULL;
}
