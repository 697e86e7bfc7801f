#include "command/lookup.h"

#include <stdio.h>
#include <string.h>

#include "command/ask.h"
#include "command/entry.h"
#include "command/nearest.h"
#include "command/offer.h"
#include "command/survey.h"
#include "command/wording.h"
#include "core/mem.h"
#include "registry/tags.h"
#include "watch/inquiry.h"

/*
 * An image is asked for in steps, each from the callback of the one before: HEAD for the digest, GET of its manifest,
 * whatever bodies it takes to know its platforms, and GET of the manifest for one of them.
 */
struct bw_lookups {
	const struct bw_args *args;
	struct bw_loop *loop;
	struct bw_registry *registry;
	struct bw_inquiries *inquiries;
	size_t waiting;
};

void bw_lookup_init(struct bw_lookup *x, const char *written)
{
	struct bw_err err = BW_ERR_INIT;
	size_t offset = 0;

	*x = (struct bw_lookup){.written = written, .size = -1};
	bw_buf_init(&x->bytes, BW_MAX_MANIFEST_BYTES);
	if (bw_reference_parse(written, strlen(written), &x->parts, &offset, &err) < 0) {
		x->error = bw_asprintf("%s (at character %zu)", err.msg, offset + 1);
		x->is_bad = true;
		return;
	}
	x->reference = bw_reference_format(&x->parts);
}

void bw_lookup_done(struct bw_lookup *x)
{
	bw_images_done(&x->images);
	bw_bodies_free(x->bodies);
	bw_buf_done(&x->bytes);
	bw_reference_done(&x->parts);
	free(x->reference);
	free(x->error);
	free(x->trouble);
}

static void finish(struct bw_lookup *x)
{
	x->is_done = true;
	if (--x->all->waiting == 0)
		bw_loop_stop(x->all->loop);
}

static void fail(struct bw_lookup *x, char *error)
{
	x->error = error;
	finish(x);
}

/* The digest stays what it is; only what is in it is not known. With --manifest that was the question. */
static void fall_short(struct bw_lookup *x, char *trouble)
{
	if (x->all->args->manifest) {
		fail(x, trouble);
		return;
	}
	x->trouble = trouble;
	finish(x);
}

static bool has_platform(const struct bw_lookup *x)
{
	return x->all->args->platform.os[0];
}

/* --- one platform ----------------------------------------------------------------------------------- */

static void platform_came(const struct bw_answer *a, const struct bw_buf *body, void *arg)
{
	struct bw_lookup *x = arg;

	if (!body) {
		fail(x, bw_wording_of_digest(a));
		return;
	}
	(void)bw_buf_add(&x->bytes, body->data, body->len);
	finish(x);
}

static void become_image(struct bw_lookup *x)
{
	struct bw_entry_search search = {
		.bodies = x->bodies, .images = &x->images, .wanted = &x->image->digest};
	const struct bw_child *entry = bw_entry_find(&search);

	(void)snprintf(x->media_type, sizeof(x->media_type), "%s", entry ? entry->media_type : "");
	x->digest = x->image->digest;
	x->size = x->image->size;
}

/* The lookup becomes one for the image of that platform. */
static void narrow(struct bw_lookup *x)
{
	x->image = bw_offer_pick(&x->images, &x->all->args->platform);
	if (!x->image && x->trouble) {
		fail(x, BW_TAKE(x->trouble));
		return;
	}
	if (!x->image) {
		fail(x, bw_offer_lack(&x->images, &x->all->args->platform, x->reference));
		return;
	}
	free(BW_TAKE(x->trouble)); /* it is about others */
	if (x->images.is_index)
		become_image(x);
	if (!x->all->args->manifest || x->bytes.len > 0)
		finish(x);
	else
		bw_registry_fetch(x->all->registry, x->parts.registry, x->parts.repository, &x->digest,
				  platform_came, x);
}

/* --- the whole -------------------------------------------------------------------------------------- */

static void list_images(struct bw_bodies *b, void *arg)
{
	struct bw_lookup *x = arg;

	bw_images_done(&x->images);
	bw_images_list(b, &x->answer.digest, &x->images);
}

static void inquired(int rc, const struct bw_err *err, void *arg)
{
	struct bw_lookup *x = arg;

	if (rc < 0) {
		fall_short(x, bw_strdup(err->msg));
		return;
	}
	if (x->images.missing)
		x->trouble = bw_wording_of_digest(x->images.missing);
	else if (x->images.problem)
		x->trouble = bw_strdup(x->images.problem);
	if (has_platform(x)) {
		narrow(x);
		return;
	}
	if (!x->images.is_index && x->images.count == 1)
		x->image = &x->images.items[0];
	finish(x);
}

static void look_inside(struct bw_lookup *x)
{
	const struct bw_body_origin origin = {.registry = x->parts.registry,
					      .repository = x->parts.repository};

	bw_inquire(x->all->inquiries, &origin, x->bodies, list_images, inquired, x);
}

static void manifest_came(const struct bw_answer *a, const struct bw_buf *body, void *arg)
{
	struct bw_lookup *x = arg;
	struct bw_manifest m = {0};
	struct bw_err err = BW_ERR_INIT;

	if (!body) {
		fall_short(x, bw_wording_of_digest(a));
		return;
	}
	x->size = (int64_t)body->len;
	if (x->all->args->manifest && !has_platform(x)) {
		(void)bw_buf_add(&x->bytes, body->data, body->len);
		finish(x);
		return;
	}
	if (bw_manifest_parse(body->data, body->len, a->media_type, &m, &err) < 0) {
		fall_short(x, bw_asprintf("its manifest cannot be read: %s", err.msg));
		return;
	}
	if (x->all->args->manifest && m.kind == BW_MANIFEST_IMAGE)
		(void)bw_buf_add(&x->bytes, body->data, body->len);
	x->bodies = bw_bodies_new();
	bw_bodies_put_manifest(x->bodies, &x->answer.digest, &m);
	bw_manifest_done(&m);
	look_inside(x);
}

/* A digest wins over a tag, as it does in a pull. */
static bool is_by_digest(const struct bw_lookup *x)
{
	return bw_digest_is_set(&x->parts.digest);
}

/* "...; there is 3.21, 3.20, 3.19". It may be that the whole repository is gone; whatever else came of it, the tag is. */
static void tags_came(const struct bw_answer *a, const struct bw_tags *tags, void *arg)
{
	struct bw_lookup *x = arg;
	const char *near[BW_NEAREST_MAX];
	size_t count = bw_nearest_tags(bw_reference_tag(&x->parts), tags->items, tags->count, near);
	char *error = bw_wording_of_tag(a->trouble == BW_TROUBLE_REPOSITORY_GONE ? a : &x->answer);

	for (size_t i = 0; i < count; i++) {
		BW_AUTOFREE char *before = error;

		error = bw_asprintf("%s%s%s", before, i ? ", " : "; there is ", near[i]);
	}
	fail(x, error);
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct bw_lookup *x = arg;

	x->answer = *a;
	if (a->trouble == BW_TROUBLE_TAG_GONE && !is_by_digest(x)) {
		bw_registry_tags(x->all->registry, x->parts.registry, x->parts.repository, NULL, tags_came,
				 x);
		return;
	}
	if (a->trouble) {
		fail(x, is_by_digest(x) ? bw_wording_of_digest(a) : bw_wording_of_tag(a));
		return;
	}
	x->digest = a->digest;
	memcpy(x->media_type, a->media_type, sizeof(x->media_type));
	bw_registry_fetch(x->all->registry, x->parts.registry, x->parts.repository, &x->answer.digest,
			  manifest_came, x);
}

static void add_question(struct bw_survey *s, struct bw_lookup *x)
{
	const char *what = is_by_digest(x) ? x->parts.digest.text : bw_reference_tag(&x->parts);

	bw_survey_add(s, x->parts.registry, x->parts.repository, what, answered, x);
}

static void run(struct bw_lookups *all, struct bw_asker *k, struct bw_lookup *images, size_t count)
{
	struct bw_registry *registry = k->registries.clients.own;
	struct bw_survey *survey = bw_survey_new(registry);

	bw_registry_trust_absence(registry);
	all->loop = k->loop;
	all->registry = registry;
	all->inquiries = bw_inquiries_new(registry, NULL);
	for (size_t i = 0; i < count; i++) {
		images[i].all = all;
		if (images[i].is_bad)
			continue;
		all->waiting++;
		add_question(survey, &images[i]);
	}
	bw_survey_start(survey);
	if (all->waiting > 0)
		bw_loop_run(k->loop);
	bw_registry_free(BW_TAKE(k->registries.clients.own));
	bw_inquiries_free(all->inquiries);
	bw_survey_free(survey);
}

int bw_lookup_all(struct bw_lookup *images, size_t count, const struct bw_args *a, bool *ret_interrupted,
		  struct bw_err *err)
{
	struct bw_lookups all = {.args = a};
	struct bw_asker k;
	int rc = bw_asker_init(&k, a, NULL, err);

	if (rc == 0) {
		bw_asker_recall(&k, a);
		run(&all, &k, images, count);
		*ret_interrupted = k.interrupted;
	}
	bw_asker_done(&k);
	for (size_t i = 0; i < count && rc == 0; i++)
		if (!images[i].is_bad && !images[i].is_done)
			images[i].error = bw_strdup("interrupted");
	return rc;
}
