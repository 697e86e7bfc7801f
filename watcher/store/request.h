/* request.h - what is outstanding for a build, gathered from its rows; private to store/. */
#ifndef BW_STORE_REQUEST_H
#define BW_STORE_REQUEST_H

#include "store/fact.h"
#include "store/sql.h"

struct bw_request_question {
	int64_t build_id;
	int64_t now_ms;
	const struct bw_teller *teller; /* what it counts */
};

/*
 * The uses of a build that stand on an older digest and are to be followed now. Bases without one are left out, so are
 * pins that the tag has.
 */
int bw_store_load_request(struct bw_store *s, const struct bw_request_question *w,
			  struct bw_fact_request *ret, struct bw_err *err) BW_NODISCARD;
void bw_request_done(struct bw_fact_request *r); /* a zeroed one is fine */

void bw_fact_base_done(struct bw_fact_base *b);

#endif
