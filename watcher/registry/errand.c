/* errand.c - see errand.h. */
#include "registry/errand.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/grant.h"
#include "registry/host.h"
#include "registry/login.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/reach.h"
#include "registry/ticket.h"
#include "registry/token.h"

#define MAX_SCOPE_BYTES	 4096 /* of a URL, for all of its scopes */
#define MAX_SHARED_TOKEN 6144 /* bytes of a header that every server takes */

static struct bw_credential copy_of(const struct bw_credential *c)
{
	return (struct bw_credential){.kind = c->kind,
				      .user = bw_strdup(c->user),
				      .secret = bw_strdup(c->secret),
				      .source = bw_strdup_null(c->source),
				      .number = c->number};
}

static void depart(void *arg);

static struct bw_errand *new_errand(const struct bw_question *q, const struct bw_credential *c)
{
	struct bw_host *h = q->host;
	struct bw_errand *e = BW_NEW(struct bw_errand);

	e->host = h;
	e->timer = bw_timer_new(h->registry->loop, depart, e);
	e->state = BW_ERRAND_OPEN;
	e->refuse = bw_reach_refused(q);
	e->is_anonymous = !c;
	if (c)
		e->who = copy_of(c);
	e->login_number = bw_login_number(h);
	e->next = h->login.errands;
	if (e->next)
		e->next->prev = e;
	h->login.errands = e;
	return e;
}

void bw_errand_free(struct bw_errand *e)
{
	*(e->prev ? &e->prev->next : &e->host->login.errands) = e->next;
	if (e->next)
		e->next->prev = e->prev;
	bw_timer_free(e->timer);
	bw_credential_done(&e->who);
	if (e->form)
		explicit_bzero(e->form, strlen(e->form));
	free(e->form);
	free(e);
}

/* False: there is no more room. */
static bool add_ticket(struct bw_errand *e, struct bw_ticket *t)
{
	size_t n = bw_token_scope_bytes(bw_ticket_scope(t));

	if (e->count > 0 && (e->count >= BW_ERRAND_SCOPES || e->scope_bytes + n > MAX_SCOPE_BYTES))
		return false;
	e->scope_bytes += n;
	e->tickets[e->count++] = t;
	t->errand = e;
	return true;
}

static void release_tickets(struct bw_errand *e)
{
	for (unsigned i = 0; i < e->count; i++)
		e->tickets[i]->errand = NULL;
}

/*
 * One that shows a credential of which nobody knows whether it is taken: the same wrong one in many requests at once locks
 * accounts. NULL: there is none.
 */
static struct bw_errand *find_trial(const struct bw_host *h, const struct bw_credential *c)
{
	struct bw_errand *e = h->login.errands;

	if (!c || bw_login_is_taken(h, c->number))
		return NULL;
	while (e && (e->is_anonymous || e->who.number != c->number || e->state == BW_ERRAND_OVER))
		e = e->next;
	return e;
}

/* --- company ---------------------------------------------------------------------------------- */

/* Who would have to wait for a helper program stays out: asking for him begins nothing that lasts. */
static bool is_same_somebody(const struct bw_errand *e, const struct bw_question *q)
{
	struct bw_credentials *all = e->host->registry->credentials;
	struct bw_credentials_waiter nobody = {0};
	const struct bw_credential *c = NULL;
	enum bw_credentials_step step =
		bw_credentials_ask(all, e->host->name, q->repository, &nobody, &c, NULL);

	bw_credentials_leave(&nobody);
	if (step == BW_CREDENTIALS_SOMEBODY)
		return !e->is_anonymous && c->kind == e->who.kind && c->number == e->who.number;
	return step == BW_CREDENTIALS_NOBODY && e->is_anonymous;
}

static void invite(struct bw_errand *e, struct bw_question *q)
{
	struct bw_ticket *t = bw_ticket_look(&e->host->login, q->repository);

	if (bw_reach_refused(q) != e->refuse)
		return;
	if (t && (t->errand || bw_ticket_is_good(t) || !bw_ticket_has_company(t)))
		return;
	if (is_same_somebody(e, q))
		(void)add_ticket(e, bw_ticket_find(q));
}

/*
 * What waits in the queue wants a token next: the distinct repositories there go along in the same request, where one
 * and the same credential is shown for them.
 */
static void invite_all(struct bw_errand *e)
{
	struct bw_host *h = e->host;

	if (!bw_ticket_has_company(e->tickets[0]))
		return;
	for (struct bw_question *q = h->waiting.head; q && e->count < BW_ERRAND_SCOPES; q = q->next)
		if (q->state == BW_QUESTION_WAITING)
			invite(e, q);
	for (struct bw_question *q = h->queue.head; q && e->count < BW_ERRAND_SCOPES; q = q->next)
		invite(e, q);
}

/* One that has not departed yet, and takes this ticket along. */
static struct bw_errand *join(const struct bw_question *q, struct bw_ticket *t, const struct bw_credential *c)
{
	struct bw_host *h = q->host;

	if (!bw_ticket_has_company(t))
		return NULL;
	for (struct bw_errand *e = h->login.errands; e; e = e->next) {
		bool is_same = c ? !e->is_anonymous && e->who.number == c->number && e->who.kind == c->kind
				 : e->is_anonymous;

		if (e->state == BW_ERRAND_OPEN && is_same && e->refuse == bw_reach_refused(q) &&
		    bw_ticket_has_company(e->tickets[0]) && add_ticket(e, t))
			return e;
	}
	return NULL;
}

/* With blanks between them. */
static char *scopes_of(const struct bw_errand *e)
{
	struct bw_buf all;

	bw_buf_init(&all, BW_MAX_HEADER_BYTES);
	for (unsigned i = 0; i < e->count; i++) {
		if (i > 0)
			(void)bw_buf_addc(&all, ' ');
		(void)bw_buf_adds(&all, bw_ticket_scope(e->tickets[i]));
	}
	return bw_buf_take(&all, NULL);
}

/* --- the answer ------------------------------------------------------------------------------- */

static struct bw_bearer *make_bearer(const struct bw_errand *e, const struct bw_token *token)
{
	struct bw_login *l = &e->host->login;
	struct bw_bearer *b = bw_bearer_new(token->text);
	/* It must still be good when it arrives: a tenth of its life, at least ten seconds, is not used. */
	uint64_t margin_s = token->lifetime_s / 10 > 10 ? token->lifetime_s / 10 : 10;

	b->number = ++l->last_number;
	b->is_anonymous = e->is_anonymous;
	b->credential = e->who.number;
	b->login_number = e->login_number;
	b->asked_ms = e->asked_ms;
	b->expires_ms = e->asked_ms + (token->lifetime_s - margin_s) * 1000;
	return b;
}

/*
 * Who gets the token? One that was left out, where it says what it grants, asks for itself, and when that does, the endpoint
 * does not understand several scopes. All else has to be tried: at the first it is as good as its own.
 */
static void hand_out(struct bw_errand *e, struct bw_bearer *b, const struct bw_grants *granted)
{
	struct bw_ticket *first = e->tickets[0];

	if (e->count == 1) {
		bw_ticket_give(first, b, false);
		if (first->goes_alone && granted && bw_grants_pull(granted, first->key))
			bw_login_use_single(e->host);
		return;
	}
	for (unsigned i = 0; i < e->count; i++) {
		struct bw_ticket *t = e->tickets[i];

		if (!granted || bw_grants_pull(granted, t->key))
			bw_ticket_give(t, b, i > 0);
		else
			t->goes_alone = true;
	}
}

static bool read_token(struct bw_errand *e, const struct bw_http_response *r, struct bw_failure *f)
{
	struct bw_host *h = e->host;
	struct bw_err err = BW_ERR_INIT;
	struct bw_grants *granted;
	struct bw_bearer *b;
	struct bw_token token;
	size_t len;

	if (bw_token_parse(bw_buf_str(r->body), r->body->len, &token, &err) < 0) {
		bw_failure_set(f, BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, "log in at %s: %s",
			       h->login.realm_name, err.msg);
		return false;
	}
	len = strlen(token.text);
	granted = bw_grants_read(token.text, len);
	b = make_bearer(e, &token);
	bw_token_done(&token);
	b->says_grants = granted != NULL;
	hand_out(e, b, granted);
	bw_grants_free(granted);
	bw_bearer_leave(b);
	if (e->count > 1 && len > MAX_SHARED_TOKEN)
		bw_login_use_single(h);
	if (!e->is_anonymous)
		bw_login_taken(h, e->who.number);
	h->login.last_token_ms = bw_loop_now(h->registry->loop);
	return true;
}

/*
 * Was it the log-in that did not do? 403 may also mean this repository: only where this log-in has never been good
 * for anything, and not for a second one either, it is taken for a refusal, because accounts get locked.
 */
static bool is_of_login(const struct bw_errand *e, const struct bw_http_response *r)
{
	if (e->is_anonymous)
		return false;
	if (r->status == 401)
		return true;
	if (r->status == 400 && e->form)
		return bw_token_is_bad_grant(bw_buf_str(r->body), r->body->len);
	return r->status == 403 && e->count == 1 &&
	       bw_login_doubt(e->host, e->who.number, e->tickets[0]->key);
}

/* The answer of the token endpoint, when it is no token, and nothing else is worth a try. */
static void read_refusal(const struct bw_errand *e, const struct bw_http_response *r, struct bw_failure *f)
{
	const char *realm = e->host->login.realm_name;
	char words[BW_WORDS_MAX];

	(void)bw_failure_words(r, words, sizeof(words));
	if (r->status != 401 && r->status != 403)
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "log in at %.80s: it answered %u%s%s",
			       realm, r->status, *words ? ": " : "", words);
	else
		bw_failure_set(f, BW_TROUBLE_DENIED, BW_RETRY_NEVER,
			       "no such repository, or access is denied (%s gives no token %s)", realm,
			       e->is_anonymous ? "without a log-in" : "for it");
}

/* The registry has named a scope that is of no repository: that one is understood, and one token of it is for all. */
static bool use_generic(struct bw_errand *e)
{
	struct bw_login *l = &e->host->login;

	return l->generic_scope && !l->is_generic && !e->tickets[0]->other_scope &&
	       bw_ticket_use_other_scope(l, e->tickets[0]);
}

/* True: those who wait may go on, with this token or for another one. */
static bool take_answer(struct bw_errand *e, const struct bw_http_response *r, struct bw_failure *f)
{
	struct bw_login *l = &e->host->login;
	char whom[BW_ORIGIN_MAX + 16];

	(void)snprintf(whom, sizeof(whom), "log in at %s", l->realm_name);
	if (bw_failure_of_realm(r, e->host->name, l->realm_name, f) || bw_failure_of_response(r, whom, f)) {
		f->is_of_realm = true;
		return false;
	}
	l->realm_http_version = r->http_version;
	if (r->status == 200)
		return read_token(e, r, f);
	if (e->form && (r->status == 404 || r->status == 405)) {
		l->has_no_post = true;
		return true;
	}
	if (is_of_login(e, r)) {
		bw_login_refuse(e->host, e->who.number);
		bw_login_set_refused(f, l->realm_name, &e->who);
		return false;
	}
	if (r->status == 400 && use_generic(e))
		return true;
	if (e->count > 1) {
		bw_login_use_single(e->host);
		return true;
	}
	if (r->status == 400 &&
	    (bw_ticket_use_other_scope(l, e->tickets[0]) || !e->tickets[0]->was_challenged)) {
		e->tickets[0]->is_rejected =
			true; /* without a token the registry tells which scope it wants */
		return true;
	}
	read_refusal(e, r, f);
	e->is_of_tickets = true;
	return false;
}

static struct bw_question *find_waiter(const struct bw_errand *e)
{
	for (struct bw_question *q = e->host->waiting.head; q; q = q->next)
		if (q->errand == e)
			return q;
	return NULL;
}

/* What is refused to one question may not be to another, under other rules: that one asks for itself. */
static bool is_about(const struct bw_failure *f, const struct bw_errand *e, const struct bw_question *q)
{
	if (f->trouble == BW_TROUBLE_REFUSED && bw_reach_refused(q) != e->refuse)
		return false;
	return !e->is_of_tickets || q->has_own_token;
}

/*
 * It is over. The first to go on may begin another errand; then the others wait with it. Who only waited to see whether
 * this log-in is taken has not been answered by a refusal of what others wanted.
 */
static void end(struct bw_errand *e, bool ok, const struct bw_failure *f)
{
	struct bw_host *h = e->host;
	struct bw_registry *reg = h->registry;
	struct bw_question *q;

	e->state = BW_ERRAND_OVER;
	release_tickets(e);
	while ((q = find_waiter(e))) {
		q->errand = NULL;
		if (ok || !is_about(f, e, q))
			bw_question_proceed(q);
		else
			bw_question_failed(q, f);
	}
	bw_errand_free(e);
	bw_host_pump(h);
	bw_registry_deliver(reg);
}

static void answer_came(const struct bw_http_response *r, void *arg)
{
	struct bw_errand *e = arg;
	struct bw_failure f;
	bool ok;

	e->transfer = NULL;
	ok = take_answer(e, r, &f);
	end(e, ok, &f);
}

/* --- the request ------------------------------------------------------------------------------ */

static const struct bw_door *door_of_realm(struct bw_host *h, struct bw_failure *f)
{
	const struct bw_door *door = bw_host_door(h, f), *found = NULL;
	struct bw_err err = BW_ERR_INIT;

	if (!door || bw_places_door_of_realm(&h->registry->places, h->name, door, &h->login.realm_origin,
					     &found, &err) == 0)
		return found;
	bw_failure_set(f, BW_TROUBLE_TLS, BW_RETRY_NEVER, "log in at %s: %s", h->login.realm_name, err.msg);
	return NULL;
}

/* Identity tokens go by POST (spec/auth/oauth.md), and as a password where that is not known. */
static char *make_form(const struct bw_errand *e, const char *scopes)
{
	const struct bw_login *l = &e->host->login;

	if (e->is_anonymous || e->who.kind != BW_CREDENTIAL_IDENTITY || l->has_no_post)
		return NULL;
	return bw_token_form(l->service, scopes, e->who.secret);
}

static char *make_url(const struct bw_errand *e, const char *scopes)
{
	const struct bw_login *l = &e->host->login;
	const char *account = !e->is_anonymous && *e->who.user ? e->who.user : NULL;

	return e->form ? bw_token_url(l->realm, NULL, NULL, NULL)
		       : bw_token_url(l->realm, l->service, scopes, account);
}

static int start(struct bw_errand *e, const struct bw_door *door, uint64_t left_ms, struct bw_err *err)
{
	struct bw_host *h = e->host;
	struct bw_registry *r = h->registry;
	BW_AUTOFREE char *scopes = scopes_of(e);
	BW_AUTOFREE char *url = NULL;
	const char *headers[] = {NULL, NULL};
	struct bw_http_request req = {
		.method = BW_HTTP_GET,
		.headers = headers,
		.allow_plain = !h->login.realm_origin.is_tls,
		.is_direct = bw_host_is_loopback(h->login.realm_origin.host),
		.is_multiplexed = h->login.realm_http_version == 2,
		.has_secret = true,
		.max_body = BW_MAX_TOKEN_BYTES,
		.connect_timeout_ms = r->connect_timeout_ms,
		.timeout_ms = left_ms < r->answer_timeout_ms ? (uint32_t)left_ms : r->answer_timeout_ms,
	};
	int rc;

	e->form = make_form(e, scopes);
	url = make_url(e, scopes);
	req.url = url;
	if (e->form) {
		headers[0] = "Content-Type: application/x-www-form-urlencoded";
		req.method = BW_HTTP_POST;
		req.body = e->form;
		req.body_len = strlen(e->form);
	} else if (!e->is_anonymous) {
		headers[0] = bw_login_basic(r, &e->who);
	}
	bw_reach_of_realm(h, e->refuse, &req);
	rc = bw_http_start(door->http, &req, answer_came, e, &e->transfer, err);
	bw_login_wipe(r);
	return rc;
}

static bool send_it(struct bw_errand *e, struct bw_failure *f)
{
	struct bw_host *h = e->host;
	const struct bw_door *door = door_of_realm(h, f);
	struct bw_err err = BW_ERR_INIT;
	uint64_t now = bw_loop_now(h->registry->loop);

	if (!door)
		return false;
	e->state = BW_ERRAND_DEPARTED;
	e->asked_ms = now;
	if (start(e, door, e->deadline_ms > now ? e->deadline_ms - now : 1, &err) < 0) {
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "log in at %s: %.150s",
			       h->login.realm_name, err.msg);
		return false;
	}
	h->registry->counts.tokens++;
	h->login.has_shown = h->login.has_shown || !e->is_anonymous;
	bw_login_note(h, e->is_anonymous ? NULL : &e->who);
	return true;
}

/* Behind all that was asked in the same turn of the loop. */
static void depart(void *arg)
{
	struct bw_errand *e = arg;
	struct bw_failure f;

	invite_all(e);
	if (!send_it(e, &f))
		end(e, false, &f);
}

enum bw_auth_step bw_errand_begin(struct bw_question *q, struct bw_ticket *t, const struct bw_credential *c,
				  struct bw_failure *f)
{
	struct bw_host *h = q->host;
	struct bw_errand *e;

	if (c && !bw_login_may_show(h)) {
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER,
			       "credentials are not sent to %s without TLS", h->login.realm_name);
		return BW_AUTH_FAILED;
	}
	e = join(q, t, c);
	q->has_own_token = e != NULL;
	if (!e)
		e = find_trial(h, c);
	if (!e) {
		e = new_errand(q, c);
		(void)add_ticket(e, t);
		e->deadline_ms = q->deadline_ms;
		bw_timer_start(e->timer, 0);
		q->has_own_token = true;
	}
	q->errand = e;
	return BW_AUTH_WAIT;
}
