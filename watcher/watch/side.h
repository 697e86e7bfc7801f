/* side.h - a registry client, with those who get bodies from it and judge its answers. Private to watch/. */
#ifndef BW_WATCH_SIDE_H
#define BW_WATCH_SIDE_H

#include "judge.h"
#include "watch/clients.h"
#include "watch/inquiry.h"

struct bw_side {
	struct bw_registry *registry;
	struct bw_inquiries *inquiries;
	struct bw_judge *judge;
};

struct bw_sides {
	struct bw_side own, strangers;
	bool has_strangers; /* else `own` asks for all */
};

void bw_sides_init(struct bw_sides *x, struct bw_loop *l, struct bw_store *s, const struct bw_clients *c,
		   uint32_t settle_ms);
/* The clients must not run any more while something is open. */
void bw_sides_done(struct bw_sides *x);

/* Who asks for this base. */
struct bw_side *bw_sides_of(struct bw_sides *x, const struct bw_base *b);
/* How many bodies came from registries. */
size_t bw_sides_bodies(const struct bw_sides *x);

#endif
