/* owed.c - see owed.h. */
#include "owed.h"

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"

char *bw_owed_base_name(const struct bw_fact_base *b)
{
	return bw_asprintf("%s/%s:%s", b->registry, b->repository, b->tag);
}

/* --- one use ---------------------------------------------------------------------------------- */

/* Roles come from the database: one that we do not know asks nobody. */
static void decide_use(const struct bw_rules *r, const struct bw_fact_request *q,
		       const struct bw_fact_outstanding *x, const struct bw_fact_use *u,
		       struct bw_ruling *ret)
{
	BW_AUTOFREE char *base = bw_owed_base_name(&x->base);
	struct bw_rules_use use = {.source = q->source, .base = base, .class = u->class};

	*ret = (struct bw_ruling){.fate = BW_USE_UNCOUNTED};
	if (bw_role_parse(u->role, &use.role))
		bw_rules_decide(r, &use, ret);
}

enum bw_use_fate bw_owed_fate(const struct bw_rules *r, const struct bw_fact_request *q,
			      const struct bw_fact_outstanding *x, const struct bw_fact_use *u)
{
	struct bw_ruling ruling;

	decide_use(r, q, x, u, &ruling);
	return ruling.fate;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct owed {
	const char **sinks;
	size_t sink_count, sink_capacity;
	bool is_asked, is_all;
	size_t *rules; /* that suppress */
	size_t rule_count, rule_capacity;
};

static void add_sink(struct owed *o, const char *name)
{
	for (size_t i = 0; i < o->sink_count; i++)
		if (strcmp(o->sinks[i], name) == 0)
			return;
	BW_PUSH(o->sinks, o->sink_count, o->sink_capacity) = name;
}

static void add_rule(struct owed *o, size_t rule)
{
	for (size_t i = 0; i < o->rule_count; i++)
		if (o->rules[i] == rule)
			return;
	BW_PUSH(o->rules, o->rule_count, o->rule_capacity) = rule;
}

static void add_ruling(struct owed *o, const struct bw_ruling *x)
{
	if (x->fate == BW_USE_SUPPRESSED)
		add_rule(o, x->rule);
	if (x->fate != BW_USE_ASKED)
		return;
	o->is_asked = true;
	o->is_all = o->is_all || !x->sinks;
	for (const char *const *sink = x->sinks; sink && *sink; sink++)
		add_sink(o, *sink);
}

static void add_request(struct owed *o, const struct bw_rules *r, const struct bw_fact_request *q)
{
	for (size_t i = 0; i < q->base_count; i++)
		for (size_t k = 0; k < q->bases[i].use_count; k++) {
			struct bw_ruling ruling;

			decide_use(r, q, &q->bases[i], &q->bases[i].uses[k], &ruling);
			add_ruling(o, &ruling);
		}
}

static void add_base(struct owed *o, const struct bw_rules *r, const struct bw_fact_base *b)
{
	BW_AUTOFREE char *base = bw_owed_base_name(b);
	struct bw_ruling ruling;

	bw_rules_decide_base(r, base, &ruling);
	add_ruling(o, &ruling);
}

#define REASON_MAX 1024

/* "rule 2 names no sinks"; rules count from 1, as people do. */
static char *reason_of(const struct owed *o)
{
	BW_AUTOBUF struct bw_buf b;

	bw_buf_init(&b, REASON_MAX);
	(void)bw_buf_adds(&b, o->rule_count > 1 ? "rules" : "rule");
	for (size_t i = 0; i < o->rule_count; i++)
		(void)bw_buf_addf(&b, "%s %zu", i > 0 ? "," : "", o->rules[i]);
	(void)bw_buf_adds(&b, o->rule_count > 1 ? " name no sinks" : " names no sinks");
	return bw_strdup(o->rule_count > 0 ? bw_buf_str(&b) : "no rule counts it");
}

void bw_owed_decide(const struct bw_rules *r, const struct bw_fact *f, struct bw_told *ret)
{
	struct owed o = {0};

	if (f->kind == BW_FACT_REQUESTED)
		add_request(&o, r, f->request);
	else
		add_base(&o, r, f->base);
	if (!o.is_asked)
		ret->suppressed = reason_of(&o);
	if (o.is_asked && !o.is_all) {
		BW_PUSH(o.sinks, o.sink_count, o.sink_capacity) = NULL;
		ret->sinks = BW_TAKE(o.sinks);
	}
	free(o.sinks);
	free(o.rules);
}
