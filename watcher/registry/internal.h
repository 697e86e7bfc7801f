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
#include "registry/places.h"

struct bw_place;
struct bw_listing;
struct bw_question;
struct bw_relay;

/* That are remembered; more only as long as they are asked, or not to be asked. Some 3 KiB each, and their tokens. */
#define BW_REGISTRY_HOSTS 512

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
	bw_answer_fn answer_fn;
	bw_body_fn body_fn; /* of a fetch */
	void *arg;
};

struct bw_registry {
	struct bw_loop *loop;
	struct bw_places places;
	struct bw_credentials *credentials;
	unsigned refuse; /* kinds of addresses, see client.h */
	uint32_t connect_timeout_ms, answer_timeout_ms, give_up_ms, dead_ms;
	uint64_t first_retry_ms,
		next_retry_ms; /* before the second and the third attempt; tests are impatient */

	struct bw_map *hosts; /* registry as in references -> struct bw_host */
	uint64_t uses;	      /* of hosts, counted */
	struct bw_registry_counts counts;
	uint64_t random; /* state of the jitter */

	void (*warned)(const char *registry, const char *text, void *arg); /* client.h */
	void *warned_arg;
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
