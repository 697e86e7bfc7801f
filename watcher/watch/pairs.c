/*
 * pairs.c - see pairs.h. Both lists are sorted and merged, because an index may have a thousand entries and a registry
 * may be hostile: a million comparisons for each question would be felt.
 */
#include "watch/pairs.h"

#include <string.h>

#include "core/mem.h"

/* The images that have no partner yet. Positions in the index are the order of the pointers. */
struct side {
	const struct bw_image **left;
	size_t count;
};

typedef int (*compare_fn)(const void *a, const void *b);

/* --- orders ----------------------------------------------------------------------------------- */

static const struct bw_image *image_at(const void *element)
{
	return *(const struct bw_image *const *)element;
}

static int by_position(const void *a, const void *b)
{
	const struct bw_image *x = image_at(a), *y = image_at(b);

	return (x > y) - (x < y);
}

/* Os, architecture and variant. */
static int by_kind(const struct bw_platform *x, const struct bw_platform *y)
{
	int order = strcmp(x->os, y->os);

	if (order == 0)
		order = strcmp(x->arch, y->arch);
	return order ? order : strcmp(x->variant, y->variant);
}

/* Bytes up to the third dot: "10.0.20348" of "10.0.20348.1970", the part that makes two Windows builds equal. */
static size_t build_len(const char *version)
{
	size_t dots = 0, i = 0;

	for (; version[i] != '\0'; i++)
		if (version[i] == '.' && ++dots == 3)
			break;
	return i;
}

static int by_build(const char *x, const char *y)
{
	size_t x_len = build_len(x), y_len = build_len(y);
	int order = memcmp(x, y, x_len < y_len ? x_len : y_len);

	return order ? order : (x_len > y_len) - (x_len < y_len);
}

static int compare_platform(const void *a, const void *b)
{
	const struct bw_platform *x = &image_at(a)->platform, *y = &image_at(b)->platform;
	int order = by_kind(x, y);

	return order ? order : strcmp(x->os_version, y->os_version);
}

static int compare_build(const void *a, const void *b)
{
	const struct bw_platform *x = &image_at(a)->platform, *y = &image_at(b)->platform;
	int order = by_kind(x, y);

	return order ? order : by_build(x->os_version, y->os_version);
}

static int compare_kind(const void *a, const void *b)
{
	return by_kind(&image_at(a)->platform, &image_at(b)->platform);
}

/* Equal ones stay in the order of the index: qsort() alone would promise nothing. */
static int sort_platform(const void *a, const void *b)
{
	int order = compare_platform(a, b);

	return order ? order : by_position(a, b);
}

static int sort_build(const void *a, const void *b)
{
	int order = compare_build(a, b);

	return order ? order : by_position(a, b);
}

/* One without a version stands before those with one. */
static int sort_kind(const void *a, const void *b)
{
	int order = compare_kind(a, b);

	if (order == 0)
		order = (image_at(a)->platform.os_version[0] != '\0') -
			(image_at(b)->platform.os_version[0] != '\0');
	return order ? order : by_position(a, b);
}

static void sort_side(struct side *s, compare_fn order)
{
	qsort(s->left, s->count, sizeof(const struct bw_image *), order);
}

/* --- pairing ---------------------------------------------------------------------------------- */

static struct side images_of(const struct bw_images *x)
{
	struct side s = {.left = bw_alloc((x->count + 1) * sizeof(const struct bw_image *))};
	size_t kept = 0;

	for (size_t i = 0; i < x->count; i++)
		if (!x->items[i].is_attestation)
			s.left[s.count++] = &x->items[i];
	sort_side(&s, sort_platform);
	for (size_t i = 0; i < s.count; i++)
		if (kept == 0 || compare_platform(&s.left[kept - 1], &s.left[i]) != 0)
			s.left[kept++] = s.left[i];
	s.count = kept;
	return s;
}

struct bw_pair bw_pair_of(const struct bw_image *old, const struct bw_image *new)
{
	bool is_equal = bw_digest_equal(&old->digest, &new->digest);

	return (struct bw_pair){old, new, is_equal ? BW_PAIR_EQUAL : BW_PAIR_OPEN};
}

static bool fit(const struct bw_image *old, const struct bw_image *new)
{
	return bw_platform_matches(&old->platform, &new->platform) ||
	       bw_platform_matches(&new->platform, &old->platform);
}

/* Takes those that `compare` calls equal out of both sides; `order` sorts so that equal ones are together. */
static void match(struct side *old, struct side *new, compare_fn order, compare_fn compare,
		  struct bw_pairs *ret)
{
	size_t i = 0, k = 0, old_kept = 0, new_kept = 0;

	sort_side(old, order);
	sort_side(new, order);
	while (i < old->count && k < new->count) {
		int which = compare(&old->left[i], &new->left[k]);

		if (which == 0 && fit(old->left[i], new->left[k])) {
			ret->items[ret->count++] = bw_pair_of(old->left[i++], new->left[k++]);
			continue;
		}
		if (which <= 0)
			old->left[old_kept++] = old->left[i++];
		if (which >= 0)
			new->left[new_kept++] = new->left[k++];
	}
	while (i < old->count)
		old->left[old_kept++] = old->left[i++];
	while (k < new->count)
		new->left[new_kept++] = new->left[k++];
	old->count = old_kept;
	new->count = new_kept;
}

static int sort_pairs(const void *a, const void *b)
{
	const struct bw_pair *x = a, *y = b;

	return by_position(&x->new, &y->new);
}

static bool is_usual(const struct bw_pair *p)
{
	return strcmp(p->new->platform.os, "linux") == 0 && strcmp(p->new->platform.arch, "amd64") == 0 &&
	       p->new->platform.variant[0] == '\0';
}

/* Most builds are for linux/amd64, and it is the one that registries keep longest. */
static void put_usual_first(struct bw_pairs *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct bw_pair usual = p->items[i];

		if (!is_usual(&usual))
			continue;
		memmove(p->items + 1, p->items, i * sizeof(*p->items));
		p->items[0] = usual;
		return;
	}
}

static void order_pairs(struct bw_pairs *p)
{
	qsort(p->items, p->count, sizeof(*p->items), sort_pairs);
	for (size_t i = 1; i < p->count; i++)
		p->is_reordered |= p->items[i].old < p->items[i - 1].old;
	put_usual_first(p);
}

/* Two single images one of which says no platform: there is nothing else that they could be compared with. */
static bool is_lone_pair(const struct bw_images *old, const struct bw_images *new, const struct side *a,
			 const struct side *b)
{
	return !old->is_index && !new->is_index && a->count == 1 && b->count == 1 &&
	       (a->left[0]->platform.os[0] == '\0' || b->left[0]->platform.os[0] == '\0');
}

void bw_pairs_make(const struct bw_images *old, const struct bw_images *new, struct bw_pairs *ret)
{
	struct side a = images_of(old), b = images_of(new);

	*ret = (struct bw_pairs){.items = bw_alloc((a.count + 1) * sizeof(*ret->items))};
	if (is_lone_pair(old, new, &a, &b)) {
		ret->items[ret->count++] = bw_pair_of(a.left[0], b.left[0]);
		a.count = b.count = 0;
	}
	match(&a, &b, sort_platform, compare_platform, ret);
	match(&a, &b, sort_build, compare_build, ret);
	match(&a, &b, sort_kind, compare_kind, ret);
	order_pairs(ret);
	sort_side(&a, by_position);
	sort_side(&b, by_position);
	ret->removed = a.left;
	ret->removed_count = a.count;
	ret->added = b.left;
	ret->added_count = b.count;
}

void bw_pairs_done(struct bw_pairs *p)
{
	free(p->items);
	free(p->added);
	free(p->removed);
	*p = (struct bw_pairs){0};
}
