/*
 * login.h - how one registry wants to be spoken to: nothing, Basic, or a Bearer token per repository; and who
 * we are there. Credentials leave this room only for the registry that they belong to and for the realm that
 * it names.
 */
#ifndef BW_REGISTRY_LOGIN_H
#define BW_REGISTRY_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/map.h"
#include "registry/address.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/errors.h"

struct bw_host;
struct bw_question;
struct bw_registry;
struct bw_ticket;

struct bw_login {
	enum bw_challenge_scheme scheme; /* NONE: as far as we know nothing is wanted */
	char *realm, *service;		 /* of Bearer */
	struct bw_origin realm_origin;
	char realm_name[BW_ORIGIN_MAX]; /* of the same, for messages */
	unsigned realm_http_version;	/* 0: not known */
	uint64_t last_token_ms;		/* when it gave one; 0: never */
	char *generic_scope; /* one that the registry asks for and that is of no repository: "*", "aws" */
	bool is_generic;     /* the scopes made by us do not work there */
	struct bw_map *tickets;
	struct bw_ticket *newest, *oldest; /* by last use */
	unsigned ticket_count;
	uint64_t last_number;
	char *refused_user; /* do not try this user again before refused_until_ms ... */
	uint64_t refused_until_ms;
	uint64_t refused_number; /* ... as long as the credentials have this number */
};

void bw_login_init(struct bw_login *l);
void bw_login_done(struct bw_login *l); /* wipes */

/* Who asks; NULL: nobody in particular. Good until it is called again, because the file may be another one then. */
const struct bw_credential *bw_login_credential(const struct bw_question *q);

/* Those that bw_login_credential() told last. */
uint64_t bw_login_number(const struct bw_host *h);

bool bw_login_was_refused(const struct bw_host *h, const char *user);
/* `number`: of the credentials when they were shown. */
void bw_login_remember_refusal(struct bw_host *h, const char *user, uint64_t number);
void bw_login_set_refused(struct bw_failure *f, const char *by, const char *user);

/* A token is being fetched, or somebody is not to be tried again. */
bool bw_login_is_in_use(const struct bw_host *h);

/* May credentials be shown to the token endpoint? Over TLS, or to a place that may be spoken to without. */
bool bw_login_may_show(const struct bw_host *h);

/* The header line, in r->secret, which bw_question_proceed() wipes when the request is made. */
const char *bw_login_basic(struct bw_registry *r, const struct bw_credential *c);

#endif
