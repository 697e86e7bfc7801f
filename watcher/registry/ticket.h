/*
 * ticket.h - Bearer tokens of one registry, each asked for once however many questions wait for it, and kept
 * until shortly before it ends.
 */
#ifndef BW_REGISTRY_TICKET_H
#define BW_REGISTRY_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "registry/auth.h"

struct bw_host;
struct bw_login;
struct bw_question;

/* A token, or the wish for one. */
struct bw_ticket {
	struct bw_ticket *newer, *older;
	struct bw_host *host;
	char *key;
	char *own_scope;
	char *other_scope; /* that the registry asked for instead; NULL */
	bool uses_other;
	bool was_challenged; /* the registry said for this repository which scope it wants */
	bool is_rejected;    /* the endpoint does not know our scope */
	char *header;	     /* "Authorization: Bearer ..."; NULL: none yet, or thrown away */
	size_t header_len;
	uint64_t number; /* tells one token from the next */
	bool is_anonymous;
	uint64_t asked_ms, expires_ms;
	struct bw_http_transfer *transfer; /* being fetched */
	char *user;			   /* shown with that request; NULL: nobody */
	uint64_t login_number;		   /* of the credentials, with that request */
	bool is_waking;			   /* those who waited for it are being told */
};

/* The one for this question; a new one without a token when there is none. */
struct bw_ticket *bw_ticket_find(struct bw_question *q);
void bw_ticket_free(void *t); /* wipes */

/* Throws the token away. */
void bw_ticket_drop(struct bw_ticket *t);

/* Asks for a token; WAIT or FAILED. */
enum bw_auth_step bw_ticket_fetch(struct bw_question *q, struct bw_ticket *t, struct bw_failure *f);

/*
 * From now on asks for the scope that the registry wants instead of ours. False: there is none, or none
 * left.
 */
bool bw_ticket_use_other_scope(struct bw_login *l, struct bw_ticket *t);

#endif
