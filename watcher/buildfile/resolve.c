#include "buildfile/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "buildfile/contexts.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/text.h"

/* The stages by name; a later one of the same name takes its place. */
struct names {
	struct bw_stage *stages; /* of the plan */
	struct bw_map *map;	 /* NULL: no stage has a name yet */
};

static void put_stage(struct names *n, const char *name, size_t stage)
{
	if (!n->map)
		n->map = bw_map_new();
	(void)bw_map_put(n->map, name, &n->stages[stage]);
}

static size_t get_stage(const struct names *n, const char *name)
{
	const struct bw_stage *stage = n->map ? bw_map_get(n->map, name) : NULL;

	return stage ? (size_t)(stage - n->stages) : BW_NOWHERE;
}

const char *bw_plan_target_name(const struct bw_plan *plan, const struct bw_build_options *opts)
{
	if (opts->target && *opts->target)
		return opts->target;
	if (plan->stage_count > 0 && plan->stages[plan->stage_count - 1].name)
		return plan->stages[plan->stage_count - 1].name;
	return "default";
}

/* --- FROM ------------------------------------------------------------------------------------- */

static void expand_base(struct bw_plan *plan, struct bw_stage *stage, struct bw_vars *vars)
{
	struct bw_site *site;
	struct bw_err err;

	if (stage->from == BW_NOWHERE)
		return;
	site = &plan->sites[stage->from];
	if (bw_vars_expand(vars, plan->escape, site->text, &stage->base_text, &stage->facts, &err) < 0)
		site->failure = bw_strdup(err.msg);
}

static void set_platform(struct bw_stage *stage, const struct bw_buf *text, const struct bw_word_facts *facts,
			 struct bw_vars *vars, struct bw_platform *ret)
{
	char formatted[BW_PLATFORM_MAX];
	struct bw_err err;

	if (text->len == 0) {
		stage->platform_failure = bw_vars_missing(vars, facts);
		if (!stage->platform_failure)
			stage->platform_failure = bw_asprintf("empty platform value from expression %.256s",
							      stage->platform_word);
	} else if (bw_platform_parse(text->data, text->len, ret, &err) < 0) {
		stage->platform_failure =
			bw_asprintf("failed to parse platform %.256s: %s", stage->platform_word, err.msg);
	} else {
		stage->platform = bw_strdup(bw_platform_format(ret, formatted));
		stage->follows_target = facts->is_of_target;
	}
}

/* True: the stage has a platform of its own, in `*ret`. */
static bool expand_platform(struct bw_stage *stage, char escape, struct bw_vars *vars,
			    struct bw_platform *ret)
{
	struct bw_text word = {stage->platform_word, stage->platform_len};
	struct bw_word_facts facts;
	struct bw_buf text;
	struct bw_err err;

	if (!stage->platform_word)
		return false;
	bw_buf_init(&text, BW_MAX_WORD_BYTES);
	if (bw_vars_expand(vars, escape, word, &text, &facts, &err) < 0)
		stage->platform_failure =
			bw_asprintf("failed to process arguments for platform %.256s: %s", word.s, err.msg);
	else
		set_platform(stage, &text, &facts, vars, ret);
	bw_buf_done(&text);
	return stage->platform != NULL;
}

/* Every stage name is looked up as a context, and that asks for the grammar of image names. */
static void check_name(const struct bw_stage *stage, struct bw_dockerfile *d)
{
	struct bw_reference ref;
	struct bw_err err;

	if (bw_reference_parse(stage->name, strlen(stage->name), &ref, NULL, &err) < 0)
		bw_plan_error(d, stage->line, "invalid name for build stage: \"%.256s\": %s", stage->name,
			      err.msg);
	else
		bw_reference_done(&ref);
}

static bool is_simple(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return len < 64 && name[len] == '\0';
}

/* FROM compares the expanded name as it is, and knows earlier stages only. */
static void link_base(struct bw_plan *plan, size_t i, const struct names *names, const char *context)
{
	struct bw_stage *stage = &plan->stages[i];
	const char *base = bw_buf_str(&stage->base_text);

	stage->context = context;
	if (context || stage->from == BW_NOWHERE || plan->sites[stage->from].failure ||
	    strlen(base) != stage->base_text.len)
		return;
	stage->base = get_stage(names, base);
	if (stage->base != BW_NOWHERE && plan->stages[stage->base].first_child == BW_NOWHERE)
		plan->stages[stage->base].first_child = i;
}

static void resolve_stages(struct bw_plan *plan, struct bw_vars *vars, const struct bw_build_options *opts,
			   struct names *names, struct bw_dockerfile *d)
{
	for (size_t i = 0; i < plan->stage_count; i++) {
		struct bw_stage *stage = &plan->stages[i];
		struct bw_platform platform;
		const char *context = NULL;
		bool has_platform;

		expand_base(plan, stage, vars);
		has_platform = expand_platform(stage, plan->escape, vars, &platform);
		if (stage->name)
			context = bw_context_of_stage(opts, stage->name, has_platform ? &platform : NULL);
		link_base(plan, i, names, context);
		if (!stage->name)
			continue;
		if (!is_simple(stage->name))
			check_name(stage, d);
		put_stage(names, stage->name, i);
	}
}

/* --- COPY --from and mounts ------------------------------------------------------------------- */

/* A whole number as strconv.Atoi reads it: digits behind an optional sign. False: none, or far too big. */
static bool read_number(struct bw_text t, long *ret)
{
	bool negative = t.len > 0 && *t.s == '-';
	long n = 0;

	if (t.len > 0 && (*t.s == '-' || *t.s == '+'))
		t = (struct bw_text){t.s + 1, t.len - 1};
	if (t.len == 0 || t.len > 18)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
		n = n * 10 + (t.s[i] - '0');
	}
	*ret = negative ? -n : n;
	return true;
}

/*
 * Names are lowered, and of several equal ones the last counts. No stage has a slash in its name, nor a length
 * that no image name has.
 */
static size_t find_named(const struct names *names, struct bw_text text)
{
	char name[256];

	if (text.len >= sizeof(name) || memchr(text.s, '\0', text.len))
		return BW_NOWHERE;
	memcpy(name, text.s, text.len);
	name[text.len] = '\0';
	bw_text_lower(name);
	return get_stage(names, name);
}

/* Only COPY knows numbers. */
static void link_site(struct bw_plan *plan, struct bw_site *site, const struct names *names)
{
	long number;

	if (site->failure || site->kind == BW_SITE_FROM)
		return;
	if (site->kind == BW_SITE_COPY && read_number(site->text, &number)) {
		if (number < 0 || (size_t)number >= plan->stage_count)
			site->failure = bw_asprintf("invalid stage index %ld", number);
		else
			site->source = (size_t)number;
		return;
	}
	if (names->map && !memchr(site->text.s, '/', site->text.len))
		site->source = find_named(names, site->text);
}

/* --- the target and what it needs ------------------------------------------------------------- */

static size_t find_target(const struct bw_plan *plan, const char *target, const struct names *names)
{
	BW_AUTOFREE char *lower = bw_strdup(target);
	struct bw_text text = {target, strlen(target)};
	size_t found;
	long number;

	bw_text_lower(lower);
	found = get_stage(names, lower);
	if (found == BW_NOWHERE && read_number(text, &number) && number >= 0 &&
	    (size_t)number < plan->stage_count)
		found = (size_t)number;
	return found;
}

struct worklist {
	size_t *items;
	size_t count;
};

static void reach(struct bw_plan *plan, struct worklist *work, size_t stage)
{
	if (stage == BW_NOWHERE || plan->stages[stage].is_reachable)
		return;
	plan->stages[stage].is_reachable = true;
	work->items[work->count++] = stage;
}

/* The stages that the instructions of a stage name: its own, or those of its triggers. */
static void reach_sources(struct bw_plan *plan, struct worklist *work, size_t stage, bool triggers)
{
	size_t end = bw_plan_sites_end(plan, stage);

	for (size_t i = plan->stages[stage].sites; i < end; i++)
		if (plan->sites[i].is_trigger == triggers)
			reach(plan, work, plan->sites[i].source);
}

static void reach_triggers(struct bw_plan *plan, struct worklist *work, size_t stage, size_t scratch)
{
	reach_sources(plan, work, stage, true);
	if (plan->stages[stage].has_bare_mount_trigger)
		reach(plan, work, scratch);
}

/* Each stage is taken once, and its triggers once, so this is linear in the size of the file. */
static void reach_all(struct bw_plan *plan, size_t scratch)
{
	struct worklist work = {.items = bw_alloc(plan->stage_count * sizeof(size_t))};

	reach(plan, &work, plan->target);
	while (work.count > 0) {
		size_t i = work.items[--work.count];
		const struct bw_stage *stage = &plan->stages[i];
		struct bw_stage *base;

		if (stage->context)
			continue;
		reach_sources(plan, &work, i, false);
		if (stage->has_bare_mount)
			reach(plan, &work, scratch);
		if (stage->base == BW_NOWHERE)
			continue;
		reach(plan, &work, stage->base);
		base = &plan->stages[stage->base];
		if (base->first_reachable_child == BW_NOWHERE)
			reach_triggers(plan, &work, stage->base, scratch);
		if (i < base->first_reachable_child)
			base->first_reachable_child = i;
	}
	free(work.items);
}

bool bw_plan_site_is_reachable(const struct bw_plan *plan, const struct bw_site *site)
{
	const struct bw_stage *stage = &plan->stages[site->stage];

	if (site->is_trigger)
		return stage->first_reachable_child != BW_NOWHERE;
	return stage->is_reachable && (site->kind == BW_SITE_FROM || !stage->context);
}

/*
 * COPY and mounts take from stages that are finished: not the one that runs them, nor a later one. A trigger
 * may name the stage that it fires in: it gets what that stage is so far.
 */
static void check_order(const struct bw_plan *plan, struct bw_site *site)
{
	const struct bw_stage *stage = &plan->stages[site->stage];
	size_t runs_in = site->stage;
	const char *why = "comes later: it needs to be defined before this one";

	if (site->source == BW_NOWHERE || site->failure)
		return;
	if (site->is_trigger)
		runs_in = stage->first_reachable_child != BW_NOWHERE ? stage->first_reachable_child
								     : stage->first_child;
	if (site->source < runs_in || (site->source == runs_in && site->is_trigger))
		return;
	if (site->source == runs_in)
		why = "is the stage itself: circular dependency";
	site->failure = bw_asprintf("stage \"%.*s\" %s", (int)(site->text.len < 256 ? site->text.len : 256),
				    site->text.s, why);
}

/* A mount without `from` stands on the stage `scratch` where there is one (dockerfile2llb/convert_runmount.go). */
static void check_bare_mounts(const struct bw_plan *plan, size_t scratch, struct bw_dockerfile *d)
{
	if (scratch == BW_NOWHERE)
		return;
	for (size_t i = 0; i <= scratch; i++)
		if (plan->stages[i].has_bare_mount && plan->stages[i].is_reachable)
			bw_plan_error(d, plan->stages[i].line,
				      "a mount without 'from' stands on the stage \"scratch\", which %s",
				      i == scratch ? "is the stage itself: circular dependency"
						   : "comes later: it needs to be defined before this one");
}

static void report_triggers(const struct bw_plan *plan, struct bw_dockerfile *d)
{
	for (size_t i = 0; i < plan->trigger_error_count; i++) {
		const struct bw_trigger_error *e = &plan->trigger_errors[i];

		if (plan->stages[e->stage].first_reachable_child != BW_NOWHERE)
			bw_plan_error(d, e->line, "ONBUILD: %s", e->text);
	}
}

void bw_plan_resolve(struct bw_plan *plan, struct bw_vars *vars, const struct bw_build_options *opts,
		     struct bw_dockerfile *d)
{
	struct names names = {.stages = plan->stages};
	size_t scratch;

	if (plan->stage_count == 0)
		return;
	resolve_stages(plan, vars, opts, &names, d);
	for (size_t i = 0; i < plan->site_count; i++)
		link_site(plan, &plan->sites[i], &names);
	plan->target = plan->stage_count - 1;
	if (opts->target && *opts->target) {
		size_t found = find_target(plan, opts->target, &names);

		if (found == BW_NOWHERE)
			bw_plan_error(d, 0, "target stage \"%.256s\" could not be found", opts->target);
		else
			plan->target = found;
	}
	scratch = get_stage(&names, "scratch");
	reach_all(plan, scratch);
	check_bare_mounts(plan, scratch, d);
	for (size_t i = 0; i < plan->site_count; i++)
		check_order(plan, &plan->sites[i]);
	report_triggers(plan, d);
	if (names.map)
		bw_map_free(names.map, NULL);
}
