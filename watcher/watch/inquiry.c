#include "watch/inquiry.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"

/*
 * An inquiry waits for fetches, a fetch is waited for by inquiries; both are in the lists of `bw_inquiries`, so that
 * what is open can be dropped. A fetch asks where the inquiry that came first has the body; when it is not there, the
 * others of other repositories ask at their own.
 */
struct inquiry {
	struct inquiry *next, *prev;
	struct bw_inquiries *all;
	struct bw_body_origin origin;
	struct bw_bodies *bodies;
	bw_decide_fn decide;
	bw_inquiry_fn done;
	void *arg;
	size_t waiting; /* fetches that it waits for */
	size_t fetched; /* all of them so far */
	size_t bytes;	/* that came */
	int rc;		/* the store failed; told when nothing is waited for any more */
	struct bw_err err;
};

struct fetch {
	struct bw_inquiries *all;
	enum bw_body_kind kind;
	struct bw_digest digest;
	struct inquiry **waiters; /* the first one's origin was asked */
	size_t count, capacity;
};

struct bw_inquiries {
	struct bw_registry *registry;
	struct bw_store *store;
	struct inquiry *open;
	struct bw_map *fetches; /* by digest */
	size_t bodies;
};

struct bw_inquiries *bw_inquiries_new(struct bw_registry *r, struct bw_store *s)
{
	struct bw_inquiries *q = BW_NEW(struct bw_inquiries);

	q->registry = r;
	q->store = s;
	q->fetches = bw_map_new();
	return q;
}

static void free_fetch(void *p)
{
	struct fetch *f = p;

	free(f->waiters);
	free(f);
}

void bw_inquiries_free(struct bw_inquiries *q)
{
	if (!q)
		return;
	while (q->open) {
		struct inquiry *next = q->open->next;

		free(q->open);
		q->open = next;
	}
	bw_map_free(q->fetches, free_fetch);
	free(q);
}

size_t bw_inquiries_bodies(const struct bw_inquiries *q)
{
	return q->bodies;
}

/* --- the end of an inquiry ------------------------------------------------------------------------ */

static void end_inquiry(struct inquiry *x)
{
	if (x->prev)
		x->prev->next = x->next;
	else
		x->all->open = x->next;
	if (x->next)
		x->next->prev = x->prev;
	x->done(x->rc, &x->err, x->arg);
	free(x);
}

/* --- bodies as they come -------------------------------------------------------------------------- */

static void set_beyond(struct bw_answer *why, const char *message)
{
	*why = (struct bw_answer){.trouble = BW_TROUBLE_LIMIT};
	(void)snprintf(why->message, sizeof(why->message), "%s", message);
}

/* It came, matches its digest, and cannot be read: the answer keeps the digest, which tells it from a wrong body. */
static void set_unreadable(const struct bw_digest *d, const struct bw_err *err, struct bw_answer *why)
{
	*why = (struct bw_answer){.trouble = BW_TROUBLE_MALFORMED, .digest = *d};
	if (err->code == BW_E_LIMIT)
		why->trouble = BW_TROUBLE_LIMIT;
	(void)snprintf(why->message, sizeof(why->message), "%.*s", (int)sizeof(why->message) - 1, err->msg);
}

static int take_manifest(const struct fetch *f, const struct bw_answer *a, const struct bw_buf *body,
			 struct bw_manifest *ret, struct bw_answer *why, struct bw_err *err)
{
	struct bw_err problem = BW_ERR_INIT;
	int rc = 0;

	if (bw_manifest_parse(body->data, body->len, a->media_type, ret, &problem) < 0)
		set_unreadable(&f->digest, &problem, why);
	else if (f->all->store)
		rc = bw_store_put_manifest(f->all->store, &f->digest, ret, body->len, bw_clock_ms(), err);
	return rc;
}

static int take_config(const struct fetch *f, const struct bw_buf *body, struct bw_config *ret,
		       struct bw_answer *why, struct bw_err *err)
{
	struct bw_err problem = BW_ERR_INIT;
	int rc = 0;

	if (bw_config_parse(body->data, body->len, ret, &problem) < 0)
		set_unreadable(&f->digest, &problem, why);
	else if (f->all->store)
		rc = bw_store_put_config(f->all->store, &f->digest, body->data, body->len, bw_clock_ms(),
					 err);
	return rc;
}

/* Each inquiry has bodies of its own, so each reads the bytes: this is rare, and cheaper than to share what changes. */
static int give(const struct fetch *f, const struct bw_answer *a, const struct bw_buf *body,
		struct bw_bodies *to, struct bw_err *err)
{
	struct bw_answer why = *a;
	struct bw_manifest manifest = {0};
	struct bw_config config = {0};
	int rc = 0;

	if (!body) {
		bw_bodies_put_missing(to, &f->digest, a);
		return 0;
	}
	if (f->kind == BW_BODY_MANIFEST)
		rc = take_manifest(f, a, body, &manifest, &why, err);
	else
		rc = take_config(f, body, &config, &why, err);
	if (why.trouble != BW_TROUBLE_NONE)
		bw_bodies_put_missing(to, &f->digest, &why);
	else if (f->kind == BW_BODY_MANIFEST)
		bw_bodies_put_manifest(to, &f->digest, &manifest);
	else
		bw_bodies_put_config(to, &f->digest, &config);
	bw_manifest_done(&manifest);
	bw_config_done(&config);
	return rc;
}

/* --- fetching ------------------------------------------------------------------------------------- */

static void go_on(struct inquiry *x);
static void came(const struct bw_answer *a, const struct bw_buf *body, void *arg);

static bool is_elsewhere(const struct inquiry *a, const struct inquiry *b)
{
	return strcmp(a->origin.repository, b->origin.repository) != 0 ||
	       strcmp(a->origin.registry, b->origin.registry) != 0;
}

static void request(struct fetch *f)
{
	const struct bw_body_origin *o = &f->waiters[0]->origin;
	struct bw_registry *r = f->all->registry;

	if (f->kind == BW_BODY_MANIFEST)
		bw_registry_fetch(r, o->registry, o->repository, &f->digest, came, f);
	else
		bw_registry_fetch_blob(r, o->registry, o->repository, &f->digest, came, f);
}

static void await(struct inquiry *x, const struct bw_need *need)
{
	struct fetch *f = bw_map_get(x->all->fetches, need->digest.text);
	bool is_new = !f;

	if (is_new) {
		f = BW_NEW(struct fetch);
		f->all = x->all;
		f->kind = need->kind;
		f->digest = need->digest;
		(void)bw_map_put(x->all->fetches, f->digest.text, f);
	}
	BW_PUSH(f->waiters, f->count, f->capacity) = x;
	x->waiting++;
	x->fetched++;
	if (is_new)
		request(f);
}

/* Those that might find it in their own repository; false: there are none. */
static bool retry_elsewhere(struct fetch *f)
{
	size_t kept = 0;
	struct inquiry *first = f->waiters[0];

	for (size_t i = 0; i < f->count; i++)
		if (is_elsewhere(f->waiters[i], first))
			f->waiters[kept++] = f->waiters[i];
	f->count = kept;
	return kept > 0;
}

/* Is it of no use to ask for that again? What came and cannot be read never changes; what is not there may be late. */
static bool is_for_good(const struct bw_body_origin *o, const struct bw_answer *why)
{
	return bw_digest_is_set(&why->digest) || (o->is_old && bw_trouble_is_absence(why->trouble));
}

static int remember_missing(struct inquiry *x, const struct bw_digest *d)
{
	const struct bw_answer *why = bw_bodies_missing(x->bodies, d);

	if (!why || !x->all->store || x->origin.base_id == 0 || !is_for_good(&x->origin, why))
		return 0;
	return bw_store_put_missing(x->all->store, x->origin.base_id, d, why, bw_clock_ms(), &x->err);
}

static int give_and_keep(const struct fetch *f, const struct bw_answer *a, const struct bw_buf *body,
			 struct inquiry *x)
{
	int rc = give(f, a, body, x->bodies, &x->err);

	return rc < 0 ? rc : remember_missing(x, &f->digest);
}

/* The same within the limits of an inquiry. */
static int give_some(const struct fetch *f, const struct bw_answer *a, const struct bw_buf *body,
		     struct inquiry *x)
{
	struct bw_answer beyond;

	x->bytes += body ? body->len : 0;
	if (x->bytes <= BW_INQUIRY_MAX_BYTES)
		return give_and_keep(f, a, body, x);
	set_beyond(&beyond, "what would have to be compared is too large");
	bw_bodies_put_missing(x->bodies, &f->digest, &beyond);
	return 0;
}

/* Hands out what came; who might find it elsewhere keeps waiting. Fills `served`, returns how many there are. */
static size_t serve(struct fetch *f, const struct bw_answer *a, const struct bw_buf *body,
		    struct inquiry **served)
{
	size_t count = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct inquiry *x = f->waiters[i];

		if (!body && is_elsewhere(x, f->waiters[0]))
			continue;
		if (x->rc == 0)
			x->rc = give_some(f, a, body, x);
		served[count++] = x;
	}
	return count;
}

/* The waiters go on after the last use of the fetch: what they decide next may end them, and need other digests. */
static void came(const struct bw_answer *a, const struct bw_buf *body, void *arg)
{
	struct fetch *f = arg;
	struct inquiry **served = bw_alloc(f->count * sizeof(struct inquiry *));
	size_t count = serve(f, a, body, served);

	f->all->bodies += body != NULL;
	if (!body && retry_elsewhere(f)) {
		request(f);
	} else {
		(void)bw_map_remove(f->all->fetches, f->digest.text);
		free_fetch(f);
	}
	for (size_t i = 0; i < count; i++)
		if (--served[i]->waiting == 0)
			go_on(served[i]);
	free(served);
}

/* --- deciding ------------------------------------------------------------------------------------- */

/* The needs are copied: fetches that end at once would change the list. */
static void await_all(struct inquiry *x)
{
	size_t count;
	const struct bw_need *needs = bw_bodies_needs(x->bodies, &count);
	struct bw_need *copy = bw_alloc(count * sizeof(*copy));

	memcpy(copy, needs, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++) {
		struct bw_answer beyond;

		if (x->fetched < BW_INQUIRY_MAX_FETCHES) {
			await(x, &copy[i]);
			continue;
		}
		set_beyond(&beyond, "it would take too many manifests to compare");
		bw_bodies_put_missing(x->bodies, &copy[i].digest, &beyond);
	}
	free(copy);
}

/* Decides, and meets needs from the store, until there are none or some have to be fetched. */
static void go_on(struct inquiry *x)
{
	size_t needs = 1, met;

	while (x->rc == 0) {
		x->decide(x->bodies, x->arg);
		(void)bw_bodies_needs(x->bodies, &needs);
		if (needs == 0)
			break;
		met = 0;
		if (x->all->store)
			x->rc = bw_store_meet_needs(x->all->store, x->origin.base_id, x->bodies, &met,
						    &x->err);
		if (x->rc == 0 && met == 0)
			await_all(x);
		if (x->waiting > 0)
			return;
	}
	end_inquiry(x);
}

void bw_inquire(struct bw_inquiries *q, const struct bw_body_origin *o, struct bw_bodies *b,
		bw_decide_fn decide, bw_inquiry_fn done, void *arg)
{
	struct inquiry *x = BW_NEW(struct inquiry);

	*x = (struct inquiry){
		.all = q,
		.origin = *o,
		.bodies = b,
		.decide = decide,
		.done = done,
		.arg = arg,
		.next = q->open,
	};
	if (q->open)
		q->open->prev = x;
	q->open = x;
	go_on(x);
}
