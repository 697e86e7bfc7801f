/* auth.c - what a request carries, and what a 401 says. */
#include "registry/auth.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/credentials.h"
#include "registry/errand.h"
#include "registry/host.h"
#include "registry/login.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/reach.h"
#include "registry/ticket.h"

#define MAX_CHALLENGES 4 /* 401s in one question */
#define MAX_VALUES     8 /* WWW-Authenticate lines of one answer */
#define MAX_VALUE      4096

static enum bw_auth_step fail(const struct bw_question *q, const char *what, const struct bw_credential *c,
			      struct bw_failure *f)
{
	bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%.100s %s%.80s", q->host->name, what,
		       c && c->source ? c->source : "");
	return BW_AUTH_FAILED;
}

/*
 * A credential that goes to the registry itself. As long as nobody knows whether it is taken one question goes alone: the
 * same wrong one sent 32 times at once locks accounts.
 */
static enum bw_auth_step show(struct bw_question *q, const struct bw_credential *c, enum bw_sent how,
			      const char **ret_header)
{
	if (!bw_login_is_taken(q->host, c->number) && !bw_login_goes_first(q))
		return BW_AUTH_LATER;
	*ret_header = how == BW_SENT_BASIC ? bw_login_basic(q->host->registry, c)
					   : bw_login_bearer(q->host->registry, c);
	q->sent = how;
	q->credential = c->number;
	bw_login_note(q->host, c);
	return BW_AUTH_READY;
}

static enum bw_auth_step prepare_basic(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	const struct bw_credential *c;
	enum bw_auth_step step = bw_login_ask(q, &c, f);

	if (step != BW_AUTH_READY)
		return step;
	if (c && c->kind != BW_CREDENTIAL_PASSWORD)
		return fail(q, "wants a user and a password (Basic), and there is only a token, from ", c, f);
	if (c)
		return show(q, c, BW_SENT_BASIC, ret_header);
	if (q->challenges > 0) {
		(void)fail(q, "wants a log-in, and there are no credentials for it", NULL, f);
		f->cause = BW_CAUSE_NO_LOGIN;
		return BW_AUTH_FAILED;
	}
	bw_login_note(q->host, NULL);
	return BW_AUTH_READY; /* some of its repositories may be open to all */
}

static enum bw_auth_step prepare_bearer(struct bw_question *q, const struct bw_credential *c,
					const char **ret_header, struct bw_failure *f)
{
	enum bw_auth_step step = show(q, c, BW_SENT_SECRET, ret_header);

	if (step == BW_AUTH_READY && !*ret_header)
		return fail(q, "cannot be sent this token, which is no single word: it is from ", c, f);
	return step;
}

/*
 * A token for several is tried at one more than the first before it is used for all. From then on what one says that it
 * grants is believed; an opaque one may still not be good for this one.
 */
static enum bw_auth_step use_token(struct bw_question *q, const struct bw_ticket *t, const char **ret_header)
{
	bool is_proven = q->host->login.is_proven;

	if (t->is_unproven && !is_proven && !bw_login_goes_first(q))
		return BW_AUTH_LATER;
	*ret_header = t->bearer->header;
	q->sent = BW_SENT_TOKEN;
	q->token_number = t->bearer->number;
	q->is_anonymous = t->bearer->is_anonymous;
	q->is_shared = t->is_unproven && !(is_proven && t->bearer->says_grants);
	return BW_AUTH_READY;
}

static enum bw_auth_step wait_for(struct bw_question *q, struct bw_errand *e)
{
	q->errand = e;
	return BW_AUTH_WAIT;
}

/* Was this token given to who we are? */
static bool is_of(const struct bw_bearer *b, const struct bw_credential *c)
{
	return c ? !b->is_anonymous && b->credential == c->number : b->is_anonymous;
}

/* Nobody is asked who we are for a token that was given to one of the credentials that are still there. */
static bool may_use(const struct bw_ticket *t)
{
	return bw_ticket_is_good(t) && t->bearer->login_number == bw_login_number(t->host);
}

static enum bw_auth_step get_token(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	const struct bw_credential *c;
	enum bw_auth_step step = bw_login_ask(q, &c, f);
	struct bw_ticket *t;

	if (step != BW_AUTH_READY)
		return step;
	q->credential = c ? c->number : 0;
	if (c && c->kind == BW_CREDENTIAL_BEARER)
		return prepare_bearer(q, c, ret_header, f);
	t = bw_ticket_find(q);
	if (t->errand) {
		q->has_own_token = true;
		return wait_for(q, t->errand);
	}
	if (t->is_rejected && !t->was_challenged)
		return BW_AUTH_READY;
	if (bw_ticket_is_good(t) && is_of(t->bearer, c)) {
		t->bearer->login_number = bw_credentials_number(q->host->registry->credentials);
		return use_token(q, t, ret_header);
	}
	return bw_errand_begin(q, t, c, f);
}

static enum bw_auth_step prepare_token(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	struct bw_ticket *t = bw_ticket_look(&q->host->login, q->repository);

	if (t && t->errand) {
		q->has_own_token = true;
		return wait_for(q, t->errand);
	}
	if (t && may_use(t))
		return use_token(q, bw_ticket_find(q), ret_header);
	return get_token(q, ret_header, f);
}

enum bw_auth_step bw_auth_prepare(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	*ret_header = NULL;
	q->sent = BW_SENT_NOTHING;
	q->is_shared = false;
	switch (q->host->login.scheme) {
	case BW_CHALLENGE_BASIC: return prepare_basic(q, ret_header, f);
	case BW_CHALLENGE_BEARER: return prepare_token(q, ret_header, f);
	case BW_CHALLENGE_NONE: break;
	}
	return BW_AUTH_READY;
}

/* --- behind a 401 ----------------------------------------------------------------------------- */

static int read_challenge(const struct bw_http_response *r, struct bw_challenge *ret, struct bw_err *err)
{
	char values[MAX_VALUES][MAX_VALUE];
	const char *list[MAX_VALUES];
	unsigned n = 0;

	while (n < MAX_VALUES && bw_http_header(r, "www-authenticate", n, values[n], MAX_VALUE)) {
		list[n] = values[n];
		n++;
	}
	return bw_challenge_parse(list, n, ret, err);
}

/* Without TLS only what the registry itself does without, and then it itself, this machine, and whom the user allowed it. */
static bool may_be_plain(const struct bw_host *h, const struct bw_origin *realm)
{
	struct bw_origin own;

	return h->is_plain &&
	       ((bw_origin_of_registry(h->address, false, &own) && strcmp(own.host, realm->host) == 0) ||
		bw_host_is_loopback(realm->host) || bw_places_is_insecure(&h->registry->places, realm));
}

/* One that moves on to TLS is no other one. */
static bool is_elsewhere(const struct bw_login *l, const struct bw_origin *realm)
{
	if (!l->realm || bw_origin_equal(&l->realm_origin, realm))
		return false;
	return l->realm_origin.is_tls || !realm->is_tls || strcmp(l->realm_origin.host, realm->host) != 0;
}

/*
 * The realm is a URL that the registry makes us ask, and shows our credentials to (protocols 3.10): no public registry
 * sends us into somebody's network, and one that suddenly has its log-in elsewhere may have been taken over.
 */
static bool check_realm(const struct bw_host *h, const char *realm, struct bw_origin *ret,
			struct bw_failure *f)
{
	char name[BW_ORIGIN_MAX];
	const char *what = NULL;

	if (!bw_origin_parse(realm, ret))
		what = "which is no web address";
	else if (!ret->is_tls && !may_be_plain(h, ret))
		what = "which is not encrypted";
	else if (bw_host_is_private(ret->host) && !bw_reach_is_private(h) &&
		 !(h->is_named && bw_places_is_named(&h->registry->places, ret)))
		what = "which is an address of a private network";
	if (what)
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%s wants a log-in at %.80s, %s", h->name,
			       realm, what);
	else if (is_elsewhere(&h->login, ret))
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER,
			       "%.50s wanted a log-in at %.50s, and now it names %.50s, which is not asked; "
			       "restart basewatch if that is right",
			       h->name, h->login.realm_name, bw_origin_name(ret, name));
	else
		return true;
	return false;
}

static void replace(char **place, char **value)
{
	free(*place);
	*place = BW_TAKE(*value);
}

/* A scope of one repository is remembered with its ticket, any other with the registry. */
static void learn_scope(struct bw_question *q, struct bw_challenge *c)
{
	struct bw_login *l = &q->host->login;
	struct bw_ticket *t;

	bw_ticket_find(q)->was_challenged = true;
	if (!c->scope || !*c->scope)
		return;
	if (!bw_text_starts(c->scope, "repository:")) {
		if (!l->is_generic)
			replace(&l->generic_scope, &c->scope);
		return;
	}
	t = bw_ticket_find(q);
	if (strcmp(c->scope, t->own_scope) != 0 && !t->uses_other)
		replace(&t->other_scope, &c->scope);
}

static bool learn(struct bw_question *q, struct bw_challenge *c, struct bw_failure *f)
{
	struct bw_host *h = q->host;
	struct bw_origin realm;
	struct bw_ticket *t;

	if (c->scheme == BW_CHALLENGE_BASIC) {
		h->login.scheme = BW_CHALLENGE_BASIC;
		return true;
	}
	if (!check_realm(h, c->realm, &realm, f))
		return false;
	h->login.scheme = BW_CHALLENGE_BEARER;
	h->login.realm_origin = realm;
	bw_origin_name(&realm, h->login.realm_name);
	replace(&h->login.realm, &c->realm);
	replace(&h->login.service, &c->service);
	learn_scope(q, c);
	t = bw_ticket_find(q);
	if (t->is_rejected)
		(void)bw_ticket_use_other_scope(&h->login, t);
	return true;
}

/* The token for several does not do for this one: does its own? */
static void go_alone(struct bw_question *q)
{
	struct bw_ticket *t = bw_ticket_find(q);

	t->goes_alone = true;
	q->went_alone = true;
	if (t->bearer && t->bearer->number == q->token_number)
		bw_ticket_drop(t);
}

/* Unless somebody else has renewed it already. One that is not valid is so for all who have it. */
static void drop(struct bw_ticket *t, uint64_t number, bool is_invalid)
{
	if (!t->bearer || t->bearer->number != number || t->errand)
		return;
	if (is_invalid)
		t->bearer->expires_ms = 0;
	bw_ticket_drop(t);
}

/*
 * The token was not enough. One fresh token may help: it went bad early, or the scope was not the right
 * one.
 */
static bool token_refused(struct bw_question *q, struct bw_challenge *c, struct bw_failure *f)
{
	struct bw_login *l = &q->host->login;
	bool is_invalid = bw_text_is_nocase(c->error, "invalid_token");
	bool may_be_old = !q->has_own_token && !bw_text_is_nocase(c->error, "insufficient_scope");
	struct bw_ticket *t = bw_ticket_find(q);

	learn_scope(q, c);
	if (q->is_shared) {
		go_alone(q);
		return true;
	}
	if (!q->has_renewed && (bw_ticket_use_other_scope(l, t) || is_invalid || may_be_old)) {
		q->has_renewed = true;
		drop(t, q->token_number, is_invalid);
		return true;
	}
	if (is_invalid && !q->is_anonymous)
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%s does not take the token of %s",
			       q->host->name, l->realm_name);
	else
		bw_failure_set(f, BW_TROUBLE_DENIED, BW_RETRY_NEVER,
			       "%s: no such repository, or access is denied", q->host->name);
	return false;
}

static bool is_answer_to(enum bw_sent sent, enum bw_challenge_scheme scheme)
{
	return (sent == BW_SENT_BASIC && scheme == BW_CHALLENGE_BASIC) ||
	       (sent == BW_SENT_SECRET && scheme == BW_CHALLENGE_BEARER);
}

/* It is not shown again; who we are now is found out once more: somebody may have logged in anew meanwhile. */
static bool credential_refused(const struct bw_question *q)
{
	bw_login_refuse(q->host, q->credential);
	return true;
}

bool bw_auth_challenged(struct bw_question *q, const struct bw_http_response *r, struct bw_failure *f)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_challenge c;
	bool again;

	if (++q->challenges > MAX_CHALLENGES || read_challenge(r, &c, &err) < 0) {
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%s answered 401: %.150s", q->host->name,
			       *err.msg ? err.msg : "again and again");
		return false;
	}
	bw_reach_note(q->host, r);
	if (q->sent == BW_SENT_TOKEN && c.scheme == BW_CHALLENGE_BEARER)
		again = token_refused(q, &c, f);
	else if (is_answer_to(q->sent, c.scheme))
		again = credential_refused(q);
	else
		again = learn(q, &c, f);
	bw_challenge_done(&c);
	return again;
}

/* --- behind anything else --------------------------------------------------------------------- */

static void token_worked(struct bw_question *q)
{
	struct bw_login *l = &q->host->login;
	struct bw_ticket *t = bw_ticket_find(q);

	if (q->is_shared) {
		l->is_proven = true;
		if (t->bearer && t->bearer->number == q->token_number)
			t->is_unproven = false;
	} else if (q->went_alone && !l->is_single) {
		bw_login_use_single(q->host);
	}
	bw_login_release(q->host, NULL);
}

/*
 * With a token for several a refusal, or even "there is no such thing", may only say that it is not good for this
 * repository. Some answer a wrong password in the same way: then there is no use in asking again by GET, and who is asked
 * for the credential once more learns that it is refused.
 */
bool bw_auth_answered(struct bw_question *q, unsigned status)
{
	bool is_fine = status >= 200 && status < 400;

	if (q->sent == BW_SENT_NOTHING || status == 401)
		return false;
	if (q->is_shared && (status == 403 || status == 404)) {
		go_alone(q);
		return true;
	}
	if (q->sent == BW_SENT_TOKEN && is_fine)
		token_worked(q);
	if (q->sent != BW_SENT_TOKEN && !q->page && (status == 403 || status == 400))
		return bw_login_doubt(q->host, q->credential, q->repository);
	if (q->sent != BW_SENT_TOKEN && (is_fine || status == 404)) {
		bw_login_taken(q->host, q->credential);
		bw_login_release(q->host, NULL);
	}
	return false;
}
