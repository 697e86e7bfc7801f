/* tags.c - a list of tags, page after page. */
#include "registry/tags.h"

#include <string.h>

#include "core/mem.h"
#include "registry/internal.h"
#include "registry/listing.h"
#include "registry/page.h"
#include "registry/question.h"

#define PER_PAGE 1000 /* more than that ECR refuses with 405, and some do not know `n` at all */

static const struct bw_tags_limits defaults = {.pages = 20, .tags = 20000, .page_bytes = 1U << 20};

struct bw_listing {
	struct bw_listing *prev, *next; /* in r->listings */
	struct bw_registry *r;
	unsigned refuse;
	char *registry, *repository, *query; /* of whom is asked */
	const struct bw_place *place; /* whose mirrors are all there is; NULL: the registry itself is asked */
	char *wanted;		      /* there: the repository, as people call it */
	size_t at;		      /* the mirror that is asked */
	struct bw_answer trouble;     /* of those before it */
	bw_tags_fn fn;
	void *arg;
	struct bw_page page;
	char **asked; /* queries */
	size_t asked_count, asked_capacity;
	unsigned pages, max_pages;
	uint64_t started_ms;
};

static void unlink_listing(struct bw_listing *x)
{
	*(x->prev ? &x->prev->next : &x->r->listings) = x->next;
	if (x->next)
		x->next->prev = x->prev;
}

static void free_listing(struct bw_listing *x)
{
	for (size_t i = 0; i < x->asked_count; i++)
		free(x->asked[i]);
	free(x->asked);
	free(x->registry);
	free(x->repository);
	free(x->query);
	free(x->wanted);
	bw_page_done(&x->page);
	free(x);
}

void bw_listing_free_all(struct bw_listing *first)
{
	struct bw_listing *next;

	for (struct bw_listing *x = first; x; x = next) {
		next = x->next;
		free_listing(x);
	}
}

/* The callback may free the client, which then does not know this one any more. */
static void end(struct bw_listing *x, const struct bw_answer *a, bool is_cut)
{
	const struct bw_tags tags = {.items = (const char *const *)x->page.tags,
				     .count = a->trouble ? 0 : x->page.count,
				     .is_cut = is_cut};

	unlink_listing(x);
	x->fn(a, &tags, x->arg);
	free_listing(x);
}

static void answered(const struct bw_answer *a, void *arg);

static void ask(struct bw_listing *x)
{
	const struct bw_wish w = {
		.registry = x->registry,
		.repository = x->repository,
		.refuse = x->refuse,
		.answer_fn = answered,
		.arg = x,
	};
	struct bw_question *q = bw_registry_question(x->r, x->registry, x->repository, &w);

	BW_PUSH(x->asked, x->asked_count, x->asked_capacity) = bw_strdup(x->page.query);
	x->page.status = 0;
	q->page = &x->page;
	q->query = x->query;
	q->is_brief = x->place && x->pages == 0 && x->at + 1 < x->place->mirror_count;
	if (q->is_brief)
		q->deadline_ms = x->started_ms + x->r->give_up_ms / 2;
	bw_registry_submit(q);
}

static bool was_asked(const struct bw_listing *x, const char *query)
{
	for (size_t i = 0; i < x->asked_count; i++)
		if (strcmp(x->asked[i], query) == 0)
			return true;
	return false;
}

static bool may_go_on(const struct bw_listing *x)
{
	return x->pages < x->max_pages && !x->page.is_full && !was_asked(x, x->page.next) &&
	       bw_loop_now(x->r->loop) - x->started_ms < x->r->give_up_ms;
}

/* It does not like our number of entries: then it shall take its own. */
static bool asks_without_number(struct bw_listing *x)
{
	if (x->pages > 0 || x->page.n == 0 || (x->page.status != 400 && x->page.status != 405))
		return false;
	x->page.n = 0;
	bw_page_begin(&x->page);
	ask(x);
	return true;
}

static void begin(struct bw_listing *x)
{
	x->page.n = PER_PAGE;
	bw_page_begin(&x->page);
	ask(x);
}

static void use_mirror(struct bw_listing *x)
{
	const struct bw_mirror *m = &x->place->mirrors[x->at];

	free(x->registry);
	free(x->repository);
	free(x->query);
	x->registry = bw_strdup(m->registry);
	x->repository = bw_mirror_repository(m, x->wanted);
	x->query = bw_mirror_query(m, x->place->host);
}

/* Gone is what all mirrors lack. */
static void keep_trouble(struct bw_listing *x, const struct bw_answer *a)
{
	if (!x->trouble.trouble ||
	    (bw_trouble_is_absence(x->trouble.trouble) && !bw_trouble_is_absence(a->trouble)))
		x->trouble = *a;
}

static void take_trouble(struct bw_listing *x, const struct bw_answer *a)
{
	const struct bw_answer none = {0};

	if (asks_without_number(x))
		return;
	if (x->pages > 0) {
		end(x, &none, true);
		return;
	}
	keep_trouble(x, a);
	if (!x->place || ++x->at >= x->place->mirror_count) {
		end(x, &x->trouble, false);
		return;
	}
	use_mirror(x);
	begin(x);
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct bw_listing *x = arg;

	if (a->trouble) {
		take_trouble(x, a);
		return;
	}
	x->pages++;
	if (!*x->page.next || !may_go_on(x)) {
		end(x, a, x->page.is_full || *x->page.next);
		return;
	}
	memcpy(x->page.query, x->page.next, sizeof(x->page.query));
	ask(x);
}

void bw_registry_tags(struct bw_registry *r, const char *registry, const char *repository,
		      const struct bw_tags_limits *limits, bw_tags_fn fn, void *arg)
{
	const struct bw_tags_limits l = limits ? *limits : defaults;
	struct bw_listing *x = BW_NEW(struct bw_listing);
	const struct bw_place *place = bw_places_find(&r->whole->places, registry);
	unsigned refuse = r->refuse;

	r = r->whole;
	x->r = r;
	x->refuse = refuse;
	if (place && place->mirrors_only) {
		x->place = place;
		x->wanted = bw_strdup(repository);
		use_mirror(x);
	} else {
		x->registry = bw_strdup(registry);
		x->repository = bw_strdup(repository);
	}
	x->fn = fn;
	x->arg = arg;
	x->max_pages = l.pages ? l.pages : defaults.pages;
	x->page.max_tags = l.tags ? l.tags : defaults.tags;
	x->page.max_bytes = l.page_bytes ? l.page_bytes : defaults.page_bytes;
	x->started_ms = bw_loop_now(r->loop);
	x->next = r->listings;
	if (x->next)
		x->next->prev = x;
	r->listings = x;
	begin(x);
}
