#include "command/origins.h"

#include "command/gather.h"
#include "command/remote.h"
#include "command/setup.h"
#include "core/mem.h"

/* --- operands -------------------------------------------------------------------------------------- */

static void add_text(struct bw_origin_texts *t, const char *text)
{
	t->items = bw_realloc(t->items, t->count + 1, sizeof(*t->items));
	t->items[t->count++] = bw_strdup(text);
}

static int set_place(struct bw_origin *o, const struct bw_args *a, const char *operand, struct bw_err *err)
{
	int rc;

	if (!bw_remote_is(operand)) {
		o->path = bw_strdup(operand);
		o->shown = bw_strdup(operand);
		return 0;
	}
	rc = bw_giturl_parse(operand, &o->url, err);
	if (rc < 0)
		return rc;
	o->shown = bw_strdup(o->url.shown);
	if (o->url.branch)
		add_text(&o->branches, o->url.branch);
	if (a->source)
		return bw_fail(err, BW_E_INPUT,
			       "--source does not go with a git repository: its address is its name");
	return 0;
}

static int init_operand(struct bw_origin *o, const struct bw_args *a, const char *operand, struct bw_err *err)
{
	struct bw_build_options options;

	*o = (struct bw_origin){.name = bw_strdup(a->source ? a->source : ""),
				.recipes = BW_NEW(struct bw_recipe),
				.recipe_count = 1};
	bw_gather_options(a, &options);
	bw_recipe_init(&o->recipes[0], &options);
	for (size_t i = 0; i < a->excludes.count; i++)
		add_text(&o->excludes, a->excludes.items[i]);
	return set_place(o, a, operand, err);
}

static int init_operands(const struct bw_args *a, struct bw_origins *ret, struct bw_err *err)
{
	static const char *const here[] = {".", NULL};
	const char *const *operands = a->operands.count > 0 ? a->operands.items : here;
	int rc = 0;

	ret->items = bw_realloc(NULL, a->operands.count + 1, sizeof(*ret->items));
	for (; *operands && rc == 0; operands++)
		rc = init_operand(&ret->items[ret->count++], a, *operands, err);
	return rc;
}

/* --- the configuration ----------------------------------------------------------------------------- */

/* What is said of the build, or of the source, would be said twice. */
static int refuse_options(const struct bw_args *a, struct bw_err *err)
{
	const char *option = a->source		       ? "--source"
			     : a->target	       ? "--target"
			     : a->build_args.count > 0 ? "--build-arg"
			     : a->contexts.count > 0   ? "--build-context"
			     : a->platform.os[0]       ? "--platform"
			     : a->excludes.count > 0   ? "--exclude"
						       : NULL;

	if (!option)
		return 0;
	return bw_fail(err, BW_E_INPUT,
		       "%s needs a PATH or URL: the sources of the configuration say how they are built",
		       option);
}

int bw_origins_configured(const struct bw_args *a, struct bw_origins *ret, struct bw_err *err)
{
	struct bw_conf *c = NULL;
	int rc = bw_setup_load(a, &c, err);

	*ret = (struct bw_origins){0};
	if (rc == 0)
		rc = bw_origins_init(ret, c, err);
	bw_conf_free(c);
	return rc;
}

int bw_origins_choose(const struct bw_args *a, bool may_be_configured, struct bw_origins *ret,
		      bool *ret_is_configured, struct bw_err *err)
{
	int rc = 0;

	*ret = (struct bw_origins){0};
	if (may_be_configured && a->operands.count == 0)
		rc = bw_origins_configured(a, ret, err);
	*ret_is_configured = ret->count > 0;
	if (rc < 0)
		return rc;
	if (*ret_is_configured)
		return refuse_options(a, err);
	bw_origins_done(ret);
	return init_operands(a, ret, err);
}
