/* entry.c - see entry.h. */
#include "entry.h"

#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "image/digest.h"
#include "image/reference.h"

static bool is_trouble(enum bw_verdict v)
{
	return v < BW_FRESH;
}

/* A broken template is unfollowable, and so quiet: it never was the user's fault. */
static enum bw_part part_of(const struct bw_group *g)
{
	if (is_trouble(g->verdict))
		return g->uses[0].is_file ? BW_PART_FILE : BW_PART_TROUBLE;
	return g->verdict == BW_FRESH ? BW_PART_FRESH : BW_PART_QUIET;
}

/* "web/Dockerfile:9", the form that editors and terminals turn into a link. */
static const char *where(const struct bw_group_use *u, const struct bw_report_options *o, struct bw_arena *a)
{
	BW_AUTOFREE char *path = bw_report_path(u->source, u->path, o->cwd);
	BW_AUTOFREE char *place = NULL;

	if (u->line == 0)
		return bw_arena_escaped(a, path);
	place = bw_asprintf("%s:%u", path, (unsigned)u->line);
	return bw_arena_escaped(a, place);
}

/* What has no base and stands on a digest: the digest in its short form, which leaves room for the name. */
static const char *written_name(const struct bw_group_use *u, struct bw_arena *a)
{
	const char *at = strchr(u->written, '@');
	char digest[BW_DIGEST_SHORT_MAX];
	BW_AUTOFREE char *text = NULL;

	if (!at || !u->pinned || strcmp(at + 1, u->pinned) != 0)
		return bw_arena_escaped(a, u->written);
	text = bw_asprintf("%.*s@%s", (int)(at - u->written), u->written, bw_digest_short(u->pinned, digest));
	return bw_arena_escaped(a, text);
}

/* What a person calls it: "debian:12" for a base; else the text of the file. */
static const char *name_of(const struct bw_group *g, const struct bw_report_options *o, struct bw_arena *a)
{
	const struct bw_group_use *u = &g->uses[0];

	if (g->base)
		return bw_arena_escaped(a, bw_reference_familiar(g->base));
	return u->is_file ? where(u, o, a) : written_name(u, a);
}

/* The name that a person gave; the number of a stage without one adds nothing to the line. */
static const char *stage_name(const struct bw_group_use *u)
{
	return u->stage && u->stage[strspn(u->stage, "0123456789")] ? u->stage : "";
}

/* The use's image is what the tag has, and yet it is the wrong one. */
static bool is_misfit(const struct bw_group_use *u)
{
	return u->verdict == BW_FRESH && u->pin_platform;
}

/* `heading`: what the entry says for all its uses. */
static struct bw_entry_use make_use(const struct bw_group_use *u, const char *heading,
				    const struct bw_report_options *o, struct bw_arena *a)
{
	return (struct bw_entry_use){
		.where = where(u, o, a),
		.stage = bw_arena_escaped(a, stage_name(u)),
		.platform = bw_arena_escaped(a, u->platform),
		.target = u->target[0] ? bw_arena_escaped(a, u->target) : NULL,
		.reason = bw_text_is(u->reason, heading) ? NULL : bw_arena_escaped(a, u->reason),
		.role = u->role,
		.verdict = u->verdict,
	};
}

static bool is_listed(const struct bw_entry *e, const struct bw_group_use *u)
{
	return is_trouble(u->verdict) || is_misfit(u) || (e->part == BW_PART_QUIET && e->total == 1);
}

/* Among hundreds of uses of one base, those that are well are only counted. */
static void keep_uses(struct bw_entry *e, const struct bw_group *g, const char *heading,
		      const struct bw_report_options *o, struct bw_arena *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->use_count; i++) {
		bool is_kept = is_listed(e, &g->uses[i]);

		e->fresh += g->uses[i].verdict == BW_FRESH && !is_kept;
		e->quiet += g->uses[i].verdict > BW_FRESH;
		kept += is_kept;
	}
	if (kept == 0 || e->is_file)
		return;
	e->uses = bw_arena_alloc(a, kept * sizeof(*e->uses));
	for (size_t i = 0; i < g->use_count && e->use_count < kept; i++)
		if (is_listed(e, &g->uses[i]))
			e->uses[e->use_count++] = make_use(&g->uses[i], heading, o, a);
}

/*
 * What the line of a fresh base says: that this sweep saw it move, and why nobody has to rebuild. A report of later
 * says nothing: that would be noise for months. A pin for another platform is said by its use, unless it is alone.
 */
static const char *fresh_reason(const struct bw_group *g, const struct bw_report_options *o)
{
	if (g->use_count == 1 && is_misfit(&g->uses[0]))
		return g->uses[0].reason;
	if (!bw_group_is_news(g, o))
		return NULL;
	for (size_t i = 0; i < g->use_count; i++)
		if (g->uses[i].verdict == BW_FRESH && g->uses[i].reason && !is_misfit(&g->uses[i]))
			return g->uses[i].reason;
	return NULL;
}

static const char *registry_of(const char *base, struct bw_arena *a)
{
	BW_AUTOFREE char *name = bw_strndup(base, strcspn(base, "/"));

	return bw_arena_escaped(a, name);
}

void bw_entry_make(struct bw_entry *e, const struct bw_group *g, const struct bw_report_options *o,
		   struct bw_arena *a)
{
	const char *heading = g->reason;

	*e = (struct bw_entry){
		.part = part_of(g),
		.verdict = g->verdict,
		.name = name_of(g, o, a),
		.has_base = g->base != NULL,
		.is_file = g->uses[0].is_file,
		.total = g->use_count,
	};
	if (g->base && g->verdict == BW_UNKNOWN && g->reason)
		e->registry = registry_of(g->base, a);
	if (e->part == BW_PART_FRESH) /* 100,000 of them: a name and a number each, as a rule */
		heading = fresh_reason(g, o);
	e->since_ms = g->since_ms;
	e->reason = bw_arena_escaped(a, heading);
	keep_uses(e, g, heading, o, a);
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

bool bw_entry_is_same(const struct bw_entry *a, const struct bw_entry *b)
{
	return a->part == b->part && !a->is_file && !b->is_file && !a->has_base && !b->has_base &&
	       a->verdict == b->verdict && strcmp(a->name, b->name) == 0 &&
	       compare_text(a->reason, b->reason) == 0;
}

static bool has_news(const struct bw_entry *e)
{
	return e->reason || e->use_count > 0;
}

/* Worst verdict first (design §5), so that what needs a person is on the first screen. */
static int compare(const void *left, const void *right)
{
	const struct bw_entry *a = left, *b = right;
	int by_text;

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (a->has_base != b->has_base)
		return a->has_base ? -1 : 1;
	if (a->part == BW_PART_FRESH && has_news(a) != has_news(b))
		return has_news(a) ? -1 : 1;
	by_text = strcmp(a->name, b->name);
	if (by_text == 0 && !a->has_base)
		by_text = compare_text(a->reason, b->reason);
	if (by_text != 0)
		return by_text;
	return (a->order > b->order) - (a->order < b->order);
}

void bw_entry_sort(struct bw_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		entries[i].order = i;
	if (count > 1)
		qsort(entries, count, sizeof(*entries), compare);
}
