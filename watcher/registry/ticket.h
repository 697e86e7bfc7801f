/*
 * ticket.h - what lets a repository in. A ticket is the wish of one repository, or of all where the registry has one scope
 * for all: which scope is asked for, and the token for it once there is one. A token may be good for several tickets. It
 * is asked for by an errand (errand.h), and kept until shortly before it ends.
 */
#ifndef BW_REGISTRY_TICKET_H
#define BW_REGISTRY_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bw_credential;
struct bw_errand;
struct bw_host;
struct bw_login;
struct bw_question;

/* One token; lives as long as a ticket has it. */
struct bw_bearer {
	unsigned holders;
	char *header; /* "Authorization: Bearer ..." */
	size_t header_len;
	uint64_t number;       /* tells one token from the next */
	bool says_grants;      /* which repositories it is good for (grant.h) */
	bool is_anonymous;     /* given to nobody in particular, else ... */
	uint64_t credential;   /* ... to whom (bw_credential.number) */
	uint64_t login_number; /* when it was last seen that this is still who we are (bw_login_number) */
	uint64_t asked_ms, expires_ms;
};

struct bw_ticket {
	struct bw_ticket *newer, *older;
	struct bw_host *host;
	char *key; /* the repository; with a generic scope that and who asks */
	char *own_scope;
	char *other_scope; /* that the registry asked for instead; NULL */
	bool uses_other;
	bool was_challenged;	  /* the registry said for this repository which scope it wants */
	bool is_rejected;	  /* the endpoint does not know our scope */
	bool goes_alone;	  /* a token for several did not do for it */
	struct bw_bearer *bearer; /* NULL: none yet, or thrown away */
	bool is_unproven; /* it was asked for with others, and nobody has seen whether it is good here */
	struct bw_errand *errand; /* under way for it; NULL */
};

/* The one for this question; a new one without a token when there is none. With a generic scope q->credential says who. */
struct bw_ticket *bw_ticket_find(struct bw_question *q);
/* That of a repository, when there is one and its scope is its own; NULL. Its use is not counted. */
struct bw_ticket *bw_ticket_look(const struct bw_login *l, const char *repository);
void bw_ticket_free(void *t); /* wipes */

/* It has a token whose time is not over. */
bool bw_ticket_is_good(const struct bw_ticket *t);
const char *bw_ticket_scope(const struct bw_ticket *t);
/* May its scope be asked for together with those of others? */
bool bw_ticket_has_company(const struct bw_ticket *t);

/* Takes part in this token, whatever it had before. */
void bw_ticket_give(struct bw_ticket *t, struct bw_bearer *b, bool is_unproven);
/* Throws the token away. */
void bw_ticket_drop(struct bw_ticket *t);
/* The same for all tickets with a token that nobody has seen to be good for them. */
void bw_ticket_drop_unproven(struct bw_login *l);

struct bw_bearer *bw_bearer_new(const char *token);
void bw_bearer_leave(struct bw_bearer *b); /* one holder less; the last one wipes */

/*
 * From now on asks for the scope that the registry wants instead of ours. False: there is none, or none
 * left.
 */
bool bw_ticket_use_other_scope(struct bw_login *l, struct bw_ticket *t);

#endif
