#include "watch/moved.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define LIST_MAX  3    /* names of a list */
#define WORDS_MAX 8192 /* before the end is cut off */

/* --- parts ------------------------------------------------------------------------------------ */

/* Begins the next part. */
static struct bw_buf *part(struct bw_buf *w)
{
	if (w->len > 0)
		(void)bw_buf_adds(w, "; ");
	return w;
}

static void say(struct bw_buf *w, const char *text)
{
	(void)bw_buf_adds(part(w), text);
}

/* The words so far; cut, where they are too long, before a character and not within. */
static char *take(struct bw_buf *w)
{
	const char *text = bw_buf_str(w);
	size_t len = BW_MOVED_MAX - strlen("...");

	if (w->len <= BW_MOVED_MAX)
		return bw_buf_take(w, NULL);
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	return bw_asprintf("%.*s...", (int)len, text);
}

static const char *name_platform(const struct bw_platform *p, char out[BW_PLATFORM_MAX])
{
	return p->os[0] != '\0' ? bw_platform_format(p, out) : "an image without a platform";
}

/* "a, b, c and 4 more"; "" for none. */
static void list_platforms(struct bw_buf *w, const struct bw_image *const *images, size_t count)
{
	char text[BW_PLATFORM_MAX];

	for (size_t i = 0; i < count && i < LIST_MAX; i++)
		(void)bw_buf_addf(w, "%s%s", i ? ", " : "", name_platform(&images[i]->platform, text));
	if (count > LIST_MAX)
		(void)bw_buf_addf(w, " and %zu more", count - LIST_MAX);
}

/* Room for so many images, and for one more, so that none is no special case. */
static const struct bw_image **image_list(size_t count)
{
	return bw_alloc((count + 1) * sizeof(const struct bw_image *));
}

static bool is_named(const struct bw_findings *f)
{
	return f->want->os[0] != '\0';
}

/* --- missing bodies --------------------------------------------------------------------------- */

/* What is wrong with a body is in the words of whoever tried to read it. */
static bool has_words(const struct bw_answer *why)
{
	return (why->trouble == BW_TROUBLE_MALFORMED || why->trouble == BW_TROUBLE_LIMIT) && why->message[0];
}

/* "the registry no longer has WHAT", or why it could not be had. */
static void say_missing(struct bw_buf *w, const char *what, const struct bw_answer *why, bool is_old)
{
	if (bw_trouble_is_absence(why->trouble))
		(void)bw_buf_addf(w, "the registry %s %s", is_old ? "no longer has" : "does not have", what);
	else
		(void)bw_buf_addf(w, "%s could not be had: %s", what,
				  has_words(why) ? why->message : bw_trouble_text(why->trouble));
}

static void say_back(struct bw_buf *w, const struct bw_class_question *q, enum bw_class class)
{
	if (class == BW_CLASS_ROLLBACK)
		(void)bw_buf_addf(part(w), "back to sighting %" PRIu32, q->seen_number);
}

char *bw_moved_without(const struct bw_bodies *b, const struct bw_class_question *q, enum bw_class class)
{
	const struct bw_answer *new = bw_bodies_missing(b, q->to), *old = bw_bodies_missing(b, q->from);
	BW_AUTOBUF struct bw_buf w;

	bw_buf_init(&w, WORDS_MAX);
	say_back(&w, q, class);
	if (new)
		say_missing(part(&w), "the manifest now", new, false);
	else if (old)
		say_missing(part(&w), "the manifest before", old, true);
	return take(&w);
}

/* What of one list is not known; false: nothing of this list. */
static bool say_unknown(struct bw_buf *w, const struct bw_images *x, bool is_old)
{
	const char *when = is_old ? "before" : "now";

	if (x->missing && !x->is_index) {
		(void)bw_buf_addf(part(w), "the platform of the image %s is not known", when);
	} else if (x->missing) {
		say_missing(part(w), is_old ? "a part of the index before" : "a part of the index now",
			    x->missing, is_old);
	} else if (x->problem) {
		(void)bw_buf_addf(part(w), "the index %s: %s", when, x->problem);
	}
	return x->missing || x->problem;
}

static void say_doubt(struct bw_buf *w, const struct bw_findings *f)
{
	if (!say_unknown(w, f->old, true))
		(void)say_unknown(w, f->new, false);
}

/* --- layers ----------------------------------------------------------------------------------- */

static uint64_t sum_sizes(const struct bw_manifest *m)
{
	uint64_t sum = 0;

	/* The peer chose the sizes: a sum that does not fit stays at the largest. */
	for (size_t i = 0; i < m->layer_count; i++) {
		uint64_t size = m->layers[i].size > 0 ? (uint64_t)m->layers[i].size : 0;

		sum = size > UINT64_MAX - sum ? UINT64_MAX : sum + size;
	}
	return sum;
}

struct size_text {
	char number[32];
	const char *unit;
};

/* One decimal, rounded: "48.1", "MiB". */
static struct size_text size_in_words(uint64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	struct size_text t;
	uint64_t unit = 1, tenths;
	size_t i = 0;

	/* A whole unit as it is shown, so that 1023.97 KiB is 1.0 MiB. */
	while (i + 1 < BW_COUNT(units) && bytes >= unit * 1024 - (unit > 1 ? unit / 20 : 0)) {
		unit *= 1024;
		i++;
	}
	t.unit = units[i];
	if (unit == 1) {
		(void)snprintf(t.number, sizeof(t.number), "%" PRIu64, bytes);
		return t;
	}
	tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
	(void)snprintf(t.number, sizeof(t.number), "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
	return t;
}

/* ", 48.1 -> 49.3 MiB": of all layers, as they are stored. */
static void say_sizes(struct bw_buf *w, const struct bw_manifest *old, const struct bw_manifest *new)
{
	struct size_text a = size_in_words(sum_sizes(old)), b = size_in_words(sum_sizes(new));
	bool same_unit = strcmp(a.unit, b.unit) == 0;

	if (same_unit && strcmp(a.number, b.number) == 0)
		(void)bw_buf_addf(w, ", %s %s in all", b.number, b.unit);
	else
		(void)bw_buf_addf(w, ", %s%s%s -> %s %s", a.number, same_unit ? "" : " ",
				  same_unit ? "" : a.unit, b.number, b.unit);
}

/*
 * A layer of the new image is another one when the old image does not have it at the same place: layers lie on each
 * other, so what is above a layer that moved is not what it was. A set of digests would call an image the same whose
 * layers were only swapped.
 */
static size_t count_other_layers(const struct bw_manifest *old, const struct bw_manifest *new)
{
	size_t others = 0;

	for (size_t i = 0; i < new->layer_count; i++)
		others += i >= old->layer_count ||
			  !bw_digest_equal(&old->layers[i].digest, &new->layers[i].digest);
	return others;
}

static void say_layers(struct bw_buf *w, const struct bw_manifest *old, const struct bw_manifest *new)
{
	size_t others = count_other_layers(old, new);

	if (old->layer_count != new->layer_count) {
		(void)bw_buf_addf(w, "%zu -> %zu layers, ", old->layer_count, new->layer_count);
		if (others == 0)
			(void)bw_buf_adds(w, "none of them new");
		else
			(void)bw_buf_addf(w, "%zu of them new", others);
	} else if (others == 0) {
		(void)bw_buf_adds(w, "other diff_ids under the same layers");
	} else {
		(void)bw_buf_addf(w, "%zu of %zu layers differ", others, new->layer_count);
	}
	say_sizes(w, old, new);
}

/* --- one pair --------------------------------------------------------------------------------- */

static void say_config(struct bw_buf *w, const struct bw_bodies *b, const struct bw_digest *old,
		       const struct bw_digest *new)
{
	const struct bw_config *x = bw_bodies_peek_config(b, old), *y = bw_bodies_peek_config(b, new);
	size_t before = w->len;

	if (!x || !y) {
		(void)bw_buf_adds(w, "the configuration differs");
		return;
	}
	bw_config_compare(x, y, w);
	if (w->len > before)
		return;
	if (strcmp(x->platform.os_version, y->platform.os_version) != 0)
		(void)bw_buf_adds(w, "os version");
	else
		(void)bw_buf_adds(w, "the configuration says the same in other bytes");
}

static void say_uncompared(struct bw_buf *w, const struct bw_bodies *b, const struct bw_pair *p)
{
	const struct bw_answer *old = bw_bodies_missing(b, &p->old->digest);
	const struct bw_answer *new = bw_bodies_missing(b, &p->new->digest);

	if (old)
		say_missing(w, "the manifest before", old, true);
	else if (new)
		say_missing(w, "the manifest now", new, false);
	else
		(void)bw_buf_adds(w, "an index stands where an image should be");
}

static void label_pair(struct bw_buf *w, const struct bw_findings *f, const struct bw_pair *p)
{
	const struct bw_platform *name = is_named(f)			  ? f->want
					 : p->new->platform.os[0] != '\0' ? &p->new->platform
									  : &p->old->platform;
	char text[BW_PLATFORM_MAX];

	(void)bw_buf_addf(part(w),
			  "%s: ", name->os[0] != '\0' ? bw_platform_format(name, text) : "the image");
}

static void say_pair(struct bw_buf *w, const struct bw_bodies *b, const struct bw_findings *f,
		     const struct bw_pair *p)
{
	const struct bw_manifest *old = bw_bodies_peek_manifest(b, &p->old->digest);
	const struct bw_manifest *new = bw_bodies_peek_manifest(b, &p->new->digest);

	label_pair(w, f, p);
	if (p->state == BW_PAIR_MISSING || !old || !new)
		say_uncompared(w, b, p);
	else if (p->state == BW_PAIR_CONTENT)
		say_layers(w, old, new);
	else
		say_config(w, b, &old->config, &new->config);
}

static const struct bw_pair *find_state(const struct bw_findings *f, enum bw_pair_state state)
{
	for (size_t i = 0; i < f->judged_count; i++)
		if (f->judged[i].state == state)
			return &f->judged[i];
	return NULL;
}

/* The one that tells why the class is what it is; NULL: no pair does. */
static const struct bw_pair *telling_pair(const struct bw_findings *f)
{
	static const enum bw_pair_state order[] = {BW_PAIR_CONTENT, BW_PAIR_MISSING, BW_PAIR_CONFIG};
	const struct bw_pair *p = NULL;

	for (size_t i = 0; i < BW_COUNT(order) && !p; i++)
		p = find_state(f, order[i]);
	/* A doubt weighs more than a configuration. */
	return p && p->state == BW_PAIR_CONFIG && f->is_doubtful ? NULL : p;
}

/* --- platforms that came, went, or differ ----------------------------------------------------- */

static void say_form(struct bw_buf *w, const struct bw_findings *f)
{
	if (f->old->is_index && !f->new->is_index)
		say(w, "an index became a single image");
	else if (!f->old->is_index && f->new->is_index)
		say(w, "a single image became an index");
}

/* Without the named platform, whose coming and going has been told. */
static void say_list(struct bw_buf *w, const struct bw_findings *f, const struct bw_image *const *images,
		     size_t count, const char *what)
{
	BW_AUTOFREE const struct bw_image **others = image_list(count);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (images[i] != f->named_old && images[i] != f->named_new)
			others[kept++] = images[i];
	if (kept == 0)
		return;
	list_platforms(part(w), others, kept);
	(void)bw_buf_addf(w, " %s", what);
}

static void say_platforms(struct bw_buf *w, const struct bw_findings *f)
{
	/* What only one side seems to have may be in the part of the other that is not known. */
	if (f->old->missing || f->old->problem || f->new->missing || f->new->problem)
		return;
	say_list(w, f, f->pairs->added, f->pairs->added_count, "added");
	say_list(w, f, f->pairs->removed, f->pairs->removed_count, "removed");
}

/* Pairs with two digests besides those that have been told of. Fills `ret`, returns how many there are. */
static size_t other_pairs(const struct bw_findings *f, const struct bw_pair *told,
			  const struct bw_image **ret)
{
	/* Where no platform is named, all pairs are judged: only there it is known which differ in annotations. */
	const struct bw_pair *pairs = is_named(f) ? f->pairs->items : f->judged;
	size_t count = 0;

	for (size_t i = 0; i < f->pairs->count; i++) {
		const struct bw_pair *p = &pairs[i];
		bool is_told = (told && p->new == told->new) || p->new == f->named_new;

		if (!is_told && p->state != BW_PAIR_EQUAL && p->state != BW_PAIR_ANNOTATIONS)
			ret[count++] = p->new;
	}
	return count;
}

/* --- nothing that counts ---------------------------------------------------------------------- */

static int by_digest(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The digests of all attestations, or of all others; only of the latter the order matters. */
static size_t gather(const struct bw_images *x, bool attestations, const char **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < x->count; i++)
		if (x->items[i].is_attestation == attestations)
			ret[count++] = x->items[i].digest.text;
	if (attestations)
		qsort(ret, count, sizeof(*ret), by_digest);
	return count;
}

static bool same_digests(const struct bw_images *old, const struct bw_images *new, bool attestations)
{
	BW_AUTOFREE const char **a = bw_alloc((old->count + 1) * sizeof(*a));
	BW_AUTOFREE const char **b = bw_alloc((new->count + 1) * sizeof(*b));
	size_t count = gather(old, attestations, a);
	bool same = gather(new, attestations, b) == count;

	for (size_t i = 0; same && i < count; i++)
		same = strcmp(a[i], b[i]) == 0;
	return same;
}

static bool same_annotations(const struct bw_pairs *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!bw_text_is(p->items[i].old->annotations, p->items[i].new->annotations))
			return false;
	return true;
}

static bool same_versions(const struct bw_pairs *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].old->platform.os_version, p->items[i].new->platform.os_version) != 0)
			return false;
	return true;
}

/* All images are the same: what else of the index can be told apart. */
static char *find_rest(const struct bw_findings *f)
{
	const struct {
		const char *alone, *among;
		bool moved;
	} kinds[] = {
		{"another order", "another order", f->pairs->is_reordered},
		{"repeated platforms only", "repeated platforms",
		 !f->pairs->is_reordered && !same_digests(f->old, f->new, false)},
		{"os versions only", "os versions", !same_versions(f->pairs)},
		{"attestations only", "attestations", !same_digests(f->old, f->new, true)},
		{"annotations only", "annotations", !same_annotations(f->pairs)},
	};
	size_t count = 0;
	BW_AUTOBUF struct bw_buf w;

	bw_buf_init(&w, WORDS_MAX);
	for (size_t i = 0; i < BW_COUNT(kinds); i++)
		count += kinds[i].moved;
	for (size_t i = 0; i < BW_COUNT(kinds); i++)
		if (kinds[i].moved)
			(void)bw_buf_addf(&w, "%s%s", w.len > 0 ? ", " : "",
					  count > 1 ? kinds[i].among : kinds[i].alone);
	if (count == 0)
		(void)bw_buf_adds(&w, "the index's own annotations or form only");
	return bw_buf_take(&w, NULL);
}

static void say_rest(struct bw_buf *w, const struct bw_findings *f)
{
	if (!*f->rest)
		*f->rest = find_rest(f);
	say(w, *f->rest);
}

/* The images that were compared, and are the same but for what their manifests say besides. */
static void say_annotated(struct bw_buf *w, const struct bw_bodies *b, const struct bw_findings *f)
{
	BW_AUTOFREE const struct bw_image **found = image_list(f->judged_count);
	size_t count = 0;
	bool same_types = true;

	for (size_t i = 0; i < f->judged_count; i++) {
		const struct bw_pair *p = &f->judged[i];
		const struct bw_manifest *old = bw_bodies_peek_manifest(b, &p->old->digest);
		const struct bw_manifest *new = bw_bodies_peek_manifest(b, &p->new->digest);

		if (p->state != BW_PAIR_ANNOTATIONS)
			continue;
		found[count++] = p->new;
		same_types &= !old || !new || strcmp(old->media_type, new->media_type) == 0;
	}
	if (count == 0)
		return;
	(void)bw_buf_addf(part(w), "%s of ", same_types ? "annotations" : "media types");
	list_platforms(w, found, count);
}

/* Class index: why nothing counts. */
static void say_harmless(struct bw_buf *w, const struct bw_bodies *b, const struct bw_findings *f)
{
	BW_AUTOFREE const struct bw_image **others = image_list(f->pairs->count);
	size_t count = other_pairs(f, NULL, others);
	char text[BW_PLATFORM_MAX];

	if (f->judged_count == 0 && is_named(f))
		(void)bw_buf_addf(part(w), "%s is in neither", bw_platform_format(f->want, text));
	else if (f->judged_count == 0)
		say(w, "no image in either");
	else if (find_state(f, BW_PAIR_ANNOTATIONS))
		say_annotated(w, b, f);
	else if (count > 0)
		(void)bw_buf_addf(part(w), "%s unchanged", bw_platform_format(f->want, text));
	say_form(w, f);
	if (count > 0) {
		list_platforms(part(w), others, count);
		(void)bw_buf_adds(w, count > 1 ? " differ" : " differs");
	}
	say_platforms(w, f);
	if (w->len == 0)
		say_rest(w, f);
}

/* --- what counts ------------------------------------------------------------------------------ */

static void say_none_common(struct bw_buf *w, const struct bw_pairs *p)
{
	(void)bw_buf_adds(part(w), "no platform in common: ");
	list_platforms(w, p->removed, p->removed_count);
	(void)bw_buf_addf(w, "%s before, ", p->removed_count ? "" : "none");
	list_platforms(w, p->added, p->added_count);
	(void)bw_buf_addf(w, "%s now", p->added_count ? "" : "none");
}

/* Only one side has something for the named platform. */
static void say_come_or_gone(struct bw_buf *w, const struct bw_findings *f)
{
	char text[BW_PLATFORM_MAX];

	(void)bw_buf_addf(part(w), "%s %s", bw_platform_format(f->want, text),
			  f->named_new ? "has come" : "is gone");
}

static void say_cause(struct bw_buf *w, const struct bw_bodies *b, const struct bw_findings *f,
		      const struct bw_pair *told)
{
	if (told)
		say_pair(w, b, f, told);
	else if (f->is_doubtful)
		say_doubt(w, f);
	else if (is_named(f))
		say_come_or_gone(w, f);
	else
		say_none_common(w, f->pairs);
}

static void say_counted(struct bw_buf *w, const struct bw_bodies *b, const struct bw_findings *f)
{
	BW_AUTOFREE const struct bw_image **others = image_list(f->pairs->count);
	const struct bw_pair *told = telling_pair(f);
	size_t count = other_pairs(f, told, others);

	say_back(w, f->q, f->class);
	say_cause(w, b, f, told);
	if (count > 0)
		(void)bw_buf_addf(part(w), "%zu more platform%s", count, count > 1 ? "s differ" : " differs");
	say_form(w, f);
	if (is_named(f) || f->pairs->count > 0)
		say_platforms(w, f);
}

char *bw_moved_words(const struct bw_bodies *b, const struct bw_findings *f)
{
	BW_AUTOBUF struct bw_buf w;

	bw_buf_init(&w, WORDS_MAX);
	if (f->class == BW_CLASS_INDEX)
		say_harmless(&w, b, f);
	else
		say_counted(&w, b, f);
	return take(&w);
}
