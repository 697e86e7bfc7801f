/* probe.h - asks what one base points to now, and has what is new judged. Private to watch/. */
#ifndef BW_WATCH_PROBE_H
#define BW_WATCH_PROBE_H

#include "side.h"

struct bw_probe;

/*
 * What came of it, exactly once, not inside bw_probe_ask(). `rc` < 0: the store failed, and there is no answer. `a` NULL:
 * the base has what it had. `change` is the callee's, for the ledger.
 */
struct bw_probed {
	int rc;
	const struct bw_err *err;
	const struct bw_answer *answer;
	struct bw_change *change;
};

/* What the probes of one registry share. */
struct bw_probe_group {
	struct bw_side *side;
	const char *registry;
	size_t open; /* cases that hold bodies in memory */
	void (*done)(struct bw_probe *p, const struct bw_probed *x);
	/* One of them is being judged, which may take long: others need not wait with it. May be NULL. */
	void (*waits)(struct bw_probe_group *g);
};

/* Small, because there may be 100,000. */
struct bw_probe {
	struct bw_probe_group *group;
	int64_t base_id;
	const char *repository;
	const char *tag;
	const char *digest;   /* "" = never seen */
	bool is_contradicted; /* the registry said something else since then */
	uint32_t failures, waited;
};

void bw_probe_ask(struct bw_probe *p);

/* Copies the texts of the base. */
void bw_probe_init(struct bw_probe *p, struct bw_probe_group *group, const struct bw_base *b);
void bw_probe_done(struct bw_probe *p); /* frees the texts */

#endif
