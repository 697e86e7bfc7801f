/* bodies.c - manifests and configurations by digest; see image/bodies.h. */
#include "image/bodies.h"

#include <stdlib.h>
#include <string.h>

#include "core/map.h"
#include "core/mem.h"

/* What is known under one digest. Never moved nor changed once set: others point into it. */
struct known {
	struct bw_manifest *manifest;
	struct bw_config *config;
	struct bw_answer *missing;
	bool is_needed[2]; /* by kind: noted and still open */
};

struct bw_bodies {
	struct bw_map *by_digest; /* text of the digest -> struct known */
	struct bw_need *needs;
	size_t need_count;
	size_t need_capacity;
};

struct bw_bodies *bw_bodies_new(void)
{
	struct bw_bodies *b = BW_NEW(struct bw_bodies);

	b->by_digest = bw_map_new();
	return b;
}

static void free_known(void *value)
{
	struct known *k = value;

	if (k->manifest)
		bw_manifest_done(k->manifest);
	if (k->config)
		bw_config_done(k->config);
	free(k->manifest);
	free(k->config);
	free(k->missing);
	free(k);
}

void bw_bodies_free(struct bw_bodies *b)
{
	if (!b)
		return;
	bw_map_free(b->by_digest, free_known);
	free(b->needs);
	free(b);
}

static struct known *find(const struct bw_bodies *b, const struct bw_digest *d)
{
	return bw_map_get(b->by_digest, d->text);
}

static struct known *find_or_add(struct bw_bodies *b, const struct bw_digest *d)
{
	struct known *k = find(b, d);

	if (!k) {
		k = BW_NEW(struct known);
		(void)bw_map_put(b->by_digest, d->text, k);
	}
	return k;
}

/* --- needs ------------------------------------------------------------------------------------ */

/* What has no digest cannot be had by it: no need that anybody could meet. */
static void note(struct bw_bodies *b, enum bw_body_kind kind, const struct bw_digest *d)
{
	struct known *k;

	if (!bw_digest_is_set(d))
		return;
	k = find_or_add(b, d);
	if (k->missing || k->is_needed[kind])
		return;
	k->is_needed[kind] = true;
	BW_PUSH(b->needs, b->need_count, b->need_capacity) = (struct bw_need){.kind = kind, .digest = *d};
}

static void end_need(struct bw_bodies *b, struct known *k, enum bw_body_kind kind, const struct bw_digest *d)
{
	size_t i = 0;

	if (!k->is_needed[kind])
		return;
	k->is_needed[kind] = false;
	while (b->needs[i].kind != kind || !bw_digest_equal(&b->needs[i].digest, d))
		i++;
	b->need_count--;
	memmove(&b->needs[i], &b->needs[i + 1], (b->need_count - i) * sizeof(*b->needs));
}

const struct bw_need *bw_bodies_needs(const struct bw_bodies *b, size_t *ret_count)
{
	*ret_count = b->need_count;
	return b->needs;
}

/* --- asking ----------------------------------------------------------------------------------- */

const struct bw_manifest *bw_bodies_peek_manifest(const struct bw_bodies *b, const struct bw_digest *d)
{
	const struct known *k = find(b, d);

	return k ? k->manifest : NULL;
}

const struct bw_config *bw_bodies_peek_config(const struct bw_bodies *b, const struct bw_digest *d)
{
	const struct known *k = find(b, d);

	return k ? k->config : NULL;
}

const struct bw_manifest *bw_bodies_manifest(struct bw_bodies *b, const struct bw_digest *d)
{
	const struct bw_manifest *m = bw_bodies_peek_manifest(b, d);

	if (!m)
		note(b, BW_BODY_MANIFEST, d);
	return m;
}

const struct bw_config *bw_bodies_config(struct bw_bodies *b, const struct bw_digest *d)
{
	const struct bw_config *c = bw_bodies_peek_config(b, d);

	if (!c)
		note(b, BW_BODY_CONFIG, d);
	return c;
}

const struct bw_answer *bw_bodies_missing(const struct bw_bodies *b, const struct bw_digest *d)
{
	const struct known *k = find(b, d);

	return k ? k->missing : NULL;
}

/* --- answering -------------------------------------------------------------------------------- */

void bw_bodies_put_manifest(struct bw_bodies *b, const struct bw_digest *d, struct bw_manifest *m)
{
	struct known *k = find_or_add(b, d);

	end_need(b, k, BW_BODY_MANIFEST, d);
	if (k->manifest) {
		bw_manifest_done(m); /* the same digest is the same content, and that one is in use */
		return;
	}
	k->manifest = BW_NEW(struct bw_manifest);
	*k->manifest = *m;
	memset(m, 0, sizeof(*m));
}

void bw_bodies_put_config(struct bw_bodies *b, const struct bw_digest *d, struct bw_config *c)
{
	struct known *k = find_or_add(b, d);

	end_need(b, k, BW_BODY_CONFIG, d);
	if (k->config) {
		bw_config_done(c);
		return;
	}
	k->config = BW_NEW(struct bw_config);
	*k->config = *c;
	memset(c, 0, sizeof(*c));
}

void bw_bodies_put_missing(struct bw_bodies *b, const struct bw_digest *d, const struct bw_answer *why)
{
	struct known *k = find_or_add(b, d);

	end_need(b, k, BW_BODY_MANIFEST, d);
	end_need(b, k, BW_BODY_CONFIG, d);
	if (k->missing)
		return; /* the first answer stays: it may be pointed to */
	k->missing = BW_NEW(struct bw_answer);
	*k->missing = *why;
}
