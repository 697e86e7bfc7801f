/* crowd.c - see crowd.h. */
#include "registry/crowd.h"

#include <stddef.h>

#include "registry/host.h"
#include "registry/internal.h"

#define MAX_MISSES 8 /* hosts that are looked at in vain for one new one */

static void sit_down(struct bw_seat *ring, struct bw_seat *s)
{
	s->prev = ring->prev;
	s->next = ring;
	s->prev->next = s;
	ring->prev = s;
}

static void stand_up(struct bw_seat *s)
{
	if (!s->next)
		return;
	s->prev->next = s->next;
	s->next->prev = s->prev;
	s->prev = s->next = NULL;
}

void bw_crowd_init(struct bw_registry *r)
{
	r->by_use.prev = r->by_use.next = &r->by_use;
	r->line.prev = r->line.next = &r->line;
}

/* --- who is remembered ------------------------------------------------------------------------ */

static void forget(struct bw_host *h)
{
	(void)bw_map_remove(h->registry->hosts, h->key);
	bw_host_free(h);
}

/*
 * Names of registries come from build files, and a repository may have others in each commit. Those that were not asked
 * for longest are forgotten, with what they told: the next question introduces itself again. Who cannot be is in use now, and
 * goes behind the others, so that for each new name only a few are looked at.
 */
void bw_crowd_make_room(struct bw_registry *r)
{
	unsigned misses = 0;

	while (bw_map_count(r->hosts) >= BW_REGISTRY_HOSTS && misses < MAX_MISSES) {
		struct bw_host *h = r->by_use.next->host;
		bool is_busy = bw_host_is_busy(h);

		if (!is_busy && !bw_host_is_paused(h)) {
			forget(h);
		} else if (!is_busy && !h->is_named && bw_map_count(r->hosts) >= BW_REGISTRY_PAUSED) {
			forget(h);
			return;
		} else {
			bw_crowd_use(h);
			misses++;
		}
	}
}

void bw_crowd_use(struct bw_host *h)
{
	h->by_use.host = h;
	stand_up(&h->by_use);
	sit_down(&h->registry->by_use, &h->by_use);
}

void bw_crowd_leave(struct bw_host *h)
{
	stand_up(&h->by_use);
	stand_up(&h->line);
}

bool bw_crowd_uses_door(const struct bw_registry *r, const struct bw_door *d)
{
	for (const struct bw_seat *s = r->by_use.next; s->host; s = s->next)
		if (s->host->door == d)
			return true;
	return false;
}

/* --- who goes next ---------------------------------------------------------------------------- */

bool bw_crowd_admits(struct bw_host *h)
{
	struct bw_registry *r = h->registry;
	const struct bw_host *first = r->line.next->host;

	if (h->slots > 0)
		return !first && r->slots + h->slots < BW_REGISTRY_SLOTS;
	if (r->slots < BW_REGISTRY_SLOTS && (!first || first == h)) {
		stand_up(&h->line);
		return true;
	}
	h->line.host = h;
	if (!h->line.next)
		sit_down(&r->line, &h->line);
	return false;
}

void bw_crowd_serve(struct bw_registry *r)
{
	struct bw_host *h;

	while (r->slots < BW_REGISTRY_SLOTS && (h = r->line.next->host)) {
		bw_host_pump(h);
		/* It has nothing to ask any more, or not now. */
		if (r->slots < BW_REGISTRY_SLOTS && r->line.next->host == h)
			stand_up(&h->line);
	}
}
