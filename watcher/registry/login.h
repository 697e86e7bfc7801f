/*
 * login.h - how one registry wants to be spoken to: nothing, Basic, or a Bearer token per repository; and who
 * we are there. Credentials leave this room only for the registry that they belong to and for the realm that
 * it names.
 *
 * Accounts get locked: a credential that was refused is not shown again for a while, and one that has not been taken
 * lately is shown by one question at a time until it is.
 */
#ifndef BW_REGISTRY_LOGIN_H
#define BW_REGISTRY_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/map.h"
#include "registry/address.h"
#include "registry/auth.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/errors.h"

struct bw_errand;
struct bw_host;
struct bw_question;
struct bw_registry;
struct bw_ticket;

/* What a registry made of one of our credentials. Namespaces may have several. */
struct bw_standing {
	uint64_t number;
	uint64_t used;	/* tells the oldest */
	bool was_taken; /* since it was refused last, however long ago */
	uint64_t taken_ms;
	uint64_t refused_until_ms;
	char *doubted; /* the repository that it was turned away from, having never been taken; NULL: none */
};
#define BW_LOGIN_STANDINGS 16

struct bw_login {
	enum bw_challenge_scheme scheme; /* NONE: as far as we know nothing is wanted */
	char *realm, *service;		 /* of Bearer */
	struct bw_origin realm_origin;	 /* holds as long as the client */
	char realm_name[BW_ORIGIN_MAX];	 /* of the same, for messages */
	unsigned realm_http_version;	 /* 0: not known */
	uint64_t last_token_ms;		 /* when it gave one; 0: never */
	char *generic_scope; /* one that the registry asks for and that is of no repository: "*", "aws" */
	bool is_generic;     /* the scopes made by us do not work there */
	bool has_no_post;    /* the realm knows only GET */
	bool is_single;	     /* one scope per request: several did not do */
	bool is_proven;	     /* an opaque token for several scopes has opened more than the first */
	const struct bw_question *probe; /* what it learns, others wait for; only to compare with */
	struct bw_map *tickets;
	struct bw_ticket *newest, *oldest; /* by last use */
	unsigned ticket_count;
	struct bw_errand *errands; /* under way */
	uint64_t last_number;
	struct bw_standing standings[BW_LOGIN_STANDINGS];
	unsigned standing_count;
	uint64_t standing_uses;
	bool has_shown; /* credentials of ours to the realm */
	char *source;	/* of what was shown last; NULL: nothing */
};

void bw_login_init(struct bw_login *l);
void bw_login_done(struct bw_login *l); /* wipes */

/*
 * Who asks? READY: `*ret`, NULL for nobody in particular; good until it is called again. WAIT: q->waiter waits for a helper
 * program. FAILED: it cannot be found, or it was refused.
 */
enum bw_auth_step bw_login_ask(struct bw_question *q, const struct bw_credential **ret, struct bw_failure *f);
/* Those that were there when somebody looked last; looks again first when that was a while ago. */
uint64_t bw_login_number(const struct bw_host *h);

/* This one was taken, or refused. */
void bw_login_taken(struct bw_host *h, uint64_t number);
void bw_login_refuse(struct bw_host *h, uint64_t number);
/*
 * It was turned away from this repository by an answer that may mean either. One that was taken before is good. Of any other
 * it takes two repositories, with no success in between. True: so it is refused now.
 */
bool bw_login_doubt(struct bw_host *h, uint64_t number, const char *repository);
/* Was it taken lately, so that many may show it at once? */
bool bw_login_is_taken(const struct bw_host *h, uint64_t number);
void bw_login_set_refused(struct bw_failure *f, const char *by, const struct bw_credential *c);
/* This one is shown now; NULL: nobody's. */
void bw_login_note(struct bw_host *h, const struct bw_credential *c);

/* May this question go ahead with what nobody has tried yet? Then it is the only one until bw_login_release(). */
bool bw_login_goes_first(struct bw_question *q);
/* What the others wait for has come out; not NULL: only if it is this question that they wait for. */
void bw_login_release(struct bw_host *h, const struct bw_question *q);
/* The question has ended, or begins again later: it waits for nothing any more, and nobody for it. */
void bw_login_leave(struct bw_question *q);

/* From now on one scope per request. */
void bw_login_use_single(struct bw_host *h);

/* A token is being fetched, somebody is not to be tried again, or the realm has seen who we are: it is remembered. */
bool bw_login_is_in_use(const struct bw_host *h);

/* May credentials be shown to the token endpoint? Over TLS, or to a place that may be spoken to without. */
bool bw_login_may_show(const struct bw_host *h);

/* The header line, in r->secret: whoever has made the request calls bw_login_wipe(). NULL: it is too long. */
const char *bw_login_basic(struct bw_registry *r, const struct bw_credential *c);
/* The same for a token that is sent as it is; NULL: it is no word that a header can hold. */
const char *bw_login_bearer(struct bw_registry *r, const struct bw_credential *c);
void bw_login_wipe(struct bw_registry *r);

#endif
