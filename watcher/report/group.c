/* group.c - see group.h. */
#include "group.h"

#include "core/mem.h"

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

/* The base is complete: counts it, hands it on. Its memory serves the next one. */
static void finish(struct bw_collector *c)
{
	struct bw_group *g = &c->group;

	if (!c->gathering)
		return;
	c->tally.verdicts[g->verdict]++;
	if (g->base) {
		c->tally.bases++;
		c->tally.first_sights += is_first_sight(g);
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
		g->digest = bw_arena_str(a, r->digest);
		g->previous = bw_arena_str(a, r->previous);
		g->change_class = bw_arena_str(a, r->change_class);
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

/* Of two uses with the same verdict, the one that has it for longer speaks for the base. */
static bool is_worse(const struct bw_judgement *j, const struct bw_group *g)
{
	if (j->verdict != g->verdict)
		return j->verdict < g->verdict;
	return j->since_ms != 0 && (g->since_ms == 0 || j->since_ms < g->since_ms);
}

/* The verdict of a base is that of its worst use (design §5), with that use's reason and time. */
static void weigh(struct bw_collector *c, const struct bw_row *r, const struct bw_judgement *j,
		  const char *reason)
{
	struct bw_group *g = &c->group;

	if (is_worse(j, g)) {
		g->verdict = j->verdict;
		g->since_ms = j->since_ms;
		g->reason = reason;
	}
	if (j->verdict == BW_STALE && r->stale_since_ms != 0 &&
	    (g->stale_since_ms == 0 || r->stale_since_ms < g->stale_since_ms))
		g->stale_since_ms = r->stale_since_ms;
}

static void add_use(struct bw_collector *c, const struct bw_row *r)
{
	struct bw_group *g = &c->group;
	struct bw_arena *a = &c->arena;
	struct bw_judgement j;
	struct bw_group_use use;

	bw_judge(r, c->o->now_ms, &j);
	use = (struct bw_group_use){
		.source = bw_arena_str(a, r->source ? r->source : ""),
		.path = bw_arena_str(a, r->path),
		.target = bw_arena_str(a, r->target ? r->target : ""),
		.reason = bw_arena_str(a, text_or_null(j.reason)),
		.line = r->line,
		.is_file = r->problem != NULL,
		.reachable = true,
		.verdict = j.verdict,
	};
	/* A broken file has no use: its other members mean nothing. It counts, so it passes as reachable. */
	if (!use.is_file) {
		use.stage = bw_arena_str(a, text_or_null(r->stage));
		use.platform = bw_arena_str(a, text_or_null(r->platform));
		use.pinned = bw_arena_str(a, text_or_null(r->pinned));
		use.written = bw_arena_str(a, r->written ? r->written : "");
		use.role = r->role;
		use.reachable = r->reachable;
	}
	BW_PUSH(g->uses, g->use_count, g->use_capacity) = use;
	count_use(c, r, j.verdict);
	weigh(c, r, &j, use.reason);
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
