/* patch.h - the patches of a request for those of its uses that are pinned; private to store/. */
#ifndef BW_STORE_PATCH_H
#define BW_STORE_PATCH_H

#include "store/fact.h"

/* Templates of pins that are to stay as they are: the tag has them. Starts zeroed. */
struct bw_kept_pins {
	char **items;
	size_t count, capacity;
};
void bw_store_keep_pin(struct bw_kept_pins *k, const char *template); /* copied; NULL is fine */

/*
 * When all uses are loaded: a template that a kept pin has as well, or of which the uses should not all move to one
 * digest (one file built for several platforms), is taken from all of them. Frees what is in `k`.
 */
void bw_store_settle_pins(struct bw_fact_request *r, struct bw_kept_pins *k);

/* For the uses that are in this view; `patch` of each is NULL before. */
void bw_store_add_patches(struct bw_fact_request *view);
void bw_store_drop_patches(struct bw_fact_request *view);

#endif
