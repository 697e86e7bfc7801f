/* ticket.c - see ticket.h. */
#include "registry/ticket.h"

#include <inttypes.h>
#include <string.h>

#include "core/mem.h"
#include "registry/host.h"
#include "registry/login.h"
#include "registry/question.h"

#define MAX_TICKETS 512 /* of one registry; a token of its own has a few KiB */

/* --- tokens ----------------------------------------------------------------------------------- */

struct bw_bearer *bw_bearer_new(const char *token)
{
	static const char name[] = "Authorization: Bearer ";
	struct bw_bearer *b = BW_NEW(struct bw_bearer);

	b->holders = 1;
	b->header_len = strlen(name) + strlen(token);
	b->header = bw_alloc(b->header_len + 1); /* in one piece: what prints leaves copies behind */
	memcpy(b->header, name, strlen(name));
	memcpy(b->header + strlen(name), token, strlen(token) + 1);
	return b;
}

void bw_bearer_leave(struct bw_bearer *b)
{
	if (!b || --b->holders > 0)
		return;
	explicit_bzero(b->header, b->header_len);
	free(b->header);
	free(b);
}

void bw_ticket_give(struct bw_ticket *t, struct bw_bearer *b, bool is_unproven)
{
	b->holders++;
	bw_ticket_drop(t);
	t->bearer = b;
	t->is_unproven = is_unproven;
}

void bw_ticket_drop(struct bw_ticket *t)
{
	bw_bearer_leave(BW_TAKE(t->bearer));
	t->is_unproven = false;
}

void bw_ticket_drop_unproven(struct bw_login *l)
{
	for (struct bw_ticket *t = l->newest; t; t = t->older)
		if (t->is_unproven)
			bw_ticket_drop(t);
}

bool bw_ticket_is_good(const struct bw_ticket *t)
{
	return t->bearer && bw_loop_now(t->host->registry->loop) < t->bearer->expires_ms;
}

/* --- the tickets of a registry ---------------------------------------------------------------- */

void bw_ticket_free(void *arg)
{
	struct bw_ticket *t = arg;

	bw_ticket_drop(t);
	free(t->key);
	free(t->own_scope);
	free(t->other_scope);
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

	if (l->ticket_count < MAX_TICKETS || t->errand)
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
	BW_AUTOFREE char *generic =
		l->is_generic ? bw_asprintf("%s\n%" PRIu64, l->generic_scope, q->credential) : NULL;
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

struct bw_ticket *bw_ticket_look(const struct bw_login *l, const char *repository)
{
	return l->is_generic ? NULL : bw_map_get(l->tickets, repository);
}

/* --- scopes ----------------------------------------------------------------------------------- */

const char *bw_ticket_scope(const struct bw_ticket *t)
{
	return t->uses_other ? t->other_scope : t->own_scope;
}

bool bw_ticket_has_company(const struct bw_ticket *t)
{
	const struct bw_login *l = &t->host->login;

	return !l->is_single && !l->is_generic && !t->uses_other && !t->is_rejected && !t->goes_alone;
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
