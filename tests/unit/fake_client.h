/*
 * fake_client.h - the registry client's calls replaced by a table of tags and bodies; answers come one turn of the loop
 * later. Include it before the sources under test, which then call these. What was asked is counted.
 */
#ifndef BW_TESTS_FAKE_CLIENT_H
#define BW_TESTS_FAKE_CLIENT_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "image/digest.h"
#include "net/loop.h"
#include "registry/client.h"

#define FAKE_ROOM    4 /* questions that a registry holds back */
#define FAKE_TAGS    32
#define FAKE_BODIES  1024
#define FAKE_WAITING 4096

/* What a tag answers, one after the other; the last one for ever. */
struct fake_tag {
	char name[64]; /* "registry/repository:tag" */
	struct bw_answer answers[8];
	size_t count, next;
};

struct fake_body {
	struct bw_digest digest;
	char *bytes; /* NULL: not there */
	char media_type[BW_MEDIA_TYPE_MAX];
	enum bw_trouble trouble; /* instead of the bytes */
	const char *only;	 /* the only repository that has it; NULL: all do */
	size_t fetched;
};

struct fake_question {
	bw_answer_fn answer;
	bw_body_fn body;
	const char *registry, *repository, *tag;
	struct bw_digest digest;
	void *arg;
};

static struct fake {
	struct bw_loop *loop;
	struct bw_timer *timer;
	struct fake_tag tags[FAKE_TAGS];
	struct fake_body bodies[FAKE_BODIES];
	size_t tag_count, body_count;
	struct fake_question waiting[FAKE_WAITING];
	size_t count;

	struct bw_answer otherwise;		/* of tags that have no answers of their own */
	const char *silent;			/* a registry that never answers */
	const char *held;			/* one that answers when fake_release() is called */
	struct bw_budget_plan plan;		/* of all registries */
	uint64_t quiet_ms;			/* the same */
	struct bw_registry_standing remembered; /* the last one that the client was told */
	size_t remembers;
	int (*on_ask)(const struct fake_question *q, void *arg); /* may be NULL */
	void *on_ask_arg;
	const struct bw_registry *stranger; /* what is asked through this client is counted */
	size_t stop_after;		    /* stops the loop after so many answers; 0: never */

	size_t asks, fetches, blobs, answers, most_waiting, strangers;
} fake;

/* --- the table ------------------------------------------------------------------------------------ */

static struct bw_answer fake_trouble_of(enum bw_trouble trouble)
{
	struct bw_answer a = {.trouble = trouble};

	(void)snprintf(a.message, sizeof(a.message), "as the test wants it");
	return a;
}

static inline struct fake_tag *fake_find_tag(const char *name, bool add)
{
	struct fake_tag *t;

	for (size_t i = 0; i < fake.tag_count; i++)
		if (strcmp(fake.tags[i].name, name) == 0)
			return &fake.tags[i];
	if (!add)
		return NULL;
	assert_true(fake.tag_count < FAKE_TAGS);
	t = &fake.tags[fake.tag_count++];
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

/* From now on the tag answers this, instead of what it was told before. */
static inline void fake_say(const char *name, struct bw_answer a)
{
	struct fake_tag *t = fake_find_tag(name, true);

	t->answers[0] = a;
	t->count = 1;
	t->next = 0;
}

/* And after that, this. */
static inline void fake_then(const char *name, struct bw_answer a)
{
	struct fake_tag *t = fake_find_tag(name, true);

	assert_true(t->count < BW_COUNT(t->answers));
	t->answers[t->count++] = a;
}

static inline struct fake_body *fake_find(const struct bw_digest *d)
{
	for (size_t i = 0; i < fake.body_count; i++)
		if (bw_digest_equal(&fake.bodies[i].digest, d))
			return &fake.bodies[i];
	return NULL;
}

/* Puts bytes into the registries; the answer that a tag gives when it points there. */
static inline struct bw_answer fake_put(const char *bytes, const char *media_type)
{
	struct bw_answer a = {0};
	struct fake_body *b;

	bw_digest_of(bytes, strlen(bytes), &a.digest);
	(void)snprintf(a.media_type, sizeof(a.media_type), "%s", media_type);
	b = fake_find(&a.digest);
	if (!b) {
		assert_true(fake.body_count < FAKE_BODIES);
		b = &fake.bodies[fake.body_count++];
		*b = (struct fake_body){.digest = a.digest};
		(void)snprintf(b->media_type, sizeof(b->media_type), "%s", media_type);
	}
	free(b->bytes);
	b->bytes = bw_strdup(bytes);
	b->trouble = BW_TROUBLE_NONE;
	return a;
}

static inline void fake_lose(const struct bw_digest *d, enum bw_trouble trouble)
{
	struct fake_body *b = fake_find(d);

	assert_non_null(b);
	if (b)
		b->trouble = trouble;
}

/* No other repository has it. */
static inline void fake_keep_for(const struct bw_digest *d, const char *repository)
{
	struct fake_body *b = fake_find(d);

	assert_non_null(b);
	if (b)
		b->only = repository;
}

static inline size_t fake_fetched(const struct bw_digest *d)
{
	const struct fake_body *b = fake_find(d);

	return b ? b->fetched : 0;
}

/* --- answering ------------------------------------------------------------------------------------ */

static void fake_answer_tag(const struct fake_question *q)
{
	struct bw_answer a = fake.otherwise;
	struct fake_tag *t;
	char name[256];

	(void)snprintf(name, sizeof(name), "%s/%s:%s", q->registry, q->repository, q->tag);
	t = fake_find_tag(name, false);
	if (t) {
		a = t->answers[t->next];
		t->next += t->next + 1 < t->count;
	}
	q->answer(&a, q->arg);
}

static void fake_answer_body(const struct fake_question *q)
{
	struct fake_body *b = fake_find(&q->digest);
	struct bw_answer a = fake_trouble_of(BW_TROUBLE_TAG_GONE);
	struct bw_buf bytes;
	bool is_here = b && b->bytes && (!b->only || strcmp(b->only, q->repository) == 0);

	if (b)
		b->fetched++;
	if (is_here && b->trouble == BW_TROUBLE_NONE) {
		a = (struct bw_answer){.digest = q->digest};
		(void)snprintf(a.media_type, sizeof(a.media_type), "%s", b->media_type);
		bw_buf_init(&bytes, BW_MAX_CONFIG_BYTES);
		(void)bw_buf_adds(&bytes, b->bytes);
		q->body(&a, &bytes, q->arg);
		bw_buf_done(&bytes);
		return;
	}
	if (is_here)
		a = fake_trouble_of(b->trouble);
	q->body(&a, NULL, q->arg);
}

static void fake_answer_all(void *arg)
{
	size_t count = fake.count;
	struct fake_question *now = bw_alloc((count + 1) * sizeof(*now));

	(void)arg;
	memcpy(now, fake.waiting, count * sizeof(*now));
	fake.count = 0;
	for (size_t i = 0; i < count; i++) {
		if (fake.stop_after && fake.answers == fake.stop_after) {
			bw_loop_stop(fake.loop);
			break;
		}
		if (fake.held && strcmp(now[i].registry, fake.held) == 0) {
			fake.waiting[fake.count++] = now[i];
			continue;
		}
		fake.answers++;
		if (now[i].answer)
			fake_answer_tag(&now[i]);
		else
			fake_answer_body(&now[i]);
	}
	free(now);
}

static void fake_enqueue(struct fake_question q)
{
	if (fake.silent && strcmp(q.registry, fake.silent) == 0)
		return;
	assert_true(fake.count < FAKE_WAITING);
	fake.waiting[fake.count++] = q;
	if (fake.count > fake.most_waiting)
		fake.most_waiting = fake.count;
	bw_timer_start(fake.timer, 0);
}

static inline bool fake_holds(void)
{
	for (size_t i = 0; i < fake.count; i++)
		if (fake.held && strcmp(fake.waiting[i].registry, fake.held) == 0)
			return true;
	return false;
}

static inline void fake_release(void)
{
	fake.held = NULL;
	bw_timer_start(fake.timer, 0);
}

/* The clients are gone: nothing that was asked is answered. */
static inline void fake_forget(void)
{
	fake.count = 0;
}

static inline unsigned fake_room(struct bw_registry *r, const char *registry)
{
	size_t used = 0;

	(void)r;
	for (size_t i = 0; i < fake.count; i++)
		used += strcmp(fake.waiting[i].registry, registry) == 0;
	return used < FAKE_ROOM ? (unsigned)(FAKE_ROOM - used) : 0;
}

static inline void fake_ask(struct bw_registry *r, const char *registry, const char *repository,
			    const char *tag, const char *known, bw_answer_fn fn, void *arg)
{
	const struct fake_question q = {
		.answer = fn, .registry = registry, .repository = repository, .tag = tag, .arg = arg};

	(void)known;
	if (fake.on_ask)
		(void)fake.on_ask(&q, fake.on_ask_arg);
	fake.strangers += fake.stranger && r == fake.stranger;
	fake.asks++;
	fake_enqueue(q);
}

static inline void fake_fetch(struct bw_registry *r, const char *registry, const char *repository,
			      const struct bw_digest *digest, bw_body_fn fn, void *arg)
{
	const struct fake_question q = {
		.body = fn, .registry = registry, .repository = repository, .digest = *digest, .arg = arg};

	fake.strangers += fake.stranger && r == fake.stranger;
	fake.fetches++;
	fake_enqueue(q);
}

static inline void fake_fetch_blob(struct bw_registry *r, const char *registry, const char *repository,
				   const struct bw_digest *digest, bw_body_fn fn, void *arg)
{
	fake_fetch(r, registry, repository, digest, fn, arg);
	fake.fetches--;
	fake.blobs++;
}

static inline bool fake_look(const struct bw_registry *r, const char *registry, struct bw_registry_facts *ret)
{
	(void)r;
	(void)registry;
	*ret = (struct bw_registry_facts){.budget = fake.plan, .quiet_ms = fake.quiet_ms};
	return fake.answers > 0;
}

static inline void fake_remember(struct bw_registry *r, const char *registry,
				 const struct bw_registry_standing *x)
{
	(void)r;
	(void)registry;
	fake.remembered = *x;
	fake.remembers++;
}

#define bw_registry_room       fake_room
#define bw_registry_ask	       fake_ask
#define bw_registry_fetch      fake_fetch
#define bw_registry_fetch_blob fake_fetch_blob
#define bw_registry_look       fake_look
#define bw_registry_remember   fake_remember

static inline void fake_init(struct bw_loop *l)
{
	memset(&fake, 0, sizeof(fake));
	fake.loop = l;
	fake.timer = bw_timer_new(l, fake_answer_all, NULL);
}

static inline void fake_done(void)
{
	bw_timer_free(fake.timer);
	for (size_t i = 0; i < fake.body_count; i++)
		free(fake.bodies[i].bytes);
}

static inline void fake_count_anew(void)
{
	fake.asks = fake.fetches = fake.blobs = fake.answers = fake.most_waiting = fake.strangers = 0;
	for (size_t i = 0; i < fake.body_count; i++)
		fake.bodies[i].fetched = 0;
}

/* --- small images --------------------------------------------------------------------------------- */

#define FAKE_INDEX  "application/vnd.oci.image.index.v1+json"
#define FAKE_IMAGE  "application/vnd.oci.image.manifest.v1+json"
#define FAKE_CONFIG "application/vnd.oci.image.config.v1+json"

/* An image for linux/ARCH with a layer and an environment made of these words. */
static inline struct bw_answer fake_image(const char *arch, const char *layer, const char *env)
{
	BW_AUTOFREE char *config = NULL, *manifest = NULL;
	struct bw_digest digest;
	struct bw_answer a;

	bw_digest_of(layer, strlen(layer), &digest);
	config = bw_asprintf("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=%s\"]},"
			     "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
			     arch, env, digest.text);
	a = fake_put(config, FAKE_CONFIG);
	manifest = bw_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\",\"size\":1000}]}",
		FAKE_IMAGE, FAKE_CONFIG, a.digest.text, strlen(config), digest.text);
	return fake_put(manifest, FAKE_IMAGE);
}

/* An index of amd64 and arm64 with such images; `note` becomes an annotation of the index. */
static inline struct bw_answer fake_index(const char *amd64, const char *arm64, const char *note)
{
	const struct bw_answer a = fake_image("amd64", amd64, "1"), b = fake_image("arm64", arm64, "1");
	BW_AUTOFREE char *index = bw_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"annotations\":{\"note\":\"%s\"},\"manifests\":["
		"{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1,\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"amd64\"}},"
		"{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1,\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"arm64\"}}]}",
		FAKE_INDEX, note, FAKE_IMAGE, a.digest.text, FAKE_IMAGE, b.digest.text);

	return fake_put(index, FAKE_INDEX);
}

#endif
