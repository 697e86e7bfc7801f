/*
 * bodies.h - what is known of manifests and configurations, by digest, and what is missing to answer a question.
 *
 * Pure functions that need bodies ask here. What is not there they note as a need, and do as well as they can without;
 * their caller gets what is needed (from the store, from the registry) and calls them again, until nothing is needed
 * any more. So a decision is a plain function, whatever it takes to fetch its facts.
 */
#ifndef BW_IMAGE_BODIES_H
#define BW_IMAGE_BODIES_H

#include "image/answer.h"
#include "image/config.h"
#include "image/manifest.h"

struct bw_bodies;

enum bw_body_kind { BW_BODY_MANIFEST, BW_BODY_CONFIG };

struct bw_need {
	enum bw_body_kind kind;
	struct bw_digest digest;
};

struct bw_bodies *bw_bodies_new(void);
void bw_bodies_free(struct bw_bodies *b); /* NULL is fine */

/*
 * NULL: not known. Then it is noted as a need, once, unless it is known to be missing or `d` is unset. Values live
 * until the bodies are freed.
 */
const struct bw_manifest *bw_bodies_manifest(struct bw_bodies *b, const struct bw_digest *d);
const struct bw_config *bw_bodies_config(struct bw_bodies *b, const struct bw_digest *d);

/* The same without noting a need: for what is only nice to know. */
const struct bw_manifest *bw_bodies_peek_manifest(const struct bw_bodies *b, const struct bw_digest *d);
const struct bw_config *bw_bodies_peek_config(const struct bw_bodies *b, const struct bw_digest *d);

/* Takes over what `m` or `c` holds (it is zeroed), and ends the need. A digest that is known already stays. */
void bw_bodies_put_manifest(struct bw_bodies *b, const struct bw_digest *d, struct bw_manifest *m);
void bw_bodies_put_config(struct bw_bodies *b, const struct bw_digest *d, struct bw_config *c);

/* It cannot be had: `why` is the registry's answer (copied), with a trouble. Ends the need. */
void bw_bodies_put_missing(struct bw_bodies *b, const struct bw_digest *d, const struct bw_answer *why);
/* NULL: not known to be missing. */
const struct bw_answer *bw_bodies_missing(const struct bw_bodies *b, const struct bw_digest *d);

/* The open needs, in the order in which they were noted; valid until the next call that changes them. */
const struct bw_need *bw_bodies_needs(const struct bw_bodies *b, size_t *ret_count);

#endif
