/*
 * client.h - "what does this base point to now?" One call: base in, answer out.
 *
 * A question ends exactly once in its callback, never inside bw_registry_ask(), with a digest or a classed trouble,
 * within give_up_ms of being started. Per registry there are at most `connections` connections and a bounded queue,
 * so one bad registry delays nobody else's. The first question to a host goes alone: it finds out whether the host
 * speaks TLS, wants a log-in and answers HEAD, and the others profit.
 */
#ifndef BW_REGISTRY_CLIENT_H
#define BW_REGISTRY_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "image/answer.h"
#include "net/address.h"
#include "net/loop.h"
#include "registry/credentials.h"

struct bw_registry;

/*
 * What holds for one registry. HOST[:PORT] as people write it in references (docker.io and index.docker.io are one), and
 * only that port; or "*", whose `connections` and `ca_file` are for all hosts without an entry, and the former also for
 * those that do not say. Credentials are shown to this registry and to the token endpoint that it names, and come before
 * those of bw_registry_options.
 */
struct bw_registry_host_options {
	const char *host;
	unsigned connections;		 /* 0: not said */
	bool insecure;			 /* may be spoken to without TLS; not for "*" */
	const char *ca_file;		 /* NULL: not said */
	const char *username, *password; /* NULL: none; not for "*" */
};

/* Everything but `credentials` is copied. `ca_file` and `connections` hold where the entries do not say. */
struct bw_registry_options {
	const char *ca_file; /* trusted besides the system store; may be NULL */
	const char *const
		*insecure; /* host[:port] that may be spoken to without TLS; NULL-terminated or NULL */
	const struct bw_registry_host_options *hosts;
	size_t host_count;
	/*
	 * Kinds of addresses (net/address.h) that registries, their token endpoints and redirects must not lead to: for what
	 * strangers name. Not refused are those that `hosts` names, "*" being no name, and those in `insecure`. Whatever this
	 * says, nobody who is not on this machine or its link himself sends us there by a redirect or to a token endpoint,
	 * unless that one is named. What is refused is BW_TROUBLE_REFUSED.
	 */
	unsigned refuse;
	struct bw_credentials
		*credentials;	     /* outlives the registry client, and is refreshed; NULL: anonymous */
	unsigned connections;	     /* per registry; 0: 3 */
	uint32_t connect_timeout_ms; /* 0: 5,000 */
	uint32_t answer_timeout_ms;  /* 0: 10,000 */
	uint32_t give_up_ms;	     /* a whole question, retries included; 0: 30,000 */
	/* How long a registry that does not answer at all is left alone: its questions fail at once. 0: 30,000 */
	uint32_t dead_ms;
};

struct bw_registry_counts { /* since the start; for --verbose, tests and the bench */
	uint64_t heads, gets, tokens, retries;
};

typedef void (*bw_answer_fn)(const struct bw_answer *a, void *arg);
/* `body` is verified against the digest asked for; NULL with trouble. Valid only during the call. */
typedef void (*bw_body_fn)(const struct bw_answer *a, const struct bw_buf *body, void *arg);

int bw_registry_new(struct bw_loop *l, const struct bw_registry_options *o, struct bw_registry **ret,
		    struct bw_err *err) BW_NODISCARD;
void bw_registry_free(
	struct bw_registry *r); /* drops what is in flight, without callbacks; before the loop */

/* How many more questions the queue of this registry takes now. The caller waits for an answer when it is 0. */
unsigned bw_registry_room(struct bw_registry *r, const char *registry);

/* HEAD of the tag (or digest). The strings stay the caller's and must live until the callback. */
void bw_registry_ask(struct bw_registry *r, const char *registry, const char *repository, const char *tag,
		     bw_answer_fn fn, void *arg);
/*
 * GET by digest, verified: of a manifest, at most 4 MiB, or of a blob (a configuration), at most 8 MiB. What the
 * registry does not have is TAG_GONE, or REPOSITORY_GONE; bytes with another digest are MALFORMED.
 */
void bw_registry_fetch(struct bw_registry *r, const char *registry, const char *repository,
		       const struct bw_digest *digest, bw_body_fn fn, void *arg);
void bw_registry_fetch_blob(struct bw_registry *r, const char *registry, const char *repository,
			    const struct bw_digest *digest, bw_body_fn fn, void *arg);

struct bw_registry_counts bw_registry_count(const struct bw_registry *r);

/* What the answers of one registry have shown. */
struct bw_registry_facts {
	bool is_plain; /* it does not speak TLS */
	bool has_clock;
	int64_t ahead_ms; /* our clock is so far ahead of its own, within a second or two */
};
/* False: it has not answered yet. */
bool bw_registry_look(const struct bw_registry *r, const char *registry, struct bw_registry_facts *ret);

/* Is this host (with or without port) the machine itself: localhost, 127.0.0.0/8, ::1? */
bool bw_registry_is_loopback(const char *registry);

#endif
