/*
 * judge.c - see judge.h. A case goes through at most these steps:
 *
 *   settle    only where the registry has disagreed with itself: asked again until two answers in a row agree
 *   inquire   the bodies that the class takes, for each platform of the base's uses
 *   ask again only when the registry does not have the manifest that it has just named: another answer shows that its
 *             replicas disagree, and leads back to settling
 */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "image/platform.h"
#include "watch/classify.h"

#define SETTLE_MS      30000
#define MAX_VIEWS      256 /* beyond, what builds stand on is compared later: store/base.h, uncompared */
#define SETTLE_ANSWERS 5   /* after so many without two in a row that agree nothing is believed */
#define HOLD_SWEEPS    2   /* so many in a row wait for bodies that cannot be had just now */
#define MAX_INQUIRIES  16 /* of a registry: with the limits of each this bounds what a hostile one can fill */

/* What some uses stand on, and for which platform; wants[i] and classed[i] are those of views[i]. */
struct view {
	char *name; /* of the platform, as uses have it; NULL: none is named */
	struct bw_digest from;
};

struct hearing {
	struct hearing *prev, *next;
	struct hearing *next_ready;
	struct bw_judge *judge;
	struct bw_case is;
	bw_judged_fn fn;
	void *arg;

	struct bw_answer answer; /* the one that is judged */
	unsigned answers;	 /* heard while settling */
	bool is_asked_again;	 /* because the manifest was not there */
	struct bw_timer *timer;	 /* between two answers; NULL: never needed */

	struct bw_digest from;
	uint32_t seen_number;
	struct bw_bodies *bodies;
	struct view *views; /* those of `from` first, then the others digest by digest */
	struct bw_platform *wants;
	struct bw_classed *classed;
	size_t view_count, view_capacity;
};

struct bw_judge {
	struct bw_loop *loop;
	struct bw_store *store;
	struct bw_registry *registry;
	struct bw_inquiries *inquiries;
	uint32_t settle_ms;
	struct hearing *open;
	struct hearing *ready, **ready_end; /* those that wait for others of their registry to end */
};

struct bw_judge *bw_judge_new(struct bw_loop *l, struct bw_store *s, struct bw_registry *r,
			      struct bw_inquiries *inquiries, uint32_t settle_ms)
{
	struct bw_judge *j = BW_NEW(struct bw_judge);

	*j = (struct bw_judge){
		.loop = l,
		.store = s,
		.registry = r,
		.inquiries = inquiries,
		.settle_ms = settle_ms ? settle_ms : SETTLE_MS,
	};
	j->ready_end = &j->ready;
	return j;
}

static void drop_views(struct hearing *h)
{
	for (size_t i = 0; i < h->view_count; i++) {
		free(h->views[i].name);
		if (h->classed)
			free(h->classed[i].moved);
	}
	free(h->views);
	free(h->wants);
	free(h->classed);
	h->views = NULL;
	h->wants = NULL;
	h->classed = NULL;
	h->view_count = h->view_capacity = 0;
	bw_bodies_free(h->bodies);
	h->bodies = NULL;
}

static void drop(struct hearing *h)
{
	drop_views(h);
	if (h->timer)
		bw_timer_free(h->timer);
	free(h);
}

void bw_judge_free(struct bw_judge *j)
{
	if (!j)
		return;
	while (j->open) {
		struct hearing *next = j->open->next;

		drop(j->open);
		j->open = next;
	}
	free(j);
}

/* --- the judgement -------------------------------------------------------------------------------- */

void bw_judge_change_free(struct bw_change *change)
{
	if (!change)
		return;
	for (size_t i = 0; i < change->comparison_count; i++) {
		free((void *)(uintptr_t)change->comparisons[i].platform);
		free((void *)(uintptr_t)change->comparisons[i].moved);
	}
	free((void *)(uintptr_t)change->comparisons);
	free(change);
}

/* Ends the case. `change` is the receiver's. */
static void close_case(struct hearing *h, int rc, const struct bw_err *err, struct bw_change *change)
{
	if (h->prev)
		h->prev->next = h->next;
	else
		h->judge->open = h->next;
	if (h->next)
		h->next->prev = h->prev;
	h->fn(rc, err, &h->answer, change, h->arg);
	drop(h);
}

static void close_with_trouble(struct hearing *h, enum bw_trouble trouble, uint32_t retry_after_s,
			       const char *message)
{
	h->answer.trouble = trouble;
	h->answer.retry_after_s = retry_after_s;
	(void)snprintf(h->answer.message, sizeof(h->answer.message), "%s", message);
	close_case(h, 0, NULL, NULL);
}

/* Of the digest that the change starts from? The others say what builds of before think of it. */
static bool is_of_change(const struct hearing *h, size_t i)
{
	return bw_digest_equal(&h->views[i].from, &h->from);
}

/* The views become the change's, texts and all. */
static struct bw_change *change_of(struct hearing *h)
{
	struct bw_change *change = BW_NEW(struct bw_change);
	struct bw_comparison *to = bw_alloc(h->view_count * sizeof(*to));
	bool is_first = true;

	*change = (struct bw_change){.from = h->from, .comparisons = to, .comparison_count = h->view_count};
	for (size_t i = 0; i < h->view_count; i++) {
		to[i].from = h->views[i].from;
		to[i].platform = BW_TAKE(h->views[i].name);
		to[i].class = h->classed[i].class;
		to[i].moved = BW_TAKE(h->classed[i].moved);
		if (is_of_change(h, i) && (is_first || to[i].class < change->class)) {
			change->class = to[i].class;
			change->moved = to[i].moved;
			is_first = false;
		}
	}
	return change;
}

/* What something had to be left undecided for: rather what may pass; NULL: all is decided. */
static const struct bw_answer *held_by(const struct hearing *h)
{
	const struct bw_answer *found = NULL;

	for (size_t i = 0; i < h->view_count; i++) {
		const struct bw_answer *why = is_of_change(h, i) ? h->classed[i].held_by : NULL;

		if (why && (!found ||
			    (bw_trouble_is_passing(why->trouble) && !bw_trouble_is_passing(found->trouble))))
			found = why;
	}
	return found;
}

static bool is_absent(const struct bw_answer *why)
{
	return why && bw_trouble_is_absence(why->trouble);
}

/* Other bytes than the digest says: the registry is broken. Bytes that are right but cannot be read are a change. */
static bool is_wrong(const struct bw_answer *why)
{
	return why && why->trouble == BW_TROUBLE_MALFORMED && !bw_digest_is_set(&why->digest);
}

/* The answer keeps its digest: that is what the tag points to, whatever is behind it. */
static void wait_for_body(struct hearing *h, const struct bw_answer *why)
{
	char digest[BW_DIGEST_SHORT_MAX];
	BW_AUTOFREE char *message = bw_asprintf("moved to %s, of which not all could be fetched: %s",
						bw_digest_short(h->answer.digest.text, digest), why->message);

	close_with_trouble(h, why->trouble, why->retry_after_s, message);
}

/* What its registry no longer has need not be asked for again: only what the base had before, which nothing brings back. */
static int remember_gone(struct hearing *h, struct bw_err *err)
{
	const struct bw_answer *why = bw_bodies_missing(h->bodies, &h->from);

	return is_absent(why) ? bw_store_put_missing(h->judge->store, h->is.base_id, &h->from, why,
						     bw_clock_ms(), err)
			      : 0;
}

static void ask_again(struct hearing *h);

static void conclude(struct hearing *h)
{
	const struct bw_answer *why = held_by(h);
	const struct bw_answer *body = bw_bodies_missing(h->bodies, &h->answer.digest);
	struct bw_err err = BW_ERR_INIT;
	int rc;

	if (is_wrong(body)) {
		h->answer.digest = (struct bw_digest){0};
		close_with_trouble(h, body->trouble, 0, body->message);
	} else if (is_absent(body) && !h->is_asked_again) {
		h->is_asked_again = true;
		ask_again(h);
	} else if (why && (bw_trouble_is_passing(why->trouble) || is_wrong(why)) &&
		   h->is.waited < HOLD_SWEEPS) {
		wait_for_body(h, why);
	} else {
		rc = remember_gone(h, &err);
		close_case(h, rc, &err, rc < 0 ? NULL : change_of(h));
	}
}

static void begin_next(struct bw_judge *j);

static void decided(int rc, const struct bw_err *err, void *arg)
{
	struct hearing *h = arg;
	struct bw_judge *j = h->judge;

	--*h->is.open;
	if (rc < 0)
		close_case(h, rc, err, NULL);
	else
		conclude(h);
	begin_next(j);
}

/* All views of one digest at once: they have much in common. */
static void decide(struct bw_bodies *b, void *arg)
{
	struct hearing *h = arg;
	size_t first = 0, end;

	for (; first < h->view_count; first = end) {
		const struct bw_class_question q = {
			.from = &h->views[first].from,
			.to = &h->answer.digest,
			.seen_number = h->seen_number,
		};

		for (end = first; end < h->view_count; end++) {
			if (!bw_digest_equal(&h->views[end].from, q.from))
				break;
			free(h->classed[end].moved);
			h->classed[end].moved = NULL;
		}
		bw_classify(b, &q, h->wants + first, end - first, h->classed + first);
	}
}

static int add_view(const char *digest, const char *platform, void *arg, struct bw_err *err)
{
	struct hearing *h = arg;
	struct view v = {.name = bw_strdup_null(platform)};

	(void)err;
	/* It comes from the store, which only takes valid ones; what is new is compared with nothing. */
	if (bw_digest_parse(digest, strlen(digest), &v.from, NULL) < 0 ||
	    bw_digest_equal(&v.from, &h->answer.digest) || h->view_count >= MAX_VIEWS)
		free(v.name);
	else
		BW_PUSH(h->views, h->view_count, h->view_capacity) = v;
	return 0;
}

/* A platform that cannot be read is none; only a database that somebody edited has one. */
static void prepare_views(struct hearing *h)
{
	if (h->view_count == 0 || !is_of_change(h, 0))
		(void)add_view(h->from.text, NULL, h, NULL);
	h->wants = bw_alloc(h->view_count * sizeof(*h->wants));
	h->classed = bw_alloc(h->view_count * sizeof(*h->classed));
	for (size_t i = 0; i < h->view_count; i++) {
		const char *name = h->views[i].name;

		if (name && bw_platform_parse(name, strlen(name), &h->wants[i], NULL) < 0)
			h->wants[i] = (struct bw_platform){0};
	}
}

/*
 * A digest that the base had before may be known as missing since it was replaced, but now it is there again: what is
 * missing is asked for anew.
 */
static void begin_inquiry(struct hearing *h)
{
	struct bw_judge *j = h->judge;
	struct bw_body_origin origin = {.registry = h->is.registry, .repository = h->is.repository};
	struct bw_err err = BW_ERR_INIT;
	int rc;

	drop_views(h);
	h->bodies = bw_bodies_new();
	rc = bw_store_find_sighting(j->store, h->is.base_id, &h->answer.digest, &h->seen_number, &err);
	if (rc == 0)
		rc = bw_store_each_stand(j->store, h->is.base_id, bw_clock_ms(), add_view, h, &err);
	if (rc < 0) {
		close_case(h, rc, &err, NULL);
		return;
	}
	prepare_views(h);
	if (h->seen_number == 0)
		origin.base_id = h->is.base_id;
	++*h->is.open;
	bw_inquire(j->inquiries, &origin, h->bodies, decide, decided, h);
}

/* Not more at once than MAX_INQUIRIES; the others wait in the order in which they came. */
static void inquire(struct hearing *h)
{
	struct bw_judge *j = h->judge;

	if (*h->is.open < MAX_INQUIRIES) {
		begin_inquiry(h);
		return;
	}
	h->next_ready = NULL;
	*j->ready_end = h;
	j->ready_end = &h->next_ready;
}

static void begin_next(struct bw_judge *j)
{
	for (struct hearing **at = &j->ready; *at; at = &(*at)->next_ready) {
		struct hearing *h = *at;

		if (*h->is.open >= MAX_INQUIRIES)
			continue;
		*at = h->next_ready;
		if (!*at)
			j->ready_end = at;
		begin_inquiry(h);
		return;
	}
}

/* --- asking again --------------------------------------------------------------------------------- */

static void wait_and_ask(struct hearing *h);

static bool has_base_digest(const struct hearing *h)
{
	return bw_digest_equal(&h->answer.digest, &h->from);
}

/* It is believed. */
static void settled(struct hearing *h)
{
	if (has_base_digest(h))
		close_case(h, 0, NULL, NULL);
	else
		inquire(h);
}

static void disagree(struct hearing *h)
{
	struct bw_err err = BW_ERR_INIT;
	int rc = bw_store_put_disagreement(h->judge->store, h->is.registry, bw_clock_ms(), &err);

	if (rc < 0) {
		close_case(h, rc, &err, NULL);
	} else if (h->answers >= SETTLE_ANSWERS) {
		h->answer.digest = (struct bw_digest){0};
		close_with_trouble(h, BW_TROUBLE_UNSETTLED, 0,
				   "asked again and again, it gave different digests");
	} else {
		wait_and_ask(h);
	}
}

static void heard_again(const struct bw_answer *a, void *arg)
{
	struct hearing *h = arg;
	bool agrees = !a->trouble && bw_digest_equal(&a->digest, &h->answer.digest);

	h->answer = *a;
	h->answers++;
	if (a->trouble)
		close_case(h, 0, NULL, NULL);
	else if (agrees)
		settled(h);
	else
		disagree(h);
}

static void ask_again(struct hearing *h)
{
	bw_registry_ask(h->judge->registry, h->is.registry, h->is.repository, h->is.tag, NULL, heard_again,
			h);
}

static void on_timer(void *arg)
{
	ask_again(arg);
}

static void wait_and_ask(struct hearing *h)
{
	if (!h->timer)
		h->timer = bw_timer_new(h->judge->loop, on_timer, h);
	bw_timer_start(h->timer, h->judge->settle_ms);
}

void bw_judge_hear(struct bw_judge *j, const struct bw_case *c, const struct bw_answer *a, bw_judged_fn fn,
		   void *arg)
{
	struct hearing *h = BW_NEW(struct hearing);
	struct bw_err err = BW_ERR_INIT;
	bool has_disagreed = false;
	int rc;

	*h = (struct hearing){
		.judge = j, .is = *c, .fn = fn, .arg = arg, .answer = *a, .answers = 1, .next = j->open};
	if (j->open)
		j->open->prev = h;
	j->open = h;
	rc = bw_digest_parse(c->digest, strlen(c->digest), &h->from, &err);
	if (rc == 0)
		rc = bw_store_has_disagreed(j->store, c->registry, &has_disagreed, &err);
	if (rc < 0)
		close_case(h, rc, &err, NULL);
	else if (has_disagreed)
		wait_and_ask(h);
	else
		inquire(h);
}
