/* json.c - see json.h. The members and their order are a promise to other programs. */
#include "json.h"

#include <assert.h>

#include "place.h"
#include "report/out.h"

void bw_report_json_source(struct bw_json *w, const char *source)
{
	bw_json_key_str(w, "source", source && *source ? source : NULL);
}

void bw_report_json_line(struct bw_json *w, const char *key, uint32_t n)
{
	bw_json_key(w, key);
	if (n == 0)
		bw_json_null(w);
	else
		bw_json_int(w, n);
}

/* JSON ends with a line feed, like every text that a shell shall read. */
bool bw_report_json_finish(struct bw_json *w)
{
	bool ok = bw_json_flush(w);

	return bw_out_finish(w->out, ok && putc('\n', w->out) != EOF);
}

void bw_report_json_begin(struct bw_report_json *j, const struct bw_report_options *o, int64_t checked_at_ms)
{
	struct bw_json *w = &j->w;

	*j = (struct bw_report_json){.o = o};
	bw_json_init(w, o->out, 0);
	bw_json_open(w, '{');
	bw_json_key_int(w, "version", 1);
	bw_json_key_time(w, "checked_at", checked_at_ms);
	bw_json_key(w, "bases");
	bw_json_open(w, '[');
}

/* As bw_json_key_time(), but formats only what differs from the last time of this member. */
static void put_time(struct bw_report_json *j, struct bw_report_time *t, const char *key, int64_t ms)
{
	if (ms == 0) {
		bw_json_key_time(&j->w, key, 0);
		return;
	}
	if (ms / 1000 != t->second || !t->text[0]) {
		t->second = ms / 1000;
		(void)bw_time_format(ms, t->text);
	}
	bw_json_key_str(&j->w, key, t->text);
}

static const char *pin_name(enum bw_pin pin)
{
	switch (pin) {
	case BW_PIN_NONE: break;
	case BW_PIN_EQUAL: return "equal";
	case BW_PIN_CHILD: return "child";
	case BW_PIN_OTHER: return "other";
	case BW_PIN_UNDECIDED: return "undecided";
	}
	return NULL;
}

/* A use, the same members in `bases` and in `other`; what there is none of is null, never missing. */
static void put_use(struct bw_report_json *j, const struct bw_group_use *u)
{
	struct bw_json *w = &j->w;

	bw_json_open(w, '{');
	bw_json_key_str(w, "path", bw_place_inside(u->source, u->path, j->o->cwd));
	bw_report_json_source(w, u->source);
	bw_report_json_line(w, "line", u->line);
	bw_json_key_str(w, "role", u->is_file ? NULL : bw_role_name(u->role));
	bw_json_key_str(w, "stage", u->stage);
	bw_json_key_str(w, "platform", u->platform);
	bw_json_key_str(w, "pinned", u->pinned);
	bw_json_key_bool(w, "reachable", u->reachable);
	bw_json_key_str(w, "verdict", bw_verdict_name(u->verdict));
	bw_json_key_str(w, "reason", u->reason);
	bw_json_key_str(w, "class", u->change_class);
	bw_json_key_str(w, "moved", u->moved);
	bw_json_key_str(w, "evidence", u->evidence);
	put_time(j, &j->times[5], "fresh_since", u->fresh_since_ms);
	bw_json_key_str(w, "pin", pin_name(u->pin));
	bw_json_key_str(w, "pin_platform", u->pin_platform);
	bw_json_close(w, '}');
}

static void put_next_check(struct bw_report_json *j, const struct bw_group *g)
{
	const struct bw_outlook *o = j->o->outlook;
	struct bw_json *w = &j->w;
	struct bw_next_check next;

	bw_json_key(w, "next_check");
	if (!o || !o->find(g->base_id, &next, o->arg)) {
		bw_json_null(w);
		return;
	}
	bw_json_open(w, '{');
	bw_json_key_time(w, "at", next.at_ms);
	bw_json_key_str(w, "reason", next.reason);
	bw_json_close(w, '}');
}

/* A base and all its uses: the only part of the document that is in memory as a whole. */
static void put_base(struct bw_report_json *j, const struct bw_group *g)
{
	struct bw_report_time *t = j->times;
	struct bw_json *w = &j->w;

	bw_json_open(w, '{');
	bw_json_key_str(w, "base", g->base);
	bw_json_key_str(w, "verdict", bw_verdict_name(g->verdict));
	bw_json_key_str(w, "reason", g->reason);
	put_time(j, &t[0], "since", g->since_ms);
	bw_json_key_str(w, "class", g->change_class);
	bw_json_key_str(w, "moved", g->moved);
	bw_json_key_str(w, "digest", g->digest);
	bw_json_key_str(w, "previous", g->previous);
	put_time(j, &t[1], "first_seen", g->first_seen_ms);
	put_time(j, &t[2], "changed_at", g->changed_at_ms);
	put_time(j, &t[3], "stale_since", g->stale_since_ms);
	put_time(j, &t[4], "checked_at", g->checked_at_ms);
	put_next_check(j, g);
	bw_json_key(w, "uses");
	bw_json_open(w, '[');
	for (size_t i = 0; i < g->use_count; i++)
		put_use(j, &g->uses[i]);
	bw_json_close(w, ']');
	bw_json_close(w, '}');
}

/* The store gives the uses without a base last, so `other` follows `bases` without keeping anything. */
static void begin_other(struct bw_report_json *j)
{
	if (j->in_other)
		return;
	bw_json_close(&j->w, ']');
	bw_json_key(&j->w, "other");
	bw_json_open(&j->w, '[');
	j->in_other = true;
}

void bw_report_json_add(struct bw_report_json *j, const struct bw_group *g)
{
	assert(!g->base || !j->in_other);
	if (g->base) {
		put_base(j, g);
		return;
	}
	begin_other(j);
	put_use(j, &g->uses[0]);
}

/* What could not be looked into. */
static void put_gaps(struct bw_report_json *j)
{
	const struct bw_gaps *g = j->o->gaps;
	struct bw_json *w = &j->w;

	bw_json_key(w, "sources");
	bw_json_open(w, '[');
	for (size_t i = 0; g && i < g->count; i++) {
		bw_json_open(w, '{');
		bw_json_key_str(w, "place", bw_place_inside("", g->items[i].place, j->o->cwd));
		bw_json_key_str(w, "verdict", bw_verdict_name(BW_UNKNOWN));
		bw_json_key_str(w, "reason", g->items[i].problem);
		bw_json_key_time(w, "since", g->items[i].since_ms);
		bw_json_close(w, '}');
	}
	bw_json_close(w, ']');
}

static void put_number(struct bw_json *w, const char *key, bool is_known, uint64_t n)
{
	bw_json_key(w, key);
	if (is_known)
		bw_json_int(w, n < (uint64_t)INT64_MAX ? (int64_t)n : INT64_MAX);
	else
		bw_json_null(w);
}

static void put_registry(struct bw_json *w, const struct bw_outlook_registry *r)
{
	bw_json_open(w, '{');
	bw_json_key_str(w, "registry", r->name);
	put_number(w, "bases", true, r->bases);
	bw_json_key_time(w, "seen_at", r->seen_ms);
	put_number(w, "limit", r->has_budget, r->limit);
	put_number(w, "remaining", r->has_budget, r->remaining);
	put_number(w, "reserved", r->has_budget, r->reserved);
	put_number(w, "window_seconds", r->window_s > 0, r->window_s);
	bw_json_key_bool(w, "questions_are_free", r->is_free);
	put_number(w, "interval_seconds", r->interval_ms > 0, ((uint64_t)r->interval_ms + 999) / 1000);
	bw_json_key_str(w, "pause", r->pause);
	bw_json_key_time(w, "paused_until", r->paused_until_ms);
	bw_json_key_str(w, "text", r->text);
	bw_json_close(w, '}');
}

/* How those stand that decide on the next checks. */
static void put_registries(struct bw_report_json *j)
{
	const struct bw_outlook *o = j->o->outlook;

	bw_json_key(&j->w, "registries");
	bw_json_open(&j->w, '[');
	for (size_t i = 0; o && i < o->count; i++)
		put_registry(&j->w, &o->registries[i]);
	bw_json_close(&j->w, ']');
}

bool bw_report_json_end(struct bw_report_json *j, const struct bw_tally *t)
{
	struct bw_json *w = &j->w;

	begin_other(j);
	bw_json_close(w, ']');
	put_gaps(j);
	put_registries(j);
	bw_json_key(w, "summary");
	bw_json_open(w, '{');
	for (enum bw_verdict v = 0; v < BW_VERDICT_COUNT; v++)
		bw_json_key_int(w, bw_verdict_name(v), (int64_t)t->verdicts[v]);
	bw_json_close(w, '}');
	bw_json_close(w, '}');
	return bw_report_json_finish(w);
}

void bw_report_json_done(struct bw_report_json *j)
{
	bw_json_done(&j->w);
}
