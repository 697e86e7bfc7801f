#include "command/entry.h"

/*
 * The list of indexes is in the order in which they were entered first, and this walk enters them in the same order:
 * so one that is not the next of the list has been looked through, or was never looked at.
 */
static bool enter(struct bw_entry_search *s, const struct bw_digest *index)
{
	const struct bw_images *x = s->images;

	if (s->entered == x->index_count || !bw_digest_equal(&x->indexes[s->entered], index))
		return false;
	s->entered++;
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion) at most BW_IMAGES_MAX_DEPTH deep */
static const struct bw_child *find_in(struct bw_entry_search *s, const struct bw_digest *index,
				      unsigned depth)
{
	const struct bw_manifest *m = NULL;
	const struct bw_child *found = NULL;

	if (enter(s, index) && depth > 0)
		m = bw_bodies_peek_manifest(s->bodies, index);
	for (size_t i = 0; m && i < m->child_count && !found; i++) {
		const struct bw_child *c = &m->children[i];

		s->looked++;
		if (bw_digest_equal(&c->digest, s->wanted))
			found = c;
		else if (bw_manifest_kind_of(c->media_type) == BW_MANIFEST_INDEX)
			found = find_in(s, &c->digest, depth - 1);
	}
	return found;
}

const struct bw_child *bw_entry_find(struct bw_entry_search *s)
{
	return s->images->index_count > 0 ? find_in(s, &s->images->indexes[0], BW_IMAGES_MAX_DEPTH) : NULL;
}
