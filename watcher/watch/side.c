#include "side.h"

static void init(struct bw_side *x, struct bw_loop *l, struct bw_store *s, struct bw_registry *r,
		 uint32_t settle_ms)
{
	x->registry = r;
	x->inquiries = bw_inquiries_new(r, s);
	x->judge = bw_judge_new(l, s, r, x->inquiries, settle_ms);
}

static void done(struct bw_side *x)
{
	bw_judge_free(x->judge);
	bw_inquiries_free(x->inquiries);
}

void bw_sides_init(struct bw_sides *x, struct bw_loop *l, struct bw_store *s, const struct bw_clients *c,
		   uint32_t settle_ms)
{
	*x = (struct bw_sides){.has_strangers = c->foreign != NULL};
	init(&x->own, l, s, c->own, settle_ms);
	if (x->has_strangers)
		init(&x->strangers, l, s, c->foreign, settle_ms);
}

void bw_sides_done(struct bw_sides *x)
{
	done(&x->own);
	if (x->has_strangers)
		done(&x->strangers);
}

struct bw_side *bw_sides_of(struct bw_sides *x, const struct bw_base *b)
{
	return b->is_foreign && x->has_strangers ? &x->strangers : &x->own;
}

size_t bw_sides_bodies(const struct bw_sides *x)
{
	return bw_inquiries_bodies(x->own.inquiries) +
	       (x->has_strangers ? bw_inquiries_bodies(x->strangers.inquiries) : 0);
}
