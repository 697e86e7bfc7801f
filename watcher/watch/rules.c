/* rules.c - see watch/rules.h. */
#include "watch/rules.h"

#include <string.h>

#include "core/text.h"

/* A URL has no '#', so the first one is that before the branch. */
static bool is_source(const struct bw_rule_source *x, const char *source)
{
	size_t len = strlen(x->name);

	if (!x->branch)
		return strcmp(source, x->name) == 0;
	return strncmp(source, x->name, len) == 0 && source[len] == '#' &&
	       bw_text_glob(x->branch, source + len + 1);
}

static bool matches_source(const struct bw_rule *x, const char *source)
{
	for (const struct bw_rule_source *s = x->sources; s && s->name; s++)
		if (is_source(s, source))
			return true;
	return !x->sources;
}

static bool matches_base(const struct bw_rule *x, const char *base)
{
	for (const char *const *glob = x->bases; glob && *glob; glob++)
		if (bw_text_glob(*glob, base))
			return true;
	return !x->bases;
}

static bool has(unsigned bits, unsigned bit)
{
	return bits >> bit & 1U;
}

static bool matches(const struct bw_rule *x, const struct bw_rules_use *u)
{
	return has(x->roles, u->role) && has(x->classes, u->class) && matches_source(x, u->source) &&
	       matches_base(x, u->base);
}

static bool is_silent(const struct bw_rule *x)
{
	return x->sinks && !x->sinks[0];
}

static void rule(const struct bw_rule *x, size_t number, struct bw_ruling *ret)
{
	*ret = (struct bw_ruling){.fate = is_silent(x) ? BW_USE_SUPPRESSED : BW_USE_ASKED,
				  .rule = number,
				  .sinks = is_silent(x) ? NULL : x->sinks};
}

static size_t count_of(const struct bw_rules *r)
{
	return r ? r->count : 0;
}

void bw_rules_decide(const struct bw_rules *r, const struct bw_rules_use *u, struct bw_ruling *ret)
{
	static const struct bw_rule otherwise = {.roles = BW_RULES_ROLES, .classes = BW_RULES_CLASSES};

	for (size_t i = 0; i < count_of(r); i++)
		if (matches(&r->items[i], u)) {
			rule(&r->items[i], i + 1, ret);
			return;
		}
	*ret = (struct bw_ruling){.fate = matches(&otherwise, u) ? BW_USE_ASKED : BW_USE_UNCOUNTED};
}

static bool is_for_bases(const struct bw_rule *x)
{
	return !x->sources && (BW_RULES_ROLES & ~x->roles) == 0 && (BW_RULES_CLASSES & ~x->classes) == 0;
}

void bw_rules_decide_base(const struct bw_rules *r, const char *base, struct bw_ruling *ret)
{
	*ret = (struct bw_ruling){.fate = BW_USE_ASKED};
	for (size_t i = 0; i < count_of(r); i++)
		if (is_for_bases(&r->items[i]) && matches_base(&r->items[i], base)) {
			rule(&r->items[i], i + 1, ret);
			ret->sinks = NULL;
			return;
		}
}

bool bw_rules_count_index(const struct bw_rules *r)
{
	for (size_t i = 0; i < count_of(r); i++)
		if (has(r->items[i].classes, BW_CLASS_INDEX) && !is_silent(&r->items[i]))
			return true;
	return false;
}

bool bw_rules_count_frontends(const struct bw_rules *r)
{
	for (size_t i = 0; i < count_of(r); i++)
		if (has(r->items[i].roles, BW_ROLE_FRONTEND) && !is_silent(&r->items[i]))
			return true;
	return false;
}
