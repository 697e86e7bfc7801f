/* ticket.c - the tokens, and the questions to the token endpoint. */
#include "registry/ticket.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "registry/host.h"
#include "registry/login.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/reach.h"
#include "registry/token.h"

#define MAX_TICKETS 512 /* tokens of one registry; each has a few KiB */

/* --- the tickets of a registry ---------------------------------------------------------------- */

void bw_ticket_drop(struct bw_ticket *t)
{
	if (t->header)
		explicit_bzero(t->header, t->header_len);
	free(t->header);
	t->header = NULL;
}

void bw_ticket_free(void *arg)
{
	struct bw_ticket *t = arg;

	bw_ticket_drop(t);
	free(t->key);
	free(t->own_scope);
	free(t->other_scope);
	free(t->user);
	free(t);
}

static void unlink_ticket(struct bw_login *l, struct bw_ticket *t)
{
	*(t->newer ? &t->newer->older : &l->newest) = t->older;
	*(t->older ? &t->older->newer : &l->oldest) = t->newer;
}

static void link_newest(struct bw_login *l, struct bw_ticket *t)
{
	t->newer = NULL;
	t->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = t;
	l->newest = t;
}

/*
 * One that is being fetched has questions waiting: it stays, and the limit is a little larger for a moment.
 */
static void make_room(struct bw_login *l)
{
	struct bw_ticket *t = l->oldest;

	if (l->ticket_count < MAX_TICKETS || t->transfer || t->is_waking)
		return;
	unlink_ticket(l, t);
	bw_map_remove(l->tickets, t->key);
	bw_ticket_free(t);
	l->ticket_count--;
}

static struct bw_ticket *new_ticket(struct bw_question *q, const char *key)
{
	struct bw_login *l = &q->host->login;
	struct bw_ticket *t = BW_NEW(struct bw_ticket);

	make_room(l);
	t->host = q->host;
	t->key = bw_strdup(key);
	t->own_scope = l->is_generic ? bw_strdup(l->generic_scope)
				     : bw_asprintf("repository:%s:pull", q->repository);
	bw_map_put(l->tickets, key, t);
	link_newest(l, t);
	l->ticket_count++;
	return t;
}

/*
 * Tokens are kept by scope and account. With a scope per repository the name of the repository stands for
 * both: it decides which credentials are used.
 */
struct bw_ticket *bw_ticket_find(struct bw_question *q)
{
	struct bw_login *l = &q->host->login;
	const struct bw_credential *c = l->is_generic ? bw_login_credential(q) : NULL;
	BW_AUTOFREE char *generic =
		l->is_generic ? bw_asprintf("%s\n%s", l->generic_scope, c ? c->user : "") : NULL;
	const char *key = generic ? generic : q->repository;
	struct bw_ticket *t = bw_map_get(l->tickets, key);

	if (!t)
		return new_ticket(q, key);
	if (t != l->newest) {
		unlink_ticket(l, t);
		link_newest(l, t);
	}
	return t;
}

/* --- fetching a token ------------------------------------------------------------------------- */

static struct bw_question *find_waiter(const struct bw_ticket *t)
{
	for (struct bw_question *q = t->host->waiting.head; q; q = q->next)
		if (q->ticket == t)
			return q;
	return NULL;
}

/* NULL: there is none beside our own. */
static const char *fallback_scope(const struct bw_login *l, const struct bw_ticket *t)
{
	if (t->other_scope)
		return t->uses_other ? NULL : t->other_scope;
	return l->is_generic ? NULL : l->generic_scope;
}

/* False: there is no other scope to ask for. */
bool bw_ticket_use_other_scope(struct bw_login *l, struct bw_ticket *t)
{
	if (!fallback_scope(l, t))
		return false;
	if (t->other_scope)
		t->uses_other = true;
	else
		l->is_generic = true; /* from now on one ticket serves all repositories */
	bw_ticket_drop(t);
	return true;
}

static bool read_token(struct bw_ticket *t, const struct bw_http_response *r, struct bw_failure *f)
{
	struct bw_err err = BW_ERR_INIT;
	struct bw_token token;
	uint64_t margin_s;

	if (bw_token_parse(bw_buf_str(r->body), r->body->len, &token, &err) < 0) {
		bw_failure_set(f, BW_TROUBLE_MALFORMED, BW_RETRY_NEVER, "log in at %s: %s",
			       t->host->login.realm_name, err.msg);
		return false;
	}
	bw_ticket_drop(t);
	t->header = bw_asprintf("Authorization: Bearer %s", token.text);
	t->header_len = strlen(t->header);
	t->number = ++t->host->login.last_number;
	t->is_anonymous = !t->user;
	t->host->login.last_token_ms = bw_loop_now(t->host->registry->loop);
	/* It must still be good when it arrives: a tenth of its life, at least ten seconds, is not used. */
	margin_s = token.lifetime_s / 10 > 10 ? token.lifetime_s / 10 : 10;
	t->expires_ms = t->asked_ms + (token.lifetime_s - margin_s) * 1000;
	bw_token_done(&token);
	return true;
}

/* The answer of the token endpoint, when it is no token. */
static void read_refusal(struct bw_ticket *t, const struct bw_http_response *r, struct bw_failure *f)
{
	const char *host = t->host->login.realm_name;

	if (r->status != 401 && r->status != 403) {
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "log in at %s: it answered %u", host,
			       r->status);
	} else if (t->user) {
		bw_login_remember_refusal(t->host, t->user, t->login_number);
		bw_login_set_refused(f, host, t->user);
	} else {
		bw_failure_set(f, BW_TROUBLE_DENIED, BW_RETRY_NEVER,
			       "no such repository, or access is denied (%s gives no token without a log-in)",
			       host);
	}
}

/* True: those who wait may go on, with this token or for another scope. */
static bool take_token(struct bw_ticket *t, const struct bw_http_response *r, struct bw_failure *f)
{
	char whom[BW_ORIGIN_MAX + 16];

	(void)snprintf(whom, sizeof(whom), "log in at %s", t->host->login.realm_name);
	if (bw_failure_of_realm(r, t->host->name, t->host->login.realm_name, f) ||
	    bw_failure_of_response(r, whom, f)) {
		f->is_of_realm = true;
		return false;
	}
	t->host->login.realm_http_version = r->http_version;
	if (r->status == 200)
		return read_token(t, r, f);
	if (r->status == 400 && (bw_ticket_use_other_scope(&t->host->login, t) || !t->was_challenged)) {
		t->is_rejected = true; /* without a token the registry tells which scope it wants */
		return true;
	}
	read_refusal(t, r, f);
	return false;
}

static void token_came(const struct bw_http_response *r, void *arg)
{
	struct bw_ticket *t = arg;
	struct bw_host *h = t->host;
	struct bw_registry *reg = h->registry;
	struct bw_question *q;
	struct bw_failure f;
	bool ok;

	t->transfer = NULL;
	t->is_waking = true;
	ok = take_token(t, r, &f);
	while ((q = find_waiter(t))) {
		q->ticket = NULL;
		/* The first to go on may have begun to fetch anew; then the others wait with it. */
		if (ok)
			bw_question_proceed(q);
		else
			bw_question_failed(q, &f);
		if (t->transfer)
			break;
	}
	t->is_waking = false;
	bw_host_pump(h);
	bw_registry_deliver(reg);
}

/* A token endpoint that has an entry of its own is gone to through its own door. */
static const struct bw_door *door_of_realm(const struct bw_host *h)
{
	const struct bw_place *p = bw_places_find_origin(&h->registry->places, &h->login.realm_origin);

	return p ? p->door : h->door;
}

static enum bw_auth_step send_for_token(struct bw_question *q, struct bw_ticket *t,
					const struct bw_credential *c, struct bw_failure *f)
{
	struct bw_host *h = q->host;
	struct bw_registry *r = h->registry;
	const char *headers[] = {c ? bw_login_basic(r, c) : NULL, NULL};
	BW_AUTOFREE char *url =
		bw_token_url(h->login.realm, h->login.service, t->uses_other ? t->other_scope : t->own_scope,
			     c ? c->user : NULL);
	struct bw_err err = BW_ERR_INIT;
	uint64_t now = bw_loop_now(r->loop), left = q->deadline_ms > now ? q->deadline_ms - now : 1;
	struct bw_http_request req = {
		.method = BW_HTTP_GET,
		.url = url,
		.headers = headers,
		.allow_plain = !h->login.realm_origin.is_tls,
		.is_direct = bw_host_is_loopback(h->login.realm_origin.host),
		.is_multiplexed = h->login.realm_http_version == 2,
		.max_body = BW_MAX_TOKEN_BYTES,
		.connect_timeout_ms = r->connect_timeout_ms,
		.timeout_ms = left < r->answer_timeout_ms ? (uint32_t)left : r->answer_timeout_ms,
	};

	free(t->user);
	t->user = c ? bw_strdup(c->user) : NULL;
	t->login_number = bw_login_number(h);
	t->asked_ms = now;
	bw_reach_of_realm(h, &req);
	if (bw_http_start(door_of_realm(h)->http, &req, token_came, t, &t->transfer, &err) < 0) {
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "log in at %s: %.150s",
			       h->login.realm_name, err.msg);
		return BW_AUTH_FAILED;
	}
	r->counts.tokens++;
	q->ticket = t;
	q->has_own_token = true;
	return BW_AUTH_WAIT;
}

enum bw_auth_step bw_ticket_fetch(struct bw_question *q, struct bw_ticket *t, struct bw_failure *f)
{
	struct bw_host *h = q->host;
	const struct bw_credential *c = bw_login_credential(q);

	if (c && bw_login_was_refused(h, c->user)) {
		bw_login_set_refused(f, h->login.realm_name, c->user);
		return BW_AUTH_FAILED;
	}
	if (c && !bw_login_may_show(h)) {
		bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER,
			       "credentials are not sent to %s without TLS", h->login.realm_name);
		return BW_AUTH_FAILED;
	}
	return send_for_token(q, t, c, f);
}
