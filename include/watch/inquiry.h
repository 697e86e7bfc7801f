/*
 * inquiry.h - gets the bodies that a decision needs: from the store, and what is not there from the registry, by
 * digest, verified. Nothing is fetched twice: what came is stored, and two inquiries for one digest share the request.
 */
#ifndef BW_WATCH_INQUIRY_H
#define BW_WATCH_INQUIRY_H

#include "image/bodies.h"
#include "registry/client.h"
#include "store/base.h"

struct bw_inquiries;

/* `s` NULL: nothing is looked up or kept. Both must outlive the inquiries. */
struct bw_inquiries *bw_inquiries_new(struct bw_registry *r, struct bw_store *s);
/* Drops what is open, without callbacks; the registry client must not run any more while something is. */
void bw_inquiries_free(struct bw_inquiries *q);
/* How many bodies came from registries. */
size_t bw_inquiries_bodies(const struct bw_inquiries *q);

/* Where the bodies are. The strings are the caller's, until `done`. */
struct bw_body_origin {
	int64_t base_id; /* 0: none; what its registry no longer has is remembered for a base only */
	const char *registry;
	const char *repository;
	bool is_old; /* what its registry does not have now has gone: nothing here was named just now */
};

/* Decides as far as it can with these bodies, and notes needs. Called until it notes none that could be met. */
typedef void (*bw_decide_fn)(struct bw_bodies *b, void *arg);
/* `rc` < 0: the store failed, `err` says how. Else every need is met, or known to be missing. */
typedef void (*bw_inquiry_fn)(int rc, const struct bw_err *err, void *arg);

/*
 * What could not be had is missing in the bodies, with the registry's answer; a body that came and matches its digest,
 * but cannot be read, is MALFORMED (or LIMIT) with `digest` set, while one that does not match has none.
 *
 * Ends in `done` exactly once; inside this call when nothing has to be fetched. `b` is the caller's, and must live
 * until then. At most BW_INQUIRY_MAX_FETCHES bodies with BW_INQUIRY_MAX_BYTES are fetched for one inquiry: what is beyond is
 * missing (LIMIT).
 */
void bw_inquire(struct bw_inquiries *q, const struct bw_body_origin *o, struct bw_bodies *b,
		bw_decide_fn decide, bw_inquiry_fn done, void *arg);

#define BW_INQUIRY_MAX_BYTES \
	(16U << 20) /* the largest manifests that registries must accept, and a configuration */
#define BW_INQUIRY_MAX_FETCHES 256 /* two indexes of 60 platforms each, with manifests and configurations */

#endif
