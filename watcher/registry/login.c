/* login.c - what is remembered of a registry's log-in, and the care with credentials. */
#include "registry/login.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/errand.h"
#include "registry/host.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/ticket.h"

/* Credentials that were refused are not shown again in this sweep: log-ins are counted, and accounts get
 * locked. */
#define REFUSED_MS (30 * 60 * 1000)
/* So long a credential that was taken counts as good without another look. */
#define TAKEN_MS (60 * 1000)

void bw_login_init(struct bw_login *l)
{
	*l = (struct bw_login){.tickets = bw_map_new()};
}

void bw_login_done(struct bw_login *l)
{
	while (l->errands)
		bw_errand_free(l->errands);
	bw_map_free(l->tickets, bw_ticket_free);
	for (unsigned i = 0; i < l->standing_count; i++)
		free(l->standings[i].doubted);
	free(l->realm);
	free(l->service);
	free(l->generic_scope);
	free(l->source);
}

static uint64_t now_ms(const struct bw_host *h)
{
	return bw_loop_now(h->registry->loop);
}

/* --- what became of them ---------------------------------------------------------------------- */

static const struct bw_standing *look(const struct bw_login *l, uint64_t number)
{
	for (unsigned i = 0; i < l->standing_count; i++)
		if (l->standings[i].number == number)
			return &l->standings[i];
	return NULL;
}

static bool is_refused(const struct bw_host *h, const struct bw_standing *s)
{
	return now_ms(h) < s->refused_until_ms;
}

/* Which of two is forgotten first? One that is refused is not to be shown again, so it is remembered longer. */
static bool goes_before(const struct bw_host *h, const struct bw_standing *a, const struct bw_standing *b)
{
	bool a_is_refused = is_refused(h, a);

	return a_is_refused == is_refused(h, b) ? a->used < b->used : !a_is_refused;
}

static struct bw_standing *first_to_go(struct bw_host *h)
{
	struct bw_standing *all = h->login.standings, *first = all;

	for (unsigned i = 1; i < BW_LOGIN_STANDINGS; i++)
		if (goes_before(h, &all[i], first))
			first = &all[i];
	return first;
}

static struct bw_standing *new_standing(struct bw_host *h)
{
	struct bw_login *l = &h->login;
	struct bw_standing *s, gone;

	if (l->standing_count < BW_LOGIN_STANDINGS)
		return &l->standings[l->standing_count++];
	s = first_to_go(h);
	gone = *s;
	*s = (struct bw_standing){0};
	free(gone.doubted);
	return s;
}

static struct bw_standing *find(struct bw_host *h, uint64_t number)
{
	struct bw_login *l = &h->login;
	struct bw_standing *s = (struct bw_standing *)(uintptr_t)look(l, number);

	if (!s) {
		s = new_standing(h);
		*s = (struct bw_standing){.number = number};
	}
	s->used = ++l->standing_uses;
	return s;
}

void bw_login_taken(struct bw_host *h, uint64_t number)
{
	struct bw_standing *s = find(h, number);

	s->was_taken = true;
	s->taken_ms = now_ms(h);
	s->refused_until_ms = 0;
	free(BW_TAKE(s->doubted));
}

/*
 * A helper program is asked again only for one that was taken before: that one has ended. Otherwise it would say the same,
 * or give something new to refuse with each question.
 */
void bw_login_refuse(struct bw_host *h, uint64_t number)
{
	struct bw_standing *s = find(h, number);

	s->refused_until_ms = now_ms(h) + REFUSED_MS;
	if (s->was_taken)
		bw_credentials_refused(h->registry->credentials, number);
	s->was_taken = false;
	free(BW_TAKE(s->doubted));
}

bool bw_login_doubt(struct bw_host *h, uint64_t number, const char *repository)
{
	struct bw_standing *s = find(h, number);

	if (s->was_taken)
		return false;
	if (!s->doubted)
		s->doubted = bw_strdup(repository);
	if (strcmp(s->doubted, repository) == 0)
		return false;
	bw_login_refuse(h, number);
	return true;
}

static void inherit(const char *key, void *value, void *arg)
{
	const struct bw_host *former = value;
	struct bw_registry *r = arg;

	(void)key;
	for (unsigned i = 0; i < former->login.standing_count; i++) {
		const struct bw_standing *s = &former->login.standings[i];

		if (is_refused(former, s))
			find(bw_registry_host(r, former->name), s->number)->refused_until_ms =
				s->refused_until_ms;
	}
}

void bw_registry_inherit(struct bw_registry *r, const struct bw_registry *former)
{
	bw_map_each(former->hosts, inherit, r);
}

bool bw_login_is_taken(const struct bw_host *h, uint64_t number)
{
	const struct bw_standing *s = look(&h->login, number);

	return s && s->was_taken && now_ms(h) - s->taken_ms < TAKEN_MS;
}

static bool was_refused(const struct bw_host *h, uint64_t number)
{
	const struct bw_standing *s = look(&h->login, number);

	return s && is_refused(h, s);
}

/* What has been refused is more than can be remembered: another one might be one of those that were forgotten. */
static bool has_room_for(struct bw_host *h, uint64_t number)
{
	const struct bw_login *l = &h->login;

	return l->standing_count < BW_LOGIN_STANDINGS || look(l, number) || !is_refused(h, first_to_go(h));
}

void bw_login_set_refused(struct bw_failure *f, const char *by, const struct bw_credential *c)
{
	if (*c->user)
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%.100s refuses the credentials of %.60s",
			       by, c->user);
	else
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%.100s refuses the token of %.80s", by,
			       c->source ? c->source : "its log-in");
}

void bw_login_note(struct bw_host *h, const struct bw_credential *c)
{
	const char *source = c ? c->source : NULL;

	if (bw_text_is(h->login.source, source))
		return;
	free(h->login.source);
	h->login.source = bw_strdup_null(source);
}

/* --- who asks? -------------------------------------------------------------------------------- */

uint64_t bw_login_number(const struct bw_host *h)
{
	struct bw_registry *r = h->registry;

	bw_credentials_refresh(r->credentials, bw_loop_now(r->loop));
	return bw_credentials_number(r->credentials);
}

static void found(void *arg)
{
	struct bw_question *q = arg;
	struct bw_host *h = q->host;
	struct bw_registry *r = h->registry;

	bw_question_proceed(q);
	bw_host_pump(h);
	bw_registry_deliver(r);
}

enum bw_auth_step bw_login_ask(struct bw_question *q, const struct bw_credential **ret, struct bw_failure *f)
{
	struct bw_host *h = q->host;
	const struct bw_login *l = &h->login;
	struct bw_err err = BW_ERR_INIT;
	const char *by;

	(void)bw_login_number(h); /* looks whether there are others */
	*ret = NULL;
	q->waiter.ready = found;
	q->waiter.arg = q;
	switch (bw_credentials_ask(h->registry->credentials, h->name, q->repository, &q->waiter, ret, &err)) {
	case BW_CREDENTIALS_SOMEBODY: break;
	case BW_CREDENTIALS_NOBODY: *ret = NULL; break;
	case BW_CREDENTIALS_WAIT: return BW_AUTH_WAIT;
	case BW_CREDENTIALS_FAILED:
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%.80s: %.170s", h->name, err.msg);
		f->cause = err.code == BW_E_GONE ? BW_CAUSE_HELPER_MISSING : BW_CAUSE_HELPER;
		return BW_AUTH_FAILED;
	}
	by = l->scheme == BW_CHALLENGE_BEARER ? l->realm_name : h->name;
	if (!*ret)
		return BW_AUTH_READY;
	if (was_refused(h, (*ret)->number)) {
		bw_login_set_refused(f, by, *ret);
	} else if (!has_room_for(h, (*ret)->number)) {
		bw_failure_set(
			f, BW_TROUBLE_AUTH, BW_RETRY_NEVER,
			"%.100s has refused %u different log-ins: no other one is shown to it for up to %u "
			"minutes",
			by, BW_LOGIN_STANDINGS, REFUSED_MS / 60000);
	} else {
		return BW_AUTH_READY;
	}
	return BW_AUTH_FAILED;
}

/* --- one goes first --------------------------------------------------------------------------- */

bool bw_login_goes_first(struct bw_question *q)
{
	struct bw_login *l = &q->host->login;

	if (!l->probe)
		l->probe = q;
	return l->probe == q;
}

/* The host is pumped behind every answer: those who waited go then. */
void bw_login_release(struct bw_host *h, const struct bw_question *q)
{
	if (!h->login.probe || (q && h->login.probe != q))
		return;
	h->login.probe = NULL;
	for (struct bw_question *other = h->waiting.head; other; other = other->next)
		if (other->state == BW_QUESTION_WAITING && other->ready_ms == BW_QUESTION_UNTIL_TOLD)
			other->ready_ms = 0;
}

void bw_login_leave(struct bw_question *q)
{
	q->errand = NULL;
	bw_credentials_leave(&q->waiter);
	bw_login_release(q->host, q);
}

void bw_login_use_single(struct bw_host *h)
{
	h->login.is_single = true;
	bw_ticket_drop_unproven(&h->login);
}

/* --- memory ----------------------------------------------------------------------------------- */

bool bw_login_is_in_use(const struct bw_host *h)
{
	const struct bw_login *l = &h->login;

	if (l->errands || l->has_shown)
		return true;
	for (unsigned i = 0; i < l->standing_count; i++)
		if (is_refused(h, &l->standings[i]))
			return true;
	return false;
}

/* --- header lines ----------------------------------------------------------------------------- */

/* Whoever grows leaves copies behind: the room is made first. */
static bool make_room(struct bw_registry *r, size_t len)
{
	bw_buf_clear(&r->secret);
	return bw_buf_reserve(&r->secret, len);
}

const char *bw_login_basic(struct bw_registry *r, const struct bw_credential *c)
{
	static const char name[] = "Authorization: Basic ";
	size_t user = strlen(c->user), secret = strlen(c->secret), len = user + 1 + secret;
	char *pair;
	bool ok;

	if (user > BW_MAX_CREDENTIALS_BYTES || secret > BW_MAX_CREDENTIALS_BYTES - user)
		return NULL;
	pair = bw_alloc(len);
	memcpy(pair, c->user, user);
	pair[user] = ':';
	memcpy(pair + user + 1, c->secret, secret);
	ok = make_room(r, sizeof(name) + (len + 2) / 3 * 4) && bw_buf_adds(&r->secret, name) &&
	     bw_base64_encode(pair, len, &r->secret);
	explicit_bzero(pair, len);
	free(pair);
	return ok ? r->secret.data : NULL;
}

const char *bw_login_bearer(struct bw_registry *r, const struct bw_credential *c)
{
	static const char name[] = "Authorization: Bearer ";

	for (const char *s = c->secret; *s; s++)
		if (*s <= ' ' || *s > '~')
			return NULL;
	return *c->secret && make_room(r, sizeof(name) + strlen(c->secret)) &&
			       bw_buf_adds(&r->secret, name) && bw_buf_adds(&r->secret, c->secret)
		       ? r->secret.data
		       : NULL;
}

void bw_login_wipe(struct bw_registry *r)
{
	if (r->secret.capacity > 0)
		explicit_bzero(r->secret.data, r->secret.capacity);
}

bool bw_login_may_show(const struct bw_host *h)
{
	const struct bw_origin *realm = &h->login.realm_origin;

	return realm->is_tls || bw_host_is_loopback(realm->host) ||
	       bw_places_is_insecure(&h->registry->places, realm);
}
