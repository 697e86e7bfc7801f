/* client.c - the front of the room: takes questions, hands them to their host, tells the answers. */
#include "registry/client.h"

#include <string.h>
#include <sys/random.h>

#include "core/mem.h"
#include "registry/crowd.h"
#include "registry/host.h"
#include "registry/internal.h"
#include "registry/list.h"
#include "registry/listing.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/relay.h"

#define MAX_URL_BYTES 8192
#define MAX_QUIET_MS  86400000 /* as long as a registry may ask for */
#define MAX_SPARE     128      /* questions that wait for the next use */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static void release(struct bw_registry *r)
{
	bw_places_done(&r->places);
	bw_list_free(&r->spare);
	bw_buf_done(&r->url);
	bw_buf_done(&r->secret);
	free(r);
}

static void wake(void *arg)
{
	bw_registry_deliver(arg);
}

int bw_registry_new(struct bw_loop *l, const struct bw_registry_options *o, struct bw_registry **ret,
		    struct bw_err *err)
{
	struct bw_registry *r = BW_NEW(struct bw_registry);
	int rc;

	r->loop = l;
	r->credentials = o->credentials;
	r->warned = o->warned;
	r->warned_arg = o->warned_arg;
	r->mirror_turned = o->mirror_turned;
	r->mirror_arg = o->mirror_arg;
	r->whole = r;
	r->refuse = o->refuse;
	r->connect_timeout_ms = or_default(o->connect_timeout_ms, 5000);
	r->answer_timeout_ms = or_default(o->answer_timeout_ms, 10000);
	r->give_up_ms = or_default(o->give_up_ms, 30000);
	r->dead_ms = or_default(o->dead_ms, 30000);
	r->first_retry_ms = 250;
	r->next_retry_ms = 1000;
	bw_buf_init(&r->url, MAX_URL_BYTES);
	bw_buf_init(&r->secret, BW_MAX_CREDENTIALS_BYTES * 2);
	rc = bw_places_init(&r->places, l, o, err);
	if (rc < 0) {
		bw_places_close(&r->places);
		release(r);
		return rc;
	}
	if (getrandom(&r->random, sizeof(r->random), GRND_NONBLOCK) != sizeof(r->random))
		r->random = (uint64_t)(uintptr_t)r;
	r->random |= 1; /* the generator stays at zero for ever */
	r->hosts = bw_map_new();
	bw_crowd_init(r);
	r->wake = bw_timer_new(l, wake, r);
	*ret = r;
	return 0;
}

struct bw_registry *bw_registry_for_strangers(struct bw_registry *r, unsigned refuse)
{
	struct bw_registry *view = BW_NEW(struct bw_registry);

	view->whole = r;
	view->refuse = refuse;
	view->next_view = r->views;
	r->views = view;
	return view;
}

static void free_view(struct bw_registry *view)
{
	if (view->whole) {
		struct bw_registry **at = &view->whole->views;

		while (*at != view)
			at = &(*at)->next_view;
		*at = view->next_view;
	}
	free(view);
}

/* Nothing calls back after bw_places_close(). In a callback of ours deliver() frees the rest behind it. */
void bw_registry_free(struct bw_registry *r)
{
	if (!r || r->is_freed)
		return;
	if (r->whole != r) {
		free_view(r);
		return;
	}
	for (struct bw_registry *view = r->views; view; view = view->next_view)
		view->whole = NULL;
	bw_places_close(&r->places);
	bw_timer_free(r->wake);
	bw_list_free(&r->ending);
	bw_map_free(r->hosts, bw_host_free);
	bw_listing_free_all(BW_TAKE(r->listings));
	bw_relay_free_all(r);
	r->is_freed = true;
	if (!r->is_delivering)
		release(r);
}

/* xorshift64: only spreads retries, nobody must be surprised by it. */
uint64_t bw_registry_jitter(struct bw_registry *r, uint64_t ms)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return ms - ms / 4 + r->random % (ms / 2 + 1);
}

/* --- answers ---------------------------------------------------------------------------------- */

void bw_registry_tell(const struct bw_wish *w, const struct bw_answer *a, const struct bw_buf *body)
{
	if (w->body_fn)
		w->body_fn(a, body, w->arg);
	else
		w->answer_fn(a, w->arg);
}

static void tell(struct bw_question *q)
{
	if (q->relay)
		bw_relay_take(q);
	else if (q->body_fn)
		q->body_fn(&q->answer, q->answer.trouble ? NULL : q->body, q->arg);
	else
		q->answer_fn(&q->answer, q->arg);
}

static void recycle(struct bw_registry *r, struct bw_question *q)
{
	if (r->is_freed || r->spare.count >= MAX_SPARE)
		free(q);
	else
		bw_list_add(&r->spare, q);
}

void bw_registry_deliver(struct bw_registry *r)
{
	struct bw_question *q;

	bw_crowd_serve(r);
	if (r->is_delivering)
		return;
	r->is_delivering = true;
	while (!r->is_freed && (q = bw_list_take(&r->ending))) {
		tell(q);
		recycle(r, q);
	}
	r->is_delivering = false;
	if (r->is_freed)
		release(r);
}

/* --- questions -------------------------------------------------------------------------------- */

static struct bw_host *find_host(const struct bw_registry *r, const char *name)
{
	BW_AUTOFREE char *key = bw_host_key(r, name);

	return bw_map_get(r->hosts, key);
}

struct bw_host *bw_registry_host(struct bw_registry *r, const char *name)
{
	struct bw_host *h = find_host(r, name);

	if (!h) {
		bw_crowd_make_room(r);
		h = bw_host_new(r, name);
		bw_map_put(r->hosts, h->key, h);
	}
	bw_crowd_use(h);
	return h;
}

/* A digest has a colon, and a tag never (distribution-spec "Pulling manifests"). */
static struct bw_digest digest_of(const struct bw_wish *w)
{
	struct bw_digest d = w->digest;

	if (w->tag && bw_digest_parse(w->tag, strlen(w->tag), &d, NULL) < 0)
		d.text[0] = '\0';
	return d;
}

struct bw_question *bw_registry_question(struct bw_registry *r, const char *registry, const char *repository,
					 const struct bw_wish *w)
{
	struct bw_question *q = bw_list_take(&r->spare);

	if (!q)
		q = BW_NEW(struct bw_question);
	*q = (struct bw_question){
		.host = bw_registry_host(r, registry),
		.method = w->tag ? BW_HTTP_HEAD : BW_HTTP_GET,
		.repository = repository,
		.tag = w->tag,
		.digest = digest_of(w),
		.is_blob = w->is_blob,
		.refuse = w->refuse,
		.answer_fn = w->answer_fn,
		.body_fn = w->body_fn,
		.arg = w->arg,
	};
	return q;
}

/* What ends at once is told from the loop: nobody is called back inside of his own question. */
void bw_registry_submit(struct bw_question *q)
{
	struct bw_host *h = q->host;
	struct bw_registry *r = h->registry;

	bw_question_move(q, BW_QUESTION_QUEUED);
	bw_host_pump(h);
	if (r->ending.head && !r->is_delivering)
		bw_timer_start(r->wake, 0);
}

static void begin(struct bw_registry *r, const struct bw_wish *w)
{
	if (!bw_relay_begin(r, w))
		bw_registry_submit(bw_registry_question(r, w->registry, w->repository, w));
}

void bw_registry_ask(struct bw_registry *r, const char *registry, const char *repository, const char *tag,
		     const char *known, bw_answer_fn fn, void *arg)
{
	const struct bw_wish w = {
		.registry = registry,
		.repository = repository,
		.tag = tag,
		.known = known,
		.refuse = r->refuse,
		.answer_fn = fn,
		.arg = arg,
	};

	begin(r->whole, &w);
}

void bw_registry_fetch(struct bw_registry *r, const char *registry, const char *repository,
		       const struct bw_digest *digest, bw_body_fn fn, void *arg)
{
	const struct bw_wish w = {
		.registry = registry,
		.repository = repository,
		.digest = *digest,
		.refuse = r->refuse,
		.body_fn = fn,
		.arg = arg,
	};

	begin(r->whole, &w);
}

void bw_registry_fetch_blob(struct bw_registry *r, const char *registry, const char *repository,
			    const struct bw_digest *digest, bw_body_fn fn, void *arg)
{
	const struct bw_wish w = {
		.registry = registry,
		.repository = repository,
		.digest = *digest,
		.is_blob = true,
		.refuse = r->refuse,
		.body_fn = fn,
		.arg = arg,
	};

	begin(r->whole, &w);
}

unsigned bw_registry_room(struct bw_registry *r, const char *registry)
{
	const struct bw_host *h = find_host(r->whole, registry);
	unsigned held = h ? h->queue.count + h->waiting.count : 0;

	if (h && h->place && h->place->mirror_count > 0)
		held += bw_relay_count(r->whole, h->place);
	return held < BW_HOST_QUEUE ? BW_HOST_QUEUE - held : 0;
}

/* Each change of certificates leaves doors behind; a host goes through its own until it is asked next. */
static bool is_used(const struct bw_door *d, const void *arg)
{
	const struct bw_registry *r = arg;

	return bw_places_use_door(&r->places, d) || bw_crowd_uses_door(r, d);
}

void bw_registry_reload(struct bw_registry *r)
{
	struct bw_places *x = &r->whole->places;

	x->number++;
	bw_doors_sweep(&x->doors, is_used, r->whole);
}

struct bw_registry_counts bw_registry_count(const struct bw_registry *r)
{
	return r->whole->counts;
}

bool bw_registry_look(const struct bw_registry *r, const char *registry, struct bw_registry_facts *ret)
{
	const struct bw_host *h = find_host(r->whole, registry);

	if (!h || !h->has_spoken)
		return false;
	*ret = (struct bw_registry_facts){.is_plain = h->is_plain,
					  .has_clock = h->has_clock,
					  .ahead_ms = h->ahead_ms,
					  .wants_login = h->login.scheme != BW_CHALLENGE_NONE,
					  .login = h->login.source};
	bw_budget_plan(&h->gate.budget, bw_loop_now(h->registry->loop), &ret->budget);
	ret->quiet_ms = bw_host_quiet_ms(h);
	return true;
}

void bw_registry_remember(struct bw_registry *r, const char *registry, const struct bw_registry_standing *x)
{
	uint64_t quiet = x->quiet_ms < MAX_QUIET_MS ? x->quiet_ms : MAX_QUIET_MS;
	struct bw_host *h = bw_registry_host(r->whole, registry);

	if (h->has_spoken)
		return;
	bw_gate_remember(h, x, bw_loop_now(h->registry->loop));
	if (quiet > x->age_ms)
		bw_host_hush(h, quiet - x->age_ms);
}

bool bw_registry_mirror(const struct bw_registry *r, const char *registry, size_t n, const char *repository,
			char **ret_registry, char **ret_repository)
{
	const struct bw_place *p = bw_places_find(&r->whole->places, registry);

	if (!p || n >= p->mirror_count)
		return false;
	*ret_registry = bw_strdup(p->mirrors[n].registry);
	*ret_repository = bw_mirror_repository(&p->mirrors[n], repository);
	return true;
}

bool bw_registry_mirror_look(const struct bw_registry *r, size_t n, struct bw_mirror_facts *ret)
{
	for (size_t i = 0; i < r->whole->places.count; i++) {
		const struct bw_place *p = &r->whole->places.items[i];

		if (n < p->mirror_count) {
			const struct bw_tally *t = &p->tallies[n];

			*ret = (struct bw_mirror_facts){.registry = p->host,
							.mirror = t->name,
							.answers = t->good,
							.unusable = t->bad,
							.why = t->why};
			return true;
		}
		n -= p->mirror_count;
	}
	return false;
}

void bw_registry_trust_absence(struct bw_registry *r)
{
	r->whole->trusts_absence = true;
}
