/*
 * client.h - "what does this base point to now?" One call: base in, answer out.
 *
 * A question ends exactly once in its callback, never inside bw_registry_ask(), with a digest or a classed trouble,
 * within give_up_ms of being started. Per registry there are at most `connections` connections and a bounded queue,
 * so one bad registry delays nobody else's. Of all registries together some 500 questions are under way, the rest waits in
 * turn. The first question to a host goes alone: it finds out whether the host
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
#include "registry/budget.h"
#include "registry/credentials.h"

struct bw_registry;

/*
 * What holds for one registry. HOST[:PORT] as people write it in references (docker.io and index.docker.io are one), and
 * only that port; or "*", whose values hold for all hosts that do not say it themselves. Not for "*": insecure, cert_file,
 * key_file, mirrors, mirrors_only.
 */
struct bw_registry_host_options {
	const char *host;
	unsigned connections;	    /* 0: not said */
	unsigned in_flight;	    /* requests without an answer, at most; 0: not said */
	double requests_per_second; /* at most, tokens not counted; 0: not said */
	bool has_reserve;
	unsigned
		reserve_percent; /* of the requests that it grants (registry/budget.h), left to others; 0 .. 90 */
	bool insecure;		 /* may be spoken to without TLS */
	const char *ca_file;	 /* NULL: not said */
	const char *
		cert_file; /* shown to this host alone; NULL: none besides those of certs.d (registry/certs.h) */
	const char *key_file;
	const char *proxy;	    /* URL; "": none; NULL: not said, which is the proxy of the environment */
	const char *const *mirrors; /* URLs (registry/mirror.h), NULL-terminated; NULL: none */
	bool mirrors_only; /* they are all there is: what they say is believed, and the registry itself is not asked */
};

/* Everything but `credentials` is copied. `ca_file` and `connections` hold where the entries do not say. */
struct bw_registry_options {
	const char *ca_file; /* trusted besides the system store; may be NULL */
	const char *const
		*insecure; /* host[:port] that may be spoken to without TLS; NULL-terminated or NULL */
	const struct bw_registry_host_options *hosts;
	size_t host_count;
	/*
	 * Kinds of addresses (net/address.h) that registries, their token endpoints and redirects must not lead to. Not refused
	 * are those that `hosts` names, "*" being no name, and those in `insecure`. Whatever this says, nobody who is not on
	 * this machine or its link himself sends us there by a redirect or to a token endpoint, nor who is not in a private
	 * network to a token endpoint there, unless that one is named; for a token endpoint, both. What is refused is
	 * BW_TROUBLE_REFUSED.
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
	const char *const *
		certs; /* folders in the manner of certs.d, NULL-terminated; NULL: those of registry/certs.h */
	/*
	 * A registry has something to say to its users (`Warning: 299`), and said it first of `about`: REPOSITORY:TAG,
	 * REPOSITORY@DIGEST, or REPOSITORY. Told once for each text. Valid during the call, and not escaped. Must not free
	 * the client. NULL: nobody wants to know.
	 */
	void (*warned)(const char *registry, const char *about, const char *text, void *arg);
	void *warned_arg;
	/*
	 * A mirror stops being usable (`why`), or is again (NULL): not for each question, and not because it lacks one
	 * image. As `warned`.
	 */
	void (*mirror_turned)(const char *registry, const char *mirror, const char *why, void *arg);
	void *mirror_arg;
};

struct bw_registry_counts { /* since the start; for --verbose, tests and the bench */
	uint64_t heads, gets, tokens, retries;
	uint64_t mirrored; /* answers that came from a mirror and were believed */
};

typedef void (*bw_answer_fn)(const struct bw_answer *a, void *arg);
/* `body` is verified against the digest asked for; NULL with trouble. Valid only during the call. */
typedef void (*bw_body_fn)(const struct bw_answer *a, const struct bw_buf *body, void *arg);

int bw_registry_new(struct bw_loop *l, const struct bw_registry_options *o, struct bw_registry **ret,
		    struct bw_err *err) BW_NODISCARD;
/* Drops what is in flight, without callbacks; before the loop. */
void bw_registry_free(struct bw_registry *r);

/*
 * The same client for what strangers name: what is asked through this must not lead to `refuse` (bw_registry_options), and
 * all else is one: hosts, connections, credentials, budgets, counts. It is freed for itself, which drops nothing, before the
 * client or behind it; when the client is gone it may only be freed.
 */
struct bw_registry *bw_registry_for_strangers(struct bw_registry *r, unsigned refuse);

/* How many more questions the queue of this registry takes now, those that are with its mirrors counted. The caller waits for an answer when it is 0. */
unsigned bw_registry_room(struct bw_registry *r, const char *registry);

/*
 * HEAD of the tag (or digest). The strings stay the caller's and must live until the callback. `known` is the digest that the
 * registry itself was last known to name: mirrors are asked only where there is one, and one that names the same is believed.
 * For anything else the registry itself is asked, and what that says is the answer (with `mirrors_only` the first mirror that
 * answers is right). NULL: nothing is known. The mirrors together take at most half of give_up_ms from the question's turn, and
 * the registry itself then has all of it.
 */
void bw_registry_ask(struct bw_registry *r, const char *registry, const char *repository, const char *tag,
		     const char *known, bw_answer_fn fn, void *arg);
/*
 * GET by digest, verified: of a manifest, at most 4 MiB, or of a blob (a configuration), at most 8 MiB. What the
 * registry does not have is TAG_GONE, or REPOSITORY_GONE; bytes with another digest are MALFORMED.
 */
void bw_registry_fetch(struct bw_registry *r, const char *registry, const char *repository,
		       const struct bw_digest *digest, bw_body_fn fn, void *arg);
void bw_registry_fetch_blob(struct bw_registry *r, const char *registry, const char *repository,
			    const struct bw_digest *digest, bw_body_fn fn, void *arg);

/*
 * Files of certificates, and the folders of registry/certs.h, are read when a host is asked first; from now on they are looked
 * at again. What is on its way stays as it is.
 */
void bw_registry_reload(struct bw_registry *r);

struct bw_registry_counts bw_registry_count(const struct bw_registry *r);

/* What the answers of one registry have shown, or of one that is a mirror: not those of its mirrors. */
struct bw_registry_facts {
	bool is_plain; /* it does not speak TLS */
	bool has_clock;
	int64_t ahead_ms; /* our clock is so far ahead of its own, within a second or two */
	bool wants_login; /* it has asked who we are ... */
	const char *
		login; /* ... and this is where the last answer to that came from; NULL: we are nobody in particular */
	struct bw_budget_plan budget;
	uint64_t quiet_ms; /* it wants to be left alone for so long: 429, Retry-After; 0: it does not */
};
/* False: it has not answered yet. */
bool bw_registry_look(const struct bw_registry *r, const char *registry, struct bw_registry_facts *ret);

/* How a registry stood when it answered last, to another process: what bw_registry_look() said then. */
struct bw_registry_standing {
	uint64_t age_ms; /* that was so long ago; the other times are as of then */
	bool has_budget; /* the next five are 0 without one */
	bool is_free;
	uint64_t limit, remaining;
	uint32_t window_s;
	uint64_t hold_ms;
	uint64_t quiet_ms;
};
/*
 * To go on from there, before the first question: what forbade to ask then, forbids it now, and such questions are answered
 * with THROTTLED and `is_held_back`. Of a registry that has answered this client nothing is changed.
 */
void bw_registry_remember(struct bw_registry *r, const char *registry, const struct bw_registry_standing *x);

/*
 * What registries refused to `former`, on the same loop and with the same credentials (`credentials` of the options), they are
 * not shown by this one either, as long as that holds.
 */
void bw_registry_inherit(struct bw_registry *r, const struct bw_registry *former);

/* The nth (from 0) mirror of a registry as a registry of its own, and what it calls that repository; false: no such one. */
bool bw_registry_mirror(const struct bw_registry *r, const char *registry, size_t n, const char *repository,
			char **ret_registry, char **ret_repository);

/* What came of the questions that were put to a mirror. */
struct bw_mirror_facts {
	const char *registry, *mirror; /* of whom it is one; HOST[:PORT][/PATH] */
	uint64_t answers, unusable; /* so many that were used, or proved right; so many that were of no use */
	const char *why;	    /* of the last of the latter, not escaped; "" */
};
/* The nth (from 0) of all mirrors of all registries; false: no such one. Valid as long as the client. */
bool bw_registry_mirror_look(const struct bw_registry *r, size_t n, struct bw_mirror_facts *ret);

/*
 * From now on a tag that is not there is TAG_GONE, without a look whether its repository is: the caller is going to ask for
 * the list of tags himself. Not where there are only mirrors.
 */
void bw_registry_trust_absence(struct bw_registry *r);

/* Do these names, HOST[:PORT], lead to one registry? Those of Docker Hub do. */
bool bw_registry_is_same(const char *a, const char *b);

/* Is this host (with or without port) the machine itself: localhost, 127.0.0.0/8, ::1? */
bool bw_registry_is_loopback(const char *registry);

#endif
