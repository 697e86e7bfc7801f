/* login.c - what is remembered of a registry's log-in, and the care with credentials. */
#include "registry/login.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "registry/host.h"
#include "registry/places.h"
#include "registry/question.h"
#include "registry/ticket.h"

/* Credentials that were refused are not shown again in this sweep: log-ins are counted, and accounts get
 * locked. */
#define REFUSED_MS (30 * 60 * 1000)

void bw_login_init(struct bw_login *l)
{
	*l = (struct bw_login){.tickets = bw_map_new()};
}

void bw_login_done(struct bw_login *l)
{
	bw_map_free(l->tickets, bw_ticket_free);
	free(l->realm);
	free(l->service);
	free(l->generic_scope);
	free(l->refused_user);
}

const struct bw_credential *bw_login_credential(const struct bw_question *q)
{
	const struct bw_place *p = q->host->place;
	const struct bw_registry *r = q->host->registry;

	if (p && p->credential.user)
		return &p->credential;
	bw_credentials_refresh(r->credentials, bw_loop_now(r->loop));
	return bw_credentials_find(r->credentials, q->host->name, q->repository);
}

uint64_t bw_login_number(const struct bw_host *h)
{
	return bw_credentials_number(h->registry->credentials);
}

bool bw_login_was_refused(const struct bw_host *h, const char *user)
{
	return bw_text_is(h->login.refused_user, user) && h->login.refused_number == bw_login_number(h) &&
	       bw_loop_now(h->registry->loop) < h->login.refused_until_ms;
}

void bw_login_remember_refusal(struct bw_host *h, const char *user, uint64_t number)
{
	if (!bw_text_is(h->login.refused_user, user)) {
		free(h->login.refused_user);
		h->login.refused_user = bw_strdup(user);
	}
	h->login.refused_number = number;
	h->login.refused_until_ms = bw_loop_now(h->registry->loop) + REFUSED_MS;
}

void bw_login_set_refused(struct bw_failure *f, const char *by, const char *user)
{
	bw_failure_set(f, BW_TROUBLE_AUTH, BW_RETRY_NEVER, "%s refuses the credentials of %.60s", by, user);
}

bool bw_login_is_in_use(const struct bw_host *h)
{
	const struct bw_login *l = &h->login;

	for (const struct bw_ticket *t = l->newest; t; t = t->older)
		if (t->transfer || t->is_waking)
			return true;
	return l->refused_user && bw_login_was_refused(h, l->refused_user);
}

const char *bw_login_basic(struct bw_registry *r, const struct bw_credential *c)
{
	BW_AUTOBUF struct bw_buf pair;
	bool ok;

	bw_buf_init(&pair, BW_MAX_CREDENTIALS_BYTES);
	bw_buf_clear(&r->secret);
	ok = bw_buf_adds(&pair, c->user) && bw_buf_addc(&pair, ':') && bw_buf_adds(&pair, c->password) &&
	     bw_buf_adds(&r->secret, "Authorization: Basic ") &&
	     bw_base64_encode(pair.data, pair.len, &r->secret);
	if (pair.data)
		explicit_bzero(pair.data, pair.capacity);
	return ok ? r->secret.data : NULL;
}

bool bw_login_may_show(const struct bw_host *h)
{
	const struct bw_origin *realm = &h->login.realm_origin;

	return realm->is_tls || bw_host_is_loopback(realm->host) ||
	       bw_places_is_insecure(&h->registry->places, realm);
}
