/* sift.c - see sift.h. */
#include "store/sift.h"

#include "core/mem.h"
#include "store/patch.h"

static enum bw_use_fate fate_of(const struct bw_fact_request *r, const struct bw_fact_outstanding *x,
				const struct bw_fact_use *u, const struct bw_teller *t)
{
	return t->fate ? t->fate(r, x, u, t->arg) : BW_USE_ASKED;
}

static bool is_asked(const struct bw_fact_request *r, const struct bw_fact_outstanding *x,
		     const struct bw_teller *t)
{
	for (size_t i = 0; i < x->use_count; i++)
		if (fate_of(r, x, &x->uses[i], t) == BW_USE_ASKED)
			return true;
	return false;
}

/* What it says of all uses it says of those that are left. */
static void weigh(struct bw_fact_outstanding *x)
{
	bool is_pinned = true;

	for (size_t i = 0; i < x->use_count; i++) {
		const struct bw_fact_use *u = &x->uses[i];

		is_pinned = is_pinned && u->pinned;
		if (i == 0 || u->class < x->class) {
			x->class = u->class;
			x->moved = u->moved;
		}
	}
	if (is_pinned && x->use_count > 0)
		x->from = x->uses[0].pinned;
}

/* The uses of one base that are asked for, or the others; none, no base. */
static void add_base(struct bw_fact_request *to, const struct bw_fact_request *r,
		     const struct bw_fact_outstanding *x, const struct bw_teller *t, bool asked)
{
	bool has_asked = is_asked(r, x, t);
	struct bw_fact_outstanding view = *x;

	view.uses = NULL;
	view.use_count = view.use_capacity = 0;
	for (size_t i = 0; i < x->use_count; i++) {
		enum bw_use_fate fate = fate_of(r, x, &x->uses[i], t);
		/* What does not count stands beside what does: a rebuild moves it too. */
		bool is_in = fate == BW_USE_ASKED || (fate == BW_USE_UNCOUNTED && has_asked);

		if (is_in == asked)
			BW_PUSH(view.uses, view.use_count, view.use_capacity) = x->uses[i];
	}
	if (view.use_count == 0)
		return;
	weigh(&view);
	BW_PUSH(to->bases, to->base_count, to->base_capacity) = view;
}

static void view(const struct bw_fact_request *r, const struct bw_teller *t, bool asked,
		 struct bw_fact_request *ret)
{
	*ret = *r;
	ret->bases = NULL;
	ret->base_count = ret->base_capacity = 0;
	for (size_t i = 0; i < r->base_count; i++)
		add_base(ret, r, &r->bases[i], t, asked);
	bw_store_add_patches(ret);
}

void bw_store_sift(const struct bw_fact_request *r, const struct bw_teller *t, struct bw_sifted *ret)
{
	view(r, t, true, &ret->asked);
	view(r, t, false, &ret->suppressed);
}

static void free_view(struct bw_fact_request *r)
{
	bw_store_drop_patches(r);
	for (size_t i = 0; i < r->base_count; i++)
		free(r->bases[i].uses);
	free(r->bases);
	*r = (struct bw_fact_request){0};
}

void bw_sifted_done(struct bw_sifted *x)
{
	free_view(&x->asked);
	free_view(&x->suppressed);
}
