/* group.c - see group.h. */
#include "group.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/class.h"

void bw_collector_init(struct bw_collector *c, const struct bw_report_options *o, bw_group_fn fn, void *arg)
{
	*c = (struct bw_collector){.o = o, .fn = fn, .arg = arg};
}

void bw_collector_done(struct bw_collector *c)
{
	free(c->group.uses);
	c->group.uses = NULL;
	bw_arena_done(&c->arena);
}

/* What the exit code is made of (design §7): a template is read leniently and never turns it to 2. */
static void count_use(struct bw_collector *c, const struct bw_row *r, enum bw_verdict verdict)
{
	bool is_frontend = !r->problem && r->role == BW_ROLE_FRONTEND;

	if (is_frontend && !c->o->count_frontends)
		return;
	if (r->is_template && verdict == BW_UNKNOWN)
		return;
	c->tally.counted[verdict]++;
}

/* A base that this very sweep saw for the first time has no history to be judged by. */
static bool is_first_sight(const struct bw_group *g)
{
	return g->first_seen_ms != 0 && g->checked_at_ms == g->first_seen_ms;
}

bool bw_group_is_news(const struct bw_group *g, const struct bw_report_options *o)
{
	return o->checked_at_ms != 0 && g->changed_at_ms != 0 && g->changed_at_ms == g->checked_at_ms &&
	       g->checked_at_ms >= o->interrupted_since_ms;
}

/* The base is complete: counts it, hands it on. Its memory serves the next one. */
static void finish(struct bw_collector *c)
{
	struct bw_group *g = &c->group;

	if (!c->gathering)
		return;
	c->tally.verdicts[g->verdict]++;
	if (g->base) {
		c->tally.bases++;
		c->tally.first_sights += is_first_sight(g) && g->checked_at_ms >= c->o->interrupted_since_ms;
	}
	c->fn(g, c->arg);
	c->gathering = false;
}

/* Everything that the rows of one base have in common is taken from the first. */
static void begin(struct bw_collector *c, const struct bw_row *r)
{
	struct bw_group *g = &c->group;
	struct bw_arena *a = &c->arena;

	bw_arena_clear(a);
	*g = (struct bw_group){
		.verdict = BW_VERDICT_COUNT, /* better than any: the first use takes its place */
		.uses = g->uses,
		.use_capacity = g->use_capacity,
	};
	if (r->base_id != 0) {
		g->base = bw_arena_str(a, r->base);
		g->base_id = r->base_id;
		g->digest = bw_arena_str(a, r->digest);
		g->previous = bw_arena_str(a, r->previous);
		g->first_seen_ms = r->first_seen_ms;
		g->changed_at_ms = r->changed_at_ms;
		g->checked_at_ms = r->checked_at_ms;
	}
	c->base_id = r->base_id;
	c->gathering = true;
}

static const char *text_or_null(const char *s)
{
	return s && *s ? s : NULL;
}

/* The same text as in the use before, which is the rule, is kept once. */
static const char *keep(struct bw_arena *a, const char *last, const char *s)
{
	s = text_or_null(s);
	return s && bw_text_is(s, last) ? last : bw_arena_str(a, s);
}

/* What is not known weighs least. */
static enum bw_class weight(const char *name)
{
	enum bw_class class = BW_CLASS_COUNT;

	if (name)
		(void)bw_class_parse(name, &class);
	return class;
}

/*
 * Of two uses with the same verdict, the one that has it for longer speaks for the base; of two that have it for the
 * same time, the one for which the change weighs more, or that has something to say.
 */
static bool is_worse(const struct bw_judgement *j, const struct bw_group_use *use, const struct bw_group *g)
{
	if (j->verdict != g->verdict)
		return j->verdict < g->verdict;
	if (j->since_ms != g->since_ms)
		return j->since_ms != 0 && (g->since_ms == 0 || j->since_ms < g->since_ms);
	if (weight(use->change_class) != weight(g->change_class))
		return weight(use->change_class) < weight(g->change_class);
	return use->reason && !g->reason;
}

/* The verdict of a base is that of its worst use (design §5), with that use's reason, time and change. */
static void weigh(struct bw_collector *c, const struct bw_row *r, const struct bw_judgement *j,
		  const struct bw_group_use *use)
{
	struct bw_group *g = &c->group;

	if (is_worse(j, use, g)) {
		g->verdict = j->verdict;
		g->since_ms = j->since_ms;
		g->reason = use->reason;
		g->change_class = use->change_class;
		g->moved = use->moved;
	}
	if (j->verdict == BW_STALE && r->stale_since_ms != 0 &&
	    (g->stale_since_ms == 0 || r->stale_since_ms < g->stale_since_ms))
		g->stale_since_ms = r->stale_since_ms;
}

/* What there is to say of a use, and not of a file. */
static void read_use(const struct bw_row *r, struct bw_arena *a, struct bw_group_use *use)
{
	use->stage = bw_arena_str(a, text_or_null(r->stage));
	use->platform = bw_arena_str(a, text_or_null(r->platform));
	use->pinned = bw_arena_str(a, text_or_null(r->pinned));
	use->written = bw_arena_str(a, r->written ? r->written : "");
	use->role = r->role;
	use->reachable = r->reachable;
}

/* What became of the base for this use; `last` is the use before, of the same base. */
static void read_change(const struct bw_row *r, const struct bw_group_use *last, struct bw_arena *a,
			struct bw_group_use *use)
{
	use->change_class = keep(a, last->change_class, r->change_class);
	use->moved = keep(a, last->moved, r->moved);
	use->evidence = keep(a, last->evidence, r->evidence);
	use->fresh_since_ms = r->fresh_since_ms;
	use->pin = r->pinned ? r->pin : BW_PIN_NONE;
	use->pin_platform = bw_arena_str(a, r->pin_platform);
}

/* NULL: this sweep asked for all bases of the registry of this one. */
static const char *why_held_back(const struct bw_report_options *o, const char *base)
{
	for (size_t i = 0; o->outlook && i < o->outlook->count; i++) {
		const struct bw_outlook_registry *r = &o->outlook->registries[i];
		size_t len = strlen(r->name);

		if (r->held_back && strncmp(base, r->name, len) == 0 && base[len] == '/')
			return r->held_back;
	}
	return NULL;
}

/* Nothing is known of what was never asked, and this sweep could not change that. */
static void add_why_held_back(const struct bw_report_options *o, const struct bw_row *r,
			      struct bw_judgement *ret)
{
	bool is_new = !r->digest || (!r->pinned && !r->handled);
	const char *why;
	size_t len = strlen(ret->reason);

	if (ret->verdict != BW_UNKNOWN || r->base_id == 0 || r->trouble || !is_new)
		return;
	why = why_held_back(o, r->base);
	if (why)
		(void)snprintf(ret->reason + len, sizeof(ret->reason) - len, ": %s", why);
}

/* What an interrupted sweep did not come to is as unknown as what could not be asked. */
static void judge(const struct bw_collector *c, const struct bw_row *r, struct bw_judgement *ret)
{
	bw_judge(r, c->o->now_ms, ret);
	add_why_held_back(c->o, r, ret);
	if (ret->verdict != BW_FRESH || r->base_id == 0 || r->checked_at_ms >= c->o->interrupted_since_ms)
		return;
	*ret = (struct bw_judgement){.verdict = BW_UNKNOWN, .since_ms = c->o->interrupted_since_ms};
	(void)snprintf(ret->reason, sizeof(ret->reason), "interrupted before it was answered");
}

static void add_use(struct bw_collector *c, const struct bw_row *r)
{
	static const struct bw_group_use none = {.path = NULL};
	struct bw_group *g = &c->group;
	struct bw_arena *a = &c->arena;
	const struct bw_group_use *last = g->use_count > 0 ? &g->uses[g->use_count - 1] : &none;
	struct bw_judgement j;
	struct bw_group_use use;

	judge(c, r, &j);
	use = (struct bw_group_use){
		.source = bw_arena_str(a, r->source ? r->source : ""),
		.path = bw_arena_str(a, r->path),
		.target = bw_arena_str(a, r->target ? r->target : ""),
		.reason = keep(a, last->reason, j.reason),
		.line = r->line,
		.is_file = r->problem != NULL,
		.reachable = true,
		.verdict = j.verdict,
	};
	/* A broken file has no use: its other members mean nothing. It counts, so it passes as reachable. */
	if (!use.is_file)
		read_use(r, a, &use);
	if (g->base)
		read_change(r, last, a, &use);
	BW_PUSH(g->uses, g->use_count, g->use_capacity) = use;
	count_use(c, r, j.verdict);
	weigh(c, r, &j, &use);
}

/* Rows without a base stand alone, each a group of its own. */
void bw_collector_row(struct bw_collector *c, const struct bw_row *r)
{
	if (r->base_id == 0 || r->base_id != c->base_id)
		finish(c);
	if (!c->gathering)
		begin(c, r);
	if (r->checked_at_ms > c->youngest_ms)
		c->youngest_ms = r->checked_at_ms;
	add_use(c, r);
}

void bw_collector_end(struct bw_collector *c)
{
	finish(c);
}
