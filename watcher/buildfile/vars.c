#include "buildfile/vars.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

static const char *const automatic_names[BW_VARS_AUTOMATIC] = {
	"BUILDPLATFORM", "BUILDOS",	   "BUILDOSVERSION", "BUILDARCH",
	"BUILDVARIANT",	 "TARGETPLATFORM", "TARGETOS",	     "TARGETOSVERSION",
	"TARGETARCH",	 "TARGETVARIANT",  "TARGETSTAGE",
};

/* Those of the target platform: TARGETPLATFORM to TARGETVARIANT. */
#define FIRST_OF_TARGET 5
#define LAST_OF_TARGET	9

/* A variable's name as a string; longer ones are none of ours. */
#define NAME_MAX_BYTES 256

const char *bw_build_arg(const struct bw_build_options *opts, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < opts->arg_count; i++)
		if (bw_text_is(opts->args[i].name, name))
			value = opts->args[i].value;
	return value;
}

static size_t automatic_of(const char *name)
{
	size_t i = 0;

	while (i < BW_VARS_AUTOMATIC && strcmp(name, automatic_names[i]) != 0)
		i++;
	return i;
}

bool bw_vars_is_automatic(const char *name)
{
	return automatic_of(name) < BW_VARS_AUTOMATIC;
}

static void var_free(void *p)
{
	struct bw_var *var = p;

	free(var->value);
	free(var->missing);
	free(var);
}

static void init_automatic(struct bw_vars *v, const char *target_stage)
{
	const struct bw_build_options *o = v->opts;
	const struct bw_platform *build = &o->builder;
	const struct bw_platform *target = o->platform.os[0] ? &o->platform : build;
	struct bw_platform bare = *build;
	const char *values[BW_VARS_AUTOMATIC] = {
		v->build_platform, build->os,	       build->os_version, build->arch,
		build->variant,	   v->target_platform, target->os,	  target->os_version,
		target->arch,	   target->variant,    target_stage,
	};

	/* BUILDPLATFORM leaves the version of the system out, TARGETPLATFORM does not. */
	bare.os_version[0] = '\0';
	if (build->os[0])
		(void)bw_platform_format(&bare, v->build_platform);
	if (target->os[0])
		(void)bw_platform_format(target, v->target_platform);
	for (size_t i = 0; i < BW_VARS_AUTOMATIC; i++) {
		const char *given = bw_build_arg(o, automatic_names[i]);

		v->automatic[i] = given ? given : values[i];
	}
}

static bool get_automatic(const struct bw_vars *v, const char *name, struct bw_word_value *ret)
{
	size_t i = automatic_of(name);

	if (i == BW_VARS_AUTOMATIC)
		return false;
	*ret = (struct bw_word_value){.text = v->automatic[i], .len = strlen(v->automatic[i])};
	/* A value of --build-arg is the same for every platform. */
	ret->is_of_target = i >= FIRST_OF_TARGET && i <= LAST_OF_TARGET && !bw_build_arg(v->opts, name);
	return true;
}

static bool get(const char *name, size_t len, struct bw_word_value *ret, void *arg)
{
	const struct bw_vars *v = arg;
	const struct bw_var *var;
	char key[NAME_MAX_BYTES];

	if (len >= sizeof(key) || len == 0)
		return false;
	memcpy(key, name, len);
	key[len] = '\0';
	var = v->declared ? bw_map_get(v->declared, key) : NULL;
	if (var && var->value) {
		*ret = (struct bw_word_value){
			.text = var->value,
			.len = var->len,
			.origin = var->arg ? var : NULL,
			.missing = var->missing,
			.is_of_target = var->is_of_target,
		};
		return true;
	}
	return get_automatic(v, key, ret);
}

int bw_vars_expand(struct bw_vars *v, char escape, struct bw_text word, struct bw_buf *out,
		   struct bw_word_facts *facts, struct bw_err *err)
{
	struct bw_word_rules rules = {.escape = escape, .get = get, .arg = v, .work = &v->work};

	return bw_word_expand(word.s, word.len, &rules, out, facts, err);
}

static struct bw_var *declare(struct bw_vars *v, const char *name)
{
	struct bw_var *var;

	if (!v->declared)
		v->declared = bw_map_new();
	var = bw_map_get(v->declared, name);
	if (!var) {
		var = BW_NEW(struct bw_var);
		(void)bw_map_put(v->declared, name, var);
	}
	return var;
}

/* The ARG whose default holds the value letter by letter: this one, or the one whose value it passes on
 * whole. */
static const struct bw_arg *place_of(const struct bw_arg *arg, const struct bw_word_facts *facts,
				     const struct bw_buf *value)
{
	const struct bw_var *origin = facts->origin;

	if (value->len == 0)
		return NULL;
	if (origin)
		return origin->len == value->len && memcmp(origin->value, value->data, value->len) == 0
			       ? origin->arg
			       : NULL;
	if (value->len != arg->value_len - 2 * arg->quote ||
	    memcmp(arg->value + arg->quote, value->data, value->len) != 0)
		return NULL;
	return arg;
}

static void set(struct bw_var *var, char *value, size_t len)
{
	free(var->value);
	var->value = value;
	var->len = len;
}

/* The default may stand on the value so far (`ARG A=${A}-slim`): the old one goes last. */
static void assign(struct bw_var *var, const struct bw_arg *arg, const struct bw_word_facts *facts,
		   struct bw_buf *value)
{
	char *missing = NULL;

	if (facts->missing_count > 0)
		missing = bw_strndup(facts->missing[0].s, facts->missing[0].len);
	var->arg = place_of(arg, facts, value);
	var->is_of_target = facts->is_of_target;
	free(var->missing);
	var->missing = missing;
	set(var, bw_strndup(bw_buf_str(value), value->len), value->len);
}

static void evaluate(struct bw_vars *v, char escape, const struct bw_arg *arg, struct bw_dockerfile *d)
{
	struct bw_text word = {arg->value, arg->value_len};
	struct bw_word_facts facts;
	struct bw_buf value;
	struct bw_err err;

	bw_buf_init(&value, BW_MAX_WORD_BYTES);
	if (bw_vars_expand(v, escape, word, &value, &facts, &err) < 0) {
		bw_plan_error(d, arg->line, "ARG %s: %s", arg->name, err.msg);
		(void)declare(v, arg->name);
	} else {
		assign(declare(v, arg->name), arg, &facts, &value);
	}
	bw_buf_done(&value);
}

void bw_vars_init(struct bw_vars *v, const struct bw_plan *plan, const struct bw_build_options *opts,
		  const char *target_stage, struct bw_dockerfile *d)
{
	*v = (struct bw_vars){.opts = opts, .work = BW_WORD_WORK};
	init_automatic(v, target_stage);
	for (size_t i = 0; i < plan->arg_count; i++) {
		const struct bw_arg *arg = &plan->args[i];
		const char *given = bw_build_arg(opts, arg->name);

		if (given) {
			struct bw_var *var = declare(v, arg->name);

			set(var, bw_strdup(given), strlen(given));
		} else if (arg->value) {
			evaluate(v, plan->escape, arg, d);
		} else {
			/* Without a default a value from before stays. */
			(void)declare(v, arg->name);
		}
	}
}

void bw_vars_done(struct bw_vars *v)
{
	if (v->declared)
		bw_map_free(v->declared, var_free);
	v->declared = NULL;
}

struct bw_span bw_vars_span(const struct bw_word_facts *facts)
{
	const struct bw_var *var = facts->origin;

	return var && var->arg ? var->arg->span : (struct bw_span){0};
}

static bool is_declared(const struct bw_vars *v, struct bw_text name)
{
	char key[NAME_MAX_BYTES];

	if (!v->declared || name.len >= sizeof(key))
		return false;
	memcpy(key, name.s, name.len);
	key[name.len] = '\0';
	return bw_map_get(v->declared, key) != NULL;
}

static bool is_repeated(const struct bw_word_facts *facts, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (facts->missing[k].len == facts->missing[i].len &&
		    memcmp(facts->missing[k].s, facts->missing[i].s, facts->missing[i].len) == 0)
			return true;
	return false;
}

char *bw_vars_missing(const struct bw_vars *v, const struct bw_word_facts *facts)
{
	struct bw_buf text;
	char *result;

	if (facts->missing_count == 0)
		return NULL;
	bw_buf_init(&text, BW_ERR_MAX);
	for (size_t i = 0; i < facts->missing_count; i++) {
		struct bw_text name = facts->missing[i];
		int len = name.len < NAME_MAX_BYTES ? (int)name.len : 32;

		if (is_repeated(facts, i))
			continue;
		if (text.len > 0)
			(void)bw_buf_adds(&text, "; ");
		if (is_declared(v, name))
			(void)bw_buf_addf(&text, "ARG %.*s has no value: give --build-arg %.*s=...", len,
					  name.s, len, name.s);
		else
			(void)bw_buf_addf(&text, "ARG %.*s is not declared before the first FROM", len,
					  name.s);
	}
	result = bw_buf_take(&text, NULL);
	bw_buf_done(&text);
	return result;
}
