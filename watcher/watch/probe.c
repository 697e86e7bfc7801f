#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static void finish(struct bw_probe *p, const struct bw_answer *a, struct bw_change *change)
{
	const struct bw_probed x = {.answer = a, .change = change};

	p->group->done(p, &x);
}

static void judged(int rc, const struct bw_err *err, const struct bw_answer *a, struct bw_change *change,
		   void *arg)
{
	struct bw_probe *p = arg;
	const struct bw_probed x = {.rc = rc, .err = err, .answer = a, .change = change};

	p->group->done(p, &x);
}

/* Of a base that was in trouble: should another process have recorded something else meanwhile, that is newer. */
static struct bw_change *as_before(const struct bw_probe *p)
{
	struct bw_change *change = BW_NEW(struct bw_change);

	if (bw_digest_parse(p->digest, strlen(p->digest), &change->from, NULL) < 0) {
		free(change);
		return NULL;
	}
	return change;
}

static void hear(struct bw_probe *p, const struct bw_answer *a)
{
	struct bw_probe_group *g = p->group;
	void (*waits)(struct bw_probe_group *) = g->waits;
	const struct bw_case is = {
		.base_id = p->base_id,
		.registry = g->registry,
		.repository = p->repository,
		.tag = p->tag,
		.digest = p->digest,
		.waited = p->waited,
		.open = &g->open,
	};

	bw_judge_hear(g->side->judge, &is, a, judged,
		      p); /* behind it the probe may be gone, and a group that waits for none */
	if (waits)
		waits(g);
}

static void answered(const struct bw_answer *a, void *arg)
{
	struct bw_probe *p = arg;

	if (a->trouble || !p->digest[0])
		finish(p, a, NULL);
	else if (strcmp(a->digest.text, p->digest) != 0)
		hear(p, a);
	else
		finish(p, p->failures ? a : NULL, p->failures ? as_before(p) : NULL);
}

/* A mirror can confirm what the registry itself said last, and nothing older: it may have that for long. */
void bw_probe_ask(struct bw_probe *p)
{
	bw_registry_ask(p->group->side->registry, p->group->registry, p->repository, p->tag,
			p->digest[0] && !p->is_contradicted ? p->digest : NULL, answered, p);
}

static char *pack_texts(const char *a, const char *b, const char *c)
{
	size_t la = strlen(a) + 1, lb = strlen(b) + 1, lc = strlen(c) + 1;
	char *p = bw_alloc(la + lb + lc);

	memcpy(p, a, la);
	memcpy(p + la, b, lb);
	memcpy(p + la + lb, c, lc);
	return p;
}

void bw_probe_init(struct bw_probe *p, struct bw_probe_group *group, const struct bw_base *b)
{
	*p = (struct bw_probe){.group = group,
			       .base_id = b->id,
			       .is_contradicted = b->is_contradicted,
			       .failures = b->failures,
			       .waited = b->waited};
	p->repository = pack_texts(b->repository, b->tag, b->digest ? b->digest : "");
	p->tag = p->repository + strlen(b->repository) + 1;
	p->digest = p->tag + strlen(b->tag) + 1;
}

void bw_probe_done(struct bw_probe *p)
{
	free((void *)(uintptr_t)p->repository);
}
