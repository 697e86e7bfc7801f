/* internal.h - what the files of this room share: the client itself, and lists of questions. */
#ifndef BW_REGISTRY_INTERNAL_H
#define BW_REGISTRY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/map.h"
#include "net/loop.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "registry/crowd.h"
#include "registry/places.h"

struct bw_place;
struct bw_listing;
struct bw_question;
struct bw_relay;

/* A question is in exactly one list at any time. */
struct bw_list {
	struct bw_question *head, *tail;
	unsigned count;
};

/* What somebody wants to know. The texts are his, until he is told. */
struct bw_wish {
	const char *registry, *repository;
	const char *tag; /* may be a digest; NULL: `digest` is to be fetched */
	const char *
		known; /* of a tag: what it pointed to when the registry itself was last asked; may be NULL */
	struct bw_digest digest; /* of a fetch */
	bool is_blob;
	unsigned refuse; /* kinds of addresses, see client.h */
	bw_answer_fn answer_fn;
	bw_body_fn body_fn; /* of a fetch */
	void *arg;
};

struct bw_registry {
	/* Of a view (bw_registry_for_strangers) the client, NULL when that is gone, and nothing else is set; else itself. */
	struct bw_registry *whole;
	unsigned refuse; /* kinds of addresses (client.h), to what is asked through this one */
	struct bw_registry *views, *next_view;

	struct bw_loop *loop;
	struct bw_places places;
	struct bw_credentials *credentials;
	uint32_t connect_timeout_ms, answer_timeout_ms, give_up_ms, dead_ms;
	uint64_t first_retry_ms,
		next_retry_ms; /* before the second and the third attempt; tests are impatient */

	struct bw_map *hosts;  /* normal name of a registry -> struct bw_host */
	struct bw_seat by_use; /* all of these; first the one that was not asked for longest */
	struct bw_seat line;   /* those that may not ask now because too many do */
	unsigned slots;	       /* taken by questions to all of them */
	struct bw_registry_counts counts;
	uint64_t random; /* state of the jitter */

	void (*warned)(const char *registry, const char *about, const char *text, void *arg); /* client.h */
	void *warned_arg;
	void (*mirror_turned)(const char *registry, const char *mirror, const char *why, void *arg);
	void *mirror_arg;
	bool trusts_absence;	     /* bw_registry_trust_absence() */
	struct bw_listing *listings; /* lists of tags that are being read (listing.h) */

	struct bw_list ending;	   /* answered, not yet told */
	struct bw_list spare;	   /* for the next questions */
	struct bw_relay *relays;   /* those under way */
	struct bw_timer *wake;	   /* tells what ended outside of a callback of the loop */
	struct bw_buf url, secret; /* of the request that is being made; the latter is wiped behind it */
	bool is_delivering, is_freed;
};

/*
 * Tells the answers that are known. The last thing that each callback of the loop does: the user's callback
 * may free the whole client.
 */
void bw_registry_deliver(struct bw_registry *r);

/* The host that answers under this name. Others may be forgotten by it, but not one that a question is put to. */
struct bw_host *bw_registry_host(struct bw_registry *r, const char *name);

/* A question for it, which the caller completes, and then submits; it may have ended behind that, but is not told. */
struct bw_question *bw_registry_question(struct bw_registry *r, const char *registry, const char *repository,
					 const struct bw_wish *w);
void bw_registry_submit(struct bw_question *q);

/* May free the client. */
void bw_registry_tell(const struct bw_wish *w, const struct bw_answer *a, const struct bw_buf *body);

/* `ms` and up to a quarter more or less: many questions that failed together shall not come back together. */
uint64_t bw_registry_jitter(struct bw_registry *r, uint64_t ms);

#endif
