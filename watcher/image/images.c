/*
 * images.c - the images behind a digest; see image/images.h. An index is walked in its order, nested ones in their
 * place. Whatever a registry nests into what, the walk ends: no index is entered twice, and all entries of all levels
 * together are counted.
 */
#include "image/images.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

struct walk {
	struct bw_bodies *bodies;
	struct bw_images *ret;
	size_t capacity;
	size_t index_capacity;
	size_t entries; /* looked at, of all levels */
	size_t unnamed; /* entries whose configuration was asked for */
};

static bool has_platform(const struct bw_platform *p)
{
	return p->os[0] != '\0';
}

/* The first problem is told: what follows may come of it. */
static void note_problem(struct walk *w, const char *text)
{
	if (!w->ret->problem)
		w->ret->problem = bw_strdup(text);
}

/* A body is not there (yet). */
static void note_gap(struct walk *w, const struct bw_digest *d)
{
	w->ret->is_complete = false;
	if (!w->ret->missing)
		w->ret->missing = bw_bodies_missing(w->bodies, d);
}

/* --- one image -------------------------------------------------------------------------------- */

/*
 * Completes what nobody has said of an image: its platform is in its configuration. False: it is no image, but an
 * artifact of another kind.
 */
static bool ask_config(struct walk *w, const struct bw_manifest *m, struct bw_image *image)
{
	const struct bw_config *c;

	if (!bw_config_is_type(m->config_type))
		return false;
	c = bw_bodies_config(w->bodies, &m->config);
	if (!c) {
		note_gap(w, &m->config);
		return true;
	}
	image->platform = c->platform;
	if (bw_platform_is_unknown(&c->platform)) {
		/* Older attestations have an ordinary configuration, for this platform (protocols: BuildKit). */
		image->is_attestation = true;
		image->platform = (struct bw_platform){0};
	}
	return true;
}

/* The same for an entry of an index, which first needs its manifest. False: leave it out. */
static bool ask_manifest(struct walk *w, struct bw_image *image)
{
	const struct bw_manifest *m;

	if (w->unnamed == BW_IMAGES_MAX_UNNAMED) {
		note_problem(w, "too many images of the index do not say which platform they are for");
		return true;
	}
	w->unnamed++;
	m = bw_bodies_manifest(w->bodies, &image->digest);
	if (!m) {
		note_gap(w, &image->digest);
		return true;
	}
	if (m->kind == BW_MANIFEST_IMAGE)
		return ask_config(w, m, image);
	note_problem(w, "an entry of the index is called an image and is an index");
	return false;
}

static void add(struct walk *w, const struct bw_image *image)
{
	BW_PUSH(w->ret->items, w->ret->count, w->capacity) = *image;
}

static void add_child(struct walk *w, const struct bw_child *c)
{
	struct bw_image image = {
		.digest = c->digest,
		.size = c->size,
		.annotations = c->annotations,
		.is_attestation = c->is_attestation,
	};

	if (!c->is_attestation) {
		image.platform = c->platform;
		if (!has_platform(&c->platform) && !ask_manifest(w, &image))
			return;
	}
	add(w, &image);
}

/* --- an index --------------------------------------------------------------------------------- */

/* False: it was there before. Then all that is in it is known, and a client has taken the first of each platform. */
static bool enter(struct walk *w, const struct bw_digest *d)
{
	const struct bw_images *x = w->ret;

	for (size_t i = 0; i < x->index_count; i++)
		if (bw_digest_equal(&x->indexes[i], d))
			return false;
	BW_PUSH(w->ret->indexes, w->ret->index_count, w->index_capacity) = *d;
	return true;
}

static void walk_index(struct walk *w, const struct bw_manifest *m, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion) at most BW_IMAGES_MAX_DEPTH deep */
static void walk_nested(struct walk *w, const struct bw_digest *d, unsigned depth)
{
	const struct bw_manifest *m;

	if (!enter(w, d))
		return;
	if (depth > BW_IMAGES_MAX_DEPTH) {
		note_problem(w, "indexes are nested too deep");
		return;
	}
	m = bw_bodies_manifest(w->bodies, d);
	if (!m)
		note_gap(w, d);
	else if (m->kind == BW_MANIFEST_INDEX)
		walk_index(w, m, depth);
	else
		note_problem(w, "an entry of the index is called an index and is an image");
}

/* NOLINTNEXTLINE(misc-no-recursion) at most BW_IMAGES_MAX_DEPTH deep */
static void walk_index(struct walk *w, const struct bw_manifest *m, unsigned depth)
{
	for (size_t i = 0; i < m->child_count; i++) {
		const struct bw_child *c = &m->children[i];

		if (w->entries == BW_IMAGES_MAX_COUNT) {
			note_problem(w, "the index and those nested in it have too many entries");
			return;
		}
		w->entries++;
		switch (c->kind) {
		case BW_MANIFEST_INDEX: walk_nested(w, &c->digest, depth + 1); break;
		case BW_MANIFEST_IMAGE: add_child(w, c); break;
		case BW_MANIFEST_UNKNOWN: break; /* an artifact: no client takes it for an image */
		}
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

/* A single manifest is taken by every client, whatever its platform; an artifact by none. */
static void add_single(struct walk *w, const struct bw_digest *d, const struct bw_manifest *m)
{
	struct bw_image image = {.digest = *d};

	if (ask_config(w, m, &image))
		add(w, &image);
}

void bw_images_list(struct bw_bodies *b, const struct bw_digest *top, struct bw_images *ret)
{
	struct walk w = {.bodies = b, .ret = ret};
	const struct bw_manifest *m = bw_bodies_manifest(b, top);

	*ret = (struct bw_images){.is_complete = true};
	if (!m) {
		note_gap(&w, top);
		return;
	}
	ret->is_index = m->kind == BW_MANIFEST_INDEX;
	if (!ret->is_index) {
		add_single(&w, top, m);
		return;
	}
	(void)enter(&w, top);
	walk_index(&w, m, 1);
}

void bw_images_done(struct bw_images *x)
{
	free(x->items);
	free(x->indexes);
	free(x->problem);
	memset(x, 0, sizeof(*x));
}

/* --- choosing --------------------------------------------------------------------------------- */

/* The only image: entries that repeat it do not make a choice of it. NULL: none, or several. */
static const struct bw_image *only_image(const struct bw_images *x)
{
	const struct bw_image *only = NULL;

	for (size_t i = 0; i < x->count; i++) {
		const struct bw_image *image = &x->items[i];

		if (image->is_attestation)
			continue;
		if (only && !bw_digest_equal(&only->digest, &image->digest))
			return NULL;
		only = only ? only : image;
	}
	return only;
}

/* The nearest, and the first of equals; NULL: none will do. */
static const struct bw_image *nearest(const struct bw_images *x, const struct bw_platform *want)
{
	const struct bw_image *found = NULL;
	int best = -1;

	for (size_t i = 0; i < x->count && best != 0; i++) {
		const struct bw_image *image = &x->items[i];
		int distance = image->is_attestation ? -1 : bw_platform_distance(want, &image->platform);

		if (distance >= 0 && (!found || distance < best)) {
			found = image;
			best = distance;
		}
	}
	return found;
}

const struct bw_image *bw_images_for(const struct bw_images *x, const struct bw_platform *want)
{
	bool is_named = want && has_platform(want);
	const struct bw_image *found = is_named ? nearest(x, want) : NULL;

	if (found)
		return found;
	found = only_image(x);
	return found && is_named && x->is_index && has_platform(&found->platform) ? NULL : found;
}

static bool is_same_platform(const struct bw_platform *a, const struct bw_platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->os_version, b->os_version) == 0 &&
	       strcmp(a->arch, b->arch) == 0 && strcmp(a->variant, b->variant) == 0;
}

bool bw_images_is_first(const struct bw_images *x, const struct bw_image *image)
{
	for (const struct bw_image *other = x->items; other < image; other++)
		if (!other->is_attestation && is_same_platform(&other->platform, &image->platform))
			return false;
	return !image->is_attestation;
}
