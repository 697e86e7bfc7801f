/* question.h - one question from asking to answer: attempts, HEAD or GET, and when to give up. */
#ifndef BW_REGISTRY_QUESTION_H
#define BW_REGISTRY_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "image/answer.h"
#include "net/http.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "registry/errors.h"
#include "registry/internal.h"

struct bw_host;
struct bw_page;
struct bw_relay;
struct bw_errand;

enum bw_question_state {
	BW_QUESTION_NEW,     /* in no list */
	BW_QUESTION_QUEUED,  /* in host->queue: nothing was asked for it yet */
	BW_QUESTION_WAITING, /* in host->waiting: between two attempts; takes no slot */
	BW_QUESTION_LOGIN,   /* in host->waiting: for a token or for who we are; takes a slot */
	BW_QUESTION_ASKING,  /* in host->asking: its request is on its way; takes a slot */
	BW_QUESTION_ENDING,  /* in registry->ending: the answer is known, and told next */
};

/* A secret is a credential that is a token itself. */
enum bw_sent { BW_SENT_NOTHING, BW_SENT_BASIC, BW_SENT_TOKEN, BW_SENT_SECRET };

#define BW_QUESTION_UNTIL_TOLD UINT64_MAX

struct bw_question {
	struct bw_question *prev, *next;
	struct bw_list *list;
	struct bw_host *host;
	enum bw_question_state state;

	const char *repository, *tag; /* the caller's; `tag` may be a digest, and is NULL with a fetch */
	const char *query;	      /* goes with each request, not with those for tokens; NULL: none */
	struct bw_relay *relay;	      /* is told, and nobody else; NULL: the one who asked */
	bool is_brief;		      /* one attempt: somebody else is asked next */
	bool is_one_of_many;	      /* why it is not there need not be known */
	struct bw_digest digest;      /* that was asked for; unset: a tag was */
	bool is_blob;		      /* of a fetch: no manifest */
	unsigned refuse;      /* kinds of addresses that it must not lead to; see bw_reach_refused() */
	struct bw_page *page; /* asks for this page of the list of tags; NULL: for none */
	bw_answer_fn answer_fn;
	bw_body_fn body_fn;
	void *arg;

	enum bw_http_method method;
	bool head_refused;  /* a GET that works now shows that this host only does GET */
	bool head_is_error; /* the same, less sure: HEAD got 5xx */
	bool is_about_tags; /* the tag is gone (`failure` says how): this asks whether the repository is */
	unsigned attempts, timeouts, throttles;
	uint64_t started_ms, deadline_ms; /* 0: not yet; of a brief one the latter is said with it */
	uint64_t ready_ms; /* WAITING: not before; BW_QUESTION_UNTIL_TOLD: until bw_login_release() */

	struct bw_http_transfer *transfer;
	uint64_t sent_ms, budget_number;     /* of the last request (gate.h) ... */
	bool was_counted;		     /* ... as a question */
	bool was_plain;			     /* the last request */
	struct bw_errand *errand;	     /* LOGIN: the one it waits for, or ... */
	struct bw_credentials_waiter waiter; /* ... a helper program */
	enum bw_sent sent;		     /* how the last request was signed */
	uint64_t credential;   /* that was looked up or sent last (bw_credential.number); 0: nobody's */
	uint64_t token_number; /* of the token that was sent */
	bool is_anonymous;     /* that token was given to nobody in particular */
	bool is_shared;	       /* that token was asked for with others, and may not be good here */
	bool went_alone;       /* it was not: this question has asked for its own */
	bool has_own_token;    /* it was fetched for this question */
	bool has_renewed;      /* the one fresh token was asked for */
	unsigned challenges;

	struct bw_failure failure; /* the last one */
	struct bw_answer answer;
	const struct bw_buf *body; /* the answer's, during the callback that it came in */
};

/* Changes list, slot and state together. */
void bw_question_move(struct bw_question *q, enum bw_question_state to);

/* Makes the next request, or waits for the token that it needs. */
void bw_question_proceed(struct bw_question *q);

/* An attempt failed: waits for the next one, or ends. */
void bw_question_failed(struct bw_question *q, const struct bw_failure *f);

/* Ends with an answer. */
void bw_question_succeed(struct bw_question *q, const struct bw_digest *d, const char *media_type);

/* Ends with this failure. */
void bw_question_end(struct bw_question *q, const struct bw_failure *f);

/* Its time is over. */
void bw_question_give_up(struct bw_question *q);

#endif
