/* relay.c - see relay.h. */
#include "registry/relay.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/host.h"
#include "registry/places.h"
#include "registry/question.h"

#define BITS	 64 /* of `lacking`: further mirrors are judged by themselves */
#define LEAST_MS 50 /* a mirror that would have less time than this is not asked */

struct bw_relay {
	struct bw_relay *prev, *next;
	struct bw_registry *registry;
	const struct bw_place *place;
	struct bw_wish wish;
	size_t at;		  /* the mirror that is asked; their count: the registry itself */
	uint64_t until_ms;	  /* of all mirrors */
	char *repository, *query; /* at the one that is asked */

	uint64_t lacking; /* mirrors, as bits, that say that it is not there: the registry itself knows */
	const struct bw_mirror *claimant; /* names another digest ... */
	struct bw_digest claimed;	  /* ... this one */
	const struct bw_mirror *first;	  /* whose trouble `trouble` is; NULL: none had any */
	struct bw_answer trouble;	  /* of the first, unless another has more of it */
};

static bool is_only(const struct bw_relay *y)
{
	return y->place->mirrors_only;
}

static bool is_at_mirror(const struct bw_relay *y)
{
	return y->at < y->place->mirror_count;
}

/* --- the list --------------------------------------------------------------------------------- */

static struct bw_relay *new_relay(struct bw_registry *r, const struct bw_place *place,
				  const struct bw_wish *w)
{
	struct bw_relay *y = BW_NEW(struct bw_relay);

	*y = (struct bw_relay){
		.registry = r,
		.place = place,
		.wish = *w,
		.until_ms = bw_loop_now(r->loop) + r->give_up_ms / 2,
		.next = r->relays,
	};
	if (r->relays)
		r->relays->prev = y;
	r->relays = y;
	return y;
}

static void dispose(struct bw_relay *y)
{
	free(y->repository);
	free(y->query);
	free(y);
}

static void free_relay(struct bw_relay *y)
{
	*(y->prev ? &y->prev->next : &y->registry->relays) = y->next;
	if (y->next)
		y->next->prev = y->prev;
	dispose(y);
}

void bw_relay_free_all(struct bw_registry *r)
{
	struct bw_relay *next;

	for (struct bw_relay *y = r->relays; y; y = next) {
		next = y->next;
		dispose(y);
	}
	r->relays = NULL;
}

unsigned bw_relay_count(const struct bw_registry *r, const struct bw_place *place)
{
	unsigned n = 0;

	for (const struct bw_relay *y = r->relays; y; y = y->next)
		n += y->place == place && is_at_mirror(y);
	return n;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* One that has just asked for peace, or is being tried after it was silent, holds nobody up who can go elsewhere. */
static bool may_ask(const struct bw_relay *y, const struct bw_host *h)
{
	uint64_t now = bw_loop_now(y->registry->loop);

	if (is_only(y))
		return true;
	if (now + LEAST_MS >= y->until_ms || h->gate.quiet_until > now)
		return false;
	return h->state != BW_CIRCUIT_PROBING || !h->failure.trouble;
}

static void ask_mirror(struct bw_relay *y, const struct bw_mirror *m)
{
	struct bw_question *q;

	free(y->repository);
	free(y->query);
	y->repository = bw_mirror_repository(m, y->wish.repository);
	y->query = bw_mirror_query(m, y->wish.registry);
	q = bw_registry_question(y->registry, m->registry, y->repository, &y->wish);
	q->relay = y;
	q->query = y->query;
	q->is_brief = !is_only(y) || y->at + 1 < y->place->mirror_count;
	q->is_one_of_many = !is_only(y);
	if (q->is_brief)
		q->deadline_ms = y->until_ms;
	bw_registry_submit(q);
}

/* The next one; when there are only mirrors, there is one. */
static void go_on(struct bw_relay *y)
{
	struct bw_question *q;

	for (; is_at_mirror(y); y->at++) {
		const struct bw_mirror *m = &y->place->mirrors[y->at];

		if (may_ask(y, bw_registry_host(y->registry, m->registry))) {
			ask_mirror(y, m);
			return;
		}
	}
	q = bw_registry_question(y->registry, y->wish.registry, y->wish.repository, &y->wish);
	q->relay = y;
	bw_registry_submit(q);
}

bool bw_relay_begin(struct bw_registry *r, const struct bw_wish *w)
{
	const struct bw_place *place = bw_registry_host(r, w->registry)->place;

	if (!place || place->mirror_count == 0)
		return false;
	if (!w->body_fn && !(w->known && *w->known) && !place->mirrors_only)
		return false;
	go_on(new_relay(r, place, w));
	return true;
}

/* --- of what use they are --------------------------------------------------------------------- */

static struct bw_tally *tally_of(const struct bw_relay *y, const struct bw_mirror *m)
{
	return &y->place->tallies[m - y->place->mirrors];
}

static void judge(const struct bw_relay *y, struct bw_tally *t, enum bw_trouble trouble, const char *why)
{
	const struct bw_registry *r = y->registry;
	bool has_turned;

	assert(t); /* a place with mirrors has them */
	has_turned = why ? bw_tally_bad(t, trouble, why) : bw_tally_good(t);
	if (has_turned && r->mirror_turned)
		r->mirror_turned(y->wish.registry, t->name, why, r->mirror_arg);
}

/* What it lacks, the registry itself may lack as well: then it was right. Where nobody else is asked it was of no use. */
static void judge_trouble(struct bw_relay *y, const struct bw_answer *a)
{
	struct bw_tally *t = &y->place->tallies[y->at];
	const char *words = bw_tally_words(t, a->message);

	if (is_only(y) || !bw_trouble_is_absence(a->trouble) || y->at >= BITS) {
		judge(y, t, a->trouble, words);
		return;
	}
	y->lacking |= UINT64_C(1) << y->at;
	(void)snprintf(t->absence, sizeof(t->absence), "%s", words);
}

static void judge_claim(const struct bw_relay *y, const struct bw_answer *a)
{
	char claimed[BW_DIGEST_SHORT_MAX], own[BW_DIGEST_SHORT_MAX], why[BW_ANSWER_MESSAGE_MAX];

	if (a->trouble)
		return;
	(void)snprintf(why, sizeof(why), "names %s, and the registry itself %s",
		       bw_digest_short(y->claimed.text, claimed), bw_digest_short(a->digest.text, own));
	judge(y, tally_of(y, y->claimant), BW_TROUBLE_NONE,
	      bw_digest_equal(&y->claimed, &a->digest) ? NULL : why);
}

/* The registry itself has answered. */
static void judge_late(const struct bw_relay *y, const struct bw_answer *a)
{
	bool is_absent = bw_trouble_is_absence(a->trouble);

	for (size_t i = 0; i < y->place->mirror_count && i < BITS; i++) {
		struct bw_tally *t = tally_of(y, &y->place->mirrors[i]);

		if (y->lacking >> i & 1)
			judge(y, t, BW_TROUBLE_TAG_GONE, is_absent ? NULL : t->absence);
	}
	if (y->claimant)
		judge_claim(y, a);
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool is_believed(const struct bw_relay *y, const struct bw_answer *a)
{
	return y->wish.body_fn || is_only(y) || strcmp(a->digest.text, y->wish.known) == 0;
}

/* The trouble of the registry itself is the answer; people want to know what its mirrors had to do with it. */
static void explain(const struct bw_relay *y, struct bw_answer *a)
{
	char message[BW_ANSWER_MESSAGE_MAX], digest[BW_DIGEST_SHORT_MAX];
	size_t len = strlen(a->message), size = sizeof(a->message) - len;

	if (y->claimant)
		(void)snprintf(a->message + len, size,
			       "; its mirror %s names %s, which is not believed before it says so itself",
			       y->claimant->registry, bw_digest_short(y->claimed.text, digest));
	else if (y->first && !bw_trouble_is_absence(y->trouble.trouble)) {
		memcpy(message, y->trouble.message, sizeof(message));
		(void)snprintf(a->message + len, size, "; of its mirror: %s", message);
	}
}

/* Nobody is asked but mirrors: what they say must not look as if the registry itself had said it. */
static void explain_only(const struct bw_relay *y, struct bw_answer *a)
{
	const struct bw_tally *t = tally_of(y, y->first);
	const char *lacks = bw_trouble_is_absence(a->trouble) ? " lacks it" : "";
	char message[BW_ANSWER_MESSAGE_MAX], tail[BW_ANSWER_MESSAGE_MAX];
	int left, len;

	memcpy(message, a->message, sizeof(message));
	len = snprintf(tail, sizeof(tail), "; %.100s itself is not asked (mirrors-only)", y->wish.registry);
	left = (int)sizeof(a->message) - 1 - len;
	if (*lacks && y->place->mirror_count > 1)
		len = snprintf(a->message, (size_t)left + 1, "its %zu mirrors lack it; %.60s: %s",
			       y->place->mirror_count, t->name, bw_tally_words(t, message));
	else
		len = snprintf(a->message, (size_t)left + 1, "mirror %.60s%s: %s", t->name, lacks,
			       bw_tally_words(t, message));
	len = len < left ? len : left;
	memcpy(a->message + len, tail, strlen(tail) + 1);
}

static void tell(struct bw_relay *y, struct bw_answer *a, const struct bw_buf *body)
{
	struct bw_wish w = y->wish;
	struct bw_answer told = *a;

	free_relay(y);
	bw_registry_tell(&w, &told, body);
}

/* Absent is what all of them lack, and the repository only where none has it. */
static unsigned absence(const struct bw_answer *a)
{
	return bw_trouble_is_absence(a->trouble) ? 1 + (a->trouble == BW_TROUBLE_REPOSITORY_GONE) : 0;
}

static void note_trouble(struct bw_relay *y, const struct bw_answer *a)
{
	if (y->first && absence(a) >= absence(&y->trouble))
		return;
	y->first = &y->place->mirrors[y->at];
	y->trouble = *a;
}

static void take_of_mirror(struct bw_relay *y, const struct bw_question *q)
{
	if (!q->answer.trouble) {
		y->claimant = &y->place->mirrors[y->at];
		y->claimed = q->answer.digest;
		y->at = y->place->mirror_count;
		go_on(y);
		return;
	}
	judge_trouble(y, &q->answer);
	note_trouble(y, &q->answer);
	y->at++;
	if (is_at_mirror(y) || !is_only(y)) {
		go_on(y);
		return;
	}
	explain_only(y, &y->trouble);
	tell(y, &y->trouble, NULL);
}

void bw_relay_take(struct bw_question *q)
{
	struct bw_relay *y = q->relay;

	if (is_at_mirror(y) && (q->answer.trouble || !is_believed(y, &q->answer))) {
		take_of_mirror(y, q);
		return;
	}
	if (is_at_mirror(y)) {
		judge(y, &y->place->tallies[y->at], BW_TROUBLE_NONE, NULL);
		y->registry->counts.mirrored++;
	} else {
		judge_late(y, &q->answer);
		if (q->answer.trouble)
			explain(y, &q->answer);
	}
	tell(y, &q->answer, q->answer.trouble ? NULL : q->body);
}
