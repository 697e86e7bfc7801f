/* auth.c - what a request carries, and what a 401 says. */
#include "registry/auth.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/credentials.h"
#include "registry/host.h"
#include "registry/login.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/reach.h"
#include "registry/ticket.h"

#define MAX_CHALLENGES 4 /* 401s in one question */
#define MAX_VALUES     8 /* WWW-Authenticate lines of one answer */
#define MAX_VALUE      4096

static enum bw_auth_step prepare_basic(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	const struct bw_credential *c = bw_login_credential(q);

	if (!c)
		return BW_AUTH_READY; /* some of its repositories may be open to all */
	if (bw_login_was_refused(q->host, c->user)) {
		bw_login_set_refused(f, q->host->name, c->user);
		return BW_AUTH_FAILED;
	}
	*ret_header = bw_login_basic(q->host->registry, c);
	q->sent = BW_SENT_BASIC;
	q->login_number = bw_login_number(q->host);
	return BW_AUTH_READY;
}

/* Whoever has logged in meanwhile, or as somebody else, may be given more. */
static bool is_of_others(const struct bw_question *q, const struct bw_ticket *t)
{
	(void)bw_login_credential(q); /* looks whether there are others */
	return t->login_number != bw_login_number(q->host);
}

static enum bw_auth_step prepare_token(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	struct bw_ticket *t = bw_ticket_find(q);

	if (t->transfer) {
		q->ticket = t;
		q->has_own_token = true;
		return BW_AUTH_WAIT;
	}
	if (t->is_rejected && !t->was_challenged)
		return BW_AUTH_READY;
	if (!t->header || bw_loop_now(q->host->registry->loop) >= t->expires_ms || is_of_others(q, t))
		return bw_ticket_fetch(q, t, f);
	*ret_header = t->header;
	q->sent = BW_SENT_TOKEN;
	q->token_number = t->number;
	q->is_anonymous = t->is_anonymous;
	return BW_AUTH_READY;
}

enum bw_auth_step bw_auth_prepare(struct bw_question *q, const char **ret_header, struct bw_failure *f)
{
	*ret_header = NULL;
	q->sent = BW_SENT_NOTHING;
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

static bool is_private_registry(const struct bw_host *h)
{
	struct bw_origin o;

	return h->may_be_plain || h->peer_is_private ||
	       (bw_origin_of_registry(h->address, true, &o) && bw_host_is_private(o.host));
}

/*
 * The realm is a URL that the registry makes us ask (protocols 3.10): without TLS only if it is itself spoken
 * to without, and no public registry sends us into somebody's network.
 */
static bool check_realm(const struct bw_host *h, const char *realm, struct bw_origin *ret,
			struct bw_failure *f)
{
	const char *what = NULL;

	if (!bw_origin_parse(realm, ret))
		what = "which is no web address";
	else if (!ret->is_tls && !h->is_plain)
		what = "which is not encrypted";
	else if (bw_host_is_private(ret->host) && !is_private_registry(h) &&
		 !bw_places_is_named(&h->registry->places, ret))
		what = "which is an address of a private network";
	if (what)
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%s wants a log-in at %.80s, %s", h->name,
			       realm, what);
	return !what;
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
		if (bw_login_credential(q))
			return true;
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER,
			       "%s wants a log-in, and there are no credentials for it", h->name);
		return false;
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
	if (!q->has_renewed && (bw_ticket_use_other_scope(l, t) || is_invalid || may_be_old)) {
		q->has_renewed = true;
		if (t->number == q->token_number && !t->transfer)
			bw_ticket_drop(t); /* unless somebody else has renewed it already */
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

static bool basic_refused(struct bw_question *q, struct bw_failure *f)
{
	const struct bw_credential *c = bw_login_credential(q);

	if (q->login_number != bw_login_number(q->host))
		return true; /* those that were refused are of yesterday */
	bw_login_remember_refusal(q->host, c ? c->user : "", q->login_number);
	bw_login_set_refused(f, q->host->name, c ? c->user : "");
	return false;
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
	else if (q->sent == BW_SENT_BASIC && c.scheme == BW_CHALLENGE_BASIC)
		again = basic_refused(q, f);
	else
		again = learn(q, &c, f);
	bw_challenge_done(&c);
	return again;
}
