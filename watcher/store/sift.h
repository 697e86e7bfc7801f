/*
 * sift.h - of what is outstanding for a build, what is asked for and what the rules suppress; private to store/. Both
 * are views: their bases, lists of uses and patches are their own, all other texts are those of the request.
 */
#ifndef BW_STORE_SIFT_H
#define BW_STORE_SIFT_H

#include "store/fact.h"

struct bw_sifted {
	struct bw_fact_request asked;
	struct bw_fact_request
		suppressed; /* also what no rule counts, where nothing else of the base is asked for */
};

void bw_store_sift(const struct bw_fact_request *r, const struct bw_teller *t, struct bw_sifted *ret);
void bw_sifted_done(struct bw_sifted *x);

#endif
