/* tell.h - has events made of what is being recorded; private to store/. All within the transaction of the record. */
#ifndef BW_STORE_TELL_H
#define BW_STORE_TELL_H

#include "store/change.h"
#include "store/fact.h"

/* The change that was just recorded, with all that follows for builds. */
int bw_store_tell_change(struct bw_store *s, const struct bw_teller *t, const struct bw_move *m,
			 struct bw_err *err) BW_NODISCARD;

/* The base could not be asked: is it enough to say so, and was that not said yet? */
int bw_store_tell_trouble(struct bw_store *s, const struct bw_teller *t, const struct bw_seen *x,
			  struct bw_err *err) BW_NODISCARD;

/* At the end of a record: bases that answer again, and builds that have something outstanding to be asked for. */
int bw_store_tell_rest(struct bw_store *s, const struct bw_teller *t, int64_t now_ms,
		       struct bw_err *err) BW_NODISCARD;

/*
 * What is outstanding for a build, as far as the rules let it: what they suppress is written as such. `ret_asked` (may be
 * NULL): something was asked for.
 */
int bw_store_tell_request(struct bw_store *s, const struct bw_teller *t, const struct bw_fact_request *r,
			  int64_t now_ms, bool *ret_asked, struct bw_err *err) BW_NODISCARD;

/* Makes the event and writes it. `ret` (may be NULL): its number, 0 when there is none. */
int bw_store_tell(struct bw_store *s, const struct bw_teller *t, const struct bw_fact *f, int64_t *ret,
		  struct bw_err *err) BW_NODISCARD;

#endif
